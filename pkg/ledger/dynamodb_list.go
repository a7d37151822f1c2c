package ledger

import (
	"context"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/permdrift/permdrift/pkg/drift"
)

// DynamoDBLister lists the findings in a DynamoDB table by reading it from end
// to end. In the functions that is for the digest of learning alone, once a
// day: whatever an event asks for has a key.
type DynamoDBLister struct {
	reader *DynamoDB // its table, clock and patience; it reads nothing here
	api    ScanAPI
}

// NewDynamoDBLister returns what lists the findings in a table.
func NewDynamoDBLister(api ScanAPI, table string) *DynamoDBLister {
	return &DynamoDBLister{reader: NewDynamoDB(nil, table), api: api}
}

// List yields all findings; an error ends it.
func (l *DynamoDBLister) List(ctx context.Context) iter.Seq2[drift.Finding, error] {
	return func(yield func(drift.Finding, error) bool) {
		for f, err := range l.findings(ctx, findingPrefix) {
			if err != nil {
				err = fmt.Errorf("listing the findings of table %s: %w", l.reader.table, err)
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// findings yields the findings whose sk begins with a prefix; an error ends it.
func (l *DynamoDBLister) findings(ctx context.Context, prefix string) iter.Seq2[drift.Finding, error] {
	return func(yield func(drift.Finding, error) bool) {
		for item, err := range l.scan(ctx, prefix) {
			var r record
			var f drift.Finding
			if err == nil {
				r, err = decode(item)
			}
			if err == nil && r.expired(l.reader.Now()) {
				continue
			}
			if err == nil {
				f, err = r.finding()
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// scan yields the items whose sk begins with a prefix; an error ends it.
func (l *DynamoDBLister) scan(ctx context.Context, prefix string) iter.Seq2[attributes, error] {
	input := &dynamodb.ScanInput{
		TableName:                 &l.reader.table,
		ConsistentRead:            aws.Bool(true),
		FilterExpression:          aws.String("begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#sk": "sk"},
		ExpressionAttributeValues: attributes{":prefix": str(prefix)},
	}
	return func(yield func(attributes, error) bool) {
		for {
			var page *dynamodb.ScanOutput
			err := retry(ctx, l.reader.sleep, func() (err error) { page, err = l.api.Scan(ctx, input); return err })
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if input.ExclusiveStartKey = page.LastEvaluatedKey; len(input.ExclusiveStartKey) == 0 {
				return
			}
		}
	}
}

// Find returns the finding whose id begins with a prefix.
func (d *DynamoDBAdmin) Find(ctx context.Context, prefix string) (drift.Finding, error) {
	f, err := find(prefix, d.findings(ctx, findingPrefix+prefix))
	if err != nil {
		return drift.Finding{}, fmt.Errorf("looking for finding %s: %w", prefix, err)
	}
	return f, nil
}

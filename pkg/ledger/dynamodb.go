package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/permdrift/permdrift/pkg/drift"
)

// API is what reading a ledger calls.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// WriteAPI is what writing calls beside API.
type WriteAPI interface {
	API
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// ScanAPI is what looking through the whole table calls.
type ScanAPI interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// AdminAPI is what the command line calls.
type AdminAPI interface {
	WriteAPI
	ScanAPI
}

// DynamoDB reads a ledger in a DynamoDB table. It has no way to write.
type DynamoDB struct {
	// Now is the clock by which items expire.
	Now func() time.Time

	api   API
	table string
	sleep sleeper
}

// NewDynamoDB returns a store that reads a table.
func NewDynamoDB(api API, table string) *DynamoDB {
	return &DynamoDB{Now: time.Now, api: api, table: table, sleep: sleep}
}

// DynamoDBWriter reads and writes a ledger in a DynamoDB table. It is what the
// functions use.
type DynamoDBWriter struct {
	*DynamoDB
	api WriteAPI
}

// NewDynamoDBWriter returns a store that reads and writes a table.
func NewDynamoDBWriter(api WriteAPI, table string) *DynamoDBWriter {
	return &DynamoDBWriter{DynamoDB: NewDynamoDB(api, table), api: api}
}

// DynamoDBAdmin is the Store in a DynamoDB table.
type DynamoDBAdmin struct {
	*DynamoDBWriter
	*DynamoDBLister
}

// NewDynamoDBAdmin returns the Store in a table.
func NewDynamoDBAdmin(api AdminAPI, table string) *DynamoDBAdmin {
	writer := NewDynamoDBWriter(api, table)
	return &DynamoDBAdmin{DynamoDBWriter: writer, DynamoDBLister: &DynamoDBLister{reader: writer.DynamoDB, api: api}}
}

// Findings returns the findings of a subject, ordered by id.
func (d *DynamoDB) Findings(ctx context.Context, s drift.Subject) ([]drift.Finding, error) {
	records, err := d.query(ctx, string(s), findingPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading findings of %s: %w", s, err)
	}
	findings, err := decodeAll(records, d.Now(), record.finding)
	if err != nil {
		return nil, fmt.Errorf("reading findings of %s: %w", s, err)
	}
	return findings, nil
}

// Finding returns one finding.
func (d *DynamoDB) Finding(ctx context.Context, s drift.Subject, id string) (drift.Finding, error) {
	r, err := d.get(ctx, string(s), findingPrefix+id)
	if err != nil {
		return drift.Finding{}, fmt.Errorf("reading finding %s of %s: %w", id, s, err)
	}
	if r.version == 0 || r.expired(d.Now()) {
		return drift.Finding{}, fmt.Errorf("reading finding %s of %s: %w", id, s, drift.ErrNotFound)
	}
	f, err := r.finding()
	if err != nil {
		return drift.Finding{}, fmt.Errorf("reading finding %s of %s: %w", id, s, err)
	}
	return f, nil
}

// Intents returns the intents of a subject, oldest first.
func (d *DynamoDB) Intents(ctx context.Context, s drift.Subject) ([]drift.Intent, error) {
	records, err := d.query(ctx, string(s), intentPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading intents of %s: %w", s, err)
	}
	intents, err := decodeAll(records, d.Now(), record.intent)
	if err != nil {
		return nil, fmt.Errorf("reading intents of %s: %w", s, err)
	}
	oldestFirst(intents)
	return intents, nil
}

// Save stores a finding and returns it with its new version.
func (d *DynamoDBWriter) Save(ctx context.Context, f drift.Finding) (drift.Finding, error) {
	read := f.Version
	f.Version++
	r, err := findingRecord(f, d.Now())
	if err == nil {
		err = d.replace(ctx, r, read)
	}
	if err != nil {
		return drift.Finding{}, fmt.Errorf("writing finding %s of %s: %w", f.ID, f.Subject, err)
	}
	return f, nil
}

// SaveIntent stores an intent and returns it with its new version.
func (d *DynamoDBWriter) SaveIntent(ctx context.Context, i drift.Intent) (drift.Intent, error) {
	read := i.Version
	i.Version++
	r, err := intentRecord(i)
	if err == nil {
		err = d.replace(ctx, r, read)
	}
	if err != nil {
		return drift.Intent{}, fmt.Errorf("writing intent %s of %s: %w", i.ID, i.Subject, err)
	}
	return i, nil
}

// Removals returns the removals of a subject, in the order of their events.
func (d *DynamoDB) Removals(ctx context.Context, s drift.Subject) ([]drift.Removal, error) {
	records, err := d.query(ctx, string(s), removalPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading removals of %s: %w", s, err)
	}
	removals, err := decodeAll(records, d.Now(), record.removal)
	if err != nil {
		return nil, fmt.Errorf("reading removals of %s: %w", s, err)
	}
	inOrder(removals)
	return removals, nil
}

// SaveRemoval stores a removal of something of a subject.
func (d *DynamoDBWriter) SaveRemoval(ctx context.Context, s drift.Subject, r drift.Removal) error {
	stored, err := removalRecord(s, r, d.Now())
	if err == nil {
		input := &dynamodb.PutItemInput{TableName: &d.table, Item: encode(stored)}
		err = retry(ctx, d.sleep, func() error { _, err := d.api.PutItem(ctx, input); return err })
	}
	if err != nil {
		return fmt.Errorf("writing removal from %s by event %s: %w", s.ARN(r.Place), r.Event.Key(), err)
	}
	return nil
}

// item reads one item; empty if there is none.
func (d *DynamoDB) item(ctx context.Context, pk, sk string) (attributes, error) {
	input := &dynamodb.GetItemInput{TableName: &d.table, ConsistentRead: aws.Bool(true), Key: key(pk, sk)}
	var output *dynamodb.GetItemOutput
	err := retry(ctx, d.sleep, func() (err error) { output, err = d.api.GetItem(ctx, input); return err })
	if err != nil {
		return nil, err
	}
	return output.Item, nil
}

// get reads one item as a record; the zero record if there is none.
func (d *DynamoDB) get(ctx context.Context, pk, sk string) (record, error) {
	item, err := d.item(ctx, pk, sk)
	if err != nil || len(item) == 0 {
		return record{}, err
	}
	return decode(item)
}

// query reads all items of a pk whose sk has a prefix, in the order of sk.
func (d *DynamoDB) query(ctx context.Context, pk, prefix string) ([]record, error) {
	input := &dynamodb.QueryInput{
		TableName:                 &d.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :pk AND begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#pk": "pk", "#sk": "sk"},
		ExpressionAttributeValues: attributes{":pk": str(pk), ":prefix": str(prefix)},
	}
	var records []record
	for {
		var page *dynamodb.QueryOutput
		err := retry(ctx, d.sleep, func() (err error) { page, err = d.api.Query(ctx, input); return err })
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			r, err := decode(item)
			if err != nil {
				return nil, err
			}
			records = append(records, r)
		}
		if input.ExclusiveStartKey = page.LastEvaluatedKey; len(input.ExclusiveStartKey) == 0 {
			return records, nil
		}
	}
}

// absent is the condition under which an item may be created: there is none,
// or it has expired.
const absent = "attribute_not_exists(#pk) OR #expires <= :now"

// replace writes a record if the stored version is the one that was read (0:
// nothing is stored), or if the stored one is the record itself.
func (d *DynamoDBWriter) replace(ctx context.Context, r record, read int64) error {
	r.write = rand.Text()
	condition := absent
	names := map[string]string{"#pk": "pk", "#expires": "expires"}
	values := attributes{":now": num(d.Now().Unix())}
	if read != 0 {
		condition = "#version = :version AND (attribute_not_exists(#expires) OR #expires > :now)"
		names = map[string]string{"#version": "version", "#expires": "expires"}
		values[":version"] = num(read)
	}
	err := d.create(ctx, encode(r), condition, names, values)
	if errors.Is(err, drift.ErrConflict) {
		return fmt.Errorf("version %d was read: %w", read, err)
	}
	return err
}

// create puts an item under a condition. If that fails because the stored item
// has the same write id, we wrote it, and the answer got lost.
func (d *DynamoDBWriter) create(ctx context.Context, item attributes, condition string, names map[string]string, values attributes) error {
	input := &dynamodb.PutItemInput{
		TableName:                           &d.table,
		Item:                                item,
		ConditionExpression:                 &condition,
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	err := retry(ctx, d.sleep, func() error { _, err := d.api.PutItem(ctx, input); return err })
	if !errors.Is(err, drift.ErrConflict) {
		return err
	}
	stored, problem := d.instead(ctx, item, err)
	switch {
	case problem != nil:
		return fmt.Errorf("reading again after a failed condition: %w", problem)
	case text(stored, "write") == text(item, "write"):
		return nil
	default:
		return drift.ErrConflict
	}
}

// instead is the stored item that failed the condition on another one: the one
// that came with the error, or else read again.
func (d *DynamoDBWriter) instead(ctx context.Context, item attributes, err error) (attributes, error) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) && len(failed.Item) > 0 {
		return failed.Item, nil
	}
	return d.item(ctx, text(item, "pk"), text(item, "sk"))
}

type attributes = map[string]types.AttributeValue

func key(pk, sk string) attributes { return attributes{"pk": str(pk), "sk": str(sk)} }

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// text is the string attribute of an item; "" if it has none.
func text(item attributes, name string) string {
	if s, ok := item[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// number is the number attribute of an item; 0 if it has none.
func number(item attributes, name string) (int64, error) {
	n, ok := item[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, nil
	}
	value, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s of item %s of %s: %w", name, text(item, "sk"), text(item, "pk"), err)
	}
	return value, nil
}

func encode(r record) attributes {
	item := key(r.pk, r.sk)
	item["version"], item["doc"] = num(r.version), str(r.doc)
	if r.write != "" {
		item["write"] = str(r.write)
	}
	if r.expires != 0 {
		item["expires"] = num(r.expires)
	}
	return item
}

func decode(item attributes) (record, error) {
	r := record{pk: text(item, "pk"), sk: text(item, "sk"), write: text(item, "write"), doc: text(item, "doc")}
	version, err := number(item, "version")
	if err != nil {
		return record{}, err
	}
	expires, err := number(item, "expires")
	if err != nil {
		return record{}, err
	}
	if version < 1 {
		return record{}, fmt.Errorf("item %s of %s has no version", r.sk, r.pk)
	}
	r.version, r.expires = version, expires
	return r, nil
}

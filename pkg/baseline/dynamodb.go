package baseline

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/permdrift/permdrift/pkg/drift"
)

// API is what reading a baseline calls, and all that the functions may call.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// WriteAPI is what writing calls beside API.
type WriteAPI interface {
	API
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

// ScanAPI is what listing all subjects calls.
type ScanAPI interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// AdminAPI is what the command line calls.
type AdminAPI interface {
	WriteAPI
	ScanAPI
}

// DynamoDB reads baselines from a DynamoDB table. It has no way to write.
type DynamoDB struct {
	api   API
	table string
	sleep sleeper
}

// NewDynamoDB returns a store that reads a table.
func NewDynamoDB(api API, table string) *DynamoDB {
	return &DynamoDB{api: api, table: table, sleep: sleep}
}

// DynamoDBWriter reads and writes baselines in a DynamoDB table.
type DynamoDBWriter struct {
	*DynamoDB
	// Now is the clock by which deletions are dated.
	Now func() time.Time

	api WriteAPI
}

// NewDynamoDBWriter returns a store that reads and writes a table.
func NewDynamoDBWriter(api WriteAPI, table string) *DynamoDBWriter {
	return &DynamoDBWriter{DynamoDB: NewDynamoDB(api, table), Now: time.Now, api: api}
}

// DynamoDBAdmin is the Store in a DynamoDB table.
type DynamoDBAdmin struct {
	*DynamoDBWriter
	api ScanAPI
}

// NewDynamoDBAdmin returns the Store in a table.
func NewDynamoDBAdmin(api AdminAPI, table string) *DynamoDBAdmin {
	return &DynamoDBAdmin{DynamoDBWriter: NewDynamoDBWriter(api, table), api: api}
}

// Get returns the approved state of a subject at all places.
func (d *DynamoDB) Get(ctx context.Context, s drift.Subject) (drift.Baseline, error) {
	heads, err := d.query(ctx, string(s), placePrefix)
	if err != nil {
		return drift.Baseline{}, fmt.Errorf("reading baseline of %s: %w", s, err)
	}
	b, err := baselineOf(s, heads)
	if err != nil {
		return drift.Baseline{}, fmt.Errorf("reading baseline of %s: %w", s, err)
	}
	return b, nil
}

// History returns all versions that were in force at one place, oldest first.
func (d *DynamoDB) History(ctx context.Context, s drift.Subject, p drift.Place) ([]drift.Approved, error) {
	chain, broken := d.chain(ctx, string(s), placeKey(p))
	var versions []drift.Approved
	for _, r := range chain {
		approved, err := r.approved()
		if err != nil {
			return nil, fmt.Errorf("reading history of %s: %w", s.ARN(p), err)
		}
		versions = append(versions, approved)
	}
	if broken != nil {
		return versions, fmt.Errorf("reading history of %s: %w", s.ARN(p), broken)
	}
	return versions, nil
}

// chain returns the history items from version 1 to a head. The head is read
// first: all that it rests on was written before it.
func (d *DynamoDB) chain(ctx context.Context, pk, sk string) ([]record, error) {
	head, err := d.get(ctx, pk, sk)
	if err != nil {
		return nil, err
	}
	items, err := d.query(ctx, historyKey(pk, sk), "")
	if err != nil {
		return nil, err
	}
	byWrite := make(map[string]record, len(items))
	for _, item := range items {
		byWrite[item.write] = item
	}
	chain := make([]record, 0, head.version)
	write := head.write
	for version := head.version; version > 0; version-- {
		item, ok := byWrite[write]
		if !ok || item.version != version {
			slices.Reverse(chain)
			return chain, fmt.Errorf("version %d: %w", version, drift.ErrNotFound)
		}
		chain = append(chain, item)
		write = item.previous
	}
	slices.Reverse(chain)
	return chain, nil
}

// Settings returns the settings; the zero value if none are stored.
func (d *DynamoDB) Settings(ctx context.Context) (drift.Settings, error) {
	r, err := d.get(ctx, settingsKey, settingsKey)
	if err != nil {
		return drift.Settings{}, fmt.Errorf("reading settings: %w", err)
	}
	s, err := r.settings()
	if err != nil {
		return drift.Settings{}, fmt.Errorf("reading settings: %w", err)
	}
	return s, nil
}

// Put stores what is approved at one place and returns it with its new version.
func (d *DynamoDBWriter) Put(ctx context.Context, s drift.Subject, p drift.Place, a drift.Approved) (drift.Approved, error) {
	read := a.Version
	a.Version++
	if err := d.put(ctx, s, p, read, a); err != nil {
		return drift.Approved{}, fmt.Errorf("writing baseline of %s: %w", s.ARN(p), err)
	}
	return a, nil
}

func (d *DynamoDBWriter) put(ctx context.Context, s drift.Subject, p drift.Place, read int64, a drift.Approved) error {
	next, err := approvedRecord(s, p, a)
	if err != nil {
		return err
	}
	stored, err := d.read(ctx, next, read)
	if err != nil {
		return err
	}
	return d.advance(ctx, next, stored)
}

// read reads the record that another one replaces. Its version must be the one
// that was read before.
func (d *DynamoDBWriter) read(ctx context.Context, r record, read int64) (record, error) {
	stored, err := d.get(ctx, r.pk, r.sk)
	if err == nil && stored.version != read {
		err = conflict(read, stored.version)
	}
	return stored, err
}

// advance replaces the stored head by the next one: history first.
func (d *DynamoDBWriter) advance(ctx context.Context, next, stored record) error {
	next.write, next.previous = rand.Text(), stored.write
	if err := d.replace(ctx, next.past(), 0); err != nil {
		return err
	}
	err := d.replace(ctx, next, stored.version)
	if errors.Is(err, drift.ErrConflict) && d.wasHead(ctx, next) {
		return nil
	}
	return err
}

// wasHead reports whether a record came into force although its write failed:
// the answer got lost and somebody wrote the next version before the repetition.
func (d *DynamoDBWriter) wasHead(ctx context.Context, r record) bool {
	chain, err := d.chain(ctx, r.pk, r.sk)
	return err == nil && slices.ContainsFunc(chain, func(c record) bool { return c.write == r.write })
}

// PutSettings stores the settings and returns them with their new version.
func (d *DynamoDBWriter) PutSettings(ctx context.Context, s drift.Settings) (drift.Settings, error) {
	read := s.Version
	s.Version++
	if err := d.putSettings(ctx, read, s); err != nil {
		return drift.Settings{}, fmt.Errorf("writing settings: %w", err)
	}
	return s, nil
}

func (d *DynamoDBWriter) putSettings(ctx context.Context, read int64, s drift.Settings) error {
	next, err := newRecord(settingsKey, settingsKey, s.Version, s)
	if err != nil {
		return err
	}
	stored, err := d.read(ctx, next, read)
	if err != nil {
		return err
	}
	next.write, next.previous = rand.Text(), stored.write
	return d.replace(ctx, next, read)
}

// Subjects yields each subject that has a baseline once; an error ends it.
func (d *DynamoDBAdmin) Subjects(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		var last string // a scan gives the places of a subject one after another
		for item, err := range d.scan(ctx) {
			if err != nil {
				yield("", fmt.Errorf("listing the subjects of table %s: %w", d.table, err))
				return
			}
			if pk := text(item, "pk"); pk != last {
				last = pk
				if !yield(drift.Subject(pk), nil) {
					return
				}
			}
		}
	}
}

// scan yields the keys of all heads.
func (d *DynamoDBAdmin) scan(ctx context.Context) iter.Seq2[map[string]types.AttributeValue, error] {
	input := &dynamodb.ScanInput{
		TableName:                 &d.table,
		ConsistentRead:            aws.Bool(true),
		FilterExpression:          aws.String("begins_with(#sk, :prefix)"),
		ProjectionExpression:      aws.String("#pk, #sk"),
		ExpressionAttributeNames:  map[string]string{"#pk": "pk", "#sk": "sk"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":prefix": str(placePrefix)},
	}
	return func(yield func(map[string]types.AttributeValue, error) bool) {
		for {
			var page *dynamodb.ScanOutput
			err := retry(ctx, d.sleep, func() (err error) { page, err = d.api.Scan(ctx, input); return err })
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

// get reads one item; the zero record if there is none.
func (d *DynamoDB) get(ctx context.Context, pk, sk string) (record, error) {
	input := &dynamodb.GetItemInput{
		TableName:      &d.table,
		ConsistentRead: aws.Bool(true),
		Key:            map[string]types.AttributeValue{"pk": str(pk), "sk": str(sk)},
	}
	var output *dynamodb.GetItemOutput
	err := retry(ctx, d.sleep, func() (err error) { output, err = d.api.GetItem(ctx, input); return err })
	if err != nil || len(output.Item) == 0 {
		return record{}, err
	}
	return decode(output.Item)
}

// query reads all items of a pk whose sk has a prefix, in the order of sk.
func (d *DynamoDB) query(ctx context.Context, pk, prefix string) ([]record, error) {
	input := &dynamodb.QueryInput{
		TableName:                 &d.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :pk"),
		ExpressionAttributeNames:  map[string]string{"#pk": "pk"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": str(pk)},
	}
	if prefix != "" {
		input.KeyConditionExpression = aws.String("#pk = :pk AND begins_with(#sk, :prefix)")
		input.ExpressionAttributeNames["#sk"] = "sk"
		input.ExpressionAttributeValues[":prefix"] = str(prefix)
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

// replace writes a record if the stored version is the one that was read (0:
// nothing is stored), or if the stored one is the record itself.
func (d *DynamoDBWriter) replace(ctx context.Context, r record, read int64) error {
	input := &dynamodb.PutItemInput{
		TableName:                           &d.table,
		Item:                                encode(r),
		ConditionExpression:                 aws.String("attribute_not_exists(#pk)"),
		ExpressionAttributeNames:            map[string]string{"#pk": "pk"},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if read != 0 {
		input.ConditionExpression = aws.String("#version = :version AND #write = :previous")
		input.ExpressionAttributeNames = map[string]string{"#version": "version", "#write": "write"}
		input.ExpressionAttributeValues = map[string]types.AttributeValue{":version": num(read), ":previous": str(r.previous)}
	}
	err := retry(ctx, d.sleep, func() error { _, err := d.api.PutItem(ctx, input); return err })
	if !errors.Is(err, drift.ErrConflict) {
		return err
	}
	stored, problem := d.instead(ctx, r, err)
	switch {
	case problem != nil:
		return fmt.Errorf("reading again after a failed condition: %w", problem)
	case stored.write == r.write:
		return nil
	default:
		return conflict(read, stored.version)
	}
}

// instead is the stored item that failed the condition on r: the one that came
// with the error, or else read again.
func (d *DynamoDBWriter) instead(ctx context.Context, r record, err error) (record, error) {
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) && len(failed.Item) > 0 {
		return decode(failed.Item)
	}
	return d.get(ctx, r.pk, r.sk)
}

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// text is the string attribute of an item; "" if it has none.
func text(item map[string]types.AttributeValue, name string) string {
	if s, ok := item[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func encode(r record) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": str(r.pk), "sk": str(r.sk), "version": num(r.version),
		"write": str(r.write), "previous": str(r.previous), "doc": str(r.doc),
	}
}

func decode(item map[string]types.AttributeValue) (record, error) {
	r := record{
		pk: text(item, "pk"), sk: text(item, "sk"),
		write: text(item, "write"), previous: text(item, "previous"), doc: text(item, "doc"),
	}
	version, _ := item["version"].(*types.AttributeValueMemberN)
	if version == nil {
		return record{}, fmt.Errorf("item %s of %s has no version", r.sk, r.pk)
	}
	var err error
	if r.version, err = strconv.ParseInt(version.Value, 10, 64); err != nil {
		return record{}, fmt.Errorf("version of item %s of %s: %w", r.sk, r.pk, err)
	}
	return r, nil
}

package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/permdrift/permdrift/pkg/drift"
)

// StartSweep stores a new sweep; ErrConflict if there is one of that id.
func (d *DynamoDBWriter) StartSweep(ctx context.Context, r drift.SweepRun) error {
	now := d.Now()
	item := encodeSweep(r)
	item["write"], item["expires"] = str(rand.Text()), num(now.Add(SweepsKept).Unix())
	err := d.create(ctx, item, absent, map[string]string{"#pk": "pk", "#expires": "expires"}, attributes{":now": num(now.Unix())})
	if err != nil {
		return fmt.Errorf("starting sweep %s: %w", r.ID, err)
	}
	return nil
}

// AddSweepSubjects adds n to the number of subjects.
func (d *DynamoDBWriter) AddSweepSubjects(ctx context.Context, id string, n int) error {
	if err := d.count(ctx, id, addPrefix+rand.Text(), map[string]int{"subjects": n}); err != nil {
		return fmt.Errorf("adding %d subjects to sweep %s: %w", n, id, err)
	}
	return nil
}

// CountShard counts a subject as worked off, once.
func (d *DynamoDBWriter) CountShard(ctx context.Context, id string, s drift.Subject, outcome drift.ShardOutcome) error {
	add, err := counts(outcome)
	if err == nil {
		err = d.count(ctx, id, shardPrefix+string(s), add)
	}
	if err != nil {
		return fmt.Errorf("counting %s in sweep %s: %w", s, id, err)
	}
	return nil
}

// The parts of the transaction of count, by their index.
const (
	markPart = iota
	counterPart
)

// count adds to the counters of a sweep unless the mark is there already. Mark
// and counters are written in one transaction, so that the mark is there if
// and only if it was counted.
func (d *DynamoDBWriter) count(ctx context.Context, id, mark string, add map[string]int) error {
	input := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String(rand.Text()), // one for all repetitions
		TransactItems: []types.TransactWriteItem{
			markPart:    {Put: d.mark(id, mark)},
			counterPart: {Update: d.counters(id, add)},
		},
	}
	err := retry(ctx, d.sleep, func() error { _, err := d.api.TransactWriteItems(ctx, input); return err })
	var canceled *types.TransactionCanceledException
	switch {
	case !errors.As(err, &canceled):
		return err
	case failedCondition(canceled.CancellationReasons, counterPart):
		return drift.ErrNotFound
	case failedCondition(canceled.CancellationReasons, markPart):
		return nil
	}
	return err
}

func (d *DynamoDBWriter) mark(id, mark string) *types.Put {
	now := d.Now()
	item := key(sweepPrefix+id, mark)
	item["expires"] = num(now.Add(SweepsKept).Unix())
	return &types.Put{
		TableName:                 &d.table,
		Item:                      item,
		ConditionExpression:       aws.String(absent),
		ExpressionAttributeNames:  map[string]string{"#pk": "pk", "#expires": "expires"},
		ExpressionAttributeValues: attributes{":now": num(now.Unix())},
	}
}

// present is the condition under which a sweep may be updated.
const present = "attribute_exists(#pk) AND #expires > :now"

func (d *DynamoDBWriter) counters(id string, add map[string]int) *types.Update {
	names := map[string]string{"#pk": "pk", "#expires": "expires"}
	values := attributes{":now": num(d.Now().Unix())}
	var terms []string
	for _, name := range slices.Sorted(maps.Keys(add)) {
		names["#"+name], values[":"+name] = name, num(int64(add[name]))
		terms = append(terms, "#"+name+" :"+name)
	}
	return &types.Update{
		TableName:                 &d.table,
		Key:                       key(sweepPrefix+id, sweepKey),
		UpdateExpression:          aws.String("ADD " + strings.Join(terms, ", ")),
		ConditionExpression:       aws.String(present),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	}
}

// FinishPlan ends the planning; problem says what could not be listed.
func (d *DynamoDBWriter) FinishPlan(ctx context.Context, id, problem string) error {
	input := &dynamodb.UpdateItemInput{
		TableName:           &d.table,
		Key:                 key(sweepPrefix+id, sweepKey),
		UpdateExpression:    aws.String("SET #planned = :planned, #problem = :problem"),
		ConditionExpression: aws.String(present),
		ExpressionAttributeNames: map[string]string{
			"#pk": "pk", "#expires": "expires", "#planned": "planned", "#problem": "problem",
		},
		ExpressionAttributeValues: attributes{
			":now": num(d.Now().Unix()), ":problem": str(problem),
			":planned": &types.AttributeValueMemberBOOL{Value: true},
		},
	}
	err := retry(ctx, d.sleep, func() error { _, err := d.api.UpdateItem(ctx, input); return err })
	if errors.Is(err, drift.ErrConflict) {
		err = drift.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("finishing the plan of sweep %s: %w", id, err)
	}
	return nil
}

// Sweep returns how far a sweep got.
func (d *DynamoDB) Sweep(ctx context.Context, id string) (drift.SweepRun, error) {
	item, err := d.item(ctx, sweepPrefix+id, sweepKey)
	if err != nil {
		return drift.SweepRun{}, fmt.Errorf("reading sweep %s: %w", id, err)
	}
	run, expires, err := decodeSweep(item)
	if err == nil && expires <= d.Now().Unix() {
		err = drift.ErrNotFound
	}
	if err != nil {
		return drift.SweepRun{}, fmt.Errorf("reading sweep %s: %w", id, err)
	}
	return run, nil
}

// LastSweeps returns the latest sweeps, newest first, at most limit.
func (d *DynamoDBAdmin) LastSweeps(ctx context.Context, limit int) ([]drift.SweepRun, error) {
	var runs []drift.SweepRun
	for item, err := range d.scan(ctx, sweepKey) {
		if err != nil {
			return nil, fmt.Errorf("listing the sweeps of table %s: %w", d.table, err)
		}
		run, expires, err := decodeSweep(item)
		if err != nil {
			return nil, fmt.Errorf("listing the sweeps of table %s: %w", d.table, err)
		}
		if expires > d.Now().Unix() {
			runs = append(runs, run)
		}
	}
	return latest(runs, limit), nil
}

func encodeSweep(r drift.SweepRun) attributes {
	item := key(sweepPrefix+r.ID, sweepKey)
	item["id"], item["kind"], item["problem"] = str(r.ID), str(r.Kind), str(r.Problem)
	item["started"] = str(r.Started.Format(time.RFC3339Nano))
	item["planned"] = &types.AttributeValueMemberBOOL{Value: r.Planned}
	item["subjects"], item["done"] = num(int64(r.Subjects)), num(int64(r.Done))
	item["drifted"], item["unknown"] = num(int64(r.Drifted)), num(int64(r.Unknown))
	return item
}

// decodeSweep decodes a sweep and when it expires; ErrNotFound for no item.
func decodeSweep(item attributes) (drift.SweepRun, int64, error) {
	r := drift.SweepRun{ID: text(item, "id"), Kind: text(item, "kind"), Problem: text(item, "problem")}
	if len(item) == 0 {
		return r, 0, drift.ErrNotFound
	}
	if planned, ok := item["planned"].(*types.AttributeValueMemberBOOL); ok {
		r.Planned = planned.Value
	}
	for name, counter := range map[string]*int{
		"subjects": &r.Subjects, "done": &r.Done, "drifted": &r.Drifted, "unknown": &r.Unknown,
	} {
		n, err := number(item, name)
		if err != nil {
			return r, 0, err
		}
		*counter = int(n)
	}
	var err error
	if r.Started, err = time.Parse(time.RFC3339Nano, text(item, "started")); err != nil {
		return r, 0, fmt.Errorf("start of sweep %s: %w", r.ID, err)
	}
	expires, err := number(item, "expires")
	return r, expires, err
}

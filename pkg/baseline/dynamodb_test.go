package baseline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/permdrift/permdrift/internal/mototest"
	"github.com/permdrift/permdrift/pkg/drift"
)

var _ Store = (*DynamoDBAdmin)(nil)

// atOnce takes no time, and still notices that the context ended.
func atOnce(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// openDynamoDB returns a store on a table of its own.
func openDynamoDB(t *testing.T) (*DynamoDBAdmin, *dynamodb.Client, *mototest.Faults) {
	t.Helper()
	endpoint := mototest.Start(t)
	config, faults := mototest.FaultyConfig(endpoint)
	client := dynamodb.NewFromConfig(config)
	store := NewDynamoDBAdmin(client, mototest.CreateTable(t, endpoint, "baseline", false))
	store.sleep = atOnce
	return store, client, faults
}

func TestDynamoDBConforms(t *testing.T) {
	t.Parallel()
	mototest.Start(t)
	for _, c := range Conformance() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			store, _, faults := openDynamoDB(t)
			c.Run(t, Harness{
				Store: store, SetNow: func(now time.Time) { store.Now = func() time.Time { return now } },
				LoseAnswer: faults.LoseAnswer, Crash: faults.Crash, Throttle: faults.Throttle, PageSize: faults.PageSize,
			})
		})
	}
}

func TestDynamoDBKeysAreAsDocumented(t *testing.T) {
	t.Parallel()
	store, client, faults := openDynamoDB(t)
	put(t, store, ingest, drift.Unqualified, approvedBy(0, "one"))
	faults.Crash(2)
	if _, err := store.Put(t.Context(), ingest, "live", approvedBy(0, "crashed")); err == nil {
		t.Fatal("a write that crashed succeeded")
	}
	faults.Crash(0)
	if _, err := store.PutSettings(t.Context(), drift.Settings{Mode: drift.ModeReport}); err != nil {
		t.Fatal(err)
	}
	putRule(t, store, ruleOf("ingest", 0, "one"))
	deleteRule(t, store, "ingest", 1)
	page, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &store.table})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, item := range page.Items {
		sk, write := text(item, "sk"), text(item, "write")
		if write == "" {
			t.Errorf("%s has no write id", sk)
		}
		keys = append(keys, text(item, "pk")+" "+strings.ReplaceAll(sk, "#"+write, "#WRITE"))
	}
	slices.Sort(keys)
	same(t, "keys", keys, []string{
		string(ingest) + " place#$unqualified",
		"history#" + string(ingest) + "#$unqualified 0000000000000000001#WRITE",
		"history#" + string(ingest) + "#live 0000000000000000001#WRITE",
		"history#rules#ingest 0000000000000000001#WRITE",
		"history#rules#ingest 0000000000000000002#WRITE",
		"rules rule#ingest",
		"settings settings",
	})
}

func TestDynamoDBHistorySaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	store, client, _ := openDynamoDB(t)
	for version := range int64(3) {
		put(t, store, ingest, "live", approvedBy(version, "s"))
	}
	items, err := store.query(t.Context(), historyKey(string(ingest), placeKey("live")), "")
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]types.AttributeValue{"pk": str(items[1].pk), "sk": str(items[1].sk)}
	if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &store.table, Key: key}); err != nil {
		t.Fatal(err)
	}
	versions, err := store.History(t.Context(), ingest, "live")
	if len(versions) != 1 || versions[0].Version != 3 {
		t.Errorf("versions %+v, want version 3", versions)
	}
	if !errors.Is(err, drift.ErrNotFound) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("error %v does not say that version 2 is missing", err)
	}
}

func TestDynamoDBRefusesWhatItCannotDecode(t *testing.T) {
	t.Parallel()
	store, client, _ := openDynamoDB(t)
	for name, item := range map[string]map[string]types.AttributeValue{
		"no version":  {"doc": str("{}")},
		"no document": {"version": num(1)},
		"not JSON":    {"version": num(1), "doc": str("{")},
	} {
		item["pk"], item["sk"] = str(string(ingest)), str(placeKey("live"))
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &store.table, Item: item}); err != nil {
			t.Fatal(err)
		}
		b, err := store.Get(t.Context(), ingest)
		if err == nil || !strings.HasPrefix(err.Error(), "reading baseline of "+string(ingest)+": ") {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

func TestARuleThatCannotBeReadCanBeReplacedAndDeleted(t *testing.T) {
	t.Parallel()
	store, client, _ := openDynamoDB(t)
	breakRule := func(version int64) {
		item := map[string]types.AttributeValue{"pk": str(rulesKey), "sk": str(ruleKey("ingest")), "version": num(version), "write": str("w"), "doc": str("{")}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &store.table, Item: item}); err != nil {
			t.Fatal(err)
		}
		rules, err := store.Rules(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "reading rules: ") || !strings.Contains(err.Error(), "rule#ingest") {
			t.Errorf("rules %+v, %v", rules, err)
		}
	}
	breakRule(4)
	putRule(t, store, ruleOf("ingest", 4, "mended"))
	same(t, "rules", rulesIn(t, store), []string{"ingest 5 mended"})
	breakRule(7)
	deleteRule(t, store, "ingest", 7)
	same(t, "rules", rulesIn(t, store), []string{})
	history, err := store.RuleHistory(t.Context(), "ingest")
	if !errors.Is(err, drift.ErrNotFound) || len(history) != 1 || !Deleted(history[0]) {
		t.Errorf("history %+v, %v; want the deletion, and that version 7 is missing", history, err)
	}
}

// queries lets nothing but Query through, and counts it.
type queries struct {
	API
	client *dynamodb.Client
	calls  int
}

func (q *queries) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	q.calls++
	return q.client.Query(ctx, in, options...)
}

func TestTheFunctionsReadAllRulesWithOneQuery(t *testing.T) {
	t.Parallel()
	store, client, _ := openDynamoDB(t)
	for i := range 20 {
		putRule(t, store, ruleOf(fmt.Sprintf("r%02d", i), 0, "test"))
	}
	api := &queries{client: client} // anything else would panic
	rules, err := NewDynamoDB(api, store.table).Rules(t.Context())
	if err != nil || len(rules) != 20 || api.calls != 1 {
		t.Errorf("%d rules with %d queries, %v", len(rules), api.calls, err)
	}
}

// refusing answers every request with one error.
type refusing struct {
	API
	err   error
	calls int
}

func (r *refusing) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	r.calls++
	return nil, r.err
}

func TestErrorsAreTheDomains(t *testing.T) {
	for _, c := range []struct {
		code  string
		want  error
		calls int
	}{
		{"AccessDeniedException", drift.ErrDenied, 1},
		{"ProvisionedThroughputExceededException", drift.ErrThrottled, maxAttempts},
		{"ThrottlingException", drift.ErrThrottled, maxAttempts},
		{"RequestLimitExceeded", drift.ErrThrottled, maxAttempts},
		{"TransactionConflictException", drift.ErrThrottled, maxAttempts},
		{"ResourceNotFoundException", nil, 1},
	} {
		api := &refusing{err: &smithy.GenericAPIError{Code: c.code, Message: "no"}}
		store := NewDynamoDB(api, "baseline")
		store.sleep = atOnce
		_, err := store.Settings(t.Context())
		if !errors.Is(err, api.err) || (c.want != nil && !errors.Is(err, c.want)) || api.calls != c.calls {
			t.Errorf("%s: %d calls, error %v; want %d calls, %v", c.code, api.calls, err, c.calls, c.want)
		}
	}
}

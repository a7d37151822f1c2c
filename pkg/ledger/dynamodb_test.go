package ledger

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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
	store := NewDynamoDBAdmin(client, mototest.CreateTable(t, endpoint, "ledger", true))
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
				LoseAnswer: faults.LoseAnswer, Throttle: faults.Throttle, PageSize: faults.PageSize,
			})
		})
	}
}

func TestDynamoDBKeysAreAsDocumented(t *testing.T) {
	t.Parallel()
	store, client, _ := openDynamoDB(t)
	closed := open(ingest, "bbbbbbbb")
	closed.Status = drift.Resolved
	save(t, store, open(ingest, "aaaaaaaa"))
	save(t, store, closed)
	saveIntent(t, store, intent("i1", noon))
	saveRemoval(t, store, removal("e1", noon))
	start(t, store, "s1", noon)
	add(t, store, "s1", 1)
	count(t, store, "s1", ingest, drift.ShardClean)
	page, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &store.table})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, item := range page.Items {
		pk, sk := text(item, "pk"), text(item, "sk")
		switch {
		case strings.HasPrefix(sk, addPrefix):
			sk = addPrefix + "WRITE"
		case strings.HasPrefix(sk, removalPrefix):
			sk = removalPrefix + "HASH"
		}
		if expires, err := number(item, "expires"); err != nil || expires != 0 {
			sk += " expires"
		}
		keys = append(keys, pk+" "+sk)
	}
	slices.Sort(keys)
	same(t, "keys", keys, []string{
		string(ingest) + " finding#aaaaaaaa",
		string(ingest) + " finding#bbbbbbbb expires",
		string(ingest) + " intent#i1",
		string(ingest) + " removal#HASH expires",
		"sweep#s1 add#WRITE expires",
		"sweep#s1 shard#" + string(ingest) + " expires",
		"sweep#s1 sweep expires",
	})
}

func TestDynamoDBRefusesWhatItCannotDecode(t *testing.T) {
	t.Parallel()
	store, client, _ := openDynamoDB(t)
	for name, item := range map[string]attributes{
		"no version":  {"doc": str("{}")},
		"no document": {"version": num(1)},
		"not JSON":    {"version": num(1), "doc": str("{")},
	} {
		item["pk"], item["sk"] = str(string(ingest)), str(findingPrefix+"aaaaaaaa")
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &store.table, Item: item}); err != nil {
			t.Fatal(err)
		}
		all, err := store.Findings(t.Context(), ingest)
		if err == nil || !strings.HasPrefix(err.Error(), "reading findings of "+string(ingest)+": ") {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}

// scans lets nothing but Scan through, and counts it.
type scans struct {
	client *dynamodb.Client
	calls  int
}

func (s *scans) Scan(ctx context.Context, in *dynamodb.ScanInput, options ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	s.calls++
	return s.client.Scan(ctx, in, options...)
}

func TestTheListerNeedsNothingButScan(t *testing.T) {
	t.Parallel()
	store, client, faults := openDynamoDB(t)
	save(t, store, open(ingest, "aaaaaaaa"))
	save(t, store, open(export, "bbbbbbbb"))
	saveIntent(t, store, intent("i1", noon))
	faults.PageSize(2)
	api := &scans{client: client}
	var ids []string
	for f, err := range NewDynamoDBLister(api, store.table).List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	same(t, "list", ids, []string{"aaaaaaaa", "bbbbbbbb"})
	if api.calls < 2 {
		t.Errorf("%d calls for two pages", api.calls)
	}
	for _, err := range NewDynamoDBLister(api, "no-such-table").List(t.Context()) {
		if err == nil || !strings.HasPrefix(err.Error(), "listing the findings of table no-such-table: ") {
			t.Errorf("a table that is not there: %v", err)
		}
	}
}

// cancelling cancels every transaction for the given reasons, and counts them.
type cancelling struct {
	WriteAPI
	reasons []types.CancellationReason
	tokens  []string
}

func (c *cancelling) TransactWriteItems(_ context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	c.tokens = append(c.tokens, *in.ClientRequestToken)
	return nil, &types.TransactionCanceledException{CancellationReasons: c.reasons}
}

func TestEachReasonOfACancelledTransactionCounts(t *testing.T) {
	unknown := errors.New("any other error")
	for _, c := range []struct {
		mark, counters string
		want           error
		calls          int
	}{
		{"ConditionalCheckFailed", "None", nil, 1},
		{"ConditionalCheckFailed", "TransactionConflict", nil, 1},
		{"None", "ConditionalCheckFailed", drift.ErrNotFound, 1},
		{"ConditionalCheckFailed", "ConditionalCheckFailed", drift.ErrNotFound, 1},
		{"TransactionConflict", "ConditionalCheckFailed", drift.ErrNotFound, 1},
		{"None", "TransactionConflict", drift.ErrThrottled, maxAttempts},
		{"ThrottlingError", "ProvisionedThroughputExceeded", drift.ErrThrottled, maxAttempts},
		{"ThrottlingError", "ValidationError", unknown, 1},
		{"ValidationError", "ThrottlingError", unknown, 1},
		{"AccessDenied", "None", drift.ErrDenied, 1},
	} {
		api := &cancelling{reasons: []types.CancellationReason{{Code: &c.mark}, {Code: &c.counters}}}
		store := NewDynamoDBWriter(api, "ledger")
		store.sleep = atOnce
		err := store.CountShard(t.Context(), "s1", ingest, drift.ShardClean)
		fits := errors.Is(err, c.want)
		if errors.Is(c.want, unknown) {
			fits = err != nil && !errors.Is(err, drift.ErrThrottled) && !errors.Is(err, drift.ErrConflict)
		}
		if !fits || len(api.tokens) != c.calls || len(slices.Compact(api.tokens)) != 1 {
			t.Errorf("%s, %s: error %v with the tokens %q; want %v, %d calls, one token", c.mark, c.counters, err, api.tokens, c.want, c.calls)
		}
	}
}

// Package bench_test measures the auditor as Lambda runs it: the built bootstrap
// under internal/lambdaruntime, one SQS message with one AddPermission an
// invocation. `make bench` prints
//
//   - a warm invocation, where the grant is approved (clean) and where it is
//     not (finding: it is recorded, published and ticked off);
//   - from the start of the process to the answer of the first invocation;
//
// and beside each the same figure of an empty handler that is built the same
// way, and the ratio of the two as x-empty.
//
// Lambda is internal/localaws. DynamoDB and SNS are a fake of the few calls
// that the auditor makes, in Go and in memory, because moto_server would be all
// that these figures show: so they are what our code and the SDK cost on this
// machine, without the network and without AWS. What AWS is asked for is
// counted instead, by tests, since each call costs a round trip there.
package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/permdrift/permdrift/internal/lambdaruntime"
	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/baseline"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

const (
	account = "111122223333"
	region  = "us-east-1"
	queue   = "arn:aws:sqs:" + region + ":" + account + ":events"
)

func TestMain(m *testing.M) {
	m.Run() // its code is the one that the process exits with
	if err := lambdaruntime.RemoveBuilds(); err != nil {
		panic(err)
	}
}

// site is an account with one function, orders, that everybody may invoke, and
// the services that the auditor calls.
type site struct {
	lambda  *localaws.Server
	fake    *fake
	env     map[string]string
	payload []byte
}

func newSite(t testing.TB, approved, jsonPolicies bool) *site {
	t.Helper()
	s := &site{lambda: localaws.New(localaws.Options{JSONPolicies: jsonPolicies}), fake: newFake()}
	t.Cleanup(s.lambda.Close)
	server := httptest.NewServer(s.fake)
	t.Cleanup(server.Close)
	arn := s.lambda.AddFunction(account, region, "orders")
	statement := `{"Sid":"temp-debug","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + arn + `"}`
	s.lambda.SetPolicy(arn, "", `{"Version":"2012-10-17","Id":"default","Statement":[`+statement+`]}`)
	if approved {
		approve(t, server.URL, arn, statement)
	}
	endpoint := s.lambda.Start()
	s.env = map[string]string{
		"PERMDRIFT_BASELINE_TABLE": "baseline", "PERMDRIFT_LEDGER_TABLE": "ledger",
		"PERMDRIFT_TOPIC_ARN":     "arn:aws:sns:" + region + ":" + account + ":alerts",
		"AWS_ENDPOINT_URL_LAMBDA": endpoint, "AWS_ENDPOINT_URL_STS": endpoint,
		"AWS_ENDPOINT_URL_DYNAMODB": server.URL, "AWS_ENDPOINT_URL_SNS": server.URL, "AWS_ENDPOINT_URL_SQS": server.URL,
	}
	s.payload = batch(t, statement)
	return s
}

// approve puts a statement into the baseline, as a person would.
func approve(t testing.TB, endpoint, arn, statement string) {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		Region: region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", ""),
	})
	p, err := policy.Parse([]byte(`{"Statement":` + statement + `}`))
	if err != nil {
		t.Fatal(err)
	}
	approved := drift.Approved{Approvals: []drift.Approval{{Statement: p.Statements[0], By: "alice", At: time.Now()}}}
	if _, err := baseline.NewDynamoDBAdmin(client, "baseline").Put(context.Background(), drift.Subject(arn), drift.Unqualified, approved); err != nil {
		t.Fatal(err)
	}
}

// batch is one message with the record of the AddPermission that wrote a statement.
func batch(t testing.TB, statement string) []byte {
	t.Helper()
	now := time.Now().UTC().Format(time.RFC3339)
	body := encode(t, map[string]any{
		"version": "0", "id": "e-1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda",
		"account": account, "time": now, "region": region, "resources": []string{},
		"detail": map[string]any{
			"eventVersion": "1.11", "eventTime": now, "eventSource": "lambda.amazonaws.com", "eventName": "AddPermission20150331v2",
			"awsRegion": region, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.31.5",
			"userIdentity":      map[string]any{"type": "IAMUser", "arn": "arn:aws:iam::" + account + ":user/mallory", "accountId": account},
			"requestParameters": map[string]any{"functionName": "orders", "statementId": "temp-debug", "action": "lambda:InvokeFunction", "principal": "*"},
			"responseElements":  map[string]any{"statement": statement},
			"eventID":           "a1b2c3d4-5678-90ab-cdef-EXAMPLE00001", "readOnly": false, "eventType": "AwsApiCall", "recipientAccountId": account,
		},
	})
	return encode(t, events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "1", ReceiptHandle: "1", Body: string(body), EventSource: "aws:sqs", EventSourceARN: queue, AWSRegion: region,
		Attributes: map[string]string{"ApproximateReceiveCount": "1"},
	}}})
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// start starts a bootstrap.
func start(t testing.TB, path string, env map[string]string) *lambdaruntime.Function {
	t.Helper()
	f, err := lambdaruntime.Start(context.Background(), lambdaruntime.Config{Bootstrap: path, Env: env, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func finish(t testing.TB, f *lambdaruntime.Function) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// invoke hands over the message, which must not come back.
func invoke(t testing.TB, f *lambdaruntime.Function, payload []byte) {
	t.Helper()
	answer, err := f.Invoke(context.Background(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(answer, &response); err != nil || len(response.BatchItemFailures) != 0 {
		t.Fatalf("the answer is %s", answer)
	}
}

func auditor(t testing.TB) string {
	t.Helper()
	return lambdaruntime.Build(t, "../functions/auditor")
}

func empty(t testing.TB) string {
	t.Helper()
	return lambdaruntime.Build(t, "../internal/lambdaruntime/testdata/empty")
}

// nanoseconds is what one iteration took.
func nanoseconds(b *testing.B) float64 {
	b.Helper()
	return float64(b.Elapsed().Nanoseconds()) / float64(b.N)
}

// beside reports how many times as long as the empty handler something took.
func beside(b *testing.B, empty float64) {
	b.Helper()
	if empty > 0 { // it is 0 where -bench leaves the empty handler out
		b.ReportMetric(nanoseconds(b)/empty, "x-empty")
	}
}

func BenchmarkWarmInvoke(b *testing.B) {
	var floor float64
	clean, finding := newSite(b, true, true), newSite(b, false, true)
	b.Run("empty", func(b *testing.B) {
		f := start(b, empty(b), nil)
		defer finish(b, f)
		invoke(b, f, clean.payload)
		for b.Loop() {
			invoke(b, f, clean.payload)
		}
		floor = nanoseconds(b)
	})
	for _, row := range []struct {
		name string
		site *site
		sent int
	}{{"auditor-clean", clean, 0}, {"auditor-finding", finding, 1}} {
		b.Run(row.name, func(b *testing.B) {
			f := start(b, auditor(b), row.site.env)
			defer finish(b, f)
			invoke(b, f, row.site.payload)
			row.site.fake.forget("ledger")
			row.site.fake.reset()
			for b.Loop() {
				invoke(b, f, row.site.payload)
				row.site.fake.forget("ledger") // so that the next one is a finding again
			}
			beside(b, floor)
			if sent := row.site.fake.counted()["Publish"]; sent != row.sent*b.N {
				b.Fatalf("%d invocations published %d alerts, want %d each", b.N, sent, row.sent)
			}
		})
	}
}

func BenchmarkStartToFirstAnswer(b *testing.B) {
	var floor float64
	s := newSite(b, true, true)
	for _, row := range []struct {
		name, path string
		env        map[string]string
	}{{"empty", empty(b), nil}, {"auditor-clean", auditor(b), s.env}} {
		b.Run(row.name, func(b *testing.B) {
			var ready time.Duration
			for b.Loop() {
				f := start(b, row.path, row.env)
				invoke(b, f, s.payload)
				b.StopTimer()
				ready += f.InitDuration()
				finish(b, f)
				b.StartTimer()
			}
			b.ReportMetric(float64(ready.Nanoseconds())/float64(b.N), "ns-init/op")
			if row.env == nil {
				floor = nanoseconds(b)
				return
			}
			beside(b, floor)
		})
	}
}

func TestTheCleanPathCostsOneReadOfThePolicyOneOfTheBaselineAndNoWrite(t *testing.T) {
	for _, row := range []struct {
		name string
		json bool
	}{{"GetResourcePolicy", true}, {"GetPolicy", false}} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t, true, row.json)
			f := start(t, auditor(t), s.env)
			defer finish(t, f)
			invoke(t, f, s.payload) // the first one learns which call the service knows
			s.lambda.ForgetCalls()
			s.fake.reset()
			invoke(t, f, s.payload)
			if calls := s.lambda.Calls(); len(calls) != 1 || calls[0].Operation != row.name {
				t.Errorf("Lambda was called %+v, want one %s", calls, row.name)
			}
			want := map[string]int{"Query baseline": 1, "Query ledger": 1}
			got := s.fake.counted()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("DynamoDB and SNS were called %v, want %v", got, want)
			}
		})
	}
}

// The second read of the baseline is of its rules, that of Lambda of the tags
// that name the owner: only what differs reads them.
func TestAFindingCostsTwoWritesAndOneAlert(t *testing.T) {
	s := newSite(t, false, true)
	f := start(t, auditor(t), s.env)
	defer finish(t, f)
	invoke(t, f, s.payload)
	want := map[string]int{"Query baseline": 2, "Query ledger": 1, "PutItem ledger": 2, "Publish": 1}
	if got := s.fake.counted(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("DynamoDB and SNS were called %v, want %v", got, want)
	}
	var operations []string
	for _, call := range s.lambda.Calls() {
		operations = append(operations, call.Operation)
	}
	if fmt.Sprint(operations) != "[GetResourcePolicy ListTags]" {
		t.Errorf("Lambda was called %v, want GetResourcePolicy and ListTags", operations)
	}
}

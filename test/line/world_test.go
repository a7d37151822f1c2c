// Package line_test runs the whole line in one process, over the real wire:
//
//	a person ─ SDK ─► localaws (Lambda) ─ record ─► events queue ─► audit.Handler ─► topic
//	    └───────────► directory (IAM) ────┘                               │
//	                     └── SDK ── live.Lambda ◄─────────────────────────┘  baseline, ledger: one Bolt file
//
// Each call of Lambda is made with a real SDK client, and localaws writes its
// CloudTrail record; each call of IAM is made of the directory, which does the
// same. The record goes, in EventBridge's envelope and a batch of SQS, to the
// auditor. What a test sees is what a subscriber of the topic gets: the JSON
// message. The time is the test's ([world.tick], [world.settle]): a message that
// is to be read again later comes back when its time has come.
//
// What is not real: EventBridge, SQS and SNS are small fakes in wire_test.go, IAM
// is the one in iam_test.go. test/e2e has the real binaries instead.
package line_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"go.etcd.io/bbolt"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/baseline"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/ledger"
	"github.com/permdrift/permdrift/pkg/live"
	"github.com/permdrift/permdrift/pkg/policy"
)

const (
	account = "111122223333"
	foreign = "444455556666"
	region  = "us-east-1"
	stack   = "permdrift"

	ordersARN   = "arn:aws:lambda:us-east-1:111122223333:function:orders"
	paymentsARN = "arn:aws:lambda:us-east-1:111122223333:function:payments"
	ingestARN   = "arn:aws:lambda:us-east-1:111122223333:function:ingest"
	auditorARN  = "arn:aws:lambda:us-east-1:111122223333:function:permdrift-auditor"
	pricingARN  = "arn:aws:lambda:us-east-1:111122223333:layer:pricing:1"

	eventsARN = "arn:aws:sqs:us-east-1:111122223333:permdrift-events"
	sweepsARN = "arn:aws:sqs:us-east-1:111122223333:permdrift-sweeps"
	topicARN  = "arn:aws:sns:us-east-1:111122223333:permdrift-alerts"

	rolePrefix = "arn:aws:iam::111122223333:role/"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// person is who makes calls, known by an access key.
type person struct {
	key    string
	caller localaws.Caller
}

var (
	owner    = person{"AKIAOWNEREXAMPLE", localaws.Caller{ARN: "arn:aws:iam::111122223333:user/alice"}}
	mallory  = person{"AKIAMALLORYEXAMPLE", localaws.Caller{ARN: "arn:aws:iam::111122223333:user/mallory"}}
	deployer = person{"ASIADEPLOYEREXAMPLE", localaws.Caller{ARN: "arn:aws:sts::111122223333:assumed-role/deployer/ci"}}
	reader   = person{"ASIAAUDITOREXAMPLE", localaws.Caller{ARN: "arn:aws:sts::111122223333:assumed-role/permdrift-auditor/permdrift"}}
	// namesake has the deployer's session name, and another role behind it.
	namesake = person{"ASIANAMESAKEEXAMPLE", localaws.Caller{ARN: "arn:aws:sts::111122223333:assumed-role/developer/ci"}}
	// stranger has a role of the deployer's name in another account.
	stranger = person{"ASIASTRANGEREXAMPLE", localaws.Caller{Account: account, ARN: "arn:aws:sts::444455556666:assumed-role/deployer/ci", UserIdentity: json.RawMessage(
		`{"type":"AssumedRole","principalId":"AROAEXAMPLE:ci","arn":"arn:aws:sts::444455556666:assumed-role/deployer/ci","accountId":"444455556666",` +
			`"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::444455556666:role/deployer","accountId":"444455556666","userName":"deployer"}}}`)}}
)

// world is one account and the auditor that watches it.
type world struct {
	t         *testing.T
	aws       *localaws.Server
	iam       *directory
	topic     *topic
	baselines *baseline.Bolt
	ledger    *ledger.Bolt
	auditor   *audit.Auditor
	handler   *audit.Handler
	calls     *calls
	functions []string // their ARNs, all of which are captured

	mu      sync.Mutex
	at      time.Time
	records []json.RawMessage // what CloudTrail has written and nobody delivered yet
	queue   []*message
	dead    []*message // what was received too often
	serial  int
}

// newWorld is an account with three functions of a version 1 and an alias live
// each, one of permdrift's own, and a layer. Nothing is captured yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "store.db"), 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true})
	must(t, "opening the store", err)
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, at: noon, topic: &topic{t: t}, calls: newCalls(), baselines: baseline.NewBolt(db), ledger: ledger.NewBolt(db)}
	w.baselines.Now, w.ledger.Now = w.clock, w.clock
	w.iam = newDirectory(w.clock, w.recorded)
	w.startAWS()
	client := w.client(reader)
	w.auditor = &audit.Auditor{
		Live: live.New(client, live.Home(account, region), live.ListWith(client), live.WithIAM(w.iam), live.Rate(0, 0),
			live.Clock(w.clock, func(context.Context, time.Duration) error { return nil })),
		Baselines: countedBaselines{w.baselines, w.calls}, Ledger: countedLedger{w.ledger, w.calls},
		Alerts: alert.NewSNS(w.topic, topicARN), Seals: baseline.NewLocal([]byte("a key of 32 bytes for these tests")),
		Context: drift.Context{
			Owner: policy.Owner{Organization: "o-exampleorgid"}, Unknown: drift.Strict, Reach: access.Escalations,
			Own: drift.Own{Stack: stack, Account: account, Region: region, Keys: []string{"1234abcd-12ab-34cd-56ef-1234567890ab"}},
		},
		RereadAfter: []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute},
		Now:         w.clock, Log: slog.New(slog.DiscardHandler),
	}
	w.handler = &audit.Handler{
		Auditor: w.auditor, Messages: w,
		Sweeper: &audit.Sweeper{Subjects: live.New(client, live.Home(account, region), live.ListWith(client), live.WithIAM(w.iam), live.WithRoles(live.AllRoles), live.Rate(0, 0)), Queue: sweeps{w}, Sweeps: w.ledger},
	}
	return w
}

// startAWS makes the account. Its functions are seeded: no record tells of them.
func (w *world) startAWS() {
	callers := map[string]localaws.Caller{}
	for _, p := range []person{owner, mallory, deployer, reader, namesake, stranger} {
		callers[p.key] = p.caller
	}
	w.aws = localaws.New(localaws.Options{
		JSONPolicies: true, GetPolicyShowsJSON: true, PutChangesRevision: true, Callers: callers, Now: w.clock,
		OnRecord: w.recorded,
	})
	w.aws.Start()
	w.t.Cleanup(w.aws.Close)
	for _, name := range []string{"orders", "payments", "ingest", "permdrift-auditor"} {
		arn := w.aws.AddFunction(account, region, name)
		w.aws.AddAlias(arn, "live", w.aws.AddVersion(arn))
		w.functions = append(w.functions, arn)
		w.iam.allow(name, "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/*")
	}
	w.aws.AddLayer(account, region, "pricing")
}

func (w *world) client(p person) *lambda.Client {
	return lambda.New(lambda.Options{
		Region: region, BaseEndpoint: aws.String(w.aws.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(p.key, "secret", ""),
	})
}

// recorded takes a record that CloudTrail has written.
func (w *world) recorded(record json.RawMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, record)
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// tick lets time pass.
func (w *world) tick(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// do has a person make calls, a second after one another, and returns
// CloudTrail's records of them. Nobody has delivered these yet.
func (w *world) do(p person, steps ...step) []json.RawMessage {
	w.t.Helper()
	c := actor{w.client(p), p, w.iam}
	for _, s := range steps {
		w.tick(time.Second)
		must(w.t, "making a call", s(w.t.Context(), c))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	records := w.records
	w.records = nil
	return records
}

// run has a person make calls, delivers their records, and waits until the
// auditor has concluded.
func (w *world) run(p person, steps ...step) {
	w.t.Helper()
	w.deliver(w.do(p, steps...)...)
	w.settle()
}

// begin has the owner make calls, captures what there is as the baseline, and
// wants the auditor to find nothing in it.
func (w *world) begin(steps ...step) {
	w.t.Helper()
	records := w.do(owner, steps...)
	w.capture()
	w.deliver(records...)
	w.settle()
	w.sweep()
	w.wantSent()
}

// capture approves the present state of every function and role, and of the layer.
func (w *world) capture() {
	w.t.Helper()
	subjects := append([]string{pricingARN}, w.functions...)
	for _, role := range w.iam.roles() {
		subjects = append(subjects, rolePrefix+role)
	}
	for _, arn := range subjects {
		state, err := w.auditor.Live.State(w.t.Context(), drift.Change{Subject: drift.Subject(arn), Operation: drift.Sweep, Whole: true})
		must(w.t, "reading "+arn, err)
		for place, live := range state.Policies {
			var approvals []drift.Approval
			for _, s := range live.Policy.Statements {
				approvals = append(approvals, drift.Approval{Statement: s, By: "alice", At: w.clock()})
			}
			for _, config := range configs(state, place) {
				approvals = append(approvals, drift.Approval{Config: &config, By: "alice", At: w.clock()})
			}
			w.approve(arn, place, approvals...)
		}
	}
	w.calls.forget()
	w.aws.ForgetCalls()
	w.iam.forgetReads()
}

// configs is what of a function's configuration belongs to a place.
func configs(state drift.State, place drift.Place) []drift.Config {
	var list []drift.Config
	if u, ok := state.URLs[place]; ok && u.AuthType != "" {
		list = append(list, drift.Config{URL: &u})
	}
	for _, m := range state.Mappings {
		if m != nil && m.Place == place {
			list = append(list, drift.Config{Mapping: &m.Mapping})
		}
	}
	if role := state.Roles[place]; role != "" && place == drift.Unqualified {
		list = append(list, drift.Config{Role: role})
	}
	if role := state.Role; role != nil && role.BoundaryARN != "" && place == drift.Boundary {
		list = append(list, drift.Config{Boundary: role.BoundaryARN})
	}
	return list
}

// approve adds approvals at a place.
func (w *world) approve(arn string, place drift.Place, approvals ...drift.Approval) {
	w.t.Helper()
	b, err := w.baselines.Get(w.t.Context(), drift.Subject(arn))
	must(w.t, "reading a baseline", err)
	approved := b.Places[place]
	approved.Approvals = append(approved.Approvals, approvals...)
	_, err = w.baselines.Put(w.t.Context(), drift.Subject(arn), place, approved)
	must(w.t, "writing a baseline", err)
}

// sweep plans a full sweep and works it off, when the listing of mappings that
// the last one made is too old to be used again.
func (w *world) sweep() drift.SweepRun {
	w.t.Helper()
	w.tick(5 * time.Minute)
	answer, err := w.handler.Handle(w.t.Context(), json.RawMessage(`{"permdrift":"sweep","kind":"full"}`))
	must(w.t, "planning a sweep", err)
	w.settle()
	run, err := w.ledger.Sweep(w.t.Context(), answer.(audit.Response).Sweep)
	must(w.t, "reading the sweep", err)
	if !run.Complete() {
		w.t.Errorf("the sweep did not end: %+v", run)
	}
	return run
}

// rows are all findings of the ledger.
func (w *world) rows() []drift.Finding {
	w.t.Helper()
	var rows []drift.Finding
	for f, err := range w.ledger.List(w.t.Context()) {
		must(w.t, "listing findings", err)
		rows = append(rows, f)
	}
	return rows
}

// row is the row of a finding.
func (w *world) row(id string) drift.Finding {
	w.t.Helper()
	f, err := w.ledger.Find(w.t.Context(), id)
	must(w.t, "reading finding "+id, err)
	return f
}

// where is a subject and its qualifier in short: "orders:live".
func where(s drift.Subject, p drift.Place) string {
	name := s.Name()
	if s.Kind() == drift.Account {
		name = "account"
	}
	return strings.TrimSuffix(name+":"+string(p), ":")
}

// sent is what was announced so far, one line each, in order:
//
//	opened policy-widened critical public orders:live
func (w *world) sent() []string {
	var lines []string
	for _, m := range w.topic.messages() {
		line := fmt.Sprintf("%s %s %s %s %s", m.Transition, m.Kind, m.Severity, m.Exposure, where(m.Subject, m.Place))
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

// wantSent checks what was announced so far, in whatever order.
func (w *world) wantSent(want ...string) {
	w.t.Helper()
	got := w.sent()
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		w.t.Errorf("announced:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		for _, m := range w.topic.messages() {
			w.t.Logf("%s %s: %s %s", m.Transition, m.ID, m.Reason, m.Note)
		}
	}
}

// wantOpen checks how many findings are open.
func (w *world) wantOpen(want int) {
	w.t.Helper()
	var open []string
	for _, f := range w.rows() {
		if f.Status == drift.Open {
			open = append(open, fmt.Sprintf("%s %s %s", f.Kind, where(f.Subject, f.Place), f.Reason))
		}
	}
	if len(open) != want {
		w.t.Errorf("%d findings are open, want %d:\n\t%s", len(open), want, strings.Join(open, "\n\t"))
	}
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

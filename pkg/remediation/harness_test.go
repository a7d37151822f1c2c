package remediation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"go.etcd.io/bbolt"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/ledger"
	"github.com/permdrift/permdrift/pkg/live"
	"github.com/permdrift/permdrift/pkg/policy"
)

const (
	account = "111122223333"
	region  = "us-east-1"
	orders  = drift.Subject("arn:aws:lambda:us-east-1:111122223333:function:orders")
	invoke  = `"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`

	public   = `{"Sid":"public","Effect":"Allow","Principal":"*",` + invoke
	again    = `{"Sid":"again","Effect":"Allow","Principal":"*",` + invoke
	nameless = `{"Effect":"Allow","Principal":"*",` + invoke
	own      = `{"Sid":"own","Effect":"Allow","Principal":{"AWS":"111122223333"},` + invoke
	denied   = `{"Sid":"denied","Effect":"Deny","Principal":{"AWS":"444455556666"},` + invoke
)

var (
	noon      = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	errOutage = errors.New("out of order")
)

// world is a remediator in enforce mode between localaws and a ledger in a file.
type world struct {
	t testing.TB
	*Remediator
	*ledger.Bolt
	aws    *localaws.Server
	client *lambda.Client
	reader *live.Lambda

	ticks     int // of the clock: one each time somebody looks
	mode      drift.Mode
	modeErr   error
	approved  []string
	baseErr   error
	rules     []drift.Rule
	rulesErr  error
	onRead    func(n int) // before the n-th read of the policy, from 1
	reads     int
	liveErr   error
	revision  string // in place of the one that AWS gives, unless it is "true"
	onIntent  func(drift.Intent) error
	onSave    func(drift.Finding) error
	sendErr   error
	announced []string
	notes     []string
	ids       []string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "store.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, Bolt: ledger.NewBolt(db), mode: drift.ModeEnforce, revision: "true"}
	w.Bolt.Now = func() time.Time { return noon }
	w.aws = localaws.New(localaws.Options{JSONPolicies: true, PutChangesRevision: true})
	w.client = lambda.New(lambda.Options{
		Region: region, HTTPClient: w.aws, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer: aws.NopRetryer{},
	})
	w.aws.AddFunction(account, region, "orders")
	w.aws.AddAlias(string(orders), "live", w.aws.AddVersion(string(orders)))
	w.reader = live.New(w.client, live.Rate(0, 0))
	w.Remediator = &Remediator{
		API: w.client, Live: w, Baselines: w, Ledger: w, Alerts: w, Context: drift.Context{Unknown: drift.Strict},
		Now:   func() time.Time { w.ticks++; return noon.Add(time.Duration(w.ticks) * time.Millisecond) },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Log:   slog.New(slog.DiscardHandler),
	}
	return w
}

func (w *world) State(ctx context.Context, change drift.Change) (drift.State, error) {
	w.reads++
	if w.onRead != nil {
		w.onRead(w.reads)
	}
	if w.liveErr != nil {
		return drift.State{}, w.liveErr
	}
	s, err := w.reader.State(ctx, change)
	for place, p := range s.Policies {
		if w.revision != "true" {
			p.RevisionID = w.revision
			s.Policies[place] = p
		}
	}
	return s, err
}

func (w *world) Get(_ context.Context, s drift.Subject) (drift.Baseline, error) {
	b := drift.Baseline{Subject: s}
	if w.approved != nil {
		a := drift.Approved{Version: 1}
		for _, s := range document(w.t, w.approved...).Statements {
			a.Approvals = append(a.Approvals, drift.Approval{Statement: s})
		}
		b.Places = map[drift.Place]drift.Approved{"": a, "live": {Version: 1}}
	}
	return b, w.baseErr
}

func (w *world) Rules(context.Context) ([]drift.Rule, error) { return w.rules, w.rulesErr }

func (w *world) Settings(context.Context) (drift.Settings, error) {
	return drift.Settings{Mode: w.mode}, w.modeErr
}

func (w *world) SaveIntent(ctx context.Context, i drift.Intent) (drift.Intent, error) {
	if w.onIntent != nil {
		if err := w.onIntent(i); err != nil {
			return drift.Intent{}, err
		}
	}
	return w.Bolt.SaveIntent(ctx, i)
}

func (w *world) Save(ctx context.Context, f drift.Finding) (drift.Finding, error) {
	if w.onSave != nil {
		if err := w.onSave(f); err != nil {
			return drift.Finding{}, err
		}
	}
	return w.Bolt.Save(ctx, f)
}

func (w *world) Send(_ context.Context, _ drift.Finding, a drift.Announcement) error {
	if w.sendErr != nil {
		return w.sendErr
	}
	w.announced, w.notes, w.ids = append(w.announced, string(a.Transition)), append(w.notes, a.Note), append(w.ids, a.ID)
	return nil
}

func text(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func document(t testing.TB, statements ...string) policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(text(statements...)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// put makes a policy of orders, records what is found in it, and returns the
// first finding.
func (w *world) put(place drift.Place, statements ...string) drift.Finding {
	w.t.Helper()
	w.aws.SetPolicy(string(orders), string(place), text(statements...))
	found := w.find(place)
	if len(found) == 0 {
		w.t.Fatal("nothing differs")
	}
	return found[0]
}

// find records what differs at a place now.
func (w *world) find(place drift.Place) []drift.Finding {
	w.t.Helper()
	state, err := w.reader.State(w.t.Context(), drift.Change{Subject: orders, Place: place, Operation: drift.RemoveStatement})
	if err != nil {
		w.t.Fatal(err)
	}
	baseline, _ := w.Get(w.t.Context(), orders)
	var rows []drift.Finding
	for _, f := range drift.Compare(drift.Change{Event: drift.Event{ID: "e1"}}, state, baseline, drift.Context{Now: noon, Unknown: drift.Strict}) {
		f.FirstSeen, f.LastSeen, f.Count = noon, noon, 1
		row, err := w.Bolt.Save(w.t.Context(), f)
		if err != nil {
			w.t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// remediate handles a message about a finding, which has to work.
func (w *world) remediate(f drift.Finding) *drift.Intent {
	w.t.Helper()
	intent, err := w.Remediate(w.t.Context(), f.Subject, f.ID)
	if err != nil {
		w.t.Fatalf("remediating: %v", err)
	}
	return intent
}

// left are the Sids at a place; "-" for a statement without.
func (w *world) left(place drift.Place) string {
	w.t.Helper()
	now := w.aws.Policy(string(orders), string(place))
	if now == "" {
		return "none"
	}
	p, err := policy.Parse([]byte(now))
	if err != nil {
		w.t.Fatal(err)
	}
	var sids []string
	for _, s := range p.Statements {
		sids = append(sids, map[bool]string{true: "-", false: s.Sid}[s.Sid == ""])
	}
	return strings.Join(sids, " ")
}

func (w *world) want(left string, announced ...string) {
	w.t.Helper()
	if got := w.left(""); got != left {
		w.t.Errorf("left %q, want %q", got, left)
	}
	if !slices.Equal(w.announced, announced) {
		w.t.Errorf("announced %q, want %q", w.announced, announced)
	}
}

// row is a finding as the ledger has it.
func (w *world) row(f drift.Finding) drift.Finding {
	w.t.Helper()
	row, err := w.Finding(w.t.Context(), f.Subject, f.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// statuses are those of the intents, oldest first.
func (w *world) statuses() string {
	w.t.Helper()
	intents, err := w.Intents(w.t.Context(), orders)
	if err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for _, i := range intents {
		list = append(list, string(i.Status))
	}
	return strings.Join(list, " ")
}

// writes are the calls that changed, or were to change, a policy.
func (w *world) writes() string {
	var list []string
	for _, c := range w.aws.Calls() {
		if c.Operation != "GetPolicy" && c.Operation != "GetResourcePolicy" {
			list = append(list, fmt.Sprintf("%s:%s=%d", c.Operation, c.Qualifier, c.Status))
		}
	}
	return strings.Join(list, " ")
}

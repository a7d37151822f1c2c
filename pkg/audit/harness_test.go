package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/permdrift/permdrift/pkg/baseline"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/ledger"
	"github.com/permdrift/permdrift/pkg/policy"
)

const (
	orders    = drift.Subject("arn:aws:lambda:us-east-1:111122223333:function:orders")
	queueARN  = "arn:aws:sqs:us-east-1:111122223333:permdrift-events"
	statement = `{"Sid":%q,"Effect":"Allow","Principal":%s,"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
)

var (
	noon    = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	public  = fmt.Sprintf(statement, "public", `"*"`)
	foreign = fmt.Sprintf(statement, "foreign", `{"AWS":"444455556666"}`)
	own     = fmt.Sprintf(statement, "own", `{"AWS":"111122223333"}`)

	errOutage = errors.New("out of order")
)

// world is an auditor between fakes, and a real ledger in a file.
type world struct {
	t testing.TB
	*Auditor
	*ledger.Bolt
	handler *Handler

	mu        sync.Mutex
	at        time.Time
	live      []string // the statements of orders
	gaps      []drift.Gap
	liveErr   error
	panics    string // a subject whose reading panics
	reads     int
	approved  []string
	asked     int
	baseErr   error
	ruled     []drift.Rule
	hanging   []drift.Subject
	onSave    func(drift.Finding) error // before a row is written
	saves     int
	onSend    func(drift.Finding, drift.Announcement) error
	announced []string // "opened public", as it was sent
	ids       []string // the ids of these announcements
	queued    []string
	onQueue   func([]string) error
	delays    map[string]time.Duration // by receipt handle
	listed    []drift.Subject
	listErr   error
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "store.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, Bolt: ledger.NewBolt(db), at: noon, delays: make(map[string]time.Duration)}
	w.Bolt.Now = w.clock
	w.Auditor = &Auditor{
		Live: w, Baselines: w, Ledger: w, Alerts: w,
		Context:     drift.Context{Owner: policy.Owner{Organization: "o-exampleorgid"}, Unknown: drift.Strict},
		RereadAfter: []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute},
		Seals:       baseline.NewLocal([]byte("a key of 32 bytes for these tests")),
		Now:         w.clock, Log: slog.New(slog.DiscardHandler),
	}
	w.handler = &Handler{Auditor: w.Auditor, Sweeper: &Sweeper{Subjects: w, Queue: sweepQueue{w}, Sweeps: w.Bolt}, Messages: w}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// State is the live state of orders; every other function is gone.
func (w *world) State(_ context.Context, change drift.Change) (drift.State, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if w.panics != "" && string(change.Subject) == w.panics {
		panic("a bug in the reader")
	}
	if w.liveErr != nil {
		return drift.State{}, w.liveErr
	}
	s := drift.State{Subject: change.Subject, Policies: map[drift.Place]drift.PlacePolicy{}, ReadAt: w.at, Gaps: w.gaps}
	s.Whole = change.Whole && len(w.gaps) == 0
	if change.Subject == orders && len(w.gaps) == 0 {
		s.Policies[change.Place] = drift.PlacePolicy{Policy: document(w.t, w.live...), RevisionID: "1"}
	}
	return s, nil
}

// Get is what is approved of orders.
func (w *world) Get(_ context.Context, subject drift.Subject) (drift.Baseline, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	b := drift.Baseline{Subject: subject}
	if w.baseErr != nil || subject != orders || w.approved == nil {
		return b, w.baseErr
	}
	a := drift.Approved{Version: 1}
	for _, s := range document(w.t, w.approved...).Statements {
		a.Approvals = append(a.Approvals, drift.Approval{Statement: s, By: "alice", At: noon})
	}
	b.Places = map[drift.Place]drift.Approved{drift.Unqualified: a}
	return b, nil
}

// Complete reads nothing more but that orders runs as every role.
func (w *world) Complete(_ context.Context, state drift.State, want drift.Want) (drift.State, error) {
	if want.Functions {
		state.Functions = []drift.Subject{orders}
	}
	return state, nil
}

// Resolve is what hangs on a managed policy or a provider.
func (w *world) Resolve(context.Context, drift.Change) ([]drift.Subject, error) {
	return w.hanging, w.liveErr
}

// Rules are the rules.
func (w *world) Rules(context.Context) ([]drift.Rule, error) { return w.ruled, w.baseErr }

// Save writes a row, unless onSave says otherwise.
func (w *world) Save(ctx context.Context, f drift.Finding) (drift.Finding, error) {
	w.mu.Lock()
	w.saves++
	hook := w.onSave
	w.mu.Unlock()
	if hook != nil {
		if err := hook(f); err != nil {
			return drift.Finding{}, err
		}
	}
	return w.Bolt.Save(ctx, f)
}

// Send notes what is announced, unless onSend says otherwise.
func (w *world) Send(_ context.Context, f drift.Finding, a drift.Announcement) error {
	if w.onSend != nil {
		if err := w.onSend(f, a); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.announced = append(w.announced, strings.TrimSpace(string(a.Transition)+" "+strings.Join(f.Sids, " ")))
	w.ids = append(w.ids, a.ID)
	return nil
}

// Subjects lists what is listed, and then fails if it is to.
func (w *world) Subjects(context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		for _, s := range w.listed {
			if !yield(s, nil) {
				return
			}
		}
		if w.listErr != nil {
			yield("", w.listErr)
		}
	}
}

// sweepQueue keeps what is sent.
type sweepQueue struct{ w *world }

func (q sweepQueue) Send(_ context.Context, bodies []string) error {
	if q.w.onQueue != nil {
		if err := q.w.onQueue(bodies); err != nil {
			return err
		}
	}
	q.w.queued = append(q.w.queued, bodies...)
	return nil
}

// Delay notes when a message comes back.
func (w *world) Delay(_ context.Context, _, receipt string, after time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delays[receipt] = after
	return nil
}

func document(t testing.TB, statements ...string) policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// added is the change of an AddPermission a minute ago.
func added(t testing.TB, id, text string) drift.Change {
	s := document(t, text).Statements[0]
	return drift.Change{
		Subject: orders, Operation: drift.AddStatement, Sid: s.Sid, Statement: &s,
		Event: drift.Event{ID: id, Name: "AddPermission20150331v2", Time: noon.Add(-time.Minute)},
	}
}

// swept is a change without any event.
var swept = drift.Change{Subject: orders, Operation: drift.Sweep, Whole: true}

// audit audits a change, which has to work.
func (w *world) audit(change drift.Change) Report {
	w.t.Helper()
	r, err := w.Audit(w.t.Context(), change)
	if err != nil {
		w.t.Fatalf("auditing %s: %v", change.Operation, err)
	}
	return r
}

// wantAnnounced checks what was announced so far, in order.
func (w *world) wantAnnounced(want ...string) {
	w.t.Helper()
	if !slices.Equal(w.announced, want) {
		w.t.Errorf("announced %q, want %q", w.announced, want)
	}
}

// row is the only row of orders.
func (w *world) row() drift.Finding {
	w.t.Helper()
	rows, err := w.Findings(w.t.Context(), orders)
	if err != nil || len(rows) != 1 {
		w.t.Fatalf("got %d rows, %v; want one", len(rows), err)
	}
	return rows[0]
}

// wantError checks an error's type, and returns the error.
func wantError[E error](t testing.TB, err error) E {
	t.Helper()
	got, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got the error %v, want a %T", err, got)
	}
	return got
}

// event is an EventBridge event of a change to orders.
func event(id, name string, request map[string]any) string {
	text, err := json.Marshal(map[string]any{
		"detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "account": "111122223333", "region": "us-east-1",
		"detail": map[string]any{
			"eventVersion": "1.11", "eventSource": "lambda.amazonaws.com", "eventName": name, "eventID": id, "eventTime": "2026-11-20T11:50:00Z",
			"awsRegion": "us-east-1", "recipientAccountId": "111122223333", "requestParameters": request,
		},
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// grant is the event of a public AddPermission.
func grant(id string) string {
	return event(id, "AddPermission20150331v2", map[string]any{
		"functionName": "orders", "statementId": "public", "action": "lambda:InvokeFunction", "principal": "*",
	})
}

// padded is an event whose parameters CloudTrail omitted.
func padded(id string) string {
	return event(id, "AddPermission20150331v2", map[string]any{"omitted": true, "reason": "requestParameters too large"})
}

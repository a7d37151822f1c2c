package remediation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
)

func TestRemovesTheOneStatement(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own}
	f := w.put("", own, public)
	before := w.aws.Policy(string(orders), "")
	intent := w.remediate(f)
	w.want("own", "remediated")
	if w.writes() != "RemovePermission:=204" {
		t.Errorf("called %s", w.writes())
	}
	if intent == nil || intent.Status != drift.Done || intent.PreImage != before || intent.RevisionID == "" || intent.Sid != "public" {
		t.Errorf("got %+v", intent)
	}
	row := w.row(f)
	if row.Status != drift.Remediated || row.Undo != intent.Undo || !strings.HasPrefix(row.Undo, "aws lambda add-permission ") || len(row.Pending) != 0 {
		t.Errorf("got %+v", row)
	}
	w.remediate(f) // the message once more
	w.want("own", "remediated")
}

func TestRemovesOnlyAtThePlace(t *testing.T) {
	w := newWorld(t)
	w.put("", public)
	f := w.put("live", strings.ReplaceAll(public, "orders", "orders:live"))
	w.remediate(f)
	w.want("public", "remediated")
	if w.left("live") != "none" || w.writes() != "RemovePermission:live=204" {
		t.Errorf("left %s at live after %s", w.left("live"), w.writes())
	}
}

// A rule approves for many functions; what it approves is not removed, and
// without the rules nothing is.
func TestApprovedByRule(t *testing.T) {
	w := newWorld(t)
	f := w.put("", public)
	approved := document(t, public).Statements[0]
	w.rules = []drift.Rule{{ID: "everybody", Subjects: "arn:aws:lambda:*:111122223333:function:ord*", Statement: &approved}}
	w.remediate(f)
	w.want("public")
	w.rules, w.rulesErr = nil, errOutage
	if _, err := w.Remediate(t.Context(), orders, f.ID); !errors.Is(err, errOutage) {
		t.Errorf("got %v", err)
	}
	w.want("public")
	w.rulesErr = nil
	w.remediate(f)
	w.want("none", "remediated")
}

func TestGates(t *testing.T) {
	for name, c := range map[string]struct {
		prepare   func(*world, *drift.Finding)
		announced []string
		fails     bool
	}{
		"off":                   {func(w *world, _ *drift.Finding) { w.mode = drift.ModeOff }, nil, false},
		"no mode":               {func(w *world, _ *drift.Finding) { w.mode = "" }, nil, false},
		"approve":               {func(w *world, _ *drift.Finding) { w.mode = drift.ModeApprove }, nil, false},
		"an unknown mode":       {func(w *world, _ *drift.Finding) { w.mode = "Enforce" }, nil, false},
		"report":                {func(w *world, _ *drift.Finding) { w.mode = drift.ModeReport }, []string{"remediation-refused"}, false},
		"mode unknown":          {func(w *world, _ *drift.Finding) { w.modeErr = errOutage }, nil, true},
		"unknown finding":       {func(_ *world, f *drift.Finding) { f.ID = "nonesuch" }, nil, false},
		"unknown subject":       {func(_ *world, f *drift.Finding) { f.Subject += "x" }, nil, false},
		"approved since":        {func(w *world, _ *drift.Finding) { w.approved = []string{public} }, nil, false},
		"baseline unreadable":   {func(w *world, _ *drift.Finding) { w.baseErr = errOutage }, nil, true},
		"policy unreadable":     {func(w *world, _ *drift.Finding) { w.liveErr = errOutage }, nil, true},
		"policy with gap":       {func(w *world, _ *drift.Finding) { w.aws.Fail("*", 99, "AccessDeniedException") }, nil, true},
		"no revision":           {func(w *world, _ *drift.Finding) { w.revision = "" }, []string{"remediation-refused"}, false},
		"ledger refuses intent": {func(w *world, _ *drift.Finding) { w.onIntent = func(drift.Intent) error { return errOutage } }, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			f := w.put("", public)
			c.prepare(w, &f)
			for range 2 {
				intent, err := w.Remediate(t.Context(), f.Subject, f.ID)
				if intent != nil || (err != nil) != c.fails {
					t.Errorf("got %v, %v", intent, err)
				}
			}
			w.want("public", c.announced...)
			if w.writes() != "" {
				t.Errorf("called %s", w.writes())
			}
		})
	}
}

func TestOnlyOpenFindings(t *testing.T) {
	for _, status := range []drift.Status{drift.Transient, drift.Accepted, drift.Suppressed, drift.Remediated, drift.Resolved} {
		w := newWorld(t)
		f := w.put("", public)
		f.Status = status
		if _, err := w.Bolt.Save(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if w.remediate(f) != nil || w.writes() != "" {
			t.Errorf("%s: called %s", status, w.writes())
		}
	}
}

// A finding about something else than a statement of a policy is not for the
// remediator, and not an error either.
func TestOtherKindsAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	change := drift.Change{Subject: "arn:aws:iam::111122223333:root", Operation: drift.Unreadable, Event: drift.Event{ID: "e"}}
	f, err := w.Bolt.Save(t.Context(), drift.UnreadableFinding(change))
	if err != nil {
		t.Fatal(err)
	}
	if w.remediate(f) != nil || w.reads != 0 || len(w.announced) != 0 {
		t.Errorf("%d reads, announced %q", w.reads, w.announced)
	}
}

func TestWidensNothing(t *testing.T) {
	for name, c := range map[string]struct{ approved, live []string }{
		"a Deny is gone":      {[]string{own, denied}, []string{own}},
		"a statement is gone": {[]string{own, public}, []string{own}},
		"a Deny was added":    {[]string{own, public}, []string{own, public, denied}},
	} {
		w := newWorld(t)
		w.approved = c.approved
		f := w.put("", c.live...)
		if w.remediate(f) != nil || w.writes() != "" {
			t.Errorf("%s: called %s", name, w.writes())
		}
		w.remediate(f)
		w.want(w.left(""), "remediation-refused")
	}
}

// The intent, with the pre-image, is in the ledger when the call is made.
func TestIntentBeforeCall(t *testing.T) {
	w := newWorld(t)
	f := w.put("", public)
	before := w.aws.Policy(string(orders), "")
	calls := 0
	w.aws.Configure(func(o *localaws.Options) {
		o.OnCall = func(c localaws.Call) {
			if c.Operation == "RemovePermission" {
				calls++
				intents, _ := w.Intents(t.Context(), orders)
				if len(intents) != 1 || intents[0].Status != drift.Planned || intents[0].PreImage != before || intents[0].Undo == "" {
					t.Errorf("the ledger has %+v", intents)
				}
			}
		}
	})
	w.remediate(f)
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestErrorCodes(t *testing.T) {
	for code, c := range map[string]struct {
		after     bool // the call is done before it fails
		statuses  string
		announced string // after the second delivery
	}{
		"PreconditionFailedException":    {false, "abandoned done", "remediated"},
		"ResourceNotFoundException":      {false, "gone done", "remediated"},
		"TooManyRequestsException":       {false, "failed done", "remediated"},
		"ResourceConflictException":      {false, "failed done", "remediated"},
		"ServiceException":               {false, "planned done", "remediated"},
		"AccessDeniedException":          {false, "failed done", "remediation-refused remediated"},
		"InvalidParameterValueException": {false, "failed done", "remediation-refused remediated"},
		"PolicyLengthExceededException":  {false, "failed done", "remediation-refused remediated"},
		"ServiceException after":         {true, "planned", "remediated"},
	} {
		w := newWorld(t)
		w.approved = []string{own}
		f := w.put("", own, public)
		if c.after {
			w.aws.FailAfter("RemovePermission", 1, "ServiceException")
		} else {
			w.aws.Fail("RemovePermission", 1, code)
		}
		_, _ = w.Remediate(t.Context(), orders, f.ID)
		w.remediate(f)
		if got := w.statuses(); got != c.statuses {
			t.Errorf("%s: the intents are %s, want %s", code, got, c.statuses)
		}
		if got := strings.Join(w.announced, " "); got != c.announced || w.left("") != "own" {
			t.Errorf("%s: announced %s, left %s", code, got, w.left(""))
		}
	}
}

func TestRefusalOfAWSIsAnnouncedOnce(t *testing.T) {
	w := newWorld(t)
	f := w.put("", public)
	w.aws.Fail("RemovePermission", 5, "AccessDeniedException")
	for range 5 {
		if _, err := w.Remediate(t.Context(), orders, f.ID); err == nil {
			t.Error("a refused removal is done")
		}
	}
	w.want("public", "remediation-refused")
}

// Somebody changes the policy between the read and the call: what he put in
// its place under the same Sid is not removed.
func TestChangedInBetween(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own}
	f := w.put("", public)
	swapped := false
	w.aws.Configure(func(o *localaws.Options) {
		o.OnCall = func(c localaws.Call) {
			if c.Operation == "RemovePermission" && !swapped {
				swapped = true
				w.aws.SetPolicy(string(orders), "", text(strings.Replace(own, `"own"`, `"public"`, 1)))
			}
		}
	})
	w.remediate(f)
	w.want("public")
	if w.statuses() != "abandoned" {
		t.Errorf("the intents are %s", w.statuses())
	}
}

// GetResourcePolicy and GetPolicy show different revisions, and RemovePermission
// goes by the one of GetPolicy.
func TestRevisionOfGetPolicy(t *testing.T) {
	w := newWorld(t)
	w.aws.Configure(func(o *localaws.Options) { o.JSONPolicies = false })
	w.approved, w.revision = []string{own}, "another"
	f := w.put("", own, public)
	w.Plain = w.reader
	w.remediate(f)
	w.want("own", "remediated")
	if w.statuses() != "abandoned done" {
		t.Errorf("the intents are %s", w.statuses())
	}
	w = newWorld(t)
	w.revision = "another"
	f = w.put("", public)
	w.Plain = failing{}
	if _, err := w.Remediate(t.Context(), orders, f.ID); !errors.Is(err, errOutage) || w.left("") != "public" {
		t.Errorf("got %v", err)
	}
}

// failing reads nothing.
type failing struct{}

func (failing) State(context.Context, drift.Change) (drift.State, error) {
	return drift.State{}, errOutage
}

func TestEndlessChange(t *testing.T) {
	w := newWorld(t)
	f := w.put("", public)
	w.aws.Fail("RemovePermission", 100, "PreconditionFailedException")
	if _, err := w.Remediate(t.Context(), orders, f.ID); err == nil || w.reads != rounds {
		t.Errorf("got %v after %d reads", err, w.reads)
	}
	w.want("public")
}

// The read after our own removal may still show the statement.
func TestStaleReadBack(t *testing.T) {
	for stale := 1; stale <= rounds+1; stale++ {
		w := newWorld(t)
		w.approved = []string{own}
		f := w.put("", own, public)
		w.onRead = func(n int) {
			if n > 1 && n <= 1+stale {
				w.aws.StaleFor("GetResourcePolicy", 1)
			}
		}
		_, err := w.Remediate(t.Context(), orders, f.ID)
		if err != nil { // it stayed stale for too long; the message comes back
			w.remediate(f)
		}
		w.want("own", "remediated")
		if row := w.row(f); !strings.Contains(row.Undo, "--statement-id public") {
			t.Errorf("stale %d times: undo by %q", stale, row.Undo)
		}
	}
}

func TestSeveralSids(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own}
	f := w.put("", public, own, again, nameless)
	before := w.aws.Policy(string(orders), "")
	w.remediate(f)
	w.want("own", "remediated")
	if got := w.writes(); got != "RemovePermission:=204 RemovePermission:=204 PutResourcePolicy:=200" {
		t.Errorf("called %s", got)
	}
	intents, _ := w.Intents(t.Context(), orders)
	for _, intent := range slices.Backward(intents) { // the order in which the row's command undoes them
		if err := Undo(t.Context(), w.client, intent); err != nil {
			t.Fatal(err)
		}
	}
	wantSame(t, before, w.aws.Policy(string(orders), ""))
	undo := w.row(f).Undo
	if put := strings.Index(undo, "put-resource-policy"); put < 0 || put > strings.Index(undo, "add-permission") {
		t.Errorf("what was done last is not undone first: %s", undo)
	}
}

func TestStatementWithoutSid(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own, denied}
	f := w.put("", own, nameless, denied, nameless)
	intent := w.remediate(f)
	w.want("own denied", "remediated")
	if intent.Remedy != drift.PutResourcePolicy || intent.RevisionID == "" {
		t.Errorf("got %+v", intent)
	}
}

// AWS takes no empty document.
func TestLastStatementWithoutSid(t *testing.T) {
	w := newWorld(t)
	f := w.put("", nameless)
	w.remediate(f)
	w.want("none", "remediated")
	if got := w.writes(); got != "PutResourcePolicy:=200 RemovePermission:=204" {
		t.Errorf("called %s", got)
	}
}

// Sids that RemovePermission cannot name, or that its path would mistake.
func TestOddSids(t *testing.T) {
	for _, sid := range []string{"..", ".", "a b", "a/../../x", "--debug=", "é", strings.Repeat("x", 101)} {
		w := newWorld(t)
		w.approved = []string{own}
		f := w.put("", own, strings.Replace(public, "public", sid, 1))
		if f.Remediate != "" {
			t.Errorf("%s: a person is told to run %s", sid, f.Remediate)
		}
		w.remediate(f)
		w.want("own", "remediated")
		if w.writes() != "PutResourcePolicy:=200" {
			t.Errorf("%s: called %s", sid, w.writes())
		}
	}
}

func TestDuplicateSids(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own}
	f := w.put("", public, strings.Replace(own, `"own"`, `"public"`, 1))
	w.remediate(f)
	w.want("public public", "remediation-refused")
}

func TestSleepEndsWithTheContext(t *testing.T) {
	w := newWorld(t)
	w.Sleep = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := w.sleep(t.Context(), 0); err != nil {
		t.Errorf("got %v", err)
	}
	r := &Remediator{}
	if r.now().IsZero() || r.log() == nil {
		t.Error("no clock or no log")
	}
}

func TestReportSaysWhatItWouldDo(t *testing.T) {
	for statement, want := range map[string]string{public: "aws lambda remove-permission", nameless: "aws lambda put-resource-policy"} {
		w := newWorld(t)
		w.mode = drift.ModeReport
		w.approved = []string{own}
		w.remediate(w.put("", own, statement))
		if !strings.Contains(fmt.Sprint(w.notes), want) {
			t.Errorf("got %q", w.notes)
		}
	}
}

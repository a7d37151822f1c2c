package audit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

func TestStaleReads(t *testing.T) {
	for _, c := range []struct {
		age, after time.Duration
	}{
		{0, 15 * time.Second},
		{14500 * time.Millisecond, time.Second},
		{15 * time.Second, time.Minute},
		{75 * time.Second, 5 * time.Minute},
		{374 * time.Second, time.Second},
		{375 * time.Second, 0},
		{24 * time.Hour, 0},
		{-30 * time.Second, 45 * time.Second}, // another clock
		{-24 * time.Hour, 0},                  // no clock: waiting would never end
	} {
		w := newWorld(t)
		change := added(t, "e1", public)
		change.Event.Time = noon.Add(-c.age)
		_, err := w.Audit(t.Context(), change)
		var stale *drift.StaleError
		if errors.As(err, &stale) != (c.after > 0) || stale != nil && stale.After != c.after {
			t.Errorf("an event %s old: got %v, want to read again after %s", c.age, err, c.after)
		}
		if c.after > 0 {
			w.wantAnnounced()
		} else {
			w.wantAnnounced("transient public")
		}
	}
}

func TestStaleClaims(t *testing.T) {
	put := document(t, public)
	young := func(change drift.Change) drift.Change {
		change.Subject, change.Event = orders, drift.Event{ID: "e1", Name: "a call", Time: noon.Add(-time.Second)}
		return change
	}
	unknown := added(t, "e1", public)
	unknown.OutcomeUnknown = true
	for name, change := range map[string]drift.Change{
		"a document":              young(drift.Change{Operation: drift.PutPolicy, Policy: &put}),
		"an unreadable statement": young(drift.Change{Operation: drift.AddStatement, Sid: "public"}),
		"a removal":               young(drift.Change{Operation: drift.RemoveStatement, Sid: "own"}),
		"an unknown outcome":      young(unknown),
	} {
		w := newWorld(t)
		w.live = []string{own}
		_, err := w.Audit(t.Context(), change)
		if _, ok := errors.AsType[*drift.StaleError](err); !ok {
			t.Errorf("%s: concluded from a state that does not show it: %v", name, err)
		}
		w.at = w.at.Add(time.Hour)
		w.audit(change)
	}
}

// Throttling the auditor's reads does not turn a public grant into a gap: the
// message comes back while it is young, and then the gap is a finding.
func TestUnreadPlaceIsReadAgain(t *testing.T) {
	w := newWorld(t)
	w.gaps = []drift.Gap{{Reason: "GetPolicy is throttled"}}
	_, err := w.Audit(t.Context(), added(t, "e1", public))
	wantError[*drift.StaleError](t, err)
	w.wantAnnounced()
	w.at = w.at.Add(10 * time.Minute)
	if r := w.audit(added(t, "e1", public)); len(r.Gaps) != 1 || r.Findings[0].Kind != drift.UnreadableChange {
		t.Errorf("got %+v", r)
	}
	w.wantAnnounced("opened")
	w.gaps, w.live = nil, []string{public}
	w.audit(added(t, "e1", public))
	w.wantAnnounced("opened", "opened public", "resolved")
}

func TestTransientGrants(t *testing.T) {
	w := newWorld(t)
	w.at = noon.Add(time.Hour)
	w.audit(added(t, "e1", public))
	w.audit(added(t, "e1", public))
	again := added(t, "e2", public)
	again.Event.Time = noon.Add(time.Minute) // before the first was read, and after it happened
	w.audit(again)
	w.audit(added(t, "e1", public))
	w.wantAnnounced("transient public", "transient public")
	if f := w.row(); f.Status != drift.Transient || f.Count != 2 {
		t.Errorf("got %s, seen %d times", f.Status, f.Count)
	}
}

// A whole document was put, used, and put back.
func TestTransientDocument(t *testing.T) {
	w := newWorld(t)
	deny := strings.Replace(strings.Replace(public, "Allow", "Deny", 1), `"public"`, `"deny"`, 1)
	w.live, w.approved, w.at = []string{own, deny}, []string{own, deny}, noon.Add(time.Hour)
	put := document(t, own, public, foreign)
	w.audit(drift.Change{Subject: orders, Operation: drift.PutPolicy, Policy: &put, Event: drift.Event{ID: "e1", Time: noon}})
	if len(w.announced) != 3 {
		t.Errorf("announced %q, want public, foreign and the loss of deny", w.announced)
	}
	w.audit(swept)
	if len(w.announced) != 3 {
		t.Errorf("announced %q", w.announced)
	}
}

// The document that was put is gone but for one statement, which stands.
func TestTransientDocumentInPart(t *testing.T) {
	w := newWorld(t)
	w.live, w.at = []string{public}, noon.Add(time.Hour)
	put := document(t, public, foreign)
	change := drift.Change{Subject: orders, Operation: drift.PutPolicy, Policy: &put, Event: drift.Event{ID: "e1", Time: noon}}
	w.audit(change)
	w.audit(change)
	rows, _ := w.Findings(t.Context(), orders)
	for _, row := range rows {
		if want := map[string]drift.Status{"public": drift.Open, "foreign": drift.Transient}[row.Sids[0]]; row.Status != want {
			t.Errorf("%s is %s, want %s", row.Sids[0], row.Status, want)
		}
	}
}

func TestOutOfOrder(t *testing.T) {
	w := newWorld(t)
	w.at = noon.Add(time.Hour)
	w.live = []string{public}
	w.audit(drift.Change{Subject: orders, Operation: drift.RemoveStatement, Sid: "public", Event: drift.Event{ID: "e0", Time: noon.Add(-time.Hour)}})
	w.audit(added(t, "e1", public))
	w.wantAnnounced("opened public")
	w.live = nil
	w.audit(added(t, "e1", public)) // once more, late
	w.wantAnnounced("opened public", "resolved public")
}

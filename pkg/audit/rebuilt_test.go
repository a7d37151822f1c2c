package audit

import (
	"context"
	"errors"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
)

// states keeps states in memory, and fails if it is to.
type states struct {
	kept      map[drift.Subject]drift.State
	get, save error
}

func (s *states) State(_ context.Context, subject drift.Subject) (drift.State, error) {
	state, ok := s.kept[subject]
	if s.get == nil && !ok {
		return state, drift.ErrNotFound
	}
	return state, s.get
}

func (s *states) SaveState(_ context.Context, state drift.State) error {
	s.kept[state.Subject] = state
	return s.save
}

// rebuilt is a world whose live state is rebuilt from the changes.
func rebuilt(t *testing.T) (*world, *states) {
	w := newWorld(t)
	s := &states{kept: make(map[drift.Subject]drift.State)}
	w.Live, w.RereadAfter = &Rebuilt{States: s, Baselines: w}, nil
	return w, s
}

func remove(id, sid string) drift.Change {
	return drift.Change{Subject: orders, Operation: drift.RemoveStatement, Sid: sid, Event: drift.Event{ID: id, Name: "RemovePermission", Time: noon}}
}

func TestRebuiltFollowsTheEvents(t *testing.T) {
	w, _ := rebuilt(t)
	w.audit(added(t, "e1", public))
	w.audit(added(t, "e2", foreign))
	w.audit(remove("e3", "public"))
	w.audit(remove("e3", "public")) // told twice
	w.wantAnnounced("opened public", "opened foreign", "resolved public")
}

func TestRebuiltStartsFromTheBaseline(t *testing.T) {
	w, _ := rebuilt(t)
	w.approved = []string{own, foreign}
	w.audit(remove("e1", "foreign"))
	w.audit(added(t, "e2", own))
	w.wantAnnounced("opened foreign") // narrowed
	if f := w.row(); f.Kind != drift.PolicyNarrowed {
		t.Errorf("got %s", f.Kind)
	}
}

func TestRebuiltDoesNotKnowWhatItNeverSaw(t *testing.T) {
	w, _ := rebuilt(t)
	if r := w.audit(remove("e1", "deny")); len(r.Gaps) != 1 || r.Findings[0].Kind != drift.UnreadableChange {
		t.Errorf("got %+v", r)
	}
}

func TestRebuiltFailures(t *testing.T) {
	for name, fail := range map[string]func(*world, *states){
		"reading the state": func(_ *world, s *states) { s.get = errOutage },
		"keeping the state": func(_ *world, s *states) { s.save = errOutage },
		"the baseline":      func(w *world, _ *states) { w.baseErr = errOutage },
	} {
		w, s := rebuilt(t)
		fail(w, s)
		if _, err := w.Audit(t.Context(), added(t, "e1", public)); !errors.Is(err, errOutage) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

package audit

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// digests keeps what is in the digests.
type digests struct{ sids [][]string }

func (d *digests) SendDigest(_ context.Context, findings []drift.Finding, _ time.Time) error {
	var sids []string
	for _, f := range findings {
		sids = append(sids, f.Sids...)
	}
	slices.Sort(sids)
	d.sids = append(d.sids, sids)
	return nil
}

func TestDigestTellsWhatWasLearned(t *testing.T) {
	w := newWorld(t)
	w.Context.Unknown, w.Context.LearnUntil = drift.Learn, noon.Add(48*time.Hour)
	w.live = []string{own, foreign}
	sent := &digests{}
	w.handler.Digester = &Digester{Findings: w.Bolt, Alerts: sent}
	ask := func() {
		t.Helper()
		if _, err := w.handler.Handle(t.Context(), json.RawMessage(`{"permdrift":"digest"}`)); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if len(sent.sids) != 0 {
		t.Errorf("nothing was learned, and sent %q", sent.sids)
	}
	w.audit(swept)
	w.wantAnnounced("opened foreign")
	ask()
	w.at = w.at.Add(25 * time.Hour)
	ask()
	if len(sent.sids) != 1 || !slices.Equal(sent.sids[0], []string{"own"}) {
		t.Errorf("sent %q", sent.sids)
	}
}

// A digest that is asked for a moment late misses nothing of the day before.
func TestDigestThatIsLateMissesNothing(t *testing.T) {
	w := newWorld(t)
	w.Context.Unknown, w.Context.LearnUntil = drift.Learn, noon.Add(48*time.Hour)
	w.live = []string{own}
	sent := &digests{}
	w.handler.Digester = &Digester{Findings: w.Bolt, Alerts: sent}
	w.audit(swept)
	w.at = w.at.Add(24*time.Hour + 30*time.Second)
	if _, err := w.handler.Handle(t.Context(), json.RawMessage(`{"permdrift":"digest"}`)); err != nil || len(sent.sids) != 1 {
		t.Errorf("sent %q, %v", sent.sids, err)
	}
}

func TestDigestWithoutAnyIsRefused(t *testing.T) {
	w := newWorld(t)
	if _, err := w.handler.Handle(t.Context(), json.RawMessage(`{"permdrift":"digest"}`)); err == nil {
		t.Error("sent a digest to nobody")
	}
}

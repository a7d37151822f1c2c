package audit

import (
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Two events about one subject in one batch: what is still to be announced of
// one finding brings back its own message, not the other one, until it is old
// enough to have been lost.
func TestWhatIsPendingOfAnotherFindingHoldsNobodyUp(t *testing.T) {
	w := newWorld(t)
	unreadable := func(id string) drift.Change {
		return drift.Change{
			Subject: drift.AccountSubject("", "111122223333"), Operation: drift.Unreadable, Problem: "cut off",
			Event: drift.Event{ID: id, Name: "undecodable message"},
		}
	}
	w.onSend = func(drift.Finding, drift.Announcement) error { return errOutage }
	_, _ = w.Audit(t.Context(), unreadable("e1"))
	w.onSend = nil
	w.audit(unreadable("e2"))
	w.wantAnnounced("opened")
	_, err := w.Audit(t.Context(), unreadable("e1"))
	wantError[*PendingError](t, err)

	w.at = w.at.Add(AnnounceLease)
	w.audit(unreadable("e3"))
	w.wantAnnounced("opened", "opened", "opened")
}

package e2e_test

import (
	"testing"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
)

func TestAGrantThatCameAndWentIsToldOnceAsTransient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}, reread: "4s,1s,1s"})
	arn := w.function("orders")
	w.mode(drift.ModeEnforce)
	added := w.open(arn, "", "temp-debug")
	removed := w.remove(arn, "temp-debug")

	w.feed(removed) // the later one first
	w.events.expect(1, 0)
	if rows := w.findings(arn); len(rows) != 0 {
		t.Errorf("the removal alone made the findings %+v", rows)
	}
	w.feed(added)
	w.events.expect(1, 1)
	w.noMail()
	if rows := w.findings(arn); len(rows) != 0 {
		t.Errorf("the first delivery concluded %+v", rows)
	}
	w.wantHidden(1)
	await(t, "the message comes back until it is concluded from", func() bool {
		w.events.drain()
		return w.events.queue.empty()
	})
	m := w.oneMail(drift.Vanished)
	if row := w.oneFinding(arn, drift.Transient); row.ID != m.ID || row.Severity != drift.Critical || m.Actor.ARN != malloryARN {
		t.Errorf("the finding is %+v, the alert %+v", row, m)
	}
	w.feed(added, removed)
	w.events.expect(2, 0)
	w.noMail()
	w.remediations.expect(0, 0)
	w.wantSids(arn, "", "uploads")
}

// wantHidden wants that so many messages of the events queue are hidden, and
// that the auditor itself said for how long.
func (w *world) wantHidden(n int) {
	w.t.Helper()
	if visible, hidden := w.events.queue.count(); visible != 0 || hidden != n {
		w.t.Errorf("%d events are visible and %d hidden, want 0 and %d", visible, hidden, n)
	}
	if got := w.wire.counted()["ChangeMessageVisibility"]; got != n {
		w.t.Errorf("the visibility of messages was changed %d times, want %d", got, n)
	}
}

func TestAStaleReadIsReadAgainAndAnnouncedOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		json bool
	}{{"GetResourcePolicy", true}, {"GetPolicy", false}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			const early = 2
			w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: row.json}, reread: "1s,1s,1s,1s,1s,1s,1s,1s"})
			arn := w.function("orders")
			record := w.open(arn, "", "temp-debug")
			w.aws.StaleFor(row.name, early)
			w.feed(record)
			w.events.expect(1, 1)
			w.noMail()
			if rows := w.findings(arn); len(rows) != 0 {
				t.Errorf("the first, stale read concluded %+v", rows)
			}
			w.wantHidden(1)
			await(t, "the message comes back until the grant is seen", func() bool {
				w.events.drain()
				return w.events.queue.empty()
			})
			if got := len(w.events.returned); got != early {
				t.Errorf("the message came back %d times, want once for each of %d stale reads", got, early)
			}
			w.oneMail(drift.Opened)
			w.oneFinding(arn, drift.Open)
			w.remediations.expect(1, 0)
			w.wantSids(arn, "", "uploads", "temp-debug") // no mode is set
		})
	}
}

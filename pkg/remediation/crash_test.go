package remediation

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// A crash at any point after the call: the next delivery announces it, with
// the command that undoes it.
func TestCrashAfterTheCall(t *testing.T) {
	for name, crash := range map[string]func(*world){
		"at the end of the intent": func(w *world) {
			w.onIntent = func(i drift.Intent) error {
				if i.Status != drift.Planned {
					return errOutage
				}
				return nil
			}
		},
		"at the read back": func(w *world) {
			w.onRead = func(n int) {
				if n == 2 {
					w.liveErr = errOutage
				}
			}
		},
		"at the row":          func(w *world) { w.onSave = func(drift.Finding) error { return errOutage } },
		"at the announcement": func(w *world) { w.sendErr = errOutage },
		"at its clearing": func(w *world) {
			w.onSave = func(f drift.Finding) error {
				if len(f.Pending) == 0 {
					return errOutage
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, resolved := range []bool{false, true} {
				w := newWorld(t)
				w.approved = []string{own}
				f := w.put("", own, public)
				crash(w)
				if _, err := w.Remediate(t.Context(), orders, f.ID); !errors.Is(err, errOutage) {
					t.Fatalf("got %v", err)
				}
				w.onIntent, w.onRead, w.onSave, w.liveErr, w.sendErr = nil, nil, nil, nil, nil
				if row := w.row(f); resolved && row.Status == drift.Open { // the auditor was quicker
					row.Status, row.ResolvedAt = drift.Resolved, noon
					if _, err := w.Bolt.Save(t.Context(), row); err != nil {
						t.Fatal(err)
					}
				}
				w.remediate(f)
				w.remediate(f)
				row := w.row(f)
				if row.Status != drift.Remediated || !strings.Contains(row.Undo, "--statement-id public") || len(row.Pending) != 0 {
					t.Errorf("got %s, undo %q, pending %v", row.Status, row.Undo, row.Pending)
				}
				for i, id := range w.ids {
					if id != w.ids[0] || w.announced[i] != "remediated" {
						t.Errorf("announced %q under %q", w.announced, w.ids)
					}
				}
				if len(w.ids) == 0 {
					t.Error("announced nothing")
				}
			}
		})
	}
}

// What somebody else removed is not claimed.
func TestRemovedBySomebodyElse(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own}
	f := w.put("", own, public)
	w.remediate(f)
	row := w.row(f) // the statement comes back, and its owner removes it
	row.Status, row.Undo, row.LastSeen, row.Count = drift.Open, "", noon.Add(time.Hour), 2
	if _, err := w.Bolt.Save(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	w.Remediator.Now = func() time.Time { return noon.Add(2 * time.Hour) }
	if w.remediate(f) != nil {
		t.Error("claimed the removal of an earlier life")
	}
	w.want("own", "remediated")
}

// The statement is added again while its removal is about to be recorded: it
// is removed again, and the open row is not closed over it.
func TestAddedAgainMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own}
	f := w.put("", own, public)
	w.onSave = func(drift.Finding) error {
		w.onSave = nil
		w.aws.SetPolicy(string(orders), "", text(own, public))
		row := w.row(f)
		row.Count++
		if _, err := w.Bolt.Save(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		return drift.ErrConflict
	}
	w.remediate(f)
	w.want("own", "remediated")
	if w.statuses() != "done done" {
		t.Errorf("the intents are %s", w.statuses())
	}
}

func TestConflictsOverTheRow(t *testing.T) {
	w := newWorld(t)
	f := w.put("", public)
	n := 0
	w.onSave = func(drift.Finding) error {
		if n++; n%2 == 1 { // the auditor writes, and counts nothing
			row := w.row(f)
			row.LastSeen = noon
			if _, err := w.Bolt.Save(t.Context(), row); err != nil {
				t.Fatal(err)
			}
		}
		return nil
	}
	w.remediate(f)
	w.want("none", "remediated")
	w = newWorld(t)
	f = w.put("", public)
	w.onSave = func(drift.Finding) error { return drift.ErrConflict }
	if _, err := w.Remediate(t.Context(), orders, f.ID); !errors.Is(err, drift.ErrConflict) {
		t.Errorf("got %v", err)
	}
}

// The opening that the auditor has not announced yet stays pending.
func TestPendingOfTheAuditorStays(t *testing.T) {
	w := newWorld(t)
	f := w.put("", public)
	f.Pending = []drift.Announcement{{ID: "opening", Transition: drift.Opened, At: noon}}
	f, err := w.Bolt.Save(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	w.remediate(f)
	w.want("none", "remediated")
	if p := w.row(f).Pending; len(p) != 1 || p[0].ID != "opening" {
		t.Errorf("pending %v", p)
	}
}

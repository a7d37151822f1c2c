package ledger

import (
	"slices"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

func onlyClosedExpire(t T, h Harness) {
	h.SetNow(noon)
	for id, status := range map[string]drift.Status{
		"1-open": drift.Open, "2-accepted": drift.Accepted, "3-suppressed": drift.Suppressed,
		"4-resolved": drift.Resolved, "5-remediated": drift.Remediated, "6-transient": drift.Transient,
		"7-pending": drift.Resolved, "8-reopened": drift.Resolved,
	} {
		f := open(ingest, id)
		f.Status = status
		if id == "7-pending" {
			f.Pending = []drift.Announcement{{ID: "a1", Transition: drift.Closed, At: noon}}
		}
		f = save(t, h.Store, f)
		if id == "8-reopened" {
			f.Status = drift.Open
			save(t, h.Store, f)
		}
	}
	h.SetNow(noon.Add(FindingsKept - time.Second))
	if n := len(findingsOf(t, h.Store, ingest)); n != 8 {
		t.Errorf("%d findings before the end, want 8", n)
	}
	h.SetNow(noon.Add(FindingsKept))
	want := []string{"1-open", "2-accepted", "3-suppressed", "7-pending", "8-reopened"}
	same(t, "findings after the end", idsOf(findingsOf(t, h.Store, ingest)), want)
	same(t, "list after the end", listed(t, h.Store), want)
}

// standingNeverExpires: an adoption is an approval, and a suppression that was
// forgotten would be announced as something new.
func standingNeverExpires(t T, h Harness) {
	h.SetNow(noon)
	ids := []string{}
	for id, change := range map[string]func(*drift.Finding){
		"1-adopted":      func(f *drift.Finding) { f.Status = drift.Accepted },
		"2-suppressed":   func(f *drift.Finding) { f.Status = drift.Suppressed },
		"3-config":       func(f *drift.Finding) { f.Status, f.Statement = drift.Accepted, nil },
		"4-was-resolved": func(f *drift.Finding) { f.Status = drift.Resolved },
	} {
		f := full(id)
		f.Pending = nil
		change(&f)
		f = save(t, h.Store, f)
		if id == "4-was-resolved" {
			f.Status = drift.Accepted
			save(t, h.Store, f)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	h.SetNow(noon.AddDate(20, 0, 0)) // long after the suppression ran out
	same(t, "findings", idsOf(findingsOf(t, h.Store, ingest)), ids)
	same(t, "list", listed(t, h.Store), ids)
	f, err := h.Store.Finding(t.Context(), ingest, "1-adopted")
	if err != nil || f.Adoption == nil || f.Suppression == nil {
		t.Errorf("the adopted finding: %+v, %v", f, err)
	}
}

func expiredIsAbsent(t T, h Harness) {
	h.SetNow(noon)
	f := open(ingest, "aaaaaaaa")
	f.Status = drift.Resolved
	old := save(t, h.Store, f)
	h.SetNow(noon.Add(FindingsKept))
	_, err := h.Store.Finding(t.Context(), ingest, "aaaaaaaa")
	wantErr(t, "reading", err, drift.ErrNotFound)
	_, err = h.Store.Find(t.Context(), "aaaaaaaa")
	wantErr(t, "looking for it", err, drift.ErrNotFound)
	_, err = h.Store.Save(t.Context(), old)
	wantErr(t, "updating", err, drift.ErrConflict)
	again := save(t, h.Store, open(ingest, "aaaaaaaa"))
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{again})
	h.SetNow(noon.Add(10 * FindingsKept))
	same(t, "the open finding", findingsOf(t, h.Store, ingest), []drift.Finding{again})
}

func intentsAreKept(t T, h Harness) {
	h.SetNow(noon)
	for i, id := range []string{"c", "a", "b"} {
		stored := saveIntent(t, h.Store, intent(id, noon.Add(time.Duration(i)*time.Minute)))
		stored.Status, stored.EndedAt = drift.Done, noon.Add(time.Hour)
		saveIntent(t, h.Store, stored)
	}
	h.SetNow(noon.AddDate(20, 0, 0))
	intents, err := h.Store.Intents(t.Context(), ingest)
	if err != nil || len(intents) != 3 {
		t.Fatalf("%d intents, want 3; %v", len(intents), err)
	}
	for i, id := range []string{"c", "a", "b"} {
		if got := intents[i]; got.ID != id || got.Status != drift.Done || got.Version != 2 || got.PreImage == "" {
			t.Errorf("intent %d is %+v, want %s", i, got, id)
		}
	}
}

package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

func removalTests() []ConformanceTest {
	return []ConformanceTest{
		{"a removal is read, in the order of the events", removalsInOrder},
		{"a removal is stored once, however often it is saved", removalOnce},
		{"removals of other places, Sids, events and subjects are apart", removalsApart},
		{"removals are forgotten after a day", removalsForgotten},
		{"removals are no findings and no intents", removalsAreThemselves},
		{"removals bear small pages, throttling and lost answers", removalFaults},
		{"a removal of 500 KB and one without time are answered for", removalAtTheEdge},
	}
}

// removal is one by an event of an id, at a time.
func removal(id string, at time.Time) drift.Removal {
	return drift.Removal{
		Place: "live", Sid: "open",
		Actor: drift.Actor{ARN: "arn:aws:sts::111122223333:assumed-role/deploy/ci", Account: "111122223333", Issuer: "arn:aws:iam::111122223333:role/deploy"},
		Event: drift.Event{ID: id, Name: "RemovePermission20150331v2", Time: at},
	}
}

func saveRemoval(t T, s Store, r drift.Removal) {
	t.Helper()
	if err := s.SaveRemoval(t.Context(), ingest, r); err != nil {
		t.Fatalf("saving removal: %v", err)
	}
}

func removalsOf(t T, s Store, subject drift.Subject) []drift.Removal {
	t.Helper()
	removals, err := s.Removals(t.Context(), subject)
	if err != nil {
		t.Fatalf("reading removals: %v", err)
	}
	return removals
}

// eventsOf is the ids of the events of removals.
func eventsOf(removals []drift.Removal) []string {
	ids := []string{}
	for _, r := range removals {
		ids = append(ids, r.Event.ID)
	}
	return ids
}

func removalsInOrder(t T, h Harness) {
	same(t, "removals of an empty store", eventsOf(removalsOf(t, h.Store, ingest)), []string{})
	var want []drift.Removal
	for i := range 12 {
		want = append(want, removal(fmt.Sprint("e", i), noon.Add(time.Duration(i)*time.Millisecond)))
	}
	for _, i := range []int{7, 2, 11, 0, 5, 9, 1, 10, 3, 8, 4, 6} {
		saveRemoval(t, h.Store, want[i])
	}
	same(t, "removals", removalsOf(t, h.Store, ingest), want)
}

func removalOnce(t T, h Harness) {
	first := removal("e1", noon)
	again := first
	again.Event.ID, again.Event.Original = "e2", "e1" // CloudTrail delivered it again
	for _, r := range []drift.Removal{first, first, again, first} {
		saveRemoval(t, h.Store, r)
	}
	same(t, "removals", removalsOf(t, h.Store, ingest), []drift.Removal{first})
}

func removalsApart(t T, h Harness) {
	for _, r := range []struct {
		place   drift.Place
		sid, id string
	}{
		{"live", "open", "e1"},
		{"live", "open", "e2"},
		{"live", "", "e1"},
		{drift.Unqualified, "open", "e1"},
		{drift.Unqualified, "live", "e1"},
		{drift.Unqualified, "openlive", "e1"},
		{"live", "ope", "ne1"},
	} {
		next := removal(r.id, noon)
		next.Place, next.Sid = r.place, r.sid
		saveRemoval(t, h.Store, next)
	}
	if n := len(removalsOf(t, h.Store, ingest)); n != 7 {
		t.Errorf("%d removals, want 7", n)
	}
	for _, other := range []drift.Subject{export, ingest[:len(ingest)-1]} {
		if n := len(removalsOf(t, h.Store, other)); n != 0 {
			t.Errorf("%d removals of %s, want none", n, other)
		}
	}
}

func removalsForgotten(t T, h Harness) {
	h.SetNow(noon)
	saveRemoval(t, h.Store, removal("e1", noon.AddDate(-1, 0, 0))) // from an old archive
	saveRemoval(t, h.Store, removal("e2", noon))
	h.SetNow(noon.Add(time.Hour))
	saveRemoval(t, h.Store, removal("e2", noon))
	h.SetNow(noon.Add(RemovalsKept - time.Second))
	same(t, "removals before the end", eventsOf(removalsOf(t, h.Store, ingest)), []string{"e1", "e2"})
	h.SetNow(noon.Add(RemovalsKept))
	same(t, "removals after the end", eventsOf(removalsOf(t, h.Store, ingest)), []string{"e2"})
	saveRemoval(t, h.Store, removal("e1", noon))
	same(t, "one that is saved again", eventsOf(removalsOf(t, h.Store, ingest)), []string{"e1", "e2"})
}

func removalsAreThemselves(t T, h Harness) {
	save(t, h.Store, open(ingest, "aaaaaaaa"))
	saveIntent(t, h.Store, intent("i1", noon))
	saveRemoval(t, h.Store, removal("e1", noon))
	same(t, "findings", idsOf(findingsOf(t, h.Store, ingest)), []string{"aaaaaaaa"})
	same(t, "list", listed(t, h.Store), []string{"aaaaaaaa"})
	if intents, err := h.Store.Intents(t.Context(), ingest); err != nil || len(intents) != 1 {
		t.Errorf("%d intents, %v", len(intents), err)
	}
	same(t, "removals", eventsOf(removalsOf(t, h.Store, ingest)), []string{"e1"})
}

func removalFaults(t T, h Harness) {
	want := []string{}
	for i := range 7 {
		want = append(want, fmt.Sprint("e", i))
		fault(h.Throttle, 3)
		h.loseAnswer(1, nil)
		saveRemoval(t, h.Store, removal(want[i], noon))
	}
	for size := 1; size <= 3; size++ {
		fault(h.PageSize, size)
		fault(h.Throttle, 3)
		same(t, "removals", eventsOf(removalsOf(t, h.Store, ingest)), want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, "saving", h.Store.SaveRemoval(ctx, ingest, removal("e9", noon)), context.Canceled)
	_, err := h.Store.Removals(ctx, ingest)
	wantErr(t, "reading", err, context.Canceled)
	if slices.Contains(eventsOf(removalsOf(t, h.Store, ingest)), "e9") {
		t.Errorf("a call with an ended context wrote")
	}
}

func removalAtTheEdge(t T, h Harness) {
	large := removal("e1", noon)
	large.Actor.ARN = strings.Repeat("x", 500<<10)
	wantErr(t, "saving 500 KB", h.Store.SaveRemoval(t.Context(), ingest, large), drift.ErrTooLarge)
	everything := drift.Removal{Event: drift.Event{ID: "e2"}}
	saveRemoval(t, h.Store, everything)
	same(t, "removals", removalsOf(t, h.Store, ingest), []drift.Removal{everything})
}

package baseline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// T is what the conformance test needs of *testing.T, so that no program that
// stores baselines links package testing.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Harness is an empty Store, its clock, and the faults that a test can put
// into it. A nil fault is one that cannot happen to the store; the test then
// runs without it.
type Harness struct {
	Store Store
	// SetNow sets the store's clock, which stands still.
	SetNow func(time.Time)
	// LoseAnswer lets the n-th write from now (1: the next) take effect and its
	// answer get lost; in between it calls meanwhile, unless that is nil.
	LoseAnswer func(n int, meanwhile func())
	// Crash fails all writes from the n-th from now on, without effect; Crash(0) ends that.
	Crash func(n int)
	// Throttle refuses the next n requests.
	Throttle func(n int)
	// PageSize is how many items the store reads at a time.
	PageSize func(n int)
}

func fault(f func(int), n int) {
	if f != nil {
		f(n)
	}
}

func (h Harness) loseAnswer(n int, meanwhile func()) {
	if h.LoseAnswer != nil {
		h.LoseAnswer(n, meanwhile)
	}
}

// ConformanceTest is one test of the contracts in the package comment.
type ConformanceTest struct {
	Name string
	Run  func(T, Harness)
}

// Conformance is what every Store passes, each with a Harness of its own:
//
//	for _, c := range baseline.Conformance() {
//		t.Run(c.Name, func(t *testing.T) { c.Run(t, open(t)) })
//	}
func Conformance() []ConformanceTest {
	tests := []ConformanceTest{
		{"an unknown subject has no places", unknownSubject},
		{"what is put is read", putIsRead},
		{"places are apart", placesAreApart},
		{"an update needs the version that is stored", updateNeedsVersion},
		{"a place is created once", createdOnce},
		{"a write whose answer got lost succeeds", lostAnswer},
		{"a write whose answer got lost and that was overwritten succeeds", lostAnswerOverwritten},
		{"a crash between history and head loses nothing and blocks nobody", crashBeforeHead},
		{"history lists each version once, oldest first", historyInOrder},
		{"small pages lose nothing", smallPages},
		{"subjects are listed once each", subjectsOnce},
		{"350 KB fit, 500 KB do not", nearTheLimit},
		{"concurrent writers lose nothing", concurrentWriters},
		{"throttling is waited out", throttled},
		{"settings are versioned", settings},
		{"a context that ended ends the call", endedContext},
	}
	return slices.Concat(tests, approvalTests(), ruleTests())
}

const (
	ingest drift.Subject = "arn:aws:lambda:eu-central-1:111122223333:function:ingest"
	export drift.Subject = "arn:aws:lambda:eu-central-1:111122223333:function:ingest-export"
	role   drift.Subject = "arn:aws:iam::111122223333:role/deploy"
)

// approvedBy is an Approved with one approval for each of some names.
func approvedBy(version int64, names ...string) drift.Approved {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	a := drift.Approved{Version: version, UpdatedBy: "arn:aws:iam::111122223333:user/ana", UpdatedAt: at, Reason: "test"}
	for _, name := range names {
		a.Approvals = append(a.Approvals, drift.Approval{
			Statement: policy.Statement{
				Sid: name, Effect: policy.Allow, Principal: &policy.Principals{Service: []string{"s3.amazonaws.com"}},
				Action: []string{"lambda:InvokeFunction"}, Resource: []string{string(ingest)},
				Condition: []policy.Condition{{Operator: "StringEquals", Key: "AWS:SourceAccount", Values: []string{"111122223333"}}},
			},
			By: "arn:aws:iam::111122223333:user/ana", Reason: "the <upload> bucket", At: at, Expires: at.Add(time.Hour),
		})
	}
	return a
}

func put(t T, s Store, subject drift.Subject, p drift.Place, a drift.Approved) drift.Approved {
	t.Helper()
	stored, err := s.Put(t.Context(), subject, p, a)
	if err != nil {
		t.Fatalf("putting version %d: %v", a.Version+1, err)
	}
	if stored.Version != a.Version+1 {
		t.Fatalf("put version %d over %d", stored.Version, a.Version)
	}
	return stored
}

func get(t T, s Store, subject drift.Subject) drift.Baseline {
	t.Helper()
	b, err := s.Get(t.Context(), subject)
	if err != nil {
		t.Fatalf("getting: %v", err)
	}
	return b
}

// historyOf returns the names of the approvals of each version.
func historyOf(t T, s Store, subject drift.Subject, p drift.Place) []string {
	t.Helper()
	versions, err := s.History(t.Context(), subject, p)
	if err != nil {
		t.Fatalf("reading history: %v", err)
	}
	var all []string
	for i, v := range versions {
		if v.Version != int64(i+1) {
			t.Errorf("version %d stands at place %d of the history", v.Version, i+1)
		}
		all = append(all, namesIn(v))
	}
	return all
}

func namesIn(a drift.Approved) string {
	var names []string
	for _, approval := range a.Approvals {
		names = append(names, approval.Statement.Sid)
	}
	return strings.Join(names, " ")
}

// same compares two values by their JSON, which is all that a store keeps.
func same(t T, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	w, err2 := json.Marshal(want)
	if err != nil || err2 != nil || string(g) != string(w) {
		t.Errorf("%s:\n got %s\nwant %s\n%v", what, g, w, errors.Join(err, err2))
	}
}

func wantErr(t T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func unknownSubject(t T, h Harness) {
	b := get(t, h.Store, ingest)
	if b.Known() || b.Places == nil || b.Subject != ingest {
		t.Errorf("baseline of an unknown subject: %+v", b)
	}
	if history := historyOf(t, h.Store, ingest, drift.Unqualified); len(history) != 0 {
		t.Errorf("history of an unknown subject: %q", history)
	}
}

func putIsRead(t T, h Harness) {
	stored := put(t, h.Store, ingest, "live", approvedBy(0, "upload"))
	same(t, "place live", get(t, h.Store, ingest).Places["live"], stored)
	updated := put(t, h.Store, ingest, "live", approvedBy(stored.Version, "upload", "mirror"))
	same(t, "place live after an update", get(t, h.Store, ingest).Places["live"], updated)
	empty := put(t, h.Store, ingest, "live", approvedBy(updated.Version))
	got := get(t, h.Store, ingest)
	same(t, "place live without approvals", got.Places["live"], empty)
	if !got.Known() {
		t.Errorf("a place without approvals is not in the baseline")
	}
}

func placesAreApart(t T, h Harness) {
	for _, p := range []drift.Place{drift.Unqualified, "unqualified", "1", "live"} {
		put(t, h.Store, ingest, p, approvedBy(0, "in-"+p.String()))
	}
	put(t, h.Store, export, "live", approvedBy(0, "of-export"))
	put(t, h.Store, role, drift.Trust, approvedBy(0, "of-role"))
	b := get(t, h.Store, ingest)
	if len(b.Places) != 4 {
		t.Errorf("%d places, want 4", len(b.Places))
	}
	for p, a := range b.Places {
		same(t, "place "+p.String(), a, approvedBy(1, "in-"+p.String()))
	}
	same(t, "role", get(t, h.Store, role).Places[drift.Trust], approvedBy(1, "of-role"))
}

func updateNeedsVersion(t T, h Harness) {
	put(t, h.Store, ingest, "live", approvedBy(0, "one"))
	put(t, h.Store, ingest, "live", approvedBy(1, "two"))
	for _, version := range []int64{-1, 0, 1, 3} {
		_, err := h.Store.Put(t.Context(), ingest, "live", approvedBy(version, "three"))
		wantErr(t, fmt.Sprintf("putting over version %d", version), err, drift.ErrConflict)
	}
	same(t, "place live", get(t, h.Store, ingest).Places["live"], approvedBy(2, "two"))
	same(t, "history", historyOf(t, h.Store, ingest, "live"), []string{"one", "two"})
}

func createdOnce(t T, h Harness) {
	put(t, h.Store, ingest, drift.Unqualified, approvedBy(0, "one"))
	_, err := h.Store.Put(t.Context(), ingest, drift.Unqualified, approvedBy(0, "two"))
	wantErr(t, "creating again", err, drift.ErrConflict)
	_, err = h.Store.Put(t.Context(), ingest, "live", approvedBy(1, "two"))
	wantErr(t, "updating what is not there", err, drift.ErrConflict)
}

func lostAnswer(t T, h Harness) {
	for version := range int64(6) {
		h.loseAnswer(int(version%2)+1, nil) // that of the history, that of the head
		put(t, h.Store, ingest, "live", approvedBy(version, fmt.Sprint(version)))
	}
	same(t, "history", historyOf(t, h.Store, ingest, "live"), []string{"0", "1", "2", "3", "4", "5"})
	h.loseAnswer(1, nil)
	if _, err := h.Store.PutSettings(t.Context(), drift.Settings{Mode: drift.ModeEnforce}); err != nil {
		t.Errorf("settings: %v", err)
	}
}

func lostAnswerOverwritten(t T, h Harness) {
	second := func() { put(t, h.Store, ingest, "live", approvedBy(1, "two")) }
	h.loseAnswer(2, second)
	put(t, h.Store, ingest, "live", approvedBy(0, "one"))
	if h.LoseAnswer == nil {
		second()
	}
	same(t, "history", historyOf(t, h.Store, ingest, "live"), []string{"one", "two"})
}

func crashBeforeHead(t T, h Harness) {
	put(t, h.Store, ingest, "live", approvedBy(0, "one"))
	for range 3 {
		if h.Crash == nil {
			break
		}
		h.Crash(2)
		if _, err := h.Store.Put(t.Context(), ingest, "live", approvedBy(1, "crashed")); err == nil {
			t.Fatalf("a write that crashed succeeded")
		}
		h.Crash(0)
	}
	same(t, "head after the crashes", get(t, h.Store, ingest).Places["live"], approvedBy(1, "one"))
	same(t, "history after the crashes", historyOf(t, h.Store, ingest, "live"), []string{"one"})
	put(t, h.Store, ingest, "live", approvedBy(1, "two"))
	put(t, h.Store, ingest, "live", approvedBy(2, "three"))
	same(t, "history", historyOf(t, h.Store, ingest, "live"), []string{"one", "two", "three"})
}

func historyInOrder(t T, h Harness) {
	var want []string
	for version := range int64(12) {
		want = append(want, fmt.Sprint("v", version+1))
		put(t, h.Store, ingest, drift.Unqualified, approvedBy(version, want[version]))
	}
	put(t, h.Store, ingest, "live", approvedBy(0, "elsewhere"))
	same(t, "history", historyOf(t, h.Store, ingest, drift.Unqualified), want)
	same(t, "history of another place", historyOf(t, h.Store, ingest, "live"), []string{"elsewhere"})
}

func smallPages(t T, h Harness) {
	var want []string
	for i := range 7 {
		put(t, h.Store, ingest, drift.Place(fmt.Sprint("alias", i)), approvedBy(0, "s"))
		put(t, h.Store, export, "live", approvedBy(int64(i), fmt.Sprint(i)))
		want = append(want, fmt.Sprint(i))
	}
	for size := 1; size <= 3; size++ {
		fault(h.PageSize, size)
		if n := len(get(t, h.Store, ingest).Places); n != 7 {
			t.Errorf("pages of %d: %d places, want 7", size, n)
		}
		same(t, "history", historyOf(t, h.Store, export, "live"), want)
		same(t, "subjects", subjectsOf(t, h.Store), []drift.Subject{ingest, export})
	}
}

// subjectsOf is the list of subjects, sorted.
func subjectsOf(t T, s Store) []drift.Subject {
	t.Helper()
	var all []drift.Subject
	for subject, err := range s.Subjects(t.Context()) {
		if err != nil {
			t.Fatalf("listing: %v", err)
		}
		all = append(all, subject)
	}
	slices.Sort(all)
	return all
}

func subjectsOnce(t T, h Harness) {
	same(t, "subjects of an empty store", subjectsOf(t, h.Store), []drift.Subject(nil))
	for _, s := range []drift.Subject{ingest, role, export} {
		put(t, h.Store, s, "live", approvedBy(0, "one"))
		put(t, h.Store, s, drift.Unqualified, approvedBy(0, "two"))
	}
	if _, err := h.Store.PutSettings(t.Context(), drift.Settings{}); err != nil {
		t.Fatalf("settings: %v", err)
	}
	same(t, "subjects", subjectsOf(t, h.Store), []drift.Subject{role, ingest, export})
	for s, err := range h.Store.Subjects(t.Context()) {
		if err != nil {
			t.Fatalf("listing: %v", err)
		}
		put(t, h.Store, s, "new", approvedBy(0, "while listing")) // the store is free meanwhile
		break
	}
}

func nearTheLimit(t T, h Harness) {
	large := approvedBy(0, "large")
	large.Approvals[0].Reason = strings.Repeat("x", 350<<10)
	stored := put(t, h.Store, ingest, "live", large)
	same(t, "place live", get(t, h.Store, ingest).Places["live"], stored)
	stored.Approvals[0].Reason = strings.Repeat("x", 500<<10)
	_, err := h.Store.Put(t.Context(), ingest, "live", stored)
	wantErr(t, "putting 500 KB", err, drift.ErrTooLarge)
	if err != nil && !strings.Contains(err.Error(), " bytes") {
		t.Errorf("the error does not say how large it is: %v", err)
	}
	if n := len(historyOf(t, h.Store, ingest, "live")); n != 1 {
		t.Errorf("%d versions, want 1", n)
	}
}

func concurrentWriters(t T, h Harness) {
	const writers, each = 6, 4
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				approveOneMore(t, h.Store, fmt.Sprintf("w%d-%d", w, i))
			}
		})
	}
	group.Wait()
	got := get(t, h.Store, ingest).Places["live"]
	if got.Version != writers*each || len(got.Approvals) != writers*each {
		t.Errorf("version %d with %d approvals, want %d of both", got.Version, len(got.Approvals), writers*each)
	}
	history := historyOf(t, h.Store, ingest, "live")
	if len(history) != writers*each || history[len(history)-1] != namesIn(got) {
		t.Errorf("%d versions, want %d ending in the head", len(history), writers*each)
	}
}

// approveOneMore adds an approval to what is stored, as often as others come between.
func approveOneMore(t T, s Store, name string) {
	for {
		b, err := s.Get(t.Context(), ingest)
		if err != nil {
			t.Errorf("getting: %v", err)
			return
		}
		a := b.Places["live"]
		a.Approvals = append(a.Approvals, approvedBy(0, name).Approvals...)
		_, err = s.Put(t.Context(), ingest, "live", a)
		if errors.Is(err, drift.ErrConflict) {
			continue
		}
		if err != nil {
			t.Errorf("putting: %v", err)
		}
		return
	}
}

func throttled(t T, h Harness) {
	fault(h.Throttle, 5)
	put(t, h.Store, ingest, "live", approvedBy(0, "one"))
	fault(h.Throttle, 5)
	same(t, "place live", get(t, h.Store, ingest).Places["live"], approvedBy(1, "one"))
	fault(h.Throttle, 5)
	same(t, "history", historyOf(t, h.Store, ingest, "live"), []string{"one"})
	fault(h.Throttle, 5)
	same(t, "subjects", subjectsOf(t, h.Store), []drift.Subject{ingest})
	if h.Throttle == nil {
		return
	}
	h.Throttle(1000)
	_, err := h.Store.Get(t.Context(), ingest)
	wantErr(t, "getting from a store that always throttles", err, drift.ErrThrottled)
	h.Throttle(0)
}

func settings(t T, h Harness) {
	s, err := h.Store.Settings(t.Context())
	if err != nil || s != (drift.Settings{}) {
		t.Fatalf("no settings: %+v, %v", s, err)
	}
	for _, mode := range []drift.Mode{drift.ModeReport, drift.ModeEnforce} {
		s.Mode = mode
		if s, err = h.Store.PutSettings(t.Context(), s); err != nil {
			t.Fatalf("putting: %v", err)
		}
		got, err := h.Store.Settings(t.Context())
		if err != nil || got != s || got.Mode != mode {
			t.Errorf("settings %+v, %v, want %+v", got, err, s)
		}
	}
	s.Version = 1
	_, err = h.Store.PutSettings(t.Context(), s)
	wantErr(t, "putting over an old version", err, drift.ErrConflict)
}

func endedContext(t T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Store.Get(ctx, ingest)
	wantErr(t, "getting", err, context.Canceled)
	_, err = h.Store.Put(ctx, ingest, "live", approvedBy(0, "one"))
	wantErr(t, "putting", err, context.Canceled)
	for _, err := range h.Store.Subjects(ctx) {
		wantErr(t, "listing", err, context.Canceled)
	}
	if get(t, h.Store, ingest).Known() {
		t.Errorf("a call with an ended context wrote")
	}
}

package ledger

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
// keeps a ledger links package testing.
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
//	for _, c := range ledger.Conformance() {
//		t.Run(c.Name, func(t *testing.T) { c.Run(t, open(t)) })
//	}
func Conformance() []ConformanceTest {
	tests := []ConformanceTest{
		{"an empty store has nothing", emptyStore},
		{"what is saved is read", savedIsRead},
		{"subjects and kinds are apart", subjectsAreApart},
		{"an update needs the version that is stored", updateNeedsVersion},
		{"a write whose answer got lost succeeds", lostAnswer},
		{"a write whose answer got lost and that was overwritten loses nothing", lostAnswerOverwritten},
		{"small pages lose nothing", smallPages},
		{"a finding is found by the beginning of its id", foundByPrefix},
		{"350 KB fit, 500 KB do not", nearTheLimit},
		{"concurrent writers lose nothing", concurrentWriters},
		{"throttling is waited out", throttled},
		{"only closed findings with nothing pending expire", onlyClosedExpire},
		{"what was adopted or suppressed never expires", standingNeverExpires},
		{"an expired finding is absent and may be created", expiredIsAbsent},
		{"intents are kept for ever, oldest first", intentsAreKept},
		{"a context that ended ends the call", endedContext},
	}
	return slices.Concat(tests, rowTests(), removalTests(), sweepTests())
}

const (
	ingest drift.Subject = "arn:aws:lambda:eu-central-1:111122223333:function:ingest"
	export drift.Subject = "arn:aws:lambda:eu-central-1:111122223333:function:ingest-export"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// open is an open finding of a subject.
func open(s drift.Subject, id string) drift.Finding {
	return drift.Finding{
		ID: id, Kind: drift.PolicyWidened, Severity: drift.Critical, Exposure: policy.Public, Status: drift.Open,
		Subject: s, Place: "live", Account: "111122223333", Region: "eu-central-1",
		Statement: &policy.Statement{
			Sid: "open", Effect: policy.Allow, Principal: &policy.Principals{Any: true},
			Action: []string{"lambda:InvokeFunction"}, Resource: []string{string(s) + ":live"},
		},
		Sids: []string{"open"}, Reason: "anyone <&> everyone", Certain: true,
		Witness:   &policy.Witness{Principal: "anonymous", Action: "lambda:InvokeFunction", Context: map[string][]string{"aws:SourceIp": {"192.0.2.1"}}},
		FirstSeen: noon, LastSeen: noon, Count: 1,
	}
}

func intent(id string, at time.Time) drift.Intent {
	return drift.Intent{
		ID: id, FindingID: "0123456789abcdef0123", Subject: ingest, Place: "live", Remedy: drift.RemovePermission,
		Sid: "open", PreImage: `{"Version":"2012-10-17","Statement":[]}`, Undo: "aws lambda add-permission …",
		Status: drift.Planned, At: at,
	}
}

func save(t T, s Store, f drift.Finding) drift.Finding {
	t.Helper()
	stored, err := s.Save(t.Context(), f)
	if err != nil {
		t.Fatalf("saving: %v", err)
	}
	if stored.Version != f.Version+1 {
		t.Fatalf("saved version %d over %d", stored.Version, f.Version)
	}
	return stored
}

func saveIntent(t T, s Store, i drift.Intent) drift.Intent {
	t.Helper()
	stored, err := s.SaveIntent(t.Context(), i)
	if err != nil {
		t.Fatalf("saving intent: %v", err)
	}
	return stored
}

func findingsOf(t T, s Store, subject drift.Subject) []drift.Finding {
	t.Helper()
	findings, err := s.Findings(t.Context(), subject)
	if err != nil {
		t.Fatalf("reading findings: %v", err)
	}
	return findings
}

func idsOf(findings []drift.Finding) []string {
	var ids []string
	for _, f := range findings {
		ids = append(ids, f.ID)
	}
	return ids
}

// listed is the ids of all findings, sorted.
func listed(t T, s Store) []string {
	t.Helper()
	var ids []string
	for f, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatalf("listing: %v", err)
		}
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return ids
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

func emptyStore(t T, h Harness) {
	ctx := t.Context()
	if f := findingsOf(t, h.Store, ingest); len(f) != 0 {
		t.Errorf("findings: %v", f)
	}
	if i, err := h.Store.Intents(ctx, ingest); err != nil || len(i) != 0 {
		t.Errorf("intents: %v, %v", i, err)
	}
	if r, err := h.Store.LastSweeps(ctx, 3); err != nil || len(r) != 0 {
		t.Errorf("sweeps: %v, %v", r, err)
	}
	if ids := listed(t, h.Store); len(ids) != 0 {
		t.Errorf("list: %v", ids)
	}
	_, err := h.Store.Finding(ctx, ingest, "0123456789abcdef0123")
	wantErr(t, "finding", err, drift.ErrNotFound)
	_, err = h.Store.Find(ctx, "0123456789abcdef0123")
	wantErr(t, "find", err, drift.ErrNotFound)
	_, err = h.Store.Sweep(ctx, "s1")
	wantErr(t, "sweep", err, drift.ErrNotFound)
}

func savedIsRead(t T, h Harness) {
	stored := save(t, h.Store, open(ingest, "aaaaaaaa"))
	stored.Count++
	stored.Pending = []drift.Announcement{{ID: "a1", Transition: drift.Opened, At: noon}}
	stored = save(t, h.Store, stored)
	got, err := h.Store.Finding(t.Context(), ingest, "aaaaaaaa")
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	same(t, "finding", got, stored)
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{stored})
	got, err = h.Store.Find(t.Context(), "aaaaaaaa")
	if err != nil {
		t.Fatalf("finding by id: %v", err)
	}
	same(t, "found", got, stored)
}

func subjectsAreApart(t T, h Harness) {
	save(t, h.Store, open(ingest, "bbbbbbbb"))
	save(t, h.Store, open(ingest, "aaaaaaaa"))
	save(t, h.Store, open(export, "cccccccc"))
	saveIntent(t, h.Store, intent("dddddddd", noon))
	same(t, "findings of ingest", idsOf(findingsOf(t, h.Store, ingest)), []string{"aaaaaaaa", "bbbbbbbb"})
	same(t, "findings of export", idsOf(findingsOf(t, h.Store, export)), []string{"cccccccc"})
	same(t, "list", listed(t, h.Store), []string{"aaaaaaaa", "bbbbbbbb", "cccccccc"})
	_, err := h.Store.Finding(t.Context(), export, "aaaaaaaa")
	wantErr(t, "the finding of another subject", err, drift.ErrNotFound)
}

func updateNeedsVersion(t T, h Harness) {
	f := save(t, h.Store, open(ingest, "aaaaaaaa"))
	f = save(t, h.Store, f)
	i := saveIntent(t, h.Store, intent("i1", noon))
	i = saveIntent(t, h.Store, i)
	for _, version := range []int64{-1, 0, 1, 3} {
		stale, staleIntent := f, i
		stale.Version, staleIntent.Version = version, version
		stale.Status, staleIntent.Status = drift.Accepted, drift.Failed
		_, err := h.Store.Save(t.Context(), stale)
		wantErr(t, fmt.Sprintf("saving over version %d", version), err, drift.ErrConflict)
		_, err = h.Store.SaveIntent(t.Context(), staleIntent)
		wantErr(t, fmt.Sprintf("saving an intent over version %d", version), err, drift.ErrConflict)
	}
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{f})
	unknown := open(ingest, "bbbbbbbb")
	unknown.Version = 1
	_, err := h.Store.Save(t.Context(), unknown)
	wantErr(t, "updating what is not there", err, drift.ErrConflict)
}

func lostAnswer(t T, h Harness) {
	h.loseAnswer(1, nil)
	f := save(t, h.Store, open(ingest, "aaaaaaaa"))
	h.loseAnswer(1, nil)
	f = save(t, h.Store, f)
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{f})
	h.loseAnswer(1, nil)
	i := saveIntent(t, h.Store, intent("i1", noon))
	h.loseAnswer(1, nil)
	if i = saveIntent(t, h.Store, i); i.Version != 2 {
		t.Errorf("intent has version %d, want 2", i.Version)
	}
}

// lostAnswerOverwritten: the store cannot know that it won for a moment, so a
// conflict is right; what the other writer stored must stay.
func lostAnswerOverwritten(t T, h Harness) {
	f := save(t, h.Store, open(ingest, "aaaaaaaa"))
	f.Count = 2
	second := f
	second.Version, second.Count = 2, 3
	h.loseAnswer(1, func() { second = save(t, h.Store, second) })
	_, err := h.Store.Save(t.Context(), f)
	if h.LoseAnswer == nil {
		second = save(t, h.Store, second)
	} else {
		wantErr(t, "saving", err, drift.ErrConflict)
	}
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{second})
}

func smallPages(t T, h Harness) {
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("finding%d", i))
		save(t, h.Store, open(ingest, want[i]))
		saveIntent(t, h.Store, intent(fmt.Sprint("i", i), noon))
		start(t, h.Store, fmt.Sprint("s", i), noon)
	}
	for size := 1; size <= 3; size++ {
		fault(h.PageSize, size)
		same(t, "findings", idsOf(findingsOf(t, h.Store, ingest)), want)
		same(t, "list", listed(t, h.Store), want)
		if i, err := h.Store.Intents(t.Context(), ingest); err != nil || len(i) != 7 {
			t.Errorf("%d intents, want 7; %v", len(i), err)
		}
		if r, err := h.Store.LastSweeps(t.Context(), 100); err != nil || len(r) != 7 {
			t.Errorf("%d sweeps, want 7; %v", len(r), err)
		}
		if f, err := h.Store.Find(t.Context(), "finding6"); err != nil || f.ID != "finding6" {
			t.Errorf("found %q, %v", f.ID, err)
		}
	}
}

func foundByPrefix(t T, h Harness) {
	for _, id := range []string{"abcdef", "abcdef12", "abcdef34", "abc99999"} {
		save(t, h.Store, open(ingest, id))
	}
	for prefix, want := range map[string]string{"abcdef": "abcdef", "abcdef1": "abcdef12", "abc999": "abc99999"} {
		if f, err := h.Store.Find(t.Context(), prefix); err != nil || f.ID != want {
			t.Errorf("%s: found %q, %v; want %s", prefix, f.ID, err, want)
		}
	}
	_, err := h.Store.Find(t.Context(), "abcdef5")
	wantErr(t, "a prefix of nothing", err, drift.ErrNotFound)
	save(t, h.Store, open(export, "abc99998"))
	if f, err := h.Store.Find(t.Context(), "abc999"); err == nil || !strings.Contains(err.Error(), "abc99998, abc99999") {
		t.Errorf("an ambiguous prefix: %q, %v", f.ID, err)
	}
	if f, err := h.Store.Find(t.Context(), "abc99"); err == nil || errors.Is(err, drift.ErrNotFound) {
		t.Errorf("a short prefix: %q, %v", f.ID, err)
	}
}

func nearTheLimit(t T, h Harness) {
	f, i := open(ingest, "aaaaaaaa"), intent("i1", noon)
	f.Reason, i.PreImage = strings.Repeat("x", 350<<10), strings.Repeat("x", 350<<10)
	f, i = save(t, h.Store, f), saveIntent(t, h.Store, i)
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{f})
	f.Reason, i.PreImage = strings.Repeat("x", 500<<10), strings.Repeat("x", 500<<10)
	_, err := h.Store.Save(t.Context(), f)
	wantErr(t, "saving 500 KB", err, drift.ErrTooLarge)
	if err != nil && !strings.Contains(err.Error(), " bytes") {
		t.Errorf("the error does not say how large it is: %v", err)
	}
	_, err = h.Store.SaveIntent(t.Context(), i)
	wantErr(t, "saving an intent of 500 KB", err, drift.ErrTooLarge)
}

func concurrentWriters(t T, h Harness) {
	const writers, each = 6, 4
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range each {
				countOneMore(t, h.Store)
			}
		})
	}
	group.Wait()
	f, err := h.Store.Finding(t.Context(), ingest, "aaaaaaaa")
	if err != nil || f.Count != writers*each || f.Version != writers*each {
		t.Errorf("count %d, version %d, %v; want %d of both", f.Count, f.Version, err, writers*each)
	}
}

// countOneMore adds 1 to the count of a finding, as often as others come between.
func countOneMore(t T, s Store) {
	for {
		f, err := s.Finding(t.Context(), ingest, "aaaaaaaa")
		if errors.Is(err, drift.ErrNotFound) {
			f, err = open(ingest, "aaaaaaaa"), nil
			f.Count = 0
		}
		if err == nil {
			f.Count++
			_, err = s.Save(t.Context(), f)
		}
		if errors.Is(err, drift.ErrConflict) {
			continue
		}
		if err != nil {
			t.Errorf("counting: %v", err)
		}
		return
	}
}

func throttled(t T, h Harness) {
	fault(h.Throttle, 5)
	f := save(t, h.Store, open(ingest, "aaaaaaaa"))
	fault(h.Throttle, 5)
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{f})
	fault(h.Throttle, 5)
	same(t, "list", listed(t, h.Store), []string{"aaaaaaaa"})
	fault(h.Throttle, 5)
	start(t, h.Store, "s1", noon)
	fault(h.Throttle, 5)
	count(t, h.Store, "s1", ingest, drift.ShardClean)
	fault(h.Throttle, 5)
	if r := sweep(t, h.Store, "s1"); r.Done != 1 {
		t.Errorf("counted %d, want 1", r.Done)
	}
	if h.Throttle == nil {
		return
	}
	h.Throttle(1000)
	_, err := h.Store.Save(t.Context(), f)
	wantErr(t, "saving to a store that always throttles", err, drift.ErrThrottled)
	h.Throttle(0)
}

func endedContext(t T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Store.Findings(ctx, ingest)
	wantErr(t, "reading", err, context.Canceled)
	_, err = h.Store.Save(ctx, open(ingest, "aaaaaaaa"))
	wantErr(t, "saving", err, context.Canceled)
	for _, err := range h.Store.List(ctx) {
		wantErr(t, "listing", err, context.Canceled)
	}
	wantErr(t, "starting", h.Store.StartSweep(ctx, drift.SweepRun{ID: "s1"}), context.Canceled)
	if f := findingsOf(t, h.Store, ingest); len(f) != 0 {
		t.Errorf("a call with an ended context wrote")
	}
}

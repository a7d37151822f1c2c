package baseline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func ruleTests() []ConformanceTest {
	return []ConformanceTest{
		{"a store without rules has none", noRules},
		{"what is put as a rule is read, ordered by id", rulesAreRead},
		{"a rule that its check refuses is not written", ruleChecked},
		{"an update of a rule needs the version that is stored", ruleNeedsVersion},
		{"a rule is created once", ruleCreatedOnce},
		{"a deleted rule is gone, and its history says who did it", ruleDeleted},
		{"a rule that is made again goes on from its deletion", ruleMadeAgain},
		{"a change of a rule whose answer got lost succeeds", ruleLostAnswer},
		{"a change of a rule whose answer got lost and that was overwritten succeeds", ruleLostAnswerOverwritten},
		{"a crash between the history and the head of a rule loses nothing and blocks nobody", ruleCrash},
		{"small pages lose no rule", ruleSmallPages},
		{"350 KB fit into a rule, 500 KB do not", ruleNearTheLimit},
		{"rules are apart from subjects and settings", rulesAreApart},
		{"throttling of rules is waited out", rulesThrottled},
		{"a context that ended ends the calls about rules", rulesEndedContext},
	}
}

const (
	ana = "arn:aws:iam::111122223333:user/ana"
	ben = "arn:aws:iam::111122223333:user/ben"
)

// ruleOf is a rule with a reason, of which each version in a test has its own.
func ruleOf(id string, version int64, reason string) drift.Rule {
	statement := approvedBy(0, "").Approvals[0].Statement
	return drift.Rule{
		ID: id, Subjects: "arn:aws:lambda:*:111122223333:function:ingest-*", Statement: &statement,
		Adopt: &drift.Deployer{Issuer: string(role), Account: "111122223333", Organization: true},
		By:    ana, Reason: reason, Ticket: "SEC-1 <&>", At: time.Date(2026, 11, 23, 12, 0, 0, 1, time.UTC),
		Expires: time.Date(2027, 11, 23, 12, 0, 0, 0, time.UTC), Version: version,
	}
}

func putRule(t T, s Store, r drift.Rule) drift.Rule {
	t.Helper()
	stored, err := s.PutRule(t.Context(), r)
	if err != nil {
		t.Fatalf("putting rule %s: %v", r.ID, err)
	}
	if stored.Version <= r.Version {
		t.Fatalf("put version %d of %s over %d", stored.Version, r.ID, r.Version)
	}
	return stored
}

func deleteRule(t T, s Store, id string, version int64) {
	t.Helper()
	if err := s.DeleteRule(t.Context(), id, version, ben); err != nil {
		t.Fatalf("deleting version %d of rule %s: %v", version, id, err)
	}
}

// rulesIn is the rules, each as its id, version and reason.
func rulesIn(t T, s Store) []string {
	t.Helper()
	rules, err := s.Rules(t.Context())
	if err != nil {
		t.Fatalf("reading rules: %v", err)
	}
	all := []string{}
	for _, r := range rules {
		all = append(all, fmt.Sprintf("%s %d %s", r.ID, r.Version, r.Reason))
	}
	return all
}

// ruleVersions is the history of a rule, each version as its reason.
func ruleVersions(t T, s Store, id string) []string {
	t.Helper()
	versions, err := s.RuleHistory(t.Context(), id)
	if err != nil {
		t.Fatalf("reading history of rule %s: %v", id, err)
	}
	all := []string{}
	for i, r := range versions {
		switch {
		case r.Version != int64(i+1) || r.ID != id:
			t.Errorf("version %d of rule %s stands at place %d of the history of %s", r.Version, r.ID, i+1, id)
		case Deleted(r):
			all = append(all, "deleted by "+r.By)
			if r.At.IsZero() {
				t.Errorf("version %d does not say when it was deleted", r.Version)
			}
		default:
			all = append(all, r.Reason)
		}
	}
	return all
}

func noRules(t T, h Harness) {
	same(t, "rules", rulesIn(t, h.Store), []string{})
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{})
	wantErr(t, "deleting", h.Store.DeleteRule(t.Context(), "ingest", 1, ana), drift.ErrNotFound)
	wantErr(t, "deleting version 0", h.Store.DeleteRule(t.Context(), "ingest", 0, ana), drift.ErrNotFound)
	same(t, "history after that", ruleVersions(t, h.Store, "ingest"), []string{})
}

func rulesAreRead(t T, h Harness) {
	var stored []drift.Rule
	for _, id := range []string{"b", "a-b", "ab", "a", "0"} {
		stored = append(stored, putRule(t, h.Store, ruleOf(id, 0, "first")))
	}
	adopting := ruleOf("a", 1, "second")
	adopting.Statement, adopting.Expires = nil, time.Time{}
	stored[3] = putRule(t, h.Store, adopting)
	approving := ruleOf("b", 1, "third")
	approving.Adopt = nil
	stored[0] = putRule(t, h.Store, approving)
	slices.SortFunc(stored, func(a, b drift.Rule) int { return strings.Compare(a.ID, b.ID) })
	rules, err := h.Store.Rules(t.Context())
	if err != nil {
		t.Fatalf("reading rules: %v", err)
	}
	same(t, "rules", rules, stored)
	same(t, "ids", rulesIn(t, h.Store), []string{"0 1 first", "a 2 second", "a-b 1 first", "ab 1 first", "b 2 third"})
	same(t, "history", ruleVersions(t, h.Store, "a"), []string{"first", "second"})
	history, err := h.Store.RuleHistory(t.Context(), "a")
	if err != nil || len(history) != 2 {
		t.Fatalf("reading history: %v", err)
	}
	same(t, "the first version", history[0], ruleOf("a", 1, "first"))
}

func ruleChecked(t T, h Harness) {
	for name, change := range map[string]func(*drift.Rule){
		"an id in capitals":             func(r *drift.Rule) { r.ID = "Ingest" },
		"no id":                         func(r *drift.Rule) { r.ID = "" },
		"the id that is built in":       func(r *drift.Rule) { r.ID = drift.LearnRule },
		"nothing to approve":            func(r *drift.Rule) { r.Statement, r.Adopt = nil, nil },
		"an issuer by pattern":          func(r *drift.Rule) { r.Adopt.Issuer = "arn:aws:iam::111122223333:role/*" },
		"nobody who wrote it":           func(r *drift.Rule) { r.By = "" },
		"a Deny":                        func(r *drift.Rule) { r.Statement.Effect = policy.Deny },
		"a statement without an action": func(r *drift.Rule) { r.Statement.Action = nil },
	} {
		r := ruleOf("ingest", 0, "test")
		change(&r)
		if _, err := h.Store.PutRule(t.Context(), r); err == nil || errors.Is(err, drift.ErrConflict) {
			t.Errorf("a rule with %s: %v", name, err)
		}
	}
	putRule(t, h.Store, ruleOf("ingest", 0, "good"))
	if err := h.Store.DeleteRule(t.Context(), "ingest", 1, ""); err == nil {
		t.Errorf("a rule was deleted by nobody")
	}
	same(t, "rules", rulesIn(t, h.Store), []string{"ingest 1 good"})
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{"good"})
}

func ruleNeedsVersion(t T, h Harness) {
	putRule(t, h.Store, ruleOf("ingest", 0, "one"))
	putRule(t, h.Store, ruleOf("ingest", 1, "two"))
	for _, version := range []int64{-1, 0, 1, 3} {
		_, err := h.Store.PutRule(t.Context(), ruleOf("ingest", version, "three"))
		wantErr(t, fmt.Sprintf("putting over version %d", version), err, drift.ErrConflict)
		err = h.Store.DeleteRule(t.Context(), "ingest", version, ben)
		wantErr(t, fmt.Sprintf("deleting version %d", version), err, drift.ErrConflict)
	}
	_, err := h.Store.PutRule(t.Context(), ruleOf("export", 1, "one"))
	wantErr(t, "updating what is not there", err, drift.ErrConflict)
	same(t, "rules", rulesIn(t, h.Store), []string{"ingest 2 two"})
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{"one", "two"})
}

func ruleCreatedOnce(t T, h Harness) {
	const writers = 8
	var group sync.WaitGroup
	var won atomic.Int64
	for w := range writers {
		group.Go(func() {
			switch _, err := h.Store.PutRule(t.Context(), ruleOf("ingest", 0, fmt.Sprint(w))); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, drift.ErrConflict):
				t.Errorf("putting: %v", err)
			}
		})
	}
	group.Wait()
	if n := len(ruleVersions(t, h.Store, "ingest")); won.Load() != 1 || n != 1 {
		t.Errorf("%d of %d writers made the rule, %d versions; want 1 of both", won.Load(), writers, n)
	}
}

func ruleDeleted(t T, h Harness) {
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	h.SetNow(at)
	putRule(t, h.Store, ruleOf("ingest", 0, "one"))
	putRule(t, h.Store, ruleOf("ingest-export", 0, "another"))
	putRule(t, h.Store, ruleOf("ingest", 1, "two"))
	deleteRule(t, h.Store, "ingest", 2)
	same(t, "rules", rulesIn(t, h.Store), []string{"ingest-export 1 another"})
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{"one", "two", "deleted by " + ben})
	for _, version := range []int64{0, 1, 2, 3} {
		wantErr(t, fmt.Sprintf("deleting version %d again", version), h.Store.DeleteRule(t.Context(), "ingest", version, ana), drift.ErrNotFound)
	}
	for _, version := range []int64{1, 2, 3} {
		_, err := h.Store.PutRule(t.Context(), ruleOf("ingest", version, "three"))
		wantErr(t, fmt.Sprintf("updating version %d of a deleted rule", version), err, drift.ErrConflict)
	}
	history, err := h.Store.RuleHistory(t.Context(), "ingest")
	if err != nil || len(history) != 3 {
		t.Fatalf("history %+v, %v", history, err)
	}
	same(t, "the deletion", history[2], drift.Rule{ID: "ingest", By: ben, At: at, Version: 3})
}

func ruleMadeAgain(t T, h Harness) {
	putRule(t, h.Store, ruleOf("ingest", 0, "one"))
	deleteRule(t, h.Store, "ingest", 1)
	again := putRule(t, h.Store, ruleOf("ingest", 0, "again"))
	same(t, "rules", rulesIn(t, h.Store), []string{"ingest 3 again"})
	wantErr(t, "deleting the old version", h.Store.DeleteRule(t.Context(), "ingest", 1, ana), drift.ErrConflict)
	_, err := h.Store.PutRule(t.Context(), ruleOf("ingest", 1, "late"))
	wantErr(t, "putting over the old version", err, drift.ErrConflict)
	putRule(t, h.Store, ruleOf("ingest", again.Version, "better"))
	deleteRule(t, h.Store, "ingest", again.Version+1)
	same(t, "rules", rulesIn(t, h.Store), []string{})
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{"one", "deleted by " + ben, "again", "better", "deleted by " + ben})
}

func ruleLostAnswer(t T, h Harness) {
	for round := range int64(2) {
		write := int(round) + 1 // that of the history, that of the head
		h.loseAnswer(write, nil)
		version := putRule(t, h.Store, ruleOf("ingest", 0, "made")).Version
		h.loseAnswer(write, nil)
		putRule(t, h.Store, ruleOf("ingest", version, "changed"))
		h.loseAnswer(write, nil)
		deleteRule(t, h.Store, "ingest", version+1)
	}
	life := []string{"made", "changed", "deleted by " + ben}
	same(t, "history", ruleVersions(t, h.Store, "ingest"), slices.Concat(life, life))
	same(t, "rules", rulesIn(t, h.Store), []string{})
}

func ruleLostAnswerOverwritten(t T, h Harness) {
	second := func() { putRule(t, h.Store, ruleOf("ingest", 1, "two")) }
	h.loseAnswer(2, second)
	putRule(t, h.Store, ruleOf("ingest", 0, "one"))
	if h.LoseAnswer == nil {
		second()
	}
	again := func() { putRule(t, h.Store, ruleOf("ingest", 0, "again")) }
	h.loseAnswer(2, again)
	deleteRule(t, h.Store, "ingest", 2)
	if h.LoseAnswer == nil {
		again()
	}
	same(t, "rules", rulesIn(t, h.Store), []string{"ingest 4 again"})
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{"one", "two", "deleted by " + ben, "again"})
}

func ruleCrash(t T, h Harness) {
	putRule(t, h.Store, ruleOf("ingest", 0, "one"))
	for range 2 {
		if h.Crash == nil {
			break
		}
		h.Crash(2)
		if _, err := h.Store.PutRule(t.Context(), ruleOf("ingest", 1, "crashed")); err == nil {
			t.Fatalf("a write that crashed succeeded")
		}
		h.Crash(2)
		if err := h.Store.DeleteRule(t.Context(), "ingest", 1, ana); err == nil {
			t.Fatalf("a deletion that crashed succeeded")
		}
		h.Crash(0)
	}
	same(t, "rules after the crashes", rulesIn(t, h.Store), []string{"ingest 1 one"})
	same(t, "history after the crashes", ruleVersions(t, h.Store, "ingest"), []string{"one"})
	deleteRule(t, h.Store, "ingest", 1)
	putRule(t, h.Store, ruleOf("ingest", 0, "again"))
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{"one", "deleted by " + ben, "again"})
}

func ruleSmallPages(t T, h Harness) {
	want := []string{}
	for i := range 9 {
		id := fmt.Sprint("rule", i)
		putRule(t, h.Store, ruleOf(id, 0, "test"))
		if i%3 == 0 {
			deleteRule(t, h.Store, id, 1) // a page may have nothing but deletions
			continue
		}
		want = append(want, id+" 1 test")
	}
	versions := []string{}
	for i := range 7 {
		versions = append(versions, fmt.Sprint(i))
		putRule(t, h.Store, ruleOf("a", int64(i), versions[i]))
	}
	want = append([]string{"a 7 6"}, want...)
	for size := 1; size <= 3; size++ {
		fault(h.PageSize, size)
		same(t, fmt.Sprintf("rules in pages of %d", size), rulesIn(t, h.Store), want)
		same(t, fmt.Sprintf("history in pages of %d", size), ruleVersions(t, h.Store, "a"), versions)
	}
}

func ruleNearTheLimit(t T, h Harness) {
	large := putRule(t, h.Store, ruleOf("ingest", 0, strings.Repeat("x", 350<<10)))
	large.Reason = strings.Repeat("x", 500<<10)
	_, err := h.Store.PutRule(t.Context(), large)
	wantErr(t, "putting 500 KB", err, drift.ErrTooLarge)
	wantErr(t, "deleting by 500 KB", h.Store.DeleteRule(t.Context(), "ingest", 1, large.Reason), drift.ErrTooLarge)
	if n := len(ruleVersions(t, h.Store, "ingest")); n != 1 {
		t.Errorf("%d versions, want 1", n)
	}
}

func rulesAreApart(t T, h Harness) {
	put(t, h.Store, ingest, "live", approvedBy(0, "one"))
	putRule(t, h.Store, ruleOf("rules", 0, "test"))
	putRule(t, h.Store, ruleOf("settings", 0, "test"))
	deleteRule(t, h.Store, "rules", 1)
	same(t, "subjects", subjectsOf(t, h.Store), []drift.Subject{ingest})
	if s, err := h.Store.Settings(t.Context()); err != nil || s != (drift.Settings{}) {
		t.Errorf("settings %+v, %v", s, err)
	}
	if b := get(t, h.Store, ingest); len(b.Rules) != 0 || len(b.Places) != 1 {
		t.Errorf("baseline %+v", b)
	}
	if get(t, h.Store, "rules").Known() {
		t.Errorf("the rules are a subject")
	}
}

func rulesThrottled(t T, h Harness) {
	fault(h.Throttle, 5)
	putRule(t, h.Store, ruleOf("ingest", 0, "one"))
	fault(h.Throttle, 5)
	same(t, "rules", rulesIn(t, h.Store), []string{"ingest 1 one"})
	fault(h.Throttle, 5)
	same(t, "history", ruleVersions(t, h.Store, "ingest"), []string{"one"})
	fault(h.Throttle, 5)
	deleteRule(t, h.Store, "ingest", 1)
	if h.Throttle == nil {
		return
	}
	h.Throttle(1000)
	_, err := h.Store.Rules(t.Context())
	wantErr(t, "reading rules of a store that always throttles", err, drift.ErrThrottled)
	h.Throttle(0)
}

func rulesEndedContext(t T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Store.Rules(ctx)
	wantErr(t, "reading", err, context.Canceled)
	_, err = h.Store.RuleHistory(ctx, "ingest")
	wantErr(t, "reading history", err, context.Canceled)
	_, err = h.Store.PutRule(ctx, ruleOf("ingest", 0, "one"))
	wantErr(t, "putting", err, context.Canceled)
	wantErr(t, "deleting", h.Store.DeleteRule(ctx, "ingest", 1, ana), context.Canceled)
	same(t, "rules", rulesIn(t, h.Store), []string{})
}

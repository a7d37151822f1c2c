package ledger

import (
	"fmt"
	"sync"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

func sweepTests() []ConformanceTest {
	return []ConformanceTest{
		{"a sweep counts to its end", sweepCounts},
		{"a sweep is started once", startedOnce},
		{"a subject is counted once in a sweep", countedOnce},
		{"concurrent shards are all counted", concurrentShards},
		{"a count whose answer got lost counts once", lostCount},
		{"an unknown sweep counts nothing", unknownSweep},
		{"a sweep and its marks are forgotten after 7 days", sweepsAreForgotten},
		{"the latest sweeps come first", latestFirst},
	}
}

func start(t T, s Store, id string, at time.Time) {
	t.Helper()
	if err := s.StartSweep(t.Context(), drift.SweepRun{ID: id, Kind: "full", Started: at}); err != nil {
		t.Fatalf("starting: %v", err)
	}
}

func add(t T, s Store, id string, n int) {
	t.Helper()
	if err := s.AddSweepSubjects(t.Context(), id, n); err != nil {
		t.Fatalf("adding: %v", err)
	}
}

func count(t T, s Store, id string, subject drift.Subject, outcome drift.ShardOutcome) {
	t.Helper()
	if err := s.CountShard(t.Context(), id, subject, outcome); err != nil {
		t.Fatalf("counting: %v", err)
	}
}

func finish(t T, s Store, id, problem string) {
	t.Helper()
	if err := s.FinishPlan(t.Context(), id, problem); err != nil {
		t.Fatalf("finishing: %v", err)
	}
}

func sweep(t T, s Store, id string) drift.SweepRun {
	t.Helper()
	r, err := s.Sweep(t.Context(), id)
	if err != nil {
		t.Fatalf("reading sweep: %v", err)
	}
	return r
}

// function is the i-th of some functions.
func function(i int) drift.Subject {
	return drift.FunctionSubject("", "eu-central-1", "111122223333", fmt.Sprint("f", i))
}

func sweepCounts(t T, h Harness) {
	want := drift.SweepRun{ID: "s1", Kind: "full", Started: noon.Add(123456789 * time.Nanosecond)}
	start(t, h.Store, "s1", want.Started)
	same(t, "a new sweep", sweep(t, h.Store, "s1"), want)
	add(t, h.Store, "s1", 2)
	count(t, h.Store, "s1", function(1), drift.ShardDrifted)
	add(t, h.Store, "s1", 1)
	count(t, h.Store, "s1", function(2), drift.ShardClean)
	want.Subjects, want.Done, want.Drifted = 3, 2, 1
	same(t, "a sweep under way", sweep(t, h.Store, "s1"), want)
	finish(t, h.Store, "s1", "")
	count(t, h.Store, "s1", function(3), drift.ShardUnknown)
	want.Planned, want.Done, want.Unknown = true, 3, 1
	got := sweep(t, h.Store, "s1")
	same(t, "a sweep at its end", got, want)
	if !got.Complete() || got.Clean() {
		t.Errorf("complete %v, clean %v", got.Complete(), got.Clean())
	}
	finish(t, h.Store, "s1", "eu-west-1: access denied")
	want.Problem = "eu-west-1: access denied"
	same(t, "a sweep with a problem", sweep(t, h.Store, "s1"), want)
}

func startedOnce(t T, h Harness) {
	h.loseAnswer(1, nil)
	start(t, h.Store, "s1", noon)
	add(t, h.Store, "s1", 5)
	err := h.Store.StartSweep(t.Context(), drift.SweepRun{ID: "s1", Kind: "full", Started: noon})
	wantErr(t, "starting again", err, drift.ErrConflict)
	if r := sweep(t, h.Store, "s1"); r.Subjects != 5 {
		t.Errorf("%d subjects, want 5", r.Subjects)
	}
}

func countedOnce(t T, h Harness) {
	start(t, h.Store, "s1", noon)
	start(t, h.Store, "s2", noon)
	for _, outcome := range []drift.ShardOutcome{drift.ShardDrifted, drift.ShardDrifted, drift.ShardClean, drift.ShardUnknown} {
		count(t, h.Store, "s1", ingest, outcome)
	}
	count(t, h.Store, "s2", ingest, drift.ShardClean)
	same(t, "the first sweep", sweep(t, h.Store, "s1"), drift.SweepRun{ID: "s1", Kind: "full", Started: noon, Done: 1, Drifted: 1})
	same(t, "the second sweep", sweep(t, h.Store, "s2"), drift.SweepRun{ID: "s2", Kind: "full", Started: noon, Done: 1})
}

func concurrentShards(t T, h Harness) {
	const workers, each = 6, 4
	start(t, h.Store, "s1", noon)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				for range 2 { // every message is delivered twice
					if err := h.Store.CountShard(t.Context(), "s1", function(w*each+i), drift.ShardUnknown); err != nil {
						t.Errorf("counting: %v", err)
					}
				}
				if err := h.Store.AddSweepSubjects(t.Context(), "s1", 2); err != nil {
					t.Errorf("adding: %v", err)
				}
			}
		})
	}
	group.Wait()
	want := drift.SweepRun{ID: "s1", Kind: "full", Started: noon, Subjects: 2 * workers * each, Done: workers * each, Unknown: workers * each}
	same(t, "sweep", sweep(t, h.Store, "s1"), want)
}

func lostCount(t T, h Harness) {
	start(t, h.Store, "s1", noon)
	h.loseAnswer(1, nil)
	add(t, h.Store, "s1", 3)
	h.loseAnswer(1, nil)
	count(t, h.Store, "s1", ingest, drift.ShardDrifted)
	h.loseAnswer(1, nil)
	finish(t, h.Store, "s1", "")
	want := drift.SweepRun{ID: "s1", Kind: "full", Started: noon, Planned: true, Subjects: 3, Done: 1, Drifted: 1}
	same(t, "sweep", sweep(t, h.Store, "s1"), want)
}

func unknownSweep(t T, h Harness) {
	ctx := t.Context()
	wantErr(t, "adding", h.Store.AddSweepSubjects(ctx, "s1", 1), drift.ErrNotFound)
	wantErr(t, "counting", h.Store.CountShard(ctx, "s1", ingest, drift.ShardClean), drift.ErrNotFound)
	wantErr(t, "finishing", h.Store.FinishPlan(ctx, "s1", ""), drift.ErrNotFound)
	start(t, h.Store, "s1", noon)
	if err := h.Store.CountShard(ctx, "s1", ingest, "spotless"); err == nil {
		t.Errorf("an unknown outcome was counted")
	}
	count(t, h.Store, "s1", ingest, drift.ShardClean) // the failed calls left no mark
	same(t, "sweep", sweep(t, h.Store, "s1"), drift.SweepRun{ID: "s1", Kind: "full", Started: noon, Done: 1})
}

func sweepsAreForgotten(t T, h Harness) {
	ctx := t.Context()
	h.SetNow(noon)
	start(t, h.Store, "s1", noon)
	count(t, h.Store, "s1", ingest, drift.ShardClean)
	h.SetNow(noon.Add(SweepsKept - time.Second))
	if r := sweep(t, h.Store, "s1"); r.Done != 1 {
		t.Errorf("%d done, want 1", r.Done)
	}
	h.SetNow(noon.Add(SweepsKept))
	_, err := h.Store.Sweep(ctx, "s1")
	wantErr(t, "reading", err, drift.ErrNotFound)
	wantErr(t, "adding", h.Store.AddSweepSubjects(ctx, "s1", 1), drift.ErrNotFound)
	wantErr(t, "counting", h.Store.CountShard(ctx, "s1", ingest, drift.ShardClean), drift.ErrNotFound)
	wantErr(t, "finishing", h.Store.FinishPlan(ctx, "s1", ""), drift.ErrNotFound)
	if r, err := h.Store.LastSweeps(ctx, 5); err != nil || len(r) != 0 {
		t.Errorf("sweeps: %v, %v", r, err)
	}
	start(t, h.Store, "s1", noon)
	count(t, h.Store, "s1", ingest, drift.ShardDrifted)
	same(t, "sweep", sweep(t, h.Store, "s1"), drift.SweepRun{ID: "s1", Kind: "full", Started: noon, Done: 1, Drifted: 1})
}

func latestFirst(t T, h Harness) {
	for i, id := range []string{"s2", "s1", "s4", "s3"} {
		start(t, h.Store, id, noon.Add(time.Duration(i)*time.Hour))
		count(t, h.Store, id, ingest, drift.ShardClean)
	}
	for limit, want := range [][]string{{}, {"s3"}, {"s3", "s4"}, {"s3", "s4", "s1"}, {"s3", "s4", "s1", "s2"}, {"s3", "s4", "s1", "s2"}} {
		runs, err := h.Store.LastSweeps(t.Context(), limit)
		if err != nil {
			t.Fatalf("listing: %v", err)
		}
		ids := []string{}
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		same(t, fmt.Sprint("the last ", limit), ids, want)
	}
}

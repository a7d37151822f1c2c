package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

func (w *world) list(n int) {
	w.listed = nil
	for i := range n {
		w.listed = append(w.listed, drift.FunctionSubject("", "us-east-1", "111122223333", fmt.Sprint("f", i)))
	}
}

// sweep is how far the only sweep got.
func (w *world) sweep() drift.SweepRun {
	w.t.Helper()
	runs, err := w.LastSweeps(w.t.Context(), 2)
	if err != nil || len(runs) != 1 {
		w.t.Fatalf("got %d sweeps, %v", len(runs), err)
	}
	return runs[0]
}

const request = `{"permdrift":"sweep","kind":"full"}`

func TestSweepIsPlannedAndWorkedOff(t *testing.T) {
	w := newWorld(t)
	w.list(423)
	w.listed = append(w.listed, orders)
	w.live = []string{public}
	if failed := w.deliver(1, request); failed != "" {
		t.Fatalf("%s failed", failed)
	}
	if run := w.sweep(); run.Subjects != 424 || !run.Planned || run.Complete() || run.Kind != "full" || run.Started != noon {
		t.Errorf("planned %+v", run)
	}
	shards := w.queued
	for _, shard := range shards {
		if failed := w.deliver(1, shard); failed != "" {
			t.Fatalf("%s failed", shard)
		}
	}
	run := w.sweep()
	if !run.Complete() || run.Clean() || run.Done != 424 || run.Drifted != 1 {
		t.Errorf("worked off %+v", run)
	}
	for _, shard := range shards[:10] { // SQS delivers at least once
		w.deliver(1, shard)
	}
	if again := w.sweep(); again != run {
		t.Errorf("counted again: %+v", again)
	}
}

func TestCleanSweep(t *testing.T) {
	w := newWorld(t)
	w.listed, w.live, w.approved = []drift.Subject{orders}, []string{own}, []string{own}
	w.deliver(1, request)
	w.deliver(1, w.queued...)
	if run := w.sweep(); !run.Clean() {
		t.Errorf("got %+v", run)
	}
}

func TestSweepOfNothing(t *testing.T) {
	w := newWorld(t)
	w.deliver(1, request)
	if run := w.sweep(); !run.Clean() || run.Subjects != 0 {
		t.Errorf("got %+v", run)
	}
}

// A listing that fails half-way: what was listed is audited, and the sweep is
// never complete, let alone clean.
func TestListingFailsHalfWay(t *testing.T) {
	w := newWorld(t)
	w.list(25)
	w.listErr = errOutage
	if failed := w.deliver(1, request); failed != "m0" {
		t.Errorf("failed %q", failed)
	}
	run := w.sweep()
	if run.Subjects != 25 || !strings.Contains(run.Problem, errOutage.Error()) {
		t.Errorf("planned %+v", run)
	}
	w.deliver(1, w.queued...)
	if run := w.sweep(); run.Done != 25 || run.Complete() || run.Clean() {
		t.Errorf("worked off %+v", run)
	}
}

func TestQueueFailsHalfWay(t *testing.T) {
	w := newWorld(t)
	w.list(25)
	n := 0
	w.onQueue = func([]string) error {
		if n++; n == 2 {
			return errOutage
		}
		return nil
	}
	if failed := w.deliver(1, request); failed != "m0" {
		t.Errorf("failed %q", failed)
	}
	if run := w.sweep(); run.Problem == "" || run.Complete() {
		t.Errorf("planned %+v", run)
	}
}

// brokenSweeps fails at one of its calls.
type brokenSweeps struct {
	Sweeps
	at string
}

func (b brokenSweeps) fail(at string) error {
	if b.at == at {
		return errOutage
	}
	return nil
}

func (b brokenSweeps) StartSweep(ctx context.Context, run drift.SweepRun) error {
	return errors.Join(b.fail("start"), b.Sweeps.StartSweep(ctx, run))
}

func (b brokenSweeps) AddSweepSubjects(ctx context.Context, id string, n int) error {
	return errors.Join(b.fail("add"), b.Sweeps.AddSweepSubjects(ctx, id, n))
}

func (b brokenSweeps) FinishPlan(ctx context.Context, id, problem string) error {
	return errors.Join(b.fail("finish"), b.Sweeps.FinishPlan(ctx, id, problem))
}

func (b brokenSweeps) CountShard(ctx context.Context, id string, s drift.Subject, o drift.ShardOutcome) error {
	if err := b.fail("count"); err != nil {
		return err
	}
	return b.Sweeps.CountShard(ctx, id, s, o)
}

func TestPlanNeedsTheLedger(t *testing.T) {
	for _, at := range []string{"start", "add", "finish"} {
		w := newWorld(t)
		w.list(300)
		w.handler.Sweeper.Sweeps = brokenSweeps{w.Bolt, at}
		if failed := w.deliver(1, request); failed != "m0" {
			t.Errorf("%s: the plan worked", at)
		}
	}
}

func TestShardIsCountedInTheEnd(t *testing.T) {
	w := newWorld(t)
	w.listed = []drift.Subject{orders}
	w.deliver(1, request)
	w.handler.Sweeper.Sweeps = brokenSweeps{w.Bolt, "count"}
	if failed := w.deliver(1, w.queued[0]); failed != "m0" {
		t.Error("an uncounted shard is done")
	}
	w.handler.Sweeper.Sweeps = w.Bolt
	w.deliver(2, w.queued[0])
	if run := w.sweep(); run.Done != 1 {
		t.Errorf("got %+v", run)
	}
}

func TestShardWithGapIsTriedThreeTimes(t *testing.T) {
	w := newWorld(t)
	w.listed = []drift.Subject{orders}
	w.deliver(1, request)
	w.gaps = []drift.Gap{{All: true, Reason: "ListAliases is throttled"}}
	for try := 1; try <= 2; try++ {
		if failed := w.deliver(try, w.queued[0]); failed != "m0" || w.delays["r0"] != time.Minute {
			t.Errorf("try %d: failed %q, comes back after %s", try, failed, w.delays["r0"])
		}
		w.wantAnnounced()
	}
	if failed := w.deliver(3, w.queued[0]); failed != "" {
		t.Error("the third try is not the last")
	}
	w.wantAnnounced("opened")
	if run := w.sweep(); !run.Complete() || run.Unknown != 1 || run.Clean() {
		t.Errorf("got %+v", run)
	}
}

// A shard that cannot be read at all is never counted, so that its sweep is
// never complete.
func TestShardThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.listed = []drift.Subject{orders}
	w.deliver(1, request)
	w.liveErr = errOutage
	for try := 1; try <= 5; try++ {
		if failed := w.deliver(try, w.queued[0]); failed != "m0" {
			t.Errorf("try %d worked", try)
		}
	}
	if w.sweep().Complete() {
		t.Error("the sweep is complete")
	}
}

func TestShardWithoutSweeper(t *testing.T) {
	w := newWorld(t)
	w.handler.Sweeper, w.live = nil, []string{public}
	body := fmt.Sprintf(`{"permdrift":"shard","sweep":"s","subject":%q}`, orders)
	if failed := w.deliver(1, body); failed != "" {
		t.Errorf("%s failed", failed)
	}
	w.wantAnnounced("opened public")
}

func TestShardOfForgottenSweep(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	if failed := w.deliver(1, fmt.Sprintf(`{"permdrift":"shard","sweep":"s","subject":%q}`, orders)); failed != "m0" {
		t.Error("counted in a sweep that there is not")
	}
	w.wantAnnounced("opened public")
}

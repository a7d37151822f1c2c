package audit

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// While a sweep is being worked off, no other is planned, however often one is
// asked for; three hours later one that never ended is given up.
func TestOneSweepAtATime(t *testing.T) {
	w := newWorld(t)
	plan := func() string {
		id, err := w.handler.Sweeper.Plan(t.Context(), w.at, fullSweep)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	start := func(id string, subjects int) {
		if err := w.StartSweep(t.Context(), drift.SweepRun{ID: id, Kind: "full", Started: w.at}); err != nil {
			t.Fatal(err)
		}
		if err := w.AddSweepSubjects(t.Context(), id, subjects); err != nil {
			t.Fatal(err)
		}
		if err := w.FinishPlan(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
	}
	running := sweepID(w.at, 1)
	start(running, 1)
	for range 3 {
		if id := plan(); id != running {
			t.Errorf("planned %s beside %s", id, running)
		}
	}
	w.at = w.at.Add(time.Hour)
	if id := plan(); id != running {
		t.Errorf("an hour later planned %s beside %s", id, running)
	}
	if err := w.CountShard(t.Context(), running, orders, drift.ShardClean); err != nil {
		t.Fatal(err)
	}
	if id := plan(); id == running || id == "" {
		t.Errorf("after the end of %s got %s", running, id)
	}
	w.at = w.at.Add(24 * time.Hour)
	stuck := sweepID(w.at, 1)
	start(stuck, 2)
	w.at = w.at.Add(sweepLookBack * sweepBucket)
	if id := plan(); id == stuck {
		t.Errorf("%s still holds up others", id)
	}
}

// Sweeps read functions, layers and roles: what a padded call of another service
// did, they do not show.
func TestOnlyWhatASweepShowsAsksForOne(t *testing.T) {
	for source, want := range map[string]bool{"": true, "lambda.amazonaws.com": true, "iam.amazonaws.com": true, "rolesanywhere.amazonaws.com": true, "sns.amazonaws.com": false} {
		if got := sweepable(drift.Change{Operation: drift.Unreadable, Event: drift.Event{Source: source}}); got != want {
			t.Errorf("%q: %v", source, got)
		}
	}
}

func TestRetriesWaitLongerAndLonger(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 30 * time.Second, 2: time.Minute, 5: 8 * time.Minute, 6: 15 * time.Minute, 100: 15 * time.Minute} {
		if got := retryAfter(n); got != want {
			t.Errorf("after try %d: %s, want %s", n, got, want)
		}
	}
}

// What an unreadable change did may not show yet: the sweep that looks for it is
// asked for, and the finding recorded, when it may.
func TestSweepForAnUnreadableChangeWaits(t *testing.T) {
	w := newWorld(t)
	change := drift.Change{
		Subject: drift.AccountSubject("", "111122223333"), Whole: true, Operation: drift.Unreadable, Problem: "omitted",
		Event: drift.Event{ID: "e1", Name: "PutRolePolicy", Source: "iam.amazonaws.com", Time: w.clock().Add(-5 * time.Second)},
	}
	_, err := w.handler.change(t.Context(), change, 1)
	if stale, ok := errors.AsType[*drift.StaleError](err); !ok || stale.After != 10*time.Second || len(w.queued) > 0 || len(w.announced) > 0 {
		t.Fatalf("at first: %v, %d requests, announced %q", err, len(w.queued), w.announced)
	}
	w.at = w.at.Add(10 * time.Second)
	if _, err := w.handler.change(t.Context(), change, 2); err != nil || len(w.queued) != 1 || len(w.announced) != 1 {
		t.Errorf("later: %v, %d requests, announced %q", err, len(w.queued), w.announced)
	}
	if _, err := w.handler.change(t.Context(), change, lastTry); err != nil || len(w.queued) != 1 {
		t.Errorf("once more: %v, %d requests", err, len(w.queued))
	}
}

// A sweep that began before a change may have read too early what the change did:
// the request for another comes back until that one has ended.
func TestSweepAfterAChangeIsNotTheOneBefore(t *testing.T) {
	w := newWorld(t)
	running := sweepID(w.at, 1)
	if err := w.StartSweep(t.Context(), drift.SweepRun{ID: running, Kind: "full", Started: w.at}); err != nil {
		t.Fatal(err)
	}
	if err := w.AddSweepSubjects(t.Context(), running, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.FinishPlan(t.Context(), running, ""); err != nil {
		t.Fatal(err)
	}
	request := Request{Permdrift: RequestSweep, Kind: "full", Since: w.at.Add(time.Minute)}
	w.at = w.at.Add(2 * time.Minute)
	if _, err := w.handler.sweep(t.Context(), request); err == nil {
		t.Error("the sweep before the change is taken for one after it")
	} else if _, ok := errors.AsType[*busyError](err); !ok {
		t.Fatal(err)
	}
	if err := w.CountShard(t.Context(), running, orders, drift.ShardClean); err != nil {
		t.Fatal(err)
	}
	if id, err := w.handler.sweep(t.Context(), request); err != nil || id == running {
		t.Errorf("after its end: %s, %v", id, err)
	}
}

// A padded call of IAM asks for every role, whatever sweeps read by default, and
// a sweep that reads fewer will not do.
func TestPaddedRoleChangeAsksForAllRoles(t *testing.T) {
	w := newWorld(t)
	all := &listing{subjects: []drift.Subject{"arn:aws:iam::111122223333:role/other"}}
	w.handler.Sweeper.AllRoles = all
	change := drift.Change{Subject: drift.AccountSubject("", "111122223333"), Operation: drift.Unreadable, Event: drift.Event{ID: "e1", Source: "iam.amazonaws.com", Time: w.at}}
	if err := w.handler.Sweeper.request(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	var request Request
	if err := json.Unmarshal([]byte(w.queued[0]), &request); err != nil || request.Kind != roleSweep {
		t.Fatalf("asked for %+v, %v", request, err)
	}
	full, err := w.handler.Sweeper.Plan(t.Context(), w.at, fullSweep)
	if err == nil {
		err = w.AddSweepSubjects(t.Context(), full, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.handler.sweep(t.Context(), request); err == nil {
		t.Error("a sweep of fewer roles was taken for it")
	}
	if err := w.CountShard(t.Context(), full, orders, drift.ShardClean); err != nil {
		t.Fatal(err)
	}
	if _, err := w.handler.sweep(t.Context(), request); err != nil || all.asked != 1 {
		t.Errorf("%v, and all roles were listed %d times", err, all.asked)
	}
}

// listing lists subjects, and counts how often.
type listing struct {
	subjects []drift.Subject
	asked    int
}

func (l *listing) Subjects(context.Context) iter.Seq2[drift.Subject, error] {
	l.asked++
	return func(yield func(drift.Subject, error) bool) {
		for _, s := range l.subjects {
			if !yield(s, nil) {
				return
			}
		}
	}
}

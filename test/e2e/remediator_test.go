package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// attacked is a function with an open grant whose alert is on its way to the
// remediator.
func (w *world) attacked(name string) (arn string, finding drift.Finding) {
	w.t.Helper()
	arn = w.function(name)
	w.feed(w.open(arn, "", "temp-debug"))
	w.events.expect(1, 0)
	w.oneMail(drift.Opened)
	return arn, w.oneFinding(arn, drift.Open)
}

// untouched wants the grant to be still there, and no call to have been made.
func (w *world) untouched(arn string) {
	w.t.Helper()
	w.wantSids(arn, "", "uploads", "temp-debug")
	if calls := append(w.answers("RemovePermission"), w.answers("PutResourcePolicy")...); len(calls) != 0 {
		w.t.Errorf("calls that narrow were made, with the answers %v", calls)
	}
	if intents := w.intents(w.t, arn); len(intents) != 0 {
		w.t.Errorf("the ledger has the intents %+v, want none", intents)
	}
}

func TestTheRemediatorDoesNothingUntilItIsToldTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	for _, mode := range []drift.Mode{"", drift.ModeOff, drift.ModeApprove} {
		if mode != "" {
			w.mode(mode)
		}
		arn, _ := w.attacked("orders" + string(mode))
		w.remediations.expect(1, 0)
		w.untouched(arn)
		w.noMail()
		w.oneFinding(arn, drift.Open)
	}
}

func TestInReportModeTheRemediatorSaysOnceWhatItWouldDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	w.mode(drift.ModeReport)
	arn, _ := w.attacked("orders")
	alerts, err := w.remediations.queue.receive(t.Context(), 1)
	must(t, "looking at the alert", err)
	w.remediations.queue.send(*alerts[0].Body, *alerts[0].Body)
	w.remediations.expect(2, 0)
	w.untouched(arn)
	m := w.oneMail(drift.Refused)
	if want := "aws lambda remove-permission --function-name " + arn + " --statement-id temp-debug"; !strings.Contains(m.Note, want) {
		t.Errorf("the announcement has the note %q, want the command %q", m.Note, want)
	}
	if row := w.oneFinding(arn, drift.Open); row.Refusal == "" {
		t.Error("the row does not say why nothing was done")
	}
}

func TestWhatWasApprovedAfterTheAlertStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	w.mode(drift.ModeEnforce)
	arn, _ := w.attacked("orders")
	w.approve(arn, drift.Unqualified)
	w.remediations.expect(1, 0)
	w.untouched(arn)
	w.noMail()
}

func TestWhatWasGoneBeforeTheRemediatorCameIsSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	w.mode(drift.ModeEnforce)
	arn, _ := w.attacked("orders")
	removed := w.remove(arn, "temp-debug")
	w.aws.ForgetCalls()
	w.remediations.expect(1, 0)
	if calls := w.answers("RemovePermission"); len(calls) != 0 {
		t.Errorf("RemovePermission was called with the answers %v", calls)
	}
	w.noMail()
	w.feed(removed)
	w.events.expect(1, 0)
	w.oneMail(drift.Closed)
	w.oneFinding(arn, drift.Resolved)
}

// before makes something happen once, between the remediator's reading and its
// call.
func (w *world) before(operation string, happens func()) {
	var once sync.Once
	w.aws.Configure(func(o *localaws.Options) {
		o.OnCall = func(c localaws.Call) {
			if c.Operation == operation {
				once.Do(happens)
			}
		}
	})
}

func TestAPolicyThatChangedUnderTheRemediatorIsDecidedUponAnew(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		happens  func(w *world, arn string)
		answers  []int
		sids     []string
		statuses []drift.IntentStatus
	}{
		{"another statement came", func(w *world, arn string) {
			w.aws.SetPolicy(arn, "", document(uploads(arn), public(arn, "temp-debug"), public(arn, "second")))
		}, []int{412, 204, 204}, []string{"uploads"}, []drift.IntentStatus{drift.Abandoned, drift.Done, drift.Done}},
		{"its Sid was given to something approved", func(w *world, arn string) {
			w.aws.SetPolicy(arn, "", document(strings.Replace(uploads(arn), "uploads", "temp-debug", 1)))
		}, []int{412}, []string{"temp-debug"}, []drift.IntentStatus{drift.Abandoned}},
		{"the statement went", func(w *world, arn string) {
			w.aws.SetPolicy(arn, "", document(uploads(arn)))
		}, []int{404}, []string{"uploads"}, []drift.IntentStatus{drift.Gone}},
		{"the policy went", func(w *world, arn string) {
			w.aws.SetPolicy(arn, "", "")
		}, []int{404}, nil, []drift.IntentStatus{drift.Gone}},
		{"the function went", func(w *world, arn string) {
			w.aws.DeleteFunction(arn)
		}, []int{404}, nil, []drift.IntentStatus{drift.Gone}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
			w.mode(drift.ModeEnforce)
			arn, _ := w.attacked("orders")
			w.before("RemovePermission", func() { row.happens(w, arn) })
			w.remediations.expect(1, 0)
			if calls := w.answers("RemovePermission"); !slices.Equal(calls, row.answers) {
				t.Errorf("RemovePermission was answered %v, want %v", calls, row.answers)
			}
			w.wantSids(arn, "", row.sids...)
			var statuses []drift.IntentStatus
			for _, i := range w.intents(t, arn) {
				statuses = append(statuses, i.Status)
			}
			if !slices.Equal(statuses, row.statuses) {
				t.Errorf("the intents are %v, want %v", statuses, row.statuses)
			}
			if slices.Contains(row.statuses, drift.Done) {
				w.oneMail(drift.RemovedByUs)
			} else {
				w.noMail()
			}
		})
	}
}

func TestAForgedAlertRemovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	w.mode(drift.ModeEnforce)
	arn, finding := w.attacked("orders")
	genuine := w.remediations.queue.take()
	victim := w.function("payments")
	approved := w.policy(victim, "").Statements[0]
	id := drift.FindingID(drift.Subject(victim), "", string(drift.PolicyWidened)+":"+string(policy.Allow)+":"+approved.Key())

	forge := func(changes map[string]any) {
		var message map[string]any
		must(t, "reading the alert", json.Unmarshal([]byte(*genuine[0].Body), &message))
		maps.Copy(message, changes)
		body, err := json.Marshal(message)
		must(t, "writing a forged alert", err)
		w.remediations.queue.send(string(body))
	}
	forge(map[string]any{"id": "0123456789abcdef0123"}) // no such finding
	forge(map[string]any{"subject": victim})            // a finding of another function
	forge(map[string]any{"id": id, "subject": victim})  // what would be the finding of an approved statement
	forge(map[string]any{"id": id, "subject": victim, "sids": []string{"uploads"}, "remediate": "aws lambda remove-permission", "statement": json.RawMessage(uploads(victim))})
	w.remediations.expect(4, 0)
	w.untouched(arn)
	w.wantSids(victim, "", "uploads")
	w.noMail()

	// A row whose statement is approved: the ledger alone is not believed either.
	row := finding
	row.ID, row.Subject, row.Statement, row.Sids, row.Version = id, drift.Subject(victim), &approved, []string{"uploads"}, 0
	_, err := w.ledger.Save(t.Context(), row)
	must(t, "writing a row", err)
	forge(map[string]any{"id": id, "subject": victim})
	w.remediations.expect(1, 0)
	w.wantSids(victim, "", "uploads")
	w.noMail()

	// The message is believed in nothing but the finding: its Sid and place are lies.
	forge(map[string]any{"sids": []string{"uploads"}, "qualifier": "live", "statement": json.RawMessage(uploads(arn))})
	w.remediations.expect(1, 0)
	w.wantSids(arn, "", "uploads")
	w.oneMail(drift.RemovedByUs)

	w.remediations.queue.send("this is no alert")
	w.remediations.expect(1, 1)
}

func TestARemediationThatFailsIsTriedAgainAndThenDeadLettered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	w.mode(drift.ModeEnforce)
	arn, _ := w.attacked("orders")
	w.aws.Fail("RemovePermission", 1, "InvalidParameterValueException")
	w.remediations.expect(1, 1)
	w.oneMail(drift.Refused)
	w.wantSids(arn, "", "uploads", "temp-debug")
	must(t, "letting it come back", w.remediations.hurry(t.Context()))
	await(t, "the message is worked off", func() bool {
		w.remediations.drain()
		return w.remediations.queue.empty()
	})
	w.wantSids(arn, "", "uploads")
	w.oneMail(drift.RemovedByUs)

	w.take()
	other, _ := w.attacked("payments")
	w.aws.Fail("RemovePermission", 1000, "AccessDeniedException")
	await(t, "the alert is in the dead-letter queue", func() bool {
		w.remediations.drain()
		must(t, "hurrying", w.remediations.hurry(t.Context()))
		visible, _ := w.remediations.queue.dead.count()
		return visible == 1
	})
	w.oneMail(drift.Refused)
	w.wantSids(other, "", "uploads", "temp-debug")
	for _, i := range w.intents(t, other) {
		if i.Status != drift.Failed {
			t.Errorf("an intent of %s is %s, want failed", other, i.Status)
		}
	}
}

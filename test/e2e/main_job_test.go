package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
	"github.com/permdrift/permdrift/pkg/remediation"
)

func TestAPublicGrantIsAnnouncedAndTakenAway(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, qualifier string
		enveloped       bool
	}{
		{"unqualified, raw delivery", "", false},
		{"on an alias, in SNS's envelope", "live", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{enveloped: row.enveloped, aws: localaws.Options{JSONPolicies: true}})
			arn := w.aliased("orders", "live")
			w.mode(drift.ModeEnforce)
			w.mainJob(arn, row.qualifier)
		})
	}
}

// mainJob is the seed's story: a grant to everybody, its alert, its removal.
func (w *world) mainJob(arn, qualifier string) {
	w.t.Helper()
	other := map[string]string{"": "live", "live": ""}[qualifier]
	before := w.aws.Policy(arn, qualifier)
	w.feed(w.open(arn, qualifier, "temp-debug"))
	attacked := w.aws.Policy(arn, qualifier)
	w.events.expect(1, 0)
	w.wantAlert(w.oneMail(drift.Opened), arn, qualifier)

	var logged []drift.Intent
	w.aws.Configure(func(o *localaws.Options) {
		o.OnCall = func(c localaws.Call) {
			if c.Operation == "RemovePermission" {
				logged = w.intents(w.t, arn)
			}
		}
	})
	w.remediations.expect(1, 0)
	if last := len(logged) - 1; last < 0 || logged[last].Status != drift.Planned || logged[last].PreImage != attacked {
		w.t.Errorf("when the call came the ledger had %+v, want a planned intent with the policy of before", logged)
	}
	if got := w.aws.Policy(arn, qualifier); got != before {
		w.t.Errorf("the policy is\n%s\nwant that of before the grant\n%s", got, before)
	}
	w.wantSids(arn, other, "uploads")
	w.wantRemediated(w.oneMail(drift.RemovedByUs), arn, qualifier)

	removal := w.last()
	if !strings.Contains(string(removal), `"RemovePermission20150331v2"`) || !strings.Contains(string(removal), remediatorARN) {
		w.t.Errorf("the remediator's call has the record %s", removal)
	}
	w.feed(removal)
	w.events.expect(1, 0)
	w.remediations.expect(0, 0)
	w.noMail()
	w.oneFinding(arn, drift.Remediated)
	w.undo(arn, qualifier, attacked)
}

// wantAlert compares what the security team and filter policies get.
func (w *world) wantAlert(m mail, arn, qualifier string) {
	w.t.Helper()
	row := w.oneFinding(arn, drift.Open)
	for key, want := range map[string]any{
		"version": "1", "id": row.ID, "kind": "policy-widened", "severity": "critical", "exposure": "public",
		"account": account, "region": region, "subject": arn, "status": "open", "transition": "opened", "certain": true,
		"approve": "permdrift baseline approve " + row.ID + " --store dynamodb:" + w.name("baseline") + "," + w.name("ledger"),
	} {
		if m.json[key] != want {
			w.t.Errorf("the alert has %s %v, want %v", key, m.json[key], want)
		}
	}
	if got, _ := m.json["qualifier"].(string); got != qualifier {
		w.t.Errorf("the alert has qualifier %q, want %q", got, qualifier)
	}
	if m.Actor.ARN != malloryARN || m.Actor.SourceIP == "" || m.Event.ID == "" || m.Statement.Sid != "temp-debug" {
		w.t.Errorf("the alert has actor %+v, event %+v, statement %s", m.Actor, m.Event, m.Statement)
	}
	if !strings.Contains(m.Remediate, "aws lambda remove-permission") || m.Witness == nil || m.subject == "" {
		w.t.Errorf("the alert %q has the command %q and the witness %v", m.subject, m.Remediate, m.Witness)
	}
	for name, want := range map[string]string{
		"severity": "critical", "kind": "policy-widened", "exposure": string(policy.Public),
		"account": account, "region": region, "transition": "opened", "findingId": row.ID,
	} {
		if m.attributes[name] != want {
			w.t.Errorf("the alert has the attribute %s %q, want %q", name, m.attributes[name], want)
		}
	}
}

func (w *world) wantRemediated(m mail, arn, qualifier string) {
	w.t.Helper()
	intents := w.intents(w.t, arn)
	done := intents[len(intents)-1]
	if done.Status != drift.Done || string(done.Place) != qualifier || done.RevisionID == "" {
		w.t.Errorf("the ledger has %+v, want the last to be done, at %q, on a revision", intents, qualifier)
	}
	o := w.settings.aws // two revisions, and the one of GetResourcePolicy is tried first
	want := 1
	if o.JSONPolicies && o.SharedRevisions {
		want = 2
	}
	if len(intents) != want || want == 2 && intents[0].Status != drift.Abandoned {
		w.t.Errorf("the ledger has %+v, want %d intents", intents, want)
	}
	if !strings.HasPrefix(m.Undo, "aws lambda add-permission --function-name "+arn) || !strings.Contains(m.Undo, "--statement-id temp-debug") ||
		strings.Contains(m.Undo, "--qualifier live") != (qualifier == "live") {
		w.t.Errorf("the announcement has the undo command %q", m.Undo)
	}
	if m.attributes["transition"] != "remediated" || m.Status != drift.Remediated {
		w.t.Errorf("the announcement has the attributes %v and the status %s", m.attributes, m.Status)
	}
}

// undo does, with a person's credentials, what the announcement says.
func (w *world) undo(arn, qualifier, want string) {
	w.t.Helper()
	intents := w.intents(w.t, arn)
	must(w.t, "undoing", remediation.Undo(w.t.Context(), w.mallory, intents[len(intents)-1]))
	if got := w.aws.Policy(arn, qualifier); got != want {
		w.t.Errorf("undone, the policy is\n%s\nwant\n%s", got, want)
	}
}

func TestARedeliveredEventChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	arn := w.function("orders")
	w.mode(drift.ModeEnforce)
	record := w.open(arn, "", "temp-debug")
	w.feed(record)
	w.events.expect(1, 0)
	opened := w.oneMail(drift.Opened)
	for range 3 {
		w.feed(record)
		w.events.expect(1, 0)
	}
	w.noMail()
	if row := w.oneFinding(arn, drift.Open); row.Count != 1 {
		t.Errorf("the finding was seen %d times, want once", row.Count)
	}

	message, err := w.remediations.queue.receive(t.Context(), 1)
	must(t, "looking at the alert", err)
	for range 3 {
		w.remediations.queue.send(*message[0].Body)
	}
	w.remediations.expect(3, 0)
	w.remediations.returned = message
	must(t, "letting the first one come back", w.remediations.hurry(t.Context()))
	w.remediations.expect(1, 0)
	if removed := w.oneMail(drift.RemovedByUs); removed.ID != opened.ID {
		t.Errorf("finding %s was announced and %s remediated", opened.ID, removed.ID)
	}
	w.wantSids(arn, "", "uploads")
	if calls := w.answers("RemovePermission"); !slices.Equal(calls, []int{204}) {
		t.Errorf("RemovePermission was called with the answers %v, want one call", calls)
	}

	w.feed(record, record, record) // after the removal
	await(t, "the redelivered events are worked off", func() bool {
		w.events.drain()
		return w.events.queue.empty()
	})
	w.noMail()
	w.oneFinding(arn, drift.Remediated)
	w.wantSids(arn, "", "uploads")
}

func TestCopiesInOneBatchMakeOneAlert(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	arn := w.function("orders")
	record := w.open(arn, "", "temp-debug")
	w.feed(record, record, record, record)
	await(t, "all four are worked off", func() bool {
		w.events.drain()
		must(t, "hurrying", w.events.hurry(t.Context()))
		return w.events.queue.empty()
	})
	w.oneMail(drift.Opened)
	w.oneFinding(arn, drift.Open)
}

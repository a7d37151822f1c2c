package e2e_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// unseen are the combinations of what nobody has seen yet (design D10).
func unseen(json bool) []localaws.Options {
	var all []localaws.Options
	both := []bool{false, true}
	if !json { // the two that are about JSON policies alone change nothing
		for _, shared := range both {
			for _, keeps := range both {
				all = append(all, localaws.Options{SharedRevisions: shared, PermissionKeepsRevision: keeps})
			}
		}
		return all
	}
	for _, shows := range both {
		for _, changes := range both {
			for _, o := range unseen(false) {
				o.JSONPolicies, o.GetPolicyShowsJSON, o.PutChangesRevision = true, shows, changes
				all = append(all, o)
			}
		}
	}
	return all
}

func combination(o localaws.Options) string {
	letter := func(b bool, name string) string {
		if b {
			return name
		}
		return "-"
	}
	return fmt.Sprintf("%s %s %s %s %s", letter(o.JSONPolicies, "JSONPolicies"), letter(o.GetPolicyShowsJSON, "GetPolicyShowsJSON"),
		letter(o.PutChangesRevision, "PutChangesRevision"), letter(o.SharedRevisions, "SharedRevisions"), letter(o.PermissionKeepsRevision, "PermissionKeepsRevision"))
}

// set sets the switches and leaves the hooks as they are.
func (w *world) set(s localaws.Options) {
	w.settings.aws = s
	w.aws.Configure(func(o *localaws.Options) {
		o.JSONPolicies, o.GetPolicyShowsJSON, o.PutChangesRevision = s.JSONPolicies, s.GetPolicyShowsJSON, s.PutChangesRevision
		o.SharedRevisions, o.PermissionKeepsRevision, o.OnCall = s.SharedRevisions, s.PermissionKeepsRevision, nil
	})
}

// put replaces a policy, as mallory, and puts the record on the events queue.
func (w *world) put(arn, document string) {
	w.t.Helper()
	_, err := w.mallory.PutResourcePolicy(w.t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: &arn, Policy: &document})
	must(w.t, "putting the policy of "+arn, err)
	w.feed(w.last())
}

func TestTheMainJobIsDoneWhateverAWSDoesThatNobodyHasSeen(t *testing.T) {
	t.Parallel()
	for _, json := range []bool{false, true} {
		t.Run(fmt.Sprintf("JSONPolicies %v", json), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: json}})
			w.mode(drift.ModeEnforce)
			combinations := unseen(json)
			for i, o := range combinations {
				t.Run(combination(o), func(t *testing.T) {
					w.t = t
					w.set(o)
					w.mainJob(w.aliased(fmt.Sprintf("orders%d", i), "live"), "live")
					w.take()
					if !json {
						return
					}
					w.removesWithoutSid(fmt.Sprintf("payments%d", i))
					w.removesFromJSON(fmt.Sprintf("pricing%d", i))
					w.reportsLostDeny(fmt.Sprintf("ingest%d", i))
				})
			}
			w.t = t
			t.Logf("%d combinations", len(combinations))
		})
	}
}

// removesWithoutSid wants a statement of a JSON policy that has no Sid to be
// taken out, and the others to stay, Deny and all.
func (w *world) removesWithoutSid(name string) {
	w.t.Helper()
	arn := w.aws.AddFunction(account, region, name)
	w.aws.SetPolicy(arn, "", document(uploads(arn), denied(arn)))
	w.approve(arn, drift.Unqualified)
	before := w.policy(arn, "")
	w.put(arn, document(uploads(arn), public(arn, ""), denied(arn)))
	w.events.expect(1, 0)
	if m := w.oneMail(drift.Opened); m.Kind != drift.PolicyWidened || m.Statement.Effect != policy.Allow || m.Remediate != "" {
		w.t.Errorf("the alert is %+v", m.Message)
	}
	w.remediations.expect(1, 0)
	w.oneMail(drift.RemovedByUs)
	if got := w.policy(arn, ""); !got.Equal(before) {
		w.t.Errorf("the policy is %s, want %s", got, before)
	}
	w.oneFinding(arn, drift.Remediated)
	w.feed(w.take()...)
	w.events.expect(1, 0)
	w.noMail()
}

// removesFromJSON wants a statement of a JSON policy that has a Sid to be
// taken out.
func (w *world) removesFromJSON(name string) {
	w.t.Helper()
	arn := w.aws.AddFunction(account, region, name)
	w.aws.SetPolicy(arn, "", document(uploads(arn), denied(arn)))
	w.approve(arn, drift.Unqualified)
	w.put(arn, document(uploads(arn), denied(arn), public(arn, "temp-debug")))
	w.events.expect(1, 0)
	w.oneMail(drift.Opened)
	w.remediations.expect(1, 0)
	w.oneMail(drift.RemovedByUs)
	w.wantSids(arn, "", "uploads", "onlyOurs")
	w.oneFinding(arn, drift.Remediated)
	w.take()
}

// reportsLostDeny wants a Deny that is gone to be reported, and not to be put
// back by the function.
func (w *world) reportsLostDeny(name string) {
	w.t.Helper()
	arn := w.aws.AddFunction(account, region, name)
	w.aws.SetPolicy(arn, "", document(uploads(arn), denied(arn)))
	w.approve(arn, drift.Unqualified)
	w.put(arn, document(uploads(arn)))
	w.events.expect(1, 0)
	m := w.oneMail(drift.Opened)
	if m.Kind != drift.PolicyWidened || m.Statement == nil || m.Statement.Effect != policy.Deny || m.Severity.Rank() < drift.Medium.Rank() {
		w.t.Errorf("the alert is %+v", m.Message)
	}
	w.remediations.expect(1, 0)
	w.oneMail(drift.Refused)
	w.wantSids(arn, "", "uploads")
	w.oneFinding(arn, drift.Open)
}

func denied(arn string) string {
	return `{"Sid":"onlyOurs","Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + arn +
		`","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}}`
}

func TestTheOnlyStatementOfAJSONPolicyIsTakenAwayThoughItHasNoSid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	w.mode(drift.ModeEnforce)
	arn := w.aws.AddFunction(account, region, "orders")
	w.put(arn, document(public(arn, "")))
	w.events.expect(1, 0)
	w.oneMail(drift.Opened)
	w.remediations.expect(1, 0)
	w.oneMail(drift.RemovedByUs)
	if got := w.aws.Policy(arn, ""); got != "" {
		t.Errorf("the policy is %s, want none", got)
	}
}

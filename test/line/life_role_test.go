package line_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

const (
	ordersRole  = rolePrefix + "orders"
	strangersIn = "trust-widened critical external orders:trust"
)

// A finding about who may become a role is opened, resolved once and reopened,
// and says everything that somebody needs who gets it.
func TestTrustFindingLives(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, trust("orders", trustLambda, trustForeign))
	m := w.wantNext("opened " + strangersIn)[0]
	if m.Statement == nil || m.Witness == nil || !slices.Equal(m.Functions, []drift.Subject{ordersARN}) || m.Event.Name != "UpdateAssumeRolePolicy" {
		t.Errorf("the message has the statement %v, the witness %v, the functions %v, the event %q", m.Statement, m.Witness, m.Functions, m.Event.Name)
	}
	if want := `aws iam update-assume-role-policy --role-name orders --policy-document '` + strings.ReplaceAll(rights(trustLambda), " ", "") + `'`; m.Remediate != want {
		t.Errorf("taken back by %s\nwant %s", m.Remediate, want)
	}

	w.run(owner, describe("orders", "takes orders", 7200))
	w.sweep()
	w.wantNext()
	w.run(owner, trust("orders", trustLambda))
	closed := w.wantNext("resolved " + strangersIn)[0]
	if closed.ID != m.ID || !strings.Contains(closed.Note, owner.caller.ARN) {
		t.Errorf("resolved is %s: %q", closed.ID, closed.Note)
	}
	w.sweep()
	w.run(mallory, trust("orders", strings.Replace(trustForeign, "{", `{"Sid":"partner",`, 1), trustLambda))
	if back := w.wantNext("reopened " + strangersIn)[0]; back.ID != m.ID {
		t.Errorf("the same grant under a Sid is %s, not %s", back.ID, m.ID)
	}
}

// What a role may do more is told with the policy that allows it, what it comes
// to and how to take it away; the narrower policy resolves it.
func TestRightsFindingLives(t *testing.T) {
	w := newWorld(t)
	w.begin(createPolicy("tools", writeRoles))
	w.run(mallory, attach("role/orders", policyARN+"tools"))
	m := w.wantNext("opened permissions-widened critical orders:identity")[0]
	if m.Policy != policyARN+"tools" || len(m.Escalations) != 1 || m.Escalations[0].Method != "put-role-policy" {
		t.Errorf("the policy is %q, the escalations are %v", m.Policy, m.Escalations)
	}
	if want := "aws iam detach-role-policy --role-name orders --policy-arn " + policyARN + "tools"; m.Remediate != want {
		t.Errorf("taken back by %q", m.Remediate)
	}
	w.run(owner, detach("role/orders", policyARN+"tools"))
	if closed := w.wantNext("resolved permissions-widened critical orders:identity")[0]; !strings.Contains(closed.Note, "DetachRolePolicy") {
		t.Errorf("resolved says %q", closed.Note)
	}
	w.run(mallory, inline("role/orders", "rights", readBucket, writeRoles))
	w.wantNext("reopened permissions-widened critical orders:identity")
	w.run(owner, inline("role/orders", "rights", readBucket))
	if closed := w.wantNext("resolved permissions-widened critical orders:identity")[0]; !strings.Contains(closed.Note, "PutRolePolicy") {
		t.Errorf("resolved says %q", closed.Note)
	}
}

// A version that is not the default is nothing, until it is made the default.
func TestVersionIsToldWhenItIsInForce(t *testing.T) {
	w := newWorld(t)
	w.begin(createPolicy("base", logging), attach("role/orders", policyARN+"base"), attach("role/ingest", policyARN+"base"))
	w.run(mallory, newVersion("base", false, anything))
	w.sweep()
	w.wantNext()
	w.run(mallory, setDefault("base", "v2"))
	w.wantNext("opened permissions-widened critical orders:identity", "opened permissions-widened critical ingest:identity")
	w.run(owner, setDefault("base", "v1"))
	w.wantNext("resolved permissions-widened critical orders:identity", "resolved permissions-widened critical ingest:identity")
}

// An administrator inside a boundary is told as one who sleeps, and as one who
// woke when the boundary goes.
func TestAdministratorWakesWhenTheBoundaryGoes(t *testing.T) {
	w := newWorld(t)
	w.begin(createPolicy("edge", readBucket), bound("role/orders", policyARN+"edge"))
	w.run(mallory, attach("role/orders", adminARN))
	m := w.wantNext("opened permissions-widened informational orders:identity")[0]
	if !strings.Contains(m.Reason, "boundary stands before it") {
		t.Errorf("the reason is %q", m.Reason)
	}
	w.run(mallory, unbound("role/orders"))
	messages := w.wantNext("reopened permissions-widened critical orders:identity", "opened boundary-removed medium orders:boundary")
	if back := one(t, messages, drift.Reopened); back.ID != m.ID || !strings.Contains(back.Reason, "administrator") {
		t.Errorf("what woke is %s: %s", back.ID, back.Reason)
	}
	gone := one(t, messages, drift.Opened)
	if want := "aws iam put-role-permissions-boundary --role-name orders --permissions-boundary " + policyARN + "edge"; gone.Remediate != want {
		t.Errorf("restored by %q", gone.Remediate)
	}
	w.run(owner, bound("role/orders", policyARN+"edge"), detach("role/orders", adminARN))
	w.sweep()
	w.wantNext("resolved boundary-removed medium orders:boundary", "resolved permissions-widened critical orders:identity")
}

// A right that was given in two halves is told when the second comes, of both.
func TestHalvesOfARightAreToldTogether(t *testing.T) {
	w := newWorld(t)
	w.begin(createPolicy("make", makeFunctions))
	w.run(mallory, attach("role/orders", policyARN+"make"))
	m := w.wantNext("opened permissions-widened medium orders:identity")[0]
	w.run(mallory, inline("role/orders", "pass", strings.Replace(passAny, `"*"`, `"arn:aws:iam::111122223333:role/admin"`, 1)))
	messages := w.wantNext("opened permissions-widened high orders:identity", "reopened permissions-widened high orders:identity")
	for _, n := range messages {
		if !strings.Contains(n.Reason, "as a role that it passes to a new function") {
			t.Errorf("%s says %s", n.Transition, n.Reason)
		}
	}
	if back := one(t, messages, drift.Reopened); back.ID != m.ID {
		t.Errorf("reopened is %s, not %s", back.ID, m.ID)
	}
}

// An approval of a role's statement makes it silent, and its end a finding again.
func TestApprovalOfATrustEnds(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, trust("orders", trustLambda, trustForeign))
	m := w.wantNext("opened " + strangersIn)[0]
	if m.Approve != "permdrift baseline approve "+m.ID {
		t.Errorf("approved by %q", m.Approve)
	}
	until := w.clock().Add(24 * time.Hour)
	w.approve(ordersRole, drift.Trust, drift.Approval{Statement: *m.Statement, By: "bob", Reason: "a trial", At: w.clock(), Expires: until})
	w.forge(drift.Approve(w.row(m.ID), w.clock())) // as the command line does
	w.run(owner, trust("orders", trustForeign, trustLambda))
	w.sweep()
	w.wantNext()
	w.wantOpen(0)
	w.tick(24 * time.Hour)
	w.sweep()
	if back := w.wantNext("reopened " + strangersIn)[0]; !strings.Contains(back.Reason, "the approval of bob ended on "+until.Format(time.DateOnly)) {
		t.Errorf("the reason does not say whose approval ended: %s", back.Reason)
	}
}

// That a role has no boundary any more can be approved; then a boundary that
// comes back is nothing either.
func TestMissingBoundaryIsApproved(t *testing.T) {
	w := newWorld(t)
	w.begin(bounded("orders")...)
	w.run(mallory, unbound("role/orders"))
	m := w.wantNext("opened boundary-removed medium orders:boundary")[0]
	b, err := w.baselines.Get(t.Context(), drift.Subject(ordersRole))
	must(t, "reading a baseline", err)
	_, err = w.baselines.Put(t.Context(), drift.Subject(ordersRole), drift.Boundary, drift.Approved{Version: b.Places[drift.Boundary].Version})
	must(t, "writing a baseline", err)
	w.forge(drift.Approve(w.row(m.ID), w.clock()))
	w.sweep()
	w.wantNext()
	w.wantOpen(0)
}

// A suppressed finding of a role is silent until its time is over.
func TestSuppressionOfARoleEnds(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, attach("role/orders", adminARN))
	m := w.wantNext("opened permissions-widened critical orders:identity")[0]
	now := w.clock()
	w.forge(drift.Suppress(w.row(m.ID), drift.Suppression{By: "alice", Reason: "known", At: now, Until: now.Add(time.Hour)}).Finding)
	w.sweep()
	w.wantNext("suppressed permissions-widened critical orders:identity")
	w.run(mallory, inline("role/orders", "again", anything)) // the same in another policy
	w.wantNext()
	w.tick(time.Hour)
	w.sweep()
	w.wantNext("reopened permissions-widened critical orders:identity")
}

// A role that is deleted resolves what was found of it, and is an outage of the
// functions that run as it; made again as approved, that is over.
func TestDeletedRoleIsAnOutage(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, trust("orders", trustLambda, trustForeign), attach("role/orders", adminARN))
	w.wantNext("opened "+strangersIn, "opened permissions-widened critical orders:identity")
	w.run(mallory, uninline("role/orders", "rights"), detach("role/orders", adminARN), deleteRole("orders"))
	messages := w.wantNext("resolved "+strangersIn, "resolved permissions-widened critical orders:identity",
		"opened trust-narrowed high nobody orders:trust", "opened permissions-narrowed low orders:identity")
	for _, m := range messages {
		if m.Kind == drift.TrustNarrowed && (!strings.Contains(m.Reason, "Lambda cannot run the functions") || !slices.Equal(m.Functions, []drift.Subject{ordersARN})) {
			t.Errorf("the outage says %q of %v", m.Reason, m.Functions)
		}
	}
	w.run(owner, createRole("orders", trustLambda), inline("role/orders", "rights", readBucket))
	w.wantNext("resolved trust-narrowed high nobody orders:trust", "resolved permissions-narrowed low orders:identity")
}

// A role that Lambda cannot become any more, and one that another service can.
func TestRoleForAnotherServiceIsTold(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(owner, trust("orders", trustEC2))
	w.wantNext("opened trust-widened low internal orders:trust", "opened trust-narrowed high nobody orders:trust")
}

// A statement of a trust policy that is swapped for another under its Sid is a
// new finding, linked to the one before.
func TestSwappedTrustIsReplaced(t *testing.T) {
	w := newWorld(t)
	w.begin()
	named := func(statement string) string { return strings.Replace(statement, "{", `{"Sid":"partner",`, 1) }
	w.run(mallory, trust("orders", trustLambda, named(trustForeign)))
	before := w.wantNext("opened " + strangersIn)[0]
	w.run(mallory, trust("orders", trustLambda, named(trustAnybody)))
	messages := w.wantNext("replaced trust-widened critical public orders:trust", "resolved "+strangersIn)
	if m := one(t, messages, drift.Replaced); m.Replaces != before.ID {
		t.Errorf("it replaces %q, not %s", m.Replaces, before.ID)
	}
}

// What AWS changes in a policy of its own the sweep finds, and that it is as before.
func TestPolicyOfAWSChanges(t *testing.T) {
	w := newWorld(t)
	w.begin(attach("role/orders", basicARN))
	w.do(owner, changedByAWS(basicARN, logging, invokeAll))
	w.wantNext()
	w.sweep()
	m := w.wantNext("opened permissions-widened medium orders:identity")[0]
	if m.Policy != basicARN || m.Actor.ARN != "" {
		t.Errorf("the policy is %q, the actor %q", m.Policy, m.Actor.ARN)
	}
	w.do(owner, changedByAWS(basicARN, logging))
	w.sweep()
	w.wantNext("resolved permissions-widened medium orders:identity")
}

// That a role which functions run as is deleted the sweep finds, where its event
// is lost.
func TestLostDeletionOfARoleIsFound(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.do(mallory, uninline("role/orders", "rights"), deleteRole("orders"))
	w.sweep()
	w.wantNext("opened trust-narrowed high nobody orders:trust", "opened permissions-narrowed low orders:identity")
}

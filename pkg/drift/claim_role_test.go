package drift

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

const basePolicy = "arn:aws:iam::111122223333:policy/base"

// came is a change that put a document of one statement somewhere; empty: none.
func came(t testing.TB, operation Operation, place Place, text string, detail map[string]string) Change {
	c := Change{Subject: deployRole, Operation: operation, Place: place, Detail: detail, Event: Event{ID: "e1", Name: "Call", Time: noon}}
	if text != "" {
		p := parse(t, text)
		c.Policy = &p
	}
	return c
}

// What a role was for a moment is told, though no state shows it any more.
func TestRolesThatCameAndWent(t *testing.T) {
	base := documents{trust: []string{byLambda}, identity: []string{logging, reading}}
	within := documents{base.trust, []string{everything}, []string{limit}}
	live, bounded := roleState(t, base), roleState(t, within)
	bounded.Policies[Boundary] = PlacePolicy{Policy: parse(t, limit), RevisionID: "v1"}
	limited := map[string]string{"permissionsBoundary": "arn:aws:iam::111122223333:policy/limit"}
	attached := roleState(t, base)
	attached.Role.Policies[1] = RolePolicy{ARN: basePolicy, VersionID: "v1", Statements: 1}
	gone := State{Subject: deployRole, Whole: true}
	x, admin, other := map[string]string{"policyName": "x"}, map[string]string{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, map[string]string{"policyArn": basePolicy, "versionId": "v2"}
	edge := map[string]string{"policyArn": "arn:aws:iam::111122223333:policy/limit", "versionId": "v2"}
	const transient = "permissions-widened critical  at identity []"
	for _, c := range []struct {
		name     string
		change   Change
		state    State
		approved documents
		want     []string
	}{
		{"trust", came(t, PutPolicy, Trust, byStranger, nil), live, base, []string{"trust-widened critical external at trust []"}},
		{"a new role that is gone", came(t, CreateSubject, Trust, byStranger, nil), gone, documents{}, []string{"trust-widened critical external at trust []"}},
		{"a new role's first trust", came(t, CreateSubject, Trust, byStranger, nil), live, base, []string{"trust-widened critical external at trust []"}},
		{"a new role's trust that stands", came(t, CreateSubject, Trust, byLambda, nil), live, base, nil},
		{"inline", came(t, PutIdentityPolicy, Identity, everything, x), live, base, []string{transient}},
		{"inline, a part of what is approved", came(t, PutIdentityPolicy, Identity, logging, x), live, base, nil},
		{"administrator", came(t, PutIdentityPolicy, Identity, "", admin), live, base, []string{transient}},
		{"a policy that nobody knows", came(t, PutIdentityPolicy, Identity, "", other), live, base, []string{"permissions-widened medium  at identity []"}},
		{"a version", came(t, PutManagedPolicy, Identity, everything, other), attached, base, []string{transient}},
		{"a version that nobody knows", came(t, PutManagedPolicy, Identity, "", other), attached, base, []string{"permissions-widened medium  at identity []"}},
		{"a version of the boundary", came(t, PutManagedPolicy, Identity, everything, edge), bounded, within, []string{"boundary-removed critical  at boundary []"}},
		{"no boundary", came(t, RemoveBoundary, Boundary, "", nil), bounded, within, []string{"boundary-removed critical  at boundary []"}},
		{"a boundary that is none", came(t, PutBoundary, Boundary, "", map[string]string{"permissionsBoundary": admin["policyArn"]}), bounded, within, []string{"boundary-removed critical  at boundary []"}},
		{"a boundary that nobody knows", came(t, PutBoundary, Boundary, "", map[string]string{"permissionsBoundary": basePolicy}), bounded, within, []string{"boundary-removed medium  at boundary []"}},
		{"a boundary where none is approved", came(t, PutBoundary, Boundary, "", map[string]string{"permissionsBoundary": basePolicy}), live, base, nil},
		{"the approved boundary, which is gone", came(t, PutBoundary, Boundary, "", limited), live, within, nil},
		{"the boundary that stands", came(t, PutBoundary, Boundary, "", limited), bounded, within, nil},
	} {
		found := TransientFindings(c.change, c.state, roleBaseline(t, c.approved), nil, here)
		if got := briefs(found); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		for _, f := range found {
			if f.Status != Transient || f.Reason == "" {
				t.Errorf("%s: %s, %q", c.name, f.Status, f.Reason)
			}
		}
	}
}

// A policy that is gone is told under its own name, how long it stood, and
// whatever the other policies of the role are.
func TestPolicyThatWentKeepsItsName(t *testing.T) {
	live := roleState(t, documents{[]string{byLambda}, []string{logging, reading, butIAM}, nil})
	live.Role.Policies = []RolePolicy{{Name: "rights", Statements: 3}}
	change := came(t, PutIdentityPolicy, Identity, everything, map[string]string{"policyName": "x"})
	removal, ok := RemovalOf(Change{
		Subject: deployRole, Operation: RemoveIdentityPolicy, Place: Identity, Detail: map[string]string{"policyName": "x"},
		Event: Event{ID: "e2", Name: "DeleteRolePolicy", Time: noon.Add(3 * time.Second)}, Actor: Actor{ARN: "arn:aws:iam::111122223333:user/mallory"},
	}, live)
	other := removal
	other.Sid = "inline policy rights"
	found := TransientFindings(change, live, roleBaseline(t, documents{[]string{byLambda}, []string{logging, reading, butIAM}, nil}), []Removal{other, removal}, here)
	if !ok || len(found) != 1 {
		t.Fatalf("found %q, removal %v", briefs(found), removal)
	}
	if f := found[0]; f.Policy != "inline policy x" || !strings.Contains(f.Reason, "it stood for 3s, until arn:aws:iam::111122223333:user/mallory") {
		t.Errorf("the policy is %q: %s", f.Policy, f.Reason)
	}
}

// A trust policy that stands took away what stood before it; one that does not
// stand took nothing.
func TestTrustThatStandsIsARemoval(t *testing.T) {
	live := roleState(t, documents{[]string{byLambda}, nil, nil})
	if r, ok := RemovalOf(came(t, PutPolicy, Trust, byLambda, nil), live); !ok || r.Place != Trust {
		t.Errorf("got %+v", r)
	}
	if r, ok := RemovalOf(came(t, PutPolicy, Trust, byStranger, nil), live); ok {
		t.Errorf("a trust policy that does not stand: %+v", r)
	}
}

// A state from before a new version of the boundary is stale, and what a group
// has is not what a user was given.
func TestReflectsTheBoundarysVersionAndTheUsersOwn(t *testing.T) {
	s := roleState(t, documents{[]string{byLambda}, []string{logging}, []string{limit}})
	s.Policies[Boundary] = PlacePolicy{Policy: parse(t, limit), RevisionID: "v1"}
	for version, want := range map[string]bool{"v1": true, "v2": false} {
		change := came(t, PutManagedPolicy, Identity, "", map[string]string{"policyArn": "arn:aws:iam::111122223333:policy/limit", "versionId": version})
		if got := Reflects(s, change); got != want {
			t.Errorf("version %s: %v", version, got)
		}
	}
	const ann = Subject("arn:aws:iam::111122223333:user/ann")
	user := State{Subject: ann, Whole: true, Policies: map[Place]PlacePolicy{Identity: {Policy: policy.Policy{Statements: parse(t, logging).Statements}}, Boundary: {}}}
	user.Role = &RoleState{ARN: string(ann), Groups: []string{"staff"}, Policies: []RolePolicy{{ARN: basePolicy, Group: "staff", VersionID: "v1", Statements: 1}}}
	for operation, want := range map[Operation]bool{PutIdentityPolicy: false, RemoveIdentityPolicy: true, PutManagedPolicy: false} {
		change := came(t, operation, Identity, "", map[string]string{"policyArn": basePolicy})
		if operation == PutManagedPolicy {
			change.Detail["versionId"] = "v2"
		}
		change.Subject = ann
		if got := Reflects(user, change); got != want {
			t.Errorf("%s: %v", operation, got)
		}
	}
}

// Who resolved a finding of a role is told whichever call it was: a policy is
// also narrowed by putting another in its place.
func TestWhoNarrowedARoleIsTold(t *testing.T) {
	live, approved := roleState(t, documents{[]string{byLambda}, []string{logging}, nil}), roleBaseline(t, documents{[]string{byLambda}, []string{logging}, nil})
	wide := roleState(t, documents{[]string{byLambda}, []string{logging, everything}, nil})
	rows := Compare(Change{Subject: deployRole}, wide, approved, here)
	change := came(t, PutIdentityPolicy, Identity, logging, map[string]string{"policyName": "p0"})
	change.Actor.ARN = "arn:aws:iam::111122223333:user/alice"
	transitions := Reconcile(change, rows, Compare(change, live, approved, here), live, here)
	if len(transitions) != 1 || transitions[0].Kind != Closed || !strings.Contains(transitions[0].Finding.Pending[0].Note, "by arn:aws:iam::111122223333:user/alice (Call)") {
		t.Errorf("got %+v", transitions)
	}
}

// A state from before a user joined a group, or got another name, is stale.
func TestReflectsMembersAndNames(t *testing.T) {
	const bea = Subject("arn:aws:iam::111122223333:user/bea")
	in := func(groups ...string) State {
		return State{Subject: bea, Whole: true, Policies: map[Place]PlacePolicy{Identity: {}, Boundary: {}}, Role: &RoleState{ARN: string(bea), Groups: groups}}
	}
	for _, c := range []struct {
		call, group string
		state       State
		want        bool
	}{
		{"AddUserToGroup", "staff", in("staff"), true},
		{"AddUserToGroup", "staff", in("other"), false},
		{"RemoveUserFromGroup", "staff", in("staff"), false},
		{"RemoveUserFromGroup", "staff", in(), true},
		{"RemoveUserFromGroup", "staff", State{Subject: bea, Whole: true}, true},
		{"UpdateUser", "", in(), true},
		{"UpdateUser", "", State{Subject: bea, Whole: true}, false},
	} {
		change := Change{Subject: bea, Operation: Configure, Detail: map[string]string{"groupName": c.group}, Event: Event{Name: c.call}}
		if got := Reflects(c.state, change); got != c.want {
			t.Errorf("%s: %v", c.call, got)
		}
	}
}

package drift

import (
	"strings"
	"testing"
)

// A boundary that is gone can be approved from its finding, and set again. One
// that allows something else can only be captured: the finding does not have it.
func TestCommandsOfABoundary(t *testing.T) {
	other := func(arn string) func(*RoleState) { return func(r *RoleState) { r.BoundaryARN = arn } }
	const limitARN, newARN = "arn:aws:iam::111122223333:policy/limit", "arn:aws:iam::111122223333:policy/new"
	wide := []string{limit, `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`}
	narrow := []string{strings.Replace(limit, `,"s3:*"`, "", 1)}
	all := documents{[]string{byLambda}, []string{everything}, nil}
	for _, c := range []struct {
		name          string
		live, before  []string
		change        func(*RoleState)
		approve       bool
		config, remed string
	}{
		{"gone", nil, []string{limit}, other(""), true, "", "aws iam put-role-permissions-boundary --role-name orders --permissions-boundary " + limitARN},
		{"wider, a new version", wide, []string{limit}, other(limitARN), false, limitARN, ""},
		{"wider, another policy", wide, []string{limit}, other(newARN), false, newARN, "aws iam put-role-permissions-boundary --role-name orders --permissions-boundary " + limitARN},
		{"narrower, another policy", narrow, []string{limit}, other(newARN), false, newARN, "aws iam put-role-permissions-boundary --role-name orders --permissions-boundary " + limitARN},
		{"there was none", narrow, nil, other(newARN), false, newARN, "aws iam delete-role-permissions-boundary --role-name orders"},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := roleState(t, documents{all.trust, all.identity, c.live})
			c.change(state.Role)
			found := Compare(Change{Subject: deployRole}, state, roleBaseline(t, documents{all.trust, all.identity, c.before}), here)
			if len(found) != 1 {
				t.Fatalf("found %q", briefs(found))
			}
			f, config := found[0], ""
			if f.Config != nil {
				config = f.Config.Boundary
			}
			if config != c.config || f.Remediate != c.remed || (f.Approve != "") != c.approve {
				t.Errorf("%s: boundary %q, remediate %q, approve %q", brief(f), config, f.Remediate, f.Approve)
			}
		})
	}
}

func TestAddedKnowsRoles(t *testing.T) {
	statements := parse(t, logging, noIAM).Statements
	allow, deny := statements[0], statements[1]
	for kind, wider := range map[FindingKind]bool{PolicyWidened: true, LayerShared: true, TrustWidened: true, PermissionsWidened: true, PolicyNarrowed: false, TrustNarrowed: false, PermissionsNarrowed: false} {
		if got := (Finding{Kind: kind, Statement: &allow}).Added(); got != wider {
			t.Errorf("%s, Allow: %v", kind, got)
		}
		if got := (Finding{Kind: kind, Statement: &deny}).Added(); got == wider {
			t.Errorf("%s, Deny: %v", kind, got)
		}
	}
}

// A role that was handed to others is told of once, and a person can take note of it.
func TestHandedRoleIsAboutACall(t *testing.T) {
	change := Change{Subject: deployRole, Operation: ShareRole, Detail: map[string]string{"profileArn": "x"}, Event: Event{ID: "e1", Name: "CreateProfile"}}
	found := Noted(change, State{}, Baseline{}, here)
	if len(found) != 1 || !found[0].AboutCall() {
		t.Errorf("got %+v", found)
	}
	wide := Compare(Change{Subject: deployRole, Event: change.Event}, roleState(t, documents{trust: []string{byStranger}}), Baseline{}, here)
	if len(wide) != 1 || wide[0].AboutCall() {
		t.Errorf("got %q", briefs(wide))
	}
}

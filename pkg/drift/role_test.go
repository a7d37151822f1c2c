package drift

import (
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/policy"
)

const deployRole = Subject("arn:aws:iam::111122223333:role/orders")

// The statements of the role tests.
const (
	byLambda   = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`
	byEC2      = `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
	byStranger = `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`
	byAnybody  = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`
	byOwn      = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}`

	logging    = `{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}`
	reading    = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*"}`
	everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	butIAM     = `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`
	noIAM      = `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`
	limit      = `{"Effect":"Allow","Action":["logs:*","s3:*"],"Resource":"*"}`
)

// documents are a role's trust, identity and boundary statements.
type documents struct{ trust, identity, boundary []string }

func roleState(t testing.TB, d documents) State {
	s := State{Subject: deployRole, Whole: true, ReadAt: noon, Policies: map[Place]PlacePolicy{
		Trust: {Policy: parse(t, d.trust...)}, Identity: {Policy: parse(t, d.identity...)}, Boundary: {},
	}}
	s.Role = &RoleState{ARN: "arn:aws:iam::111122223333:role/team/orders"}
	for i := range d.identity {
		s.Role.Policies = append(s.Role.Policies, RolePolicy{Name: "p" + string(rune('0'+i)), Statements: 1})
	}
	if d.boundary != nil {
		s.Role.BoundaryARN = "arn:aws:iam::111122223333:policy/limit"
		s.Policies[Boundary] = PlacePolicy{Policy: parse(t, d.boundary...)}
	}
	return s
}

func roleBaseline(t testing.TB, d documents) Baseline {
	b := Baseline{Subject: deployRole, Places: map[Place]Approved{}}
	for place, texts := range map[Place][]string{Trust: d.trust, Identity: d.identity, Boundary: d.boundary} {
		a := baseline(t, place, texts...).Places[place]
		if place == Boundary && texts != nil {
			a.Approvals = append(a.Approvals, Approval{Config: &Config{Boundary: "arn:aws:iam::111122223333:policy/limit"}})
		}
		b.Places[place] = a
	}
	return b
}

func TestCompareRoleDocuments(t *testing.T) {
	base := documents{trust: []string{byLambda}, identity: []string{logging, reading}}
	limited := documents{base.trust, base.identity, []string{limit}}
	for _, c := range []struct {
		name           string
		live, approved documents
		want           []string
	}{
		{"as approved", base, base, nil},
		{"in another order", documents{base.trust, []string{reading, logging}, nil}, base, nil},
		{"trust to a foreign root", documents{[]string{byLambda, byStranger}, base.identity, nil}, base, []string{"trust-widened critical external at trust []"}},
		{"trust to anybody over TLS", documents{[]string{byLambda, byAnybody}, base.identity, nil}, base, []string{"trust-widened critical public at trust []"}},
		{"trust to the own account", documents{[]string{byLambda, byOwn}, base.identity, nil}, base, []string{"trust-widened low internal at trust []"}},
		{"trust to another service", documents{[]string{byLambda, byEC2}, base.identity, nil}, base, []string{"trust-widened low internal at trust []"}},
		{"Lambda cannot become it", documents{[]string{byEC2}, base.identity, nil}, base, []string{"trust-widened low internal at trust []", "trust-narrowed medium nobody at trust []"}},
		{"administrator", documents{base.trust, []string{logging, reading, everything}, nil}, base, []string{"permissions-widened critical  at identity []"}},
		{"everything but IAM", documents{base.trust, []string{logging, reading, butIAM}, nil}, base, []string{"permissions-widened low  at identity []"}},
		{"a part of what is approved", documents{base.trust, []string{logging, reading, strings.Replace(logging, `,"logs:PutLogEvents"`, "", 1)}, nil}, base, nil},
		{"a right gone", documents{base.trust, []string{logging}, nil}, base, []string{"permissions-narrowed low  at identity []"}},
		{"a Deny gone", documents{base.trust, []string{everything}, nil}, documents{base.trust, []string{everything, noIAM}, nil}, []string{"permissions-widened critical  at identity []"}},
		{"widened, and outside the boundary", documents{base.trust, []string{logging, reading, noIAM, `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}`}, []string{limit}}, documents{base.trust, []string{logging, reading, noIAM}, []string{limit}}, []string{"permissions-widened informational  at identity []"}},
		{"boundary as approved", limited, limited, nil},
		{"boundary gone, and it took nothing away", base, limited, []string{"boundary-removed medium  at boundary []"}},
		{"boundary gone from an administrator", documents{base.trust, []string{everything}, nil}, documents{base.trust, []string{everything}, []string{limit}}, []string{"boundary-removed critical  at boundary []"}},
		{"boundary wider", documents{base.trust, []string{everything}, []string{limit, `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`}}, documents{base.trust, []string{everything}, []string{limit}}, []string{"boundary-removed medium  at boundary []"}},
		{"boundary narrower", documents{base.trust, base.identity, []string{strings.Replace(limit, `,"s3:*"`, "", 1)}}, limited, []string{"permissions-narrowed low  at boundary []"}},
		{"boundary new", limited, base, nil},
		{"unknown", base, documents{}, []string{"permissions-widened low  at identity []", "permissions-widened low  at identity []", "trust-widened low internal at trust []"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Compare(Change{Subject: deployRole}, roleState(t, c.live), roleBaseline(t, c.approved), here)
			got := briefs(found)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
				for _, f := range found {
					t.Log(f.Reason)
				}
			}
		})
	}
}

func TestRoleCommands(t *testing.T) {
	base := documents{trust: []string{byLambda}, identity: []string{logging}}
	wide := roleState(t, documents{[]string{byLambda, byStranger}, []string{logging, everything}, nil})
	wide.Role.Policies[1] = RolePolicy{ARN: "arn:aws:iam::aws:policy/AdministratorAccess", Statements: 1}
	wide.Functions = []Subject{orders}
	found := Compare(Change{Subject: deployRole}, wide, roleBaseline(t, base), here)
	if len(found) != 2 {
		t.Fatalf("found %q", briefs(found))
	}
	want := map[FindingKind]string{
		TrustWidened:       `aws iam update-assume-role-policy --role-name orders --policy-document '{"Version":"2012-10-17","Statement":[` + byLambda + `]}'`,
		PermissionsWidened: "aws iam detach-role-policy --role-name orders --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
	}
	for _, f := range found {
		if f.Remediate != want[f.Kind] {
			t.Errorf("%s: %s\nwant %s", f.Kind, f.Remediate, want[f.Kind])
		}
		if !strings.Contains(f.Reason, "the function orders runs as the role") || len(f.Functions) != 1 {
			t.Errorf("%s: %q", f.Kind, f.Reason)
		}
	}
	gone := Compare(Change{Subject: deployRole}, roleState(t, base), roleBaseline(t, documents{base.trust, base.identity, []string{limit}}), here)
	if want := "aws iam put-role-permissions-boundary --role-name orders --permissions-boundary arn:aws:iam::111122223333:policy/limit"; len(gone) != 1 || gone[0].Remediate != want {
		t.Errorf("got %+v", gone)
	}
}

// What several statements come to only together is told of each of them, and of
// no other.
func TestReachTogether(t *testing.T) {
	c := here
	c.Reach = func(r Rights, _ string) (list []Escalation) {
		has := func(action string) bool {
			return policy.NewAccess(policy.Policy{}, r.Policy, policy.Options{Type: policy.IdentityPolicy}).New &&
				slices.ContainsFunc(r.Policy.Statements, func(s policy.Statement) bool { return slices.Contains(s.Action, action) })
		}
		if has("iam:PassRole") && has("lambda:CreateFunction") {
			list = append(list, Escalation{"pass-role", High, "can run code as other roles"})
		}
		if has("kinesis:*") {
			list = append(list, Escalation{"streams", Medium, "can read every stream"})
		}
		return list
	}
	allow := func(action string) string { return `{"Effect":"Allow","Action":"` + action + `","Resource":"*"}` }
	found := Compare(Change{}, roleState(t, documents{[]string{byLambda}, []string{allow("iam:PassRole"), allow("lambda:CreateFunction"), allow("kinesis:*")}, nil}),
		roleBaseline(t, documents{trust: []string{byLambda}}), c)
	if len(found) != 3 {
		t.Fatalf("found %q", briefs(found))
	}
	for _, f := range found {
		streams, want := strings.Contains(f.Statement.String(), "kinesis"), High
		if streams {
			want = Medium // it is no part of the other
		}
		if f.Severity != want || strings.Contains(f.Reason, "can run code as other roles") == streams || strings.Contains(f.Reason, "every stream") != streams {
			t.Errorf("%s: %s", f.Severity, f.Reason)
		}
	}
}

// Where any one of several statements could be spared, it is told of all.
func TestReachTogetherWithSpares(t *testing.T) {
	c := here
	c.Reach = func(r Rights, _ string) []Escalation {
		has := func(action string) bool {
			return slices.ContainsFunc(r.Policy.Statements, func(s policy.Statement) bool { return slices.Contains(s.Action, action) })
		}
		if !has("iam:PassRole") || !has("lambda:CreateFunction") {
			return nil
		}
		return []Escalation{{"pass-role", High, "can run code as other roles"}}
	}
	allow := func(action, resource string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
	}
	spares := []string{
		allow("iam:PassRole", "arn:aws:iam::111122223333:role/a*"), allow("iam:PassRole", "arn:aws:iam::111122223333:role/b*"),
		allow("lambda:CreateFunction", "arn:aws:lambda:*:111122223333:function:a*"), allow("lambda:CreateFunction", "arn:aws:lambda:*:111122223333:function:b*"),
	}
	for n, want := range map[int]int{4: 4, 3: 1} {
		told := 0
		for _, f := range Compare(Change{}, roleState(t, documents{[]string{byLambda}, spares[:n], nil}), roleBaseline(t, documents{trust: []string{byLambda}}), c) {
			told += len(f.Escalations)
		}
		if told != want {
			t.Errorf("of %d statements, %d are told of it, not %d", n, told, want)
		}
	}
}

func TestUsersCountByFunctionsAlone(t *testing.T) {
	ana := Subject("arn:aws:iam::111122223333:user/ana")
	s := State{Subject: ana, Whole: true, Role: &RoleState{ARN: string(ana)}}
	for text, want := range map[string]int{reading: 0, everything: 1, `{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}`: 1} {
		s.Policies = map[Place]PlacePolicy{Identity: {Policy: parse(t, text)}}
		found := Compare(Change{Subject: ana}, s, Baseline{}, here)
		if len(found) != want {
			t.Errorf("%s: %q", text, briefs(found))
		}
		for _, f := range found {
			if f.Severity != Informational || f.Kind != PermissionsWidened {
				t.Errorf("%s: %s", text, brief(f))
			}
		}
	}
}

func TestRebuildRole(t *testing.T) {
	event := func(id string) Event { return Event{ID: id, Name: "X", Time: noon} }
	trust, inline := parse(t, byLambda), parse(t, reading)
	s := Rebuild(State{}, Change{Subject: deployRole, Place: Trust, Whole: true, Operation: CreateSubject, Policy: &trust, Event: event("1")})
	s = Rebuild(s, Change{Subject: deployRole, Place: Identity, Operation: PutIdentityPolicy, Policy: &inline, Detail: map[string]string{"policyName": "data"}, Event: event("2")})
	s = Rebuild(s, Change{Subject: deployRole, Place: Identity, Operation: PutIdentityPolicy, Detail: map[string]string{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, Event: event("3")})
	if len(s.Policies[Identity].Policy.Statements) != 2 || len(s.Gaps) != 0 || s.Role == nil || len(s.Policies[Trust].Policy.Statements) != 1 {
		t.Fatalf("got %+v", s)
	}
	after := Rebuild(s, Change{Subject: deployRole, Place: Identity, Operation: RemoveIdentityPolicy, Detail: map[string]string{"policyName": "data"}, Event: event("4")})
	if got := after.Policies[Identity].Policy.Statements; len(got) != 1 || got[0].Action[0] != "*" || len(s.Policies[Identity].Policy.Statements) != 2 {
		t.Errorf("got %+v", got)
	}
	gone := Rebuild(after, Change{Subject: deployRole, Whole: true, Operation: DeleteSubject, Event: event("5")})
	if gone.Role != nil || !gone.Covers(Trust) || len(gone.Policies) != 0 {
		t.Errorf("got %+v", gone)
	}
	late := Rebuild(gone, Change{Subject: deployRole, Place: Identity, Operation: RemoveIdentityPolicy, Detail: map[string]string{"policyName": "data"}, Event: event("6")})
	if len(late.Policies[Identity].Policy.Statements) != 0 || len(late.Gaps) != 1 {
		t.Errorf("got %+v", late)
	}
	for name, ch := range map[string]Change{
		"an attached policy":     {Place: Identity, Operation: PutIdentityPolicy, Detail: map[string]string{"policyArn": "arn:aws:iam::111122223333:policy/x"}},
		"a policy never seen":    {Place: Identity, Operation: RemoveIdentityPolicy, Detail: map[string]string{"policyName": "x"}},
		"a boundary":             {Place: Boundary, Operation: PutBoundary, Detail: map[string]string{"permissionsBoundary": "arn:aws:iam::111122223333:policy/x"}},
		"an outcome not known":   {Place: Trust, Operation: PutPolicy, Policy: &trust, OutcomeUnknown: true},
		"a trust that is broken": {Place: Trust, Operation: PutPolicy, Problem: "line 1"},
	} {
		ch.Subject, ch.Event = deployRole, event("7")
		if got := Rebuild(s, ch); len(got.Gaps) != 1 {
			t.Errorf("%s: gaps %+v", name, got.Gaps)
		}
	}
}

func TestReflectsRole(t *testing.T) {
	s := roleState(t, documents{[]string{byLambda}, []string{logging}, nil})
	s.Role.Policies[0] = RolePolicy{ARN: "arn:aws:iam::111122223333:policy/x", VersionID: "v2", Statements: 1}
	trust, other := parse(t, byLambda), parse(t, byStranger)
	detail := func(pairs ...string) map[string]string { return map[string]string{pairs[0]: pairs[1]} }
	managed := func(version string) map[string]string {
		return map[string]string{"policyArn": "arn:aws:iam::111122223333:policy/x", "versionId": version}
	}
	for _, c := range []struct {
		change Change
		want   bool
	}{
		{Change{Place: Trust, Operation: PutPolicy, Policy: &trust}, true},
		{Change{Place: Trust, Operation: PutPolicy, Policy: &other}, false},
		{Change{Place: Identity, Operation: PutIdentityPolicy, Detail: detail("policyArn", "arn:aws:iam::111122223333:policy/x")}, true},
		{Change{Place: Identity, Operation: PutIdentityPolicy, Detail: detail("policyName", "new")}, false},
		{Change{Place: Identity, Operation: RemoveIdentityPolicy, Detail: detail("policyArn", "arn:aws:iam::111122223333:policy/x")}, false},
		{Change{Place: Identity, Operation: RemoveIdentityPolicy, Detail: detail("policyName", "new")}, true},
		{Change{Place: Identity, Operation: PutManagedPolicy, Detail: managed("v2")}, true},
		{Change{Place: Identity, Operation: PutManagedPolicy, Detail: managed("v3")}, false},
		{Change{Place: Boundary, Operation: PutBoundary, Detail: detail("permissionsBoundary", "arn:aws:iam::111122223333:policy/limit")}, false},
		{Change{Place: Boundary, Operation: RemoveBoundary}, true},
		{Change{Operation: DeleteSubject, Whole: true}, false},
		{Change{Place: Trust, Operation: CreateSubject, Whole: true}, true},
	} {
		c.change.Subject = deployRole
		if got := Reflects(s, c.change); got != c.want {
			t.Errorf("%s at %s %v: got %v", c.change.Operation, c.change.Place, c.change.Detail, got)
		}
	}
}

func TestHandedRoles(t *testing.T) {
	known := roleBaseline(t, documents{trust: []string{byLambda}})
	profile := Change{Subject: deployRole, Operation: ShareRole, Detail: map[string]string{"profileArn": "x"}, Event: Event{ID: "e1", Name: "CreateProfile"}}
	instance := Change{Subject: deployRole, Operation: ShareRole, Detail: map[string]string{"instanceProfileName": "web"}, Event: Event{ID: "e2", Name: "AddRoleToInstanceProfile"}}
	provider := Change{Subject: deployRole, Operation: PutProvider, Place: Trust, Detail: map[string]string{"provider": "arn:aws:iam::111122223333:oidc-provider/x"}, Event: Event{ID: "e3", Name: "AddClientIDToOpenIDConnectProvider"}}
	perhaps := profile
	perhaps.OutcomeUnknown = true
	removed := instance
	removed.Event.Name = "RemoveRoleFromInstanceProfile"
	runs := roleState(t, documents{})
	runs.Functions = []Subject{orders}
	for _, c := range []struct {
		name     string
		change   Change
		state    State
		baseline Baseline
		want     []string
	}{
		{"a profile of a known role", profile, State{}, known, []string{"trust-widened high external at trust []"}},
		{"a profile of an unknown role", profile, State{}, Baseline{}, []string{"trust-widened medium external at trust []"}},
		{"a profile, perhaps", perhaps, State{}, known, []string{"trust-widened high external at trust []"}},
		{"an instance profile", instance, State{}, known, []string{"trust-widened informational internal at trust []"}},
		{"an instance profile of a role of functions", instance, runs, known, []string{"trust-widened medium internal at trust []"}},
		{"a provider's client", provider, State{}, known, []string{"trust-widened high external at trust []"}},
		{"taken out of the instance profile", removed, State{}, known, nil},
	} {
		if got := briefs(Noted(c.change, c.state, c.baseline, here)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A role that is deleted takes its trust with it: an outage where functions run
// as it, and no boundary that is gone.
func TestDeletedRoleIsAnOutage(t *testing.T) {
	b := roleBaseline(t, documents{[]string{byLambda}, []string{logging}, []string{limit}})
	s := State{Subject: deployRole, Whole: true, Functions: []Subject{orders}}
	got := briefs(Compare(Change{Subject: deployRole}, s, b, here))
	if want := []string{"permissions-narrowed low  at identity []", "trust-narrowed high nobody at trust []"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Behind a boundary that could not be read, wider rights are told and not certain.
func TestUnreadBoundary(t *testing.T) {
	s := roleState(t, documents{[]string{byLambda}, []string{logging, everything}, nil})
	delete(s.Policies, Boundary)
	s.Whole, s.Gaps = false, []Gap{{Place: Boundary, Reason: "refused"}}
	for _, f := range Compare(Change{Subject: deployRole}, s, roleBaseline(t, documents{[]string{byLambda}, []string{logging}, []string{limit}}), here) {
		if f.Kind == PermissionsWidened && (f.Certain || f.Severity != Critical) || f.Kind == BoundaryRemoved {
			t.Errorf("got %s, certain %v: %s", brief(f), f.Certain, f.Reason)
		}
	}
}

// A boundary that is deleted is told also of a role that nobody captured.
func TestDeletedBoundaryOfAnUnknownRole(t *testing.T) {
	change := Change{Subject: deployRole, Place: Boundary, Operation: RemoveBoundary, Event: Event{ID: "e1", Name: "DeleteRolePermissionsBoundary", Time: noon}}
	s := Rebuild(State{}, change)
	if got := briefs(Noted(change, s, Baseline{}, here)); !slices.Equal(got, []string{"boundary-removed medium  at boundary []"}) {
		t.Errorf("got %q", got)
	}
	if got := Noted(change, s, roleBaseline(t, documents{trust: []string{byLambda}}), here); len(got) != 0 {
		t.Errorf("of a known role, Compare tells: %q", briefs(got))
	}
	s.Role.BoundaryARN = "arn:aws:iam::111122223333:policy/limit"
	if got := Noted(change, s, Baseline{}, here); len(got) != 0 {
		t.Errorf("there is one again: %q", briefs(got))
	}
}

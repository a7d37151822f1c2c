package live_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// ordersRole is the subject of roleARN: without the path.
const ordersRole = drift.Subject("arn:aws:iam::111122223333:role/orders")

func TestRoleIsReadWhole(t *testing.T) {
	d := newDirectory(aRole())
	s := identity(t, d, ordersRole)
	if !s.Whole || len(s.Gaps) != 0 || len(s.Policies) != 3 || s.Subject != ordersRole || s.ReadAt.IsZero() {
		t.Fatalf("state = %+v", s)
	}
	if got := s.Policies[drift.Trust]; got.Document != lambdaTrust || len(got.Policy.Statements) != 1 || !slices.Equal(got.Policy.Statements[0].Principal.Service, []string{"lambda.amazonaws.com"}) {
		t.Errorf("trust = %+v", got)
	}
	if got := s.Policies[drift.Identity].Policy; got.Version != "2012-10-17" || actions(got) != "s3:GetObject s3:PutObject sqs:ReceiveMessage logs:*" {
		t.Errorf("identity = %+v", got)
	}
	if got := s.Policies[drift.Boundary]; actions(got.Policy) != "s3:*" || got.RevisionID != "v1" || got.Document == "" {
		t.Errorf("boundary = %+v", got)
	}
	want := drift.RoleState{
		ARN: roleARN, BoundaryARN: boundaryARN, LastUsed: longAgo, Policies: []drift.RolePolicy{
			{Name: "one", Statements: 1},
			{Name: "two", Statements: 1},
			{ARN: managedARN, VersionID: "v1", Statements: 1},
			{ARN: awsARN, VersionID: "v1", Statements: 1},
		},
	}
	if !reflect.DeepEqual(*s.Role, want) {
		t.Errorf("role = %+v", *s.Role)
	}
	if !maps.Equal(s.Tags, map[string]string{"owner": "ann"}) {
		t.Errorf("tags = %v", s.Tags)
	}
	if n := d.total(); n != 1+2+2+2+2*2+2 { // the role, pages of names, inline, pages of ARNs, attached, boundary
		t.Errorf("%d calls: %v", n, d.calls)
	}
}

func TestBareRoleHasEmptyPlaces(t *testing.T) {
	s := identity(t, newDirectory(&party{kind: drift.Role, path: "/", name: "orders", trust: lambdaTrust}), ordersRole)
	if !s.Whole || len(s.Policies) != 3 || len(s.Policies[drift.Identity].Policy.Statements) != 0 || !reflect.DeepEqual(s.Policies[drift.Boundary], drift.PlacePolicy{}) {
		t.Errorf("state = %+v", s)
	}
	if s.Role == nil || len(s.Role.Policies) != 0 || s.Role.BoundaryARN != "" || !s.Role.LastUsed.IsZero() || s.Tags == nil {
		t.Errorf("role = %+v, tags %v", s.Role, s.Tags)
	}
}

func TestChangeOfTrustCostsOneCall(t *testing.T) {
	d := newDirectory(aRole())
	reader, _ := newReader(d)
	trust := drift.Change{Subject: ordersRole, Operation: drift.PutPolicy, Place: drift.Trust}
	s, err := reader.State(t.Context(), trust)
	if err != nil || s.Whole || len(s.Policies) != 1 || len(s.Policies[drift.Trust].Policy.Statements) != 1 || s.Role.ARN != roleARN {
		t.Errorf("state = %+v, %v", s, err)
	}
	if d.total() != 1 || d.calls["GetRole"] != 1 {
		t.Errorf("calls = %v", d.calls)
	}
	for _, c := range []drift.Change{
		{Operation: drift.PutPolicy, Place: drift.Trust, Whole: true},
		{Operation: drift.PutIdentityPolicy, Place: drift.Identity},
		{Operation: drift.RemoveBoundary, Place: drift.Boundary},
		{Operation: drift.CreateSubject, Place: drift.Trust},
		{Operation: drift.PutProvider, Place: drift.Trust},
	} {
		c.Subject = ordersRole
		if s, err := reader.State(t.Context(), c); err != nil || !s.Whole || len(s.Policies) != 3 {
			t.Errorf("%s %s: %+v, %v", c.Operation, c.Place, s, err)
		}
	}
}

func TestDeletedIdentityHasNothing(t *testing.T) {
	for _, subject := range []drift.Subject{ordersRole, "arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:group/staff"} {
		d := newDirectory()
		s := identity(t, d, subject)
		if !s.Whole || len(s.Policies) != 0 || len(s.Gaps) != 0 || s.Role != nil || d.total() != 1 {
			t.Errorf("%s: %+v, calls %v", subject, s, d.calls)
		}
	}
	reader, _ := newReader(newDirectory())
	s, err := reader.State(t.Context(), drift.Change{Subject: ordersRole, Operation: drift.PutPolicy, Place: drift.Trust})
	if err != nil || !s.Whole || len(s.Policies) != 0 || s.Role != nil {
		t.Errorf("trust: %+v, %v", s, err)
	}
}

// denied is how IAM refuses a call.
var denied = &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}

func TestWhatOfARoleCannotBeReadIsAGap(t *testing.T) {
	throttled := &smithy.GenericAPIError{Code: "Throttling", Message: "slow"}
	gone := &types.NoSuchEntityException{Message: aws.String("gone")}
	for _, test := range []struct {
		name   string
		change func(*directory)
		gaps   string // place and reason, joined
	}{
		{"role denied", func(d *directory) { d.fail["GetRole"] = denied }, "trust: GetRole is refused: AccessDenied: no, boundary: GetRole is refused: AccessDenied: no"},
		{"role throttled", func(d *directory) { d.fail["GetRole"] = throttled }, "trust: GetRole is throttled: Throttling: slow, boundary: GetRole is throttled: Throttling: slow"},
		{"names denied", func(d *directory) { d.fail["ListRolePolicies"] = denied }, "identity: ListRolePolicies is refused: AccessDenied: no"},
		{"names gone", func(d *directory) { d.fail["ListRolePolicies"] = gone }, "identity: ListRolePolicies finds nothing: NoSuchEntity: gone"},
		{"second page denied", func(d *directory) { d.failFrom("ListAttachedRolePolicies", 2) }, "identity: ListAttachedRolePolicies is refused: AccessDenied: no"},
		{"inline gone", func(d *directory) { d.fail["GetRolePolicy"] = gone }, "identity: GetRolePolicy finds nothing: NoSuchEntity: gone"},
		{"attached denied", func(d *directory) { d.fail["GetPolicyVersion "+awsARN] = denied }, "identity: GetPolicyVersion is refused: AccessDenied: no"},
		{"attached gone", func(d *directory) { delete(d.policies, awsARN) }, "identity: GetPolicy finds nothing: NoSuchEntity: no policy " + awsARN},
		{"boundary denied", func(d *directory) { d.fail["GetPolicy "+boundaryARN] = denied }, "boundary: GetPolicy is refused: AccessDenied: no"},
		{"trust is no policy", func(d *directory) { d.parties[0].trust = "{}" }, "trust: the trust policy does not parse: "},
		{"trust is empty", func(d *directory) { d.parties[0].trust = "" }, "trust: the trust policy does not parse: "},
		{"trust is not encoded", func(d *directory) { d.parties[0].trust = notEncoded }, "trust: the trust policy is not URL-encoded: "},
		{"inline is no policy", func(d *directory) { d.parties[0].inline["two"] = "[]" }, "identity: inline policy two does not parse: "},
		{"boundary is no policy", func(d *directory) { d.put(boundaryARN, "ANPA1", longAgo, "") }, "boundary: policy " + boundaryARN + " does not parse: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDirectory(aRole())
			test.change(d)
			s := identity(t, d, ordersRole)
			var gaps []string
			for _, g := range s.Gaps {
				if _, read := s.Policies[g.Place]; read || s.Covers(g.Place) {
					t.Errorf("%s is a gap and is there", g.Place)
				}
				gaps = append(gaps, string(g.Place)+": "+g.Reason)
			}
			if got := strings.Join(gaps, ", "); !strings.HasPrefix(got, test.gaps) || !s.Whole || len(s.Policies)+len(s.Gaps) != 3 {
				t.Errorf("gaps = %s; want %s; %d policies", got, test.gaps, len(s.Policies))
			}
			if s.Role == nil || !s.Covers(drift.Identity) && len(s.Role.Policies) != 0 {
				t.Errorf("role = %+v", s.Role)
			}
		})
	}
}

// failFrom denies an operation from its n-th call on.
func (d *directory) failFrom(operation string, n int) {
	d.during = func() {
		if d.calls[operation] == n-1 {
			d.fail[operation] = denied
		}
	}
}

func TestThrottledRoleIsReadInTheEnd(t *testing.T) {
	for code, times := range map[string]int{"Throttling": 4, "AccessDenied": 1, "ServiceFailure": 2} {
		for _, operation := range []string{"GetRole", "ListRolePolicies", "GetPolicy", "GetPolicyVersion"} {
			d := newDirectory(aRole())
			d.fail[operation], d.times[operation] = &smithy.GenericAPIError{Code: code}, times
			if s := identity(t, d, ordersRole); len(s.Gaps) != 0 || len(s.Policies) != 3 {
				t.Errorf("%s %s: %+v", operation, code, s.Gaps)
			}
		}
	}
}

func TestOlderIdentityPoliciesKeepTheirMeaningAndTrustItsVersion(t *testing.T) {
	role := aRole()
	role.trust = strings.Replace(lambdaTrust, "2012", "2008", 1)
	role.inline = map[string]string{"old": grant("2008-10-17", "s3:GetObject", "arn:aws:s3:::home/${aws:username}/*")}
	s := identity(t, newDirectory(role), ordersRole)
	if v := s.Policies[drift.Trust].Policy.Version; v != "2008-10-17" {
		t.Errorf("trust has version %s", v)
	}
	got := s.Policies[drift.Identity].Policy
	if got.Version != "2012-10-17" || got.Statements[0].Resource[0] == "arn:aws:s3:::home/${aws:username}/*" {
		t.Errorf("identity = %+v", got)
	}
}

// IAM encodes documents; a stand-in may not, and then a % is a %.
func TestPlainDocumentsAreReadAsTheyAre(t *testing.T) {
	const plain = ` {"Version":"2012-10-17","Statement":{"Sid":"100%25","Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`
	d := &plainTrust{directory: newDirectory(aRole()), document: plain}
	if s := identity(t, d, ordersRole); s.Policies[drift.Trust].Document != plain {
		t.Errorf("state = %+v", s)
	}
}

// plainTrust answers GetRole with a document as it is.
type plainTrust struct {
	*directory

	document string
}

func (p *plainTrust) GetRole(ctx context.Context, in *iam.GetRoleInput, o ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	out, err := p.directory.GetRole(ctx, in, o...)
	out.Role.AssumeRolePolicyDocument = &p.document
	return out, err
}

func TestRolesOfServicesAreReadAsOthers(t *testing.T) {
	role := aRole()
	role.path = "/aws-service-role/lex.amazonaws.com/"
	if s := identity(t, newDirectory(role), ordersRole); s.Role == nil || s.Role.ARN != "arn:aws:iam::111122223333:role/aws-service-role/lex.amazonaws.com/orders" || len(s.Policies) != 3 {
		t.Errorf("state = %+v", s)
	}
}

func TestIdentitiesElsewhereAreForeign(t *testing.T) {
	reader, _ := newReader(newDirectory(aRole()))
	_, err := reader.State(t.Context(), drift.Change{Subject: "arn:aws:iam::444455556666:role/orders"})
	if !errors.Is(err, live.ErrForeign) {
		t.Errorf("another account: %v", err)
	}
	// Without a home, IAM's answer says whose role it is.
	d := newDirectory(aRole())
	d.parties[0].account = "444455556666"
	c := newClock()
	_, err = live.New(nil, live.WithIAM(d), live.Clock(c.now, c.sleep)).State(t.Context(), drift.Change{Subject: ordersRole})
	if !errors.Is(err, live.ErrForeign) {
		t.Errorf("a namesake: %v", err)
	}
	_, err = live.New(nil, live.Home(account, region)).State(t.Context(), drift.Change{Subject: ordersRole})
	if !errors.Is(err, live.ErrNotAudited) {
		t.Errorf("without a client: %v", err)
	}
}

func TestNoAnswerAndEndedContextAreErrorsOfIdentities(t *testing.T) {
	for _, operation := range []string{"GetRole", "ListRolePolicies", "GetPolicyVersion"} {
		d := newDirectory(aRole())
		d.fail[operation] = errors.New("connection reset")
		reader, _ := newReader(d)
		if _, err := reader.State(t.Context(), drift.Change{Subject: ordersRole}); err == nil || !strings.Contains(err.Error(), string(ordersRole)) {
			t.Errorf("%s: %v", operation, err)
		}
	}
	reader, _ := newReader(newDirectory(aRole()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reader.State(ctx, drift.Change{Subject: ordersRole}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

// aUser is a user in two groups, and the groups.
func aUser() []*party {
	return []*party{
		{
			kind: drift.User, path: "/people/", name: "ann", attached: []string{managedARN}, boundary: boundaryARN, groups: []string{"staff", "admins"},
			inline: map[string]string{"own": grant("2012-10-17", "s3:GetObject", "*")}, tags: map[string]string{"team": "shop"},
		},
		{kind: drift.Group, path: "/", name: "admins", attached: []string{awsARN}},
		{kind: drift.Group, path: "/", name: "staff", inline: map[string]string{"all": grant("2012-10-17", "ec2:*", "*")}},
	}
}

func TestUserHasThePoliciesOfHisGroups(t *testing.T) {
	d := newDirectory(aUser()...)
	s := identity(t, d, "arn:aws:iam::111122223333:user/ann")
	if !s.Whole || len(s.Gaps) != 0 || len(s.Policies) != 2 || actions(s.Policies[drift.Identity].Policy) != "s3:GetObject sqs:ReceiveMessage ec2:* logs:*" || actions(s.Policies[drift.Boundary].Policy) != "s3:*" {
		t.Fatalf("state = %+v", s)
	}
	want := drift.RoleState{
		ARN: "arn:aws:iam::111122223333:user/people/ann", BoundaryARN: boundaryARN, Groups: []string{"staff", "admins"}, Policies: []drift.RolePolicy{
			{Name: "own", Statements: 1},
			{ARN: managedARN, VersionID: "v1", Statements: 1},
			{Name: "all", Group: "staff", Statements: 1},
			{ARN: awsARN, VersionID: "v1", Group: "admins", Statements: 1},
		},
	}
	if !reflect.DeepEqual(*s.Role, want) || s.Tags["team"] != "shop" {
		t.Errorf("role = %+v, tags %v", *s.Role, s.Tags)
	}
	// The user, his boundary, names, inline, ARNs, attached, pages of groups; names, inline, ARNs of staff; names, ARNs, attached of admins.
	if n := d.total(); n != 1+2+1+1+1+2+2+(1+1+1)+(1+1+2) {
		t.Errorf("%d calls: %v", n, d.calls)
	}
}

func TestWhatOfAUserCannotBeReadIsAGap(t *testing.T) {
	for operation, want := range map[string][]drift.Place{
		"GetUser": {drift.Boundary}, "ListUserPolicies": {drift.Identity}, "GetUserPolicy": {drift.Identity}, "ListAttachedUserPolicies": {drift.Identity},
		"ListGroupsForUser": {drift.Identity}, "ListGroupPolicies": {drift.Identity}, "GetGroupPolicy": {drift.Identity}, "ListAttachedGroupPolicies": {drift.Identity},
		"GetPolicy": {drift.Boundary, drift.Identity}, "GetPolicy " + awsARN: {drift.Identity}, // of his second group
	} {
		d := newDirectory(aUser()...)
		d.fail[operation] = denied
		s := identity(t, d, "arn:aws:iam::111122223333:user/ann")
		var places []drift.Place
		for _, g := range s.Gaps {
			places = append(places, g.Place)
		}
		if !slices.Equal(places, want) || s.Role == nil || !s.Covers(drift.Identity) && (len(s.Role.Policies) != 0 || s.Role.Groups != nil) {
			t.Errorf("%s: %+v", operation, s)
		}
	}
}

func TestGroupIsRead(t *testing.T) {
	d := newDirectory(aUser()...)
	s := identity(t, d, "arn:aws:iam::111122223333:group/admins")
	if !s.Whole || len(s.Gaps) != 0 || len(s.Policies) != 2 || actions(s.Policies[drift.Identity].Policy) != "logs:*" || len(s.Policies[drift.Boundary].Policy.Statements) != 0 || s.Role == nil {
		t.Errorf("state = %+v", s)
	}
	if d.total() != 1+1+2 {
		t.Errorf("calls = %v", d.calls)
	}
	d.fail["ListGroupPolicies"] = denied
	if s = identity(t, d, "arn:aws:iam::111122223333:group/admins"); len(s.Gaps) != 1 || s.Gaps[0].Place != drift.Identity || s.Role == nil {
		t.Errorf("denied: %+v", s)
	}
	delete(d.fail, "ListGroupPolicies")
	delete(d.policies, awsARN)
	if s = identity(t, d, "arn:aws:iam::111122223333:group/admins"); len(s.Gaps) != 1 || s.Role == nil {
		t.Errorf("its policy is not found: %+v", s)
	}
}

func TestVersionsOfManagedPoliciesAreReadOnce(t *testing.T) {
	d := newDirectory(aRole())
	reader, _ := newReader(d)
	read := func() string {
		t.Helper()
		d.calls = map[string]int{}
		s, err := reader.State(t.Context(), drift.Change{Subject: ordersRole})
		if err != nil || len(s.Gaps) != 0 {
			t.Fatalf("%+v, %v", s.Gaps, err)
		}
		return actions(s.Policies[drift.Identity].Policy)
	}
	read()
	if d.calls["GetPolicyVersion"] != 3 {
		t.Fatalf("calls = %v", d.calls)
	}
	if read(); d.calls["GetPolicyVersion"] != 0 || d.calls["GetPolicy"] != 3 {
		t.Errorf("again: %v", d.calls)
	}
	d.policies[managedARN].versions["v2"], d.policies[managedARN].current = version{grant("2012-10-17", "*", "*"), longAgo}, "v2"
	if got := read(); got != "s3:GetObject s3:PutObject * logs:*" || d.calls["GetPolicyVersion"] != 1 {
		t.Errorf("a new default version: %s, %v", got, d.calls)
	}
	d.put(managedARN, "ANPA-another", longAgo.Add(time.Hour), grant("2012-10-17", "iam:*", "*"))
	if got := read(); got != "s3:GetObject s3:PutObject iam:* logs:*" {
		t.Errorf("another policy of the same name: %s", got)
	}
}

// For seconds IAM may show the version of a policy that was deleted as that of
// its successor: such an answer must not stay.
func TestYoungVersionsAreNotKept(t *testing.T) {
	for name, put := range map[string]func(*directory, time.Time){
		"young": func(d *directory, now time.Time) {
			d.put(managedARN, "ANPA1", now.Add(-4*time.Minute), grant("2012-10-17", "s3:*", "*"))
		},
		"older than its policy": func(d *directory, _ time.Time) {
			d.put(managedARN, "ANPA1", longAgo, grant("2012-10-17", "s3:*", "*"))
			d.policies[managedARN].made = longAgo.Add(time.Second)
		},
		"without an id": func(d *directory, _ time.Time) { d.put(managedARN, "", longAgo, grant("2012-10-17", "s3:*", "*")) },
	} {
		d := newDirectory(&party{kind: drift.Role, path: "/", name: "orders", trust: lambdaTrust, attached: []string{managedARN}})
		reader, c := newReader(d)
		put(d, c.now())
		for range 2 {
			if _, err := reader.State(t.Context(), drift.Change{Subject: ordersRole}); err != nil {
				t.Fatal(err)
			}
		}
		if n := d.calls["GetPolicyVersion"]; n != 2 {
			t.Errorf("%s: %d calls", name, n)
		}
	}
}

// What is kept is bounded: with 1001 policies something is read again.
func TestKeptVersionsAreBounded(t *testing.T) {
	role := &party{kind: drift.Role, path: "/", name: "orders", trust: lambdaTrust}
	d := newDirectory(role)
	for i := range 1001 {
		arn := managedARN + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		d.put(arn, "ANPA-"+arn, longAgo, grant("2012-10-17", "s3:*", "*"))
		role.attached = append(role.attached, arn)
	}
	reader, _ := newReader(d)
	for range 2 {
		if s, err := reader.State(t.Context(), drift.Change{Subject: ordersRole}); err != nil || len(s.Role.Policies) != 1001 {
			t.Fatal(err, len(s.Role.Policies))
		}
	}
	if n := d.calls["GetPolicyVersion"]; n <= 1001 || n >= 1400 {
		t.Errorf("%d calls", n)
	}
}

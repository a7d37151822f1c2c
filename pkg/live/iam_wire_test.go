package live_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/internal/mototest"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// wiredTrust is a trust policy with what URL-encoding is about.
const wiredTrust = `{"Version": "2012-10-17", "Statement": {"Sid": "a+b %25", "Effect": "Allow", "Principal": {"Federated": "` + oidcARN + `"}, "Action": "sts:AssumeRoleWithWebIdentity"}}`

// wiredIAM is a moto with a role, and a user in a group, whose names begin with
// a prefix. Each has something of everything.
func wiredIAM(t *testing.T, prefix string) *iam.Client {
	t.Helper()
	client := iam.NewFromConfig(mototest.AWSConfig(mototest.Start(t)))
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	named := func(name string) *string { return aws.String(prefix + name) }
	policy := func(name, action string) *string {
		out, err := client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: named(name), PolicyDocument: aws.String(grant("2012-10-17", action, "*"))})
		must(out, err)
		return out.Policy.Arn
	}
	boundary, managed, shared := policy("-boundary", "s3:*"), policy("", "*"), policy("-shared", "ec2:*")
	must(client.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: managed, SetAsDefault: true, PolicyDocument: aws.String(grant("2012-10-17", "sqs:SendMessage", "*"))}))
	own := aws.String(grant("2012-10-17", "s3:GetObject", "arn:aws:s3:::orders/a+b/*"))

	must(client.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: named("-role"), Path: aws.String("/service/"), AssumeRolePolicyDocument: aws.String(wiredTrust), PermissionsBoundary: boundary,
		Tags: []types.Tag{{Key: aws.String("owner"), Value: aws.String("ann")}},
	}))
	must(client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: named("-role"), PolicyName: aws.String("own"), PolicyDocument: own}))
	must(client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: named("-role"), PolicyArn: managed}))
	must(client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: named("-role"), PolicyArn: shared}))

	must(client.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: named("-group")}))
	must(client.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: named("-group"), PolicyName: aws.String("own"), PolicyDocument: own}))
	must(client.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: named("-group"), PolicyArn: shared}))

	must(client.CreateUser(ctx, &iam.CreateUserInput{UserName: named("-user"), Path: aws.String("/people/"), PermissionsBoundary: boundary}))
	must(client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: named("-user"), PolicyName: aws.String("own"), PolicyDocument: own}))
	must(client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: named("-user"), PolicyArn: shared}))
	must(client.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: named("-user"), GroupName: named("-group")}))
	return client
}

// The real wire format, as far as moto has it.
func TestRightsOverTheWire(t *testing.T) {
	client := wiredIAM(t, "rights")
	got := rights(t, client, "arn:aws:iam::111122223333:role/service/rights-role")
	if got.Problem != "" || actions(got.Policy) != "s3:GetObject sqs:SendMessage ec2:*" || got.Policy.Statements[0].Resource[0] != "arn:aws:s3:::orders/a+b/*" {
		t.Errorf("rights = %+v", got)
	}
	if got.Boundary == nil || actions(*got.Boundary) != "s3:*" {
		t.Errorf("boundary = %+v", got.Boundary)
	}
	if got = rights(t, client, "arn:aws:iam::111122223333:role/nobody"); !strings.HasPrefix(got.Problem, "GetRole finds nothing") {
		t.Errorf("no such role: %+v", got)
	}
}

func TestStateOfIdentitiesOverTheWire(t *testing.T) {
	client := wiredIAM(t, "state")
	s := identity(t, client, "arn:aws:iam::111122223333:role/state-role")
	if !s.Whole || len(s.Gaps) != 0 || s.Policies[drift.Trust].Document != wiredTrust || s.Policies[drift.Trust].Policy.Statements[0].Sid != "a+b %25" || s.Tags["owner"] != "ann" {
		t.Errorf("role = %+v", s)
	}
	const managed = "arn:aws:iam::111122223333:policy/state"
	want := drift.RoleState{
		ARN: "arn:aws:iam::111122223333:role/service/state-role", BoundaryARN: managed + "-boundary", LastUsed: s.Role.LastUsed, Policies: []drift.RolePolicy{
			{Name: "own", Statements: 1},
			{ARN: managed, VersionID: "v2", Statements: 1},
			{ARN: managed + "-shared", VersionID: "v1", Statements: 1},
		},
	}
	if !reflect.DeepEqual(*s.Role, want) || actions(s.Policies[drift.Identity].Policy) != "s3:GetObject sqs:SendMessage ec2:*" || actions(s.Policies[drift.Boundary].Policy) != "s3:*" {
		t.Errorf("role = %+v, policies %+v", *s.Role, s.Policies)
	}
	s = identity(t, client, "arn:aws:iam::111122223333:user/state-user") // of whose boundary moto's GetUser tells nothing
	if len(s.Gaps) != 0 || actions(s.Policies[drift.Identity].Policy) != "s3:GetObject ec2:* s3:GetObject ec2:*" || !slices.Equal(s.Role.Groups, []string{"state-group"}) || s.Role.Policies[2].Group != "state-group" ||
		s.Role.ARN != "arn:aws:iam::111122223333:user/people/state-user" {
		t.Errorf("user = %+v", s)
	}
	if s = identity(t, client, "arn:aws:iam::111122223333:group/state-group"); len(s.Gaps) != 0 || actions(s.Policies[drift.Identity].Policy) != "s3:GetObject ec2:*" {
		t.Errorf("group = %+v", s)
	}
	for _, gone := range []drift.Subject{"arn:aws:iam::111122223333:role/gone", "arn:aws:iam::111122223333:user/gone", "arn:aws:iam::111122223333:group/gone"} {
		if s = identity(t, client, gone); !s.Whole || s.Role != nil || len(s.Policies) != 0 || len(s.Gaps) != 0 {
			t.Errorf("%s: %+v", gone, s)
		}
	}
}

// moto's ListEntitiesForPolicy does not know boundaries.
func TestResolveOverTheWire(t *testing.T) {
	client := wiredIAM(t, "resolve")
	if got := resolve(t, client, drift.Change{Subject: "arn:aws:iam::111122223333:policy/resolve-shared"}); got != "group/resolve-group role/resolve-role user/resolve-user" {
		t.Errorf("managed policy: %s", got)
	}
	if got := resolve(t, client, drift.Change{Subject: oidcARN}); !slices.Contains(strings.Fields(got), "role/resolve-role") {
		t.Errorf("provider: %s", got)
	}
	if got := resolve(t, client, drift.Change{Subject: samlARN}); strings.Contains(got, "resolve") {
		t.Errorf("another provider: %s", got)
	}
}

func TestAuthorizationsOverTheWire(t *testing.T) {
	client := wiredIAM(t, "bulk")
	all, err := bulk(t, client)
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []drift.Subject{"arn:aws:iam::111122223333:role/bulk-role", "arn:aws:iam::111122223333:user/bulk-user", "arn:aws:iam::111122223333:group/bulk-group"} {
		got, want := all[subject], identity(t, client, subject)
		got.ReadAt = want.ReadAt
		if len(got.Gaps) != 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s in bulk:\n%+v %+v\nalone:\n%+v %+v", subject, got, got.Role, want, want.Role)
		}
	}
}

// 150 roles are more than a page.
func TestRolesOverTheWire(t *testing.T) {
	client := wiredIAM(t, "many")
	reader := live.New(nil, live.Home(account, region), live.WithIAM(client))
	for i := range 150 {
		_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("many-" + string(rune('a'+i%26)) + string(rune('a'+i/26))), AssumeRolePolicyDocument: aws.String(lambdaTrust)})
		if err != nil {
			t.Fatal(err)
		}
	}
	many := 0
	for s, err := range reader.Authorizations(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(s.Subject), "arn:aws:iam::111122223333:role/many-") {
			many++
		}
	}
	w := newWorld(t, localaws.Options{}, live.WithIAM(client), live.WithRoles(live.AllRoles))
	listed := 0
	for s, err := range w.reader.Subjects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(s), "arn:aws:iam::111122223333:role/many-") {
			listed++
		}
	}
	if many != 151 || listed != 151 {
		t.Errorf("%d in bulk, %d listed", many, listed)
	}
}

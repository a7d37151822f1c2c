package live_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
	"github.com/permdrift/permdrift/pkg/policy"
)

const (
	roleARN     = "arn:aws:iam::111122223333:role/service/orders"
	managedARN  = "arn:aws:iam::111122223333:policy/reads"
	boundaryARN = "arn:aws:iam::111122223333:policy/boundary"
)

// grant is an identity policy of one statement.
func grant(version, action, resource string) string {
	return `{"Version":"` + version + `","Statement":{"Sid":"a b+c","Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}}`
}

// roles is an IAM of one role with two inline policies and one attached one,
// each list on pages of one.
type roles struct {
	live.IAMAPI // for what reading rights does not call

	inline   map[string]string // documents by name
	attached []string          // ARNs
	managed  map[string]string // documents by ARN; v2 is the default
	boundary string            // ARN
	fail     map[string]error  // by operation
	times    map[string]int    // how often it fails; 0: always
	calls    map[string]int
}

func newRoles() *roles {
	return &roles{
		inline:   map[string]string{"one": grant("2012-10-17", "s3:GetObject", "arn:aws:s3:::orders/*"), "two": grant("2012-10-17", "s3:PutObject", "*")},
		attached: []string{managedARN},
		managed:  map[string]string{managedARN: grant("2012-10-17", "sqs:ReceiveMessage", "*"), boundaryARN: grant("2012-10-17", "s3:*", "*")},
		fail:     map[string]error{}, times: map[string]int{}, calls: map[string]int{},
	}
}

// called counts a call and answers its failure.
func (r *roles) called(operation string, options []func(*iam.Options)) error {
	r.calls[operation]++
	o := iam.Options{}
	for _, set := range options {
		set(&o)
	}
	if o.Retryer == nil || o.Retryer.MaxAttempts() != 1 {
		return &smithy.GenericAPIError{Code: "RetriesAreOn"}
	}
	if n := r.times[operation]; n > 0 && r.calls[operation] > n {
		return nil
	}
	return r.fail[operation]
}

func (r *roles) GetRole(_ context.Context, in *iam.GetRoleInput, o ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if err := r.called("GetRole", o); err != nil {
		return nil, err
	}
	if *in.RoleName != "orders" {
		return nil, &types.NoSuchEntityException{Message: aws.String("no role " + *in.RoleName)}
	}
	role := &types.Role{RoleName: in.RoleName}
	if r.boundary != "" {
		role.PermissionsBoundary = &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: &r.boundary}
	}
	return &iam.GetRoleOutput{Role: role}, nil
}

// pageOf is the item after a marker, which is the item before, and whether more follow.
func pageOf(all []string, marker *string) (page []string, next *string, more bool) {
	i := slices.Index(all, aws.ToString(marker)) + 1
	if i >= len(all) {
		return nil, nil, false
	}
	return all[i : i+1], &all[i], i+1 < len(all)
}

func (r *roles) ListRolePolicies(_ context.Context, in *iam.ListRolePoliciesInput, o ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error) {
	if err := r.called("ListRolePolicies", o); err != nil {
		return nil, err
	}
	var names []string
	for name := range r.inline {
		names = append(names, name)
	}
	slices.Sort(names)
	out := &iam.ListRolePoliciesOutput{}
	out.PolicyNames, out.Marker, out.IsTruncated = pageOf(names, in.Marker)
	return out, nil
}

func (r *roles) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, o ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	if err := r.called("GetRolePolicy", o); err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{PolicyDocument: encoded(r.inline[*in.PolicyName])}, nil
}

func (r *roles) ListAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput, o ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error) {
	if err := r.called("ListAttachedRolePolicies", o); err != nil {
		return nil, err
	}
	out := &iam.ListAttachedRolePoliciesOutput{}
	var arns []string
	arns, out.Marker, out.IsTruncated = pageOf(r.attached, in.Marker)
	for _, arn := range arns {
		out.AttachedPolicies = append(out.AttachedPolicies, types.AttachedPolicy{PolicyArn: &arn})
	}
	return out, nil
}

func (r *roles) GetPolicy(_ context.Context, in *iam.GetPolicyInput, o ...func(*iam.Options)) (*iam.GetPolicyOutput, error) {
	if err := r.called("GetPolicy", o); err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: &types.Policy{Arn: in.PolicyArn, DefaultVersionId: aws.String("v2")}}, nil
}

func (r *roles) GetPolicyVersion(_ context.Context, in *iam.GetPolicyVersionInput, o ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error) {
	if err := r.called("GetPolicyVersion", o); err != nil {
		return nil, err
	}
	document := r.managed[*in.PolicyArn]
	if aws.ToString(in.VersionId) != "v2" {
		document = grant("2012-10-17", "*", "*")
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &types.PolicyVersion{Document: encoded(document)}}, nil
}

// notEncoded is a text that is no URL-encoded one.
const notEncoded = "100%"

// encoded is a document as IAM gives it.
func encoded(document string) *string {
	if document == notEncoded {
		return &document
	}
	return aws.String(url.PathEscape(document)) // which leaves + as it is
}

// rights are what the reader says of a role.
func rights(t *testing.T, api live.IAMAPI, arn string) drift.Rights {
	t.Helper()
	c := newClock()
	options := []live.Option{live.Home(account, region), live.Clock(c.now, c.sleep)}
	if api != nil {
		options = append(options, live.WithIAM(api))
	}
	subject := drift.FunctionSubject("", region, account, "orders")
	s, err := live.New(nil, options...).Complete(t.Context(), drift.State{Subject: subject}, drift.Want{Roles: []string{arn}})
	if err != nil {
		t.Fatal(err)
	}
	got, read := s.Rights[arn]
	if !read {
		t.Fatalf("no rights of %s: %+v", arn, s)
	}
	return got
}

func actions(p policy.Policy) string {
	var all []string
	for _, s := range p.Statements {
		all = append(all, s.Action...)
	}
	return strings.Join(all, " ")
}

func TestRightsAreAllIdentityPoliciesAndTheBoundary(t *testing.T) {
	api := newRoles()
	api.attached = append(api.attached, "arn:aws:iam::aws:policy/Another")
	api.managed["arn:aws:iam::aws:policy/Another"] = grant("2012-10-17", "logs:*", "*")
	got := rights(t, api, roleARN)
	if got.Problem != "" || got.Boundary != nil || got.Policy.Version != "2012-10-17" || actions(got.Policy) != "s3:GetObject s3:PutObject sqs:ReceiveMessage logs:*" {
		t.Errorf("rights = %+v", got)
	}
	if sid := got.Policy.Statements[0].Sid; sid != "a b+c" {
		t.Errorf("decoded as %q", sid)
	}
	api.boundary = boundaryARN
	if got = rights(t, api, roleARN); got.Boundary == nil || actions(*got.Boundary) != "s3:*" {
		t.Errorf("with a boundary: %+v", got)
	}
	api.calls = map[string]int{}
	rights(t, api, roleARN)
	total := 0
	for _, n := range api.calls {
		total += n
	}
	if total != 1+2+2+2+2*2+2 { // the role, pages of names, inline, pages of ARNs, attached, boundary
		t.Errorf("%d calls: %v", total, api.calls)
	}
}

// ${…} is text where the document is older than policy variables.
func TestOlderDocumentsKeepTheirMeaning(t *testing.T) {
	const variable = "arn:aws:s3:::home/${aws:username}/*"
	api := newRoles()
	api.inline = map[string]string{"one": grant("2008-10-17", "s3:GetObject", variable), "two": grant("2012-10-17", "s3:GetObject", variable)}
	got := rights(t, api, roleARN)
	old, err := policy.Parse([]byte(api.inline["one"]))
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Policy.Statements; len(s) < 2 || !s[0].Equal(old.Statements[0]) || s[1].Equal(old.Statements[0]) || s[0].Sid != "a b+c" {
		t.Errorf("statements = %v", s)
	}
	text, err := got.Policy.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := policy.Parse(text)
	if err != nil || !again.Equal(got.Policy) {
		t.Errorf("stored and read again it is %s, %v", text, err)
	}
}

func TestRightsThatCannotBeReadAreAProblem(t *testing.T) {
	denied, throttled := &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}, &smithy.GenericAPIError{Code: "Throttling"}
	gone := &types.NoSuchEntityException{Message: aws.String("gone")}
	for _, test := range []struct {
		name    string
		change  func(*roles)
		arn     string
		problem string
	}{
		{"another account", nil, "arn:aws:iam::444455556666:role/orders", "the role is in account 444455556666, and only those of account 111122223333 are read"},
		{"not a role", nil, "arn:aws:iam::111122223333:user/ann", `"arn:aws:iam::111122223333:user/ann" is not the ARN of a role`},
		{"no ARN", nil, "", `"" is not the ARN of a role`},
		{"no such role", nil, "arn:aws:iam::111122223333:role/gone", "GetRole finds nothing: NoSuchEntity: no role gone"},
		{"GetRole denied", func(r *roles) { r.fail["GetRole"] = denied }, roleARN, "GetRole is refused: AccessDenied: no"},
		{"GetRole throttled", func(r *roles) { r.fail["GetRole"] = throttled }, roleARN, "GetRole is throttled: Throttling: "},
		{"list denied", func(r *roles) { r.fail["ListRolePolicies"] = denied }, roleARN, "ListRolePolicies is refused: AccessDenied: no"},
		{"inline policy gone", func(r *roles) { r.fail["GetRolePolicy"] = gone }, roleARN, "GetRolePolicy finds nothing: NoSuchEntity: gone"},
		{"list of attached denied", func(r *roles) { r.fail["ListAttachedRolePolicies"] = denied }, roleARN, "ListAttachedRolePolicies is refused: AccessDenied: no"},
		{"managed policy denied", func(r *roles) { r.fail["GetPolicy"] = denied }, roleARN, "GetPolicy is refused: AccessDenied: no"},
		{"its version denied", func(r *roles) { r.fail["GetPolicyVersion"] = denied }, roleARN, "GetPolicyVersion is refused: AccessDenied: no"},
		{"boundary does not parse", func(r *roles) { r.boundary, r.managed[boundaryARN] = boundaryARN, "{}" }, roleARN, "policy " + boundaryARN + " does not parse: "},
		{"not URL-encoded", func(r *roles) { r.inline["one"] = notEncoded }, roleARN, "inline policy one is not URL-encoded: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := newRoles()
			if test.change != nil {
				test.change(api)
			}
			got := rights(t, api, test.arn)
			if !strings.HasPrefix(got.Problem, test.problem) || len(got.Policy.Statements) != 0 || got.Boundary != nil {
				t.Errorf("rights = %+v, want the problem %q", got, test.problem)
			}
		})
	}
	if got := rights(t, nil, roleARN); got.Problem != "reading roles is not configured" {
		t.Errorf("without a client: %+v", got)
	}
}

func TestThrottledRightsAreReadInTheEnd(t *testing.T) {
	for code, times := range map[string]int{"Throttling": 4, "AccessDenied": 1, "ServiceFailure": 2} {
		api := newRoles()
		api.fail["ListRolePolicies"], api.times["ListRolePolicies"] = &smithy.GenericAPIError{Code: code}, times
		if got := rights(t, api, roleARN); got.Problem != "" || len(got.Policy.Statements) != 3 {
			t.Errorf("%s: %+v", code, got)
		}
	}
}

// Without a home the roles of the subject's account are read.
func TestRolesOfTheSubjectsAccountAreReadWithoutAHome(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	reader := live.New(w.client, live.WithIAM(newRoles()))
	s, err := reader.Complete(t.Context(), drift.State{Subject: drift.Subject(w.orders)}, drift.Want{Roles: []string{roleARN, "arn:aws:iam::444455556666:role/orders"}})
	if err != nil || s.Rights[roleARN].Problem != "" || s.Rights["arn:aws:iam::444455556666:role/orders"].Problem == "" {
		t.Errorf("rights = %+v, %v", s.Rights, err)
	}
}

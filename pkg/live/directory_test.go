package live_test

import (
	"context"
	"maps"
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

// directory is an IAM whose every listing has pages of one.
type directory struct {
	parties  []*party
	policies map[string]*managed // by ARN
	fail     map[string]error    // by operation, or operation and what it is asked for
	times    map[string]int      // how often it fails; 0: always
	calls    map[string]int      // by operation
	during   func()              // called before each call
}

// party is a role, user or group.
type party struct {
	kind     drift.Kind
	path     string // "/" or "/…/"
	name     string
	trust    string
	inline   map[string]string // documents by name
	attached []string          // ARNs
	boundary string            // ARN
	groups   []string
	tags     map[string]string
	used     time.Time
	account  string // empty: ours
}

func (p *party) arn() *string {
	at := account
	if p.account != "" {
		at = p.account
	}
	return aws.String("arn:aws:iam::" + at + ":" + string(p.kind) + p.path + p.name)
}

// managed is a managed policy.
type managed struct {
	id       string
	made     time.Time
	versions map[string]version
	current  string
}

type version struct {
	document string
	made     time.Time
}

const lambdaTrust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`

// longAgo is when most policies were made.
var longAgo = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

func newDirectory(parties ...*party) *directory {
	d := &directory{parties: parties, policies: map[string]*managed{}, fail: map[string]error{}, times: map[string]int{}, calls: map[string]int{}}
	for arn, action := range map[string]string{managedARN: "sqs:ReceiveMessage", boundaryARN: "s3:*", awsARN: "logs:*"} {
		d.put(arn, "ANPA-"+action, longAgo, grant("2012-10-17", action, "*"))
	}
	return d
}

const awsARN = "arn:aws:iam::aws:policy/service-role/Basic"

// put makes a managed policy with a version v1, or another of the same name.
func (d *directory) put(arn, id string, made time.Time, document string) {
	d.policies[arn] = &managed{id: id, made: made, versions: map[string]version{"v1": {document, made}}, current: "v1"}
}

// aRole is a role that has something of everything.
func aRole() *party {
	return &party{
		kind: drift.Role, path: "/service/", name: "orders", trust: lambdaTrust, attached: []string{managedARN, awsARN}, boundary: boundaryARN,
		inline: map[string]string{"one": grant("2012-10-17", "s3:GetObject", "*"), "two": grant("2012-10-17", "s3:PutObject", "*")},
		tags:   map[string]string{"owner": "ann"}, used: longAgo,
	}
}

func newReader(api live.IAMAPI, options ...live.Option) (*live.Lambda, *clock) {
	c := newClock()
	return live.New(nil, append([]live.Option{live.Home(account, region), live.WithIAM(api), live.Clock(c.now, c.sleep)}, options...)...), c
}

// identity reads a subject whole.
func identity(t *testing.T, api live.IAMAPI, subject drift.Subject) drift.State {
	t.Helper()
	reader, _ := newReader(api)
	s, err := reader.State(t.Context(), drift.Change{Subject: subject, Operation: drift.Sweep})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d *directory) total() int {
	n := 0
	for _, calls := range d.calls {
		n += calls
	}
	return n
}

// called counts a call and answers its failure.
func (d *directory) called(operation, about string, options []func(*iam.Options)) error {
	if d.during != nil {
		d.during()
	}
	d.calls[operation]++
	o := iam.Options{}
	for _, set := range options {
		set(&o)
	}
	if o.Retryer == nil || o.Retryer.MaxAttempts() != 1 {
		return &smithy.GenericAPIError{Code: "RetriesAreOn"}
	}
	for _, key := range []string{operation, operation + " " + about} {
		if err := d.fail[key]; err != nil && (d.times[key] == 0 || d.calls[operation] <= d.times[key]) {
			return err
		}
	}
	return nil
}

// party is the one of a name, which may be asked for.
func (d *directory) party(operation string, kind drift.Kind, name *string, o []func(*iam.Options)) (*party, error) {
	if err := d.called(operation, *name, o); err != nil {
		return nil, err
	}
	for _, p := range d.parties {
		if p.kind == kind && p.name == *name {
			return p, nil
		}
	}
	return nil, &types.NoSuchEntityException{Message: aws.String("no " + string(kind) + " " + *name)}
}

func (p *party) limit() *types.AttachedPermissionsBoundary {
	if p.boundary == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: &p.boundary}
}

func (p *party) labels() (tags []types.Tag) {
	for key, value := range p.tags {
		tags = append(tags, types.Tag{Key: &key, Value: &value})
	}
	return tags
}

func (p *party) lastUsed() *types.RoleLastUsed {
	if p.used.IsZero() {
		return &types.RoleLastUsed{}
	}
	return &types.RoleLastUsed{LastUsedDate: &p.used}
}

func (p *party) names() []string { return slices.Sorted(maps.Keys(p.inline)) }

func attachedPolicies(arns []string) (all []types.AttachedPolicy) {
	for _, arn := range arns {
		all = append(all, types.AttachedPolicy{PolicyArn: &arn})
	}
	return all
}

func (d *directory) GetRole(_ context.Context, in *iam.GetRoleInput, o ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	p, err := d.party("GetRole", drift.Role, in.RoleName, o)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: &types.Role{
		Arn: p.arn(), RoleName: &p.name, Path: &p.path, AssumeRolePolicyDocument: encoded(p.trust),
		PermissionsBoundary: p.limit(), RoleLastUsed: p.lastUsed(), Tags: p.labels(),
	}}, nil
}

func (d *directory) GetUser(_ context.Context, in *iam.GetUserInput, o ...func(*iam.Options)) (*iam.GetUserOutput, error) {
	p, err := d.party("GetUser", drift.User, in.UserName, o)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserOutput{User: &types.User{Arn: p.arn(), UserName: &p.name, PermissionsBoundary: p.limit(), Tags: p.labels()}}, nil
}

// inlineNames answers a page of the names of inline policies.
func (d *directory) inlineNames(operation string, kind drift.Kind, name, marker *string, o []func(*iam.Options)) (page []string, next *string, more bool, err error) {
	p, err := d.party(operation, kind, name, o)
	if err != nil {
		return nil, nil, false, err
	}
	page, next, more = pageOf(p.names(), marker)
	return page, next, more, nil
}

// inlineOf answers an inline policy.
func (d *directory) inlineOf(operation string, kind drift.Kind, name, policy *string, o []func(*iam.Options)) (*string, error) {
	p, err := d.party(operation, kind, name, o)
	if err != nil {
		return nil, err
	}
	return encoded(p.inline[*policy]), nil
}

// attachedTo answers a page of the attached policies.
func (d *directory) attachedTo(operation string, kind drift.Kind, name, marker *string, o []func(*iam.Options)) (page []types.AttachedPolicy, next *string, more bool, err error) {
	p, err := d.party(operation, kind, name, o)
	if err != nil {
		return nil, nil, false, err
	}
	arns, next, more := pageOf(p.attached, marker)
	return attachedPolicies(arns), next, more, nil
}

func (d *directory) ListRolePolicies(_ context.Context, in *iam.ListRolePoliciesInput, o ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error) {
	page, next, more, err := d.inlineNames("ListRolePolicies", drift.Role, in.RoleName, in.Marker, o)
	return &iam.ListRolePoliciesOutput{PolicyNames: page, Marker: next, IsTruncated: more}, err
}

func (d *directory) ListUserPolicies(_ context.Context, in *iam.ListUserPoliciesInput, o ...func(*iam.Options)) (*iam.ListUserPoliciesOutput, error) {
	page, next, more, err := d.inlineNames("ListUserPolicies", drift.User, in.UserName, in.Marker, o)
	return &iam.ListUserPoliciesOutput{PolicyNames: page, Marker: next, IsTruncated: more}, err
}

func (d *directory) ListGroupPolicies(_ context.Context, in *iam.ListGroupPoliciesInput, o ...func(*iam.Options)) (*iam.ListGroupPoliciesOutput, error) {
	page, next, more, err := d.inlineNames("ListGroupPolicies", drift.Group, in.GroupName, in.Marker, o)
	return &iam.ListGroupPoliciesOutput{PolicyNames: page, Marker: next, IsTruncated: more}, err
}

func (d *directory) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, o ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	document, err := d.inlineOf("GetRolePolicy", drift.Role, in.RoleName, in.PolicyName, o)
	return &iam.GetRolePolicyOutput{PolicyDocument: document}, err
}

func (d *directory) GetUserPolicy(_ context.Context, in *iam.GetUserPolicyInput, o ...func(*iam.Options)) (*iam.GetUserPolicyOutput, error) {
	document, err := d.inlineOf("GetUserPolicy", drift.User, in.UserName, in.PolicyName, o)
	return &iam.GetUserPolicyOutput{PolicyDocument: document}, err
}

func (d *directory) GetGroupPolicy(_ context.Context, in *iam.GetGroupPolicyInput, o ...func(*iam.Options)) (*iam.GetGroupPolicyOutput, error) {
	document, err := d.inlineOf("GetGroupPolicy", drift.Group, in.GroupName, in.PolicyName, o)
	return &iam.GetGroupPolicyOutput{PolicyDocument: document}, err
}

func (d *directory) ListAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput, o ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error) {
	page, next, more, err := d.attachedTo("ListAttachedRolePolicies", drift.Role, in.RoleName, in.Marker, o)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: page, Marker: next, IsTruncated: more}, err
}

func (d *directory) ListAttachedUserPolicies(_ context.Context, in *iam.ListAttachedUserPoliciesInput, o ...func(*iam.Options)) (*iam.ListAttachedUserPoliciesOutput, error) {
	page, next, more, err := d.attachedTo("ListAttachedUserPolicies", drift.User, in.UserName, in.Marker, o)
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: page, Marker: next, IsTruncated: more}, err
}

func (d *directory) ListAttachedGroupPolicies(_ context.Context, in *iam.ListAttachedGroupPoliciesInput, o ...func(*iam.Options)) (*iam.ListAttachedGroupPoliciesOutput, error) {
	page, next, more, err := d.attachedTo("ListAttachedGroupPolicies", drift.Group, in.GroupName, in.Marker, o)
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: page, Marker: next, IsTruncated: more}, err
}

func (d *directory) ListGroupsForUser(_ context.Context, in *iam.ListGroupsForUserInput, o ...func(*iam.Options)) (*iam.ListGroupsForUserOutput, error) {
	p, err := d.party("ListGroupsForUser", drift.User, in.UserName, o)
	if err != nil {
		return nil, err
	}
	out := &iam.ListGroupsForUserOutput{}
	var page []string
	page, out.Marker, out.IsTruncated = pageOf(p.groups, in.Marker)
	for _, name := range page {
		out.Groups = append(out.Groups, types.Group{GroupName: &name})
	}
	return out, nil
}

// managed is a managed policy, which may be asked for.
func (d *directory) managed(operation string, arn *string, o []func(*iam.Options)) (*managed, error) {
	if err := d.called(operation, *arn, o); err != nil {
		return nil, err
	}
	if m := d.policies[*arn]; m != nil {
		return m, nil
	}
	return nil, &types.NoSuchEntityException{Message: aws.String("no policy " + *arn)}
}

func (d *directory) GetPolicy(_ context.Context, in *iam.GetPolicyInput, o ...func(*iam.Options)) (*iam.GetPolicyOutput, error) {
	m, err := d.managed("GetPolicy", in.PolicyArn, o)
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: &types.Policy{Arn: in.PolicyArn, PolicyId: &m.id, CreateDate: &m.made, DefaultVersionId: &m.current}}, nil
}

func (m *managed) version(id string) types.PolicyVersion {
	v := m.versions[id]
	return types.PolicyVersion{VersionId: &id, Document: encoded(v.document), CreateDate: &v.made, IsDefaultVersion: id == m.current}
}

func (d *directory) GetPolicyVersion(_ context.Context, in *iam.GetPolicyVersionInput, o ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error) {
	m, err := d.managed("GetPolicyVersion", in.PolicyArn, o)
	if err != nil {
		return nil, err
	}
	v := m.version(*in.VersionId)
	return &iam.GetPolicyVersionOutput{PolicyVersion: &v}, nil
}

// pageOfParties is the party after a marker, of those that are asked for.
func pageOfParties(all []*party, marker *string) (page []*party, next *string, more bool) {
	var names []string
	for _, p := range all {
		names = append(names, string(p.kind)+p.name)
	}
	ids, next, more := pageOf(names, marker)
	for _, id := range ids {
		page = append(page, all[slices.Index(names, id)])
	}
	return page, next, more
}

func (d *directory) ListEntitiesForPolicy(_ context.Context, in *iam.ListEntitiesForPolicyInput, o ...func(*iam.Options)) (*iam.ListEntitiesForPolicyOutput, error) {
	if _, err := d.managed("ListEntitiesForPolicy", in.PolicyArn, o); err != nil {
		return nil, err
	}
	var having []*party
	for _, p := range d.parties {
		if in.PolicyUsageFilter == types.PolicyUsageTypePermissionsPolicy && slices.Contains(p.attached, *in.PolicyArn) ||
			in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary && p.boundary == *in.PolicyArn {
			having = append(having, p)
		}
	}
	out := &iam.ListEntitiesForPolicyOutput{}
	var page []*party
	page, out.Marker, out.IsTruncated = pageOfParties(having, in.Marker)
	for _, p := range page {
		switch p.kind {
		case drift.Role:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: &p.name})
		case drift.User:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: &p.name})
		default:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: &p.name})
		}
	}
	return out, nil
}

func (d *directory) ListRoles(_ context.Context, in *iam.ListRolesInput, o ...func(*iam.Options)) (*iam.ListRolesOutput, error) {
	if err := d.called("ListRoles", aws.ToString(in.Marker), o); err != nil {
		return nil, err
	}
	roles := slices.DeleteFunc(slices.Clone(d.parties), func(p *party) bool { return p.kind != drift.Role })
	out := &iam.ListRolesOutput{}
	var page []*party
	page, out.Marker, out.IsTruncated = pageOfParties(roles, in.Marker)
	for _, p := range page { // no tags, boundary and last use: as AWS has it
		out.Roles = append(out.Roles, types.Role{Arn: p.arn(), RoleName: &p.name, Path: &p.path, AssumeRolePolicyDocument: encoded(p.trust)})
	}
	return out, nil
}

func (d *directory) GetAccountAuthorizationDetails(_ context.Context, in *iam.GetAccountAuthorizationDetailsInput, o ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	if err := d.called("GetAccountAuthorizationDetails", aws.ToString(in.Marker), o); err != nil {
		return nil, err
	}
	var items []string // parties by their number, then policies
	for i, p := range d.parties {
		kind := map[drift.Kind]types.EntityType{drift.Role: types.EntityTypeRole, drift.User: types.EntityTypeUser, drift.Group: types.EntityTypeGroup}[p.kind]
		if slices.Contains(in.Filter, kind) {
			items = append(items, string(rune('a'+i)))
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(d.policies)) {
		kind := types.EntityTypeLocalManagedPolicy
		if strings.HasPrefix(arn, "arn:aws:iam::aws:") {
			kind = types.EntityTypeAWSManagedPolicy
		}
		if slices.Contains(in.Filter, kind) {
			items = append(items, arn)
		}
	}
	out := &iam.GetAccountAuthorizationDetailsOutput{}
	var page []string
	page, out.Marker, out.IsTruncated = pageOf(items, in.Marker)
	for _, item := range page {
		if m := d.policies[item]; m != nil {
			detail := types.ManagedPolicyDetail{Arn: &item, DefaultVersionId: &m.current}
			for _, id := range slices.Sorted(maps.Keys(m.versions)) {
				detail.PolicyVersionList = append(detail.PolicyVersionList, m.version(id))
			}
			out.Policies = append(out.Policies, detail)
			continue
		}
		d.parties[item[0]-'a'].detail(out)
	}
	return out, nil
}

// detail adds the party to the details of the account.
func (p *party) detail(out *iam.GetAccountAuthorizationDetailsOutput) {
	var inline []types.PolicyDetail
	for _, name := range p.names() {
		inline = append(inline, types.PolicyDetail{PolicyName: &name, PolicyDocument: encoded(p.inline[name])})
	}
	attached := attachedPolicies(p.attached)
	switch p.kind {
	case drift.Role:
		out.RoleDetailList = append(out.RoleDetailList, types.RoleDetail{
			Arn: p.arn(), RoleName: &p.name, Path: &p.path, AssumeRolePolicyDocument: encoded(p.trust), RolePolicyList: inline,
			AttachedManagedPolicies: attached, PermissionsBoundary: p.limit(), RoleLastUsed: p.lastUsed(), Tags: p.labels(),
		})
	case drift.User:
		out.UserDetailList = append(out.UserDetailList, types.UserDetail{
			Arn: p.arn(), UserName: &p.name, Path: &p.path, UserPolicyList: inline, AttachedManagedPolicies: attached,
			GroupList: p.groups, PermissionsBoundary: p.limit(), Tags: p.labels(),
		})
	default:
		out.GroupDetailList = append(out.GroupDetailList, types.GroupDetail{
			Arn: p.arn(), GroupName: &p.name, Path: &p.path, GroupPolicyList: inline, AttachedManagedPolicies: attached,
		})
	}
}

package line_test

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// read counts a read and is the account as that read shows it.
func (d *directory) read(operation string) *iamState {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads[operation]++
	limit := d.now().Add(-d.lag)
	for _, m := range slices.Backward(d.states) {
		if d.lag == 0 || !m.from.After(limit) {
			return m.iam
		}
	}
	return d.states[0].iam
}

// paged is one page of a list and the marker of the next, nil on the last.
func paged[T any](d *directory, list []T, marker *string) (page []T, next *string) {
	from, _ := strconv.Atoi(aws.ToString(marker)) // none: from the beginning
	to := min(from+d.page, len(list))
	if to < len(list) {
		next = aws.String(strconv.Itoa(to))
	}
	return list[min(from, to):to], next
}

// encoded is a document as IAM gives it.
func encoded(text string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

func attachedTo(p *party) []iamtypes.AttachedPolicy {
	var list []iamtypes.AttachedPolicy
	for _, arn := range p.Attached {
		_, name := splitPath(arn)
		list = append(list, iamtypes.AttachedPolicy{PolicyArn: &arn, PolicyName: &name})
	}
	return list
}

func tagsOf(p *party) []iamtypes.Tag {
	var list []iamtypes.Tag
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		list = append(list, iamtypes.Tag{Key: &key, Value: aws.String(p.Tags[key])})
	}
	return list
}

func boundaryOf(p *party) *iamtypes.AttachedPermissionsBoundary {
	if p.Boundary == "" {
		return nil
	}
	return &iamtypes.AttachedPermissionsBoundary{PermissionsBoundaryArn: &p.Boundary, PermissionsBoundaryType: "Policy"}
}

func asRole(p *party) iamtypes.Role {
	return iamtypes.Role{
		RoleName: &p.Name, Path: &p.Path, RoleId: &p.ID, Arn: aws.String(p.arn("role")),
		AssumeRolePolicyDocument: encoded(p.Trust), PermissionsBoundary: boundaryOf(p), Tags: tagsOf(p),
	}
}

func (d *directory) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	p, err := d.read("GetRole").find("role", *in.RoleName)
	if err != nil {
		return nil, err
	}
	role := asRole(p)
	return &iam.GetRoleOutput{Role: &role}, nil
}

func (d *directory) GetUser(_ context.Context, in *iam.GetUserInput, _ ...func(*iam.Options)) (*iam.GetUserOutput, error) {
	p, err := d.read("GetUser").find("user", *in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserOutput{User: &iamtypes.User{
		UserName: &p.Name, Path: &p.Path, UserId: &p.ID, Arn: aws.String(p.arn("user")), PermissionsBoundary: boundaryOf(p), Tags: tagsOf(p),
	}}, nil
}

// names are a page of the inline policies of a party.
func (d *directory) names(operation, kind string, name, marker *string) ([]string, *string, error) {
	p, err := d.read(operation).find(kind, *name)
	if err != nil {
		return nil, nil, err
	}
	page, next := paged(d, slices.Sorted(maps.Keys(p.Inline)), marker)
	return page, next, nil
}

// inline is an inline policy of a party.
func (d *directory) inline(operation, kind string, name, policy *string) (*string, error) {
	p, err := d.read(operation).find(kind, *name)
	if err != nil {
		return nil, err
	}
	text, ok := p.Inline[*policy]
	if !ok {
		return nil, missingEntity(kind + " policy with name " + *policy)
	}
	return encoded(text), nil
}

// attached is a page of the managed policies of a party.
func (d *directory) attached(operation, kind string, name, marker *string) ([]iamtypes.AttachedPolicy, *string, error) {
	p, err := d.read(operation).find(kind, *name)
	if err != nil {
		return nil, nil, err
	}
	page, next := paged(d, attachedTo(p), marker)
	return page, next, nil
}

func (d *directory) ListRolePolicies(_ context.Context, in *iam.ListRolePoliciesInput, _ ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error) {
	names, next, err := d.names("ListRolePolicies", "role", in.RoleName, in.Marker)
	return &iam.ListRolePoliciesOutput{PolicyNames: names, Marker: next, IsTruncated: next != nil}, err
}

func (d *directory) ListUserPolicies(_ context.Context, in *iam.ListUserPoliciesInput, _ ...func(*iam.Options)) (*iam.ListUserPoliciesOutput, error) {
	names, next, err := d.names("ListUserPolicies", "user", in.UserName, in.Marker)
	return &iam.ListUserPoliciesOutput{PolicyNames: names, Marker: next, IsTruncated: next != nil}, err
}

func (d *directory) ListGroupPolicies(_ context.Context, in *iam.ListGroupPoliciesInput, _ ...func(*iam.Options)) (*iam.ListGroupPoliciesOutput, error) {
	names, next, err := d.names("ListGroupPolicies", "group", in.GroupName, in.Marker)
	return &iam.ListGroupPoliciesOutput{PolicyNames: names, Marker: next, IsTruncated: next != nil}, err
}

func (d *directory) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, _ ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	text, err := d.inline("GetRolePolicy", "role", in.RoleName, in.PolicyName)
	return &iam.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (d *directory) GetUserPolicy(_ context.Context, in *iam.GetUserPolicyInput, _ ...func(*iam.Options)) (*iam.GetUserPolicyOutput, error) {
	text, err := d.inline("GetUserPolicy", "user", in.UserName, in.PolicyName)
	return &iam.GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (d *directory) GetGroupPolicy(_ context.Context, in *iam.GetGroupPolicyInput, _ ...func(*iam.Options)) (*iam.GetGroupPolicyOutput, error) {
	text, err := d.inline("GetGroupPolicy", "group", in.GroupName, in.PolicyName)
	return &iam.GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: text}, err
}

func (d *directory) ListAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput, _ ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error) {
	page, next, err := d.attached("ListAttachedRolePolicies", "role", in.RoleName, in.Marker)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: page, Marker: next, IsTruncated: next != nil}, err
}

func (d *directory) ListAttachedUserPolicies(_ context.Context, in *iam.ListAttachedUserPoliciesInput, _ ...func(*iam.Options)) (*iam.ListAttachedUserPoliciesOutput, error) {
	page, next, err := d.attached("ListAttachedUserPolicies", "user", in.UserName, in.Marker)
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: page, Marker: next, IsTruncated: next != nil}, err
}

func (d *directory) ListAttachedGroupPolicies(_ context.Context, in *iam.ListAttachedGroupPoliciesInput, _ ...func(*iam.Options)) (*iam.ListAttachedGroupPoliciesOutput, error) {
	page, next, err := d.attached("ListAttachedGroupPolicies", "group", in.GroupName, in.Marker)
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: page, Marker: next, IsTruncated: next != nil}, err
}

func (d *directory) ListGroupsForUser(_ context.Context, in *iam.ListGroupsForUserInput, _ ...func(*iam.Options)) (*iam.ListGroupsForUserOutput, error) {
	s := d.read("ListGroupsForUser")
	p, err := s.find("user", *in.UserName)
	if err != nil {
		return nil, err
	}
	var groups []iamtypes.Group
	for _, name := range p.Groups {
		if g, err := s.find("group", name); err == nil {
			groups = append(groups, iamtypes.Group{GroupName: &g.Name, Path: &g.Path, GroupId: &g.ID, Arn: aws.String(g.arn("group"))})
		}
	}
	page, next := paged(d, groups, in.Marker)
	return &iam.ListGroupsForUserOutput{Groups: page, Marker: next, IsTruncated: next != nil}, nil
}

func (d *directory) GetPolicy(_ context.Context, in *iam.GetPolicyInput, _ ...func(*iam.Options)) (*iam.GetPolicyOutput, error) {
	p, err := d.read("GetPolicy").policy(*in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: &iamtypes.Policy{Arn: in.PolicyArn, PolicyId: &p.ID, DefaultVersionId: &p.Default, CreateDate: &p.Made}}, nil
}

func (d *directory) GetPolicyVersion(_ context.Context, in *iam.GetPolicyVersionInput, _ ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error) {
	p, err := d.read("GetPolicyVersion").policy(*in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, ok := p.Versions[*in.VersionId]
	if !ok {
		return nil, missingEntity("version " + *in.VersionId)
	}
	return &iam.GetPolicyVersionOutput{PolicyVersion: &iamtypes.PolicyVersion{
		VersionId: in.VersionId, Document: encoded(v.Document), CreateDate: &v.Made, IsDefaultVersion: p.Default == *in.VersionId,
	}}, nil
}

func (d *directory) ListEntitiesForPolicy(_ context.Context, in *iam.ListEntitiesForPolicyInput, _ ...func(*iam.Options)) (*iam.ListEntitiesForPolicyOutput, error) {
	s := d.read("ListEntitiesForPolicy")
	if _, err := s.policy(*in.PolicyArn); err != nil {
		return nil, err
	}
	var keys []string
	for key, p := range s.Parties {
		has := slices.Contains(p.Attached, *in.PolicyArn)
		if in.PolicyUsageFilter == iamtypes.PolicyUsageTypePermissionsBoundary {
			has = p.Boundary == *in.PolicyArn
		}
		if has {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	page, next := paged(d, keys, in.Marker)
	out := &iam.ListEntitiesForPolicyOutput{Marker: next, IsTruncated: next != nil}
	for _, key := range page {
		switch kind, name, _ := strings.Cut(key, "/"); kind {
		case "role":
			out.PolicyRoles = append(out.PolicyRoles, iamtypes.PolicyRole{RoleName: &name})
		case "user":
			out.PolicyUsers = append(out.PolicyUsers, iamtypes.PolicyUser{UserName: &name})
		default:
			out.PolicyGroups = append(out.PolicyGroups, iamtypes.PolicyGroup{GroupName: &name})
		}
	}
	return out, nil
}

func (d *directory) ListRoles(_ context.Context, in *iam.ListRolesInput, _ ...func(*iam.Options)) (*iam.ListRolesOutput, error) {
	s := d.read("ListRoles")
	var roles []iamtypes.Role
	for _, key := range slices.Sorted(maps.Keys(s.Parties)) {
		if strings.HasPrefix(key, "role/") {
			role := asRole(s.Parties[key])
			role.PermissionsBoundary, role.Tags = nil, nil // as IAM leaves them out
			roles = append(roles, role)
		}
	}
	page, next := paged(d, roles, in.Marker)
	return &iam.ListRolesOutput{Roles: page, Marker: next, IsTruncated: next != nil}, nil
}

// GetAccountAuthorizationDetails is for the command line: the line never calls it.
func (d *directory) GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	panic("the auditor reads one role at a time")
}

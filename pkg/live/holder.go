package live

import (
	"context"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// baseName is a name without the path before it.
func baseName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// holder is a role, user or group that has identity policies. Its methods make
// one call; those that list answer a page and the marker of the next.
type holder interface {
	word() string // Role, User or Group
	inlineNames(ctx context.Context, marker *string) ([]string, *string, error)
	inline(ctx context.Context, name string) (document *string, err error)
	attached(ctx context.Context, marker *string) ([]types.AttachedPolicy, *string, error)
}

type roleHolder struct {
	api  RoleAPI
	name string
}

func (roleHolder) word() string { return "Role" }

func (h roleHolder) inlineNames(ctx context.Context, marker *string) ([]string, *string, error) {
	out, err := h.api.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &h.name, Marker: marker}, onceIAM)
	if err != nil {
		return nil, nil, err
	}
	return out.PolicyNames, following(out.IsTruncated, out.Marker), nil
}

func (h roleHolder) inline(ctx context.Context, name string) (*string, error) {
	out, err := h.api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &h.name, PolicyName: &name}, onceIAM)
	if err != nil {
		return nil, err
	}
	return out.PolicyDocument, nil
}

func (h roleHolder) attached(ctx context.Context, marker *string) ([]types.AttachedPolicy, *string, error) {
	out, err := h.api.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &h.name, Marker: marker}, onceIAM)
	if err != nil {
		return nil, nil, err
	}
	return out.AttachedPolicies, following(out.IsTruncated, out.Marker), nil
}

type userHolder struct {
	api  UserAPI
	name string
}

func (userHolder) word() string { return "User" }

func (h userHolder) inlineNames(ctx context.Context, marker *string) ([]string, *string, error) {
	out, err := h.api.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: &h.name, Marker: marker}, onceIAM)
	if err != nil {
		return nil, nil, err
	}
	return out.PolicyNames, following(out.IsTruncated, out.Marker), nil
}

func (h userHolder) inline(ctx context.Context, name string) (*string, error) {
	out, err := h.api.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: &h.name, PolicyName: &name}, onceIAM)
	if err != nil {
		return nil, err
	}
	return out.PolicyDocument, nil
}

func (h userHolder) attached(ctx context.Context, marker *string) ([]types.AttachedPolicy, *string, error) {
	out, err := h.api.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: &h.name, Marker: marker}, onceIAM)
	if err != nil {
		return nil, nil, err
	}
	return out.AttachedPolicies, following(out.IsTruncated, out.Marker), nil
}

type groupHolder struct {
	api  GroupAPI
	name string
}

func (groupHolder) word() string { return "Group" }

func (h groupHolder) inlineNames(ctx context.Context, marker *string) ([]string, *string, error) {
	out, err := h.api.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: &h.name, Marker: marker}, onceIAM)
	if err != nil {
		return nil, nil, err
	}
	return out.PolicyNames, following(out.IsTruncated, out.Marker), nil
}

func (h groupHolder) inline(ctx context.Context, name string) (*string, error) {
	out, err := h.api.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: &h.name, PolicyName: &name}, onceIAM)
	if err != nil {
		return nil, err
	}
	return out.PolicyDocument, nil
}

func (h groupHolder) attached(ctx context.Context, marker *string) ([]types.AttachedPolicy, *string, error) {
	out, err := h.api.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: &h.name, Marker: marker}, onceIAM)
	if err != nil {
		return nil, nil, err
	}
	return out.AttachedPolicies, following(out.IsTruncated, out.Marker), nil
}

// union is identity policies as one, and which of them each statement is of.
// The zero union has none.
type union struct {
	policy policy.Policy
	parts  []drift.RolePolicy
}

// add adds a policy to the union.
func (u *union) add(part drift.RolePolicy, p policy.Policy) {
	part.Statements = len(p.Statements)
	u.policy.Version = version2012
	u.policy.Statements = append(u.policy.Statements, p.Statements...)
	u.parts = append(u.parts, part)
}

// addGroup adds the policies of a group, for a user who is in it.
func (u *union) addGroup(name string, group union) {
	u.policy.Version = version2012
	u.policy.Statements = append(u.policy.Statements, group.policy.Statements...)
	for _, part := range group.parts {
		part.Group = name
		u.parts = append(u.parts, part)
	}
}

// policiesOf are a holder's identity policies: the inline ones, then the
// attached ones at their default version. With an error there is no union, as
// half of one would look like few rights. A policy that is listed and not found
// is an error, since IAM may show a new one late.
func (l *Lambda) policiesOf(ctx context.Context, h holder) (union, error) {
	u := union{policy: policy.Policy{Version: version2012}}
	for name, err := range l.inlineNames(ctx, h) {
		if err != nil {
			return union{}, err
		}
		w, err := l.inline(ctx, h, name)
		if err != nil {
			return union{}, err
		}
		u.add(drift.RolePolicy{Name: name}, w.policy)
	}
	for a, err := range l.attached(ctx, h) {
		if err != nil {
			return union{}, err
		}
		arn := aws.ToString(a.PolicyArn)
		w, err := l.managed(ctx, arn)
		if err != nil {
			return union{}, err
		}
		u.add(drift.RolePolicy{ARN: arn, VersionID: w.version}, w.policy)
	}
	return u, nil
}

func (l *Lambda) inlineNames(ctx context.Context, h holder) iter.Seq2[string, error] {
	return pages(ctx, l, "List"+h.word()+"Policies", nil, func(marker *string) ([]string, *string, error) {
		return h.inlineNames(ctx, marker)
	})
}

func (l *Lambda) inline(ctx context.Context, h holder, name string) (written, error) {
	var document *string
	err := l.call(ctx, "Get"+h.word()+"Policy", nil, func() (err error) {
		document, err = h.inline(ctx, name)
		return err
	})
	if err != nil {
		return written{}, err
	}
	return parseWritten("inline policy "+name, document)
}

func (l *Lambda) attached(ctx context.Context, h holder) iter.Seq2[types.AttachedPolicy, error] {
	return pages(ctx, l, "ListAttached"+h.word()+"Policies", nil, func(marker *string) ([]types.AttachedPolicy, *string, error) {
		return h.attached(ctx, marker)
	})
}

package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// IAMAPI is what reading roles, users and groups calls.
type IAMAPI interface {
	RoleAPI
	UserAPI
	GroupAPI
	ManagedPolicyAPI
	AccountAPI
}

// RoleAPI is what reading one role calls.
type RoleAPI interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	ListRolePolicies(context.Context, *iam.ListRolePoliciesInput, ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	ListAttachedRolePolicies(context.Context, *iam.ListAttachedRolePoliciesInput, ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error)
}

// UserAPI is what reading one user calls, beside GroupAPI for his groups.
type UserAPI interface {
	GetUser(context.Context, *iam.GetUserInput, ...func(*iam.Options)) (*iam.GetUserOutput, error)
	ListUserPolicies(context.Context, *iam.ListUserPoliciesInput, ...func(*iam.Options)) (*iam.ListUserPoliciesOutput, error)
	GetUserPolicy(context.Context, *iam.GetUserPolicyInput, ...func(*iam.Options)) (*iam.GetUserPolicyOutput, error)
	ListAttachedUserPolicies(context.Context, *iam.ListAttachedUserPoliciesInput, ...func(*iam.Options)) (*iam.ListAttachedUserPoliciesOutput, error)
	ListGroupsForUser(context.Context, *iam.ListGroupsForUserInput, ...func(*iam.Options)) (*iam.ListGroupsForUserOutput, error)
}

// GroupAPI is what reading one group calls.
type GroupAPI interface {
	ListGroupPolicies(context.Context, *iam.ListGroupPoliciesInput, ...func(*iam.Options)) (*iam.ListGroupPoliciesOutput, error)
	GetGroupPolicy(context.Context, *iam.GetGroupPolicyInput, ...func(*iam.Options)) (*iam.GetGroupPolicyOutput, error)
	ListAttachedGroupPolicies(context.Context, *iam.ListAttachedGroupPoliciesInput, ...func(*iam.Options)) (*iam.ListAttachedGroupPoliciesOutput, error)
}

// ManagedPolicyAPI is what reading managed policies calls, and who has them.
type ManagedPolicyAPI interface {
	GetPolicy(context.Context, *iam.GetPolicyInput, ...func(*iam.Options)) (*iam.GetPolicyOutput, error)
	GetPolicyVersion(context.Context, *iam.GetPolicyVersionInput, ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error)
	ListEntitiesForPolicy(context.Context, *iam.ListEntitiesForPolicyInput, ...func(*iam.Options)) (*iam.ListEntitiesForPolicyOutput, error)
}

// AccountAPI is what reading all that is in an account calls.
type AccountAPI interface {
	ListRoles(context.Context, *iam.ListRolesInput, ...func(*iam.Options)) (*iam.ListRolesOutput, error)
	GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error)
}

// isIdentity reports whether IAM knows the subjects of a kind by a name.
func isIdentity(kind drift.Kind) bool {
	return kind == drift.Role || kind == drift.User || kind == drift.Group
}

// identitySubject is the subject of a role, user or group.
func identitySubject(kind drift.Kind, partition, account, name string) drift.Subject {
	return drift.Subject("arn:" + partition + ":iam::" + account + ":" + string(kind) + "/" + baseName(name))
}

// checkIAM says why nothing of the account of a subject can be asked of IAM.
func (l *Lambda) checkIAM(s drift.Subject) error {
	if l.iam == nil {
		return fmt.Errorf("%s is a %s, and reading IAM is not configured (live.WithIAM): %w", s, s.Kind(), ErrNotAudited)
	}
	return l.checkAccount(s)
}

// checkAccount says that a subject lies in another account than that of Home.
func (l *Lambda) checkAccount(s drift.Subject) error {
	if l.home != (site{}) && s.Account() != l.home.account {
		return fmt.Errorf("%s is in account %s, this reads account %s: %w", s, s.Account(), l.home.account, ErrForeign)
	}
	return nil
}

// ask makes one call of IAM. The error is as that of call.
func ask[I, O any](ctx context.Context, l *Lambda, operation string, method func(context.Context, *I, ...func(*iam.Options)) (*O, error), in *I) (*O, error) {
	var out *O
	err := l.call(ctx, operation, nil, func() (err error) {
		out, err = method(ctx, in, onceIAM)
		return err
	})
	return out, err
}

// errEmpty is an answer without what was asked for.
var errEmpty = errors.New("the answer is empty")

// rights are what a role may do. What could not be read is the Problem of the
// rights; only a context that ends is an error. The account is the subject's,
// for readers without a home.
func (l *Lambda) rights(ctx context.Context, account, arn string) (drift.Rights, error) {
	if l.home != (site{}) {
		account = l.home.account
	}
	rights, err := l.readRights(ctx, account, drift.Subject(arn))
	if ended := ctx.Err(); ended != nil {
		return drift.Rights{}, fmt.Errorf("rights of %s: %w", arn, ended)
	}
	if failed, ok := errors.AsType[*callError](err); ok {
		return drift.Rights{Problem: failed.reason()}, nil
	}
	if err != nil {
		return drift.Rights{Problem: err.Error()}, nil //nolint:nilerr // a problem is how it is told
	}
	return rights, nil
}

// readRights reads a role's identity policies and its boundary.
func (l *Lambda) readRights(ctx context.Context, account string, role drift.Subject) (drift.Rights, error) {
	switch {
	case role.Kind() != drift.Role:
		return drift.Rights{}, fmt.Errorf("%q is not the ARN of a role", role)
	case l.iam == nil:
		return drift.Rights{}, errors.New("reading roles is not configured")
	case role.Account() != account:
		return drift.Rights{}, fmt.Errorf("the role is in account %s, and only those of account %s are read", role.Account(), account)
	}
	name := baseName(role.Name())
	out, err := ask(ctx, l, "GetRole", l.iam.GetRole, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return drift.Rights{}, err
	}
	var limit *policy.Policy
	if out.Role != nil && out.Role.PermissionsBoundary != nil {
		boundary, err := l.managed(ctx, aws.ToString(out.Role.PermissionsBoundary.PermissionsBoundaryArn))
		if err != nil {
			return drift.Rights{}, err
		}
		limit = &boundary.policy
	}
	u, err := l.policiesOf(ctx, roleHolder{l.iam, name})
	return drift.Rights{Policy: u.policy, Boundary: limit}, err
}

// following is the marker of the next page, nil on the last.
func following(truncated bool, marker *string) *string {
	if !truncated {
		return nil
	}
	return marker
}

// onceIAM switches off the SDK's retries, as once does.
func onceIAM(o *iam.Options) { o.Retryer = aws.NopRetryer{} }

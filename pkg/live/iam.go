package live

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// IAMAPI is what reading the rights of a role calls.
type IAMAPI interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	ListRolePolicies(context.Context, *iam.ListRolePoliciesInput, ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error)
	GetRolePolicy(context.Context, *iam.GetRolePolicyInput, ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error)
	ListAttachedRolePolicies(context.Context, *iam.ListAttachedRolePoliciesInput, ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error)
	GetPolicy(context.Context, *iam.GetPolicyInput, ...func(*iam.Options)) (*iam.GetPolicyOutput, error)
	GetPolicyVersion(context.Context, *iam.GetPolicyVersionInput, ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error)
}

// version2012 is the version of the policy language in which rights are told.
const version2012 = "2012-10-17"

// rights are what a role may do. What could not be read is the Problem of the
// rights; only a context that ends is an error. The account is the subject's,
// for readers without a home.
func (l *Lambda) rights(ctx context.Context, account, arn string) (drift.Rights, error) {
	if l.home != (site{}) {
		account = l.home.account
	}
	r, err := l.role(account, arn)
	var rights drift.Rights
	if err == nil {
		rights, err = r.rights(ctx)
	}
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

// role reads one role.
type role struct {
	lambda *Lambda
	name   string // without its path
}

// role is the reader of the role of an ARN, which may have a path.
func (l *Lambda) role(account, arn string) (role, error) {
	subject := drift.Subject(arn)
	switch {
	case subject.Kind() != drift.Role:
		return role{}, fmt.Errorf("%q is not the ARN of a role", arn)
	case l.iam == nil:
		return role{}, errors.New("reading roles is not configured")
	case subject.Account() != account:
		return role{}, fmt.Errorf("the role is in account %s, and only those of account %s are read", subject.Account(), account)
	}
	return role{l, arn[strings.LastIndexByte(arn, '/')+1:]}, nil
}

// rights reads the role's identity policies and its boundary.
func (r role) rights(ctx context.Context) (drift.Rights, error) {
	rights := drift.Rights{Policy: policy.Policy{Version: version2012}}
	var out *iam.GetRoleOutput
	err := r.lambda.call(ctx, "GetRole", nil, func() (err error) {
		out, err = r.lambda.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &r.name}, onceIAM)
		return err
	})
	if err != nil {
		return drift.Rights{}, err
	}
	if out.Role != nil && out.Role.PermissionsBoundary != nil {
		boundary, err := r.managed(ctx, aws.ToString(out.Role.PermissionsBoundary.PermissionsBoundaryArn))
		if err != nil {
			return drift.Rights{}, err
		}
		rights.Boundary = &boundary
	}
	for p, err := range r.policies(ctx) {
		if err != nil {
			return drift.Rights{}, err
		}
		rights.Policy.Statements = append(rights.Policy.Statements, p.Statements...)
	}
	return rights, nil
}

// policies are the role's identity policies: the inline ones, then the
// attached ones at their default version. An error ends them. A policy that is
// listed and not found is an error, since IAM may show a new one late.
func (r role) policies(ctx context.Context) iter.Seq2[policy.Policy, error] {
	return func(yield func(policy.Policy, error) bool) {
		for name, err := range r.inlineNames(ctx) {
			var p policy.Policy
			if err == nil {
				p, err = r.inline(ctx, name)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
		for arn, err := range r.attached(ctx) {
			var p policy.Policy
			if err == nil {
				p, err = r.managed(ctx, arn)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (r role) inlineNames(ctx context.Context) iter.Seq2[string, error] {
	return pages(ctx, r.lambda, "ListRolePolicies", nil, func(marker *string) ([]string, *string, error) {
		out, err := r.lambda.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &r.name, Marker: marker}, onceIAM)
		if err != nil {
			return nil, nil, err
		}
		return out.PolicyNames, following(out.IsTruncated, out.Marker), nil
	})
}

func (r role) inline(ctx context.Context, name string) (policy.Policy, error) {
	var out *iam.GetRolePolicyOutput
	err := r.lambda.call(ctx, "GetRolePolicy", nil, func() (err error) {
		out, err = r.lambda.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &r.name, PolicyName: &name}, onceIAM)
		return err
	})
	if err != nil {
		return policy.Policy{}, err
	}
	return parseRights("inline policy "+name, out.PolicyDocument)
}

func (r role) attached(ctx context.Context) iter.Seq2[string, error] {
	return pages(ctx, r.lambda, "ListAttachedRolePolicies", nil, func(marker *string) (arns []string, next *string, err error) {
		out, err := r.lambda.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &r.name, Marker: marker}, onceIAM)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range out.AttachedPolicies {
			arns = append(arns, aws.ToString(p.PolicyArn))
		}
		return arns, following(out.IsTruncated, out.Marker), nil
	})
}

// managed is a managed policy at its default version.
func (r role) managed(ctx context.Context, arn string) (policy.Policy, error) {
	var head *iam.GetPolicyOutput
	err := r.lambda.call(ctx, "GetPolicy", nil, func() (err error) {
		head, err = r.lambda.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn}, onceIAM)
		return err
	})
	if err != nil {
		return policy.Policy{}, err
	}
	if head.Policy == nil {
		head.Policy = &types.Policy{}
	}
	var out *iam.GetPolicyVersionOutput
	err = r.lambda.call(ctx, "GetPolicyVersion", nil, func() (err error) {
		out, err = r.lambda.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: head.Policy.DefaultVersionId}, onceIAM)
		return err
	})
	if err != nil {
		return policy.Policy{}, err
	}
	if out.PolicyVersion == nil {
		out.PolicyVersion = &types.PolicyVersion{}
	}
	return parseRights("policy "+arn, out.PolicyVersion.Document)
}

// parseRights parses a document as IAM gives it, URL-encoded, into the language
// of 2012-10-17: what an older version takes as text is escaped.
func parseRights(what string, document *string) (policy.Policy, error) {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return policy.Policy{}, fmt.Errorf("%s is not URL-encoded: %w", what, err)
	}
	p, err := policy.Parse([]byte(text))
	if err != nil {
		return policy.Policy{}, fmt.Errorf("%s does not parse: %w", what, err)
	}
	if p.Version == version2012 {
		return p, nil
	}
	p.Version = version2012
	for i, s := range p.Statements {
		if p.Statements[i], err = policy.ParseStatement([]byte(s.String())); err != nil {
			return policy.Policy{}, fmt.Errorf("%s has no equal in version %s: %w", what, version2012, err)
		}
	}
	return p, nil
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

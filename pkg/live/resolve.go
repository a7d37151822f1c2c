package live

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// anywhere is the service that assumes roles for holders of certificates.
const anywhere = "rolesanywhere.amazonaws.com"

// Resolve finds the roles, users and groups that a change concerns without
// naming them: who has a managed policy, or whose trust policy names a
// provider. Other changes name their subject, and concern nobody else. Without
// a client ([WithIAM]) it is [drift.ErrUnresolved].
func (l *Lambda) Resolve(ctx context.Context, change drift.Change) ([]drift.Subject, error) {
	subject := change.Subject
	if l.iam == nil {
		return nil, fmt.Errorf("%s: no client of IAM was given (live.WithIAM): %w", subject, drift.ErrUnresolved)
	}
	var found iter.Seq2[drift.Subject, error]
	switch kind := subject.Kind(); {
	case kind == drift.ManagedPol:
		at, err := l.holdersAccount(change)
		if err != nil {
			return nil, err
		}
		found = l.holders(ctx, subject, at)
	case kind == drift.Provider, kind == drift.Account && change.Operation == drift.PutProvider: // Roles Anywhere, without an id
		if err := l.checkAccount(subject); err != nil {
			return nil, err
		}
		found = l.trusting(ctx, subject)
	default:
		return nil, nil
	}
	var all []drift.Subject
	seen := map[drift.Subject]bool{}
	for s, err := range found {
		if isMissing(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("finding whom %s concerns: %w", subject, err)
		}
		if !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	return all, nil
}

// holdersAccount is the account whose roles, users and groups may have a
// managed policy: its own; of a policy of AWS that of Home, else of the event.
func (l *Lambda) holdersAccount(change drift.Change) (string, error) {
	account := change.Subject.Account()
	if account != "aws" {
		return account, l.checkAccount(change.Subject)
	}
	if account = l.home.account; account == "" {
		account = change.Event.Account
	}
	if account == "" {
		return "", fmt.Errorf("%s is in every account, and none is named (live.Home): %w", change.Subject, drift.ErrUnresolved)
	}
	return account, l.checkAccount(drift.AccountSubject(change.Subject.Partition(), account))
}

// holders are who has a managed policy, as permissions or as boundary.
func (l *Lambda) holders(ctx context.Context, managed drift.Subject, account string) iter.Seq2[drift.Subject, error] {
	arn := string(managed)
	return func(yield func(drift.Subject, error) bool) {
		for _, usage := range []types.PolicyUsageType{types.PolicyUsageTypePermissionsPolicy, types.PolicyUsageTypePermissionsBoundary} {
			using := pages(ctx, l, "ListEntitiesForPolicy", nil, func(marker *string) (all []drift.Subject, next *string, err error) {
				out, err := l.iam.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: &arn, PolicyUsageFilter: usage, Marker: marker}, onceIAM)
				if err != nil {
					return nil, nil, err
				}
				add := func(kind drift.Kind, name *string) {
					all = append(all, identitySubject(kind, managed.Partition(), account, aws.ToString(name)))
				}
				for _, r := range out.PolicyRoles {
					add(drift.Role, r.RoleName)
				}
				for _, u := range out.PolicyUsers {
					add(drift.User, u.UserName)
				}
				for _, g := range out.PolicyGroups {
					add(drift.Group, g.GroupName)
				}
				return all, following(out.IsTruncated, out.Marker), nil
			})
			for s, err := range using {
				if !yield(s, err) || err != nil {
					return
				}
			}
		}
	}
}

// trusting are the roles whose trust policy names a provider, and those whose
// trust policy cannot be read.
func (l *Lambda) trusting(ctx context.Context, provider drift.Subject) iter.Seq2[drift.Subject, error] {
	names := func(p *policy.Principals) bool { return slices.Contains(p.Service, anywhere) }
	if strings.HasPrefix(string(provider), "arn:"+provider.Partition()+":iam::") && provider.Kind() == drift.Provider {
		names = func(p *policy.Principals) bool {
			return slices.ContainsFunc(p.Federated, func(f string) bool { return f == "*" || strings.EqualFold(f, string(provider)) })
		}
	}
	return func(yield func(drift.Subject, error) bool) {
		for role, err := range l.allRoles(ctx) {
			if err == nil && !trusts(role.AssumeRolePolicyDocument, names) {
				continue
			}
			var subject drift.Subject
			if err == nil {
				subject, err = l.identityOf(drift.Role, role.Arn)
			}
			if !yield(subject, err) || err != nil {
				return
			}
		}
	}
}

// trusts reports whether a trust policy may let in whom names tells.
func trusts(document *string, names func(*policy.Principals) bool) bool {
	w, err := parseWritten("the trust policy", document)
	return err != nil || slices.ContainsFunc(w.policy.Statements, func(s policy.Statement) bool {
		p := s.Principal
		return p == nil || p.Any || slices.Contains(p.AWS, "*") || names(p)
	})
}

package live

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// Authorizations reads all groups, roles and users of the account in bulk, and
// yields the state of each, one at a time, as State would read it. An error
// ends the sequence: what came before it is then not all there is.
func (l *Lambda) Authorizations(ctx context.Context) iter.Seq2[drift.State, error] {
	return func(yield func(drift.State, error) bool) {
		if l.iam == nil {
			yield(drift.State{}, errors.New("reading the authorizations of the account: no client was given (live.WithIAM)"))
			return
		}
		b := &bulk{lambda: l, policies: map[string]*bulkPolicy{}, groups: map[string]bulkGroup{}}
		for state, err := range b.states(ctx) {
			if err != nil {
				err = fmt.Errorf("reading the authorizations of the account: %w", err)
			}
			if !yield(state, err) || err != nil {
				return
			}
		}
	}
}

// bulk is what the roles and users of a bulk read refer to.
type bulk struct {
	lambda   *Lambda
	policies map[string]*bulkPolicy // by ARN
	groups   map[string]bulkGroup   // by name
}

// bulkPolicy is a managed policy at its default version, parsed when first used.
type bulkPolicy struct {
	version  types.PolicyVersion
	read     bool
	document written
	err      error
}

// bulkGroup are the policies of a group, or why they could not be read.
type bulkGroup struct {
	policies union
	err      error
}

// states reads the account twice: the policies and groups first, since pages
// come in no order that is promised.
func (b *bulk) states(ctx context.Context) iter.Seq2[drift.State, error] {
	return func(yield func(drift.State, error) bool) {
		groups, err := b.collect(ctx)
		if err != nil {
			yield(drift.State{}, err)
			return
		}
		for _, g := range groups {
			if !one(yield)(b.group(ctx, g)) {
				return
			}
		}
		for page, err := range b.pages(ctx, types.EntityTypeRole, types.EntityTypeUser) {
			if err != nil {
				yield(drift.State{}, err)
				return
			}
			for _, role := range page.RoleDetailList {
				if !one(yield)(b.role(ctx, role)) {
					return
				}
			}
			for _, user := range page.UserDetailList {
				if !one(yield)(b.user(ctx, user)) {
					return
				}
			}
		}
	}
}

// collect keeps the managed policies of the account and returns its groups.
func (b *bulk) collect(ctx context.Context) (groups []types.GroupDetail, err error) {
	for page, err := range b.pages(ctx, types.EntityTypeGroup, types.EntityTypeLocalManagedPolicy, types.EntityTypeAWSManagedPolicy) {
		if err != nil {
			return nil, err
		}
		groups = append(groups, page.GroupDetailList...)
		for _, p := range page.Policies {
			b.keep(p)
		}
	}
	return groups, nil
}

// one yields what was read, and reports whether to go on.
func one(yield func(drift.State, error) bool) func(*reader, error) bool {
	return func(r *reader, err error) bool {
		if err != nil {
			yield(drift.State{}, err)
			return false
		}
		return yield(r.state, nil)
	}
}

// pages are the pages of the account's details of some types.
func (b *bulk) pages(ctx context.Context, filter ...types.EntityType) iter.Seq2[*iam.GetAccountAuthorizationDetailsOutput, error] {
	const operation = "GetAccountAuthorizationDetails"
	return pages(ctx, b.lambda, operation, nil, func(marker *string) ([]*iam.GetAccountAuthorizationDetailsOutput, *string, error) {
		out, err := b.lambda.iam.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{Filter: filter, Marker: marker}, onceIAM)
		if err != nil {
			return nil, nil, err
		}
		return []*iam.GetAccountAuthorizationDetailsOutput{out}, following(out.IsTruncated, out.Marker), nil
	})
}

// keep keeps the default version of a managed policy.
func (b *bulk) keep(p types.ManagedPolicyDetail) {
	for _, v := range p.PolicyVersionList {
		if id := aws.ToString(v.VersionId); id != "" && id == aws.ToString(p.DefaultVersionId) {
			b.policies[aws.ToString(p.Arn)] = &bulkPolicy{version: v}
		}
	}
}

// managed is a managed policy at its default version. One that the details do
// not have, as it was attached a moment ago, is read by itself.
func (b *bulk) managed(ctx context.Context, arn string) (written, error) {
	p := b.policies[arn]
	if p == nil {
		p = &bulkPolicy{read: true}
		if p.document, p.err = b.lambda.managed(ctx, arn); p.err == nil {
			b.policies[arn] = p
		}
		return p.document, p.err
	}
	if !p.read {
		p.read = true
		p.document, p.err = parseWritten("policy "+arn, p.version.Document)
		p.document.version = aws.ToString(p.version.VersionId)
		p.version.Document = nil
	}
	return p.document, p.err
}

// union are identity policies as the details have them.
func (b *bulk) union(ctx context.Context, inline []types.PolicyDetail, attached []types.AttachedPolicy) (union, error) {
	u := union{policy: policy.Policy{Version: version2012}}
	for _, p := range inline {
		name := aws.ToString(p.PolicyName)
		w, err := parseWritten("inline policy "+name, p.PolicyDocument)
		if err != nil {
			return union{}, err
		}
		u.add(drift.RolePolicy{Name: name}, w.policy)
	}
	for _, a := range attached {
		arn := aws.ToString(a.PolicyArn)
		w, err := b.managed(ctx, arn)
		if err != nil {
			return union{}, err
		}
		u.add(drift.RolePolicy{ARN: arn, VersionID: w.version}, w.policy)
	}
	return u, nil
}

// begin is the reader of a subject that the details have.
func (b *bulk) begin(kind drift.Kind, arn *string) (*reader, error) {
	subject, err := b.lambda.identityOf(kind, arn)
	if err != nil {
		return nil, err
	}
	r := b.lambda.identityReader(subject)
	r.state.Whole = true
	r.begin(arn)
	return r, nil
}

func (b *bulk) group(ctx context.Context, detail types.GroupDetail) (*reader, error) {
	r, err := b.begin(drift.Group, detail.Arn)
	if err != nil {
		return nil, err
	}
	r.state.Policies[drift.Boundary] = drift.PlacePolicy{}
	u, err := b.union(ctx, detail.GroupPolicyList, detail.AttachedManagedPolicies)
	b.groups[aws.ToString(detail.GroupName)] = bulkGroup{u, err}
	return r, wrap(r, r.putIdentity(u, err))
}

func (b *bulk) role(ctx context.Context, detail types.RoleDetail) (*reader, error) {
	r, err := b.begin(drift.Role, detail.Arn)
	if err != nil {
		return nil, err
	}
	r.lastUsed(detail.RoleLastUsed)
	r.state.Tags = tags(detail.Tags)
	r.state.Role.BoundaryARN = boundaryARN(detail.PermissionsBoundary)
	r.putTrust(detail.AssumeRolePolicyDocument)
	if err := r.readBoundary(ctx, nil, b.managed); err != nil {
		return nil, wrap(r, err)
	}
	u, err := b.union(ctx, detail.RolePolicyList, detail.AttachedManagedPolicies)
	return r, wrap(r, r.putIdentity(u, err))
}

func (b *bulk) user(ctx context.Context, detail types.UserDetail) (*reader, error) {
	r, err := b.begin(drift.User, detail.Arn)
	if err != nil {
		return nil, err
	}
	r.state.Tags = tags(detail.Tags)
	r.state.Role.BoundaryARN = boundaryARN(detail.PermissionsBoundary)
	if err := r.readBoundary(ctx, nil, b.managed); err != nil {
		return nil, wrap(r, err)
	}
	u, err := b.union(ctx, detail.UserPolicyList, detail.AttachedManagedPolicies)
	for _, name := range detail.GroupList {
		if err != nil {
			break
		}
		g, known := b.groups[name]
		if !known { // it was made a moment ago
			g.policies, g.err = b.lambda.policiesOf(ctx, groupHolder{b.lambda.iam, name})
			b.groups[name] = g
		}
		err = g.err
		u.addGroup(name, g.policies)
		r.state.Role.Groups = append(r.state.Role.Groups, name)
	}
	return r, wrap(r, r.putIdentity(u, err))
}

// wrap says what was being read.
func wrap(r *reader, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", r.subject, err)
}

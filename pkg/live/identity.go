package live

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// identityState reads a role, user or group: of a role whose trust policy was
// put that policy alone, of all else everything.
func (l *Lambda) identityState(ctx context.Context, change drift.Change) (drift.State, error) {
	subject := change.Subject
	if err := l.checkIAM(subject); err != nil {
		return drift.State{}, err
	}
	r := l.identityReader(subject)
	var err error
	switch subject.Kind() {
	case drift.Role:
		err = r.readRole(ctx, change.Operation == drift.PutPolicy && change.Place == drift.Trust && !change.Whole)
	case drift.User:
		err = r.readUser(ctx)
	default:
		err = r.readGroup(ctx)
	}
	if err != nil {
		return drift.State{}, fmt.Errorf("reading %s: %w", subject, err)
	}
	return r.state, nil
}

// identityReader reads a role, user or group once.
func (l *Lambda) identityReader(subject drift.Subject) *reader {
	return &reader{lambda: l, target: l.own, subject: subject, state: drift.State{
		Subject: subject, Policies: map[drift.Place]drift.PlacePolicy{}, ReadAt: l.now(),
	}}
}

// name is how IAM is asked for the subject.
func (r *reader) name() *string { return aws.String(baseName(r.subject.Name())) }

// readRole reads a role. Where it cannot be read itself, its identity policies
// may still be.
func (r *reader) readRole(ctx context.Context, trustOnly bool) error {
	out, err := ask(ctx, r.lambda, "GetRole", r.lambda.iam.GetRole, &iam.GetRoleInput{RoleName: r.name()})
	if err == nil && out.Role == nil {
		err = &callError{"GetRole", faulty, errEmpty}
	}
	if isMissing(err) {
		r.state.Whole = true
		return nil
	}
	var role types.Role
	if err == nil {
		role = *out.Role
		err = r.is(role.Arn)
	}
	r.begin(role.Arn)
	if err == nil {
		r.lastUsed(role.RoleLastUsed)
		r.state.Tags = tags(role.Tags)
		r.putTrust(role.AssumeRolePolicyDocument)
	} else if err := r.unread(err, drift.Trust); err != nil {
		return err
	}
	r.state.Role.BoundaryARN = boundaryARN(role.PermissionsBoundary)
	if trustOnly {
		return nil
	}
	r.state.Whole = true
	if err := r.readBoundary(ctx, err, r.lambda.managed); err != nil {
		return err
	}
	u, err := r.lambda.policiesOf(ctx, roleHolder{r.lambda.iam, *r.name()})
	return r.putIdentity(u, err)
}

// readUser reads a user, with the policies of the groups that he is in.
func (r *reader) readUser(ctx context.Context) error {
	out, err := ask(ctx, r.lambda, "GetUser", r.lambda.iam.GetUser, &iam.GetUserInput{UserName: r.name()})
	if err == nil && out.User == nil {
		err = &callError{"GetUser", faulty, errEmpty}
	}
	r.state.Whole = true
	if isMissing(err) {
		return nil
	}
	var user types.User
	if err == nil {
		user = *out.User
		err = r.is(user.Arn)
	}
	r.begin(user.Arn)
	if err == nil {
		r.state.Tags = tags(user.Tags)
	}
	r.state.Role.BoundaryARN = boundaryARN(user.PermissionsBoundary)
	if err := r.readBoundary(ctx, err, r.lambda.managed); err != nil {
		return err
	}
	u, err := r.lambda.policiesOf(ctx, userHolder{r.lambda.iam, *r.name()})
	if err == nil {
		err = r.addGroups(ctx, &u)
	}
	return r.putIdentity(u, err)
}

// addGroups adds the policies of the user's groups to his own.
func (r *reader) addGroups(ctx context.Context, u *union) error {
	groups := pages(ctx, r.lambda, "ListGroupsForUser", nil, func(marker *string) ([]types.Group, *string, error) {
		out, err := r.lambda.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: r.name(), Marker: marker}, onceIAM)
		if err != nil {
			return nil, nil, err
		}
		return out.Groups, following(out.IsTruncated, out.Marker), nil
	})
	for g, err := range groups {
		if err != nil {
			return err
		}
		name := aws.ToString(g.GroupName)
		group, err := r.lambda.policiesOf(ctx, groupHolder{r.lambda.iam, name})
		if err != nil {
			return err
		}
		u.addGroup(name, group)
		r.state.Role.Groups = append(r.state.Role.Groups, name)
	}
	return nil
}

// listGroupPolicies is the call that says whether there is a group.
const listGroupPolicies = "ListGroupPolicies"

// readGroup reads a group, which has no boundary.
func (r *reader) readGroup(ctx context.Context) error {
	r.state.Whole = true
	u, err := r.lambda.policiesOf(ctx, groupHolder{r.lambda.iam, *r.name()})
	if failed, ok := errors.AsType[*callError](err); ok && failed.class == missing && failed.operation == listGroupPolicies {
		return nil
	}
	r.begin(nil)
	r.state.Policies[drift.Boundary] = drift.PlacePolicy{}
	return r.putIdentity(u, err)
}

// is says that an answer is about another account's namesake of the subject:
// IAM is asked by name alone.
func (r *reader) is(arn *string) error {
	if got := drift.Subject(aws.ToString(arn)); got != "" && got.Account() != r.subject.Account() {
		return fmt.Errorf("IAM answers for account %s: %w", got.Account(), ErrForeign)
	}
	return nil
}

// begin notes that the subject exists, under the ARN that IAM gives it.
func (r *reader) begin(arn *string) {
	r.state.Role = &drift.RoleState{ARN: string(r.subject)}
	if arn := aws.ToString(arn); arn != "" {
		r.state.Role.ARN = arn
	}
}

func (r *reader) lastUsed(used *types.RoleLastUsed) {
	if used != nil && used.LastUsedDate != nil {
		r.state.Role.LastUsed = *used.LastUsedDate
	}
}

// tags are the tags of an answer, which are all there are.
func tags(list []types.Tag) map[string]string {
	all := map[string]string{}
	for _, t := range list {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}

func boundaryARN(b *types.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	return aws.ToString(b.PermissionsBoundaryArn)
}

// putTrust parses the trust policy into the state, as a policy or as a gap.
func (r *reader) putTrust(document *string) {
	text, err := decode("the trust policy", document)
	var p policy.Policy
	if err == nil {
		if p, err = policy.Parse([]byte(text)); err != nil {
			err = &documentError{"the trust policy does not parse", err}
		}
	}
	if err != nil {
		r.state.Gaps = append(r.state.Gaps, drift.Gap{Place: drift.Trust, Reason: err.Error()})
		return
	}
	r.state.Policies[drift.Trust] = drift.PlacePolicy{Policy: p, Document: text}
}

// readBoundary reads the boundary whose ARN the state has, unless that itself
// could not be read.
func (r *reader) readBoundary(ctx context.Context, unread error, managed func(context.Context, string) (written, error)) error {
	if unread != nil {
		return r.unread(unread, drift.Boundary)
	}
	var w written
	if arn := r.state.Role.BoundaryARN; arn != "" {
		var err error
		if w, err = managed(ctx, arn); err != nil {
			return r.unread(err, drift.Boundary)
		}
	}
	r.state.Policies[drift.Boundary] = drift.PlacePolicy{Policy: w.policy, Document: w.text, RevisionID: w.version}
	return nil
}

// putIdentity puts all identity policies into the state, or a gap.
func (r *reader) putIdentity(u union, err error) error {
	if err != nil {
		r.state.Role.Groups = nil
		return r.unread(err, drift.Identity)
	}
	u.policy.Statements = slices.Clip(u.policy.Statements)
	r.state.Policies[drift.Identity] = drift.PlacePolicy{Policy: u.policy}
	r.state.Role.Policies = u.parts
	return nil
}

// unread notes a gap of a place, if the service answered: then it is nil.
func (r *reader) unread(err error, p drift.Place) error {
	if bad, ok := errors.AsType[*documentError](err); ok {
		r.state.Gaps = append(r.state.Gaps, drift.Gap{Place: p, Reason: bad.Error()})
		return nil
	}
	if err := r.gap(err, drift.Gap{Place: p}); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	return nil
}

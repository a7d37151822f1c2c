package live

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Complete reads what is wanted beside a state and returns the state with it;
// the given state stays as it is. What the state has already is not read again.
// See the package comment for what cannot be read.
func (l *Lambda) Complete(ctx context.Context, state drift.State, want drift.Want) (drift.State, error) {
	t, err := l.target(state.Subject)
	if err != nil {
		return drift.State{}, err
	}
	state.URLs, state.Rights, state.Gaps = maps.Clone(state.URLs), maps.Clone(state.Rights), slices.Clone(state.Gaps)
	r := reader{lambda: l, target: t, subject: state.Subject, state: state}
	if state.Whole { // it was read, slowly, for a sweep
		r.policies, r.others = t.policies, t.others
	}
	if err := r.complete(ctx, want); err != nil {
		return drift.State{}, fmt.Errorf("reading what belongs to %s: %w", state.Subject, err)
	}
	return r.state, nil
}

func (r *reader) complete(ctx context.Context, want drift.Want) error {
	isFunction := r.subject.Kind() == drift.Function
	for _, p := range want.URLs {
		if p = place(string(p)); !isFunction || r.knowsURL(p) {
			continue
		}
		if err := r.readURL(ctx, p); err != nil {
			return err
		}
	}
	for _, arn := range want.Roles {
		if _, done := r.state.Rights[arn]; done {
			continue
		}
		rights, err := r.lambda.rights(ctx, r.subject.Account(), arn)
		if err != nil {
			return err
		}
		if r.state.Rights == nil {
			r.state.Rights = map[string]drift.Rights{}
		}
		r.state.Rights[arn] = rights
	}
	if want.Functions && r.state.Functions == nil && r.subject.Kind() == drift.Role {
		r.state.Functions = r.lambda.functionsOf(ctx, r.subject)
	}
	if want.Tags && isFunction && r.state.Tags == nil {
		r.state.Tags = r.tags(ctx)
	}
	return ctx.Err()
}

// knowsURL reports whether the URL of a place was read, or tried in vain.
func (r *reader) knowsURL(p drift.Place) bool {
	_, read := r.state.URLs[p]
	return read || slices.Contains(r.state.Listed, drift.URLs) || slices.ContainsFunc(r.state.Gaps, func(g drift.Gap) bool {
		return g.Aspect == drift.URLs && (g.All || g.Place == p)
	})
}

// tags are the tags of the function, nil where they could not be read: they
// say who is to be told, and an alert does not wait for that.
func (r *reader) tags(ctx context.Context) map[string]string {
	var out *lambda.ListTagsOutput
	err := r.lambda.call(ctx, "ListTags", r.others, func() (err error) {
		out, err = r.target.api.ListTags(ctx, &lambda.ListTagsInput{Resource: aws.String(string(r.subject))}, once)
		return err
	})
	if err != nil {
		return nil
	}
	if out.Tags == nil {
		return map[string]string{}
	}
	return out.Tags
}

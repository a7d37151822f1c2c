package live

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/time/rate"

	"github.com/permdrift/permdrift/pkg/drift"
)

// latest is the version under which the unpublished code is listed. It never
// has a policy: what is granted on it is granted on the unqualified function.
const latest = "$LATEST"

// place is the place of a version, an alias or a qualifier.
func place(qualifier string) drift.Place {
	if qualifier == latest {
		return drift.Unqualified
	}
	return drift.Place(qualifier)
}

// list lists the versions, with their roles, and the aliases of the function.
// With an error it returns what it got so far.
func (r *reader) list(ctx context.Context) ([]drift.Place, error) {
	places, err := r.versions(ctx)
	if err != nil {
		return places, err
	}
	for name, err := range r.aliases(ctx) {
		if err != nil {
			return places, err
		}
		places = append(places, place(name))
	}
	return places, nil
}

// versions lists the versions and reads their roles into the state. With an
// error it returns what it got so far.
func (r *reader) versions(ctx context.Context) ([]drift.Place, error) {
	var places []drift.Place
	r.state.Roles = map[drift.Place]string{}
	all := pages(ctx, r.lambda, "ListVersionsByFunction", r.others, func(marker *string) ([]types.FunctionConfiguration, *string, error) {
		out, err := r.target.api.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{
			FunctionName: aws.String(string(r.subject)), Marker: marker,
		}, once)
		if err != nil {
			return nil, nil, err
		}
		return out.Versions, out.NextMarker, nil
	})
	for v, err := range all {
		if err != nil {
			return places, err
		}
		p := place(aws.ToString(v.Version))
		places = append(places, p)
		r.state.Roles[p] = aws.ToString(v.Role)
	}
	r.listed(drift.Roles)
	return places, nil
}

func (r *reader) aliases(ctx context.Context) iter.Seq2[string, error] {
	return pages(ctx, r.lambda, "ListAliases", r.others, func(marker *string) (names []string, next *string, err error) {
		out, err := r.target.api.ListAliases(ctx, &lambda.ListAliasesInput{
			FunctionName: aws.String(string(r.subject)), Marker: marker,
		}, once)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range out.Aliases {
			names = append(names, aws.ToString(a.Name))
		}
		return names, out.NextMarker, nil
	})
}

// listed notes that everything of an aspect was read.
func (r *reader) listed(a drift.Aspect) {
	if !slices.Contains(r.state.Listed, a) {
		r.state.Listed = append(r.state.Listed, a)
	}
}

// Subjects lists the functions, then the layer versions of the home account and
// region, then the roles that WithRoles says, page by page and no faster than
// Rate. An error ends the sequence: what came before it is then not all
// there is.
func (l *Lambda) Subjects(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		if l.list == nil {
			yield("", errors.New("listing functions: no client to list with was given (live.ListWith)"))
			return
		}
		type part struct {
			name     string
			subjects iter.Seq2[drift.Subject, error]
		}
		parts := []part{{"functions", l.functions(ctx)}, {"layer versions", l.layerVersions(ctx)}}
		switch l.roles {
		case AllRoles:
			parts = append(parts, part{"roles", l.everyRole(ctx)})
		case ExecutionRoles:
			parts = append(parts, part{"execution roles", l.executionRoles(ctx)})
		case NoRoles:
		}
		for _, part := range parts {
			for subject, err := range part.subjects {
				if err != nil {
					yield("", fmt.Errorf("listing %s: %w", part.name, err))
					return
				}
				if !yield(subject, nil) {
					return
				}
			}
		}
	}
}

func (l *Lambda) functions(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return subjects(drift.Function, pages(ctx, l, "ListFunctions", l.own.others, func(marker *string) (arns []string, next *string, err error) {
		out, err := l.list.ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: marker}, once)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range out.Functions {
			arns = append(arns, aws.ToString(f.FunctionArn))
		}
		return arns, out.NextMarker, nil
	}))
}

func (l *Lambda) layerVersions(ctx context.Context) iter.Seq2[drift.Subject, error] {
	layers := pages(ctx, l, "ListLayers", l.own.others, func(marker *string) (arns []string, next *string, err error) {
		out, err := l.list.ListLayers(ctx, &lambda.ListLayersInput{Marker: marker}, once)
		if err != nil {
			return nil, nil, err
		}
		for _, layer := range out.Layers {
			arns = append(arns, aws.ToString(layer.LayerArn))
		}
		return arns, out.NextMarker, nil
	})
	return func(yield func(drift.Subject, error) bool) {
		for layer, err := range layers {
			if err != nil {
				yield("", err)
				return
			}
			for version, err := range l.versionsOf(ctx, layer) {
				if !yield(version, err) || err != nil {
					return
				}
			}
		}
	}
}

func (l *Lambda) versionsOf(ctx context.Context, layer string) iter.Seq2[drift.Subject, error] {
	return subjects(drift.LayerVersion, pages(ctx, l, "ListLayerVersions", l.own.others, func(marker *string) (arns []string, next *string, err error) {
		out, err := l.list.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: &layer, Marker: marker}, once)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range out.LayerVersions {
			arns = append(arns, aws.ToString(v.LayerVersionArn))
		}
		return arns, out.NextMarker, nil
	}))
}

// subjects are the subjects of ARNs, which must all be of one kind.
func subjects(kind drift.Kind, arns iter.Seq2[string, error]) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		for arn, err := range arns {
			subject := drift.Subject(arn)
			if err == nil && kind == drift.Function {
				subject, _, err = drift.ParseFunctionARN(arn)
			}
			if err == nil && subject.Kind() != kind {
				err = fmt.Errorf("%q is not the ARN of a %s", arn, kind)
			}
			if !yield(subject, err) || err != nil {
				return
			}
		}
	}
}

// errRepeats is a listing that would never end.
var errRepeats = errors.New("the listing names the same next page twice")

// pages yields what is on all pages of a listing. One answers a page: what is
// on it, and the marker of the next. An error ends the sequence.
func pages[T any](ctx context.Context, l *Lambda, operation string, limiter *rate.Limiter, one func(marker *string) ([]T, *string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for marker, last := (*string)(nil), ""; ; {
			var items []T
			var following *string
			err := l.call(ctx, operation, limiter, func() (err error) {
				items, following, err = one(marker)
				return err
			})
			next := aws.ToString(following)
			if err == nil && next != "" && next == last {
				err = &callError{operation, faulty, errRepeats}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			marker, last = following, next
		}
	}
}

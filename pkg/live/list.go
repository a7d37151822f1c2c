package live

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"golang.org/x/time/rate"

	"github.com/permdrift/permdrift/pkg/drift"
)

// latest is the version under which the unpublished code is listed. It never
// has a policy: what is granted on it is granted on the unqualified function.
const latest = "$LATEST"

// list lists the versions and aliases of the function. With an error it
// returns what it got so far.
func (r *reader) list(ctx context.Context) ([]drift.Place, error) {
	var places []drift.Place
	for _, names := range []iter.Seq2[string, error]{r.versions(ctx), r.aliases(ctx)} {
		for name, err := range names {
			if err != nil {
				return places, err
			}
			if name != latest {
				places = append(places, drift.Place(name))
			}
		}
	}
	return places, nil
}

func (r *reader) versions(ctx context.Context) iter.Seq2[string, error] {
	return r.lambda.pages(ctx, "ListVersionsByFunction", r.others, func(marker *string) (names []string, next *string, err error) {
		out, err := r.target.api.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{
			FunctionName: aws.String(string(r.subject)), Marker: marker,
		}, once)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range out.Versions {
			names = append(names, aws.ToString(v.Version))
		}
		return names, out.NextMarker, nil
	})
}

func (r *reader) aliases(ctx context.Context) iter.Seq2[string, error] {
	return r.lambda.pages(ctx, "ListAliases", r.others, func(marker *string) (names []string, next *string, err error) {
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

// Subjects lists the functions of the home account and region, page by page
// and no faster than Rate. An error ends the sequence: what came before it is
// then not all there is.
func (l *Lambda) Subjects(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		if l.list == nil {
			yield("", errors.New("listing functions: no client to list with was given (live.ListWith)"))
			return
		}
		for arn, err := range l.functions(ctx) {
			var subject drift.Subject
			if err == nil {
				subject, _, err = drift.ParseFunctionARN(arn)
			}
			if err != nil {
				yield("", fmt.Errorf("listing functions: %w", err))
				return
			}
			if !yield(subject, nil) {
				return
			}
		}
	}
}

func (l *Lambda) functions(ctx context.Context) iter.Seq2[string, error] {
	return l.pages(ctx, "ListFunctions", l.own.others, func(marker *string) (arns []string, next *string, err error) {
		out, err := l.list.ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: marker}, once)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range out.Functions {
			arns = append(arns, aws.ToString(f.FunctionArn))
		}
		return arns, out.NextMarker, nil
	})
}

// page is one page of a listing: the names on it and the marker of the next.
type page func(marker *string) (names []string, next *string, err error)

// errRepeats is a listing that would never end.
var errRepeats = errors.New("the listing names the same next page twice")

// pages yields the names on all pages. An error ends the sequence.
func (l *Lambda) pages(ctx context.Context, operation string, limiter *rate.Limiter, one page) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for marker, last := (*string)(nil), ""; ; {
			var names []string
			var following *string
			err := l.call(ctx, operation, limiter, func() (err error) {
				names, following, err = one(marker)
				return err
			})
			next := aws.ToString(following)
			if err == nil && next != "" && next == last {
				err = &callError{operation, faulty, errRepeats}
			}
			if err != nil {
				yield("", err)
				return
			}
			for _, name := range names {
				if !yield(name, nil) {
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

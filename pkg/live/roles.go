package live

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/drift"
)

// rolesPage is how many roles a page may have, the most that IAM allows.
const rolesPage = 1000

// servicePath is where the roles are that a service makes for itself, and
// nobody else can change.
const servicePath = "/aws-service-role/"

// allRoles are the roles of the account, as far as a listing tells of them.
func (l *Lambda) allRoles(ctx context.Context) iter.Seq2[types.Role, error] {
	return pages(ctx, l, "ListRoles", nil, func(marker *string) ([]types.Role, *string, error) {
		out, err := l.iam.ListRoles(ctx, &iam.ListRolesInput{Marker: marker, MaxItems: aws.Int32(rolesPage)}, onceIAM)
		if err != nil {
			return nil, nil, err
		}
		return out.Roles, following(out.IsTruncated, out.Marker), nil
	})
}

// roleSubjects are the roles of the account but those of services.
func (l *Lambda) roleSubjects(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		if l.iam == nil {
			yield("", errors.New("no client to list with was given (live.WithIAM)"))
			return
		}
		for role, err := range l.allRoles(ctx) {
			if err == nil && strings.HasPrefix(aws.ToString(role.Path), servicePath) {
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

// executionRoles are the roles of the account that its functions run as, each
// once: those of published versions too, which keep the role that they had.
func (l *Lambda) executionRoles(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		all, err := l.functionsByRole(ctx, lambdatypes.FunctionVersionAll)
		if err != nil {
			yield("", err)
			return
		}
		for _, role := range slices.Sorted(maps.Keys(all)) {
			if l.home != (site{}) && role.Account() != l.home.account {
				continue // no function can run as a role of another account
			}
			if !yield(role, nil) {
				return
			}
		}
	}
}

// everyRole are the roles of the account but those of services, then those that
// functions run as and that are not there any more: nothing else may tell of that.
func (l *Lambda) everyRole(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		seen := map[drift.Subject]bool{}
		for _, part := range []iter.Seq2[drift.Subject, error]{l.roleSubjects(ctx), l.executionRoles(ctx)} {
			for role, err := range part {
				if err == nil && seen[role] {
					continue
				}
				if seen[role] = true; !yield(role, err) || err != nil {
					return
				}
			}
		}
	}
}

// identityOf is the role, user or group of an ARN in an answer of IAM.
func (l *Lambda) identityOf(kind drift.Kind, arn *string) (drift.Subject, error) {
	s := drift.Subject(aws.ToString(arn))
	if s.Kind() != kind {
		return "", fmt.Errorf("%q is not the ARN of a %s", s, kind)
	}
	return identitySubject(kind, s.Partition(), s.Account(), s.Name()), l.checkAccount(s)
}

// functionsOf are the functions of the home account and region that run as a
// role, nil where they could not be listed.
func (l *Lambda) functionsOf(ctx context.Context, role drift.Subject) []drift.Subject {
	if l.list == nil {
		return nil
	}
	all, err := l.running.get(ctx, "ListFunctions", l.now, shareFor, func() (map[drift.Subject][]drift.Subject, error) {
		return l.functionsByRole(ctx, "")
	})
	if err != nil {
		return nil
	}
	return append([]drift.Subject{}, all[role]...)
}

// functionsByRole lists all functions by the roles that they run as: that of
// their unpublished code, and of all versions if asked for.
func (l *Lambda) functionsByRole(ctx context.Context, versions lambdatypes.FunctionVersion) (map[drift.Subject][]drift.Subject, error) {
	all := map[drift.Subject][]drift.Subject{}
	listing := pages(ctx, l, "ListFunctions", l.own.others, func(marker *string) ([]lambdatypes.FunctionConfiguration, *string, error) {
		out, err := l.list.ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: marker, FunctionVersion: versions}, once)
		if err != nil {
			return nil, nil, err
		}
		return out.Functions, out.NextMarker, nil
	})
	for f, err := range listing {
		if err != nil {
			return nil, err
		}
		function, _, err := parseFunction("ListFunctions", f.FunctionArn)
		if err != nil {
			return nil, err
		}
		if role := drift.Subject(aws.ToString(f.Role)); role.Kind() == drift.Role {
			role = identitySubject(drift.Role, role.Partition(), role.Account(), role.Name())
			if !slices.Contains(all[role], function) {
				all[role] = append(all[role], function)
			}
		}
	}
	return all, nil
}

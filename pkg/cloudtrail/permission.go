package cloudtrail

import (
	"errors"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// addPermission decodes AddPermission on a function, a version or an alias.
func addPermission(r *record) ([]drift.Change, error) {
	_, resource := statementText(r.response)
	subject, place, err := r.function(resource)
	if err != nil {
		return nil, err
	}
	return r.added(subject, place)
}

// added is the change of a statement that was added at a place.
func (r *record) added(subject drift.Subject, place drift.Place) ([]drift.Change, error) {
	change := drift.Change{Subject: subject, Place: place, Operation: drift.AddStatement, Sid: r.request.str("statementId")}
	change.Statement, change.Problem = r.claimedStatement(subject.ARN(place))
	if change.Statement != nil && change.Statement.Sid != "" {
		change.Sid = change.Statement.Sid
	}
	return []drift.Change{change}, nil
}

// removePermission decodes RemovePermission: a Sid, and not what it said.
func removePermission(r *record) ([]drift.Change, error) {
	subject, place, err := r.function("")
	if err != nil {
		return nil, err
	}
	return r.removed(subject, place)
}

func (r *record) removed(subject drift.Subject, place drift.Place) ([]drift.Change, error) {
	sid := r.request.str("statementId")
	if sid == "" {
		return nil, errors.New("statementId is missing")
	}
	return []drift.Change{{Subject: subject, Place: place, Operation: drift.RemoveStatement, Sid: sid}}, nil
}

// putResourcePolicy decodes PutResourcePolicy: the whole document at a place.
func putResourcePolicy(r *record) ([]drift.Change, error) {
	return r.resourcePolicy(func(change *drift.Change) {
		change.Operation = drift.PutPolicy
		change.Policy, change.Problem = claimedPolicy(r.response.document("policy"), r.request.document("policy"))
	})
}

// deleteResourcePolicy decodes DeleteResourcePolicy.
func deleteResourcePolicy(r *record) ([]drift.Change, error) {
	return r.resourcePolicy(func(change *drift.Change) { change.Operation = drift.DeletePolicy })
}

// resourcePolicy locates the function or layer version of a JSON policy. The
// spelling in CloudTrail has not been seen yet; the API has resourceArn.
func (r *record) resourcePolicy(fill func(*drift.Change)) ([]drift.Change, error) {
	var change drift.Change
	arn := first(r.request.str("resourceArn"), r.response.str("resourceArn"))
	subject, place, err := functionARN(arn)
	layer, layerErr := layerVersionARN(arn)
	switch {
	case err == nil:
		change.Subject, change.Place = subject, place
	case layerErr == nil:
		change.Subject = layer
	case strings.HasPrefix(arn, "arn:"):
		return r.unreadable("the resource policy of " + clip(arn) + " changed, which is neither a function nor a layer version"), nil
	default:
		name := first(r.request.str("functionName"), arn)
		if change.Subject, change.Place, err = r.functionName(name, r.request.str("qualifier")); err != nil {
			return nil, err
		}
	}
	fill(&change)
	return []drift.Change{change}, nil
}

package cloudtrail

import (
	"errors"
	"maps"

	"github.com/permdrift/permdrift/pkg/drift"
)

// createFunction decodes CreateFunction. The execution role is the one in the
// response, else the one asked for. If the first version was published along
// with it, that is read with the whole.
func createFunction(r *record) ([]drift.Change, error) {
	subject, _, err := r.function(r.response.str("functionArn"))
	if err != nil {
		return nil, err
	}
	detail := r.details("role")
	if role := r.response.str("role"); role != "" {
		detail["role"] = role
	}
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.CreateSubject, Detail: detail}}, nil
}

// deleteFunction decodes DeleteFunction, which with a qualifier deletes a
// version only.
func deleteFunction(r *record) ([]drift.Change, error) {
	subject, place, err := r.function("")
	if err != nil {
		return nil, err
	}
	if place != drift.Unqualified {
		return []drift.Change{{Subject: subject, Place: place, Operation: drift.DeletePlace}}, nil
	}
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.DeleteSubject}}, nil
}

// updateFunctionConfiguration decodes UpdateFunctionConfiguration. The response
// always has a role; only the request says whether it was replaced.
func updateFunctionConfiguration(r *record) ([]drift.Change, error) {
	subject, _, err := r.function(r.response.str("functionArn"))
	if err != nil {
		return nil, err
	}
	detail := r.details("role")
	if len(detail) == 0 {
		return nil, skippedError("the configuration changed, but not the execution role")
	}
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.Configure, Detail: detail}}, nil
}

// publishVersion decodes PublishVersion: a new place, which the response names.
func publishVersion(r *record) ([]drift.Change, error) {
	subject, place, err := r.function(r.response.str("functionArn"))
	if err != nil {
		return nil, err
	}
	if place == drift.Unqualified {
		place = drift.Place(clean(r.response.str("version")))
	}
	return []drift.Change{{Subject: subject, Place: place, Whole: place == drift.Unqualified, Operation: drift.CreatePlace}}, nil
}

// alias decodes CreateAlias, UpdateAlias and DeleteAlias.
func alias(operation drift.Operation) decoder {
	return func(r *record) ([]drift.Change, error) {
		subject, place, err := r.function(r.response.str("aliasArn"))
		if err != nil {
			return nil, err
		}
		if name := clean(r.request.str("name")); name != "" {
			place = drift.Place(name)
		}
		if place == drift.Unqualified {
			return nil, errors.New("the name of the alias is missing")
		}
		detail := r.details("functionVersion", "routingConfig")
		return []drift.Change{{Subject: subject, Place: place, Operation: operation, Detail: detail}}, nil
	}
}

// functionURL decodes the calls on the URL of a function or an alias.
func functionURL(operation drift.Operation) decoder {
	return func(r *record) ([]drift.Change, error) {
		subject, place, err := r.function(r.response.str("functionArn"))
		if err != nil {
			return nil, err
		}
		detail := details(r.response, "functionUrl", "authType")
		if auth := r.request.str("authType"); auth != "" {
			detail["authType"] = auth
		}
		return []drift.Change{{Subject: subject, Place: place, Operation: operation, Detail: detail}}, nil
	}
}

// eventSourceMapping decodes the calls on event source mappings. They may name
// only the mapping, by its uuid; then the response has to name the function.
func eventSourceMapping(operation drift.Operation) decoder {
	return func(r *record) ([]drift.Change, error) {
		detail := details(r.response, "uuid", "eventSourceArn", "state")
		maps.Copy(detail, r.details("uuid", "eventSourceArn", "enabled"))
		subject, place, err := r.function(r.response.str("functionArn"))
		if err != nil && detail["uuid"] != "" {
			changes := r.unreadable("the event names an event source mapping by its uuid only, and no function")
			for i := range changes {
				changes[i].Detail = detail
			}
			return changes, nil
		}
		if err != nil {
			return nil, err
		}
		return []drift.Change{{Subject: subject, Place: place, Operation: operation, Detail: detail}}, nil
	}
}

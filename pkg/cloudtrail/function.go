package cloudtrail

import (
	"errors"

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
	return []drift.Change{{
		Subject: subject, Whole: true, Operation: drift.CreateSubject, Detail: detail, Config: roleConfig(detail["role"]),
	}}, nil
}

// roleConfig is an execution role as a claim; nil where none is named.
func roleConfig(role string) *drift.Config {
	if role == "" {
		return nil
	}
	return &drift.Config{Role: role}
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
// always has a role; only the request says whether it was replaced. Whatever
// else was changed (layers, handler, time-out) changes what the function does,
// as its code does, and not who may call it.
func updateFunctionConfiguration(r *record) ([]drift.Change, error) {
	subject, _, err := r.function(r.response.str("functionArn"))
	if err != nil {
		return nil, err
	}
	detail := r.details("role")
	if len(detail) == 0 {
		detail = r.details("handler", "runtime", "layers", "environment", "timeout", "memorySize", "vpcConfig", "loggingConfig")
		return []drift.Change{{Subject: subject, Operation: drift.UpdateCode, Detail: detail}}, nil
	}
	return []drift.Change{{
		Subject: subject, Operation: drift.Configure, Detail: detail,
		Config: roleConfig(first(r.response.str("role"), detail["role"])),
	}}, nil
}

// updateFunctionCode decodes UpdateFunctionCode. It concerns the function, even
// where the response names the version that was published along with it.
func updateFunctionCode(r *record) ([]drift.Change, error) {
	subject, _, err := r.function(r.response.str("functionArn"))
	if err != nil {
		return nil, err
	}
	if isTrue(r.request.str("dryRun")) {
		return nil, skippedError("a dry run: the code is unchanged")
	}
	detail := r.details("s3Bucket", "s3Key", "s3ObjectVersion", "imageUri", "publish")
	return []drift.Change{{Subject: subject, Operation: drift.UpdateCode, Detail: detail}}, nil
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

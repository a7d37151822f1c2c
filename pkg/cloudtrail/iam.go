package cloudtrail

import (
	"fmt"
	"maps"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// createRole decodes CreateRole and CreateServiceLinkedRole. The trust document
// is plain JSON in the request and URL-encoded in the response. The subject has
// no path, and so the details have it, and the role's unique id.
func createRole(r *record) ([]drift.Change, error) {
	role := r.response.obj("role")
	subject, err := roleARN(role.str("arn"))
	if err != nil {
		subject, err = r.role()
	}
	if err != nil {
		return nil, err
	}
	change := drift.Change{
		Subject: subject, Place: drift.Trust, Whole: true,
		Operation: drift.CreateSubject, Detail: r.details("permissionsBoundary", "path", "awsServiceName"),
	}
	maps.Copy(change.Detail, details(role, "path", "roleId"))
	change.Policy, change.Problem = claimedPolicy(
		r.request.document("assumeRolePolicyDocument"), role.document("assumeRolePolicyDocument"))
	return []drift.Change{change}, nil
}

// updateAssumeRolePolicy decodes UpdateAssumeRolePolicy.
func updateAssumeRolePolicy(r *record) ([]drift.Change, error) {
	subject, err := r.role()
	if err != nil {
		return nil, err
	}
	change := drift.Change{Subject: subject, Place: drift.Trust, Operation: drift.PutPolicy}
	change.Policy, change.Problem = claimedPolicy(r.request.document("policyDocument"))
	return []drift.Change{change}, nil
}

// wholeRole decodes the calls that concern a role as a whole.
func wholeRole(operation drift.Operation) decoder {
	return func(r *record) ([]drift.Change, error) {
		subject, err := r.role()
		if err != nil {
			return nil, err
		}
		detail := r.details("maxSessionDuration")
		return []drift.Change{{Subject: subject, Whole: true, Operation: operation, Detail: detail}}, nil
	}
}

// identityPolicy decodes the calls that put, delete, attach or detach a policy
// of a role, user or group. Only an inline policy that is put has a document.
func identityPolicy(kind drift.Kind, operation drift.Operation) decoder {
	return func(r *record) ([]drift.Change, error) {
		subject, err := r.identity(kind)
		if err != nil {
			return nil, err
		}
		change := drift.Change{
			Subject: subject, Place: drift.Identity, Operation: operation,
			Detail: r.details("policyName", "policyArn"),
		}
		if operation == drift.PutIdentityPolicy && change.Detail["policyArn"] == "" {
			change.Policy, change.Problem = claimedPolicy(r.request.document("policyDocument"))
		}
		return []drift.Change{change}, nil
	}
}

// membership decodes AddUserToGroup and RemoveUserFromGroup. The user gains or
// loses whatever the group may do, which the event does not say.
func membership(r *record) ([]drift.Change, error) {
	subject, err := r.identity(drift.User)
	if err != nil {
		return nil, err
	}
	return []drift.Change{{
		Subject: subject, Place: drift.Identity, Operation: drift.Configure, Detail: r.details("groupName"),
	}}, nil
}

// renamed decodes UpdateUser and UpdateGroup, which matter where they give a new
// name: the old subject is gone, and the new one has its rights.
func renamed(kind drift.Kind, parameter string) decoder {
	return func(r *record) ([]drift.Change, error) {
		old, err := r.identity(kind)
		if err != nil {
			return nil, err
		}
		name := r.request.str(parameter)
		if name == "" {
			return nil, skippedError("only the path was changed: what the " + string(kind) + " may do is unchanged")
		}
		if clean(name) == "" {
			return nil, fmt.Errorf("%s %q is not a name", parameter, clip(name))
		}
		return []drift.Change{
			{Subject: old, Whole: true, Operation: drift.DeleteSubject, Detail: r.details(parameter)},
			{Subject: drift.Subject(r.iamARN(string(kind) + "/" + name)), Whole: true, Operation: drift.Configure, Detail: r.details(string(kind) + "Name")},
		}, nil
	}
}

// deleted decodes DeleteUser and DeleteGroup.
func deleted(kind drift.Kind) decoder {
	return func(r *record) ([]drift.Change, error) {
		subject, err := r.identity(kind)
		if err != nil {
			return nil, err
		}
		return []drift.Change{{Subject: subject, Whole: true, Operation: drift.DeleteSubject}}, nil
	}
}

// boundary decodes the calls that put or delete a permissions boundary.
func boundary(kind drift.Kind, operation drift.Operation) decoder {
	return func(r *record) ([]drift.Change, error) {
		subject, err := r.identity(kind)
		if err != nil {
			return nil, err
		}
		detail := r.details("permissionsBoundary")
		return []drift.Change{{Subject: subject, Place: drift.Boundary, Operation: operation, Detail: detail}}, nil
	}
}

// createPolicy decodes CreatePolicy.
func createPolicy(r *record) ([]drift.Change, error) {
	arn := r.response.obj("policy").str("arn")
	if arn == "" {
		arn = r.iamARN("policy" + first(r.request.str("path"), "/") + r.request.str("policyName"))
	}
	return r.managed(arn)
}

// createPolicyVersion decodes CreatePolicyVersion, which changes nothing unless
// the new version becomes the default.
func createPolicyVersion(r *record) ([]drift.Change, error) {
	version := r.response.obj("policyVersion")
	if !isTrue(r.request.str("setAsDefault")) && !isTrue(version.str("isDefaultVersion")) {
		return nil, skippedError("the new policy version is not the default one, so the policy in force is unchanged")
	}
	changes, err := r.managed(r.request.str("policyArn"))
	for i := range changes {
		changes[i].Detail["setAsDefault"] = "true"
		if id := version.str("versionId"); id != "" {
			changes[i].Detail["versionId"] = id
		}
	}
	return changes, err
}

// managedPolicy decodes the calls that only name a managed policy.
func managedPolicy(r *record) ([]drift.Change, error) {
	return r.managed(r.request.str("policyArn"))
}

// managed is the change of a managed policy. Which roles it is attached to, the
// event does not say.
func (r *record) managed(arn string) ([]drift.Change, error) {
	subject, err := arnSubject(arn, drift.ManagedPol)
	if err != nil {
		return nil, err
	}
	change := drift.Change{
		Subject: subject, Whole: true, Operation: drift.PutManagedPolicy,
		Detail: r.details("policyName", "versionId"),
	}
	if document := r.request.document("policyDocument"); document != "" {
		change.Policy, change.Problem = claimedPolicy(document)
	}
	return []drift.Change{change}, nil
}

// role is the role that the request names.
func (r *record) role() (drift.Subject, error) { return r.identity(drift.Role) }

// identity is the role, user or group that the request names, without its path.
func (r *record) identity(kind drift.Kind) (drift.Subject, error) {
	parameter := string(kind) + "Name"
	name := r.request.str(parameter)
	if name == "" || clean(name) == "" {
		return "", fmt.Errorf("%s %q is not a name", parameter, clip(name))
	}
	if r.event.Account == "" {
		return "", fmt.Errorf("%s %q: the record names no account", parameter, clip(name))
	}
	return drift.Subject(r.iamARN(string(kind) + "/" + name)), nil
}

// iamARN is the ARN of a resource of IAM in the record's account.
func (r *record) iamARN(resource string) string {
	return "arn:" + r.partition + ":iam::" + r.event.Account + ":" + resource
}

// roleARN is the subject of a role's ARN, which bears the path.
func roleARN(arn string) (drift.Subject, error) {
	s, err := arnSubject(arn, drift.Role)
	if err != nil {
		return "", err
	}
	return arnSubject(string(drift.RoleSubject(s.Partition(), s.Account(), s.Name())), drift.Role)
}

// arnSubject is an ARN as a subject, provided that it is of the kind.
func arnSubject(arn string, kind drift.Kind) (drift.Subject, error) {
	s := drift.Subject(arn)
	ok := strings.HasPrefix(arn, "arn:") && s.Kind() == kind && s.Account() != "" && s.Partition() != "" && s.Name() != ""
	for part := range strings.FieldsFuncSeq(arn, func(r rune) bool { return r == ':' || r == '/' }) {
		ok = ok && clean(part) == part
	}
	if !ok || strings.HasSuffix(arn, "/") {
		return "", fmt.Errorf("%q is not the ARN of a %s", clip(arn), kind)
	}
	return s, nil
}

package cloudtrail

import (
	"regexp"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// decoder makes changes of one record. Its error may be a skippedError.
type decoder func(*record) ([]drift.Change, error)

// call is an API call: the service's name in eventSource, without
// .amazonaws.com, and the API's name for the call, without a date.
type call struct{ service, name string }

// decoders are the calls that change what permdrift audits. Names alone say
// nothing: many services have a PutResourcePolicy, waf a DeleteRule.
var decoders = map[call]decoder{
	{"lambda", "AddPermission"}:        addPermission,
	{"lambda", "RemovePermission"}:     removePermission,
	{"lambda", "PutResourcePolicy"}:    putResourcePolicy,
	{"lambda", "DeleteResourcePolicy"}: deleteResourcePolicy,

	{"lambda", "CreateFunction"}:              createFunction,
	{"lambda", "DeleteFunction"}:              deleteFunction,
	{"lambda", "UpdateFunctionConfiguration"}: updateFunctionConfiguration,
	{"lambda", "PublishVersion"}:              publishVersion,
	{"lambda", "CreateAlias"}:                 alias(drift.CreatePlace),
	{"lambda", "UpdateAlias"}:                 alias(drift.RepointPlace),
	{"lambda", "DeleteAlias"}:                 alias(drift.DeletePlace),
	{"lambda", "PutFunctionConcurrency"}:      putFunctionConcurrency,

	{"lambda", "CreateFunctionUrlConfig"}: functionURL(drift.PutURL),
	{"lambda", "UpdateFunctionUrlConfig"}: functionURL(drift.PutURL),
	{"lambda", "DeleteFunctionUrlConfig"}: functionURL(drift.DeleteURL),

	{"lambda", "CreateEventSourceMapping"}: eventSourceMapping(drift.PutMapping),
	{"lambda", "UpdateEventSourceMapping"}: eventSourceMapping(drift.PutMapping),
	{"lambda", "DeleteEventSourceMapping"}: eventSourceMapping(drift.DeleteMapping),

	{"lambda", "AddLayerVersionPermission"}:    addLayerVersionPermission,
	{"lambda", "RemoveLayerVersionPermission"}: removeLayerVersionPermission,
	{"lambda", "PublishLayerVersion"}:          publishLayerVersion,
	{"lambda", "DeleteLayerVersion"}:           deleteLayerVersion,

	{"iam", "CreateRole"}:              createRole,
	{"iam", "CreateServiceLinkedRole"}: createRole,
	{"iam", "UpdateAssumeRolePolicy"}:  updateAssumeRolePolicy,
	{"iam", "UpdateRole"}:              wholeRole(drift.Configure),
	{"iam", "DeleteRole"}:              wholeRole(drift.DeleteSubject),
	{"iam", "DeleteServiceLinkedRole"}: wholeRole(drift.DeleteSubject),

	{"iam", "PutRolePolicy"}:     identityPolicy(drift.Role, drift.PutIdentityPolicy),
	{"iam", "AttachRolePolicy"}:  identityPolicy(drift.Role, drift.PutIdentityPolicy),
	{"iam", "DeleteRolePolicy"}:  identityPolicy(drift.Role, drift.RemoveIdentityPolicy),
	{"iam", "DetachRolePolicy"}:  identityPolicy(drift.Role, drift.RemoveIdentityPolicy),
	{"iam", "PutUserPolicy"}:     identityPolicy(drift.User, drift.PutIdentityPolicy),
	{"iam", "AttachUserPolicy"}:  identityPolicy(drift.User, drift.PutIdentityPolicy),
	{"iam", "DeleteUserPolicy"}:  identityPolicy(drift.User, drift.RemoveIdentityPolicy),
	{"iam", "DetachUserPolicy"}:  identityPolicy(drift.User, drift.RemoveIdentityPolicy),
	{"iam", "PutGroupPolicy"}:    identityPolicy(drift.Group, drift.PutIdentityPolicy),
	{"iam", "AttachGroupPolicy"}: identityPolicy(drift.Group, drift.PutIdentityPolicy),
	{"iam", "DeleteGroupPolicy"}: identityPolicy(drift.Group, drift.RemoveIdentityPolicy),
	{"iam", "DetachGroupPolicy"}: identityPolicy(drift.Group, drift.RemoveIdentityPolicy),

	{"iam", "PutRolePermissionsBoundary"}:    boundary(drift.Role, drift.PutBoundary),
	{"iam", "DeleteRolePermissionsBoundary"}: boundary(drift.Role, drift.RemoveBoundary),
	{"iam", "PutUserPermissionsBoundary"}:    boundary(drift.User, drift.PutBoundary),
	{"iam", "DeleteUserPermissionsBoundary"}: boundary(drift.User, drift.RemoveBoundary),

	{"iam", "CreatePolicy"}:            createPolicy,
	{"iam", "CreatePolicyVersion"}:     createPolicyVersion,
	{"iam", "SetDefaultPolicyVersion"}: managedPolicy,
	{"iam", "DeletePolicyVersion"}:     managedPolicy,
	{"iam", "DeletePolicy"}:            managedPolicy,

	{"iam", "CreateOpenIDConnectProvider"}:             provider,
	{"iam", "DeleteOpenIDConnectProvider"}:             provider,
	{"iam", "AddClientIDToOpenIDConnectProvider"}:      provider,
	{"iam", "RemoveClientIDFromOpenIDConnectProvider"}: provider,
	{"iam", "UpdateOpenIDConnectProviderThumbprint"}:   provider,
	{"iam", "CreateSAMLProvider"}:                      provider,
	{"iam", "UpdateSAMLProvider"}:                      provider,
	{"iam", "DeleteSAMLProvider"}:                      provider,

	{"iam", "AddRoleToInstanceProfile"}:      instanceProfile,
	{"iam", "RemoveRoleFromInstanceProfile"}: instanceProfile,

	{"rolesanywhere", "CreateTrustAnchor"}:  trustAnchor,
	{"rolesanywhere", "UpdateTrustAnchor"}:  trustAnchor,
	{"rolesanywhere", "DeleteTrustAnchor"}:  trustAnchor,
	{"rolesanywhere", "EnableTrustAnchor"}:  trustAnchor,
	{"rolesanywhere", "DisableTrustAnchor"}: trustAnchor,
	{"rolesanywhere", "CreateProfile"}:      anywhereProfile,
	{"rolesanywhere", "UpdateProfile"}:      anywhereProfile,
	{"rolesanywhere", "DeleteProfile"}:      anywhereProfile,
	{"rolesanywhere", "EnableProfile"}:      anywhereProfile,
	{"rolesanywhere", "DisableProfile"}:     anywhereProfile,
}

// lookup is the decoder of a call, nil for a call that permdrift does not audit.
func lookup(source, name string) decoder {
	service, ok := strings.CutSuffix(strings.TrimSuffix(source, ".cn"), ".amazonaws.com")
	if !ok {
		return nil
	}
	c := call{service, dated.ReplaceAllString(name, "")}
	if d, ok := decoders[c]; ok {
		return d
	}
	if resource, ok := blinding[c]; ok {
		return blind(resource)
	}
	return nil
}

// dated is the date, and perhaps version, at the end of an event name.
var dated = regexp.MustCompile(`\d{8}(v\d+)?$`)

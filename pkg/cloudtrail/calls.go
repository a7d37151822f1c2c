package cloudtrail

import (
	"regexp"
	"slices"
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
	{"lambda", "UpdateFunctionCode"}:          updateFunctionCode,
	{"lambda", "PublishVersion"}:              publishVersion,
	{"lambda", "CreateAlias"}:                 alias(drift.CreatePlace),
	{"lambda", "UpdateAlias"}:                 alias(drift.RepointPlace),
	{"lambda", "DeleteAlias"}:                 alias(drift.DeletePlace),
	{"lambda", "PutFunctionConcurrency"}:      putFunctionConcurrency,

	{"lambda", "CreateFunctionUrlConfig"}: createFunctionURL,
	{"lambda", "UpdateFunctionUrlConfig"}: updateFunctionURL,
	{"lambda", "DeleteFunctionUrlConfig"}: deleteFunctionURL,

	{"lambda", "CreateEventSourceMapping"}: putMapping,
	{"lambda", "UpdateEventSourceMapping"}: putMapping,
	{"lambda", "DeleteEventSourceMapping"}: deleteMapping,

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

	{"iam", "AddUserToGroup"}:      membership,
	{"iam", "RemoveUserFromGroup"}: membership,
	{"iam", "UpdateUser"}:          renamed(drift.User, "newUserName"),
	{"iam", "UpdateGroup"}:         renamed(drift.Group, "newGroupName"),
	{"iam", "DeleteUser"}:          deleted(drift.User),
	{"iam", "DeleteGroup"}:         deleted(drift.Group),

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

// Calls names every call that Decode makes changes of, sorted: the service as
// in eventSource and the API's name, "lambda AddPermission". The rules that
// forward events are held against it.
func Calls() []string {
	var names []string
	for c := range decoders {
		names = append(names, c.service+" "+c.name)
	}
	for c := range blinding {
		names = append(names, c.service+" "+c.name)
	}
	slices.Sort(names)
	return names
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
	if parameters, ok := blinding[c]; ok {
		return blind(parameters)
	}
	return nil
}

// dated is the date, and perhaps version, at the end of an event name.
var dated = regexp.MustCompile(`\d{8}(v\d+)?$`)

package localaws

import (
	"net/http"
	"net/url"
	"strings"
)

// operation is one call of the API.
type operation struct {
	name    string
	method  string
	pattern []string
	status  int
	group   Group
	event   string // CloudTrail's name, for what changes something
	policy  bool   // reads a policy: may be stale
	json    bool   // belongs to the JSON resource policies
	do      func(*Server, *request) (any, *apiError)
}

const (
	functions = "/2015-03-31/functions"
	oneFn     = functions + "/{FunctionName}"
	urls      = "/2021-10-31/functions/{FunctionName}/url"
	mappings  = "/2015-03-31/event-source-mappings"
	layers    = "/2018-10-31/layers"
	versions  = layers + "/{LayerName}/versions"
	resource  = "/2026-07-09/resource-policy/{ResourceArn}"
	tags      = "/2017-03-31/tags/{Resource}"
	reserved  = "/functions/{FunctionName}/concurrency" // under two dates
)

// CloudTrail spells names with dates. How it spells those of the JSON policies
// nobody has seen.
const (
	dated   = "20150331"
	datedV2 = "20150331v2"
	layered = "20181031"
	unseen  = "20260709"
)

var operations = []*operation{
	op("CreateFunction", "POST", functions, 201).changes(dated, (*Server).createFunction),
	op("GetFunction", "GET", oneFn, 200).on(GroupGetFunction).reads((*Server).getFunction),
	op("GetFunctionConfiguration", "GET", oneFn+"/configuration", 200).reads((*Server).getFunctionConfiguration),
	op("UpdateFunctionCode", "PUT", oneFn+"/code", 200).changes(datedV2, (*Server).updateFunctionCode),
	op("UpdateFunctionConfiguration", "PUT", oneFn+"/configuration", 200).changes(datedV2, (*Server).updateFunctionConfiguration),
	op("DeleteFunction", "DELETE", oneFn, 204).changes(dated, (*Server).deleteFunction),
	op("ListFunctions", "GET", functions, 200).reads((*Server).listFunctions),
	op("PublishVersion", "POST", oneFn+"/versions", 201).changes(dated, (*Server).publishVersion),
	op("ListVersionsByFunction", "GET", oneFn+"/versions", 200).reads((*Server).listVersions),
	op("CreateAlias", "POST", oneFn+"/aliases", 201).changes(dated, (*Server).createAlias),
	op("GetAlias", "GET", oneFn+"/aliases/{Name}", 200).reads((*Server).getAlias),
	op("UpdateAlias", "PUT", oneFn+"/aliases/{Name}", 200).changes(dated, (*Server).updateAlias),
	op("DeleteAlias", "DELETE", oneFn+"/aliases/{Name}", 204).changes(dated, (*Server).deleteAlias),
	op("ListAliases", "GET", oneFn+"/aliases", 200).reads((*Server).listAliases),

	op("AddPermission", "POST", oneFn+"/policy", 201).changes(datedV2, (*Server).addPermission),
	op("RemovePermission", "DELETE", oneFn+"/policy/{StatementId}", 204).changes(datedV2, (*Server).removePermission),
	op("GetPolicy", "GET", oneFn+"/policy", 200).on(GroupGetPolicy).readsPolicy((*Server).getPolicy),
	op("PutResourcePolicy", "PUT", resource, 200).ofJSON().changes(unseen, (*Server).putResourcePolicy),
	op("GetResourcePolicy", "GET", resource, 200).ofJSON().readsPolicy((*Server).getResourcePolicy),
	op("DeleteResourcePolicy", "DELETE", resource, 204).ofJSON().changes(unseen, (*Server).deleteResourcePolicy),

	op("CreateFunctionUrlConfig", "POST", urls, 201).changes("", (*Server).createURL),
	op("GetFunctionUrlConfig", "GET", urls, 200).reads((*Server).getURL),
	op("UpdateFunctionUrlConfig", "PUT", urls, 200).changes("", (*Server).updateURL),
	op("DeleteFunctionUrlConfig", "DELETE", urls, 204).changes("", (*Server).deleteURL),
	op("ListFunctionUrlConfigs", "GET", urls+"s", 200).reads((*Server).listURLs),

	op("PublishLayerVersion", "POST", versions, 201).changes(layered, (*Server).publishLayer),
	op("GetLayerVersion", "GET", versions+"/{VersionNumber}", 200).reads((*Server).getLayer),
	op("DeleteLayerVersion", "DELETE", versions+"/{VersionNumber}", 204).changes(layered, (*Server).deleteLayer),
	op("ListLayers", "GET", layers, 200).reads((*Server).listLayers),
	op("ListLayerVersions", "GET", versions, 200).reads((*Server).listLayerVersions),
	op("AddLayerVersionPermission", "POST", versions+"/{VersionNumber}/policy", 201).changes(layered, (*Server).addLayerPermission),
	op("RemoveLayerVersionPermission", "DELETE", versions+"/{VersionNumber}/policy/{StatementId}", 204).changes(layered, (*Server).removeLayerPermission),
	op("GetLayerVersionPolicy", "GET", versions+"/{VersionNumber}/policy", 200).readsPolicy((*Server).getLayerPolicy),

	op("CreateEventSourceMapping", "POST", mappings, 202).changes(dated, (*Server).createMapping),
	op("GetEventSourceMapping", "GET", mappings+"/{UUID}", 200).reads((*Server).getMapping),
	op("UpdateEventSourceMapping", "PUT", mappings+"/{UUID}", 202).changes(dated, (*Server).updateMapping),
	op("DeleteEventSourceMapping", "DELETE", mappings+"/{UUID}", 202).changes(dated, (*Server).deleteMapping),
	op("ListEventSourceMappings", "GET", mappings, 200).reads((*Server).listMappings),

	op("ListTags", "GET", tags, 200).reads((*Server).listTags),
	op("TagResource", "POST", tags, 204).changes("20170331v2", (*Server).tagResource),
	op("UntagResource", "DELETE", tags, 204).changes("20170331v2", (*Server).untagResource),

	op("PutFunctionConcurrency", "PUT", "/2017-10-31"+reserved, 200).changes("20171031", (*Server).putConcurrency),
	op("GetFunctionConcurrency", "GET", "/2019-09-30"+reserved, 200).reads((*Server).getConcurrency),
	op("DeleteFunctionConcurrency", "DELETE", "/2017-10-31"+reserved, 204).changes("20171031", (*Server).deleteConcurrency),
}

// absent are operations that exist at AWS and not here, so that the error can
// name them.
var absent = []*operation{
	op("Invoke", "POST", oneFn+"/invocations", 0),
	op("InvokeAsync", "POST", "/2014-11-13/functions/{FunctionName}/invoke-async", 0),
	op("GetAccountSettings", "GET", "/2016-08-19/account-settings", 0),
	op("GetFunctionEventInvokeConfig", "GET", "/2019-09-25/functions/{FunctionName}/event-invoke-config", 0),
	op("ListFunctionEventInvokeConfigs", "GET", "/2019-09-25/functions/{FunctionName}/event-invoke-config/list", 0),
	op("GetFunctionCodeSigningConfig", "GET", "/2020-06-30/functions/{FunctionName}/code-signing-config", 0),
	op("GetRuntimeManagementConfig", "GET", "/2021-07-20/functions/{FunctionName}/runtime-management-config", 0),
}

func op(name, method, path string, status int) *operation {
	return &operation{name: name, method: method, pattern: segments(path), status: status, group: GroupOther}
}

func (o *operation) on(g Group) *operation { o.group = g; return o }

func (o *operation) ofJSON() *operation { o.json = true; return o }

func (o *operation) reads(do func(*Server, *request) (any, *apiError)) *operation {
	o.do = do
	return o
}

func (o *operation) readsPolicy(do func(*Server, *request) (any, *apiError)) *operation {
	o.do, o.policy = do, true
	return o
}

func (o *operation) changes(date string, do func(*Server, *request) (any, *apiError)) *operation {
	o.do, o.event = do, o.name+date
	return o
}

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// route finds the operation of a path and its parameters, unescaped.
func route(method, escaped string) (*operation, map[string]string) {
	path := segments(escaped)
	for _, o := range operations {
		if o.method != method {
			continue
		}
		if params, ok := match(o.pattern, path); ok {
			return o, params
		}
	}
	return nil, nil
}

func match(pattern, path []string) (map[string]string, bool) {
	if len(pattern) != len(path) {
		return nil, false
	}
	params := map[string]string{}
	for i, p := range pattern {
		if !strings.HasPrefix(p, "{") {
			if p != path[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(path[i])
		if err != nil || value == "" {
			return nil, false
		}
		params[strings.Trim(p, "{}")] = value
	}
	return params, true
}

// operationName names an operation that is not implemented.
func operationName(method, escaped string) string {
	for _, o := range absent {
		if _, ok := match(o.pattern, segments(escaped)); ok && o.method == method {
			return o.name
		}
	}
	if method == http.MethodPost && strings.Trim(escaped, "/") == "" {
		return "a call of another service"
	}
	return "this operation"
}

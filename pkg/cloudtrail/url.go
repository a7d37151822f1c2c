package cloudtrail

import (
	"github.com/permdrift/permdrift/pkg/drift"
)

// createFunctionURL decodes CreateFunctionUrlConfig. The response has the whole
// configuration, and without one the request has all that differs from none.
func createFunctionURL(r *record) ([]drift.Change, error) {
	return r.functionURL(drift.PutURL, r.claimedURL(r.request.str("authType")))
}

// updateFunctionURL decodes UpdateFunctionUrlConfig. The request has only what
// was to change, so without a response nobody knows what the URL is now.
func updateFunctionURL(r *record) ([]drift.Change, error) {
	return r.functionURL(drift.PutURL, r.claimedURL(""))
}

// deleteFunctionURL decodes DeleteFunctionUrlConfig.
func deleteFunctionURL(r *record) ([]drift.Change, error) {
	return r.functionURL(drift.DeleteURL, nil)
}

// functionURL is the change of the URL of a function or an alias.
func (r *record) functionURL(operation drift.Operation, claim *drift.Config) ([]drift.Change, error) {
	subject, place, err := r.function(r.response.str("functionArn"))
	if err != nil {
		return nil, err
	}
	detail := details(r.response, "functionUrl", "authType")
	if auth := r.request.str("authType"); auth != "" {
		detail["authType"] = auth
	}
	return []drift.Change{{Subject: subject, Place: place, Operation: operation, Detail: detail, Config: claim}}, nil
}

// claimedURL is the URL that the response describes. What the response leaves
// out is as the request has it. asked is the AuthType that stands for a missing
// response; where neither tells one, there is no claim.
func (r *record) claimedURL(asked string) *drift.Config {
	auth := first(r.response.str("authType"), asked)
	if auth == "" {
		return nil
	}
	cors := claimedCORS(r.response.obj("cors"))
	if cors == nil {
		cors = claimedCORS(r.request.obj("cors"))
	}
	return &drift.Config{URL: &drift.URL{
		Address:    r.response.str("functionUrl"),
		AuthType:   auth,
		InvokeMode: first(r.response.str("invokeMode"), r.request.str("invokeMode")),
		CORS:       cors,
	}}
}

// claimedCORS is what an element of that name says; nil where there is none.
func claimedCORS(o object) *drift.CORS {
	if o == nil {
		return nil
	}
	return &drift.CORS{
		AllowCredentials: isTrue(o.str("allowCredentials")),
		AllowHeaders:     o.list("allowHeaders"),
		AllowMethods:     o.list("allowMethods"),
		AllowOrigins:     o.list("allowOrigins"),
		ExposeHeaders:    o.list("exposeHeaders"),
		MaxAge:           o.count("maxAge"),
	}
}

package cloudtrail

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// statementText is the statement that a response quotes as JSON text, and the
// resource in it; empty where there is none. It does not ask whether the
// statement is a good one, so that the resource is known even if it is not.
func statementText(response object) (text, resource string) {
	text = response.document("statement")
	statement, err := parseObject(json.RawMessage(text))
	if err != nil {
		return text, ""
	}
	if resources := statement.list("Resource"); len(resources) == 1 {
		resource = resources[0]
	}
	return text, resource
}

// claimedStatement is the statement that a call claims to have added: what the
// response quotes, else, if the call succeeded, what the service writes for
// such a request. The problem says why there is none.
func (r *record) claimedStatement(resource string) (*policy.Statement, string) {
	text, _ := statementText(r.response)
	switch {
	case text == "" && !r.succeeded():
		return nil, ""
	case text == "":
		built, err := r.writtenStatement(resource)
		if err != nil {
			return nil, fmt.Sprintf("the response quotes no statement, and the request does not tell it: %v", err)
		}
		text = built
	}
	statement, err := policy.ParseStatement([]byte(text))
	if err != nil {
		return nil, fmt.Sprintf("the statement that was added cannot be read: %v", err)
	}
	return &statement, ""
}

// writtenStatement is the text of the statement that AddPermission and
// AddLayerVersionPermission write for a request.
func (r *record) writtenStatement(resource string) (string, error) {
	action, principal := r.request.str("action"), r.request.str("principal")
	if action == "" || principal == "" {
		return "", fmt.Errorf("action or principal is missing")
	}
	statement := map[string]any{
		"Effect": "Allow", "Action": action, "Resource": resource,
		"Principal": writtenPrincipal(r.partition, principal),
	}
	if sid := r.request.str("statementId"); sid != "" {
		statement["Sid"] = sid
	}
	conditions := map[string]map[string]string{}
	for _, c := range writtenConditions {
		value := r.request.str(c.parameter)
		if value == "" {
			continue
		}
		if conditions[c.operator] == nil {
			conditions[c.operator] = map[string]string{}
		}
		conditions[c.operator][c.key] = value
	}
	if len(conditions) > 0 {
		statement["Condition"] = conditions
	}
	text, err := json.Marshal(statement)
	return string(text), err
}

// writtenConditions are the conditions that Lambda writes for a parameter.
var writtenConditions = []struct{ parameter, operator, key string }{
	{"sourceArn", "ArnLike", "AWS:SourceArn"},
	{"sourceAccount", "StringEquals", "AWS:SourceAccount"},
	{"principalOrgID", "StringEquals", "aws:PrincipalOrgID"},
	{"organizationId", "StringEquals", "aws:PrincipalOrgID"},
	{"eventSourceToken", "StringEquals", "lambda:EventSourceToken"},
	{"functionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
	{"invokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"},
}

// writtenPrincipal is the principal that Lambda stores for a parameter: a
// service has a dot in its name, everything else is an account or an ARN.
func writtenPrincipal(partition, principal string) any {
	switch {
	case principal == "*":
		return "*"
	case allDigits(principal):
		return map[string]string{"AWS": "arn:" + partition + ":iam::" + principal + ":root"}
	case !strings.HasPrefix(principal, "arn:") && strings.Contains(principal, "."):
		return map[string]string{"Service": principal}
	}
	return map[string]string{"AWS": principal}
}

// claimedPolicy parses the first document that is not empty. IAM's responses
// have theirs URL-encoded. The problem says why there is no policy.
func claimedPolicy(documents ...string) (*policy.Policy, string) {
	text := first(documents...)
	if text == "" {
		return nil, "the event does not quote the policy"
	}
	if strings.HasPrefix(text, "%") {
		decoded, err := url.PathUnescape(text)
		if err != nil {
			return nil, fmt.Sprintf("the policy cannot be read: %v", err)
		}
		text = decoded
	}
	p, err := policy.Parse([]byte(text))
	if err != nil {
		return nil, fmt.Sprintf("the policy cannot be read: %v", err)
	}
	return &p, ""
}

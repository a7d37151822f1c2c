package template_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// matches says whether an EventBridge pattern lets an event in. It knows the
// part of the pattern language that our rules use: nested mappings, lists of
// alternatives, exact strings and {"prefix": …}. Anything else matches nothing,
// so that a pattern beyond it fails the tests.
func matches(pattern, event any) bool {
	switch pattern := pattern.(type) {
	case object:
		e, ok := event.(object)
		if !ok {
			return false
		}
		for key, p := range pattern {
			value, there := e[key]
			if !there || !matches(p, value) {
				return false
			}
		}
		return true
	case []any:
		text, ok := event.(string)
		if !ok {
			return false
		}
		for _, p := range pattern {
			if p == text {
				return true
			}
			if m, ok := p.(object); ok && len(m) == 1 {
				if prefix, ok := m["prefix"].(string); ok && strings.HasPrefix(text, prefix) {
					return true
				}
			}
		}
	}
	return false
}

// call is the envelope of a CloudTrail record as EventBridge delivers it.
func call(service, name string) object {
	return object{
		"source":      "aws." + service,
		"detail-type": "AWS API Call via CloudTrail",
		"account":     "111122223333",
		"detail":      object{"eventSource": service + ".amazonaws.com", "eventName": name},
	}
}

var lambdaCalls = []string{
	"AddPermission20150331v2", "AddPermission20150331", "AddPermission",
	"RemovePermission20150331v2", "RemovePermission20150331", "RemovePermission",
	"PutResourcePolicy", "PutResourcePolicy20260709", "DeleteResourcePolicy", "DeleteResourcePolicy20260709",
	"CreateFunction20150331", "CreateFunction", "DeleteFunction20150331", "DeleteFunction",
	"UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration",
	"PublishVersion20150331", "CreateAlias20150331", "UpdateAlias20150331", "DeleteAlias20150331",
	"CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig",
	"AddLayerVersionPermission20181031", "AddLayerVersionPermission",
	"RemoveLayerVersionPermission20181031", "RemoveLayerVersionPermission",
	"CreateEventSourceMapping20150331", "UpdateEventSourceMapping20150331", "DeleteEventSourceMapping20150331",
}

var identityCalls = []string{
	"iam CreateRole", "iam UpdateRole", "iam DeleteRole", "iam UpdateAssumeRolePolicy",
	"iam PutRolePolicy", "iam DeleteRolePolicy", "iam AttachRolePolicy", "iam DetachRolePolicy",
	"iam PutRolePermissionsBoundary", "iam DeleteRolePermissionsBoundary",
	"iam CreatePolicyVersion", "iam SetDefaultPolicyVersion", "iam DeletePolicyVersion",
	"iam CreateOpenIDConnectProvider", "iam AddClientIDToOpenIDConnectProvider", "iam UpdateOpenIDConnectProviderThumbprint",
	"iam CreateSAMLProvider", "iam UpdateSAMLProvider", "iam AddRoleToInstanceProfile",
	"rolesanywhere CreateTrustAnchor", "rolesanywhere UpdateTrustAnchor",
	"rolesanywhere CreateProfile", "rolesanywhere UpdateProfile",
}

// Of other services, of another case (patterns are case-sensitive), or of no
// consequence for grants.
var otherCalls = []string{
	"waf DeleteRule", "s3 PutBucketPolicy", "secretsmanager PutResourcePolicy", "organizations PutResourcePolicy",
	"glue DeleteResourcePolicy", "appsync CreateFunction20150331", "cloudfront CreateFunction",
	"lambda addPermission20150331", "lambda Invoke", "lambda GetPolicy20150331v2", "lambda UpdateFunctionCode20150331v2",
	"iam CreateUser", "iam PutUserPolicy", "iam CreateAccessKey", "sts AssumeRole", "rolesanywhere CreateSession",
}

type eventRule struct {
	name    string
	pattern any
}

// eventRules are the rules that match events, of both files.
func eventRules(t *testing.T) (lambda, identity []eventRule) {
	t.Helper()
	for _, file := range []string{"template.yaml", "deploy/account.yaml"} {
		for _, r := range resources(load(t, file), "AWS::Events::Rule") {
			rule := eventRule{file + " " + r.id, r.property("EventPattern")}
			switch {
			case rule.pattern == nil:
			case strings.HasSuffix(r.id, "LambdaRule"):
				lambda = append(lambda, rule)
			case strings.HasSuffix(r.id, "IdentityRule"):
				identity = append(identity, rule)
			default:
				t.Errorf("%s: a rule that no test knows", rule.name)
			}
		}
	}
	if len(lambda) != 2 || len(identity) != 3 {
		t.Fatalf("%d rules for Lambda and %d for IAM, want 2 and 3", len(lambda), len(identity))
	}
	return lambda, identity
}

func TestRulesLetInWhatMayChangeAGrant(t *testing.T) {
	lambda, identity := eventRules(t)
	for _, r := range lambda {
		for _, name := range lambdaCalls {
			if !matches(r.pattern, call("lambda", name)) {
				t.Errorf("%s does not match %s", r.name, name)
			}
		}
	}
	for _, r := range identity {
		for _, c := range identityCalls {
			service, name, _ := strings.Cut(c, " ")
			if !matches(r.pattern, call(service, name)) {
				t.Errorf("%s does not match %s", r.name, c)
			}
		}
	}
}

func TestRulesKeepOutTheRest(t *testing.T) {
	lambda, identity := eventRules(t)
	for _, r := range append(lambda, identity...) {
		for _, c := range otherCalls {
			service, name, _ := strings.Cut(c, " ")
			if matches(r.pattern, call(service, name)) {
				t.Errorf("%s matches %s", r.name, c)
			}
		}
	}
	for _, r := range lambda {
		forged := call("lambda", "AddPermission20150331v2")
		forged["source"] = "com.example"
		if matches(r.pattern, forged) {
			t.Errorf("%s matches an event that PutEvents forged", r.name)
		}
		other := call("lambda", "AddPermission20150331v2")
		other["detail"].(object)["eventSource"] = "example.amazonaws.com"
		if matches(r.pattern, other) {
			t.Errorf("%s matches another eventSource", r.name)
		}
	}
}

func TestCopiesOfAPatternAreEqual(t *testing.T) {
	lambda, identity := eventRules(t)
	for _, copies := range [][]eventRule{lambda, identity} {
		for _, r := range copies[1:] {
			if !reflect.DeepEqual(r.pattern, copies[0].pattern) {
				t.Errorf("the patterns of %s and %s differ", copies[0].name, r.name)
			}
		}
	}
}

// EventBridge's quota, which no linter knows.
func TestPatternsAreAtMost2048Characters(t *testing.T) {
	lambda, identity := eventRules(t)
	for _, r := range append(lambda, identity...) {
		text, err := json.Marshal(r.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 2048 {
			t.Errorf("%s: pattern of %d characters, EventBridge takes 2048", r.name, len(text))
		}
	}
}

func TestMatcherKnowsExactAndPrefixOnly(t *testing.T) {
	pattern := object{"source": []any{"aws.iam"}, "detail": object{"eventName": []any{object{"prefix": "Put"}}}}
	for _, test := range []struct {
		event object
		want  bool
	}{
		{object{"source": "aws.iam", "detail": object{"eventName": "PutRolePolicy"}}, true},
		{object{"source": "aws.iam", "detail": object{"eventName": "putRolePolicy"}}, false},
		{object{"source": "aws.iam.x", "detail": object{"eventName": "PutRolePolicy"}}, false},
		{object{"source": "aws.iam", "detail": object{}}, false},
		{object{"source": "aws.iam", "detail": "PutRolePolicy"}, false},
	} {
		if got := matches(pattern, test.event); got != test.want {
			t.Errorf("matches(%s) = %t, want %t", fmt.Sprint(test.event), got, test.want)
		}
	}
	if matches(object{"a": []any{object{"suffix": "x"}}}, object{"a": "x"}) {
		t.Error("an operator that the matcher does not know matched")
	}
}

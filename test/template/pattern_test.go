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
	"PublishLayerVersion20181031", "DeleteLayerVersion20181031",
	"UpdateFunctionCode20150331v2", "UpdateFunctionCode20150331", "PutFunctionConcurrency20171031", "PutFunctionConcurrency",
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
	"rolesanywhere CreateProfile", "rolesanywhere UpdateProfile", "rolesanywhere EnableTrustAnchor", "rolesanywhere EnableProfile",
}

// The calls of the table "Blinding", by the rule that forwards them.
var deliveryCalls = []string{
	"cloudtrail StopLogging", "cloudtrail DeleteTrail", "cloudtrail UpdateTrail", "cloudtrail PutEventSelectors",
	"events DisableRule", "events DeleteRule", "events PutRule", "events PutTargets", "events RemoveTargets", "events DeleteEventBus",
	"events PutPermission", "events RemovePermission", "sns SetTopicAttributes", "sns SetSubscriptionAttributes", "sns Unsubscribe", "sns DeleteTopic",
	"sqs SetQueueAttributes", "sqs PurgeQueue", "sqs DeleteQueue", "cloudformation UpdateStack", "cloudformation DeleteStack",
}

var upkeepCalls = []string{
	"kms DisableKey", "kms ScheduleKeyDeletion", "kms PutKeyPolicy", "dynamodb DeleteTable", "dynamodb UpdateTable",
	"scheduler UpdateSchedule", "scheduler DeleteSchedule", "monitoring DeleteAlarms", "monitoring DisableAlarmActions",
	"events DisableRule", "events DeleteRule", "events PutRule", "events RemoveTargets", // the end of the delivery rule, which it does not see itself
}

// Of other services, of another case (patterns are case-sensitive), or of no
// consequence for grants.
var otherCalls = []string{
	"waf DeleteRule", "s3 PutBucketPolicy", "secretsmanager PutResourcePolicy", "organizations PutResourcePolicy",
	"glue DeleteResourcePolicy", "appsync CreateFunction20150331", "cloudfront CreateFunction",
	"lambda addPermission20150331", "lambda Invoke", "lambda GetPolicy20150331v2", "lambda TagResource20170331v2",
	"iam CreateUser", "iam TagUser", "iam CreateAccessKey", "sts AssumeRole", "rolesanywhere CreateSession",
	"events EnableRule", "sns Publish", "sns Subscribe", "sqs SendMessage", "dynamodb CreateTable", "kms CreateGrant", "monitoring PutMetricData",
	"cloudformation CreateChangeSet", "cloudtrail CreateTrail", "organizations CreateAccount", "logs DeleteLogGroup",
}

type eventRule struct {
	name    string
	pattern any
}

// kind is a pattern: how the names of its rules end, how many copies of it
// there are on the buses of all files, and what it has to let in.
type kind struct {
	suffix string
	copies int
	calls  []string
}

var kinds = []kind{
	{"LambdaRule", 3, prefixed("lambda ", lambdaCalls)},
	{"IdentityRule", 3, identityCalls},
	{"DeliveryRule", 4, deliveryCalls},
	{"UpkeepRule", 1, upkeepCalls},
}

func prefixed(prefix string, names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, prefix+name)
	}
	return out
}

// eventRules are the rules that match events, of all files, by kind.
func eventRules(t *testing.T) map[string][]eventRule {
	t.Helper()
	rules := map[string][]eventRule{}
	for _, file := range templates {
		for _, r := range resources(load(t, file), "AWS::Events::Rule") {
			rule := eventRule{file + " " + r.id, r.property("EventPattern")}
			if rule.pattern == nil {
				continue
			}
			known := false
			for _, k := range kinds {
				if strings.HasSuffix(r.id, k.suffix) {
					known = true
					rules[k.suffix] = append(rules[k.suffix], rule)
				}
			}
			if !known {
				t.Errorf("%s: a rule that no test knows", rule.name)
			}
		}
	}
	for _, k := range kinds {
		if len(rules[k.suffix]) != k.copies {
			t.Fatalf("%d copies of %s, want %d", len(rules[k.suffix]), k.suffix, k.copies)
		}
	}
	return rules
}

func TestRulesLetInWhatMatters(t *testing.T) {
	rules := eventRules(t)
	for _, k := range kinds {
		for _, r := range rules[k.suffix] {
			for _, c := range k.calls {
				service, name, _ := strings.Cut(c, " ")
				if !matches(r.pattern, call(service, name)) {
					t.Errorf("%s does not match %s", r.name, c)
				}
			}
		}
	}
}

func TestRulesKeepOutTheRest(t *testing.T) {
	rules := eventRules(t)
	for _, k := range kinds {
		for _, r := range rules[k.suffix] {
			for _, c := range otherCalls {
				service, name, _ := strings.Cut(c, " ")
				if matches(r.pattern, call(service, name)) {
					t.Errorf("%s matches %s", r.name, c)
				}
			}
			service, name, _ := strings.Cut(k.calls[0], " ")
			for what, forged := range map[string]func(object){
				"an event that PutEvents forged": func(e object) { e["source"] = "com.example" },
				"another eventSource":            func(e object) { e["detail"].(object)["eventSource"] = "example.amazonaws.com" },
				"another detail-type":            func(e object) { e["detail-type"] = "Scheduled Event" },
			} {
				e := call(service, name)
				forged(e)
				if matches(r.pattern, e) {
					t.Errorf("%s matches %s", r.name, what)
				}
			}
		}
	}
}

func TestCopiesOfAPatternAreEqual(t *testing.T) {
	for _, copies := range eventRules(t) {
		for _, r := range copies[1:] {
			if !reflect.DeepEqual(r.pattern, copies[0].pattern) {
				t.Errorf("the patterns of %s and %s differ", copies[0].name, r.name)
			}
		}
	}
}

// EventBridge's quota, which no linter knows.
func TestPatternsAreAtMost2048Characters(t *testing.T) {
	for _, rules := range eventRules(t) {
		for _, r := range rules {
			text, err := json.MarshalIndent(r.pattern, "", " ") // CloudFormation may put white space in
			if err != nil {
				t.Fatal(err)
			}
			if len(text) > 2048 {
				t.Errorf("%s: pattern of %d characters, EventBridge takes 2048", r.name, len(text))
			}
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

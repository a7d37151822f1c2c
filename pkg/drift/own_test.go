package drift

import (
	"strings"
	"testing"
)

func TestTampering(t *testing.T) {
	ours := Own{Stack: "permdrift", Keys: []string{"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}
	account := AccountSubject("", "111122223333")
	call := func(source, name string, detail map[string]string) Change {
		return Change{Subject: account, Operation: Blind, Detail: detail, Event: Event{ID: "e1", Name: name, Source: source + ".amazonaws.com"}}
	}
	function := func(o Operation, name string) Change {
		return Change{Subject: FunctionSubject("", "us-east-1", "111122223333", name), Operation: o, Event: Event{ID: "e1", Name: string(o), Source: "lambda.amazonaws.com"}}
	}
	d := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name   string
		change Change
		found  bool
	}{
		{"our rule disabled", call("events", "DisableRule", d("name", "permdrift-LambdaRule-1ABC", "eventBusName", "default")), true},
		{"our rule by its ARN", call("events", "PutRule", d("name", "arn:aws:events:us-east-1:111122223333:rule/permdrift/permdrift-LambdaRule-1ABC")), true},
		{"our bus", call("events", "DeleteEventBus", d("name", "permdrift")), true},
		{"a rule on our bus", call("events", "RemoveTargets", d("rule", "x", "eventBusName", "permdrift")), true},
		{"another rule", call("events", "DisableRule", d("name", "nightly")), false},
		{"a rule whose pattern names us", call("events", "PutRule", d("name", "nightly", "eventPattern", `{"source":["permdrift"]}`)), false},
		{"another stack whose name begins like ours", call("cloudformation", "DeleteStack", d("stackName", "permdrifter")), false},
		{"our stack", call("cloudformation", "DeleteStack", d("stackName", "arn:aws:cloudformation:us-east-1:111122223333:stack/permdrift/5f2a")), true},
		{"our queue purged", call("sqs", "PurgeQueue", d("queueUrl", "https://sqs.us-east-1.amazonaws.com/111122223333/permdrift-EventsQueue-9X")), true},
		{"our topic", call("sns", "Unsubscribe", d("subscriptionArn", "arn:aws:sns:us-east-1:111122223333:permdrift-AlertTopic-7Z:0f")), true},
		{"our table", call("dynamodb", "DeleteTable", d("tableName", "permdrift-BaselineTable-ABC")), true},
		{"one of several alarms is ours", call("monitoring", "DeleteAlarms", d("alarmNames", "cpu,permdrift-HeartbeatAlarm-1")), true},
		{"our key", call("kms", "ScheduleKeyDeletion", d("keyId", "1234abcd-12ab-34cd-56ef-1234567890ab")), true},
		{"another key", call("kms", "DisableKey", d("keyId", "ffffffff-12ab-34cd-56ef-1234567890ab")), false},
		{"a trail stopped", call("cloudtrail", "StopLogging", d("name", "any")), true},
		{"a trail deleted", call("cloudtrail", "DeleteTrail", d("name", "any")), true},
		{"a trail updated", call("cloudtrail", "UpdateTrail", d("name", "any")), false},
		{"a trail without other regions", call("cloudtrail", "UpdateTrail", d("name", "any", "isMultiRegionTrail", "false")), true},
		{"selectors keep writes", call("cloudtrail", "PutEventSelectors", d("eventSelectors", `[{"readWriteType":"WriteOnly","includeManagementEvents":true}]`)), false},
		{"selectors keep reads only", call("cloudtrail", "PutEventSelectors", d("eventSelectors", `[{"readWriteType":"ReadOnly","includeManagementEvents":true}]`)), true},
		{"selectors without management", call("cloudtrail", "PutEventSelectors", d("eventSelectors", `[{"readWriteType":"All","includeManagementEvents":false}]`)), true},
		{"advanced selectors keep all", call("cloudtrail", "PutEventSelectors", d("advancedEventSelectors", `[{"name":"m","fieldSelectors":[{"field":"eventCategory","equals":["Management"]}]}]`)), false},
		{"advanced selectors without kms", call("cloudtrail", "PutEventSelectors", d("advancedEventSelectors", `[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},{"field":"eventSource","notEquals":["kms.amazonaws.com"]}]}]`)), false},
		{"advanced selectors without lambda", call("cloudtrail", "PutEventSelectors", d("advancedEventSelectors", `[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},{"field":"eventSource","notEquals":["lambda.amazonaws.com"]}]}]`)), true},
		{"advanced selectors of data alone", call("cloudtrail", "PutEventSelectors", d("advancedEventSelectors", `[{"fieldSelectors":[{"field":"eventCategory","equals":["Data"]}]}]`)), true},
		{"selectors that cannot be read", call("cloudtrail", "PutEventSelectors", d("eventSelectors", `[{"readWriteType":`)), true},
		{"the organization left", call("organizations", "LeaveOrganization", nil), true},
		{"our function stopped", call("lambda", "PutFunctionConcurrency20171031", d("functionName", "permdrift-AuditorFunction-XYZ", "reservedConcurrentExecutions", "0")), true},
		{"another function stopped", call("lambda", "PutFunctionConcurrency20171031", d("functionName", "orders", "reservedConcurrentExecutions", "0")), false},
		{"our function's code", function(UpdateCode, "permdrift-AuditorFunction-XYZ"), true},
		{"our function's policy", function(RemoveStatement, "permdrift-AuditorFunction-XYZ"), true},
		{"our function's queue", function(DeleteMapping, "permdrift-AuditorFunction-XYZ"), true},
		{"our function gone", function(DeleteSubject, "permdrift-AuditorFunction-XYZ"), true},
		{"another function's code", function(UpdateCode, "orders"), false},
		{"a sweep of our function", function(Sweep, "permdrift-AuditorFunction-XYZ"), false},
		{"our role", Change{Subject: RoleSubject("", "111122223333", "permdrift-AuditorFunctionRole-Q"), Operation: RemoveIdentityPolicy, Event: Event{Name: "DetachRolePolicy"}}, true},
		{"another role", Change{Subject: RoleSubject("", "111122223333", "orders"), Operation: PutIdentityPolicy}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, undecided := Tampering(c.change, ours)
			if (f != nil) != c.found || undecided != "" {
				t.Fatalf("got %+v, %q", f, undecided)
			}
			if f != nil && (f.Severity != Critical || f.Kind != AuditBlinded || f.Reason == "" || f.ID == "") {
				t.Errorf("got %+v", f)
			}
		})
	}
}

// Without its stack's name nobody can tell; that is unknown, and not clean.
func TestTamperingUndecided(t *testing.T) {
	queue := Change{Operation: Blind, Detail: map[string]string{"queueUrl": "x"}, Event: Event{Source: "sqs.amazonaws.com", Name: "PurgeQueue"}}
	if f, undecided := Tampering(queue, Own{}); f != nil || !strings.Contains(undecided, "stack is not known") {
		t.Errorf("got %+v, %q", f, undecided)
	}
	key := Change{Operation: Blind, Detail: map[string]string{"keyId": "x"}, Event: Event{Source: "kms.amazonaws.com", Name: "DisableKey"}}
	if f, undecided := Tampering(key, Own{Stack: "permdrift"}); f != nil || !strings.Contains(undecided, "keys are not known") {
		t.Errorf("got %+v, %q", f, undecided)
	}
	perhaps := Change{Operation: Blind, OutcomeUnknown: true, Detail: map[string]string{"name": "t"}, Event: Event{Source: "cloudtrail.amazonaws.com", Name: "StopLogging"}}
	if f, _ := Tampering(perhaps, Own{}); f == nil {
		t.Error("a call that may have stopped the trail is nothing")
	}
	perhaps = Change{Subject: FunctionSubject("", "us-east-1", "111122223333", "permdrift-AuditorFunction-XYZ"), Operation: UpdateCode, OutcomeUnknown: true}
	if f, _ := Tampering(perhaps, Own{Stack: "permdrift"}); f == nil || !strings.HasSuffix(f.Reason, "whether it took effect is unknown") {
		t.Errorf("a call that may have replaced the auditor's code: got %+v", f)
	}
}

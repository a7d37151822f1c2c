package line_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// fields are the parameters of a call, or its answer. $NAME in a text is the
// name of the resource.
type fields map[string]any

// event is a call to another service than Lambda. Its record is made here.
type event struct {
	service, name     string
	request, response fields
}

// record is the record of the call about a resource of that name.
func (e event) record(name string) func(*world) json.RawMessage {
	return func(w *world) json.RawMessage {
		w.t.Helper()
		w.mu.Lock()
		w.serial++
		id, at := fmt.Sprintf("a1b2c3d4-5678-90ab-cdef-%012d", w.serial), w.at
		w.mu.Unlock()
		text, err := json.Marshal(map[string]any{
			"eventVersion": "1.11", "eventID": id, "eventTime": at.Format(time.RFC3339), "eventSource": e.service + ".amazonaws.com", "eventName": e.name,
			"awsRegion": region, "recipientAccountId": account, "sourceIPAddress": "198.51.100.7", "eventType": "AwsApiCall", "readOnly": false,
			"userIdentity":      map[string]any{"type": "IAMUser", "arn": mallory.caller.ARN, "accountId": account, "userName": "mallory"},
			"requestParameters": e.request, "responseElements": e.response,
		})
		must(w.t, "writing a record", err)
		return json.RawMessage(strings.ReplaceAll(string(text), "$NAME", name))
	}
}

// cell is the call in one form.
func (e event) cell(column, name, want string) cell {
	return cell{call: e.service + " " + e.name, event: e.name, column: column, want: want, record: e.record(name), shared: true}
}

// The names of resources: of permdrift, and of somebody else.
const (
	ownName   = "permdrift-AuditorPart-EXAMPLE1A2B"
	otherName = "shop-orders"
)

// blindCells are the cells of the calls that may blind the auditor: critical on
// what is its own, and nothing on what is somebody else's.
func blindCells() []cell {
	const (
		blinded  = "audit-blinded critical"
		omission = "unreadable-change medium"
		queueURL = "https://sqs.us-east-1.amazonaws.com/111122223333/$NAME"
		topicOf  = "arn:aws:sns:us-east-1:111122223333:$NAME"
		tableOf  = "arn:aws:dynamodb:us-east-1:111122223333:table/$NAME"
		subOf    = topicOf + ":a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"
		ourKey   = "1234abcd-12ab-34cd-56ef-1234567890ab"
		theirKey = "aaaabbbb-12ab-34cd-56ef-1234567890ab"
	)
	var cells []cell
	add := func(e event, ours, theirs string) {
		cells = append(cells, e.cell(own, ours, blinded), e.cell(refused, ours, nothing), e.cell(unknown, ours, blinded), e.cell(omitted, ours, omission))
		if theirs != "" {
			cells = append(cells, e.cell(same, theirs, nothing))
		}
	}
	trail := fields{"name": "$NAME", "isMultiRegionTrail": false, "trailName": "$NAME", "eventSelectors": []fields{{"readWriteType": "ReadOnly", "includeManagementEvents": true}}}
	for _, call := range []string{"StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"} {
		add(event{service: "cloudtrail", name: call, request: trail}, otherName, "")
	}
	cells = append(cells,
		event{service: "cloudtrail", name: "UpdateTrail", request: fields{"name": "$NAME", "enableLogFileValidation": true}}.cell(same, otherName, nothing),
		event{service: "cloudtrail", name: "PutEventSelectors", request: fields{"trailName": "$NAME", "eventSelectors": []fields{{"readWriteType": "All", "includeManagementEvents": true}}}}.cell(same, otherName, nothing))
	for _, s := range []struct {
		service, calls string
		request        fields
	}{
		{"events", "DisableRule DeleteRule PutRule UpdateEventBus DeleteEventBus", fields{"name": "$NAME", "state": "DISABLED"}},
		{"events", "PutTargets RemoveTargets", fields{"rule": "$NAME", "ids": []string{"queue"}}},
		{"events", "PutPermission RemovePermission", fields{"eventBusName": "$NAME", "statementId": "hub"}},
		{"sns", "SetTopicAttributes RemovePermission DeleteTopic", fields{"topicArn": topicOf, "attributeName": "Policy", "label": "a"}},
		{"sns", "SetSubscriptionAttributes Unsubscribe", fields{"subscriptionArn": subOf, "attributeName": "FilterPolicy"}},
		{"sns", "PutDataProtectionPolicy", fields{"resourceArn": topicOf}},
		{"sqs", "SetQueueAttributes RemovePermission PurgeQueue DeleteQueue", fields{"queueUrl": queueURL, "label": "a"}},
		{"dynamodb", "DeleteTable UpdateTable UpdateTimeToLive UpdateContinuousBackups", fields{"tableName": "$NAME"}},
		{"dynamodb", "PutResourcePolicy DeleteResourcePolicy", fields{"resourceArn": tableOf}},
		{"scheduler", "UpdateSchedule DeleteSchedule DeleteScheduleGroup", fields{"name": "$NAME", "state": "DISABLED"}},
		{"monitoring", "DeleteAlarms DisableAlarmActions PutMetricAlarm", fields{"alarmNames": []string{"$NAME"}, "alarmName": "$NAME"}},
		{"cloudformation", "UpdateStack DeleteStack ExecuteChangeSet", fields{"stackName": "$NAME"}},
	} {
		for call := range strings.FieldsSeq(s.calls) {
			add(event{service: s.service, name: call, request: s.request}, ownName, otherName)
		}
	}
	for _, call := range []string{"DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"} {
		add(event{service: "kms", name: call, request: fields{"keyId": "$NAME"}}, ourKey, theirKey)
	}
	add(event{service: "organizations", name: "LeaveOrganization"}, otherName, "")
	return cells
}

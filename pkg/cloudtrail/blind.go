package cloudtrail

import (
	"errors"
	"strconv"

	"github.com/permdrift/permdrift/pkg/drift"
)

// blinding are the calls that may blind the auditor, and which of their
// parameters say to what and how. Parameters that name other resources (the
// targets of a rule, the policy of a queue) are left out, so that a name among
// the details is one of the resource. Whether that is one that the auditing
// rests on, a decoder cannot know. What blinds by changing a function, a policy
// or a role is among the decoders.
var blinding = map[call][]string{
	{"cloudtrail", "StopLogging"}:       {"name"},
	{"cloudtrail", "DeleteTrail"}:       {"name"},
	{"cloudtrail", "UpdateTrail"}:       {"name", "isMultiRegionTrail", "includeGlobalServiceEvents", "isOrganizationTrail"},
	{"cloudtrail", "PutEventSelectors"}: {"trailName", "eventSelectors", "advancedEventSelectors"},

	{"events", "DisableRule"}:      {"name", "eventBusName"},
	{"events", "DeleteRule"}:       {"name", "eventBusName"},
	{"events", "PutRule"}:          {"name", "eventBusName", "state", "eventPattern", "scheduleExpression"},
	{"events", "PutTargets"}:       {"rule", "eventBusName"},
	{"events", "RemoveTargets"}:    {"rule", "eventBusName", "ids"},
	{"events", "UpdateEventBus"}:   {"name", "kmsKeyIdentifier"},
	{"events", "DeleteEventBus"}:   {"name"},
	{"events", "PutPermission"}:    {"eventBusName", "statementId", "principal"},
	{"events", "RemovePermission"}: {"eventBusName", "statementId", "removeAllPermissions"},

	{"sns", "SetTopicAttributes"}:        {"topicArn", "attributeName"},
	{"sns", "SetSubscriptionAttributes"}: {"subscriptionArn", "attributeName"},
	{"sns", "PutDataProtectionPolicy"}:   {"resourceArn"}, // it can hold messages back
	{"sns", "RemovePermission"}:          {"topicArn", "label"},
	{"sns", "Unsubscribe"}:               {"subscriptionArn"},
	{"sns", "DeleteTopic"}:               {"topicArn"},

	{"sqs", "SetQueueAttributes"}: {"queueUrl"},
	{"sqs", "RemovePermission"}:   {"queueUrl", "label"},
	{"sqs", "PurgeQueue"}:         {"queueUrl"},
	{"sqs", "DeleteQueue"}:        {"queueUrl"},

	{"kms", "DisableKey"}:          {"keyId"},
	{"kms", "ScheduleKeyDeletion"}: {"keyId", "pendingWindowInDays"},
	{"kms", "PutKeyPolicy"}:        {"keyId"},

	// What is written into a table is a data event, which EventBridge never sees.
	{"dynamodb", "DeleteTable"}:             {"tableName"},
	{"dynamodb", "UpdateTable"}:             {"tableName", "deletionProtectionEnabled"},
	{"dynamodb", "UpdateTimeToLive"}:        {"tableName", "timeToLiveSpecification"},
	{"dynamodb", "UpdateContinuousBackups"}: {"tableName", "pointInTimeRecoverySpecification"},
	{"dynamodb", "PutResourcePolicy"}:       {"resourceArn"},
	{"dynamodb", "DeleteResourcePolicy"}:    {"resourceArn"},

	{"scheduler", "UpdateSchedule"}:      {"name", "groupName", "state", "scheduleExpression"},
	{"scheduler", "DeleteSchedule"}:      {"name", "groupName"},
	{"scheduler", "DeleteScheduleGroup"}: {"name"},

	// CloudWatch's name in eventSource.
	{"monitoring", "DeleteAlarms"}:        {"alarmNames", "alarms"},
	{"monitoring", "DisableAlarmActions"}: {"alarmNames"},
	{"monitoring", "PutMetricAlarm"}:      {"alarmName", "actionsEnabled", "threshold"},

	{"cloudformation", "UpdateStack"}:      {"stackName"},
	{"cloudformation", "DeleteStack"}:      {"stackName"},
	{"cloudformation", "ExecuteChangeSet"}: {"stackName", "changeSetName"},

	// A member that leaves is no longer let onto the hub's bus.
	{"organizations", "LeaveOrganization"}: nil,
}

// errNoAccount: a finding about the auditing needs an account to stand on.
var errNoAccount = errors.New("the record names no account")

// blind decodes a call that may blind the auditor.
func blind(parameters []string) decoder {
	return func(r *record) ([]drift.Change, error) {
		if r.event.Account == "" {
			return nil, errNoAccount
		}
		return []drift.Change{{
			Subject: r.account(), Whole: true, Operation: drift.Blind, Detail: r.details(parameters...),
		}}, nil
	}
}

// putFunctionConcurrency decodes PutFunctionConcurrency, which stops a function
// if it reserves nothing for it. The function is among the details, as the
// caller spelled it and as functionArn.
func putFunctionConcurrency(r *record) ([]drift.Change, error) {
	reserved, err := strconv.ParseFloat(r.request.str("reservedConcurrentExecutions"), 64)
	if err == nil && reserved > 0 {
		return nil, skippedError("the function keeps running: reservedConcurrentExecutions is not 0")
	}
	changes, err := blind([]string{"functionName", "reservedConcurrentExecutions"})(r)
	if subject, _, problem := r.function(""); problem == nil {
		for i := range changes {
			changes[i].Detail["functionArn"] = string(subject)
		}
	}
	return changes, err
}

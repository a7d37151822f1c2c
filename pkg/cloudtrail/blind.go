package cloudtrail

import (
	"errors"
	"strconv"

	"github.com/permdrift/permdrift/pkg/drift"
)

// blinding are the calls that may blind the auditor, and which of their
// parameters say to what and how. Whether the resource is one that the auditing
// rests on, a decoder cannot know. What blinds by changing a function, a policy
// or a role is among the decoders.
var blinding = map[call][]string{
	{"cloudtrail", "StopLogging"}:       {"name"},
	{"cloudtrail", "DeleteTrail"}:       {"name"},
	{"cloudtrail", "UpdateTrail"}:       {"name", "isMultiRegionTrail", "includeGlobalServiceEvents"},
	{"cloudtrail", "PutEventSelectors"}: {"trailName", "eventSelectors", "advancedEventSelectors"},

	{"events", "DisableRule"}:      {"name", "eventBusName"},
	{"events", "DeleteRule"}:       {"name", "eventBusName"},
	{"events", "PutRule"}:          {"name", "eventBusName", "state", "eventPattern"},
	{"events", "PutTargets"}:       {"rule", "eventBusName"},
	{"events", "RemoveTargets"}:    {"rule", "eventBusName", "ids"},
	{"events", "DeleteEventBus"}:   {"name"},
	{"events", "PutPermission"}:    {"eventBusName", "statementId", "principal"},
	{"events", "RemovePermission"}: {"eventBusName", "statementId"},

	{"sns", "SetTopicAttributes"}:        {"topicArn", "attributeName"},
	{"sns", "SetSubscriptionAttributes"}: {"subscriptionArn", "attributeName"},
	{"sns", "Unsubscribe"}:               {"subscriptionArn"},
	{"sns", "DeleteTopic"}:               {"topicArn"},

	{"sqs", "SetQueueAttributes"}: {"queueUrl"},
	{"sqs", "PurgeQueue"}:         {"queueUrl"},
	{"sqs", "DeleteQueue"}:        {"queueUrl"},

	{"kms", "DisableKey"}:          {"keyId"},
	{"kms", "ScheduleKeyDeletion"}: {"keyId"},
	{"kms", "PutKeyPolicy"}:        {"keyId"},

	{"dynamodb", "DeleteTable"}:             {"tableName"},
	{"dynamodb", "UpdateTable"}:             {"tableName"},
	{"dynamodb", "UpdateTimeToLive"}:        {"tableName"},
	{"dynamodb", "UpdateContinuousBackups"}: {"tableName"},
	{"dynamodb", "PutResourcePolicy"}:       {"resourceArn"},
	{"dynamodb", "DeleteResourcePolicy"}:    {"resourceArn"},

	{"scheduler", "UpdateSchedule"}:      {"name", "groupName", "state"},
	{"scheduler", "DeleteSchedule"}:      {"name", "groupName"},
	{"scheduler", "DeleteScheduleGroup"}: {"name"},

	{"monitoring", "DeleteAlarms"}:        {"alarmNames", "alarms"},
	{"monitoring", "DisableAlarmActions"}: {"alarmNames"},

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
// if it reserves nothing for it.
func putFunctionConcurrency(r *record) ([]drift.Change, error) {
	reserved, err := strconv.ParseFloat(r.request.str("reservedConcurrentExecutions"), 64)
	if err == nil && reserved > 0 {
		return nil, skippedError("the function keeps running: reservedConcurrentExecutions is not 0")
	}
	return blind([]string{"functionName", "reservedConcurrentExecutions"})(r)
}

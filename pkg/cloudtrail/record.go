package cloudtrail

import (
	"fmt"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// record is one CloudTrail record, and what every decoder needs of it.
type record struct {
	fields    object
	request   object // requestParameters
	response  object // responseElements
	event     drift.Event
	actor     drift.Actor
	partition string
	errorCode string
}

func newRecord(fields object, env envelope) *record {
	identity := fields.obj("userIdentity")
	r := &record{
		fields:    fields,
		errorCode: fields.str("errorCode"),
		actor:     actorOf(fields),
		event: drift.Event{
			ID:       fields.str("eventID"),
			Original: fields.obj("addendum").str("originalEventID"),
			Name:     fields.str("eventName"),
			Source:   fields.str("eventSource"),
			Time:     firstTime(fields.str("eventTime"), env.time),
			Account:  first(clean(fields.str("recipientAccountId")), env.account, clean(identity.str("accountId"))),
			Region:   first(clean(fields.str("awsRegion")), env.region),
		},
	}
	r.partition = first(partitionOf(identity.str("arn")), regionPartition(r.event.Region))
	return r
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// firstTime is the first text that is a time, in UTC; zero if none is.
func firstTime(texts ...string) time.Time {
	for _, text := range texts {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// partitionOf is the partition of an ARN, empty for what is none.
func partitionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 || parts[0] != "arn" {
		return ""
	}
	return clean(parts[1])
}

// regionPartition is the partition that a region belongs to, by its prefix.
func regionPartition(region string) string {
	for _, p := range []struct{ prefix, partition string }{
		{"cn-", "aws-cn"},
		{"us-gov-", "aws-us-gov"},
		{"us-isob-", "aws-iso-b"},
		{"us-isof-", "aws-iso-f"},
		{"eu-isoe-", "aws-iso-e"},
		{"us-iso-", "aws-iso"},
		{"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return "aws"
}

// succeeded reports whether the call took effect.
func (r *record) succeeded() bool { return r.errorCode == "" }

// unknownOutcome reports whether the service failed in such a way that the call
// may have taken effect all the same.
func (r *record) unknownOutcome() bool {
	switch strings.TrimSuffix(r.errorCode, "Exception") {
	case "Service", "ServiceFailure", "ServiceUnavailable", "InternalFailure", "InternalError", "InternalServer", "InternalServerError", "InternalService":
		return true
	}
	return false
}

// parseElements parses the request and the response. A response that CloudTrail
// omitted, or that is no object, is as good as none: the request says enough.
func (r *record) parseElements() error {
	var err error
	if r.request, err = parseObject(r.fields.get("requestParameters")); err != nil {
		return fmt.Errorf("requestParameters %w", err)
	}
	r.response = r.fields.obj("responseElements")
	if omitted(r.response) != "" {
		r.response = nil
	}
	return nil
}

// complete gives changes what all changes of a record have in common.
func (r *record) complete(changes []drift.Change) []drift.Change {
	for i := range changes {
		changes[i].Event, changes[i].Actor = r.event, r.actor
		changes[i].OutcomeUnknown = r.unknownOutcome()
		if len(changes[i].Detail) == 0 {
			changes[i].Detail = nil
		}
	}
	return changes
}

// unreadable is the change of a record of which what matters is missing, on the
// best subject known; none if not even the account is.
func (r *record) unreadable(problem string) []drift.Change {
	subject := r.anySubject()
	if subject == "" {
		return nil
	}
	return r.complete([]drift.Change{{Subject: subject, Whole: true, Operation: drift.Unreadable, Problem: problem}})
}

// anySubject is whatever the record names that can be a subject: in the
// response, then in the request, then the account.
func (r *record) anySubject() drift.Subject {
	if _, resource := statementText(r.response); resource != "" {
		if s, _, err := functionARN(resource); err == nil {
			return s
		}
	}
	if s, _, err := r.function(r.response.str("functionArn")); err == nil {
		return s
	}
	if s, err := roleARN(r.response.obj("role").str("arn")); err == nil {
		return s
	}
	if s, err := arnSubject(r.response.obj("policy").str("arn"), drift.ManagedPol); err == nil {
		return s
	}
	if s, err := r.role(); err == nil {
		return s
	}
	if r.event.Account == "" {
		return ""
	}
	return r.account()
}

// account is the account that the record was delivered to.
func (r *record) account() drift.Subject {
	return drift.AccountSubject(r.partition, r.event.Account)
}

// details are the values of the named request parameters that are there.
func (r *record) details(names ...string) map[string]string {
	return details(r.request, names...)
}

func details(o object, names ...string) map[string]string {
	found := map[string]string{}
	for _, name := range names {
		if value := o.detail(name); value != "" {
			found[name] = value
		}
	}
	return found
}

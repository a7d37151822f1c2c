package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Result is what became of one record. It has Changes, or Skipped, or Err; a
// record that could not be decoded, but whose account is known, has both Err
// and an Unreadable change, so that it becomes a finding.
type Result struct {
	Event   drift.Event
	Actor   drift.Actor
	Changes []drift.Change
	Skipped string // why the record yields no change
	Failed  string // errorCode of a call that failed and so changed nothing
	Err     error  // the record could not be decoded, or contradicts its envelope
}

// expected is what Decode takes, for its error messages.
const expected = `expected an EventBridge event ("detail-type", "detail"), a CloudTrail record ("eventName", "eventSource") or a log file ({"Records": […]})`

// Decode decodes an EventBridge event, a CloudTrail record or a log file. The
// error is about the input as a whole; what is wrong with one record is in its
// Result.
func Decode(data []byte) ([]Result, error) {
	top, err := parseInput(data)
	if err != nil {
		return nil, err
	}
	switch {
	case top.has("detail-type") || top.has("detail"):
		return []Result{decodeEnvelope(top)}, nil
	case top.has("Records"):
		return decodeLog(top)
	case top.has("eventName") || top.has("eventSource") || top.has("eventVersion"):
		return []Result{newRecord(top, envelope{}).decode()}, nil
	}
	return nil, fmt.Errorf("%s; found an object %s", expected, top.keys())
}

func parseInput(data []byte) (object, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	offset := len(data) - len(text)
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	offset += len(text) - len(trimmed)
	if len(trimmed) == 0 {
		return nil, fmt.Errorf("%s; found nothing (%d bytes)", expected, len(data))
	}
	var raw json.RawMessage
	if err := json.Unmarshal(trimmed, &raw); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("%s; found no JSON: %w at byte %d", expected, err, int64(offset)+syntax.Offset)
		}
		return nil, fmt.Errorf("%s; found no JSON: %w", expected, err)
	}
	top, err := parseObject(raw)
	if err != nil || top == nil {
		return nil, fmt.Errorf("%s; found %s at byte %d", expected, describe(raw), offset)
	}
	return top, nil
}

func decodeLog(top object) ([]Result, error) {
	var records []json.RawMessage
	if err := json.Unmarshal(top["Records"], &records); err != nil || records == nil {
		return nil, fmt.Errorf(`%s; found "Records" that are %s, not a list`, expected, describe(top["Records"]))
	}
	results := make([]Result, 0, len(records))
	for i, raw := range records {
		fields, err := parseObject(raw)
		if err != nil || fields == nil {
			results = append(results, Result{Err: fmt.Errorf("Records[%d] is %s, not a CloudTrail record", i, describe(raw))})
			continue
		}
		if source := fields.str("eventSource"); i == 0 && strings.HasPrefix(source, "aws:") {
			return nil, fmt.Errorf("%s; found a batch of %s: decode the body of each message by itself", expected, source)
		}
		results = append(results, newRecord(fields, envelope{}).decode())
	}
	return results, nil
}

// envelope is what EventBridge says around a record.
type envelope struct {
	present               bool
	account, region, time string
}

// detailTypes are the detail types under which EventBridge delivers records.
var detailTypes = []string{"AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"}

// decodeEnvelope decodes an EventBridge event. PutEvents cannot forge a source
// that begins with "aws.", nor the account of the envelope; so a record that
// says otherwise is not believed in anything.
func decodeEnvelope(top object) Result {
	env := envelope{present: true, account: clean(top.str("account")), region: clean(top.str("region")), time: top.str("time")}
	fields, err := parseObject(top["detail"])
	r := newRecord(fields, env)
	forged := func(format string, args ...any) Result {
		return Result{Event: r.event, Actor: r.actor, Err: fmt.Errorf("forged or foreign event, not audited: "+format, args...)}
	}
	if source := top.str("source"); !strings.HasPrefix(source, "aws.") {
		return forged("the envelope's source is %q, and CloudTrail's begin with \"aws.\"", clip(source))
	}
	if kind := top.str("detail-type"); !slices.Contains(detailTypes, kind) {
		return forged("the envelope's detail-type is %q, and CloudTrail's are %q", clip(kind), detailTypes)
	}
	if recipient := fields.str("recipientAccountId"); recipient != "" && recipient != top.str("account") {
		return forged("the envelope's account is %q, and the record's recipientAccountId %q", clip(top.str("account")), clip(recipient))
	}
	if err != nil || fields == nil {
		return r.undecodable(fmt.Errorf("the envelope's detail is %s, not a CloudTrail record", describe(top["detail"])))
	}
	return r.decode()
}

// decode decodes one record by the table of calls.
func (r *record) decode() Result {
	result := Result{Event: r.event, Actor: r.actor}
	if r.event.Name == "" || r.event.Source == "" {
		if kind := r.fields.str("eventType"); kind == "AwsCloudTrailInsight" {
			result.Skipped = "not an event that permdrift audits: " + kind
			return result
		}
		return r.undecodable(errors.New("the record has no eventName or no eventSource"))
	}
	d := lookup(r.event.Source, r.event.Name)
	if !r.succeeded() && !r.unknownOutcome() {
		result.Failed = r.errorCode
	}
	switch {
	case d == nil && isTrue(r.fields.str("readOnly")):
		result.Skipped = "read-only call"
	case d == nil:
		result.Skipped = "not an event that permdrift audits: " + r.event.Source + " " + r.event.Name
	case result.Failed != "":
		result.Skipped = "failed call: " + result.Failed
	default:
		return r.decodeWith(d)
	}
	return result
}

func (r *record) decodeWith(d decoder) Result {
	if version := r.fields.str("eventVersion"); version != "" && !strings.HasPrefix(version, "1.") {
		return r.undecodable(fmt.Errorf("eventVersion %q is not 1.x", clip(version)))
	}
	if err := r.parseElements(); err != nil {
		return r.undecodable(err)
	}
	changes, err := r.changes(d)
	skip, skips := errors.AsType[skippedError](err)
	switch {
	case skips:
		return Result{Event: r.event, Actor: r.actor, Skipped: string(skip)}
	case err != nil:
		return r.undecodable(err)
	case len(changes) == 0: // something is the matter, but with whom?
		return r.undecodable(errNoAccount)
	}
	return Result{Event: r.event, Actor: r.actor, Changes: r.complete(changes)}
}

// changes are those of the decoder, or an Unreadable one where CloudTrail
// omitted what a decoder needs.
func (r *record) changes(d decoder) ([]drift.Change, error) {
	if omission := omitted(r.request); omission != "" {
		return r.unreadable("CloudTrail omitted the request parameters of " + r.event.Name + omission), nil
	}
	return d(r)
}

// undecodable is the result of a record that could not be decoded.
func (r *record) undecodable(err error) Result {
	what := strings.TrimSpace(r.event.Source + " " + r.event.Name)
	if what == "" {
		what = "record"
	}
	if r.event.ID != "" {
		what += " (event " + r.event.ID + ")"
	}
	err = fmt.Errorf("decoding %s: %w", what, err)
	return Result{Event: r.event, Actor: r.actor, Err: err, Changes: r.unreadable(err.Error())}
}

// skippedError is the error of a decoder that found nothing to report.
type skippedError string

func (s skippedError) Error() string { return string(s) }

// omitted says that CloudTrail dropped an element because of its size, and why;
// it is empty for an element that is there.
func omitted(element object) string {
	if !isTrue(element.str("omitted")) {
		return ""
	}
	reason, size := element.str("reason"), element.str("originalSize")
	if reason == "" {
		reason = "no reason given"
	}
	if size != "" {
		size = ", " + size + " bytes"
	}
	return " (" + reason + size + ")"
}

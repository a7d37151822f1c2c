package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"github.com/permdrift/permdrift/pkg/cloudtrail"
	"github.com/permdrift/permdrift/pkg/drift"
)

// Messages says when a message that failed comes back.
type Messages interface {
	// Delay makes the message of a queue (by the queue's ARN) visible again after a time.
	Delay(ctx context.Context, queueARN, receiptHandle string, after time.Duration) error
}

// Handler is the auditor's Lambda function.
type Handler struct {
	Auditor  *Auditor
	Sweeper  *Sweeper  // nil: sweeps are refused
	Digester *Digester // nil: digests are refused
	Messages Messages  // nil: messages come back when their visibility time-out ends
}

// Response is the answer to anything but an SQS batch.
type Response struct {
	Findings   []drift.Finding `json:"findings"`
	NotAudited []string        `json:"notAudited,omitempty"`
	Skipped    []string        `json:"skipped,omitempty"`
	Sweep      string          `json:"sweep,omitempty"`
}

// concurrency is how many messages of a batch are worked on at once.
const concurrency = 4

// Handle takes one invocation; see the package comment for what it may be.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (any, error) {
	if batch, ok := Batch(payload); ok {
		return h.batch(ctx, batch), nil
	}
	var request Request
	known := json.Unmarshal(payload, &request) == nil
	if known && request.Permdrift == RequestDigest {
		return h.digest(ctx)
	}
	if known && request.Permdrift == RequestSweep {
		id, err := h.sweep(ctx, request)
		if err == nil {
			h.Auditor.log().InfoContext(ctx, "sweep planned", "sweep", id)
		}
		return Response{Findings: []drift.Finding{}, Sweep: id}, err
	}
	response, err := h.event(ctx, payload)
	if err == nil {
		h.Auditor.log().InfoContext(ctx, "batch processed", "processed", 1)
	}
	return response, err
}

// Batch decodes an SQS batch, and reports whether it is one. A CloudTrail log
// file has Records too, but only SQS names itself as the eventSource of each.
func Batch(payload []byte) (events.SQSEvent, bool) {
	var batch events.SQSEvent
	if err := json.Unmarshal(payload, &batch); err != nil || len(batch.Records) == 0 {
		return batch, false
	}
	for _, record := range batch.Records {
		if record.EventSource != "aws:sqs" {
			return batch, false
		}
	}
	return batch, true
}

// batch works off an SQS batch and names the messages that are to come back.
func (h *Handler) batch(ctx context.Context, batch events.SQSEvent) events.SQSEventResponse {
	failed := make([]bool, len(batch.Records))
	var processed atomic.Int64
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i, record := range batch.Records {
		group.Go(func() error {
			if err := h.message(ctx, record); err != nil {
				failed[i] = true
				h.delay(ctx, record, err)
				return nil
			}
			processed.Add(1)
			return nil
		})
	}
	_ = group.Wait() // the functions return nil: each failure is its message's own
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, record := range batch.Records {
		if failed[i] {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	h.Auditor.log().InfoContext(ctx, "batch processed", "processed", processed.Load(), "failed", len(response.BatchItemFailures))
	return response
}

// message works off one message; an error makes it come back.
func (h *Handler) message(ctx context.Context, message events.SQSMessage) (err error) {
	defer func() {
		if r := recover(); r != nil { // one message never takes the others with it
			err = fmt.Errorf("message %s: panic: %v", message.MessageId, r)
		}
	}()
	var request Request
	if json.Unmarshal([]byte(message.Body), &request) == nil {
		switch request.Permdrift {
		case RequestSweep:
			_, err := h.sweep(ctx, request)
			return err
		case RequestShard:
			return h.shard(ctx, request, receiveCount(message))
		}
	}
	results, err := cloudtrail.Decode([]byte(message.Body))
	if err != nil {
		return h.undecodable(ctx, message, err)
	}
	var problems []error
	for _, result := range results {
		if result.Err != nil && len(result.Changes) == 0 {
			problems = append(problems, h.undecodable(ctx, message, result.Err))
			continue
		}
		_, err := h.changes(ctx, result, receiveCount(message))
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// permanentError marks a message that will never succeed.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// undecodable records a message that cannot be decoded as a finding about the
// account whose queue it came from, and fails it for good.
func (h *Handler) undecodable(ctx context.Context, message events.SQSMessage, problem error) error {
	parts := strings.Split(message.EventSourceARN, ":")
	if len(parts) < 6 {
		return fmt.Errorf("message %s from %q, which is no queue: %w", message.MessageId, message.EventSourceARN, problem)
	}
	change := drift.Change{
		Subject: drift.AccountSubject(parts[1], parts[4]), Whole: true, Operation: drift.Unreadable,
		Problem: fmt.Sprintf("message %s cannot be decoded (%v); it is kept in the dead-letter queue", message.MessageId, problem),
		Event:   drift.Event{ID: message.MessageId, Name: "undecodable message", Region: parts[3], Account: parts[4]},
	}
	if _, err := h.Auditor.Audit(ctx, change); err != nil {
		return fmt.Errorf("recording that message %s cannot be decoded: %w", message.MessageId, err)
	}
	return &permanentError{fmt.Errorf("decoding message %s: %w", message.MessageId, problem)}
}

// changes audits the changes of one record. A record that could be decoded in
// part only is audited as far as it goes, and then fails for good.
func (h *Handler) changes(ctx context.Context, result cloudtrail.Result, try int) ([]Report, error) {
	var reports []Report
	var problems []error
	for _, change := range result.Changes {
		report, err := h.change(ctx, change, try)
		if err != nil {
			problems = append(problems, fmt.Errorf("auditing event %s (%s): %w", change.Event.ID, change.Event.Name, err))
			continue
		}
		reports = append(reports, report)
	}
	if result.Err != nil && len(problems) == 0 {
		problems = append(problems, &permanentError{fmt.Errorf("decoding event %s: %w", result.Event.ID, result.Err)})
	}
	return reports, errors.Join(problems...)
}

// change audits one change. Of what was recorded, the log tells even if
// something else failed.
func (h *Handler) change(ctx context.Context, change drift.Change, try int) (Report, error) {
	asked := h.requestOnce(ctx, change, try)
	if asked != nil && try < lastTry {
		return Report{Change: change}, asked
	}
	report, err := h.Auditor.Audit(ctx, change)
	if err == nil || len(report.Transitions) > 0 {
		h.logReport(ctx, report)
	}
	return report, errors.Join(asked, err)
}

func (h *Handler) logReport(ctx context.Context, r Report) {
	log := h.Auditor.log()
	if r.NotAudited != "" {
		log.InfoContext(ctx, "not audited", "event", r.Change.Event.ID, "name", r.Change.Event.Name, "subject", r.Change.Subject, "reason", r.NotAudited)
		return
	}
	for _, t := range r.Transitions {
		log.InfoContext(ctx, "finding", "transition", t.Kind, "id", t.Finding.ID, "kind", t.Finding.Kind, "severity", t.Finding.Severity, "subject", t.Finding.Subject, "qualifier", t.Finding.Place)
	}
}

// event audits a single EventBridge event, CloudTrail record or log file.
func (h *Handler) event(ctx context.Context, payload []byte) (Response, error) {
	response := Response{Findings: []drift.Finding{}}
	results, err := cloudtrail.Decode(payload)
	if err != nil {
		return response, fmt.Errorf("decoding the event: %w", err)
	}
	var problems []error
	for _, result := range results {
		if result.Skipped != "" {
			response.Skipped = append(response.Skipped, result.Skipped)
		}
		reports, err := h.changes(ctx, result, lastTry) // nobody sends it again
		problems = append(problems, err)
		for _, report := range reports {
			response.Findings = append(response.Findings, report.Findings...)
			if report.NotAudited != "" {
				response.NotAudited = append(response.NotAudited, report.NotAudited)
			}
		}
	}
	return response, errors.Join(problems...)
}

// delay sets when a failed message comes back: when its state may have
// settled, at once if it is on its way to the dead-letter queue, and else after
// a time that doubles with each try, since the visibility time-out is made for
// crashes and far too long.
func (h *Handler) delay(ctx context.Context, message events.SQSMessage, problem error) {
	log := h.Auditor.log().With("messageId", message.MessageId)
	var stale *drift.StaleError
	var pending *PendingError
	var permanent *permanentError
	var unread *unreadError
	var busy *busyError
	after := retryAfter(receiveCount(message))
	switch {
	case errors.As(problem, &stale):
		after = stale.After
		log.InfoContext(ctx, "read again later", "reason", problem.Error())
	case errors.As(problem, &pending):
		after = pending.After
		log.InfoContext(ctx, "comes back", "reason", problem.Error())
	case errors.As(problem, &busy):
		after = busyWait
		log.InfoContext(ctx, "comes back", "reason", problem.Error())
	case errors.As(problem, &unread):
		after = unread.after
		log.WarnContext(ctx, "comes back", "reason", problem.Error())
	case errors.As(problem, &permanent):
		after = 0
		log.ErrorContext(ctx, "message failed for good", "error", problem.Error())
	default:
		log.ErrorContext(ctx, "message failed", "error", problem.Error())
	}
	if h.Messages == nil {
		return
	}
	if err := h.Messages.Delay(ctx, message.EventSourceARN, message.ReceiptHandle, after); err != nil {
		log.WarnContext(ctx, "the message comes back when its visibility time-out ends", "error", err.Error())
	}
}

// retryAfter is how long a message waits after its n-th try: 30 s, 1 min, 2 min, … 15 min.
func retryAfter(n int) time.Duration {
	const first, longest = 30 * time.Second, 15 * time.Minute
	return min(first<<min(n-1, 10), longest)
}

// receiveCount is how often the message has been received, 1 where SQS does not say.
func receiveCount(message events.SQSMessage) int {
	n, err := strconv.Atoi(message.Attributes["ApproximateReceiveCount"])
	if err != nil || n < 1 {
		return 1
	}
	return n
}

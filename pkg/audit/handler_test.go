package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/permdrift/permdrift/pkg/drift"
)

// deliver hands over an SQS batch; the n-th body is message mN, received
// with rN. It returns the messages that are to come back.
func (w *world) deliver(received int, bodies ...string) string {
	w.t.Helper()
	var batch events.SQSEvent
	for i, body := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{
			MessageId: fmt.Sprint("m", i), ReceiptHandle: fmt.Sprint("r", i), Body: body, EventSource: "aws:sqs", EventSourceARN: queueARN,
			Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(received)},
		})
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := w.handler.Handle(w.t.Context(), payload)
	if err != nil {
		w.t.Fatal(err)
	}
	var failed []string
	for _, f := range answer.(events.SQSEventResponse).BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return strings.Join(failed, " ")
}

// lines are all rows of a subject, one line each.
func (w *world) lines(subject drift.Subject) string {
	w.t.Helper()
	rows, err := w.Findings(w.t.Context(), subject)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, row := range rows {
		lines = append(lines, fmt.Sprintf("%s %s %q", row.Kind, row.Status, row.Sids))
	}
	return strings.Join(lines, "\n")
}

const account = drift.Subject("arn:aws:iam::111122223333:root")

func TestEventBecomesFinding(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	if failed := w.deliver(1, grant("e1")); failed != "" {
		t.Errorf("%s failed", failed)
	}
	w.wantAnnounced("opened public")
}

// Each of these is one bad message between two good ones.
func TestOneBadMessage(t *testing.T) {
	for name, body := range map[string]string{
		"garbage":               "garbage",
		"nothing":               "",
		"null":                  "null",
		"a number":              "1e999",
		"a list":                `[{"permdrift":"sweep"}]`,
		"wrong types":           `{"detail-type":7,"detail":[],"source":{},"account":null}`,
		"deep JSON":             strings.Repeat(`{"detail":`, 20_000) + "1" + strings.Repeat("}", 20_000),
		"a huge body":           `{"detail":{"eventName":"` + strings.Repeat("x", 1<<20) + `"}}`,
		"huge keys":             `{"` + strings.Repeat("k", 900_000) + `":1}`,
		"control characters":    "{\"detail\":\"\x00\x1b[31m\"}",
		"not UTF-8":             "\xff\xfe{}",
		"forged":                strings.Replace(grant("e9"), `"aws.lambda"`, `"mallory"`, 1),
		"of another account":    strings.Replace(grant("e9"), `"account":"111122223333"`, `"account":"444455556666"`, 1),
		"an unknown request":    `{"permdrift":"explode"}`,
		"a shard of nothing":    `{"permdrift":"shard","sweep":"s"}`,
		"a shard of a role":     `{"permdrift":"shard","sweep":"s","subject":"arn:aws:iam::111122223333:role/deploy"}`,
		"a sweep of who knows":  `{"permdrift":"sweep","kind":"quick"}`,
		"a panic in the reader": strings.ReplaceAll(grant("e9"), "orders", "poison"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.live, w.panics = []string{public}, "arn:aws:lambda:us-east-1:111122223333:function:poison"
			if failed := w.deliver(1, grant("e1"), body, strings.ReplaceAll(grant("e2"), "orders", "other")); failed != "m1" {
				t.Errorf("%q failed, want m1", failed)
			}
			if !slices.Contains(w.announced, "opened public") {
				t.Errorf("announced %q", w.announced)
			}
		})
	}
}

func TestUndecodableMessageIsOneFinding(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		if failed := w.deliver(i+1, "garbage"); failed != "m0" || w.delays["r0"] != 0 {
			t.Errorf("delivery %d: failed %q, comes back after %s", i, failed, w.delays["r0"])
		}
	}
	if _, asked := w.delays["r0"]; !asked {
		t.Error("a message that fails for good waits for its visibility time-out")
	}
	w.wantAnnounced("opened")
	if got, want := w.lines(account), `unreadable-change open []`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(w.queued) != 0 {
		t.Errorf("asked for %q", w.queued)
	}
}

// The message is kept until its finding is.
func TestUndecodableMessageWithoutLedger(t *testing.T) {
	w := newWorld(t)
	w.onSave = func(drift.Finding) error { return errOutage }
	failed := w.deliver(1, "garbage")
	if failed != "m0" || w.delays["r0"] != 30*time.Second {
		t.Errorf("failed %q, delays %v", failed, w.delays)
	}
	w.onSave = nil
	w.deliver(2, "garbage")
	w.wantAnnounced("opened")
}

func TestUnreadableChangeAsksForOneSweep(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		if failed := w.deliver(i+1, padded("e1")); failed != "" {
			t.Errorf("%s failed", failed)
		}
	}
	w.wantAnnounced("opened")
	if len(w.queued) != 1 || w.queued[0] != `{"permdrift":"sweep","kind":"full","since":"2026-11-20T11:50:00Z"}` {
		t.Errorf("asked for %q", w.queued)
	}
	w.deliver(1, padded("e2"))
	if len(w.queued) != 2 {
		t.Errorf("asked for %q after another event", w.queued)
	}
}

// The sweep is not lost to a failure on either side of the record.
func TestSweepRequestSurvivesFailures(t *testing.T) {
	w := newWorld(t)
	w.onQueue = func([]string) error { return errOutage }
	if failed := w.deliver(1, padded("e1")); failed != "m0" {
		t.Errorf("failed %q", failed)
	}
	w.onQueue = nil
	w.onSend = func(drift.Finding, drift.Announcement) error { return errOutage }
	if failed := w.deliver(2, padded("e1")); failed != "m0" {
		t.Errorf("failed %q", failed)
	}
	w.onSend, w.at = nil, w.at.Add(time.Minute)
	if failed := w.deliver(3, padded("e1")); failed != "" {
		t.Errorf("failed %q", failed)
	}
	w.wantAnnounced("opened")
	if len(w.queued) != 1 {
		t.Errorf("asked for %q", w.queued)
	}
}

// A queue that takes nothing costs the sweep, and not the finding.
func TestUnreadableChangeWithoutQueue(t *testing.T) {
	w := newWorld(t)
	w.onQueue = func([]string) error { return errOutage }
	for i := range 3 {
		w.deliver(i+1, padded("e1"))
	}
	w.wantAnnounced("opened")
	w.handler.Sweeper = nil
	if failed := w.deliver(1, padded("e2")); failed != "" {
		t.Errorf("failed %q", failed)
	}
	w.wantAnnounced("opened", "opened")
}

func TestFailedMessagesComeBack(t *testing.T) {
	w := newWorld(t)
	w.at = time.Date(2026, 11, 20, 11, 50, 5, 0, time.UTC)
	if failed := w.deliver(1, grant("e1")); failed != "m0" || w.delays["r0"] != 10*time.Second {
		t.Errorf("a stale read: failed %q, comes back after %s", failed, w.delays["r0"])
	}
	w.at = noon
	w.onSend = func(drift.Finding, drift.Announcement) error { return errOutage }
	delete(w.delays, "r0")
	failed := w.deliver(2, grant("e1"))
	if failed != "m0" || w.delays["r0"] != time.Minute { // the second try
		t.Errorf("an outage: failed %q, delays %v", failed, w.delays)
	}
	w.onSend, w.at = nil, w.at.Add(10*time.Second)
	if failed := w.deliver(3, grant("e1")); failed != "m0" || w.delays["r0"] != 20*time.Second {
		t.Errorf("a lease: failed %q, comes back after %s", failed, w.delays["r0"])
	}
	w.at = w.at.Add(20 * time.Second)
	if failed := w.deliver(4, grant("e1")); failed != "" {
		t.Errorf("failed %q", failed)
	}
	w.wantAnnounced("transient public")
}

// brokenDelays cannot change visibilities.
type brokenDelays struct{}

func (brokenDelays) Delay(context.Context, string, string, time.Duration) error { return errOutage }

func TestVisibilityCannotBeChanged(t *testing.T) {
	w := newWorld(t)
	for _, messages := range []Messages{nil, brokenDelays{}} {
		w.handler.Messages = messages
		if failed := w.deliver(1, "garbage"); failed != "m0" {
			t.Errorf("failed %q", failed)
		}
	}
}

func TestManyMessagesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	bodies := make([]string, 10)
	for i := range bodies {
		bodies[i] = grant(fmt.Sprint("e", i)) // all of one function
	}
	w.deliver(1, bodies...)
	w.at = w.at.Add(AnnounceLease)
	if failed := w.deliver(2, bodies...); failed != "" {
		t.Errorf("failed %q", failed)
	}
	w.wantAnnounced("opened public")
}

func TestBatchDetection(t *testing.T) {
	sqs, trail := `{"eventSource":"aws:sqs","body":"x"}`, `{"eventSource":"lambda.amazonaws.com","eventName":"Invoke"}`
	for payload, want := range map[string]bool{
		`{"Records":[` + sqs + `]}`:               true,
		`{"Records":[` + sqs + `,` + sqs + `]}`:   true,
		`{"Records":[` + trail + `]}`:             false,
		`{"Records":[` + sqs + `,` + trail + `]}`: false,
		`{"Records":[` + trail + `,` + sqs + `]}`: false,
		`{"Records":[]}`:                          false,
		`{"Records":null}`:                        false,
		`{"Records":[null]}`:                      false,
		`{}`:                                      false,
		`[]`:                                      false,
		``:                                        false,
	} {
		if _, got := Batch([]byte(payload)); got != want {
			t.Errorf("%s: got %v", payload, got)
		}
	}
}

func TestDirectInvocations(t *testing.T) {
	bare := `{"eventVersion":"1.11","eventSource":"lambda.amazonaws.com","eventName":"AddPermission20150331v2","eventTime":"2026-11-20T11:50:00Z","eventID":"e1","awsRegion":"us-east-1","recipientAccountId":"111122223333","requestParameters":{"functionName":"orders","statementId":"public","action":"lambda:InvokeFunction","principal":"*"}}`
	for name, c := range map[string]struct{ payload, answer, err string }{
		"an event":           {grant("e1"), `"status":"open"`, ""},
		"a bare record":      {bare, `"status":"open"`, ""},
		"a log file":         {`{"Records":[` + bare + `]}`, `"status":"open"`, ""},
		"an empty log file":  {`{"Records":[]}`, `{"findings":[]}`, ""},
		"skipped":            {event("e1", "Invoke", nil), `"skipped":["not an event`, ""},
		"not audited":        {event("e1", "PutFunctionConcurrency20171031", map[string]any{"functionName": "orders", "reservedConcurrentExecutions": 0}), `"notAudited":["whether it concerns permdrift's own`, ""},
		"a sweep":            {`{"permdrift":"sweep"}`, `"sweep":"full-20261120T1200Z-1"`, ""},
		"an odd sweep":       {`{"permdrift":"sweep","kind":"quick"}`, `{"findings":[]}`, `the kind "quick" is not known`},
		"garbage":            {`"garbage"`, `{"findings":[]}`, "decoding the event"},
		"a mixed list":       {`{"Records":[{"eventSource":"aws:sqs"},` + bare + `]}`, `{"findings":[]}`, "a batch of aws:sqs"},
		"a half-decoded one": {strings.Replace(bare, `"1.11"`, `"2.0"`, 1), `"unreadable-change"`, `eventVersion "2.0"`},
	} {
		w := newWorld(t)
		w.live = []string{public}
		answer, err := w.handler.Handle(t.Context(), json.RawMessage(c.payload))
		text, encoded := json.Marshal(answer)
		if encoded != nil {
			t.Fatal(encoded)
		}
		if !strings.Contains(string(text), c.answer) || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %s and %v", name, text, err)
		}
	}
}

func TestSweepRefusedWithoutQueue(t *testing.T) {
	w := newWorld(t)
	w.handler.Sweeper = nil
	if _, err := w.handler.Handle(t.Context(), json.RawMessage(`{"permdrift":"sweep"}`)); err == nil {
		t.Error("planned a sweep on no queue")
	}
}

func TestMessageOfNoQueue(t *testing.T) {
	w := newWorld(t)
	err := w.handler.message(t.Context(), events.SQSMessage{MessageId: "m", Body: "garbage", EventSourceARN: "x"})
	if err == nil || !strings.Contains(err.Error(), "no queue") {
		t.Errorf("got %v", err)
	}
	w.wantAnnounced()
}

func TestErrorsSayWhatTheyAreAbout(t *testing.T) {
	if got := (&PendingError{Finding: "f1"}).Error(); !strings.Contains(got, "f1") {
		t.Error(got)
	}
	cause := errors.New("cause")
	if err := error(&permanentError{cause}); !errors.Is(err, cause) || err.Error() != "cause" {
		t.Error(err)
	}
}

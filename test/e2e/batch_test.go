package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// accountSubject is the subject of findings about what cannot be read.
const accountSubject = "arn:aws:iam::" + account + ":root"

// garbage is an event that was cut off.
const garbage = `{"detail-type": "AWS API Call via CloudTrail", "detail": {"eventVersion": "1.11", "eventNa`

// omitted is a call to Lambda, minutes ago, of which CloudTrail omitted the parameters.
func omitted(t *testing.T) string {
	t.Helper()
	event := sample(t, "parameters-omitted.json", time.Now().Add(-time.Minute))
	return strings.NewReplacer("iam.amazonaws.com", "lambda.amazonaws.com", "aws.iam", "aws.lambda", "UpdateAssumeRolePolicy", "AddPermission20150331v2").Replace(event)
}

func TestOneBadMessageOfABatchIsDeadLetteredAndTheOthersAreWorkedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	var arns []string
	for i := range 8 {
		arn := w.function(fmt.Sprintf("orders-%d", i))
		arns = append(arns, arn)
		w.feed(w.open(arn, "", "temp-debug"))
		if i == 3 {
			w.events.queue.send(garbage)
			w.events.queue.send(omitted(t))
		}
	}
	received, _, err := w.events.poll(t.Context())
	must(t, "working off the batch", err)
	if received != 10 {
		t.Fatalf("the batch had %d messages, want 10", received)
	}
	var failed []string
	for _, m := range w.events.returned {
		failed = append(failed, *m.Body)
	}
	if !slices.Equal(failed, []string{garbage}) {
		t.Errorf("the batch's failures are %q, want the garbage alone", failed)
	}
	want := []string{"opened unreadable-change root:", "opened unreadable-change root:"}
	for i, arn := range arns {
		want = append(want, fmt.Sprintf("opened policy-widened orders-%d:", i))
		w.oneFinding(arn, drift.Open)
	}
	slices.Sort(want)
	if got := told(w.mail()); !slices.Equal(got, want) {
		t.Errorf("the mailbox has\n%q\nwant\n%q", got, want)
	}
	if rows := w.findings(accountSubject); len(rows) != 2 || rows[0].Kind != drift.UnreadableChange || rows[1].Kind != drift.UnreadableChange {
		t.Errorf("the ledger has %+v of the account, want two unreadable changes", rows)
	}
	if visible, _ := w.sweeps.queue.count(); visible != 1 {
		t.Errorf("%d sweeps were asked for because of what CloudTrail omitted, want 1", visible)
	}

	await(t, "the garbage is in the dead-letter queue", func() bool {
		w.events.drain()
		visible, _ := w.events.queue.dead.count()
		return visible == 1
	})
	if got, want := len(w.events.returned), w.stack.events.RedrivePolicy.MaxReceiveCount; got != want {
		t.Errorf("%d messages came back, want the garbage, maxReceiveCount times, %d", got, want)
	}
	if dead := w.events.queue.dead.take(); *dead[0].Body != garbage {
		t.Errorf("the dead-letter queue has %s", *dead[0].Body)
	}
	if !w.events.queue.empty() {
		t.Error("the events queue is not empty")
	}
	w.noMail()
}

// response is the auditor's answer to a single event.
type response struct {
	Findings   []drift.Finding `json:"findings"`
	NotAudited []string        `json:"notAudited"`
	Skipped    []string        `json:"skipped"`
}

// invoke hands the auditor an event as `sam local invoke -e` does.
func (w *world) invoke(payload string, into any) {
	w.t.Helper()
	answer, err := w.events.function.Invoke(w.t.Context(), []byte(payload))
	must(w.t, "invoking the auditor", err)
	must(w.t, "reading the answer "+string(answer), json.Unmarshal(answer, into))
}

func TestABareEventIsAnsweredWithItsFindings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	orders := w.function("orders")
	w.open(orders, "", "temp-debug")
	past := time.Now().Add(-time.Hour)
	var r response
	w.invoke(sample(t, "public.json", past), &r)
	if len(r.Findings) != 1 || r.Findings[0].Status != drift.Open || r.Findings[0].Exposure != policy.Public || r.Findings[0].Actor.ARN != malloryARN {
		t.Errorf("public.json is answered with %+v", r)
	}
	w.oneMail(drift.Opened)

	ingest := w.function("ingest")
	for range 7 {
		w.aws.AddVersion(ingest)
	}
	w.open(ingest, "7", "version-grant")
	var batch events.SQSEventResponse
	w.invoke(sample(t, "sqs-batch.json", past), &batch)
	if len(batch.BatchItemFailures) != 0 {
		t.Errorf("sqs-batch.json is answered with %+v", batch)
	}
	if m := w.oneMail(drift.Opened); m.Place != "7" || m.Severity != drift.Critical {
		t.Errorf("sqs-batch.json is announced as %+v", m.Message)
	}
	w.invoke(sample(t, "sqs-batch-bad-message.json", past), &batch)
	if len(batch.BatchItemFailures) != 1 || batch.BatchItemFailures[0].ItemIdentifier != "a1b2c3d4-5678-90ab-cdef-EXAMPLE50003" {
		t.Errorf("sqs-batch-bad-message.json is answered with %+v", batch)
	}
}

func TestEverySampleIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	files, err := filepath.Glob("../../events/*.json")
	must(t, "listing events/", err)
	if len(files) < 12 {
		t.Fatalf("events/ has %d files, want at least 12", len(files))
	}
	past := time.Now().Add(-time.Hour)
	for _, file := range files {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		must(t, "reading "+name, err)
		var r map[string]json.RawMessage
		w.invoke(sample(t, name, past), &r)
		key := "findings"
		if strings.Contains(string(text), `"aws:sqs"`) {
			key = "batchItemFailures"
		}
		if _, ok := r[key]; !ok {
			t.Errorf("%s is answered with %v", name, r)
		}
		t.Logf("%s: %s", name, told(w.mail()))
	}
}

package line_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/baseline"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/ledger"
)

// message is one message of a queue.
type message struct {
	id, queue, body string
	due             time.Time
	received        int
}

// maxReceives is the template's maxReceiveCount, visibility its time-out.
const (
	maxReceives = 10
	visibility  = 6 * time.Minute
)

// envelope is a record as EventBridge delivers it.
func envelope(t *testing.T, record json.RawMessage) string {
	t.Helper()
	var r struct {
		EventID, EventTime, EventSource, AwsRegion, RecipientAccountID string
	}
	must(t, "reading a record", json.Unmarshal(record, &r))
	source, _, _ := strings.Cut(r.EventSource, ".")
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": "e-" + r.EventID, "detail-type": "AWS API Call via CloudTrail", "source": "aws." + source,
		"account": r.RecipientAccountID, "time": r.EventTime, "region": r.AwsRegion, "resources": []string{}, "detail": record,
	})
	must(t, "writing an event", err)
	return string(body)
}

// deliver puts records on the events queue.
func (w *world) deliver(records ...json.RawMessage) {
	w.t.Helper()
	for _, record := range records {
		w.enqueue(eventsARN, envelope(w.t, record))
	}
}

func (w *world) enqueue(queue, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	w.queue = append(w.queue, &message{id: fmt.Sprintf("message-%d", w.serial), queue: queue, body: body, due: w.at})
}

// work hands over the messages that are due, one in a batch, in the order in
// which they were sent, until none is.
func (w *world) work() {
	w.t.Helper()
	for steps := 0; ; steps++ {
		if steps > 500 {
			w.t.Fatal("the queue never empties")
		}
		m := w.next()
		if m == nil {
			return
		}
		w.receive(m)
	}
}

// next takes the first message that is due off the queue.
func (w *world) next() *message {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.queue {
		if !m.due.After(w.at) {
			m.due = w.at.Add(visibility)
			m.received++
			return m
		}
	}
	return nil
}

// receive hands messages of one queue over as one batch.
func (w *world) receive(batch ...*message) {
	w.t.Helper()
	var event events.SQSEvent
	for _, m := range batch {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: m.id, ReceiptHandle: m.id, Body: m.body, EventSource: "aws:sqs", EventSourceARN: m.queue, AWSRegion: region,
			Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.received)},
		})
	}
	payload, err := json.Marshal(event)
	must(w.t, "writing a batch", err)
	answer, err := w.handler.Handle(w.t.Context(), payload)
	must(w.t, "handling a batch", err)
	failures := answer.(events.SQSEventResponse).BatchItemFailures
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range batch {
		failed := slices.ContainsFunc(failures, func(f events.SQSBatchItemFailure) bool { return f.ItemIdentifier == m.id })
		if failed && m.received < maxReceives {
			continue
		}
		w.queue = slices.DeleteFunc(w.queue, func(n *message) bool { return n == m })
		if failed {
			w.dead = append(w.dead, m)
		}
	}
}

// Delay makes a message visible after a time, as ChangeMessageVisibility does.
func (w *world) Delay(_ context.Context, _, receipt string, after time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.queue {
		if m.id == receipt {
			m.due = w.at.Add(after)
		}
	}
	return nil
}

// settle lets time pass until no message is left.
func (w *world) settle() {
	w.t.Helper()
	for {
		w.work()
		w.mu.Lock()
		if len(w.queue) == 0 {
			w.mu.Unlock()
			return
		}
		next := slices.MinFunc(w.queue, func(a, b *message) int { return a.due.Compare(b.due) })
		w.at = next.due
		w.mu.Unlock()
	}
}

// sweeps is the sweep queue.
type sweeps struct{ w *world }

func (q sweeps) Send(_ context.Context, bodies []string) error {
	for _, body := range bodies {
		q.w.enqueue(sweepsARN, body)
	}
	return nil
}

// topic is SNS: it keeps what subscribers get.
type topic struct {
	t  *testing.T
	mu sync.Mutex
	// sent are the machine messages, mails the texts for people.
	sent  []alert.Message
	mails []string
}

// Publish takes a message as SNS does.
func (p *topic) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var texts map[string]string
	if err := json.Unmarshal([]byte(aws.ToString(in.Message)), &texts); err != nil {
		p.t.Errorf("the message is not JSON: %v", err)
	}
	m, err := alert.ParseMessage([]byte(texts["default"]))
	if err != nil {
		p.t.Errorf("a subscriber cannot read the message: %v", err)
	}
	if aws.ToString(in.TopicArn) != topicARN {
		p.t.Errorf("published to %q", aws.ToString(in.TopicArn))
	}
	p.sent, p.mails = append(p.sent, m), append(p.mails, texts["email"])
	return &sns.PublishOutput{MessageId: aws.String("m")}, nil
}

func (p *topic) messages() []alert.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// forget drops what was sent so far.
func (p *topic) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent, p.mails = nil, nil
}

// calls counts the calls to the stores.
type calls struct {
	mu sync.Mutex
	n  map[string]int
}

func newCalls() *calls { return &calls{n: map[string]int{}} }

func (c *calls) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[name]++
}

func (c *calls) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.n)
}

func (c *calls) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return counted(c.n)
}

// countedBaselines counts the auditor's calls to the baseline.
type countedBaselines struct {
	*baseline.Bolt
	calls *calls
}

func (b countedBaselines) Get(ctx context.Context, s drift.Subject) (drift.Baseline, error) {
	b.calls.add("baseline.Get")
	return b.Bolt.Get(ctx, s)
}

func (b countedBaselines) Rules(ctx context.Context) ([]drift.Rule, error) {
	b.calls.add("baseline.Rules")
	return b.Bolt.Rules(ctx)
}

// countedLedger counts the auditor's calls to the ledger.
type countedLedger struct {
	*ledger.Bolt
	calls *calls
}

func (l countedLedger) Findings(ctx context.Context, s drift.Subject) ([]drift.Finding, error) {
	l.calls.add("ledger.Findings")
	return l.Bolt.Findings(ctx, s)
}

func (l countedLedger) Save(ctx context.Context, f drift.Finding) (drift.Finding, error) {
	l.calls.add("ledger.Save")
	return l.Bolt.Save(ctx, f)
}

func (l countedLedger) Removals(ctx context.Context, s drift.Subject) ([]drift.Removal, error) {
	l.calls.add("ledger.Removals")
	return l.Bolt.Removals(ctx, s)
}

func (l countedLedger) SaveRemoval(ctx context.Context, s drift.Subject, r drift.Removal) error {
	l.calls.add("ledger.SaveRemoval")
	return l.Bolt.SaveRemoval(ctx, s, r)
}

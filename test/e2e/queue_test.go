package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/permdrift/permdrift/internal/lambdaruntime"
)

// queue is one SQS queue, with its dead-letter queue if it has one.
type queue struct {
	t         *testing.T
	api       *sqs.Client
	name, url string
	arn       string
	dead      *queue
}

func newQueue(t *testing.T, api *sqs.Client, name string, attributes map[string]string) *queue {
	t.Helper()
	out, err := api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	must(t, "creating queue "+name, err)
	return &queue{
		t: t, api: api, name: name, url: *out.QueueUrl,
		arn: fmt.Sprintf("arn:aws:sqs:%s:%s:%s", region, account, name),
	}
}

// newRedriven is a queue with the template's numbers, and its dead-letter queue.
func newRedriven(t *testing.T, api *sqs.Client, name string, p queueProperties) *queue {
	t.Helper()
	dead := newQueue(t, api, name+"-dead", nil)
	redrive, err := json.Marshal(map[string]string{
		"deadLetterTargetArn": dead.arn, "maxReceiveCount": strconv.Itoa(p.RedrivePolicy.MaxReceiveCount),
	})
	must(t, "writing the redrive policy", err)
	q := newQueue(t, api, name, map[string]string{
		"VisibilityTimeout": strconv.Itoa(p.VisibilityTimeout), "RedrivePolicy": string(redrive),
	})
	q.dead = dead
	return q
}

// send puts messages on the queue.
func (q *queue) send(bodies ...string) {
	q.t.Helper()
	for _, body := range bodies {
		_, err := q.api.SendMessage(q.t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String(body)})
		must(q.t, "sending to "+q.name, err)
	}
}

// receive takes at most n of the messages that are visible now.
func (q *queue) receive(ctx context.Context, n int) ([]types.Message, error) {
	out, err := q.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: int32(n), WaitTimeSeconds: 0,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, fmt.Errorf("receiving from %s: %w", q.name, err)
	}
	return out.Messages, nil
}

// delete deletes at most ten messages.
func (q *queue) delete(ctx context.Context, messages []types.Message) error {
	if len(messages) == 0 {
		return nil
	}
	var entries []types.DeleteMessageBatchRequestEntry
	for i, m := range messages {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	out, err := q.api.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return fmt.Errorf("deleting messages of %s: %w", q.name, err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("deleting messages of %s: %d were not deleted", q.name, len(out.Failed))
	}
	return nil
}

// take receives and deletes all that is visible now.
func (q *queue) take() []types.Message {
	q.t.Helper()
	var all []types.Message
	for {
		some, err := q.receive(q.t.Context(), 10)
		must(q.t, "emptying a queue", err)
		if len(some) == 0 {
			return all
		}
		must(q.t, "emptying a queue", q.delete(q.t.Context(), some))
		all = append(all, some...)
	}
}

// mapping plays Lambda's event source mapping between a queue and one instance
// of a function.
type mapping struct {
	queue    *queue
	function *lambdaruntime.Function
	batch    int

	mu       sync.Mutex
	returned []types.Message // failures, each time they came back
}

// poll invokes the function with one batch of what is visible now, deletes all
// but what the function names as failed, and returns how many there were.
func (m *mapping) poll(ctx context.Context) (received, failed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	messages, err := m.queue.receive(ctx, m.batch)
	if err != nil || len(messages) == 0 {
		return 0, 0, err
	}
	payload, err := json.Marshal(m.event(messages))
	if err != nil {
		return 0, 0, fmt.Errorf("writing the event of %s: %w", m.queue.name, err)
	}
	answer, err := m.function.Invoke(ctx, payload)
	if err != nil {
		return len(messages), len(messages), fmt.Errorf("invoking the function of %s: %w", m.queue.name, err)
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		return len(messages), len(messages), fmt.Errorf("reading the answer %s: %w", answer, err)
	}
	return m.settle(ctx, messages, response)
}

func (m *mapping) settle(ctx context.Context, messages []types.Message, response events.SQSEventResponse) (received, failed int, err error) {
	refused := map[string]bool{}
	for _, f := range response.BatchItemFailures {
		refused[f.ItemIdentifier] = true
	}
	var done []types.Message
	for _, message := range messages {
		if refused[*message.MessageId] {
			failed++
			m.mu.Lock()
			m.returned = append(m.returned, message)
			m.mu.Unlock()
			continue
		}
		done = append(done, message)
	}
	if err := m.queue.delete(ctx, done); err != nil {
		return len(messages), failed, err
	}
	if failed != len(response.BatchItemFailures) {
		return len(messages), failed, fmt.Errorf("the function of %s names %v, of which %d are in the batch", m.queue.name, response.BatchItemFailures, failed)
	}
	return len(messages), failed, nil
}

// event is the messages as Lambda hands them over.
func (m *mapping) event(messages []types.Message) events.SQSEvent {
	var e events.SQSEvent
	for _, message := range messages {
		record := events.SQSMessage{
			MessageId: *message.MessageId, ReceiptHandle: *message.ReceiptHandle, Body: *message.Body,
			Md5OfBody: aws.ToString(message.MD5OfBody), Attributes: message.Attributes,
			MessageAttributes: map[string]events.SQSMessageAttribute{},
			EventSource:       "aws:sqs", EventSourceARN: m.queue.arn, AWSRegion: region,
		}
		for name, value := range message.MessageAttributes {
			record.MessageAttributes[name] = events.SQSMessageAttribute{DataType: aws.ToString(value.DataType), StringValue: value.StringValue}
		}
		e.Records = append(e.Records, record)
	}
	return e
}

// drain polls until nothing is visible, and returns how many messages were
// received and how many of them failed.
func (m *mapping) drain() (received, failed int) {
	m.queue.t.Helper()
	for {
		r, f, err := m.poll(m.queue.t.Context())
		must(m.queue.t, "working off "+m.queue.name, err)
		if r == 0 {
			return received, failed
		}
		received, failed = received+r, failed+f
	}
}

// expect drains and compares.
func (m *mapping) expect(received, failed int) {
	m.queue.t.Helper()
	if r, f := m.drain(); r != received || f != failed {
		m.queue.t.Fatalf("of %s %d messages were received and %d failed, want %d and %d", m.queue.name, r, f, received, failed)
	}
}

// hurry plays the time in which a failed message is hidden: all that failed
// are visible at once.
func (m *mapping) hurry(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, message := range m.returned {
		_, err := m.queue.api.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
			QueueUrl: &m.queue.url, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 0,
		})
		var gone *types.ReceiptHandleIsInvalid
		if err != nil && !errors.As(err, &gone) { // it came back by itself and is done
			return fmt.Errorf("hurrying a message of %s: %w", m.queue.name, err)
		}
	}
	m.returned = nil
	return nil
}

// count is how many messages are visible, and how many are hidden.
func (q *queue) count() (visible, hidden int) {
	q.t.Helper()
	out, err := q.api.GetQueueAttributes(q.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	must(q.t, "counting the messages of "+q.name, err)
	number := func(name types.QueueAttributeName) int {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		must(q.t, "counting the messages of "+q.name, err)
		return n
	}
	return number(types.QueueAttributeNameApproximateNumberOfMessages), number(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)
}

func (q *queue) empty() bool {
	q.t.Helper()
	visible, hidden := q.count()
	return visible+hidden == 0
}

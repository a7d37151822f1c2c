package setup

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueAPI is what is called on the queues.
type queueAPI interface {
	SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, opts ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
}

// queues are the auditor's two queues.
type queues struct {
	api   queueAPI
	urls  map[string]string // by queue name
	sweep string
}

func newQueues(api queueAPI, events, sweep string) *queues {
	q := &queues{api: api, urls: make(map[string]string), sweep: sweep}
	for _, url := range []string{events, sweep} {
		if url != "" {
			q.urls[url[strings.LastIndexByte(url, '/')+1:]] = url
		}
	}
	return q
}

// maxVisibility is the longest that SQS hides a message.
const maxVisibility = 12 * time.Hour

// Delay makes a message visible again after a time, rounded up to a second.
func (q *queues) Delay(ctx context.Context, queueARN, receiptHandle string, after time.Duration) error {
	url, ok := q.urls[queueARN[strings.LastIndexByte(queueARN, ':')+1:]]
	if !ok {
		return fmt.Errorf("changing the visibility of a message of %s: no URL is configured for that queue", queueARN)
	}
	seconds := int32((min(max(after, 0), maxVisibility) + time.Second - 1) / time.Second)
	_, err := q.api.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: aws.String(url), ReceiptHandle: aws.String(receiptHandle), VisibilityTimeout: seconds,
	})
	if err != nil {
		return fmt.Errorf("changing the visibility of a message of %s: %w", queueARN, err)
	}
	return nil
}

// maxBatch is how many messages SQS takes in one call.
const maxBatch = 10

// Send puts messages on the sweep queue. A message that SQS refuses is sent
// again, a few times; then Send fails.
func (q *queues) Send(ctx context.Context, bodies []string) error {
	for len(bodies) > 0 {
		n := min(len(bodies), maxBatch)
		if err := q.send(ctx, bodies[:n]); err != nil {
			return err
		}
		bodies = bodies[n:]
	}
	return nil
}

func (q *queues) send(ctx context.Context, bodies []string) error {
	const tries = 4
	for range tries {
		var entries []types.SendMessageBatchRequestEntry
		for i, body := range bodies {
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(body)})
		}
		out, err := q.api.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String(q.sweep), Entries: entries})
		if err != nil {
			return fmt.Errorf("sending %d messages to %s: %w", len(bodies), q.sweep, err)
		}
		var refused []string
		for _, failure := range out.Failed {
			i, err := strconv.Atoi(aws.ToString(failure.Id))
			if err != nil || i < 0 || i >= len(bodies) {
				return fmt.Errorf("sending %d messages to %s: %q was refused, which none of them is", len(bodies), q.sweep, aws.ToString(failure.Id))
			}
			refused = append(refused, bodies[i])
		}
		if bodies = refused; len(bodies) == 0 {
			return nil
		}
	}
	return fmt.Errorf("sending messages to %s: %d were refused %d times", q.sweep, len(bodies), tries)
}

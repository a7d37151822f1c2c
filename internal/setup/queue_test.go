package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var errOutage = errors.New("out of order")

// fakeQueue takes what refuse does not.
type fakeQueue struct {
	refuse func(call int, body string) bool
	odd    string // an id that is refused besides
	err    error
	calls  int
	bodies []string
	urls   []string
	waits  []int32
}

func (q *fakeQueue) SendMessageBatch(_ context.Context, in *sqs.SendMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	q.calls++
	if len(in.Entries) == 0 || len(in.Entries) > 10 {
		return nil, fmt.Errorf("a batch of %d", len(in.Entries))
	}
	out := &sqs.SendMessageBatchOutput{}
	if q.odd != "" {
		out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: aws.String(q.odd)})
	}
	for _, e := range in.Entries {
		if q.refuse != nil && q.refuse(q.calls, *e.MessageBody) {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id})
			continue
		}
		q.bodies = append(q.bodies, *e.MessageBody)
	}
	q.urls = append(q.urls, *in.QueueUrl)
	return out, q.err
}

func (q *fakeQueue) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	q.urls, q.waits = append(q.urls, *in.QueueUrl+" "+*in.ReceiptHandle), append(q.waits, in.VisibilityTimeout)
	return nil, q.err
}

const (
	events = "https://sqs.us-east-1.amazonaws.com/111122223333/permdrift-events"
	sweeps = "https://sqs.us-east-1.amazonaws.com/111122223333/permdrift-sweeps"
)

func numbers(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return list
}

func TestSendInBatches(t *testing.T) {
	for n, calls := range map[int]int{0: 0, 1: 1, 10: 1, 11: 2, 25: 3} {
		q := &fakeQueue{}
		if err := newQueues(q, events, sweeps).Send(t.Context(), numbers(n)); err != nil || q.calls != calls || !slices.Equal(q.bodies, numbers(n)) && n > 0 {
			t.Errorf("%d messages: %d calls, sent %q, %v", n, q.calls, q.bodies, err)
		}
		if len(q.urls) > 0 && q.urls[0] != sweeps {
			t.Errorf("sent to %s", q.urls[0])
		}
	}
}

// Of a batch that is taken in part, the rest is sent again, and each once.
func TestRefusedMessagesAreSentAgain(t *testing.T) {
	q := &fakeQueue{refuse: func(call int, body string) bool { return call < 4 && body > "3" }}
	if err := newQueues(q, events, sweeps).Send(t.Context(), numbers(10)); err != nil {
		t.Fatal(err)
	}
	slices.Sort(q.bodies)
	if q.calls != 4 || !slices.Equal(q.bodies, numbers(10)) {
		t.Errorf("%d calls sent %q", q.calls, q.bodies)
	}
}

func TestSendFails(t *testing.T) {
	for name, q := range map[string]*fakeQueue{
		"refused for good": {refuse: func(_ int, body string) bool { return body == "7" }},
		"an outage":        {err: errOutage},
		"a foreign id":     {odd: "17"},
		"a negative id":    {odd: "-1"},
		"no id":            {odd: "x"},
	} {
		if err := newQueues(q, events, sweeps).Send(t.Context(), numbers(10)); err == nil || !strings.Contains(err.Error(), sweeps) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDelay(t *testing.T) {
	q := &fakeQueue{}
	queue := newQueues(q, events, sweeps)
	for after, want := range map[time.Duration]int32{
		0: 0, time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2, 5 * time.Minute: 300, 24 * time.Hour: 43200, -time.Hour: 0,
	} {
		q.waits = nil
		if err := queue.Delay(t.Context(), "arn:aws:sqs:us-east-1:111122223333:permdrift-events", "r1", after); err != nil || q.waits[0] != want {
			t.Errorf("%s: asked for %v, %v", after, q.waits, err)
		}
	}
	if q.urls[0] != events+" r1" {
		t.Errorf("asked %q", q.urls[0])
	}
	for _, arn := range []string{"arn:aws:sqs:us-east-1:111122223333:other", "", "garbage"} {
		if err := queue.Delay(t.Context(), arn, "r1", 0); err == nil || !strings.Contains(err.Error(), "no URL") {
			t.Errorf("%q: got %v", arn, err)
		}
	}
	q.err = errOutage
	if err := queue.Delay(t.Context(), "arn:aws:sqs:us-east-1:111122223333:permdrift-sweeps", "r1", 0); !errors.Is(err, errOutage) {
		t.Errorf("got %v", err)
	}
	if err := newQueues(q, "", "").Delay(t.Context(), "arn:aws:sqs:us-east-1:111122223333:", "r1", 0); err == nil {
		t.Error("a queue without a name has a URL")
	}
}

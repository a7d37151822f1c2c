package live_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

const (
	account = "111122223333"
	region  = "eu-west-1"
)

// classic is a policy as AddPermission writes it.
const classic = `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:orders"}]}`

// document is a policy that only PutResourcePolicy can write.
const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:orders"}]}`

// clock is a time that passes only when somebody sleeps.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	c.slept = append(c.slept, d)
	return nil
}

// world is a localaws with one function, a client of it, and a reader on both.
type world struct {
	*clock
	aws    *localaws.Server
	client *lambda.Client
	orders string // ARN
	reader *live.Lambda
}

func newWorld(t *testing.T, o localaws.Options, options ...live.Option) *world {
	t.Helper()
	c := newClock()
	o.Now = c.now
	w := &world{clock: c, aws: localaws.New(o)}
	w.client = newClient(w.aws)
	w.orders = w.aws.AddFunction(account, region, "orders")
	options = append([]live.Option{live.Clock(c.now, c.sleep), live.Home(account, region), live.ListWith(w.client)}, options...)
	w.reader = live.New(w.client, options...)
	return w
}

func newClient(endpoint aws.HTTPClient) *lambda.Client {
	return lambda.New(lambda.Options{
		Region: region, HTTPClient: endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
}

func (w *world) state(t *testing.T, c drift.Change) drift.State {
	t.Helper()
	c.Subject = drift.Subject(w.orders)
	s, err := w.reader.State(t.Context(), c)
	if err != nil {
		t.Fatalf("State: %v", err)
	}
	return s
}

func at(p drift.Place) drift.Change {
	return drift.Change{Operation: drift.AddStatement, Place: p}
}

var sweep = drift.Change{Operation: drift.Sweep}

// calls are the operations called so far, in order; they are forgotten.
func (w *world) calls() []string {
	var names []string
	for _, c := range w.aws.Calls() {
		names = append(names, c.Operation)
	}
	w.aws.ForgetCalls()
	return names
}

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/lambdaruntime"
	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
)

// sweep starts a sweep as the schedule does, works off its shards with several
// instances at once, and returns its row.
func (w *world) sweep(instances ...*lambdaruntime.Function) drift.SweepRun {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*patience)
	defer cancel()
	answer, err := instances[0].Invoke(ctx, []byte(w.stack.sweepInput))
	must(w.t, "starting a sweep", err)
	var started struct{ Sweep string }
	must(w.t, "reading the answer "+string(answer), json.Unmarshal(answer, &started))
	failures := make([]error, len(instances))
	var group sync.WaitGroup
	for i, f := range instances {
		group.Go(func() {
			failures[i] = w.workOff(ctx, &mapping{queue: w.sweeps.queue, function: f, batch: w.sweeps.batch}, started.Sweep)
		})
	}
	group.Wait()
	must(w.t, "working off sweep "+started.Sweep, failures...)
	run, err := w.ledger.Sweep(w.t.Context(), started.Sweep)
	must(w.t, "reading sweep "+started.Sweep, err)
	if !w.sweeps.queue.empty() || !w.sweeps.queue.dead.empty() {
		w.t.Error("the sweep queue or its dead-letter queue is not empty")
	}
	return run
}

// workOff polls until the sweep is complete. What failed comes back when there
// is nothing else to do.
func (w *world) workOff(ctx context.Context, m *mapping, id string) error {
	for {
		received, _, err := m.poll(ctx)
		if err != nil {
			return err
		}
		if received > 0 {
			continue
		}
		run, err := w.ledger.Sweep(ctx, id)
		if err != nil || run.Complete() {
			return err
		}
		if err := m.hurry(ctx); err != nil {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the sweep is at %+v: %w", run, ctx.Err())
		}
	}
}

// estate makes n functions, every tenth with an approved policy and the others
// without any, and opens five of them, one on an alias only. It returns what
// is announced of these.
func (w *world) estate(n int) []string {
	w.t.Helper()
	open := map[int]string{7: "", 60: "", 111: "live", 200: "", n - 1: ""}
	var want []string
	for i := range n {
		name := fmt.Sprintf("f%03d", i)
		arn := w.aws.AddFunction(account, region, name)
		if i%10 == 0 {
			w.aws.SetPolicy(arn, "", document(uploads(arn)))
			w.approve(arn, drift.Unqualified)
		}
		qualifier, opened := open[i]
		if !opened {
			continue
		}
		if qualifier != "" {
			w.aws.AddAlias(arn, qualifier, w.aws.AddVersion(arn))
		}
		w.open(arn, qualifier, "temp-debug")
		want = append(want, "opened policy-widened "+name+":"+qualifier)
	}
	slices.Sort(want)
	return want
}

// compete reads policies until the context ends, as somebody does who knows of
// no quota.
func (w *world) compete(ctx context.Context, perSecond int) error {
	client := lambda.NewFromConfig(w.config("AKIADEPLOYEREXAMPLE", w.url))
	arn := w.aws.AddFunction(account, region, "zz-competitor")
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		_, err := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &arn}, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
		var response interface{ HTTPStatusCode() int }
		if err != nil && ctx.Err() == nil && (!errors.As(err, &response) || response.HTTPStatusCode() != http.StatusTooManyRequests && response.HTTPStatusCode() != http.StatusNotFound) {
			return fmt.Errorf("competing: %w", err)
		}
	}
}

// spike refuses the next few reads of policies every half a second, as when
// somebody else uses up the quota in bursts. On a slow machine the sweep alone
// would never come near the quota.
func (w *world) spike(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.aws.Fail("GetPolicy", 3, "TooManyRequestsException")
		}
	}
}

// throttled is how many reads of policies were refused for the quota, but for
// those of the competitor.
func (w *world) throttled() int {
	n := 0
	for _, c := range w.aws.Calls() {
		if c.Status == http.StatusTooManyRequests && c.Resource != "arn:aws:lambda:"+region+":"+account+":function:zz-competitor" {
			n++
		}
	}
	return n
}

func TestASweepUnderThrottlingFindsAllThatIsOpenAndTellsItOnce(t *testing.T) {
	t.Parallel()
	const functions, quota, competing = 300, 45, 30
	w := newWorld(t, settings{rate: "25"})
	want := w.estate(functions)
	w.aws.Configure(func(o *localaws.Options) {
		o.Quotas = localaws.Quotas{GetPolicy: quota, GetFunction: 100, Other: 100, Burst: 5}
	})
	instances := []*lambdaruntime.Function{w.sweeps.function, w.startAuditor()}
	if got := w.stack.auditor.Events["Sweep"].Properties.ScalingConfig.MaximumConcurrency; got != len(instances) {
		t.Errorf("the template has MaximumConcurrency %d, this test plays %d", got, len(instances))
	}
	ctx, stop := context.WithCancel(t.Context())
	competed := make(chan error, 1)
	go func() { competed <- w.compete(ctx, competing) }()
	go w.spike(ctx)
	run := w.sweep(instances...)
	stop()
	must(t, "competing", <-competed)
	w.aws.Configure(func(o *localaws.Options) { o.Quotas = localaws.Quotas{} })

	n := run.Subjects
	if !run.Planned || (n != functions && n != functions+1) || run.Done != n || run.Drifted != len(want) || run.Unknown != 0 || run.Problem != "" {
		t.Errorf("the sweep's row is %+v, want %d functions (and perhaps the competitor's), %d drifted, 0 unknown", run, functions, len(want))
	}
	if got := told(w.mail()); !slices.Equal(got, want) {
		t.Errorf("the mailbox has\n%q\nwant\n%q", got, want)
	}
	throttled := w.throttled()
	if throttled == 0 {
		t.Error("no read of the sweep was throttled: the quota and the competitor did nothing")
	}
	t.Logf("%d functions, %d reads of policies, %d of them throttled; %+v", n, w.aws.CountCalls("GetPolicy"), throttled, run)

	w.names["PERMDRIFT_RATE"] = "1000"
	again := w.sweep(w.startAuditor(), w.startAuditor())
	if again.Done != functions+1 || again.Drifted != len(want) || again.Unknown != 0 {
		t.Errorf("the second sweep's row is %+v", again)
	}
	w.noMail()
}

func TestASweepThatIsRefusedReadsSaysUnknownAndTheNextOneResolvesIt(t *testing.T) {
	t.Parallel()
	const functions = 8
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	var refused, after []string
	for i := range functions {
		name := fmt.Sprintf("f%d", i)
		w.function(name)
		refused = append(refused, "opened unreadable-change "+name+":")
		after = append(after, "resolved unreadable-change "+name+":")
	}
	w.open("arn:aws:lambda:"+region+":"+account+":function:f3", "", "temp-debug")
	w.refuse.Store(true)
	run := w.sweep(w.sweeps.function)
	if !run.Planned || run.Done != functions || run.Unknown != functions || run.Drifted != 0 || run.Clean() {
		t.Errorf("the sweep's row is %+v, want %d unknown", run, functions)
	}
	if got := told(w.mail()); !slices.Equal(got, refused) {
		t.Errorf("the mailbox has\n%q\nwant\n%q", got, refused)
	}
	w.refuse.Store(false)
	run = w.sweep(w.sweeps.function)
	if run.Done != functions || run.Unknown != 0 || run.Drifted != 1 || run.Clean() {
		t.Errorf("the second sweep's row is %+v, want 1 drifted", run)
	}
	after = append(after, "opened policy-widened f3:")
	slices.Sort(after)
	if got := told(w.mail()); !slices.Equal(got, after) {
		t.Errorf("the mailbox has\n%q\nwant\n%q", got, after)
	}
	w.mode(drift.ModeEnforce)
	w.remediations.expect(1, 0)
	w.oneMail(drift.RemovedByUs)
	if run = w.sweep(w.sweeps.function); !run.Clean() || run.Done != functions {
		t.Errorf("the third sweep's row is %+v, want clean", run)
	}
	w.noMail()
}

package live_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

func TestWholeReadPagesVersionsAndAliases(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true}, live.JSONPolicies(live.JSONOnly))
	for i := range 120 {
		w.aws.AddAlias(w.orders, fmt.Sprintf("alias-%03d", i), w.aws.AddVersion(w.orders))
	}
	w.aws.SetPolicy(w.orders, "120", classic)
	w.aws.SetPolicy(w.orders, "alias-119", classic)
	w.aws.Fail("ListAliases", 1, "TooManyRequestsException") // a page that is asked for twice is not read twice
	s := w.state(t, sweep)
	if len(s.Policies) != 241 || !s.Whole || len(s.Gaps) != 0 {
		t.Fatalf("%d places, whole %t, gaps %v", len(s.Policies), s.Whole, s.Gaps)
	}
	if _, read := s.Policies["$LATEST"]; read {
		t.Error("$LATEST was read")
	}
	for _, p := range []drift.Place{"120", "alias-119"} {
		if len(s.Policies[p].Policy.Statements) != 1 {
			t.Errorf("%s: %+v", p, s.Policies[p])
		}
	}
	for op, want := range map[string]int{"ListVersionsByFunction": 3, "ListAliases": 4, "GetResourcePolicy": 241, "GetPolicy": 0} {
		if n := w.aws.CountCalls(op); n != want {
			t.Errorf("%s: %d calls, want %d", op, n, want)
		}
	}
}

// Sweeps keep to their share of the quota; the waits are exact.
func TestSweepKeepsToItsRate(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true}, live.JSONPolicies(live.JSONOnly), live.Rate(4, 2))
	for range 8 {
		w.aws.AddVersion(w.orders)
	}
	started := w.at
	w.state(t, sweep)
	// Two listings at 2/s: 0.5 s. Nine reads at 4/s, on a limiter of their own: 2 s.
	// Two more listings, the first of which waits for nothing by then: 0.5 s.
	if took := w.at.Sub(started); took != 3*time.Second {
		t.Errorf("took %s, waits %v", took, w.slept)
	}
	w.slept = nil
	w.state(t, at(""))
	if len(w.slept) != 0 {
		t.Errorf("an event waited %v", w.slept)
	}
}

func TestSweepUnderTheRealQuotaIsNeverThrottled(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true, Quotas: localaws.AWSQuotas()})
	for range 100 {
		w.aws.AddVersion(w.orders)
	}
	if s := w.state(t, sweep); len(s.Policies) != 101 || len(s.Gaps) != 0 {
		t.Errorf("%d places, gaps %v", len(s.Policies), s.Gaps)
	}
	for _, c := range w.aws.Calls() {
		if c.Status == 429 {
			t.Fatalf("%s was throttled", c.Operation)
		}
	}
}

func TestSubjectsListsAllPages(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	for i := range 130 {
		w.aws.AddFunction(account, region, fmt.Sprintf("f-%03d", i))
	}
	w.aws.AddFunction("444455556666", region, "foreign")
	w.aws.Fail("ListFunctions", 2, "TooManyRequestsException")
	seen := map[drift.Subject]bool{}
	for s, err := range w.reader.Subjects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[s] = true
	}
	if len(seen) != 131 || !seen[drift.Subject(w.orders)] {
		t.Errorf("%d subjects", len(seen))
	}
	if n := w.aws.CountCalls("ListFunctions"); n != 5 {
		t.Errorf("%d calls", n)
	}
}

func TestSubjectsEndsWithTheError(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	w.aws.Fail("ListFunctions", 5, "TooManyRequestsException")
	n, last := 0, error(nil)
	for _, err := range w.reader.Subjects(t.Context()) {
		n, last = n+1, err
	}
	if n != 1 || !errors.Is(last, drift.ErrThrottled) {
		t.Errorf("%d values, last error %v", n, last)
	}
	for _, err := range live.New(w.client).Subjects(t.Context()) {
		if err == nil || !strings.Contains(err.Error(), "ListWith") {
			t.Errorf("without a client: %v", err)
		}
	}
}

func TestSubjectsStopsWhenTheCallerDoes(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	for i := range 130 {
		w.aws.AddFunction(account, region, fmt.Sprintf("f-%03d", i))
	}
	for range w.reader.Subjects(t.Context()) {
		break
	}
	if got := w.calls(); !slices.Equal(got, []string{"ListFunctions"}) {
		t.Errorf("calls = %v", got)
	}
}

// endless names the same next page for ever.
type endless struct{ live.ListAPI }

func (endless) ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error) {
	return &lambda.ListFunctionsOutput{NextMarker: aws.String("again")}, nil
}

func TestEndlessListingIsAnError(t *testing.T) {
	c := newClock()
	var last error
	for _, err := range live.New(nil, live.ListWith(endless{}), live.Clock(c.now, c.sleep)).Subjects(t.Context()) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "same next page") {
		t.Errorf("err = %v", last)
	}
}

package live_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

const queue = "arn:aws:sqs:eu-west-1:111122223333:jobs"

// create makes a mapping and returns its UUID.
func (w *world) create(t *testing.T, in *lambda.CreateEventSourceMappingInput) string {
	t.Helper()
	out, err := w.client.CreateEventSourceMapping(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.UUID
}

func TestMappingIsReadByItsUUID(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
	id := w.create(t, &lambda.CreateEventSourceMappingInput{FunctionName: aws.String(w.orders + ":live"), EventSourceArn: aws.String(queue)})
	want := drift.PlacedMapping{Place: "live", Mapping: drift.Mapping{UUID: id, Source: queue, Enabled: true}}
	for name, change := range map[string]drift.Change{
		"by its configuration": {Operation: drift.PutMapping, Config: &drift.Config{Mapping: &drift.Mapping{UUID: id}}, Detail: map[string]string{"uuid": "another"}},
		"by its detail":        {Operation: drift.PutMapping, Detail: map[string]string{"uuid": id}},
		"in a whole read":      sweep,
		"without a UUID":       {Operation: drift.PutMapping},
	} {
		s := w.state(t, change)
		if got := s.Mappings[id]; got == nil || *got != want || len(s.Mappings) != 1 || !s.CoversMapping(id) || s.CoversMapping("other") != (len(s.Listed) > 0) {
			t.Errorf("%s: %+v", name, s)
		}
		if !s.Whole && len(s.Policies) != 0 {
			t.Errorf("%s: a policy was read", name)
		}
	}
}

func TestMappingThatIsGoneOrFeedsAnotherFunctionIsNil(t *testing.T) {
	for name, change := range map[string]func(w *world, id string) error{
		"deleted":        func(w *world, id string) error { return w.deleteMapping(id) },
		"being deleted":  func(w *world, id string) error { w.aws.SetMappingState(id, "Deleting"); return nil },
		"feeds another":  func(w *world, id string) error { return w.repoint(id, "orders-2") },
		"feeds a prefix": func(w *world, id string) error { return w.repoint(id, "order") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, localaws.Options{JSONPolicies: true})
			w.aws.AddFunction(account, region, "orders-2")
			w.aws.AddFunction(account, region, "order")
			id := w.aws.AddMapping(w.orders, queue)
			if err := change(w, id); err != nil {
				t.Fatal(err)
			}
			s := w.state(t, drift.Change{Operation: drift.DeleteMapping, Detail: map[string]string{"uuid": id}})
			if m, read := s.Mappings[id]; !read || m != nil || len(s.Gaps) != 0 || !s.CoversMapping(id) {
				t.Errorf("state = %+v", s)
			}
			if s := w.state(t, sweep); len(s.Mappings) != 0 || !s.CoversMapping(id) {
				t.Errorf("whole read: %+v", s)
			}
		})
	}
}

func (w *world) deleteMapping(id string) error {
	_, err := w.client.DeleteEventSourceMapping(context.Background(), &lambda.DeleteEventSourceMappingInput{UUID: &id})
	return err
}

func (w *world) repoint(id, function string) error {
	_, err := w.client.UpdateEventSourceMapping(context.Background(), &lambda.UpdateEventSourceMappingInput{UUID: &id, FunctionName: &function})
	return err
}

func TestMappingStatesThatMayCallCountAsEnabled(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	id := w.aws.AddMapping(w.orders, queue)
	for state, want := range map[string]bool{
		"Enabled": true, "Creating": true, "Enabling": true, "Updating": true, "Novel": true, "": true,
		"Disabled": false, "Disabling": false,
	} {
		w.aws.SetMappingState(id, state)
		s := w.state(t, drift.Change{Operation: drift.PutMapping, Detail: map[string]string{"uuid": id}})
		if m := s.Mappings[id]; m == nil || m.Enabled != want {
			t.Errorf("%q: %+v", state, m)
		}
	}
}

func TestSourceOfAMappingIsNeverEmpty(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	kafka := func(endpoints map[string][]string) *types.SelfManagedEventSource {
		return &types.SelfManagedEventSource{Endpoints: endpoints}
	}
	for want, own := range map[string]*types.SelfManagedEventSource{
		"kafka://a.example.com:9092,b.example.com:9092": kafka(map[string][]string{"KAFKA_BOOTSTRAP_SERVERS": {"b.example.com:9092", "a.example.com:9092", "b.example.com:9092"}}),
		"a_kind://x.example.com b_kind://y.example.com": kafka(map[string][]string{"B_KIND": {"y.example.com"}, "A_KIND": {"x.example.com"}, "C_KIND": {}}),
		"unknown://": nil,
	} {
		id := w.create(t, &lambda.CreateEventSourceMappingInput{FunctionName: &w.orders, SelfManagedEventSource: own})
		s := w.state(t, drift.Change{Operation: drift.PutMapping, Detail: map[string]string{"uuid": id}})
		if want == "unknown://" {
			want += id
		}
		if m := s.Mappings[id]; m == nil || m.Source != want {
			t.Errorf("%+v, want %s", m, want)
		}
	}
}

// Whatever a listing by name shows, the mappings of all qualifiers are found.
func TestWholeReadFindsTheMappingsOfAllQualifiers(t *testing.T) {
	for _, shown := range []bool{false, true} {
		w := newWorld(t, localaws.Options{MappingsOfQualifiers: shown})
		w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
		other := w.aws.AddFunction(account, region, "orders-2")
		ids := map[string]drift.Place{}
		for _, p := range []drift.Place{"", "1", "live"} {
			name := drift.Subject(w.orders).ARN(p)
			ids[w.create(t, &lambda.CreateEventSourceMappingInput{FunctionName: &name, EventSourceArn: aws.String(queue)})] = p
		}
		for i := range 240 {
			w.aws.AddMapping(other, fmt.Sprintf("%s-%d", queue, i))
		}
		s := w.state(t, sweep)
		got := map[string]drift.Place{}
		for id, m := range s.Mappings {
			got[id] = m.Place
		}
		if !maps.Equal(got, ids) {
			t.Errorf("shown %t: %v, want %v", shown, got, ids)
		}
		if n := w.aws.CountCalls("ListEventSourceMappings"); n != 3 {
			t.Errorf("%d calls", n)
		}
	}
}

func TestOneListingOfMappingsServesAMinute(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	first := w.aws.AddMapping(w.orders, queue)
	listings := func() int { return w.aws.CountCalls("ListEventSourceMappings") }
	s := w.state(t, sweep)
	s.Mappings[first].Source = "changed by the caller"
	second := w.aws.AddMapping(w.orders, queue+"-2")
	w.at = w.at.Add(58 * time.Second) // the reads of the sweep take the rest
	s = w.state(t, sweep)
	if listings() != 1 || s.Mappings[first].Source != queue || s.Mappings[second] != nil {
		t.Errorf("%d listings, mappings %v", listings(), s.Mappings)
	}
	if s = w.state(t, drift.Change{Operation: drift.PutMapping}); listings() != 2 || s.Mappings[second] == nil {
		t.Errorf("an event was answered from the shared listing: %d listings, %v", listings(), s.Mappings)
	}
	w.at = w.at.Add(time.Minute)
	third := w.aws.AddMapping(w.orders, queue+"-3")
	if s = w.state(t, sweep); listings() != 3 || s.Mappings[third] == nil {
		t.Errorf("after a minute: %d listings, %v", listings(), s.Mappings)
	}
	w.at = w.at.Add(time.Minute)
	w.aws.Fail("ListEventSourceMappings", 2, "AccessDeniedException")
	if s = w.state(t, sweep); s.CoversMapping(first) {
		t.Errorf("refused: %+v", s)
	}
	if s = w.state(t, sweep); !s.CoversMapping(first) || len(s.Mappings) != 3 {
		t.Errorf("a failure was kept: %+v", s)
	}
}

func TestListingsOfMappingsAreApartByAccountAndRegion(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	id := w.aws.AddMapping(w.orders, queue)
	elsewhere := localaws.New(localaws.Options{Callers: map[string]localaws.Caller{"AKIDEXAMPLE": {Account: "444455556666"}}})
	foreign := elsewhere.AddFunction("444455556666", region, "bills")
	foreignID := elsewhere.AddMapping(foreign, queue)
	reader := live.New(w.client, live.Home(account, region), live.Clock(w.now, w.sleep), live.ClientFor(func(string, string) (live.API, error) {
		return newClient(elsewhere), nil
	}))
	for arn, want := range map[string]string{w.orders: id, foreign: foreignID} {
		s, err := reader.State(t.Context(), drift.Change{Subject: drift.Subject(arn), Operation: drift.Sweep})
		if err != nil || len(s.Mappings) != 1 || s.Mappings[want] == nil {
			t.Errorf("%s: %+v, %v", arn, s, err)
		}
	}
}

// Reads at once share the listing under way, and one that gives up does not
// wait for it.
func TestReadsAtOnceShareOneListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := localaws.New(localaws.Options{OnCall: func(c localaws.Call) {
			if c.Operation == "ListEventSourceMappings" {
				time.Sleep(30 * time.Second)
			}
		}})
		orders := drift.Subject(server.AddFunction(account, region, "orders"))
		id := server.AddMapping(string(orders), queue)
		reader := live.New(newClient(server), live.Rate(0, 0))
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				if i == 7 {
					time.Sleep(time.Second)
					ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				}
				defer cancel()
				s, err := reader.State(ctx, drift.Change{Subject: orders, Operation: drift.Sweep})
				if i == 7 {
					if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "ListEventSourceMappings") {
						t.Errorf("the impatient: %v", err)
					}
				} else if err != nil || s.Mappings[id] == nil {
					t.Errorf("%+v, %v", s, err)
				}
			})
		}
		wg.Wait()
		if n := server.CountCalls("ListEventSourceMappings"); n != 1 {
			t.Errorf("%d listings", n)
		}
	})
}

// A mapping that names no function could be anybody's.
func TestMappingOfNoFunctionIsAGap(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	id := w.aws.AddMapping(w.orders, queue)
	broken := answerTo{path: "/event-source-mappings", body: `{"UUID":"` + id + `","EventSourceMappings":[{"UUID":"` + id + `"}]}`, behind: w.aws}
	reader := live.New(newClient(broken), live.Clock(w.now, w.sleep))
	for _, change := range []drift.Change{sweep, {Operation: drift.PutMapping, Detail: map[string]string{"uuid": id}}} {
		change.Subject = drift.Subject(w.orders)
		s, err := reader.State(t.Context(), change)
		if err != nil || len(s.Gaps) != 1 || s.Gaps[0].Aspect != drift.Mappings || s.CoversMapping(id) || slices.Contains(s.Listed, drift.Mappings) {
			t.Errorf("%s: %+v, %v", change.Operation, s, err)
		}
	}
}

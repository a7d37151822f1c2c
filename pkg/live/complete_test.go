package live_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

func (w *world) complete(t *testing.T, s drift.State, want drift.Want) drift.State {
	t.Helper()
	s.Subject = drift.Subject(w.orders)
	got, err := w.reader.Complete(t.Context(), s, want)
	if err != nil {
		t.Fatalf("Complete: %v", err)
	}
	return got
}

func TestCompleteReadsWhatIsWanted(t *testing.T) {
	roles := newRoles()
	w := newWorld(t, localaws.Options{JSONPolicies: true}, live.WithIAM(roles))
	w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
	w.aws.SetURL(w.orders, "live", "NONE")
	w.aws.SetTag(w.orders, "owner", "ann")
	s := w.complete(t, drift.State{}, drift.Want{URLs: []drift.Place{"live", "1", "$LATEST", "live"}, Roles: []string{roleARN, roleARN}, Tags: true})
	if len(s.URLs) != 3 || s.URLs["live"].AuthType != "NONE" || s.URLs[""].AuthType != "" || !s.CoversURL("1") {
		t.Errorf("URLs = %+v", s.URLs)
	}
	if !maps.Equal(s.Tags, map[string]string{"owner": "ann"}) {
		t.Errorf("tags = %v", s.Tags)
	}
	if r := s.Rights[roleARN]; len(s.Rights) != 1 || r.Problem != "" || len(r.Policy.Statements) == 0 {
		t.Errorf("rights = %+v", s.Rights)
	}
	if got := w.calls(); !slices.Equal(got, []string{"GetFunctionUrlConfig", "GetFunctionUrlConfig", "ListTags"}) || roles.calls["GetRole"] != 1 {
		t.Errorf("calls = %v, %v", got, roles.calls)
	}
}

func TestCompleteReadsNothingTwice(t *testing.T) {
	roles := newRoles()
	w := newWorld(t, localaws.Options{}, live.WithIAM(roles))
	everything := drift.Want{URLs: []drift.Place{"", "live"}, Roles: []string{roleARN}, Tags: true}
	for name, s := range map[string]drift.State{
		"known":  {URLs: map[drift.Place]drift.URL{"": {}, "live": {}}, Rights: map[string]drift.Rights{roleARN: {}}, Tags: map[string]string{}},
		"listed": {Listed: []drift.Aspect{drift.URLs}, Rights: map[string]drift.Rights{roleARN: {}}, Tags: map[string]string{}},
		"gaps":   {Gaps: []drift.Gap{{Aspect: drift.URLs}, {Aspect: drift.URLs, Place: "live"}}, Rights: map[string]drift.Rights{roleARN: {}}, Tags: map[string]string{}},
		"gap":    {Gaps: []drift.Gap{{Aspect: drift.URLs, All: true}}, Rights: map[string]drift.Rights{roleARN: {}}, Tags: map[string]string{}},
	} {
		w.complete(t, s, everything)
		if got := w.calls(); len(got) != 0 || len(roles.calls) != 0 {
			t.Errorf("%s: calls = %v, %v", name, got, roles.calls)
		}
	}
	w.complete(t, drift.State{}, drift.Want{})
	if got := w.calls(); len(got) != 0 {
		t.Errorf("nothing wanted: calls = %v", got)
	}
}

func TestCompleteLeavesTheGivenStateAsItIs(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithIAM(newRoles()))
	given := func() drift.State {
		return drift.State{
			Subject: drift.Subject(w.orders), URLs: map[drift.Place]drift.URL{"a": {}}, Rights: map[string]drift.Rights{"b": {}},
			Gaps: slices.Grow([]drift.Gap{{Place: "c"}}, 4),
		}
	}
	s := given()
	w.aws.Fail("GetFunctionUrlConfig", 2, "AccessDeniedException")
	got := w.complete(t, s, drift.Want{URLs: []drift.Place{"", "live"}, Roles: []string{roleARN}, Tags: true})
	if len(got.URLs) != 2 || len(got.Rights) != 2 || len(got.Gaps) != 2 {
		t.Fatalf("completed = %+v", got)
	}
	if !reflect.DeepEqual(s, given()) || s.Gaps[:2][1] != (drift.Gap{}) {
		t.Errorf("the given state became %+v", s)
	}
}

func TestWhatCompleteCannotReadIsUnknown(t *testing.T) {
	for code, attempts := range map[string]int{"TooManyRequestsException": 5, "AccessDeniedException": 2} {
		w := newWorld(t, localaws.Options{})
		w.aws.SetURL(w.orders, "", "NONE")
		w.aws.SetTag(w.orders, "owner", "ann")
		w.aws.Fail("GetFunctionUrlConfig", attempts, code)
		w.aws.Fail("ListTags", attempts, code)
		s := w.complete(t, drift.State{}, drift.Want{URLs: []drift.Place{""}, Tags: true})
		if len(s.Gaps) != 1 || s.Gaps[0].Aspect != drift.URLs || s.Gaps[0].All || s.CoversURL("") || len(s.URLs) != 0 || s.Tags != nil {
			t.Errorf("%s: %+v", code, s)
		}
		if n := w.aws.CountCalls("ListTags"); n != attempts {
			t.Errorf("%s: %d calls", code, n)
		}
		if s = w.complete(t, drift.State{}, drift.Want{Tags: true}); s.Tags["owner"] != "ann" {
			t.Errorf("%s: then %v", code, s.Tags)
		}
	}
}

func TestFunctionWithoutTagsOrWithoutExistenceIsNoGap(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	if s := w.complete(t, drift.State{}, drift.Want{Tags: true}); s.Tags == nil || len(s.Tags) != 0 {
		t.Errorf("no tags: %v", s.Tags)
	}
	w.aws.DeleteFunction(w.orders)
	s := w.complete(t, drift.State{}, drift.Want{URLs: []drift.Place{"live"}, Tags: true})
	if s.Tags != nil || len(s.Gaps) != 0 || !s.CoversURL("live") {
		t.Errorf("deleted: %+v", s)
	}
}

// An alert does not wait for tags, but an answer about a URL is needed.
func TestNoAnswerIsAnErrorForURLsOnly(t *testing.T) {
	lost := do(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") })
	c := newClock()
	reader := live.New(newClient(lost), live.Clock(c.now, c.sleep))
	state := drift.State{Subject: "arn:aws:lambda:eu-west-1:111122223333:function:orders"}
	if s, err := reader.Complete(t.Context(), state, drift.Want{Tags: true}); err != nil || s.Tags != nil {
		t.Errorf("tags: %+v, %v", s, err)
	}
	if _, err := reader.Complete(t.Context(), state, drift.Want{URLs: []drift.Place{"live"}}); err == nil || !strings.Contains(err.Error(), "URL of live") {
		t.Errorf("URL: %v", err)
	}
}

func TestEndedContextIsAnErrorOfComplete(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithIAM(newRoles()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, want := range map[string]drift.Want{"URL": {URLs: []drift.Place{""}}, "role": {Roles: []string{roleARN}}, "tags": {Tags: true}} {
		if _, err := w.reader.Complete(ctx, drift.State{Subject: drift.Subject(w.orders)}, want); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.reader.Complete(t.Context(), drift.State{Subject: drift.FunctionSubject("", "us-east-1", account, "f")}, drift.Want{}); !errors.Is(err, live.ErrForeign) {
		t.Errorf("foreign: %v", err)
	}
}

// What completes a whole read is slowed down as that is.
func TestCompletingAWholeReadKeepsToTheRate(t *testing.T) {
	for _, whole := range []bool{false, true} {
		w := newWorld(t, localaws.Options{}, live.Rate(1, 1))
		for range 2 {
			w.complete(t, drift.State{Whole: whole}, drift.Want{Tags: true})
		}
		if len(w.slept) > 0 != whole {
			t.Errorf("whole %t: waited %v", whole, w.slept)
		}
	}
}

func TestLayerVersionsHaveNeitherURLsNorTags(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithIAM(newRoles()))
	s, err := w.reader.Complete(t.Context(), drift.State{Subject: "arn:aws:lambda:eu-west-1:111122223333:layer:libs:1"}, drift.Want{URLs: []drift.Place{""}, Tags: true, Roles: []string{roleARN}})
	if err != nil || len(w.calls()) != 0 || len(s.URLs) != 0 || s.Rights[roleARN].Problem != "" {
		t.Errorf("%+v, %v", s, err)
	}
}

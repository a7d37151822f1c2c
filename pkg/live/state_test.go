package live_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

func TestWholeReadFindsThePolicyOfEveryPlace(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	version := w.aws.AddVersion(w.orders)
	w.aws.AddAlias(w.orders, "live", version)
	for _, q := range []string{"", version, "live"} {
		w.aws.SetPolicy(w.orders, q, strings.ReplaceAll(classic, `"s3"`, `"sid-`+q+`"`))
	}
	s := w.state(t, sweep)
	if !s.Whole || len(s.Gaps) != 0 || len(s.Policies) != 3 {
		t.Fatalf("state = %+v", s)
	}
	for _, p := range []drift.Place{drift.Unqualified, drift.Place(version), "live"} {
		got := s.Policies[p]
		if len(got.Policy.Statements) != 1 || got.Policy.Statements[0].Sid != "sid-"+string(p) || got.RevisionID == "" || !strings.Contains(got.Document, "sid-") {
			t.Errorf("%s: %+v", p, got)
		}
	}
	if s.ReadAt != newClock().at {
		t.Errorf("ReadAt = %s", s.ReadAt)
	}
	want := []string{"ListVersionsByFunction", "ListAliases", "GetResourcePolicy", "GetResourcePolicy", "GetResourcePolicy", "ListFunctionUrlConfigs", "ListEventSourceMappings"}
	if got := w.calls(); !slices.Equal(got, want) {
		t.Errorf("calls = %v", got)
	}
}

func TestPlaceReadCostsOneCall(t *testing.T) {
	for _, test := range []struct {
		name   string
		mode   live.JSONMode
		server localaws.Options
		place  drift.Place
		policy string
		want   []string
	}{
		{"JSON service", live.JSONAuto, localaws.Options{JSONPolicies: true}, "", classic, []string{"GetResourcePolicy"}},
		{"JSON service, alias", live.JSONAuto, localaws.Options{JSONPolicies: true}, "live", classic, []string{"GetResourcePolicy"}},
		{"JSON document that GetPolicy hides", live.JSONAuto, localaws.Options{JSONPolicies: true}, "", document, []string{"GetResourcePolicy"}},
		{"no policy is confirmed", live.JSONAuto, localaws.Options{JSONPolicies: true}, "", "", []string{"GetResourcePolicy", "GetPolicy"}},
		{"no policy, JSONOnly", live.JSONOnly, localaws.Options{JSONPolicies: true}, "", "", []string{"GetResourcePolicy"}},
		{"JSONNever", live.JSONNever, localaws.Options{JSONPolicies: true}, "live", classic, []string{"GetPolicy"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.server, live.JSONPolicies(test.mode))
			w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
			w.aws.SetPolicy(w.orders, string(test.place), test.policy)
			s := w.state(t, at(test.place))
			got, read := s.Policies[test.place]
			if !read || s.Whole || len(s.Gaps) != 0 || len(s.Policies) != 1 {
				t.Errorf("state = %+v", s)
			}
			if (len(got.Policy.Statements) == 1) != (test.policy != "") {
				t.Errorf("policy = %+v", got)
			}
			if calls := w.calls(); !slices.Equal(calls, test.want) {
				t.Errorf("calls = %v, want %v", calls, test.want)
			}
			if len(w.slept) != 0 {
				t.Errorf("waited %v", w.slept)
			}
		})
	}
}

func TestServiceWithoutJSONPoliciesIsAskedOnceAnHour(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	w.aws.SetPolicy(w.orders, "", classic)
	asked := 0
	counting := do(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "/resource-policy/") {
			asked++
		}
		return w.aws.Do(r)
	})
	w.reader = live.New(newClient(counting), live.Clock(w.now, w.sleep))
	for range 3 {
		if s := w.state(t, at("")); len(s.Policies[""].Policy.Statements) != 1 {
			t.Fatalf("state = %+v", s)
		}
	}
	if n := w.aws.CountCalls("GetPolicy"); n != 3 || asked != 1 {
		t.Errorf("%d times GetPolicy, %d times GetResourcePolicy", n, asked)
	}
	w.aws.Configure(func(o *localaws.Options) { o.JSONPolicies = true })
	w.aws.SetPolicy(w.orders, "", document)
	w.at = w.at.Add(time.Hour)
	if s := w.state(t, at("")); len(s.Policies[""].Policy.Statements) != 1 || s.Policies[""].Policy.Statements[0].Effect != "Deny" {
		t.Errorf("after an hour: %+v", s)
	}
	if n := w.aws.CountCalls("GetPolicy"); n != 3 || asked != 2 {
		t.Errorf("after an hour: %d times GetPolicy, %d times GetResourcePolicy", n, asked)
	}
}

// A service that does not know GetResourcePolicy has said so in many ways.
func TestUnknownOperationIsAnsweredByGetPolicy(t *testing.T) {
	const words = "Unable to determine service/operation name to be authorized"
	for _, a := range []answer{
		{name: "404 with its code", status: 404, code: "UnknownOperationException", body: `{}`},
		{name: "404, XML", status: 404, body: `<UnknownOperationException/>`},
		{name: "404, empty", status: 404},
		{name: "403, unknown path", status: 403, code: "AccessDeniedException", body: `{"Message":"` + words + `"}`},
		{name: "403, unknown path, XML", status: 403, body: `<AccessDeniedException><Message>` + words + `</Message></AccessDeniedException>`},
		{name: "403, gateway", status: 403, body: `{"message":"Missing Authentication Token"}`},
		{name: "400, unsupported", status: 400, code: "UnsupportedOperationException", body: `{}`},
		{name: "501", status: 501, body: `{"__type":"InternalFailure","message":"not yet implemented"}`},
	} {
		t.Run(a.name, func(t *testing.T) {
			w := newWorld(t, localaws.Options{})
			w.aws.SetPolicy(w.orders, "", classic)
			a.behind = w.aws
			reader := live.New(newClient(a), live.Clock(w.now, w.sleep))
			s, err := reader.State(t.Context(), drift.Change{Subject: drift.Subject(w.orders), Operation: drift.AddStatement})
			if err != nil || len(s.Gaps) != 0 || len(s.Policies[""].Policy.Statements) != 1 {
				t.Errorf("state = %+v, %v", s, err)
			}
		})
	}
}

// What may hide a Deny or a whole document must not look clean.
func TestRefusedGetResourcePolicyDoesNotFallBack(t *testing.T) {
	for _, a := range []answer{
		{name: "denied", status: 403, code: "AccessDeniedException", body: `{"Message":"User: x is not authorized to perform: lambda:GetResourcePolicy"}`},
		{name: "denied without a code", status: 403},
		{name: "throttled", status: 429},
		{name: "broken", status: 503},
		{name: "not JSON", status: 200, body: "<html>"},
		{name: "invalid", status: 400, code: "InvalidParameterValueException", body: `{"message":"no"}`},
	} {
		t.Run(a.name, func(t *testing.T) {
			w := newWorld(t, localaws.Options{})
			w.aws.SetPolicy(w.orders, "", classic)
			a.behind = w.aws
			reader := live.New(newClient(a), live.Clock(w.now, w.sleep))
			s, err := reader.State(t.Context(), drift.Change{Subject: drift.Subject(w.orders), Operation: drift.AddStatement})
			if err != nil || len(s.Gaps) != 1 || s.Covers("") || len(s.Policies) != 0 {
				t.Errorf("state = %+v, %v", s, err)
			}
			if n := w.aws.CountCalls("GetPolicy"); n != 0 {
				t.Errorf("GetPolicy was called %d times", n)
			}
		})
	}
}

func TestUnknownOperationIsRememberedOnlyIfGetPolicyAnswers(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.SetPolicy(w.orders, "", document)
	w.aws.Fail("GetResourcePolicy", 1, "UnknownOperationException")
	w.aws.Fail("GetPolicy", 2, "AccessDeniedException")
	if s := w.state(t, at("")); len(s.Gaps) != 1 {
		t.Fatalf("state = %+v", s)
	}
	if s := w.state(t, at("")); len(s.Gaps) != 0 || len(s.Policies[""].Policy.Statements) != 1 {
		t.Errorf("state = %+v", s)
	}
}

func TestJSONOnlyDoesNotFallBack(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.JSONPolicies(live.JSONOnly))
	s := w.state(t, at(""))
	if len(s.Gaps) != 1 || !strings.HasPrefix(s.Gaps[0].Reason, "GetResourcePolicy is not known to the service") {
		t.Errorf("state = %+v", s)
	}
}

// hides answers that there is no policy, as GetResourcePolicy may for a
// document that AddPermission wrote; nobody has seen.
func TestPolicyThatOnlyGetPolicyShowsIsFound(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	w.aws.SetPolicy(w.orders, "", classic)
	hides := answer{status: 404, code: "ResourceNotFoundException", body: `{"Message":"no policy"}`, behind: w.aws}
	reader := live.New(newClient(hides), live.Clock(w.now, w.sleep))
	s, err := reader.State(t.Context(), drift.Change{Subject: drift.Subject(w.orders), Operation: drift.AddStatement})
	if err != nil || len(s.Policies[""].Policy.Statements) != 1 {
		t.Errorf("state = %+v, %v", s, err)
	}
}

func TestWhatDoesNotExistIsTheZeroState(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.DeleteFunction(w.orders)
	for _, change := range []drift.Change{{Operation: drift.DeleteSubject}, {Operation: drift.RemoveStatement, Whole: true}, sweep} {
		if s := w.state(t, change); !s.Whole || len(s.Policies) != 0 || len(s.Gaps) != 0 || !s.Covers("live") {
			t.Errorf("%s: %+v", change.Operation, s)
		}
	}
	s := w.state(t, at("live"))
	if got, read := s.Policies["live"]; !read || got.Document != "" || len(got.Policy.Statements) != 0 || s.Whole {
		t.Errorf("place: %+v", s)
	}
}

func TestThrottledReadIsRepeatedThenAGap(t *testing.T) {
	for _, test := range []struct {
		code         string
		times, calls int
		gaps         int
	}{
		{"TooManyRequestsException", 4, 5, 0},
		{"TooManyRequestsException", 5, 5, 1},
		{"AccessDeniedException", 1, 2, 0},
		{"AccessDeniedException", 2, 2, 1},
		{"ServiceException", 2, 3, 0},
		{"ServiceException", 3, 3, 1},
		{"InvalidParameterValueException", 1, 1, 1},
	} {
		t.Run(fmt.Sprintf("%s %d", test.code, test.times), func(t *testing.T) {
			w := newWorld(t, localaws.Options{JSONPolicies: true})
			w.aws.SetPolicy(w.orders, "", classic)
			w.aws.Fail("GetResourcePolicy", test.times, test.code)
			s := w.state(t, at(""))
			if len(s.Gaps) != test.gaps || s.Covers("") != (test.gaps == 0) {
				t.Errorf("state = %+v", s)
			}
			if n := w.aws.CountCalls("GetResourcePolicy"); n != test.calls {
				t.Errorf("%d calls, want %d", n, test.calls)
			}
			for i, d := range w.slept {
				most := 500 * time.Millisecond << i
				if d < most/2 || d > most {
					t.Errorf("pause %d is %s", i, d)
				}
			}
			if test.gaps == 1 && !strings.Contains(s.Gaps[0].Reason, test.code) {
				t.Errorf("reason = %q", s.Gaps[0].Reason)
			}
		})
	}
}

func TestGapOfOnePlaceKeepsTheOthers(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
	w.aws.SetPolicy(w.orders, "live", classic)
	w.aws.Fail("GetResourcePolicy", 5, "TooManyRequestsException") // the unqualified one
	s := w.state(t, sweep)
	if !s.Whole || s.Covers("") || !s.Covers("live") || !s.Covers("1") || len(s.Policies["live"].Policy.Statements) != 1 {
		t.Errorf("state = %+v", s)
	}
	if len(s.Gaps) != 1 || s.Gaps[0].All || s.Gaps[0].Place != "" {
		t.Errorf("gaps = %+v", s.Gaps)
	}
}

func TestFailedListingIsAGapOfEverything(t *testing.T) {
	for _, op := range []string{"ListVersionsByFunction", "ListAliases"} {
		w := newWorld(t, localaws.Options{JSONPolicies: true})
		w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
		w.aws.SetPolicy(w.orders, "live", classic)
		w.aws.Fail(op, 5, "TooManyRequestsException")
		s := w.state(t, drift.Change{Operation: drift.PutPolicy, Place: "live", Whole: true})
		if s.Whole || len(s.Gaps) != 1 || !s.Gaps[0].All || !strings.HasPrefix(s.Gaps[0].Reason, op+" is throttled") {
			t.Errorf("%s: %+v", op, s)
		}
		if len(s.Policies["live"].Policy.Statements) != 1 {
			t.Errorf("%s: the place that the change names was not read: %+v", op, s)
		}
		if _, read := s.Policies[""]; !read {
			t.Errorf("%s: the unqualified place was not read", op)
		}
	}
}

func TestUnreadablePolicyIsAGap(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	a := answer{status: 200, body: `{"Policy":"{\"Statement\":[{\"Effect\":\"Perhaps\"}]}","RevisionId":"r"}`, behind: w.aws}
	reader := live.New(newClient(a), live.Clock(w.now, w.sleep))
	s, err := reader.State(t.Context(), drift.Change{Subject: drift.Subject(w.orders), Operation: drift.PutPolicy})
	if err != nil || len(s.Policies) != 0 || len(s.Gaps) != 1 || !strings.Contains(s.Gaps[0].Reason, "Perhaps") {
		t.Errorf("state = %+v, %v", s, err)
	}
}

func TestNoAnswerIsAnError(t *testing.T) {
	broken := errors.New("connection reset")
	n := 0
	reader := live.New(newClient(do(func(*http.Request) (*http.Response, error) { n++; return nil, broken })), live.Clock(newClock().now, newClock().sleep))
	_, err := reader.State(t.Context(), drift.Change{Subject: drift.FunctionSubject("", region, account, "orders"), Operation: drift.AddStatement, Place: "live"})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "policy of live") || n != 3 {
		t.Errorf("%d calls, err = %v", n, err)
	}
}

func TestRefusedCredentialsAreAnError(t *testing.T) {
	for _, code := range []string{"ExpiredTokenException", "UnrecognizedClientException"} {
		w := newWorld(t, localaws.Options{JSONPolicies: true})
		w.aws.Fail("*", 9, code)
		_, err := w.reader.State(t.Context(), drift.Change{Subject: drift.Subject(w.orders), Operation: drift.Sweep})
		if !errors.Is(err, drift.ErrDenied) || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// A role that may not be assumed is not a policy that may not be read.
func TestFailureToGetCredentialsIsAnError(t *testing.T) {
	denied := &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: &smithy.GenericAPIError{Code: "AccessDenied"}}
	client := lambda.New(lambda.Options{Region: region, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, denied
	})})
	reader := live.New(client, live.Clock(newClock().now, newClock().sleep))
	_, err := reader.State(t.Context(), drift.Change{Subject: drift.FunctionSubject("", region, account, "orders"), Operation: drift.Sweep})
	if !errors.Is(err, drift.ErrDenied) || !strings.Contains(err.Error(), "AssumeRole") {
		t.Errorf("err = %v", err)
	}
}

func TestEndedContextIsAnError(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.reader.State(ctx, drift.Change{Subject: drift.Subject(w.orders)}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	w.aws.Configure(func(o *localaws.Options) { o.OnCall = func(localaws.Call) { cancel() } })
	w.aws.Fail("*", 9, "TooManyRequestsException")
	if _, err := w.reader.State(ctx, drift.Change{Subject: drift.Subject(w.orders), Operation: drift.Sweep}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func TestStaleAnswerIsToldAsRead(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.SetPolicy(w.orders, "", classic)
	w.aws.Stale(2) // both calls of the first read
	if s := w.state(t, at("")); len(s.Policies[""].Policy.Statements) != 0 {
		t.Errorf("stale: %+v", s)
	}
	if s := w.state(t, at("")); len(s.Policies[""].Policy.Statements) != 1 {
		t.Errorf("fresh: %+v", s)
	}
}

func TestOtherSubjectsAreNotAudited(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	for _, s := range []drift.Subject{drift.RoleSubject("", account, "r"), drift.AccountSubject("", account), "arn:aws:lambda:eu-west-1:111122223333:layer:tools", "nonsense"} {
		if _, err := w.reader.State(t.Context(), drift.Change{Subject: s}); !errors.Is(err, live.ErrNotAudited) {
			t.Errorf("%s: %v", s, err)
		}
	}
	if got := w.calls(); len(got) != 0 {
		t.Errorf("calls = %v", got)
	}
}

func TestForeignSubjectNeedsAClient(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	foreign := drift.Subject(w.aws.AddFunction("444455556666", "us-east-1", "bills"))
	_, err := w.reader.State(t.Context(), drift.Change{Subject: foreign})
	if !errors.Is(err, live.ErrForeign) || !strings.Contains(err.Error(), string(foreign)) {
		t.Errorf("err = %v", err)
	}
	var asked []string
	reader := live.New(w.client, live.Home(account, region), live.ClientFor(func(a, r string) (live.API, error) {
		if asked = append(asked, a+" "+r); a == "777788889999" {
			return nil, errors.New("no role there")
		}
		return w.client, nil
	}))
	for range 2 {
		if _, err := reader.State(t.Context(), drift.Change{Subject: foreign}); err != nil {
			t.Error(err)
		}
	}
	if _, err := reader.State(t.Context(), drift.Change{Subject: drift.Subject(w.orders)}); err != nil {
		t.Error(err)
	}
	if !slices.Equal(asked, []string{"444455556666 us-east-1"}) {
		t.Errorf("asked for %v", asked)
	}
	_, err = reader.State(t.Context(), drift.Change{Subject: drift.FunctionSubject("", region, "777788889999", "f")})
	if err == nil || !strings.Contains(err.Error(), "no role there") {
		t.Errorf("err = %v", err)
	}
}

// do is a function as an HTTP client.
type do func(*http.Request) (*http.Response, error)

func (d do) Do(r *http.Request) (*http.Response, error) { return d(r) }

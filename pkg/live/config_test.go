package live_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// A change costs the calls that it needs, and no more.
func TestAChangeCostsWhatItIsAbout(t *testing.T) {
	policies, url := []string{"GetResourcePolicy"}, []string{"GetResourcePolicy", "GetFunctionUrlConfig"}
	for _, test := range []struct {
		operation drift.Operation
		place     drift.Place
		want      []string
	}{
		{drift.AddStatement, "live", policies},
		{drift.RemoveStatement, "live", policies},
		{drift.PutPolicy, "live", policies},
		{drift.DeletePolicy, "live", policies},
		{drift.CreatePlace, "1", policies},
		{drift.DeletePlace, "live", policies},
		{drift.PutURL, "live", url},
		{drift.PutURL, "", url},
		{drift.DeleteURL, "live", url},
		{drift.RepointPlace, "live", url},
		{drift.RepointPlace, "1", policies}, // a version cannot have a URL
		{drift.PutMapping, "live", []string{"GetEventSourceMapping"}},
		{drift.DeleteMapping, "live", []string{"GetEventSourceMapping"}},
		{drift.Configure, "", []string{"ListVersionsByFunction"}},
		{drift.UpdateCode, "", []string{"ListVersionsByFunction"}},
	} {
		t.Run(string(test.operation)+" "+test.place.String(), func(t *testing.T) {
			w := newWorld(t, localaws.Options{JSONPolicies: true}, live.JSONPolicies(live.JSONOnly))
			w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
			s := w.state(t, drift.Change{Operation: test.operation, Place: test.place, Detail: map[string]string{"uuid": "u-1"}})
			if got := w.calls(); !slices.Equal(got, test.want) || len(s.Gaps) != 0 || s.Whole || len(w.slept) != 0 {
				t.Errorf("calls = %v, want %v; state = %+v; waited %v", got, test.want, s, w.slept)
			}
		})
	}
}

// 5 calls for a function without versions; the mappings are listed once a minute.
func TestAWholeReadOfAPlainFunctionCostsFiveCalls(t *testing.T) {
	for _, mode := range []live.JSONMode{live.JSONOnly, live.JSONNever} {
		w := newWorld(t, localaws.Options{JSONPolicies: true}, live.JSONPolicies(mode))
		w.aws.SetPolicy(w.orders, "", classic)
		for _, want := range []int{5, 4} {
			s := w.state(t, sweep)
			if got := w.calls(); len(got) != want {
				t.Errorf("%s: calls = %v, want %d", mode, got, want)
			}
			if want := []drift.Aspect{drift.Roles, drift.URLs, drift.Mappings}; !slices.Equal(s.Listed, want) || !s.Whole {
				t.Errorf("%s: state = %+v", mode, s)
			}
		}
	}
}

func TestURLIsReadWithAllThatMatters(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
	w.aws.SetPolicy(w.orders, "live", classic)
	_, err := w.client.CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{
		FunctionName: &w.orders, Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeNone, InvokeMode: types.InvokeModeResponseStream,
		Cors: &types.Cors{
			AllowCredentials: aws.Bool(true), AllowOrigins: []string{"https://example.com"}, AllowMethods: []string{"GET"},
			AllowHeaders: []string{"x-a"}, ExposeHeaders: []string{"x-b"}, MaxAge: aws.Int32(60),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := drift.URL{AuthType: "NONE", InvokeMode: "RESPONSE_STREAM", CORS: &drift.CORS{
		AllowCredentials: true, AllowOrigins: []string{"https://example.com"}, AllowMethods: []string{"GET"},
		AllowHeaders: []string{"x-a"}, ExposeHeaders: []string{"x-b"}, MaxAge: 60,
	}}
	for _, change := range []drift.Change{{Operation: drift.PutURL, Place: "live"}, {Operation: drift.RepointPlace, Place: "live"}, sweep} {
		s := w.state(t, change)
		got := s.URLs["live"]
		if !strings.HasPrefix(got.Address, "https://") {
			t.Errorf("%s: address %q", change.Operation, got.Address)
		}
		if got.Address = ""; !reflect.DeepEqual(got, want) || !s.CoversURL("live") || s.CoversURL("") != s.Whole || len(s.Policies["live"].Policy.Statements) != 1 {
			t.Errorf("%s: %+v", change.Operation, s)
		}
	}
}

func TestNoURLIsTheZeroURL(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"none":        func(*world) {},
		"no alias":    func(*world) {},
		"no function": func(w *world) { w.aws.DeleteFunction(w.orders) },
	} {
		w := newWorld(t, localaws.Options{JSONPolicies: true})
		prepare(w)
		p := drift.Place("")
		if name == "no alias" {
			p = "gone"
		}
		s := w.state(t, drift.Change{Operation: drift.DeleteURL, Place: p})
		if u, read := s.URLs[p]; !read || u.AuthType != "" || !s.CoversURL(p) || !s.Covers(p) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// The unpublished code has its URL at the unqualified place.
func TestLatestIsTheUnqualifiedPlace(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.SetURL(w.orders, "", "AWS_IAM")
	s := w.state(t, drift.Change{Operation: drift.PutURL, Place: "$LATEST"})
	if s.URLs[""].AuthType != "AWS_IAM" || !s.Covers("") {
		t.Errorf("state = %+v", s)
	}
}

func TestRolesOfAllVersionsAreRead(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true}, live.JSONPolicies(live.JSONOnly))
	for range 60 {
		w.aws.AddVersion(w.orders)
	}
	const admin = "arn:aws:iam::111122223333:role/ops/admin"
	w.aws.SetRole(w.orders, admin)
	for _, change := range []drift.Change{{Operation: drift.Configure}, {Operation: drift.UpdateCode}, sweep} {
		s := w.state(t, change)
		if len(s.Roles) != 61 || s.Roles[""] != admin || s.Roles["60"] != "arn:aws:iam::111122223333:role/orders" || !slices.Contains(s.Listed, drift.Roles) {
			t.Errorf("%s: %v, listed %v", change.Operation, s.Roles, s.Listed)
		}
		if n := w.aws.CountCalls("ListVersionsByFunction"); n != 2 {
			t.Errorf("%s: %d calls", change.Operation, n)
		}
		w.aws.ForgetCalls()
	}
}

func TestURLListingIsPaged(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true}, live.JSONPolicies(live.JSONOnly))
	version := w.aws.AddVersion(w.orders)
	w.aws.SetURL(w.orders, "", "NONE")
	for i := range 60 {
		alias := fmt.Sprintf("alias-%02d", i)
		w.aws.AddAlias(w.orders, alias, version)
		w.aws.SetURL(w.orders, alias, "AWS_IAM")
	}
	s := w.state(t, sweep)
	if len(s.URLs) != 61 || s.URLs[""].AuthType != "NONE" || s.URLs["alias-59"].AuthType != "AWS_IAM" || !s.CoversURL("gone") {
		t.Errorf("%d URLs, listed %v", len(s.URLs), s.Listed)
	}
	if n := w.aws.CountCalls("ListFunctionUrlConfigs"); n != 2 {
		t.Errorf("%d calls", n)
	}
}

func TestDeletedFunctionHasNothingAndItIsKnown(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	w.aws.AddMapping(w.orders, queue)
	w.aws.DeleteFunction(w.orders)
	for _, change := range []drift.Change{{Operation: drift.DeleteSubject}, sweep} {
		s := w.state(t, change)
		if !s.Whole || len(s.URLs)+len(s.Mappings)+len(s.Roles)+len(s.Policies)+len(s.Gaps) != 0 || !s.CoversURL("live") || !s.CoversMapping("u") || !s.CoversRole("") {
			t.Errorf("%s: %+v", change.Operation, s)
		}
	}
	w.calls()
	s := w.state(t, drift.Change{Operation: drift.Configure})
	if len(s.Roles) != 0 || !s.CoversRole("") || len(s.Gaps) != 0 {
		t.Errorf("roles: %+v", s)
	}
}

// What was on the first page before the function was deleted is gone too.
func TestFunctionDeletedWhileItIsListedHasNothing(t *testing.T) {
	for _, test := range []struct {
		second string // call, before the second of which the function is deleted
		change drift.Change
	}{
		{"ListVersionsByFunction", sweep},
		{"ListVersionsByFunction", drift.Change{Operation: drift.Configure}},
		{"ListFunctionUrlConfigs", sweep},
	} {
		w := newWorld(t, localaws.Options{JSONPolicies: true})
		for i := range 60 {
			alias := fmt.Sprintf("alias-%02d", i)
			w.aws.AddAlias(w.orders, alias, w.aws.AddVersion(w.orders))
			w.aws.SetURL(w.orders, alias, "NONE")
		}
		w.aws.Configure(func(o *localaws.Options) {
			o.OnCall = func(c localaws.Call) {
				if c.Operation == test.second && w.aws.CountCalls(test.second) == 2 {
					w.aws.DeleteFunction(w.orders)
				}
			}
		})
		s := w.state(t, test.change)
		roles, urls := len(s.Roles), len(s.URLs)
		if test.second == "ListFunctionUrlConfigs" {
			roles = 0 // they were all listed before
		}
		if roles != 0 || urls != 0 || len(s.Gaps) != 0 || !s.CoversRole("1") {
			t.Errorf("%s, %s: %d roles, %d URLs, listed %v, gaps %v", test.second, test.change.Operation, len(s.Roles), urls, s.Listed, s.Gaps)
		}
	}
}

// What cannot be read of one aspect is a gap of it, and the rest is there.
func TestGapOfOneAspectKeepsTheOthers(t *testing.T) {
	failures := map[string]int{"TooManyRequestsException": 5, "AccessDeniedException": 2, "ServiceException": 3}
	for _, test := range []struct {
		fails  string
		change drift.Change
		gap    drift.Gap
		covers string // policy and URL of live, mapping, role: what is known all the same
	}{
		{"GetFunctionUrlConfig", drift.Change{Operation: drift.PutURL, Place: "live"}, drift.Gap{Place: "live", Aspect: drift.URLs}, "policy"},
		{"GetResourcePolicy", drift.Change{Operation: drift.PutURL, Place: "live"}, drift.Gap{Place: "live"}, "url"},
		{"GetEventSourceMapping", drift.Change{Operation: drift.PutMapping, Detail: map[string]string{"uuid": "u"}}, drift.Gap{Aspect: drift.Mappings}, ""},
		{"ListVersionsByFunction", drift.Change{Operation: drift.Configure}, drift.Gap{Aspect: drift.Roles}, ""},
		{"ListFunctionUrlConfigs", sweep, drift.Gap{Aspect: drift.URLs, All: true}, "policy mapping role"},
		{"ListEventSourceMappings", sweep, drift.Gap{Aspect: drift.Mappings}, "policy url role"},
	} {
		for code, attempts := range failures {
			t.Run(test.fails+" "+code, func(t *testing.T) {
				w := newWorld(t, localaws.Options{JSONPolicies: true})
				w.aws.AddAlias(w.orders, "live", w.aws.AddVersion(w.orders))
				w.aws.SetPolicy(w.orders, "live", classic)
				w.aws.SetURL(w.orders, "live", "NONE")
				id := w.aws.AddMapping(w.orders, queue)
				w.aws.Fail(test.fails, attempts-1, code)
				if s := w.state(t, test.change); len(s.Gaps) != 0 {
					t.Errorf("after %d failures: %+v", attempts-1, s.Gaps)
				}
				w.calls()
				w.at = w.at.Add(2 * time.Minute)
				w.aws.Fail(test.fails, attempts, code)
				s := w.state(t, test.change)
				if len(s.Gaps) != 1 || !strings.HasPrefix(s.Gaps[0].Reason, test.fails+" ") || !strings.Contains(s.Gaps[0].Reason, code) {
					t.Fatalf("gaps = %+v", s.Gaps)
				}
				if n := w.aws.CountCalls(test.fails); n != attempts {
					t.Errorf("%d calls, want %d", n, attempts)
				}
				if s.Gaps[0].Reason = ""; s.Gaps[0] != test.gap {
					t.Errorf("gap = %+v, want %+v", s.Gaps[0], test.gap)
				}
				if got := covers(s, "live", id); got != test.covers {
					t.Errorf("covers %q, want %q; state = %+v", got, test.covers, s)
				}
			})
		}
	}
}

// covers says which aspects a state tells of.
func covers(s drift.State, p drift.Place, mapping string) string {
	var known []string
	for _, a := range []struct {
		name  string
		known bool
	}{{"policy", s.Covers(p)}, {"url", s.CoversURL(p)}, {"mapping", s.CoversMapping(mapping)}, {"role", s.CoversRole("")}} {
		if a.known {
			known = append(known, a.name)
		}
	}
	return strings.Join(known, " ")
}

// A role that was on a page before the listing broke is told all the same.
func TestBrokenListingKeepsWhatItGot(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	for range 60 {
		w.aws.AddVersion(w.orders)
	}
	w.aws.Configure(func(o *localaws.Options) {
		o.OnCall = func(c localaws.Call) {
			if c.Operation == "ListVersionsByFunction" && len(w.aws.Calls()) == 2 {
				w.aws.Fail("ListVersionsByFunction", 5, "TooManyRequestsException")
			}
		}
	})
	s := w.state(t, drift.Change{Operation: drift.Configure})
	if len(s.Gaps) != 1 || s.Roles[""] == "" || s.CoversRole("") || len(s.Listed) != 0 {
		t.Errorf("state = %+v", s)
	}
}

func TestNoAnswerAboutAnAspectIsAnError(t *testing.T) {
	for operation, change := range map[string]drift.Change{
		"GetFunctionUrlConfig":    {Operation: drift.PutURL},
		"GetEventSourceMapping":   {Operation: drift.PutMapping, Detail: map[string]string{"uuid": "u"}},
		"ListVersionsByFunction":  {Operation: drift.Configure},
		"ListFunctionUrlConfigs":  sweep,
		"ListEventSourceMappings": sweep,
	} {
		w := newWorld(t, localaws.Options{JSONPolicies: true})
		w.aws.Fail(operation, 1, "ExpiredTokenException")
		change.Subject = drift.Subject(w.orders)
		_, err := w.reader.State(t.Context(), change)
		if err == nil || !strings.Contains(err.Error(), operation) || !strings.Contains(err.Error(), "ExpiredTokenException") {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

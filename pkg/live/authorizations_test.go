package live_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// bulk are the states of a bulk read, by subject, and its error.
func bulk(t *testing.T, api live.IAMAPI) (map[drift.Subject]drift.State, error) {
	t.Helper()
	reader, _ := newReader(api)
	all := map[drift.Subject]drift.State{}
	for s, err := range reader.Authorizations(t.Context()) {
		if err != nil {
			return all, err
		}
		if _, twice := all[s.Subject]; twice {
			t.Errorf("%s is told twice", s.Subject)
		}
		all[s.Subject] = s
	}
	return all, nil
}

func TestBulkTellsWhatSingleReadsTell(t *testing.T) {
	bare := &party{kind: drift.Role, path: "/aws-service-role/lex.amazonaws.com/", name: "bare", trust: strings.Replace(lambdaTrust, "2012", "2008", 1)}
	d := newDirectory(append([]*party{aRole(), bare}, aUser()...)...)
	d.policies[managedARN].versions["v2"] = version{grant("2012-10-17", "*", "*"), longAgo} // not the default one
	d.fail["GetAccountAuthorizationDetails"], d.times["GetAccountAuthorizationDetails"] = &smithy.GenericAPIError{Code: "Throttling"}, 4
	all, err := bulk(t, d)
	if err != nil || len(all) != 5 {
		t.Fatalf("%d states, %v", len(all), err)
	}
	if n := d.total(); n != 4+5+3 { // throttled; two groups and three policies; two roles and a user
		t.Errorf("%d calls: %v", n, d.calls)
	}
	for subject, got := range all {
		want := identity(t, d, subject)
		if want.Role != nil && subject.Kind() == drift.Group {
			want.Role.ARN = got.Role.ARN // with a path, which a single read does not tell
		}
		got.ReadAt = want.ReadAt
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s in bulk:\n%+v\nalone:\n%+v", subject, got, want)
		}
	}
	if len(all[ordersRole].Role.Policies) != 4 || len(all["arn:aws:iam::111122223333:user/ann"].Role.Groups) != 2 {
		t.Errorf("states = %+v", all)
	}
}

func TestBulkReadsWhatTheDetailsDoNotHave(t *testing.T) {
	parties := append([]*party{aRole()}, aUser()[0])
	d := newDirectory(parties...)
	lost := *d.policies[managedARN]
	lost.current = "v9" // which is not in the list of versions
	lost.versions = map[string]version{"v9": lost.versions["v1"]}
	d.policies[managedARN] = &managed{id: "ANPA1", made: longAgo, current: "v9"}
	staff := &party{kind: drift.Group, path: "/", name: "staff"}
	passes := 0
	d.during = func() { // by the second pass, the policy's version and the groups are there
		if passes++; passes == 4 {
			d.policies[managedARN] = &lost
			d.parties = append(d.parties, staff, &party{kind: drift.Group, path: "/", name: "admins"})
		}
	}
	all, err := bulk(t, d)
	if err != nil || len(all) != 2 || len(all[ordersRole].Gaps) != 0 || len(all["arn:aws:iam::111122223333:user/ann"].Gaps) != 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	if got := all[ordersRole].Role.Policies[2]; got.VersionID != "v9" || d.calls["GetPolicyVersion"] != 1 || d.calls["ListGroupPolicies"] != 2 {
		t.Errorf("policy %+v, calls %v", got, d.calls)
	}
}

func TestWhatOfTheDetailsCannotBeReadIsAGap(t *testing.T) {
	broken := aRole()
	broken.name, broken.trust, broken.inline["one"], broken.boundary = "broken", "{}", notEncoded, managedARN
	parties := append([]*party{broken, aRole()}, aUser()...)
	parties[2].attached, parties[4].inline["all"] = nil, "?" // of the user, and of his group staff
	d := newDirectory(parties...)
	d.put(managedARN, "ANPA1", longAgo, "[]")
	all, err := bulk(t, d)
	if err != nil || len(all) != 5 {
		t.Fatalf("%d states, %v", len(all), err)
	}
	for subject, want := range map[drift.Subject][]drift.Place{
		"arn:aws:iam::111122223333:role/broken":  {drift.Trust, drift.Boundary, drift.Identity},
		ordersRole:                               {drift.Identity}, // its attached policy
		"arn:aws:iam::111122223333:user/ann":     {drift.Identity},
		"arn:aws:iam::111122223333:group/staff":  {drift.Identity},
		"arn:aws:iam::111122223333:group/admins": nil,
	} {
		var places []drift.Place
		for _, g := range all[subject].Gaps {
			places = append(places, g.Place)
		}
		if !slices.Equal(places, want) || !all[subject].Whole {
			t.Errorf("%s: gaps %+v; want %v", subject, all[subject].Gaps, want)
		}
	}
}

func TestBulkEndsWithTheError(t *testing.T) {
	d := newDirectory(append([]*party{aRole()}, aUser()...)...)
	d.fail["GetAccountAuthorizationDetails"] = denied
	if all, err := bulk(t, d); !errors.Is(err, drift.ErrDenied) || len(all) != 0 {
		t.Errorf("denied: %v, %v", all, err)
	}
	d = newDirectory(append([]*party{aRole()}, aUser()...)...)
	d.failFrom("GetAccountAuthorizationDetails", 7) // the second page of the second pass
	if all, err := bulk(t, d); !errors.Is(err, drift.ErrDenied) || len(all) != 3 {
		t.Errorf("denied later: %d states, %v", len(all), err)
	}
	d = newDirectory(aRole())
	d.parties[0].account = "444455556666"
	if _, err := bulk(t, d); !errors.Is(err, live.ErrForeign) {
		t.Errorf("another account: %v", err)
	}
	d = newDirectory(aRole())
	d.policies[managedARN].current = "v9"
	d.fail["GetPolicy"] = errors.New("connection reset")
	if _, err := bulk(t, d); err == nil || !strings.Contains(err.Error(), string(ordersRole)) {
		t.Errorf("no answer: %v", err)
	}
	for _, err := range live.New(nil).Authorizations(t.Context()) {
		if err == nil || !strings.Contains(err.Error(), "WithIAM") {
			t.Errorf("without a client: %v", err)
		}
	}
}

func TestBulkStopsWhenTheCallerDoes(t *testing.T) {
	for n := range 5 {
		d := newDirectory(append([]*party{aRole()}, aUser()...)...)
		reader, _ := newReader(d)
		told := 0
		for range reader.Authorizations(t.Context()) {
			if told++; told > n {
				break
			}
		}
		if want := min(n+1, 4); told != want || d.total() > 5+max(0, n-1) {
			t.Errorf("%d told, calls %v", told, d.calls)
		}
	}
}

package live_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

const (
	oidcARN = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
	samlARN = "arn:aws:iam::111122223333:saml-provider/Corporate"
)

// resolve are those whom a change of a subject concerns, sorted, by kind and name.
func resolve(t *testing.T, api live.IAMAPI, change drift.Change) string {
	t.Helper()
	reader, _ := newReader(api)
	got, err := reader.Resolve(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range got {
		names = append(names, strings.TrimPrefix(string(s), "arn:aws:iam::111122223333:"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestManagedPolicyConcernsWhoHasIt(t *testing.T) {
	d := newDirectory(
		aRole(),
		&party{kind: drift.Role, path: "/", name: "bounded", boundary: managedARN},
		&party{kind: drift.Role, path: "/", name: "both", boundary: managedARN, attached: []string{managedARN}},
		&party{kind: drift.Role, path: "/", name: "neither"},
		&party{kind: drift.User, path: "/people/", name: "ann", attached: []string{managedARN, awsARN}},
		&party{kind: drift.Group, path: "/", name: "staff", attached: []string{managedARN}},
	)
	d.fail["ListEntitiesForPolicy"], d.times["ListEntitiesForPolicy"] = &smithy.GenericAPIError{Code: "Throttling"}, 3
	if got := resolve(t, d, drift.Change{Subject: managedARN, Operation: drift.PutManagedPolicy}); got != "group/staff role/both role/bounded role/orders user/ann" {
		t.Errorf("the account's own: %s", got)
	}
	if n := d.total(); n != 3+4+2 { // throttled, a page each of four who have it and of two whom it bounds
		t.Errorf("%d calls: %v", n, d.calls)
	}
	if got := resolve(t, d, drift.Change{Subject: awsARN, Operation: drift.PutManagedPolicy}); got != "role/orders user/ann" {
		t.Errorf("one of AWS: %s", got)
	}
	if got := resolve(t, d, drift.Change{Subject: "arn:aws:iam::111122223333:policy/gone", Operation: drift.PutManagedPolicy}); got != "" {
		t.Errorf("one that is gone: %s", got)
	}
}

// trusting is a trust policy of one principal.
func trusting(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"},` +
		`{"Effect":"Allow",` + principal + `,"Action":"sts:*"}]}`
}

func TestProviderConcernsWhoseTrustNamesIt(t *testing.T) {
	role := func(name, trust string) *party {
		return &party{kind: drift.Role, path: "/ci/", name: name, trust: trust}
	}
	d := newDirectory(
		role("lambda", lambdaTrust),
		role("github", trusting(`"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/Token.actions.githubusercontent.com"}`)),
		role("saml", trusting(`"Principal":{"Federated":["`+samlARN+`","`+oidcARN+`2"]}`)),
		role("anywhere", trusting(`"Principal":{"Service":["rolesanywhere.amazonaws.com"]}`)),
		role("anyone", trusting(`"Principal":"*"`)),
		role("any", trusting(`"Principal":{"AWS":"*"}`)),
		role("not", trusting(`"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}`)),
		role("cognito", trusting(`"Principal":{"Federated":"cognito-identity.amazonaws.com"}`)),
		role("odd", "?"),
		&party{kind: drift.User, path: "/", name: "ann"},
	)
	const always = "role/any role/anyone role/not role/odd" // any provider may be among those
	for subject, want := range map[drift.Subject]string{
		oidcARN: "role/github", samlARN: "role/saml",
		"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/a1b2": "role/anywhere",
		"arn:aws:rolesanywhere:us-east-1:111122223333:profile/c3d4":      "role/anywhere",
		"arn:aws:iam::111122223333:root":                                 "role/anywhere",
		"arn:aws:iam::111122223333:saml-provider/Unused":                 "",
	} {
		all := append(strings.Fields(always), strings.Fields(want)...)
		slices.Sort(all)
		if got := resolve(t, d, drift.Change{Subject: subject, Operation: drift.PutProvider}); got != strings.Join(all, " ") {
			t.Errorf("%s: %s; want %s", subject, got, all)
		}
	}
	if d.calls["ListRoles"] != 6*9 || d.total() != 6*9 {
		t.Errorf("calls = %v", d.calls)
	}
}

func TestOtherChangesConcernNobodyElse(t *testing.T) {
	d := newDirectory(aRole())
	for _, subject := range []drift.Subject{ordersRole, "arn:aws:iam::111122223333:root", "arn:aws:lambda:eu-west-1:111122223333:function:orders", "nonsense"} {
		if got := resolve(t, d, drift.Change{Subject: subject, Operation: drift.Sweep}); got != "" || d.total() != 0 {
			t.Errorf("%s: %s, calls %v", subject, got, d.calls)
		}
	}
}

func TestWhatCannotBeResolvedIsAnError(t *testing.T) {
	d := newDirectory(aRole())
	reader, _ := newReader(d)
	d.fail["ListEntitiesForPolicy"], d.fail["ListRoles"] = denied, denied
	for _, subject := range []drift.Subject{managedARN, awsARN, oidcARN} {
		if got, err := reader.Resolve(t.Context(), drift.Change{Subject: subject}); got != nil || !errors.Is(err, drift.ErrDenied) || !strings.Contains(err.Error(), string(subject)) {
			t.Errorf("%s: %v, %v", subject, got, err)
		}
	}
	for _, subject := range []drift.Subject{"arn:aws:iam::444455556666:policy/reads", "arn:aws:iam::444455556666:saml-provider/Corporate"} {
		if _, err := reader.Resolve(t.Context(), drift.Change{Subject: subject}); !errors.Is(err, live.ErrForeign) {
			t.Errorf("%s: %v", subject, err)
		}
	}
	for _, subject := range []drift.Subject{managedARN, oidcARN} {
		if _, err := live.New(nil).Resolve(t.Context(), drift.Change{Subject: subject}); !errors.Is(err, drift.ErrUnresolved) {
			t.Errorf("without a client, %s: %v", subject, err)
		}
	}
}

// A policy of AWS is in every account: without a home the event says in which.
func TestPolicyOfAWSIsResolvedInTheAccountOfTheEvent(t *testing.T) {
	c := newClock()
	reader := live.New(nil, live.WithIAM(newDirectory(aRole())), live.Clock(c.now, c.sleep))
	got, err := reader.Resolve(t.Context(), drift.Change{Subject: awsARN, Event: drift.Event{Account: account}})
	if err != nil || !slices.Equal(got, []drift.Subject{ordersRole}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := reader.Resolve(t.Context(), drift.Change{Subject: awsARN}); !errors.Is(err, drift.ErrUnresolved) {
		t.Errorf("no account: %v", err)
	}
}

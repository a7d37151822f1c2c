package live_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// withFunctions completes the state of a role with the functions that run as it.
func (w *world) withFunctions(t *testing.T, s drift.State) []drift.Subject {
	t.Helper()
	got, err := w.reader.Complete(t.Context(), s, drift.Want{Functions: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.Functions != nil {
		t.Fatal("the given state was changed")
	}
	return got.Functions
}

func TestCompleteTellsTheFunctionsOfARole(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithIAM(newDirectory(aRole())))
	for i := range 120 {
		w.aws.AddFunction(account, region, fmt.Sprintf("f-%03d", i))
	}
	w.aws.SetRole(w.orders, roleARN)
	w.aws.SetRole("arn:aws:lambda:eu-west-1:111122223333:function:f-119", "arn:aws:iam::111122223333:role/another/path/orders")
	w.aws.SetRole("arn:aws:lambda:eu-west-1:111122223333:function:f-118", "arn:aws:iam::444455556666:role/orders")
	role := drift.State{Subject: ordersRole, Whole: true, Role: &drift.RoleState{ARN: roleARN}}
	want := []drift.Subject{"arn:aws:lambda:eu-west-1:111122223333:function:f-119", drift.Subject(w.orders)}
	if got := w.withFunctions(t, role); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("functions = %v", got)
	}
	nobody := drift.State{Subject: "arn:aws:iam::111122223333:role/nobody", Role: &drift.RoleState{}}
	if got := w.withFunctions(t, nobody); got == nil || len(got) != 0 {
		t.Errorf("functions of nobody = %#v", got)
	}
	if n := w.aws.CountCalls("ListFunctions"); n != 3 {
		t.Errorf("%d calls for two roles", n)
	}
	w.at = w.at.Add(time.Minute)
	w.aws.SetRole(w.orders, "arn:aws:iam::111122223333:role/nobody")
	if got := w.withFunctions(t, nobody); !slices.Equal(got, []drift.Subject{drift.Subject(w.orders)}) || w.aws.CountCalls("ListFunctions") != 6 {
		t.Errorf("a minute later: %v, %d calls", got, w.aws.CountCalls("ListFunctions"))
	}
}

func TestFunctionsOfARoleThatCannotBeListedAreUnknown(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithIAM(newDirectory(aRole())))
	role := drift.State{Subject: ordersRole, Role: &drift.RoleState{ARN: roleARN}}
	w.aws.Fail("ListFunctions", 2, "AccessDeniedException")
	if got := w.withFunctions(t, role); got != nil {
		t.Errorf("denied: %v", got)
	}
	if got := w.withFunctions(t, role); got == nil {
		t.Error("the failed listing was kept")
	}
	reader, _ := newReader(newDirectory())
	if s, err := reader.Complete(t.Context(), role, drift.Want{Functions: true}); err != nil || s.Functions != nil {
		t.Errorf("without a client: %+v, %v", s.Role, err)
	}
	w.aws.ForgetCalls()
	w.at = w.at.Add(time.Hour)
	for _, s := range []drift.State{
		{Subject: ordersRole, Whole: true, Functions: []drift.Subject{}}, // deleted, and asked before
		{Subject: ordersRole, Role: &drift.RoleState{}, Functions: []drift.Subject{}},
		{Subject: "arn:aws:iam::111122223333:user/ann", Role: &drift.RoleState{}},
	} {
		if _, err := w.reader.Complete(t.Context(), s, drift.Want{Functions: true, Tags: true, URLs: []drift.Place{""}}); err != nil {
			t.Errorf("%s: %v", s.Subject, err)
		}
	}
	if got := w.calls(); len(got) != 0 {
		t.Errorf("calls = %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.reader.Complete(ctx, role, drift.Want{Functions: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if _, err := w.reader.Complete(t.Context(), drift.State{Subject: "arn:aws:iam::444455556666:role/orders"}, drift.Want{}); !errors.Is(err, live.ErrForeign) {
		t.Errorf("foreign: %v", err)
	}
}

// The quota of ListFunctions is everybody's: even for an event the listing
// keeps to the rate.
func TestFunctionsOfARoleAreListedAtTheRate(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithIAM(newDirectory(aRole())), live.Rate(1, 1))
	for i := range 60 {
		w.aws.AddFunction(account, region, fmt.Sprintf("f-%03d", i))
	}
	w.withFunctions(t, drift.State{Subject: ordersRole, Role: &drift.RoleState{}})
	if !slices.Equal(w.slept, []time.Duration{time.Second}) {
		t.Errorf("waited %v", w.slept)
	}
}

func TestSubjectsListsRolesWhereWanted(t *testing.T) {
	d := newDirectory(
		aRole(), &party{kind: drift.Role, path: "/aws-service-role/lex.amazonaws.com/", name: "AWSServiceRoleForLex"},
		&party{kind: drift.User, path: "/", name: "ann"}, &party{kind: drift.Role, path: "/", name: "last"},
	)
	d.fail["ListRoles"], d.times["ListRoles"] = &smithy.GenericAPIError{Code: "Throttling"}, 2
	list := func(options ...live.Option) (all []drift.Subject, last error) {
		w := newWorld(t, localaws.Options{}, options...)
		w.aws.AddLayer(account, region, "libs")
		for s, err := range w.reader.Subjects(t.Context()) {
			if last = err; err == nil {
				all = append(all, s)
			}
		}
		return all, last
	}
	got, err := list(live.WithIAM(d), live.WithRoles(live.AllRoles))
	want := []drift.Subject{"arn:aws:lambda:eu-west-1:111122223333:function:orders", "arn:aws:lambda:eu-west-1:111122223333:layer:libs:1", ordersRole, "arn:aws:iam::111122223333:role/last"}
	if err != nil || !slices.Equal(got, want) || d.calls["ListRoles"] != 5 {
		t.Errorf("subjects = %v, %v, calls %v", got, err, d.calls)
	}
	if got, err = list(live.WithIAM(d)); err != nil || len(got) != 2 {
		t.Errorf("without WithRoles: %v, %v", got, err)
	}
	if got, err = list(live.WithRoles(live.AllRoles)); err == nil || !strings.Contains(err.Error(), "WithIAM") || len(got) != 2 {
		t.Errorf("without a client: %v, %v", got, err)
	}
	d.fail["ListRoles"], d.times["ListRoles"] = denied, 0
	if got, err = list(live.WithIAM(d), live.WithRoles(live.AllRoles)); !errors.Is(err, drift.ErrDenied) || len(got) != 2 {
		t.Errorf("denied: %v, %v", got, err)
	}
	delete(d.fail, "ListRoles")
	d.parties[3].account = "444455556666"
	if got, err = list(live.WithIAM(d), live.WithRoles(live.AllRoles)); !errors.Is(err, live.ErrForeign) || len(got) != 3 {
		t.Errorf("of another account: %v, %v", got, err)
	}
}

// The roles that functions run as are listed with the functions, each once.
func TestSubjectsListsExecutionRoles(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithRoles(live.ExecutionRoles))
	w.aws.AddFunction(account, region, "orders")
	w.aws.AddFunction(account, region, "payments")
	var roles []drift.Subject
	for s, err := range w.reader.Subjects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Kind() == drift.Role {
			roles = append(roles, s)
		}
	}
	if len(roles) == 0 || len(slices.Compact(slices.Clone(roles))) != len(roles) {
		t.Errorf("got %v", roles)
	}
}

// A published version keeps the role that it had, when the function gets another.
func TestSubjectsListsTheRolesOfVersions(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithRoles(live.ExecutionRoles))
	w.aws.SetRole(w.orders, "arn:aws:iam::111122223333:role/old")
	w.aws.AddVersion(w.orders)
	w.aws.SetRole(w.orders, "arn:aws:iam::111122223333:role/new")
	var roles []drift.Subject
	for s, err := range w.reader.Subjects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Kind() == drift.Role {
			roles = append(roles, s)
		}
	}
	if want := []drift.Subject{"arn:aws:iam::111122223333:role/new", "arn:aws:iam::111122223333:role/old"}; !slices.Equal(roles, want) {
		t.Errorf("got %v, want %v", roles, want)
	}
}

// A role that functions run as is read also when it is deleted: that is an outage.
func TestSubjectsListsDeletedExecutionRoles(t *testing.T) {
	w := newWorld(t, localaws.Options{}, live.WithIAM(newDirectory(&party{kind: drift.Role, path: "/", name: "other"})), live.WithRoles(live.AllRoles))
	w.aws.SetRole(w.orders, string(ordersRole))
	var roles []drift.Subject
	for s, err := range w.reader.Subjects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Kind() == drift.Role {
			roles = append(roles, s)
		}
	}
	if want := []drift.Subject{"arn:aws:iam::111122223333:role/other", ordersRole}; !slices.Equal(roles, want) {
		t.Errorf("got %v, want %v", roles, want)
	}
}

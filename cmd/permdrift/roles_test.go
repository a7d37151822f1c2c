package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/drift"
)

// captureRoles captures all roles of the account, and returns what was printed.
func (o *office) captureRoles(risky bool) string {
	o.t.Helper()
	p := o.program()
	c := &capture{p: p, store: o.store, account: o.account(), outcome: p.outcome("low"), everyRole: true, risky: risky, approver: approver{by: "alice"}}
	if err := c.run(context.Background(), nil); err != nil {
		o.t.Fatalf("%v: %s", err, &o.out)
	}
	return o.out.String()
}

// scanRoles scans all roles, or those with a baseline, and returns the last line.
func (o *office) scanRoles(all bool) string {
	o.t.Helper()
	p := o.program()
	context, err := (&viewer{unknown: "strict", failOn: "low"}).context(p)
	if err != nil {
		o.t.Fatal(err)
	}
	out, auditor, account := p.outcome("low"), p.auditor(o.store, context), o.account()
	auditor.Live = account.Live
	roles, err := out.scanRoles(o.t.Context(), auditor, account, o.store, all)
	if err != nil {
		o.t.Fatal(err)
	}
	_ = out.end(subjectCount(roles)) // the exit code is in the words
	text := strings.TrimSuffix(o.out.String(), "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// finding is the one open finding.
func (o *office) finding() drift.Finding {
	o.t.Helper()
	var open []drift.Finding
	for f, err := range o.store.Ledger.List(o.t.Context()) {
		if err != nil {
			o.t.Fatal(err)
		}
		if f.Status == drift.Open {
			open = append(open, f)
		}
	}
	if len(open) != 1 {
		o.t.Fatalf("%d findings are open: %+v", len(open), open)
	}
	return open[0]
}

func (o *office) baseline(subject string) drift.Baseline {
	o.t.Helper()
	b, err := o.store.Baseline.Get(o.t.Context(), drift.Subject(subject))
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

func TestCaptureOfAllTakesTheRolesThatFunctionsRunAs(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	gone := o.aws.AddFunction(demoAccount, demoRegion, "gone")
	o.aws.SetRole(orders, rolesARN+"team/orders")
	o.aws.SetRole(gone, rolesARN+"gone")
	o.iam.add("orders").path = "/team/"
	o.iam.add("unused")
	got := o.capture("alice", false)
	for _, want := range []string{
		"2 functions and 1 role captured in memory: 2 execution roles, 2 statements approved, 0 left out as risky\n",
		rolesARN + "gone does not exist, and functions have it as their execution role\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	b := o.baseline(rolesARN + "orders")
	if len(b.Places) != 3 || len(b.Places[drift.Trust].Approvals) != 1 || len(b.Places[drift.Identity].Approvals) != 1 || len(b.Places[drift.Boundary].Approvals) != 0 {
		t.Errorf("the baseline is %+v", b.Places)
	}
	if got := o.scanRoles(false); got != "1 role: no findings" {
		t.Errorf("the scan says %s\n%s", got, &o.out)
	}
	if got := o.capture("alice", false, "gone"); !strings.Contains(got, "1 function captured in memory: 1 execution role, 0 statements approved") {
		t.Errorf("the capture of a function by name says %s", got)
	}
}

func TestCaptureOfRolesLeavesOutWhatIsRisky(t *testing.T) {
	o := newOffice(t)
	o.iam.policies[adminARN], o.iam.policies[limitARN] = document(everything), document(limit)
	wide := o.iam.add("wide")
	wide.trust, wide.attached = document(byLambda, byStranger), []string{adminARN}
	bound := o.iam.add("bound")
	bound.attached, bound.boundary = []string{adminARN}, limitARN
	climbs := o.iam.add("climbs")
	climbs.inline["pass"] = document(`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`)
	climbs.inline["run"] = document(`{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}`)
	o.iam.add("AWSServiceRoleForSomething").path = "/aws-service-role/some.amazonaws.com/"

	got := o.captureRoles(false)
	for _, want := range []string{
		"risky: " + rolesARN + "wide at identity: critical, administrator, in " + adminARN + `: {"Effect":"Allow","Action":"*","Resource":"*"}` + "\n",
		"risky: " + rolesARN + "wide at trust: critical, external: {",
		"risky: " + rolesARN + "climbs at identity: critical, pass-any-role, pass-role-create-function, in inline policy pass: {",
		"3 roles captured in memory: 1 permissions boundary, ",
		", 4 left out as risky\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "/bound at") {
		t.Errorf("what the boundary keeps away is risky:\n%s", got)
	}
	if o.iam.singly.Load() != 0 {
		t.Errorf("%d roles were read one by one", o.iam.singly.Load())
	}
	boundary := o.baseline(rolesARN + "bound").Places[drift.Boundary].Approvals
	if len(boundary) != 2 || boundary[1].Config == nil || boundary[1].Config.Boundary != limitARN {
		t.Errorf("of the boundary is approved %+v", boundary)
	}
	if got := o.scanRoles(true); !strings.HasPrefix(got, "3 roles: 4 findings (") {
		t.Errorf("the scan says %s\n%s", got, &o.out)
	}
	if got := o.captureRoles(true); !strings.Contains(got, ", 0 left out as risky\n") {
		t.Errorf("the capture of risks says\n%s", got)
	}
	if got := o.scanRoles(true); got != "3 roles: no findings" {
		t.Errorf("the scan after it says %s\n%s", got, &o.out)
	}
}

func TestACaptureThatRunsOutKeepsTheBoundary(t *testing.T) {
	o := newOffice(t)
	o.iam.policies[limitARN] = document(limit)
	o.iam.add("orders").boundary = limitARN
	p := o.program()
	c := &capture{p: p, store: o.store, account: o.account(), outcome: p.outcome("low"), approver: approver{by: "alice", expires: "2026-11-24"}}
	if err := c.run(t.Context(), []string{rolesARN + "some/path/orders"}); err != nil {
		t.Fatal(err)
	}
	b := o.baseline(rolesARN + "orders")
	for place, expires := range map[drift.Place]bool{drift.Trust: true, drift.Identity: true, drift.Boundary: false} {
		for _, a := range b.Places[place].Approvals {
			if a.Expires.IsZero() == expires {
				t.Errorf("%s at %s expires at %s", approves(a), place, a.Expires)
			}
		}
	}
}

func TestARoleThatCannotBeReadIsNotCaptured(t *testing.T) {
	o := newOffice(t)
	o.iam.add("orders").attached = []string{"arn:aws:iam::111122223333:policy/nobody-knows"}
	p := o.program()
	c := &capture{p: p, store: o.store, account: o.account(), outcome: p.outcome("low"), approver: approver{by: "alice"}}
	for name, code := range map[string]int{rolesARN + "orders": exitUnknown, rolesARN + "nobody": exitFailed} {
		c.outcome = p.outcome("low")
		exit, ok := errors.AsType[*exitError](c.run(t.Context(), []string{name}))
		if !ok || exit.code != code {
			t.Errorf("%s: %v", name, exit)
		}
	}
	if o.baseline(rolesARN + "orders").Known() {
		t.Error("it has a baseline")
	}
	for _, name := range []string{"arn:aws:iam::111122223333:user/ana", "arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:policy/x"} {
		if exit, ok := errors.AsType[*exitError](c.run(t.Context(), []string{name})); !ok || exit.code != exitUsage {
			t.Errorf("%s can be captured", name)
		}
	}
}

func TestABulkReadThatIsRefusedIsAFailure(t *testing.T) {
	o := newOffice(t)
	o.iam.add("orders")
	o.captureRoles(false)
	o.iam.refused = &types.UnmodifiableEntityException{}
	if got := o.scanRoles(true); got != "1 role: no findings, 1 failed" { // the one that has a baseline
		t.Errorf("the scan says %s", got)
	}
	p := o.program()
	c := &capture{p: p, store: o.store, account: o.account(), outcome: p.outcome("low"), everyRole: true, approver: approver{by: "alice"}}
	if exit, ok := errors.AsType[*exitError](c.run(t.Context(), nil)); !ok || exit.code != exitFailed {
		t.Errorf("the capture ends with %v", exit)
	}
}

// TestDriftOfARoleIsApproved changes a role, scans, approves the one finding,
// and scans again.
func TestDriftOfARoleIsApproved(t *testing.T) {
	o := newOffice(t)
	o.iam.policies[adminARN], o.iam.policies[limitARN] = document(everything), document(limit)
	orders := o.iam.add("orders")
	orders.boundary = limitARN
	o.captureRoles(false)
	for _, c := range []struct {
		name    string
		change  func()
		kind    drift.FindingKind
		printed string
	}{
		{"trust is widened", func() { orders.trust = document(byLambda, byStranger) }, drift.TrustWidened, rolesARN + "orders at trust is approved: {"},
		{"trust is narrowed", func() { orders.trust = document(byStranger) }, drift.TrustNarrowed, "at trust is not part of the baseline any more: {"},
		{"rights are widened", func() {
			orders.inline["data"] = document(`{"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":"*"}`)
		}, drift.PermissionsWidened, "at identity is approved: {"},
		{"a Deny is added", func() {
			orders.inline["deny"] = document(`{"Effect":"Deny","Action":"logs:CreateLogGroup","Resource":"arn:aws:logs:us-east-1:111122223333:log-group:orders"}`)
		}, drift.PermissionsNarrowed, "at identity is approved: {"},
		{"rights are narrowed", func() { delete(orders.inline, "logs") }, drift.PermissionsNarrowed, "at identity is not part of the baseline any more: {"},
		{"the boundary is gone", func() { orders.boundary = "" }, drift.BoundaryRemoved, "at boundary: that it has none is approved; it was " + limitARN},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.change()
			if got := o.scanRoles(false); !strings.HasPrefix(got, "1 role: 1 finding (") {
				t.Fatalf("the scan says %s\n%s", got, &o.out)
			}
			f := o.finding()
			if f.Kind != c.kind || f.Approve == "" {
				t.Errorf("found %s, approve %q", f.Kind, f.Approve)
			}
			if err := o.program().approve(t.Context(), o.store, f, approver{by: "alice", reason: "meant"}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(o.out.String(), c.printed) {
				t.Errorf("printed %s", &o.out)
			}
			if got := o.scanRoles(false); got != "1 role: no findings" {
				t.Errorf("the scan after the approval says %s\n%s", got, &o.out)
			}
		})
	}
	delete(o.iam.roles, "orders")
	if got := o.scanRoles(true); !strings.HasPrefix(got, "1 role: 3 findings (") { // who could assume it, what it could do, and its Deny
		t.Errorf("the scan without the role says %s\n%s", got, &o.out)
	}
}

func TestAnotherBoundaryIsOnlyCaptured(t *testing.T) {
	o := newOffice(t)
	o.iam.policies[limitARN] = document(limit)
	orders := o.iam.add("orders")
	orders.boundary, orders.inline["all"] = limitARN, document(everything)
	o.captureRoles(false)
	for name, statement := range map[string]string{
		"wider":    `{"Effect":"Allow","Action":["logs:*","xray:*","ec2:*"],"Resource":"*"}`,
		"narrower": `{"Effect":"Allow","Action":"logs:*","Resource":"*"}`,
	} {
		t.Run(name, func(t *testing.T) {
			o.iam.policies[limitARN] = document(statement)
			if got := o.scanRoles(false); !strings.HasPrefix(got, "1 role: 1 finding (") {
				t.Fatalf("the scan says %s\n%s", got, &o.out)
			}
			f := o.finding()
			err := o.program().approve(t.Context(), o.store, f, approver{by: "alice"})
			if err == nil || !strings.Contains(err.Error(), "'permdrift baseline capture "+rolesARN+"orders'") || f.Approve != "" {
				t.Errorf("approving says %v; the finding %q", err, f.Approve)
			}
			o.capture("alice", false, rolesARN+"orders")
			if got := o.scanRoles(false); got != "1 role: no findings" {
				t.Errorf("the scan after the capture says %s\n%s", got, &o.out)
			}
		})
	}
}

func TestApprovalsOfARoleAreShownAndRevoked(t *testing.T) {
	o := newOffice(t)
	o.iam.policies[limitARN] = document(limit)
	o.iam.add("orders").boundary = limitARN
	o.iam.add("free")
	o.captureRoles(false)
	p := o.program()
	p.showBaseline(o.baseline(rolesARN + "orders"))
	p.showBaseline(o.baseline(rolesARN + "free"))
	shown := o.out.String()
	for _, want := range []string{
		rolesARN + "orders at boundary (version 1, 2 approvals)\n  1. {", "  2. permissions boundary " + limitARN + "\n",
		rolesARN + "orders at identity (version 1, 1 approval)\n  3. {", rolesARN + "orders at trust (version 1, 1 approval)\n  4. {",
		rolesARN + "free at boundary (version 1, 0 approvals)\n  no permissions boundary\n",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	r := revocation{p: o.program(), store: o.store, by: "bob"}
	if err := r.numbers(t.Context(), rolesARN+"team/orders", []string{"4"}); err != nil {
		t.Fatal(err)
	}
	if got := o.scanRoles(false); got != "2 roles: 1 finding (1 low)" {
		t.Errorf("the scan says %s", got)
	}
	for _, number := range []string{"1", "2"} {
		if exit, ok := errors.AsType[*exitError](r.numbers(t.Context(), rolesARN+"orders", []string{number})); !ok || exit.code != exitUsage {
			t.Errorf("approval %s of the boundary can be revoked", number)
		}
	}
}

// TestAManagedPolicyConcernsSeveralRoles audits the event of one call, which
// widens two roles, and is not read of a third.
func TestAManagedPolicyConcernsSeveralRoles(t *testing.T) {
	const shared = "arn:aws:iam::111122223333:policy/shared/functions-base"
	o := newOffice(t)
	o.iam.policies[shared] = document(logging)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	o.aws.SetRole(orders, rolesARN+"orders")
	for _, name := range []string{"orders", "refunds", "unread", "other"} {
		o.iam.add(name).attached = []string{shared}
	}
	o.iam.roles["other"].attached = nil
	o.captureRoles(false)
	o.iam.policies[shared] = document(logging, `{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}`)
	o.iam.roles["unread"].attached = append(o.iam.roles["unread"].attached, "arn:aws:iam::111122223333:policy/nobody-knows")

	p := o.program()
	c, err := (&viewer{unknown: "strict", failOn: "low"}).context(p)
	if err != nil {
		t.Fatal(err)
	}
	auditor := p.auditor(o.store, c)
	auditor.Live = o.account().Live
	exit, ok := errors.AsType[*exitError](p.audit(t.Context(), auditor, []string{"../../events/role-policy-version-default.json"}, "low"))
	if !ok || exit.code != exitDrift {
		t.Errorf("the audit ends with %v", exit)
	}
	golden(t, "audit-live-managed-policy", o.out.String())

	// What was found of the others is printed, though one role cannot be read at all.
	o.iam.elsewhere = "refunds"
	p = o.program()
	if exit, ok := errors.AsType[*exitError](p.audit(t.Context(), auditor, []string{"../../events/role-policy-version-default.json"}, "low")); !ok || exit.code != exitFailed {
		t.Errorf("the audit ends with %v", exit)
	}
	if got := o.out.String(); strings.Count(got, "role orders can now invoke every function") != 1 || !strings.Contains(got, "1 failed") {
		t.Errorf("the audit says\n%s", got)
	}
}

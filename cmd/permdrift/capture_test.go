package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// office is an account with functions in a stand-in for AWS, and a store.
type office struct {
	t      *testing.T
	aws    *localaws.Server
	client *lambda.Client
	iam    *directory
	store  *setup.Store
	out    bytes.Buffer
	now    time.Time
}

func newOffice(t *testing.T) *office {
	server := localaws.New(localaws.Options{JSONPolicies: true, PutChangesRevision: true, MappingsOfQualifiers: true, Callers: map[string]localaws.Caller{
		ownerKey: {Account: demoAccount, ARN: "arn:aws:iam::111122223333:user/alice"},
	}})
	o := &office{t: t, aws: server, iam: newDirectory(), now: time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)}
	o.client = lambda.New(lambda.Options{
		Region: demoRegion, HTTPClient: server, BaseEndpoint: aws.String("http://localhost"),
		Credentials: credentials.NewStaticCredentialsProvider(ownerKey, "secret", ""),
	})
	store, err := setup.OpenStore(t.Context(), "none", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	o.store = store
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o *office) program() *program {
	o.out.Reset()
	return &program{out: &o.out, err: &o.out, format: "text", now: func() time.Time { return o.now }}
}

func (o *office) account() *setup.Account {
	return &setup.Account{
		ID: demoAccount, Region: demoRegion, Caller: "arn:aws:iam::111122223333:user/alice", Lambda: o.client,
		Live: live.New(o.client, live.ListWith(o.client), live.WithIAM(o.iam), live.Home(demoAccount, demoRegion), live.Rate(0, 0)),
	}
}

// capture captures everything, and returns what was printed.
func (o *office) capture(by string, risky bool, names ...string) string {
	o.t.Helper()
	p := o.program()
	c := &capture{p: p, store: o.store, account: o.account(), outcome: p.outcome("low"), all: len(names) == 0, risky: risky, approver: approver{by: by, reason: "capture"}}
	if err := c.run(context.Background(), names); err != nil {
		o.t.Fatalf("%v: %s", err, &o.out)
	}
	return o.out.String()
}

// scan scans everything, and returns the last line.
func (o *office) scan() string {
	o.t.Helper()
	p := o.program()
	out, auditor, account := p.outcome("low"), p.auditor(o.store, drift.Context{Unknown: drift.Strict}), o.account()
	auditor.Live = account.Live
	subjects, err := out.scan(context.Background(), auditor, account)
	if err != nil {
		o.t.Fatal(err)
	}
	out.p.out = &o.out
	_ = out.end(subjectCount(subjects)) // the exit code is in the words
	text := strings.TrimSuffix(o.out.String(), "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// Statements that are captured, and that are not.
func allow(arn, principal, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"s","Effect":"Allow","Principal":` + principal + `,"Action":"lambda:InvokeFunction","Resource":"` + arn + `"` + condition + `}]}`
}

func TestCaptureTakesTheWholeStateLessWhatIsRisky(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	o.aws.SetRole(orders, "arn:aws:iam::111122223333:role/orders")
	version := o.aws.AddVersion(orders)
	o.aws.AddAlias(orders, "live", version)
	o.aws.AddAlias(orders, "next", version)
	o.aws.SetRole(orders, "arn:aws:iam::111122223333:role/administrator") // the version keeps the other
	o.aws.SetPolicy(orders, "live", allow(orders+":live", `"*"`, ""))
	o.aws.SetPolicy(orders, "next", allow(orders+":next", `{"AWS":"arn:aws:iam::111122223333:root"}`, ""))
	o.aws.SetURL(orders, "next", "AWS_IAM")
	o.aws.AddMapping(orders, "arn:aws:sqs:us-east-1:111122223333:jobs")
	o.aws.AddMapping(orders+":live", "arn:aws:sqs:us-east-1:444455556666:jobs")
	o.aws.AddLayer(demoAccount, demoRegion, "shared-code")

	got := o.capture("alice", false)
	for _, want := range []string{
		"risky: " + orders + " at live: critical, public: {",
		"risky: " + orders + " at live: high, external: event source arn:aws:sqs:us-east-1:444455556666:jobs\n",
		"1 function and 1 layer version captured in memory: 2 execution roles, 1 function URL, 1 event source, 1 statement approved, 2 left out as risky\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := o.scan(); got != "1 function and 1 layer version: 2 findings (1 critical, 1 high)" {
		t.Errorf("the scan after the capture says %s", got)
	}
	o.aws.SetURL(orders, "next", "NONE")
	o.aws.SetRole(orders, "arn:aws:iam::111122223333:role/else")
	if got := o.scan(); !strings.HasPrefix(got, "1 function and 1 layer version: 4 findings") {
		t.Errorf("the scan after two changes says %s:\n%s", got, &o.out)
	}
	if got := o.capture("alice", true); !strings.Contains(got, "risky: ") || !strings.Contains(got, ", 0 left out as risky") {
		t.Errorf("the capture of risks says\n%s", got)
	}
	if got := o.scan(); got != "1 function and 1 layer version: no findings" {
		t.Errorf("the scan after all was captured says %s:\n%s", got, &o.out)
	}
}

func TestCaptureKeepsWhatWasApprovedAndByWhom(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	o.aws.SetPolicy(orders, "", allow(orders, `"*"`, ""))
	o.aws.AddMapping(orders, "arn:aws:sqs:us-east-1:111122223333:jobs")
	o.capture("alice", true)
	o.aws.AddAlias(orders, "live", o.aws.AddVersion(orders))
	o.aws.SetPolicy(orders, "live", allow(orders+":live", `{"AWS":"arn:aws:iam::111122223333:root"}`, ""))
	if got := o.capture("bob", false, "orders"); strings.Contains(got, "risky: ") {
		t.Errorf("what alice approved is risky again:\n%s", got)
	}
	baseline, err := o.store.Baseline.Get(t.Context(), drift.Subject(orders))
	if err != nil {
		t.Fatal(err)
	}
	for place, by := range map[drift.Place]string{drift.Unqualified: "alice", "live": "bob"} {
		if len(baseline.Places[place].Approvals) == 0 {
			t.Errorf("nothing is approved at %s", place)
		}
		for _, a := range baseline.Places[place].Approvals {
			if a.By != by {
				t.Errorf("%s at %s is approved by %s, not %s", approves(a), place, a.By, by)
			}
		}
	}

	o.aws.SetPolicy(orders, "", "")
	o.capture("bob", false, orders)
	if baseline, err = o.store.Baseline.Get(t.Context(), drift.Subject(orders)); err != nil {
		t.Fatal(err)
	}
	if got := len(baseline.Places[drift.Unqualified].Approvals); got != 2 { // the event source and the role
		t.Errorf("%d approvals are left of what is gone: %+v", got, baseline.Places[drift.Unqualified])
	}
}

func TestCaptureForgetsAPlaceThatIsGone(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	o.aws.AddAlias(orders, "live", o.aws.AddVersion(orders))
	o.aws.SetPolicy(orders, "live", allow(orders+":live", `{"AWS":"arn:aws:iam::111122223333:root"}`, ""))
	o.capture("alice", false)
	if _, err := o.client.DeleteAlias(t.Context(), &lambda.DeleteAliasInput{FunctionName: aws.String("orders"), Name: aws.String("live")}); err != nil {
		t.Fatal(err)
	}
	if got := o.scan(); got != "1 function: 1 finding (1 low)" {
		t.Errorf("the scan without the alias says %s", got)
	}
	o.capture("alice", false)
	if got := o.scan(); got != "1 function: no findings" {
		t.Errorf("the scan after another capture says %s:\n%s", got, &o.out)
	}
}

func TestCaptureJudgesAnewWhatWasApprovedUntilNow(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	o.aws.SetPolicy(orders, "", allow(orders, `"*"`, ""))
	p := o.program()
	c := &capture{p: p, store: o.store, account: o.account(), outcome: p.outcome("low"), all: true, risky: true, approver: approver{by: "alice", expires: "2026-11-24"}}
	if err := c.run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := o.capture("bob", false); strings.Contains(got, "risky: ") {
		t.Errorf("while the approval counts, the capture says\n%s", got)
	}
	o.now = o.now.AddDate(0, 0, 1)
	if got := o.capture("bob", false); !strings.Contains(got, "1 left out as risky") {
		t.Errorf("when the approval is over, the capture says\n%s", got)
	}
}

// TestNarrowedConfigurationIsApproved approves what is gone or less than approved.
func TestNarrowedConfigurationIsApproved(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	o.aws.AddAlias(orders, "live", o.aws.AddVersion(orders))
	uuid := o.aws.AddMapping(orders, "arn:aws:sqs:us-east-1:111122223333:jobs")
	o.aws.SetURL(orders, "live", "NONE")
	o.capture("alice", true)
	for _, c := range []struct {
		name     string
		change   func()
		place    drift.Place
		approved string // what is approved of it then
	}{
		{"an event source is disabled", func() { o.aws.SetMappingState(uuid, "Disabled") }, drift.Unqualified, "event source arn:aws:sqs:us-east-1:111122223333:jobs, disabled"},
		{"a URL wants signatures", func() { o.aws.SetURL(orders, "live", "AWS_IAM") }, "live", "function URL, AuthType AWS_IAM"},
		{"a URL is gone", func() { o.aws.SetURL(orders, "live", "") }, "live", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.change()
			if got := o.scan(); !strings.HasPrefix(got, "1 function: 1 finding (") {
				t.Fatalf("the scan says %s:\n%s", got, &o.out)
			}
			for f, err := range o.store.Ledger.List(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if f.Status == drift.Open {
					if err := o.program().approve(t.Context(), o.store, f, approver{by: "alice"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			baseline, err := o.store.Baseline.Get(t.Context(), drift.Subject(orders))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, a := range baseline.Places[c.place].Approvals {
				if a.Config != nil && a.Config.Role == "" {
					got += approves(a)
				}
			}
			if got != c.approved {
				t.Errorf("approved is %q, want %q", got, c.approved)
			}
			if got := o.scan(); got != "1 function: no findings" {
				t.Errorf("the scan after the approval says %s:\n%s", got, &o.out)
			}
		})
	}
}

func TestCaptureOfADisabledEventSourceIsNoApprovalOfAnEnabledOne(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	uuid := o.aws.AddMapping(orders, "arn:aws:sqs:us-east-1:444455556666:jobs")
	o.aws.SetMappingState(uuid, "Disabled")
	if got := o.capture("alice", false); !strings.Contains(got, "1 event source, 0 statements approved, 0 left out as risky") {
		t.Errorf("the capture says\n%s", got)
	}
	o.aws.SetMappingState(uuid, "Enabled")
	if got := o.scan(); got != "1 function: 1 finding (1 high)" {
		t.Errorf("the scan says %s", got)
	}
	if got := o.capture("bob", false); !strings.Contains(got, "1 left out as risky") {
		t.Errorf("the second capture says\n%s", got)
	}
}

func TestCaptureLeavesToRulesWhatTheyApprove(t *testing.T) {
	o := newOffice(t)
	orders := o.aws.AddFunction(demoAccount, demoRegion, "orders")
	const condition = `,"Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}`
	o.aws.SetPolicy(orders, "", allow(orders, `{"Service":"s3.amazonaws.com"}`, condition))
	a := adding{p: o.program(), statement: write(t, uploads), approver: approver{by: "alice"}}
	a.rule.ID, a.rule.Subjects = "s3", "arn:aws:lambda:*:111122223333:function:*"
	if err := a.read(); err != nil {
		t.Fatal(err)
	}
	a.rule.Statement.Condition = a.rule.Statement.Condition[:1] // any bucket of ours
	if _, err := o.store.Baseline.PutRule(t.Context(), a.rule); err != nil {
		t.Fatal(err)
	}
	if got := o.capture("alice", false); !strings.Contains(got, "1 execution role, 0 statements approved, 1 by rules already, 0 left out as risky") {
		t.Errorf("the capture says\n%s", got)
	}
	if got := o.scan(); got != "1 function: no findings" {
		t.Errorf("the scan says %s", got)
	}
}

func TestCaptureNamesFunctionsAndLayers(t *testing.T) {
	o := newOffice(t)
	o.aws.AddFunction(demoAccount, demoRegion, "orders")
	layer := o.aws.AddLayer(demoAccount, demoRegion, "shared-code")
	if got := o.capture("alice", false, "orders", layer); !strings.Contains(got, "1 function and 1 layer version captured") {
		t.Errorf("the capture of %s says\n%s", layer, got)
	}
	p := o.program()
	c := &capture{p: p, store: o.store, account: o.account(), outcome: p.outcome("low")}
	for _, name := range []string{"orders:live", "arn:aws:lambda:us-east-1:111122223333:layer:shared-code"} {
		if err := c.run(t.Context(), []string{name}); err == nil {
			t.Errorf("%s can be captured", name)
		}
	}
}

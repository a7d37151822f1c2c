package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/cloudtrail"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
	"github.com/permdrift/permdrift/pkg/policy"
	"github.com/permdrift/permdrift/pkg/remediation"
)

func (p *program) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show the whole story on this machine, without AWS",
		Long: `Show the whole story on this machine, without AWS: a baseline is captured, five
attacks arrive as CloudTrail records, each becomes a finding, one of them is
remediated, and the remediation is undone.

The functions live in a stand-in for AWS Lambda inside this process; it listens
on 127.0.0.1 only, and the AWS SDK talks to it. Baseline and findings are in an
embedded store that is gone afterwards.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context()) },
	}
}

// The demo's account, and its cast.
const (
	demoAccount = "111122223333"
	demoRegion  = "us-east-1"
	demoOrg     = "o-exampleorgid"
	ownerKey    = "AKIAI44QH8DHBEXAMPLE"
	malloryKey  = "AKIAIOSFODNN7EXAMPLE"
)

// demoFunctions are the functions of the demo.
var demoFunctions = []string{"orders", "payments", "ingest"}

// demo is a small AWS account, and permdrift watching it.
type demo struct {
	p       *program
	store   *setup.Store
	auditor *audit.Auditor
	owner   *lambda.Client
	mallory *lambda.Client
	records []json.RawMessage // what CloudTrail recorded and nobody has audited yet
	found   []drift.Finding
}

func (p *program) demo(ctx context.Context) error {
	store, err := setup.OpenStore(ctx, "none", p.getenv)
	if err != nil {
		return err
	}
	defer p.shut(store)
	d := &demo{p: p, store: store}
	server := localaws.New(localaws.Options{
		JSONPolicies: true, PutChangesRevision: true,
		Callers: map[string]localaws.Caller{
			ownerKey:   {Account: demoAccount, ARN: "arn:aws:iam::111122223333:user/alice"},
			malloryKey: {Account: demoAccount, ARN: "arn:aws:iam::111122223333:user/mallory"},
		},
		OnRecord: func(record json.RawMessage) { d.records = append(d.records, record) },
	})
	server.Start()
	defer server.Close()
	d.owner, d.mallory = demoClient(server, ownerKey), demoClient(server, malloryKey)
	for _, step := range []func(context.Context) error{d.prepare, d.capture, d.attack, d.remediate} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

func demoClient(server *localaws.Server, key string) *lambda.Client {
	return lambda.New(lambda.Options{
		Region: demoRegion, BaseEndpoint: aws.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(key, "demo", ""),
	})
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.p.out, format+"\n", args...) }

// prepare makes the functions and what their owner granted.
func (d *demo) prepare(ctx context.Context) error {
	for _, name := range demoFunctions {
		if err := d.function(ctx, name); err != nil {
			return err
		}
	}
	grants := []*lambda.AddPermissionInput{
		{FunctionName: aws.String("orders"), StatementId: aws.String("api"), Principal: aws.String("apigateway.amazonaws.com"), SourceArn: aws.String("arn:aws:execute-api:us-east-1:111122223333:a1b2c3/*/POST/orders")},
		{FunctionName: aws.String("ingest"), StatementId: aws.String("uploads"), Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::amzn-s3-demo-bucket"), SourceAccount: aws.String(demoAccount)},
	}
	for _, grant := range grants {
		grant.Action = aws.String("lambda:InvokeFunction")
		if _, err := d.owner.AddPermission(ctx, grant); err != nil {
			return fmt.Errorf("granting %s on %s: %w", *grant.StatementId, *grant.FunctionName, err)
		}
	}
	return d.put(ctx, d.owner, paymentsPolicy)
}

// The JSON policy of payments: the organization may call, but not from outside the VPC.
const (
	paymentsAllow  = `{"Sid":"organization","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:payments","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`
	paymentsDeny   = `{"Sid":"only-from-our-vpc","Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:payments","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1a2b3c4d"}}}`
	paymentsPolicy = `{"Version":"2012-10-17","Statement":[` + paymentsAllow + `,` + paymentsDeny + `]}`
	withoutDeny    = `{"Version":"2012-10-17","Statement":[` + paymentsAllow + `]}`
)

func (d *demo) function(ctx context.Context, name string) error {
	if err := createFunction(ctx, d.owner, name); err != nil {
		return fmt.Errorf("making the function %s: %w", name, err)
	}
	version, err := d.owner.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String(name)})
	if err != nil {
		return fmt.Errorf("publishing a version of %s: %w", name, err)
	}
	_, err = d.owner.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String(name), Name: aws.String("live"), FunctionVersion: version.Version})
	if err != nil {
		return fmt.Errorf("making the alias live of %s: %w", name, err)
	}
	return nil
}

func (d *demo) put(ctx context.Context, who *lambda.Client, document string) error {
	arn := string(drift.FunctionSubject("", demoRegion, demoAccount, "payments"))
	if _, err := who.PutResourcePolicy(ctx, &lambda.PutResourcePolicyInput{ResourceArn: aws.String(arn), Policy: aws.String(document)}); err != nil {
		return fmt.Errorf("writing the policy of payments: %w", err)
	}
	return nil
}

// capture takes the present state as the baseline.
func (d *demo) capture(ctx context.Context) error {
	d.say("1. The owner captures the baseline: what is there now is approved.\n")
	reader := live.New(d.owner, live.ListWith(d.owner), live.Rate(0, 0))
	c := &capture{
		p: d.p, store: d.store, owner: policy.Owner{Organization: demoOrg}, outcome: d.p.outcome("low"),
		account:  &setup.Account{ID: demoAccount, Region: demoRegion, Caller: "arn:aws:iam::111122223333:user/alice", Lambda: d.owner, Live: reader},
		approver: approver{by: "alice", reason: "first capture"},
	}
	if err := c.run(ctx, demoFunctions); err != nil { // by name: their roles are in no IAM
		return err
	}
	d.auditor = &audit.Auditor{
		Live: reader, Baselines: d.store.Baseline, Ledger: d.store.Ledger,
		Alerts:  alert.Terminal{W: d.p.out, Color: d.p.color()},
		Context: drift.Context{Owner: policy.Owner{Organization: demoOrg}, Unknown: drift.Strict},
		Now:     d.p.now, Log: slog.New(slog.DiscardHandler),
	}
	if err := d.audit(ctx, 0); err != nil {
		return err
	}
	d.say("   CloudTrail's records of the set-up are audited, and raise nothing.\n")
	return nil
}

// attack is what mallory does; each call is recorded by CloudTrail and audited.
func (d *demo) attack(ctx context.Context) error {
	d.say("2. Mallory makes five changes. Each arrives as a CloudTrail record.\n")
	invoke := aws.String("lambda:InvokeFunction")
	for _, a := range []struct {
		what string
		do   func() error
	}{
		{"opens orders to everyone", func() error {
			_, err := d.mallory.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: aws.String("orders"), StatementId: aws.String("debug"), Action: invoke, Principal: aws.String("*")})
			return err
		}},
		{"lets any S3 bucket of anybody call ingest", func() error {
			_, err := d.mallory.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: aws.String("ingest"), StatementId: aws.String("s3"), Action: invoke, Principal: aws.String("s3.amazonaws.com")})
			return err
		}},
		{"gives a foreign account the right to change ingest", func() error {
			_, err := d.mallory.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: aws.String("ingest"), StatementId: aws.String("partner"), Action: aws.String("lambda:*"), Principal: aws.String("444455556666")})
			return err
		}},
		{"hides a public grant on the alias live of orders, where get-policy does not show it", func() error {
			_, err := d.mallory.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: aws.String("orders"), Qualifier: aws.String("live"), StatementId: aws.String("canary"), Action: invoke, Principal: aws.String("*")})
			return err
		}},
		{"rewrites the JSON policy of payments without its Deny", func() error { return d.put(ctx, d.mallory, withoutDeny) }},
	} {
		d.say("── Mallory %s.", a.what)
		if err := a.do(); err != nil {
			return fmt.Errorf("mallory %s: %w", a.what, err)
		}
		if err := d.audit(ctx, 1); err != nil {
			return err
		}
	}
	return nil
}

// audit audits what CloudTrail recorded, and wants so many findings of it.
func (d *demo) audit(ctx context.Context, want int) error {
	records := d.records
	d.records = nil
	found := 0
	for _, record := range records {
		results, err := cloudtrail.Decode(record)
		if err != nil {
			return fmt.Errorf("decoding a record: %w", err)
		}
		for _, result := range results {
			for _, change := range result.Changes {
				report, err := d.auditor.Audit(ctx, change)
				if err != nil {
					return fmt.Errorf("auditing %s: %w", change.Event.Name, err)
				}
				for _, t := range report.Transitions {
					if t.Kind == drift.Opened {
						d.found = append(d.found, t.Finding)
						found++
					}
				}
			}
		}
	}
	if found != want {
		return fmt.Errorf("%d findings were opened, not %d: please report this", found, want)
	}
	return nil
}

// remediate removes the first finding's cause, and puts it back.
func (d *demo) remediate(ctx context.Context) error {
	finding := d.found[0]
	d.say("3. The remediator is switched on, and removes the first.\n")
	if _, err := d.store.Baseline.PutSettings(ctx, drift.Settings{Mode: drift.ModeEnforce, UpdatedBy: "alice", UpdatedAt: d.p.now()}); err != nil {
		return fmt.Errorf("setting the mode: %w", err)
	}
	r := &remediation.Remediator{
		API: d.owner, Live: d.auditor.Live, Baselines: d.store.Baseline, Ledger: d.store.Ledger, Alerts: d.auditor.Alerts,
		Context: d.auditor.Context, Now: d.p.now, Log: slog.New(slog.DiscardHandler),
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	intent, err := r.Remediate(ctx, finding.Subject, finding.ID)
	if err != nil {
		return err
	}
	if intent == nil {
		return errors.New("nothing was removed: please report this")
	}
	if err := d.show(ctx, "   orders after the remediation:"); err != nil {
		return err
	}
	d.say("\n4. It is undone, from the pre-image in the ledger:\n   %s\n", intent.Undo)
	if err := remediation.Undo(ctx, d.owner, *intent); err != nil {
		return err
	}
	if err := d.show(ctx, "   orders after the undo:"); err != nil {
		return err
	}
	d.say("\n5. CloudTrail's record of the undo is audited: the finding is open again.\n")
	if err := d.audit(ctx, 0); err != nil {
		return err
	}
	return d.end(ctx)
}

// show prints the Sids of orders' policy.
func (d *demo) show(ctx context.Context, head string) error {
	out, err := d.owner.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String("orders")})
	if err != nil {
		return fmt.Errorf("reading the policy of orders: %w", err)
	}
	document, err := policy.Parse([]byte(aws.ToString(out.Policy)))
	if err != nil {
		return fmt.Errorf("reading the policy of orders: %w", err)
	}
	d.say("%s", head)
	for _, s := range document.Statements {
		d.say("     %s", s)
	}
	return nil
}

// end lists the findings that are open.
func (d *demo) end(ctx context.Context) error {
	d.say("Open findings:")
	open := 0
	for f, err := range d.store.Ledger.List(ctx) {
		if err != nil {
			return fmt.Errorf("listing findings: %w", err)
		}
		if f.Status == drift.Open {
			open++
			if err := d.p.listFinding(f); err != nil {
				return err
			}
		}
	}
	if open != len(d.found) {
		return fmt.Errorf("%d findings are open, not %d: please report this", open, len(d.found))
	}
	d.say("\nTry it on an event of your own: permdrift audit --store none EVENT.json")
	return nil
}

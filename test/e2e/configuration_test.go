package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// wantOne hears a record and wants one alert about it, of a kind and severity.
func (w *world) wantOne(kind drift.FindingKind, severity drift.Severity) mail {
	w.t.Helper()
	w.feed(w.last())
	w.events.expect(1, 0)
	m := w.oneMail(drift.Opened)
	if m.json["kind"] != string(kind) || m.json["severity"] != string(severity) {
		w.t.Errorf("the alert is %v, %v (%v), want %s, %s", m.json["kind"], m.json["severity"], m.json["reason"], kind, severity)
	}
	return m
}

func TestEveryWayIntoAFunctionIsAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	arn := w.function("orders")
	w.approve(arn, "")
	w.take()

	_, err := w.mallory.CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{
		FunctionName: aws.String("orders"), AuthType: lambdatypes.FunctionUrlAuthTypeNone,
	})
	must(t, "creating a URL", err)
	m := w.wantOne(drift.URLOpened, drift.Medium)
	if !strings.Contains(m.Remediate, "delete-function-url-config") || m.Actor.ARN != malloryARN {
		t.Errorf("the alert has the command %q and the actor %+v", m.Remediate, m.Actor)
	}

	_, err = w.mallory.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("orders"), EventSourceArn: aws.String("arn:aws:sqs:" + region + ":444455556666:feed"),
	})
	must(t, "creating a mapping", err)
	w.wantOne(drift.EventSourceAdded, drift.High)

	layer, err := w.mallory.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: aws.String("shared"), Content: &lambdatypes.LayerVersionContentInput{ZipFile: []byte("zip")},
	})
	must(t, "publishing a layer", err)
	w.take()
	_, err = w.mallory.AddLayerVersionPermission(t.Context(), &lambda.AddLayerVersionPermissionInput{
		LayerName: aws.String("shared"), VersionNumber: aws.Int64(layer.Version), StatementId: aws.String("all"),
		Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*"),
	})
	must(t, "sharing the layer", err)
	w.wantOne(drift.LayerShared, drift.High)
	if len(w.findings(arn)) != 2 {
		t.Errorf("the ledger has %+v of the function", w.findings(arn))
	}
}

// A role is put in the place of the approved one: the alert says what it may do
// beyond, which IAM knows.
func TestAReplacedRoleIsToldWithWhatItMayDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	arn := w.function("orders")
	roles := iam.NewFromConfig(w.config("AKIAPERSONEXAMPLE", w.wire.url))
	name := map[string]string{"modest": w.name("modest"), "mighty": w.name("mighty")}
	for role, actions := range map[string]string{"modest": `"logs:PutLogEvents"`, "mighty": `"*"`} {
		_, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{
			RoleName: aws.String(name[role]), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`),
		})
		must(t, "creating role "+role, err)
		_, err = roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: aws.String(name[role]), PolicyName: aws.String("rights"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}}`),
		})
		must(t, "giving role "+role+" its rights", err)
	}
	of := func(role string) string {
		out, err := roles.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(name[role])})
		must(t, "reading role "+role, err)
		return strings.Replace(*out.Role.Arn, "123456789012", account, 1) // moto's own account
	}
	known, err := w.baselines.Get(t.Context(), drift.Subject(arn))
	must(t, "reading the baseline", err)
	approved := known.Places[""]
	approved.Approvals = append(approved.Approvals, drift.Approval{Config: &drift.Config{Role: of("modest")}, By: "alice", At: time.Now()})
	_, err = w.baselines.Put(t.Context(), drift.Subject(arn), "", approved)
	must(t, "approving the role", err)
	w.take()
	_, err = w.mallory.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("orders"), Role: aws.String(of("mighty")),
	})
	must(t, "replacing the role", err)
	m := w.wantOne(drift.RoleReplaced, drift.Critical)
	if m.Witness == nil || !strings.Contains(m.Remediate, "--role "+of("modest")) {
		t.Errorf("the alert has the witness %+v and the command %q", m.Witness, m.Remediate)
	}
}

// What blinds is announced, and a sweep is asked for.
func TestBlindingIsAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{})
	w.events.queue.send(sample(t, "own-rule-disabled.json", time.Now()))
	w.events.expect(1, 0)
	if m := w.oneMail(drift.Opened); m.json["kind"] != string(drift.AuditBlinded) || m.json["severity"] != string(drift.Critical) {
		t.Errorf("the alert is %v, %v", m.json["kind"], m.json["severity"])
	}
	if visible, _ := w.sweeps.queue.count(); visible != 1 {
		t.Errorf("%d messages ask for a sweep, want 1", visible)
	}
}

// A deployer's grant is adopted as it appears, sealed by the key in KMS, and is
// a finding once the rule is gone.
func TestADeployersGrantIsAdopted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{adopts: true, aws: localaws.Options{JSONPolicies: true}})
	arn := w.function("orders")
	w.approve(arn, "")
	rule, err := w.baselines.PutRule(t.Context(), drift.Rule{
		ID: "ci", Subjects: "arn:aws:lambda:*:" + account + ":function:*", By: "alice", At: time.Now(),
		Adopt: &drift.Deployer{Issuer: deployerRole, Account: account},
	})
	must(t, "writing the rule", err)
	w.take()
	var record json.RawMessage
	ci := lambda.NewFromConfig(w.config(deployerKey, w.url))
	for _, grant := range []struct{ sid, principal string }{{"own", account}, {"partner", "444455556666"}} {
		_, err := ci.AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: aws.String("orders"), StatementId: aws.String(grant.sid), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String(grant.principal),
		})
		must(t, "granting", err)
		record = w.last()
		w.feed(record)
		w.events.expect(1, 0)
	}
	if m := w.oneMail(drift.Opened); m.Statement.Sid != "partner" {
		t.Errorf("the alert is about %s", m.Statement)
	}
	for _, f := range w.findings(arn) {
		if adopted := f.Sids[0] == "own"; adopted != (f.Status == drift.Accepted) || adopted != (f.Adoption != nil && strings.HasPrefix(f.Adoption.Seal, "kms1:")) {
			t.Errorf("the ledger has %s %v with the adoption %+v", f.Status, f.Sids, f.Adoption)
		}
	}
	w.feed(record) // once more: nothing new
	w.events.expect(1, 0)
	w.noMail()
	must(t, "removing the rule", w.baselines.DeleteRule(t.Context(), rule.ID, rule.Version, "alice"))
	run := w.sweep(w.events.function)
	if run.Drifted != 1 {
		t.Errorf("the sweep is %+v", run)
	}
	if m := w.oneMail(drift.Reopened); m.Statement.Sid != "own" {
		t.Errorf("the alert is about %s", m.Statement)
	}
}

// What no event told of a role, a sweep of the roles that functions run as finds.
func TestASweepFindsWhatARoleBecame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{roles: "execution", aws: localaws.Options{JSONPolicies: true}})
	arn := w.function("orders")
	w.approve(arn, "")
	name := w.name("swept")
	roles := iam.NewFromConfig(w.config("AKIAPERSONEXAMPLE", w.wire.url))
	_, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`),
	})
	must(t, "creating the role", err)
	role := drift.RoleSubject("", account, name)
	_, err = w.mallory.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("orders"), Role: aws.String(string(role))})
	must(t, "giving the function its role", err)
	w.take()
	w.sweep(w.events.function)
	if f := w.oneFinding(string(role), drift.Open); f.Kind != drift.TrustWidened || f.Severity != drift.Critical || len(f.Functions) != 1 {
		t.Errorf("the ledger has %+v", f)
	}
}

// A trust policy is widened: the role is read from IAM, compared with its
// baseline, and the alert names the functions that run as it.
func TestARoleThatStrangersMayBecomeIsAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, settings{aws: localaws.Options{JSONPolicies: true}})
	w.function("orders")
	roles := iam.NewFromConfig(w.config("AKIAPERSONEXAMPLE", w.wire.url))
	var event struct {
		Detail struct {
			RequestParameters struct{ RoleName, PolicyDocument string }
		}
	}
	text := sample(t, "trust-foreign-root.json", time.Now())
	must(t, "reading the sample", json.Unmarshal([]byte(text), &event))
	changed := event.Detail.RequestParameters
	_, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(changed.RoleName), AssumeRolePolicyDocument: aws.String(changed.PolicyDocument)})
	must(t, "creating the role", err)
	role := drift.RoleSubject("", account, changed.RoleName)
	_, err = w.mallory.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("orders"), Role: aws.String(string(role))})
	must(t, "giving the function its role", err)
	trust, err := policy.ParseStatement([]byte(`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`))
	must(t, "parsing the approved trust", err)
	for place, approvals := range map[drift.Place][]drift.Approval{drift.Trust: {{Statement: trust, By: "alice", At: time.Now()}}, drift.Identity: nil, drift.Boundary: nil} {
		_, err = w.baselines.Put(t.Context(), role, place, drift.Approved{Approvals: approvals})
		must(t, "approving the role", err)
	}
	w.take()
	w.events.queue.send(text)
	w.events.expect(1, 0)
	m := w.oneMail(drift.Opened)
	if m.json["kind"] != string(drift.TrustWidened) || m.json["severity"] != string(drift.Critical) || m.json["subject"] != string(role) {
		t.Errorf("the alert is %v, %v of %v: %v", m.json["kind"], m.json["severity"], m.json["subject"], m.json["reason"])
	}
	if reason, _ := m.json["reason"].(string); !strings.Contains(reason, "the function orders runs as the role") || !strings.Contains(m.Remediate, "update-assume-role-policy") {
		t.Errorf("the alert says %q, and to run %q", reason, m.Remediate)
	}
}

package alert_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// TestRolesAreToldInWords wants the headline of each sample, and of some that
// differ from one in a detail.
func TestRolesAreToldInWords(t *testing.T) {
	lambda := statement(t, `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	for _, c := range []struct {
		sample string
		change func(*drift.Finding)
		want   string
	}{
		{"trust-widened", func(*drift.Finding) {}, "CRITICAL: an outsider may now assume role orders"},
		{"trust-widened", func(f *drift.Finding) { f.Exposure = policy.Public }, "CRITICAL: anyone may now assume role orders"},
		{"trust-widened", func(f *drift.Finding) { f.Exposure = policy.Internal }, "CRITICAL: somebody in the account itself may now assume role orders"},
		{"trust-widened", func(f *drift.Finding) { f.Exposure = policy.Nobody }, "CRITICAL: the trust policy of role orders got a grant that lets in nobody at present"},
		{"trust-service", func(f *drift.Finding) { f.Statement = lambda }, "LOW: Lambda may now assume role orders"},
		{"trust-service", func(f *drift.Finding) { f.Statement.Principal.AWS = []string{"111122223333"} }, "LOW: somebody in the account itself may now assume role orders"},
		{"trust-narrowed", func(f *drift.Finding) { f.Functions = f.Functions[:1] }, "HIGH: Lambda cannot assume role orders any more: the function that runs as it stops"},
		{"trust-narrowed", func(f *drift.Finding) { f.Functions = nil }, "HIGH: Lambda cannot assume role orders any more"},
		{"trust-narrowed", func(f *drift.Finding) { f.Statement.Principal.Service[0] = "ec2.amazonaws.com" }, "HIGH: ec2.amazonaws.com cannot assume role orders any more"},
		{"trust-narrowed", func(f *drift.Finding) { f.Statement.Effect = policy.Deny }, "HIGH: a Deny that nobody approved is in the trust policy of role orders"},
		{"trust-narrowed", func(f *drift.Finding) { f.Statement.Principal = &policy.Principals{AWS: []string{"*"}} }, "HIGH: the trust policy of role orders lost an approved statement"},
		{"role-to-anywhere", func(f *drift.Finding) { f.Event.Name = "UpdateTrustAnchor" }, "HIGH: a trust anchor of Roles Anywhere that role orders trusts was changed"},
		{"permissions-escalation", func(f *drift.Finding) { f.Escalations = nil }, "HIGH: role orders may now do more than approved"},
		{"permissions-escalation", func(f *drift.Finding) { f.Escalations, f.Statement.Effect = nil, policy.Deny }, "HIGH: role orders lost a Deny"},
		{"permissions-escalation", func(f *drift.Finding) { f.Status = drift.Transient }, "HIGH: role orders could run code as any role that Lambda may assume for up to 40s"},
		{"permissions-user", func(f *drift.Finding) { f.Statement.Action = []string{"s3:*", "lambda:UpdateFunctionCode"} }, "INFORMATIONAL: user ana may now administer functions"},
		{"permissions-user", func(f *drift.Finding) { f.Statement.Action, f.Statement.NotAction = nil, []string{"iam:*"} }, "INFORMATIONAL: user ana may now administer functions"},
		{"permissions-user", func(f *drift.Finding) { f.Statement.Action = []string{"*"} }, "INFORMATIONAL: user ana may now administer functions"},
		{"permissions-narrowed", func(f *drift.Finding) { f.Statement.Effect = policy.Deny }, "LOW: a Deny that nobody approved is on role orders"},
		{"boundary-removed", func(f *drift.Finding) { f.Escalations = nil }, "CRITICAL: the permissions boundary of role orders is gone"},
	} {
		s := sampleOf(t, c.sample)
		c.change(&s.f)
		if s.f.Status == drift.Transient {
			s.a = drift.Announcement{}
			s.f.ResolvedAt = noon
		}
		if got := alert.Subject(s.f, s.a); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.sample, got, c.want)
		}
	}
}

// What an exposure means is told only where somebody is let in.
func TestRightsHaveNoExposure(t *testing.T) {
	for _, name := range []string{"permissions-administrator", "permissions-narrowed", "boundary-removed", "trust-narrowed"} {
		s := sampleOf(t, name)
		if text := strings.ToLower(alert.Text(s.f, s.a)); strings.Contains(text, "unknown:") || strings.Contains(text, "nobody:") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestLongListsOfARoleAreCut(t *testing.T) {
	text := alert.Text(huge(t), announcement(drift.Opened, ""))
	for _, want := range []string{"What it comes to\n", "Functions that run as it\n", "and 4990 more … cut"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// The JSON of a role says what the text says.
func TestJSONOfARole(t *testing.T) {
	s := sampleOf(t, "permissions-administrator")
	text, err := json.Marshal(alert.NewMessage(s.f, s.a))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"policy":"arn:aws:iam::aws:policy/AdministratorAccess"`, `"qualifier":"identity"`,
		`"escalations":[{"method":"administrator","severity":"critical","reason":"it can do everything`,
		`"functions":["arn:aws:lambda:eu-west-1:111122223333:function:orders"]`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(string(text), `"exposure"`) {
		t.Errorf("an exposure in %s", text)
	}
}

package alert_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./pkg/alert -update writes it)\n--- got\n%s\n--- want\n%s", file, got, want)
	}
}

func statement(t *testing.T, text string) *policy.Statement {
	t.Helper()
	s, err := policy.ParseStatement([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// public is a finding as Compare and Reconcile make it, of the worst kind.
func public(t *testing.T) drift.Finding {
	orders := drift.FunctionSubject("", "eu-west-1", "111122223333", "orders")
	return drift.Finding{
		ID: "0123456789abcdef0123", Kind: drift.PolicyWidened, Severity: drift.Critical, Exposure: policy.Public, Status: drift.Open,
		Subject: orders, Place: "live", Account: "111122223333", Region: "eu-west-1",
		Statement: statement(t, `{"Sid":"pub","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"`+string(orders)+`:live","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}}`),
		Sids:      []string{"pub"}, Reason: "any principal, and aws:SourceIp 0.0.0.0/0 pins nobody", Certain: true, Counterparties: []string{"*"},
		Witness: &policy.Witness{Principal: "anonymous", Action: "lambda:InvokeFunction", Resource: string(orders) + ":live", Context: map[string][]string{"aws:SourceIp": {"0.0.0.0"}}, Sid: "pub"},
		Actor: drift.Actor{
			ARN: "arn:aws:sts::111122223333:assumed-role/Deploy/alice", Account: "111122223333", Type: "AssumedRole",
			Issuer: "arn:aws:iam::111122223333:role/Deploy", Via: "console", SourceIP: "198.51.100.7", UserAgent: "Mozilla/5.0", MFA: true,
		},
		Event:     drift.Event{ID: "11111111-2222-3333-4444-555555555555", Name: "AddPermission20150331v2", Source: "lambda.amazonaws.com", Time: noon.Add(-40 * time.Second), Account: "111122223333", Region: "eu-west-1"},
		FirstSeen: noon, LastSeen: noon, Count: 1,
		Approve:   "permdrift baseline approve 0123456789abcdef0123",
		Remediate: "aws lambda remove-permission --function-name " + string(orders) + " --qualifier live --statement-id pub --region eu-west-1",
	}
}

func announcement(kind drift.TransitionKind, note string) drift.Announcement {
	return drift.Announcement{ID: "0123456789abcdef0123-1", Transition: kind, At: noon.Add(5 * time.Minute), Note: note}
}

// sample is one announcement with a name.
type sample struct {
	name string
	f    drift.Finding
	a    drift.Announcement
}

// samples are all transitions, and kinds that are worded differently.
func samples(t *testing.T) []sample {
	opened := public(t)

	replaced := public(t)
	replaced.Replaces, replaced.Exposure, replaced.Severity = "fedcba9876543210fedc", policy.ConfusedDeputy, drift.High
	replaced.Statement = statement(t, `{"Sid":"pub","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:*","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:orders:live"}`)
	replaced.Replaced, replaced.Owner, replaced.Stack = public(t).Statement, "payments@example.com", "shop"
	replaced.Counterparties, replaced.Witness = []string{"s3.amazonaws.com"}, nil
	replaced.Reason = "any bucket in the world whose owner points its notifications here"
	replaced.Advice = "add aws:SourceAccount 111122223333 and aws:SourceArn, the ARN of the bucket (arn:aws:s3:::BUCKET) (Lambda Developer Guide, Process Amazon S3 event notifications with Lambda)"
	replaced.Actor = drift.Actor{ARN: "arn:aws:iam::444455556666:user/team/bob", Account: "444455556666", Type: "IAMUser", Via: "cli", SourceIP: "203.0.113.9"}

	reopened := public(t)
	reopened.Count, reopened.Actor = 3, drift.Actor{ARN: "arn:aws:sts::111122223333:assumed-role/Deploy/ci", Account: "111122223333", Via: "cloudformation", SourceIP: "cloudformation.amazonaws.com", InvokedBy: "cloudformation.amazonaws.com"}

	vanished := public(t)
	vanished.Status, vanished.ResolvedAt = drift.Transient, noon.Add(95*time.Second)

	resolved := public(t)
	resolved.Status, resolved.ResolvedAt = drift.Resolved, noon.Add(5*time.Minute)

	removed := public(t)
	removed.Status, removed.ResolvedAt = drift.Remediated, noon.Add(5*time.Minute)
	removed.Undo = "permdrift undo 0123456789abcdef0123"

	swept := public(t)
	swept.Place, swept.Actor, swept.Event = drift.Unqualified, drift.Actor{}, drift.Event{}
	swept.Exposure, swept.Severity, swept.Certain = policy.Unknown, drift.High, false

	narrowed := public(t)
	narrowed.Kind, narrowed.Severity, narrowed.Exposure = drift.PolicyNarrowed, drift.Low, policy.Nobody
	narrowed.Witness, narrowed.Remediate, narrowed.Counterparties = nil, "", nil
	narrowed.Reason = "a statement of the baseline is gone: whoever needs it cannot call any more"

	deny := public(t)
	deny.Statement = statement(t, `{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"}`)
	deny.Sids, deny.Remediate, deny.Witness, deny.Certain = nil, "", nil, false
	deny.Reason = "a Deny of the baseline is gone; what remains allows any principal"

	gap := public(t)
	gap.Kind, gap.Severity, gap.Exposure, gap.Certain = drift.UnreadableChange, drift.Medium, policy.Unknown, false
	gap.Statement, gap.Sids, gap.Witness, gap.Counterparties, gap.Remediate, gap.Approve = nil, nil, nil, nil, "", ""
	gap.Reason = "GetResourcePolicy is refused: AccessDeniedException: no"

	return append(append(configured(t), roles(t)...), []sample{
		{"opened", opened, announcement(drift.Opened, "")},
		{"replaced", replaced, announcement(drift.Replaced, "")},
		{"reopened", reopened, announcement(drift.Reopened, "")},
		{"transient", vanished, announcement(drift.Vanished, "")},
		{"resolved", resolved, announcement(drift.Closed, "")},
		{"remediated", removed, announcement(drift.RemovedByUs, "mode enforce, revision checked")},
		{"remediation-refused", public(t), announcement(drift.Refused, "Stack shop is rolling back; trying again in 30 minutes.")},
		{"swept", swept, announcement(drift.Opened, "")},
		{"narrowed", narrowed, announcement(drift.Opened, "")},
		{"deny-removed", deny, announcement(drift.Opened, "")},
		{"unreadable", gap, announcement(drift.Opened, "")},
	}...)
}

// sampleOf is the sample of a name.
func sampleOf(t *testing.T, name string) sample {
	t.Helper()
	for _, s := range samples(t) {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("there is no sample %q", name)
	return sample{}
}

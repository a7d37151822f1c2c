package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// call runs one command line in this process, at a fixed time, and returns
// what it printed and its exit code.
func call(t testing.TB, stdin string, line ...string) (stdout, stderr string, code int) {
	t.Helper()
	return callAt(t, 0, stdin, line...)
}

// callAt is call, so much later.
func callAt(t testing.TB, later time.Duration, stdin string, line ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	home := t.TempDir()
	p := &program{
		in: strings.NewReader(stdin), out: &out, err: &errs,
		getenv: func(name string) string { return map[string]string{"HOME": home}[name] },
		now:    func() time.Time { return time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC).Add(later) },
	}
	code = p.run(context.Background(), line)
	return out.String(), errs.String(), code
}

// TestGoldenCommandLines runs command lines and compares all that they print,
// and their exit codes, with testdata/NAME.golden.
func TestGoldenCommandLines(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.json")
	garbage := filepath.Join(t.TempDir(), "garbage.json")
	big := filepath.Join(t.TempDir(), "big.json")
	for file, text := range map[string]string{empty: "", garbage: "not JSON {", big: `{"Statement":[` + strings.Repeat(" ", 5<<20) + `]}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	temporary := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(temporary, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	event := func(name string) string { return filepath.Join("..", "..", "events", name+".json") }
	audit := func(names ...string) []string {
		line := []string{"audit", "--store", "none"}
		for _, name := range names {
			line = append(line, event(name))
		}
		return line
	}
	for _, c := range []struct {
		name  string
		stdin string
		line  []string
		code  int
	}{
		{"help", "", []string{}, exitClean},
		{"help-audit", "", []string{"help", "audit"}, exitClean},
		{"help-scan", "", []string{"scan", "--help"}, exitClean},
		{"help-baseline", "", []string{"baseline", "--help"}, exitClean},
		{"help-baseline-approve", "", []string{"baseline", "approve", "--help"}, exitClean},
		{"help-baseline-revoke", "", []string{"baseline", "revoke", "--help"}, exitClean},
		{"help-baseline-rule-add", "", []string{"baseline", "rule", "add", "--help"}, exitClean},
		{"help-findings", "", []string{"findings", "--help"}, exitClean},
		{"help-findings-list", "", []string{"findings", "list", "--help"}, exitClean},
		{"help-findings-suppress", "", []string{"findings", "suppress", "--help"}, exitClean},
		{"help-baseline-capture", "", []string{"baseline", "capture", "--help"}, exitClean},
		{"unknown-command", "", []string{"adit"}, exitUsage},
		{"unknown-flag", "", []string{"audit", "--stroe", "x", "y"}, exitUsage},
		{"wrong-format", "", []string{"explain", "--format", "xml", "-"}, exitUsage},
		{"wrong-org", "", []string{"explain", "--org", "example", "-"}, exitUsage},
		{"wrong-account", "", []string{"explain", "--account", "12", "-"}, exitUsage},
		{"wrong-unknown", "", []string{"audit", "--unknown", "ignore", "-"}, exitUsage},
		{"wrong-fail-on", "", []string{"audit", "--fail-on", "informational", "-"}, exitUsage},
		{"wrong-store", "", []string{"findings", "list", "--store", "dynamodb:one"}, exitFailed},
		{"no-event", "", []string{"audit"}, exitUsage},
		{"unknown-shell", "", []string{"completion", "tcsh"}, exitUsage},
		{"wrong-trusted-account", "", []string{"scan", "--trusted-account", "12"}, exitUsage},
		{"two-accounts", "", []string{"explain", "--account", "111122223333,444455556666", "-"}, exitUsage},
		{"audit-record-without-id", `{"Records":[{}]}`, []string{"audit", "--store", "none", "-"}, exitFailed},

		{"audit-public", "", audit("public"), exitDrift},
		{"audit-public-json", "", append(audit("public"), "--format", "json"), exitDrift},
		{"audit-alias", "", audit("alias-scoped"), exitDrift},
		{"audit-own-organization", "", append(audit("own-organization"), "--org", "o-exampleorgid"), exitDrift},
		{"audit-trusted-account", "", append(audit("alias-inside-name"), "--trusted-account", "444455556666"), exitDrift},
		{"audit-learn", "", append(audit("scoped-s3", "public"), "--unknown", "learn"), exitDrift},
		{"audit-learn-clean", "", append(audit("scoped-s3"), "--unknown", "learn"), exitClean},
		{"audit-fail-on", "", append(audit("scoped-s3"), "--fail-on", "high"), exitClean},
		{"audit-read-only", "", audit("read-only"), exitClean},
		{"audit-failed-call", "", audit("failed-call"), exitClean},
		{"audit-removed-unseen", "", audit("remove-permission"), exitUnknown},
		{"audit-added-and-removed", "", audit("scoped-s3", "remove-permission"), exitDrift},
		{"audit-omitted", "", audit("parameters-omitted"), exitUnknown},
		{"audit-outcome-unknown", "", audit("outcome-unknown"), exitUnknown},
		{"audit-role", "", audit("role-foreign-root"), exitDrift},
		{"audit-role-trust-wildcard", "", audit("role-trust-wildcard-condition"), exitDrift},
		{"audit-role-oidc", "", audit("role-oidc-without-subject"), exitDrift},
		{"audit-role-administrator", "", audit("role-admin-attached"), exitDrift},
		{"audit-role-administrator-json", "", append(audit("role-admin-attached"), "--format", "json"), exitDrift},
		{"audit-role-inline", "", audit("role-inline-notaction"), exitDrift},
		{"audit-role-boundary-deleted", "", audit("role-boundary-deleted"), exitDrift},
		{"audit-role-deleted", "", audit("role-deleted"), exitClean},
		{"audit-role-policy-version", "", audit("role-policy-version-default"), exitUnknown},
		{"audit-role-provider", "", audit("provider-client-added"), exitUnknown},
		{"audit-role-padded", "", audit("padded-role-policy"), exitUnknown},
		{"audit-url", "", audit("function-url-created"), exitDrift},
		{"audit-event-source", "", audit("event-source-added"), exitDrift},
		{"audit-execution-role", "", audit("execution-role-replaced"), exitDrift},
		{"audit-layer", "", audit("layer-public"), exitDrift},
		{"audit-trail-stopped", "", audit("trail-stopped"), exitDrift},
		{"audit-own-stack", ownQueue, []string{"audit", "--store", "none", "--stack", "permdrift", "-"}, exitDrift},
		{"audit-stack-unknown", ownQueue, []string{"audit", "--store", "none", "-"}, exitUnknown},
		{"audit-other-stack", ownQueue, []string{"audit", "--store", "none", "--stack", "shop", "-"}, exitClean},
		{"audit-own-key", ownKey, []string{"audit", "--store", "none", "--own-key", "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555", "-"}, exitDrift},
		{"audit-unknown-event", `{"eventVersion":"1.08","eventSource":"lambda.amazonaws.com","eventName":"FlyToTheMoon20270101","recipientAccountId":"111122223333"}`, []string{"audit", "--store", "none", "-"}, exitClean},
		{"audit-sqs-batch", "", audit("sqs-batch"), exitDrift},
		{"audit-sqs-batch-bad-message", "", audit("sqs-batch-bad-message"), exitFailed},
		{"audit-garbage", "", []string{"audit", "--store", "none", garbage, event("public")}, exitFailed},
		{"audit-empty", "", []string{"audit", "--store", "none", empty}, exitFailed},
		{"audit-directory", "", []string{"audit", "--store", "none", filepath.Join("..", "..", "events")}, exitFailed},
		{"audit-missing", "", []string{"audit", "--store", "none", "no-such-file.json"}, exitFailed},

		{"explain-trust", trustOfAnyRepository, []string{"explain", "--account", "111122223333", "-"}, exitClean},
		{"explain-ladder", ladder, []string{"explain", "--org", "o-exampleorgid", "-"}, exitClean},
		{"explain-ladder-json", ladder, []string{"explain", "--format", "json", "--account", "111122223333", "-"}, exitClean},
		{"diff-none", ladder, []string{"diff", "-", write("respelled.json", strings.ReplaceAll(ladder, "AWS:Source", "aws:Source"))}, exitClean},
		{"diff-new", ladder, []string{"diff", "-", write("public.json", strings.Replace(ladder, `"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}`, `"StringLike":{"aws:PrincipalOrgID":"o-*"}`, 1))}, exitDrift},
		{"diff-deny-gone", ladder, []string{"diff", "--format", "json", "-", write("undenied.json", strings.Replace(ladder, `"Deny"`, `"Allow"`, 1))}, exitDrift},
		{"diff-identity", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:Get*","Resource":"*"}}`, []string{"diff", "--type", "identity", "-", write("identity.json", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}`)}, exitDrift},
		{"diff-trust", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`, []string{"diff", "--type", "trust", "-", write("trust.json", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com","AWS":"444455556666"},"Action":"sts:AssumeRole"}}`)}, exitDrift},
		{"diff-both-stdin", "", []string{"diff", "-", "-"}, exitUsage},
		{"diff-wrong-type", "", []string{"diff", "--type", "role", "-", "x"}, exitUsage},
		{"diff-broken", "", []string{"diff", garbage, empty}, exitFailed},

		{"explain-get-policy", `{"Policy":"{\"Statement\":[]}","RevisionId":"x"}`, []string{"explain", "-"}, exitClean},
		{"audit-shared-store", "", []string{"audit", "--store", "dynamodb:a,b", event("public")}, exitUsage},
		{"explain-function-url", functionURL, []string{"explain", "--function-url", "NONE", "-"}, exitClean},
		{"explain-function-url-iam-json", functionURL, []string{"explain", "--function-url", "AWS_IAM", "--format", "json", "-"}, exitClean},
		{"explain-wrong-function-url", functionURL, []string{"explain", "--function-url", "OPEN", "-"}, exitUsage},
		{"explain-empty", "", []string{"explain", empty}, exitFailed},
		{"explain-directory", "", []string{"explain", "testdata"}, exitFailed},
		{"explain-big", "", []string{"explain", big}, exitFailed},
		{"explain-two", ladder + ladder, []string{"explain", "-"}, exitFailed},
		{"explain-wrong-type", `{"Statement":{"Effect":"Allow","Principal":"*","Action":7,"Resource":"*"}}`, []string{"explain", "-"}, exitFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := call(t, c.stdin, c.line...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			got := fmt.Sprintf("%s-- stderr --\n%s-- exit %d --\n", stdout, stderr, code)
			got = strings.ReplaceAll(got, filepath.Dir(empty), "TMP")
			got = strings.ReplaceAll(got, filepath.Dir(garbage), "TMP")
			got = strings.ReplaceAll(got, filepath.Dir(big), "TMP")
			got = strings.ReplaceAll(got, temporary, "TMP")
			golden(t, c.name, got)
		})
	}
}

// ownQueue purges a queue of the stack permdrift, and ownKey disables a key.
const (
	ownQueue = `{"eventVersion":"1.10","eventTime":"2026-11-23T13:11:29Z","eventSource":"sqs.amazonaws.com","eventName":"PurgeQueue","awsRegion":"us-east-1","eventID":"a1b2c3d4-5678-90ab-cdef-EXAMPLE00101","recipientAccountId":"111122223333",
 "userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/mallory","accountId":"111122223333"},"requestParameters":{"queueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/permdrift-EventsQueue-1A2B3C4D5E6F"}}`
	ownKey = `{"eventVersion":"1.10","eventTime":"2026-11-23T13:11:29Z","eventSource":"kms.amazonaws.com","eventName":"DisableKey","awsRegion":"us-east-1","eventID":"a1b2c3d4-5678-90ab-cdef-EXAMPLE00102","recipientAccountId":"111122223333",
 "userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/mallory","accountId":"111122223333"},"requestParameters":{"keyId":"11111111-2222-3333-4444-555555555555"}}`
)

// functionURL is the policy of a function with a public URL: both grants.
const functionURL = `{"Version":"2012-10-17","Id":"default","Statement":[
 {"Sid":"url","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}},
 {"Sid":"through","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}
]}
`

// ladder is the seed's ladder of S3 grants: bucket and account, bucket,
// account, neither; and what anybody may do.
const ladder = `{"Version":"2012-10-17","Id":"default","Statement":[
 {"Sid":"both","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:ingest","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::amzn-s3-demo-bucket"}}},
 {"Sid":"bucket","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:ingest","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::amzn-s3-demo-bucket"}}},
 {"Sid":"account","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:ingest","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"}}},
 {"Sid":"neither","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:ingest"},
 {"Sid":"organization","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:ingest","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}},
 {"Sid":"guard","Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"arn:aws:lambda:us-east-1:111122223333:function:ingest","Condition":{"Bool":{"aws:SecureTransport":false}}}
]}
`

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update writes it anew\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

// trustOfAnyRepository is the trust policy of a role that every repository of
// GitHub may become, beside Lambda.
const trustOfAnyRepository = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity",
 "Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}},
{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// uploads is what rules of these tests approve: events of the account's own buckets.
const uploads = `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*",
 "Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::uploads-example-bucket"}}}`

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "statement.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRuleApprovesOnAllFunctionsOfItsPattern(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	event := filepath.Join("..", "..", "events", "scoped-s3.json")
	s.run(exitDrift, "audit", event)
	got := s.run(exitClean, "baseline", "rule", "add", "--id", "s3-ingest", "--subjects", "arn:aws:lambda:*:111122223333:function:ing*", "--statement", write(t, uploads),
		"--by", "alice", "--reason", "uploads", "--ticket", "SEC-4", "--expires", "2027-01-01")
	golden(t, "rule-added", got)
	if got := s.run(exitClean, "audit", event); !strings.Contains(got, "RESOLVED") {
		t.Errorf("the open finding is not resolved by the rule: %s", got)
	}
	arn := "arn:aws:lambda:us-east-1:111122223333:function:ingest"
	if got := s.run(exitClean, "baseline", "show", arn); !strings.Contains(got, "rule s3-ingest: approves ") {
		t.Errorf("baseline show: %s", got)
	}
	s.run(exitFailed, "baseline", "show", "arn:aws:lambda:us-east-1:111122223333:function:orders")
	if got := s.run(exitClean, "baseline", "rule", "list"); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "s3-ingest  approves ") {
		t.Errorf("rule list: %s", got)
	}
	if got := s.run(exitClean, "baseline", "rule", "show", "s3-ingest"); got != s.golden("rule-added") {
		t.Errorf("rule show: %s", got)
	}
	if got := s.run(exitFailed, "baseline", "rule", "add", "--id", "s3-ingest", "--subjects", "arn:aws:lambda:*:111122223333:function:*", "--statement", write(t, uploads)); !strings.Contains(got, "there is one of that id") {
		t.Errorf("a second rule of one id: %s", got)
	}
	s.run(exitClean, "baseline", "rule", "remove", "s3-ingest", "--by", "alice")
	s.run(exitDrift, "audit", event)
	s.run(exitFailed, "baseline", "rule", "remove", "s3-ingest")
	s.run(exitFailed, "baseline", "rule", "show", "s3-ingest")
}

// golden is the text of a golden file.
func (s session) golden(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func TestRuleThatHasRunOutApprovesNothing(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	s.run(exitClean, "baseline", "rule", "add", "--id", "s3", "--subjects", "arn:aws:lambda:*:111122223333:function:*", "--statement", write(t, uploads), "--expires", "2026-11-24")
	event := filepath.Join("..", "..", "events", "scoped-s3.json")
	s.run(exitClean, "audit", event)
	s.later = 7 * 60 * 60 * 1e9
	s.run(exitDrift, "audit", event)
	if got := s.run(exitClean, "baseline", "rule", "list"); !strings.Contains(got, "(has run out)") {
		t.Errorf("rule list: %s", got)
	}
}

func TestRiskyRuleIsRefusedUnlessAccepted(t *testing.T) {
	const anyone = `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"}`
	const unpinned = `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*"}`
	const foreign = `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"lambda:InvokeFunction","Resource":"*"}`
	const ours = "arn:aws:lambda:*:111122223333:function:*"
	for _, c := range []struct {
		name, subjects, statement string
		flags                     []string
		code                      int
	}{
		{"anyone", ours, anyone, nil, exitFailed},
		{"a service for anybody", ours, unpinned, nil, exitFailed},
		{"another account", ours, foreign, nil, exitFailed},
		{"a trusted account", ours, foreign, []string{"--trusted-account", "444455556666"}, exitClean},
		{"another account, accepted", ours, foreign, []string{"--accept-risky"}, exitClean},
		{"our own buckets", ours, uploads, nil, exitClean},
		{"one account's buckets on every account's functions", "arn:aws:lambda:*:*:function:*", uploads, nil, exitFailed},
		{"a pattern across the parts of an ARN", "arn:aws:lambda*:function:*", uploads, nil, exitFailed},
		{"administering, for the own account", ours, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:*","Resource":"*"}`, nil, exitClean},
		{"a Deny", ours, strings.Replace(anyone, "Allow", "Deny", 1), nil, exitUsage},
		{"no function", "arn:aws:iam::111122223333:role/*", uploads, nil, exitUsage},
		{"no statement", ours, `{"Effect":"Maybe"}`, nil, exitFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
			line := append([]string{"baseline", "rule", "add", "--id", "r", "--subjects", c.subjects, "--statement", write(t, c.statement)}, c.flags...)
			got := s.run(c.code, line...)
			risky := c.code == exitFailed && c.name != "no statement" || c.name == "another account, accepted"
			if strings.Contains(got, "risky: ") != risky {
				t.Errorf("it says\n%s", got)
			}
		})
	}
}

func TestRuleAdoptsWhatADeployerGrants(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	// the session of own-api-by-cloudformation is of this role
	event, issuer := filepath.Join("..", "..", "events", "own-api-by-cloudformation.json"), "arn:aws:iam::111122223333:role/deployer"
	add := []string{"baseline", "rule", "add", "--id", "ci", "--subjects", "arn:aws:lambda:*:111122223333:function:*", "--adopt-issuer"}
	s.run(exitUsage, append(add, "deployer", "--adopt-account", "111122223333")...)
	s.run(exitUsage, append(add, issuer)...)
	s.run(exitUsage, "baseline", "rule", "add", "--id", "ci", "--subjects", "arn:aws:lambda:*:111122223333:function:*")
	if got := s.run(exitClean, append(add, issuer, "--adopt-account", "111122223333", "--adopt-organization")...); !strings.Contains(got, "adopts what sessions of "+issuer+" in 111122223333 grant, to the organization too") {
		t.Errorf("rule add says %s", got)
	}
	if got := s.run(exitClean, "audit", event); got != "1 event: no findings, 1 adopted\n" {
		t.Errorf("the audit says %s", got)
	}
	list := s.run(exitClean, "findings", "list", "--status", "approved")
	id := only(t, list, "policy-widened")
	if got := s.run(exitClean, "findings", "show", id); !strings.HasPrefix(got, "ADOPTED: ") || !strings.Contains(got, "adopted by the rule ci") {
		t.Errorf("findings show: %s", got)
	}
	if got := s.run(exitFailed, "baseline", "revoke", id); !strings.Contains(got, "it ends with the rule") {
		t.Errorf("revoke says %s", got)
	}
	s.run(exitClean, "baseline", "rule", "remove", "ci")
	if got := s.run(exitDrift, "audit", event); !strings.Contains(got, ", again") || !strings.Contains(got, "it was adopted by the rule ci") {
		t.Errorf("without the rule, the audit says %s", got)
	}
}

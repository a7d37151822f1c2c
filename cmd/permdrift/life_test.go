package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDemoShowsTheWholeStory runs the demo as `make demo` does.
func TestDemoShowsTheWholeStory(t *testing.T) {
	stdout, stderr, code := call(t, "", "demo")
	if code != exitClean || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{
		"3 functions captured in memory: 3 execution roles, 4 statements approved, 0 left out as risky",
		"CRITICAL  anyone may now invoke orders\n",
		"HIGH  any customer of an AWS service may now invoke ingest\n",
		"CRITICAL  an outsider may now administer ingest\n",
		"CRITICAL  anyone may now invoke orders (live)\n",
		"payments lost a Deny\n",
		"user mallory",
		"permdrift took that away",
		"aws lambda add-permission --function-name arn:aws:lambda:us-east-1:111122223333:function:orders --statement-id debug",
		"the finding is open again",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
	if n := strings.Count(stdout, ", opened\n"); n != 5 {
		t.Errorf("the demo shows %d new findings, not 5", n)
	}
}

// session runs command lines one after another on one store.
type session struct {
	t     *testing.T
	store string
	later time.Duration // how much later than in the other tests
}

func (s session) run(want int, line ...string) string {
	s.t.Helper()
	stdout, stderr, code := callAt(s.t, s.later, "", append(line, "--store", s.store)...)
	if code != want {
		s.t.Fatalf("%q: exit %d, want %d\n%s%s", line, code, want, stdout, stderr)
	}
	return stdout + stderr
}

func TestApprovedFindingIsCleanFromThenOn(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	event := filepath.Join("..", "..", "events", "public.json")
	s.run(exitDrift, "audit", event)
	again := s.run(exitDrift, "audit", event)
	if strings.Contains(again, "opened") {
		t.Errorf("the second audit of the same event announces it again:\n%s", again)
	}
	list := s.run(exitClean, "findings", "list")
	id, _, _ := strings.Cut(list, " ")
	if got := s.run(exitClean, "findings", "show", id[:6]); !strings.Contains(got, "orders") {
		t.Errorf("findings show: %s", got)
	}
	s.run(exitUsage, "baseline", "approve", id, "--expires", "2020-01-01")
	s.run(exitClean, "baseline", "approve", id, "--by", "alice", "--reason", "public by design", "--ticket", "SEC-1")
	s.run(exitClean, "audit", event)
	if list := s.run(exitClean, "findings", "list"); !strings.HasPrefix(list, "no findings in ") {
		t.Errorf("findings are still open: %s", list)
	}
	if got := s.run(exitClean, "baseline", "list"); !strings.Contains(got, "function:orders  1 place, 1 approval") {
		t.Errorf("baseline list: %s", got)
	}
	got := s.run(exitClean, "baseline", "show", "arn:aws:lambda:us-east-1:111122223333:function:orders")
	if !strings.Contains(got, "approved by alice on 2026-11-23: public by design, ticket SEC-1") {
		t.Errorf("baseline show: %s", got)
	}
}

// To approve once more makes no limited approval an unlimited one.
func TestApprovingAgainKeepsTheEnd(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	s.run(exitDrift, "audit", filepath.Join("..", "..", "events", "public.json"))
	id, _, _ := strings.Cut(s.run(exitClean, "findings", "list"), " ")
	s.run(exitClean, "baseline", "approve", id, "--by", "alice", "--reason", "a trial", "--ticket", "SEC-12", "--expires", "2027-03-01")
	s.run(exitClean, "baseline", "approve", id, "--by", "bob")
	show := func() string {
		return s.run(exitClean, "baseline", "show", "arn:aws:lambda:us-east-1:111122223333:function:orders")
	}
	if got := show(); !strings.Contains(got, "approved by bob") || !strings.Contains(got, "a trial, ticket SEC-12, until 2027-03-01") {
		t.Errorf("after a second approval: %s", got)
	}
	s.run(exitClean, "baseline", "approve", id, "--reason", "for good", "--expires", "2028-01-01")
	if got := show(); !strings.Contains(got, "for good, ticket SEC-12, until 2028-01-01") {
		t.Errorf("after a third: %s", got)
	}
}

func TestApproveOfALossTakesItOutOfTheBaseline(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	added := filepath.Join("..", "..", "events", "scoped-s3.json")
	removed := filepath.Join("..", "..", "events", "remove-permission.json")
	s.run(exitDrift, "audit", added)
	id, _, _ := strings.Cut(s.run(exitClean, "findings", "list"), " ")
	s.run(exitClean, "baseline", "approve", id)
	s.run(exitDrift, "audit", removed)
	list := s.run(exitClean, "findings", "list")
	if !strings.Contains(list, "policy-narrowed") {
		t.Fatalf("the loss is no finding: %s", list)
	}
	id, _, _ = strings.Cut(list, " ")
	s.run(exitClean, "baseline", "approve", id)
	s.run(exitClean, "audit", removed)
}

// only is the id of the one finding that a list shows.
func only(t *testing.T, list, kind string) string {
	t.Helper()
	if strings.Count(list, "\n") != 1 || !strings.Contains(list, " "+kind+" ") {
		t.Fatalf("not one finding of the kind %s:\n%s", kind, list)
	}
	id, _, _ := strings.Cut(list, " ")
	return id
}

func TestApprovalThatExpiresMakesAFindingAgain(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	event := filepath.Join("..", "..", "events", "public.json")
	s.run(exitDrift, "audit", event)
	s.run(exitClean, "baseline", "approve", only(t, s.run(exitClean, "findings", "list"), "policy-widened"), "--by", "alice", "--expires", "2026-11-23T18:00:01Z")
	s.run(exitClean, "audit", event) // the clock of the tests stands at 18:00:00
	s.later = 2 * time.Second
	got := s.run(exitDrift, "audit", event)
	for _, want := range []string{"anyone may now invoke orders, again", "the approval of alice ended on 2026-11-23", "note     It was approved, and is not any more"} {
		if !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestConfigurationIsApprovedAndRevoked takes a URL, an event source, a role and
// a layer through approval, and back.
func TestConfigurationIsApprovedAndRevoked(t *testing.T) {
	for _, c := range []struct{ event, kind, subject, approved, told string }{
		{"function-url-created", "url-opened", "function:orders", "function URL, AuthType NONE, CORS origins *", "orders has a function URL that nobody approved"},
		{"event-source-added", "event-source-added", "function:payments", "event source arn:aws:sqs:us-east-1:444455556666:commands", "an event source in another account was added to payments"},
		{"execution-role-replaced", "role-replaced", "function:orders", "execution role arn:aws:iam::111122223333:role/administrator", "the execution role of orders was replaced"},
		{"layer-public", "layer-shared", "layer:pricing:3", `"Action":"lambda:GetLayerVersion"`, "anyone may now read version 3 of layer pricing"},
	} {
		t.Run(c.event, func(t *testing.T) {
			s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
			event, arn := filepath.Join("..", "..", "events", c.event+".json"), "arn:aws:lambda:us-east-1:111122223333:"+c.subject
			if got := s.run(exitDrift, "audit", event); !strings.Contains(got, c.told) {
				t.Errorf("the audit does not say %q:\n%s", c.told, got)
			}
			id := only(t, s.run(exitClean, "findings", "list", "--all"), c.kind)
			if got := s.run(exitClean, "baseline", "approve", id, "--by", "alice"); !strings.Contains(got, "is approved: ") || !strings.Contains(got, c.approved) {
				t.Errorf("approve says %s", got)
			}
			s.run(exitClean, "audit", event)
			got := s.run(exitClean, "baseline", "show", arn)
			if !strings.Contains(got, "  1. ") || !strings.Contains(got, c.approved) || strings.Contains(got, "  2. ") {
				t.Errorf("show says %s", got)
			}
			s.run(exitUsage, "baseline", "revoke", arn)
			s.run(exitUsage, "baseline", "revoke", arn, "2")
			s.run(exitUsage, "baseline", "revoke", arn, "0")
			s.run(exitUsage, "baseline", "revoke", id, "1")
			s.run(exitClean, "baseline", "revoke", arn, "1", "--by", "bob", "--reason", "a mistake")
			if c.kind == "role-replaced" {
				return // one event is told once; that no role is approved any more is said by revoke
			}
			s.run(exitDrift, "audit", event)
			if got := only(t, s.run(exitClean, "findings", "list"), c.kind); got != id {
				t.Errorf("%s is open after the revocation, not %s", got, id)
			}
			s.run(exitClean, "baseline", "approve", id)
			s.run(exitClean, "baseline", "revoke", id)
			s.run(exitDrift, "audit", event)
			if got := s.run(exitFailed, "baseline", "revoke", id); !strings.Contains(got, "not found") {
				t.Errorf("a second revocation says %s", got)
			}
		})
	}
}

func TestLastRoleRevokedIsSaid(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	s.run(exitDrift, "audit", filepath.Join("..", "..", "events", "execution-role-replaced.json"))
	id := only(t, s.run(exitClean, "findings", "list", "--all"), "role-replaced")
	s.run(exitClean, "baseline", "approve", id)
	if got := s.run(exitClean, "baseline", "revoke", id); !strings.Contains(got, "no execution role of") {
		t.Errorf("revoke says %s", got)
	}
}

func TestRevokeOfAnotherURLTakesNothing(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	file := filepath.Join("..", "..", "events", "function-url-created.json")
	event, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.run(exitDrift, "audit", file)
	s.run(exitClean, "baseline", "approve", only(t, s.run(exitClean, "findings", "list"), "url-opened"))
	wider := filepath.Join(t.TempDir(), "wider.json")
	text := string(event)
	for _, change := range [][2]string{{`"cors": {`, `"cors": {"allowCredentials": true,`}, {"CreateFunctionUrlConfig", "UpdateFunctionUrlConfig"}, {"EXAMPLE00008", "EXAMPLE00999"}} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("the event has no %s", change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	if err := os.WriteFile(wider, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(exitDrift, "audit", wider)
	id := only(t, s.run(exitClean, "findings", "list"), "url-opened")
	s.run(exitFailed, "baseline", "revoke", id)
	s.run(exitClean, "baseline", "approve", id)
	if got := s.run(exitClean, "baseline", "show", "arn:aws:lambda:us-east-1:111122223333:function:orders"); strings.Contains(got, "  2. ") {
		t.Errorf("the approval of the URL before is still there: %s", got)
	}
}

func TestFindingAboutACallIsOnlyAcknowledged(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	event := filepath.Join("..", "..", "events", "trail-stopped.json")
	s.run(exitDrift, "audit", event)
	id := only(t, s.run(exitClean, "findings", "list"), "audit-blinded")
	s.run(exitUsage, "baseline", "approve", id, "--expires", "2027-01-01")
	s.run(exitClean, "baseline", "approve", id, "--by", "alice", "--reason", "the trail was moved", "--ticket", "SEC-7")
	if got := s.run(exitClean, "findings", "show", id); !strings.Contains(got, "APPROVED: somebody switched off") || !strings.Contains(got, "alice took note of it on 2026-11-23: the trail was moved, ticket SEC-7") {
		t.Errorf("findings show: %s", got)
	}
	s.run(exitClean, "audit", event)
	if got := s.run(exitClean, "baseline", "list"); got != "" {
		t.Errorf("the baseline was written: %s", got)
	}
	if got := s.run(exitFailed, "baseline", "revoke", id); !strings.Contains(got, "has no approval") {
		t.Errorf("revoke says %s", got)
	}
}

func TestWhatCouldNotBeReadCannotBeApproved(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	s.run(exitUnknown, "audit", filepath.Join("..", "..", "events", "remove-permission.json"))
	id := only(t, s.run(exitClean, "findings", "list"), "unreadable-change")
	if got := s.run(exitFailed, "baseline", "approve", id); !strings.Contains(got, "could not be read") {
		t.Errorf("approve says %s", got)
	}
}

func TestSuppressedFindingStaysVisibleAndComesBack(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	event := filepath.Join("..", "..", "events", "public.json")
	s.run(exitDrift, "audit", event)
	id := only(t, s.run(exitClean, "findings", "list"), "policy-widened")
	for _, line := range [][]string{
		{"--until", "2026-12-31"},
		{"--reason", "load test"},
		{"--reason", "load test", "--until", "2026-11-01"},
		{"--reason", "load test", "--until", "2027-11-24"},
		{"--reason", "load test", "--until", "soon"},
	} {
		s.run(exitUsage, append([]string{"findings", "suppress", id}, line...)...)
	}
	s.run(exitFailed, "findings", "unsuppress", id)
	got := s.run(exitClean, "findings", "suppress", id, "--by", "alice", "--reason", "load test", "--ticket", "SEC-3", "--until", "2026-12-01")
	if !strings.Contains(got, "CRITICAL, SUPPRESSED  anyone may invoke orders; suppressed until 2026-12-01") || !strings.Contains(got, "load test, ticket SEC-3") {
		t.Errorf("suppress says %s", got)
	}
	if got := s.run(exitClean, "audit", event); got != "1 event: no findings, 1 suppressed\n" {
		t.Errorf("the audit of a suppressed finding says %s", got)
	}
	if got := s.run(exitClean, "audit", event, "--format", "json"); !strings.Contains(got, `"status":"suppressed"`) {
		t.Errorf("its JSON says %s", got)
	}
	if got := s.run(exitClean, "findings", "list"); !strings.Contains(got, "  suppressed ") || !strings.Contains(got, "suppressed by alice until 2026-12-01") {
		t.Errorf("findings list: %s", got)
	}
	s.run(exitClean, "findings", "suppress", id, "--reason", "longer", "--until", "2027-01-01")
	if got := s.run(exitClean, "findings", "unsuppress", id, "--by", "bob", "--reason", "the test is over"); !strings.Contains(got, "anyone may now invoke orders, again") || !strings.Contains(got, "bob ended the suppression: the test is over") {
		t.Errorf("unsuppress says %s", got)
	}
	s.run(exitDrift, "audit", event)

	s.run(exitClean, "findings", "suppress", id, "--by", "alice", "--reason", "load test", "--until", "2026-11-24")
	s.later = 24 * time.Hour
	if got := s.run(exitDrift, "audit", event); !strings.Contains(got, "again") || !strings.Contains(got, "the suppression of alice (load test) is over") {
		t.Errorf("when the suppression is over, the audit says %s", got)
	}
	s.run(exitClean, "baseline", "approve", id)
	s.run(exitFailed, "findings", "suppress", id, "--reason", "it is approved", "--until", "2026-12-31")
}

func TestFindingsListFilters(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	for _, event := range []string{"public", "scoped-s3", "execution-role-replaced"} {
		s.run(exitDrift, "audit", filepath.Join("..", "..", "events", event+".json"))
	}
	for want, lines := range map[int][][]string{
		0: {{"--status", "resolved"}, {"--subject", "arn:aws:lambda:us-east-1:111122223333:function:nothing"}},
		1: {{"--severity", "high"}, {"--status", "transient"}, {"--subject", "arn:aws:lambda:us-east-1:111122223333:function:ingest"}},
		2: {{}, {"--status", "open"}, {"--severity", "low"}},
		3: {{"--all"}, {"--status", "open,transient"}, {"--all", "--severity", "informational"}},
	} {
		for _, line := range lines {
			got := s.run(exitClean, append([]string{"findings", "list"}, line...)...)
			if n := strings.Count(got, "arn:aws:"); n != want {
				t.Errorf("%q lists %d, want %d:\n%s", line, n, want, got)
			}
		}
	}
	s.run(exitUsage, "findings", "list", "--status", "closed")
	s.run(exitUsage, "findings", "list", "--severity", "bad")
}

func TestModeIsOffUntilSomebodySetsIt(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	if got := s.run(exitClean, "baseline", "mode"); got != "off\n" {
		t.Errorf("got %q", got)
	}
	s.run(exitUsage, "baseline", "mode", "on")
	s.run(exitDrift, "audit", filepath.Join("..", "..", "events", "public.json"))
	if got := s.run(exitClean, "baseline", "mode", "enforce"); !strings.Contains(got, "1 finding open already") {
		t.Errorf("got %q", got)
	}
	if got := s.run(exitClean, "baseline", "mode"); got != "enforce\n" {
		t.Errorf("got %q", got)
	}
}

func TestUnknownIDsAndSubjectsAreErrors(t *testing.T) {
	s := session{t: t, store: filepath.Join(t.TempDir(), "store.db")}
	if got := s.run(exitFailed, "findings", "list"); !strings.Contains(got, "there is none yet") {
		t.Errorf("a store that is not there: %s", got)
	}
	s.run(exitClean, "audit", filepath.Join("..", "..", "events", "read-only.json"))
	for _, line := range [][]string{
		{"findings", "show", "0123456789"},
		{"baseline", "approve", "0123456789"},
		{"baseline", "show", "arn:aws:lambda:us-east-1:111122223333:function:nothing"},
	} {
		if got := s.run(exitFailed, line...); !strings.Contains(got, "not found") {
			t.Errorf("%q: %s", line, got)
		}
	}
	s.run(exitUsage, "baseline", "show", "orders")
	s.run(exitUsage, "baseline", "show", "arn:aws:lambda:us-east-1:111122223333:layer:pricing")
	s.run(exitUsage, "baseline", "capture")
	s.run(exitUsage, "scan", "--rate", "0")
}

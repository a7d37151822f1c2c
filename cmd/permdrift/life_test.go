package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestDemoShowsTheWholeStory runs the demo as `make demo` does.
func TestDemoShowsTheWholeStory(t *testing.T) {
	stdout, stderr, code := call(t, "", "demo")
	if code != exitClean || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{
		"3 functions captured in memory: 4 statements approved, 0 left out as risky",
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
}

func (s session) run(want int, line ...string) string {
	s.t.Helper()
	stdout, stderr, code := call(s.t, "", append(line, "--store", s.store)...)
	if code != want {
		s.t.Fatalf("%q: exit %d, want %d\n%s%s", line, code, want, stdout, stderr)
	}
	return stdout + stderr
}

func TestApprovedFindingIsCleanFromThenOn(t *testing.T) {
	s := session{t, filepath.Join(t.TempDir(), "store.db")}
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
	if got := s.run(exitClean, "baseline", "list"); !strings.Contains(got, "function:orders  1 place, 1 approved statement") {
		t.Errorf("baseline list: %s", got)
	}
	got := s.run(exitClean, "baseline", "show", "arn:aws:lambda:us-east-1:111122223333:function:orders")
	if !strings.Contains(got, "approved by alice on 2026-11-23: public by design, ticket SEC-1") {
		t.Errorf("baseline show: %s", got)
	}
}

func TestApprovalThatExpiresMakesAFindingAgain(t *testing.T) {
	s := session{t, filepath.Join(t.TempDir(), "store.db")}
	event := filepath.Join("..", "..", "events", "public.json")
	s.run(exitDrift, "audit", event)
	id, _, _ := strings.Cut(s.run(exitClean, "findings", "list"), " ")
	s.run(exitClean, "baseline", "approve", id, "--expires", "2026-11-23T18:00:01Z")
	s.run(exitClean, "audit", event) // the clock of the tests stands at 18:00:00
}

func TestApproveOfALossTakesItOutOfTheBaseline(t *testing.T) {
	s := session{t, filepath.Join(t.TempDir(), "store.db")}
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

func TestModeIsOffUntilSomebodySetsIt(t *testing.T) {
	s := session{t, filepath.Join(t.TempDir(), "store.db")}
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
	s := session{t, filepath.Join(t.TempDir(), "store.db")}
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
	s.run(exitUsage, "baseline", "capture")
	s.run(exitUsage, "scan", "--rate", "0")
}

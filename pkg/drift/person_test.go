package drift_test

import (
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

func TestWhatAPersonDoesToAFinding(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	blinded := drift.Finding{ID: "0123456789abcdef0123", Kind: drift.AuditBlinded, Status: drift.Open, Reason: "StopLogging on audit"}
	if !blinded.AboutCall() || (drift.Finding{Kind: drift.PolicyWidened}).AboutCall() {
		t.Error("which findings are about one call is not told apart")
	}
	noted := drift.Acknowledge(blinded, "alice", "our own move of the trail", "SEC-1", now)
	if noted.Status != drift.Accepted || noted.Reason != "StopLogging on audit; alice took note of it on 2026-11-23: our own move of the trail, ticket SEC-1" {
		t.Errorf("%s: %s", noted.Status, noted.Reason)
	}

	muted := drift.Suppress(drift.Finding{ID: "0123456789abcdef0123", Status: drift.Open, Version: 3},
		drift.Suppression{By: "alice", Reason: "test", At: now, Until: now.AddDate(0, 0, 7)}).Finding
	muted.Version, muted.Pending = 4, nil
	back := drift.Unsuppress(muted, "bob", "the test is over", now)
	f := back.Finding
	if back.Kind != drift.Reopened || f.Status != drift.Open || f.Suppression != nil || len(f.Pending) != 1 ||
		!strings.HasSuffix(f.Pending[0].ID, "-5") || f.Pending[0].Note != "bob ended the suppression: the test is over" {
		t.Errorf("%+v", back)
	}
}

func TestSuppressedFindingIsSilentUntilItsTimeIsOverOrItIsWorse(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	orders := drift.FunctionSubject("", "us-east-1", "111122223333", "orders")
	row := drift.Finding{
		ID: "0123456789abcdef0123", Kind: drift.PolicyWidened, Severity: drift.High, Subject: orders, Status: drift.Suppressed,
		Suppression: &drift.Suppression{By: "alice", Reason: "test", At: now, Until: now.AddDate(0, 0, 7)},
	}
	found := row
	found.Status, found.Suppression = drift.Open, nil
	worse := found
	worse.Severity = drift.Critical
	state := drift.State{Subject: orders, Whole: true}
	for _, c := range []struct {
		name  string
		found []drift.Finding
		at    time.Time
		want  drift.TransitionKind
		then  drift.Status
	}{
		{"there, and the time runs", []drift.Finding{found}, now.AddDate(0, 0, 6), drift.Seen, drift.Suppressed},
		{"there, and the time is over", []drift.Finding{found}, now.AddDate(0, 0, 7), drift.Reopened, drift.Open},
		{"worse, and the time runs", []drift.Finding{worse}, now, drift.Reopened, drift.Open},
		{"gone, and the time runs", nil, now, "", ""},
		{"gone, and the time is over", nil, now.AddDate(0, 0, 7), drift.Seen, drift.Resolved},
	} {
		got := drift.Reconcile(drift.Change{Subject: orders, Operation: drift.Sweep}, []drift.Finding{row}, c.found, state, drift.Context{Now: c.at})
		switch {
		case c.want == "" && len(got) == 0:
		case len(got) != 1 || got[0].Kind != c.want || got[0].Finding.Status != c.then:
			t.Errorf("%s: %+v, want %s and %s", c.name, got, c.want, c.then)
		}
	}
}

package line_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
)

// wantNext takes what was announced since the last time, which has to be this.
func (w *world) wantNext(want ...string) []alert.Message {
	w.t.Helper()
	messages := w.topic.messages()
	w.wantSent(want...)
	if w.topic.forget(); len(messages) != len(want) {
		w.t.FailNow()
	}
	return messages
}

// one is the only message with a transition.
func one(t *testing.T, messages []alert.Message, kind drift.TransitionKind) alert.Message {
	t.Helper()
	for _, m := range messages {
		if m.Transition == kind {
			return m
		}
	}
	t.Fatalf("nothing was %s", kind)
	return alert.Message{}
}

// A finding is opened, seen again in silence, resolved once and reopened.
func TestFindingLives(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, grant("orders", "open", "*"))
	id := w.wantNext("opened policy-widened critical public orders")[0].ID

	for range 3 {
		w.run(owner, grant("orders", "api"+w.clock().Format("150405"), api, source(ourAPI)))
		w.sweep()
	}
	w.topic.forget()
	if row := w.row(id); row.Count != 7 || row.Status != drift.Open || !row.LastSeen.After(row.FirstSeen) {
		t.Errorf("seen three times by events and three times by sweeps: count %d, %s", row.Count, row.Status)
	}

	w.run(mallory, revoke("orders", "", "open"))
	closed := w.wantNext("resolved policy-widened critical public orders")[0]
	if closed.ID != id || !strings.Contains(closed.Note, mallory.caller.ARN) {
		t.Errorf("resolved is %s: %q", closed.ID, closed.Note)
	}
	w.sweep()
	w.sweep()
	w.wantNext()

	w.run(mallory, grant("orders", "again", "*"))
	back := w.wantNext("reopened policy-widened critical public orders")[0]
	if back.ID != id || back.Announcement == closed.Announcement {
		t.Errorf("the same grant under another Sid is %s, not %s", back.ID, id)
	}
	w.run(owner, deleteFunction("orders"))
	w.sweep()
	if got := w.sent(); len(got) == 0 || got[0] != "resolved policy-widened critical public orders" {
		t.Errorf("a function that is deleted: %q", got)
	}
	if row := w.row(id); row.Status != drift.Resolved {
		t.Errorf("the row is %s", row.Status)
	}
}

// A statement that is swapped for another under its Sid is a new finding, linked
// to the one before, and told with the difference.
func TestSwappedStatementIsReplaced(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, grant("orders", "partner", foreign))
	before := w.wantNext("opened policy-widened high external orders")[0]
	w.run(mallory, revoke("orders", "", "partner"), grant("orders", "partner", "*"))
	messages := w.wantNext("replaced policy-widened critical public orders", "resolved policy-widened high external orders")
	m := one(t, messages, drift.Replaced)
	row := w.row(m.ID)
	if m.Replaces != before.ID || row.Replaced == nil || !row.Replaced.Equal(*before.Statement) {
		t.Errorf("it replaces %q, not %s; before: %v", m.Replaces, before.ID, row.Replaced)
	}
}

// A function URL that was found and changes again replaces its finding.
func TestChangedURLIsReplaced(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, createURL("orders", "", "AWS_IAM"))
	before := w.wantNext("opened url-opened low nobody orders")[0]
	w.run(mallory, updateURL("orders", "", "NONE", nil))
	messages := w.wantNext("replaced url-opened medium nobody orders", "resolved url-opened low nobody orders")
	if m := one(t, messages, drift.Replaced); m.Replaces != before.ID {
		t.Errorf("it replaces %q", m.Replaces)
	}
	w.run(mallory, deleteURL("orders", ""))
	w.wantNext("resolved url-opened medium nobody orders")
}

// An approval makes it silent, and its end makes it a finding again.
func TestApprovalEnds(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, grant("orders", "partner", foreign))
	m := w.wantNext("opened policy-widened high external orders")[0]

	until := w.clock().Add(24 * time.Hour)
	w.approve(ordersARN, "", drift.Approval{Statement: *m.Statement, By: "bob", Reason: "a trial", At: w.clock(), Expires: until})
	w.forge(drift.Approve(w.row(m.ID), w.clock())) // as the command line does
	w.sweep()
	w.wantNext()
	w.wantOpen(0)

	w.tick(24 * time.Hour)
	w.sweep()
	back := w.wantNext("reopened policy-widened high external orders")[0]
	if !strings.Contains(back.Reason, "the approval of bob ended on "+until.Format(time.DateOnly)) {
		t.Errorf("the reason does not say whose approval ended: %s", back.Reason)
	}
	w.wantOpen(1)
}

// An approved grant whose approval ends was never a finding before.
func TestApprovalFromTheStartEnds(t *testing.T) {
	w := newWorld(t)
	w.begin()
	w.run(mallory, grant("payments", "partner", foreign))
	m := w.wantNext("opened policy-widened high external payments")[0]
	statement := *m.Statement
	statement.Resource = []string{ordersARN}
	w.approve(ordersARN, "", drift.Approval{Statement: statement, By: "bob", At: w.clock(), Expires: w.clock().Add(time.Hour)})
	w.run(owner, grant("orders", "partner", foreign))
	w.wantNext()
	w.tick(time.Hour)
	w.sweep()
	w.wantNext("opened policy-widened high external orders")
}

// A suppressed finding is silent until its time is over, or it becomes worse.
func TestSuppressionEnds(t *testing.T) {
	suppress := func(t *testing.T, w *world, id string) {
		t.Helper()
		now := w.clock()
		w.forge(drift.Suppress(w.row(id), drift.Suppression{By: "alice", Reason: "known", At: now, Until: now.Add(24 * time.Hour)}).Finding)
		w.sweep() // sends what the command line left to be sent
		if muted := w.wantNext("suppressed policy-widened high external orders")[0]; !strings.Contains(muted.Note, "by alice until") {
			t.Errorf("that it is suppressed was told as %q", muted.Note)
		}
	}
	begin := func(t *testing.T) (*world, string) {
		t.Helper()
		w := newWorld(t)
		w.begin()
		w.run(mallory, grant("orders", "partner", foreign))
		id := w.wantNext("opened policy-widened high external orders")[0].ID
		suppress(t, w, id)
		w.run(mallory, grant("orders", "partner2", foreign)) // the same under another Sid
		w.sweep()
		w.wantNext()
		return w, id
	}
	t.Run("by its time", func(t *testing.T) {
		w, id := begin(t)
		w.tick(24 * time.Hour)
		w.sweep()
		if back := w.wantNext("reopened policy-widened high external orders")[0]; back.ID != id || !strings.Contains(back.Note, "the suppression of alice (known) is over") {
			t.Errorf("reopened says %q", back.Note)
		}
	})
	t.Run("in silence, where it is gone by then", func(t *testing.T) {
		w, id := begin(t)
		w.run(owner, revoke("orders", "", "partner"), revoke("orders", "", "partner2"))
		w.tick(24 * time.Hour)
		w.sweep()
		w.wantNext()
		if row := w.row(id); row.Status != drift.Resolved {
			t.Errorf("the row is %s", row.Status)
		}
	})
}

// A grant that a Deny keeps asleep is told as such, and again when it wakes.
func TestDormantGrantWakes(t *testing.T) {
	w := newWorld(t)
	denied := strings.Replace(allowAnyone, `"Sid":"open","Effect":"Allow"`, `"Sid":"shut","Effect":"Deny"`, 1)
	w.begin(put(ordersARN, denied))
	w.run(mallory, put(ordersARN, denied, allowAnyone))
	id := w.wantNext("opened policy-widened informational nobody orders")[0].ID
	w.run(mallory, revoke("orders", "", "shut"))
	messages := w.wantNext("reopened policy-widened critical public orders", "opened policy-widened low nobody orders")
	if back := one(t, messages, drift.Reopened); back.ID != id || !strings.Contains(back.Note, "worse") {
		t.Errorf("what woke is %s: %q", back.ID, back.Note)
	}
}

// A grant for a URL that is not there is told as left over, and as critical when
// the URL comes.
func TestLeftoverURLGrantOpens(t *testing.T) {
	w := newWorld(t)
	w.begin(createURL("orders", "", "AWS_IAM"))
	w.run(owner, deleteURL("orders", ""))
	w.wantNext("opened policy-narrowed medium nobody orders")
	w.run(mallory, grant("orders", "u", "*", throughURL("NONE")), grant("orders", "f", "*", onlyURL))
	for _, m := range w.wantNext("opened policy-widened medium public orders", "opened policy-widened medium public orders") {
		if !strings.Contains(m.Reason, "left over") {
			t.Errorf("the reason does not say that the grant is left over: %s", m.Reason)
		}
	}
	w.run(mallory, createURL("orders", "", "NONE"))
	w.wantNext("opened url-opened critical public orders", "reopened policy-widened critical public orders", "reopened policy-widened critical public orders",
		"resolved policy-narrowed medium nobody orders")
	w.run(owner, deleteURL("orders", ""))
	w.sweep()
	got := w.sent()
	for _, line := range got {
		if strings.Contains(line, "resolved policy-widened") {
			t.Errorf("the grants stand, and were told as gone: %q", got)
		}
	}
	w.wantOpen(3) // both grants, and the approved URL that is gone
}

// Access that somebody needs and that is gone is told with how to restore it:
// medium where it stops events.
func TestNarrowedAccessIsToldWithItsRestore(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  []step
		after   []step
		want    string
		restore []string
	}{
		{
			name: "a trigger", before: []step{grant("orders", "uploads", s3, source(bucket), sourceAccount(account), at("live"))}, after: []step{revoke("orders", "live", "uploads")},
			want:    "policy-narrowed medium nobody orders:live",
			restore: []string{"aws lambda add-permission", "--statement-id uploads", "--qualifier live", "--principal s3.amazonaws.com", "--source-account 111122223333", "--source-arn " + bucket},
		},
		{
			name: "a caller", before: []step{grant("orders", "ci", rolePrefix+"ci")}, after: []step{revoke("orders", "", "ci")},
			want: "policy-narrowed low nobody orders", restore: []string{"aws lambda add-permission", "--principal " + rolePrefix + "ci"},
		},
		{
			name: "the whole document", before: []step{put(ordersARN, allowOurRoot)}, after: []step{clearPolicy(ordersARN)},
			want: "policy-narrowed low nobody orders", restore: []string{"aws lambda add-permission", "--statement-id root"},
		},
		{
			name: "a mapping", before: []step{feed("orders", ourQueue)}, after: []step{unfeed(ourQueue)},
			want: "policy-narrowed medium nobody orders", restore: []string{"aws lambda create-event-source-mapping", "--event-source-arn " + ourQueue},
		},
		{
			name: "a mapping that is switched off", before: []step{feed("orders", ourQueue)}, after: []step{enable(ourQueue, false)},
			want: "policy-narrowed medium nobody orders", restore: []string{"aws lambda update-event-source-mapping", "--enabled"},
		},
		{
			name: "a URL", before: []step{createURL("orders", "live", "AWS_IAM")}, after: []step{deleteURL("orders", "live")},
			want: "policy-narrowed medium nobody orders:live", restore: []string{"aws lambda create-function-url-config", "--qualifier live", "--auth-type AWS_IAM"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.begin(c.before...)
			w.run(owner, c.after...)
			m := w.wantNext("opened " + c.want)[0]
			for _, words := range c.restore {
				if !strings.Contains(m.Remediate, words) {
					t.Errorf("the command to restore it lacks %q: %s", words, m.Remediate)
				}
			}
			w.sweep()
			w.wantNext()
			switch c.name {
			case "a mapping that is switched off":
				w.run(owner, enable(ourQueue, true))
			default:
				w.run(owner, c.before...)
			}
			w.sweep()
			w.wantNext("resolved " + c.want)
			w.wantOpen(0)
		})
	}
}

// A mapping that is made again in one go is told as gone and back.
func TestMappingMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.begin(feed("orders", ourQueue))
	w.run(owner, unfeed(ourQueue), feed("orders", ourQueue))
	w.wantNext("opened policy-narrowed medium nobody orders", "resolved policy-narrowed medium nobody orders")
}

// A role that is put back resolves its finding.
func TestRoleBackIsResolved(t *testing.T) {
	w := newWorld(t)
	w.iam.allow("administrator", "*", "*")
	w.begin()
	w.run(mallory, setRole("orders", "administrator"))
	m := w.wantNext("opened role-replaced critical orders")[0]
	if !strings.Contains(m.Remediate, "update-function-configuration") || !strings.Contains(m.Remediate, rolePrefix+"orders") {
		t.Errorf("the command to take it back is %q", m.Remediate)
	}
	w.run(owner, setRole("orders", "orders"))
	w.wantNext("resolved role-replaced critical orders")
}

// An alias that lets in somebody outside and is re-pointed is told, each time once.
func TestAliasRepointed(t *testing.T) {
	w := newWorld(t)
	w.begin(grant("orders", "partner", foreign, at("live")))
	w.run(mallory, deployCode("orders", "v2"), publish("orders"), pointAlias("orders", "live", "2"))
	w.wantNext("transient alias-repointed informational external orders:live")
	w.run(mallory, pointAlias("orders", "live", "1"))
	w.wantNext("transient alias-repointed informational external orders:live")
	w.sweep()
	w.wantNext()
}

// Who owns the function is told, by its tags.
func TestOwnerIsTold(t *testing.T) {
	w := newWorld(t)
	w.begin(tag(ordersARN, "Team", "orders-team"), tag(ordersARN, "aws:cloudformation:stack-name", "shop"))
	w.run(mallory, grant("orders", "open", "*"))
	row := w.row(w.topic.messages()[0].ID)
	if row.Owner != "orders-team" || row.Stack != "shop" {
		t.Errorf("the owner is %q, the stack %q", row.Owner, row.Stack)
	}
}

// CORS of an approved URL that answers more is told: low, since the callers are
// the same, and medium where browsers send their credentials everywhere.
func TestWiderCORSIsTold(t *testing.T) {
	w := newWorld(t)
	w.begin(createURL("orders", "", "AWS_IAM"), updateURL("orders", "", "AWS_IAM", &types.Cors{AllowOrigins: []string{"https://example.com"}}))
	w.run(mallory, updateURL("orders", "", "AWS_IAM", &types.Cors{AllowOrigins: []string{"*"}}))
	w.wantNext("opened url-opened low nobody orders")
	w.run(mallory, updateURL("orders", "", "AWS_IAM", &types.Cors{AllowOrigins: []string{"*"}, AllowCredentials: aws.Bool(true)}))
	w.wantNext("replaced url-opened medium nobody orders", "resolved url-opened low nobody orders")
	w.run(owner, updateURL("orders", "", "AWS_IAM", &types.Cors{AllowOrigins: []string{"https://example.com"}}))
	w.wantNext("resolved url-opened medium nobody orders")
}

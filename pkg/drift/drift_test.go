package drift

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

const orders = Subject("arn:aws:lambda:us-east-1:111122223333:function:orders")

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

var here = Context{Now: noon, Owner: policy.Owner{Organization: "o-exampleorgid"}, Unknown: Strict}

// The statements of the tests, by Sid.
const (
	public  = `{"Sid":"public","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
	own     = `{"Sid":"own","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
	admin   = `{"Sid":"admin","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:*","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
	foreign = `{"Sid":"foreign","Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
	denyAll = `{"Sid":"deny","Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
)

func parse(t testing.TB, texts ...string) policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(texts, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func state(t testing.TB, place Place, texts ...string) State {
	return State{Subject: orders, Policies: map[Place]PlacePolicy{place: {Policy: parse(t, texts...)}}, ReadAt: noon}
}

func baseline(t testing.TB, place Place, texts ...string) Baseline {
	a := Approved{Version: 1}
	for _, s := range parse(t, texts...).Statements {
		a.Approvals = append(a.Approvals, Approval{Statement: s, By: "test", At: noon})
	}
	return Baseline{Subject: orders, Places: map[Place]Approved{place: a}}
}

// brief is a finding on one line.
func brief(f Finding) string {
	return fmt.Sprintf("%s %s %s at %s %v", f.Kind, f.Severity, f.Exposure, f.Place, f.Sids)
}

func briefs(found []Finding) []string {
	list := make([]string, len(found))
	for i, f := range found {
		list[i] = brief(f)
	}
	return list
}

func TestCompare(t *testing.T) {
	expired := baseline(t, "", own)
	expired.Places[""].Approvals[0].Expires = noon
	gap := State{Subject: orders, Gaps: []Gap{{Place: "live", Reason: "GetPolicy was throttled"}}}
	gapWithGrant := state(t, "", public)
	gapWithGrant.Gaps = []Gap{{Reason: "a removal that was never seen"}}
	learn := here
	learn.Unknown, learn.LearnUntil, learn.Seals = Learn, noon.Add(time.Hour), true
	over := learn
	over.LearnUntil = noon
	forever := learn
	forever.LearnUntil = noon.Add(MaxLearn + time.Hour)
	for _, c := range []struct {
		name     string
		state    State
		baseline Baseline
		context  Context
		want     []string
	}{
		{"all approved", state(t, "", own, foreign), baseline(t, "", foreign, own), here, nil},
		{"unknown function", state(t, "", own), Baseline{}, here, []string{"policy-widened low internal at unqualified [own]"}},
		{"administering grant", state(t, "", admin), Baseline{}, here, []string{"policy-widened medium internal at unqualified [admin]"}},
		{"public added", state(t, "", own, public), baseline(t, "", own), here, []string{"policy-widened critical public at unqualified [public]"}},
		{"approved elsewhere", state(t, "live", own), baseline(t, "", own), here, []string{"policy-widened low internal at live [own]"}},
		{"another Sid", state(t, "", strings.Replace(own, `"own"`, `"x"`, 1)), baseline(t, "", own), here, nil},
		{"one statement, two Sids", state(t, "", public, strings.Replace(public, `"public"`, `"x"`, 1)), Baseline{}, here, []string{"policy-widened critical public at unqualified [public x]"}},
		{"statement gone", state(t, ""), baseline(t, "", own), here, []string{"policy-narrowed low nobody at unqualified [own]"}},
		{"Deny gone", state(t, "", foreign), baseline(t, "", foreign, denyAll), here, []string{"policy-widened high external at unqualified [deny]"}},
		{"Deny gone, public remains", state(t, "", public), baseline(t, "", public, denyAll), here, []string{"policy-widened critical public at unqualified [deny]"}},
		{"Deny added", state(t, "", own, denyAll), baseline(t, "", own), here, []string{"policy-narrowed low nobody at unqualified [deny]"}},
		{"approval expired", state(t, "", own), expired, here, []string{"policy-widened low internal at unqualified [own]"}},
		{"place not read", state(t, "live"), baseline(t, "", own), here, nil},
		{"deleted subject", State{Subject: orders, Whole: true}, baseline(t, "", own), here, []string{"policy-narrowed low nobody at unqualified [own]"}},
		{"gap", gap, baseline(t, "live", own), here, []string{"unreadable-change medium unknown at live []"}},
		{"gap hides no grant, and proves no loss", gapWithGrant, baseline(t, "", own), here, []string{"policy-widened critical public at unqualified [public]", "unreadable-change medium unknown at unqualified []"}},
		{"learning adopts own", state(t, "", own), Baseline{}, learn, []string{"policy-widened informational internal at unqualified [own]"}},
		{"learning adopts no foreign", state(t, "", foreign), Baseline{}, learn, []string{"policy-widened high external at unqualified [foreign]"}},
		{"learning adopts no administering", state(t, "", admin), Baseline{}, learn, []string{"policy-widened medium internal at unqualified [admin]"}},
		{"learning is for the unknown only", state(t, "", own), baseline(t, "", foreign), learn, []string{"policy-widened low internal at unqualified [own]", "policy-narrowed low nobody at unqualified [foreign]"}},
		{"learning is over", state(t, "", own), Baseline{}, over, []string{"policy-widened low internal at unqualified [own]"}},
		{"learning without a near end", state(t, "", own), Baseline{}, forever, []string{"policy-widened low internal at unqualified [own]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Compare(Change{Subject: orders}, c.state, c.baseline, c.context)
			if got := briefs(found); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			for _, f := range found {
				if f.ID == "" || f.Reason == "" || f.Status == "" || f.Account != "111122223333" {
					t.Errorf("incomplete: %+v", f)
				}
			}
		})
	}
}

func TestCompareNamesCommands(t *testing.T) {
	f := Compare(Change{}, state(t, "live", public), Baseline{}, here)[0]
	if want := "permdrift baseline approve " + f.ID; f.Approve != want {
		t.Errorf("got %q, want %q", f.Approve, want)
	}
	if want := "aws lambda remove-permission --function-name " + string(orders) + " --qualifier live --statement-id public --region us-east-1"; f.Remediate != want {
		t.Errorf("got %q, want %q", f.Remediate, want)
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"plain-1": "plain-1", "": "''", "a b": "'a b'", "it's; rm": `'it'\''s; rm'`} {
		if got := Quote(word); got != want {
			t.Errorf("Quote(%q) = %s, want %s", word, got, want)
		}
	}
}

func change(t testing.TB, id, statement string) Change {
	s := parse(t, statement).Statements[0]
	return Change{Subject: orders, Operation: AddStatement, Statement: &s, Sid: s.Sid, Event: Event{ID: id, Name: "AddPermission20150331v2", Time: noon.Add(-time.Minute)}}
}

// ledger applies transitions as a store would, and returns what was announced.
type ledger struct {
	rows      map[string]Finding
	announced []string
}

func (l *ledger) observe(found []Finding, s State, c Context) {
	var stored []Finding
	for _, row := range l.rows {
		stored = append(stored, row)
	}
	for _, t := range Reconcile(Change{}, stored, found, s, c) {
		row := t.Finding
		if row.Version != l.rows[row.ID].Version {
			panic("a write based on another version")
		}
		for _, a := range row.Pending {
			l.announced = append(l.announced, string(a.Transition)+" "+strings.Join(row.Sids, " "))
		}
		row.Pending = nil
		row.Version++
		l.rows[row.ID] = row
	}
}

// audit is Compare and Reconcile as the auditor joins them.
func (l *ledger) audit(ch Change, s State, b Baseline, c Context) {
	found := Compare(ch, s, b, c)
	found = append(found, TransientFindings(ch, s, b, nil, c)...)
	l.observe(found, s, c)
}

func TestReconcileLife(t *testing.T) {
	at := func(minutes int) Context {
		c := here
		c.Now = noon.Add(time.Duration(minutes) * time.Minute)
		return c
	}
	none := Baseline{}
	add := change(t, "event-1", public)
	for _, c := range []struct {
		name string
		run  func(l *ledger)
		want []string
	}{
		{"opened once, however often it is delivered", func(l *ledger) {
			l.audit(add, state(t, "", public), none, at(0))
			l.audit(add, state(t, "", public), none, at(1))
			l.audit(Change{Subject: orders, Operation: Sweep}, state(t, "", public), none, at(2))
		}, []string{"opened public"}},
		{"resolved once", func(l *ledger) {
			l.audit(add, state(t, "", public), none, at(0))
			l.audit(Change{}, state(t, ""), none, at(1))
			l.audit(Change{}, state(t, ""), none, at(2))
		}, []string{"opened public", "resolved public"}},
		{"reopened", func(l *ledger) {
			l.audit(add, state(t, "", public), none, at(0))
			l.audit(Change{}, state(t, ""), none, at(1))
			l.audit(change(t, "event-2", public), state(t, "", public), none, at(2))
		}, []string{"opened public", "resolved public", "reopened public"}},
		{"the event late, after add and removal were seen", func(l *ledger) {
			l.audit(add, state(t, "", public), none, at(0))
			l.audit(Change{}, state(t, ""), none, at(1))
			l.audit(add, state(t, ""), none, at(10))
		}, []string{"opened public", "resolved public"}},
		{"gone before it was read", func(l *ledger) {
			l.audit(add, state(t, ""), none, at(5))
			l.audit(add, state(t, ""), none, at(6))
		}, []string{"transient public"}},
		{"gone before it was read, twice", func(l *ledger) {
			l.audit(add, state(t, ""), none, at(5))
			again := change(t, "event-2", public)
			again.Event.Time = noon.Add(10 * time.Minute)
			l.audit(again, state(t, ""), none, at(15))
		}, []string{"transient public", "transient public"}},
		{"gone before it was read, but approved", func(l *ledger) {
			l.audit(add, state(t, ""), baseline(t, "", public), at(5))
		}, []string{"opened public"}}, // the narrowed one: the baseline's statement is not there
		{"a transient one that comes to stay", func(l *ledger) {
			l.audit(add, state(t, ""), none, at(5))
			l.audit(Change{}, state(t, "", public), none, at(6))
		}, []string{"transient public", "reopened public"}},
		{"the statement under a Sid swapped", func(l *ledger) {
			l.audit(Change{}, state(t, "", own), none, at(0))
			l.audit(Change{}, state(t, "", strings.Replace(public, `"public"`, `"own"`, 1)), none, at(1))
		}, []string{"opened own", "replaced own", "resolved own"}},
		{"another place resolves nothing", func(l *ledger) {
			l.audit(add, state(t, "", public), none, at(0))
			l.audit(Change{}, state(t, "live"), none, at(1))
		}, []string{"opened public"}},
		{"a gap resolves nothing, and is resolved by a read", func(l *ledger) {
			l.audit(add, state(t, "", public), none, at(0))
			l.audit(Change{}, State{Subject: orders, Gaps: []Gap{{Reason: "throttled"}}}, none, at(1))
			l.audit(Change{}, state(t, "", public), none, at(2))
		}, []string{"opened public", "opened ", "resolved "}},
		{"the place deleted", func(l *ledger) {
			l.audit(Change{}, state(t, "live", public), none, at(0))
			l.audit(Change{}, State{Subject: orders, Policies: map[Place]PlacePolicy{"": {}}, Whole: true}, none, at(1))
		}, []string{"opened public", "resolved public"}},
		{"learned, then the end of learning", func(l *ledger) {
			c := at(0)
			c.Unknown, c.LearnUntil, c.Seals = Learn, noon.Add(time.Hour), true
			l.audit(change(t, "e", own), state(t, "", own), none, c)
			c.Now = noon.Add(2 * time.Hour)
			l.audit(Change{}, state(t, "", own), none, c)
		}, []string{"reopened own"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &ledger{rows: make(map[string]Finding)}
			c.run(l)
			if !slices.Equal(l.announced, c.want) {
				t.Errorf("announced %q, want %q", l.announced, c.want)
			}
		})
	}
}

func TestReconcileKeepsRemediatedAndApproved(t *testing.T) {
	l := &ledger{rows: make(map[string]Finding)}
	l.audit(change(t, "event-1", public), state(t, "", public), Baseline{}, here)
	for id, row := range l.rows {
		row = Remediate(row, "aws lambda add-permission …", "", noon).Finding
		row.Pending = nil
		l.rows[id] = row
	}
	l.announced = nil
	l.audit(Change{Event: Event{ID: "ours"}}, state(t, ""), Baseline{}, here)
	if len(l.announced) != 0 {
		t.Errorf("announced %q after the removal by the remediator", l.announced)
	}
	l.audit(change(t, "event-3", public), state(t, "", public), Baseline{}, here)
	if want := []string{"reopened public"}; !slices.Equal(l.announced, want) {
		t.Errorf("announced %q, want %q", l.announced, want)
	}
}

func TestAnnouncementIDsDifferAndRepeat(t *testing.T) {
	f := Finding{ID: "f", Version: 3}
	a, b := Refuse(f, "x", noon).Finding.Pending[0], Refuse(f, "x", noon).Finding.Pending[0]
	if a.ID != b.ID || a.ID != "f-4" {
		t.Errorf("got %q and %q, want f-4 twice", a.ID, b.ID)
	}
}

func TestRebuild(t *testing.T) {
	remove := func(sid string) Change {
		return Change{Subject: orders, Operation: RemoveStatement, Sid: sid, Event: Event{Name: "RemovePermission20150331v2"}}
	}
	both := parse(t, own, foreign)
	for _, c := range []struct {
		name    string
		before  State
		changes []Change
		sids    []string
		gaps    int
	}{
		{"added to nothing", State{}, []Change{change(t, "1", public)}, []string{"public"}, 0},
		{"added to what is there", state(t, "", own), []Change{change(t, "1", public)}, []string{"own", "public"}, 0},
		{"removed", state(t, "", own, public), []Change{remove("public")}, []string{"own"}, 0},
		{"removed what was never seen", state(t, "", own), []Change{remove("x")}, []string{"own"}, 1},
		{"put", state(t, "", public), []Change{{Operation: PutPolicy, Policy: &both}}, []string{"own", "foreign"}, 0},
		{"put something unreadable", state(t, "", public), []Change{{Operation: PutPolicy, Problem: "line 1"}}, []string{"public"}, 1},
		{"put closes a gap", state(t, ""), []Change{remove("x"), {Operation: PutPolicy, Policy: &both}}, []string{"own", "foreign"}, 0},
		{"policy deleted", state(t, "", public), []Change{{Operation: DeletePolicy}}, nil, 0},
		{"function deleted", state(t, "", public), []Change{{Operation: DeleteSubject}}, nil, 0},
		{"outcome unknown", state(t, "", own), []Change{{Operation: AddStatement, OutcomeUnknown: true}}, []string{"own"}, 1},
		{"code", state(t, "", own), []Change{{Operation: UpdateCode}}, []string{"own"}, 0},
		{"a role that is not said", state(t, "", own), []Change{{Operation: Configure}}, []string{"own"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := c.before
			for _, ch := range c.changes {
				ch.Subject = orders
				after = Rebuild(after, ch)
			}
			var sids []string
			for _, s := range after.Policies[Unqualified].Policy.Statements {
				sids = append(sids, s.Sid)
			}
			if !slices.Equal(sids, c.sids) || len(after.Gaps) != c.gaps {
				t.Errorf("got %q and %d gaps, want %q and %d", sids, len(after.Gaps), c.sids, c.gaps)
			}
		})
	}
}

func TestReflects(t *testing.T) {
	put := parse(t, own)
	for _, c := range []struct {
		name   string
		state  State
		change Change
		want   bool
	}{
		{"added and there", state(t, "", public), change(t, "1", public), true},
		{"added and not there yet", state(t, "", own), change(t, "1", public), false},
		{"removed and gone", state(t, "", own), Change{Operation: RemoveStatement, Sid: "public"}, true},
		{"removed and still there", state(t, "", public), Change{Operation: RemoveStatement, Sid: "public"}, false},
		{"put and there", state(t, "", own), Change{Operation: PutPolicy, Policy: &put}, true},
		{"put and not there yet", state(t, "", own, public), Change{Operation: PutPolicy, Policy: &put}, false},
		{"deleted and still there", state(t, "", own), Change{Operation: DeletePolicy}, false},
		{"failed with ServiceException", state(t, ""), Change{Operation: DeletePolicy, OutcomeUnknown: true}, true},
		{"another place", state(t, "live"), change(t, "1", public), true},
		{"sweep", state(t, "", own), Change{Operation: Sweep}, true},
	} {
		if got := Reflects(c.state, c.change); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestSubjects(t *testing.T) {
	for _, c := range []struct {
		arn, kind, name, account string
	}{
		{"arn:aws:lambda:us-east-1:111122223333:function:orders", "function", "orders", "111122223333"},
		{"arn:aws:lambda:us-east-1:111122223333:layer:tools:3", "layer-version", "tools:3", "111122223333"},
		{"arn:aws:iam::111122223333:role/deploy", "role", "deploy", "111122223333"},
		{"arn:aws:iam::111122223333:root", "account", "root", "111122223333"},
		{"arn:aws:iam::aws:policy/AdministratorAccess", "policy", "AdministratorAccess", "aws"},
		{"garbage", "other", "", ""},
	} {
		s := Subject(c.arn)
		if string(s.Kind()) != c.kind || s.Name() != c.name || s.Account() != c.account {
			t.Errorf("%s: got %s %s %s", c.arn, s.Kind(), s.Name(), s.Account())
		}
	}
	if got := RoleSubject("", "111122223333", "service-role/deploy"); got != "arn:aws:iam::111122223333:role/deploy" {
		t.Errorf("got %s", got)
	}
	for arn, want := range map[string]Place{
		string(orders): "", string(orders) + ":live": "live", string(orders) + ":$LATEST": "", string(orders) + ":7": "7",
	} {
		subject, place, err := ParseFunctionARN(arn)
		if err != nil || subject != orders || place != want {
			t.Errorf("%s: got %s %q %v", arn, subject, place, err)
		}
	}
	if _, _, err := ParseFunctionARN("arn:aws:s3:::bucket"); err == nil {
		t.Error("took a bucket for a function")
	}
}

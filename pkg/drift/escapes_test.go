package drift

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Each test here is a way in which a finding was once lost, doubled or made
// unfit to act on.

// Many principals, each pinned to many values, are megabytes of counterparties.
func TestCounterpartiesAreBounded(t *testing.T) {
	var services, accounts []string
	for i := range 300 {
		services = append(services, fmt.Sprintf(`"service%03d.amazonaws.com"`, i))
		accounts = append(accounts, fmt.Sprintf(`"444455556%03d"`, i))
	}
	wide := `{"Effect":"Allow","Principal":{"Service":[` + strings.Join(services, ",") + `]},"Action":"lambda:InvokeFunction","Resource":"*",
		"Condition":{"StringEquals":{"aws:SourceAccount":[` + strings.Join(accounts, ",") + `]}}}`
	f := Compare(Change{}, state(t, "", wide), Baseline{}, here)[0]
	size := len(strings.Join(f.Counterparties, ""))
	if len(f.Counterparties) != 51 || f.Counterparties[50] != "and 250 more" || size > 30_000 {
		t.Errorf("%d counterparties of %d bytes", len(f.Counterparties), size)
	}
}

// An event that could not be read, delivered again after somebody approved the
// finding or a sweep resolved it, is no news.
func TestUnreadableEventIsNoNewsTwice(t *testing.T) {
	change := Change{Subject: orders, Operation: Unreadable, Problem: "omitted", Event: Event{ID: "e1", Name: "x", Time: noon}}
	for _, status := range []Status{Accepted, Resolved} {
		f := UnreadableFinding(change)
		row := f
		row.Status, row.Version = status, 2
		if got := Reconcile(Change{}, []Finding{row}, []Finding{f}, State{Subject: orders}, here); len(got) != 0 {
			t.Errorf("%s: got %+v", status, got)
		}
	}
	gap := gapFinding(change, orders, Gap{Reason: "throttled"})
	row := gap
	row.Status = Resolved
	if got := Reconcile(Change{}, []Finding{row}, []Finding{gap}, State{Subject: orders}, here); len(got) != 1 || got[0].Kind != Reopened {
		t.Errorf("a gap that is back: got %+v", got)
	}
	change.Event.ID = "" // without an id, nobody knows whether it is the same
	f := UnreadableFinding(change)
	row = f
	row.Status = Resolved
	if got := Reconcile(Change{}, []Finding{row}, []Finding{f}, State{Subject: orders}, here); len(got) != 1 || got[0].Kind != Reopened {
		t.Errorf("an event without an id: got %+v", got)
	}
}

// The second of two transient grants happened before the first was read.
func TestTransientTwiceBeforeTheFirstIsRead(t *testing.T) {
	l := &ledger{rows: make(map[string]Finding)}
	c := here
	c.Now = noon.Add(10 * time.Minute)
	first, second := change(t, "e1", public), change(t, "e2", public)
	second.Event.Time = first.Event.Time.Add(2 * time.Minute)
	l.audit(first, state(t, ""), Baseline{}, c)
	l.audit(second, state(t, ""), Baseline{}, c)
	l.audit(first, state(t, ""), Baseline{}, c)
	l.audit(second, state(t, ""), Baseline{}, c)
	if want := []string{"transient public", "transient public"}; !slices.Equal(l.announced, want) {
		t.Errorf("announced %q, want %q", l.announced, want)
	}
}

func TestTransientFindings(t *testing.T) {
	whole := func(texts ...string) Change {
		p := parse(t, texts...)
		return Change{Subject: orders, Operation: PutPolicy, Policy: &p, Event: Event{ID: "e1", Time: noon}}
	}
	unknown := whole(public)
	unknown.OutcomeUnknown = true
	learn := here
	learn.Unknown, learn.LearnUntil, learn.Seals = Learn, noon.Add(time.Hour), true
	for _, c := range []struct {
		name     string
		change   Change
		state    State
		baseline Baseline
		context  Context
		want     []string
	}{
		{"a statement", change(t, "e1", public), state(t, ""), Baseline{}, here, []string{"public"}},
		{"a statement that stands", change(t, "e1", public), state(t, "", public), Baseline{}, here, nil},
		{"a Deny", change(t, "e1", denyAll), state(t, ""), Baseline{}, here, nil},
		{"a statement beside an approved Deny", change(t, "e1", own), state(t, "", denyAll), baseline(t, "", own, denyAll), here, nil},
		{"a document", whole(public, foreign), state(t, "", own), baseline(t, "", own), here, []string{"public", "foreign"}},
		{"a document without the Deny", whole(own), state(t, "", own, denyAll), baseline(t, "", own, denyAll), here, []string{"deny"}},
		{"a document that stands in part", whole(public, foreign), state(t, "", public), Baseline{}, here, []string{"foreign"}},
		{"a document that was approved", whole(own), state(t, ""), baseline(t, "", own), here, nil},
		{"a document of unknown outcome", unknown, state(t, ""), Baseline{}, here, nil},
		{"a document at another place", whole(public), state(t, "live"), Baseline{}, here, nil},
		{"adopted", whole(own, public), state(t, ""), Baseline{}, learn, []string{"public"}},
		{"nothing claimed", Change{Subject: orders, Operation: PutPolicy}, state(t, ""), Baseline{}, here, nil},
	} {
		var got []string
		for _, f := range TransientFindings(c.change, c.state, c.baseline, nil, c.context) {
			if f.Status != Transient {
				t.Errorf("%s: %s", c.name, f.Status)
			}
			got = append(got, f.Sids...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A statement whose text could not be read is waited for by its Sid.
func TestReflectsUnreadableStatement(t *testing.T) {
	add := Change{Subject: orders, Operation: AddStatement, Sid: "public"}
	if Reflects(state(t, "", own), add) || !Reflects(state(t, "", public), add) || !Reflects(state(t, ""), Change{Operation: AddStatement}) {
		t.Error("not waited for by its Sid")
	}
}

// Only Sids by which RemovePermission finds its statement, and nothing else,
// are named in commands.
func TestRemovable(t *testing.T) {
	for sid, want := range map[string]bool{
		"a": true, "A-1_b.c": true, "--debug": true, strings.Repeat("x", 100): true,
		"": false, ".": false, "..": false, "...": false, "a b": false, "a/b": false, "%2e": false, "é": false, "a\n": false, strings.Repeat("x", 101): false,
	} {
		if got := Removable(sid); got != want {
			t.Errorf("%q: got %v", sid, got)
		}
	}
	f := Compare(Change{}, state(t, "", public, strings.Replace(public, `"public"`, `".."`, 1)), Baseline{}, here)[0]
	if f.Remediate != "" {
		t.Errorf("a person is told to run %s", f.Remediate)
	}
}

// A Sid may look like a flag.
func TestFlag(t *testing.T) {
	if got, want := RemoveCommand(orders, "live", "--debug"), "aws lambda remove-permission --function-name "+string(orders)+" --qualifier live --statement-id=--debug --region us-east-1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What only invokes and is internal is adopted, whatever it looks like else.
func TestAdoption(t *testing.T) {
	learn := here
	learn.Unknown, learn.LearnUntil, learn.Seals = Learn, noon.Add(time.Hour), true
	const resource = `"Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
	for text, want := range map[string]bool{
		`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"LAMBDA:InvokeFunction",` + resource:                                                                    true,
		`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:Invoke*",` + resource:                                                                           true,
		`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:*Function",` + resource:                                                                         false,
		`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["lambda:InvokeFunction","lambda:UpdateFunctionCode"],` + resource:                                      false,
		`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"NotAction":"lambda:DeleteFunction",` + resource:                                                                 false,
		`{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"lambda:InvokeFunction",` + resource:                                                   false,
		`{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",` + resource:                                                            false,
		`{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"lambda:InvokeFunction",` + resource:                                                                 false,
		`{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}},` + resource:                  false,
		`{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"StringEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}},` + resource:          false,
		`{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"ForAllValues:StringEquals":{"aws:PrincipalAccount":"111122223333"}},` + resource:     false,
		`{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}},` + resource: false,
	} {
		f := Compare(Change{}, state(t, "", text), Baseline{}, learn)[0]
		if adopted := f.Status == Accepted; adopted != want {
			t.Errorf("%s\nis %s, %s", text, f.Status, f.Exposure)
		}
	}
}

// An alias may have the name of a place, or of the word for none.
func TestOddAliasesAreApart(t *testing.T) {
	ids := make(map[string]Place)
	for _, place := range []Place{"", "unqualified", "trust", "identity", "boundary"} {
		f := Compare(Change{}, state(t, place, public), baseline(t, "", public), here)
		for _, g := range f {
			if other, ok := ids[g.ID]; ok {
				t.Errorf("%q and %q are one finding", place, other)
			}
			ids[g.ID] = place
			if place == "" || g.Place != place {
				t.Errorf("at %q: %s", place, brief(g))
			}
		}
	}
}

// Of a gap, nothing is concluded: neither that something is gone, nor that a
// grant was transient.
func TestGapsConcludeNothing(t *testing.T) {
	gap := State{Subject: orders, Gaps: []Gap{{All: true, Reason: "throttled"}}, Whole: true}
	row := Compare(Change{}, state(t, "", public), Baseline{}, here)[0]
	found := Compare(Change{}, gap, baseline(t, "", own), here)
	if len(found) != 1 || found[0].Kind != UnreadableChange || found[0].Exposure != policy.Unknown {
		t.Errorf("found %q", briefs(found))
	}
	for _, tr := range Reconcile(Change{}, []Finding{row}, found, gap, here) {
		if tr.Kind == Closed {
			t.Error("resolved by a gap")
		}
	}
	if got := TransientFindings(change(t, "e1", public), gap, Baseline{}, nil, here); len(got) != 0 {
		t.Errorf("transient: %q", briefs(got))
	}
}

// An approved Deny that was narrowed is told as the loss of it, and not as an
// outage too: what is left of it was denied before.
func TestNarrowedDenyTakesNothingAway(t *testing.T) {
	narrowed := strings.Replace(denyAll, `"Sid"`, `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Sid"`, 1)
	found := Compare(Change{Subject: orders}, state(t, "", public, narrowed), baseline(t, "", public, denyAll), here)
	if len(found) != 1 || found[0].Kind != PolicyWidened || found[0].Severity != Critical {
		t.Errorf("got %+v", found)
	}
}

// A mapping that was deleted and made again, under another UUID, is back with
// the event of that, and not only with the next sweep.
func TestMappingMadeAgainIsResolved(t *testing.T) {
	old, made := Mapping{UUID: "old", Source: "arn:aws:sqs:us-east-1:111122223333:commands", Enabled: true}, Mapping{UUID: "new", Source: "arn:aws:sqs:us-east-1:111122223333:commands", Enabled: true}
	row := Finding{ID: "f", Kind: PolicyNarrowed, Status: Open, Subject: orders, Config: &Config{Mapping: &old}, LastSeen: noon}
	at := func(place Place, m Mapping) State {
		return State{Subject: orders, ReadAt: noon, Mappings: map[string]*PlacedMapping{m.UUID: {Mapping: m, Place: place}}}
	}
	disabled := made
	disabled.Enabled = false
	for _, c := range []struct {
		state State
		want  bool
	}{{at("", made), true}, {at("live", made), false}, {at("", disabled), false}} {
		if Settles(c.state, row) != c.want {
			t.Errorf("%+v: settled is not %t", c.state.Mappings, c.want)
		}
	}
}

// A Deny that was removed for some seconds, and is there again under its Sid
// when the state is read, let somebody in meanwhile; an Allow did not.
func TestDenyGoneForSecondsIsTransient(t *testing.T) {
	live, approved := state(t, "", public, denyAll), baseline(t, "", public, denyAll)
	removed := func(sid string) Change {
		return Change{Subject: orders, Operation: RemoveStatement, Sid: sid, Event: Event{ID: "e1", Time: noon}}
	}
	removal, _ := RemovalOf(removed("deny"), State{})
	found := TransientFindings(removed("deny"), live, approved, []Removal{removal}, here)
	if len(found) != 1 || strings.Contains(found[0].Reason, "it stood") || found[0].Kind != PolicyWidened || found[0].Severity != Critical || found[0].Status != Transient || found[0].Statement.Effect != policy.Deny {
		t.Errorf("the Deny: got %+v", found)
	}
	for _, sid := range []string{"public", "never-there"} {
		if found := TransientFindings(removed(sid), live, approved, nil, here); len(found) != 0 {
			t.Errorf("%s: got %+v", sid, found)
		}
	}
}

// A Deny that goes wakes what was adopted behind it, as it does what was approved.
func TestLostDenyIsJudgedByWhatIsAdopted(t *testing.T) {
	b := baseline(t, "", denyAll)
	b.Rules = []Rule{{ID: "deploys", Subjects: "*", Adopt: &Deployer{Issuer: "arn:aws:iam::111122223333:role/deployer", Account: "111122223333", Organization: true}}}
	live := state(t, "", ownOrg)
	statement := live.Policies[""].Policy.Statements[0]
	id := FindingID(orders, "", string(PolicyWidened)+":Allow:"+statement.Key())
	b.Adoptions = map[string]Adoption{id: {Rule: "deploys", Issuer: b.Rules[0].Adopt.Issuer, Event: "e1", At: noon}}
	worst := Informational
	for _, f := range Compare(Change{Subject: orders}, live, b, here) {
		if f.Statement.Effect == policy.Deny && f.Status == Open {
			worst = f.Severity
		}
	}
	if worst != Medium {
		t.Errorf("the loss of the Deny is %s", worst)
	}
}

// An adoption ends with its grant: the same grant by somebody else is a finding.
func TestAdoptionEndsWithItsGrant(t *testing.T) {
	row := Compare(Change{}, state(t, "", own), Baseline{}, here)[0]
	row.Status, row.Adoption, row.LastSeen = Accepted, &Adoption{Rule: "ci"}, noon.Add(-time.Hour)
	got := Reconcile(Change{}, []Finding{row}, nil, state(t, ""), here)
	if len(got) != 1 || got[0].Kind != Seen || got[0].Finding.Status != Resolved || got[0].Finding.Adoption != nil {
		t.Fatalf("got %+v", got)
	}
	back := Reconcile(Change{}, []Finding{got[0].Finding}, Compare(Change{}, state(t, "", own), Baseline{}, here), state(t, "", own), here)
	if len(back) != 1 || back[0].Kind != Reopened {
		t.Errorf("got %+v", back)
	}
	row.LastSeen = noon
	if got := Reconcile(Change{}, []Finding{row}, nil, state(t, ""), here); len(got) != 0 {
		t.Errorf("a read of the same minute ended it: %+v", got)
	}
}

// Who repeats another's statement does not make it his.
func TestRepeatingIsNoAdoption(t *testing.T) {
	row := Compare(change(t, "e1", own), state(t, "", own), Baseline{}, here)[0]
	row.Actor = Actor{ARN: "arn:aws:iam::111122223333:user/mallory"}
	f := row
	f.Status, f.Severity, f.Adoption, f.Event = Accepted, Informational, &Adoption{Rule: "ci", Issuer: "arn:aws:iam::111122223333:role/ci"}, Event{ID: "e2"}
	if got := Reconcile(Change{}, []Finding{row}, []Finding{f}, state(t, "", own), here); len(got) != 1 || got[0].Kind != Seen || got[0].Finding.Status != Open || got[0].Finding.Adoption != nil || got[0].Finding.Severity != Low {
		t.Errorf("got %+v", got)
	}
	row.Event, row.Actor = Event{}, Actor{}
	if got := Reconcile(Change{}, []Finding{row}, []Finding{f}, state(t, "", own), here); len(got) != 1 || got[0].Kind != Closed || got[0].Finding.Status != Accepted {
		t.Errorf("found by a sweep first: %+v", got)
	}
}

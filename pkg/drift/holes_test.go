package drift

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// A role that is gone had the policy that an event gave it.
func TestRightsOfARoleThatIsGoneAreTold(t *testing.T) {
	p := parse(t, everything)
	put := Change{
		Subject: deployRole, Place: Identity, Operation: PutIdentityPolicy, Policy: &p, Detail: map[string]string{"policyName": "x"},
		Event: Event{ID: "e", Name: "PutRolePolicy", Time: noon},
	}
	gone := State{Subject: deployRole, Whole: true, Policies: map[Place]PlacePolicy{}}
	if got := TransientFindings(put, gone, Baseline{}, nil, here); len(got) != 1 || got[0].Severity != Critical || got[0].Status != Transient {
		t.Errorf("got %+v", got)
	}
}

// An inline policy with a Deny was deleted, and is there again when it is read.
func TestDenyOfAPolicyThatWasGoneForAMomentIsTold(t *testing.T) {
	all := documents{[]string{byLambda}, []string{everything, noIAM}, nil}
	removed := Change{
		Subject: deployRole, Place: Identity, Operation: RemoveIdentityPolicy, Detail: map[string]string{"policyName": "p1"},
		Event: Event{ID: "e", Name: "DeleteRolePolicy", Time: noon},
	}
	got := TransientFindings(removed, roleState(t, all), roleBaseline(t, all), nil, here)
	if len(got) != 1 || got[0].Statement == nil || got[0].Statement.Effect != policy.Deny || got[0].Severity != Critical {
		t.Errorf("got %+v", got)
	}
}

// The event does not tell the statement, and the Sid is gone when it is read.
func TestUnreadStatementThatIsGoneAgainIsTold(t *testing.T) {
	add := change(t, "e1", public)
	add.Statement, add.Sid, add.Problem = nil, "x", "it cannot be read"
	got := TransientFindings(add, state(t, ""), Baseline{}, nil, here)
	if len(got) != 1 || got[0].Status != Transient || got[0].Exposure != policy.Unknown || !strings.Contains(got[0].Reason, add.Problem) {
		t.Fatalf("got %+v", got)
	}
	row := got[0]
	row.Version = 1
	if again := Reconcile(add, []Finding{row}, got, state(t, ""), here); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
}

// That a grant was approved once, or suppressed until yesterday, hides none that
// comes and goes now.
func TestTransientAfterAnApprovalOrSuppressionThatIsOver(t *testing.T) {
	add := change(t, "e2", public)
	add.Event.Time = noon
	found := TransientFindings(add, state(t, ""), Baseline{}, nil, here)
	for name, before := range map[string]func(*Finding){
		"approved":                  func(f *Finding) { f.Status, f.ResolvedAt = Accepted, noon.AddDate(0, -1, 0) },
		"adopted":                   func(f *Finding) { f.Status, f.Adoption = Accepted, &Adoption{Rule: "r"} },
		"suppressed till yesterday": func(f *Finding) { f.Status, f.Suppression = Suppressed, &Suppression{Until: noon.AddDate(0, 0, -1)} },
	} {
		row := found[0]
		row.Event = Event{ID: "e1", Name: "AddPermission", Time: noon.AddDate(0, -2, 0)}
		row.Version, row.LastSeen, row.Pending = 3, noon.AddDate(0, -1, 0), nil
		before(&row)
		got := Reconcile(add, []Finding{row}, found, state(t, ""), here)
		if len(got) != 1 || got[0].Kind != Vanished || got[0].Finding.Status != Transient || got[0].Finding.Suppression != nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// A boundary that is a little wider is another finding than none, so that who
// puts up with the one hears of the other, and approves no other than he saw.
func TestBoundaryThatGoesIsNotTheOneThatWasSuppressed(t *testing.T) {
	wide := strings.Replace(limit, `"s3:*"`, `"s3:*","sqs:ListQueues"`, 1)
	queues := `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`
	approved := roleBaseline(t, documents{[]string{byLambda}, []string{logging, queues}, []string{limit}})
	wider := roleState(t, documents{[]string{byLambda}, []string{logging, queues}, []string{wide}})
	none := roleState(t, documents{[]string{byLambda}, []string{logging, queues}, nil})
	sweep := Change{Subject: deployRole, Operation: Sweep, Whole: true}
	first := Reconcile(sweep, nil, Compare(sweep, wider, approved, here), wider, here)
	if len(first) != 1 || first[0].Finding.Kind != BoundaryRemoved {
		t.Fatalf("got %+v", first)
	}
	row := Suppress(first[0].Finding, Suppression{Until: noon.AddDate(1, 0, 0)}).Finding
	if got := Reconcile(sweep, []Finding{row}, Compare(sweep, wider, approved, here), wider, here); len(got) != 1 || got[0].Kind != Seen {
		t.Errorf("the same boundary: got %+v", got)
	}
	if got := Reconcile(sweep, []Finding{row}, Compare(sweep, none, approved, here), none, here); len(got) != 1 || got[0].Kind != Opened {
		t.Errorf("no boundary: got %+v", got)
	}
	if got := Reconcile(sweep, []Finding{first[0].Finding}, Compare(sweep, none, approved, here), none, here); len(got) != 2 || got[0].Kind != Replaced || got[1].Kind != Closed {
		t.Errorf("after an open one: got %+v", got)
	}
}

// A boundary that is wider is told even where nothing that is approved comes to more.
func TestWiderBoundaryIsTold(t *testing.T) {
	wide := strings.Replace(limit, `"s3:*"`, `"s3:*","sqs:*"`, 1)
	waits := `{"Effect":"Allow","Action":["s3:GetObject","sqs:*"],"Resource":"*"}`
	approved := roleBaseline(t, documents{[]string{byLambda}, []string{logging}, []string{limit}})
	for name, c := range map[string]struct {
		identity []string
		want     Severity
	}{
		"nothing waits behind it":  {[]string{logging}, Low},
		"a statement waits for it": {[]string{logging, waits}, Medium},
	} {
		i := slices.IndexFunc(Compare(Change{}, roleState(t, documents{[]string{byLambda}, c.identity, []string{wide}}), approved, here), func(f Finding) bool {
			return f.Kind == BoundaryRemoved && f.Severity == c.want && f.Config != nil
		})
		if i < 0 {
			t.Errorf("%s: it is not told", name)
		}
	}
}

// What a role could do to one function says nothing about another, or all.
func TestReachOfTheSameMethodOnAnotherResourceIsTold(t *testing.T) {
	const a, b = "arn:aws:lambda:us-east-1:111122223333:function:a", "arn:aws:lambda:us-east-1:111122223333:function:b"
	c := here
	c.Reach = func(r Rights, _ string) []Escalation {
		worst := Escalation{Method: "code"}
		for _, name := range []string{a, b, "*"} {
			asked := parse(t, strings.ReplaceAll(`{"Effect":"Allow","Action":"lambda:UpdateFunctionCode","Resource":"X"}`, "X", name))
			if policy.NewAccess(r.Policy, asked, policy.Options{Type: policy.IdentityPolicy}).New {
				continue
			}
			worst.Severity, worst.Reason = Medium, "can change "+name
			if name == "*" {
				worst.Severity = High
			}
		}
		if worst.Severity == "" {
			return nil
		}
		return []Escalation{worst}
	}
	on := func(name string) string {
		return strings.ReplaceAll(`{"Effect":"Allow","Action":"lambda:UpdateFunctionCode","Resource":"X"}`, "X", name)
	}
	approved := roleBaseline(t, documents{[]string{byLambda}, []string{on(a)}, nil})
	for name, want := range map[string]Severity{b: Medium, "*": High} {
		got := Compare(Change{}, roleState(t, documents{[]string{byLambda}, []string{on(a), on(name)}, nil}), approved, c)
		if len(got) != 1 || got[0].Severity != want || !strings.HasSuffix(got[0].Reason, "can change "+name) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	more := `{"Effect":"Allow","Action":["lambda:UpdateFunctionCode","lambda:GetFunction"],"Resource":"` + a + `"}`
	if got := Compare(Change{}, roleState(t, documents{[]string{byLambda}, []string{on(a), more}, nil}), approved, c); len(got) != 1 || got[0].Severity != Low {
		t.Errorf("what it could before, with something harmless: got %+v", got)
	}
}

// That aliases cannot be listed hides nothing of what was read.
func TestGapOfTheListingHidesNothingThatWasRead(t *testing.T) {
	allow, deny := public, strings.Replace(public, `"Allow"`, `"Deny"`, 1)
	s := state(t, "", allow)
	s.URLs, s.Gaps = map[Place]URL{Unqualified: {AuthType: "NONE"}}, []Gap{{All: true, Reason: "ListAliases is refused"}}
	var kinds []FindingKind
	for _, f := range Compare(Change{}, s, baseline(t, "", allow, deny), here) {
		kinds = append(kinds, f.Kind)
	}
	if want := []FindingKind{PolicyWidened, URLOpened, UnreadableChange}; !slices.Equal(kinds, want) {
		t.Errorf("got %q, want %q", kinds, want)
	}
	if s.Covers("live") || s.CoversURL("live") {
		t.Error("a place that was not read counts as covered")
	}
}

func TestTamperingBlindSpots(t *testing.T) {
	own := Own{Stack: "permdrift-security-audit-production-account"}
	trail := func(name string, detail map[string]string) Change {
		return Change{Operation: Blind, Event: Event{ID: "e", Source: "cloudtrail.amazonaws.com", Name: name}, Detail: detail}
	}
	role := func(name string) Change {
		return Change{Subject: RoleSubject("", "111122223333", name), Operation: PutIdentityPolicy, Event: Event{ID: "e", Source: "iam.amazonaws.com", Name: "PutRolePolicy"}}
	}
	for name, c := range map[string]struct {
		change Change
		want   bool
	}{
		"a selector without what begins so": {trail("PutEventSelectors", map[string]string{"advancedEventSelectors": `[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},{"field":"eventSource","notStartsWith":["lambda."]}]}]`}), true},
		"the organization's trail":          {trail("UpdateTrail", map[string]string{"isOrganizationTrail": "false"}), true},
		"a trail that becomes one":          {trail("UpdateTrail", map[string]string{"isOrganizationTrail": "true"}), false},
		"a name that was cut":               {role("permdrift-security-audit-p-AuditorFunctionRole-1A2B3C4D5E6F"), true},
		"the whole name":                    {role("permdrift-security-audit-production-account-AuditorRole-1A2B"), true},
		"another stack":                     {role("permdrift-security-audit-development-SomeFunctionRole-1A2B3C"), false},
		"a stack with a shorter name":       {role("permdrift-security-audit-SomeOtherFunctionRole-1A2B3C4D5E6F"), false},
		"a name that needed no cut":         {role("permdrift-security-audit-p-Role"), false},
	} {
		if f, _ := Tampering(c.change, own); (f != nil) != c.want {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

// Two calls without an event id are two findings, so that who took note of one
// hears of the next.
func TestCallsWithoutAnIDAreToldApart(t *testing.T) {
	stop := Change{Subject: "arn:aws:iam::111122223333:root", Operation: Blind, Event: Event{Source: "cloudtrail.amazonaws.com", Name: "StopLogging", Time: noon}}
	first, _ := Tampering(stop, Own{})
	row := Acknowledge(*first, "someone", "", "", noon)
	stop.Event.Time = noon.Add(time.Hour)
	second, _ := Tampering(stop, Own{})
	if got := Reconcile(stop, []Finding{row}, []Finding{*second}, State{}, here); len(got) != 1 || got[0].Kind != Opened {
		t.Errorf("got %+v", got)
	}
}

// Two mappings from one source, by topic say, are one finding, of the enabled one.
func TestTwoMappingsOfOneSourceAreOneFinding(t *testing.T) {
	mapping := func(id string, enabled bool) *PlacedMapping {
		return &PlacedMapping{Mapping: Mapping{UUID: id, Source: "kafka://broker.example:9092", Enabled: enabled}}
	}
	for name, mappings := range map[string]map[string]*PlacedMapping{
		"the first is enabled":  {"a": mapping("a", true), "b": mapping("b", false)},
		"the second is enabled": {"a": mapping("a", false), "b": mapping("b", true)},
		"both are":              {"a": mapping("a", true), "b": mapping("b", true)},
	} {
		s := State{Subject: orders, ReadAt: noon, Mappings: mappings, Listed: []Aspect{Mappings}}
		if got := Compare(Change{}, s, Baseline{}, here); len(got) != 1 || !got[0].Config.Mapping.Enabled || got[0].Severity != High {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// CORS was opened, and is as before when it is read.
func TestCORSThatWasOpenForAMomentIsTold(t *testing.T) {
	wide := URL{AuthType: "AWS_IAM", CORS: &CORS{AllowOrigins: []string{"*"}, AllowCredentials: true}}
	put := Change{Subject: orders, Operation: PutURL, Config: &Config{URL: &wide}, Event: Event{ID: "e", Name: "UpdateFunctionUrlConfig", Time: noon}}
	s := state(t, "")
	s.URLs = map[Place]URL{Unqualified: {AuthType: "AWS_IAM"}}
	approved := Baseline{Subject: orders, Places: map[Place]Approved{Unqualified: {Approvals: []Approval{{Config: &Config{URL: &URL{AuthType: "AWS_IAM"}}}}}}}
	if got := TransientFindings(put, s, approved, nil, here); len(got) != 1 || got[0].Kind != URLOpened || got[0].Severity != Medium {
		t.Errorf("got %+v", got)
	}
	s.URLs[Unqualified] = wide
	if !Reflects(s, put) {
		t.Error("the URL is as claimed, and counts as stale")
	}
}

// An adoption ends when its grant is taken away, however soon that is: who adds
// the same again is not the deployer.
func TestAdoptionEndsWithARemovalAtOnce(t *testing.T) {
	s := state(t, "")
	s.ReadAt = noon
	row := Finding{
		ID: "f", Kind: PolicyWidened, Status: Accepted, Subject: orders, Sids: []string{"x"}, Adoption: &Adoption{Rule: "r"},
		LastSeen: noon.Add(-time.Minute), Version: 1,
	}
	remove := Change{Subject: orders, Operation: RemoveStatement, Sid: "x", Event: Event{ID: "e", Name: "RemovePermission", Time: noon}}
	if got := Reconcile(remove, []Finding{row}, nil, s, here); len(got) != 1 || got[0].Finding.Status != Resolved || got[0].Finding.Adoption != nil {
		t.Errorf("removed: got %+v", got)
	}
	if got := Reconcile(Change{Subject: orders, Operation: AddStatement}, []Finding{row}, nil, s, here); len(got) != 0 {
		t.Errorf("perhaps read too early: got %+v", got)
	}
}

func TestTamperingOfWhatAStackSetDeployed(t *testing.T) {
	disable := Change{
		Subject: "arn:aws:iam::444455556666:root", Operation: Blind, Event: Event{ID: "e", Source: "events.amazonaws.com", Name: "DisableRule"},
		Detail: map[string]string{"name": "StackSet-permdrift-members-0a1b2c3d-identity"},
	}
	if f, _ := Tampering(disable, Own{Stack: "permdrift"}); f == nil {
		t.Error("it is not told")
	}
}

package drift

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

const (
	urlGrant    = `{"Sid":"url","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}`
	invokeGrant = `{"Sid":"invoke","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`
	roleA       = "arn:aws:iam::111122223333:role/orders"
	roleB       = "arn:aws:iam::111122223333:role/admin"
	stream      = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks"
	theirs      = "arn:aws:sqs:us-east-1:444455556666:queue"
)

// approve is a baseline with parts of the configuration beside its statements.
func (b Baseline) approve(p Place, configs ...Config) Baseline {
	if b.Places == nil {
		b = Baseline{Subject: orders, Places: map[Place]Approved{}}
	}
	a := b.Places[p]
	for i := range configs {
		a.Approvals = append(a.Approvals, Approval{Config: &configs[i], By: "test", At: noon})
	}
	b.Places[p] = a
	return b
}

func TestCompareURLs(t *testing.T) {
	none, iam := URL{AuthType: "NONE"}, URL{AuthType: "AWS_IAM"}
	cors := URL{AuthType: "AWS_IAM", CORS: &CORS{AllowOrigins: []string{"https://www.example.com"}, AllowMethods: []string{"GET"}}}
	wide := URL{AuthType: "AWS_IAM", CORS: &CORS{AllowOrigins: []string{"*"}, AllowMethods: []string{"get"}}}
	credentials := URL{AuthType: "AWS_IAM", CORS: &CORS{AllowOrigins: []string{"*"}, AllowMethods: []string{"GET"}, AllowCredentials: true}}
	respelled := URL{Address: "https://x.example.com/", AuthType: "AWS_IAM", InvokeMode: "RESPONSE_STREAM", CORS: &CORS{AllowOrigins: []string{"https://WWW.example.com", "https://www.example.com"}, AllowMethods: []string{"get"}}}
	both := []string{urlGrant, invokeGrant}
	for _, c := range []struct {
		name     string
		policy   []string
		url      URL
		approved []URL
		want     []string // without those of the policy
	}{
		{"no URL, none approved", nil, URL{}, nil, nil},
		{"approved as it is", nil, iam, []URL{iam}, nil},
		{"approved in another spelling", nil, respelled, []URL{cors}, nil},
		{"open to the internet", both, none, nil, []string{"url-opened critical public at unqualified []"}},
		{"NONE, and only one grant", []string{urlGrant}, none, nil, []string{"url-opened medium nobody at unqualified []"}},
		{"NONE, and no grant yet", nil, none, nil, []string{"url-opened medium nobody at unqualified []"}},
		{"signed callers only, no grant", nil, iam, nil, []string{"url-opened low nobody at unqualified []"}},
		{"AuthType changed to NONE, grants there", both, none, []URL{iam}, []string{"url-opened critical public at unqualified []"}},
		{"AuthType changed to AWS_IAM", nil, iam, []URL{none}, []string{"policy-narrowed low nobody at unqualified []"}},
		{"CORS widened", nil, wide, []URL{cors}, []string{"url-opened low nobody at unqualified []"}},
		{"CORS widened, with credentials to any origin", nil, credentials, []URL{cors}, []string{"url-opened medium nobody at unqualified []"}},
		{"CORS narrowed", nil, cors, []URL{wide}, nil},
		{"CORS removed", nil, iam, []URL{cors}, nil},
		{"gone", nil, URL{}, []URL{iam}, []string{"policy-narrowed medium nobody at unqualified []"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := state(t, "", c.policy...)
			s.URLs = map[Place]URL{"": c.url}
			b := baseline(t, "", c.policy...)
			for _, u := range c.approved {
				b = b.approve("", Config{URL: &u})
			}
			found := Compare(Change{Subject: orders}, s, b, here)
			if got := briefs(found); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			for _, f := range found {
				if f.Config == nil || f.Remediate == "" || f.Approve == "" || f.Reason == "" {
					t.Errorf("incomplete: %+v", f)
				}
			}
		})
	}
}

func TestURLNotReadIsNotJudged(t *testing.T) {
	s := state(t, "")
	b := baseline(t, "").approve("", Config{URL: &URL{AuthType: "NONE"}})
	if found := Compare(Change{}, s, b, here); len(found) != 0 {
		t.Errorf("found %q", briefs(found))
	}
	s.Listed = []Aspect{URLs}
	if got := briefs(Compare(Change{}, s, b, here)); !slices.Equal(got, []string{"policy-narrowed medium nobody at unqualified []"}) {
		t.Errorf("all URLs were listed, and found %q", got)
	}
	s.Gaps = []Gap{{All: true, Aspect: URLs, Reason: "throttled"}}
	if got := briefs(Compare(Change{}, s, b, here)); !slices.Equal(got, []string{"unreadable-change medium unknown at unqualified []"}) {
		t.Errorf("the listing failed, and found %q", got)
	}
}

func TestCompareMappings(t *testing.T) {
	own := func(enabled bool) Mapping { return Mapping{UUID: "u1", Source: stream, Enabled: enabled} }
	for _, c := range []struct {
		name     string
		live     []Mapping
		place    Place
		approved []Mapping
		listed   bool
		want     []string
	}{
		{"none", nil, "", nil, true, nil},
		{"approved", []Mapping{own(true)}, "", []Mapping{own(true)}, true, nil},
		{"made anew from the same source", []Mapping{{UUID: "u2", Source: stream, Enabled: true}}, "", []Mapping{own(true)}, true, nil},
		{"own source", []Mapping{own(true)}, "", nil, true, []string{"event-source-added low internal at unqualified []"}},
		{"own source, disabled", []Mapping{own(false)}, "", nil, true, []string{"event-source-added informational internal at unqualified []"}},
		{"foreign source", []Mapping{{UUID: "u2", Source: theirs, Enabled: true}}, "", nil, true, []string{"event-source-added high external at unqualified []"}},
		{"foreign source, disabled", []Mapping{{UUID: "u2", Source: theirs}}, "", nil, true, []string{"event-source-added medium external at unqualified []"}},
		{"trusted source", []Mapping{{UUID: "u2", Source: strings.Replace(theirs, "444455556666", "555566667777", 1), Enabled: true}}, "", nil, true, []string{"event-source-added medium organization at unqualified []"}},
		{"self-managed source", []Mapping{{UUID: "u2", Source: "kafka://broker.example.com:9092", Enabled: true}}, "", nil, true, []string{"event-source-added high external at unqualified []"}},
		{"approved elsewhere", []Mapping{own(true)}, "live", []Mapping{own(true)}, true, []string{"event-source-added low internal at live []", "policy-narrowed medium nobody at unqualified []"}},
		{"approved as disabled, and enabled", []Mapping{own(true)}, "", []Mapping{own(false)}, true, []string{"event-source-added low internal at unqualified []"}},
		{"disabled", []Mapping{own(false)}, "", []Mapping{own(true)}, true, []string{"policy-narrowed medium nobody at unqualified []"}},
		{"gone", nil, "", []Mapping{own(true)}, true, []string{"policy-narrowed medium nobody at unqualified []"}},
		{"gone, or not read", nil, "", []Mapping{own(true)}, false, nil},
		{"a disabled one gone", nil, "", []Mapping{own(false)}, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := state(t, "")
			s.Mappings = map[string]*PlacedMapping{}
			for _, m := range c.live {
				s.Mappings[m.UUID] = &PlacedMapping{Mapping: m, Place: c.place}
			}
			if c.listed {
				s.Listed = []Aspect{Mappings}
			}
			b := baseline(t, "")
			for _, m := range c.approved {
				b = b.approve("", Config{Mapping: &m})
			}
			trusting := here
			trusting.Owner.TrustedAccounts = []string{"555566667777"}
			if got := briefs(Compare(Change{Subject: orders}, s, b, trusting)); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// One mapping that was read says nothing of the others.
func TestMappingReadAlone(t *testing.T) {
	s := state(t, "")
	s.Mappings = map[string]*PlacedMapping{"u1": nil}
	b := baseline(t, "").approve("", Config{Mapping: &Mapping{UUID: "u1", Source: stream, Enabled: true}}, Config{Mapping: &Mapping{UUID: "u2", Source: theirs, Enabled: true}})
	found := Compare(Change{Subject: orders}, s, b, here)
	if len(found) != 1 || found[0].Kind != PolicyNarrowed || found[0].Config.Mapping.UUID != "u1" || !strings.Contains(found[0].Remediate, "create-event-source-mapping") {
		t.Errorf("found %q %+v", briefs(found), found)
	}
}

func TestCompareRoles(t *testing.T) {
	rights := func(actions ...string) Rights {
		return Rights{Policy: policy.Policy{Version: "2012-10-17", Statements: []policy.Statement{{Effect: policy.Allow, Action: actions, Resource: []string{"*"}}}}}
	}
	bounded := rights("*")
	logs := rights("logs:*").Policy
	bounded.Boundary = &logs
	for _, c := range []struct {
		name     string
		roles    map[Place]string
		rights   map[string]Rights
		approved []string
		want     []string
		reason   string
	}{
		{"approved", map[Place]string{"": roleA}, nil, []string{roleA}, nil, ""},
		{"one of two approved", map[Place]string{"": roleA, "3": roleB}, nil, []string{roleB, roleA}, nil, ""},
		{"none approved", map[Place]string{"": roleB}, nil, nil, nil, ""},
		{"not read", nil, nil, []string{roleA}, nil, ""},
		{"rights not read", map[Place]string{"": roleB}, nil, []string{roleA}, []string{"role-replaced high  at unqualified []"}, "was not read"},
		{"rights refused", map[Place]string{"": roleB}, map[string]Rights{roleA: rights("logs:*"), roleB: {Problem: "GetRole was refused"}}, []string{roleA}, []string{"role-replaced high  at unqualified []"}, "GetRole was refused"},
		{"no more rights", map[Place]string{"": roleB}, map[string]Rights{roleA: rights("logs:*"), roleB: rights("logs:PutLogEvents")}, []string{roleA}, []string{"role-replaced low  at unqualified []"}, "nothing that the approved one may not"},
		{"more rights", map[Place]string{"": roleB}, map[string]Rights{roleA: rights("logs:*"), roleB: rights("logs:*", "dynamodb:*")}, []string{roleA}, []string{"role-replaced high  at unqualified []"}, "dynamodb:"},
		{"administrator", map[Place]string{"": roleB}, map[string]Rights{roleA: rights("logs:*"), roleB: rights("*")}, []string{roleA}, []string{"role-replaced critical  at unqualified []"}, "administrator"},
		{"administrator in a boundary", map[Place]string{"": roleB}, map[string]Rights{roleA: rights("logs:*"), roleB: bounded}, []string{roleA}, []string{"role-replaced low  at unqualified []"}, "nothing that"},
		{"in a version only", map[Place]string{"": roleA, "7": roleB}, map[string]Rights{roleA: rights("logs:*"), roleB: rights("*")}, []string{roleA}, []string{"role-replaced critical  at unqualified []"}, "version 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := state(t, "")
			s.Roles, s.Rights = c.roles, c.rights
			if c.roles != nil {
				s.Listed = []Aspect{Roles}
			}
			b := baseline(t, "")
			for _, role := range c.approved {
				b = b.approve("", Config{Role: role})
			}
			found := Compare(Change{Subject: orders}, s, b, here)
			if got := briefs(found); !slices.Equal(got, c.want) {
				t.Fatalf("got  %q\nwant %q", got, c.want)
			}
			if len(found) == 1 && (!strings.Contains(found[0].Reason, c.reason) || !strings.Contains(found[0].Remediate, "--role "+roleA)) {
				t.Errorf("reason %q, command %q", found[0].Reason, found[0].Remediate)
			}
		})
	}
}

func TestCompareLayer(t *testing.T) {
	const layer = Subject("arn:aws:lambda:us-east-1:111122223333:layer:shared:3")
	statement := func(principal, condition string) string {
		return `{"Sid":"share","Effect":"Allow","Principal":` + principal + `,"Action":"lambda:GetLayerVersion","Resource":"` + string(layer) + `"` + condition + `}`
	}
	for _, c := range []struct{ name, statement, want string }{
		{"everybody", statement(`"*"`, ""), "layer-shared high public at unqualified [share]"},
		{"another account", statement(`{"AWS":"arn:aws:iam::444455556666:root"}`, ""), "layer-shared medium external at unqualified [share]"},
		{"our organization", statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`), "layer-shared low organization at unqualified [share]"},
		{"another organization", statement(`"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-otherorgani"}}`), "layer-shared medium external at unqualified [share]"},
	} {
		s := State{Subject: layer, Whole: true, Policies: map[Place]PlacePolicy{"": {Policy: parse(t, c.statement)}}}
		found := Compare(Change{Subject: layer}, s, Baseline{}, here)
		if got := briefs(found); !slices.Equal(got, []string{c.want}) {
			t.Fatalf("%s: got %q", c.name, got)
		}
		if want := "aws lambda remove-layer-version-permission --layer-name arn:aws:lambda:us-east-1:111122223333:layer:shared --version-number 3 --statement-id share --region us-east-1"; found[0].Remediate != want {
			t.Errorf("%s: got %s", c.name, found[0].Remediate)
		}
	}
}

// A grant that works only through a URL is told for what it is where there is none.
func TestLeftOverGrant(t *testing.T) {
	s := state(t, "", urlGrant)
	found := Compare(Change{}, s, Baseline{}, here)
	if w := Wants(found, s); !slices.Equal(w.URLs, []Place{""}) || !w.Tags {
		t.Errorf("wants %+v", w)
	}
	if found[0].Severity != Critical || strings.Contains(found[0].Reason, "left over") {
		t.Errorf("not read, and %q", found[0].Reason)
	}
	s.URLs, s.Tags = map[Place]URL{"": {}}, map[string]string{"Team": "payments", "aws:cloudformation:stack-name": "shop"}
	found = Compare(Change{}, s, Baseline{}, here)
	if f := found[0]; f.Severity != Medium || f.Exposure != policy.Public || !strings.Contains(f.Reason, "left over") || f.Owner != "payments" || f.Stack != "shop" {
		t.Errorf("got %+v", f)
	}
	if !Wants(found, s).Empty() {
		t.Errorf("still wants %+v", Wants(found, s))
	}
	s.URLs[""] = URL{AuthType: "AWS_IAM"}
	if f := Compare(Change{}, s, Baseline{}, here)[0]; f.Severity != Medium || !strings.Contains(f.Reason, "AWS_IAM") {
		t.Errorf("got %s, %q", f.Severity, f.Reason)
	}
	s.URLs[""] = URL{AuthType: "NONE"}
	if f := Compare(Change{}, s, Baseline{}, here)[0]; f.Severity != Critical {
		t.Errorf("got %s, %q", f.Severity, f.Reason)
	}
}

func TestNarrowedNamesTheWayBack(t *testing.T) {
	trigger := `{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::amzn-s3-demo-bucket"}}}`
	f := Compare(Change{}, state(t, ""), baseline(t, "", trigger), here)[0]
	want := "aws lambda add-permission --function-name " + string(orders) + " --statement-id s3 --action lambda:InvokeFunction --principal s3.amazonaws.com --source-arn arn:aws:s3:::amzn-s3-demo-bucket --source-account 111122223333 --region us-east-1"
	if f.Kind != PolicyNarrowed || f.Severity != Medium || f.Remediate != want {
		t.Errorf("got %s %s\n%s", f.Kind, f.Severity, f.Remediate)
	}
	if f := Compare(Change{}, state(t, ""), baseline(t, "", own), here)[0]; f.Severity != Low || !strings.Contains(f.Remediate, "add-permission") {
		t.Errorf("got %s %s", f.Severity, f.Remediate)
	}
}

func TestNoted(t *testing.T) {
	repoint := Change{Subject: orders, Place: "live", Operation: RepointPlace, Detail: map[string]string{"functionVersion": "7"}, Event: Event{ID: "e1", Name: "UpdateAlias20150331"}}
	alias := strings.ReplaceAll(foreign, "function:orders", "function:orders:live")
	if got := Noted(repoint, state(t, "live", alias), Baseline{}, here); len(got) != 1 || got[0].Kind != AliasRepointed || got[0].Severity != Informational || got[0].Status != Transient || !strings.Contains(got[0].Reason, "version 7") {
		t.Errorf("got %+v", got)
	}
	for name, got := range map[string][]Finding{
		"nobody outside is let in":  Noted(repoint, state(t, "live", strings.ReplaceAll(own, "function:orders", "function:orders:live")), Baseline{}, here),
		"no policy":                 Noted(repoint, state(t, "live"), Baseline{}, here),
		"another place was read":    Noted(repoint, state(t, "", foreign), Baseline{}, here),
		"a role, and one is known":  Noted(Change{Subject: orders, Operation: Configure, Config: &Config{Role: roleB}}, State{}, Baseline{}.approve("", Config{Role: roleA}), here),
		"the code":                  Noted(Change{Subject: orders, Operation: UpdateCode}, State{}, Baseline{}, here),
		"a role, perhaps":           Noted(Change{Subject: orders, Operation: Configure, OutcomeUnknown: true, Config: &Config{Role: roleB}}, State{}, Baseline{}, here),
		"a role that is not stated": Noted(Change{Subject: orders, Operation: Configure}, State{}, Baseline{}, here),
	} {
		if len(got) != 0 {
			t.Errorf("%s: %q", name, briefs(got))
		}
	}
	if got := Noted(Change{Subject: orders, Operation: Configure, Config: &Config{Role: roleB}, Event: Event{ID: "e2"}}, State{}, Baseline{}, here); len(got) != 1 || got[0].Kind != RoleReplaced || got[0].Severity != Medium {
		t.Errorf("got %+v", got)
	}
}

func TestTransientConfig(t *testing.T) {
	event := Event{ID: "e1", Time: noon.Add(-time.Minute)}
	opened := Change{Subject: orders, Operation: PutURL, Config: &Config{URL: &URL{AuthType: "NONE"}}, Event: event}
	s := state(t, "", urlGrant, invokeGrant)
	s.URLs = map[Place]URL{"": {}}
	removals := []Removal{
		{Event: Event{Name: "earlier", Time: noon.Add(-time.Hour)}},
		{Place: "live", Event: Event{Name: "elsewhere", Time: noon.Add(-50 * time.Second)}},
		{Event: Event{Name: "DeleteFunctionUrlConfig", Time: noon.Add(-57 * time.Second)}, Actor: Actor{ARN: "arn:aws:iam::111122223333:user/mallory"}},
	}
	got := TransientFindings(opened, s, baseline(t, "", urlGrant, invokeGrant), removals, here)
	if len(got) != 1 || got[0].Kind != URLOpened || got[0].Exposure != policy.Public || !strings.Contains(got[0].Reason, "it stood for 3s, until arn:aws:iam::111122223333:user/mallory took it away") {
		t.Errorf("got %+v", got)
	}
	s.URLs[""] = URL{AuthType: "NONE"}
	if got := TransientFindings(opened, s, Baseline{}, nil, here); len(got) != 0 {
		t.Errorf("it stands, and got %q", briefs(got))
	}
	s.Roles, s.Listed = map[Place]string{"": roleA}, []Aspect{Roles}
	swapped := Change{Subject: orders, Operation: Configure, Config: &Config{Role: roleB}, Event: event}
	if got := TransientFindings(swapped, s, Baseline{}.approve("", Config{Role: roleA}), nil, here); len(got) != 1 || got[0].Kind != RoleReplaced {
		t.Errorf("got %q", briefs(got))
	}
	s.Mappings = map[string]*PlacedMapping{"u1": nil}
	mapped := Change{Subject: orders, Operation: PutMapping, Config: &Config{Mapping: &Mapping{UUID: "u1", Source: theirs, Enabled: true}}, Event: event}
	if got := TransientFindings(mapped, s, Baseline{}, nil, here); len(got) != 1 || got[0].Kind != EventSourceAdded || got[0].Severity != High {
		t.Errorf("got %q", briefs(got))
	}
}

func TestReflectsConfig(t *testing.T) {
	s := state(t, "")
	s.URLs = map[Place]URL{"": {AuthType: "AWS_IAM"}}
	s.Mappings = map[string]*PlacedMapping{"u1": {Mapping: Mapping{UUID: "u1", Source: stream, Enabled: true}}, "u2": nil}
	s.Roles = map[Place]string{"": roleA}
	change := func(o Operation, c Config) Change { return Change{Subject: orders, Operation: o, Config: &c} }
	for _, c := range []struct {
		change Change
		want   bool
	}{
		{change(PutURL, Config{URL: &URL{AuthType: "AWS_IAM"}}), true},
		{change(PutURL, Config{URL: &URL{AuthType: "NONE"}}), false},
		{Change{Operation: PutURL}, true},
		{Change{Operation: DeleteURL}, false},
		{Change{Operation: DeleteURL, Place: "live"}, true}, // not read
		{change(PutMapping, Config{Mapping: &Mapping{UUID: "u1", Enabled: true}}), true},
		{change(PutMapping, Config{Mapping: &Mapping{UUID: "u1", Enabled: false}}), false},
		{change(PutMapping, Config{Mapping: &Mapping{UUID: "u2", Enabled: true}}), false},
		{change(DeleteMapping, Config{Mapping: &Mapping{UUID: "u2"}}), true},
		{change(DeleteMapping, Config{Mapping: &Mapping{UUID: "u1"}}), false},
		{change(Configure, Config{Role: roleA}), true},
		{change(Configure, Config{Role: roleB}), false},
	} {
		if got := Reflects(s, c.change); got != c.want {
			t.Errorf("%s %+v: got %v", c.change.Operation, c.change.Config, got)
		}
	}
}

func TestRebuildConfig(t *testing.T) {
	event := func(id string) Event { return Event{ID: id, Name: "X", Time: noon} }
	s := Rebuild(State{}, Change{Subject: orders, Operation: PutURL, Config: &Config{URL: &URL{AuthType: "NONE"}}, Event: event("1")})
	s = Rebuild(s, Change{Subject: orders, Operation: PutMapping, Config: &Config{Mapping: &Mapping{UUID: "u1", Source: stream, Enabled: true}}, Event: event("2")})
	s = Rebuild(s, Change{Subject: orders, Operation: Configure, Config: &Config{Role: roleB}, Event: event("3")})
	if s.URLs[""].AuthType != "NONE" || s.Mappings["u1"].Source != stream || s.Roles[""] != roleB || len(s.Gaps) != 0 || !s.Covers("") {
		t.Errorf("got %+v", s)
	}
	before := s
	s = Rebuild(s, Change{Subject: orders, Operation: PutMapping, Config: &Config{Mapping: &Mapping{UUID: "u1"}}, Event: event("4")})
	if m := s.Mappings["u1"]; m.Source != stream || m.Enabled || !before.Mappings["u1"].Enabled {
		t.Errorf("got %+v, before %+v", m, before.Mappings["u1"])
	}
	s = Rebuild(s, Change{Subject: orders, Operation: DeleteMapping, Config: &Config{Mapping: &Mapping{UUID: "u1"}}, Event: event("5")})
	s = Rebuild(s, Change{Subject: orders, Operation: DeleteURL, Event: event("6")})
	if s.Mappings["u1"] != nil || !s.CoversMapping("u1") || s.URLs[""].exists() || !s.CoversURL("") {
		t.Errorf("got %+v", s)
	}
	for name, ch := range map[string]Change{
		"a URL that is not said":         {Operation: PutURL},
		"a mapping never seen":           {Operation: PutMapping, Config: &Config{Mapping: &Mapping{UUID: "u9", Enabled: true}}},
		"a mapping that is not said":     {Operation: PutMapping},
		"a URL whose outcome is unknown": {Operation: PutURL, OutcomeUnknown: true, Config: &Config{URL: &URL{AuthType: "NONE"}}},
	} {
		ch.Subject = orders
		if got := Rebuild(state(t, ""), ch); len(got.Gaps) != 1 || got.Gaps[0].Aspect == Policies {
			t.Errorf("%s: gaps %+v", name, got.Gaps)
		}
	}
}

// Rows about the configuration are resolved by a read of what they are about,
// and by no other.
func TestConfigFindingsLife(t *testing.T) {
	l := &ledger{rows: make(map[string]Finding)}
	s := state(t, "")
	s.URLs = map[Place]URL{"": {AuthType: "NONE"}}
	s.Mappings = map[string]*PlacedMapping{"u1": {Mapping: Mapping{UUID: "u1", Source: theirs, Enabled: true}}}
	s.Roles, s.Listed = map[Place]string{"": roleB}, []Aspect{Roles}
	b := baseline(t, "").approve("", Config{Role: roleA})
	l.audit(Change{}, s, b, here)
	kinds := func() (list []string) {
		for _, row := range l.rows {
			if row.Status == Open {
				list = append(list, string(row.Kind))
			}
		}
		slices.Sort(list)
		return list
	}
	if got := kinds(); !slices.Equal(got, []string{"event-source-added", "role-replaced", "url-opened"}) {
		t.Fatalf("open are %q", got)
	}
	l.audit(Change{}, state(t, ""), b, here) // a policy alone was read
	l.audit(Change{}, State{Subject: orders, Roles: map[Place]string{"": roleA}}, b, here)
	if got := kinds(); len(got) != 3 {
		t.Errorf("after reads of something else, open are %q", got)
	}
	l.audit(Change{}, State{Subject: orders, Roles: map[Place]string{"": roleA}, Listed: []Aspect{Roles}}, b, here)
	l.audit(Change{}, State{Subject: orders, URLs: map[Place]URL{"": {}}}, b, here)
	if got := kinds(); !slices.Equal(got, []string{"event-source-added"}) {
		t.Errorf("open are %q", got)
	}
	l.audit(Change{}, State{Subject: orders, Mappings: map[string]*PlacedMapping{"u1": nil}}, b, here)
	if got := kinds(); len(got) != 0 {
		t.Errorf("open are %q", got)
	}
}

// A listing of mappings may be a minute old: it resolves nothing that was seen since.
func TestOldListingResolvesNoMapping(t *testing.T) {
	row := Finding{Kind: EventSourceAdded, Status: Open, Subject: orders, Config: &Config{Mapping: &Mapping{UUID: "u1"}}, LastSeen: noon}
	listed := State{Subject: orders, Listed: []Aspect{Mappings}, ReadAt: noon.Add(30 * time.Second)}
	if Settles(listed, row) {
		t.Error("resolved by a listing that may be older")
	}
	listed.Mappings = map[string]*PlacedMapping{"u1": nil}
	if !Settles(listed, row) {
		t.Error("read by itself, and not resolved")
	}
	if later := (State{Subject: orders, Listed: []Aspect{Mappings}, ReadAt: noon.Add(time.Hour)}); !Settles(later, row) {
		t.Error("not resolved by a later listing")
	}
}

func TestURLFindingReplaced(t *testing.T) {
	l := &ledger{rows: make(map[string]Finding)}
	s := state(t, "")
	for _, auth := range []string{"AWS_IAM", "NONE"} {
		s.URLs = map[Place]URL{"": {AuthType: auth}}
		l.audit(Change{}, s, baseline(t, ""), here)
	}
	if want := []string{"opened ", "replaced ", "resolved "}; !slices.Equal(l.announced, want) {
		t.Errorf("announced %q, want %q", l.announced, want)
	}
}

// A replaced role is told with what its rights come to beyond the approved one's.
func TestReplacedRoleComesToMore(t *testing.T) {
	rights := func(action string) Rights {
		return Rights{Policy: parse(t, `{"Effect":"Allow","Action":"`+action+`","Resource":"*"}`)}
	}
	c := here
	c.Reach = func(r Rights, account string) []Escalation {
		if r.Policy.Statements[0].Action[0] != "iam:PassRole" || account != "111122223333" {
			return nil
		}
		return []Escalation{{Method: "pass-role", Severity: Critical, Reason: "can run code as other roles"}}
	}
	s := state(t, "")
	s.Roles, s.Listed = map[Place]string{"": roleB}, []Aspect{Roles}
	s.Rights = map[string]Rights{roleA: rights("logs:PutLogEvents"), roleB: rights("iam:PassRole")}
	found := Compare(Change{Subject: orders}, s, baseline(t, "").approve("", Config{Role: roleA}), c)
	if len(found) != 1 || found[0].Severity != Critical || len(found[0].Escalations) != 1 || !strings.Contains(found[0].Reason, "can run code as other roles") {
		t.Errorf("got %+v", found)
	}
}

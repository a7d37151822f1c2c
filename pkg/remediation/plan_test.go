package remediation

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// strict is how Plan compares in these tests.
var strict = drift.Context{Now: noon, Unknown: drift.Strict}

// planned is the decision about the first finding of a policy.
func planned(t testing.TB, document string, approved ...string) (policy.Policy, Decision) {
	t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	state := drift.State{Subject: orders, Policies: map[drift.Place]drift.PlacePolicy{"": {Policy: p, Document: document, RevisionID: "7"}}}
	w := &world{t: t, approved: approved}
	baseline, _ := w.Get(t.Context(), orders)
	found := drift.Compare(drift.Change{Subject: orders}, state, baseline, strict)
	if len(found) == 0 {
		t.Fatal("nothing differs")
	}
	return p, Plan(found[0], state, baseline, strict)
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		live     string
		approved []string
		remedy   drift.RemedyKind
		sid      string
		put      string
	}{
		"one Sid":             {text(own, public), []string{own}, drift.RemovePermission, "public", ""},
		"two Sids":            {text(public, again), []string{own}, drift.RemovePermission, "public", ""},
		"with and without":    {text(nameless, again), []string{own}, drift.RemovePermission, "again", ""},
		"an odd Sid and one":  {text(strings.Replace(public, `"public"`, `".."`, 1), again), []string{own}, drift.RemovePermission, "again", ""},
		"without Sid":         {text(own, nameless, denied), []string{own, denied}, drift.PutResourcePolicy, "", text(own, denied)},
		"twice without Sid":   {text(nameless, own, nameless), []string{own}, drift.PutResourcePolicy, "", text(own)},
		"old version":         {strings.Replace(text(own, nameless), "2012-10-17", "2008-10-17", 1), []string{own}, drift.PutResourcePolicy, "", strings.Replace(text(own), "2012-10-17", "2008-10-17", 1)},
		"no version":          {`{"Id":"x","Statement":[` + own + `,` + nameless + `]}`, []string{own}, drift.PutResourcePolicy, "", `{"Id":"x","Statement":[` + own + `]}`},
		"equal, spelled else": {text(own, `{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["LAMBDA:InvokeFunction"],"Resource":["`+string(orders)+`"]}`), []string{own}, drift.PutResourcePolicy, "", text(own)},
	} {
		t.Run(name, func(t *testing.T) {
			_, d := planned(t, c.live, c.approved...)
			if d.Intent == nil {
				t.Fatalf("nothing planned: %s", d.Why)
			}
			if i := d.Intent; i.Remedy != c.remedy || i.Sid != c.sid || i.Put != c.put || i.PreImage != c.live || i.RevisionID != "7" || i.Status != drift.Planned || i.Undo == "" {
				t.Errorf("got %+v", i)
			}
		})
	}
}

func TestPlanOfTheLastNamelessStatement(t *testing.T) {
	_, d := planned(t, text(nameless, nameless))
	if want := text(strings.Replace(nameless, "{", `{"Sid":"permdrift-`+d.Intent.FindingID+`",`, 1)); d.Intent.Put != want {
		t.Errorf("got  %s\nwant %s", d.Intent.Put, want)
	}
	if _, next := planned(t, d.Intent.Put); next.Intent.Remedy != drift.RemovePermission || next.Intent.FindingID != d.Intent.FindingID {
		t.Errorf("then %+v", next.Intent)
	}
}

func TestPlanRefuses(t *testing.T) {
	p := document(t, public)
	state := drift.State{Subject: orders, Policies: map[drift.Place]drift.PlacePolicy{"": {Policy: p, RevisionID: "7"}}}
	finding := drift.Compare(drift.Change{}, state, drift.Baseline{}, strict)[0]
	for name, c := range map[string]struct {
		state drift.State
		gone  bool
	}{
		"not read":     {drift.State{Subject: orders}, false},
		"a gap":        {drift.State{Subject: orders, Policies: state.Policies, Gaps: []drift.Gap{{All: true}}}, false},
		"no revision":  {drift.State{Subject: orders, Policies: map[drift.Place]drift.PlacePolicy{"": {Policy: p}}}, false},
		"gone":         {drift.State{Subject: orders, Policies: map[drift.Place]drift.PlacePolicy{"": {}}}, true},
		"another Sid":  {drift.State{Subject: orders, Policies: map[drift.Place]drift.PlacePolicy{"": {Policy: document(t, strings.Replace(own, `"own"`, `"public"`, 1)), RevisionID: "7"}}}, true},
		"no such name": {drift.State{Subject: orders, Whole: true}, true},
	} {
		if d := Plan(finding, c.state, drift.Baseline{}, strict); d.Intent != nil || d.Gone != c.gone || d.Why == "" {
			t.Errorf("%s: got %+v", name, d)
		}
	}
}

// A document that means more than the policy less the statement is not written.
func TestNarrows(t *testing.T) {
	p, unwanted := document(t, own, nameless, denied), document(t, nameless).Statements[0]
	deny := document(t, denied).Statements[0]
	for name, c := range map[string]struct {
		document string
		unwanted policy.Statement
		want     bool
	}{
		"less the statement":  {text(own, denied), unwanted, true},
		"nothing less":        {text(own, nameless, denied), unwanted, true},
		"less a Deny":         {text(own, nameless), unwanted, false},
		"less an approved":    {text(denied), unwanted, false},
		"one more":            {text(own, denied, strings.Replace(own, account, "444455556666", 1)), unwanted, false},
		"not a policy":        {`{}`, unwanted, false},
		"a Deny is unwanted":  {text(own, nameless), deny, false},
		"another resource":    {strings.Replace(text(own, denied), "function:orders", "function:*", 1), unwanted, false},
		"less its conditions": {text(own), unwanted, false},
	} {
		if got := narrows(p, c.document, c.unwanted); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// generator makes random policies of few words, so that statements often
// repeat in other spellings.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

// words is a string or a list of one to three.
func (g generator) words(from ...string) string {
	quoted := func() string { return pick(g, from...) }
	if g.IntN(2) == 0 {
		return quoted()
	}
	list := []string{quoted()}
	for range g.IntN(3) {
		list = append(list, quoted())
	}
	return "[" + strings.Join(list, " , ") + "]"
}

func (g generator) statement() string {
	var members []string
	add := func(name, value string) { members = append(members, fmt.Sprintf("%q: %s", name, value)) }
	if g.IntN(3) > 0 {
		add("Sid", pick(g, `"a"`, `"b"`, `"c"`, `"d"`, `"\u0061\u002db"`, `".."`, `"x y"`, `""`, `"\"}"`))
	}
	add("Effect", pick(g, `"Allow"`, `"Allow"`, `"Deny"`))
	add(pick(g, "Principal", "Principal", "Principal", "NotPrincipal"), pick(g,
		`"*"`, `{"AWS":"*"}`, `{"AWS":["*"]}`, `{"AWS":"111122223333"}`, `{"AWS":"arn:aws:iam::111122223333:root"}`,
		`{"AWS":["444455556666","111122223333"],"Service":"s3.amazonaws.com"}`, `{"Service":"\u0073ns.amazonaws.com"}`, `{"Federated":"accounts.google.com"}`, `{}`))
	add(pick(g, "Action", "Action", "Action", "NotAction"), g.words(`"lambda:InvokeFunction"`, `"LAMBDA:invokefunction"`, `"lambda:*"`, `"*"`, `"lambda:Invoke?unction"`))
	if g.IntN(4) > 0 {
		add(pick(g, "Resource", "Resource", "NotResource"), g.words(`"`+string(orders)+`"`, `"*"`, `"arn:aws:lambda:*:*:function:${aws:username}"`, `"${$}{x}"`, `"\/\ud83d\ude00\u007f\u0000\\\""`))
	}
	if g.IntN(2) == 0 {
		add("Condition", pick(g,
			`{}`, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, `{"StringEquals":{"AWS:principalorgid":["o-exampleorgid"]}}`,
			`{"Bool":{"aws:SecureTransport":true}}`, `{"Bool":{"aws:SecureTransport":"true"}}`, `{"NumericLessThan":{"x:y":[1e3,10]}}`,
			`{"StringLike":{"aws:SourceArn":"arn:${a}:*"},"stringlike":{"aws:SourceArn":[]}}`, `{"ArnLike":{"aws:SourceArn":"arn:*","AWS:SourceArn":"arn:aws:*"}}`))
	}
	g.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, ",") + "}"
}

func (g generator) policy() string {
	var statements []string
	for range 1 + g.IntN(5) {
		statements = append(statements, g.statement())
	}
	if g.IntN(3) == 0 {
		statements = append(statements, pick(g, statements...))
	}
	return "{" + pick(g, "", `"Version":"2012-10-17",`, `"Version":"2012-10-17",`, `"Version":"2008-10-17",`) + pick(g, "", `"Id":"\u00e9",`) +
		`"Statement":[` + strings.Join(statements, ",\n") + `]}`
}

// plain is a JSON value with every list of one as its member, numbers and
// booleans as text, and without Sid: what two statements that differ only in
// spelling have in common, told without our own parser.
func plain(value any) any {
	switch v := value.(type) {
	case []any:
		if len(v) == 1 {
			return plain(v[0])
		}
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any)
		for key, member := range v {
			if key == "Condition" && len(member.(map[string]any)) == 0 || key == "Sid" {
				continue
			}
			m[key] = plain(member)
		}
		return m
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return value
}

// plainStatements are the statements of a document as text, and its version.
func plainStatements(t testing.TB, document string) (version string, statements []string) {
	t.Helper()
	var d struct {
		Version   string
		Statement []any
	}
	decoder := json.NewDecoder(strings.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	for _, s := range d.Statement {
		text, err := json.Marshal(plain(s))
		if err != nil {
			t.Fatal(err)
		}
		statements = append(statements, string(text))
	}
	return d.Version, statements
}

// For any policy and any Allow in it, what is written instead has no statement
// that was not there, in the same version of the language, and lacks no
// statement but those that mean what the Allow means.
func TestWithoutOnlyRemoves(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	removals := 0
	for range 3000 {
		before := g.policy()
		p, err := policy.Parse([]byte(before))
		if err != nil {
			t.Fatalf("%v in %s", err, before)
		}
		unwanted := pick(g, p.Statements...)
		if unwanted.Effect != policy.Allow {
			continue
		}
		after := printed(without(p, unwanted, "f"))
		q, err := policy.Parse([]byte(after))
		if err != nil {
			t.Fatalf("%v\nbefore %s\nafter  %s", err, before, after)
		}
		if !narrows(p, after, unwanted) {
			t.Fatalf("not narrower\nbefore %s\nafter  %s", before, after)
		}
		removals += len(p.Statements) - len(q.Statements)
		oldVersion, old := plainStatements(t, before)
		newVersion, now := plainStatements(t, after)
		if oldVersion != newVersion {
			t.Fatalf("version %q became %q", oldVersion, newVersion)
		}
		for i, s := range now {
			if !slices.Contains(old, s) {
				t.Fatalf("statement %d was not there\nbefore %s\nafter  %s", i, before, after)
			}
		}
		for i, s := range p.Statements {
			if !s.Equal(unwanted) && !slices.Contains(now, old[i]) {
				t.Fatalf("statement %d is lost\nbefore %s\nafter  %s", i, before, after)
			}
		}
	}
	if removals < 500 {
		t.Errorf("only %d statements were removed: the policies are too tame", removals)
	}
}

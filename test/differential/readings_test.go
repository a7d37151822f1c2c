package differential

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// readings are ways to misread a policy that other tools have. Each changes a
// statement into what such a tool takes it for, and is tried on pairs that
// differ in what it is about.
var readings = []struct {
	name   string
	change func(*statement) bool // false drops the statement
	about  []string
}{
	{"says none always", func(*statement) bool { return false }, nil},
	{"ignores Deny", func(s *statement) bool { return s.effect == "Allow" }, nil},
	{"ignores conditions", func(s *statement) bool { s.conditions = nil; return true }, nil},
	{"ignores the Not forms", positive, nil},
	{"ignores the principal", func(s *statement) bool { clear(s.principals); return true }, []string{"Principal"}},
	{"ignores the resource", func(s *statement) bool { s.lists["Resource"] = []string{"*"}; return true }, []string{"Resource"}},
	{"reads only the first value", onConditions(func(c *condition) { c.values = c.values[:1] }), nil},
	{"has negated operators fail on a missing key", presentForNegated, []string{"aws:SourceAccount"}},
	{"does not know IfExists", onConditions(func(c *condition) { c.operator = strings.TrimSuffix(c.operator, "IfExists") }), nil},
	{"takes ForAllValues for ForAnyValue", replaceOperator("ForAllValues", "ForAnyValue"), []string{"aws:TagKeys"}},
	{"takes ForAnyValue for ForAllValues", replaceOperator("ForAnyValue", "ForAllValues"), []string{"aws:TagKeys"}},
	{"lets ArnLike cross colons", replaceOperator("ArnNot", "StringNot", "Arn", "String", "Equals", "Like"), []string{"aws:SourceArn"}},
	{"ignores case in StringEquals", replaceOperator("EqualsIgnoreCase", "EqualsIgnoreCase", "Equals", "EqualsIgnoreCase"), []string{"aws:TagKeys", "aws:PrincipalTag/team"}},
	{"takes < for <=", replaceOperator("LessThanEquals", "LessThanEquals", "LessThan", "LessThanEquals"), []string{"aws:CurrentTime", "aws:MultiFactorAuthAge"}},
	{"sees no wildcards", replaceOperator("Like", "Equals"), []string{"aws:PrincipalOrgID"}},
	{"mixes up the prefixes of addresses", replaceValues("10.1.0.0/16", "10.0.0.0/8", "2001:DB8:1::/48", "2001:db8::/32"), []string{"aws:SourceIp"}},
	{"takes a role for its account", accountForRole, []string{"Principal"}},
	{"takes a policy variable for text", replaceValues("${aws", "{aws"), []string{"aws:ResourceTag/team"}},
}

func positive(s *statement) bool {
	for name, list := range s.lists {
		if short, found := strings.CutPrefix(name, "Not"); found {
			delete(s.lists, name)
			s.lists[short] = list
		}
	}
	return true
}

func onConditions(change func(*condition)) func(*statement) bool {
	return func(s *statement) bool {
		for i := range s.conditions {
			change(&s.conditions[i])
		}
		return true
	}
}

func replaceOperator(pairs ...string) func(*statement) bool {
	r := strings.NewReplacer(pairs...)
	return onConditions(func(c *condition) { c.operator = r.Replace(c.operator) })
}

func replaceValues(pairs ...string) func(*statement) bool {
	r := strings.NewReplacer(pairs...)
	return onConditions(func(c *condition) {
		for i := range c.values {
			c.values[i] = r.Replace(c.values[i])
		}
	})
}

func accountForRole(s *statement) bool {
	for _, typed := range s.principals {
		for i, name := range typed["AWS"] {
			if m := entityARN.FindStringSubmatch(name); m != nil {
				typed["AWS"][i] = m[1]
			}
		}
	}
	return true
}

func presentForNegated(s *statement) bool {
	for _, c := range s.conditions {
		if o, err := readOperator(c.operator); err == nil && o.negated && !o.ifExists && o.set == "" {
			s.conditions = append(s.conditions, condition{"Null", c.key, []string{"false"}})
		}
	}
	return true
}

func misread(d document, change func(*statement) bool) document {
	d = d.clone()
	kept := d.statements[:0]
	for _, s := range d.statements {
		if change(&s) {
			kept = append(kept, s)
		}
	}
	d.statements = kept
	return d
}

// TestWrongReadingsAreCaught shows that the harness sees errors: an engine that
// misreads policies in one way says "none" of some pair on which the solver,
// reading it right, finds a request.
func TestWrongReadingsAreCaught(t *testing.T) {
	s := findSolver(t, 2*time.Second)
	for _, r := range readings {
		t.Run(strings.ReplaceAll(r.name, " ", "-"), func(t *testing.T) { caught(t, s, r.change, r.about) })
	}
}

func caught(t *testing.T, s solver, change func(*statement) bool, about []string) {
	t.Parallel()
	misreads := 0
	for i := uint64(0); i < 2000 && misreads < 200; i++ {
		p := newPair(1, i, about...)
		wrong := pair{p.kind, misread(p.baseline, change), misread(p.current, change)}
		if same(p, wrong) {
			continue
		}
		if misreads++; verdictOn(s, wrong) == unsat && verdictOn(s, p) == sat {
			t.Logf("caught on the %d. pair that is misread", misreads)
			return
		}
	}
	t.Errorf("not caught on %d pairs", misreads)
}

func same(p, q pair) bool {
	return reflect.DeepEqual(p, q)
}

// verdictOn is unknown also for what is not encoded.
func verdictOn(s solver, p pair) verdict {
	q, err := p.problem()
	if err != nil {
		return unknown
	}
	v, _, err := s.solve(q)
	if err != nil {
		return unknown
	}
	return v
}

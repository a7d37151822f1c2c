package policy

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func pick[T any](c chooser, from ...T) T { return from[c(len(from))] }

// picks is one to three of a list.
func picks[T any](c chooser, from ...T) []T {
	list := make([]T, 1+c(3))
	for i := range list {
		list[i] = pick(c, from...)
	}
	return list
}

func drawRequest(c chooser) Request {
	r := Request{
		Principal: pick(c, Caller{Kind: Anonymous}, awsCaller(evalSession), awsCaller("arn:aws:iam::444455556666:user/u"), Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}),
		Action:    pick(c, "a:B", "a:C", "A:b"),
		Resource:  pick(c, "arn:aws:a:::x", "arn:aws:a:r:1:y:1", "arn:aws:a::2:ab", ""),
		Context:   map[string][]string{},
	}
	for _, key := range []string{"k", "j", "aws:Tag/T"} {
		switch n := c(6); {
		case n < 2:
		case n < 5:
			r.Context[key] = []string{pick(c, "a", "b", "ab", "A", "*", "1", "${j}", "true")}
		default:
			r.Context[key] = slices.Repeat([]string{"a"}, c(2))
			r.Context[key] = append(r.Context[key], picks(c, "a", "b", "ab")...)
		}
	}
	return r
}

func drawStatement(c chooser) Statement {
	s := Statement{Effect: pick(c, Allow, Allow, Deny), literal: c(4) == 0}
	principals := &Principals{Any: c(6) == 0}
	if !principals.Any {
		for range 1 + c(2) {
			switch c(5) {
			case 0:
				principals.Service = picks(c, "s3.amazonaws.com", "S3.amazonaws.com", "sns.amazonaws.com")
			case 1:
				principals.Federated = picks(c, "accounts.google.com")
			default:
				principals.AWS = picks(c, "*", "111122223333", evalAccount+"root", evalAccount+"role/team/r", evalSession, "arn:aws:iam::444455556666:user/u", "444455556666", "AROAEXAMPLE")
			}
		}
	}
	put(c, principals, &s.Principal, &s.NotPrincipal)
	put(c, picks(c, "*", "a:*", "A:B", "a:?", "a:c", "x:*"), &s.Action, &s.NotAction)
	if c(5) > 0 {
		put(c, picks(c, "*", "arn:aws:a:::x", "arn:*:x", "arn:aws:a:*", "arn:aws:a:*:*:*", "arn:aws:a:?:?:y*", "arn:aws:a::2:${k}", "arn:aws:a::2:${k, 'ab'}", "arn:aws:a::2:${*}*", "${k}"), &s.Resource, &s.NotResource)
	}
	for range c(3) {
		s.Condition = append(s.Condition, drawCondition(c))
	}
	return s
}

// put sets the element or, now and then, its Not form.
func put[T any](c chooser, value T, element, not *T) {
	if c(5) == 0 {
		element = not
	}
	*element = value
}

func drawCondition(c chooser) Condition {
	operator := pick(c, "", "", "ForAnyValue:", "ForAllValues:", "foranyvalue:") +
		pick(c, "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "stringEqualsIgnoreCase", "ArnLike", "ArnEquals", "NumericLessThan", "Bool", "StringWhat") +
		pick(c, "", "", "IfExists")
	if c(8) == 0 {
		operator = "Null"
	}
	return Condition{
		Operator: operator,
		Key:      pick(c, "k", "K", "j", "aws:tag/T", "aws:PrincipalArn"),
		Values:   picks(c, "a", "b", "A", "a*", "?", "${j}", "${j, 'a'}", "${*}", "$${j}", "true", "True", "false", "1", "arn:aws:iam::*:role/r"),
	}
}

func drawPolicy(c chooser) Policy {
	p := Policy{Statements: make([]Statement, c(4))}
	for i := range p.Statements {
		p.Statements[i] = drawStatement(c)
	}
	return p
}

func TestEvaluateCanonicalFormMeansTheSame(t *testing.T) {
	forAll(t, func(t rapid.TB, c chooser) {
		s, r := drawStatement(c), drawRequest(c)
		given, canonical := Evaluate(Policy{Statements: []Statement{s}}, r), Evaluate(Policy{Statements: []Statement{s.Canonical()}}, r)
		if given.Outcome != canonical.Outcome {
			t.Errorf("%s\nis %s (%s), its canonical form\n%s\nis %s (%s)\nfor %+v", s, given.Outcome, given.Reason, s.Canonical(), canonical.Outcome, canonical.Reason, r)
		}
	})
}

func TestEvaluateOfPrintedPolicyIsTheSame(t *testing.T) {
	forAll(t, func(t rapid.TB, c chooser) {
		s, r := drawStatement(c), drawRequest(c)
		seen := make(map[string]bool)
		for _, condition := range s.Condition { // an operator has each key once in JSON
			if seen[condition.Operator+condition.Key] {
				return
			}
			seen[condition.Operator+condition.Key] = true
		}
		printed, err := ParseStatement([]byte(s.String()))
		if err != nil {
			t.Fatal(err, s)
		}
		given, read := Evaluate(Policy{Statements: []Statement{s}}, r), Evaluate(Policy{Statements: []Statement{printed}}, r)
		if given.Outcome != read.Outcome || given.Reason != read.Reason && !s.literal {
			t.Errorf("%s\nis %s (%s), printed and read %s (%s)", s, given.Outcome, given.Reason, read.Outcome, read.Reason)
		}
	})
}

// access orders outcomes by how much they let in.
func access(d Decision) int {
	return slices.Index([]Outcome{ExplicitDeny, ImplicitDeny, Undecided, Allowed}, d.Outcome)
}

func TestEvaluateIsMonotoneInAllowAndAntitoneInDeny(t *testing.T) {
	forAll(t, func(t rapid.TB, c chooser) {
		p, s, r := drawPolicy(c), drawStatement(c), drawRequest(c)
		before := Evaluate(p, r)
		p.Statements = slices.Insert(p.Statements, c(len(p.Statements)+1), s)
		after := Evaluate(p, r)
		if s.Effect == Allow && access(after) < access(before) || s.Effect == Deny && access(after) > access(before) {
			t.Errorf("%s turns %s (%s) into %s (%s)", s, before.Outcome, before.Reason, after.Outcome, after.Reason)
		}
	})
}

func TestEvaluateDoesNotDependOnOrder(t *testing.T) {
	forAll(t, func(t rapid.TB, c chooser) {
		p, r := drawPolicy(c), drawRequest(c)
		before := Evaluate(p, r)
		for i := range p.Statements {
			j := c(i + 1)
			p.Statements[i], p.Statements[j] = p.Statements[j], p.Statements[i]
			slices.Reverse(p.Statements[i].Action)
			slices.Reverse(p.Statements[i].Resource)
			slices.Reverse(p.Statements[i].Condition)
		}
		if after := Evaluate(p, r); after.Outcome != before.Outcome {
			t.Errorf("%s (%s), in another order %s (%s)", before.Outcome, before.Reason, after.Outcome, after.Reason)
		}
	})
}

func TestEvaluateIdentityIsNoWiderThanItsBoundary(t *testing.T) {
	forAll(t, func(t rapid.TB, c chooser) {
		identity, boundary, r := drawPolicy(c), drawPolicy(c), drawRequest(c)
		both := EvaluateIdentity([]Policy{identity}, &boundary, r)
		one, other := EvaluateIdentity([]Policy{identity}, nil, r), EvaluateIdentity([]Policy{boundary}, nil, r)
		if access(both) != min(access(one), access(other)) {
			t.Errorf("%s and %s make %s", one.Outcome, other.Outcome, both.Outcome)
		}
	})
}

// TestEvaluateGlobsAsRegularExpressions compares the matching of patterns with
// regular expressions, which share no code with it.
func TestEvaluateGlobsAsRegularExpressions(t *testing.T) {
	draw := func(c chooser, alphabet string, n int) string {
		var b strings.Builder
		for range c(n) {
			b.WriteRune(pick(c, []rune(alphabet)...))
		}
		return b.String()
	}
	forAll(t, func(t rapid.TB, c chooser) {
		e := newEvaluation(Request{})
		pattern, text := draw(c, "aab:é?**", 9), draw(c, "aab:é", 9)
		if got, want := e.glob(wildcards{text: pattern}, text), naiveGlob(pattern, text); got != truth(want) {
			t.Errorf("glob %q of %q: %s", pattern, text, got)
		}
		pattern, text = draw(c, "ab::::?**", 13), draw(c, "ab::::", 13)
		if got, want := e.matchARN(wildcards{text: pattern}, text), naiveARN(pattern, text); got != truth(want) {
			t.Errorf("ARN %q of %q: %s", pattern, text, got)
		}
	})
}

func naiveExpression(pattern, star, one string) string {
	return strings.NewReplacer(`\*`, star, `\?`, one).Replace(regexp.QuoteMeta(pattern))
}

func naiveGlob(pattern, text string) bool {
	return regexp.MustCompile(`(?s)^` + naiveExpression(pattern, `.*`, `.`) + `$`).MatchString(text)
}

func naiveARN(pattern, text string) bool {
	var expression string
	if segments := strings.SplitN(pattern, ":", 6); len(segments) == 6 {
		expression = naiveExpression(strings.Join(segments[:5], ":"), `[^:]*`, `[^:]`) + ":" + naiveExpression(segments[5], `.*`, `.`)
	} else if i := strings.LastIndexByte(pattern, '*'); i >= 0 {
		expression = naiveExpression(pattern[:i], `[^:]*`, `[^:]`) + `.*` + naiveExpression(pattern[i+1:], ``, `.`)
	} else {
		return pattern == text && !strings.Contains(pattern, "?")
	}
	return regexp.MustCompile(`(?s)^` + expression + `$`).MatchString(text)
}

// A service principal is an exact string. The canonical form once folded its
// case, so that a statement for a name that no service has equalled one for the
// service.
func TestCanonicalFormKeepsTheCaseOfServices(t *testing.T) {
	r := Request{Principal: Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}, Action: "a:B"}
	s := statement(t, `{"Effect":"Allow","Principal":{"Service":"S3.amazonaws.com"},"Action":"a:B"}`)
	if s.Equal(statement(t, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"a:B"}`)) {
		t.Error("S3.amazonaws.com equals s3.amazonaws.com")
	}
	if d := Evaluate(Policy{Statements: []Statement{s.Canonical()}}, r); d.Outcome != ImplicitDeny {
		t.Errorf("%s: %s", d.Outcome, d.Reason)
	}
}

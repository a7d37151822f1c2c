package policy

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// universe makes small random policies and the requests that tell them apart.
type universe struct {
	Rand

	identity bool
}

// Rand is what policies are made from: math/rand, or rapid.
type Rand interface{ Intn(n int) int }

// Intn makes a chooser a source of policies.
func (c chooser) Intn(n int) int { return c(n) }

func (u universe) options() Options {
	if u.identity {
		return Options{Type: IdentityPolicy}
	}
	return Options{Type: ResourcePolicy}
}

func pickOne[T any](u universe, list ...T) T { return list[u.Intn(len(list))] }

func some1[T any](u universe, most int, list ...T) []T {
	var out []T
	for range 1 + u.Intn(most) {
		out = append(out, list[u.Intn(len(list))])
	}
	return out
}

const testAccount = "111122223333"

var testFunction = "arn:aws:lambda:us-east-1:" + testAccount + ":function:f"

// randomCondition picks an operator, a key of its kind, and values.
func (u universe) randomCondition() Condition {
	set := pickOne(u, "", "", "", "ForAnyValue:", "ForAllValues:")
	tail := pickOne(u, "", "", "IfExists")
	one := func(key string, operators []string, values ...string) Condition {
		return Condition{Operator: set + pickOne(u, operators...) + tail, Key: key, Values: some1(u, 2, values...)}
	}
	text := []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"}
	switch u.Intn(12) {
	case 11:
		return Condition{Operator: "Bool" + tail, Key: "aws:PrincipalIsAWSService", Values: []string{pickOne(u, "true", "false")}}
	case 0:
		return Condition{Operator: "Null", Key: pickOne(u, "aws:SourceAccount", "aws:TagKeys", "aws:SourceIp", "aws:PrincipalOrgID"), Values: []string{pickOne(u, "true", "false")}}
	case 1:
		set = ""
		return one("aws:SourceIp", []string{"IpAddress", "NotIpAddress"}, "10.0.0.0/8", "10.1.0.0/16", "160.0.0.0/8", "2001:db8::/32", "2001:db8:1::/48", "0.0.0.0/0")
	case 2:
		set = ""
		return one("aws:MultiFactorAuthAge", []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"}, "1", "2", "3.5", "10")
	case 3:
		set = ""
		return one("aws:CurrentTime", []string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"}, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-01")
	case 4:
		set = ""
		return one("aws:SecureTransport", []string{"Bool"}, "true", "false")
	case 5:
		set = ""
		return one("aws:SourceArn", []string{"ArnLike", "ArnNotLike", "ArnEquals", "StringLike", "StringNotLike", "StringEquals"},
			"arn:aws:sns:*:111122223333:t", "arn:aws:sns:us-east-1:*:*", "arn:aws:sns:us-east-1:111122223333:t", "arn:aws:s3:::b*", "*", "arn:aws:sns:us-east-1:999999999999:x:111122223333:t")
	case 6:
		return one("aws:TagKeys", text, "a", "b", "A", "a*", "*b", "ab", "?")
	case 7:
		return Condition{Operator: pickOne(u, "StringEquals", "StringNotEquals", "StringLike") + tail, Key: "aws:PrincipalTag/t", Values: some1(u, 2, "${aws:username}", "x", "${aws:username}*")}
	case 8:
		set = ""
		return one("aws:PrincipalOrgID", text, "o-1", "o-2", "o-*", "O-1")
	case 9:
		set = ""
		return one("aws:PrincipalArn", []string{"ArnLike", "ArnNotLike", "StringLike", "StringEquals"}, "arn:aws:iam::111122223333:role/r", "arn:aws:iam::*:role/*", "arn:aws:iam::444455556666:*")
	}
	set = ""
	return one("aws:SourceAccount", text, "111122223333", "444455556666", "1*", "*6", "?11122223333")
}

func (u universe) randomStatement() Statement {
	s := Statement{Effect: pickOne(u, Allow, Allow, Deny)}
	actions := some1(u, 2, "lambda:InvokeFunction", "lambda:invoke*", "lambda:*", "*", "lambda:Get*", "s3:GetObject", "lambda:?nvokeFunction")
	if s.Action = actions; u.Intn(6) == 0 {
		s.Action, s.NotAction = nil, actions
	}
	resources := some1(u, 2, testFunction, testFunction+":*", testFunction+":live", "arn:aws:lambda:*:111122223333:function:*", "*", "arn:aws:lambda:*")
	if s.Resource = resources; u.Intn(6) == 0 {
		s.Resource, s.NotResource = nil, resources
	}
	if !u.identity {
		p := u.randomPrincipals()
		if s.Principal = p; u.Intn(6) == 0 {
			s.Principal, s.NotPrincipal = nil, p
		}
	}
	for range u.Intn(3) {
		s.Condition = append(s.Condition, u.randomCondition())
	}
	return s
}

func (u universe) randomPrincipals() *Principals {
	switch u.Intn(6) {
	case 0:
		return &Principals{Service: some1(u, 2, "s3.amazonaws.com", "sns.amazonaws.com")}
	case 1, 2:
		return &Principals{Any: true}
	case 3:
		return &Principals{AWS: []string{"arn:aws:iam::111122223333:role/r"}, Federated: []string{"www.amazon.com"}}
	}
	return &Principals{AWS: some1(u, 2, "111122223333", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:role/r",
		"arn:aws:sts::111122223333:assumed-role/r/s", "arn:aws:iam::444455556666:user/u", "444455556666", "AROAEXAMPLEEXAMPLEAB")}
}

func (u universe) randomPolicy() Policy {
	p := Policy{Version: version2012}
	for range 1 + u.Intn(3) {
		p.Statements = append(p.Statements, u.randomStatement())
	}
	return p
}

// randomRequest is a request that a caller can really make.
func (u universe) randomRequest() Request {
	r := Request{
		Action:   pickOne(u, "lambda:InvokeFunction", "lambda:InvokeAsync", "lambda:GetFunction", "s3:GetObject", "iam:PassRole"),
		Resource: pickOne(u, testFunction, testFunction+":live", testFunction+":1"),
		Context:  map[string][]string{},
	}
	if u.identity {
		r.Resource = pickOne(u, r.Resource, "arn:aws:lambda:eu-west-1:111122223333:function:g", "arn:aws:s3:::b/k")
	}
	maybe := func(key string, values ...string) {
		if u.Intn(3) > 0 {
			r.Context[key] = []string{pickOne(u, values...)}
		}
	}
	u.randomCaller(&r, maybe)
	maybe("aws:SourceIp", "10.1.2.3", "10.2.0.1", "160.1.1.1", "2001:db8::1", "2001:db8:1::1", "2001::1", "8.8.8.8")
	maybe("aws:MultiFactorAuthAge", "0", "1", "1.5", "2", "3", "3.5", "5", "10", "11")
	maybe("aws:CurrentTime", "2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-15T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")
	maybe("aws:SecureTransport", "true", "false")
	maybe("aws:SourceArn", "arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sns:us-east-1:999999999999:x:111122223333:t", "arn:aws:s3:::bucket", "arn:aws:sns:eu-west-1:444455556666:u")
	maybe("aws:SourceAccount", "111122223333", "444455556666", "199999999996", "211122223333", "999999999999")
	switch u.Intn(5) {
	case 0:
	case 1:
		r.Context["aws:TagKeys"] = []string{}
	default:
		keys := some1(u, 3, "a", "b", "A", "B", "ab", "cb", "ac", "xyz")
		slices.Sort(keys)
		r.Context["aws:TagKeys"] = slices.Compact(keys)
	}
	return r
}

func (u universe) randomCaller(r *Request, maybe func(string, ...string)) {
	r.Principal = pickOne(u, Caller{Kind: Anonymous}, Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}, Caller{Kind: ServiceCaller, ID: "events.amazonaws.com"},
		Caller{Kind: AWSPrincipal, ID: "arn:aws:iam::111122223333:role/r"}, Caller{Kind: AWSPrincipal, ID: "arn:aws:sts::111122223333:assumed-role/r/s"},
		Caller{Kind: AWSPrincipal, ID: "arn:aws:iam::111122223333:role/other"}, Caller{Kind: AWSPrincipal, ID: "arn:aws:iam::444455556666:user/u"},
		Caller{Kind: AWSPrincipal, ID: "arn:aws:iam::777777777777:role/r"}, Caller{Kind: Federated, ID: "www.amazon.com"})
	if u.identity {
		r.Principal = Caller{Kind: AWSPrincipal, ID: "arn:aws:iam::111122223333:role/r"}
	}
	if r.Principal.Kind == ServiceCaller {
		r.Context["aws:PrincipalIsAWSService"] = []string{"true"}
	}
	if r.Principal.Kind != AWSPrincipal {
		return
	}
	r.Context["aws:PrincipalIsAWSService"] = []string{"false"}
	arn := r.Principal.ID
	if strings.Contains(arn, "assumed-role") {
		arn = "arn:aws:iam::111122223333:role/r"
	}
	r.Context["aws:PrincipalArn"] = []string{arn}
	maybe("aws:PrincipalOrgID", "o-1", "o-2", "o-3", "O-1")
	if strings.HasSuffix(arn, ":user/u") {
		r.Context["aws:username"] = []string{"u"}
	}
	maybe("aws:PrincipalTag/t", "x", "y", "u", "uz")
}

// worlds checks a property in universes of resource and of identity policies.
func worlds(t *testing.T, property func(t rapid.TB, u universe)) {
	t.Helper()
	forAll(t, func(t rapid.TB, c chooser) { property(t, universe{c, c(2) == 1}) })
}

func text(p Policy) string {
	b, err := p.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestNewAccessNeverMissesARequest(t *testing.T) {
	found, confirmed, unknown, alarms := 0, 0, 0, 0
	for seed := range 3000 {
		u := universe{rand.New(rand.NewSource(int64(seed))), seed%2 == 1}
		o := u.options()
		baseline, current := u.randomPolicy(), u.randomPolicy()
		if u.Intn(2) == 0 { // mostly the same, so that less is new
			current.Statements = append(slices.Clone(baseline.Statements), u.randomStatement())
			current.Statements = slices.Delete(current.Statements, 0, u.Intn(2))
		}
		got := NewAccess(baseline, current, o)
		for range 300 {
			r := u.randomRequest()
			if Evaluate(current, r).Outcome == Allowed && surelyNot(Evaluate(baseline, r).Outcome) {
				if !got.New {
					t.Fatalf("seed %d: missed %+v\nbaseline %s\ncurrent  %s", seed, r, text(baseline), text(current))
				}
				break
			}
		}
		if got.New {
			found++
			switch {
			case got.Unknown:
				unknown++
			case got.Witnesses[0].Certain:
				confirmed++
			default:
				alarms++
				if testing.Verbose() && alarms < 8 {
					t.Logf("not confirmed: %s\nbaseline %s\ncurrent  %s", got.Witnesses[0], text(baseline), text(current))
				}
			}
		}
	}
	t.Logf("of 3000 pairs %d have new access: %d confirmed, %d unknown, %d not confirmed", found, confirmed, unknown, alarms)
}

func with1(p Policy, effect Effect, s Statement) Policy {
	s.Effect = effect
	return Policy{Version: version2012, Statements: append(slices.Clone(p.Statements), s)}
}

func TestNewAccessIsReflexive(t *testing.T) {
	worlds(t, func(t rapid.TB, u universe) {
		if a := u.randomPolicy(); NewAccess(a, a, u.options()).New {
			t.Fatalf("not reflexive: %s", text(a))
		}
	})
}

func TestNewAccessIsMonotoneInAllowAndAntitoneInDeny(t *testing.T) {
	worlds(t, func(t rapid.TB, u universe) {
		a, s, o := u.randomPolicy(), u.randomStatement(), u.options()
		more, less := with1(a, Allow, s), with1(a, Deny, s)
		if NewAccess(more, a, o).New {
			t.Fatalf("not monotone in Allow:\n%s\n%s", text(a), text(more))
		}
		if NewAccess(a, less, o).New {
			t.Fatalf("not antitone in Deny:\n%s\n%s", text(a), text(less))
		}
		if NewAccess(more, less, o).New {
			t.Fatalf("not transitive:\n%s\n%s", text(less), text(more))
		}
		b := u.randomPolicy()
		if len(domainOf(less, b)) == len(domainOf(more, b)) && !NewAccess(less, b, o).New && NewAccess(more, b, o).New {
			t.Fatalf("not transitive:\n%s\n%s\n%s", text(b), text(less), text(more))
		}
	})
}

// a <= b and b <= c make a <= c, for policies that are near each other, so that
// the order holds between them now and then.
func TestNewAccessIsTransitive(t *testing.T) {
	held := 0
	worlds(t, func(t rapid.TB, u universe) {
		o := u.options()
		a := u.randomPolicy()
		b := with1(a, pickOne(u, Allow, Deny), u.randomStatement())
		c := with1(b, pickOne(u, Allow, Deny), u.randomStatement())
		list := []Policy{a, b, c}
		i, j := u.Intn(3), u.Intn(3)
		list[0], list[i] = list[i], list[0]
		list[1], list[j] = list[j], list[1]
		if len(domainOf(list[0], list[1])) != len(domainOf(list[1], list[2])) || len(domainOf(list[0], list[1])) != len(domainOf(list[0], list[2])) {
			return // not all are about one function
		}
		if NewAccess(list[1], list[0], o).New || NewAccess(list[2], list[1], o).New {
			return
		}
		held++
		if NewAccess(list[2], list[0], o).New {
			t.Fatalf("not transitive:\n%s\n%s\n%s", text(list[0]), text(list[1]), text(list[2]))
		}
	})
	if held < 100 {
		t.Errorf("the order held only %d times", held)
	}
}

func TestNewAccessDoesNotDependOnOrderAndSpelling(t *testing.T) {
	worlds(t, func(t rapid.TB, u universe) {
		a, b, o := u.randomPolicy(), u.randomPolicy(), u.options()
		other := u.respelled(b)
		if NewAccess(b, other, o).New || NewAccess(other, b, o).New {
			t.Fatalf("spelling makes a difference:\n%s\n%s", text(b), text(other))
		}
		if x, y := NewAccess(a, b, o), NewAccess(a, other, o); x.New != y.New {
			t.Fatalf("spelling matters: %v %v\n%s\n%s\n%s", x, y, text(a), text(b), text(other))
		}
		if x, y := NewAccess(b, a, o), NewAccess(other, a, o); x.New != y.New {
			t.Fatalf("spelling of the baseline matters: %v %v\n%s\n%s\n%s", x, y, text(b), text(other), text(a))
		}
	})
}

// respelled says the same in another order and spelling.
func (u universe) respelled(p Policy) Policy {
	out := Policy{Version: version2012}
	for _, s := range p.Statements {
		s.Sid = "other"
		upper := u.Intn(2) == 1
		fold := func(list []string) []string {
			list = slices.Clone(list)
			for i := range list {
				if upper {
					list[i] = strings.ToUpper(list[i])
				}
			}
			slices.Reverse(list)
			return list
		}
		s.Action, s.NotAction = fold(s.Action), fold(s.NotAction)
		s.Resource, s.NotResource = slices.Clone(s.Resource), slices.Clone(s.NotResource)
		slices.Reverse(s.Resource)
		slices.Reverse(s.NotResource)
		s.Principal, s.NotPrincipal = u.respelledPrincipals(s.Principal), u.respelledPrincipals(s.NotPrincipal)
		s.Condition = slices.Clone(s.Condition)
		slices.Reverse(s.Condition)
		for i := range s.Condition {
			c := &s.Condition[i]
			c.Operator, c.Key = strings.ToLower(c.Operator), strings.ToUpper(c.Key)
			c.Values = append(slices.Clone(c.Values), c.Values[0])
			slices.Reverse(c.Values)
		}
		out.Statements = slices.Insert(out.Statements, u.Intn(len(out.Statements)+1), s)
	}
	return out
}

func (u universe) respelledPrincipals(p *Principals) *Principals {
	if p == nil {
		return nil
	}
	if p.Any {
		return &Principals{AWS: []string{"*"}}
	}
	q := *p
	q.AWS = slices.Clone(p.AWS)
	for i, name := range q.AWS {
		if isAccount(name) {
			q.AWS[i] = "arn:aws:iam::" + name + ":root"
		} else if account, root := strings.CutSuffix(name, ":root"); root {
			q.AWS[i] = account[strings.LastIndexByte(account, ':')+1:]
		}
	}
	slices.Reverse(q.AWS)
	return &q
}

// Whatever a brute force over requests finds is found, and what is said to be
// certain is allowed now and was not before.
func TestNewAccessAgreesWithBruteForce(t *testing.T) {
	worlds(t, func(t rapid.TB, u universe) {
		o := u.options()
		o.All = true
		baseline := u.randomPolicy()
		current := with1(baseline, pickOne(u, Allow, Deny), u.randomStatement())
		if u.Intn(2) == 1 {
			baseline, current = current, baseline
		}
		got := NewAccess(baseline, current, o)
		for range 40 {
			if r := u.randomRequest(); !got.New && Evaluate(current, r).Outcome == Allowed && surelyNot(Evaluate(baseline, r).Outcome) {
				t.Fatalf("missed %+v\nbaseline %s\ncurrent  %s", r, text(baseline), text(current))
			}
		}
		for _, w := range got.Witnesses {
			if !w.Certain {
				continue
			}
			r := w.replayed(current.Statements[w.Index])
			if now, before := Evaluate(current, r), Evaluate(baseline, r); now.Outcome != Allowed || !surelyNot(before.Outcome) {
				t.Fatalf("%s: now %s, before %s\nbaseline %s\ncurrent  %s", w, now.Reason, before.Reason, text(baseline), text(current))
			}
		}
	})
}

// replayed is the request of a witness, whose caller is of the kind that its
// name looks like.
func (w Witness) replayed(Statement) Request {
	c := Caller{Kind: AWSPrincipal, ID: w.Principal}
	switch {
	case w.Principal == "":
		c = Caller{}
	case w.Principal == string(Anonymous):
		c = Caller{Kind: Anonymous}
	case strings.HasSuffix(w.Principal, ".amazonaws.com"):
		c.Kind = ServiceCaller
	case !strings.HasPrefix(w.Principal, "arn:aws:iam:") && !strings.HasPrefix(w.Principal, "arn:aws:sts:"):
		c.Kind = Federated
	}
	return Request{Principal: c, Action: w.Action, Resource: w.Resource, Context: w.Context}
}

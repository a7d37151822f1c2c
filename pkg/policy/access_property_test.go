package policy

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

// universe makes small random policies and the requests that tell them apart.
type universe struct {
	*rand.Rand

	identity bool
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

func properties(t *testing.T, n int, check func(t *testing.T, u universe, o Options)) {
	t.Helper()
	for seed := range n {
		u := universe{rand.New(rand.NewSource(int64(seed))), seed%2 == 1}
		o := Options{Type: ResourcePolicy}
		if u.identity {
			o.Type = IdentityPolicy
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { check(t, u, o) })
		if t.Failed() {
			return
		}
	}
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
		o := Options{Type: ResourcePolicy}
		if u.identity {
			o.Type = IdentityPolicy
		}
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

func TestNewAccessIsAnOrder(t *testing.T) {
	properties(t, 1500, func(t *testing.T, u universe, o Options) {
		a, b := u.randomPolicy(), u.randomPolicy()
		if NewAccess(a, a, o).New {
			t.Fatalf("not reflexive: %s", text(a))
		}
		s := u.randomStatement()
		s.Effect = Allow
		more := Policy{Version: version2012, Statements: append(slices.Clone(a.Statements), s)}
		if NewAccess(more, a, o).New {
			t.Fatalf("not monotone in Allow:\n%s\n%s", text(a), text(more))
		}
		s.Effect = Deny
		less := Policy{Version: version2012, Statements: append(slices.Clone(a.Statements), s)}
		if NewAccess(a, less, o).New {
			t.Fatalf("not antitone in Deny:\n%s\n%s", text(a), text(less))
		}
		// less <= a <= more, so less <= more; and for any b: b <= less implies b <= a.
		if NewAccess(more, less, o).New {
			t.Fatalf("not transitive:\n%s\n%s", text(less), text(more))
		}
		if !NewAccess(less, b, o).New && NewAccess(more, b, o).New {
			t.Fatalf("not transitive:\n%s\n%s\n%s", text(b), text(less), text(more))
		}
		shuffled := Policy{Version: version2012, Statements: slices.Clone(b.Statements)}
		u.Shuffle(len(shuffled.Statements), func(i, j int) {
			shuffled.Statements[i], shuffled.Statements[j] = shuffled.Statements[j], shuffled.Statements[i]
		})
		if x, y := NewAccess(a, b, o), NewAccess(a, shuffled, o); x.New != y.New || NewAccess(b, shuffled, o).New {
			t.Fatalf("order matters:\n%s\n%s", text(a), text(b))
		}
	})
}

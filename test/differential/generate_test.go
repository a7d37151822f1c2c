package differential

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
)

// pair is one question: does current allow what baseline does not?
type pair struct {
	kind              kind
	baseline, current document
}

// texts are the two documents as both sides read them.
func (p pair) texts() (baseline, current []byte, err error) {
	if baseline, err = json.Marshal(p.baseline); err != nil {
		return nil, nil, err
	}
	current, err = json.Marshal(p.current)
	return baseline, current, err
}

// problem encodes the documents as their JSON text has them.
func (p pair) problem() (*problem, error) {
	baseline, current, err := p.texts()
	if err != nil {
		return nil, err
	}
	before, err := readPolicy(baseline)
	if err != nil {
		return nil, err
	}
	after, err := readPolicy(current)
	if err != nil {
		return nil, err
	}
	return encode(p.kind, before, after)
}

// generator makes pairs. The alphabets are small, so that patterns meet.
type generator struct {
	*rand.Rand
	kind kind
	// about, if not empty, lists the only dimensions in which the sides differ:
	// "Action", "Resource", "Principal" or a condition key.
	about []string
}

// newPair is pair number i of a seed, whatever was made before it.
func newPair(seed, i uint64, about ...string) pair {
	g := generator{Rand: rand.New(rand.NewPCG(seed, i)), kind: resourcePolicy, about: about}
	switch n := g.IntN(100); {
	case n < 40:
		g.kind = identityPolicy
	case n < 50:
		g.kind = trustPolicy
	}
	if len(about) > 0 || g.chance(55) {
		return g.focused()
	}
	p := pair{kind: g.kind, baseline: g.document()}
	p.current = p.baseline.clone()
	if g.chance(5) {
		p.current = g.document()
	}
	for range 1 + g.IntN(3) {
		g.mutate(&p.current)
	}
	if g.chance(50) {
		p.baseline, p.current = p.current, p.baseline
	}
	return p
}

// focused is a pair whose statements differ in one or two dimensions only: the
// actions, the resources, the principals or the conditions on a key or two. In
// random documents these differences are mostly hidden by others.
func (g generator) focused() pair {
	template := g.statement()
	template.effect, template.conditions = "Allow", nil
	var vary []func(*statement)
	for range 1 + g.IntN(2) {
		vary = append(vary, g.dimension())
	}
	side := func() document {
		d := document{version: version2012}
		if g.chance(6) {
			d.version = ""
		}
		for i := range 1 + g.IntN(3) {
			s := template.clone()
			if g.chance(25) && i > 0 {
				s.effect = "Deny"
			}
			for _, change := range vary {
				if g.chance(85) {
					change(&s)
				}
			}
			d.statements = append(d.statements, s)
		}
		return d
	}
	p := pair{kind: g.kind, baseline: side(), current: side()}
	if g.chance(60) { // the same, but for a value or an operator
		p.current = p.baseline.clone()
		for range 1 + g.IntN(2) {
			closeMutations[g.IntN(len(closeMutations))](g, &p.current)
		}
	}
	if g.chance(50) {
		p.baseline, p.current = p.current, p.baseline
	}
	return p
}

// dimension changes a statement in one dimension, mostly a condition key.
func (g generator) dimension() func(*statement) {
	name, on := g.pick("Action", "Resource", "Principal"), subjects[g.IntN(len(subjects))]
	if g.chance(70) {
		name = on.key
	}
	if len(g.about) > 0 {
		name = g.pick(g.about...)
		on, _ = subjectOf(name)
	}
	switch {
	case name == "Principal" && g.kind == identityPolicy, name == "Resource" && g.kind == trustPolicy:
		return func(*statement) {}
	case name == "Principal":
		return func(s *statement) {
			name := g.not("Principal")
			s.principals = map[string]map[string][]string{name: g.principals(name)}
		}
	case name == "Action":
		return func(s *statement) { g.relist(s, name, g.actions()) }
	case name == "Resource":
		return func(s *statement) { g.relist(s, name, g.resources()) }
	}
	return func(s *statement) { s.conditions = append(s.conditions, g.conditionOn(on)) }
}

func (g generator) relist(s *statement, name string, pool []string) {
	delete(s.lists, name)
	delete(s.lists, "Not"+name)
	s.lists[g.not(name)] = g.some(pool...)
}

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

// some is one to three of a list.
func (g generator) some(list ...string) []string {
	n := 1
	if g.chance(30) {
		n += 1 + g.IntN(2)
	}
	var out []string
	for range n {
		out = append(out, g.pick(list...))
	}
	return distinct(out)
}

func (g generator) document() document {
	d := document{version: version2012}
	if g.chance(6) {
		d.version = g.pick("", "2008-10-17")
	}
	for range 1 + g.IntN(4) {
		d.statements = append(d.statements, g.statement())
	}
	return d
}

func (g generator) statement() statement {
	s := statement{effect: "Allow", lists: map[string][]string{}, principals: map[string]map[string][]string{}}
	if g.kind == resourcePolicy && g.chance(50) {
		g.addPermission(&s)
		return s
	}
	if g.chance(25) {
		s.effect = "Deny"
	}
	s.lists[g.not("Action")] = g.some(g.actions()...)
	if g.kind != trustPolicy {
		s.lists[g.not("Resource")] = g.some(g.resources()...)
	}
	if g.kind != identityPolicy {
		name := g.not("Principal")
		s.principals[name] = g.principals(name)
	}
	for range g.IntN(4) {
		s.conditions = append(s.conditions, g.condition())
	}
	return s
}

// not is the element's name, now and then that of its complement.
func (g generator) not(name string) string {
	if g.chance(12) {
		return "Not" + name
	}
	return name
}

// addPermission is a statement as lambda:AddPermission writes it.
func (g generator) addPermission(s *statement) {
	s.sid = g.pick("", "a", "b")
	s.lists["Action"] = []string{g.pick("lambda:InvokeFunction", "lambda:InvokeFunction", "lambda:invokeFunction", "lambda:InvokeFunctionUrl", "lambda:*", "*")}
	s.lists["Resource"] = []string{lambdaARN + g.pick("f", "f", "f:live", "f:1")}
	s.principals["Principal"] = map[string][]string{}
	if g.chance(60) {
		s.principals["Principal"]["Service"] = []string{g.pick(services...)}
	} else {
		s.principals["Principal"]["AWS"] = []string{g.pick("*", accounts[0], "arn:aws:iam::"+accounts[0]+":root", "arn:aws:iam::"+accounts[1]+":role/a")}
	}
	parameters := []condition{
		{"ArnLike", "AWS:SourceArn", []string{g.pick(sourceARNs...)}},
		{"StringEquals", "AWS:SourceAccount", []string{g.pick(accounts...)}},
		{"StringEquals", "aws:PrincipalOrgID", []string{g.pick("o-a", "o-b")}},
		{"StringEquals", "lambda:EventSourceToken", []string{"tok"}},
		{"StringEquals", "lambda:FunctionUrlAuthType", []string{g.pick("NONE", "AWS_IAM")}},
		{"Bool", "lambda:InvokedViaFunctionUrl", []string{"true"}},
	}
	for i, c := range parameters {
		if g.chance([]int{50, 50, 15, 10, 15, 10}[i]) {
			s.conditions = append(s.conditions, c)
		}
	}
}

const lambdaARN = "arn:aws:lambda:us-east-1:111111111111:function:"

var (
	accounts   = []string{"111111111111", "222222222222", "333333333333"}
	services   = []string{"s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com"}
	sourceARNs = []string{
		"arn:aws:s3:::b", "arn:aws:s3:::b2", "arn:aws:s3:::b*", "arn:aws:s3:::*", "arn:aws:s3:::b?",
		"arn:aws:sns:us-east-1:111111111111:t", "arn:aws:sns:*:111111111111:t", "arn:aws:sns:us-east-1:*:*", "arn:aws:sns:us-east-1:222222222222:x:111111111111:t", "arn:aws:*:*:111111111111:*",
		"arn:aws:execute-api:us-east-1:111111111111:api/*/GET/*", "arn:aws:execute-api:us-east-1:111111111111:api/prod/*/x",
		"arn:aws:events:us-east-1:111111111111:rule/r", "arn:aws:events:us-east-1:1111*:rule/*",
	}
)

func (g generator) actions() []string {
	switch g.kind {
	case resourcePolicy:
	case trustPolicy:
		return []string{"sts:AssumeRole", "sts:assumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRole*", "sts:TagSession", "sts:?*", "sts:*", "*"}
	case identityPolicy:
		return []string{
			"s3:GetObject", "s3:getobject", "s3:PutObject", "s3:Get*", "s3:*Object", "s3:*", "s3:?etObject", "s3:GetObjectAcl",
			"lambda:InvokeFunction", "lambda:*", "iam:PassRole", "*", "*:Get*", "s*",
		}
	}
	return []string{
		"lambda:InvokeFunction", "lambda:invokeFunction", "lambda:InvokeFunctionUrl", "lambda:GetFunction", "lambda:GetPolicy",
		"lambda:Invoke*", "lambda:Get*", "lambda:*Function", "lambda:?etPolicy", "lambda:*", "*",
	}
}

func (g generator) resources() []string {
	if g.kind == identityPolicy {
		return []string{
			"arn:aws:s3:::b", "arn:aws:s3:::b/*", "arn:aws:s3:::b/x/*", "arn:aws:s3:::b*", "arn:aws:s3:::*/x", "arn:aws:s3:::?/x", "arn:aws:s3:*",
			"arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${AWS:UserName}/x/*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/${aws:PrincipalTag/team, 'x'}/*", "arn:aws:s3:::b/${*}",
			lambdaARN + "f", lambdaARN + "*", "arn:aws:lambda:*:*:function:f", "arn:aws:lambda:*", "*", "*:function:f",
		}
	}
	return []string{
		lambdaARN + "f", lambdaARN + "f:live", lambdaARN + "f:1", lambdaARN + "f:*", lambdaARN + "f*", lambdaARN + "*", lambdaARN + "?", lambdaARN + "*:live",
		"arn:aws:lambda:*:111111111111:function:f", "arn:aws:lambda:us-*-1:*:function:f:*", "arn:*:lambda:us-east-1:111111111111:function:f",
		"arn:aws:lambda:*", "arn:aws:lam*", "*", "*:f", lambdaARN + "${aws:username}", lambdaARN + "f:${aws:PrincipalTag/team}*",
	}
}

func (g generator) principals(name string) map[string][]string {
	typed := map[string][]string{}
	a, b := g.pick(accounts...), g.pick(accounts...)
	aws := []string{"*", a, "arn:aws:iam::" + a + ":root", "arn:aws:iam::" + a + ":role/a", "arn:aws:iam::" + a + ":user/u", "arn:aws:iam::" + b + ":role/b", "arn:aws:sts::" + a + ":assumed-role/a/s", "arn:aws:iam::" + a + ":role/*", "AROAEXAMPLEID1"}
	if name == "NotPrincipal" {
		aws = []string{a, b, "arn:aws:iam::" + a + ":root"}
		if g.chance(20) { // with its account: without, nobody knows what it means
			typed["AWS"] = []string{a, "arn:aws:iam::" + a + ":role/a"}
			return typed
		}
	}
	if g.chance(70) {
		typed["AWS"] = g.some(aws...)
	}
	if len(typed) == 0 || g.chance(15) {
		typed["Service"] = g.some(services...)
	}
	if g.chance(8) {
		typed["Federated"] = []string{g.pick("cognito-identity.amazonaws.com", "arn:aws:iam::111111111111:saml-provider/p")}
	}
	if g.chance(4) {
		typed["CanonicalUser"] = []string{"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}
	}
	return typed
}

// subject is a condition key with the values that are generated for it.
type subject struct {
	key      string
	family   family
	values   []string
	patterns []string
}

var subjects = []subject{
	{"aws:SourceArn", arns, nil, sourceARNs},
	{"aws:SourceAccount", textual, accounts, []string{"1*", "*1", "*", "${aws:PrincipalAccount}"}},
	{"aws:PrincipalOrgID", textual, []string{"o-a", "o-b", "o-A"}, []string{"o-*", "*", "o-?"}},
	{"aws:PrincipalArn", arns, nil, []string{"arn:aws:iam::111111111111:role/a", "arn:aws:iam::*:role/a", "arn:aws:iam::111111111111:*", "arn:aws:iam::222222222222:role/*", "arn:aws:iam::111111111111:user/u"}},
	{"aws:PrincipalAccount", textual, accounts, []string{"1*", "2*"}},
	{"aws:username", textual, []string{"u", "v", "U"}, []string{"u*", "?", "*"}},
	{"aws:PrincipalTag/team", textual, []string{"red", "blue", "Red", "${aws:username}"}, []string{"r*", "*e*", "*d", "?ed", "${aws:username}*", "${*}", "re${?}"}},
	{"aws:ResourceTag/team", textual, []string{"red", "blue", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/team, 'red'}", "x-${aws:username}"}, []string{"r*", "${aws:PrincipalTag/team}*", "*${aws:PrincipalTag/team}"}},
	{"s3:prefix", textual, []string{"home/", "home/${aws:username}", "home/${AWS:UserName}/x"}, []string{"home/*", "home/${aws:username}/*", "home/${aws:username}/x/*", "*/${aws:username}", "home/${aws:username, 'x'}/?"}},
	{"lambda:FunctionUrlAuthType", textual, []string{"NONE", "AWS_IAM"}, []string{"*"}},
	{"lambda:InvokedViaFunctionUrl", booleans, []string{"true", "false"}, nil},
	{"aws:SecureTransport", booleans, []string{"true", "false", "True"}, nil},
	{"aws:SourceIp", addresses, []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "10.1.2.3/32", "0.0.0.0/0", "160.0.0.0/8", "2001:db8::/32", "2001:DB8:1::/48", "2001:db8::1", "::/0"}, nil},
	{"aws:CurrentTime", dates, []string{"2024-01-01T00:00:00Z", "2024-01-01", "2025-06-01T12:00:00Z", "2025-06-01T14:00:00+02:00", "1748779200", "2026-12-31T23:59:59Z"}, nil},
	{"aws:MultiFactorAuthAge", numbers, []string{"5", "5.0", "10", "-1", "0.5", "300"}, nil},
	{"aws:PrincipalOrgPaths", textual, []string{"o-a/r-1/ou-1/", "o-a/r-1/"}, []string{"o-a/*", "o-a/r-1/*", "o-b/*", "*/ou-1/"}},
	{"aws:TagKeys", textual, []string{"a", "b", "A", "ab"}, []string{"a*", "*b", "*"}},
	{"aws:CalledVia", textual, services, []string{"s*", "*.amazonaws.com"}},
	{"svc:Blob", textual, []string{"QUJD", "QQ=="}, nil},
}

var plain = map[family][]string{
	textual:   {"StringEquals", "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringLike", "StringNotLike"},
	arns:      {"ArnLike", "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals", "StringLike", "StringNotLike", "StringEquals"},
	numbers:   {"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
	dates:     {"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
	addresses: {"IpAddress", "IpAddress", "NotIpAddress"},
	booleans:  {"Bool", "Bool", "StringEquals"},
}

func (g generator) condition() condition {
	return g.conditionOn(subjects[g.IntN(len(subjects))])
}

func (g generator) conditionOn(s subject) condition {
	c := condition{key: s.key}
	if g.chance(10) {
		c.key = strings.Replace(s.key, "aws:", "AWS:", 1)
	}
	if g.chance(10) {
		c.key = strings.Replace(c.key, "/team", "/Team", 1) // names of tags too
	}
	if g.chance(10) {
		c.operator, c.values = "Null", []string{g.pick("true", "false")}
		return c
	}
	base := g.pick(plain[s.family]...)
	if s.key == "svc:Blob" {
		base = "BinaryEquals"
	}
	c.operator, c.values = base, g.some(s.valuesFor(base)...)
	if multivalued[strings.ToLower(s.key)] || g.chance(6) {
		c.operator = g.pick("ForAnyValue:", "ForAllValues:") + c.operator
	}
	if g.chance(15) {
		c.operator += "IfExists"
	}
	return c
}

// valuesFor are the values that the operator understands, and for equality now
// and then a pattern, which it takes as text.
func (s subject) valuesFor(operator string) []string {
	switch {
	case strings.HasSuffix(operator, "IgnoreCase"):
		return without(s.values, "${")
	case s.family == booleans && operator == "StringEquals":
		return []string{"true", "false"}
	case strings.Contains(operator, "Like") || strings.HasPrefix(operator, "Arn"):
		return append(append([]string(nil), s.values...), s.patterns...)
	case s.family == arns:
		return s.patterns
	}
	return s.values
}

func without(list []string, part string) []string {
	var out []string
	for _, text := range list {
		if !strings.Contains(text, part) {
			out = append(out, text)
		}
	}
	return out
}

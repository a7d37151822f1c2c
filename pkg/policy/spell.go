package policy

import (
	"slices"
	"strings"
)

// textCandidates are texts among which every class of a text dimension has
// one: the literals, and for the patterns what an automaton finds.
func (s *space) textCandidates(dim *dimension, own *clause) []value {
	var values []value
	add := func(text string, generic bool) {
		values = append(values, value{text: text, runes: []rune(text), generic: generic})
	}
	wild := s.wildPatterns(dim, own)
	ownWild := 0
	if own != nil {
		for i := range own.globs {
			if own.globs[i].wild {
				ownWild++
			}
		}
		ownWild = min(ownWild, len(wild))
	}
	for _, g := range wild {
		if text, ok := nice(g, dim.key.name); ok {
			add(text, false)
		}
	}
	if dim.key.name == actionName && (own == nil || ownWild > 0) {
		for _, action := range lowActions {
			add(action, false)
		}
	}
	for _, c := range dim.clauses {
		for i := range c.globs {
			if g := &c.globs[i]; !g.wild {
				add(g.text, false)
			}
		}
		for _, text := range slices.Sorted(keysOf(c.literal)) {
			add(text, false)
		}
	}
	for i := range s.domain {
		if dim.key.name == resourceName && !s.domain[i].wild {
			add(s.domain[i].text, false)
		}
	}
	switch {
	case own != nil && ownWild == 0: // the literals are all
	case len(wild) == 0:
		add("example", true)
	default:
		for _, text := range examples(wild, ownWild, s.budget) {
			add(text, true)
		}
	}
	return slices.DeleteFunc(values, func(v value) bool { return !s.inDomain(dim.key.name, &v) })
}

func keysOf(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// anyAction is what every action looks like.
var anyAction, _ = parseGlob("*:*", likePattern, false)

// inDomain reports whether a value can be that of a request at all.
func (s *space) inDomain(name string, v *value) bool {
	switch name {
	case actionName:
		return anyAction.match(v.text)
	case resourceName:
		return s.domain == nil || slices.ContainsFunc(s.domain, func(g glob) bool { return (g.wild || !v.generic) && g.match(v.text) })
	}
	return true
}

// wildPatterns lists the patterns with wildcards that tell the values of a
// dimension apart, each once, those of the own clause first.
func (s *space) wildPatterns(dim *dimension, own *clause) []*glob {
	var list []*glob
	type identity struct {
		source string
		fold   bool
		stars  int // tells StringLike from ArnLike
	}
	seen := make(map[identity]bool)
	add := func(g *glob) {
		id := identity{g.source, g.fold, 0}
		for i, t := range g.tokens {
			if t.kind == tokenStarInside || t.kind == tokenOneInside {
				id.stars += i + 1
			}
		}
		if !seen[id] {
			seen[id] = true
			list = append(list, g)
		}
	}
	all := func(c *clause) {
		for i := range c.globs {
			if c.globs[i].wild {
				add(&c.globs[i])
			}
		}
		for i := range c.free {
			if c.free[i].loose != nil && !c.free[i].opaque {
				add(c.free[i].loose)
			}
		}
	}
	if own != nil {
		all(own)
		if len(list) == 0 {
			return nil
		}
	}
	for _, c := range dim.clauses {
		all(c)
	}
	switch dim.key.name {
	case actionName:
		add(&anyAction)
	case resourceName:
		for i := range s.domain {
			if s.domain[i].wild {
				add(&s.domain[i])
			}
		}
	}
	return list
}

// concrete makes a text of a class that stands for itself: no literal of the
// policies, and matched by the same patterns.
func (d *dimension) concrete(v *value) {
	if !v.generic || d.key.kind != textValues {
		return
	}
	const most = 64
	want := string(d.signature(nil, v))
	named := value{text: v.text, runes: v.runes}
	if v.text != "" && string(d.signature(nil, &named)) == want {
		return
	}
	for i := len(v.runes); i >= max(0, len(v.runes)-most); i-- {
		for _, filler := range []string{"example", "x", "0"} {
			text := string(v.runes[:i]) + filler + string(v.runes[i:])
			other := value{text: text, runes: []rune(text)}
			if string(d.signature(nil, &other)) == want {
				v.text, v.runes = text, other.runes
				return
			}
		}
	}
}

// nice spells a text that a pattern matches and that people recognise. It is a
// candidate like any other: where it is in another class, the automaton's stands.
func nice(g *glob, name string) (string, bool) {
	if name == actionName {
		return niceAction(g), true
	}
	var b strings.Builder
	segment := 1
	for i, t := range g.tokens {
		if t.kind == tokenRune {
			if t.r == ':' {
				segment++
			}
			b.WriteRune(t.r)
			continue
		}
		alone := (i == 0 || g.tokens[i-1].r == ':') && (i+1 == len(g.tokens) || g.tokens[i+1].r == ':')
		switch {
		case !t.star():
			b.WriteByte('x')
		case alone && segment == 4:
			b.WriteString("us-east-1")
		case alone && segment == 5:
			b.WriteString(strangerAccount)
		default:
			b.WriteString("example")
		}
	}
	text := b.String()
	if whole := "arn:aws:lambda:us-east-1:" + strangerAccount + ":function:example"; segment < arnSegments && g.match(whole) {
		text = whole
	}
	return text, g.match(text)
}

// knownActions are the actions that witnesses show by preference, and spell.
// Source: Service Authorization Reference, "AWS Lambda" and "AWS STS".
var knownActions = []string{
	"lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "lambda:GetFunction", "lambda:UpdateFunctionCode",
	"lambda:UpdateFunctionConfiguration", "lambda:AddPermission", "lambda:RemovePermission", "lambda:PutResourcePolicy",
	"lambda:GetLayerVersion", "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession",
	"sts:SetSourceIdentity", "s3:GetObject", "s3:PutObject", "iam:PassRole", "dynamodb:GetItem", "ec2:RunInstances",
}

var lowActions = func() []string {
	list := slices.Clone(knownActions)
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}()

func niceAction(g *glob) string {
	for _, action := range lowActions {
		if g.match(action) {
			return action
		}
	}
	var b strings.Builder
	for _, t := range g.tokens {
		switch {
		case t.kind == tokenRune:
			b.WriteRune(t.r)
		case t.star():
			b.WriteString("example")
		default:
			b.WriteByte('x')
		}
	}
	return b.String()
}

// spellAction is an action as the policies write it, or as AWS does.
func (q *question) spellAction(low string) string {
	for _, list := range [][]Statement{q.current.policy.Statements, q.baseline.policy.Statements} {
		for _, s := range list {
			for _, action := range slices.Concat(s.Action, s.NotAction) {
				if strings.EqualFold(action, low) {
					return action
				}
			}
		}
	}
	for _, action := range knownActions {
		if strings.EqualFold(action, low) {
			return action
		}
	}
	return low
}

// knownKeys are condition keys as AWS spells them.
// Source: IAM User Guide, "AWS global condition context keys"; Service
// Authorization Reference, "AWS Lambda".
var knownKeys = []string{
	"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalIsAWSService",
	"aws:PrincipalServiceName", "aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceIp",
	"aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:SecureTransport", "aws:CurrentTime", "aws:EpochTime",
	"aws:TagKeys", "aws:CalledVia", "aws:ViaAWSService", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:UserAgent",
	"aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceOrgID", "lambda:FunctionUrlAuthType",
	"lambda:InvokedViaFunctionUrl", "lambda:EventSourceToken", "lambda:FunctionArn", "sts:ExternalId",
}

// spellKey is a condition key as AWS writes it, or as the policies do.
func (q *question) spellKey(low string) string {
	for _, key := range knownKeys {
		if strings.EqualFold(key, low) {
			return key
		}
	}
	for _, list := range [][]Statement{q.current.policy.Statements, q.baseline.policy.Statements} {
		for _, s := range list {
			for _, c := range s.Condition {
				if strings.EqualFold(c.Key, low) {
					return c.Key
				}
			}
		}
	}
	return low
}

// assume gives a policy variable the value with which the pattern of a free
// question matches what the request holds.
func (q *question) assume(r *Request, f free) {
	parts := strings.Split(strings.TrimPrefix(f.text, "\x00"), "\x00")
	if f.loose == nil || len(parts) < 2 || f.opaque {
		return
	}
	pattern, value := parts[len(parts)-1], r.Resource
	if f.text[0] != 0 {
		values := r.Context[q.spellKey(parts[1])]
		if len(values) != 1 {
			return
		}
		value = values[0]
	}
	before, rest, _ := strings.Cut(pattern, escapeOpen)
	name, after, closed := strings.Cut(rest, "}")
	name, _, _ = strings.Cut(name, ",")
	if name = q.spellKey(strings.ToLower(strings.TrimSpace(name))); !closed || r.Context[name] != nil {
		return
	}
	if !strings.HasPrefix(parts[0], "StringEquals") {
		wildcards := strings.NewReplacer("*", "", "?", "")
		before, after = wildcards.Replace(before), wildcards.Replace(after)
	}
	if middle, ok := strings.CutPrefix(value, before); ok {
		if middle, ok = strings.CutSuffix(middle, after); ok && middle != "" {
			if r.Context == nil {
				r.Context = make(map[string][]string)
			}
			r.Context[name] = []string{middle}
		}
	}
}

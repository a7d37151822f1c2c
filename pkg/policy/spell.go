package policy

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// textCandidates are texts among which every class of a text dimension has
// one: the literals, and for the patterns what an automaton finds. Those that
// people recognise come first.
func (s *space) textCandidates(dim *dimension, own *clause) []value {
	var values []value
	add := func(text string, generic bool) {
		values = append(values, value{text: text, runes: []rune(text), generic: generic})
	}
	shapes, wild := s.shapes(dim), s.wildPatterns(dim, own)
	ownWild := 0
	if own != nil {
		ownWild = min(own.wildcards(), len(wild))
	}
	for _, text := range s.niceTexts(dim, wild) {
		add(text, false)
	}
	for _, c := range dim.clauses {
		for _, text := range c.literals() {
			add(text, false)
		}
	}
	for i := range shapes {
		if !shapes[i].wild {
			add(shapes[i].text, false)
		}
	}
	if dim.key.name == resourceName && s.identity {
		add(noResource, false)
	}
	switch {
	case own != nil && ownWild == 0: // the literals are all
	case len(wild) == 0:
		add("example", true)
	default:
		for _, text := range s.unlisted(values, wild, ownWild) {
			add(text, true)
		}
	}
	return slices.DeleteFunc(values, func(v value) bool { return !s.hasShape(dim, shapes, &v) })
}

// unlisted are examples of what the patterns match beside the listed values. A
// text that is listed as well may be the only one that its patterns match, such
// as "a" between a* and a?*: then the listed values count as patterns too.
func (s *space) unlisted(listed []value, wild []*glob, ownWild int) []string {
	texts := examples(wild, ownWild, s.budget)
	names := make(map[string]bool, len(listed))
	for _, v := range listed {
		names[v.text] = true
	}
	if len(listed) > mostListed || !slices.ContainsFunc(texts, func(text string) bool { return names[text] }) {
		return texts
	}
	patterns := slices.Clone(wild)
	for _, text := range slices.Sorted(maps.Keys(names)) {
		g := &glob{source: text, text: text, wild: true}
		for _, r := range text {
			g.tokens = append(g.tokens, token{kind: tokenRune, r: r})
		}
		patterns = append(patterns, g)
	}
	const most = 1 << 16 // steps
	attempt := budget{steps: MaxSteps - most}
	exact := examples(patterns, ownWild, &attempt)
	s.budget.steps += attempt.steps - (MaxSteps - most)
	if attempt.exceeds != "" {
		return texts // which may report too much
	}
	return slices.DeleteFunc(exact, func(text string) bool { return names[text] })
}

// mostListed is the most listed values that are told apart from what patterns
// match beside them.
const mostListed = 64

// niceTexts are texts that people recognise, as far as patterns leave room.
func (s *space) niceTexts(dim *dimension, wild []*glob) (list []string) {
	for _, g := range wild {
		if text, ok := nice(g, dim.key.name); ok {
			list = append(list, text)
		}
	}
	switch dim.key.name {
	case "aws:principalarn":
		return append(s.callerARNs(), list...)
	case actionName:
		if len(wild) > 0 {
			return append(list, lowActions...)
		}
	}
	return list
}

// wildcards counts the clause's patterns with wildcards.
func (c *clause) wildcards() (n int) {
	for i := range c.globs {
		if c.globs[i].wild {
			n++
		}
	}
	return n
}

// literals lists the clause's values without wildcards.
func (c *clause) literals() (list []string) {
	for i := range c.globs {
		if g := &c.globs[i]; !g.wild {
			list = append(list, g.text)
		}
	}
	return append(list, slices.Sorted(keysOf(c.literal))...)
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

// What actions and ARNs look like at all, and the actions of trust policies.
var (
	anyAction    = []glob{likeGlob("?*:?*")}
	trustActions = []glob{likeGlob("sts:assumerole*"), likeGlob("sts:tagsession"), likeGlob("sts:setsourceidentity")}
	anyARN       = []glob{mustGlob("arn:*:*:*:*:*")}
)

func likeGlob(text string) glob {
	g, _ := parseGlob(text, likePattern, false)
	return g
}

// arnKeys are condition keys whose values are ARNs under any operator.
// Source: IAM User Guide, "AWS global condition context keys".
var arnKeys = map[string]bool{"aws:sourcearn": true, "aws:principalarn": true, "lambda:functionarn": true}

// shapes are patterns of which every value of a dimension matches one; nil for
// any text.
func (s *space) shapes(dim *dimension) []glob {
	switch {
	case dim.key.name == actionName && s.trust:
		return trustActions
	case dim.key.name == actionName:
		return anyAction
	case dim.key.name == resourceName && s.domain != nil:
		return s.domain
	case dim.key.name == resourceName, arnKeys[dim.key.name], dim.arns():
		return anyARN
	}
	return nil
}

// arns reports whether a statement takes the values of the key for ARNs.
func (d *dimension) arns() bool {
	return slices.ContainsFunc(d.clauses, func(c *clause) bool { return c.arn })
}

// noResource is what a request of an action without resources has, where only
// an identity policy's "*" matches.
const noResource = "*"

// hasShape reports whether a value can be that of a request at all.
func (s *space) hasShape(dim *dimension, shapes []glob, v *value) bool {
	if dim.key.name == resourceName && v.text == noResource && s.identity {
		return true
	}
	if shapes == nil || slices.ContainsFunc(shapes, func(g glob) bool { return (g.wild || !v.generic) && g.match(v.text) }) {
		return true
	}
	// A key may hold the text that StringEquals asks for, whatever its type says.
	return !strings.HasPrefix(dim.key.name, "\x00") && !v.generic && slices.ContainsFunc(dim.clauses, func(c *clause) bool {
		return !c.arn && !c.tells && slices.Contains(c.literals(), v.text)
	})
}

// wildPatterns lists the patterns with wildcards that tell the values of a
// dimension apart, each once, those of the own clause first.
func (s *space) wildPatterns(dim *dimension, own *clause) []*glob {
	var list []*glob
	seen := make(map[string]bool)
	var identity []byte // the source alone does not tell "*" of StringLike from that of ArnLike or StringEquals
	add := func(g *glob) {
		identity = identity[:0]
		for _, t := range g.tokens {
			identity = utf8.AppendRune(append(identity, t.kind), t.r)
		}
		if g.fold {
			identity = append(identity, 'f')
		}
		if !seen[string(identity)] {
			seen[string(identity)] = true
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
	shapes := s.shapes(dim)
	for i := range shapes {
		if shapes[i].wild {
			add(&shapes[i])
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
	if whole := "arn:aws:lambda:us-east-1:" + strangerAccount + ":function:example"; (name == resourceName || arnKeys[name]) && segment < arnSegments && g.match(whole) {
		text = whole
	}
	if accountKeys[name] {
		text = niceAccount(g)
	}
	if start, found := strings.CutPrefix(g.source, "*:"); found && name == resourceName && !strings.ContainsAny(start, "*?$") {
		text = "arn:aws:lambda:us-east-1:" + strangerAccount + ":" + start
	}
	return text, g.match(text)
}

// accountKeys are the condition keys that hold the id of an account.
var accountKeys = map[string]bool{"aws:principalaccount": true, "aws:sourceaccount": true, "aws:resourceaccount": true, "aws:vpceaccount": true}

// niceAccount fills the stars of a pattern with digits, up to an account's twelve.
func niceAccount(g *glob) string {
	var b strings.Builder
	left := max(0, len(strangerAccount)-len(g.tokens)+1) // for the first star
	for _, t := range g.tokens {
		switch {
		case t.kind == tokenRune:
			b.WriteRune(t.r)
		case t.star():
			b.WriteString(strings.Repeat("0", left))
			left = 1
		default:
			b.WriteByte('0')
		}
	}
	return b.String()
}

// knownActions are the actions that witnesses show by preference, and spell.
// Source: Service Authorization Reference, "AWS Lambda" and "AWS STS".
var knownActions = []string{
	"lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "lambda:GetFunction", "lambda:GetPolicy", "lambda:UpdateFunctionCode",
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
	"lambda:InvokedViaFunctionUrl", "lambda:EventSourceToken", "lambda:FunctionArn", "sts:ExternalId", "sts:RoleSessionName",
	"aws:username", "aws:userid", "aws:PrincipalType", "aws:SourceIdentity", "aws:Referer", "aws:TokenIssueTime",
	"aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths", "aws:SourceOwner", "aws:AssumedRoot", "lambda:SourceFunctionArn",
	"aws:FederatedProvider", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ResourceOrgPaths", "aws:PrincipalServiceNamesList",
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
// question matches what the request holds; first where just one value does.
func (q *question) assume(r *Request, f free, sure bool) {
	parts := strings.Split(strings.TrimPrefix(f.text, "\x00"), "\x00")
	if f.loose == nil || len(parts) < 2 || f.opaque {
		return
	}
	value := r.Resource
	if f.text[0] != 0 {
		values := r.Context[q.spellKey(parts[1])]
		if len(values) != 1 {
			return
		}
		value = values[0]
	}
	before, name, after, whole := firstVariable(f.loose.source, f.pattern)
	if name = q.spellKey(name); r.Context[name] != nil || sure && !whole {
		return
	}
	middle, ok := strings.CutPrefix(value, before)
	switch {
	case !ok:
		return
	case whole:
		middle, ok = strings.CutSuffix(middle, after)
	case after != "":
		middle, _, ok = strings.Cut(middle, after)
	}
	if !ok || middle == "" {
		return
	}
	if r.Context == nil {
		r.Context = make(map[string][]string)
	}
	r.Context[name] = []string{middle}
	if strings.EqualFold(name, "aws:username") {
		r.beUser(middle)
	}
}

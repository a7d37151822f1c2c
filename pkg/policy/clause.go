package policy

import (
	"slices"
	"strings"
)

// valueKind is what the values of a dimension are.
type valueKind uint8

const (
	textValues valueKind = iota
	numberValues
	dateValues
	addressValues
	truthValues    // true and false, of a key that is no tag
	binaryValues   // base64
	presenceValues // only whether the key is there
	callerValues   // the principal
	elementValues  // whether a set has an element of one class
	freeValues     // a question nobody can answer here: yes or no
)

// setMode is the set operator of a condition.
type setMode uint8

const (
	single setMode = iota
	anyOf          // ForAnyValue
	allOf          // ForAllValues
)

// Names of the dimensions that are not condition keys.
const (
	actionName    = "\x00action"
	resourceName  = "\x00resource"
	principalName = "\x00principal"
)

// dimensionKey names a dimension. A key that is used under two types has two,
// tied together where they say whether the key is there.
type dimensionKey struct {
	name string
	kind valueKind
	set  bool
}

// free is a question that is not answered but only asked: whether a policy
// variable's pattern matches, what an unknown operator does. Both policies ask
// the same question under the same text.
type free struct {
	text    string
	about   string      // the name of the dimension
	pattern string      // with policy variables, which loose stands for
	kind    patternKind // of the pattern
	loose   *glob       // a pattern that matches wherever the answer is yes
	defect  string      // why nothing can be concluded from it; empty for policy variables
	opaque  bool        // the whole condition is the question
}

// clause is one element or condition of a statement: a set of the values of
// one dimension.
type clause struct {
	key     dimensionKey
	set     setMode
	negated bool
	missing bool // the answer where the key is absent
	globs   []glob
	typed   []typedValue
	compare comparison
	nulls   [2]bool // Null: whether present, absent satisfies it
	isNull  bool
	free    []free
	literal map[string]bool // the literals of a long list
	arn     bool            // an operator on ARNs
	tells   bool            // only tells classes apart; no statement says it
}

// matchesText reports whether a text is one of the clause's values; generic
// texts stand for a class without the literals of the policies.
func (c *clause) matchesText(text string, runes []rune, generic bool) bool {
	if !generic && c.literal != nil && c.literal[text] {
		return true
	}
	for i := range c.globs {
		g := &c.globs[i]
		switch {
		case g.wild:
			if matchTokens(g.tokens, runes, g.fold) {
				return true
			}
		case !generic && c.literal == nil && g.text == text:
			return true
		}
	}
	return false
}

// holds reports whether a present value satisfies the clause, its free
// questions apart.
func (c *clause) holds(v *value) bool {
	var matched bool
	switch c.key.kind {
	case textValues, truthValues, binaryValues:
		matched = c.matchesText(v.text, v.runes, v.generic)
	case numberValues, dateValues, addressValues:
		matched = slices.ContainsFunc(c.typed, func(t typedValue) bool { return c.compare.holds(v.typed, t) })
	default:
	}
	return matched != c.negated
}

// longList is the length from which the literals of a clause are looked up in a map.
const longList = 12

func (c *clause) indexLiterals() {
	if len(c.globs) < longList {
		return
	}
	c.literal = make(map[string]bool, len(c.globs))
	for i := range c.globs {
		if !c.globs[i].wild {
			c.literal[c.globs[i].text] = true
		}
	}
	c.globs = slices.DeleteFunc(slices.Clone(c.globs), func(g glob) bool { return !g.wild })
}

// compileCondition turns a condition into a clause. The values of the keys in
// mixed are of the kind that it says.
func compileCondition(c Condition, mixed map[string]valueKind) clause {
	o := parseOperator(c.Operator)
	key := strings.ToLower(c.Key) // the names of tags too
	if !o.known() {
		return opaqueClause(o, key, c.Values, "the operator "+clip(c.Operator)+" is not known")
	}
	if len(c.Values) == 0 && o.negated() { // a positive one never matches, which is documented
		return opaqueClause(o, key, c.Values, clip(key)+": an empty list under "+o.base+" is not documented")
	}
	out := clause{negated: o.negated(), missing: o.negated() || o.ifExists, compare: comparisons[o.base]}
	switch o.set {
	case "ForAnyValue":
		out.set, out.missing = anyOf, o.ifExists
	case "ForAllValues":
		out.set, out.missing = allOf, true
	}
	if singleValued(key) {
		out.set = single // a set of one value, or of none where the key is missing
	}
	out.arn = strings.HasPrefix(o.base, "Arn")
	out.key = dimensionKey{name: key, kind: kindOf(o.base, key, c.Values), set: out.set != single}
	if kind, ok := mixed[key]; ok && (out.key.kind == truthValues || out.key.kind == textValues) {
		out.key.kind = kind
	}
	if o.base == "Null" {
		return nullClause(out, o, key, c.Values)
	}
	for _, v := range c.Values {
		out.add(v, o, key)
	}
	if out.set != single && len(out.free) > 0 {
		defect := ""
		for _, f := range out.free {
			defect = max(defect, f.defect)
		}
		return opaqueClause(o, key, c.Values, defect)
	}
	out.indexLiterals()
	return out
}

// multiKeys are the known keys that hold any number of values.
// Source: IAM User Guide, "AWS global condition context keys", Value type.
var multiKeys = map[string]bool{
	"aws:principalorgpaths": true, "aws:sourceorgpaths": true, "aws:tagkeys": true, "aws:calledvia": true,
	"aws:resourceorgpaths": true, "aws:principalservicenameslist": true, "aws:vpceorgpaths": true,
}

// filledKeys are keys of several values that are documented to be there only
// with some: what is in no organization has no path, what no service made has
// no names of services. aws:TagKeys may be there and empty.
// Source: IAM User Guide, "AWS global condition context keys", Availability.
var filledKeys = map[string]bool{
	"aws:principalorgpaths": true, "aws:sourceorgpaths": true, "aws:resourceorgpaths": true, "aws:vpceorgpaths": true,
	"aws:calledvia": true, "aws:principalservicenameslist": true,
}

// singleKeys are the known keys that hold one value.
var singleKeys = func() map[string]bool {
	m := make(map[string]bool, len(knownKeys))
	for _, key := range knownKeys {
		if low := strings.ToLower(key); !multiKeys[low] {
			m[low] = true
		}
	}
	return m
}()

// singleValued reports whether a key is known to hold one value.
func singleValued(key string) bool {
	name, _, tag := strings.Cut(key, "/")
	return singleKeys[key] || tag && (name == "aws:principaltag" || name == "aws:requesttag" || name == "aws:resourcetag")
}

// kindOf is what the values of a key are under an operator. Bool on a tag, and
// text on a key that is documented to be true or false, are brought together.
func kindOf(base, key string, values []string) valueKind {
	switch {
	case base == "Null":
		return presenceValues
	case base == "Bool":
		if strings.Contains(key, "/") {
			return textValues
		}
		return truthValues
	case strings.HasPrefix(base, "Numeric") && key != epochTime:
		return numberValues
	case strings.HasPrefix(base, "Numeric"):
		return dateValues
	case strings.HasPrefix(base, "Date"):
		return dateValues
	case strings.HasSuffix(base, "IpAddress"):
		return addressValues
	case base == "BinaryEquals":
		return binaryValues
	case truthKeys[key] && !slices.ContainsFunc(values, func(v string) bool { return v != "true" && v != "false" }):
		return truthValues
	}
	return textValues
}

// epochTime is the time as seconds since 1970, which both dates and numbers are
// compared with.
const epochTime = "aws:epochtime"

// mixedTexts are the keys that one statement compares with true or false, and
// another with texts that are neither, and what their values are: a key that is
// documented to be true or false is that where Bool says so too, others are texts.
func mixedTexts(policies ...*Policy) (mixed map[string]valueKind) {
	var truths, texts, bools map[string]bool
	for _, p := range policies {
		if p == nil {
			continue
		}
		for i := range p.Statements {
			for _, c := range p.Statements[i].Condition {
				key := strings.ToLower(c.Key)
				base := parseOperator(c.Operator).base
				switch kind := kindOf(base, key, c.Values); {
				case base == "Bool":
					truths, bools = with(truths, key), with(bools, key)
				case kind == truthValues:
					truths = with(truths, key)
				case kind == textValues:
					texts = with(texts, key)
				}
			}
		}
	}
	for key := range truths {
		if !texts[key] {
			continue
		}
		if mixed == nil {
			mixed = make(map[string]valueKind)
		}
		if mixed[key] = textValues; truthKeys[key] && bools[key] {
			mixed[key] = truthValues
		}
	}
	return mixed
}

func with(set map[string]bool, key string) map[string]bool {
	if set == nil {
		set = make(map[string]bool)
	}
	set[key] = true
	return set
}

// truthKeys are keys that are documented to hold true or false and nothing else.
// Source: IAM User Guide, "AWS global condition context keys".
var truthKeys = map[string]bool{
	"aws:securetransport": true, "aws:viaawsservice": true, "aws:principalisawsservice": true,
	"aws:multifactorauthpresent": true, "lambda:invokedviafunctionurl": true,
}

// add adds one value to a clause, or a question where it cannot be read.
func (c *clause) add(v string, o operator, key string) {
	question := free{about: key, text: o.questionName() + "\x00" + key + "\x00" + v}
	switch c.key.kind {
	case numberValues, dateValues, addressValues:
		kind := c.key.kind
		if strings.HasPrefix(o.base, "Numeric") {
			kind = numberValues
		}
		t, ok := readTyped(v, kind)
		if !ok {
			question.defect = clip(key) + ": " + clip(v) + " is no value for " + o.base
			c.free = append(c.free, question)
			return
		}
		c.typed = append(c.typed, t)
		return
	case binaryValues:
		c.globs = append(c.globs, glob{source: v, text: v})
		return
	default:
	}
	if o.base == "Bool" {
		low := strings.ToLower(v)
		if low != "true" && low != "false" {
			question.defect = clip(key) + ": " + clip(v) + " is neither true nor false"
			c.free = append(c.free, question)
			return
		}
		g, _ := parseGlob(low, plainPattern, c.key.kind == textValues)
		c.globs = append(c.globs, g)
		return
	}
	g, variable := parseGlob(v, o.patternKind(), o.ignoresCase() && c.key.kind != binaryValues)
	switch {
	case variable && g.fold:
		question.loose = &g
		c.free = append(c.free, question)
	case variable:
		c.free = append(c.free, o.patternQuestion(key, v, &g))
	case g.fold && !ascii(v):
		c.free = append(c.free, question)
	default:
		c.globs = append(c.globs, g)
	}
}

// questionName is the operator as far as it decides a single match, so that a
// negated operator asks the same question.
func (o operator) questionName() string { return strings.Replace(o.base, "Not", "", 1) }

func (o operator) ignoresCase() bool { return strings.HasSuffix(o.base, "IgnoreCase") }

func (o operator) patternKind() patternKind {
	switch o.base {
	case "StringLike", "StringNotLike":
		return likePattern
	case "ArnLike", "ArnNotLike":
		return arnPattern
	}
	return plainPattern
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

func nullClause(c clause, o operator, key string, values []string) clause {
	c.isNull, c.negated = true, false
	for _, v := range values {
		switch strings.ToLower(v) {
		case "true":
			c.nulls[1] = true
		case "false":
			c.nulls[0] = true
		default:
			return opaqueClause(o, key, values, clip(key)+": "+clip(v)+" is neither true nor false")
		}
	}
	return c
}

// opaqueClause is a condition of which nothing is known but that equal ones are equal.
func opaqueClause(o operator, key string, values []string, defect string) clause {
	sorted := set(values, nil)
	text := o.canonical() + "\x00" + key + "\x00" + strings.Join(sorted, "\x00")
	return clause{
		key:  dimensionKey{name: text, kind: freeValues},
		free: []free{{text: text, defect: defect, opaque: true}},
	}
}

// patterns turns Action, NotAction, Resource or NotResource into a clause.
func patternsClause(name string, list []string, negated bool) clause {
	c := clause{key: dimensionKey{name: name, kind: textValues}, negated: negated}
	kind := arnPattern
	if name == actionName {
		kind = likePattern
	}
	for _, text := range list {
		if name == actionName {
			text = strings.ReplaceAll(strings.ToLower(text), escapeOpen, "${$}{") // no variables in actions
		}
		g, variable := parseGlob(text, kind, false)
		if variable {
			text = foldVariables(text)
			c.free = append(c.free, free{about: name, text: name + "\x00" + text, pattern: text, kind: kind, loose: &g})
			continue
		}
		c.globs = append(c.globs, g)
	}
	c.indexLiterals()
	return c
}

// rule is a statement as clauses.
type rule struct {
	index   int
	effect  Effect
	sid     string
	who     *whoClause // nil: anybody
	clauses []clause
}

// reading is what reading one statement takes of all policies at hand.
type reading struct {
	partition string               // that bare account ids are in
	texts     map[string]valueKind // see mixedTexts
}

// compileStatement reads a statement for one type of policy.
func compileStatement(s Statement, index int, t PolicyType, r reading) *rule {
	s = s.current()
	out := &rule{index: index, effect: s.Effect, sid: s.Sid, clauses: make([]clause, 0, 2+len(s.Condition))}
	if t != IdentityPolicy {
		out.who = compileWho(s, r.partition)
	}
	if s.Action != nil {
		out.clauses = append(out.clauses, patternsClause(actionName, s.Action, false))
	} else {
		out.clauses = append(out.clauses, patternsClause(actionName, s.NotAction, true))
	}
	switch {
	case t == TrustPolicy:
	case s.Resource != nil:
		out.clauses = append(out.clauses, patternsClause(resourceName, s.Resource, false))
	case s.NotResource != nil:
		out.clauses = append(out.clauses, patternsClause(resourceName, s.NotResource, true))
	}
	for _, c := range s.Condition {
		out.clauses = append(out.clauses, compileCondition(c, r.texts))
	}
	return out
}

package differential

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// family is what the values of a key are.
type family byte

// The families. A key's family is that of the operators which test it.
const (
	textual family = iota
	arns
	numbers
	dates
	addresses
	booleans
)

// multivalued lists the keys that a request carries with any number of values.
// Source: IAM User Guide, "AWS global condition context keys", and the Service
// Authorization Reference. Every other key has one value.
var multivalued = map[string]bool{
	"aws:calledvia": true, "aws:principalorgpaths": true, "aws:principalservicenameslist": true,
	"aws:resourceorgpaths": true, "aws:sourceorgpaths": true, "aws:tagkeys": true,
	"dynamodb:attributes": true, "dynamodb:leadingkeys": true,
	"lambda:layer": true, "lambda:securitygroupids": true, "lambda:subnetids": true,
}

// booleanKeys are true or false also where only string operators test them.
var booleanKeys = map[string]bool{
	"aws:multifactorauthpresent": true, "aws:principalisawsservice": true, "aws:securetransport": true,
	"aws:viaawsservice": true, "lambda:invokedviafunctionurl": true,
}

// arnKeys are ARNs also where only string operators test them.
var arnKeys = map[string]bool{"aws:sourcearn": true, "aws:principalarn": true, "lambda:functionarn": true}

// maxElements is the largest set that is encoded. With n set conditions on a
// key, n elements are enough: keep one witness of each condition that some
// element must fulfil; the conditions on every element, and the presence of the
// key, survive the loss of the others. More conditions are an error.
const maxElements = 6

// key is a condition key of the request: missing, or present with elements.
type key struct {
	name     string // lower-case
	family   family
	missing  string // the name of a Boolean
	elements []element
	multi    bool
	derived  bool // follows from the caller; see world.link
}

// element is one value. active is "true" or a Boolean's name.
type element struct {
	active string
	value  string // a String, for numbers and dates a Real, for addresses an Int
	arn    arn
	v6     string // addresses: a Boolean
}

// world holds the variables of one request and what is true of any request.
type world struct {
	kind     kind
	declared []string
	domain   []string
	assumed  []string // of requests that the solver thinks up, not of witnesses
	keys     map[string]*key
	caller   caller
	service  string
	name     string
	resource arn
}

// kind is what the policies are attached to.
type kind string

const (
	resourcePolicy kind = "resource"
	identityPolicy kind = "identity"
	trustPolicy    kind = "trust"
)

func (w *world) declare(sort, format string, args ...any) string {
	name := fmt.Sprintf(format, args...)
	w.declared = append(w.declared, "(declare-const "+name+" "+sort+")")
	return name
}

func (w *world) require(terms ...string) { w.domain = append(w.domain, terms...) }

// newWorld declares the request that both policies judge.
func newWorld(k kind, policies ...document) (*world, error) {
	w := &world{kind: k, keys: map[string]*key{}}
	uses := map[string][]string{}
	for _, p := range policies {
		for _, s := range p.statements {
			w.collect(uses, p, s)
		}
	}
	if k != identityPolicy {
		w.declareCaller()
	}
	w.service, w.name = w.declare("String", "action_service"), w.declare("String", "action_name")
	lower := `(re.union (re.range "a" "z") (re.range "0" "9") (str.to_re "-"))`
	w.require(inRe(w.service, "(re.+ "+lower+")"), inRe(w.name, "(re.+ "+lower+")"))
	if k == trustPolicy {
		assume := inRe(w.name, "(re.union "+reText("assumerole")+" (re.++ "+reText("assumerolewith")+" re.all) "+reText("tagsession")+" "+reText("setsourceidentity")+")")
		w.require(equal(w.service, `"sts"`), assume)
	} else {
		w.resource = w.declareARN("resource")
		w.confine(policies)
	}
	for i, name := range slices.Sorted(maps.Keys(uses)) {
		if err := w.declareKey(fmt.Sprintf("k%d", i), name, uses[name]); err != nil {
			return nil, err
		}
	}
	w.link()
	return w, nil
}

// confine restricts the resource of a function's policies to that function and
// its qualifiers, where the Resource elements name one function and no other.
func (w *world) confine(policies []document) {
	named := map[string]bool{}
	for _, p := range policies {
		for _, s := range p.statements {
			for _, text := range s.lists["Resource"] {
				if m := functionARN.FindStringSubmatch(text); m != nil {
					named[m[1]] = true
				}
			}
		}
	}
	for base := range named {
		if w.kind == resourcePolicy && len(named) == 1 {
			whole := w.resource.whole()
			w.assumed = append(w.assumed, or(equal(whole, quote(base)), "(str.prefixof "+quote(base+":")+" "+whole+")"))
		}
	}
}

var functionARN = regexp.MustCompile(`^(arn:aws:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+)(:|$)`)

// collect gathers the operators on each key, "" for a use as a variable.
func (w *world) collect(uses map[string][]string, p document, s statement) {
	var texts []string
	for _, c := range s.conditions {
		name := strings.ToLower(c.key)
		uses[name] = append(uses[name], c.operator)
		texts = append(texts, c.values...)
	}
	texts = append(append(texts, s.lists["Resource"]...), s.lists["NotResource"]...)
	for _, text := range texts {
		for _, t := range tokens(text, true, p.version == version2012) {
			if t.kind == 'v' {
				uses[t.variable] = append(uses[t.variable], "")
			}
		}
	}
}

const version2012 = "2012-10-17"

func (w *world) declareARN(name string) arn {
	a := arn{segments: [6]string{`"arn"`}}
	for i := 1; i < 6; i++ {
		a.segments[i] = w.declare("String", "%s_%d", name, i)
		if i < 5 {
			w.require(inRe(a.segments[i], reStar(reNoColon)))
		}
	}
	return a
}

func (w *world) declareWholeARN(name string) arn {
	a := arn{one: w.declare("String", "%s", name)}
	segment := reStar(reNoColon) + " " + reText(":") + " "
	w.require(inRe(a.one, reText("arn:"), strings.Repeat(segment, 4)+reStar("re.allchar")))
	return a
}

func (w *world) declareKey(id, name string, operators []string) error {
	k := &key{name: name, multi: multivalued[name], missing: w.declare("Bool", "%s_missing", id)}
	var err error
	if k.family, err = familyOf(name, operators); err != nil {
		return err
	}
	w.keys[name] = k
	n := 1
	if k.multi {
		slices.Sort(operators)
		if n = len(operators); n > maxElements {
			return fmt.Errorf("%d conditions on the set %s", n, name)
		}
	}
	variable := slices.Contains(operators, "")
	for i := range n {
		e := element{active: "true"}
		if k.multi {
			e.active = w.declare("Bool", "%s_%d_active", id, i)
			if i > 0 {
				w.require(implies(e.active, k.elements[i-1].active))
			}
		}
		if k.family == arns && slices.ContainsFunc(operators, likesStrings) {
			e.arn = w.declareWholeARN(fmt.Sprintf("%s_%d", id, i))
			e.value = e.arn.whole()
		} else {
			w.declareElement(&e, k.family, fmt.Sprintf("%s_%d", id, i))
		}
		if k.family == textual && slices.ContainsFunc(operators, isSet) { // AWS calls an empty string "a null data set"
			w.require(not(equal(e.value, `""`)))
		}
		if variable { // semantics.md does not say what a * in a variable's value means
			w.assumed = append(w.assumed, not(inRe(e.value, "re.all", `(re.union (str.to_re "*") (str.to_re "?"))`, "re.all")))
		}
		k.elements = append(k.elements, e)
	}
	if filled[name] && n > 0 {
		w.require(or(k.missing, k.elements[0].active))
	}
	return nil
}

// filled are the sets that AWS documents to be there only with a value.
var filled = map[string]bool{"aws:principalorgpaths": true, "aws:calledvia": true}

func isSet(operator string) bool { return strings.Contains(operator, ":") }

func likesStrings(operator string) bool {
	return strings.Contains(strings.ToLower(operator), "string") && strings.Contains(strings.ToLower(operator), "like")
}

func (w *world) declareElement(e *element, f family, name string) {
	switch f {
	case textual:
		e.value = w.declare("String", "%s", name)
	case booleans:
		e.value = w.declare("String", "%s", name)
		w.require(or(equal(e.value, `"true"`), equal(e.value, `"false"`)))
	case arns:
		e.arn = w.declareARN(name)
		e.value = e.arn.whole()
	case numbers, dates:
		e.value = w.declare("Real", "%s", name)
	case addresses:
		e.value, e.v6 = w.declare("Int", "%s", name), w.declare("Bool", "%s_v6", name)
		w.require("(<= 0 "+e.value+")",
			"(ite "+e.v6+" (< "+e.value+" "+power(128)+") (< "+e.value+" "+power(32)+"))",
			// ::ffff:0:0/96 is IPv4 in another dress: nobody says which ranges it is in.
			or(not(e.v6), "(< "+e.value+" "+mappedLow+")", "(> "+e.value+" "+mappedHigh+")"))
	}
}

// familyOf says what the key's values are. Strings and ARNs may meet on a key,
// strings and Booleans too; everything else must agree.
func familyOf(name string, operators []string) (family, error) {
	f, known := textual, false
	switch {
	case arnKeys[name]:
		f, known = arns, true
	case booleanKeys[name]:
		f, known = booleans, true
	}
	for _, text := range operators {
		if text == "" {
			continue
		}
		o, err := readOperator(text)
		if err != nil {
			return f, err
		}
		switch {
		case o.base == "null" || o.family == textual && (!known || f == arns || f == booleans):
		case o.family == arns && f == textual, !known && f == textual:
			f, known = o.family, true
		case o.family != f:
			return f, fmt.Errorf("the key %s has values of two kinds", name)
		}
	}
	return f, nil
}

// variable is the value of a policy variable, and whether it has one.
func (w *world) variable(t token) (value, present string, err error) {
	k := w.keys[t.variable]
	if k.multi || k.family != textual && k.family != arns && k.family != booleans {
		return "", "", fmt.Errorf("the variable %s is no single string", t.variable)
	}
	if t.fallback == nil {
		return k.elements[0].value, not(k.missing), nil
	}
	return "(ite " + k.missing + " " + quote(*t.fallback) + " " + k.elements[0].value + ")", "true", nil
}

package access

import (
	"maps"
	"strconv"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

func itoa(n int) string { return strconv.Itoa(n) }

const version2012 = "2012-10-17"

// pin is a fact about the context of a request. Its Deny takes away every
// request for which the fact is not true.
type pin struct {
	key   string
	value string // empty: the key is missing
	deny  policy.Condition
}

// is pins a key to a value.
func is(key, value string) pin {
	return pin{key, value, policy.Condition{Operator: "StringNotEquals", Key: key, Values: []string{value}}}
}

// missing pins a key to be absent.
func missing(key string) pin {
	return pin{key, "", policy.Condition{Operator: "Null", Key: key, Values: []string{"false"}}}
}

// never takes away the requests that meet a condition.
func never(operator, key, value string) pin {
	return pin{key, "", policy.Condition{Operator: operator, Key: key, Values: []string{value}}}
}

// call is one action on one resource, and what its requests carry.
type call struct {
	action, resource string
	pins             []pin
}

// party is who makes requests.
type party struct {
	caller policy.Caller
	pins   []pin
	// bounded is set for who has a permissions boundary: a Deny with
	// NotPrincipal then always hits. Source: IAM User Guide, "Permissions
	// boundaries for IAM entities", Important.
	bounded bool
}

// request is a request of the party, with what is known of its context and more.
func (p party) request(c call, context map[string][]string) policy.Request {
	all := make(map[string][]string, len(context)+len(p.pins)+len(c.pins))
	for _, list := range [][]pin{p.pins, c.pins} {
		for _, f := range list {
			if f.value != "" {
				all[strings.ToLower(f.key)] = []string{f.value}
			}
		}
	}
	for key, values := range context {
		all[strings.ToLower(key)] = values
	}
	return policy.Request{Principal: p.caller, Action: c.action, Resource: c.resource, Context: all}
}

// reduced is a statement that is about the caller, action and resource at hand:
// only its conditions are left, or its resources too where a policy variable in
// them depends on the request.
type reduced struct {
	index int // in its policy
	rest  policy.Statement
	sure  bool // false where it is not known whether the statement is about them
	open  bool // the resources are left
}

// reduce reduces the statements of a policy.
func reduce(statements []policy.Statement, p party, c call) (allows, denies []reduced) {
	r := p.request(c, nil)
	for i := range statements {
		s := &statements[i]
		if !mayMatchAction(s, c.action) {
			continue
		}
		n, ok := reduceStatement(s, p, r)
		if !ok {
			continue
		}
		n.index = i
		if s.Effect == policy.Deny {
			denies = append(denies, n)
		} else {
			allows = append(allows, n)
		}
	}
	return allows, denies
}

func reduceStatement(s *policy.Statement, p party, r policy.Request) (reduced, bool) {
	bare := *s
	bare.Condition, bare.Effect = nil, policy.Allow
	if s.Effect == policy.Deny && s.NotPrincipal != nil && p.bounded {
		bare.NotPrincipal = nil
	}
	n := reduced{sure: true, open: hasOpenVariable(bare, r.Context)}
	if n.open {
		bare.Resource, bare.NotResource = []string{"*"}, nil
	}
	switch policy.Evaluate(policy.Policy{Version: version2012, Statements: []policy.Statement{bare}}, r).Trace[0].Applies {
	case "no":
		return n, false
	case "unknown":
		n.sure = false
	}
	n.rest = *s
	n.rest.Principal, n.rest.NotPrincipal, n.rest.Sid = nil, nil, ""
	n.rest.Action, n.rest.NotAction = []string{"*"}, nil
	if !n.open {
		n.rest.Resource, n.rest.NotResource = []string{"*"}, nil
	}
	return n, true
}

// hasOpenVariable reports whether a resource holds a policy variable of which
// the value is not in the context. A text that only looks like one is taken for
// one too, which keeps more of the statement than has to be.
func hasOpenVariable(s policy.Statement, context map[string][]string) bool {
	for _, list := range [][]string{s.Resource, s.NotResource} {
		for _, text := range list {
			for {
				_, rest, ok := strings.Cut(text, "${")
				if !ok {
					break
				}
				name, after, _ := strings.Cut(rest, "}")
				name, _, _ = strings.Cut(name, ",")
				if _, known := context[strings.ToLower(strings.TrimSpace(name))]; !known {
					return true
				}
				text = after
			}
		}
	}
	return false
}

// mayMatchAction reports whether a statement can be about an action. It never
// says no where package policy would say yes, and is quick.
func mayMatchAction(s *policy.Statement, action string) bool {
	if s.Action == nil {
		return true
	}
	for _, pattern := range s.Action {
		if mayMatch(pattern, action) {
			return true
		}
	}
	return false
}

// mayMatch compares what is before the first wildcard, without case.
func mayMatch(pattern, text string) bool {
	i := strings.IndexAny(pattern, "*?")
	if i < 0 {
		return len(pattern) == len(text) && strings.EqualFold(pattern, text)
	}
	return i <= len(text) && strings.EqualFold(pattern[:i], text[:i])
}

// mayMatchResource reports whether a statement can be about a resource that a
// pattern of six segments matches. It never says no where there is one, and is
// quick: it compares the beginnings of segments.
func mayMatchResource(s *policy.Statement, on string) bool {
	if s.Resource == nil || on == "*" {
		return true
	}
	for _, pattern := range s.Resource {
		if mayOverlap(pattern, on) {
			return true
		}
	}
	return false
}

func mayOverlap(a, b string) bool {
	if strings.Count(a, ":") < 5 {
		return true // a short pattern is completed
	}
	for i := range 6 {
		x, y := a, b
		if i < 5 {
			x, a, _ = strings.Cut(a, ":")
			y, b, _ = strings.Cut(b, ":")
		}
		x, openX := literal(x)
		y, openY := literal(y)
		n := min(len(x), len(y))
		if x[:n] != y[:n] || !openX && len(x) < len(y) || !openY && len(y) < len(x) {
			return false
		}
	}
	return true
}

// literal is what is before the first wildcard or policy variable, and whether
// there is one.
func literal(text string) (string, bool) {
	if i := strings.IndexAny(text, "*?$"); i >= 0 {
		return text[:i], true
	}
	return text, false
}

// answer is a context in which an Allow lets a request through.
type answer struct {
	allow   int // index among the allows
	context map[string][]string
	unknown string // why the engine could not decide, empty where it could
}

// ask looks for a context in which each of the allows lets the party make the
// call: after the denies, and within the boundary where there is one. Only
// denies that are sure take anything away.
func ask(p party, c call, allows, denies []reduced, within *policy.Policy) []answer {
	if len(allows) == 0 || within != nil && len(within.Statements) == 0 {
		return nil
	}
	now := policy.Policy{Version: version2012}
	open := false
	for _, a := range allows {
		now.Statements = append(now.Statements, a.rest)
		open = open || a.open
	}
	for _, d := range denies {
		if d.sure {
			now.Statements = append(now.Statements, d.rest)
			open = open || d.open
		}
	}
	if open {
		now.Statements = append(now.Statements, policy.Statement{Effect: policy.Deny, Action: []string{"*"}, NotResource: []string{c.resource}})
	}
	now.Statements = append(now.Statements, pinned(now, within, p.pins, c.pins)...)
	access := policy.NewAccess(policy.Policy{}, now, policy.Options{Type: policy.IdentityPolicy, CurrentBoundary: within, All: true})
	var list []answer
	seen := make(map[int]bool)
	for _, w := range access.Witnesses {
		if w.Index < len(allows) && !seen[w.Index] {
			seen[w.Index] = true
			list = append(list, answer{allow: w.Index, context: w.Context})
		}
	}
	if access.Unknown {
		for i := range allows {
			if !seen[i] {
				list = append(list, answer{allow: i, unknown: access.Reason})
			}
		}
	}
	return list
}

// pinned are the Denys of the pins on keys that some condition is about.
func pinned(now policy.Policy, within *policy.Policy, lists ...[]pin) []policy.Statement {
	keys := make(map[string]bool)
	note := func(list []policy.Statement) {
		for i := range list {
			for _, c := range list[i].Condition {
				keys[strings.ToLower(c.Key)] = true
			}
		}
	}
	note(now.Statements)
	if within != nil {
		note(within.Statements)
	}
	var denies []policy.Statement
	if len(keys) == 0 {
		return nil
	}
	for _, list := range lists {
		for _, f := range list {
			if keys[strings.ToLower(f.key)] {
				denies = append(denies, policy.Statement{Effect: policy.Deny, Action: []string{"*"}, Resource: []string{"*"}, Condition: []policy.Condition{f.deny}})
			}
		}
	}
	return denies
}

// beyond is what of a context is not among the pins: what must hold.
func beyond(context map[string][]string, lists ...[]pin) map[string][]string {
	rest := maps.Clone(context)
	for _, list := range lists {
		for _, f := range list {
			maps.DeleteFunc(rest, func(key string, _ []string) bool { return strings.EqualFold(key, f.key) && f.value != "" })
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return rest
}

// bounds reduces a permissions boundary to a policy that [ask] can take; nil
// for no boundary.
func bounds(boundary *policy.Policy, p party, c call) *policy.Policy {
	if boundary == nil {
		return nil
	}
	allows, denies := reduce(boundary.Statements, p, c)
	within := policy.Policy{Version: version2012}
	if len(allows) == 0 {
		return &within
	}
	for _, list := range [][]reduced{allows, denies} {
		for _, r := range list {
			if r.sure || r.rest.Effect == policy.Allow {
				within.Statements = append(within.Statements, r.rest)
			}
		}
	}
	return &within
}

package policy

import (
	"math"
	"slices"
	"strings"
)

// exposer says who the statements of one policy let in. What a statement says
// plainly is read off it; the rest is decided in cells: a request's exposure is
// the narrowest of what its caller and each key that can pin it say, so that
// "at least this wide" is a box, and the question whether the statement leaves
// anything of that box.
type exposer struct {
	policy    Policy
	owner     Owner
	denys     bool
	callers   func(CallerKind) bool // the callers that count; nil: all
	partition string
	rules     []*rule
	domain    []glob
	budget    budget
}

func (e *exposer) findDenys() {
	for i := range e.policy.Statements {
		e.denys = e.denys || e.policy.Statements[i].Effect == Deny
	}
}

func (e *exposer) expose(index int) Verdict {
	s := e.policy.Statements[index]
	if s.Effect == Deny {
		return Verdict{Exposure: Nobody, Reason: "denies, and lets nobody in", Certain: true}
	}
	owner := e.ownerOf(&s)
	v := read(s, owner)
	if v.Certain && e.readable(&s) || s.Principal == nil && s.NotPrincipal == nil {
		return v
	}
	exposure, certain, ok := e.cells(index, owner)
	switch {
	case !ok:
		v.Certain = false
		return v
	case exposure == Nobody && v.Exposure != Nobody:
		return Verdict{Exposure: Nobody, Reason: "lets nobody in: it is wholly denied, or its conditions exclude each other", Certain: certain, Counterparties: v.Counterparties}
	case exposure == Public && v.Exposure != Public:
		v.Reason = "anyone: its conditions, taken together, pin nobody"
	case exposure != v.Exposure:
		v.Reason = "what its conditions and the Denys leave is " + meanings[exposure] + " (" + v.Reason + ")"
	}
	v.Exposure, v.Certain = exposure, certain && exposure != Unknown
	return v
}

var meanings = map[Exposure]string{
	Public: "anyone", ConfusedDeputy: "any customer of a service", External: "somebody outside the organization",
	Organization: "the organization", Internal: "the owner's own account", Unknown: "not known",
}

// plain reports whether a statement can be read as it stands: positive
// elements, each key once, and operators that want the key to be there.
func plain(s *Statement) bool {
	if s.Principal == nil || s.Action == nil || s.NotResource != nil {
		return false
	}
	everybody := s.Principal.Any || slices.Contains(s.Principal.AWS, "*")
	for i, c := range s.Condition {
		o := parseOperator(c.Operator)
		if !o.known() || o.set != "" || o.ifExists || o.negated() || len(c.Values) == 0 {
			return false
		}
		for _, other := range s.Condition[:i] {
			if strings.EqualFold(other.Key, c.Key) {
				return false
			}
		}
		for _, v := range c.Values {
			if strings.Contains(v, escapeOpen) {
				return false
			}
		}
		key := lowerKey(c.Key)
		if signedKeys[key] && !everybody || ofServices[key] || key == "aws:principalaccount" || o.base == "StringLike" && pinners[key].judge != nil {
			return false
		}
	}
	return true
}

// ofServices are the keys that say whether a service calls, and which.
var ofServices = map[string]bool{"aws:principalisawsservice": true, serviceNameKey: true}

// cells decides the exposure of one Allow of the policy exactly. It returns
// ok false where a cap was hit.
func (e *exposer) cells(index int, owner Owner) (exposure Exposure, certain, ok bool) {
	if e.budget.spent() {
		return "", false, false
	}
	e.compile()
	own := e.rules[index]
	rules := []*rule{own}
	for _, r := range e.rules {
		if r.effect == Deny && !apart(own, r) {
			rules = append(rules, r)
		}
	}
	e.budget.cells, e.budget.exceeds = 0, ""
	s := &space{own: own, budget: &e.budget, everyCaller: true, avoidAccount: owner.Account, domain: e.domain, tellMore: owner.tell}
	if !s.build(rules) {
		return "", false, false
	}
	starts, denied := s.boxes(own), s.union(rules[1:])
	for _, level := range []Exposure{Public, Unknown, ConfusedDeputy, External, Organization, Internal} {
		for _, services := range []bool{false, true} {
			if e.reaches(s, starts, denied, owner, level, services) {
				if e.budget.exceeds != "" {
					return "", false, false
				}
				return settle(level, own), len(own.questions()) == 0, true
			}
		}
	}
	return Nobody, true, e.budget.exceeds == ""
}

func (e *exposer) compile() {
	if e.rules == nil {
		e.partition, e.domain = partitionOf(e.policy), domainOf(e.policy)
		e.rules = compileAll(e.policy, ResourcePolicy, reading{e.partition, mixedTexts(&e.policy)})
	}
}

// questions are the questions of a statement that hide who it lets in.
func (r *rule) questions() (list []free) {
	for i := range r.clauses {
		for _, f := range r.clauses[i].free {
			if f.hidesCaller() {
				list = append(list, f)
			}
		}
	}
	return list
}

// hidesCaller reports whether the answer to a question could pin the caller.
func (f free) hidesCaller() bool {
	if f.defect != "" {
		return true
	}
	parts := strings.Split(f.text, "\x00")
	return len(parts) > 1 && pinners[parts[1]].judge != nil
}

// settle is what is said of an exposure that hangs on questions: a pin that
// cannot be judged may be the owner's own.
func settle(level Exposure, own *rule) Exposure {
	if (level == External || level == ConfusedDeputy) && len(own.questions()) > 0 {
		return Unknown
	}
	return level
}

// reaches reports whether a request at least as wide as a level is allowed, of
// services or of all others.
func (e *exposer) reaches(s *space, starts, denied []box, owner Owner, level Exposure, services bool) bool {
	wide := s.full()
	for i, d := range s.dimensions {
		part := s.part(wide, i)
		for j := range d.values {
			if widths[e.level(s, i, j, owner, services)] < widths[level] {
				part[j/64] &^= 1 << (j % 64)
			}
		}
	}
	if !s.real(wide) {
		return false
	}
	for _, start := range s.both(starts, []box{wide}) {
		if s.survive(start, denied, func(box) bool { return true }) {
			return true
		}
	}
	return false
}

// level is how wide the requests can be that have one class of a dimension.
func (e *exposer) level(s *space, dimension, class int, owner Owner, services bool) Exposure {
	d := s.dimensions[dimension]
	v := &d.values[class]
	switch d.key.kind {
	case callerValues:
		if s.own.names(v.caller) != services || e.callers != nil && !e.callers(v.caller.caller.Kind) {
			return Nobody
		}
		return v.caller.level(owner)
	case freeValues:
		if v.yes && d.free.hidesCaller() {
			return Unknown
		}
		return Public
	case elementValues:
		if !v.yes {
			return Public
		}
		key, member := s.memberOf(dimension)
		return key.pinned(member, owner, services)
	default:
		if d.key.set || v.absent {
			return Public
		}
		return d.pinned(v, owner, services)
	}
}

// names reports whether a statement names the service that calls: only the keys
// that say on whose behalf it calls pin that.
func (r *rule) names(c *callerClass) bool {
	return c.caller.Kind == ServiceCaller && !c.unnamed && !r.who.negated && r.who.names[serviceName+c.caller.ID]
}

// memberOf is the set and its member that an element dimension is about.
func (s *space) memberOf(dimension int) (*dimension, *value) {
	for _, d := range s.dimensions {
		if i := slices.Index(d.elements, dimension); i >= 0 {
			return d, &d.members[i]
		}
	}
	return nil, nil
}

// level is how wide a class of callers is by itself.
func (c *callerClass) level(owner Owner) Exposure {
	switch {
	case c.unnamed:
		return Public
	case c.caller.Kind == ServiceCaller:
		return ConfusedDeputy
	case c.account != "":
		_, id, _ := strings.Cut(c.account, ":")
		exposure, _ := owner.account(id)
		return exposure
	}
	return Unknown
}

// pinned is how wide the callers are whose request holds a value of a key.
func (d *dimension) pinned(v *value, owner Owner, services bool) Exposure {
	if d.key.kind == addressValues && d.key.name == "aws:sourceip" && !services {
		if v.size4 <= math.Exp2(narrow4) && v.size6 <= math.Exp2(narrow6) {
			return External
		}
		return Public
	}
	by, pins := pinners[d.key.name]
	if !pins || services && !by.pinsService || d.key.kind != textValues {
		return Public
	}
	literal := d.literal(v)
	if by.names != nil && !literal && !slices.ContainsFunc(d.clauses, func(c *clause) bool { return c.tells && c.holds(v) }) {
		return Public // of an account or organization that nobody names
	}
	return by.class(v.text, literal, owner)
}

// literal reports whether a class is one text that a policy names, but for case.
func (d *dimension) literal(v *value) bool {
	for _, c := range d.clauses {
		if c.tells {
			continue
		}
		if c.literal[v.text] && !v.generic {
			return true
		}
		for i := range c.globs {
			g := &c.globs[i]
			if !g.wild && !v.generic && g.text == v.text || g.wild && g.fold && !g.hasWildcards() && g.match(v.text) {
				return true
			}
		}
	}
	return false
}

func (g *glob) hasWildcards() bool {
	return slices.ContainsFunc(g.tokens, func(t token) bool { return t.kind != tokenRune })
}

// tell adds patterns to the dimensions of pinning keys, so that each class is
// wholly of one account or organization that somebody names, or of none.
func (o Owner) tell(s *space) {
	for i, d := range s.dimensions {
		if d.key.kind != textValues || pinners[d.key.name].judge == nil {
			continue
		}
		d.exposure = func(v *value) Exposure { return d.pinned(v, o, false) }
		if pinners[d.key.name].names == nil {
			continue
		}
		named := pinners[d.key.name].names(o)
		for _, c := range slices.Clone(d.clauses) {
			for j := range c.globs {
				named = append(named, pinners[d.key.name].named(c.globs[j].source)...)
			}
			for text := range c.literal {
				named = append(named, pinners[d.key.name].named(text)...)
			}
		}
		slices.Sort(named)
		for _, text := range slices.Compact(named) {
			s.tell(i, text, pinners[d.key.name].pattern)
		}
	}
}

package policy

import (
	"slices"
	"strings"
)

// tokens are the requests of one provider's tokens that a statement lets in, in
// cells: dimensions are the call, the caller, and each condition key.
type tokens struct {
	space  *space
	own    *rule
	starts []box // what the statement allows
	denied []box
	claims map[string][]claim // by condition key, those that the issuer's pins are made of
	owner  Owner
	budget budget
}

// newTokens makes the cells of the first statement of a policy. It returns
// false where a cap was hit.
func newTokens(p Policy, claims map[string][]claim, owner Owner) (*tokens, bool) {
	rules := compileAll(p, TrustPolicy, reading{partitionOf(p), mixedTexts(&p)})
	t := &tokens{own: rules[0], claims: claims, owner: owner}
	relevant := rules[:1:1]
	for _, r := range rules[1:] {
		if !apart(t.own, r) {
			relevant = append(relevant, r)
		}
	}
	t.space = &space{own: t.own, budget: &t.budget, everyCaller: true, avoidAccount: owner.Account, trust: true, tellMore: t.tell}
	if !t.space.build(relevant) {
		return nil, false
	}
	t.starts, t.denied = t.space.boxes(t.own), t.space.union(relevant[1:])
	return t, t.budget.exceeds == ""
}

// tell adds the patterns that pin to the dimensions of claims, so that each
// class is pinned wholly or not at all.
func (t *tokens) tell(s *space) {
	t.owner.tell(s)
	for _, d := range s.dimensions {
		claims := t.claims[d.key.name]
		if d.key.kind != textValues {
			continue
		}
		for _, c := range slices.Clone(d.clauses) {
			for text := range c.literal {
				d.tellPinned(claims, glob{source: text, text: text})
			}
			for i := range c.globs {
				d.tellPinned(claims, c.globs[i])
			}
		}
	}
}

// tellPinned adds the pattern of what stands before the first wildcard of a
// value, where that pins.
func (d *dimension) tellPinned(claims []claim, g glob) {
	prefix, whole := g.fixed()
	if !slices.ContainsFunc(claims, func(c claim) bool { return c.pinsBy(prefix, whole) }) {
		return
	}
	if !whole {
		wild := glob{source: prefix + "*", wild: true, fold: g.fold}
		for _, r := range prefix {
			wild.tokens = append(wild.tokens, token{kind: tokenRune, r: r})
		}
		wild.tokens = append(wild.tokens, token{kind: tokenStar})
		g = wild
	}
	d.clauses = append(d.clauses, &clause{key: d.key, globs: []glob{g}, tells: true})
}

// fixed is what stands before a pattern's first wildcard, and whether that is all.
func (g *glob) fixed() (prefix string, whole bool) {
	if g.tokens == nil {
		return g.text, true
	}
	var b strings.Builder
	for _, t := range g.tokens {
		if t.kind != tokenRune {
			return b.String(), false
		}
		b.WriteRune(t.r)
	}
	return b.String(), true
}

// tokenFilter says which classes of a dimension count in one question.
type tokenFilter func(dimension, class int) bool

// some reports whether a request of the classes that a filter keeps is let in.
func (t *tokens) some(keep tokenFilter) bool {
	wide := t.space.full()
	for i, d := range t.space.dimensions {
		part := t.space.part(wide, i)
		for j := range d.values {
			if d.key.kind == callerValues && d.values[j].caller.caller.Kind != Federated || !keep(i, j) {
				part[j/64] &^= 1 << (j % 64)
			}
		}
	}
	if !t.space.real(wide) {
		return false
	}
	for _, start := range t.space.both(t.starts, []box{wide}) {
		if t.space.survive(start, t.denied, func(box) bool { return true }) {
			return true
		}
	}
	return false
}

// pinned reports whether a class of a dimension has a value of the claim that pins.
func (t *tokens) pinned(dimension, class int, key string) bool {
	d := t.space.dimensions[dimension]
	v := &d.values[class]
	switch {
	case d.key.kind == elementValues && v.yes:
		d, v = t.space.memberOf(dimension)
	case d.key.kind == elementValues, d.key.set, v.absent:
		return false
	}
	if d == nil || d.key.name != key || d.key.kind != textValues {
		return false
	}
	return slices.ContainsFunc(d.clauses, func(c *clause) bool { return c.tells && c.holds(v) })
}

// network is how wide the callers are whose request has a class of a key that
// is no claim: an address, a VPC endpoint.
func (t *tokens) network(dimension, class int) Exposure {
	d := t.space.dimensions[dimension]
	v := &d.values[class]
	if d.key.kind == elementValues {
		if !v.yes {
			return Public
		}
		d, v = t.space.memberOf(dimension)
	} else if d.key.set || v.absent {
		return Public
	}
	if d == nil || d.key.kind == callerValues || d.key.kind == freeValues {
		return Public
	}
	return d.pinned(v, t.owner, false)
}

// hidden reports whether a class is the yes to a question that nobody can
// answer, and that could pin.
func (t *tokens) hidden(dimension, class int) bool {
	d := t.space.dimensions[dimension]
	if d.key.kind != freeValues || !d.values[class].yes {
		return false
	}
	parts := strings.Split(d.free.text, "\x00")
	return d.free.hidesCaller() || len(parts) > 1 && t.claims[parts[1]] != nil
}

// reach is who is let in, as far as nothing pins him.
type reach int

const (
	reachNobody  reach = iota
	reachPinned        // every request has a claim, or an address, that pins
	reachUnknown       // unless what cannot be judged pins
	reachOpen
)

// reach asks how far the statement reaches: each choice is a claim of every set
// of claims that would pin.
func (t *tokens) reach(choices [][]string) reach {
	if !t.some(func(int, int) bool { return true }) {
		return reachNobody
	}
	for _, sure := range []bool{true, false} {
		for _, keys := range choices {
			if t.some(func(i, j int) bool { return t.unpinned(i, j, keys, sure) }) {
				if sure {
					return reachOpen
				}
				return reachUnknown
			}
		}
	}
	return reachPinned
}

// unpinned is the filter of what no claim of a choice pins, nor an address; for
// sure, or as far as can be judged.
func (t *tokens) unpinned(dimension, class int, keys []string, sure bool) bool {
	if sure && t.hidden(dimension, class) {
		return false
	}
	if network := t.network(dimension, class); network != Public && (sure || network != Unknown) {
		return false
	}
	return !slices.ContainsFunc(keys, func(key string) bool { return t.pinned(dimension, class, key) })
}

// claimsPin reports whether every request has one of a choice's claims pinned,
// whatever its address is.
func (t *tokens) claimsPin(choices [][]string) bool {
	return !slices.ContainsFunc(choices, func(keys []string) bool {
		return t.some(func(i, j int) bool {
			return !slices.ContainsFunc(keys, func(key string) bool { return t.pinned(i, j, key) })
		})
	})
}

// choices are the ways of taking one claim of each set, as condition keys: a
// request is unpinned where all claims of a choice are.
func (i *issuer) choices() [][]string {
	list := [][]string{nil}
	for _, set := range i.pins {
		var longer [][]string
		for _, keys := range list {
			for _, c := range set {
				longer = append(longer, append(slices.Clone(keys), i.prefix+":"+c.name))
			}
		}
		list = longer
	}
	return list
}

// keyed are the issuer's claims by condition key, the audience among them.
func (i *issuer) keyed() map[string][]claim {
	keyed := make(map[string][]claim)
	for _, set := range append(slices.Clone(i.pins), []claim{{name: "aud"}}) {
		for _, c := range set {
			key := i.prefix + ":" + c.name
			keyed[key] = append(keyed[key], c)
		}
	}
	return keyed
}

// token judges the tokens of one provider.
func (t *trust) token(i issuer) Verdict {
	v := Verdict{Counterparties: []string{i.party(t.statement)}, Certain: true}
	cells, ok := newTokens(t.through(&Principals{Federated: []string{i.provider}}, i.action), i.keyed(), t.owner)
	reached := reachUnknown
	if ok {
		reached = cells.reach(i.choices())
		ok = cells.budget.exceeds == ""
	}
	switch {
	case !ok:
		v.Exposure, v.Certain, v.Reason = Unknown, false, "the conditions on "+i.Name+" are too many to be judged"
	case reached == reachNobody:
		v.Exposure, v.Reason = Nobody, "lets nobody in: it is wholly denied, or its conditions exclude each other"
	case reached == reachUnknown:
		v.Exposure, v.Certain, v.Reason = Unknown, false, "a condition could not be judged; without it "+i.Who+" may become the role"
	case reached == reachOpen:
		v.Exposure, v.Certain = i.alone()
		v.Reason = i.Who + ", by a token of " + i.Name + i.opening(t.statement)
	default:
		v.Exposure = External
		if i.own && i.accountID() != "" && i.accountID() == t.owner.Account &&
			cells.claimsPin(i.choices()) && cells.claimsPin([][]string{{i.prefix + ":aud"}}) && cells.budget.exceeds == "" {
			v.Exposure = Internal
		}
		v.Reason = i.Name + i.tie(t.statement)
	}
	if v.Exposure == External || v.Exposure == Public {
		v.Reason += i.missing(t.statement)
	}
	return v
}

// anyToken judges the tokens of all providers, which a statement about
// everybody lets in.
func (t *trust) anyToken(action string) Verdict {
	v := Verdict{Exposure: Public, Certain: true, Counterparties: []string{"*"}, Reason: "anyone with a token of any identity provider"}
	cells, ok := newTokens(t.through(t.statement.Principal, action), nil, t.owner)
	if !ok {
		return v
	}
	switch cells.reach([][]string{nil}) {
	case reachNobody:
		return Verdict{Exposure: Nobody, Certain: true, Reason: "lets no token of an identity provider in"}
	case reachUnknown:
		v.Exposure, v.Certain, v.Reason = Unknown, false, "a condition could not be judged; without it anyone with a token of any identity provider may become the role"
	case reachPinned:
		v.Exposure, v.Reason = External, "tokens of any identity provider, from addresses or networks that nobody listed as trusted"
	case reachOpen:
	}
	if cells.budget.exceeds != "" {
		v.Exposure = Public
	}
	return v
}

package policy

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is what was found about one Allow statement of the current policy.
type verdict struct {
	found   bool // it lets something new in, or may
	unknown string
	witness *Witness
}

func (v verdict) place(s Statement, index int) string {
	if s.Sid != "" {
		return fmt.Sprintf("statement %d (%s)", index, clip(s.Sid))
	}
	return fmt.Sprintf("statement %d", index)
}

// judge decides whether one Allow of the current policy lets something new in:
// something that no Allow of the baseline does, or that the baseline denied.
func (d *decision) judge(i int) verdict {
	same := d.baseline.find(d.current, i) >= 0
	bounded := d.o.BaselineBoundary != nil
	if same && len(d.lost) == 0 && !bounded {
		return verdict{}
	}
	if w := d.plainly(i, same); w != nil {
		return verdict{found: true, witness: w}
	}
	d.compile()
	q := &question{decision: d, own: d.rules[ofCurrent][i], same: same}
	if d.pairs += len(d.baseline.policy.Statements) + len(d.current.policy.Statements); d.pairs > MaxPairs {
		return verdict{found: true, unknown: "the policies have more than MaxPairs pairs of statements to compare"}
	}
	q.gather()
	d.budget.cells, d.budget.exceeds = 0, ""
	if v, decided := q.decide(); decided {
		return v
	}
	why := d.budget.exceeds
	if q.contained() {
		return verdict{}
	}
	return verdict{found: true, unknown: why}
}

// plainly reads a request off an Allow of a resource policy and replays it. Most
// statements that were added are decided by it.
func (d *decision) plainly(i int, same bool) *Witness {
	s := d.current.policy.Statements[i]
	if !s.readsPlainly() || same || d.o.Type != ResourcePolicy || d.o.CurrentBoundary != nil || d.o.BaselineBoundary != nil {
		return nil
	}
	w := example(s)
	if w == nil || !d.confirm(w.request(s.Principal), i) {
		return nil
	}
	w.Index, w.Certain = i, true
	return w
}

// readsPlainly reports whether a request that is read off the statement is one
// that somebody can make: about a resource that is named, and without the keys
// that depend on who calls.
func (s *Statement) readsPlainly() bool {
	if len(s.Resource) == 0 || strings.ContainsAny(s.Resource[0], "*?$") {
		return false
	}
	return !slices.ContainsFunc(s.Condition, func(c Condition) bool {
		key := lowerKey(c.Key)
		return signedKeys[key] || strings.HasPrefix(key, "aws:principal")
	})
}

// question is whether one Allow of the current policy lets something new in.
type question struct {
	*decision

	own    *rule
	same   bool    // the baseline has the same Allow
	denies []*rule // that take away from the current policy
	allows []*rule // of the baseline
	lost   []*rule // Denys of the baseline that current has not as they are
	bounds []*rule // Allows of the boundary of the current policy
	limits []*rule // Allows of the boundary of the baseline
}

// gather collects the statements that bear on the question.
func (q *question) gather() {
	pick := func(of int, effect Effect) (list []*rule) {
		for _, r := range q.rules[of] {
			if r.effect == effect && !apart(q.own, r) {
				list = append(list, r)
			}
		}
		return list
	}
	q.denies = append(pick(ofCurrent, Deny), pick(ofCurrentBoundary, Deny)...)
	if !q.same {
		q.allows = pick(ofBaseline, Allow)
	}
	for _, i := range q.decision.lost {
		if r := q.rules[ofBaseline][i]; !apart(q.own, r) {
			q.lost = append(q.lost, r)
		}
	}
	q.lost = append(q.lost, pick(ofBaselineBoundary, Deny)...)
	q.bounds, q.limits = pick(ofCurrentBoundary, Allow), pick(ofBaselineBoundary, Allow)
}

// apart reports whether two statements surely share no request. It looks only
// at what is cheap to see: services against each other, and literal actions.
func apart(a, b *rule) bool {
	if a.who.apartFrom(b.who) {
		return true
	}
	x, y := &a.clauses[0], &b.clauses[0]
	if x.negated || y.negated || len(x.globs) > longList || len(y.globs) > longList || x.literal != nil || y.literal != nil {
		return false
	}
	for i := range x.globs {
		for j := range y.globs {
			g, h := &x.globs[i], &y.globs[j]
			if g.wild && h.wild || h.wild && h.match(g.text) || !h.wild && g.match(h.text) {
				return false
			}
		}
	}
	return true
}

func (w *whoClause) apartFrom(o *whoClause) bool {
	if w == nil || o == nil || w.any || o.any || w.negated || o.negated || len(w.doubtful) > 0 || len(o.doubtful) > 0 {
		return false
	}
	for _, name := range w.list {
		if o.names[name] || accountOfName(name) != "" && slices.ContainsFunc(o.list, func(n string) bool {
			return accountOfName(n) == accountOfName(name)
		}) {
			return false
		}
	}
	return true
}

// space finds the classes for the question, or those statements of it that are given.
func (q *question) space(b *budget, rules ...[]*rule) (*space, bool) {
	s := &space{own: q.own, budget: b, domain: q.domain, avoidAccount: q.o.Account, trust: q.o.Type == TrustPolicy, identity: q.o.Type == IdentityPolicy}
	return s, s.build(slices.Concat(append([][]*rule{{q.own}}, rules...)...))
}

// decide answers the question exactly, or says that a cap was hit.
func (q *question) decide() (verdict, bool) {
	s, ok := q.space(&q.budget, q.denies, q.allows, q.lost, q.bounds, q.limits)
	if !ok {
		return verdict{}, false
	}
	starts := q.starts(s)
	denied := s.union(q.denies)
	hunt := &hunt{question: q, space: s}
	if !q.same {
		hunt.all(starts, slices.Concat(denied, s.union(q.allows)))
	}
	for _, r := range q.lost {
		hunt.all(s.both(starts, s.boxes(r)), denied)
	}
	if q.o.BaselineBoundary != nil {
		hunt.all(starts, slices.Concat(denied, s.union(q.limits)))
	}
	if hunt.best == nil && s.budget.exceeds != "" {
		return verdict{}, false
	}
	return hunt.verdict(), true
}

// starts are the boxes of the Allow, inside the boundary of its policy.
func (q *question) starts(s *space) []box {
	starts := s.boxes(q.own)
	if q.o.CurrentBoundary != nil {
		starts = s.both(starts, s.union(q.bounds))
	}
	return starts
}

// union is the boxes of several statements.
func (s *space) union(rules []*rule) []box {
	var list []box
	for _, r := range rules {
		list = append(list, s.boxes(r)...)
	}
	return list
}

// both is the boxes of what is in both unions.
func (s *space) both(a, b []box) []box {
	var list []box
	for _, x := range a {
		for _, y := range b {
			if s.disjoint(x, y) {
				continue
			}
			z := s.clone(x)
			meet(z, y)
			if s.real(z) {
				list = append(list, z)
			}
		}
	}
	if len(list) > MaxBoxes*MaxBoxes {
		s.budget.exceed("the statements fall into too many products")
	}
	return list
}

// contained decides without the caps of the whole question: the Allow is in one
// Allow of the baseline, and what the baseline denied of it some one Deny of
// the current policy denies. Sound, but not complete.
func (q *question) contained() bool {
	inside := func(start, in []*rule) bool {
		return slices.ContainsFunc(in, func(r *rule) bool { return q.inside(start, r) })
	}
	if q.o.BaselineBoundary != nil && !inside(nil, q.limits) && !inside(nil, q.denies) {
		return false
	}
	if !q.same && !inside(nil, q.allows) && !inside(nil, q.denies) {
		return false
	}
	for _, lost := range q.lost {
		if !inside([]*rule{lost}, q.denies) {
			return false
		}
	}
	return true
}

// inside reports whether the Allow, as far as the statements of with match it,
// is surely inside another statement.
func (q *question) inside(with []*rule, other *rule) bool {
	q.small.cells, q.small.exceeds = 0, ""
	if q.small.steps > MaxSteps || q.small.clauses > MaxClauses/4 { // a space for each pair of statements
		return false
	}
	s, ok := q.space(&q.small, with, []*rule{other})
	if !ok {
		return false
	}
	starts := s.boxes(q.own)
	for _, r := range with {
		starts = s.both(starts, s.boxes(r))
	}
	minus := s.boxes(other)
	for _, start := range starts {
		if s.survive(start, minus, func(box) bool { return true }) {
			return false
		}
	}
	return s.budget.exceeds == ""
}

package policy

import "slices"

// boxes is the set of requests that a statement matches, as products.
func (s *space) boxes(r *rule) []box {
	list := []box{s.full()}
	if r.who != nil {
		list = s.whoBoxes(r.who, list)
	}
	for i := range r.clauses {
		list = s.apply(&r.clauses[i], list)
		if len(list) > MaxBoxes {
			s.budget.exceed("one statement falls into more than MaxBoxes products")
			return nil
		}
	}
	return slices.DeleteFunc(list, func(b box) bool { return !s.real(b) })
}

func (s *space) whoBoxes(w *whoClause, list []box) []box {
	yes, open := s.newBox(), s.newBox()
	for i, c := range s.callers {
		is, may := w.answer(c)
		if is {
			mark(s.part(yes, s.whoAt), i)
		}
		if may {
			mark(s.part(open, s.whoAt), i)
		}
	}
	sure := s.clone(list[0])
	meet(s.part(sure, s.whoAt), s.part(yes, s.whoAt))
	if w.doubt.text == "" {
		return []box{sure}
	}
	doubtful := s.clone(list[0])
	meet(s.part(doubtful, s.whoAt), s.part(open, s.whoAt))
	s.say(doubtful, w.doubt, true)
	return []box{sure, doubtful}
}

// say narrows a box to one answer of a free question.
func (s *space) say(b box, f free, yes bool) {
	only := [1]uint64{1}
	if yes {
		only[0] = 2
	}
	meet(s.part(b, s.index[dimensionKey{name: f.text, kind: freeValues}]), only[:])
}

// apply intersects boxes with a clause.
func (s *space) apply(c *clause, list []box) []box {
	switch {
	case c.isNull:
		for _, b := range list {
			s.applyNull(c, b)
		}
		return list
	case c.key.kind == freeValues:
		for _, b := range list {
			s.say(b, c.free[0], true)
		}
		return list
	case c.set == allOf:
		d := s.dimensions[s.index[c.key]]
		for _, b := range list {
			for i, e := range d.elements {
				if !c.holds(&d.members[i]) {
					meet(s.part(b, e), []uint64{1})
				}
			}
		}
		return list
	case c.set == anyOf:
		return s.applyAny(c, list)
	}
	return s.applySingle(c, list)
}

// applyNull narrows every dimension of the key to where it is there, or is not.
func (s *space) applyNull(c *clause, b box) {
	for i, d := range s.dimensions {
		if d.key.name != c.key.name || d.key.kind == freeValues || d.key.kind == elementValues {
			continue
		}
		part := s.part(b, i)
		for j := range d.values {
			if absent := d.values[j].absent; absent && !c.nulls[1] || !absent && !c.nulls[0] {
				part[j/64] &^= 1 << (j % 64)
			}
		}
	}
}

func (s *space) applyAny(c *clause, list []box) []box {
	at := s.index[c.key]
	d := s.dimensions[at]
	var out []box
	for _, b := range list {
		if c.missing {
			absent := s.clone(b)
			meet(s.part(absent, at), []uint64{1})
			out = append(out, absent)
		}
		for i, e := range d.elements {
			if c.holds(&d.members[i]) {
				with := s.clone(b)
				meet(s.part(with, e), []uint64{2})
				meet(s.part(with, at), []uint64{2})
				out = append(out, with)
			}
		}
		if len(out) > MaxBoxes {
			return out
		}
	}
	return out
}

func (s *space) applySingle(c *clause, list []box) []box {
	at := s.index[c.key]
	d := s.dimensions[at]
	set := s.answer(d, c)
	out := list[:0:0]
	for _, b := range list {
		if !c.negated {
			out = append(out, s.alternatives(c, b, at)...)
		}
		meet(s.part(b, at), set)
		if c.negated {
			for _, f := range c.free {
				s.say(b, f, false)
			}
		}
		out = append(out, b)
		if len(out) > MaxBoxes {
			return out
		}
	}
	return out
}

// alternatives are the boxes in which a free question of a clause is answered
// with yes: there the key is present, and its value fits the question's pattern.
func (s *space) alternatives(c *clause, b box, at int) []box {
	d := s.dimensions[at]
	var out []box
	for _, f := range c.free {
		with := s.clone(b)
		part := s.part(with, at)
		for j := range d.values {
			if v := &d.values[j]; v.absent || f.loose != nil && !f.loose.match(v.text) {
				part[j/64] &^= 1 << (j % 64)
			}
		}
		s.say(with, f, true)
		out = append(out, with)
	}
	return out
}

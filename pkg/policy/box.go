package policy

// box is a product of one set of classes per dimension, as bits in a row.
type box []uint64

// span is where the classes of a dimension stand in a box.
type span struct{ from, to int }

// relation says which classes of two dimensions real requests can have
// together: rows[i] are the classes of b beside class i of a.
type relation struct {
	a, b int
	rows [][]uint64
}

func (s *space) part(b box, d int) []uint64 { return b[s.spans[d].from:s.spans[d].to] }

func (s *space) newBox() box {
	if len(s.arena) < s.words {
		s.arena = make([]uint64, 32*s.words)
	}
	b := s.arena[:s.words:s.words]
	s.arena = s.arena[s.words:]
	return b
}

func (s *space) clone(b box) box {
	c := s.newBox()
	copy(c, b)
	return c
}

func (s *space) emptyBox(b box) bool {
	for d := range s.dimensions {
		if isEmpty(s.part(b, d)) {
			return true
		}
	}
	return false
}

func isEmpty(set []uint64) bool {
	for _, w := range set {
		if w != 0 {
			return false
		}
	}
	return true
}

// within reports whether a is a part of b.
func within(a, b []uint64) bool {
	for i, w := range a {
		if w&^b[i] != 0 {
			return false
		}
	}
	return true
}

// meet intersects a with b and reports whether a changed.
func meet(a, b []uint64) bool {
	changed := false
	for i, w := range b[:len(a)] {
		w &= a[i]
		changed = changed || w != a[i]
		a[i] = w
	}
	return changed
}

// disjoint reports whether two boxes share no cell.
func (s *space) disjoint(a, b box) bool {
	for d := range s.dimensions {
		shared := false
		for i := s.spans[d].from; i < s.spans[d].to; i++ {
			shared = shared || a[i]&b[i] != 0
		}
		if !shared {
			return true
		}
	}
	return false
}

// real narrows a box to what the relations leave, and reports whether anything is left.
func (s *space) real(b box) bool {
	for changed := true; changed; {
		changed = false
		for i := range s.relations {
			changed = s.relations[i].narrow(s, b) || changed
		}
		for _, d := range s.filled {
			changed = s.fillSet(b, d) || changed
		}
	}
	return !s.emptyBox(b)
}

// fillSet takes away the set that is there without an element, and reports
// whether the box changed.
func (s *space) fillSet(b box, d int) bool {
	for _, e := range s.dimensions[d].elements {
		if s.part(b, e)[0]&2 != 0 {
			return false
		}
	}
	return meet(s.part(b, d), []uint64{1})
}

func (r *relation) narrow(s *space, b box) bool {
	left, right := s.part(b, r.a), s.part(b, r.b)
	union := make([]uint64, len(right))
	changed := false
	for i, row := range r.rows {
		if !has(left, i) {
			continue
		}
		shared := false
		for j, w := range row {
			shared = shared || w&right[j] != 0
			union[j] |= w
		}
		if !shared {
			left[i/64] &^= 1 << (i % 64)
			changed = true
		}
	}
	return meet(right, union) || changed
}

// survive calls found with each cell block of start that no box of minus
// covers, until found says that it is enough. It reports whether it was stopped.
func (s *space) survive(start box, minus []box, found func(box) bool) bool {
	if s.budget.exceeds != "" {
		return true
	}
	cost := 1 + s.words/32
	s.budget.cells += cost
	if s.budget.total += cost; s.budget.cells > MaxCells || s.budget.total > MaxTotalCells {
		s.budget.exceed("the question falls into more than MaxCells cells")
		return true
	}
	var rest []box
	best, fewest := -1, 0
	for _, m := range minus {
		if s.disjoint(start, m) {
			continue
		}
		n := 0
		for d := range s.dimensions {
			if !within(s.part(start, d), s.part(m, d)) {
				n++
			}
		}
		if n == 0 {
			return false
		}
		if best < 0 || n < fewest {
			best, fewest = len(rest), n
		}
		rest = append(rest, m)
	}
	if best < 0 {
		return found(start)
	}
	cut := rest[best]
	rest = append(rest[:best:best], rest[best+1:]...)
	left := s.clone(start)
	for d := range s.dimensions {
		if within(s.part(left, d), s.part(cut, d)) {
			continue
		}
		piece := s.clone(left)
		for i, w := range s.part(cut, d) {
			s.part(piece, d)[i] &^= w
		}
		if s.real(piece) && s.survive(piece, rest, found) {
			return true
		}
		meet(s.part(left, d), s.part(cut, d))
	}
	return false
}

package differential

import "slices"

// shrink drops statements, elements and values of the pair as long as it stays
// bad, asking at most a few hundred times.
func shrink(p pair, bad func(pair) bool) pair {
	budget := 300
	for progress := true; progress; {
		progress = false
		for _, smaller := range smallerPairs(p) {
			if budget--; budget < 0 {
				return p
			}
			if bad(smaller) {
				p, progress = smaller, true
				break
			}
		}
	}
	return p
}

// smallerPairs are the pairs with one thing less, the largest losses first.
func smallerPairs(p pair) []pair {
	var out []pair
	try := func(change func(d *document) bool) {
		for _, onCurrent := range []bool{false, true} {
			q := pair{p.kind, p.baseline.clone(), p.current.clone()}
			d := &q.baseline
			if onCurrent {
				d = &q.current
			}
			if change(d) {
				out = append(out, q)
			}
		}
	}
	for i := range max(len(p.baseline.statements), len(p.current.statements)) {
		try(func(d *document) bool {
			if i >= len(d.statements) {
				return false
			}
			d.statements = slices.Delete(d.statements, i, i+1)
			return true
		})
	}
	for n := range 40 { // the n-th condition, value of a condition, value of a list
		try(func(d *document) bool { return dropCondition(d, n) })
		try(func(d *document) bool { return dropValue(d, n) })
	}
	return out
}

func dropCondition(d *document, n int) bool {
	for i := range d.statements {
		s := &d.statements[i]
		if n < len(s.conditions) {
			s.conditions = slices.Delete(s.conditions, n, n+1)
			return true
		}
		n -= len(s.conditions)
	}
	return false
}

// dropValue drops the n-th value of those that do not stand alone.
func dropValue(d *document, n int) bool {
	drop := func(list []string, set func([]string)) bool {
		switch {
		case len(list) < 2:
			return false
		case n >= len(list):
			n -= len(list)
			return false
		}
		set(slices.Delete(list, n, n+1))
		return true
	}
	for i := range d.statements {
		s := &d.statements[i]
		for _, name := range sortedKeys(s.lists) {
			if drop(s.lists[name], func(l []string) { s.lists[name] = l }) {
				return true
			}
		}
		for _, typed := range s.principals {
			for _, kind := range sortedKeys(typed) {
				if drop(typed[kind], func(l []string) { typed[kind] = l }) {
					return true
				}
			}
		}
		for j := range s.conditions {
			if drop(s.conditions[j].values, func(l []string) { s.conditions[j].values = l }) {
				return true
			}
		}
	}
	return false
}

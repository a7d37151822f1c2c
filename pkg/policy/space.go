package policy

import (
	"slices"
	"strconv"
	"strings"
)

// dimension is one thing that requests differ in, its values in classes.
type dimension struct {
	key      dimensionKey
	clauses  []*clause             // what tells values apart
	values   []value               // one of each class
	free     free                  // of kind freeValues
	exposure func(*value) Exposure // tells values apart that pin the caller to different people
	members  []value               // of a set: one element of each class,
	elements []int                 // and the dimensions that say whether the set has such a one
	answers  map[*clause][]uint64
}

// space is what one question is decided in: the dimensions and classes of the
// statements that bear on one Allow.
type space struct {
	own          *rule
	budget       *budget
	dimensions   []*dimension
	index        map[dimensionKey]int
	callers      []*callerClass
	whoAt        int // dimension of the principal, -1 without
	whoClauses   []*whoClause
	spans        []span
	words        int
	relations    []relation
	filled       []int // dimensions of sets that are not empty where they are there
	arena        []uint64
	domain       []glob       // resources that the policy can be about; nil: any
	tellMore     func(*space) // adds patterns that tell the values of keys apart
	everyCaller  bool         // keep callers apart that the statements do not
	avoidAccount string
	trust        bool // the policies are trust policies
	identity     bool // identity policies
}

// build finds the dimensions and classes. The values of a dimension are only
// those that the own statement may take.
func (s *space) build(rules []*rule) bool {
	s.index = make(map[dimensionKey]int)
	s.whoAt = -1
	for _, r := range rules {
		s.budget.clauses += 2 + len(r.clauses)
	}
	if s.budget.clauses > MaxClauses {
		s.budget.exceed("the policies have more than MaxClauses elements to compare")
		return false
	}
	for _, r := range rules {
		s.collect(r)
	}
	for _, r := range rules {
		for i := range r.clauses {
			if c := &r.clauses[i]; c.isNull && !s.names(c.key.name) {
				s.dimension(dimensionKey{name: c.key.name, kind: presenceValues})
			}
		}
	}
	if len(s.dimensions) > MaxDimensions {
		s.budget.exceed("the policies name more than MaxDimensions condition keys")
		return false
	}
	s.tieCallers()
	if s.tellMore != nil {
		s.tellMore(s)
	}
	for d := 0; d < len(s.dimensions); d++ { //nolint:intrange // sets add dimensions on the way
		s.classify(d)
		if s.budget.exceeds != "" {
			return false
		}
	}
	s.layOut()
	s.relate()
	return s.budget.exceeds == ""
}

// dimension is the index of a dimension, made where it is new.
func (s *space) dimension(key dimensionKey) int {
	if i, ok := s.index[key]; ok {
		return i
	}
	s.index[key] = len(s.dimensions)
	s.dimensions = append(s.dimensions, &dimension{key: key})
	return len(s.dimensions) - 1
}

func (s *space) collect(r *rule) {
	if r.who != nil {
		s.whoAt = s.dimension(dimensionKey{name: principalName, kind: callerValues})
		s.whoClauses = append(s.whoClauses, r.who)
		if r.who.doubt.text != "" {
			s.ask(r.who.doubt)
		}
	}
	for i := range r.clauses {
		c := &r.clauses[i]
		for _, f := range c.free {
			s.ask(f)
		}
		if !c.isNull && c.key.kind != freeValues {
			d := s.dimensions[s.dimension(c.key)]
			d.clauses = append(d.clauses, c)
		}
	}
}

// ask makes the dimension of a free question.
func (s *space) ask(f free) int {
	i := s.dimension(dimensionKey{name: f.text, kind: freeValues})
	s.dimensions[i].free = f
	return i
}

// names reports whether some dimension is about a key.
func (s *space) names(name string) bool {
	return slices.ContainsFunc(s.dimensions, func(d *dimension) bool {
		return d.key.name == name && d.key.kind != freeValues
	})
}

// classify finds the classes of one dimension.
func (s *space) classify(d int) {
	dim := s.dimensions[d]
	switch dim.key.kind {
	case callerValues:
		s.classifyCallers(dim)
		return
	case freeValues, elementValues:
		dim.values = []value{{}, {yes: true}}
		return
	case presenceValues:
		dim.values = []value{{absent: true}, {}}
		return
	default:
	}
	candidates := s.candidates(dim)
	if !s.budget.spend(len(candidates) * dim.weight()) {
		return
	}
	dim.values = dim.distinct(candidates)
	if len(dim.values) > MaxClasses {
		s.budget.exceed("the values of " + clip(strings.TrimPrefix(dim.key.name, "\x00")) + " fall into more than MaxClasses classes")
		return
	}
	if dim.key.set {
		s.spread(dim)
		return
	}
	for i := range dim.values {
		dim.concrete(&dim.values[i])
	}
}

// candidates are values among which every class has one.
func (s *space) candidates(dim *dimension) []value {
	own := s.restriction(dim)
	var values []value
	if own == nil && !dim.key.set && !strings.HasPrefix(dim.key.name, "\x00") {
		values = append(values, value{absent: true})
	}
	switch dim.key.kind {
	case numberValues, dateValues:
		values = append(values, numberExamples(dim.clauses, dim.key.kind, dim.key.name)...)
	case addressValues:
		values = append(values, addressExamples(dim.clauses)...)
	case truthValues:
		values = append(values, value{text: "true", runes: []rune("true")}, value{text: "false", runes: []rune("false")})
	default:
		values = append(values, s.textCandidates(dim, own)...)
	}
	if own != nil {
		values = slices.DeleteFunc(values, func(v value) bool { return v.absent || !own.holds(&v) })
	}
	return values
}

// restriction is a clause of the own statement that says which values of the
// dimension it is about, nil where there is none.
func (s *space) restriction(dim *dimension) *clause {
	if dim.key.set || s.own == nil {
		return nil
	}
	for i := range s.own.clauses {
		c := &s.own.clauses[i]
		if c.key == dim.key && !c.isNull && !c.negated && !c.missing && len(c.free) == 0 {
			return c
		}
	}
	return nil
}

// distinct keeps the first value of each class, up to one more than MaxClasses.
func (d *dimension) distinct(candidates []value) []value {
	seen := make(map[string]int, len(candidates))
	var signature []byte
	values := candidates[:0]
	for _, v := range candidates {
		signature = d.signature(signature[:0], &v)
		if d.exposure != nil && !v.absent {
			signature = append(signature, d.exposure(&v)...)
		}
		if at, ok := seen[string(signature)]; ok {
			values[at].size4 += v.size4
			values[at].size6 += v.size6
			continue
		}
		seen[string(signature)] = len(values)
		if values = append(values, v); len(values) > MaxClasses {
			break // too many, whatever follows
		}
	}
	return values
}

// weight is how many comparisons tell the class of a value.
func (d *dimension) weight() int {
	n := 1
	for _, c := range d.clauses {
		n += 1 + len(c.globs) + len(c.typed) + len(c.free)
	}
	return n
}

// signature says which clauses and questions a value satisfies.
func (d *dimension) signature(b []byte, v *value) []byte {
	if v.absent {
		return append(b, 'a')
	}
	for _, c := range d.clauses {
		b = append(b, '0')
		if c.holds(v) {
			b[len(b)-1] = '1'
		}
		for i := range c.free {
			if c.free[i].loose != nil && c.free[i].loose.match(v.text) {
				b = append(b, 'f')
			} else {
				b = append(b, '-')
			}
		}
	}
	return b
}

// spread turns the classes of a set's elements into dimensions: does the set
// have such an element? The dimension itself then says whether the set is there.
func (s *space) spread(dim *dimension) {
	if filledKeys[dim.key.name] {
		s.filled = append(s.filled, s.index[dim.key])
	}
	dim.members = dim.values
	dim.values = []value{{absent: true}, {}}
	for i := range dim.members {
		dim.concrete(&dim.members[i])
		key := dimensionKey{name: dim.key.name + "\x00" + strconv.Itoa(int(dim.key.kind)) + "\x00" + strconv.Itoa(i), kind: elementValues, set: true}
		dim.elements = append(dim.elements, s.dimension(key))
	}
	if len(s.dimensions) > MaxDimensions {
		s.budget.exceed("the values of the sets make more than MaxDimensions dimensions")
	}
}

// layOut places the dimensions in a box.
func (s *space) layOut() {
	s.spans = make([]span, len(s.dimensions))
	at := 0
	for d, dim := range s.dimensions {
		words := (len(dim.values) + 63) / 64
		s.spans[d] = span{at, at + words}
		at += words
	}
	s.words = at
}

// full is the box of all requests.
func (s *space) full() box {
	b := s.newBox()
	for d, dim := range s.dimensions {
		fill(s.part(b, d), len(dim.values))
	}
	return b
}

func fill(set []uint64, n int) {
	for i := range n {
		mark(set, i)
	}
}

// answer is the set of the classes of a dimension that satisfy a clause.
func (s *space) answer(dim *dimension, c *clause) []uint64 {
	if set, ok := dim.answers[c]; ok {
		return set
	}
	set := make([]uint64, (len(dim.values)+63)/64)
	for i := range dim.values {
		v := &dim.values[i]
		if v.absent && c.missing || !v.absent && c.holds(v) {
			mark(set, i)
		}
	}
	if dim.answers == nil {
		dim.answers = make(map[*clause][]uint64)
	}
	dim.answers[c] = set
	return set
}

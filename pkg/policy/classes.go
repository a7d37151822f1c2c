package policy

import (
	"encoding/binary"
	"maps"
	"slices"
)

// Caps on the work of one decision. Behind a cap nothing is concluded: the
// answer is unknown, which counts as new access.
const (
	// MaxClasses is the most classes that the values of one dimension fall
	// into; n patterns *xy* on one key make 2^n.
	MaxClasses = 256
	// MaxDimensions is the most dimensions of one decision; the size of a cell
	// grows with it. A policy of 20 KB names about 400 keys at most.
	MaxDimensions = 512
	// MaxBoxes is the most products that one statement is split into, for what
	// is an OR across dimensions (ForAnyValue, policy variables).
	MaxBoxes = 256
	// MaxCells is the most cells that one question cuts its boxes into.
	MaxCells = 1 << 14
	// MaxTotalCells is the most cells of all questions of one decision.
	MaxTotalCells = 1 << 17
	// MaxSteps is the most automaton transitions of one decision, weighed by
	// the size of a state in words, and comparisons of a value with a pattern;
	// a fraction of a second.
	MaxSteps = 1 << 23
	// MaxClauses is the most elements and conditions that the questions of one
	// decision look at, each question for itself: a policy of 20 KB asks 60
	// questions about 300 of them.
	MaxClauses = 1 << 18
	// MaxPairs is the most pairs of statements that one decision looks at to
	// find those that bear on each other: a policy of 20 KB has 100 statements.
	MaxPairs = 1 << 20
	// MaxStates is the most states of one automaton, which bounds its memory.
	MaxStates = 1 << 13
)

// budget counts the work of one decision.
type budget struct {
	steps   int // automaton transitions, in words; see MaxSteps
	cells   int // cells of the present question
	total   int // cells of all questions
	clauses int // of all questions; see MaxClauses
	replays int // statements that the concrete evaluator looked at
	exceeds string
}

// spend takes steps, and says whether there were any left.
func (b *budget) spend(n int) bool {
	if b.steps += n; b.steps > MaxSteps {
		b.exceed("the patterns need more than MaxSteps automaton steps")
	}
	return b.exceeds == ""
}

// spent reports whether nothing more can be decided.
func (b *budget) spent() bool {
	return b.steps > MaxSteps || b.clauses > MaxClauses || b.total > MaxTotalCells
}

func (b *budget) exceed(why string) {
	if b.exceeds == "" {
		b.exceeds = why
	}
}

// automaton runs several patterns at once: a state is the set of positions
// that the patterns can be in, and is found as it is reached.
type automaton struct {
	words    int
	start    []uint64
	accept   []uint64
	own      []uint64          // positions of patterns one of which must match; nil: none must
	stars    []uint64          // positions before a star
	advance  map[rune][]uint64 // positions whose token takes a character
	loop     [2][]uint64       // positions before a star that stays: on any character, on a colon
	other    []uint64          // what advances on a character that no pattern names
	alphabet []rune
}

func newAutomaton(globs []*glob, own int) *automaton {
	a := &automaton{advance: make(map[rune][]uint64)}
	positions := 0
	for _, g := range globs {
		positions += len(g.tokens) + 1
	}
	a.words = (positions + 63) / 64
	set := func() []uint64 { return make([]uint64, a.words) }
	a.start, a.accept, a.stars, a.loop, a.other = set(), set(), set(), [2][]uint64{set(), set()}, set()
	if own > 0 {
		a.own = set()
	}
	a.collectAlphabet(globs)
	for _, r := range a.alphabet {
		a.advance[r] = set()
	}
	at := 0
	for i, g := range globs {
		mark(a.start, at)
		for j, t := range g.tokens {
			a.place(at+j, t, g.fold)
		}
		mark(a.accept, at+len(g.tokens))
		if i < own {
			for j := range len(g.tokens) + 1 {
				mark(a.own, at+j)
			}
		}
		at += len(g.tokens) + 1
	}
	a.close(a.start)
	return a
}

func (a *automaton) collectAlphabet(globs []*glob) {
	seen := map[rune]bool{':': true}
	for _, g := range globs {
		for _, t := range g.tokens {
			if t.kind == tokenRune {
				seen[t.r] = true
				if g.fold {
					seen[otherCase(t.r)] = true
				}
			}
		}
	}
	filler := rune('x')
	for _, r := range "xqzkw0179_-XQZ" {
		if filler = r; !seen[r] {
			break
		}
	}
	for seen[filler] {
		filler++
	}
	seen[filler] = true
	a.alphabet = slices.Sorted(maps.Keys(seen))
	// The filler first: examples then hold it where nothing else is asked for.
	i := slices.Index(a.alphabet, filler)
	a.alphabet[0], a.alphabet[i] = a.alphabet[i], a.alphabet[0]
}

func (a *automaton) place(at int, t token, fold bool) {
	if t.star() {
		mark(a.stars, at)
		mark(a.loop[0], at)
		if t.kind == tokenStar {
			mark(a.loop[1], at)
		}
		return
	}
	if t.kind == tokenRune {
		mark(a.advance[t.r], at)
		if fold {
			mark(a.advance[otherCase(t.r)], at)
		}
		return
	}
	for _, r := range a.alphabet {
		if t.takes(r, fold) {
			mark(a.advance[r], at)
		}
	}
}

// close adds the positions behind stars, which may stand for nothing.
func (a *automaton) close(state []uint64) {
	carry := uint64(0)
	for i, w := range state {
		moved := w & a.stars[i]
		state[i] = w | moved<<1 | carry
		carry = moved >> 63
	}
}

// step writes the state behind one character.
func (a *automaton) step(next, state []uint64, r rune) (alive bool) {
	advance, loop := a.advance[r], a.loop[0]
	if r == ':' {
		loop = a.loop[1]
	}
	carry, live, own := uint64(0), uint64(0), uint64(0)
	for i, w := range state {
		moved := w & advance[i]
		next[i] = moved<<1 | carry | w&loop[i]
		carry = moved >> 63
		live |= next[i]
		if a.own != nil {
			own |= next[i] & a.own[i]
		}
	}
	a.close(next)
	if a.own != nil {
		return own != 0
	}
	return live != 0
}

func mark(set []uint64, i int) { set[i/64] |= 1 << (i % 64) }

func has(set []uint64, i int) bool { return set[i/64]>>(i%64)&1 != 0 }

// bytesOf is a map key for a set of positions.
func bytesOf(buffer []byte, set, mask []uint64) []byte {
	buffer = buffer[:0]
	for i, w := range set {
		if mask != nil {
			w &= mask[i]
		}
		buffer = binary.LittleEndian.AppendUint64(buffer, w)
	}
	return buffer
}

// visit is one state reached, and how.
type visit struct {
	state []uint64
	from  int
	r     rune
}

// examples returns one text for each set of patterns that match a text
// together, only those with one of the first own patterns where own > 0. The
// text that no pattern matches is always among them otherwise.
func examples(globs []*glob, own int, b *budget) []string {
	e := explorer{automaton: newAutomaton(globs, own), budget: b, accepted: make(map[string]bool), reached: make(map[string]bool)}
	e.reach(e.start, -1, 0)
	next := make([]uint64, e.words)
	for at := 0; at < len(e.visits); at++ { //nolint:intrange // visits grow on the way
		e.note(e.visits[at].state, at, "")
		for _, r := range e.alphabet {
			if !b.spend(e.words) {
				return e.texts
			}
			switch alive := e.step(next, e.visits[at].state, r); {
			case alive:
				e.reach(next, at, r)
			case !e.dead && e.own == nil:
				e.dead = true
				e.note(next, at, string(r))
			}
		}
	}
	return e.texts
}

// explorer goes through the states of an automaton, breadth first.
type explorer struct {
	*automaton

	budget            *budget
	visits            []visit
	texts             []string
	accepted, reached map[string]bool
	key               []byte
	dead              bool // the text that no pattern matches has been noted
}

// reach queues a state that is new.
func (e *explorer) reach(state []uint64, from int, r rune) {
	if e.key = bytesOf(e.key, state, nil); e.reached[string(e.key)] {
		return
	}
	e.reached[string(e.key)] = true
	e.visits = append(e.visits, visit{state: slices.Clone(state), from: from, r: r})
	if len(e.visits) > MaxStates {
		e.budget.exceed("the patterns of one key need more than MaxStates automaton states")
	}
}

// note keeps the text of a state whose patterns have none yet.
func (e *explorer) note(state []uint64, at int, tail string) {
	if !e.accepts(state) {
		return
	}
	if e.key = bytesOf(e.key, state, e.accept); e.accepted[string(e.key)] {
		return
	}
	e.accepted[string(e.key)] = true
	if e.texts = append(e.texts, spell(e.visits, at)+tail); len(e.texts) > MaxClasses {
		e.budget.exceed("the patterns of one key make more than MaxClasses classes")
	}
}

// accepts reports whether a text that ends in the state is of interest.
func (a *automaton) accepts(state []uint64) bool {
	if a.own == nil {
		return true
	}
	for i, w := range state {
		if w&a.accept[i]&a.own[i] != 0 {
			return true
		}
	}
	return false
}

// spell is the text that led to a state.
func spell(visits []visit, at int) string {
	var reversed []rune
	for ; visits[at].from >= 0; at = visits[at].from {
		reversed = append(reversed, visits[at].r)
	}
	slices.Reverse(reversed)
	return string(reversed)
}

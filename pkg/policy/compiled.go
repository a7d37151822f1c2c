package policy

import (
	"sync"
)

// Compiled is a policy made ready to be compared with many others. It is
// immutable and safe for concurrent use.
type Compiled struct {
	policy Policy
	text   string   // as it was read, empty where it was not
	hashes []uint64 // of the statements; equal statements have equal ones, but for unusual spellings

	once  sync.Once
	exact map[string]int // canonical key to index, made when a hash does not find
}

// Compile makes a policy ready to be compared.
func Compile(p Policy) *Compiled {
	c := &Compiled{policy: p, hashes: make([]uint64, len(p.Statements))}
	for i := range p.Statements {
		c.hashes[i] = p.Statements[i].quickHash()
	}
	return c
}

// CompileBytes is [Parse] and [Compile].
func CompileBytes(text []byte) (*Compiled, error) {
	s, err := begin(text, "policy")
	if err != nil {
		return nil, err
	}
	p, err := s.document()
	if err != nil {
		return nil, err
	}
	c := Compile(p)
	c.text = s.src
	return c, nil
}

// Policy is the policy as it was given.
func (c *Compiled) Policy() Policy { return c.policy }

// NewAccessBytes is [NewAccess] for a current policy as text. The same bytes as
// the baseline's are not even read.
func NewAccessBytes(baseline *Compiled, current []byte, o Options) (Access, error) {
	if len(current) == len(baseline.text) && string(current) == baseline.text && o.BaselineBoundary == nil {
		return Access{}, nil
	}
	c, err := CompileBytes(current)
	if err != nil {
		return Access{}, err
	}
	return newAccess(baseline, c, o), nil
}

// find is the index of a statement that equals statement i of another policy, -1 without.
func (c *Compiled) find(other *Compiled, i int) int {
	s := &other.policy.Statements[i]
	for j, h := range c.hashes {
		if h == other.hashes[i] && sameStatement(s, &c.policy.Statements[j]) {
			return j
		}
	}
	if len(c.hashes) == 0 || s.ordinary() {
		return -1
	}
	c.once.Do(func() {
		c.exact = make(map[string]int, len(c.hashes))
		for j, t := range c.policy.Statements {
			c.exact[t.Key()] = j
		}
	})
	if j, ok := c.exact[s.Key()]; ok {
		return j
	}
	return -1
}

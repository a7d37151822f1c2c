package policy

import (
	"hash/maphash"
	"slices"
	"strings"
)

// seed makes hashes that nobody outside the process can foresee.
var seed = maphash.MakeSeed()

// quickHash is a hash that statements of the same meaning share as long as they
// differ only in order, Sid, case of actions and keys, and string or list. It
// reads the statement as it stands; sameStatement has the last word.
func (s *Statement) quickHash() uint64 {
	h := uint64(len(s.Effect))
	h = h*prime + s.Principal.hash()
	h = h*prime + s.NotPrincipal.hash()
	h = h*prime + foldedSum(s.Action)
	h = h*prime + foldedSum(s.NotAction)
	h = h*prime + sum(s.Resource)
	h = h*prime + sum(s.NotResource)
	conditions := uint64(0)
	for i := range s.Condition {
		c := &s.Condition[i]
		conditions += mix(hashFolded(c.Operator)*prime+hashFolded(c.Key)) ^ sum(c.Values)
	}
	return h*prime + conditions
}

const prime = 0x9e3779b97f4a7c15

func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= prime
	return h ^ h>>29
}

func (p *Principals) hash() uint64 {
	if p == nil {
		return 0
	}
	if p.Any {
		return 1
	}
	return sum(p.AWS)*3 + sum(p.Service)*5 + sum(p.Federated)*7 + sum(p.CanonicalUser)*11 + 2
}

func sum(list []string) (h uint64) {
	for _, text := range list {
		h += mix(maphash.String(seed, text))
	}
	return h
}

func foldedSum(list []string) (h uint64) {
	for _, text := range list {
		h += mix(hashFolded(text))
	}
	return h
}

// hashFolded is a hash of a text without its case.
func hashFolded(text string) uint64 {
	var buffer [64]byte
	if len(text) > len(buffer) {
		return maphash.String(seed, strings.ToLower(text))
	}
	b := buffer[:len(text)]
	for i := range len(text) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c >= 0x80 {
			return maphash.String(seed, strings.ToLower(text))
		}
		b[i] = c
	}
	return maphash.Bytes(seed, b)
}

// sameStatement reports whether two statements surely mean the same, without
// their canonical form: it may miss that they do.
func sameStatement(a, b *Statement) bool {
	if a.literal != b.literal || a.Effect != b.Effect || len(a.Condition) != len(b.Condition) ||
		!samePrincipals(a.Principal, b.Principal) || !samePrincipals(a.NotPrincipal, b.NotPrincipal) ||
		!sameList(a.Action, b.Action, strings.EqualFold) || !sameList(a.NotAction, b.NotAction, strings.EqualFold) ||
		!sameList(a.Resource, b.Resource, same) || !sameList(a.NotResource, b.NotResource, same) {
		return false
	}
	for i := range a.Condition {
		if !slices.ContainsFunc(b.Condition, func(c Condition) bool { return sameCondition(&a.Condition[i], &c) }) ||
			!slices.ContainsFunc(a.Condition, func(c Condition) bool { return sameCondition(&c, &b.Condition[i]) }) {
			return false
		}
	}
	return true
}

func same(a, b string) bool { return a == b }

func samePrincipals(a, b *Principals) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Any == b.Any && sameList(a.AWS, b.AWS, same) && sameList(a.Service, b.Service, same) &&
		sameList(a.Federated, b.Federated, same) && sameList(a.CanonicalUser, b.CanonicalUser, same)
}

func sameCondition(a, b *Condition) bool {
	return strings.EqualFold(a.Operator, b.Operator) && sameKey(a.Key, b.Key) && sameList(a.Values, b.Values, same)
}

// sameKey compares keys without case, but for the name of a tag.
func sameKey(a, b string) bool {
	return a == b || strings.EqualFold(a, b) && !strings.Contains(a, "/")
}

// sameList compares two lists as sets. Long ones are left to the canonical form.
func sameList(a, b []string, equal func(a, b string) bool) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	if len(a) > longList {
		return slices.EqualFunc(a, b, equal)
	}
	inside := func(list, of []string) bool {
		for _, x := range list {
			found := false
			for _, y := range of {
				found = found || equal(x, y)
			}
			if !found {
				return false
			}
		}
		return true
	}
	return inside(a, b) && inside(b, a)
}

// ordinary reports whether the hash and sameStatement find every statement of
// the same meaning that is likely: one spelt as AWS spells what AddPermission
// adds. Others are compared in canonical form.
func (s *Statement) ordinary() bool {
	if s.Principal == nil || len(s.Action) != 1 || len(s.Resource) > 1 || s.literal {
		return false
	}
	for i := range s.Condition {
		if len(s.Condition[i].Values) != 1 {
			return false
		}
	}
	return len(s.Principal.AWS) == 0 && len(s.Principal.Service) <= 1 || s.Principal.Any
}

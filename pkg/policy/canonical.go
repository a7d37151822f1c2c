package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Key is the statement's canonical form as text. Statements with the same key
// mean the same, whatever their Sids, order and spelling.
func (s Statement) Key() string { return string(s.Canonical().append(nil)) }

// Hash is the SHA-256 of the statement's key, in hexadecimal.
func (s Statement) Hash() string {
	sum := sha256.Sum256([]byte(s.Key()))
	return hex.EncodeToString(sum[:])
}

// Equal reports whether two statements have the same canonical form.
func (s Statement) Equal(t Statement) bool { return s.Key() == t.Key() }

// Equal reports whether two policies have the same statements in canonical
// form, however often and in whatever order.
func (p Policy) Equal(q Policy) bool {
	d := Compare(p, q)
	return len(d.Added) == 0 && len(d.Removed) == 0
}

// Difference is how two policies differ, statement by statement.
type Difference struct {
	Added   []int // indices in the current policy of statements that the baseline has not
	Removed []int // indices in the baseline of statements that the current policy has not
}

// Compare compares two policies statement by statement in canonical form.
func Compare(baseline, current Policy) Difference {
	return Difference{
		Added:   missing(current.Statements, baseline.Statements),
		Removed: missing(baseline.Statements, current.Statements),
	}
}

// missing returns the indices of the statements that have no equal among others.
func missing(statements, others []Statement) []int {
	known := make(map[string]bool, len(others))
	for _, s := range others {
		known[s.Key()] = true
	}
	var indices []int
	for i, s := range statements {
		if !known[s.Key()] {
			indices = append(indices, i)
		}
	}
	return indices
}

// Canonical is the statement in canonical form; see the package comment.
func (s Statement) Canonical() Statement {
	c := s.current()
	c.Sid = ""
	partition := c.partition()
	c.Principal = c.Principal.canonical(partition)
	c.NotPrincipal = c.NotPrincipal.canonical(partition)
	c.Action = set(c.Action, strings.ToLower)
	c.NotAction = set(c.NotAction, strings.ToLower)
	c.Resource = set(c.Resource, nil)
	c.NotResource = set(c.NotResource, nil)
	c.Condition = canonicalConditions(c.Condition)
	return c
}

// current is the statement in the language of 2012-10-17: where ${…} was
// literal text, its $ is escaped.
func (s Statement) current() Statement {
	if !s.literal {
		return s
	}
	s.literal = false
	s.Resource = escapeAll(s.Resource)
	s.NotResource = escapeAll(s.NotResource)
	s.Condition = slices.Clone(s.Condition)
	for i := range s.Condition {
		s.Condition[i].Values = escapeAll(s.Condition[i].Values)
	}
	return s
}

func escapeAll(list []string) []string {
	if !slices.ContainsFunc(list, func(text string) bool { return strings.Contains(text, "${") }) {
		return list
	}
	escaped := make([]string, len(list))
	for i, text := range list {
		escaped[i] = strings.ReplaceAll(text, "${", "${$}{")
	}
	return escaped
}

// partition is the partition of the statement's first resource, empty where none says it.
func (s Statement) partition() string {
	for _, resource := range s.Resource {
		if parts := strings.SplitN(resource, ":", 3); len(parts) == 3 && parts[0] == "arn" && !strings.ContainsAny(parts[1], "*?$") {
			return parts[1]
		}
	}
	return ""
}

// set is a sorted copy of a list without doubles, each member through fold; nil stays nil.
func set(list []string, fold func(string) string) []string {
	if list == nil {
		return nil
	}
	folded := make([]string, len(list))
	for i, text := range list {
		if fold != nil {
			text = fold(text)
		}
		folded[i] = text
	}
	slices.Sort(folded)
	return slices.Compact(folded)
}

func (p *Principals) canonical(partition string) *Principals {
	if p == nil {
		return nil
	}
	if p.Any || slices.Contains(p.AWS, "*") {
		return &Principals{Any: true}
	}
	c := &Principals{Service: some(set(p.Service, nil)), Federated: some(set(p.Federated, nil)), CanonicalUser: some(set(p.CanonicalUser, nil))}
	c.AWS = some(set(p.AWS, func(text string) string { return oneSpelling(text, partition) }))
	return c
}

// some is the list, nil if it is empty: a type without values names nobody.
func some(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// oneSpelling turns the root ARN of an account into its bare id, if it is of
// the resource's partition: an ARN of another partition names somebody else.
// Where no resource tells the partition it is aws, so that two partitions never
// have one spelling.
func oneSpelling(principal, partition string) string {
	parts := strings.Split(principal, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" || parts[5] != "root" || !isAccount(parts[4]) {
		return principal
	}
	if partition == "" {
		partition = "aws"
	}
	if parts[1] != partition {
		return principal
	}
	return parts[4]
}

// isAccount reports whether a text is twelve digits.
func isAccount(text string) bool {
	if len(text) != 12 {
		return false
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func canonicalConditions(conditions []Condition) []Condition {
	if len(conditions) == 0 {
		return nil
	}
	list := make([]Condition, len(conditions))
	for i, c := range conditions {
		operator := parseOperator(c.Operator)
		list[i] = Condition{Operator: operator.canonical(), Key: canonicalKey(c.Key), Values: set(c.Values, operator.fold())}
	}
	slices.SortFunc(list, func(a, b Condition) int {
		if d := strings.Compare(a.Operator, b.Operator); d != 0 {
			return d
		}
		if d := strings.Compare(a.Key, b.Key); d != 0 {
			return d
		}
		return slices.Compare(a.Values, b.Values)
	})
	return slices.CompactFunc(list, func(a, b Condition) bool {
		return a.Operator == b.Operator && a.Key == b.Key && slices.Equal(a.Values, b.Values)
	})
}

// canonicalKey lower-cases a condition key, but for what follows the slash of
// a tag key: tag names are compared as they are where the service does so, and
// folding them could make two different conditions one.
func canonicalKey(key string) string {
	if i := strings.IndexByte(key, '/'); i >= 0 {
		return strings.ToLower(key[:i]) + key[i:]
	}
	return strings.ToLower(key)
}

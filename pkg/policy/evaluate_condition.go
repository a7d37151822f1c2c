package policy

import "strings"

// test is a condition operator without set and IfExists: how one value of the
// policy compares with one of the request, and whether the answer is turned round.
type test struct {
	compare func(e *evaluation, want, got string) ternary
	negated bool
}

// tests are the operators but for Null, by the spelling of parseOperator.
var tests = map[string]test{
	"StringEquals":              {compareString, false},
	"StringNotEquals":           {compareString, true},
	"StringEqualsIgnoreCase":    {compareFolded, false},
	"StringNotEqualsIgnoreCase": {compareFolded, true},
	"StringLike":                {compareLike, false},
	"StringNotLike":             {compareLike, true},
	"ArnLike":                   {compareARN, false},
	"ArnNotLike":                {compareARN, true},
	"NumericEquals":             {compareNumber(0), false},
	"NumericNotEquals":          {compareNumber(0), true},
	"NumericLessThan":           {compareNumber(-1), false},
	"NumericLessThanEquals":     {compareNumber(-1, 0), false},
	"NumericGreaterThan":        {compareNumber(1), false},
	"NumericGreaterThanEquals":  {compareNumber(1, 0), false},
	"DateEquals":                {compareDate(0), false},
	"DateNotEquals":             {compareDate(0), true},
	"DateLessThan":              {compareDate(-1), false},
	"DateLessThanEquals":        {compareDate(-1, 0), false},
	"DateGreaterThan":           {compareDate(1), false},
	"DateGreaterThanEquals":     {compareDate(1, 0), false},
	"Bool":                      {compareBool, false},
	"BinaryEquals":              {compareBinary, false},
	"IpAddress":                 {compareAddress, false},
	"NotIpAddress":              {compareAddress, true},
}

// condition evaluates one operator on one key. An answer fails with its reason
// in e.value.
func (e *evaluation) condition(c *Condition) ternary {
	o, seen := e.operators[c.Operator]
	if !seen {
		o = parseOperator(c.Operator)
		e.operators[c.Operator] = o
	}
	if !e.spend(len(c.Operator) + len(c.Key)) {
		return unsure
	}
	key := e.context.find(c.Key)
	switch {
	case len(c.Values) == 0:
		return e.unsure("it is an empty list")
	case key.ambiguous:
		return e.unsure("the request has the key twice, with different values")
	case o.base == "Null" && o.set == "" && !o.ifExists:
		return e.null(c.Values, key.present)
	}
	t, known := tests[o.base]
	switch {
	case !known:
		return e.unsure("the operator is not documented")
	case !key.present:
		e.value = "the request does not have the key"
		return missingKey(o, t)
	}
	answer := e.quantified(o, key.values, func(got string) ternary { return e.one(t, c.Values, got) })
	if answer == fails {
		e.value = key.carries()
	}
	return answer
}

// missingKey is the answer for a key that the request does not have: true under
// IfExists, ForAllValues and the negated operators. ForAnyValue comes before
// the negation: there is no value that could differ.
func missingKey(o operator, t test) ternary {
	return truth(o.ifExists || o.set == "ForAllValues" || o.set == "" && t.negated)
}

// one compares one value of the request with the list of the policy.
func (e *evaluation) one(t test, wants []string, got string) ternary {
	answer := e.anyOf(wants, func(want string) ternary { return t.compare(e, want, got) })
	if t.negated {
		return answer.not()
	}
	return answer
}

// quantified combines the answers for the request's values.
func (e *evaluation) quantified(o operator, values []string, one func(string) ternary) ternary {
	some, every := fails, holds
	for _, got := range values {
		if e.exhausted() {
			return unsure
		}
		t := one(got)
		some, every = max(some, t), min(every, t)
	}
	switch o.set {
	case "ForAnyValue":
		return e.unlessBlank(values, some, fails)
	case "ForAllValues":
		return e.unlessBlank(values, every, holds)
	}
	if len(values) == 1 || some == every {
		return some
	}
	// AWS says that multivalued keys require a set operator, and not what the
	// answer is without one.
	return e.unsure("the request has not one value for the key, and the operator does not say whether any or all count")
}

// unlessBlank is the answer of a set operator, but for values that are all
// empty texts: the documentation takes them for an empty set in one place.
func (e *evaluation) unlessBlank(values []string, answer, empty ternary) ternary {
	if answer == empty || strings.Join(values, "") != "" {
		return answer
	}
	if len(values) == 0 {
		return empty
	}
	return e.unsure("an empty text may count as an empty set")
}

// null is true for a key that is missing, false for one that is there, even
// without a value.
func (e *evaluation) null(values []string, present bool) ternary {
	e.value = "the request does not have the key"
	if present {
		e.value = "the request has the key"
	}
	answer := fails
	for _, text := range values {
		switch strings.ToLower(text) {
		case "true":
			answer = max(answer, truth(!present))
		case "false":
			answer = max(answer, truth(present))
		default:
			answer = max(answer, e.unsure(quote(text)+" is neither true nor false"))
		}
	}
	return answer
}

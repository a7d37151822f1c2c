package policy

import "strings"

// expand puts the values of policy variables into a text. The answer fails if
// a variable has no value, so that the text matches nothing, and is unsure if
// the text is not a documented one. What comes from a variable is itself: a *
// in it is no wildcard.
func (e *evaluation) expand(text string) (wildcards, ternary) {
	if e.literal || !strings.Contains(text, "${") {
		return wildcards{text: text}, holds
	}
	var b expansion
	for {
		before, rest, found := strings.Cut(text, "${")
		b.add(before, false)
		if !found {
			return wildcards{text: string(b.text), quoted: b.quoted, early: b.early}, holds
		}
		name, standby, rest, ok := cutVariable(rest)
		if !ok {
			return wildcards{}, e.unsure("a policy variable is not written as documented")
		}
		if name == "*" || name == "?" || name == "$" {
			b.add(name, true)
			text = rest
			continue
		}
		value, ok2 := e.variable(name, standby)
		if ok2 != holds {
			return wildcards{}, ok2
		}
		const stored = 8 // a byte that is kept costs more than one that is compared
		if !e.spend(stored * len(value)) {
			return wildcards{}, unsure
		}
		b.early = b.early || b.colons < arnColons
		b.add(value, true)
		text = rest
	}
}

// expansion is a text under construction.
type expansion struct {
	text   []byte
	quoted []bool
	colons int
	early  bool
}

func (b *expansion) add(text string, quoted bool) {
	b.colons += strings.Count(text, ":")
	b.text = append(b.text, text...)
	for range len(text) {
		b.quoted = append(b.quoted, quoted)
	}
}

// cutVariable reads what follows "${": a name and "}", or a name, a comma, a
// space, a default in single quotes and "}". standby is nil without a default.
func cutVariable(text string) (name string, standby *string, rest string, ok bool) {
	end := strings.IndexAny(text, "},")
	if end <= 0 {
		return "", nil, "", false
	}
	name, rest = text[:end], text[end+1:]
	if strings.ContainsAny(name, " {'$*?") && len(name) > 1 {
		return "", nil, "", false
	}
	if text[end] == '}' {
		return name, nil, rest, true
	}
	quoted, ok := strings.CutPrefix(rest, " '")
	if !ok {
		return "", nil, "", false
	}
	value, rest, ok := strings.Cut(quoted, "'}")
	if !ok || strings.ContainsAny(value, "*?'") || strings.Contains(value, "${") {
		return "", nil, "", false // whether a * in a default is a wildcard is not documented
	}
	return name, &value, rest, true
}

// variable is the value of a policy variable: of a single-valued key, or else
// the default.
func (e *evaluation) variable(name string, standby *string) (string, ternary) {
	key := e.context.find(name)
	switch {
	case key.ambiguous:
		return "", e.unsure("the request has " + name + " twice, with different values")
	case len(key.values) == 1:
		return key.values[0], holds
	case len(key.values) > 1:
		return "", e.unsure("a policy variable names the multivalued key " + name)
	case standby != nil:
		return *standby, holds
	}
	return "", fails
}

package policy

import "strings"

// operator is a condition operator taken apart.
type operator struct {
	set      string // "ForAnyValue", "ForAllValues" or ""
	base     string // the spelling of the documentation; empty for an unknown operator
	ifExists bool
	text     string // as written
}

// bases maps the lower-case name of each operator to its one spelling.
// Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
var bases = func() map[string]string {
	m := make(map[string]string)
	for _, name := range []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnLike", "ArnNotLike", "Null",
	} {
		m[strings.ToLower(name)] = name
	}
	m["arnequals"], m["arnnotequals"] = "ArnLike", "ArnNotLike" // documented to behave the same
	return m
}()

// spelled are the operators as the documentation spells them.
var spelled = func() map[string]operator {
	m := make(map[string]operator)
	for _, name := range bases {
		for _, set := range []string{"", "ForAnyValue:", "ForAllValues:"} {
			for _, tail := range []string{"", "IfExists"} {
				m[set+name+tail] = readOperator(set + name + tail)
			}
		}
	}
	return m
}()

func parseOperator(text string) operator {
	if o, ok := spelled[text]; ok {
		return o
	}
	return readOperator(text)
}

func readOperator(text string) operator {
	o := operator{text: text}
	rest := text
	if i := strings.IndexByte(rest, ':'); i >= 0 {
		switch strings.ToLower(rest[:i]) {
		case "foranyvalue":
			o.set = "ForAnyValue"
		case "forallvalues":
			o.set = "ForAllValues"
		default:
			return o
		}
		rest = rest[i+1:]
	}
	name := strings.ToLower(rest)
	if base, ok := bases[name]; ok {
		o.base = base
		return o
	}
	if short, ok := strings.CutSuffix(name, "ifexists"); ok && short != "null" {
		o.base, o.ifExists = bases[short], true
	}
	return o
}

// known reports whether the operator is one that is documented.
func (o operator) known() bool { return o.base != "" }

// negated reports whether the operator is true for a key that is missing.
func (o operator) negated() bool { return strings.Contains(o.base, "Not") }

func (o operator) canonical() string {
	if !o.known() {
		return o.text
	}
	text := o.base
	if o.set != "" {
		text = o.set + ":" + text
	}
	if o.ifExists {
		text += "IfExists"
	}
	return text
}

// fold is what makes equal values of the operator equal text, nil where nothing does.
func (o operator) fold() func(string) string {
	switch o.base {
	case "Bool", "Null", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return func(text string) string {
			if strings.Contains(text, "${") { // names in variables are left as they are
				return text
			}
			return strings.ToLower(text)
		}
	}
	return nil
}

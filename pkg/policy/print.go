package policy

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// MarshalJSON prints the policy as AWS writes it, on one line.
func (p Policy) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	if p.Version != "" {
		b = appendMember(b, "Version", p.Version)
	}
	if p.ID != "" {
		b = appendMember(b, "Id", p.ID)
	}
	b = appendName(b, "Statement")
	b = append(b, '[')
	for i, s := range p.Statements {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.append(b)
	}
	return append(b, ']', '}'), nil
}

// UnmarshalJSON is [Parse].
func (p *Policy) UnmarshalJSON(text []byte) error {
	parsed, err := Parse(text)
	if err == nil {
		*p = parsed
	}
	return err
}

// MarshalJSON prints the statement on one line, in the language of 2012-10-17.
func (s Statement) MarshalJSON() ([]byte, error) {
	return s.current().append(nil), nil
}

// UnmarshalJSON is [ParseStatement].
func (s *Statement) UnmarshalJSON(text []byte) error {
	parsed, err := ParseStatement(text)
	if err == nil {
		*s = parsed
	}
	return err
}

// String is the statement's JSON text.
func (s Statement) String() string { return string(s.current().append(nil)) }

// Indent is the statement's JSON text over several lines.
func (s Statement) Indent(prefix string) string {
	text, err := json.MarshalIndent(json.RawMessage(s.String()), prefix, "  ")
	if err != nil {
		return s.String()
	}
	return unescapeHTML(string(text))
}

func unescapeHTML(text string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(text)
}

// append prints the statement as it stands.
func (s Statement) append(b []byte) []byte {
	b = append(b, '{')
	if s.Sid != "" {
		b = appendMember(b, "Sid", s.Sid)
	}
	b = appendMember(b, "Effect", string(s.Effect))
	b = appendPrincipals(b, "Principal", s.Principal)
	b = appendPrincipals(b, "NotPrincipal", s.NotPrincipal)
	for _, e := range []struct {
		name string
		list []string
	}{
		{"Action", s.Action},
		{"NotAction", s.NotAction},
		{"Resource", s.Resource},
		{"NotResource", s.NotResource},
	} {
		if e.list != nil {
			b = appendList(appendName(b, e.name), e.list)
		}
	}
	if len(s.Condition) > 0 {
		b = appendConditions(appendName(b, "Condition"), s.Condition)
	}
	return append(b, '}')
}

func appendPrincipals(b []byte, name string, p *Principals) []byte {
	if p == nil {
		return b
	}
	b = appendName(b, name)
	if p.Any {
		return append(b, `"*"`...)
	}
	b = append(b, '{')
	for _, t := range []struct {
		name string
		list []string
	}{
		{"AWS", p.AWS}, {"Service", p.Service}, {"Federated", p.Federated}, {"CanonicalUser", p.CanonicalUser},
	} {
		if t.list != nil {
			b = appendList(appendName(b, t.name), t.list)
		}
	}
	return append(b, '}')
}

// appendConditions prints conditions grouped by operator, in order of first appearance.
func appendConditions(b []byte, conditions []Condition) []byte {
	b = append(b, '{')
	done := make(map[string]bool)
	for i, first := range conditions {
		if done[first.Operator] {
			continue
		}
		done[first.Operator] = true
		b = append(appendName(b, first.Operator), '{')
		for _, c := range conditions[i:] {
			if c.Operator == first.Operator {
				b = appendList(appendName(b, c.Key), c.Values)
			}
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendList prints a list of one as a string, as AWS does.
func appendList(b []byte, list []string) []byte {
	if len(list) == 1 {
		return appendString(b, list[0])
	}
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, text)
	}
	return append(b, ']')
}

func appendMember(b []byte, name, text string) []byte {
	return appendString(appendName(b, name), text)
}

// appendName begins a member, with a comma unless it is the first.
func appendName(b []byte, name string) []byte {
	if last := b[len(b)-1]; last != '{' {
		b = append(b, ',')
	}
	return append(appendString(b, name), ':')
}

func appendString(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c >= utf8.RuneSelf:
			r, width := utf8.DecodeRuneInString(text[i:])
			b = utf8.AppendRune(b, r)
			i += width
			continue
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}

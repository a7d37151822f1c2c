package differential

import (
	"fmt"
	"strings"
)

// Terms of SMT-LIB are their text. The connectives simplify constants, so that
// what the solver gets reads as the policy.

func and(terms ...string) string { return connect("and", "true", "false", terms) }

func or(terms ...string) string { return connect("or", "false", "true", terms) }

func connect(name, neutral, absorbing string, terms []string) string {
	var kept []string
	for _, t := range terms {
		switch t {
		case absorbing:
			return absorbing
		case neutral:
		default:
			kept = append(kept, t)
		}
	}
	switch len(kept) {
	case 0:
		return neutral
	case 1:
		return kept[0]
	}
	return "(" + name + " " + strings.Join(kept, " ") + ")"
}

func not(t string) string {
	switch t {
	case "true":
		return "false"
	case "false":
		return "true"
	}
	return "(not " + t + ")"
}

func implies(a, b string) string { return or(not(a), b) }

func equal(a, b string) string { return "(= " + a + " " + b + ")" }

// quote is a string literal: SMT-LIB 2.6 doubles quotes and has \u{…} escapes.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"':
			b.WriteString(`""`)
		case r == '\\' || r < ' ' || r > '~':
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func concat(terms ...string) string {
	switch len(terms) {
	case 0:
		return `""`
	case 1:
		return terms[0]
	}
	return "(str.++ " + strings.Join(terms, " ") + ")"
}

// reNoColon is one character that is no colon.
const reNoColon = `(re.union (re.range "\u{0}" "9") (re.range ";" "\u{2ffff}"))`

func inRe(term string, parts ...string) string {
	re := parts[0]
	if len(parts) > 1 {
		re = "(re.++ " + strings.Join(parts, " ") + ")"
	}
	return "(str.in_re " + term + " " + re + ")"
}

func reStar(re string) string { return "(re.* " + re + ")" }

func reText(text string) string { return "(str.to_re " + quote(text) + ")" }

// reFold is a literal in any case.
func reFold(text string) []string {
	parts := []string{reText("")}
	for _, r := range text {
		lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r))
		if lower == upper {
			parts = append(parts, reText(lower))
		} else {
			parts = append(parts, "(re.union "+reText(lower)+" "+reText(upper)+")")
		}
	}
	return parts
}

// parsed is an s-expression: an atom or a list.
type parsed struct {
	atom string
	list []parsed
}

// readTerm reads one s-expression and returns what follows it.
func readTerm(text string) (parsed, string) {
	text = strings.TrimLeft(text, " \n\t\r")
	switch {
	case text == "":
		return parsed{}, ""
	case text[0] == '(':
		var p parsed
		text = text[1:]
		for {
			text = strings.TrimLeft(text, " \n\t\r")
			if text == "" || text[0] == ')' {
				return p, strings.TrimPrefix(text, ")")
			}
			var item parsed
			item, text = readTerm(text)
			p.list = append(p.list, item)
		}
	case text[0] == '"':
		end := 1
		for end < len(text) && (text[end] != '"' || strings.HasPrefix(text[end:], `""`)) {
			if text[end] == '"' {
				end++
			}
			end++
		}
		return parsed{atom: text[:end+1]}, text[end+1:]
	}
	end := strings.IndexAny(text, " \n\t\r()")
	if end < 0 {
		end = len(text)
	}
	return parsed{atom: text[:end]}, text[end:]
}

// unquote is a string literal's text.
func unquote(atom string) string {
	atom = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(atom, `"`), `"`), `""`, `"`)
	var b strings.Builder
	for {
		before, after, found := strings.Cut(atom, `\u{`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		code, rest, _ := strings.Cut(after, "}")
		var r rune
		fmt.Sscanf(code, "%x", &r)
		b.WriteRune(r)
		atom = rest
	}
}

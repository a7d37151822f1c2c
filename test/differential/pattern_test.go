package differential

import (
	"errors"
	"strings"
)

// token is one piece of a pattern: text, a wildcard or a policy variable.
type token struct {
	kind     byte // 't' text, '*', '?', 'v'
	text     string
	variable string // lower-case key
	fallback *string
	crosses  bool // a wildcard that matches colons, whatever the others do
}

var errShape = errors.New("a policy variable between wildcards is not encoded")

// tokens takes a pattern apart. wild says whether * and ? are wildcards,
// variables whether ${…} is more than text.
func tokens(text string, wild, variables bool) []token {
	var list []token
	literal := func(s string) {
		if n := len(list); n > 0 && list[n-1].kind == 't' {
			list[n-1].text += s
			return
		}
		list = append(list, token{kind: 't', text: s})
	}
	for text != "" {
		if end := strings.IndexByte(text, '}'); variables && strings.HasPrefix(text, "${") && end > 0 {
			name := text[2:end]
			text = text[end+1:]
			if name == "*" || name == "?" || name == "$" {
				literal(name)
			} else {
				list = append(list, variableToken(name))
			}
			continue
		}
		if c := text[0]; wild && (c == '*' || c == '?') {
			list = append(list, token{kind: c})
		} else {
			literal(text[:1])
		}
		text = text[1:]
	}
	return list
}

func variableToken(name string) token {
	key, fallback, found := strings.Cut(name, ",")
	t := token{kind: 'v', variable: strings.ToLower(strings.TrimSpace(key))}
	if found {
		text := strings.Trim(strings.TrimSpace(fallback), "'")
		t.fallback = &text
	}
	return t
}

func hasVariable(list []token) bool {
	for _, t := range list {
		if t.kind == 'v' {
			return true
		}
	}
	return false
}

// glob says that term, a string, has the pattern. crossing is the number of the
// token whose * may cross colons, all of them if it is everyStar, none if -1.
func (w *world) glob(list []token, term string, crossing int) (string, error) {
	if hasVariable(list) {
		return w.globVariable(list, term)
	}
	if len(list) == 0 {
		return equal(term, `""`), nil
	}
	if len(list) == 1 && list[0].kind == 't' {
		return equal(term, quote(list[0].text)), nil
	}
	var parts []string
	for i, t := range list {
		any1 := reNoColon
		if crossing == everyStar || t.crosses {
			any1 = "re.allchar"
		}
		switch {
		case t.kind == 't':
			parts = append(parts, reText(t.text))
		case t.kind == '?':
			parts = append(parts, any1)
		case i == crossing:
			parts = append(parts, reStar("re.allchar"))
		default:
			parts = append(parts, reStar(any1))
		}
	}
	return inRe(term, parts...), nil
}

const everyStar = -2

// free says that the pattern is one * or several.
func free(list []token) bool {
	for _, t := range list {
		if t.kind != '*' {
			return false
		}
	}
	return len(list) > 0
}

// globVariable encodes a pattern with variables: text and variables, with a *
// at either end or both. Variables are whole values without wildcards.
func (w *world) globVariable(list []token, term string) (string, error) {
	front, back := list[0].kind == '*', list[len(list)-1].kind == '*'
	if front {
		list = list[1:]
	}
	if back {
		list = list[:len(list)-1]
	}
	var parts, present []string
	for _, t := range list {
		switch t.kind {
		case 't':
			parts = append(parts, quote(t.text))
		case 'v':
			value, there, err := w.variable(t)
			if err != nil {
				return "", err
			}
			parts, present = append(parts, value), append(present, there)
		default:
			return "", errShape
		}
	}
	whole := concat(parts...)
	match := equal(term, whole)
	switch {
	case front && back:
		match = "(str.contains " + term + " " + whole + ")"
	case front:
		match = "(str.suffixof " + whole + " " + term + ")"
	case back:
		match = "(str.prefixof " + whole + " " + term + ")"
	}
	return and(append(present, match)...), nil
}

// arn is an ARN: its six segments, of which the first five have no colon; or
// one string, which is easier for the solver where string operators test it.
type arn struct {
	segments [6]string
	one      string
}

// whole is the ARN as one string.
func (a arn) whole() string {
	if a.one != "" {
		return a.one
	}
	parts := []string{a.segments[0]}
	for _, s := range a.segments[1:] {
		parts = append(parts, `":"`, s)
	}
	return concat(parts...)
}

// split cuts a pattern at its colons into at most six segments.
func split(list []token) [][]token {
	segments := [][]token{nil}
	add := func(t token) { segments[len(segments)-1] = append(segments[len(segments)-1], t) }
	for _, t := range list {
		if t.kind != 't' {
			add(t)
			continue
		}
		for i, piece := range strings.Split(t.text, ":") {
			switch {
			case i == 0:
			case len(segments) < 6:
				segments = append(segments, nil)
			default:
				piece = ":" + piece
			}
			if piece != "" {
				add(token{kind: 't', text: piece})
			}
		}
	}
	return segments
}

// globARN says that the ARN has the pattern, segment by segment. A pattern of
// fewer than six segments is completed: its last * crosses colons.
func (w *world) globARN(list []token, a arn) (string, error) {
	segments := split(list)
	last := -1
	for i, t := range list {
		if t.kind == '*' {
			last = i
		}
	}
	short := len(segments) < 6
	switch {
	case short && hasVariable(list):
		return "", errShape
	case short && last < 0:
		return "false", nil // five colons are never reached
	case short && (last < len(list)-1 || a.one != ""):
		return w.glob(list, a.whole(), last)
	case a.one != "":
		return w.globOne(segments, a.one)
	}
	var terms []string
	for i, segment := range segments {
		if free(segment) {
			continue
		}
		crossing := everyStar // no segment but the last holds a colon
		t, err := w.glob(merge(segment), a.segments[i], crossing)
		if err != nil {
			return "", err
		}
		terms = append(terms, t)
	}
	return and(terms...), nil
}

// globOne matches the six segments of a pattern against an ARN in one string.
func (w *world) globOne(segments [][]token, term string) (string, error) {
	var all []token
	for i, segment := range segments {
		if i > 0 {
			all = append(all, token{kind: 't', text: ":"})
		}
		for _, t := range segment {
			if i == 5 && (t.kind == '*' || t.kind == '?') {
				t.crosses = true
			}
			all = append(all, t)
		}
	}
	return w.glob(merge(all), term, -1)
}

// merge joins neighbouring texts.
func merge(list []token) []token {
	var out []token
	for _, t := range list {
		if n := len(out); n > 0 && t.kind == 't' && out[n-1].kind == 't' {
			out[n-1].text += t.text
			continue
		}
		out = append(out, t)
	}
	return out
}

package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxDocument is the size in bytes up to which a policy is read. Lambda allows
// 20,480 and IAM 10,240 characters, but IAM does not count white space, with
// which a document can be padded.
const MaxDocument = 1 << 20

// SyntaxError says what is wrong with a policy document, and where.
type SyntaxError struct {
	Element string // path of the element, "Statement[2].Action"; empty for the document itself
	Line    int    // from 1
	Column  int    // in bytes, from 1
	Problem string
}

// Error is "line 3, column 14: Statement[0].Action: expected a string or …".
func (e *SyntaxError) Error() string {
	where := fmt.Sprintf("line %d, column %d: ", e.Line, e.Column)
	if e.Element != "" {
		where += e.Element + ": "
	}
	return where + e.Problem
}

// scanner reads JSON from src. Strings without escapes are slices of src.
type scanner struct {
	src   string
	pos   int
	texts []string // of the list that is being read
	block []string // where lists are cut from
}

// fail is a SyntaxError at an offset of the source.
func (s *scanner) fail(at int, format string, args ...any) error {
	at = min(at, len(s.src))
	before := s.src[:at]
	line := 1 + strings.Count(before, "\n")
	return &SyntaxError{Line: line, Column: at - strings.LastIndexByte(before, '\n'), Problem: fmt.Sprintf(format, args...)}
}

// inside prefixes the element path of a SyntaxError on its way up.
func inside(err error, element string) error {
	syntax, ok := err.(*SyntaxError) //nolint:errorlint // made in this package and never wrapped
	if !ok {
		return err
	}
	switch {
	case syntax.Element == "":
		syntax.Element = element
	case syntax.Element[0] == '[':
		syntax.Element = element + syntax.Element
	default:
		syntax.Element = element + "." + syntax.Element
	}
	return syntax
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// kind names the value that starts with a byte, for error messages.
func kind(c byte) string {
	switch {
	case c == 0:
		return "the end of the text"
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == '"':
		return "a string"
	case c == 't' || c == 'f':
		return "true or false"
	case c == 'n':
		return "null"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	case c >= 0x20 && c < 0x7f:
		return fmt.Sprintf("%q", string(c))
	}
	return fmt.Sprintf("the byte 0x%02x", c)
}

// expect consumes one punctuation byte.
func (s *scanner) expect(c byte, what string) error {
	if got := s.peek(); got != c {
		return s.fail(s.pos, "expected %s, found %s", what, kind(got))
	}
	s.pos++
	return nil
}

// object reads an object and calls member for each key, with the scanner at
// the member's value. A key that comes twice is an error.
func (s *scanner) object(what string, member func(key string, at int) error) error {
	if err := s.expect('{', what); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	var seen names
	for {
		if s.peek() != '"' {
			return s.fail(s.pos, "expected a name in quotes, found %s", kind(s.peek()))
		}
		at := s.pos
		key, err := s.str()
		if err != nil {
			return err
		}
		if !seen.add(key) {
			return inside(s.fail(at, "is given twice"), clip(key))
		}
		if err := s.expect(':', `":" after the name`); err != nil {
			return inside(err, key)
		}
		s.peek()
		if err := member(key, at); err != nil {
			return err
		}
		more, err := s.more('}')
		if err != nil || !more {
			return err
		}
	}
}

// few is how many names are compared one by one.
const few = 12

// names is a set of names: a short list, and a map once it is long, so that an
// object with very many keys costs no more than its length.
type names struct {
	few  [few]string
	n    int
	many map[string]bool
}

// add reports whether the name is new.
func (n *names) add(name string) bool {
	if n.many == nil {
		if slices.Contains(n.few[:n.n], name) {
			return false
		}
		if n.n < few {
			n.few[n.n] = name
			n.n++
			return true
		}
		n.many = make(map[string]bool, 2*few)
		for _, other := range n.few {
			n.many[other] = true
		}
	}
	if n.many[name] {
		return false
	}
	n.many[name] = true
	return true
}

// list reads a list and calls element with each index.
func (s *scanner) list(element func(i int) error) error {
	if err := s.expect('[', "a list"); err != nil {
		return err
	}
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for i := 0; ; i++ {
		s.peek()
		if err := element(i); err != nil {
			return inside(err, fmt.Sprintf("[%d]", i))
		}
		more, err := s.more(']')
		if err != nil || !more {
			return err
		}
	}
}

// more consumes the comma (true) or the closing byte (false) after a member.
func (s *scanner) more(end byte) (bool, error) {
	switch c := s.peek(); c {
	case ',':
		s.pos++
		return true, nil
	case end:
		s.pos++
		return false, nil
	default:
		return false, s.fail(s.pos, "expected \",\" or %q, found %s", string(end), kind(c))
	}
}

// str reads a string.
func (s *scanner) str() (string, error) {
	if c := s.peek(); c != '"' {
		return "", s.fail(s.pos, "expected a string, found %s", kind(c))
	}
	start := s.pos + 1
	for i := start; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '"':
			s.pos = i + 1
			return s.src[start:i], nil
		case c == '\\':
			return s.escaped(start, i)
		case c < 0x20:
			return "", s.fail(i, "a control character (0x%02x) stands in a string", c)
		}
	}
	return "", s.fail(start-1, "the string has no end")
}

// escaped reads on from the first backslash, at i, of the string that begins at start.
func (s *scanner) escaped(start, i int) (string, error) {
	text := append(make([]byte, 0, 2*(i-start)+16), s.src[start:i]...)
	for i < len(s.src) {
		switch c := s.src[i]; {
		case c == '"':
			s.pos = i + 1
			return string(text), nil
		case c < 0x20:
			return "", s.fail(i, "a control character (0x%02x) stands in a string", c)
		case c != '\\':
			text = append(text, c)
			i++
		default:
			r, width := unescape(s.src[i:])
			if width == 0 {
				return "", s.fail(i, "an escape that JSON does not have")
			}
			text = utf8.AppendRune(text, r)
			i += width
		}
	}
	return "", s.fail(start-1, "the string has no end")
}

// unescape decodes the escape at the start of text; width 0 says that it is none.
func unescape(text string) (r rune, width int) {
	if len(text) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, text[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	high, ok := hex4(text)
	if !ok {
		return 0, 0
	}
	if high < 0xd800 || high > 0xdfff {
		return high, 6
	}
	if low, ok := hex4(text[6:]); ok && high < 0xdc00 && low >= 0xdc00 && low <= 0xdfff {
		return 0x10000 + (high-0xd800)<<10 + (low - 0xdc00), 12
	}
	return 0, 0 // half a surrogate pair is no character
}

// hex4 decodes a \uXXXX escape.
func hex4(text string) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(text[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// scalar reads a string, a number, true or false as text.
func (s *scanner) scalar() (string, error) {
	c := s.peek()
	if c == '"' {
		return s.str()
	}
	start := s.pos
	for _, word := range []string{"true", "false"} {
		if strings.HasPrefix(s.src[start:], word) {
			s.pos += len(word)
			return word, nil
		}
	}
	end := numberEnd(s.src, start)
	if end == start {
		return "", s.fail(start, "expected a string, a number, true or false, found %s", kind(c))
	}
	s.pos = end
	return s.src[start:end], nil
}

// numberEnd returns the offset behind the JSON number that starts at i, or i if there is none.
func numberEnd(src string, i int) int {
	digits := func(j int) int {
		for j < len(src) && src[j] >= '0' && src[j] <= '9' {
			j++
		}
		return j
	}
	start := i
	if i < len(src) && src[i] == '-' {
		i++
	}
	end := digits(i)
	if end == i || src[i] == '0' && end > i+1 {
		return start
	}
	if end < len(src) && src[end] == '.' {
		fraction := digits(end + 1)
		if fraction == end+1 {
			return start
		}
		end = fraction
	}
	if end < len(src) && (src[end] == 'e' || src[end] == 'E') {
		exponent := end + 1
		if exponent < len(src) && (src[exponent] == '+' || src[exponent] == '-') {
			exponent++
		}
		last := digits(exponent)
		if last == exponent {
			return start
		}
		end = last
	}
	return end
}

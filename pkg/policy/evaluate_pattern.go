package policy

import (
	"strings"
	"unicode/utf8"
)

// wildcards is a text in which * stands for any text and ? for one character,
// but where quoted says that the byte is itself.
type wildcards struct {
	text   string
	quoted []bool // by byte of text; nil if none is
	early  bool   // a policy variable begins before the fifth colon
}

func (w wildcards) is(i int, c byte) bool {
	return w.text[i] == c && (w.quoted == nil || !w.quoted[i])
}

func (w wildcards) slice(i, j int) wildcards {
	if w.quoted != nil {
		w.quoted = w.quoted[i:j]
	}
	w.text = w.text[i:j]
	return w
}

// next is the index of the first unquoted c, -1 if there is none.
func (w wildcards) next(c byte) int {
	for at := 0; ; at++ {
		i := strings.IndexByte(w.text[at:], c)
		if i < 0 {
			return -1
		}
		if at += i; w.is(at, c) {
			return at
		}
	}
}

// cut cuts at the first star.
func (w wildcards) cut() (before, after wildcards, found bool) {
	i := w.next('*')
	if i < 0 {
		return w, wildcards{}, false
	}
	return w.slice(0, i), w.slice(i+1, len(w.text)), true
}

// glob matches the whole of a text. The pieces between the stars are found one
// after the other, each at its first place, so that there is no backtracking;
// pieces without ? cost their length and the text's, others may cost the product.
func (e *evaluation) glob(w wildcards, text string) ternary {
	if !e.spend(w.cost(text)) {
		return unsure
	}
	return truth(w.matches(text))
}

func (w wildcards) cost(text string) int {
	if w.next('?') < 0 {
		return len(w.text) + len(text)
	}
	return (len(w.text) + 1) * (len(text) + 1)
}

func (w wildcards) matches(text string) bool {
	head, rest, star := w.cut()
	n := head.prefix(text)
	if n < 0 || !star {
		return n == len(text)
	}
	text = text[n:]
	for {
		piece, after, more := rest.cut()
		if !more {
			return piece.suffix(text) >= 0
		}
		end := piece.find(text)
		if end < 0 {
			return false
		}
		text, rest = text[end:], after
	}
}

// prefix is the length of the text's beginning that a piece without stars
// matches, -1 if it does not.
func (w wildcards) prefix(text string) int {
	if w.next('?') < 0 {
		if strings.HasPrefix(text, w.text) {
			return len(w.text)
		}
		return -1
	}
	n := 0
	for i := range len(w.text) {
		switch {
		case n == len(text):
			return -1
		case w.is(i, '?'):
			_, width := utf8.DecodeRuneInString(text[n:])
			n += width
		case text[n] != w.text[i]:
			return -1
		default:
			n++
		}
	}
	return n
}

// suffix is where the text's end that a piece without stars matches begins, -1
// if it does not.
func (w wildcards) suffix(text string) int {
	at := len(text) - len(w.text)
	if w.next('?') >= 0 {
		at = len(text)
		for range utf8.RuneCountInString(w.text) {
			_, width := utf8.DecodeLastRuneInString(text[:at])
			if width == 0 {
				return -1
			}
			at -= width
		}
	}
	if at < 0 || w.prefix(text[at:]) != len(text)-at {
		return -1
	}
	return at
}

// find is the end of the first place where a piece without stars matches, -1
// if there is none.
func (w wildcards) find(text string) int {
	if w.next('?') < 0 {
		if i := strings.Index(text, w.text); i >= 0 {
			return i + len(w.text)
		}
		return -1
	}
	for at := 0; at <= len(text); {
		if n := w.prefix(text[at:]); n >= 0 {
			return at + n
		}
		_, width := utf8.DecodeRuneInString(text[at:])
		at += max(width, 1)
	}
	return -1
}

// arnColons is the number of colons that divide an ARN into its six segments.
const arnColons = 5

// matchARN matches segment by segment: in the first five * and ? do not cross a
// colon, the sixth is the rest of the text and may hold some. In a pattern of
// fewer segments the last * crosses colons, and the others do not.
func (e *evaluation) matchARN(w wildcards, text string) ternary {
	if !e.spend(w.cost(text)) {
		return unsure
	}
	if w.next('*') < 0 && w.next('?') < 0 {
		return truth(w.text == text)
	}
	if strings.Count(w.text, ":") >= arnColons {
		return truth(w.segments(text, arnColons))
	}
	return truth(w.completed(text))
}

// segments matches n segments that end with a colon, then the rest.
func (w wildcards) segments(text string, n int) bool {
	for range n {
		i, j := strings.IndexByte(w.text, ':'), strings.IndexByte(text, ':')
		if j < 0 || !w.slice(0, i).matches(text[:j]) {
			return false
		}
		w, text = w.slice(i+1, len(w.text)), text[j+1:]
	}
	return w.matches(text)
}

// completed matches a pattern of fewer than six segments.
func (w wildcards) completed(text string) bool {
	star := -1
	for i := range len(w.text) {
		if w.is(i, '*') {
			star = i
		}
	}
	if star < 0 { // a ? would have to be a colon
		return false
	}
	end := w.slice(star+1, len(w.text)).suffix(text)
	if end < 0 {
		return false
	}
	// What is before the last star matches a beginning of the text: whole
	// segments, and a part of one. The star that closes it takes the rest of
	// that segment here, and as many more as there are.
	text, w = text[:end], w.slice(0, star+1)
	for strings.Contains(w.text, ":") {
		i, j := strings.IndexByte(w.text, ':'), strings.IndexByte(text, ':')
		if j < 0 || !w.slice(0, i).matches(text[:j]) {
			return false
		}
		w, text = w.slice(i+1, len(w.text)), text[j+1:]
	}
	segment, _, _ := strings.Cut(text, ":")
	return w.matches(segment)
}

package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// visible makes a text fit to be shown: what is not printable is shown as its
// escape, bytes that are not UTF-8 as \x80. XML may hold whatever is left.
func visible(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, width := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && width == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += width
	}
	return b.String()
}

// cells is how wide a text is in a font of fixed width: East Asian characters
// and pictures are two wide.
func cells(text string) int {
	n := 0
	for _, r := range text {
		n += cell(r)
	}
	return n
}

func cell(r rune) int {
	const eastAsian = 0x2e80 // from here on nearly all are wide
	if r >= eastAsian {
		return 2
	}
	return 1
}

// fit cuts the middle out of a text that is wider than most: names differ at
// both ends.
func fit(text string, most int) string {
	if cells(text) <= most {
		return text
	}
	runes := []rune(text)
	head, tail := 0, len(runes)
	for left := most - 1; ; {
		if left -= cell(runes[head]); left < 0 {
			break
		}
		head++
		if left -= cell(runes[tail-1]); left < 0 {
			break
		}
		tail--
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

// number is a count with its noun: 1 grant, 1,200 grants.
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// thousands is a number as people write it: 1,200.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// more says what a list leaves out, empty where that is nothing.
func more(n int) string {
	if n <= 0 {
		return ""
	}
	return "and " + thousands(n) + " more"
}

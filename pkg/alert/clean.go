package alert

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// clean makes a text fit for one line: what is not printable is shown as its
// escape, bytes that are not UTF-8 as \x80.
func clean(text string) string {
	if printable(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, width := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && width == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			escape(&b, r)
		}
		i += width
	}
	return b.String()
}

// printable reports whether clean has nothing to do.
func printable(text string) bool {
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(text)
}

// escape writes a rune as JSON would: \u202e, or a pair of surrogates.
func escape(b *strings.Builder, r rune) {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}

// cleanJSON escapes what is not printable in a JSON text without line breaks,
// which can only be inside of its strings.
func cleanJSON(text string) string {
	return clean(strings.ToValidUTF8(text, "\ufffd"))
}

// ascii is a cleaned text with a question mark for all that is not ASCII.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, clean(text))
}

// cut is the first most runes of a text, and whether that is not all.
func cut(text string, most int) (string, bool) {
	n := 0
	for i := range text {
		if n == most {
			return text[:i], true
		}
		n++
	}
	return text, false
}

// shorten cuts the middle out of a text that has more than most runes.
func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	half := (most - 3) / 2
	return string(runes[:half]) + "..." + string(runes[len(runes)-half:])
}

package main

import (
	"strings"
	"unicode"
)

// clean replaces what could play tricks with a terminal: control and format
// characters in names that a stranger may have chosen.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

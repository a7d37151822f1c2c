package policy

import "strings"

// The kinds of tokens of a pattern.
const (
	tokenRune       = iota // one given character
	tokenOne               // "?"
	tokenOneInside         // "?" that is no colon
	tokenStar              // "*"
	tokenStarInside        // "*" that crosses no colon
)

const (
	arnSegments = 6    // arn:partition:service:region:account:resource
	escapeOpen  = "${" // begins ${*}, ${?}, ${$} or a policy variable
)

type token struct {
	kind uint8
	r    rune
}

// glob is one pattern of a policy, taken apart. A pattern without wildcards is
// its text.
type glob struct {
	source string // as written
	text   string // what a literal pattern stands for
	tokens []token
	wild   bool // has wildcards, or ignores case
	fold   bool // letters match in both cases
}

// patternKind says how the characters of a pattern are read.
type patternKind uint8

const (
	plainPattern patternKind = iota // no wildcards: StringEquals
	likePattern                     // "*" crosses anything: StringLike, Action
	arnPattern                      // "*" stays inside the first five segments: Resource, ArnLike
)

// parseGlob takes a pattern apart. With a policy variable in it, variable is
// true and the pattern is one that every value of the variable satisfies.
func parseGlob(source string, kind patternKind, fold bool) (g glob, variable bool) {
	g = glob{source: source, text: source, fold: fold}
	if !fold && !strings.Contains(source, escapeOpen) && (kind == plainPattern || !strings.ContainsAny(source, "*?")) {
		return g, false
	}
	g.tokens = make([]token, 0, len(source))
	for _, r := range source {
		g.tokens = append(g.tokens, token{kind: tokenRune, r: r})
	}
	g.tokens, variable = resolveEscapes(g.tokens, kind)
	if kind == arnPattern {
		insideSegments(g.tokens)
	}
	g.tokens = mergeStars(g.tokens)
	g.finish()
	return g, variable
}

// finish settles whether the pattern has wildcards, and the text of one that has none.
func (g *glob) finish() {
	var b strings.Builder
	letters := false
	for _, t := range g.tokens {
		if t.kind != tokenRune {
			g.wild = true
			return
		}
		letters = letters || otherCase(t.r) != t.r
		b.WriteRune(t.r)
	}
	g.text = b.String()
	if g.wild = g.fold && letters; !g.wild {
		g.tokens = nil
	}
}

// resolveEscapes turns wildcards, escapes and variables into tokens.
func resolveEscapes(in []token, kind patternKind) (out []token, variable bool) {
	out = in[:0]
	for i := 0; i < len(in); i++ {
		r := in[i].r
		switch {
		case r == '$' && i+1 < len(in) && in[i+1].r == '{':
			if i+3 < len(in) && in[i+3].r == '}' && (in[i+2].r == '*' || in[i+2].r == '?' || in[i+2].r == '$') {
				out = append(out, token{kind: tokenRune, r: in[i+2].r})
				i += 3
				continue
			}
			variable = true
			for i++; i < len(in) && in[i].r != '}'; i++ {
			}
			out = append(out, token{kind: tokenStar})
		case kind != plainPattern && r == '*':
			out = append(out, token{kind: tokenStarInside})
		case kind != plainPattern && r == '?':
			out = append(out, token{kind: tokenOneInside})
		default:
			out = append(out, token{kind: tokenRune, r: r})
		}
		if kind == likePattern {
			last := &out[len(out)-1]
			switch last.kind {
			case tokenStarInside:
				last.kind = tokenStar
			case tokenOneInside:
				last.kind = tokenOne
			}
		}
	}
	return out, variable
}

// insideSegments lets wildcards of the sixth segment, and the last "*" of a
// pattern with fewer segments, cross colons.
func insideSegments(tokens []token) {
	segment, last := 1, -1
	for i := range tokens {
		switch t := &tokens[i]; {
		case t.kind == tokenRune && t.r == ':':
			segment++
		case segment < arnSegments:
			if t.kind == tokenStarInside {
				last = i
			}
		case t.kind == tokenStarInside:
			t.kind = tokenStar
		case t.kind == tokenOneInside:
			t.kind = tokenOne
		}
	}
	if segment < arnSegments && last >= 0 {
		tokens[last].kind = tokenStar
	}
}

func mergeStars(tokens []token) []token {
	out := tokens[:0]
	for _, t := range tokens {
		if n := len(out); n > 0 && out[n-1].star() && t.star() {
			if t.kind == tokenStar {
				out[n-1].kind = tokenStar
			}
			continue
		}
		out = append(out, t)
	}
	return out
}

func (t token) star() bool { return t.kind == tokenStar || t.kind == tokenStarInside }

// takes reports whether the token can stand for a character.
func (t token) takes(r rune, fold bool) bool {
	switch t.kind {
	case tokenRune:
		return t.r == r || fold && otherCase(t.r) == r
	case tokenOneInside, tokenStarInside:
		return r != ':'
	}
	return true
}

// otherCase is the ASCII letter of the other case, any other character itself.
func otherCase(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r ^ 0x20
	}
	return r
}

// match reports whether the pattern matches a text. Going back to the last
// star is enough: colons fix which segment a star inside a segment stands in,
// and everything before the last star is best matched as early as it can be.
func (g *glob) match(text string) bool {
	if !g.wild {
		return text == g.text
	}
	return matchTokens(g.tokens, []rune(text), g.fold)
}

func matchTokens(tokens []token, text []rune, fold bool) bool {
	i, star, from := 0, -1, 0
	for j := 0; j < len(text); {
		switch {
		case i < len(tokens) && tokens[i].star():
			star, from = i, j
			i++
		case i < len(tokens) && tokens[i].takes(text[j], fold):
			i++
			j++
		case star >= 0 && tokens[star].takes(text[from], fold):
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(tokens) && tokens[i].star() {
		i++
	}
	return i == len(tokens)
}

package policy

import "strings"

// patternQuestion is the question whether a pattern with policy variables
// matches a value of a key. Variables are spelt in lower case, and what
// StringEquals takes as it stands is escaped, so that the same question has the
// same name under StringEquals and StringLike.
func (o operator) patternQuestion(key, pattern string, loose *glob) free {
	name, kind := o.questionName(), o.patternKind()
	if name == "StringEquals" {
		name, kind, pattern = "StringLike", likePattern, escapeWildcards(pattern)
	}
	pattern = foldVariables(pattern)
	return free{about: key, text: name + "\x00" + key + "\x00" + pattern, pattern: pattern, kind: kind, loose: loose}
}

// eachPart calls text for what stands outside ${…}, and inside for each ${…}.
func eachPart(pattern string, text, inside func(part string)) {
	for {
		before, rest, found := strings.Cut(pattern, escapeOpen)
		text(before)
		if !found {
			return
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			text(escapeOpen + rest)
			return
		}
		inside(name)
		pattern = after
	}
}

var wildcardEscaper = strings.NewReplacer("*", "${*}", "?", "${?}")

func escapeWildcards(pattern string) string {
	var b strings.Builder
	eachPart(pattern, func(part string) { b.WriteString(wildcardEscaper.Replace(part)) }, func(part string) { b.WriteString(escapeOpen + part + "}") })
	return b.String()
}

// foldVariables writes the names of policy variables in lower case: they are
// condition keys. Defaults stay.
func foldVariables(pattern string) string {
	if !strings.Contains(pattern, escapeOpen) {
		return pattern
	}
	var b strings.Builder
	eachPart(pattern, func(part string) { b.WriteString(part) }, func(part string) {
		name, standby, found := strings.Cut(part, ",")
		b.WriteString(escapeOpen + strings.ToLower(name))
		if found {
			b.WriteString("," + standby)
		}
		b.WriteString("}")
	})
	return b.String()
}

// firstVariable takes a pattern apart at its first variable: the text before
// it, without wildcards, its name, and the text behind it, up to the next
// wildcard or variable where that is not the whole rest. Without a pattern, the
// source has no wildcards.
func firstVariable(source, pattern string) (before, name, after string, whole bool) {
	if pattern == "" {
		pattern = escapeWildcards(source)
	}
	whole = true
	add := func(text string) {
		switch {
		case name == "":
			before += text
		case whole:
			after += text
		}
	}
	eachPart(pattern, func(part string) {
		for _, r := range part {
			if r != '*' && r != '?' {
				add(string(r))
			} else if name != "" {
				whole = false
			}
		}
	}, func(part string) {
		switch {
		case part == "*" || part == "?" || part == "$":
			add(part)
		case name != "":
			whole = false
		default:
			key, _, _ := strings.Cut(part, ",")
			name = strings.ToLower(strings.TrimSpace(key))
		}
	})
	return before, name, after, whole
}

// holes are tokens for what a pattern leaves open, when it is matched by
// another pattern: runes that no text has.
const (
	holeStar       rune = 0x10fffd - iota // any text
	holeStarInside                        // any text without colon
	holeOne                               // any character
	holeOneInside                         // any character but a colon
	holeVariable                          // the first of the variables, downwards
)

// covers reports whether a pattern surely matches whatever another one does,
// for any values of the variables in both: the other, with a hole for each
// wildcard and each variable, is matched as a text.
func (f free) covers(o free) bool {
	if f.loose == nil || o.loose == nil || f.opaque || o.opaque || f.about != o.about || f.defect != "" || o.defect != "" || f.loose.fold || o.loose.fold {
		return false
	}
	if hasHole(f.pattern) || hasHole(o.pattern) {
		return false
	}
	variables := make(map[string]rune)
	outer, early := holed(f.pattern, f.kind, variables)
	inner, earlyToo := holed(o.pattern, o.kind, variables)
	if (f.kind == arnPattern || o.kind == arnPattern) && (early || earlyToo) || len(variables) > mostTied {
		return false // a variable may hold the colons that divide the segments
	}
	text := make([]rune, len(inner))
	for i, t := range inner {
		switch text[i] = t.r; t.kind {
		case tokenOne:
			text[i] = holeOne
		case tokenOneInside:
			text[i] = holeOneInside
		case tokenStar:
			text[i] = holeStar
		case tokenStarInside:
			text[i] = holeStarInside
		}
	}
	return matchHoles(outer, text)
}

// hasHole reports whether a pattern has one of the runes that no text should have.
func hasHole(pattern string) bool {
	return strings.ContainsFunc(pattern, func(r rune) bool { return r > holeVariable-2*mostTied })
}

// holed reads a pattern with a rune for each variable, and says whether one
// stands before the sixth segment of an ARN.
func holed(pattern string, kind patternKind, variables map[string]rune) (tokens []token, early bool) {
	colons := 0
	eachPart(pattern, func(part string) {
		colons += strings.Count(part, ":")
		for _, r := range part {
			tokens = append(tokens, token{kind: tokenRune, r: r})
		}
	}, func(part string) {
		if part == "*" || part == "?" || part == "$" {
			for _, r := range escapeOpen + part + "}" {
				tokens = append(tokens, token{kind: tokenRune, r: r})
			}
			return
		}
		r, known := variables[part]
		if !known {
			r = holeVariable - rune(len(variables)) //nolint:gosec // there are few
			variables[part] = r
		}
		early = early || colons < arnColons
		tokens = append(tokens, token{kind: tokenRune, r: r})
	})
	tokens, _ = resolveEscapes(tokens, kind)
	if kind == arnPattern {
		insideSegments(tokens)
	}
	return mergeStars(tokens), early
}

// matchHoles matches a text with holes. A token takes a hole only if it takes
// everything that the hole can stand for.
func matchHoles(tokens []token, text []rune) bool {
	takes := func(t token, r rune) bool {
		switch {
		case r > holeVariable || r <= holeVariable-2*mostTied || t.kind == tokenRune:
			return plainHole(t, r)
		case t.kind == tokenStar:
			return true
		}
		return false // a variable may hold anything
	}
	i, star, from := 0, -1, 0
	for j := 0; j < len(text); {
		switch {
		case i < len(tokens) && tokens[i].star():
			star, from = i, j
			i++
		case i < len(tokens) && takes(tokens[i], text[j]):
			i++
			j++
		case star >= 0 && takes(tokens[star], text[from]):
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

// plainHole reports whether a token takes a character or the hole of a wildcard.
func plainHole(t token, r rune) bool {
	switch r {
	case holeStar:
		return t.kind == tokenStar
	case holeStarInside:
		return t.star()
	case holeOne:
		return t.kind == tokenStar || t.kind == tokenOne
	case holeOneInside:
		return t.kind != tokenRune
	}
	return t.takes(r, false)
}

// tieQuestions says that one question's yes is another's.
func (s *space) tieQuestions() {
	var asked []int
	for i, d := range s.dimensions {
		if d.key.kind == freeValues && d.free.loose != nil && !d.free.opaque {
			asked = append(asked, i)
		}
	}
	if len(asked) > mostTied {
		return // they count as independent, which may report too much
	}
	for _, a := range asked {
		for _, b := range asked {
			if a != b && s.dimensions[a].free.covers(s.dimensions[b].free) {
				s.relations = append(s.relations, relation{a: b, b: a, rows: [][]uint64{{3}, {2}}})
			}
		}
	}
}

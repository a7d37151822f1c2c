package policy

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// reasonOf is the reason of a decision, in one line.
func reasonOf(outcome Outcome, by *Match, trace []Match, r *Request) string {
	switch outcome {
	case Allowed:
		return by.name() + " allows it: " + by.cause()
	case ExplicitDeny:
		return by.name() + " denies it: " + by.cause()
	case Undecided:
		verb := "allows"
		if by.Effect == Deny {
			verb = "denies"
		}
		return fmt.Sprintf("whether %s %s it is not known: %s: %s", by.name(), verb, by.Element, by.Why)
	case ImplicitDeny:
	}
	nearest := nearestAllow(trace)
	if nearest == nil {
		return "no statement allows anything"
	}
	return fmt.Sprintf("no statement allows it; %s comes nearest, but its %s", nearest.name(), nearest.misses(r))
}

// nearestAllow is the Allow statement of which most elements matched.
func nearestAllow(trace []Match) *Match {
	var nearest *Match
	for i := range trace {
		if m := &trace[i]; m.Effect == Allow && (nearest == nil || m.reached > nearest.reached) {
			nearest = m
		}
	}
	return nearest
}

// name is "statement 2 (AllowS3)".
func (m *Match) name() string {
	text := "statement " + strconv.Itoa(m.Statement)
	if m.Sid != "" {
		text += " (" + clip(m.Sid) + ")"
	}
	return text
}

// cause lists what matched: "Principal *, Action lambda:*, and every condition".
func (m *Match) cause() string {
	var parts []string
	for _, element := range m.matched {
		if element.name != "" {
			parts = append(parts, strings.TrimSpace(element.name+" "+clip(element.value)))
		}
	}
	return strings.Join(parts, ", ") + " and all conditions hold"
}

// misses says how the request misses the element: "Action does not name s3:GetObject".
func (m *Match) misses(r *Request) string {
	var request string
	switch m.Element {
	case "Principal":
		request = cmp.Or(r.Principal.ID, string(r.Principal.Kind))
	case "Action":
		request = r.Action
	case "Resource":
		request = r.Resource
	default:
		return fmt.Sprintf("%s does not hold: %s", m.Element, m.Why)
	}
	return fmt.Sprintf("%s does not name %s", m.Element, clip(request))
}

// carries says what the request has for the key.
func (k *contextKey) carries() string {
	const most = 3
	if k.said != "" {
		return k.said
	}
	quoted := make([]string, 0, most+1)
	for _, text := range k.values[:min(len(k.values), most)] {
		quoted = append(quoted, quote(text))
	}
	k.said = "the request carries " + strings.Join(quoted, ", ")
	switch {
	case len(k.values) == 0:
		k.said = "the request has the key without a value"
	case len(k.values) > most:
		k.said += ", …"
	}
	return k.said
}

// quote is a text in quotes, shortened.
func quote(text string) string { return strconv.Quote(clip(text)) }

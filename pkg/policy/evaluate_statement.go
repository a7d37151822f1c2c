package policy

import "strings"

// maxWork is how many bytes of patterns and values one evaluation compares
// before it gives up; what is left is not known. A policy of 20 KB with a
// request of a few keys needs some ten thousand. The cap is for documents of
// megabytes and keys with thousands of values, and is some tenths of a second.
const maxWork = 1 << 26

// evaluation is the evaluation of one request.
type evaluation struct {
	request  *Request
	caller   callerName
	context  contextKeys
	action   string // in lower case
	identity bool   // the policies are identity policies
	literal  bool   // the statement at hand takes ${…} as text
	// The statements of a policy are much alike: what was read once is kept.
	folded    map[string]string // actions in lower case
	operators map[string]operator
	work      int
	doubt     string // why the last answer was unsure
	value     string // the value that gave the last answer
}

func newEvaluation(r Request) *evaluation {
	e := &evaluation{request: &r, action: strings.ToLower(r.Action), caller: nameCaller(r.Principal)}
	e.context = contextKeys{request: &r, caller: &e.caller}
	e.folded, e.operators = make(map[string]string), make(map[string]operator)
	return e
}

// unsure gives the answer unsure, and remembers why.
func (e *evaluation) unsure(why string) ternary {
	e.doubt = why
	return unsure
}

// spend counts the work of one comparison and reports whether some is left.
func (e *evaluation) spend(n int) bool {
	const comparison = 16 // what even an empty one costs, in bytes
	e.work += n + comparison
	if e.exhausted() {
		e.doubt = "too much to compare: the evaluation stopped at its cap"
		return false
	}
	return true
}

func (e *evaluation) exhausted() bool { return e.work > maxWork }

// policy evaluates the statements of a policy and adds them to the trace.
func (e *evaluation) policy(trace []Match, index int, p *Policy) []Match {
	for i := range p.Statements {
		s := &p.Statements[i]
		m := Match{Policy: index, Statement: i, Sid: s.Sid, Effect: s.Effect}
		m.Applies = e.statement(s, &m).String()
		trace = append(trace, m)
	}
	return trace
}

// statement is the conjunction of the elements. It stops at one that fails.
func (e *evaluation) statement(s *Statement, m *Match) ternary {
	e.literal = s.literal
	answer := holds
	if s.Effect != Allow && s.Effect != Deny {
		m.Element, m.Why, answer = "Effect", "it is neither Allow nor Deny", unsure
	}
	for _, element := range [...]func(*Statement) (string, ternary){e.principalElement, e.actionElement, e.resourceElement} {
		e.doubt, e.value = "", ""
		name, t := element(s)
		if name == "" {
			continue
		}
		answer = min(answer, m.note(name, t, e))
		if t == fails {
			return fails
		}
	}
	for i := range s.Condition {
		c := &s.Condition[i]
		e.doubt, e.value = "", ""
		t := e.condition(c)
		if t == holds {
			continue
		}
		m.reached = max(m.reached, len(m.matched))
		answer = min(answer, m.note("Condition "+c.Operator+" "+c.Key, t, e))
		if t == fails {
			return fails
		}
	}
	return answer
}

// note records what an element said.
func (m *Match) note(name string, t ternary, e *evaluation) ternary {
	switch {
	case t == holds:
		m.matched[m.reached] = matchedElement{name, e.value}
		m.reached++
	case t == fails:
		m.Element, m.Why = name, e.value
	case m.Element == "":
		m.Element, m.Why = name, e.doubt
	}
	return t
}

// actionElement is Action or NotAction.
func (e *evaluation) actionElement(s *Statement) (string, ternary) {
	switch {
	case s.Action != nil && s.NotAction != nil:
		return "Action", e.unsure("the statement has both Action and NotAction")
	case s.NotAction != nil:
		return "NotAction", e.complement(s.NotAction, e.matchAction)
	case s.Action != nil:
		return "Action", e.anyOf(s.Action, e.matchAction)
	}
	return "Action", e.unsure("the statement has neither Action nor NotAction")
}

// resourceElement is Resource or NotResource; neither is every resource.
func (e *evaluation) resourceElement(s *Statement) (string, ternary) {
	switch {
	case s.Resource != nil && s.NotResource != nil:
		return "Resource", e.unsure("the statement has both Resource and NotResource")
	case s.NotResource != nil:
		return "NotResource", e.complement(s.NotResource, e.matchNotResource)
	case s.Resource != nil:
		return "Resource", e.anyOf(s.Resource, e.matchResource)
	}
	return "", holds
}

// anyOf is the OR over a list; an empty list names nothing.
func (e *evaluation) anyOf(list []string, match func(string) ternary) ternary {
	answer := fails
	for _, text := range list {
		if e.exhausted() {
			return unsure
		}
		t := match(text)
		if t == holds {
			e.value = text
			return holds
		}
		answer = max(answer, t)
	}
	return answer
}

// complement is what is outside a list. AWS does not say what the complement of
// an empty list is.
func (e *evaluation) complement(list []string, match func(string) ternary) ternary {
	if len(list) == 0 {
		return e.unsure("it is an empty list")
	}
	return e.outside(e.anyOf(list, match))
}

// outside is the answer of a Not form, with what it says of itself.
func (e *evaluation) outside(listed ternary) ternary {
	if listed == holds {
		e.value = "it names " + e.value
	}
	return listed.not()
}

// matchAction compares without case; * and ? cross the colon. There are no
// policy variables in actions.
func (e *evaluation) matchAction(text string) ternary {
	folded, seen := e.folded[text]
	if !seen {
		if !e.spend(len(text)) {
			return unsure
		}
		folded = strings.ToLower(text)
		e.folded[text] = folded
	}
	return e.glob(wildcards{text: folded}, e.action)
}

// matchResource compares segment by segment. A policy variable may stand in
// the sixth only, as documented; before that AWS may take it as text, which no
// ARN matches, or put the value in.
func (e *evaluation) matchResource(text string) ternary {
	p, ok := e.expand(text)
	if ok != holds {
		return ok
	}
	t := e.matchARN(p, e.request.Resource)
	if t == holds && p.early {
		return e.unsure("a policy variable stands before the resource part of the ARN")
	}
	return t
}

// matchNotResource is matchResource, but for a variable without value: AWS says
// only that it may make the statement invalid.
func (e *evaluation) matchNotResource(text string) ternary {
	if _, ok := e.expand(text); ok == fails {
		return e.unsure("a policy variable has no value")
	}
	return e.matchResource(text)
}

package differential

import (
	"strings"
)

// problem is the question of one pair, ready for the solver.
type problem struct {
	world *world
	// grown says that current allows the request and baseline does not.
	grown string
	// perCurrent[i] says that statement i of current matches.
	perCurrent []string
}

// encode states: some request is allowed by current and not by baseline.
func encode(k kind, baseline, current document) (*problem, error) {
	w, err := newWorld(k, baseline, current)
	if err != nil {
		return nil, err
	}
	before, _, err := w.allows(baseline)
	if err != nil {
		return nil, err
	}
	after, matches, err := w.allows(current)
	if err != nil {
		return nil, err
	}
	return &problem{world: w, grown: and(after, not(before)), perCurrent: matches}, nil
}

// allows says that some Allow matches and no Deny does.
func (w *world) allows(p document) (allowed string, matches []string, err error) {
	var allow, deny []string
	for _, s := range p.statements {
		t, err := w.statement(s, p.version == version2012)
		if err != nil {
			return "", nil, err
		}
		matches = append(matches, t)
		if s.effect == "Allow" {
			allow = append(allow, t)
		} else {
			deny = append(deny, t)
		}
	}
	return and(or(allow...), not(or(deny...))), matches, nil
}

// statement says that every element of the statement matches.
func (w *world) statement(s statement, variables bool) (string, error) {
	var terms []string
	add := func(t string, err error) error {
		terms = append(terms, t)
		return err
	}
	for name, typed := range s.principals {
		t, err := w.principals(typed)
		if err := add(complement(name, t), err); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"Action", "NotAction", "Resource", "NotResource"} {
		list, present := s.lists[name]
		if !present {
			continue
		}
		t, err := w.list(name, list, variables)
		if err := add(complement(name, t), err); err != nil {
			return "", err
		}
	}
	for _, c := range s.conditions {
		if err := add(w.condition(c, variables)); err != nil {
			return "", err
		}
	}
	return and(terms...), nil
}

func complement(name, t string) string {
	if strings.HasPrefix(name, "Not") {
		return not(t)
	}
	return t
}

func (w *world) list(name string, list []string, variables bool) (string, error) {
	var terms []string
	for _, text := range list {
		var t string
		var err error
		if strings.HasSuffix(name, "Action") {
			t, err = w.action(text)
		} else {
			t, err = w.globARN(tokens(text, true, variables), w.resource)
		}
		if err != nil {
			return "", err
		}
		terms = append(terms, t)
	}
	return or(terms...), nil
}

// action matches in lower case, the service and the name each for itself where
// no wildcard stands before the colon.
func (w *world) action(text string) (string, error) {
	text = strings.ToLower(text)
	service, name, found := strings.Cut(text, ":")
	if !found || strings.ContainsAny(service, "*?") {
		list := tokens(text, true, false)
		if free(list) {
			return "true", nil
		}
		return w.glob(list, concat(w.service, `":"`, w.name), everyStar)
	}
	list := tokens(name, true, false)
	match := "true"
	if !free(list) {
		var err error
		if match, err = w.glob(list, w.name, everyStar); err != nil {
			return "", err
		}
	}
	return and(equal(w.service, quote(service)), match), nil
}

// script is the problem as the solver reads it.
func (p *problem) script() string {
	var b strings.Builder
	b.WriteString("(set-logic ALL)\n")
	for _, d := range p.world.declared {
		b.WriteString(d + "\n")
	}
	for _, t := range p.world.domain {
		b.WriteString("(assert " + t + ")\n")
	}
	b.WriteString("(assert " + p.grown + ")\n")
	return b.String()
}

// assumptions narrow what the solver may think up.
func (p *problem) assumptions() string {
	var b strings.Builder
	for _, t := range p.world.assumed {
		b.WriteString("(assert " + t + ")\n")
	}
	return b.String()
}

// variables are the names that were declared.
func (p *problem) variables() []string {
	var names []string
	for _, d := range p.world.declared {
		names = append(names, strings.Fields(d)[1])
	}
	return names
}

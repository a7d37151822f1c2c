package policy

import "strings"

// hunt looks for the requests of surviving cells, and for one that stands in
// the concrete evaluator.
type hunt struct {
	*question

	space *space
	tries int
	best  *find
}

// find is one surviving cell, as a request.
type find struct {
	request Request
	unknown string // the question that its answer hangs on
	certain bool
}

// mostTries is how many surviving cells are tried for a request that the
// concrete evaluator confirms.
const mostTries = 12

// all looks at what is left of the starts without minus, until a request stands.
func (h *hunt) all(starts, minus []box) {
	for _, start := range starts {
		if h.enough() || h.space.budget.exceeds != "" {
			return
		}
		h.space.survive(start, minus, func(cell box) bool {
			h.try(cell)
			return h.enough()
		})
	}
}

func (h *hunt) enough() bool {
	return h.best != nil && (h.best.certain || h.tries >= mostTries)
}

// try makes a request of a cell and keeps the best so far.
func (h *hunt) try(cell box) {
	h.tries++
	f := &find{unknown: h.space.doubt(cell), request: h.request(cell)}
	f.certain = f.unknown == "" && h.confirm(f.request, h.own.index)
	if h.best == nil || f.certain || h.best.unknown != "" && f.unknown == "" {
		h.best = f
	}
}

// doubt is why nothing can be concluded from a cell: it hangs on a question
// that nobody can answer.
func (s *space) doubt(cell box) string {
	for i, d := range s.dimensions {
		if d.key.kind == freeValues && d.free.defect != "" && s.part(cell, i)[0] != 3 {
			return d.free.defect
		}
	}
	return ""
}

func (h *hunt) verdict() verdict {
	if h.best == nil {
		return verdict{}
	}
	w := witnessOf(h.best.request, h.own)
	w.Certain = h.best.certain
	return verdict{found: true, unknown: h.best.unknown, witness: &w}
}

func witnessOf(r Request, own *rule) Witness {
	w := Witness{Principal: r.Principal.ID, Action: r.Action, Resource: r.Resource, Context: r.Context, Sid: own.sid, Index: own.index}
	if r.Principal.Kind == Anonymous {
		w.Principal = string(Anonymous)
	}
	return w
}

// request is one request of a cell: the first class of each dimension that
// goes with those before.
func (h *hunt) request(cell box) Request {
	s := h.space
	c := s.clone(cell)
	chosen := make([]*value, len(s.dimensions))
	for d, dim := range s.dimensions {
		for i := range dim.values {
			if !has(s.part(c, d), i) {
				continue
			}
			only := s.clone(c)
			clear(s.part(only, d))
			mark(s.part(only, d), i)
			if s.real(only) {
				c, chosen[d] = only, &dim.values[i]
				break
			}
			if chosen[d] == nil {
				chosen[d] = &dim.values[i]
			}
		}
	}
	return h.spell(chosen)
}

// spell writes the chosen values as a request.
func (h *hunt) spell(chosen []*value) Request {
	r := Request{Action: "lambda:InvokeFunction"}
	h.space.agree(chosen)
	for d, dim := range h.space.dimensions {
		switch v := chosen[d]; {
		case v == nil || v.absent || dim.key.kind == elementValues || dim.key.kind == freeValues:
		case dim.key.kind == callerValues:
			r.Principal = v.caller.caller
		case dim.key.name == actionName:
			r.Action = h.spellAction(v.text)
		case dim.key.name == resourceName:
			r.Resource = h.space.ofService(dim, v, chosen)
		default:
			if r.Context == nil {
				r.Context = make(map[string][]string)
			}
			r.Context[h.spellKey(dim.key.name)] = h.values(dim, h.space.fitting(dim, v, chosen), chosen, r.Principal)
		}
	}
	for _, sure := range []bool{true, false} {
		for d, dim := range h.space.dimensions {
			if v := chosen[d]; dim.key.kind == freeValues && v != nil && v.yes {
				h.assume(&r, dim.free, sure)
			}
		}
	}
	return r
}

// ofService is a resource of the action's service, where the class of v has one
// and v is but an example.
func (s *space) ofService(d *dimension, v *value, chosen []*value) string {
	at, ok := s.index[dimensionKey{name: actionName}]
	if !ok || chosen[at] == nil || !strings.HasPrefix(v.text, "arn:aws:lambda:us-east-1:"+strangerAccount) {
		return v.text
	}
	account := strangerAccount
	if s.identity && isAccount(s.avoidAccount) { // what an identity may do it does at home
		account = s.avoidAccount
	}
	service, _, _ := strings.Cut(chosen[at].text, ":")
	text := "arn:aws:" + service + ":us-east-1:" + account + ":example"
	switch {
	case service == "lambda" || strings.ContainsAny(service, "*?"):
		text = strings.Replace(v.text, strangerAccount, account, 1)
	case service == "s3":
		text = "arn:aws:s3:::example/example"
	case service == "iam":
		text = "arn:aws:iam::" + account + ":role/example"
	}
	own := &value{text: text, runes: []rune(text)}
	if !s.hasShape(d, s.shapes(d), own) || string(d.signature(nil, own)) != string(d.signature(nil, v)) {
		return v.text
	}
	return text
}

// fitting is a value of the class of v that goes with the caller who was chosen.
func (s *space) fitting(d *dimension, v *value, chosen []*value) *value {
	if s.whoAt < 0 || chosen[s.whoAt] == nil || d.key.set || d.key.kind != textValues {
		return v
	}
	c := chosen[s.whoAt].caller
	text := ""
	switch {
	case c.caller.Kind == ServiceCaller && d.key.name == serviceNameKey:
		text = c.caller.ID
	case c.caller.Kind != AWSPrincipal:
	case d.key.name == "aws:principalaccount":
		if parts := strings.SplitN(c.caller.ID, ":", 6); len(parts) == 6 {
			text = parts[4]
		}
	case d.key.name == "aws:principalarn":
		text = ownARN(c.caller)
		if c.role != "" {
			text = c.role
		}
	}
	own := &value{text: text, runes: []rune(text)}
	if text == "" || string(d.signature(nil, own)) != string(d.signature(nil, v)) {
		return v
	}
	return own
}

// values are those of a condition key in a request.
func (q *question) values(d *dimension, v *value, chosen []*value, who Caller) []string {
	if d.key.kind == presenceValues {
		switch parts := strings.SplitN(who.ID, ":", arnSegments); {
		case who.Kind != AWSPrincipal || len(parts) < arnSegments:
		case d.key.name == "aws:principalarn":
			return []string{ownARN(who)}
		case d.key.name == "aws:principalaccount":
			return []string{parts[4]}
		}
		return []string{q.someValue(d.key.name)}
	}
	if !d.key.set {
		return []string{v.text}
	}
	members := []string{}
	for i, e := range d.elements {
		if chosen[e] != nil && chosen[e].yes {
			members = append(members, d.members[i].text)
		}
	}
	return members
}

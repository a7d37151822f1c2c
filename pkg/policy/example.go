package policy

import (
	"slices"
	"strings"
)

// strangerAccount is the account that examples of requests come from where a
// policy lets in any account.
const strangerAccount = "444455556666"

// Example is one request that an Allow statement lets in, read off the
// statement. It returns nil where that takes more than reading: Not forms,
// negated operators, policy variables, identity policies. It is certain where
// [Evaluate] says that the statement allows it.
func Example(s Statement) *Witness {
	w := example(s)
	if w != nil {
		w.Certain = Evaluate(Policy{Version: version2012, Statements: []Statement{s.current()}}, w.request(s.Principal)).Outcome == Allowed
	}
	return w
}

// example is a request that an Allow surely looks like letting in; see Example.
func example(s Statement) *Witness {
	s = s.current()
	if s.Effect != Allow || s.Principal == nil || len(s.Action) == 0 {
		return nil
	}
	who := examplePrincipal(s.Principal)
	if who == "" {
		return nil
	}
	w := &Witness{Principal: who, Action: exampleAction(s.Action[0]), Sid: s.Sid}
	if len(s.Resource) > 0 {
		w.Resource = strings.ReplaceAll(s.Resource[0], "*", "example")
	}
	for _, c := range s.Condition {
		value, ok := exampleValue(c)
		if !ok {
			return nil
		}
		w.put(c.Key, value)
	}
	if s.Principal.deputy() {
		w.stranger()
	}
	return w
}

// request is the witness as a request of one of the principals.
func (w *Witness) request(p *Principals) Request {
	caller := Caller{Kind: AWSPrincipal, ID: w.Principal}
	switch {
	case w.Principal == string(Anonymous):
		caller = Caller{Kind: Anonymous}
	case slices.Contains(p.Service, w.Principal):
		caller.Kind = ServiceCaller
	}
	return Request{Principal: caller, Action: w.Action, Resource: w.Resource, Context: w.Context}
}

func (w *Witness) put(key, value string) {
	if w.Context == nil {
		w.Context = make(map[string][]string)
	}
	w.Context[key] = []string{value}
}

// stranger adds the account on whose behalf a service calls, where the
// statement leaves it open.
func (w *Witness) stranger() {
	for key, values := range w.Context {
		switch strings.ToLower(key) {
		case "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths":
			return
		case "aws:sourcearn":
			if parts := strings.SplitN(values[0], ":", 6); len(parts) == 6 && isAccount(parts[4]) {
				w.put("aws:SourceAccount", parts[4])
				return
			}
		}
	}
	w.put("aws:SourceAccount", strangerAccount)
}

func (p *Principals) deputy() bool {
	return !p.Any && len(p.AWS) == 0 && len(p.Service) > 0
}

func examplePrincipal(p *Principals) string {
	if p.Any {
		return string(Anonymous)
	}
	c := p.canonical("")
	switch {
	case c.Any:
		return "anonymous"
	case len(c.AWS) > 0 && isUniqueID(c.AWS[0]):
		return ""
	case len(c.AWS) > 0 && isAccount(c.AWS[0]):
		return "arn:aws:iam::" + c.AWS[0] + ":role/example"
	case len(c.AWS) > 0:
		return c.AWS[0]
	case len(c.Service) > 0:
		return c.Service[0]
	}
	return ""
}

func exampleAction(pattern string) string {
	if name, ok := strings.CutPrefix(strings.ToLower(pattern), "lambda:"); pattern == "*" || ok && strings.HasPrefix(name, "*") {
		return "lambda:InvokeFunction"
	}
	if !strings.ContainsAny(pattern, "*?") {
		return pattern
	}
	g := likeGlob(strings.ToLower(pattern))
	for i, low := range lowActions {
		if g.match(low) {
			return knownActions[i]
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(pattern, "*", "Example"), "?", "x")
}

func exampleValue(c Condition) (string, bool) {
	o := parseOperator(c.Operator)
	if !o.known() || o.negated() || o.set != "" || o.ifExists || len(c.Values) == 0 || strings.Contains(c.Values[0], "${") {
		return "", false
	}
	value := c.Values[0]
	switch o.base {
	case "Bool":
		return strings.ToLower(value), true
	case "StringEquals", "StringEqualsIgnoreCase":
		return value, true
	case "StringLike":
		return strings.ReplaceAll(strings.ReplaceAll(value, "*", "example"), "?", "x"), true
	case "ArnLike":
		parts := strings.SplitN(value, ":", 6)
		if len(parts) == 6 && parts[4] == "*" {
			parts[4] = strangerAccount
		}
		return strings.ReplaceAll(strings.ReplaceAll(strings.Join(parts, ":"), "*", "example"), "?", "x"), true
	case "IpAddress":
		address, _, _ := strings.Cut(value, "/")
		return address, true
	}
	return "", false
}

package access

import (
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// brute checks an answer against policy.Evaluate, with the rules of who decides
// together written down once more: for every principal of the account, and
// contexts built from the values that the policies and the answer name.
func (w world) brute(place drift.Place, action Action, a Answer) {
	w.t.Helper()
	document := w.Functions[orders].Policies[place].Policy
	actions := []string{"lambda:InvokeFunction"}
	if action == Administer {
		actions = []string{"lambda:UpdateFunctionCode", "lambda:AddPermission", "lambda:DeleteFunction"}
	}
	for k := range w.Identities {
		i := &w.Identities[k]
		for _, name := range actions {
			can := slices.ContainsFunc(contexts(document, i, a), func(context map[string][]string) bool {
				return directly(document, i, policy.Request{Principal: policy.Caller{Kind: policy.AWSPrincipal, ID: i.ARN}, Action: name, Resource: orders.ARN(place), Context: context})
			})
			said := slices.ContainsFunc(a.Grants, func(g Grant) bool {
				byURL := strings.HasPrefix(g.Through[0].Policy, "function URL")
				return g.Principal == i.ARN && g.Certain && slices.Contains(g.Actions, name) && !byURL
			})
			if can != said {
				w.t.Errorf("%s %s at %q: Evaluate says %v, the answer %v", i.ARN, name, place, can, said)
			}
		}
	}
}

// directly is whether one request of a role or user is allowed.
func directly(document policy.Policy, i *Identity, r policy.Request) bool {
	hit := func(p policy.Policy, effect policy.Effect) (list []policy.Statement) {
		for k, m := range policy.Evaluate(p, r).Trace {
			if m.Effect == effect && m.Applies == "yes" {
				list = append(list, p.Statements[k])
			}
		}
		return list
	}
	for _, s := range document.Statements { // a boundary and a Deny with NotPrincipal
		if s.Effect == policy.Deny && s.NotPrincipal != nil && i.Rights.Boundary != nil {
			s.NotPrincipal = nil
			if len(hit(policy.Policy{Version: version2012, Statements: []policy.Statement{s}}, policy.Deny)) > 0 {
				return false
			}
		}
	}
	if len(hit(document, policy.Deny)) > 0 || len(hit(i.Rights.Policy, policy.Deny)) > 0 {
		return false
	}
	inside := true
	if i.Rights.Boundary != nil {
		if len(hit(*i.Rights.Boundary, policy.Deny)) > 0 {
			return false
		}
		inside = len(hit(*i.Rights.Boundary, policy.Allow)) > 0
	}
	if inside && len(hit(i.Rights.Policy, policy.Allow)) > 0 {
		return true
	}
	for _, s := range hit(document, policy.Allow) {
		switch {
		case s.Principal == nil || s.Principal.Any || slices.Contains(s.Principal.AWS, "*"):
			return true
		case slices.Contains(s.Principal.AWS, i.ARN) && (i.Kind == User || inside):
			return true
		}
	}
	return false
}

// contexts are the contexts that are tried: for each key of a condition, that it
// is missing, each of its values, and one that is none of them, in every
// combination, and what the answer says.
func contexts(document policy.Policy, i *Identity, a Answer) []map[string][]string {
	policies := []policy.Policy{document, i.Rights.Policy}
	if i.Rights.Boundary != nil {
		policies = append(policies, *i.Rights.Boundary)
	}
	values := make(map[string][]string)
	for _, p := range policies {
		for _, s := range p.Statements {
			for _, c := range s.Condition {
				switch key := strings.ToLower(c.Key); key {
				case "aws:principalarn", "aws:principalaccount", "aws:sourceaccount", "aws:sourcearn", "lambda:invokedviafunctionurl", "lambda:functionurlauthtype":
					// who calls the Invoke API has no choice of them
				case "aws:principalorgid":
					values[key] = []string{"o-exampleorgid"}
				default:
					values[key] = append(append(values[key], c.Values...), "none-of-them")
				}
			}
		}
	}
	list := []map[string][]string{{}}
	for key, choices := range values {
		slices.Sort(choices)
		var more []map[string][]string
		for _, old := range list {
			if key == "aws:principalorgid" { // always there
				old[key] = choices
				continue
			}
			for _, v := range slices.Compact(choices) {
				next := maps.Clone(old)
				next[key] = []string{v}
				more = append(more, next)
			}
		}
		list = append(list, more...)
	}
	for _, g := range a.Grants {
		if g.Principal == i.ARN && g.Context != nil {
			with := maps.Clone(g.Context)
			if choices, ok := values["aws:principalorgid"]; ok {
				with["aws:principalorgid"] = choices
			}
			list = append(list, with)
		}
	}
	return list
}

package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// Action is what is asked about a function.
type Action string

// The actions.
const (
	Invoke     Action = "invoke"
	Administer Action = "administer"
)

// Answer is who can.
type Answer struct {
	Function  drift.Subject `json:"function"`
	Qualifier drift.Place   `json:"qualifier,omitempty"`
	Action    Action        `json:"action"`
	// Grants are ordered: the widest first, then by principal.
	Grants []Grant `json:"grants"`
	// NotRead says what the answer does not know.
	NotRead []string `json:"notRead"`
}

// Grant is one principal that can, and why.
type Grant struct {
	// Principal is an ARN, an account, a service principal, a provider or "*".
	Principal string `json:"principal"`
	Kind      Kind   `json:"kind"`
	// Actions are the IAM actions that it can call.
	Actions []string `json:"actions"`
	// Through are the statements, or what else, that each are enough.
	Through []Through `json:"through"`
	// Exposure is how far outside the principal stands.
	Exposure policy.Exposure `json:"exposure"`
	// Context is what the request must carry: one example, of the first of Through.
	Context map[string][]string `json:"context,omitempty"`
	// Provided is what must hold that was not read: policies of another account.
	Provided string `json:"provided,omitempty"`
	// Certain is false where it may be that the principal cannot; Why then says so.
	Certain bool   `json:"certain"`
	Why     string `json:"why,omitempty"`
	// AssumedBy are those whom the role's trust policy lets become the role.
	AssumedBy []Assumer `json:"assumedBy,omitempty"`
}

// Through is what lets a principal in: a statement of a policy, a function URL
// or an event source mapping.
type Through struct {
	// Policy is the function's policy, a managed policy's ARN, "inline policy
	// NAME", or what there is beside policies: "event source mapping UUID".
	Policy string `json:"policy"`
	// Statement is the index of the statement in its document, -1 for what has none.
	Statement  int      `json:"statement"`
	Sid        string   `json:"sid,omitempty"`
	Conditions []string `json:"conditions,omitempty"`
}

// FunctionPolicy is the name of the function's policy in [Through].
const FunctionPolicy = "function policy"

// String is the statement as people name it: inline policy deploy, statement 2 ("run").
func (t Through) String() string {
	if t.Statement < 0 {
		return t.Policy
	}
	text := t.Policy + ", statement " + itoa(t.Statement)
	if t.Sid != "" {
		text += ` ("` + t.Sid + `")`
	}
	return text
}

// Assumer is who may become a role.
type Assumer struct {
	Principal string              `json:"principal"`
	Kind      Kind                `json:"kind"`
	Context   map[string][]string `json:"context,omitempty"`
	Provided  string              `json:"provided,omitempty"`
	Certain   bool                `json:"certain"`
}

// notRead is what no answer knows.
var notRead = []string{
	"service control policies, resource control policies, session policies and VPC endpoint policies",
	"the policies of other accounts",
	"the account's root user is not listed: it can, unless the function's policy denies it",
}

// grants gathers grants, one for each principal and what must hold.
type grants struct {
	list []Grant
	at   map[string]int
}

// add adds a grant; one of the same principal, action and certainty grows.
func (g *grants) add(n Grant) {
	if g.at == nil {
		g.at = make(map[string]int)
	}
	key := string(n.Kind) + " " + n.Principal + " " + contextText(n.Context) + " " + n.Why
	i, ok := g.at[key]
	if !ok {
		g.at[key] = len(g.list)
		g.list = append(g.list, n)
		return
	}
	old := &g.list[i]
	for _, a := range n.Actions {
		if !slices.Contains(old.Actions, a) {
			old.Actions = append(old.Actions, a)
		}
	}
	for _, t := range n.Through {
		if !slices.ContainsFunc(old.Through, func(u Through) bool { return u.String() == t.String() }) {
			old.Through = append(old.Through, t)
		}
	}
	if n.Exposure.Wider(old.Exposure) {
		old.Exposure = n.Exposure
	}
}

// sorted are the grants, the widest first.
func (g *grants) sorted() []Grant {
	slices.SortStableFunc(g.list, func(a, b Grant) int {
		switch {
		case a.Exposure.Wider(b.Exposure):
			return -1
		case b.Exposure.Wider(a.Exposure):
			return 1
		}
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Principal, b.Principal), len(a.Context)-len(b.Context))
	})
	return g.list
}

// contextText is a context in one line: key=value, in order.
func contextText(context map[string][]string) string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(context)) {
		list = append(list, key+"="+strings.Join(context[key], "|"))
	}
	return strings.Join(list, ", ")
}

// With is the context of a grant in one line, empty where any request will do.
func (g Grant) With() string { return contextText(g.Context) }

// conditions are the conditions of a statement, as people read them.
func conditions(s policy.Statement) []string {
	var list []string
	for _, c := range s.Condition {
		list = append(list, c.Operator+" "+c.Key+" "+strings.Join(c.Values, " | "))
	}
	return list
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// Method is one way in which rights come to more than they look like.
type Method struct {
	Name     string         // stable, such as pass-role-create-function
	Severity drift.Severity // where it is open on every resource of the account
	// Narrow is the severity where only named resources are within reach; empty:
	// that is no finding.
	Narrow drift.Severity
	Reason string // a clause: "can …"
	Source string
	// Needs are alternatives; of one, all calls must be allowed.
	Needs [][]Need
}

// Need is one call that a method takes.
type Need struct {
	Action string
	// On is what the action is on, as a pattern: in wide, ANY is a name that
	// nobody would give by name; in narrow it is any name. ACCOUNT is the account
	// of who has the rights, SELF who has them, where that is known.
	On string
	// With is what the request carries.
	With map[string]string
	// Elsewhere is set where the resource is of another account.
	Elsewhere bool
}

// anyName stands for a resource that no policy names: only a pattern matches it.
const anyName = "qj7zx-9wkv"

// self is Need.On of who has the rights.
const self = "SELF"

// Escalations says what rights allow that is worse than their text looks, the
// worst first. The account is that of who has the rights; empty is any. It has
// the type of [drift.Reach]. Rights that could not be read have none.
func Escalations(rights drift.Rights, account string) []drift.Escalation {
	return escalations(rights, account, "")
}

// EscalationsOf is [Escalations] for who has the ARN, so that methods count that
// need rights on oneself only, such as to rewrite one's own policies.
func EscalationsOf(arn string, rights drift.Rights) []drift.Escalation {
	return escalations(rights, drift.Subject(arn).Account(), arn)
}

func escalations(rights drift.Rights, account, own string) []drift.Escalation {
	r := reach{rights: rights, account: account, self: own}
	if r.administrator() {
		return []drift.Escalation{{Method: Administrator, Severity: drift.Critical, Reason: "can do everything: it is an administrator"}}
	}
	var list []drift.Escalation
	for i := range methods {
		if e, ok := r.method(&methods[i]); ok {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b drift.Escalation) int { return b.Severity.Rank() - a.Severity.Rank() })
	return list
}

// reach tries methods on rights.
type reach struct {
	rights        drift.Rights
	account, self string
	tried         map[string]trial
}

// trial is the answer to one need.
type trial struct {
	can     bool
	witness policy.Witness
	doubt   string // why it is not certain
}

// administrator reports whether the rights allow every action on everything.
func (r *reach) administrator() bool {
	everything := policy.Statement{Effect: policy.Allow, Action: []string{"*"}, Resource: []string{"*"}}
	const action, resource = anyName + ":Any", "arn:aws:" + anyName + ":::" + anyName
	if !allowsLike(r.rights.Policy.Statements, action, resource) || r.rights.Boundary != nil && !allowsLike(r.rights.Boundary.Statements, action, resource) {
		return false
	}
	all := policy.Policy{Version: version2012, Statements: []policy.Statement{everything}}
	return !policy.NewAccess(r.rights.Policy, all, policy.Options{Type: policy.IdentityPolicy, BaselineBoundary: r.rights.Boundary}).New
}

// allowsLike reports whether some Allow may be about an action on a resource
// pattern; see mayMatchAction and mayMatchResource.
func allowsLike(list []policy.Statement, action, on string) bool {
	for i := range list {
		if s := &list[i]; s.Effect == policy.Allow && mayMatchAction(s, action) && mayMatchResource(s, on) {
			return true
		}
	}
	return false
}

// method tries one method: on every resource first, then on any.
func (r *reach) method(m *Method) (drift.Escalation, bool) {
	for _, wide := range []bool{true, false} {
		severity := m.Severity
		if !wide {
			if severity = m.Narrow; severity == "" {
				break
			}
		}
		for _, needs := range m.Needs {
			if trials, ok := r.all(needs, wide); ok {
				return drift.Escalation{Method: m.Name, Severity: severity, Reason: m.Reason + told(trials, wide)}, true
			}
		}
	}
	return drift.Escalation{}, false
}

// all tries the needs of one alternative.
func (r *reach) all(needs []Need, wide bool) (trials []trial, ok bool) {
	for _, n := range needs { // the cheap question first
		if n.On == self && r.self == "" || !allowsLike(r.rights.Policy.Statements, n.Action, r.pattern(n, wide)) {
			return nil, false
		}
	}
	for _, n := range needs {
		t := r.try(n, wide)
		if !t.can {
			return nil, false
		}
		trials = append(trials, t)
	}
	return trials, true
}

// told says what a method was found on, under which conditions, and whether it
// is certain.
func told(trials []trial, wide bool) string {
	var b strings.Builder
	for i, t := range trials {
		separator := "; "
		if i == 0 {
			separator = " ("
		}
		b.WriteString(separator + t.witness.Action)
		if !wide {
			b.WriteString(" on " + t.witness.Resource)
		}
		if with := contextText(t.witness.Context); with != "" {
			b.WriteString(" with " + with)
		}
	}
	b.WriteString(")")
	for _, t := range trials {
		if t.doubt != "" {
			b.WriteString("; not certain: " + t.doubt)
			break
		}
	}
	return b.String()
}

// try asks the policy engine for one request that a need is about.
func (r *reach) try(n Need, wide bool) trial {
	key := fmt.Sprint(n, wide)
	if t, ok := r.tried[key]; ok {
		return t
	}
	t := r.ask(n, wide)
	if r.tried == nil {
		r.tried = make(map[string]trial)
	}
	r.tried[key] = t
	return t
}

func (r *reach) ask(n Need, wide bool) trial {
	on := r.pattern(n, wide)
	now, within := about(r.rights.Policy, n.Action, on), r.rights.Boundary
	if within != nil {
		small := about(*within, n.Action, on)
		within = &small
	}
	var pins []pin
	for key, value := range n.With {
		pins = append(pins, is(key, value))
	}
	denies := pinned(now, within, pins)
	now.Statements = append(now.Statements, policy.Statement{Effect: policy.Deny, NotAction: []string{n.Action}, Resource: []string{"*"}})
	if on != "*" {
		now.Statements = append(now.Statements, policy.Statement{Effect: policy.Deny, Action: []string{"*"}, NotResource: []string{on}})
	}
	if n.Elsewhere && r.account != "" {
		now.Statements = append(now.Statements, policy.Statement{Effect: policy.Deny, Action: []string{"*"}, Resource: []string{"arn:*:*:*:" + r.account + ":*"}})
	}
	now.Statements = append(now.Statements, denies...)
	access := policy.NewAccess(policy.Policy{}, now, policy.Options{Type: policy.IdentityPolicy, CurrentBoundary: within})
	if !access.New {
		return trial{}
	}
	t := trial{can: true, witness: policy.Witness{Action: n.Action}}
	if len(access.Witnesses) == 0 {
		t.doubt = access.Reason
		return t
	}
	w := access.Witnesses[0]
	t.witness.Resource, t.witness.Context = w.Resource, beyond(w.Context, pins)
	request := party{}.request(call{action: n.Action, resource: w.Resource, pins: pins}, w.Context)
	if d := policy.EvaluateIdentity([]policy.Policy{r.rights.Policy}, r.rights.Boundary, request); d.Outcome != policy.Allowed {
		t.doubt = d.Reason
	}
	return t
}

// about are the statements of a policy that may be about an action on a resource
// pattern. What is left out cannot change the answer.
func about(p policy.Policy, action, on string) policy.Policy {
	small := policy.Policy{Version: version2012}
	for i := range p.Statements {
		if s := &p.Statements[i]; mayMatchAction(s, action) && mayMatchResource(s, on) {
			small.Statements = append(small.Statements, *s)
		}
	}
	return small
}

// pattern is the resource pattern of a need.
func (r *reach) pattern(n Need, wide bool) string {
	name, account := "*", r.account
	if wide {
		name = anyName
	}
	if account == "" || n.Elsewhere {
		account = "*"
	}
	if n.On == self {
		return r.self
	}
	return strings.ReplaceAll(strings.Replace(n.On, "ACCOUNT", account, 1), "ANY", name)
}

package policy

import (
	"cmp"
	"slices"
)

// Outcome is what a policy says to one request.
type Outcome string

// The outcomes. Undecided is the honest answer where AWS documents no meaning
// for what decides the matter: an ill-typed value, an unknown operator, a
// NotPrincipal that names a role without its account.
const (
	Allowed      Outcome = "allowed"
	ExplicitDeny Outcome = "explicit-deny" // a Deny statement matches
	ImplicitDeny Outcome = "implicit-deny" // no Allow statement can match
	Undecided    Outcome = "undecided"
)

// Decision is an outcome with its reason.
type Decision struct {
	Outcome Outcome
	// Policy is the index of the deciding policy for [EvaluateIdentity], where
	// the boundary comes after the last one; 0 for [Evaluate].
	Policy int
	// Statement is the index of the deciding statement in its policy, -1 if no
	// statement decided.
	Statement int
	Sid       string
	// Reason is one line: which statement, which element, which value.
	Reason string
	// Trace says of each statement whether it matched, in order.
	Trace []Match
}

// Match is how one statement took the request.
type Match struct {
	Policy    int
	Statement int
	Sid       string
	Effect    Effect
	// Applies is "yes", "no" or "unknown".
	Applies string
	// Element is the first element that does not match or, if none fails, the
	// first whose meaning is not known: "NotAction", "Condition StringEquals
	// aws:SourceAccount". It is empty if all match.
	Element string
	// Why says what is wrong with the element.
	Why string

	matched [3]matchedElement // what of Principal, Action and Resource matched
	reached int               // how many elements matched before the one that failed
}

// matchedElement is an element and the value in it that matched, empty for a
// Not form.
type matchedElement struct{ name, value string }

// Evaluate says whether a policy allows a request, and why. It is a reference,
// written apart from the symbolic comparison of policies, whose witnesses it
// judges.
//
// A request is allowed if some Allow statement matches and no Deny statement
// does. A statement matches if all its elements do. Where an element's meaning
// is not known, the rest is still evaluated and the outcome is [Undecided] only
// if it depends on that element: a Deny that certainly matches wins over
// everything, an Allow that certainly matches wins over one that may, and where
// no Allow can match the request is denied, whatever a doubtful Deny says.
//
// A statement without Principal matches every caller, one without Resource
// every resource: so identity and trust policies are evaluated as they stand.
//
// The context may leave out what follows from the caller. For an AWS principal
// these keys are derived from its ARN: aws:PrincipalArn (the role's ARN for a
// session, without path, as the session's ARN does not tell it),
// aws:PrincipalAccount, aws:PrincipalType, aws:username (IAM users) and
// aws:PrincipalIsAWSService (false); for a service aws:PrincipalIsAWSService
// (true) and aws:PrincipalServiceName. A value in the context comes first.
// Nothing else is derived, aws:userid least of all.
//
// The work is counted; past a cap (see maxWork) the rest is not known.
func Evaluate(p Policy, r Request) Decision {
	e := newEvaluation(r)
	return decide(e.policy(make([]Match, 0, len(p.Statements)), 0, &p), &r)
}

// EvaluateIdentity says whether the identity policies of a principal, taken
// together, allow a request within the permissions boundary; a nil boundary is
// none. The principal of the request only gives the derived keys. A Principal
// element has no place in these policies, so that a statement with one is not
// known to match.
func EvaluateIdentity(policies []Policy, boundary *Policy, r Request) Decision {
	e := newEvaluation(r)
	e.identity = true
	var trace []Match
	for i := range policies {
		trace = e.policy(trace, i, &policies[i])
	}
	granted := decide(trace, &r)
	if boundary == nil {
		return granted
	}
	within := decide(e.policy(nil, len(policies), boundary), &r)
	within.Reason = "permissions boundary: " + within.Reason
	return narrower(granted, within)
}

// narrower is the intersection of what the policies grant with what the
// boundary leaves.
func narrower(granted, within Decision) Decision {
	decision := granted
	for _, outcome := range []Outcome{ExplicitDeny, ImplicitDeny, Undecided} {
		if granted.Outcome == outcome {
			break
		}
		if within.Outcome == outcome {
			decision = within
			break
		}
	}
	decision.Trace = slices.Concat(granted.Trace, within.Trace)
	return decision
}

// decide combines the statements of one or more policies.
func decide(trace []Match, r *Request) Decision {
	var denies, mayDeny, allows, mayAllow *Match
	for i := range trace {
		m := &trace[i]
		switch {
		case m.Applies == fails.String():
		case m.Effect == Deny && m.Applies == holds.String():
			denies = cmp.Or(denies, m)
		case m.Effect == Allow && m.Applies == holds.String():
			allows = cmp.Or(allows, m)
		case m.Effect == Allow:
			mayAllow = cmp.Or(mayAllow, m)
		case m.Effect == Deny:
			mayDeny = cmp.Or(mayDeny, m)
		default: // an effect that is neither may be both
			mayAllow, mayDeny = cmp.Or(mayAllow, m), cmp.Or(mayDeny, m)
		}
	}
	switch {
	case denies != nil:
		return decided(ExplicitDeny, denies, trace, r)
	case allows == nil && mayAllow == nil:
		return decided(ImplicitDeny, nil, trace, r)
	case mayDeny != nil:
		return decided(Undecided, mayDeny, trace, r)
	case allows != nil:
		return decided(Allowed, allows, trace, r)
	}
	return decided(Undecided, mayAllow, trace, r)
}

func decided(outcome Outcome, by *Match, trace []Match, r *Request) Decision {
	d := Decision{Outcome: outcome, Statement: -1, Trace: trace}
	if by != nil {
		d.Policy, d.Statement, d.Sid = by.Policy, by.Statement, by.Sid
	}
	d.Reason = reasonOf(outcome, by, trace, r)
	return d
}

// ternary is a truth value; min is AND, max is OR.
type ternary int8

const (
	fails ternary = iota
	unsure
	holds
)

func (t ternary) not() ternary { return holds - t }

// String is "yes", "no" or "unknown".
func (t ternary) String() string {
	switch t {
	case holds:
		return "yes"
	case fails:
		return "no"
	case unsure:
	}
	return "unknown"
}

func truth(b bool) ternary {
	if b {
		return holds
	}
	return fails
}

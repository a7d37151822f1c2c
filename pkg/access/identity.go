package access

import (
	"cmp"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// question is who can make one of some calls, through the policy of one place.
type question struct {
	account  *Account
	function drift.Subject
	place    drift.Place
	policy   policy.Policy // the function's, at the place
	verdicts []policy.Verdict
	grants   grants
}

// of is a role or user of the account as a party.
func (a *Account) of(i *Identity) party {
	kind := "AssumedRole"
	p := party{caller: policy.Caller{Kind: policy.AWSPrincipal, ID: i.ARN}, bounded: i.Rights.Boundary != nil}
	if i.Kind == User {
		kind = "User"
		p.pins = append(p.pins, is("aws:username", i.ARN[strings.LastIndexByte(i.ARN, '/')+1:]))
	} else {
		p.pins = append(p.pins, missing("aws:username"))
	}
	p.pins = append(p.pins, is("aws:PrincipalArn", i.ARN), is("aws:PrincipalAccount", a.Owner.Account), is("aws:PrincipalType", kind))
	if a.Owner.Organization != "" {
		p.pins = append(p.pins, is("aws:PrincipalOrgID", a.Owner.Organization))
	}
	p.pins = append(p.pins, signed...)
	return p
}

// signed are the facts about requests of AWS principals: they are no service,
// and only services say for which source they call.
// Source: IAM User Guide, "AWS global condition context keys".
var signed = []pin{
	is("aws:PrincipalIsAWSService", "false"), missing("aws:PrincipalServiceName"), missing("aws:PrincipalServiceNamesList"),
	missing("aws:SourceArn"), missing("aws:SourceAccount"), missing("aws:SourceOrgID"), missing("aws:SourceOrgPaths"),
}

// identity asks for one role or user.
func (q *question) identity(i *Identity, c call) bool {
	p := q.account.of(i)
	allows, denies := reduce(i.Rights.Policy.Statements, p, c)
	granted, refused := reduce(q.policy.Statements, p, c)
	within := bounds(i.Rights.Boundary, p, c)
	_, limits := reduce(statementsOf(i.Rights.Boundary), p, c)
	can := false

	all := append(append([]reduced(nil), denies...), refused...)
	for _, n := range ask(p, c, allows, all, within) {
		can = true
		r := p.request(c, n.context)
		why := cmp.Or(n.unknown, q.doubtIdentity(i, p, r))
		q.grants.add(q.grant(i, c, n, p, through(i, allows[n.allow].index), why, policy.Internal))
	}

	all = append(all, limits...)
	for k := range granted {
		named := q.naming(granted[k].index, p, c)
		if named == byAccount || named == byNobody {
			continue
		}
		limit := within
		if named != byARN || i.Kind != Role {
			limit = nil
		}
		for _, n := range ask(p, c, granted[k:k+1], all, limit) {
			can = true
			r := p.request(c, n.context)
			why := cmp.Or(n.unknown, q.doubtResource(i, p, granted[k].index, limit != nil, named, r))
			n.allow = k
			q.grants.add(q.grant(i, c, n, p, q.through(granted[k].index), why, policy.Internal))
		}
	}
	return can
}

func statementsOf(p *policy.Policy) []policy.Statement {
	if p == nil {
		return nil
	}
	return p.Statements
}

func (q *question) grant(i *Identity, c call, n answer, p party, t Through, why string, e policy.Exposure) Grant {
	return Grant{
		Principal: i.ARN, Kind: i.Kind, Actions: []string{c.action}, Through: []Through{t}, Exposure: e,
		Context: beyond(n.context, p.pins, c.pins), Certain: why == "", Why: why,
	}
}

// through is the identity policy that a statement is of.
func through(i *Identity, index int) Through {
	s := i.Rights.Policy.Statements[index]
	t := Through{Policy: "identity policy", Statement: index, Sid: s.Sid, Conditions: conditions(s)}
	for _, from := range i.From {
		if index < from.Statements {
			t.Policy, t.Statement = from.String(), index
			break
		}
		index -= from.Statements
	}
	return t
}

// through is a statement of the function's policy.
func (q *question) through(index int) Through {
	s := q.policy.Statements[index]
	return Through{Policy: FunctionPolicy, Statement: index, Sid: s.Sid, Conditions: conditions(s)}
}

// How a statement names a party.
type naming int

const (
	byNobody  naming = iota // not known to name it
	byAccount               // its account: that only delegates
	byARN                   // itself, or its session
	byAll                   // "*"
	byNot                   // NotPrincipal
)

// naming says how an Allow of the function's policy names a role or user of the
// account: each name is tried by itself, on the party, on the account's root and
// on a stranger.
func (q *question) naming(index int, p party, c call) naming {
	return namingOf(q.policy.Statements[index], p, c, q.account.Owner.Account)
}

func namingOf(s policy.Statement, p party, c call, account string) naming {
	switch {
	case s.NotPrincipal != nil:
		return byNot
	case s.Principal == nil:
		return byNobody
	case s.Principal.Any:
		return byAll
	}
	partition := drift.Subject(p.caller.ID).Partition()
	best := byNobody
	for _, name := range s.Principal.AWS {
		covers := func(id string) bool {
			return matches(policy.Principals{AWS: []string{name}}, policy.Caller{Kind: policy.AWSPrincipal, ID: id})
		}
		switch {
		case !covers(p.caller.ID):
		case !covers("arn:" + partition + ":iam::" + account + ":root"):
			best = max(best, byARN)
		case covers("arn:" + partition + ":iam::" + strangerTo(account) + ":root"):
			best = max(best, byAll)
		default:
			best = max(best, byAccount)
		}
	}
	return best
}

// strangerTo is an account that is not this one.
func strangerTo(account string) string {
	if account == "999999999999" {
		return "888888888888"
	}
	return "999999999999"
}

// matches reports whether a Principal element certainly covers a caller.
func matches(principals policy.Principals, caller policy.Caller) bool {
	s := policy.Statement{Effect: policy.Allow, Principal: &principals, Action: []string{"*"}}
	return policy.Evaluate(policy.Policy{Version: version2012, Statements: []policy.Statement{s}}, policy.Request{Principal: caller, Action: "lambda:InvokeFunction"}).Outcome == policy.Allowed
}

// doubtIdentity evaluates a request once more under the whole policies, and says
// what is in the way of being certain, empty if nothing is.
func (q *question) doubtIdentity(i *Identity, p party, r policy.Request) string {
	if i.Rights.Problem != "" {
		return i.Rights.Problem
	}
	if d := policy.EvaluateIdentity([]policy.Policy{i.Rights.Policy}, i.Rights.Boundary, r); d.Outcome != policy.Allowed {
		return "identity policies: " + d.Reason
	}
	if deny, reason := denying(p.sees(q.policy), r); deny {
		return FunctionPolicy + ": " + reason
	}
	return ""
}

// doubtResource is doubtIdentity for a grant of the function's policy.
func (q *question) doubtResource(i *Identity, p party, index int, limited bool, named naming, r policy.Request) string {
	if i.Rights.Problem != "" {
		return i.Rights.Problem
	}
	if deny, reason := denying(i.Rights.Policy, r); deny {
		return "identity policies: " + reason
	}
	if b := i.Rights.Boundary; b != nil {
		within := policy.Evaluate(*b, r)
		if deny, reason := denying(*b, r); deny {
			return "permissions boundary: " + reason
		}
		if limited && within.Outcome != policy.Allowed {
			return "permissions boundary: " + within.Reason
		}
		if named == byNot && within.Outcome != policy.Allowed {
			return "whether the permissions boundary limits a grant with NotPrincipal is not documented"
		}
	}
	seen := p.sees(q.policy)
	if deny, reason := denying(seen, r); deny {
		return FunctionPolicy + ": " + reason
	}
	if m := policy.Evaluate(seen, r).Trace[index]; m.Applies != "yes" {
		return FunctionPolicy + ": " + cmp.Or(m.Element, "statement") + ": " + m.Why
	}
	return ""
}

// sees is a resource policy as it hits the party: see party.bounded.
func (p party) sees(document policy.Policy) policy.Policy {
	if !p.bounded {
		return document
	}
	seen := document
	seen.Statements = append([]policy.Statement(nil), document.Statements...)
	for i, s := range seen.Statements {
		if s.Effect == policy.Deny && s.NotPrincipal != nil {
			seen.Statements[i].NotPrincipal = nil
		}
	}
	return seen
}

// denying reports whether a Deny of a policy hits, or may hit, a request.
func denying(p policy.Policy, r policy.Request) (deny bool, reason string) {
	for _, m := range policy.Evaluate(p, r).Trace {
		if m.Effect == policy.Deny && m.Applies != "no" {
			return true, strings.TrimSpace("statement " + itoa(m.Statement) + " may deny it: " + m.Element + " " + m.Why)
		}
	}
	return false, ""
}

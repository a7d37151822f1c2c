package access

import (
	"cmp"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// outsider is somebody whom a resource policy names, other than the roles and
// users that were read.
type outsider struct {
	party

	principal string
	kind      Kind
	provided  string
	// session is the role or user that a session of the account belongs to.
	session *Identity
}

// hit is one statement that lets an outsider in.
type hit struct {
	outsider

	index   int
	context map[string][]string
	why     string // why it is not certain
}

// unsigned are the facts about requests without an AWS principal.
var unsigned = []pin{
	missing("aws:PrincipalArn"), missing("aws:PrincipalAccount"), missing("aws:PrincipalOrgID"), missing("aws:PrincipalOrgPaths"),
	missing("aws:PrincipalType"), missing("aws:username"),
}

// outsiders lists whom the Allows of a resource policy name, once each.
func (a *Account) outsiders(document policy.Policy) []outsider {
	var list []outsider
	seen := make(map[string]bool)
	add := func(key string, o outsider) {
		if !seen[key] {
			seen[key] = true
			list = append(list, o)
		}
	}
	for i := range document.Statements {
		s := &document.Statements[i]
		switch {
		case s.Effect != policy.Allow:
			continue
		case s.NotPrincipal != nil || s.Principal != nil && s.Principal.Any:
			add("*", a.stranger())
			add("any service", serviceParty("example.amazonaws.com", "*"))
			continue
		case s.Principal == nil:
			continue
		}
		for _, name := range s.Principal.AWS {
			if name == "*" {
				add("*", a.stranger())
				add("any service", serviceParty("example.amazonaws.com", "*"))
			} else if o, ok := a.named(name); ok {
				add(o.principal, o)
			}
		}
		for _, name := range s.Principal.Service {
			add("service "+name, serviceParty(name, name))
		}
		for _, name := range s.Principal.Federated {
			pins := append([]pin{missing("aws:SourceArn"), missing("aws:SourceAccount"), missing("aws:PrincipalIsAWSService")}, unsigned...)
			add("federated "+name, outsider{party: party{caller: policy.Caller{Kind: policy.Federated, ID: name}, pins: pins}, principal: name, kind: Federated})
		}
	}
	return list
}

func serviceParty(name, principal string) outsider {
	pins := append([]pin{is("aws:PrincipalIsAWSService", "true"), is("aws:PrincipalServiceName", name)}, unsigned...)
	return outsider{party: party{caller: policy.Caller{Kind: policy.ServiceCaller, ID: name}, pins: pins}, principal: principal, kind: Service}
}

// stranger is somebody of an account that is not this one.
func (a *Account) stranger() outsider {
	id := strangerTo(a.Owner.Account)
	pins := append([]pin{
		never("ArnLike", "aws:PrincipalArn", "arn:*:*::"+a.Owner.Account+":*"), never("Null", "aws:PrincipalArn", "true"),
		never("StringEquals", "aws:PrincipalAccount", a.Owner.Account), never("Null", "aws:PrincipalAccount", "true"),
		is("aws:ResourceAccount", a.Owner.Account),
	}, signed...)
	return outsider{
		party:     party{caller: policy.Caller{Kind: policy.AWSPrincipal, ID: "arn:aws:iam::" + id + ":role/example"}, pins: pins},
		principal: "*", kind: Other, provided: "a policy of the caller's own account allows it",
	}
}

// named is an AWS principal that a policy names; false for the account itself
// and those of its roles and users that were read.
func (a *Account) named(name string) (outsider, bool) {
	account, arn := name, drift.Subject(name)
	if len(name) != 12 || strings.Contains(name, ":") {
		account = arn.Account()
	}
	if account == "" {
		return outsider{}, false // the id of what was deleted
	}
	whole := account == name || arn.Kind() == drift.Account
	o := outsider{party: party{caller: policy.Caller{Kind: policy.AWSPrincipal, ID: name}}, principal: name, kind: kindOf(name)}
	if whole {
		o.principal, o.kind = account, Other
		o.caller.ID = "arn:" + cmp.Or(arn.Partition(), "aws") + ":iam::" + account + ":role/example"
		o.pins = append(o.pins, never("ArnNotLike", "aws:PrincipalArn", "arn:*:*::"+account+":*"), is("aws:PrincipalAccount", account))
	} else {
		o.pins = append(o.pins, is("aws:PrincipalAccount", account))
		if o.kind == User {
			o.pins = append(o.pins, is("aws:PrincipalArn", name), is("aws:username", name[strings.LastIndexByte(name, '/')+1:]))
		} else if role := roleOf(arn); role != "" {
			o.pins = append(o.pins, is("aws:PrincipalArn", role), missing("aws:username"))
		}
	}
	o.pins = append(o.pins, signed...)
	if account != a.Owner.Account {
		o.provided = "a policy of account " + account + " allows it"
		return o, true
	}
	if a.Owner.Organization != "" {
		o.pins = append(o.pins, is("aws:PrincipalOrgID", a.Owner.Organization))
	}
	if whole {
		o.provided = "an identity policy of who calls allows it"
		return o, true
	}
	if _, read := a.identity(name); read {
		return o, false
	}
	if role := roleOf(arn); role != "" {
		o.session, _ = a.identity(role)
	}
	if o.session != nil && o.session.ARN != "" {
		o.bounded = o.session.Rights.Boundary != nil
	}
	return o, true
}

// roleOf is the ARN of the role of an assumed-role session or of the role
// itself, without its path where that is not told.
func roleOf(arn drift.Subject) string {
	if arn.Kind() == drift.Role {
		return string(arn)
	}
	parts := strings.SplitN(string(arn), ":", 6)
	if len(parts) < 6 {
		return ""
	}
	session, ok := strings.CutPrefix(parts[5], "assumed-role/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(session, "/")
	return string(drift.RoleSubject(parts[1], parts[4], name))
}

func kindOf(arn string) Kind {
	if drift.Subject(arn).Kind() == drift.User || strings.Contains(arn, ":federated-user/") {
		return User
	}
	return Role
}

// hits are the statements of a resource policy that let an outsider make a call.
func hits(document policy.Policy, o outsider, c call) []hit {
	allows, denies := reduce(document.Statements, o.party, c)
	extra := o.session.denies(o.party, c)
	var list []hit
	for _, n := range ask(o.party, c, allows, append(denies, extra...), nil) {
		h := hit{outsider: o, index: allows[n.allow].index, context: n.context, why: n.unknown}
		seen := o.party
		for key, values := range n.context { // the caller is who the context says
			if strings.EqualFold(key, "aws:PrincipalArn") && len(values) == 1 && seen.caller.Kind == policy.AWSPrincipal && o.session == nil {
				seen.caller.ID = values[0]
			}
		}
		r := seen.request(c, n.context)
		if m := policy.Evaluate(document, r).Trace[h.index]; h.why == "" && m.Applies != "yes" {
			h.why = "statement " + itoa(h.index) + ": " + m.Element + " " + m.Why
		}
		if deny, reason := denying(seen.sees(document), r); deny && h.why == "" {
			h.why = reason
		}
		list = append(list, h)
	}
	return list
}

// denies are the explicit Denys of the role that a session is of. The session
// has no need of its Allows.
func (i *Identity) denies(p party, c call) []reduced {
	if i == nil {
		return nil
	}
	_, own := reduce(i.Rights.Policy.Statements, p, c)
	_, limits := reduce(statementsOf(i.Rights.Boundary), p, c)
	return append(own, limits...)
}

// outsider asks for somebody whom the function's policy names.
func (q *question) outsider(o outsider, c call) bool {
	can := false
	for _, h := range hits(q.policy, o, c) {
		own := o.kind == Other && o.principal == q.account.Owner.Account
		if own {
			continue // a grant to the account only delegates
		}
		can = true
		g := Grant{
			Principal: o.principal, Kind: o.kind, Actions: []string{c.action}, Through: []Through{q.through(h.index)},
			Exposure: q.verdicts[h.index].Exposure, Context: beyond(h.context, o.pins, c.pins), Provided: o.provided, Certain: h.why == "", Why: h.why,
		}
		if o.principal != "*" {
			g.Exposure = q.exposureOf(o, h.index)
		}
		q.grants.add(g)
	}
	return can
}

// exposureOf is how far outside somebody stands: a statement that names many is
// judged for this one.
func (q *question) exposureOf(o outsider, index int) policy.Exposure {
	s := q.policy.Statements[index]
	if s.NotPrincipal == nil {
		s.Principal = &policy.Principals{}
		switch o.caller.Kind {
		case policy.ServiceCaller:
			s.Principal.Service = []string{o.caller.ID}
		case policy.Federated:
			s.Principal.Federated = []string{o.caller.ID}
		default:
			s.Principal.AWS = []string{o.principal}
		}
	}
	return policy.Expose(s, q.account.Owner).Exposure
}

// assumers are those whom a trust policy lets become a role.
func (a *Account) assumers(role *Identity) []Assumer {
	var list []Assumer
	calls := []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}
	candidates := a.outsiders(role.Trust)
	for _, s := range role.Trust.Statements {
		if s.Effect != policy.Allow || s.Principal == nil {
			continue
		}
		for _, name := range s.Principal.AWS {
			if i, ok := a.identity(name); ok {
				candidates = append(candidates, outsider{party: a.of(i), principal: i.ARN, kind: i.Kind})
			}
		}
	}
	seen := make(map[string]bool)
	for _, o := range candidates {
		for _, action := range calls {
			for _, h := range hits(role.Trust, o, call{action: action}) {
				n := Assumer{Principal: o.principal, Kind: o.kind, Context: beyond(h.context, o.pins), Provided: o.provided, Certain: h.why == ""}
				if key := string(n.Kind) + n.Principal + contextText(n.Context); !seen[key] {
					seen[key] = true
					list = append(list, n)
				}
			}
		}
	}
	return list
}

package policy

import "strings"

// principalElement is Principal or NotPrincipal; neither is every caller.
func (e *evaluation) principalElement(s *Statement) (string, ternary) {
	switch {
	case s.Principal == nil && s.NotPrincipal == nil:
		return "", holds
	case s.Principal != nil && s.NotPrincipal != nil:
		return "Principal", e.unsure("the statement has both Principal and NotPrincipal")
	case e.identity:
		return "Principal", e.unsure("an identity policy has no Principal")
	case s.NotPrincipal != nil:
		return "NotPrincipal", e.notPrincipal(s.NotPrincipal)
	}
	return "Principal", e.principal(s.Principal, false)
}

// notPrincipal is the complement over everything, anonymous callers and
// services included. A role or user that is named without its account: AWS says
// that its whole account might be denied, so that for this role or user nothing
// is known. Everybody else is outside the list either way.
func (e *evaluation) notPrincipal(p *Principals) ternary {
	if !p.Any && len(p.AWS)+len(p.Service)+len(p.Federated)+len(p.CanonicalUser) == 0 {
		return e.unsure("it is an empty list")
	}
	return e.outside(e.principal(p, true))
}

// principal is the OR over the typed values; except says that they stand in
// NotPrincipal.
func (e *evaluation) principal(p *Principals, except bool) ternary {
	if p.Any {
		e.value = "*"
		return holds
	}
	answer := e.anyOf(p.AWS, func(text string) ternary { return e.matchAWS(text, except) })
	for _, typed := range [...]struct {
		kind CallerKind
		list []string
	}{{ServiceCaller, p.Service}, {Federated, p.Federated}, {Canonical, p.CanonicalUser}} {
		if answer != holds {
			answer = max(answer, e.anyOf(typed.list, func(text string) ternary { return e.matchTyped(text, typed.kind) }))
		}
	}
	return answer
}

// matchTyped matches a principal that is a plain name.
func (e *evaluation) matchTyped(text string, kind CallerKind) ternary {
	switch {
	case !e.spend(len(text)):
		return unsure
	case e.caller.Kind == kind:
		return truth(e.caller.ID == text)
	case kind == Canonical && e.caller.Kind == AWSPrincipal:
		return e.unsure("whose account a canonical user id is, is not known")
	}
	return e.otherKind()
}

// otherKind is the answer for a caller of another kind than the principal.
func (e *evaluation) otherKind() ternary {
	switch e.caller.Kind {
	case Anonymous, AWSPrincipal, ServiceCaller, Federated, Canonical:
		return fails
	}
	return e.unsure("the request does not say what its caller is")
}

// matchAWS matches a value of AWS: "*", an account, or an ARN. Everything else,
// such as the unique id of a principal that was deleted, is nobody. There are no
// wildcards but the whole "*".
func (e *evaluation) matchAWS(text string, except bool) ternary {
	if !e.spend(len(text)) {
		return unsure
	}
	if text == "*" {
		return holds
	}
	account, isARN := isAccountID(text), strings.HasPrefix(text, "arn:")
	if !account && !isARN || strings.ContainsAny(text, "*?") {
		return fails
	}
	c := &e.caller
	switch {
	case c.Kind == Canonical:
		return e.unsure("whose account a canonical user id is, is not known")
	case c.Kind != AWSPrincipal:
		return e.otherKind()
	case !c.known:
		return e.unsure("the caller is not given by its ARN")
	case account:
		return truth(c.account == text)
	}
	return e.matchPrincipalARN(text, except)
}

// matchPrincipalARN matches an ARN: the root ARN covers its account, a role's
// its sessions.
func (e *evaluation) matchPrincipalARN(text string, except bool) ternary {
	named, c := nameCaller(Caller{Kind: AWSPrincipal, ID: text}), &e.caller
	if !named.known {
		return fails
	}
	if named.partition != c.partition || named.account != c.account {
		return truth(text == c.ID)
	}
	if named.kind == "root" {
		return holds
	}
	t := e.matchIdentity(&named)
	if t == holds && except {
		return e.unsure("NotPrincipal names " + text + " without its account")
	}
	return t
}

// matchIdentity matches a user, a role or a session with a caller of the same account.
func (e *evaluation) matchIdentity(named *callerName) ternary {
	c := &e.caller
	switch {
	case named.ID == c.ID:
		return holds
	case named.kind == "role" && c.kind == "assumed-role":
		return e.matchSession(named)
	case named.kind == "assumed-role" && c.kind == "role" && named.role() == c.role():
		return e.unsure("the request does not say which session of the role calls")
	case named.kind == "user" && c.kind == "federated-user":
		return e.unsure("a federated session's ARN does not say which user made it")
	}
	return fails
}

// matchSession matches a role with a session of the same account. The session's
// ARN has no path, but names are unique in an account, whatever their path; so
// only aws:PrincipalArn, if the request has it, can tell two roles apart of
// which one has been deleted.
func (e *evaluation) matchSession(role *callerName) ternary {
	if role.role() != e.caller.role() {
		return fails
	}
	key := e.context.find("aws:PrincipalArn")
	if len(key.values) == 1 && !key.ambiguous {
		full := nameCaller(Caller{Kind: AWSPrincipal, ID: key.values[0]})
		if full.kind == "role" && strings.Contains(full.name, "/") && full.account == role.account && full.role() == role.role() {
			return truth(full.ID == role.ID)
		}
	}
	return holds
}

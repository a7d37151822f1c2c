package policy

import (
	"fmt"
	"slices"
	"strings"
)

// The calls by which somebody becomes a role. What else a trust policy may
// allow (sts:TagSession, sts:SetSourceIdentity, sts:SetContext) only adds to
// one of them, and lets nobody in by itself.
// Source: IAM User Guide, "Methods to assume a role".
const (
	assumeRole     = "sts:AssumeRole"
	assumeWithWeb  = "sts:AssumeRoleWithWebIdentity"
	assumeWithSAML = "sts:AssumeRoleWithSAML"
)

// ExposeTrust says who may become a role through one statement of its trust
// policy, after the policy's Denys, in the words of [Expose]. The owner's
// account is that of the role; a trust policy does not name it.
//
//   - AWS principals are judged as by [Expose]. sts:ExternalId is a word that
//     the caller chooses: it pins no account, and guards only against being
//     used by an account that is trusted. That a foreign account is trusted
//     without one is said in the reason.
//   - A service takes a role only after somebody of the role's own account gave
//     it one (iam:PassRole, which does not reach across accounts), so a service
//     is [Internal], unless the statement names somebody else on whose behalf it
//     may come. Services whose documentation asks for aws:SourceAccount in trust
//     policies get it said that it is missing; see [Deputies]. IAM Roles Anywhere
//     lets holders of certificates in, and is [External] unless aws:SourceArn
//     names one trust anchor of the own account.
//   - A token of an identity provider is judged by the claims that the
//     statement pins; see [Issuer]. Without them it is [Public] where anybody gets a
//     token of the issuer, [Unknown] where nobody knows who does, and [External]
//     where the issuer serves one tenant: a workspace, a cluster, a user pool.
//     With them it is External. It is [Internal] only where the provider stands
//     in the own account, is a cluster or a SAML provider, and subject and
//     audience are both pinned; whether the cluster or identity provider behind
//     it is one's own, a policy does not say.
//
// For example, with the principal token.actions.githubusercontent.com,
// {"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}} is
// External, and "repo:example*" is Public: whoever calls himself example-too.
//
// Denies, IfExists, ForAllValues, Null and the negated operators are decided in
// the same cells as everything else; what a variable or an unknown operator
// could hide is Unknown.
func ExposeTrust(p Policy, index int, owner Owner) Verdict {
	s := p.Statements[index]
	if s.Effect == Deny {
		return Verdict{Exposure: Nobody, Reason: "denies, and lets nobody in", Certain: true}
	}
	if s.Principal == nil && s.NotPrincipal == nil {
		return Verdict{Exposure: Unknown, Reason: "has no Principal: the statement is not one of a trust policy"}
	}
	if keyless(p) {
		return Verdict{Exposure: Unknown, Reason: "a condition names no key"}
	}
	t := trust{statement: s.current(), owner: owner, ownStar: s.everybody()}
	for _, other := range p.Statements {
		if other.Effect == Deny {
			t.denys = append(t.denys, other)
		}
	}
	return widestOf(t.verdicts())
}

// ExposeTrustStatement is [ExposeTrust] for one statement by itself.
func ExposeTrustStatement(s Statement, owner Owner) Verdict { return ExposeTrust(one(s), 0, owner) }

// ExposeTrustDocument is the widest exposure of a trust policy's statements
// after its Denys.
func ExposeTrustDocument(p Policy, owner Owner) Verdict {
	widest := Verdict{Exposure: Nobody, Reason: "allows nothing", Certain: true}
	found := false
	for i := range p.Statements {
		if p.Statements[i].Effect != Allow {
			continue
		}
		if v := ExposeTrust(p, i, owner); !found || v.Exposure.Wider(widest.Exposure) {
			widest, found = v, true
		}
	}
	return widest
}

// trust is one Allow of a trust policy and the Denys beside it.
type trust struct {
	statement Statement
	denys     []Statement
	owner     Owner
	ownStar   bool // the statement is about everybody, but for those it names
}

// everybody reports whether the principals are all, but for those named.
func (s Statement) everybody() bool {
	return s.NotPrincipal != nil || s.Principal != nil && (s.Principal.Any || slices.Contains(s.Principal.AWS, "*"))
}

// opens reports whether a statement is about a call.
func (s Statement) opens(action string) bool {
	c := patternsClause(actionName, s.Action, false)
	if s.Action == nil {
		c = patternsClause(actionName, s.NotAction, true)
	}
	low := strings.ToLower(action)
	return c.holds(&value{text: low, runes: []rune(low)})
}

// verdicts judges the statement by the ways in that it opens, one by one.
func (t *trust) verdicts() []Verdict {
	var list []Verdict
	s := t.statement
	if t.ownStar {
		if s.opens(assumeRole) {
			list = append(list, t.signed(s.Principal))
		}
		for _, action := range []string{assumeWithWeb, assumeWithSAML} {
			if s.opens(action) {
				list = append(list, t.anyToken(action))
			}
		}
		return list
	}
	if s.opens(assumeRole) {
		if len(s.Principal.AWS)+len(s.Principal.CanonicalUser) > 0 {
			list = append(list, t.signed(&Principals{AWS: s.Principal.AWS, CanonicalUser: s.Principal.CanonicalUser}))
		}
		for _, name := range s.Principal.Service {
			list = append(list, t.service(name))
		}
	}
	for _, provider := range s.Principal.Federated {
		issuer := issuerOf(provider)
		if s.opens(issuer.action) {
			list = append(list, t.token(issuer))
		}
	}
	return list
}

// keyless reports whether a condition has the empty key, which means nothing.
func keyless(p Policy) bool {
	return slices.ContainsFunc(p.Statements, func(s Statement) bool {
		return slices.ContainsFunc(s.Condition, func(c Condition) bool { return c.Key == "" })
	})
}

// through is the policy of the statement for some of its principals and one
// call, as the first of its statements.
func (t *trust) through(principals *Principals, action string) Policy {
	s := t.statement
	s.Principal, s.Action, s.NotAction = principals, []string{action}, nil
	return Policy{Version: version2012, Statements: append([]Statement{s}, t.denys...)}
}

// signed judges the AWS principals, who sign the call.
func (t *trust) signed(principals *Principals) Verdict {
	v := ExposeIn(t.through(principals, assumeRole), 0, t.owner)
	switch {
	case v.Exposure == Public && isAbout(t.statement.Condition, externalIDKey):
		v.Reason += "; sts:ExternalId pins no account, only who knows it"
	case v.Exposure == External && t.namesForeign() && !requiresExternalID(t.statement.Condition):
		v.Reason += "; without sts:ExternalId, so if it is a third party, its other customers may get in through it"
	}
	return v
}

const externalIDKey = "sts:externalid"

// namesForeign reports whether the statement names principals of accounts that
// are neither the owner's nor trusted.
func (t *trust) namesForeign() bool {
	return t.statement.Principal != nil && slices.ContainsFunc(t.statement.Principal.AWS, func(name string) bool {
		return awsPrincipal(name, t.owner).exposure == External
	})
}

// isAbout reports whether a condition is about a key.
func isAbout(conditions []Condition, key string) bool {
	return slices.ContainsFunc(conditions, func(c Condition) bool { return lowerKey(c.Key) == key })
}

// requiresExternalID reports whether a condition wants an external id that
// somebody chose.
// Source: IAM User Guide, "Access to AWS accounts owned by third parties".
func requiresExternalID(conditions []Condition) bool {
	return slices.ContainsFunc(conditions, func(c Condition) bool {
		o := parseOperator(c.Operator)
		return lowerKey(c.Key) == externalIDKey && o.pins() && len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool {
			return v == "" || !o.literal(v)
		})
	})
}

// service judges one service. What [ExposeIn] calls a confused deputy is the
// own account's here: nobody else can hand the role to the service.
func (t *trust) service(name string) Verdict {
	v := ExposeIn(t.through(&Principals{Service: []string{name}}, assumeRole), 0, t.owner)
	if strings.TrimSuffix(name, ".cn") == anywhereService {
		return t.anywhere(v)
	}
	switch v.Exposure {
	case ConfusedDeputy:
		v.Exposure, v.Reason = Internal, "the service "+name+", to which somebody of the own account has to pass the role"
		if deputy, ok := deputyOf(name); ok {
			v.Reason += "; without aws:SourceAccount, which its documentation asks for (" + deputy.Page + ")"
		}
	case External:
		v.Reason += ": a service on behalf of somebody else"
	default:
	}
	return v
}

const anywhereService = "rolesanywhere.amazonaws.com"

// anywhere judges IAM Roles Anywhere, which lets in who holds a certificate of
// a trust anchor.
func (t *trust) anywhere(v Verdict) Verdict {
	switch v.Exposure {
	case Nobody, Unknown, Public, External:
		return v
	default:
	}
	if v.Exposure == Internal && slices.ContainsFunc(t.statement.Condition, t.pinsAnchor) {
		v.Reason += ": whoever has a certificate of that trust anchor"
		if !namesPrefix(t.statement.Condition, "aws:principaltag/x509") {
			v.Reason += ", any of them"
		}
		return v
	}
	v.Exposure = External
	v.Reason = "IAM Roles Anywhere: whoever has a certificate of a trust anchor, and aws:SourceArn names no one of the own account"
	return v
}

// pinsAnchor reports whether a condition names trust anchors of the own account.
// Source: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere trust model".
func (t *trust) pinsAnchor(c Condition) bool {
	o := parseOperator(c.Operator)
	return lowerKey(c.Key) == "aws:sourcearn" && o.pins() && len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool {
		parts := strings.SplitN(v, ":", 6)
		return len(parts) < 6 || parts[2] != "rolesanywhere" || parts[4] != t.owner.Account ||
			!strings.HasPrefix(parts[5], "trust-anchor/") || !o.literal(parts[5])
	})
}

func namesPrefix(conditions []Condition, prefix string) bool {
	return slices.ContainsFunc(conditions, func(c Condition) bool { return strings.HasPrefix(lowerKey(c.Key), prefix) })
}

// widestOf is the widest of what several ways in say.
func widestOf(list []Verdict) Verdict {
	if len(list) == 0 {
		return Verdict{
			Exposure: Nobody, Certain: true,
			Reason: fmt.Sprintf("opens no way into the role: none of %s, %s and %s for those whom it names", assumeRole, assumeWithWeb, assumeWithSAML),
		}
	}
	widest := list[0]
	certain := true
	var parties []string
	for _, v := range list {
		if v.Exposure.Wider(widest.Exposure) {
			widest = v
		}
		certain = certain && v.Certain
		parties = append(parties, v.Counterparties...)
	}
	slices.Sort(parties)
	widest.Counterparties = slices.Compact(parties)
	widest.Certain = certain || widest.Exposure == Public && widest.Certain // nothing is wider
	return widest
}

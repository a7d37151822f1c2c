package policy

import (
	"slices"
	"strings"
)

// alone is the exposure where nothing pins the token.
func (i *issuer) alone() (Exposure, bool) {
	switch {
	case !i.known:
		return Unknown, false // nobody knows who gets its tokens
	case i.Shared:
		return Public, true
	}
	return External, true
}

// accountID is the account that the provider stands in, empty for one that
// stands in none.
func (i *issuer) accountID() string {
	if parts := strings.SplitN(i.provider, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// conditions are those of a statement on the claims that pin.
func (i *issuer) conditions(s Statement) (list []Condition) {
	for _, c := range s.Condition {
		if i.claim(c.Key) != nil {
			list = append(list, c)
		}
	}
	return list
}

// claim is the claim of those that pin that a condition key is about, nil for another.
func (i *issuer) claim(key string) []claim {
	low := strings.ToLower(key)
	var list []claim
	for _, set := range i.pins {
		for _, c := range set {
			if i.prefix+":"+c.name == low {
				list = append(list, c)
			}
		}
	}
	return list
}

// party is the provider, and what its claims are held against.
func (i *issuer) party(s Statement) string {
	texts := []string{i.provider}
	for _, c := range i.conditions(s) {
		texts = append(texts, "("+c.Key+" "+strings.Join(c.Values, ", ")+")")
	}
	return strings.Join(texts, " ")
}

// opening says why nothing pins the token: a condition that does not, or none.
func (i *issuer) opening(s Statement) string {
	conditions := i.conditions(s)
	if len(conditions) == 0 {
		return ": no condition pins " + i.wanted()
	}
	texts := make([]string, 0, len(conditions))
	for _, c := range conditions {
		texts = append(texts, c.Operator+" "+c.Key+" "+clip(strings.Join(c.Values, ", ")))
	}
	return ": " + strings.Join(texts, " and ") + " pins nobody"
}

// wanted are the condition keys that would pin.
func (i *issuer) wanted() string {
	var names []string
	for _, set := range i.pins {
		var keys []string
		for _, c := range set {
			keys = append(keys, i.prefix+":"+c.name)
		}
		if name := strings.Join(keys, " with "); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names[:min(len(names), 2)], " or ")
}

// tie says what the token is pinned to, and where that is a whole owner.
func (i *issuer) tie(s Statement) string {
	var texts []string
	broad := false
	for _, c := range i.conditions(s) {
		o := parseOperator(c.Operator)
		if o.negated() || o.base == "Null" {
			continue
		}
		texts = append(texts, c.Key+" "+clip(strings.Join(c.Values, ", ")))
		for _, value := range c.Values {
			broad = broad || !o.literal(value) && i.barely(c.Key, value)
		}
	}
	if len(texts) == 0 {
		return ", pinned by the conditions and Denys of the policy"
	}
	text := ", pinned by " + strings.Join(texts, " and ")
	if broad && i.all != "" {
		text += ": " + i.all
	}
	return text
}

// barely reports whether a value with a wildcard pins no more than the first
// part of a claim.
func (i *issuer) barely(key, value string) bool {
	prefix := value[:max(strings.IndexAny(value, "*?"), 0)]
	return slices.ContainsFunc(i.claim(key), func(c claim) bool {
		return c.pin != nil && c.pin.FindString(prefix) == prefix && prefix != ""
	})
}

// missing says that no condition is about the audience, where the issuer's
// documentation asks for one.
func (i *issuer) missing(s Statement) string {
	if i.Audience == "" || isAbout(s.Condition, i.prefix+":aud") {
		return ""
	}
	return "; without " + i.prefix + ":aud, so for every audience of the provider"
}

// TrustAdvice says in words how to pin an Allow of a trust policy further: which
// key, of which shape, and the documentation that says so. It returns false
// where nothing is to be said.
func TrustAdvice(s Statement, owner Owner) (string, bool) {
	if s.Effect != Allow || s.Principal == nil && s.NotPrincipal == nil || keyless(one(s)) {
		return "", false
	}
	t := trust{statement: s.current(), owner: owner, ownStar: s.everybody()}
	var parts []string
	add := func(text string) {
		if text != "" && !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if t.ownStar {
		if ExposeTrustStatement(s, owner).Exposure.Wider(Organization) {
			add("name the accounts or roles instead of everybody, or pin them by aws:PrincipalOrgID (IAM User Guide, AWS JSON policy elements: Principal)")
		}
		return strings.Join(parts, "; "), len(parts) > 0
	}
	if s.opens(assumeRole) {
		if t.namesForeign() && !requiresExternalID(s.Condition) {
			add("if the account is a third party's, require the sts:ExternalId that it gives you (IAM User Guide, Access to AWS accounts owned by third parties)")
		}
		for _, name := range s.Principal.Service {
			add(t.adviseService(name))
		}
	}
	for _, provider := range s.Principal.Federated {
		if i := issuerOf(provider); s.opens(i.action) {
			add(t.adviseToken(i))
		}
	}
	return strings.Join(parts, "; "), len(parts) > 0
}

// adviseService says how to pin a service, empty where nothing is documented or missing.
func (t *trust) adviseService(name string) string {
	account := t.owner.Account
	if account == "" {
		account = "ACCOUNT"
	}
	if strings.TrimSuffix(name, ".cn") == anywhereService {
		v := t.service(name)
		if v.Exposure == Internal && namesPrefix(t.statement.Condition, "aws:principaltag/x509") {
			return ""
		}
		return "pin IAM Roles Anywhere by ArnEquals aws:SourceArn to one trust anchor (arn:aws:rolesanywhere:REGION:" + account +
			":trust-anchor/ID), and its certificates by aws:PrincipalTag/x509Subject/CN (IAM Roles Anywhere User Guide, The IAM Roles Anywhere trust model)"
	}
	deputy, ok := deputyOf(name)
	if !ok || ExposeIn(t.through(&Principals{Service: []string{name}}, assumeRole), 0, t.owner).Exposure != ConfusedDeputy {
		return ""
	}
	return "add aws:SourceAccount " + account + " and aws:SourceArn of the shape " +
		strings.Replace(deputy.ARN, ":ACCOUNT:", ":"+account+":", 1) + " for " + name + " (" + deputy.Page + ")"
}

// adviseToken says how to pin a provider's tokens, empty where they are.
func (t *trust) adviseToken(i issuer) string {
	v := t.token(i)
	var pins []string
	cells, ok := newTokens(t.through(&Principals{Federated: []string{i.provider}}, i.action), i.keyed(), t.owner)
	if v.Exposure != Nobody && (!ok || !cells.claimsPin(i.choices())) {
		claim, shape, _ := strings.Cut(i.Subject, " = ")
		pins = append(pins, i.prefix+":"+claim)
		if shape != "" {
			pins[0] += ", of the shape " + shape
		}
	}
	if v.Exposure != Nobody && i.missing(t.statement) != "" {
		pins = append(pins, i.prefix+":aud to "+i.Audience)
	}
	if len(pins) == 0 {
		return ""
	}
	return "pin " + strings.Join(pins, ", and ") + ", by StringEquals (" + i.Page + ")"
}

package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Owner is whose eyes an exposure is seen with.
type Owner struct {
	Account              string   // the account that owns the resource; empty: taken from the statement's resources
	Organization         string   // o-…, empty where it is not known
	TrustedAccounts      []string // accounts that count as the organization
	TrustedOrganizations []string
}

// Verdict is who a statement lets in, and why.
type Verdict struct {
	Exposure       Exposure
	Reason         string
	Counterparties []string // principals, or what they are pinned to
	Certain        bool     // false where something could not be judged exactly
}

// widths orders exposures; Unknown stands below Public, as in the widest of a document.
var widths = map[Exposure]int{Nobody: 0, Internal: 1, Organization: 2, External: 3, ConfusedDeputy: 4, Unknown: 5, Public: 6}

// Wider reports whether e lets in more than f: public first, then unknown,
// then by the order of the constants.
func (e Exposure) Wider(f Exposure) bool { return widths[e] > widths[f] }

// Expose says who an Allow statement lets in; a Deny lets in nobody.
func Expose(s Statement, owner Owner) Verdict {
	if s.Effect == Deny {
		return Verdict{Exposure: Nobody, Reason: "denies, and lets nobody in", Certain: true}
	}
	if owner.Account == "" {
		owner.Account = s.owner()
	}
	s = s.current()
	who := basis(s, owner)
	if len(who) == 0 {
		return Verdict{Exposure: Nobody, Reason: "names no principal", Certain: true}
	}
	pins := conditionPins(s.Condition, owner)
	verdict := Verdict{Exposure: Nobody, Certain: true}
	for _, b := range who {
		v := b.narrowed(pins)
		if v.Exposure.Wider(verdict.Exposure) || verdict.Reason == "" {
			verdict.Exposure, verdict.Reason = v.Exposure, v.Reason
		}
		verdict.Counterparties = append(verdict.Counterparties, v.Counterparties...)
		verdict.Certain = verdict.Certain && v.Certain
	}
	slices.Sort(verdict.Counterparties)
	verdict.Counterparties = slices.Compact(verdict.Counterparties)
	return verdict
}

// ExposeDocument is the widest exposure that remains of a policy after its
// Denys, as far as a Deny without conditions covers an Allow wholly.
func ExposeDocument(p Policy, owner Owner) Verdict {
	widest := Verdict{Exposure: Nobody, Reason: "allows nothing", Certain: true}
	for _, s := range p.Statements {
		if s.Effect != Allow {
			continue
		}
		v := Expose(s, owner)
		if p.denied(s) {
			v = Verdict{Exposure: Nobody, Reason: "is wholly denied", Certain: true}
		}
		if v.Exposure.Wider(widest.Exposure) {
			widest = v
		}
	}
	return widest
}

// denied reports whether some Deny without conditions surely covers the statement.
func (p Policy) denied(s Statement) bool {
	return slices.ContainsFunc(p.Statements, func(d Statement) bool {
		return d.Effect == Deny && len(d.Condition) == 0 && d.Principal != nil && s.Principal != nil &&
			coversPrincipals(d.Principal, s.Principal) &&
			d.Action != nil && s.Action != nil && coversAll(d.Action, s.Action, true) &&
			d.Resource != nil && s.Resource != nil && coversAll(d.Resource, s.Resource, false)
	})
}

func coversPrincipals(d, s *Principals) bool {
	if d.Any || slices.Contains(d.AWS, "*") {
		return true
	}
	if s.Any {
		return false
	}
	within := func(list, of []string) bool {
		return !slices.ContainsFunc(list, func(text string) bool { return !slices.Contains(of, text) })
	}
	return within(s.AWS, d.AWS) && within(s.Service, d.Service) && within(s.Federated, d.Federated) && within(s.CanonicalUser, d.CanonicalUser)
}

// coversAll reports whether each pattern of s is surely inside some pattern of
// d: the same text, or a prefix pattern "lambda:*" or "*".
func coversAll(d, s []string, fold bool) bool {
	for _, pattern := range s {
		if !slices.ContainsFunc(d, func(wide string) bool {
			if fold {
				wide, pattern = strings.ToLower(wide), strings.ToLower(pattern)
			}
			prefix, isPrefix := strings.CutSuffix(wide, "*")
			if wide == pattern || wide == "*" {
				return true
			}
			// In an ARN a "*" before the sixth segment does not cross colons.
			crosses := fold || strings.Count(prefix, ":") >= 5
			return isPrefix && crosses && !strings.ContainsAny(prefix, "*?$") && strings.HasPrefix(pattern, prefix)
		}) {
			return false
		}
	}
	return true
}

// owner is the account in the statement's first resource ARN.
func (s Statement) owner() string {
	for _, resource := range s.Resource {
		if parts := strings.SplitN(resource, ":", 6); len(parts) == 6 && isAccount(parts[4]) {
			return parts[4]
		}
	}
	return ""
}

// base is one principal before conditions.
type base struct {
	exposure Exposure
	name     string // as in the policy
	service  bool
	reason   string
}

// basis lists the principals of an Allow with the exposure each has without conditions.
func basis(s Statement, owner Owner) []base {
	if s.NotPrincipal != nil {
		return []base{{exposure: Public, name: "*", reason: "NotPrincipal allows everybody but those it names"}}
	}
	if s.Principal == nil {
		return []base{{exposure: Unknown, name: "the identities that the policy is attached to", reason: "has no Principal: the statement is of an identity policy"}}
	}
	p := s.Principal.canonical(s.partition())
	if p.Any {
		return []base{{exposure: Public, name: "*", reason: "anyone: Principal is \"*\""}}
	}
	var list []base
	for _, principal := range p.AWS {
		list = append(list, awsPrincipal(principal, owner))
	}
	for _, service := range p.Service {
		list = append(list, base{
			exposure: ConfusedDeputy, name: service, service: true,
			reason: "any customer of " + service + " can make it call: neither SourceAccount nor a SourceArn with an account pins it",
		})
	}
	for _, provider := range p.Federated {
		list = append(list, base{exposure: Unknown, name: provider, reason: "a federated provider: who signs in there is not judged"})
	}
	for _, user := range p.CanonicalUser {
		list = append(list, base{exposure: Unknown, name: user, reason: "a canonical user: whose it is, is not judged"})
	}
	return list
}

func awsPrincipal(principal string, owner Owner) base {
	if isUniqueID(principal) {
		return base{exposure: Nobody, name: principal, reason: "the principal was deleted; only its id is left"}
	}
	account := principal
	if parts := strings.SplitN(principal, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	if strings.ContainsAny(principal, "*?") && isAccount(account) {
		return base{exposure: Nobody, name: principal, reason: "a wildcard in a principal's ARN is literal and matches nobody"}
	}
	exposure, reason := owner.account(account)
	return base{exposure: exposure, name: principal, reason: reason}
}

// account is the exposure of being pinned to an account.
func (o Owner) account(account string) (Exposure, string) {
	switch {
	case !isAccount(account):
		return Unknown, fmt.Sprintf("%q is not an account", clip(account))
	case account == o.Account:
		return Internal, "the owner's own account"
	case slices.Contains(o.TrustedAccounts, account):
		return Organization, "the trusted account " + account
	}
	return External, "another account, " + account
}

// organization is the exposure of being pinned to an organization.
func (o Owner) organization(id string) (Exposure, string) {
	switch {
	case o.Organization != "" && id == o.Organization:
		return Organization, "the owner's organization"
	case slices.Contains(o.TrustedOrganizations, id):
		return Organization, "the trusted organization " + id
	}
	return External, "another organization, " + id
}

// isUniqueID reports whether a principal is the id that IAM leaves of a deleted one.
func isUniqueID(principal string) bool {
	for _, prefix := range []string{"AROA", "AIDA", "AGPA", "ANPA"} {
		if strings.HasPrefix(principal, prefix) && len(principal) >= 16 && !strings.ContainsAny(principal, ":/") {
			return true
		}
	}
	return false
}

// narrowed is the verdict on one principal under the statement's conditions,
// which all must hold: the narrowest pin counts.
func (b base) narrowed(pins []pin) Verdict {
	v := Verdict{Exposure: b.exposure, Reason: b.reason, Counterparties: []string{b.name}, Certain: true}
	if b.exposure == Nobody {
		return v
	}
	for _, p := range pins {
		if p.exposure == Unknown {
			v.Certain = false
		}
		if b.service && !p.pinsService || !v.Exposure.Wider(p.exposure) {
			continue
		}
		v.Exposure = p.exposure
		v.Reason = fmt.Sprintf("%s, pinned by %s to %s", b.subject(), p.key, p.reason)
		v.Counterparties = []string{b.name + " (" + p.key + " " + strings.Join(p.values, ", ") + ")"}
	}
	if !v.Certain && v.Exposure.Wider(Organization) && v.Exposure != Public {
		v.Exposure, v.Reason = Unknown, "a condition could not be judged: "+v.Reason
	}
	return v
}

func (b base) subject() string {
	switch {
	case b.name == "*":
		return "anyone"
	case b.service:
		return "the service " + b.name
	}
	return b.name
}

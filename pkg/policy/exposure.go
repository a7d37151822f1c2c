package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Owner is whose eyes an exposure is seen with.
type Owner struct {
	Account              string   // the account that owns the resource; empty: taken from the policy's resources
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

// Expose says who an Allow statement lets in, by itself; a Deny lets in nobody.
func Expose(s Statement, owner Owner) Verdict {
	return ExposeIn(Policy{Version: version2012, Statements: []Statement{s}}, 0, owner)
}

// ExposeIn says who one statement of a policy lets in after the policy's Denys.
func ExposeIn(p Policy, index int, owner Owner) Verdict {
	e := exposer{policy: p, owner: owner}
	e.findDenys()
	return e.expose(index)
}

// ExposeEach is [ExposeIn] for each statement of a policy, in order. The work of
// all together stays inside the caps.
func ExposeEach(p Policy, owner Owner) []Verdict {
	e := exposer{policy: p, owner: owner}
	e.findDenys()
	list := make([]Verdict, len(p.Statements))
	for i := range p.Statements {
		list[i] = e.expose(i)
	}
	return list
}

// ExposeDocument is the widest exposure of a policy's statements after its Denys.
func ExposeDocument(p Policy, owner Owner) Verdict {
	e := exposer{policy: p, owner: owner}
	e.findDenys()
	return e.document()
}

func (e *exposer) document() Verdict {
	widest := Verdict{Exposure: Nobody, Reason: "allows nothing", Certain: true}
	found := false
	for i := range e.policy.Statements {
		s := &e.policy.Statements[i]
		if s.Effect != Allow {
			continue
		}
		if found && e.readable(s) {
			if exposure, ok := glance(s, e.ownerOf(s)); ok && !exposure.Wider(widest.Exposure) {
				continue
			}
		}
		if v := e.expose(i); !found || v.Exposure.Wider(widest.Exposure) {
			widest, found = v, true
		}
		if widest.Exposure == Public {
			break // nothing is wider
		}
	}
	return widest
}

// ownerOf is the owner, with the account that the statement names, or else the
// policy, where none is given.
func (e *exposer) ownerOf(s *Statement) Owner {
	owner := e.owner
	if owner.Account == "" {
		owner.Account = cmp.Or(s.owner(), ownerOf(e.policy))
	}
	return owner
}

// readable reports whether a statement's exposure can be read off it.
func (e *exposer) readable(s *Statement) bool { return !e.denys && e.callers == nil && plain(s) }

// glance is the exposure that read gives, without its words, and false where
// that takes reading.
func glance(s *Statement, owner Owner) (Exposure, bool) {
	p := s.Principal
	if s.literal || p.Any || len(p.AWS)+len(p.Federated)+len(p.CanonicalUser) > 0 || len(p.Service) == 0 {
		return "", false
	}
	exposure := ConfusedDeputy
	for i := range s.Condition {
		c := &s.Condition[i]
		by, pins := pinners[lowerKey(c.Key)]
		if !pins || !by.pinsService {
			continue
		}
		o, widest := parseOperator(c.Operator), Nobody
		if !o.pins() {
			continue
		}
		for _, value := range c.Values {
			e, _ := by.judge(value, o, owner)
			if e == Unknown {
				return "", false
			}
			if e.Wider(widest) {
				widest = e
			}
		}
		if exposure.Wider(widest) {
			exposure = widest
		}
	}
	return exposure, true
}

// read is the exposure of an Allow as its principals and pins say it, one by
// one, without the Denys of its policy.
func read(s Statement, owner Owner) Verdict {
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
	if len(verdict.Counterparties) > 1 {
		slices.Sort(verdict.Counterparties)
		verdict.Counterparties = slices.Compact(verdict.Counterparties)
	}
	return verdict
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
	parts := strings.SplitN(principal, ":", 6)
	if len(parts) == 6 {
		account = parts[4]
	}
	if strings.ContainsAny(principal, "*?") && len(parts) == 6 {
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
	case o.Account == "":
		return External, "account " + account + ", as far as is known: whose the resource is, is not said"
	}
	return External, "another account, " + account
}

// organization is the exposure of being pinned to an organization.
func (o Owner) organization(id string) (Exposure, string) {
	switch {
	case o.Organization != "" && strings.EqualFold(id, o.Organization):
		return Organization, "the owner's organization"
	case slices.ContainsFunc(o.TrustedOrganizations, func(trusted string) bool { return strings.EqualFold(id, trusted) }):
		return Organization, "the trusted organization " + id
	}
	return External, "another organization, " + id
}

// isUniqueID reports whether a principal is the id that IAM leaves of a deleted
// one: capital letters and digits behind the prefix. Real ones have 21, those of
// examples are often shorter.
func isUniqueID(principal string) bool {
	const shortest = 8
	if len(principal) < shortest || strings.Trim(principal, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return false
	}
	for _, prefix := range []string{"AROA", "AIDA", "AGPA", "ANPA"} {
		if strings.HasPrefix(principal, prefix) {
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

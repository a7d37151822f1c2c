package policy

import (
	"math"
	"net/netip"
	"slices"
	"strings"
)

// pin is a condition that ties the caller down, and to whom.
type pin struct {
	key         string
	values      []string
	exposure    Exposure // what remains; Unknown where the condition cannot be judged
	reason      string
	pinsService bool // whether the key also pins a call that a service makes for somebody
}

// pinner judges one value of a condition key under an operator. It answers
// Public for a value that ties nobody down.
type pinner struct {
	judge       func(value string, o operator, owner Owner) (Exposure, string)
	pinsService bool
	// class judges a class of values: one text, a literal of the policy or not.
	class func(text string, literal bool, owner Owner) Exposure
	// names and named are patterns for what the owner, or a pattern of the
	// policy, names of the key: with them each class is of one name or of none.
	names   func(Owner) []string
	named   func(pattern string) []string
	pattern patternKind
}

// pinners are the keys whose values can pin a caller. Keys that the caller
// chooses (UserAgent, Referer, RequestTag, and VpcSourceIp: anybody can give a
// VPC any addresses) or that describe the owner's own side (ResourceAccount,
// ResourceOrgID) are absent on purpose.
// Source: IAM User Guide, "AWS global condition context keys".
var pinners = map[string]pinner{
	"aws:principalaccount":     accountPin(false),
	"aws:principalarn":         arnPin(false),
	"aws:principalorgid":       organizationPin(false),
	"aws:principalorgpaths":    pathPin(false),
	"aws:sourceaccount":        accountPin(true),
	"aws:sourceowner":          accountPin(true),
	"aws:sourcearn":            arnPin(true),
	"aws:sourceorgid":          organizationPin(true),
	"aws:sourceorgpaths":       pathPin(true),
	"aws:sourcevpc":            literalPin("VPC", false),
	"aws:sourcevpce":           literalPin("VPC endpoint", false),
	"aws:sourcevpcarn":         arnPin(false),
	"aws:sourceip":             literalPin("address", false), // as text; see addressPin
	"aws:userid":               userIDPin,
	"aws:vpceaccount":          accountPin(false), // who owns the VPC endpoint that the call came through
	"aws:vpceorgid":            organizationPin(false),
	"aws:vpceorgpaths":         pathPin(false),
	"lambda:sourcefunctionarn": arnPin(false), // the function whose credentials make the call
	"lambda:eventsourcetoken":  literalPin("event source token", true),

	"aws:principalservicename":      servicePin,
	"aws:principalservicenameslist": servicePin,
}

// servicePin judges the names of the service that calls.
var servicePin = pinner{
	judge: func(value string, o operator, _ Owner) (Exposure, string) {
		if !o.literal(value) {
			return Public, ""
		}
		return ConfusedDeputy, "the service " + value + ", which any of its customers can make call"
	},
	class: func(_ string, literal bool, _ Owner) Exposure {
		if literal {
			return ConfusedDeputy
		}
		return Public
	},
}

func accountPin(service bool) pinner {
	return pinner{judge: pinAccount, pinsService: service, class: func(text string, literal bool, owner Owner) Exposure {
		if !literal {
			return Public
		}
		exposure, _ := owner.account(text)
		return exposure
	}}
}

func organizationPin(service bool) pinner {
	return pinner{judge: pinOrganization, pinsService: service, class: func(text string, literal bool, owner Owner) Exposure {
		if !literal {
			return Public
		}
		exposure, _ := owner.organization(text)
		return exposure
	}}
}

func literalPin(what string, service bool) pinner {
	return pinner{judge: pinLiteral(what), pinsService: service, class: func(_ string, literal bool, _ Owner) Exposure {
		if literal {
			return External
		}
		return Public
	}}
}

// mostNamed is the most accounts or organizations that the classes of one key
// are told apart by; those behind it count as anybody's.
const mostNamed = 64

func arnPin(service bool) pinner {
	ofAccounts := func(accounts []string) (patterns []string) {
		for _, a := range accounts[:min(len(accounts), mostNamed)] {
			if isAccount(a) {
				patterns = append(patterns, "arn:*:*:*:"+a+":*")
			}
		}
		return patterns
	}
	return pinner{
		judge: pinARN, pinsService: service, pattern: arnPattern,
		class: func(text string, literal bool, owner Owner) Exposure {
			parts := strings.SplitN(text, ":", 6)
			switch {
			case len(parts) < 6 && literal:
				return Unknown
			case len(parts) < 6 || !isAccount(parts[4]):
				return Public
			}
			exposure, _ := owner.account(parts[4])
			return exposure
		},
		names: func(o Owner) []string { return ofAccounts(append([]string{o.Account}, o.TrustedAccounts...)) },
		named: func(pattern string) []string { return ofAccounts(accountsIn(pattern)) },
	}
}

// accountsIn lists the segments of a pattern that are account ids.
func accountsIn(pattern string) (accounts []string) {
	for _, part := range strings.FieldsFunc(pattern, func(r rune) bool { return r < '0' || r > '9' }) {
		if isAccount(part) {
			accounts = append(accounts, part)
		}
	}
	return accounts
}

func pathPin(service bool) pinner {
	of := func(organizations []string) (patterns []string) {
		for _, id := range organizations[:min(len(organizations), mostNamed)] {
			if id != "" && !strings.ContainsAny(id, "*?$") {
				patterns = append(patterns, id+"/*")
			}
		}
		return patterns
	}
	return pinner{
		judge: pinOrganizationPath, pinsService: service, pattern: likePattern,
		class: func(text string, _ bool, owner Owner) Exposure {
			id, _, _ := strings.Cut(text, "/")
			exposure, _ := owner.organization(id)
			return exposure
		},
		names: func(o Owner) []string { return of(append([]string{o.Organization}, o.TrustedOrganizations...)) },
		named: func(pattern string) []string {
			id, _, _ := strings.Cut(pattern, "/")
			return of([]string{id})
		},
	}
}

// userIDPin judges aws:userid: the unique id of a user, of a role with ":" and
// the session's name, or an account's id. Unique ids are never given twice.
var userIDPin = pinner{
	judge: func(value string, o operator, owner Owner) (Exposure, string) {
		id, _, _ := strings.Cut(value, ":")
		if !o.literal(id) {
			return Public, ""
		}
		return owner.userID(id)
	},
	class: func(text string, _ bool, owner Owner) Exposure {
		id, _, _ := strings.Cut(text, ":")
		exposure, _ := owner.userID(id)
		return exposure
	},
	names: func(Owner) []string { return nil },
	named: func(pattern string) []string {
		id, _, session := strings.Cut(pattern, ":")
		if !session || !isUniqueID(id) && !isAccount(id) || strings.ContainsAny(id, "*?$") {
			return nil
		}
		return []string{id + ":*"}
	},
	pattern: likePattern,
}

// userID is the exposure of being pinned to a unique id.
func (o Owner) userID(id string) (Exposure, string) {
	switch {
	case isAccount(id):
		return o.account(id)
	case isUniqueID(id):
		return External, "the principal of the unique id " + id + ", whose account is not known"
	}
	return Public, ""
}

// conditionPins lists what the conditions of a statement pin the caller to.
func conditionPins(conditions []Condition, owner Owner) []pin {
	var pins []pin
	for _, c := range conditions {
		if p, ok := conditionPin(c, owner); ok {
			pins = append(pins, p)
		}
	}
	return pins
}

func conditionPin(c Condition, owner Owner) (pin, bool) {
	o := parseOperator(c.Operator)
	key := strings.ToLower(c.Key)
	p := pin{key: c.Key, values: c.Values, exposure: Nobody}
	if !o.known() {
		p.exposure, p.reason, p.pinsService = Unknown, "the operator "+clip(c.Operator)+" is not known", true
		return p, true
	}
	if o.base == "IpAddress" && key == "aws:sourceip" {
		return addressPin(p, o)
	}
	by, ok := pinners[key]
	if !ok || !o.pins() {
		return pin{}, false
	}
	p.pinsService = by.pinsService
	for _, value := range c.Values {
		exposure, reason := by.judge(value, o, owner)
		if strings.Contains(value, "${") {
			exposure, reason = Unknown, "a policy variable"
		}
		if exposure == Public {
			return pin{}, false // one value that anybody has, and the condition pins nobody
		}
		if exposure.Wider(p.exposure) || p.reason == "" {
			p.exposure, p.reason = exposure, reason
		}
	}
	if len(c.Values) == 0 {
		p.reason = "no value at all, so nobody"
	}
	return p, true
}

// pins reports whether the operator can pin at all: a positive comparison that
// is false when the key is missing.
func (o operator) pins() bool {
	if o.ifExists || o.set == "ForAllValues" || o.negated() {
		return false
	}
	switch o.base {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnLike":
		return true
	}
	return false
}

// literal reports whether the operator takes the value as it stands.
func (o operator) literal(value string) bool {
	return o.base == "StringEquals" || o.base == "StringEqualsIgnoreCase" || !strings.ContainsAny(value, "*?")
}

func pinAccount(value string, o operator, owner Owner) (Exposure, string) {
	if !o.literal(value) {
		return Public, ""
	}
	return owner.account(value)
}

func pinOrganization(value string, o operator, owner Owner) (Exposure, string) {
	if !o.literal(value) {
		return Public, ""
	}
	return owner.organization(value)
}

// pinOrganizationPath judges o-id/r-id/ou-id/…: only what stands before the
// first wildcard and before the first slash counts.
func pinOrganizationPath(value string, o operator, owner Owner) (Exposure, string) {
	id, _, _ := strings.Cut(value, "/")
	if !o.literal(id) {
		return Public, ""
	}
	return owner.organization(id)
}

// pinARN judges an ARN by its account. Under ArnLike a wildcard stays inside
// its segment; under StringLike it crosses colons, so one before the account
// pins nothing.
func pinARN(value string, o operator, owner Owner) (Exposure, string) {
	parts := strings.SplitN(value, ":", 6)
	if len(parts) < 6 {
		if o.literal(value) {
			return Unknown, "a value that is no ARN"
		}
		return Public, ""
	}
	account := parts[4]
	if strings.ContainsAny(account, "*?") || account == "" {
		return Public, "" // an S3 bucket's ARN bears no account: whoever owns the name calls
	}
	if o.base == "StringLike" && strings.Contains(strings.Join(parts[:4], ""), "*") {
		return Public, ""
	}
	return owner.account(account)
}

func pinLiteral(what string) func(string, operator, Owner) (Exposure, string) {
	return func(value string, o operator, _ Owner) (Exposure, string) {
		if !o.literal(value) {
			return Public, ""
		}
		return External, "one " + what + ", which nobody listed as trusted"
	}
}

// narrow4 and narrow6 are how many addresses count as somebody's, as powers of
// two: a /8 of IPv4, a /32 of IPv6.
const narrow4, narrow6 = 24, 96

// addressPin judges all the addresses of a condition together: half of the
// internet twice is the internet.
func addressPin(p pin, o operator) (pin, bool) {
	if o.ifExists || o.set == "ForAllValues" {
		return pin{}, false
	}
	prefixes := make([]netip.Prefix, 0, len(p.values))
	for _, value := range p.values {
		prefix, ok := readAddress(value)
		if !ok {
			p.exposure, p.reason = Unknown, "an address that cannot be read"
			return p, true
		}
		prefixes = append(prefixes, prefix)
	}
	var total4, total6 float64
	for i, prefix := range prefixes {
		if slices.ContainsFunc(prefixes[:i], func(other netip.Prefix) bool {
			return other.Bits() <= prefix.Bits() && other.Overlaps(prefix)
		}) || slices.ContainsFunc(prefixes[i+1:], func(other netip.Prefix) bool {
			return other.Bits() < prefix.Bits() && other.Overlaps(prefix)
		}) {
			continue // inside another, which counts
		}
		size := math.Exp2(float64(prefix.Addr().BitLen() - prefix.Bits()))
		if prefix.Addr().Is4() {
			total4 += size
		} else {
			total6 += size
		}
	}
	if total4 > math.Exp2(narrow4) || total6 > math.Exp2(narrow6) {
		return pin{}, false
	}
	p.exposure, p.reason = External, "addresses that nobody listed as trusted"
	return p, true
}

// lowerKey is a condition key in lower case, without a copy where it is one of
// the keys that AddPermission writes.
func lowerKey(key string) string {
	switch key {
	case "AWS:SourceArn", "aws:SourceArn":
		return "aws:sourcearn"
	case "AWS:SourceAccount", "aws:SourceAccount":
		return "aws:sourceaccount"
	}
	return strings.ToLower(key)
}

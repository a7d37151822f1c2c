package policy

import (
	"math"
	"net/netip"
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
}

// pinners are the keys whose values can pin a caller. Keys that the caller
// chooses (UserAgent, Referer, RequestTag) or that describe the owner's own side
// (ResourceAccount, ResourceOrgID) are absent on purpose.
// Source: IAM User Guide, "AWS global condition context keys".
var pinners = map[string]pinner{
	"aws:principalaccount":    {judge: pinAccount},
	"aws:principalarn":        {judge: pinARN},
	"aws:principalorgid":      {judge: pinOrganization},
	"aws:principalorgpaths":   {judge: pinOrganizationPath},
	"aws:sourceaccount":       {judge: pinAccount, pinsService: true},
	"aws:sourceowner":         {judge: pinAccount, pinsService: true},
	"aws:sourcearn":           {judge: pinARN, pinsService: true},
	"aws:sourceorgid":         {judge: pinOrganization, pinsService: true},
	"aws:sourceorgpaths":      {judge: pinOrganizationPath, pinsService: true},
	"aws:sourcevpc":           {judge: pinLiteral("VPC")},
	"aws:sourcevpce":          {judge: pinLiteral("VPC endpoint")},
	"lambda:eventsourcetoken": {judge: pinLiteral("event source token"), pinsService: true},
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
	if o.base == "IpAddress" && (key == "aws:sourceip" || key == "aws:vpcsourceip") {
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

// addressPin judges all the addresses of a condition together: half of the
// internet twice is the internet.
func addressPin(p pin, o operator) (pin, bool) {
	if o.ifExists || o.set == "ForAllValues" {
		return pin{}, false
	}
	const narrow4, narrow6 = 24, 96 // addresses as a power of two: a /8 of IPv4, a /32 of IPv6
	var total4, total6 float64
	for _, value := range p.values {
		bits, is4, ok := addressBits(value)
		switch {
		case !ok:
			p.exposure, p.reason = Unknown, "an address that cannot be read"
			return p, true
		case is4:
			total4 += math.Exp2(bits)
		default:
			total6 += math.Exp2(bits)
		}
	}
	if total4 > math.Exp2(narrow4) || total6 > math.Exp2(narrow6) {
		return pin{}, false
	}
	p.exposure, p.reason = External, "addresses that nobody listed as trusted"
	return p, true
}

// addressBits is the size of an address range as a power of two.
func addressBits(value string) (bits float64, is4, ok bool) {
	if addr, err := netip.ParseAddr(value); err == nil {
		return 0, addr.Is4(), true
	}
	prefix, err := netip.ParsePrefix(value)
	if err != nil {
		return 0, false, false
	}
	return float64(prefix.Addr().BitLen() - prefix.Bits()), prefix.Addr().Is4(), true
}

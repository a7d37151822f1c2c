package policy

import (
	"slices"
	"strings"
)

// Rung is how far a grant to a service is pinned: the ladder of S3 (bucket and
// account, account only, bucket only, neither) for every service.
type Rung string

// The rungs, widest first. Each has the exposure that [Expose] gives the
// statement. How bad a rung is, package drift decides.
const (
	// RungNone is [ConfusedDeputy]: anybody's sources, or those of a pattern
	// that anybody can meet.
	RungNone Rung = "none"
	// RungSource is [ConfusedDeputy]: the source is named, and its ARN bears no
	// account. Whoever owns the name calls.
	RungSource Rung = "source-only"
	// RungForeign is [External]: pinned to accounts or an organization outside.
	RungForeign Rung = "foreign"
	// RungToken is [External]: pinned to an event source token, as tight as
	// Alexa can be; whose token it is, a policy does not say.
	RungToken Rung = "token-only"
	// RungOrganization is [Organization]: pinned to the organization, or to
	// organizations and accounts that are trusted.
	RungOrganization Rung = "organization-only"
	// RungAccount is [Internal]: any source of the owner's account.
	RungAccount Rung = "account-only"
	// RungTight is [Internal]: named sources of the owner's account.
	RungTight Rung = "tight"
)

// rungs are the rungs, widest first.
var rungs = []Rung{RungNone, RungSource, RungForeign, RungToken, RungOrganization, RungAccount, RungTight}

// Wider reports whether r lets in more than q, by the order of the constants.
// What is no rung is wider than all.
func (r Rung) Wider(q Rung) bool { return slices.Index(rungs, r) < slices.Index(rungs, q) }

// Exposure is the exposure of a statement on the rung.
func (r Rung) Exposure() Exposure {
	switch r {
	case RungForeign, RungToken:
		return External
	case RungOrganization:
		return Organization
	case RungAccount, RungTight:
		return Internal
	default:
		return ConfusedDeputy
	}
}

// Step is where a statement stands on the ladder.
type Step struct {
	Rung    Rung
	Service string // the service that it is widest for, as in the policy
	Reason  string // who may have the function called, in plain words
}

// Ladder says how far an Allow of services is pinned, for the widest of its
// services. It returns false where other principals are let in as well, and
// where [Expose] says unknown or nobody: there Expose has the reason.
//
// For example, s3.amazonaws.com with {"ArnLike":{"aws:SourceArn":"arn:aws:s3:::b"}}
// is source-only: the bucket "b" of whoever owns the name.
func Ladder(s Statement, owner Owner) (Step, bool) {
	if s.Effect != Allow || !onlyServices(s.Principal) {
		return Step{}, false
	}
	s = s.current()
	if owner.Account == "" {
		owner.Account = s.owner()
	}
	var widest Step
	for _, principal := range s.Principal.Service {
		step, exposure := stepOf(s, principal, owner)
		switch {
		case exposure == Nobody:
		case step.Rung == "":
			return Step{}, false
		case widest.Rung == "" || step.Rung.Wider(widest.Rung):
			widest = step
		}
	}
	return widest, widest.Rung != ""
}

// onlyServices reports whether the principals are services and nobody else.
func onlyServices(p *Principals) bool {
	return p != nil && !p.Any && len(p.AWS)+len(p.Federated)+len(p.CanonicalUser) == 0 && len(p.Service) > 0
}

// stepOf is the step for one service of a statement, without a rung where the
// exposure has none. The exposure decides; the source divides it further.
func stepOf(s Statement, principal string, owner Owner) (Step, Exposure) {
	s.Principal = &Principals{Service: []string{principal}}
	v := Expose(s, owner)
	service, known := ServiceOf(principal)
	if !known || service.Source == "" {
		service.Source, service.Calls = "source", "points it here"
	}
	from := originOf(s.Condition, service, owner.Account)
	step := Step{Service: principal}
	switch v.Exposure {
	case ConfusedDeputy:
		step.Rung, step.Reason = RungNone, "any "+service.Source+" in the world"+from.matching()+" whose owner "+service.Calls
		if from.bounded {
			step.Rung = RungSource
			step.Reason = "the " + service.Source + " " + from.list() + ": whoever owns that name; if it is deleted, anybody may take it"
		}
	case External:
		step.Rung, step.Reason = RungForeign, v.Reason
		if token := tokensOf(s.Condition); token != "" && !from.foreign && !pinsAccount(s.Condition) {
			step.Rung = RungToken
			step.Reason = "the " + service.Source + " whose token is " + token + ": whether it is yours, the policy does not say"
		}
	case Organization:
		step.Rung, step.Reason = RungOrganization, v.Reason
	case Internal:
		step.Rung, step.Reason = RungAccount, "any "+service.Source+" of your own account"
		if from.named {
			step.Rung, step.Reason = RungTight, "the "+service.Source+" "+from.list()+" of your own account"
		}
	case Public, Nobody, Unknown:
		return Step{}, v.Exposure
	}
	if known {
		step.Reason += service.doubts(s.Condition)
	}
	return step, v.Exposure
}

// doubts says which keys of a statement the service is not documented to send,
// and whether it calls by the policy at all.
func (s Service) doubts(conditions []Condition) string {
	if s.Instead != "" {
		return "; but the service calls by " + s.Instead + ", and not by this policy"
	}
	if unsent := s.unsent(conditions); len(unsent) > 0 {
		return "; but the service is not documented to send " + strings.Join(unsent, " and ") + ", so it may not get in at all"
	}
	return ""
}

// unsent lists the keys of pins that the service is not documented to send.
func (s Service) unsent(conditions []Condition) (keys []string) {
	for _, c := range conditions {
		if o := parseOperator(c.Operator); o.pins() && !s.sends(lowerKey(c.Key)) {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

// sends reports whether a service is documented to send a key that pins it.
// Other keys count as sent: the table is not about them.
func (s Service) sends(key string) bool {
	switch key {
	case "aws:sourceaccount":
		return s.SendsAccount
	case "aws:sourcearn":
		return s.ARN != ""
	case "lambda:eventsourcetoken":
		return s.Token != ""
	}
	return true
}

// origin is what the conditions on aws:SourceArn say of the source.
type origin struct {
	named   bool     // each value names a source of the owner's account, or one without account
	bounded bool     // each value names one source without account, or an account
	foreign bool     // a value names another account
	values  []string // of the condition that says so, or of the first one
}

// originOf reads the conditions on aws:SourceArn, all of which must hold: the
// narrowest counts.
func originOf(conditions []Condition, service Service, account string) origin {
	var best origin
	for _, c := range conditions {
		o := parseOperator(c.Operator)
		if lowerKey(c.Key) != "aws:sourcearn" || !o.pins() || len(c.Values) == 0 {
			continue
		}
		from := origin{named: true, bounded: true}
		for _, value := range c.Values {
			from.values = append(from.values, service.short(value))
			v := originOfValue(value, o, service, account)
			from.named, from.bounded, from.foreign = from.named && v.named, from.bounded && v.bounded, from.foreign || v.foreign
		}
		if best.values == nil || from.named && !best.named || from.bounded && !best.bounded && from.named == best.named {
			best = from
		}
	}
	return best
}

// originOfValue reads one value of aws:SourceArn. A wildcard of StringLike
// crosses colons, so one before the account leaves the account open.
func originOfValue(value string, o operator, service Service, account string) origin {
	parts := strings.SplitN(value, ":", 6)
	if len(parts) < 6 || strings.Contains(value, "${") || o.base == "StringLike" && strings.Contains(strings.Join(parts[:5], ""), "*") {
		return origin{}
	}
	if parts[4] == "" {
		return origin{named: service.names(parts[5], o), bounded: o.literal(parts[5])}
	}
	if !isAccount(parts[4]) {
		return origin{}
	}
	own := parts[4] == account
	return origin{named: own && service.names(parts[5], o), bounded: true, foreign: !own}
}

// names reports whether the last segment of a source ARN names a source, at
// least by a part of its name: rule/nightly-* does, rule/* does not. The words
// that the shape of the ARN has in lower case are no names.
func (s Service) names(resource string, o operator) bool {
	if o.literal(resource) {
		return true
	}
	split := func(text string) []string {
		return strings.FieldsFunc(text, func(c rune) bool { return c == '/' || c == ':' })
	}
	words := split(resource)
	var types []string
	if parts := strings.SplitN(s.ARN, ":", 6); len(parts) == 6 {
		types = slices.DeleteFunc(split(parts[5]), func(word string) bool { return strings.ToLower(word) != word || word == "*" })
	} else if len(words) > 1 {
		types = words[:1] // an unknown shape: the first word may be a type
	}
	if len(types) > 0 {
		words = words[min(1, len(words)):] // the first is a type, whichever
		types = types[1:]
	}
	for _, t := range types {
		if i := slices.Index(words, t); i >= 0 {
			words = slices.Delete(slices.Clone(words), i, i+1)
		}
	}
	return len(words) > 0 && strings.Trim(words[0], "*?") != ""
}

// matching is what a pattern adds to "any source in the world".
func (o origin) matching() string {
	if len(o.values) == 0 {
		return ""
	}
	return " that matches " + o.list() + " and"
}

// list is the values in words.
func (o origin) list() string {
	quoted := make([]string, len(o.values))
	for i, value := range o.values {
		quoted[i] = `"` + clip(value) + `"`
	}
	return strings.Join(quoted, " or ")
}

// short is a source ARN as people call the source: a bucket by its name.
func (s Service) short(arn string) string {
	if _, name, ok := strings.Cut(arn, ":s3:::"); ok && s.Principal == "s3.amazonaws.com" {
		return name
	}
	return arn
}

// tokensOf is the event source tokens that a statement pins, empty if none.
func tokensOf(conditions []Condition) string {
	for _, c := range conditions {
		o := parseOperator(c.Operator)
		if lowerKey(c.Key) == "lambda:eventsourcetoken" && o.pins() && len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool { return !o.literal(v) }) {
			return origin{values: c.Values}.list()
		}
	}
	return ""
}

// pinsAccount reports whether a condition names accounts or organizations on
// whose behalf a service calls.
func pinsAccount(conditions []Condition) bool {
	return slices.ContainsFunc(conditions, func(c Condition) bool {
		o := parseOperator(c.Operator)
		switch lowerKey(c.Key) {
		case "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths":
			return o.pins() && len(c.Values) > 0 && !slices.ContainsFunc(c.Values, func(v string) bool { return !o.literal(v) && !strings.Contains(v, "/") })
		}
		return false
	})
}

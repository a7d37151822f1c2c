package drift

import (
	"fmt"
	"slices"

	"github.com/permdrift/permdrift/pkg/policy"
)

// adopts decides whether a finding is adopted: by an adoption that stands and is
// still permitted, or, where adoptions can be sealed, by a new one, whose seal
// is empty. Only an exact Allow that merely invokes is adopted, never what lets
// in nobody at present: it may let in anybody later. Roles, URLs, layers and
// mappings are never adopted.
func (c Context) adopts(change Change, baseline Baseline, f Finding) (Adoption, bool) {
	if f.Kind != PolicyWidened || f.Subject.Kind() != Function || f.Statement.Effect != policy.Allow ||
		!f.Certain || Administers(*f.Statement) {
		return Adoption{}, false
	}
	if a, ok := baseline.Adoptions[f.ID]; ok && c.permits(a, baseline, f) {
		return a, true
	}
	if !c.Seals {
		return Adoption{}, false
	}
	for _, r := range baseline.Rules {
		a := Adoption{Rule: r.ID, Issuer: change.Actor.Issuer, Event: change.Event.Key(), At: change.Event.Time}
		if r.Adopt != nil && r.Adopt.made(change, f) && c.permits(a, baseline, f) {
			return a, true
		}
	}
	if learning := (Adoption{Rule: LearnRule, Event: change.Event.Key(), At: c.Now}); !baseline.Known() && c.Now.Before(c.LearnUntil) && c.permits(learning, baseline, f) {
		return learning, true
	}
	return Adoption{}, false
}

// permits reports whether the rule of an adoption is still there and permits
// it. Learning permits what was adopted before its end.
func (c Context) permits(a Adoption, baseline Baseline, f Finding) bool {
	if a.Rule == LearnRule {
		if c.Learned {
			return f.Exposure == policy.Internal
		}
		return c.Unknown == Learn && a.At.Before(c.LearnUntil) && c.LearnUntil.Sub(a.At) <= MaxLearn && f.Exposure == policy.Internal
	}
	i := slices.IndexFunc(baseline.Rules, func(r Rule) bool { return r.ID == a.Rule })
	if i < 0 || baseline.Rules[i].Adopt == nil || a.At.IsZero() {
		return false
	}
	r := baseline.Rules[i]
	return r.Matches(f.Subject) && !r.Expired(c.Now) && a.Issuer == r.Adopt.Issuer &&
		(f.Exposure == policy.Internal || f.Exposure == policy.Organization && r.Adopt.Organization)
}

// made reports whether a change is a deployer's grant of exactly the statement
// that a finding is about: a session of the role, in the account, by an event
// that claims the statement as it stands.
func (d Deployer) made(change Change, f Finding) bool {
	claimed, ok := claim(change)
	return ok && !change.OutcomeUnknown && change.Subject == f.Subject && change.Place == f.Place &&
		change.Actor.Type == "AssumedRole" && change.Actor.Issuer == d.Issuer && change.Actor.Account == d.Account &&
		slices.ContainsFunc(claimed.Statements, f.Statement.Equal)
}

// words are the beginning of the reason of an adopted finding.
func (a Adoption) words() string {
	if a.Rule == LearnRule {
		return "adopted while learning: "
	}
	return fmt.Sprintf("adopted by the rule %s, from a grant of %s: ", a.Rule, a.Issuer)
}

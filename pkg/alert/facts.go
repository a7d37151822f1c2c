package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// tense is how a fact is told.
type tense int

const (
	now tense = iota // what was just done
	was              // what is over
	is               // what stands
)

// may is the verb of what is granted.
var may = map[tense]string{now: "may now", was: "could", is: "may"}

// kinds are the headlines of the kinds that are always told in one way; %s is
// the subject.
var kinds = map[drift.FindingKind]string{
	drift.UnreadableChange: "a change to %s could not be read",
	drift.BaselineTampered: "the baseline of %s was tampered with",
}

// fact is the difference itself.
func (s story) fact(t tense) string {
	if form, ok := kinds[s.Kind]; ok {
		return fmt.Sprintf(form, s.target())
	}
	switch s.Kind {
	case drift.URLOpened:
		return s.url(t)
	case drift.EventSourceAdded:
		return s.source(t)
	case drift.RoleReplaced:
		return s.role(t)
	case drift.AliasRepointed:
		return "the alias " + shorten(string(s.Place), s.nameLength) + " of " + shorten(s.name(), s.nameLength) + " was pointed at other code"
	case drift.AuditBlinded:
		return s.blinded()
	case drift.PolicyNarrowed:
		return s.narrowed()
	case drift.TrustWidened:
		return s.trust(t)
	case drift.TrustNarrowed:
		return s.distrust(t)
	case drift.PermissionsWidened:
		return s.permissions(t)
	case drift.PermissionsNarrowed:
		return s.lost()
	case drift.BoundaryRemoved:
		return s.boundary(t)
	default: // the rest is as below
	}
	return s.grant(t)
}

// grant tells of a grant on a function or layer version.
func (s story) grant(t tense) string {
	use := "invoke"
	switch {
	case s.Statement != nil && s.Statement.Effect == policy.Deny:
		return s.target() + " lost a Deny"
	case s.Statement != nil && drift.Administers(*s.Statement):
		use = "administer"
	case s.Kind == drift.LayerShared:
		use = "read"
	case s.Statement != nil && onlyURL(*s.Statement):
		use = "call the URL of"
	}
	return s.somebody() + " " + may[t] + " " + use + " " + s.target()
}

// onlyURL reports whether a statement lets somebody call a function URL and
// nothing else.
func onlyURL(s policy.Statement) bool {
	return len(s.Action) > 0 && !slices.ContainsFunc(s.Action, func(a string) bool { return !strings.EqualFold(a, "lambda:InvokeFunctionUrl") })
}

// url tells of a function URL that is not approved as it is.
func (s story) url(t tense) string {
	if c, b := s.Config, s.Before; c != nil && c.URL != nil && b != nil && b.URL != nil && b.URL.AuthType == c.URL.AuthType {
		return "browsers on more sites " + may[t] + " call the URL of " + s.target()
	}
	if s.Exposure == policy.Nobody {
		return s.target() + map[tense]string{now: " has", was: " had", is: " has"}[t] + " a function URL that nobody approved"
	}
	return s.somebody() + " " + may[t] + " call the URL of " + s.target()
}

// source tells of an event source mapping that is not approved as it is.
func (s story) source(t tense) string {
	what, where, enabled := "an event source", "", true
	if c := s.Config; c != nil && c.Mapping != nil {
		enabled = c.Mapping.Enabled
		switch {
		case s.Exposure == policy.External && strings.HasPrefix(c.Mapping.Source, "arn:"):
			where = " in another account"
		case s.Exposure == policy.External:
			where = " outside of AWS accounts"
		case s.Exposure == policy.Organization:
			where = " in a trusted account"
		}
	}
	if !enabled {
		what = "a disabled event source"
	}
	what += where
	switch {
	case t == now && s.Before != nil:
		return what + " was enabled for " + s.target()
	case t == now:
		return what + " was added to " + s.target()
	case !enabled:
		return what + map[tense]string{was: " was on ", is: " is on "}[t] + s.target()
	}
	return what + map[tense]string{was: " fed ", is: " feeds "}[t] + s.target()
}

// role tells of an execution role that is not approved.
func (s story) role(t tense) string {
	if t == now {
		return "the execution role of " + s.target() + " was replaced"
	}
	return s.target() + map[tense]string{was: " ran", is: " runs"}[t] + " under an execution role that nobody approved"
}

// blinded tells of a call that took something from the auditing.
func (s story) blinded() string {
	what := "changed"
	for _, verb := range []string{"Stop", "Delete", "Disable", "Remove", "Unsubscribe", "Purge", "Schedule", "Leave"} {
		if strings.HasPrefix(s.Event.Name, verb) {
			what = "switched off"
		}
	}
	account := shorten("account "+s.Account, s.nameLength)
	if s.Subject.Kind() == drift.Function || s.Subject.Kind() == drift.Role {
		account = shorten(s.name(), s.nameLength) + ", which watches " + account
		return "somebody changed " + account
	}
	return "somebody " + what + " a part of what watches " + account
}

// narrowed tells of what is approved and is not there as it was.
func (s story) narrowed() string {
	switch c := s.Config; {
	case c != nil && c.URL != nil && s.Before != nil:
		return "the URL of " + s.target() + " answers fewer callers than approved"
	case c != nil && c.URL != nil:
		return "the approved URL of " + s.target() + " is gone"
	case c != nil && c.Mapping != nil && s.Before != nil:
		return "an approved event source of " + s.target() + " is disabled"
	case c != nil && c.Mapping != nil:
		return "an approved event source of " + s.target() + " is gone"
	case s.Statement != nil && s.Statement.Effect == policy.Deny:
		return "a Deny that nobody approved is on " + s.target()
	case s.Statement != nil && s.Statement.Principal != nil && len(s.Statement.Principal.Service) == 1 && !drift.Administers(*s.Statement):
		return shorten(s.Statement.Principal.Service[0], s.nameLength) + " cannot call " + s.target() + " any more"
	}
	return s.target() + " lost an approved permission"
}

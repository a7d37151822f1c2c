package alert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// narrows reports whether a finding is about something approved that is not
// there, or about a Deny or a boundary that takes away.
func (s story) narrows() bool {
	return s.Kind == drift.PolicyNarrowed || s.Kind == drift.TrustNarrowed || s.Kind == drift.PermissionsNarrowed
}

// ofRole reports whether a finding is about the documents of a role, user or group.
func (s story) ofRole() bool {
	switch s.Kind {
	case drift.TrustWidened, drift.TrustNarrowed, drift.PermissionsWidened, drift.PermissionsNarrowed, drift.BoundaryRemoved:
		return true
	default:
		return false
	}
}

// handed reports whether a finding is about a call that handed a role to others
// without a change of its documents.
func (s story) handed() bool {
	return s.Kind == drift.TrustWidened && s.Statement == nil && s.transition == drift.Vanished
}

// aboutDeny reports whether a finding shows a Deny.
func (s story) aboutDeny() bool { return s.Statement != nil && s.Statement.Effect == policy.Deny }

// trust tells of who may assume a role, and should not.
func (s story) trust(t tense) string {
	switch {
	case s.handed():
		return s.handedTo()
	case s.aboutDeny():
		return "the trust policy of " + s.target() + " lost a Deny"
	case s.Exposure == policy.Nobody:
		return "the trust policy of " + s.target() + map[tense]string{now: " got", was: " had", is: " has"}[t] + " a grant that lets in nobody at present"
	}
	who := s.somebody()
	if service := s.service(); service != "" && (s.Exposure == policy.Internal || s.Exposure == policy.Organization) {
		who = service
	}
	return who + " " + may[t] + " assume " + s.target()
}

// handedTo tells of whom a role was handed to, by the call.
func (s story) handedTo() string {
	switch name := s.Event.Name; {
	case strings.Contains(name, "InstanceProfile"):
		return s.target() + " was put into an instance profile"
	case strings.HasSuffix(name, "Profile"):
		return "a profile of Roles Anywhere hands out " + s.target()
	case strings.HasSuffix(name, "TrustAnchor"):
		return "a trust anchor of Roles Anywhere that " + s.target() + " trusts was changed"
	}
	return "an identity provider that " + s.target() + " trusts was changed"
}

// service is the one service that a statement lets in, empty where it lets in
// others too.
func (s story) service() string {
	if s.Statement == nil || s.Statement.Principal == nil {
		return ""
	}
	p := s.Statement.Principal
	if p.Any || len(p.Service) != 1 || len(p.AWS)+len(p.Federated)+len(p.CanonicalUser) > 0 {
		return ""
	}
	if p.Service[0] == "lambda.amazonaws.com" {
		return "Lambda"
	}
	return shorten(p.Service[0], s.nameLength)
}

// distrust tells of who cannot assume a role any more. Where that is Lambda, the
// functions that run as it stop.
func (s story) distrust(t tense) string {
	cannot := map[tense]string{now: "cannot", was: "could not", is: "cannot"}[t]
	switch service := s.service(); {
	case s.aboutDeny():
		return "a Deny that nobody approved is in the trust policy of " + s.target()
	case service == "":
		return "the trust policy of " + s.target() + " lost an approved statement"
	case service == "Lambda" && len(s.Functions) > 0:
		stops := map[tense]string{now: " stops", was: " stopped", is: " stops"}[t]
		what := "the function that runs as it"
		if len(s.Functions) > 1 {
			stops = map[tense]string{now: " stop", was: " stopped", is: " stop"}[t]
			what = fmt.Sprintf("the %d functions that run as it", len(s.Functions))
		}
		return "Lambda " + cannot + " assume " + s.target() + " any more: " + what + stops
	default:
		return service + " " + cannot + " assume " + s.target() + " any more"
	}
}

// permissions tells of what a role, user or group may do, and should not.
func (s story) permissions(t tense) string {
	switch {
	case s.Subject.Kind() != drift.Role && !s.aboutDeny():
		return s.target() + " " + may[t] + " " + onFunctions(s.Statement) + " functions"
	case s.administrator():
		return s.target() + " " + may[t] + " do everything: it is an administrator"
	case s.can(t) != "":
		return s.target() + " " + s.can(t)
	case s.aboutDeny():
		return s.target() + " lost a Deny"
	case s.Severity == drift.Informational && s.Witness == nil:
		return s.target() + map[tense]string{now: " got", was: " had", is: " has"}[t] + " a permission that is without effect at present"
	}
	return s.target() + " " + may[t] + " do more than approved"
}

// administrator reports whether a role's new rights are all rights.
func (s story) administrator() bool {
	return slices.ContainsFunc(s.Escalations, func(e drift.Escalation) bool { return e.Method == "administrator" })
}

// can is the worst that a role's new rights come to, as the end of a sentence;
// empty if they come to nothing worse than their text.
func (s story) can(t tense) string {
	var worst drift.Escalation
	for _, e := range s.Escalations {
		if worst.Method == "" || e.Severity.Rank() > worst.Severity.Rank() {
			worst = e
		}
	}
	does, ok := strings.CutPrefix(worst.Reason, "can ")
	if !ok {
		return ""
	}
	if i := strings.LastIndex(does, " ("); i > 0 && strings.HasSuffix(does, ")") {
		does = does[:i] // the actions, which are told below
	}
	return map[tense]string{now: "can now ", was: "could ", is: "can "}[t] + shorten(does, 2*s.nameLength)
}

// onFunctions is what a statement lets somebody do with functions.
func onFunctions(s *policy.Statement) string {
	if s == nil || s.NotAction != nil {
		return "administer"
	}
	lambda := *s
	lambda.Action = slices.DeleteFunc(slices.Clone(s.Action), func(action string) bool {
		const service = "lambda:"
		fixed := strings.ToLower(action)
		if i := strings.IndexAny(fixed, "*?"); i >= 0 {
			fixed = fixed[:i]
		}
		return !strings.HasPrefix(fixed, service) && !strings.HasPrefix(service, fixed)
	})
	if drift.Administers(lambda) {
		return "administer"
	}
	return "invoke"
}

// lost tells of what a role, user or group may not do, and should.
func (s story) lost() string {
	switch {
	case s.Place == drift.Boundary:
		return "the permissions boundary of " + s.target() + " allows less than approved"
	case s.aboutDeny():
		return "a Deny that nobody approved is on " + s.target()
	}
	return s.target() + " lost an approved permission"
}

// boundary tells of a permissions boundary that is not as approved.
func (s story) boundary(t tense) string {
	text := "the permissions boundary of " + s.target() + map[tense]string{now: " is", was: " was", is: " is"}[t]
	if s.Config == nil {
		text += " gone"
	} else {
		text += " wider than approved"
	}
	if s.administrator() {
		text += ", and it" + map[tense]string{now: " may now", was: " could", is: " may"}[t] + " do everything"
	}
	return text
}

// document is the document that a statement is of, as it follows "This
// statement"; empty where the subject says it.
func (s story) document() string {
	switch {
	case strings.HasPrefix(s.Policy, "arn:"):
		return " of the policy " + s.Policy
	case s.Policy != "":
		return " of the " + s.Policy
	case s.Kind == drift.TrustWidened || s.Kind == drift.TrustNarrowed:
		return " of the trust policy"
	}
	return ""
}

// comesTo tells by which methods a role can do worse than its text says.
func (t *text) comesTo() {
	if len(t.Escalations) == 0 {
		return
	}
	if t.over() {
		t.head("What it came to")
	} else {
		t.head("What it comes to")
	}
	for i, e := range t.Escalations {
		if i == maxEntries {
			t.line(1, fmt.Sprintf("and %d more %s", len(t.Escalations)-maxEntries, t.cutNote()))
			return
		}
		t.line(1, join(", ", e.Method, string(e.Severity))+": "+e.Reason)
	}
}

// runners are the functions that run as a role.
func (t *text) runners() {
	if len(t.Functions) == 0 {
		return
	}
	t.head("Functions that run as it")
	for i, f := range t.Functions {
		if i == maxEntries {
			t.line(1, fmt.Sprintf("and %d more %s", len(t.Functions)-maxEntries, t.cutNote()))
			return
		}
		t.line(1, string(f))
	}
}

// methods are the escalations on one line.
func (s story) methods() string {
	var list []string
	for _, e := range s.Escalations {
		list = append(list, fmt.Sprintf("%s (%s)", e.Method, e.Severity))
	}
	return strings.Join(list, ", ")
}

// places are the places of a role as people call them.
var places = map[drift.Place]string{
	drift.Trust: "trust policy", drift.Identity: "identity policies", drift.Boundary: "permissions boundary",
}

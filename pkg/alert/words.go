package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// story is a finding and what happened to it, in words. Its texts are raw:
// whoever prints them cleans each line.
type story struct {
	drift.Finding
	transition drift.TransitionKind
	at         time.Time
	note       string
	nameLength int // of names in the headline
}

func newStory(f drift.Finding, a drift.Announcement) story {
	if a.Transition == "" {
		a.Transition = drift.Opened
	}
	return story{Finding: f, transition: a.Transition, at: a.At, note: a.Note, nameLength: 200}
}

// somebody is who an exposure lets in, as the head of a sentence.
var somebody = map[policy.Exposure]string{
	policy.Public:         "anyone",
	policy.ConfusedDeputy: "any customer of an AWS service",
	policy.External:       "an outsider",
	policy.Organization:   "another account of the organization",
	policy.Internal:       "somebody in the account itself",
	policy.Nobody:         "nobody",
	policy.Unknown:        "somebody unknown",
}

// meaning explains each exposure in one sentence.
var meaning = map[policy.Exposure]string{
	policy.Public:         "public: anyone can use it, from any AWS account or with none at all.",
	policy.ConfusedDeputy: "confused deputy: an AWS service may call it, and any customer of that service can make the service call.",
	policy.External:       "external: it lets in an account, organization, network or token that is neither the owner's nor listed as trusted.",
	policy.Organization:   "organization: it lets in accounts of the owner's or a trusted organization.",
	policy.Internal:       "internal: it lets in only the owner's own account, or a service acting for it.",
	policy.Nobody:         "nobody: it lets nobody in.",
	policy.Unknown:        "unknown: permdrift cannot say whom it lets in, so count it as open until a person has looked.",
}

// kinds are the headlines of the kinds that are not about one statement; %s is the subject.
var kinds = map[drift.FindingKind]string{
	drift.URLOpened:           "a function URL of %s was opened",
	drift.RoleReplaced:        "the execution role of %s was replaced",
	drift.EventSourceAdded:    "an event source was added to %s",
	drift.LayerShared:         "layer %s was shared",
	drift.TrustWidened:        "more principals may assume role %s",
	drift.TrustNarrowed:       "fewer principals may assume role %s",
	drift.PermissionsWidened:  "role %s may do more than approved",
	drift.PermissionsNarrowed: "role %s may do less than approved",
	drift.BoundaryRemoved:     "the permissions boundary of role %s was removed",
	drift.UnreadableChange:    "a change to %s could not be read",
	drift.AuditBlinded:        "the auditing of %s was tampered with",
	drift.BaselineTampered:    "the baseline of %s was tampered with",
}

// label is the head of the first line: how bad, or that it is over.
func (s story) label() string {
	severity := strings.ToUpper(string(s.Severity))
	if severity == "" {
		severity = "FINDING"
	}
	switch s.transition {
	case drift.Closed:
		return "RESOLVED"
	case drift.RemovedByUs:
		return "REMOVED"
	case drift.Refused:
		return severity + ", NOT REMOVED"
	default: // the rest is as below
	}
	return severity
}

// headline is what happened, in one line without an end.
func (s story) headline() string {
	switch s.transition {
	case drift.Replaced:
		return s.fact("may now") + ", replacing another statement"
	case drift.Reopened:
		return s.fact("may now") + ", again"
	case drift.Vanished:
		if stood := s.stood(); stood != "" {
			return s.fact("could") + " for up to " + stood
		}
		return s.fact("could") + " for a moment"
	case drift.Closed:
		return s.fact("could") + "; that is over"
	case drift.RemovedByUs:
		return s.fact("could") + "; permdrift took that away"
	case drift.Refused:
		return s.fact("may") + ", and permdrift left it so"
	default: // the rest is as below
	}
	return s.fact("may now")
}

// fact is the difference itself; may is the verb of what is granted.
func (s story) fact(may string) string {
	if form, ok := kinds[s.Kind]; ok {
		return fmt.Sprintf(form, s.target())
	}
	denies := s.Statement != nil && s.Statement.Effect == policy.Deny
	switch {
	case s.Kind == drift.PolicyNarrowed && denies:
		return "a Deny that nobody approved is on " + s.target()
	case s.Kind == drift.PolicyNarrowed:
		return s.target() + " lost an approved permission"
	case denies:
		return s.target() + " lost a Deny"
	case s.Statement != nil && drift.Administers(*s.Statement):
		return s.somebody() + " " + may + " administer " + s.target()
	}
	return s.somebody() + " " + may + " invoke " + s.target()
}

func (s story) somebody() string {
	if who := somebody[s.Exposure]; who != "" {
		return who
	}
	return somebody[policy.Unknown]
}

// target is the subject as people call it: its name, and the qualifier if any.
func (s story) target() string {
	name := s.Subject.Name()
	if s.Subject.Kind() == drift.Account {
		name = "account " + s.Subject.Account()
	}
	if name == "" {
		name = string(s.Subject)
	}
	name = shorten(name, s.nameLength)
	if s.Place != drift.Unqualified {
		name += " (" + shorten(string(s.Place), s.nameLength/2) + ")"
	}
	return name
}

// stood is how long what the finding is about was there, empty if that is not known.
func (s story) stood() string {
	from, to := s.Event.Time, s.ResolvedAt
	if s.transition != drift.Vanished {
		from = s.FirstSeen
	}
	if to.IsZero() {
		to = s.at
	}
	if from.IsZero() || to.Before(from) {
		return ""
	}
	return to.Sub(from).Round(time.Second).String()
}

// verb says what happened to the statement.
func (s story) verb() string {
	denies := s.Statement.Effect == policy.Deny
	wasRemoved := (s.Kind == drift.PolicyNarrowed) != denies
	what := "This statement"
	if denies {
		what = "This Deny"
	}
	switch {
	case s.transition == drift.Vanished:
		return what + " was added, and was gone when permdrift looked"
	case s.transition == drift.Closed && wasRemoved:
		return what + " had been removed, and is back or not approved any more"
	case s.transition == drift.Closed:
		return what + " had been added, and is gone or approved now"
	case s.transition == drift.RemovedByUs:
		return what + " had been added, and permdrift removed it"
	case wasRemoved:
		return what + " was removed"
	}
	return what + " was added"
}

// who is the actor as people would name him, empty if nobody knows.
func (s story) who() string {
	a := s.Actor
	var who string
	resource := a.ARN[strings.LastIndexByte(a.ARN, ':')+1:]
	parts := strings.Split(resource, "/")
	switch {
	case len(parts) > 2 && parts[0] == "assumed-role":
		who = "session " + strings.Join(parts[2:], "/") + " of role " + parts[1]
	case len(parts) > 1 && parts[0] == "user":
		who = "user " + parts[len(parts)-1]
	case a.Type == "Root" || resource == "root":
		who = "the root user"
	case a.ARN != "":
		who = a.ARN
	case a.InvokedBy != "":
		who = a.InvokedBy
	case a.Type != "" || a.Account != "":
		who = strings.TrimSpace("somebody " + a.Type)
	default:
		return ""
	}
	if a.Account != "" && a.Account != s.Account {
		who += " of another account, " + a.Account
	}
	return who
}

// how is by what way the actor came, empty if nobody knows.
func (s story) how() string {
	var how []string
	if via := vias[s.Actor.Via]; via != "" {
		how = append(how, via)
	} else if s.Actor.Via != "" {
		how = append(how, "by "+s.Actor.Via)
	}
	if s.Actor.SourceIP != "" && s.Actor.SourceIP != s.Actor.InvokedBy {
		how = append(how, "from "+s.Actor.SourceIP)
	}
	if s.Actor.InvokedBy != "" && s.Actor.ARN != "" && !strings.HasPrefix(s.Actor.InvokedBy, s.Actor.Via+".") {
		how = append(how, "through "+s.Actor.InvokedBy)
	}
	if s.Actor.MFA {
		how = append(how, "with MFA")
	}
	return strings.Join(how, ", ")
}

// vias are the ways of Actor.Via in words.
var vias = map[string]string{
	"console":        "in the console",
	"cli":            "with the AWS CLI",
	"sdk":            "with an AWS SDK",
	"cloudformation": "by CloudFormation",
	"terraform":      "by Terraform",
	"service":        "by an AWS service",
}

// when is the time of the call, or of the first sighting.
func (s story) when() string {
	switch {
	case !s.Event.Time.IsZero():
		return "on " + stamp(s.Event.Time)
	case !s.FirstSeen.IsZero():
		return "first seen on " + stamp(s.FirstSeen)
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// request is the witness in words, empty if there is none.
func (s story) request() string {
	if s.Witness == nil {
		return ""
	}
	return s.Witness.String()
}

// over reports whether there is nothing left to remove.
func (s story) over() bool {
	return s.transition == drift.Vanished || s.transition == drift.Closed || s.transition == drift.RemovedByUs
}

// done is what was done about it, in whole sentences.
func (s story) done() string {
	stood := s.stood()
	switch s.transition {
	case drift.Vanished:
		return "Nothing was left to remove. Look for calls that were made in the meantime."
	case drift.Closed:
		if stood != "" {
			return "Nothing is left to do. It was open for " + stood + "."
		}
		return "Nothing is left to do."
	case drift.RemovedByUs:
		return sentences("permdrift removed it"+on(s.at)+".", s.note)
	case drift.Refused:
		return sentences("permdrift did not remove it.", s.note)
	default: // the rest is as below
	}
	switch {
	case s.Kind == drift.UnreadableChange:
		return sentences("Nothing. permdrift reads it again with the next sweep.", s.note)
	case s.Kind == drift.PolicyNarrowed:
		return sentences("Nothing. permdrift never widens access by itself.", s.note)
	case s.Statement != nil && s.Statement.Effect == policy.Deny:
		return sentences("Nothing yet: the Deny is still missing, and permdrift restores none by itself.", s.note)
	}
	return sentences("Nothing yet: it is in force.", s.note)
}

func on(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " on " + stamp(t)
}

// sentences joins a sentence and a note that may be empty.
func sentences(first, note string) string {
	if note == "" {
		return first
	}
	return first + " " + sentence(note)
}

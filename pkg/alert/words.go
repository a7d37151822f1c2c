package alert

import (
	"cmp"
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

// stands is what a finding that is shown as it stands is worded as.
var stands = map[drift.Status]drift.TransitionKind{
	drift.Transient: drift.Vanished, drift.Suppressed: drift.Muted, drift.Remediated: drift.RemovedByUs,
	drift.Resolved: drift.Closed, drift.Accepted: drift.Closed,
}

func newStory(f drift.Finding, a drift.Announcement) story {
	if a.Transition == "" {
		a.Transition = cmp.Or(stands[f.Status], drift.Opened)
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

// label is the head of the first line: how bad, or that it is over.
func (s story) label() string {
	severity := strings.ToUpper(string(s.Severity))
	if severity == "" {
		severity = "FINDING"
	}
	switch {
	case s.accepted() && s.Adoption != nil:
		return "ADOPTED"
	case s.accepted():
		return "APPROVED"
	case s.transition == drift.Closed:
		return "RESOLVED"
	case s.transition == drift.RemovedByUs:
		return "REMOVED"
	case s.transition == drift.Refused:
		return severity + ", NOT REMOVED"
	case s.transition == drift.Muted:
		return severity + ", SUPPRESSED"
	}
	return severity
}

// headline is what happened, in one line without an end.
func (s story) headline() string {
	switch s.transition {
	case drift.Replaced:
		if s.Config != nil {
			return s.fact(now) + ", otherwise than before"
		}
		return s.fact(now) + ", replacing another statement"
	case drift.Reopened:
		return s.fact(now) + ", again"
	case drift.Vanished:
		return s.vanished()
	case drift.Closed:
		if s.accepted() {
			return s.fact(is) + "; " + s.acceptance()
		}
		return s.fact(was) + "; that is over"
	case drift.RemovedByUs:
		return s.fact(was) + "; permdrift took that away"
	case drift.Refused:
		return s.fact(is) + ", and permdrift left it so"
	case drift.Muted:
		if s.Suppression != nil {
			return s.fact(is) + "; suppressed until " + s.Suppression.Until.UTC().Format(time.DateOnly)
		}
		return s.fact(is) + "; suppressed for a time"
	default: // the rest is as below
	}
	return s.fact(now)
}

// accepted reports whether what the finding is about is there and stays, since
// a person approved it or a rule adopted it.
func (s story) accepted() bool { return s.transition == drift.Closed && s.Status == drift.Accepted }

// acceptance is by whom.
func (s story) acceptance() string {
	if s.Adoption == nil {
		return "that is approved"
	}
	return s.adopted()
}

// adopted is by which rule a grant was adopted.
func (s story) adopted() string {
	if s.Adoption.Rule == drift.LearnRule {
		return "adopted while learning"
	}
	return "adopted by the rule " + shorten(s.Adoption.Rule, s.nameLength)
}

// noted reports whether the finding is about a call that is told once and is
// over with that, though what it did stands.
func (s story) noted() bool {
	return s.transition == drift.Vanished && (s.Kind == drift.AliasRepointed || s.Kind == drift.RoleReplaced && s.Before == nil ||
		s.Kind == drift.BoundaryRemoved && s.AboutCall() && strings.HasPrefix(s.Event.Name, "Delete")) || s.handed()
}

// vanished is the headline of what was there and is gone again.
func (s story) vanished() string {
	stood := s.stood()
	switch {
	case s.noted():
		return s.fact(now)
	case stood == "":
		return s.fact(was) + " for a moment"
	case strings.Contains(s.Reason, "; it stood for "+s.ResolvedAt.Sub(s.Event.Time).String()):
		return s.fact(was) + " for " + stood
	}
	return s.fact(was) + " for up to " + stood
}

func (s story) somebody() string {
	if who := somebody[s.Exposure]; who != "" {
		return who
	}
	return somebody[policy.Unknown]
}

// target is the subject as people call it: its name, and the qualifier if any.
func (s story) target() string {
	name := shorten(s.name(), s.nameLength)
	if s.Subject.Kind() == drift.LayerVersion {
		layer, version, _ := strings.Cut(s.Subject.Name(), ":")
		name = "version " + version + " of layer " + shorten(layer, s.nameLength)
	}
	switch s.Subject.Kind() {
	case drift.Role, drift.User, drift.Group:
		name = string(s.Subject.Kind()) + " " + name
		if s.ofRole() {
			return name
		}
	default: // kind and place need no word
	}
	if s.Place != drift.Unqualified {
		name += " (" + shorten(string(s.Place), s.nameLength/2) + ")"
	}
	return name
}

// name is the name of the subject.
func (s story) name() string {
	if s.Subject.Kind() == drift.Account {
		return "account " + s.Subject.Account()
	}
	if name := s.Subject.Name(); name != "" {
		return name
	}
	return string(s.Subject)
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
	return (s.transition == drift.Vanished || s.transition == drift.Closed || s.transition == drift.RemovedByUs) && !s.noted() && !s.accepted()
}

// done is what was done about it, in whole sentences.
func (s story) done() string {
	stood := s.stood()
	switch {
	case s.noted() && s.Kind == drift.AliasRepointed:
		return "Nothing: this is told once. Whom the policy of the alias lets in reaches the other code now."
	case s.handed():
		return "Nothing: this is told once. Whom its trust policy lets in can have the role by that way."
	case s.noted():
		return "Nothing: this is told once. Once a role is approved, the next one is compared with it."
	case s.accepted():
		return sentences("Nothing is left to do.", cmp.Or(s.note, s.acceptance()))
	case s.transition == drift.Vanished:
		return "Nothing was left to remove. Look for calls that were made in the meantime."
	case s.transition == drift.Closed && stood != "":
		return sentences("Nothing is left to do. It was open for "+stood+".", prefixed("ended ", s.note))
	case s.transition == drift.Closed:
		return sentences("Nothing is left to do.", prefixed("ended ", s.note))
	case s.transition == drift.RemovedByUs:
		return sentences("permdrift removed it"+on(s.at)+".", s.note)
	case s.transition == drift.Refused:
		return sentences("permdrift did not remove it.", s.note)
	case s.transition == drift.Muted:
		return s.muted()
	}
	return s.undone()
}

// muted says who does not want to hear of the finding, why, and until when.
func (s story) muted() string {
	m := s.Suppression
	if m == nil {
		return sentences("It was suppressed.", s.note)
	}
	why := join(", ", m.Reason, prefixed("ticket ", m.Ticket))
	return join("", "It was suppressed by "+m.By+on(m.At)+", until "+stamp(m.Until)+prefixed(": ", why)+". ",
		"What it is about stays as it is, and the finding stays in the list.")
}

// undone is why nothing was done yet.
func (s story) undone() string {
	switch {
	case s.Kind == drift.UnreadableChange:
		return sentences("Nothing. permdrift reads it again with the next sweep.", s.note)
	case s.Kind == drift.AuditBlinded:
		return sentences("Nothing. permdrift puts nothing of its own back by itself.", s.note)
	case s.narrows():
		return sentences("Nothing. permdrift never widens access by itself.", s.note)
	case s.Kind == drift.BoundaryRemoved:
		return sentences("Nothing yet: permdrift sets no permissions boundary by itself.", s.note)
	case s.aboutDeny():
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

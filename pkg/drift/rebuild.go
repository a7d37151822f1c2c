package drift

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Rebuild returns the state after a change, from the state before it and what
// the change claims. It is for audits of files and replay, where nothing live
// can be read. What it cannot know becomes a gap: the outcome of a call that
// the service answered with an error of its own, or what a removal removed that
// was never seen. The state before is left as it was.
func Rebuild(before State, change Change) State {
	key := change.Event.Key()
	if key != "" && slices.Contains(before.Applied, key) {
		return before
	}
	after := before
	if key != "" {
		const kept = 100 // duplicates come within minutes, not after a hundred changes of one function
		after.Applied = append(slices.Clone(before.Applied[max(0, len(before.Applied)-kept+1):]), key)
	}
	after.Subject = change.Subject
	after.Policies = maps.Clone(before.Policies)
	if after.Policies == nil {
		after.Policies = make(map[Place]PlacePolicy)
	}
	after.Gaps = slices.Clone(before.Gaps)
	after.ReadAt = change.Event.Time
	if change.OutcomeUnknown {
		after.gap(change.Place, fmt.Sprintf("%s was answered with an error of the service: whether it took effect is unknown", change.Event.Name))
		return after
	}
	switch change.Operation {
	case AddStatement:
		after.add(change)
	case RemoveStatement:
		after.remove(change)
	case PutPolicy:
		after.put(change)
	case DeletePolicy, CreatePlace:
		after.set(change.Place, policy.Policy{})
	case CreateSubject, DeleteSubject:
		after.Policies = map[Place]PlacePolicy{Unqualified: {}}
		after.Gaps, after.Whole = nil, true
	case DeletePlace:
		delete(after.Policies, change.Place)
		after.close(change.Place)
	default: // RepointPlace, Configure, Sweep and what is not about a function's policy change no policy
	}
	return after
}

// Rebuildable reports whether Rebuild knows what the change does to a policy
// that this stage compares.
func Rebuildable(change Change) bool {
	if change.Subject.Kind() != Function {
		return false
	}
	switch change.Operation {
	case AddStatement, RemoveStatement, PutPolicy, DeletePolicy, CreateSubject, DeleteSubject, CreatePlace, DeletePlace, RepointPlace:
		return true
	default:
		return false
	}
}

func (s *State) add(change Change) {
	if change.Statement == nil {
		s.gap(change.Place, change.Event.Name+" does not say what statement it added")
		return
	}
	p := s.Policies[change.Place].Policy
	p.Version = "2012-10-17"
	p.Statements = slices.DeleteFunc(slices.Clone(p.Statements), func(t policy.Statement) bool {
		return t.Sid != "" && t.Sid == change.Statement.Sid
	})
	p.Statements = append(p.Statements, *change.Statement)
	s.Policies[change.Place] = PlacePolicy{Policy: p}
}

func (s *State) remove(change Change) {
	p := s.Policies[change.Place].Policy
	kept := slices.DeleteFunc(slices.Clone(p.Statements), func(t policy.Statement) bool { return t.Sid == change.Sid })
	if len(kept) == len(p.Statements) {
		s.gap(change.Place, fmt.Sprintf("%s removed the statement %q, which was never seen: what it said is unknown", change.Event.Name, change.Sid))
		return
	}
	p.Statements = kept
	s.Policies[change.Place] = PlacePolicy{Policy: p}
}

func (s *State) put(change Change) {
	if change.Policy == nil {
		reason := change.Event.Name + " does not say what policy it wrote"
		if change.Problem != "" {
			reason = strings.TrimSpace(change.Event.Name + " wrote a policy that cannot be read: " + change.Problem)
		}
		s.gap(change.Place, reason)
		return
	}
	s.set(change.Place, *change.Policy)
}

// set makes a whole policy known, and closes the gap that its place may have had.
func (s *State) set(place Place, p policy.Policy) {
	s.Policies[place] = PlacePolicy{Policy: p}
	s.close(place)
}

func (s *State) gap(place Place, reason string) {
	s.close(place)
	s.Gaps = append(s.Gaps, Gap{Place: place, Reason: reason})
}

func (s *State) close(place Place) {
	s.Gaps = slices.DeleteFunc(s.Gaps, func(g Gap) bool { return !g.All && g.Place == place })
}

// State is the state in which a subject is exactly as its baseline says;
// Rebuild starts from it where no state is known.
func (b Baseline) State(subject Subject) State {
	s := State{Subject: subject, Policies: make(map[Place]PlacePolicy)}
	for place, approved := range b.Places {
		p := policy.Policy{Version: "2012-10-17"}
		for _, approval := range approved.Approvals {
			p.Statements = append(p.Statements, approval.Statement)
		}
		s.Policies[place] = PlacePolicy{Policy: p}
	}
	return s
}

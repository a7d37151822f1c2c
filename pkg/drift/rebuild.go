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
	after.URLs, after.Mappings, after.Roles = maps.Clone(before.URLs), maps.Clone(before.Mappings), maps.Clone(before.Roles)
	after.Gaps = slices.Clone(before.Gaps)
	after.ReadAt = change.Event.Time
	if kind := change.Subject.Kind(); kind == Role || kind == User || kind == Group {
		after.rebuildRole(change)
		return after
	}
	if change.OutcomeUnknown {
		after.gap(change.Place, aspectOf(change.Operation), fmt.Sprintf("%s was answered with an error of the service: whether it took effect is unknown", change.Event.Name))
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
		after.URLs, after.Mappings, after.Roles = nil, nil, nil
		after.Gaps, after.Whole, after.Listed = nil, true, []Aspect{URLs, Mappings, Roles}
		after.configure(change)
	case DeletePlace:
		delete(after.Policies, change.Place)
		delete(after.URLs, change.Place)
		after.close(change.Place, Policies)
		after.close(change.Place, URLs)
	case PutURL, DeleteURL, PutMapping, DeleteMapping, Configure:
		after.configure(change)
	default: // RepointPlace, UpdateCode, Sweep change nothing that the state has
	}
	return after
}

// aspectOf is what of a function an operation is about.
func aspectOf(o Operation) Aspect {
	switch o {
	case PutURL, DeleteURL:
		return URLs
	case PutMapping, DeleteMapping:
		return Mappings
	case Configure:
		return Roles
	default:
		return Policies
	}
}

// configure takes in what a change claims about the configuration.
func (s *State) configure(change Change) {
	config, place := change.Config, change.Place
	aspect := aspectOf(change.Operation)
	known := config != nil && (aspect != URLs || config.URL != nil) && (aspect != Mappings || config.Mapping != nil && config.Mapping.UUID != "") && (aspect != Roles || config.Role != "")
	switch {
	case change.Operation == DeleteSubject || change.Operation == CreateSubject && (config == nil || config.Role == ""):
	case change.Operation == CreateSubject:
		s.Roles = map[Place]string{Unqualified: config.Role}
	case change.Operation == DeleteURL:
		s.putURL(place, URL{})
	case !known:
		s.gap(place, aspect, change.Event.Name+" does not say what it set")
	case change.Operation == PutURL:
		s.putURL(place, *config.URL)
	case change.Operation == Configure:
		s.Roles = with(s.Roles, Unqualified, config.Role)
		if !slices.Contains(s.Listed, Roles) {
			s.Listed = append(slices.Clone(s.Listed), Roles) // no other event changes a role
		}
	case change.Operation == DeleteMapping:
		s.Mappings = with(s.Mappings, config.Mapping.UUID, nil)
	case config.Mapping.Source == "" && s.Mappings[config.Mapping.UUID] == nil:
		s.gap(Unqualified, Mappings, change.Event.Name+" changed an event source mapping that was never seen, and does not say its source")
	default:
		m := PlacedMapping{Mapping: *config.Mapping, Place: place}
		if m.Source == "" {
			m.Source = s.Mappings[m.UUID].Source
		}
		s.Mappings = with(s.Mappings, m.UUID, &m)
	}
}

// putURL makes the URL of a place known, and its policy, if nothing is known of it.
func (s *State) putURL(place Place, u URL) {
	s.URLs = with(s.URLs, place, u)
	s.close(place, URLs)
	if _, ok := s.Policies[place]; !ok && u.exists() {
		s.Policies[place] = PlacePolicy{}
	}
}

// with is a map with one more entry; the map may be nil.
func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	if m == nil {
		m = make(map[K]V)
	}
	m[key] = value
	return m
}

// Rebuildable reports whether Rebuild knows what the change does to what is
// compared: policies and configuration of functions, policies of layer versions,
// documents of roles, identity policies of users and groups.
func Rebuildable(change Change) bool {
	switch change.Subject.Kind() {
	case Function:
	case LayerVersion:
		return slices.Contains([]Operation{AddStatement, RemoveStatement, PutPolicy, DeletePolicy, CreateSubject, DeleteSubject}, change.Operation)
	case Role:
		return slices.Contains([]Operation{CreateSubject, DeleteSubject, PutPolicy, PutIdentityPolicy, RemoveIdentityPolicy, PutBoundary, RemoveBoundary, PutManagedPolicy, PutProvider, ShareRole, Configure}, change.Operation)
	case User, Group:
		return slices.Contains([]Operation{PutIdentityPolicy, RemoveIdentityPolicy, PutManagedPolicy, Configure, DeleteSubject}, change.Operation)
	default:
		return false
	}
	switch change.Operation {
	case AddStatement, RemoveStatement, PutPolicy, DeletePolicy, CreateSubject, DeleteSubject, CreatePlace, DeletePlace, RepointPlace,
		PutURL, DeleteURL, PutMapping, DeleteMapping, Configure, UpdateCode:
		return true
	default:
		return false
	}
}

func (s *State) add(change Change) {
	if change.Statement == nil {
		s.gap(change.Place, Policies, change.Event.Name+" does not say what statement it added")
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
		s.gap(change.Place, Policies, fmt.Sprintf("%s removed the statement %q, which was never seen: what it said is unknown", change.Event.Name, change.Sid))
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
		s.gap(change.Place, Policies, reason)
		return
	}
	s.set(change.Place, *change.Policy)
}

// set makes a whole policy known, and closes the gap that its place may have had.
func (s *State) set(place Place, p policy.Policy) {
	s.Policies[place] = PlacePolicy{Policy: p}
	s.close(place, Policies)
}

func (s *State) gap(place Place, aspect Aspect, reason string) {
	s.close(place, aspect)
	s.Gaps = append(s.Gaps, Gap{Place: place, Aspect: aspect, Reason: reason})
}

func (s *State) close(place Place, aspect Aspect) {
	s.Gaps = slices.DeleteFunc(s.Gaps, func(g Gap) bool { return !g.All && g.Place == place && g.Aspect == aspect })
}

// State is the state in which a subject is exactly as its baseline says;
// Rebuild starts from it where no state is known.
func (b Baseline) State(subject Subject) State {
	s := State{Subject: subject, Policies: make(map[Place]PlacePolicy)}
	if subject.Kind() == Role && b.Known() {
		s.Role = &RoleState{ARN: string(subject)}
	}
	for place, approved := range b.Places {
		p := policy.Policy{Version: "2012-10-17"}
		for _, approval := range approved.Approvals {
			if approval.Config != nil {
				s.approved(place, *approval.Config)
				continue
			}
			p.Statements = append(p.Statements, approval.Statement)
		}
		s.Policies[place] = PlacePolicy{Policy: p}
	}
	return s
}

// approved takes in a part of the configuration as it was approved.
func (s *State) approved(place Place, config Config) {
	switch {
	case config.Boundary != "" && s.Role != nil:
		s.Role.BoundaryARN = config.Boundary
	case config.URL != nil:
		s.URLs = with(s.URLs, place, *config.URL)
	case config.Mapping != nil:
		m := PlacedMapping{Mapping: *config.Mapping, Place: place}
		if m.UUID == "" {
			m.UUID = m.Source
		}
		s.Mappings = with(s.Mappings, m.UUID, &m)
	case config.Role != "" && s.Roles[Unqualified] == "":
		s.Roles = with(s.Roles, Unqualified, config.Role)
	}
}

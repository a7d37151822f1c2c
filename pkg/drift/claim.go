package drift

import (
	"maps"
	"slices"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Reflects reports whether a state shows what a change claims, so that it was
// not read too early. It is true where the change claims nothing that the
// state could show.
func Reflects(state State, change Change) bool {
	if change.OutcomeUnknown {
		return true
	}
	if kind := change.Subject.Kind(); kind == Role || kind == User || kind == Group {
		return reflectsRole(state, change)
	}
	switch change.Operation {
	case PutURL, DeleteURL, PutMapping, DeleteMapping, Configure:
		return reflectsConfig(state, change)
	default:
	}
	if !state.Covers(change.Place) {
		return true
	}
	live, exists := state.Policies[change.Place]
	switch change.Operation {
	case AddStatement:
		if change.Statement == nil { // its text could not be read, but its Sid is known
			return change.Sid == "" || bears(live.Policy, change.Sid)
		}
		return slices.ContainsFunc(live.Policy.Statements, change.Statement.Equal)
	case RemoveStatement:
		return !bears(live.Policy, change.Sid)
	case PutPolicy:
		return change.Policy == nil || live.Policy.Equal(*change.Policy)
	case DeletePolicy, DeleteSubject:
		return len(live.Policy.Statements) == 0
	case DeletePlace:
		return !exists || len(live.Policy.Statements) == 0
	default:
		return true
	}
}

// reflectsConfig is Reflects for the operations on the configuration.
func reflectsConfig(state State, change Change) bool {
	claimed := change.Config
	switch change.Operation {
	case PutURL:
		return claimed == nil || claimed.URL == nil || !state.CoversURL(change.Place) || state.URLs[change.Place].AuthType == claimed.URL.AuthType
	case DeleteURL:
		return !state.CoversURL(change.Place) || !state.URLs[change.Place].exists()
	case PutMapping, DeleteMapping:
		if claimed == nil || claimed.Mapping == nil || !state.CoversMapping(claimed.Mapping.UUID) {
			return true
		}
		live := state.Mappings[claimed.Mapping.UUID]
		if change.Operation == DeleteMapping {
			return live == nil
		}
		return live != nil && live.Enabled == claimed.Mapping.Enabled
	default: // Configure
		return claimed == nil || claimed.Role == "" || !state.CoversRole(Unqualified) || state.Roles[Unqualified] == claimed.Role
	}
}

// bears reports whether a statement of a policy has a Sid.
func bears(p policy.Policy, sid string) bool {
	return slices.ContainsFunc(p.Statements, func(s policy.Statement) bool { return s.Sid == sid })
}

// TransientFindings are the findings about what a change claims to have let in
// and a state, read late enough, lacks: it was there and is gone again, or a
// Deny was gone and is there again. There are none where what the change claims is approved, or stands. The removals
// that the ledger has say how long it stood.
func TransientFindings(change Change, state State, baseline Baseline, removals []Removal, c Context) []Finding {
	past, ok := past(change, state)
	if !ok || change.OutcomeUnknown || Reflects(state, change) {
		return nil
	}
	stands := make(map[string]bool)
	for _, f := range Compare(change, state, baseline, c) {
		stands[f.ID] = true
	}
	var found []Finding
	for _, f := range Compare(change, past, baseline, c) {
		lost := f.Statement != nil && f.Statement.Effect == policy.Deny
		if !widens[f.Kind] || f.Status != Open || stands[f.ID] || lost && change.Operation == AddStatement {
			continue
		}
		if f.Status = Transient; !lost {
			f.stand(removals)
		}
		found = append(found, f)
	}
	return found
}

// widens are the kinds of findings about what lets somebody or something in.
var widens = map[FindingKind]bool{
	PolicyWidened: true, LayerShared: true, URLOpened: true, EventSourceAdded: true, RoleReplaced: true,
	TrustWidened: true, PermissionsWidened: true,
}

// past is the state in which what a change claims stood, or what it removed was
// gone, and nothing else is covered; false where it claims nothing that could have stood.
func past(change Change, state State) (State, bool) {
	then := State{Subject: change.Subject, ReadAt: state.ReadAt, Rights: state.Rights}
	if claimed, ok := claim(change); ok {
		then.Policies, then.Role = map[Place]PlacePolicy{change.Place: {Policy: claimed}}, state.Role
		if boundary, ok := state.Policies[Boundary]; ok && change.Place == Identity {
			then.Policies[Boundary] = boundary
		}
		if url, ok := state.URLs[change.Place]; ok {
			then.URLs = map[Place]URL{change.Place: url}
		}
		return then, true
	}
	if live := state.Policies[change.Place].Policy; change.Operation == RemoveStatement && bears(live, change.Sid) { // it is back
		live.Statements = slices.DeleteFunc(slices.Clone(live.Statements), func(s policy.Statement) bool { return s.Sid == change.Sid })
		then.Policies = map[Place]PlacePolicy{change.Place: {Policy: live}}
		return then, true
	}
	config := change.Config
	switch {
	case config == nil:
		return State{}, false
	case change.Operation == PutURL && config.URL != nil:
		then.URLs = map[Place]URL{change.Place: *config.URL}
		then.Policies = maps.Clone(state.Policies)
	case change.Operation == PutMapping && config.Mapping != nil:
		then.Mappings = map[string]*PlacedMapping{config.Mapping.UUID: {Mapping: *config.Mapping, Place: change.Place}}
	case change.Operation == Configure && config.Role != "":
		then.Roles = map[Place]string{Unqualified: config.Role}
	default:
		return State{}, false
	}
	return then, true
}

// claim is the policy that a change claims to have written: the whole document
// of PutPolicy, the one statement of AddStatement.
func claim(change Change) (policy.Policy, bool) {
	switch {
	case change.Operation == AddStatement && change.Statement != nil:
		return policy.Policy{Statements: []policy.Statement{*change.Statement}}, true
	case (change.Operation == PutPolicy || change.Operation == PutIdentityPolicy) && change.Policy != nil:
		return *change.Policy, true
	}
	return policy.Policy{}, false
}

// RemovalOf is the removal that a change claims, false if it claims none.
func RemovalOf(change Change) (Removal, bool) {
	r := Removal{Place: change.Place, Actor: change.Actor, Event: change.Event}
	switch change.Operation {
	case RemoveStatement:
		r.Sid = change.Sid
	case DeletePolicy, DeletePlace, DeleteURL, DeleteMapping:
	default:
		return Removal{}, false
	}
	return r, !change.OutcomeUnknown && change.Event.Key() != ""
}

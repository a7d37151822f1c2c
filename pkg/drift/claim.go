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
	if isIdentity(change.Subject) {
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

// isIdentity reports whether a subject is a role, user or group.
func isIdentity(s Subject) bool {
	kind := s.Kind()
	return kind == Role || kind == User || kind == Group
}

// reflectsConfig is Reflects for the operations on the configuration.
func reflectsConfig(state State, change Change) bool {
	claimed := change.Config
	switch change.Operation {
	case PutURL:
		live := state.URLs[change.Place]
		return claimed == nil || claimed.URL == nil || !state.CoversURL(change.Place) || claimed.URL.within(live)
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
	if change.OutcomeUnknown || Reflects(state, change) {
		return nil
	}
	past, ok := past(change, state)
	if !ok {
		if change.Operation == AddStatement {
			return unread(change)
		}
		return unseen(change, baseline, removals)
	}
	stands := make(map[string]bool)
	for _, f := range Compare(change, state, baseline, c) {
		stands[f.way()] = true
	}
	var found []Finding
	for _, f := range Compare(change, past, baseline, c) {
		lost := f.Statement != nil && f.Statement.Effect == policy.Deny
		if !widens[f.Kind] || f.Status != Open || stands[f.way()] || lost && change.Operation == AddStatement {
			continue
		}
		if f.Status = Transient; !lost {
			f.stand(removals)
		}
		found = append(found, f)
	}
	return found
}

// way is what a finding has in common with one that stands and tells enough: its
// id, and of a function URL the place and who has to sign.
func (f Finding) way() string {
	if f.Kind == URLOpened && f.Config != nil && f.Config.URL != nil {
		return string(f.Place) + " " + f.Config.URL.AuthType
	}
	return f.ID
}

// widens are the kinds of findings about what lets somebody or something in.
var widens = map[FindingKind]bool{
	PolicyWidened: true, LayerShared: true, URLOpened: true, EventSourceAdded: true, RoleReplaced: true,
	TrustWidened: true, PermissionsWidened: true, BoundaryRemoved: true,
}

// past is the state in which what a change claims stood, or what it removed was
// gone, and nothing else is covered; false where it claims nothing that could have stood.
func past(change Change, state State) (State, bool) {
	then := State{Subject: change.Subject, ReadAt: state.ReadAt, Rights: state.Rights, Functions: state.Functions}
	if isIdentity(change.Subject) {
		return pastRole(change, state, then)
	}
	if claimed, ok := claim(change); ok {
		then.Policies = map[Place]PlacePolicy{change.Place: {Policy: claimed}}
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

// pastRole is past for roles, users and groups. What a managed policy was that
// was attached or set as boundary is in no event, but for those that are what
// they are called.
func pastRole(change Change, state, then State) (State, bool) {
	role := RoleState{ARN: string(change.Subject)}
	if state.Role != nil {
		role = *state.Role
		role.Policies = slices.Clone(role.Policies)
	}
	then.Role, then.Policies = &role, make(map[Place]PlacePolicy)
	claimed, known := claim(change)
	if change.Place == Trust {
		then.Policies[Trust] = PlacePolicy{Policy: claimed}
		return then, known
	}
	for _, place := range []Place{Identity, Boundary} {
		if live, ok := state.Policies[place]; ok {
			then.Policies[place] = live
		}
	}
	switch of := identityPolicy(change); {
	case change.Operation == PutBoundary:
		role.BoundaryARN = change.Detail["permissionsBoundary"]
		claimed, known = managedByAWS(role.BoundaryARN)
		then.Policies[Boundary] = PlacePolicy{Policy: claimed}
	case change.Operation == RemoveBoundary:
		known, role.BoundaryARN = state.Role != nil, ""
		then.Policies[Boundary] = PlacePolicy{}
	case change.Operation == PutManagedPolicy && role.BoundaryARN == of.ARN:
		then.Policies[Boundary] = PlacePolicy{Policy: claimed}
	case change.Operation == RemoveIdentityPolicy: // it is back: a Deny of it was gone
		known = then.drop(of)
	default:
		then.drop(of)
		then.take(of, claimed)
	}
	return then, known
}

// unread is the finding about a statement that is gone again, and whose text could
// not be read in its event.
func unread(change Change) []Finding {
	s := change.Subject
	f := Finding{
		ID: eventID(s, change.Place, change.Event), Kind: newDrafts(change, s, change.Place).widened(), Severity: Medium, Exposure: policy.Unknown,
		Status: Transient, Subject: s, Place: change.Place, Account: s.Account(), Region: s.Region(), Sids: addSid(nil, change.Sid),
		Reason: "a statement was added that is gone again, and nobody can say what it allowed", Actor: change.Actor, Event: change.Event,
	}
	if change.Problem != "" {
		f.Reason += ": " + change.Problem
	}
	return []Finding{f}
}

// unseen is the finding about a managed policy that a role had for a moment, and
// of which no event says what it allowed.
func unseen(change Change, baseline Baseline, removals []Removal) []Finding {
	if !isIdentity(change.Subject) {
		return nil
	}
	of := identityPolicy(change).String()
	f := Finding{
		ID: eventID(change.Subject, change.Place, change.Event), Kind: PermissionsWidened, Severity: Medium, Status: Transient,
		Subject: change.Subject, Place: change.Place, Account: change.Subject.Account(), Policy: of, Actor: change.Actor, Event: change.Event,
	}
	switch {
	case change.Operation == PutIdentityPolicy:
		f.Reason = change.Event.Name + " gave it " + of + ", which it has no more"
	case change.Operation == PutManagedPolicy:
		f.Reason = "the version " + change.Detail["versionId"] + " of " + of + " was in force, and is no more"
	case change.Operation == PutBoundary && baseline.limits(change.Detail["permissionsBoundary"]):
		f.Kind, f.Policy = BoundaryRemoved, ""
		f.Reason = change.Event.Name + " gave it the permissions boundary " + change.Detail["permissionsBoundary"] + ", which it has no more"
	default:
		return nil
	}
	if change.Subject.Kind() != Role {
		f.Severity = Informational
	}
	f.Reason += "; what that allowed is in no event"
	f.stand(removals)
	return []Finding{f}
}

// limits reports whether a boundary is approved, and not the one of that ARN.
func (b Baseline) limits(arn string) bool {
	approved := b.Places[Boundary].Approvals
	return len(approved) > 0 && !slices.ContainsFunc(approved, func(a Approval) bool { return a.Config != nil && a.Config.Boundary == arn })
}

// identityPolicy is the identity policy that a change is about.
func identityPolicy(change Change) RolePolicy {
	return RolePolicy{Name: change.Detail["policyName"], ARN: change.Detail["policyArn"]}
}

// claim is the policy that a change claims to have written: the whole document
// of PutPolicy and its like, the one statement of AddStatement.
func claim(change Change) (policy.Policy, bool) {
	switch {
	case change.Operation == AddStatement && change.Statement != nil:
		return policy.Policy{Statements: []policy.Statement{*change.Statement}}, true
	case change.Policy != nil && written[change.Operation]:
		return *change.Policy, true
	case change.Operation == PutIdentityPolicy:
		return managedByAWS(change.Detail["policyArn"])
	}
	return policy.Policy{}, false
}

// written are the operations whose Policy is a whole document.
var written = map[Operation]bool{PutPolicy: true, CreateSubject: true, PutIdentityPolicy: true, PutManagedPolicy: true}

// RemovalOf is the removal that a change claims, false if it claims none. A
// trust policy that stands may be the removal of what stood before it.
func RemovalOf(change Change, state State) (Removal, bool) {
	r := Removal{Place: change.Place, Actor: change.Actor, Event: change.Event}
	switch change.Operation {
	case RemoveStatement:
		r.Sid = change.Sid
	case RemoveIdentityPolicy:
		r.Sid = identityPolicy(change).String()
	case PutPolicy:
		if change.Place != Trust || !Reflects(state, change) {
			return Removal{}, false
		}
	case DeletePolicy, DeletePlace, DeleteURL, DeleteMapping:
	default:
		return Removal{}, false
	}
	return r, !change.OutcomeUnknown && change.Event.Key() != ""
}

package drift

import (
	"fmt"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// rebuildRole is [Rebuild] for roles, users and groups. The documents of managed
// policies are in no event of their attachment, so that they leave a gap, but
// for those that are what they are called.
func (s *State) rebuildRole(change Change) {
	if s.Role != nil {
		role := *s.Role
		role.Policies = slices.Clone(role.Policies)
		s.Role = &role
	}
	if change.OutcomeUnknown {
		s.gap(change.Place, Policies, fmt.Sprintf("%s was answered with an error of the service: whether it took effect is unknown", change.Event.Name))
		return
	}
	switch change.Operation {
	case CreateSubject:
		s.Policies = map[Place]PlacePolicy{Identity: {}, Boundary: {}}
		s.Role, s.Gaps, s.Whole = &RoleState{ARN: string(change.Subject)}, nil, true
		s.put(change)
		s.bound(change)
	case DeleteSubject:
		s.Policies, s.Role, s.Gaps, s.Whole = map[Place]PlacePolicy{}, nil, nil, true
	case PutPolicy:
		s.put(change)
	case PutIdentityPolicy, RemoveIdentityPolicy:
		s.identity(change)
	case PutBoundary, RemoveBoundary:
		s.bound(change)
	case Configure:
		if group := change.Detail["groupName"]; group != "" {
			s.gap(Identity, Policies, fmt.Sprintf("%s is about the group %s, whose policies are in no event of it", change.Event.Name, group))
		}
	default: // what is about a role as a whole changes no document
	}
}

// wellKnown are AWS's managed policies whose documents need no reading: they
// are what they are called.
var wellKnown = map[string]policy.Statement{
	"AdministratorAccess": {Effect: policy.Allow, Action: []string{"*"}, Resource: []string{"*"}},
	"AWSDenyAll":          {Effect: policy.Deny, Action: []string{"*"}, Resource: []string{"*"}},
}

// managedByAWS is the document of a managed policy that needs no reading.
func managedByAWS(arn string) (policy.Policy, bool) {
	_, name, ok := strings.Cut(arn, ":iam::aws:policy/")
	s, known := wellKnown[name]
	return policy.Policy{Version: "2012-10-17", Statements: []policy.Statement{s}}, ok && known
}

// identity takes in an identity policy that was put, attached, or taken away.
func (s *State) identity(change Change) {
	if s.Role == nil {
		s.Role = &RoleState{ARN: string(change.Subject)}
	}
	of := identityPolicy(change)
	known := s.drop(of)
	document, read := managedByAWS(of.ARN)
	switch {
	case change.Operation == RemoveIdentityPolicy && !known:
		s.gap(Identity, Policies, fmt.Sprintf("%s took away %s, which was never seen", change.Event.Name, of))
	case change.Operation == RemoveIdentityPolicy:
	case change.Policy != nil:
		s.take(of, *change.Policy)
	case read:
		s.take(of, document)
	case change.Problem != "":
		s.gap(Identity, Policies, change.Event.Name+" wrote a policy that cannot be read: "+change.Problem)
	default:
		s.gap(Identity, Policies, fmt.Sprintf("%s attached %s, whose document is in no event", change.Event.Name, of))
	}
}

// drop removes an identity policy and its statements, and reports whether it was known.
func (s *State) drop(of RolePolicy) bool {
	at := 0
	for i, p := range s.Role.Policies {
		if p.Name != of.Name || p.ARN != of.ARN {
			at += p.Statements
			continue
		}
		document := s.Policies[Identity].Policy
		document.Statements = slices.Delete(slices.Clone(document.Statements), at, at+p.Statements)
		s.Policies[Identity] = PlacePolicy{Policy: document}
		s.Role.Policies = slices.Delete(s.Role.Policies, i, i+1)
		return true
	}
	return false
}

// take adds an identity policy and its statements.
func (s *State) take(of RolePolicy, p policy.Policy) {
	document := s.Policies[Identity].Policy
	document.Version = "2012-10-17"
	document.Statements = append(slices.Clone(document.Statements), p.Statements...)
	of.Statements = len(p.Statements)
	s.Role.Policies = append(s.Role.Policies, of)
	s.Policies[Identity] = PlacePolicy{Policy: document}
}

// bound takes in the boundary that a change sets or removes.
func (s *State) bound(change Change) {
	if s.Role == nil {
		s.Role = &RoleState{ARN: string(change.Subject)}
	}
	s.Role.BoundaryARN = change.Detail["permissionsBoundary"]
	if change.Operation == RemoveBoundary {
		s.Role.BoundaryARN = ""
	}
	s.Policies[Boundary] = PlacePolicy{}
	s.close(Boundary, Policies)
	if document, read := managedByAWS(s.Role.BoundaryARN); read {
		s.Policies[Boundary] = PlacePolicy{Policy: document}
	} else if s.Role.BoundaryARN != "" {
		delete(s.Policies, Boundary)
		s.gap(Boundary, Policies, fmt.Sprintf("%s set the permissions boundary %s, whose document is in no event", change.Event.Name, s.Role.BoundaryARN))
	}
}

// reflectsRole is [Reflects] for roles, users and groups.
func reflectsRole(state State, change Change) bool {
	gone := state.Role == nil
	switch change.Operation {
	case CreateSubject:
		return !gone && (change.Policy == nil || !state.Covers(Trust) || state.Policies[Trust].Policy.Equal(*change.Policy)) || !state.Whole
	case DeleteSubject:
		return gone
	case PutPolicy:
		return !state.Covers(change.Place) || change.Policy == nil || state.Policies[change.Place].Policy.Equal(*change.Policy)
	case PutIdentityPolicy:
		return !state.Covers(Identity) || (!gone || !state.Whole) && state.bears(change)
	case RemoveIdentityPolicy, PutManagedPolicy:
		return gone && state.Whole || !state.Covers(Identity) || state.bears(change)
	case PutBoundary:
		return gone || !state.Covers(Boundary) || state.Role.BoundaryARN == change.Detail["permissionsBoundary"]
	case RemoveBoundary:
		return gone || !state.Covers(Boundary) || state.Role.BoundaryARN == ""
	case Configure:
		return reflectsMember(state, change)
	default:
		return true
	}
}

// reflectsMember is [Reflects] for a user who joined or left a group, and for a
// user or group that has a new name. Of a role, nothing that is audited changed.
func reflectsMember(state State, change Change) bool {
	group := change.Detail["groupName"]
	switch {
	case change.Subject.Kind() == Role:
		return true
	case state.Role == nil:
		return !state.Whole || strings.HasPrefix(change.Event.Name, "Remove")
	case change.Subject.Kind() == User && group != "" && state.Covers(Identity):
		return slices.Contains(state.Role.Groups, group) != strings.HasPrefix(change.Event.Name, "Remove")
	default:
		return true
	}
}

// bears reports whether a role's identity policies are as a change claims.
func (s State) bears(change Change) bool {
	if s.Role == nil {
		return true
	}
	of, at := identityPolicy(change), 0
	if change.Operation == PutManagedPolicy && s.Role.BoundaryARN == of.ARN {
		if version := change.Detail["versionId"]; version != "" && s.Covers(Boundary) && s.Policies[Boundary].RevisionID != version {
			return false
		}
	}
	for _, p := range s.Role.Policies {
		if p.Name != of.Name || p.ARN != of.ARN || p.Group != "" && change.Operation != PutManagedPolicy {
			at += p.Statements
			continue
		}
		switch change.Operation {
		case RemoveIdentityPolicy:
			return false
		case PutManagedPolicy:
			version := change.Detail["versionId"]
			return version == "" || p.VersionID == version
		default:
		}
		if change.Policy == nil {
			return true
		}
		live := s.Policies[Identity].Policy.Statements[at : at+p.Statements]
		return (policy.Policy{Version: "2012-10-17", Statements: live}).Equal(*change.Policy)
	}
	return change.Operation != PutIdentityPolicy
}

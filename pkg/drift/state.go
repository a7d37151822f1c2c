package drift

import (
	"slices"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// State is what AWS says of a subject now. It covers the places that have an
// entry in Policies, or everything if Whole is set.
type State struct {
	Subject Subject `json:"subject"`
	// Policies holds one entry for each place that was read; a place without a
	// policy has the zero PlacePolicy.
	Policies map[Place]PlacePolicy `json:"policies"`
	// Whole is set when every place of the subject was listed and read, so
	// that a place without an entry does not exist (any more).
	Whole bool `json:"whole"`
	// URLs holds one entry for each place whose function URL was read; a place
	// without one has the zero URL.
	URLs map[Place]URL `json:"urls,omitempty"`
	// Mappings holds the event source mappings that were read, by UUID; one
	// that does not exist, or feeds another function, is nil.
	Mappings map[string]*PlacedMapping `json:"mappings,omitempty"`
	// Roles are the execution roles of the unpublished code, at Unqualified,
	// and of each version that was read.
	Roles map[Place]string `json:"roles,omitempty"`
	// Listed are the aspects of which everything was read: what has no entry
	// does not exist.
	Listed []Aspect `json:"listed,omitempty"`
	// Rights are what roles may do that a finding has to be told with; see [Want].
	Rights map[string]Rights `json:"rights,omitempty"`
	// Role is what a role, user or group is beside its documents, nil where it
	// does not exist or the subject is none of them.
	Role *RoleState `json:"role,omitempty"`
	// Functions are those that run as the role, which may be gone; nil where that
	// was not read.
	Functions []Subject `json:"functions,omitempty"`
	// Tags are the subject's tags, nil where they were not read.
	Tags map[string]string `json:"tags,omitempty"`
	// Gaps are the places, or the listing itself, that could not be read.
	Gaps   []Gap     `json:"gaps,omitempty"`
	ReadAt time.Time `json:"readAt"`
	// Applied are the keys of the events that a rebuilt state last took in, so
	// that an event which is told twice counts once.
	Applied []string `json:"applied,omitempty"`
}

// PlacePolicy is the policy at one place.
type PlacePolicy struct {
	Policy     policy.Policy `json:"policy"`
	Document   string        `json:"document,omitempty"` // the text as AWS gave it
	RevisionID string        `json:"revisionId,omitempty"`
}

// Aspect is what a read is about.
type Aspect string

// The aspects of a function. The zero Aspect is its policies.
const (
	Policies Aspect = ""
	URLs     Aspect = "url"
	Mappings Aspect = "mapping"
	Roles    Aspect = "role"
)

// PlacedMapping is an event source mapping and the place that it feeds.
type PlacedMapping struct {
	Mapping
	Place Place `json:"qualifier,omitempty"`
}

// Rights are what a role may do: its identity policies as one, and the
// permissions boundary if it has one.
type Rights struct {
	Policy   policy.Policy  `json:"policy"`
	Boundary *policy.Policy `json:"boundary,omitempty"`
	// Problem says why they could not be read; empty if they were.
	Problem string `json:"problem,omitempty"`
}

// Want is what has to be read beside a state before its findings can be told:
// only what differs from the baseline costs further calls.
type Want struct {
	URLs  []Place  // of the places whose URL decides what a grant opens
	Roles []string // ARNs of roles whose rights are to be compared
	Tags  bool     // who owns the function
	// Functions asks which functions run as the role that the state is of.
	Functions bool
}

// Empty reports whether nothing is wanted.
func (w Want) Empty() bool { return len(w.URLs) == 0 && len(w.Roles) == 0 && !w.Tags && !w.Functions }

// Gap is something that could not be read or decided: unknown, never clean.
type Gap struct {
	Place Place `json:"qualifier"`
	// Aspect is what of the place could not be read; empty: its policy.
	Aspect Aspect `json:"aspect,omitempty"`
	// All is set when the gap concerns the whole subject (its places could not be listed).
	All    bool   `json:"all,omitempty"`
	Reason string `json:"reason"`
}

// Covers reports whether the state says something about the policy at a place:
// it was read, or it is known not to exist. A gap covers nothing; but that not
// all could be listed takes nothing from what was read.
func (s State) Covers(p Place) bool {
	_, read := s.Policies[p]
	return s.covered(Policies, p, read, s.Whole)
}

// covered reports whether an aspect of a place is known: where it was read, unless
// a gap is about it; else where all of the aspect was.
func (s State) covered(a Aspect, p Place, read, all bool) bool {
	if read {
		return !slices.ContainsFunc(s.Gaps, func(g Gap) bool { return !g.All && g.Place == p && g.Aspect == a })
	}
	return all && !s.missing(a, p)
}

// missing reports whether a gap is about an aspect of a place. A gap of all
// places is about every aspect.
func (s State) missing(a Aspect, p Place) bool {
	return slices.ContainsFunc(s.Gaps, func(g Gap) bool {
		return g.All && (g.Aspect == a || g.Aspect == Policies) || g.Place == p && g.Aspect == a
	})
}

// CoversURL reports whether the state says something about the URL of a place.
func (s State) CoversURL(p Place) bool {
	_, read := s.URLs[p]
	return s.covered(URLs, p, read, slices.Contains(s.Listed, URLs))
}

// CoversMapping reports whether the state says something about an event source mapping.
func (s State) CoversMapping(uuid string) bool {
	_, read := s.Mappings[uuid]
	return s.covered(Mappings, Unqualified, read, slices.Contains(s.Listed, Mappings))
}

// CoversRole reports whether the state says something about the role at a place.
func (s State) CoversRole(p Place) bool {
	_, read := s.Roles[p]
	return s.covered(Roles, Unqualified, read, slices.Contains(s.Listed, Roles))
}

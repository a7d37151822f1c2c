package drift

import (
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

// Gap is something that could not be read or decided: unknown, never clean.
type Gap struct {
	Place Place `json:"qualifier"`
	// All is set when the gap concerns the whole subject (its places could not be listed).
	All    bool   `json:"all,omitempty"`
	Reason string `json:"reason"`
}

// Covers reports whether the state says something about a place: it was read,
// or it is known not to exist. A gap covers nothing.
func (s State) Covers(p Place) bool {
	for _, g := range s.Gaps {
		if g.All || g.Place == p {
			return false
		}
	}
	if _, ok := s.Policies[p]; ok {
		return true
	}
	return s.Whole
}

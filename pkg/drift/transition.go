package drift

import "time"

// TransitionKind is what an observation did to a finding.
type TransitionKind string

// The transitions. Only Seen is silent.
const (
	Opened      TransitionKind = "opened"
	Seen        TransitionKind = "seen"
	Replaced    TransitionKind = "replaced" // a new finding under a Sid that another one had
	Reopened    TransitionKind = "reopened"
	Vanished    TransitionKind = "transient" // added and gone before it was read
	Closed      TransitionKind = "resolved"
	RemovedByUs TransitionKind = "remediated"
	Muted       TransitionKind = "suppressed"          // a person does not want to hear of it for a time
	Refused     TransitionKind = "remediation-refused" // the remediator would not or could not act
)

// Announcement is one message that must go out at least once. Its id is the
// same however often it is sent.
type Announcement struct {
	ID         string         `json:"id"`
	Transition TransitionKind `json:"transition"`
	At         time.Time      `json:"at"`
	Note       string         `json:"note,omitempty"`
}

// Transition is a finding as it is to be written, and what happened to it.
// Where it is to be announced, the announcement is already in Finding.Pending,
// so that writing the row is what makes the announcement due.
type Transition struct {
	Kind    TransitionKind
	Finding Finding
}

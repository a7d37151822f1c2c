package drift

import (
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// RemedyKind is a call that narrows a policy.
type RemedyKind string

// The remedies of the first stage.
const (
	RemovePermission  RemedyKind = "RemovePermission"
	PutResourcePolicy RemedyKind = "PutResourcePolicy" // the live document less one statement that has no Sid
)

// IntentStatus is how far a remediation got.
type IntentStatus string

// The statuses of an intent.
const (
	Planned   IntentStatus = "planned" // logged, the call not yet known to have been made
	Done      IntentStatus = "done"
	Gone      IntentStatus = "gone"      // there was nothing to remove any more
	Abandoned IntentStatus = "abandoned" // the state moved on; decided anew under another intent
	Failed    IntentStatus = "failed"
)

// Intent is one call that the remediator is about to make or has made, with
// all that is needed to undo it. It is in the ledger before the call.
type Intent struct {
	ID        string            `json:"id"`
	FindingID string            `json:"findingId"`
	Subject   Subject           `json:"subject"`
	Place     Place             `json:"qualifier,omitempty"`
	Remedy    RemedyKind        `json:"remedy"`
	Sid       string            `json:"sid,omitempty"`
	Statement *policy.Statement `json:"statement,omitempty"`
	// RevisionID is the revision that the decision was made on and that the call requires.
	RevisionID string `json:"revisionId,omitempty"`
	// PreImage is the whole document before the call, as AWS gave it.
	PreImage string `json:"preImage"`
	// Put is the document that PutResourcePolicy writes; empty for RemovePermission.
	Put     string       `json:"put,omitempty"`
	Undo    string       `json:"undo"` // the command that restores the statement
	Status  IntentStatus `json:"status"`
	Detail  string       `json:"detail,omitempty"`
	At      time.Time    `json:"at"`
	EndedAt time.Time    `json:"endedAt,omitzero"`
	// Version is the stored version for optimistic locking; 0: not stored yet.
	Version int64 `json:"version,omitempty"`
}

package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// FindingKind is the kind of a difference.
type FindingKind string

// The kinds of findings.
const (
	PolicyWidened       FindingKind = "policy-widened"
	PolicyNarrowed      FindingKind = "policy-narrowed"
	URLOpened           FindingKind = "url-opened"
	RoleReplaced        FindingKind = "role-replaced"
	EventSourceAdded    FindingKind = "event-source-added"
	LayerShared         FindingKind = "layer-shared"
	TrustWidened        FindingKind = "trust-widened"
	TrustNarrowed       FindingKind = "trust-narrowed"
	PermissionsWidened  FindingKind = "permissions-widened"
	PermissionsNarrowed FindingKind = "permissions-narrowed"
	BoundaryRemoved     FindingKind = "boundary-removed"
	AliasRepointed      FindingKind = "alias-repointed"
	UnreadableChange    FindingKind = "unreadable-change"
	AuditBlinded        FindingKind = "audit-blinded"
	BaselineTampered    FindingKind = "baseline-tampered"
)

// Severity is how bad a finding is.
type Severity string

// The severities, worst first.
const (
	Critical      Severity = "critical"
	High          Severity = "high"
	Medium        Severity = "medium"
	Low           Severity = "low"
	Informational Severity = "informational"
)

// Rank orders severities: 4 for critical down to 0 for informational, -1 for
// anything that is not a severity.
func (s Severity) Rank() int {
	for i, t := range []Severity{Informational, Low, Medium, High, Critical} {
		if s == t {
			return i
		}
	}
	return -1
}

// Status is where a finding stands in its life.
type Status string

// The statuses.
const (
	Open       Status = "open"
	Transient  Status = "transient" // added and gone again before it was read
	Accepted   Status = "approved"
	Suppressed Status = "suppressed"
	Remediated Status = "remediated"
	Resolved   Status = "resolved"
)

// Finding is one difference between a state and a baseline, and the row that
// the ledger keeps of it.
type Finding struct {
	// ID is stable: a hash of subject, place and cause. For a statement the
	// cause is its canonical form, so a Sid reused for something else is
	// another finding.
	ID       string          `json:"id"`
	Kind     FindingKind     `json:"kind"`
	Severity Severity        `json:"severity"`
	Exposure policy.Exposure `json:"exposure"`
	Status   Status          `json:"status"`
	Subject  Subject         `json:"subject"`
	Place    Place           `json:"qualifier,omitempty"`
	Account  string          `json:"account"`
	Region   string          `json:"region,omitempty"`

	// Statement is what is new, or for narrowed access and a removed Deny what is gone.
	Statement *policy.Statement `json:"statement,omitempty"`
	// Sids are all the Sids that carry the statement; empty where it has none.
	Sids []string `json:"sids,omitempty"`
	// Config is what of the configuration is new or, for narrowed access, gone;
	// Before is what is approved in its place.
	Config         *Config         `json:"config,omitempty"`
	Before         *Config         `json:"before,omitempty"`
	Reason         string          `json:"reason"`
	Advice         string          `json:"advice,omitempty"` // how a grant to a service can be pinned
	Counterparties []string        `json:"counterparties,omitempty"`
	Certain        bool            `json:"certain"`
	Witness        *policy.Witness `json:"witness,omitempty"`
	Replaces       string          `json:"replaces,omitempty"` // id of the finding whose Sid this one took over
	// Replaced is the statement that had the Sid before.
	Replaced *policy.Statement `json:"replaced,omitempty"`
	// Policy is the identity policy of a role that the statement is of.
	Policy string `json:"policy,omitempty"`
	// Escalations are what a role's new rights come to.
	Escalations []Escalation `json:"escalations,omitempty"`
	// Functions are those that run as the role.
	Functions []Subject `json:"functions,omitempty"`
	// Owner and Stack are whom the function belongs to, by its tags.
	Owner string `json:"owner,omitempty"`
	Stack string `json:"stack,omitempty"`

	Actor Actor `json:"actor"`
	Event Event `json:"event"`

	FirstSeen  time.Time `json:"firstSeen,omitzero"`
	LastSeen   time.Time `json:"lastSeen,omitzero"`
	ResolvedAt time.Time `json:"resolvedAt,omitzero"`
	Count      int       `json:"count,omitempty"` // how often it was seen

	// Approve and Remediate are the commands that a person may run.
	Approve   string `json:"approve,omitempty"`
	Remediate string `json:"remediate,omitempty"`
	Undo      string `json:"undo,omitempty"`    // set once it was remediated
	Refusal   string `json:"refusal,omitempty"` // why the remediator did not act, the last time

	Adoption    *Adoption    `json:"adoption,omitempty"`    // by which rule the grant was adopted
	Suppression *Suppression `json:"suppression,omitempty"` // while a person does not want to hear of it

	// Pending are announcements that are recorded but not yet known to be sent.
	Pending []Announcement `json:"pending,omitempty"`
	// Version is the stored version for optimistic locking; 0: not stored yet.
	Version int64 `json:"version,omitempty"`
}

// FindingID is the stable id of a finding: twenty hexadecimal digits of a hash
// of subject, place and cause.
func FindingID(s Subject, p Place, cause string) string {
	h := sha256.New()
	for _, part := range []string{string(s), string(p), cause} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}

// Closed reports whether the finding needs nobody any more and may be forgotten.
func (f Finding) Closed() bool {
	return f.Status == Resolved || f.Status == Remediated || f.Status == Transient
}

// Added reports whether the finding's statement is there and not approved,
// rather than approved and not there.
func (f Finding) Added() bool {
	if f.Statement == nil {
		return false
	}
	switch f.Kind {
	case PolicyWidened, LayerShared, TrustWidened, PermissionsWidened:
		return f.Statement.Effect == policy.Allow
	default:
		return f.Statement.Effect == policy.Deny
	}
}

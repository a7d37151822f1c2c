package drift

import (
	"cmp"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Operation is what a change claims to have done, in the domain's words.
type Operation string

// The operations. The first four are about the policy at Change.Place.
const (
	AddStatement    Operation = "add-statement"    // Statement was added under Sid
	RemoveStatement Operation = "remove-statement" // the statement of that Sid was removed; its text is unknown
	PutPolicy       Operation = "put-policy"       // the whole document became Policy
	DeletePolicy    Operation = "delete-policy"

	CreateSubject Operation = "create-subject"
	DeleteSubject Operation = "delete-subject"
	CreatePlace   Operation = "create-place" // a version or alias
	RepointPlace  Operation = "repoint-place"
	DeletePlace   Operation = "delete-place"

	PutURL        Operation = "put-url"
	DeleteURL     Operation = "delete-url"
	PutMapping    Operation = "put-mapping"
	DeleteMapping Operation = "delete-mapping"
	Configure     Operation = "configure"   // the execution role may have been replaced
	UpdateCode    Operation = "update-code" // no access changes; told only of permdrift's own functions

	PutIdentityPolicy    Operation = "put-identity-policy"    // inline put, managed attached
	RemoveIdentityPolicy Operation = "remove-identity-policy" // inline deleted, managed detached
	PutBoundary          Operation = "put-boundary"
	RemoveBoundary       Operation = "remove-boundary"
	PutManagedPolicy     Operation = "put-managed-policy" // created, new default version, deleted
	PutProvider          Operation = "put-provider"       // an identity provider or trust anchor changed
	ShareRole            Operation = "share-role"         // instance profile, Roles Anywhere profile

	Blind      Operation = "blind"      // a call that may blind the auditor
	Unreadable Operation = "unreadable" // a call of which CloudTrail omitted, or we could not decode, what matters
	Sweep      Operation = "sweep"      // no call: a sweep wants the subject read
)

// Change says that somebody may have altered a subject. Only the live state
// says what is true; a change says where to look, who did it, and what it claims.
type Change struct {
	Subject   Subject   `json:"subject"`
	Place     Place     `json:"qualifier,omitempty"`
	Whole     bool      `json:"whole,omitempty"` // the whole subject is to be read, not Place alone
	Operation Operation `json:"operation"`

	Sid       string            `json:"sid,omitempty"`
	Statement *policy.Statement `json:"statement,omitempty"` // what AddStatement claims
	Policy    *policy.Policy    `json:"policy,omitempty"`    // what PutPolicy claims
	Config    *Config           `json:"config,omitempty"`    // what PutURL, PutMapping, Configure and CreateSubject claim, DeleteMapping by its UUID
	Detail    map[string]string `json:"detail,omitempty"`    // facts of the deeper events, by CloudTrail's parameter name

	// OutcomeUnknown is set where the service answered ServiceException: the
	// call may or may not have taken effect, so nothing may be concluded from it.
	OutcomeUnknown bool `json:"outcomeUnknown,omitempty"`
	// Problem says why an Unreadable change could not be read.
	Problem string `json:"problem,omitempty"`

	Actor Actor `json:"actor"`
	Event Event `json:"event"`
}

// Event is where a change was heard of.
type Event struct {
	ID       string    `json:"id,omitempty"`
	Original string    `json:"originalId,omitempty"` // addendum.originalEventID: the same change under its first id
	Name     string    `json:"name,omitempty"`
	Source   string    `json:"source,omitempty"` // lambda.amazonaws.com
	Time     time.Time `json:"time,omitzero"`    // one second precise
	Account  string    `json:"account,omitempty"`
	Region   string    `json:"region,omitempty"`
}

// Key is the identity of the change that the event tells of: the original id
// where CloudTrail delivered it again under a new one.
func (e Event) Key() string {
	if e.Original != "" {
		return e.Original
	}
	return e.ID
}

// cause tells one event from another, as the cause of a finding: by the time
// where it has no id.
func (e Event) cause() string {
	return cmp.Or(e.Key(), e.Time.UTC().Format(time.RFC3339)) + ":" + e.Name
}

// Actor is who made the call.
type Actor struct {
	ARN     string `json:"arn,omitempty"`
	Account string `json:"account,omitempty"`
	Type    string `json:"type,omitempty"`   // IAMUser, AssumedRole, Root, AWSService, …
	Issuer  string `json:"issuer,omitempty"` // ARN of the role behind a session
	// Source is the identity that the first caller of a chain of sessions set,
	// and that each session keeps (sts:SourceIdentity).
	Source string `json:"sourceIdentity,omitempty"`
	// Provider is the identity provider that a session was begun with, and
	// Federated the user there.
	Provider  string `json:"provider,omitempty"`
	Federated string `json:"federatedUser,omitempty"`
	InvokedBy string `json:"invokedBy,omitempty"`
	Via       string `json:"via,omitempty"` // console, cli, sdk, cloudformation, terraform, service
	SourceIP  string `json:"sourceIp,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	MFA       bool   `json:"mfa,omitempty"`
}

package drift

import (
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// RoleState is what a role is beside its documents, which are the policies of
// the places Trust, Identity and Boundary. The policy at Identity is all identity
// policies as one, in the order of Policies, in the language of 2012-10-17. A
// user or a group is told the same way; a user has the policies of his groups too.
type RoleState struct {
	ARN         string       `json:"arn"` // with its path
	Policies    []RolePolicy `json:"policies,omitempty"`
	BoundaryARN string       `json:"boundaryArn,omitempty"`
	LastUsed    time.Time    `json:"lastUsed,omitzero"`
	Groups      []string     `json:"groups,omitempty"` // names of those that a user is in
}

// RolePolicy is one identity policy of a role, user or group.
type RolePolicy struct {
	Name      string `json:"name,omitempty"` // of an inline policy
	ARN       string `json:"arn,omitempty"`  // of a managed one
	VersionID string `json:"versionId,omitempty"`
	Group     string `json:"group,omitempty"` // of a user: the group that has the policy
	// Statements is how many of the statements at Identity are of this policy.
	Statements int `json:"statements"`
}

// String is the policy as people name it.
func (p RolePolicy) String() string {
	if p.ARN != "" {
		return p.ARN
	}
	return "inline policy " + p.Name
}

// Escalation is what rights allow that is worse than their text looks: to become
// an administrator, to run code as another role, to read every stream.
type Escalation struct {
	Method   string   `json:"method"` // stable, such as pass-role-create-function
	Severity Severity `json:"severity"`
	Reason   string   `json:"reason"` // a clause: "can …"
}

// Reach says what rights allow that is worse than their text looks. It is pure;
// pkg/access has it. The account is that of who has the rights.
type Reach func(rights Rights, account string) []Escalation

// from is the identity policy that a statement of the policy at Identity is of.
func (r *RoleState) from(index int) (RolePolicy, bool) {
	if r == nil {
		return RolePolicy{}, false
	}
	for _, p := range r.Policies {
		if index < p.Statements {
			return p, true
		}
		index -= p.Statements
	}
	return RolePolicy{}, false
}

// rights are what a state says that a role may do.
func (s State) rights() Rights {
	r := Rights{Policy: s.Policies[Identity].Policy}
	if b, ok := s.Policies[Boundary]; ok && (s.Role != nil && s.Role.BoundaryARN != "" || len(b.Policy.Statements) > 0) {
		boundary := b.Policy
		r.Boundary = &boundary
	}
	return r
}

// rights are what a baseline approves that a role may do. A place Boundary
// without approvals says that there was no boundary.
func (b Baseline) rights(now time.Time) Rights {
	r := Rights{Policy: policy.Policy{Version: "2012-10-17", Statements: b.Places[Identity].Valid(now)}}
	if limits := b.Places[Boundary].Valid(now); len(limits) > 0 {
		r.Boundary = &policy.Policy{Version: "2012-10-17", Statements: limits}
	}
	return r
}

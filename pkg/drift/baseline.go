package drift

import (
	"maps"
	"slices"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Baseline is the approved state of a subject: one Approved per place. The
// baseline of a subject that nobody captured has no places.
type Baseline struct {
	Subject Subject            `json:"subject"`
	Places  map[Place]Approved `json:"places"`
	// Rules are those that match the subject, for the comparison; they are
	// stored apart.
	Rules []Rule `json:"rules,omitempty"`
	// Adoptions are those of the ledger whose seal is true, by finding.
	Adoptions map[string]Adoption `json:"adoptions,omitempty"`
}

// Known reports whether anybody captured or approved anything for the subject.
func (b Baseline) Known() bool { return len(b.Places) > 0 }

// WithRules is the baseline with those of all rules that are about its subject.
func (b Baseline) WithRules(rules []Rule) Baseline {
	b.Rules = nil
	for _, r := range rules {
		if r.Matches(b.Subject) {
			b.Rules = append(b.Rules, r)
		}
	}
	return b
}

// byRule returns the statements that rules approve at a place of the subject.
func (b Baseline) byRule(s Subject, p Place, now time.Time) []policy.Statement {
	var statements []policy.Statement
	for _, r := range b.Rules {
		if r.Statement == nil || r.Expired(now) || !r.Matches(s) {
			continue
		}
		approved := *r.Statement
		approved.Resource, approved.NotResource = []string{s.ARN(p)}, nil
		statements = append(statements, approved)
	}
	return statements
}

// lapsed is the approval of a statement that has run out, false if there is none.
func (a Approved) lapsed(s policy.Statement, now time.Time) (Approval, bool) {
	for _, approval := range a.Approvals {
		if approval.Config == nil && approval.Expired(now) && approval.Statement.Equal(s) {
			return approval, true
		}
	}
	return Approval{}, false
}

// roles are the execution roles that are approved, at whatever place.
func (b Baseline) roles(now time.Time) []string {
	var roles []string
	for _, place := range slices.Sorted(maps.Keys(b.Places)) {
		for _, approval := range b.Places[place].Configs(now) {
			if role := approval.Config.Role; role != "" && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// Approved is what is approved at one place, the unit of storage and of
// optimistic locking. A place that was captured without any policy has no
// approvals, which is not the same as a place that is not in the baseline.
type Approved struct {
	// Version is the version that was read; 0 for one that is not stored yet.
	// A store writes it only if this is still the stored version, and stores
	// Version+1.
	Version   int64      `json:"version"`
	Approvals []Approval `json:"approvals"`
	UpdatedBy string     `json:"updatedBy,omitempty"`
	UpdatedAt time.Time  `json:"updatedAt,omitzero"`
	Reason    string     `json:"reason,omitempty"` // why this version was written
}

// Approval is one approved statement, or, where Config is set, one approved
// part of the configuration.
type Approval struct {
	Statement policy.Statement `json:"statement,omitzero"`
	Config    *Config          `json:"config,omitempty"`
	By        string           `json:"by"`
	Reason    string           `json:"reason,omitempty"`
	Ticket    string           `json:"ticket,omitempty"`
	At        time.Time        `json:"at"`
	Expires   time.Time        `json:"expires,omitzero"` // zero: never
}

// Expired reports whether the approval has run out at a time.
func (a Approval) Expired(now time.Time) bool {
	return !a.Expires.IsZero() && !now.Before(a.Expires)
}

// Valid returns the statements that are approved at a time.
func (a Approved) Valid(now time.Time) []policy.Statement {
	var statements []policy.Statement
	for _, approval := range a.Approvals {
		if approval.Config == nil && !approval.Expired(now) {
			statements = append(statements, approval.Statement)
		}
	}
	return statements
}

// Configs returns the approvals of configuration that are valid at a time.
func (a Approved) Configs(now time.Time) []Approval {
	var list []Approval
	for _, approval := range a.Approvals {
		if approval.Config != nil && !approval.Expired(now) {
			list = append(list, approval)
		}
	}
	return list
}

// Mode says what the remediator may do.
type Mode string

// The modes, weakest first. The first stage acts in ModeEnforce only;
// ModeApprove waits for the approvals of a later stage and acts on nothing.
const (
	ModeOff     Mode = "off"     // nothing at all
	ModeReport  Mode = "report"  // say what would be done
	ModeApprove Mode = "approve" // act on findings that a person approved for removal
	ModeEnforce Mode = "enforce" // act
)

// Settings is the part of the baseline that is about permdrift itself. Only a
// person writes it.
type Settings struct {
	Version   int64     `json:"version"`
	Mode      Mode      `json:"mode"` // empty means ModeOff
	UpdatedBy string    `json:"updatedBy,omitempty"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
}

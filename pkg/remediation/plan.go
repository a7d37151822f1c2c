package remediation

import (
	"slices"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// Decision is what to do next about a finding.
type Decision struct {
	// Intent is the next call to make, nil if there is none.
	Intent *drift.Intent
	// Why says why there is none.
	Why string
	// Gone is set where there is none because the cause is not there, or is approved.
	Gone bool
}

// Plan decides, from what is true now, the next call that removes a finding's
// cause. It is pure. A statement under several Sids takes one call each, and a
// new decision before each.
func Plan(finding drift.Finding, state drift.State, baseline drift.Baseline, c drift.Context) Decision {
	if !state.Covers(finding.Place) {
		return Decision{Why: "the policy could not be read"}
	}
	current, ok := stillThere(finding, state, baseline, c)
	if !ok {
		return Decision{Why: "the statement is not there any more, or is approved by now", Gone: true}
	}
	if current.Kind != drift.PolicyWidened || current.Statement.Effect != policy.Allow {
		return Decision{Why: "only an added Allow statement is removed; what is missing has to be restored by a person"}
	}
	live := state.Policies[finding.Place]
	intent := &drift.Intent{
		FindingID: finding.ID, Subject: finding.Subject, Place: finding.Place, Statement: current.Statement,
		RevisionID: live.RevisionID, PreImage: live.Document, Status: drift.Planned,
	}
	if len(current.Sids) > 0 {
		intent.Remedy, intent.Sid = drift.RemovePermission, current.Sids[0]
		if countSid(live.Policy, intent.Sid) > 1 {
			return Decision{Why: "several statements bear the Sid " + intent.Sid + ": a person has to tell them apart"}
		}
		statement := withSid(live.Policy, intent.Sid)
		intent.Statement = &statement
	} else {
		intent.Remedy = drift.PutResourcePolicy
		intent.Put = without(live.Policy, *current.Statement)
	}
	intent.Undo = UndoCommand(*intent)
	return Decision{Intent: intent}
}

// stillThere compares anew and returns the finding of the same id.
func stillThere(finding drift.Finding, state drift.State, baseline drift.Baseline, c drift.Context) (drift.Finding, bool) {
	found := drift.Compare(drift.Change{Subject: finding.Subject, Place: finding.Place}, state, baseline, c)
	i := slices.IndexFunc(found, func(f drift.Finding) bool { return f.ID == finding.ID })
	if i < 0 {
		return drift.Finding{}, false
	}
	return found[i], true
}

func countSid(p policy.Policy, sid string) int {
	n := 0
	for _, s := range p.Statements {
		if s.Sid == sid {
			n++
		}
	}
	return n
}

func withSid(p policy.Policy, sid string) policy.Statement {
	i := slices.IndexFunc(p.Statements, func(s policy.Statement) bool { return s.Sid == sid })
	return p.Statements[i]
}

// without is the document less every statement without Sid that means the
// same as a given Allow: it can only allow less.
func without(p policy.Policy, unwanted policy.Statement) string {
	p.Statements = slices.DeleteFunc(slices.Clone(p.Statements), func(s policy.Statement) bool {
		return s.Sid == "" && s.Equal(unwanted)
	})
	text, err := p.MarshalJSON()
	if err != nil { // MarshalJSON of a parsed policy does not fail
		return ""
	}
	return string(text)
}

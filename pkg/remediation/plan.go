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
	if len(state.Gaps) > 0 || !state.Covers(finding.Place) {
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
	if live.RevisionID == "" {
		return Decision{Why: "AWS gave no RevisionId with the policy, so nothing says that what is removed is what was read"}
	}
	intent := &drift.Intent{
		FindingID: finding.ID, Subject: finding.Subject, Place: finding.Place, Statement: current.Statement,
		RevisionID: live.RevisionID, PreImage: live.Document, Status: drift.Planned,
	}
	if i := slices.IndexFunc(current.Sids, drift.Removable); i >= 0 {
		intent.Remedy, intent.Sid = drift.RemovePermission, current.Sids[i]
		if countSid(live.Policy, intent.Sid) > 1 {
			return Decision{Why: "several statements bear the Sid " + intent.Sid + ": a person has to tell them apart"}
		}
		statement := withSid(live.Policy, intent.Sid)
		intent.Statement = &statement
	} else {
		rest := without(live.Policy, *current.Statement, finding.ID)
		intent.Remedy, intent.Put = drift.PutResourcePolicy, printed(rest)
		if !narrows(live.Policy, intent.Put, *current.Statement) {
			return Decision{Why: "the policy less the statement cannot be shown to allow no more: a person has to remove it"}
		}
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

// without is the policy less every statement that means the same as a given
// Allow and that RemovePermission cannot name. No document may be empty: if
// nothing would be left, one such statement stays, under a Sid by which the
// next call removes it.
func without(p policy.Policy, unwanted policy.Statement, id string) policy.Policy {
	kept := slices.DeleteFunc(slices.Clone(p.Statements), func(s policy.Statement) bool {
		return !drift.Removable(s.Sid) && s.Equal(unwanted)
	})
	if len(kept) == 0 {
		last := p.Statements[0]
		last.Sid = "permdrift-" + id
		kept = []policy.Statement{last}
	}
	p.Statements = kept
	return p
}

// printed is the text of a policy, in the version of the language that it has.
func printed(p policy.Policy) string {
	text, err := p.MarshalJSON()
	if err != nil { // MarshalJSON of a parsed policy does not fail
		return ""
	}
	return string(text)
}

// narrows reports whether a document, read again, is a policy less at most one
// unwanted Allow: it has no statement that the policy has not, and lacks none
// but the unwanted.
func narrows(p policy.Policy, document string, unwanted policy.Statement) bool {
	after, err := policy.Parse([]byte(document))
	if err != nil || unwanted.Effect != policy.Allow {
		return false
	}
	difference := policy.Compare(p, after)
	return len(difference.Added) == 0 && !slices.ContainsFunc(difference.Removed, func(i int) bool {
		return !p.Statements[i].Equal(unwanted)
	})
}

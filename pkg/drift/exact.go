package drift

import (
	"slices"

	"github.com/permdrift/permdrift/pkg/policy"
)

// comparison compares one place: what it has now, and what is approved there.
type comparison struct {
	account        string
	live, approved policy.Policy
	adopted        []policy.Statement // live ones that are not approved, and adopted
	owner          policy.Owner
}

// effects splits a policy's statements by effect.
func effects(p policy.Policy) (allows, denies []policy.Statement) {
	for _, s := range p.Statements {
		if s.Effect == policy.Deny {
			denies = append(denies, s)
		} else {
			allows = append(allows, s)
		}
	}
	return allows, denies
}

// beyond decides whether one list of statements allows a request that another does not.
func (c comparison) beyond(baseline, current []policy.Statement) policy.Access {
	return policy.NewAccess(
		policy.Policy{Version: "2012-10-17", Statements: baseline},
		policy.Policy{Version: "2012-10-17", Statements: current},
		policy.Options{Type: policy.ResourcePolicy, Account: c.account},
	)
}

// grants says what an added Allow lets in that is not approved. An Allow that
// the approved ones contain lets in nothing new (new is false). One that a Deny
// covers wholly at present is dormant: it is told, since the Deny may go.
func (c comparison) grants(s policy.Statement) (access policy.Access, dormant bool) {
	allows, _ := effects(c.approved)
	if alone := c.beyond(allows, []policy.Statement{s}); !alone.New {
		return alone, false
	}
	_, denies := effects(c.live)
	access = c.beyond(c.approved.Statements, append([]policy.Statement{s}, denies...))
	if !access.New {
		return policy.Access{New: true}, true
	}
	return access, false
}

// opens says what the loss of a Deny lets in, through the live Allows that no
// open finding of their own tells: those that the approved and adopted ones
// contain. The witnesses' indices are of the live policy.
func (c comparison) opens(lost policy.Statement) policy.Access {
	approved, _ := effects(c.approved)
	approved = append(approved, c.adopted...)
	_, denies := effects(c.live)
	current := make([]policy.Statement, 0, len(c.live.Statements))
	var indices []int
	for i, s := range c.live.Statements {
		if s.Effect == policy.Allow && (slices.ContainsFunc(approved, s.Equal) || !c.beyond(approved, []policy.Statement{s}).New) {
			current, indices = append(current, s), append(indices, i)
		}
	}
	access := policy.NewAccess(
		policy.Policy{Version: "2012-10-17", Statements: append(slices.Clone(approved), lost)},
		policy.Policy{Version: "2012-10-17", Statements: append(current, denies...)},
		policy.Options{Type: policy.ResourcePolicy, Account: c.account, All: true},
	)
	for i, w := range access.Witnesses {
		if w.Index < len(indices) {
			access.Witnesses[i].Index = indices[w.Index]
		}
	}
	return access
}

// losesGrant reports whether the absence of an approved Allow takes a request
// away that nothing else in the live policy allows.
func (c comparison) losesGrant(gone policy.Statement) bool {
	_, denies := effects(c.approved)
	return c.beyond(c.live.Statements, append([]policy.Statement{gone}, denies...)).New
}

// deniesMore reports whether an added Deny takes away a request that the rest
// of the live policy allows, and that no approved Deny denied before.
func (c comparison) deniesMore(added policy.Statement) bool {
	rest := slices.DeleteFunc(slices.Clone(c.live.Statements), func(s policy.Statement) bool { return s.Equal(added) })
	_, denies := effects(c.approved)
	return c.beyond(c.live.Statements, append(rest, denies...)).New
}

package drift

import (
	"slices"

	"github.com/permdrift/permdrift/pkg/policy"
)

// comparison compares one place: what it has now, and what is approved there.
type comparison struct {
	place          Place
	subject        Kind
	live, approved policy.Policy
	adopted        []policy.Statement // live ones that are not approved, and adopted
	owner          policy.Owner
	options        policy.Options // of what is compared: type, account
	boundary       *policy.Policy // within which identity policies count, then and now
	role           *RoleState
}

// newComparison compares one place of a state with what is approved there.
func newComparison(state State, place Place, approved policy.Policy, c Context) comparison {
	cmp := comparison{
		place: place, subject: state.Subject.Kind(), live: state.Policies[place].Policy, approved: approved,
		owner: c.Owner, options: policy.Options{Type: policy.ResourcePolicy}, role: state.Role,
	}
	cmp.owner.Account = state.Subject.Account()
	cmp.options.Account = cmp.owner.Account
	if cmp.identity() {
		cmp.options.Type, cmp.boundary = policy.IdentityPolicy, state.rights().Boundary
		if cmp.subject != Role {
			cmp.boundary = onFunctions // their other rights are not permdrift's business
		}
	} else if cmp.subject == Role {
		cmp.options.Type = policy.TrustPolicy
	}
	return cmp
}

// onFunctions are all rights on Lambda.
var onFunctions = &policy.Policy{Version: "2012-10-17", Statements: []policy.Statement{{Effect: policy.Allow, Action: []string{"lambda:*"}, Resource: []string{"*"}}}}

// identity reports whether the place is one of identity policies.
func (c comparison) identity() bool {
	return c.place == Identity && (c.subject == Role || c.subject == User || c.subject == Group)
}

// expose says who a statement lets in; of an identity policy, nobody.
func (c comparison) expose(s policy.Statement) policy.Verdict {
	switch {
	case c.identity():
		return policy.Verdict{Certain: true}
	case c.subject == Role:
		return policy.ExposeTrustStatement(s, c.owner)
	}
	return policy.Expose(s, c.owner)
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

// beyond decides whether one list of statements allows a request that another
// does not, as they stand.
func (c comparison) beyond(baseline, current []policy.Statement) policy.Access {
	return policy.NewAccess(
		policy.Policy{Version: "2012-10-17", Statements: baseline},
		policy.Policy{Version: "2012-10-17", Statements: current},
		c.options,
	)
}

// within is beyond, inside the boundary that there is.
func (c comparison) within(baseline, current []policy.Statement) policy.Access {
	c.options.BaselineBoundary, c.options.CurrentBoundary = c.boundary, c.boundary
	return c.beyond(baseline, current)
}

// grants says what an added Allow lets in that is not approved. An Allow that
// the approved ones contain lets in nothing new (new is false). One that a Deny
// covers wholly at present is dormant: it is told, since the Deny may go.
func (c comparison) grants(s policy.Statement) (access policy.Access, dormant bool) {
	allows, _ := effects(c.approved)
	alone := c.beyond
	if c.identity() && c.subject != Role {
		alone = c.within
	}
	if access := alone(allows, []policy.Statement{s}); !access.New {
		return access, false
	}
	_, denies := effects(c.live)
	access = c.within(c.approved.Statements, append([]policy.Statement{s}, denies...))
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
	c.options.All = true
	access := c.within(append(slices.Clone(approved), lost), append(current, denies...))
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
	return c.within(c.live.Statements, append([]policy.Statement{gone}, denies...)).New
}

// deniesMore reports whether an added Deny takes away a request that the rest
// of the live policy allows, and that no approved Deny denied before.
func (c comparison) deniesMore(added policy.Statement) bool {
	rest := slices.DeleteFunc(slices.Clone(c.live.Statements), func(s policy.Statement) bool { return s.Equal(added) })
	_, denies := effects(c.approved)
	return c.within(c.live.Statements, append(rest, denies...)).New
}

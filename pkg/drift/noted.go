package drift

import (
	"cmp"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Noted are the findings that a change deserves by itself, since no state shows
// them afterwards. They are told once and are over at once.
//
//   - An alias points at other code, and its policy lets in somebody outside
//     the account: those callers reach other code now.
//   - An execution role was replaced, and none is approved to compare it with.
//   - A role's permissions boundary was deleted, and none is approved to compare
//     with.
//   - A role was handed to others without a change of its documents: to an
//     instance profile, to a profile of Roles Anywhere, to whom an identity
//     provider or trust anchor that it trusts vouches for now. Nothing that is
//     read of the role would show it, and so it is told also where the outcome
//     of the call is unknown.
func Noted(change Change, state State, baseline Baseline, c Context) []Finding {
	switch change.Operation {
	case ShareRole, PutProvider:
		return handed(change, state, baseline)
	default:
	}
	if change.OutcomeUnknown {
		return nil
	}
	if change.Operation == RemoveBoundary && change.Subject.Kind() == Role {
		return unbounded(change, state, baseline)
	}
	if change.Subject.Kind() != Function {
		return nil
	}
	switch change.Operation {
	case RepointPlace:
		return repointed(change, state, c)
	case Configure:
		return unknownRole(change, baseline, c)
	default:
		return nil
	}
}

func repointed(change Change, state State, c Context) []Finding {
	if !state.Covers(change.Place) {
		return nil
	}
	owner := c.Owner
	owner.Account = change.Subject.Account()
	v := policy.ExposeDocument(state.Policies[change.Place].Policy, owner)
	if !v.Exposure.Wider(policy.Internal) {
		return nil
	}
	to := "other code"
	if version := change.Detail["functionVersion"]; version != "" {
		to = "version " + version
	}
	if routing := change.Detail["routingConfig"]; routing != "" && routing != "{}" {
		to += ", with routing " + routing
	}
	return []Finding{{
		ID: eventID(change.Subject, change.Place, change.Event), Kind: AliasRepointed, Status: Transient,
		Severity: Informational, Exposure: v.Exposure, Certain: v.Certain, Counterparties: some(v.Counterparties),
		Subject: change.Subject, Place: change.Place, Account: change.Subject.Account(), Region: change.Subject.Region(),
		Reason: "the alias points at " + to + " now, and with it those whom its policy lets in: " + v.Reason,
		Actor:  change.Actor, Event: change.Event,
	}}
}

// handed is the finding about a role that others can become now.
func handed(change Change, state State, baseline Baseline) []Finding {
	if change.Subject.Kind() != Role || takesBack(change.Event.Name) {
		return nil
	}
	f := Finding{
		ID: eventID(change.Subject, Trust, change.Event), Kind: TrustWidened, Status: Transient, Severity: Medium, Exposure: policy.External,
		Subject: change.Subject, Place: Trust, Account: change.Subject.Account(), Certain: false, Actor: change.Actor, Event: change.Event,
	}
	name := change.Detail["instanceProfileName"]
	switch {
	case name != "":
		f.Severity, f.Exposure = Informational, policy.Internal
		f.Reason = "the role is in the instance profile " + name + " now: whoever runs code on its instances has the role"
	case change.Operation == ShareRole:
		f.Reason = "a profile of Roles Anywhere hands out the role: whoever holds a certificate of a trust anchor can become it, as far as its trust policy lets them"
	default:
		f.Reason = change.Event.Name + " changed " + cmp.Or(change.Detail["provider"], "an identity provider or trust anchor") + ", which the role trusts: whom it vouches for can become the role, as far as its trust policy lets them"
	}
	if baseline.Known() && f.Severity != Informational {
		f.Severity = High
	}
	if change.OutcomeUnknown {
		f.Reason += "; whether the call took effect is unknown"
	}
	if len(state.Functions) > 0 {
		f.Functions = state.Functions
		f.Reason += "; " + runAs(f.Functions)
		if f.Severity == Informational {
			f.Severity = Medium
		}
	}
	return []Finding{f}
}

// takesBack reports whether a call about a provider or profile only takes away.
func takesBack(name string) bool {
	for _, verb := range []string{"Delete", "Disable", "Remove"} {
		if strings.HasPrefix(name, verb) {
			return true
		}
	}
	return false
}

// unbounded is the finding about a boundary that was deleted where nobody said
// whether the role is to have one.
func unbounded(change Change, state State, baseline Baseline) []Finding {
	if _, known := baseline.Places[Boundary]; known || state.Role == nil || state.Role.BoundaryARN != "" {
		return nil
	}
	f := Finding{
		ID: eventID(change.Subject, Boundary, change.Event), Kind: BoundaryRemoved, Status: Transient, Severity: Medium,
		Subject: change.Subject, Place: Boundary, Account: change.Subject.Account(), Functions: state.Functions, Actor: change.Actor, Event: change.Event,
		Reason: "the permissions boundary was deleted: what the role's policies allow beyond it counts from now on; nothing is approved of the role to compare it with",
	}
	return []Finding{f}
}

func unknownRole(change Change, baseline Baseline, c Context) []Finding {
	if change.Config == nil || change.Config.Role == "" || len(baseline.roles(c.Now)) > 0 {
		return nil
	}
	f := Finding{
		ID: FindingID(change.Subject, Unqualified, string(RoleReplaced)+":"+change.Config.Key()), Kind: RoleReplaced, Status: Transient,
		Severity: Medium, Subject: change.Subject, Account: change.Subject.Account(), Region: change.Subject.Region(),
		Config: change.Config, Actor: change.Actor, Event: change.Event,
		Reason: "the execution role is " + change.Config.Role + " now; no role is approved for the function, so there is none to compare it with",
	}
	f.Approve = approveCommand(f, c.Store)
	return []Finding{f}
}

// stand tells of a transient finding how long what it is about was there, and
// who took it away, from the removals that the ledger has.
func (f *Finding) stand(removals []Removal) {
	for _, r := range removals {
		sid := r.Sid == "" || len(f.Sids) > 0 && f.Sids[0] == r.Sid || r.Sid == f.Policy
		if r.Place != f.Place || !sid || r.Event.Time.Before(f.Event.Time) {
			continue
		}
		f.ResolvedAt = r.Event.Time
		f.Reason = strings.TrimSuffix(f.Reason, ".") + "; it stood for " + r.Event.Time.Sub(f.Event.Time).String()
		if r.Actor.ARN != "" {
			f.Reason += ", until " + r.Actor.ARN + " took it away (" + r.Event.Name + ")"
		}
		return
	}
}

package drift

import (
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Noted are the findings that a change deserves by itself, since no state shows
// them afterwards. They are told once and are over at once.
//
//   - An alias points at other code, and its policy lets in somebody outside
//     the account: those callers reach other code now.
//   - An execution role was replaced, and none is approved to compare it with.
func Noted(change Change, state State, baseline Baseline, c Context) []Finding {
	if change.OutcomeUnknown || change.Subject.Kind() != Function {
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
		sid := r.Sid == "" || len(f.Sids) > 0 && f.Sids[0] == r.Sid
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

package drift

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// configs compares what of a function's configuration was read.
type configs struct {
	change   Change
	state    State
	baseline Baseline
	c        Context
	owner    policy.Owner
	found    []Finding
}

func compareConfig(change Change, state State, baseline Baseline, c Context) []Finding {
	if state.Subject.Kind() != Function {
		return nil
	}
	cmp := configs{change: change, state: state, baseline: baseline, c: c, owner: c.Owner}
	cmp.owner.Account = state.Subject.Account()
	for _, place := range cmp.places() {
		cmp.url(place)
	}
	cmp.mappings()
	cmp.roles()
	return cmp.found
}

// places lists, in order, the places where there is or should be a URL.
func (cmp *configs) places() []Place {
	return slices.Compact(slices.Sorted(func(yield func(Place) bool) {
		for p := range cmp.state.URLs {
			if !yield(p) {
				return
			}
		}
		for p := range cmp.baseline.Places {
			if !yield(p) {
				return
			}
		}
	}))
}

// add drafts a finding about a part of the configuration.
func (cmp *configs) add(kind FindingKind, place Place, config Config, reason string) *Finding {
	s := cmp.state.Subject
	cmp.found = append(cmp.found, Finding{
		ID: FindingID(s, place, string(kind)+":"+config.Key()), Kind: kind, Status: Open, Subject: s, Place: place,
		Account: s.Account(), Region: s.Region(), Config: &config, Reason: reason, Certain: true,
		Actor: cmp.change.Actor, Event: cmp.change.Event,
	})
	return &cmp.found[len(cmp.found)-1]
}

// narrowed drafts the finding about an approved part that is gone.
func (cmp *configs) narrowed(place Place, approved Config, severity Severity, reason string) *Finding {
	f := cmp.add(PolicyNarrowed, place, approved, reason)
	f.Exposure, f.Severity = policy.Nobody, severity
	return f
}

// url compares the function URL of a place, if it was read.
func (cmp *configs) url(place Place) {
	if !cmp.state.CoversURL(place) {
		return
	}
	live := cmp.state.URLs[place]
	var approved []URL
	for _, a := range cmp.baseline.Places[place].Configs(cmp.c.Now) {
		if a.Config.URL != nil {
			approved = append(approved, *a.Config.URL)
		}
	}
	if !live.exists() {
		for _, u := range approved {
			cmp.narrowed(place, Config{URL: &u}, Medium, "the approved function URL is gone: whoever calls it gets no answer")
		}
		return
	}
	if slices.ContainsFunc(approved, live.within) {
		return
	}
	config := Config{URL: &live}
	for _, u := range approved {
		if u.AuthType == "NONE" && live.AuthType != "NONE" && live.CORS.within(u.CORS) {
			f := cmp.narrowed(place, config, Low, "the function URL's AuthType is "+live.AuthType+" and was approved as NONE: callers who do not sign get no answer")
			f.Before = &Config{URL: &u}
			return
		}
	}
	cmp.opened(place, config, approved)
}

// within reports whether whoever gets an answer from one URL gets it from the other.
func (u URL) within(v URL) bool { return u.AuthType == v.AuthType && u.CORS.within(v.CORS) }

// opened drafts the finding about a URL that is not approved as it is: who can
// call it is decided by the policy of the place and the AuthType together.
func (cmp *configs) opened(place Place, config Config, approved []URL) {
	live := config.URL
	what, onlyCORS := "a function URL with AuthType "+live.AuthType+" is there, and none is approved", false
	f := cmp.add(URLOpened, place, config, "")
	if len(approved) > 0 {
		before := approved[0]
		f.Before = &Config{URL: &before}
		onlyCORS = before.AuthType == live.AuthType
		what = "the AuthType of the function URL is " + live.AuthType + ", approved is " + before.AuthType
		if onlyCORS {
			what = "CORS of the function URL answers browsers more than is approved: " + live.CORS.words() + "; approved: " + before.CORS.words()
		}
	}
	verdict := policy.Verdict{Exposure: policy.Unknown, Reason: "the policy of the place was not read"}
	if cmp.state.Covers(place) {
		verdict = policy.ExposeURL(cmp.state.Policies[place].Policy, policy.URL{AuthType: live.AuthType}, cmp.owner)
	}
	f.Exposure, f.Certain, f.Counterparties = verdict.Exposure, verdict.Certain, some(verdict.Counterparties)
	f.Severity = SeverityOf(verdict.Exposure, policy.Statement{Action: []string{"lambda:InvokeFunctionUrl"}})
	f.Reason = what + "; " + verdict.Reason
	switch {
	case onlyCORS && live.CORS.AllowCredentials && slices.Contains(live.CORS.AllowOrigins, "*"):
		f.Severity = Medium
	case onlyCORS:
		f.Severity = Low // who may call is as approved
	case verdict.Exposure == policy.Nobody && live.AuthType == "NONE":
		f.Severity = Medium
		f.Reason += "; the next grant of lambda:InvokeFunctionUrl opens it to the internet"
	case verdict.Exposure == policy.Nobody:
		f.Severity = Low
	}
}

// words are what CORS answers, in short.
func (c *CORS) words() string {
	c = c.canonical()
	if c == nil {
		return "no other origin"
	}
	text := "origins " + strings.Join(c.AllowOrigins, ", ")
	if len(c.AllowMethods) > 0 {
		text += ", methods " + strings.Join(c.AllowMethods, ", ")
	}
	if len(c.AllowHeaders) > 0 {
		text += ", headers " + strings.Join(c.AllowHeaders, ", ")
	}
	if c.AllowCredentials {
		text += ", with credentials"
	}
	return text
}

// mappings compares the event source mappings that were read.
func (cmp *configs) mappings() {
	type cause struct {
		place  Place
		source string
	}
	enabled := make(map[cause]bool) // two mappings of one source, by topic say, are one cause
	for _, m := range cmp.state.Mappings {
		if m != nil {
			enabled[cause{m.Place, m.Source}] = enabled[cause{m.Place, m.Source}] || m.Enabled
		}
	}
	told := make(map[cause]bool)
	for _, uuid := range slices.Sorted(maps.Keys(cmp.state.Mappings)) {
		if m := cmp.state.Mappings[uuid]; m != nil {
			if at := (cause{m.Place, m.Source}); !told[at] && m.Enabled == enabled[at] {
				told[at] = true
				cmp.mapping(m.Place, m.Mapping)
			}
		}
	}
	for _, place := range slices.Sorted(maps.Keys(cmp.baseline.Places)) {
		for _, a := range cmp.baseline.Places[place].Configs(cmp.c.Now) {
			if a.Config.Mapping != nil && a.Config.Mapping.Enabled {
				cmp.stopped(place, *a.Config.Mapping)
			}
		}
	}
}

// mapping drafts the finding about a mapping that is not approved, or is
// approved only as disabled.
func (cmp *configs) mapping(place Place, live Mapping) {
	var before *Config
	for _, a := range cmp.baseline.Places[place].Configs(cmp.c.Now) {
		if m := a.Config.Mapping; m != nil && m.Source == live.Source {
			if m.Enabled || !live.Enabled {
				return
			}
			before = a.Config
		}
	}
	exposure, whose := sourceExposure(live.Source, cmp.owner)
	f := cmp.add(EventSourceAdded, place, Config{Mapping: &live}, "")
	f.Before, f.Exposure, f.Counterparties = before, exposure, []string{live.Source}
	f.Severity = SeverityOf(exposure, policy.Statement{Action: []string{"lambda:InvokeFunction"}})
	f.Reason = "an event source mapping feeds the function from " + live.Source + ", " + whose +
		": whoever can write there has the function run with what they wrote, without any statement of its policy"
	if before != nil {
		f.Reason = "an event source mapping that is approved as disabled is enabled: " + live.Source + ", " + whose
	}
	if !live.Enabled {
		f.Severity = lower(f.Severity)
		f.Reason += "; it is disabled, and takes effect when somebody enables it"
	}
}

// sourceExposure is who can write to an event source, as far as its ARN says.
func sourceExposure(source string, owner policy.Owner) (policy.Exposure, string) {
	parts := strings.SplitN(source, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || !accounts.MatchString(parts[4]) {
		return policy.External, "which is not a resource of a named AWS account"
	}
	switch account := parts[4]; {
	case account == owner.Account:
		return policy.Internal, "a source in the function's own account"
	case slices.Contains(owner.TrustedAccounts, account):
		return policy.Organization, "a source in the trusted account " + account
	default:
		return policy.External, "a source in another account, " + account
	}
}

// stopped drafts the finding about an approved mapping that feeds no more.
func (cmp *configs) stopped(place Place, approved Mapping) {
	for _, uuid := range slices.Sorted(maps.Keys(cmp.state.Mappings)) {
		live := cmp.state.Mappings[uuid]
		if live == nil || live.Place != place || live.Source != approved.Source {
			continue
		}
		if !live.Enabled {
			before := approved
			approved.UUID, approved.Enabled = uuid, false
			f := cmp.narrowed(place, Config{Mapping: &approved}, Medium, "the approved event source mapping from "+approved.Source+" is disabled: its events wait or are lost")
			f.Before = &Config{Mapping: &before}
		}
		return
	}
	if cmp.state.CoversMapping(approved.UUID) { // it is there no more, or feeds another place
		cmp.narrowed(place, Config{Mapping: &approved}, Medium, "the approved event source mapping from "+approved.Source+" is gone: its events do not reach the function")
	}
}

// roles compares the execution roles of the unpublished code and of the
// versions that were read with those that are approved. Where none is, there
// is nothing to compare with; see [Noted].
func (cmp *configs) roles() {
	approved := cmp.baseline.roles(cmp.c.Now)
	if len(approved) == 0 {
		return
	}
	at := make(map[string][]string)
	for _, place := range slices.Sorted(maps.Keys(cmp.state.Roles)) {
		role := cmp.state.Roles[place]
		if role == "" || slices.Contains(approved, role) || !cmp.state.CoversRole(place) {
			continue
		}
		where := "the unpublished code"
		if place != Unqualified {
			where = "version " + string(place)
		}
		at[role] = append(at[role], where)
	}
	for _, role := range slices.Sorted(maps.Keys(at)) {
		f := cmp.add(RoleReplaced, Unqualified, Config{Role: role}, "")
		f.Before = &Config{Role: approved[0]}
		f.Reason = fmt.Sprintf("the execution role of %s is %s, and approved is %s", strings.Join(at[role], ", "), role, strings.Join(approved, ", "))
		cmp.beyond(f, approved[0], role)
	}
}

// beyond tells what a role may do that another may not.
func (cmp *configs) beyond(f *Finding, before, after string) {
	old, knowOld := cmp.state.Rights[before]
	now, knowNow := cmp.state.Rights[after]
	switch {
	case !knowOld || !knowNow:
		f.Severity, f.Certain = High, false
		f.Reason += "; what the role may do was not read"
		return
	case now.Problem != "":
		f.Severity, f.Certain = High, false
		f.Reason += "; what the new role may do could not be read: " + now.Problem
		return
	case old.Problem != "":
		f.Severity, f.Certain = High, false
		f.Reason += "; what the approved role may do could not be read: " + old.Problem
		return
	}
	options := policy.Options{Type: policy.IdentityPolicy, Account: cmp.owner.Account, BaselineBoundary: old.Boundary, CurrentBoundary: now.Boundary}
	access := policy.NewAccess(old.Policy, now.Policy, options)
	switch {
	case !access.New:
		f.Severity = Low
		f.Reason += "; it may do nothing that the approved one may not"
	case access.Unknown:
		f.Severity, f.Certain = High, false
		f.Reason += "; what it may do beyond the approved one could not be decided (" + access.Reason + ")"
	default:
		f.Witness, f.Severity = firstWitness(access, access.Witnesses[0].Index), High
		f.Certain = f.Witness.Certain
		f.Reason += "; it may do more than the approved one: for example " + f.Witness.Action + " on " + f.Witness.Resource
		reach := cmp.c.Reach
		if reach == nil {
			reach = onlyAdministrator
		}
		f.comesTo(reach(now, cmp.owner.Account), methods(reach(old, cmp.owner.Account)), make(map[string]Severity))
	}
}

// administrator reports whether rights allow every action on everything.
func administrator(r Rights) bool {
	all := policy.Policy{Version: "2012-10-17", Statements: []policy.Statement{{Effect: policy.Allow, Action: []string{"*"}, Resource: []string{"*"}}}}
	return !policy.NewAccess(r.Policy, all, policy.Options{Type: policy.IdentityPolicy, BaselineBoundary: r.Boundary}).New
}

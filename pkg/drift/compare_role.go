package drift

import (
	"fmt"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// compareRole completes the findings about a role's documents: what its new
// rights come to, the boundary, and which functions run as it.
func compareRole(change Change, found []Finding, state State, baseline Baseline, c Context) []Finding {
	found = append(found, compareBoundary(change, state, baseline, c)...)
	reach(found, state, baseline, c)
	for i := range found {
		if f := &found[i]; f.Kind == PermissionsWidened && !state.Covers(Boundary) {
			f.Certain = false
			f.Reason += "; whether a permissions boundary stands before it could not be read"
		}
	}
	if len(state.Functions) == 0 {
		return found
	}
	for i := range found {
		f := &found[i]
		f.Functions = state.Functions
		f.Reason += "; " + runAs(state.Functions)
		if f.Kind == TrustNarrowed && strings.Contains(f.Reason, "Lambda") {
			f.Severity = High
		}
	}
	return found
}

// runAs names the functions that run as a role.
func runAs(functions []Subject) string {
	const most = 10
	var names []string
	for _, f := range functions[:min(len(functions), most)] {
		names = append(names, f.Name())
	}
	text := strings.Join(names, ", ")
	if more := len(functions) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(functions) == 1 {
		return "the function " + text + " runs as the role"
	}
	return fmt.Sprintf("%d functions run as the role: %s", len(functions), text)
}

// unassumable tells of a lost statement of a trust policy by which Lambda, or
// another service, became the role.
func (c comparison) unassumable(f *Finding, lost policy.Statement) {
	f.Reason = "a statement of the trust policy is gone: whoever needs it cannot become the role any more"
	if lost.Principal == nil || len(lost.Principal.Service) == 0 {
		return
	}
	f.Severity = Medium
	f.Reason = "a statement of the trust policy is gone: " + strings.Join(lost.Principal.Service, " and ") + " cannot become the role any more"
	if slices.Contains(lost.Principal.Service, "lambda.amazonaws.com") {
		f.Reason += ", so Lambda cannot run the functions that have it"
	}
}

// compareBoundary tells where what is approved of a role comes to more because
// its permissions boundary is gone or wider, or to less because it is narrower;
// and that it is gone or wider even where that changes nothing at present.
func compareBoundary(change Change, state State, baseline Baseline, c Context) []Finding {
	approved, known := baseline.Places[Boundary]
	if !known || state.Role == nil || !state.Covers(Boundary) || !state.Covers(Identity) {
		return nil
	}
	before, now := baseline.rights(c.Now), state.rights()
	options := policy.Options{Type: policy.IdentityPolicy, Account: state.Subject.Account(), BaselineBoundary: before.Boundary, CurrentBoundary: now.Boundary}
	d := newDrafts(change, state.Subject, Boundary)
	if access := policy.NewAccess(before.Policy, before.Policy, options); access.New && before.Boundary != nil {
		reason := "the permissions boundary is wider than approved"
		if now.Boundary == nil {
			reason = "the permissions boundary is gone"
		}
		f := d.boundary(BoundaryRemoved, approved, Medium, reason+": what is approved of the role comes to more")
		f.Certain = !access.Unknown
		if f.Witness = firstWitness(access, 0); f.Witness != nil {
			f.Certain = f.Certain && f.Witness.Certain
			f.Reason += ", for example " + f.Witness.Action + " on " + f.Witness.Resource
		}
	} else if before.Boundary != nil && now.Boundary == nil {
		d.boundary(BoundaryRemoved, approved, Medium, "the permissions boundary is gone: it takes nothing away from what is approved, and would from what is added")
	} else if before.Boundary != nil && policy.NewAccess(*before.Boundary, *now.Boundary, policy.Options{Type: policy.IdentityPolicy, Account: options.Account}).New {
		d.widerLimit(approved, now, options)
	}
	lost := policy.LostAccess(before.Policy, before.Policy, options)
	if lost.New && now.Boundary != nil {
		f := d.boundary(PermissionsNarrowed, approved, Low, "the permissions boundary allows less than approved: what needs it is refused")
		f.Witness, f.Certain = firstWitness(lost, 0), !lost.Unknown
	}
	for i := range d.list {
		if now.Boundary != nil {
			f := &d.list[i]
			f.ID = FindingID(f.Subject, f.Place, string(f.Kind)+":"+keys(now.Boundary.Statements)) // another boundary is another finding
			f.Config = &Config{Boundary: state.Role.BoundaryARN}
		}
	}
	return d.list
}

// widerLimit drafts the finding about a boundary that is wider than approved,
// and takes as much as before from what is approved: what is added may come to
// more.
func (d *drafts) widerLimit(approved Approved, now Rights, options policy.Options) {
	access := policy.NewAccess(now.Policy, now.Policy, options)
	if !access.New {
		d.boundary(BoundaryRemoved, approved, Low, "the permissions boundary is wider than approved: it takes as much from what the role has, and less from what is added")
		return
	}
	f := d.boundary(BoundaryRemoved, approved, Medium, "the permissions boundary is wider than approved: what nobody approved of the role comes to more")
	if f.Witness = firstWitness(access, 0); f.Witness != nil {
		f.Reason += ", for example " + f.Witness.Action + " on " + f.Witness.Resource
	}
	f.Certain = !access.Unknown && (f.Witness == nil || f.Witness.Certain)
}

// keys are statements in one spelling and order.
func keys(list []policy.Statement) string {
	var all []string
	for _, s := range list {
		all = append(all, string(s.Effect)+":"+s.Key())
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "\n")
}

// boundary drafts a finding about the boundary as a whole.
func (d *drafts) boundary(kind FindingKind, approved Approved, severity Severity, reason string) *Finding {
	f := Finding{
		ID: FindingID(d.subject, d.place, string(kind)), Kind: kind, Severity: severity, Status: Open, Subject: d.subject, Place: d.place,
		Account: d.subject.Account(), Reason: reason, Certain: true, Actor: d.change.Actor, Event: d.change.Event,
	}
	for _, a := range approved.Approvals {
		if a.Config != nil && a.Config.Boundary != "" {
			f.Before = &Config{Boundary: a.Config.Boundary}
		}
	}
	d.list = append(d.list, f)
	return &d.list[len(d.list)-1]
}

// reach tells each finding about wider rights what they come to: what one
// statement does by itself, and what only several do together each of those that
// it needs, or all where any could be spared.
func reach(found []Finding, state State, baseline Baseline, c Context) {
	if c.Reach == nil {
		c.Reach = onlyAdministrator
	}
	account := state.Subject.Account()
	approved, now := baseline.rights(c.Now), state.rights()
	had := methods(c.Reach(approved, account))
	var wider []*Finding
	told := make(map[string]Severity)
	for i := range found {
		f := &found[i]
		if f.Kind != PermissionsWidened && f.Kind != BoundaryRemoved || f.Severity == Informational {
			continue
		}
		wider = append(wider, f)
		with := Rights{Policy: approved.Policy, Boundary: now.Boundary}
		if f.Statement != nil && f.Statement.Effect == policy.Allow {
			with.Policy.Statements = append(slices.Clip(with.Policy.Statements), *f.Statement)
		}
		f.comesTo(c.Reach(with, account), had, told)
		f.comesTo(c.elsewhere(f.Statement, Rights{Policy: approved.Policy, Boundary: now.Boundary}, account, had), nil, told)
	}
	if len(wider) == 0 {
		return
	}
	together := slices.DeleteFunc(slices.Clone(c.Reach(now, account)), func(e Escalation) bool { return asBad(told, e) || asBad(had, e) })
	if len(together) == 0 {
		return
	}
	needed := make(map[string]bool) // methods of which a finding is a part that nothing else stands in for
	parts := make([][]Escalation, len(wider))
	for i, f := range wider {
		still := methods(c.Reach(now.without(f.Statement), account))
		parts[i] = slices.DeleteFunc(slices.Clone(together), func(e Escalation) bool { return asBad(still, e) && f.Statement != nil })
		for _, e := range parts[i] {
			needed[e.Method] = true
		}
	}
	for i, f := range wider {
		for _, e := range together {
			if !needed[e.Method] {
				parts[i] = append(parts[i], e)
			}
		}
		f.comesTo(parts[i], had, make(map[string]Severity))
	}
}

// elsewhere is what a new Allow comes to by requests that were not approved,
// though the approved rights come to the same by others: the code of another
// function.
func (c Context) elsewhere(s *policy.Statement, approved Rights, account string, had map[string]Severity) []Escalation {
	if s == nil || s.Effect != policy.Allow || len(had) == 0 {
		return nil
	}
	alone := Rights{Policy: policy.Policy{Version: "2012-10-17", Statements: []policy.Statement{*s}}, Boundary: approved.Boundary}
	hidden := func(e Escalation) bool { return asBad(had, e) }
	if !slices.ContainsFunc(c.Reach(alone, account), hidden) {
		return nil
	}
	for _, a := range approved.Policy.Statements {
		a.Effect = policy.Deny
		alone.Policy.Statements = append(alone.Policy.Statements, a)
	}
	return slices.DeleteFunc(slices.Clone(c.Reach(alone, account)), func(e Escalation) bool { return !hidden(e) })
}

// without are rights less the statements that mean the same as one, or with a
// Deny that is gone.
func (r Rights) without(s *policy.Statement) Rights {
	if s == nil {
		return r
	}
	list := slices.DeleteFunc(slices.Clone(r.Policy.Statements), s.Equal)
	if s.Effect == policy.Deny {
		list = append(list, *s)
	}
	r.Policy.Statements = list
	return r
}

// onlyAdministrator is the least that a [Reach] says.
func onlyAdministrator(r Rights, _ string) []Escalation {
	if !administrator(r) {
		return nil
	}
	return []Escalation{{Method: "administrator", Severity: Critical, Reason: "it can do everything on everything: an administrator"}}
}

func methods(list []Escalation) map[string]Severity {
	set := make(map[string]Severity, len(list))
	for _, e := range list {
		set[e.Method] = e.Severity
	}
	return set
}

// asBad reports whether a method is in a set, and no less severe: on one
// function, or on every one.
func asBad(set map[string]Severity, e Escalation) bool {
	return set[e.Method].Rank() >= e.Severity.Rank()
}

// comesTo adds to a finding what its rights come to and was not so before.
func (f *Finding) comesTo(list []Escalation, had, told map[string]Severity) {
	for _, e := range list {
		if asBad(had, e) || asBad(methods(f.Escalations), e) {
			continue
		}
		told[e.Method] = e.Severity
		f.Escalations = append(f.Escalations, e)
		f.Reason += "; " + e.Reason
		if e.Severity.Rank() > f.Severity.Rank() {
			f.Severity = e.Severity
		}
	}
}

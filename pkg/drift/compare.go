package drift

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Context is what Compare and Reconcile have to know beside their arguments.
type Context struct {
	Now     time.Time
	Owner   policy.Owner // Account is ignored: it is the subject's
	Unknown UnknownMode
	// LearnUntil is when Learn ends and is Strict from then on.
	LearnUntil time.Time
	// Seals is set where adoptions can be sealed; without it nothing is adopted.
	Seals bool
	// Learned has what learning adopted count, whatever the mode is here: for a
	// reader who is not told how the auditor learns.
	Learned bool
	// Reach says what the rights of a role come to; nil: nothing is said of it.
	Reach Reach
	// Own are the resources that the auditing rests on.
	Own Own
	// Store is what commands have to name with --store to reach the ledger;
	// empty: nothing.
	Store string
}

// UnknownMode says what a subject means that has no baseline.
type UnknownMode string

// The modes.
const (
	Strict UnknownMode = "strict" // every grant is a finding
	Learn  UnknownMode = "learn"  // what is at most internal and only invokes is adopted, the rest is a finding
)

// MaxLearn is the longest time that learning may be allowed for (design D5).
const MaxLearn = 14 * 24 * time.Hour

// Compare returns the differences between a state and a baseline, one finding
// per place and cause: of the policies in order of places, then of the
// configuration, then of what could not be read. The change lends them its actor
// and event; what it claims counts only where a deployer's grant is adopted.
// Findings carry no times and no status but Open (Accepted where a grant is
// adopted, see [Rule]).
func Compare(change Change, state State, baseline Baseline, c Context) []Finding {
	var found []Finding
	role := state.Subject.Kind() == Role
	for _, place := range places(state, baseline) {
		if !role || place == Trust || place == Identity {
			found = append(found, comparePlace(change, state, baseline, place, c)...)
		}
	}
	found = append(found, compareConfig(change, state, baseline, c)...)
	if role {
		found = compareRole(change, found, state, baseline, c)
	}
	for _, gap := range state.Gaps {
		found = append(found, gapFinding(change, state.Subject, gap))
	}
	for i := range found {
		found[i].end(change, state, baseline, c)
	}
	return found
}

// places lists the places of a state and a baseline in order.
func places(state State, baseline Baseline) []Place {
	var list []Place
	for p := range state.Policies {
		list = append(list, p)
	}
	for p := range baseline.Places {
		list = append(list, p)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// comparePlace reports what is there and not approved even where a gap leaves
// something open; what is not there is only reported where the place is covered.
// What differs in text and not in the requests that it allows is no finding.
func comparePlace(change Change, state State, baseline Baseline, place Place, c Context) []Finding {
	approvals := baseline.Places[place].Valid(c.Now)
	cmp := newComparison(state, place, policy.Policy{
		Statements: append(slices.Clip(approvals), baseline.byRule(state.Subject, place, c.Now)...),
	}, c)
	difference := policy.Compare(cmp.approved, cmp.live)
	drafts := newDrafts(change, state.Subject, place)
	for _, i := range difference.Added {
		cmp.added(drafts, i)
	}
	for _, f := range drafts.list {
		if _, ok := c.adopts(change, baseline, f); ok {
			cmp.adopted = append(cmp.adopted, *f.Statement)
		}
	}
	if state.Covers(place) {
		for _, i := range difference.Removed {
			if i < len(approvals) { // what a rule approves need not be there
				cmp.removed(drafts, i)
			}
		}
	}
	return drafts.list
}

// added drafts the finding about a live statement that is not approved, if it
// makes a difference.
func (c comparison) added(d *drafts, i int) {
	s := c.live.Statements[i]
	if s.Effect == policy.Deny {
		if c.deniesMore(s) {
			f := d.add(d.narrowed(), s, "a Deny was added that nobody approved: what it denies may be needed")
			f.Exposure, f.Severity, f.Certain = policy.Nobody, Low, true
		}
		return
	}
	access, dormant := c.grants(s)
	if !access.New {
		return
	}
	f := d.add(d.widened(), s, "")
	if f.Severity != "" {
		return // the same under another Sid
	}
	if from, ok := c.role.from(i); ok && c.identity() {
		f.Policy = from.String()
	}
	if dormant {
		f.Exposure, f.Severity, f.Certain = policy.Nobody, Informational, true
		f.Reason = "lets in nobody beyond what is approved at present, because a Deny stands before it; it will when the Deny goes"
		if c.identity() {
			f.Exposure, f.Reason = "", "allows nothing beyond what is approved at present, because a Deny or the permissions boundary stands before it; it will when that goes"
		}
		return
	}
	v := c.expose(s)
	f.Exposure, f.Certain, f.Counterparties = v.Exposure, v.Certain && !access.Unknown, some(v.Counterparties)
	c.judge(f, v, s)
	f.Witness = firstWitness(access, i)
	if access.Unknown {
		f.Reason += "; whether it allows more than is approved could not be decided (" + access.Reason + ")"
	}
}

// firstWitness is the first request of an answer, told of the statement at an index.
func firstWitness(access policy.Access, index int) *policy.Witness {
	if len(access.Witnesses) == 0 {
		return nil
	}
	w := access.Witnesses[0]
	w.Index = index
	return &w
}

// removed drafts the finding about an approved statement that is not there, if
// it makes a difference. A Deny that is gone is always told.
func (c comparison) removed(d *drafts, i int) {
	s := c.approved.Statements[i]
	if s.Effect == policy.Deny {
		c.lostDeny(d.add(d.widened(), s, "a Deny of the baseline is gone"), s)
		return
	}
	if !c.losesGrant(s) {
		return
	}
	f := d.add(d.narrowed(), s, "a statement of the baseline is gone: whoever needs it cannot call any more")
	f.Exposure, f.Severity, f.Certain = policy.Nobody, Low, true
	switch services := eventSources(s); {
	case c.identity():
		f.Exposure, f.Reason = "", "a statement of the baseline is gone: what needs it is refused"
	case c.subject == Role:
		c.unassumable(f, s)
	case services != "":
		f.Severity, f.Reason = Medium, "a statement of the baseline is gone: "+services+" cannot call the function any more, so its events are lost"
	}
}

// eventSources are the services that a statement lets invoke a function.
func eventSources(s policy.Statement) string {
	if s.Principal == nil || s.Principal.Any || Administers(s) {
		return ""
	}
	return strings.Join(s.Principal.Service, " and ")
}

// lostDeny judges a removed Deny by the requests that are possible without it:
// the worst statement that lets one in.
func (c comparison) lostDeny(f *Finding, lost policy.Statement) {
	access := c.opens(lost)
	f.Exposure, f.Severity, f.Certain = policy.Nobody, Low, !access.Unknown
	why := "; nothing that it denied is allowed by what was approved"
	if access.Unknown {
		f.Exposure, f.Severity = policy.Unknown, High
		why = "; what that lets in could not be decided (" + access.Reason + ")"
	}
	for _, w := range access.Witnesses {
		if w.Index >= len(c.live.Statements) {
			continue
		}
		s := c.live.Statements[w.Index]
		v := c.expose(s)
		severity := max(c.severity(v.Exposure, s).Rank(), Medium.Rank())
		if f.Witness == nil || severity > f.Severity.Rank() {
			f.Exposure, f.Counterparties, f.Witness = v.Exposure, some(v.Counterparties), &w
			f.Severity = []Severity{Informational, Low, Medium, High, Critical}[severity]
			f.Certain = f.Certain && w.Certain
			why = "; what it denied is now allowed to " + v.Reason
			if c.identity() {
				why = "; what it denied is now allowed: " + w.Action + " on " + w.Resource
			}
		}
	}
	f.Reason += why
}

// drafts collects findings of one place; statements that mean the same become one finding.
type drafts struct {
	change  Change
	subject Subject
	place   Place
	list    []Finding
}

func newDrafts(change Change, subject Subject, place Place) *drafts {
	return &drafts{change: change, subject: subject, place: place}
}

// widened is the kind of a finding about a wider policy.
func (d *drafts) widened() FindingKind {
	switch kind := d.subject.Kind(); {
	case kind == LayerVersion:
		return LayerShared
	case kind == Role && d.place == Trust:
		return TrustWidened
	case kind == Role || kind == User || kind == Group:
		return PermissionsWidened
	}
	return PolicyWidened
}

// narrowed is the kind of a finding about a narrower policy.
func (d *drafts) narrowed() FindingKind {
	switch d.widened() {
	case TrustWidened:
		return TrustNarrowed
	case PermissionsWidened:
		return PermissionsNarrowed
	default:
		return PolicyNarrowed
	}
}

// add drafts a finding, or adds the Sid to the one that there is of the same cause.
func (d *drafts) add(kind FindingKind, s policy.Statement, reason string) *Finding {
	id := FindingID(d.subject, d.place, string(kind)+":"+string(s.Effect)+":"+s.Key())
	for i := range d.list {
		if d.list[i].ID == id {
			d.list[i].Sids = addSid(d.list[i].Sids, s.Sid)
			return &d.list[i]
		}
	}
	d.list = append(d.list, Finding{
		ID: id, Kind: kind, Status: Open, Subject: d.subject, Place: d.place,
		Account: d.subject.Account(), Region: d.subject.Region(),
		Statement: &s, Sids: addSid(nil, s.Sid), Reason: reason, Actor: d.change.Actor, Event: d.change.Event,
	})
	return &d.list[len(d.list)-1]
}

func addSid(sids []string, sid string) []string {
	if sid == "" || slices.Contains(sids, sid) {
		return sids
	}
	return append(sids, sid)
}

// end marks what is adopted, tells of an approval that has run out and of who
// owns the function, and names the commands.
func (f *Finding) end(change Change, state State, baseline Baseline, c Context) {
	if adoption, ok := c.adopts(change, baseline, *f); ok {
		f.Status, f.Severity, f.Adoption = Accepted, Informational, &adoption
		f.Reason = adoption.words() + f.Reason
	}
	if f.Statement != nil && f.Added() {
		f.leftOver(state)
		if old, ok := baseline.Places[f.Place].lapsed(*f.Statement, c.Now); ok {
			f.Reason += fmt.Sprintf("; the approval of %s ended on %s", old.By, old.Expires.UTC().Format(time.DateOnly))
		}
	}
	f.Owner, f.Stack = owners(state.Tags)
	f.Approve, f.Remediate = approveCommand(*f, c.Store), remediateCommand(*f)
	if f.Remediate == "" {
		f.Remediate = roleCommand(*f, state, baseline, c)
	}
}

// some is a list of counterparties that fits into a row: a statement of 20 KB
// can name so many principals, each pinned to so many values, that all of them
// together are megabytes, which no ledger stores.
func some(counterparties []string) []string {
	const most, longest = 50, 500
	var list []string
	for i, text := range counterparties {
		if i == most {
			return append(list, fmt.Sprintf("and %d more", len(counterparties)-most))
		}
		if len(text) > longest {
			text = strings.ToValidUTF8(text[:longest], "") + "…"
		}
		list = append(list, text)
	}
	return list
}

// gapFinding is the finding about something that could not be read. It is of
// the kind UnreadableChange, has the exposure unknown, and is resolved by the
// first read that succeeds.
func gapFinding(change Change, subject Subject, gap Gap) Finding {
	return Finding{
		ID: gapID(subject, gap), Kind: UnreadableChange, Severity: Medium, Exposure: policy.Unknown, Status: Open,
		Subject: subject, Place: gap.Place, Account: subject.Account(), Region: subject.Region(),
		Reason: gap.Reason, Actor: change.Actor, Event: change.Event,
	}
}

func gapID(subject Subject, gap Gap) string {
	cause := strings.TrimSpace("gap " + string(gap.Aspect))
	if gap.All {
		cause += " of all places"
	}
	return FindingID(subject, gap.Place, cause)
}

// UnreadableFinding is the finding about a change of which CloudTrail omitted,
// or the decoder could not read, what matters. Each event is one of its own.
func UnreadableFinding(change Change) Finding {
	return Finding{
		ID:   eventID(change.Subject, change.Place, change.Event),
		Kind: UnreadableChange, Severity: Medium, Exposure: policy.Unknown, Status: Open,
		Subject: change.Subject, Place: change.Place, Account: change.Subject.Account(), Region: change.Event.Region,
		Reason: change.Problem, Actor: change.Actor, Event: change.Event,
	}
}

func eventID(s Subject, p Place, e Event) string {
	return FindingID(s, p, "event:"+e.cause())
}

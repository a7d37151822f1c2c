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
// per place and cause, in order of places. The change lends them its actor and
// event, and claims nothing. Findings carry no times and no status but Open
// (Accepted where an unknown subject's grant is adopted by Learn).
func Compare(change Change, state State, baseline Baseline, c Context) []Finding {
	var found []Finding
	for _, place := range places(state, baseline) {
		found = append(found, comparePlace(change, state, baseline, place, c)...)
	}
	for _, gap := range state.Gaps {
		found = append(found, gapFinding(change, state.Subject, gap))
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
	owner := c.Owner
	owner.Account = state.Subject.Account()
	cmp := comparison{
		account: owner.Account, owner: owner, live: state.Policies[place].Policy,
		approved: policy.Policy{Statements: baseline.Places[place].Valid(c.Now)},
	}
	difference := policy.Compare(cmp.approved, cmp.live)
	drafts := newDrafts(change, state.Subject, place)
	for _, i := range difference.Added {
		cmp.added(drafts, i)
	}
	if state.Covers(place) {
		for _, i := range difference.Removed {
			cmp.removed(drafts, i)
		}
	}
	for i := range drafts.list {
		drafts.list[i].end(baseline, c)
	}
	return drafts.list
}

// added drafts the finding about a live statement that is not approved, if it
// makes a difference.
func (c comparison) added(d *drafts, i int) {
	s := c.live.Statements[i]
	if s.Effect == policy.Deny {
		if c.deniesMore(s) {
			f := d.add(PolicyNarrowed, s, "a Deny was added that nobody approved: what it denies may be needed")
			f.Exposure, f.Severity, f.Certain = policy.Nobody, Low, true
		}
		return
	}
	access, dormant := c.grants(s)
	if !access.New {
		return
	}
	f := d.add(PolicyWidened, s, "")
	if f.Severity != "" {
		return // the same under another Sid
	}
	if dormant {
		f.Exposure, f.Severity, f.Certain = policy.Nobody, Informational, true
		f.Reason = "lets in nobody beyond what is approved at present, because a Deny stands before it; it will when the Deny goes"
		return
	}
	v := policy.Expose(s, c.owner)
	f.Exposure, f.Certain, f.Counterparties = v.Exposure, v.Certain && !access.Unknown, some(v.Counterparties)
	f.Severity, f.Reason = SeverityOf(v.Exposure, s), v.Reason
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
		c.lostDeny(d.add(PolicyWidened, s, "a Deny of the baseline is gone"), s)
		return
	}
	if c.losesGrant(s) {
		f := d.add(PolicyNarrowed, s, "a statement of the baseline is gone: whoever needs it cannot call any more")
		f.Exposure, f.Severity, f.Certain = policy.Nobody, Low, true
	}
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
		v := policy.Expose(s, c.owner)
		severity := max(SeverityOf(v.Exposure, s).Rank(), Medium.Rank())
		if f.Witness == nil || severity > f.Severity.Rank() {
			f.Exposure, f.Counterparties, f.Witness = v.Exposure, some(v.Counterparties), &w
			f.Severity = []Severity{Informational, Low, Medium, High, Critical}[severity]
			f.Certain = f.Certain && w.Certain
			why = "; what it denied is now allowed to " + v.Reason
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

// end marks what learning adopts, and names the commands.
func (f *Finding) end(baseline Baseline, c Context) {
	if f.Kind == PolicyWidened && f.Statement.Effect == policy.Allow && c.adopts(baseline, f) {
		f.Status, f.Severity = Accepted, Informational
		f.Reason = "adopted while learning: " + f.Reason
	}
	f.Approve, f.Remediate = approveCommand(*f, c.Store), remediateCommand(*f)
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

// adopts reports whether an unknown subject's grant is adopted: learning, not
// over, internal, and only invoking. What lets in nobody at present is not
// adopted: it may let in anybody later.
func (c Context) adopts(baseline Baseline, f *Finding) bool {
	return c.Unknown == Learn && !baseline.Known() && c.Now.Before(c.LearnUntil) && c.LearnUntil.Sub(c.Now) <= MaxLearn &&
		f.Exposure == policy.Internal && !Administers(*f.Statement) && f.Certain
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
	cause := "gap"
	if gap.All {
		cause = "gap of all places"
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
	return FindingID(s, p, "event:"+e.Key()+":"+e.Name)
}

// Reflects reports whether a state shows what a change claims, so that it was
// not read too early. It is true where the change claims nothing that the
// state could show.
func Reflects(state State, change Change) bool {
	if change.OutcomeUnknown || !state.Covers(change.Place) {
		return true
	}
	live, exists := state.Policies[change.Place]
	switch change.Operation {
	case AddStatement:
		if change.Statement == nil { // its text could not be read, but its Sid is known
			return change.Sid == "" || bears(live.Policy, change.Sid)
		}
		return slices.ContainsFunc(live.Policy.Statements, change.Statement.Equal)
	case RemoveStatement:
		return !bears(live.Policy, change.Sid)
	case PutPolicy:
		return change.Policy == nil || live.Policy.Equal(*change.Policy)
	case DeletePolicy, DeleteSubject:
		return len(live.Policy.Statements) == 0
	case DeletePlace:
		return !exists || len(live.Policy.Statements) == 0
	default:
		return true
	}
}

// bears reports whether a statement of a policy has a Sid.
func bears(p policy.Policy, sid string) bool {
	return slices.ContainsFunc(p.Statements, func(s policy.Statement) bool { return s.Sid == sid })
}

// TransientFindings are the findings about what a change claims to have let in
// and a state, read late enough, lacks: it was there and is gone again. There
// are none where what the change claims is approved, or stands.
func TransientFindings(change Change, state State, baseline Baseline, c Context) []Finding {
	claimed, ok := claim(change)
	if !ok || change.OutcomeUnknown || !state.Covers(change.Place) || Reflects(state, change) {
		return nil
	}
	stands := make(map[string]bool)
	for _, f := range Compare(change, state, baseline, c) {
		stands[f.ID] = true
	}
	past := State{Subject: change.Subject, ReadAt: state.ReadAt, Policies: map[Place]PlacePolicy{change.Place: {Policy: claimed}}}
	var found []Finding
	for _, f := range Compare(change, past, baseline, c) {
		lost := f.Kind == PolicyWidened && f.Statement.Effect == policy.Deny
		if f.Kind != PolicyWidened || f.Status != Open || stands[f.ID] || lost && change.Operation != PutPolicy {
			continue
		}
		f.Status = Transient
		found = append(found, f)
	}
	return found
}

// claim is the policy that a change claims to have written: the whole document
// of PutPolicy, the one statement of AddStatement.
func claim(change Change) (policy.Policy, bool) {
	switch {
	case change.Operation == AddStatement && change.Statement != nil:
		return policy.Policy{Statements: []policy.Statement{*change.Statement}}, true
	case change.Operation == PutPolicy && change.Policy != nil:
		return *change.Policy, true
	}
	return policy.Policy{}, false
}

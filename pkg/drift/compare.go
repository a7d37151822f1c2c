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
func comparePlace(change Change, state State, baseline Baseline, place Place, c Context) []Finding {
	live := state.Policies[place].Policy
	approved := policy.Policy{Statements: baseline.Places[place].Valid(c.Now)}
	difference := policy.Compare(approved, live)
	drafts := newDrafts(change, state.Subject, place)
	for _, i := range difference.Added {
		s := live.Statements[i]
		if s.Effect == policy.Deny {
			drafts.add(PolicyNarrowed, s, "a Deny was added that nobody approved: what it denies may be needed")
			continue
		}
		drafts.add(PolicyWidened, s, "")
	}
	if !state.Covers(place) {
		difference.Removed = nil
	}
	for _, i := range difference.Removed {
		s := approved.Statements[i]
		if s.Effect == policy.Deny {
			drafts.add(PolicyWidened, s, "a Deny of the baseline is gone")
			continue
		}
		drafts.add(PolicyNarrowed, s, "a statement of the baseline is gone: whoever needs it cannot call any more")
	}
	for i := range drafts.list {
		drafts.list[i].judge(live, baseline, c)
	}
	return drafts.list
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

func (d *drafts) add(kind FindingKind, s policy.Statement, reason string) {
	id := FindingID(d.subject, d.place, string(kind)+":"+string(s.Effect)+":"+s.Key())
	for i := range d.list {
		if d.list[i].ID == id {
			d.list[i].Sids = addSid(d.list[i].Sids, s.Sid)
			return
		}
	}
	d.list = append(d.list, Finding{
		ID: id, Kind: kind, Status: Open, Subject: d.subject, Place: d.place,
		Account: d.subject.Account(), Region: d.subject.Region(),
		Statement: &s, Sids: addSid(nil, s.Sid), Reason: reason, Actor: d.change.Actor, Event: d.change.Event,
	})
}

func addSid(sids []string, sid string) []string {
	if sid == "" || slices.Contains(sids, sid) {
		return sids
	}
	return append(sids, sid)
}

// judge fills in exposure, severity, reason and commands of a finding about a statement.
func (f *Finding) judge(live policy.Policy, baseline Baseline, c Context) {
	owner := c.Owner
	owner.Account = f.Account
	s := *f.Statement
	switch {
	case f.Kind == PolicyNarrowed:
		f.Exposure, f.Severity, f.Certain = policy.Nobody, Low, true
	case s.Effect == policy.Deny:
		f.judgeLostDeny(live, owner)
	default:
		v := policy.Expose(s, owner)
		f.Exposure, f.Certain, f.Counterparties = v.Exposure, v.Certain, some(v.Counterparties)
		f.Severity = SeverityOf(v.Exposure, s)
		f.Reason = v.Reason
		f.Witness = policy.Example(s)
		if c.adopts(baseline, f) {
			f.Status, f.Severity = Accepted, Informational
			f.Reason = "adopted while learning: " + f.Reason
		}
	}
	f.Approve, f.Remediate = approveCommand(*f), remediateCommand(*f)
}

// judgeLostDeny judges a removed Deny by what the Allows that remain let in:
// the worst of them, since in this stage nobody says which of them it denied.
func (f *Finding) judgeLostDeny(live policy.Policy, owner policy.Owner) {
	f.Exposure, f.Severity, f.Certain = policy.Nobody, Low, false
	why := "; nothing is allowed any more that it could have denied"
	for _, s := range live.Statements {
		if s.Effect != policy.Allow {
			continue
		}
		v := policy.Expose(s, owner)
		severity := max(SeverityOf(v.Exposure, s).Rank(), Medium.Rank())
		if v.Exposure.Wider(f.Exposure) || severity > f.Severity.Rank() {
			f.Exposure, f.Counterparties = v.Exposure, some(v.Counterparties)
			f.Severity = []Severity{Informational, Low, Medium, High, Critical}[severity]
			why = "; what remains allows " + v.Reason
		}
	}
	f.Reason += why
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
// over, at most internal, and only invoking.
func (c Context) adopts(baseline Baseline, f *Finding) bool {
	return c.Unknown == Learn && !baseline.Known() && c.Now.Before(c.LearnUntil) && c.LearnUntil.Sub(c.Now) <= MaxLearn &&
		!f.Exposure.Wider(policy.Internal) && !Administers(*f.Statement) && f.Certain
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

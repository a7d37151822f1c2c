package drift

import (
	"fmt"
	"slices"
	"time"
)

// Reconcile says what an observation does to the findings of one subject:
// which are new, seen again, back, or gone. Stored are all the rows that the
// ledger has of the subject, found what Compare found now, plus the transient
// and noted findings if there are any; the state says what was looked at, so
// that nothing is resolved that was not. Rows that stay as they are yield
// nothing. Of the change it takes who resolved a finding.
//
//	row                          found now                 transition
//	none                         open                      Opened, or Replaced where an open row had its Sid or its URL
//	none                         transient                 Vanished
//	open                         the same                  Seen, silent; Reopened where it is worse
//	open                         adopted                   Closed, where a sweep saw the deployer's grant before its event
//	                                                       came; what another granted before stays open
//	open                         not, and looked at        Closed
//	suppressed                   the same                  Seen, silent; Reopened where it is worse, or the time is over
//	suppressed                   not, and the time is over resolved, silent
//	adopted                      not, and looked at        resolved, silent: the adoption ends with its grant
//	approved                     open                      Reopened: the approval is over, or the rule of the adoption gone
//	resolved, remediated, transient  open                  Reopened
func Reconcile(change Change, stored, found []Finding, state State, c Context) []Transition {
	rows := make(map[string]Finding, len(stored))
	for _, row := range stored {
		rows[row.ID] = row
	}
	present := make(map[string]bool, len(found))
	var transitions []Transition
	for _, f := range found {
		present[f.ID] = f.Status != Transient
		var t Transition
		if row, ok := rows[f.ID]; ok {
			t = meet(row, f, c.Now)
		} else {
			t = first(f, stored, state, c.Now)
		}
		if t.Kind != "" {
			present[f.ID] = true // one transition a row
			transitions = append(transitions, t)
		}
	}
	for _, row := range stored {
		if present[row.ID] || !Settles(state, row) {
			continue
		}
		switch {
		case row.Status == Open:
			transitions = append(transitions, resolve(row, change, c.Now))
		case row.Status == Suppressed && row.unmuted(c.Now):
			row.Status, row.ResolvedAt, row.Suppression = Resolved, c.Now, nil
			transitions = append(transitions, Transition{Kind: Seen, Finding: row})
		case row.Status == Accepted && row.Adoption != nil && (state.ReadAt.Sub(row.LastSeen) > listingAge || takenAway(row, change, state)):
			row.Status, row.ResolvedAt, row.Adoption = Resolved, c.Now, nil // an adoption ends with its grant
			transitions = append(transitions, Transition{Kind: Seen, Finding: row})
		}
	}
	return transitions
}

// unmuted reports whether a suppression is over.
func (f Finding) unmuted(now time.Time) bool {
	return f.Suppression == nil || !now.Before(f.Suppression.Until)
}

// first is the transition of a finding that the ledger does not know.
func first(f Finding, stored []Finding, state State, now time.Time) Transition {
	f.FirstSeen, f.LastSeen, f.Count, f.Version = now, now, 1, 0
	kind := Opened
	switch f.Status {
	case Accepted:
		return Transition{Kind: Seen, Finding: f}
	case Transient:
		if kind = Vanished; f.ResolvedAt.IsZero() {
			f.ResolvedAt = now
		}
	default:
		if old, ok := replaced(f, stored, state); ok {
			kind, f.Replaces, f.Replaced = Replaced, old.ID, old.Statement
			if f.Before == nil {
				f.Before = old.Config
			}
		}
	}
	return announce(kind, f, now, "")
}

// replaced is the open finding of the same place whose Sid a new finding took
// over: the statement under that Sid was swapped. Of a function URL, and of a
// permissions boundary, there is one at a place, so another finding about it
// replaces the one before.
func replaced(f Finding, stored []Finding, state State) (Finding, bool) {
	for _, row := range stored {
		if row.Status != Open || row.Place != f.Place || row.Kind != f.Kind || row.ID == f.ID || !Settles(state, row) {
			continue
		}
		if row.Kind == URLOpened || row.Kind == BoundaryRemoved {
			return row, true
		}
		for _, sid := range f.Sids {
			if slices.Contains(row.Sids, sid) {
				return row, true
			}
		}
	}
	return Finding{}, false
}

// meet is the transition of a stored finding that was found again.
func meet(row, f Finding, now time.Time) Transition {
	if f.Status == Transient {
		return meetTransient(row, f, now)
	}
	if row.Status != Open && row.Status != Suppressed && ofEvent(row) {
		return Transition{} // one event told once more
	}
	switch row.Status {
	case Open:
		if f.Status == Accepted && !anothers(row, f) {
			return adopted(row, f, now)
		}
		if f.Status == Accepted {
			f.Status, f.Adoption, f.Severity, f.Reason = Open, nil, row.Severity, row.Reason
		}
		return seen(row, f, now)
	case Suppressed:
		if f.Status == Accepted || row.unmuted(now) {
			break
		}
		return seen(row, f, now)
	case Accepted:
		if f.Status == Accepted {
			return Transition{}
		}
	case Transient, Remediated, Resolved:
	}
	back := refreshed(row, f)
	back.LastSeen, back.ResolvedAt, back.Undo, back.Suppression = now, time.Time{}, "", nil
	if f.Status == Accepted {
		back.Status = Accepted
		return Transition{Kind: Seen, Finding: back}
	}
	back.Status, back.Actor, back.Event = Open, f.Actor, f.Event
	back.Count++
	return announce(Reopened, back, now, why(row))
}

// why is why a finding is back that somebody had put aside.
func why(row Finding) string {
	switch {
	case row.Status == Suppressed && row.Suppression != nil:
		return "the suppression of " + row.Suppression.By + " (" + row.Suppression.Reason + ") is over"
	case row.Status == Accepted && row.Adoption != nil:
		return "it was adopted by the rule " + row.Adoption.Rule + ", which does not permit it any more, or whose seal is not true"
	case row.Status == Accepted:
		return "it was approved, and is not any more"
	}
	return ""
}

// anothers reports whether an open finding is known to be of somebody else's
// making: a deployer who repeats a statement does not make it his.
func anothers(row, f Finding) bool {
	return row.Event.Key() != "" && f.Adoption != nil && f.Adoption.Rule != LearnRule && row.Actor.Issuer != f.Adoption.Issuer
}

// adopted is the transition of an open finding that turns out to be a
// deployer's grant: a sweep saw it before its event came.
func adopted(row, f Finding, now time.Time) Transition {
	row = refreshed(row, f)
	row.Status, row.Actor, row.Event, row.LastSeen, row.ResolvedAt = Accepted, f.Actor, f.Event, now, now
	return announce(Closed, row, now, f.Reason)
}

// ofEvent reports whether a row is about one event, that could not be read or
// that no state shows, rather than about something that comes and goes.
func ofEvent(row Finding) bool {
	return row.Kind == AuditBlinded || row.Kind == AliasRepointed ||
		row.Event.Key() != "" && row.ID == eventID(row.Subject, row.Place, row.Event)
}

// seen counts a sighting, silently, unless the same cause has become worse: a
// grant that a Deny kept dormant, and the Deny is gone. A redelivery of the event
// that opened the finding is no new sighting.
func seen(row, f Finding, now time.Time) Transition {
	if f.Severity.Rank() > row.Severity.Rank() {
		worse := refreshed(row, f)
		worse.Status, worse.Actor, worse.Event, worse.LastSeen, worse.Suppression = Open, f.Actor, f.Event, now, nil
		worse.Count++
		return announce(Reopened, worse, now, "it is worse than it was: "+string(row.Severity)+" before, "+string(f.Severity)+" now")
	}
	if key := f.Event.Key(); key != "" && key == row.Event.Key() && slices.Equal(row.Sids, f.Sids) {
		return Transition{}
	}
	status := row.Status
	row = refreshed(row, f)
	row.Status, row.LastSeen = status, now
	row.Count++
	return Transition{Kind: Seen, Finding: row}
}

// refreshed is a row with what the finding of now says of the same cause.
func refreshed(row, f Finding) Finding {
	row.Sids, row.Severity, row.Exposure, row.Reason = f.Sids, f.Severity, f.Exposure, f.Reason
	row.Counterparties, row.Certain, row.Witness = f.Counterparties, f.Certain, f.Witness
	row.Statement, row.Approve, row.Remediate = f.Statement, f.Approve, f.Remediate
	row.Advice, row.Policy, row.Escalations = f.Advice, f.Policy, f.Escalations
	if f.Functions != nil {
		row.Functions = f.Functions
	}
	row.Config, row.Before, row.Adoption = f.Config, f.Before, f.Adoption
	if f.Owner != "" || f.Stack != "" {
		row.Owner, row.Stack = f.Owner, f.Stack
	}
	return row
}

// meetTransient reports a grant that came and went once more, unless its event
// is one that is known already or lies within the life that the row tells of.
// That it was approved once does not count: if it still were, it would not be
// found.
func meetTransient(row, f Finding, now time.Time) Transition {
	if row.Status == Open || row.Status == Suppressed && !row.unmuted(now) {
		return Transition{} // an open row that is gone is resolved as such
	}
	told := row.ResolvedAt
	if row.Status == Transient || row.Status == Suppressed { // it was resolved when it was read, which is minutes after it was gone
		told = row.Event.Time
	}
	if row.Event.Key() == f.Event.Key() || !f.Event.Time.After(told) {
		return Transition{}
	}
	row = refreshed(row, f)
	row.Suppression = nil
	row.Status, row.Actor, row.Event = Transient, f.Actor, f.Event
	if row.LastSeen, row.ResolvedAt = now, now; !f.ResolvedAt.IsZero() {
		row.ResolvedAt = f.ResolvedAt
	}
	row.Count++
	return announce(Vanished, row, now, "")
}

// listingAge is how much older than a state its listing of event source mappings
// may be. What was seen since is not resolved by its absence.
const listingAge = 2 * time.Minute

// Settles reports whether a state shows that the cause of an open row, which
// was not found, is no more.
func Settles(state State, row Finding) bool {
	switch row.Kind {
	case UnreadableChange:
		for _, aspect := range []Aspect{Policies, URLs, Mappings, Roles} {
			if row.ID == gapID(row.Subject, Gap{Place: row.Place, Aspect: aspect}) {
				return state.covers(aspect, row.Place)
			}
		}
		return state.Whole && len(state.Gaps) == 0
	case AuditBlinded, AliasRepointed, BaselineTampered: // about a call, and not about a state: a person closes them
		return false
	case BoundaryRemoved:
		return state.Covers(Boundary) && state.Covers(Identity)
	case TrustWidened, TrustNarrowed, PermissionsWidened, PermissionsNarrowed:
		return state.Covers(row.Place) && (row.Place != Identity || state.Covers(Boundary))
	case PolicyWidened, PolicyNarrowed, LayerShared, URLOpened, EventSourceAdded, RoleReplaced:
	default: // kinds that Compare does not look at yet are left alone
		return false
	}
	switch config := row.Config; {
	case config == nil:
		return state.Covers(row.Place)
	case config.URL != nil:
		return state.CoversURL(row.Place)
	case config.Mapping != nil:
		if row.Kind == PolicyNarrowed && feeds(state, row.Place, config.Mapping.Source) {
			return true
		}
		if _, read := state.Mappings[config.Mapping.UUID]; !read && row.LastSeen.After(state.ReadAt.Add(-listingAge)) {
			return false
		}
		return state.CoversMapping(config.Mapping.UUID)
	}
	return state.covers(Roles, Unqualified)
}

// feeds reports whether a state shows an enabled mapping from a source to a place.
func feeds(state State, place Place, source string) bool {
	for _, m := range state.Mappings {
		if m != nil && m.Enabled && m.Place == place && m.Source == source {
			return true
		}
	}
	return false
}

// covers reports whether all of an aspect was read: of the policies and URLs
// that of a place, of the rest everything.
func (s State) covers(a Aspect, p Place) bool {
	switch a {
	case Policies:
		return s.Covers(p)
	case URLs:
		return s.CoversURL(p)
	case Mappings, Roles:
		return slices.Contains(s.Listed, a) && !s.missing(a, Unqualified)
	}
	return false
}

// resolve is the transition of a finding whose cause is gone. Whose call it was
// is told where the change took something away.
func resolve(row Finding, change Change, now time.Time) Transition {
	note := ""
	if takesAway[change.Operation] && change.Actor.ARN != "" {
		note = "by " + change.Actor.ARN + " (" + change.Event.Name + ")"
	}
	row.Status, row.ResolvedAt = Resolved, now
	return announce(Closed, row, now, note)
}

// takenAway reports whether a change took away what a row is about, as the state
// shows, so that its absence is not that of a read that came too early.
func takenAway(row Finding, change Change, state State) bool {
	return takesAway[change.Operation] && change.Place == row.Place && !change.OutcomeUnknown && Reflects(state, change)
}

// takesAway are the operations that may take the cause of a finding away.
var takesAway = map[Operation]bool{
	RemoveStatement: true, PutPolicy: true, DeletePolicy: true, DeleteSubject: true, DeletePlace: true,
	PutURL: true, DeleteURL: true, PutMapping: true, DeleteMapping: true, Configure: true,
	PutIdentityPolicy: true, RemoveIdentityPolicy: true, PutBoundary: true, RemoveBoundary: true, PutManagedPolicy: true,
}

// announce is a transition whose announcement is due once the row is written.
// The announcement's id is that of the version which the write makes.
func announce(kind TransitionKind, f Finding, now time.Time, note string) Transition {
	f.Pending = append(slices.Clone(f.Pending), Announcement{
		ID: fmt.Sprintf("%s-%d", f.ID, f.Version+1), Transition: kind, At: now, Note: note,
	})
	return Transition{Kind: kind, Finding: f}
}

// Remediate is the transition of a finding whose cause the remediator removed.
func Remediate(row Finding, undo, note string, now time.Time) Transition {
	row.Status, row.ResolvedAt, row.Undo = Remediated, now, undo
	return announce(RemovedByUs, row, now, note)
}

// Refuse is the transition of a finding that the remediator would not or could
// not remove; the finding stays as it is.
func Refuse(row Finding, note string, now time.Time) Transition {
	row.Refusal = note
	return announce(Refused, row, now, note)
}

// Suppress is the transition of a finding that a person does not want to hear
// of for a time. It stays visible, and that it is suppressed is announced.
func Suppress(row Finding, s Suppression) Transition {
	row.Status, row.Suppression, row.LastSeen = Suppressed, &s, s.At
	return announce(Muted, row, s.At, "by "+s.By+" until "+s.Until.UTC().Format(time.RFC3339)+": "+s.Reason)
}

// Approve is the row of a finding that a person approved; it is silent.
func Approve(row Finding, now time.Time) Finding {
	row.Status, row.ResolvedAt, row.Pending, row.Suppression = Accepted, now, nil, nil
	return row
}

package drift

import (
	"fmt"
	"slices"
	"time"
)

// Reconcile says what an observation does to the findings of one subject:
// which are new, seen again, back, or gone. Stored are all the rows that the
// ledger has of the subject, found what Compare found now, plus a transient
// finding if there is one; the state says which places were looked at, so that
// nothing is resolved that was not. Rows that stay as they are yield nothing.
func Reconcile(stored, found []Finding, state State, c Context) []Transition {
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
			transitions = append(transitions, t)
		}
	}
	for _, row := range stored {
		if row.Status == Open && !present[row.ID] && gone(row, state) {
			transitions = append(transitions, resolve(row, c.Now))
		}
	}
	return transitions
}

// first is the transition of a finding that the ledger does not know.
func first(f Finding, stored []Finding, state State, now time.Time) Transition {
	f.FirstSeen, f.LastSeen, f.Count, f.Version = now, now, 1, 0
	kind := Opened
	switch f.Status {
	case Accepted:
		return Transition{Kind: Seen, Finding: f}
	case Transient:
		kind, f.ResolvedAt = Vanished, now
	default:
		if old := replaced(f, stored, state); old != "" {
			kind, f.Replaces = Replaced, old
		}
	}
	return announce(kind, f, now, "")
}

// replaced is the id of the open finding of the same place whose Sid a new
// finding took over: the statement under that Sid was swapped.
func replaced(f Finding, stored []Finding, state State) string {
	for _, row := range stored {
		if row.Status != Open || row.Place != f.Place || row.Kind != f.Kind || row.ID == f.ID || !state.Covers(row.Place) {
			continue
		}
		for _, sid := range f.Sids {
			if slices.Contains(row.Sids, sid) {
				return row.ID
			}
		}
	}
	return ""
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
	case Open, Suppressed:
		return seen(row, f, now)
	case Accepted:
		if f.Status == Accepted {
			return Transition{}
		}
	case Transient, Remediated, Resolved:
		if f.Status == Accepted {
			row.Status, row.LastSeen, row.ResolvedAt = Accepted, now, time.Time{}
			return Transition{Kind: Seen, Finding: row}
		}
	}
	back := refreshed(row, f)
	back.Status, back.Actor, back.Event = Open, f.Actor, f.Event
	back.LastSeen, back.ResolvedAt, back.Undo = now, time.Time{}, ""
	back.Count++
	return announce(Reopened, back, now, "")
}

// ofEvent reports whether a row is about one event that could not be read,
// rather than about something that comes and goes.
func ofEvent(row Finding) bool {
	return row.Kind == UnreadableChange && row.Event.Key() != "" && row.ID == eventID(row.Subject, row.Place, row.Event)
}

// seen counts a sighting, silently, unless the same cause has become worse: a
// grant that a Deny kept dormant, and the Deny is gone. A redelivery of the event
// that opened the finding is no new sighting.
func seen(row, f Finding, now time.Time) Transition {
	if f.Severity.Rank() > row.Severity.Rank() {
		worse := refreshed(row, f)
		worse.Status, worse.Actor, worse.Event, worse.LastSeen = Open, f.Actor, f.Event, now
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
	return row
}

// meetTransient reports a grant that came and went once more, unless its event
// is one that is known already or lies within the life that the row tells of.
func meetTransient(row, f Finding, now time.Time) Transition {
	if row.Status == Open || row.Status == Accepted || row.Status == Suppressed {
		return Transition{} // an open row that is gone is resolved as such
	}
	told := row.ResolvedAt
	if row.Status == Transient { // it was resolved when it was read, which is minutes after it was gone
		told = row.Event.Time
	}
	if row.Event.Key() == f.Event.Key() || !f.Event.Time.After(told) {
		return Transition{}
	}
	row = refreshed(row, f)
	row.Status, row.Actor, row.Event = Transient, f.Actor, f.Event
	row.LastSeen, row.ResolvedAt = now, now
	row.Count++
	return announce(Vanished, row, now, "")
}

// gone reports whether the state shows that the cause of an open row, which
// was not found, is no more.
func gone(row Finding, state State) bool {
	switch row.Kind {
	case PolicyWidened, PolicyNarrowed:
		return state.Covers(row.Place)
	case UnreadableChange:
		if row.ID == gapID(row.Subject, Gap{Place: row.Place}) {
			return state.Covers(row.Place)
		}
		return state.Whole && len(state.Gaps) == 0
	default: // kinds that Compare does not look at yet are left alone
		return false
	}
}

func resolve(row Finding, now time.Time) Transition {
	row.Status, row.ResolvedAt = Resolved, now
	return announce(Closed, row, now, "")
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

// Approve is the row of a finding that a person approved; it is silent.
func Approve(row Finding, now time.Time) Finding {
	row.Status, row.ResolvedAt, row.Pending = Accepted, now, nil
	return row
}

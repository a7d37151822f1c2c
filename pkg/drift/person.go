package drift

import "time"

// AboutCall reports whether a finding is about one call, rather than about
// something that comes and goes: a person can take note of it, and nothing can
// be approved.
func (f Finding) AboutCall() bool { return ofEvent(f) }

// Acknowledge is the row of a finding about a call that a person has looked
// into; it is silent, as [Approve] is, and its reason says who did.
func Acknowledge(row Finding, by, reason, ticket string, now time.Time) Finding {
	row.Reason += "; " + by + " took note of it on " + now.UTC().Format(time.DateOnly)
	for _, extra := range []struct{ head, text string }{{": ", reason}, {", ticket ", ticket}} {
		if extra.text != "" {
			row.Reason += extra.head + extra.text
		}
	}
	return Approve(row, now)
}

// Unsuppress is the transition of a suppressed finding that a person wants to
// hear of again; that the suppression ended is announced.
func Unsuppress(row Finding, by, reason string, now time.Time) Transition {
	row.Status, row.Suppression, row.LastSeen = Open, nil, now
	note := by + " ended the suppression"
	if reason != "" {
		note += ": " + reason
	}
	return announce(Reopened, row, now, note)
}

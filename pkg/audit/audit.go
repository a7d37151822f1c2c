package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Live reads the state of the subject of a change, as much of it as the change concerns.
type Live interface {
	State(ctx context.Context, change drift.Change) (drift.State, error)
}

// Baselines reads approved states.
type Baselines interface {
	Get(ctx context.Context, subject drift.Subject) (drift.Baseline, error)
}

// Ledger keeps findings. Save writes only over the version that was read, and
// fails with [drift.ErrConflict] otherwise.
type Ledger interface {
	Findings(ctx context.Context, subject drift.Subject) ([]drift.Finding, error)
	Save(ctx context.Context, finding drift.Finding) (drift.Finding, error)
}

// Alerts sends one announcement of a finding.
type Alerts interface {
	Send(ctx context.Context, finding drift.Finding, announcement drift.Announcement) error
}

// Auditor joins the steps of the line.
type Auditor struct {
	Live      Live
	Baselines Baselines
	Ledger    Ledger
	// Alerts announces. Nil leaves what is to be announced on the rows, for an
	// auditor that has alerts.
	Alerts Alerts
	// Context is what Compare has to know; its Now is set for each change.
	Context drift.Context
	// RereadAfter are the waits after which a state that does not show a change
	// yet is read again. Empty: what is read is concluded from.
	RereadAfter []time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	Log *slog.Logger // nil: slog.Default
}

// Report is what auditing one change came to.
type Report struct {
	Change drift.Change
	// NotAudited says why the change was decoded and yet not judged.
	NotAudited string
	// Findings are the differences found now, with the status that the ledger has for each.
	Findings    []drift.Finding
	Transitions []drift.Transition
	// Gaps are what could not be read.
	Gaps []drift.Gap
}

// Audit compares the live state of the changed subject with its baseline.
// The event says where to look; only the live state says what is true.
func (a *Auditor) Audit(ctx context.Context, change drift.Change) (Report, error) {
	o := a.begin(change)
	if o.report.NotAudited = notAudited(change); o.report.NotAudited != "" {
		return o.report, nil
	}
	unread := a.read(ctx, &o)
	if errors.Is(unread, drift.ErrForeign) && change.Operation != drift.Unreadable {
		o.report.NotAudited = unread.Error()
		return o.report, nil
	}
	if unread != nil && change.Operation != drift.Unreadable {
		return o.report, unread
	}
	report, err := a.conclude(ctx, o)
	return report, errors.Join(unread, err)
}

// observation is what was seen of one subject, before anything is concluded from it.
type observation struct {
	report  Report
	state   drift.State // the zero state, which concludes nothing, unless it was read
	read    bool
	context drift.Context
}

func (a *Auditor) begin(change drift.Change) observation {
	o := observation{report: Report{Change: change}, context: a.Context}
	o.context.Now = a.now()
	return o
}

// read reads the live state, if the subject has one that is audited.
func (a *Auditor) read(ctx context.Context, o *observation) error {
	change := o.report.Change
	if change.Subject.Kind() != drift.Function {
		return nil
	}
	state, err := a.Live.State(ctx, change)
	if err != nil {
		return fmt.Errorf("reading live state of %s: %w", change.Subject, err)
	}
	if wait, again := a.reread(change, state, o.context.Now); again {
		return &drift.StaleError{Subject: change.Subject, After: wait}
	}
	o.state, o.read, o.report.Gaps = state, true, state.Gaps
	return nil
}

// compare says what is not as the baseline has it.
func (a *Auditor) compare(ctx context.Context, o observation) ([]drift.Finding, error) {
	change := o.report.Change
	var found []drift.Finding
	if change.Operation == drift.Unreadable {
		found = append(found, drift.UnreadableFinding(change))
	}
	if !o.read {
		return found, nil
	}
	baseline, err := a.Baselines.Get(ctx, change.Subject)
	if err != nil {
		return nil, fmt.Errorf("reading baseline of %s: %w", change.Subject, err)
	}
	found = append(found, drift.Compare(change, o.state, baseline, o.context)...)
	return append(found, drift.TransientFindings(change, o.state, baseline, o.context)...), nil
}

// notAudited says why a change is not judged in this stage; empty if it is.
func notAudited(change drift.Change) string {
	switch change.Operation {
	case drift.Unreadable, drift.Sweep:
		return ""
	default:
	}
	if drift.Rebuildable(change) {
		return ""
	}
	return fmt.Sprintf("%s of a %s is not audited yet", change.Operation, change.Subject.Kind())
}

// maxSkew is how far another clock may be ahead of ours. The time of an event
// from further in the future says nothing.
const maxSkew = time.Minute

// reread says how long to wait until the state is read again, if it does not
// show the change yet and the change is young enough for that to mean nothing.
// A place that could not be read shows nothing.
func (a *Auditor) reread(change drift.Change, state drift.State, now time.Time) (time.Duration, bool) {
	age := now.Sub(change.Event.Time)
	if shows(state, change) || change.Event.Time.IsZero() || age < -maxSkew {
		return 0, false
	}
	var until time.Duration
	for _, wait := range a.RereadAfter {
		if until += wait; age < until {
			return max(until-age, time.Second), true
		}
	}
	return 0, false
}

// shows reports whether a state shows what a change claims. Even of a call
// whose outcome is unknown nothing is concluded before it had time to show.
func shows(state drift.State, change drift.Change) bool {
	change.OutcomeUnknown = false
	return drift.Reflects(state, change) && (state.Covers(change.Place) || !drift.Rebuildable(change))
}

func (a *Auditor) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

func (a *Auditor) log() *slog.Logger {
	if a.Log != nil {
		return a.Log
	}
	return slog.Default()
}

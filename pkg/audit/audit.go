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
	Alerts    Alerts
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

// AnnounceLease is how long another auditor has, from recording an
// announcement, to send it, before it is taken for lost.
const AnnounceLease = 30 * time.Second

// PendingError says that another auditor has recorded an announcement and may
// be sending it right now, so that the message has to come back.
type PendingError struct {
	Finding string
	After   time.Duration
}

// Error names the finding.
func (e *PendingError) Error() string {
	return fmt.Sprintf("an announcement of finding %s is being sent by another auditor", e.Finding)
}

// Audit compares the live state of the changed subject with its baseline.
// The event says where to look; only the live state says what is true.
func (a *Auditor) Audit(ctx context.Context, change drift.Change) (Report, error) {
	observation, err := a.observe(ctx, change)
	if err != nil || observation.report.NotAudited != "" {
		return observation.report, err
	}
	return a.conclude(ctx, observation)
}

// observation is what was seen of one subject, before anything is concluded from it.
type observation struct {
	report Report
	state  drift.State
	found  []drift.Finding
	context drift.Context
}

func (a *Auditor) observe(ctx context.Context, change drift.Change) (observation, error) {
	o := observation{report: Report{Change: change}, context: a.Context}
	o.context.Now = a.now()
	if o.report.NotAudited = notAudited(change); o.report.NotAudited != "" {
		return o, nil
	}
	if change.Operation == drift.Unreadable {
		o.found = append(o.found, drift.UnreadableFinding(change))
	}
	if change.Subject.Kind() != drift.Function {
		return o, nil
	}
	var err error
	if o.state, err = a.Live.State(ctx, change); err != nil {
		return o, fmt.Errorf("reading live state of %s: %w", change.Subject, err)
	}
	if wait, again := a.reread(change, o); again {
		return o, &drift.StaleError{Subject: change.Subject, After: wait}
	}
	baseline, err := a.Baselines.Get(ctx, change.Subject)
	if err != nil {
		return o, fmt.Errorf("reading baseline of %s: %w", change.Subject, err)
	}
	o.report.Gaps = o.state.Gaps
	o.found = append(o.found, drift.Compare(change, o.state, baseline, o.context)...)
	if transient, ok := drift.TransientFinding(change, o.state, baseline, o.context); ok {
		o.found = append(o.found, transient)
	}
	return o, nil
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

// reread says how long to wait until the state is read again, if it does not
// show the change yet and the change is young enough for that to mean nothing.
func (a *Auditor) reread(change drift.Change, o observation) (time.Duration, bool) {
	if drift.Reflects(o.state, change) || change.Event.Time.IsZero() {
		return 0, false
	}
	age := o.context.Now.Sub(change.Event.Time)
	var until time.Duration
	for _, wait := range a.RereadAfter {
		if until += wait; age < until {
			return max(until-age, time.Second), true
		}
	}
	return 0, false
}

// conclude brings the ledger up to date and announces what changed. A row that
// somebody else wrote meanwhile is read and decided upon again.
func (a *Auditor) conclude(ctx context.Context, o observation) (Report, error) {
	const tries = 8
	mine := make(map[string]bool) // the rows that this call has written, and has to announce
	for try := 1; ; try++ {
		report, err := a.record(ctx, o, mine)
		if !errors.Is(err, drift.ErrConflict) || try == tries {
			return report, err
		}
	}
}

func (a *Auditor) record(ctx context.Context, o observation, mine map[string]bool) (Report, error) {
	report := o.report
	subject := report.Change.Subject
	stored, err := a.Ledger.Findings(ctx, subject)
	if err != nil {
		return report, fmt.Errorf("reading findings of %s: %w", subject, err)
	}
	report.Transitions = drift.Reconcile(stored, o.found, o.state, o.context)
	rows := make(map[string]drift.Finding, len(stored))
	for _, row := range stored {
		rows[row.ID] = row
	}
	for i, t := range report.Transitions {
		saved, err := a.Ledger.Save(ctx, t.Finding)
		if err != nil {
			return report, fmt.Errorf("recording finding %s of %s: %w", t.Finding.ID, subject, err)
		}
		report.Transitions[i].Finding = saved
		rows[saved.ID], mine[saved.ID] = saved, true
	}
	for _, f := range o.found {
		report.Findings = append(report.Findings, rows[f.ID])
	}
	return report, a.announceAll(ctx, rows, mine)
}

// announceAll sends what the rows have pending: ours at once, that of others
// only when it is old enough to have been lost.
func (a *Auditor) announceAll(ctx context.Context, rows map[string]drift.Finding, mine map[string]bool) error {
	var problems []error
	for _, row := range rows {
		if len(row.Pending) == 0 {
			continue
		}
		if left := AnnounceLease - a.now().Sub(row.Pending[len(row.Pending)-1].At); !mine[row.ID] && left > 0 {
			problems = append(problems, &PendingError{Finding: row.ID, After: left})
			continue
		}
		problems = append(problems, a.announce(ctx, row))
	}
	return errors.Join(problems...)
}

// announce sends a row's pending announcements and takes them off the row.
func (a *Auditor) announce(ctx context.Context, row drift.Finding) error {
	sent := make(map[string]bool, len(row.Pending))
	for _, announcement := range row.Pending {
		if err := a.Alerts.Send(ctx, row, announcement); err != nil {
			return fmt.Errorf("announcing finding %s of %s: %w", row.ID, row.Subject, err)
		}
		sent[announcement.ID] = true
	}
	const tries = 4
	for try := 1; ; try++ {
		row.Pending = unsent(row.Pending, sent)
		_, err := a.Ledger.Save(ctx, row)
		if err == nil {
			return nil
		}
		if !errors.Is(err, drift.ErrConflict) || try == tries {
			return fmt.Errorf("recording that finding %s of %s was announced: %w", row.ID, row.Subject, err)
		}
		if row, err = a.reload(ctx, row); err != nil {
			return err
		}
	}
}

// reload reads a row again that somebody else has written.
func (a *Auditor) reload(ctx context.Context, row drift.Finding) (drift.Finding, error) {
	stored, err := a.Ledger.Findings(ctx, row.Subject)
	if err != nil {
		return row, fmt.Errorf("reading findings of %s: %w", row.Subject, err)
	}
	for _, s := range stored {
		if s.ID == row.ID {
			return s, nil
		}
	}
	return row, fmt.Errorf("reading finding %s of %s: %w", row.ID, row.Subject, drift.ErrNotFound)
}

func unsent(pending []drift.Announcement, sent map[string]bool) []drift.Announcement {
	var rest []drift.Announcement
	for _, announcement := range pending {
		if !sent[announcement.ID] {
			rest = append(rest, announcement)
		}
	}
	return rest
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

package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Live reads the state of the subject of a change, as much of it as the change
// concerns, and what the findings about it want beside. Resolve says which
// roles, users and groups hang on a managed policy or an identity provider; it
// is [drift.ErrUnresolved] where that cannot be known.
type Live interface {
	State(ctx context.Context, change drift.Change) (drift.State, error)
	Complete(ctx context.Context, state drift.State, want drift.Want) (drift.State, error)
	Resolve(ctx context.Context, change drift.Change) ([]drift.Subject, error)
}

// Baselines reads approved states, and the rules.
type Baselines interface {
	Get(ctx context.Context, subject drift.Subject) (drift.Baseline, error)
	Rules(ctx context.Context) ([]drift.Rule, error)
}

// Ledger keeps findings. Save writes only over the version that was read, and
// fails with [drift.ErrConflict] otherwise. Removals are those of the last hours.
type Ledger interface {
	Findings(ctx context.Context, subject drift.Subject) ([]drift.Finding, error)
	Save(ctx context.Context, finding drift.Finding) (drift.Finding, error)
	Removals(ctx context.Context, subject drift.Subject) ([]drift.Removal, error)
	SaveRemoval(ctx context.Context, subject drift.Subject, removal drift.Removal) error
}

// Seals makes and verifies the seals of adoptions, with a key that nobody but
// the auditor has.
type Seals interface {
	Seal(ctx context.Context, text string) (string, error)
	Verify(ctx context.Context, text, seal string) (bool, error)
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
	// Seals is nil where nothing is adopted, and no adoption counts.
	Seals Seals
	// TrustAdoptions has adoptions count without a look at their seals, for a
	// reader without the key: the auditor's own reading corrects it.
	TrustAdoptions bool
	// Context is what Compare has to know; its Now, Seals
	// and Learned are set for each change.
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
// The event says where to look; only the live state says what is true. A change
// of a managed policy or an identity provider is one of each role, user and
// group that hangs on it.
func (a *Auditor) Audit(ctx context.Context, change drift.Change) (Report, error) {
	if hangs(change) {
		return a.auditEach(ctx, change)
	}
	return a.auditOne(ctx, change)
}

// hangs reports whether a change is one of what hangs on its subject. Roles
// Anywhere, where a record does not say which trust anchor, is named by the account.
func hangs(change drift.Change) bool {
	switch change.Subject.Kind() {
	case drift.ManagedPol, drift.Provider:
		return change.Operation != drift.Unreadable
	case drift.Account:
		return change.Operation == drift.PutProvider
	default:
		return false
	}
}

// auditEach audits what hangs on the subject of a change, one after another.
func (a *Auditor) auditEach(ctx context.Context, change drift.Change) (Report, error) {
	report := Report{Change: change}
	if inert(change) {
		return report, nil
	}
	subjects, err := a.Live.Resolve(ctx, change)
	if errors.Is(err, drift.ErrUnresolved) || errors.Is(err, drift.ErrForeign) {
		report.NotAudited = err.Error()
		return report, nil
	}
	if err != nil {
		return report, fmt.Errorf("finding out what hangs on %s: %w", change.Subject, err)
	}
	var problems []error
	for _, subject := range subjects {
		one, err := a.auditOne(ctx, of(change, subject))
		problems = append(problems, err)
		report.Findings = append(report.Findings, one.Findings...)
		report.Transitions = append(report.Transitions, one.Transitions...)
		report.Gaps = append(report.Gaps, one.Gaps...)
	}
	return report, errors.Join(problems...)
}

// inert reports whether nothing can hang on a policy at such a call: a policy
// that was just made is attached to nobody, one that is attached cannot be
// deleted, and neither can its default version. A provider that goes lets in nobody.
func inert(change drift.Change) bool {
	switch change.Event.Name {
	case "CreatePolicy", "DeletePolicy", "DeletePolicyVersion":
		return change.Operation == drift.PutManagedPolicy
	}
	return change.Operation == drift.PutProvider && (strings.HasPrefix(change.Event.Name, "Delete") || strings.HasPrefix(change.Event.Name, "Disable"))
}

// of is what a change of a managed policy or an identity provider is to a role,
// user or group that hangs on it.
func of(change drift.Change, subject drift.Subject) drift.Change {
	detail := maps.Clone(change.Detail)
	if detail == nil {
		detail = make(map[string]string)
	}
	switch change.Operation {
	case drift.PutManagedPolicy:
		detail["policyArn"] = string(change.Subject)
		delete(detail, "policyName")
		change.Place = drift.Identity
	default:
		if change.Subject.Kind() == drift.Provider {
			detail["provider"] = string(change.Subject)
		}
		change.Place = drift.Trust
	}
	change.Subject, change.Detail = subject, detail
	return change
}

func (a *Auditor) auditOne(ctx context.Context, change drift.Change) (Report, error) {
	o := a.begin(change)
	var undecided string
	o.tampering, undecided = drift.Tampering(change, o.context.Own)
	if o.report.NotAudited = notAudited(change, undecided); o.report.NotAudited != "" && o.tampering == nil {
		return o.report, nil
	}
	unread := a.read(ctx, &o)
	alone := change.Operation == drift.Unreadable || o.tampering != nil // there is a finding without any state
	if (errors.Is(unread, drift.ErrForeign) || errors.Is(unread, drift.ErrNotAudited)) && !alone {
		o.report.NotAudited = unread.Error()
		return o.report, nil
	}
	if unread != nil && !alone {
		return o.report, unread
	}
	if err := a.noteRemoval(ctx, o); err != nil {
		return o.report, err
	}
	report, err := a.conclude(ctx, o)
	return report, errors.Join(unread, err)
}

// noteRemoval writes down what a change claims to have taken away, for the
// grant whose event comes later than that.
func (a *Auditor) noteRemoval(ctx context.Context, o observation) error {
	removal, ok := drift.RemovalOf(o.report.Change, o.state)
	if !ok || !o.read {
		return nil
	}
	if err := a.Ledger.SaveRemoval(ctx, o.report.Change.Subject, removal); err != nil {
		return fmt.Errorf("recording the removal by event %s: %w", removal.Event.ID, err)
	}
	return nil
}

// observation is what was seen of one subject, before anything is concluded from it.
type observation struct {
	report    Report
	state     drift.State // the zero state, which concludes nothing, unless it was read
	read      bool
	tampering *drift.Finding // what the change does to the auditing itself
	context   drift.Context
}

func (a *Auditor) begin(change drift.Change) observation {
	o := observation{report: Report{Change: change}, context: a.Context}
	o.context.Now, o.context.Seals, o.context.Learned = a.now(), a.Seals != nil, a.TrustAdoptions
	return o
}

// read reads the live state, if the subject has one that is audited.
func (a *Auditor) read(ctx context.Context, o *observation) error {
	change := o.report.Change
	if !readable(change) || o.report.NotAudited != "" {
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

// readable reports whether the subject of a change has a state that is compared.
func readable(change drift.Change) bool {
	switch change.Operation {
	case drift.Blind, drift.UpdateCode:
		return false
	default:
	}
	switch change.Subject.Kind() {
	case drift.Function, drift.LayerVersion, drift.Role, drift.User, drift.Group:
		return true
	default:
		return false
	}
}

// notAudited says why a change is not judged in this stage; empty if it is.
// Undecided is why it could not be told whether it touches the auditing.
func notAudited(change drift.Change, undecided string) string {
	switch change.Operation {
	case drift.Unreadable, drift.Sweep:
		return ""
	case drift.Blind:
		return undecided
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
	return drift.Reflects(state, change) && (covered(state, change) || !drift.Rebuildable(change))
}

// covered reports whether what a change is about could be read.
func covered(state drift.State, change drift.Change) bool {
	switch change.Operation {
	case drift.PutURL, drift.DeleteURL:
		return state.CoversURL(change.Place)
	case drift.PutMapping, drift.DeleteMapping:
		return change.Config == nil || change.Config.Mapping == nil || state.CoversMapping(change.Config.Mapping.UUID)
	case drift.Configure:
		if change.Subject.Kind() == drift.Function {
			return state.CoversRole(drift.Unqualified)
		}
		return state.Covers(change.Place)
	default:
		return state.Covers(change.Place)
	}
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

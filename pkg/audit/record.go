package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

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

// conclusion is what one call to Audit makes of an observation.
type conclusion struct {
	observation
	mine map[string]bool          // the rows that this call has to announce
	rows map[string]drift.Finding // the rows of the subject, as they are now
}

// conclude brings the ledger up to date and announces what changed. A row that
// somebody else wrote meanwhile, perhaps because of a new approval, is read
// and decided upon again. A row that cannot be written keeps none of the
// others from being written and announced.
func (a *Auditor) conclude(ctx context.Context, o observation) (Report, error) {
	const tries = 8
	c := conclusion{observation: o, mine: make(map[string]bool)}
	var err error
	for try := 1; ; try++ {
		err = a.record(ctx, &c)
		if !errors.Is(err, drift.ErrConflict) || try == tries {
			break
		}
	}
	return c.report, errors.Join(err, a.announceAll(ctx, c))
}

// record writes the rows that change.
func (a *Auditor) record(ctx context.Context, c *conclusion) error {
	subject := c.report.Change.Subject
	stored, err := a.Ledger.Findings(ctx, subject)
	if err != nil {
		return fmt.Errorf("reading findings of %s: %w", subject, err)
	}
	found, err := a.compare(ctx, &c.observation, stored)
	if err != nil {
		return err
	}
	c.rows = make(map[string]drift.Finding, len(stored))
	for _, row := range stored {
		c.rows[row.ID] = row
	}
	var problems []error
	for _, t := range drift.Reconcile(c.report.Change, stored, found, c.state, c.context) {
		if err := ctx.Err(); err != nil {
			problems = append(problems, err)
			break
		}
		saved, err := a.save(ctx, t.Finding)
		if err != nil {
			problems = append(problems, fmt.Errorf("recording finding %s of %s: %w", t.Finding.ID, subject, err))
			continue
		}
		t.Finding, c.rows[saved.ID] = saved, saved
		c.mine[saved.ID] = c.mine[saved.ID] || t.Kind != drift.Seen
		c.report.Transitions = append(c.report.Transitions, t)
	}
	c.report.Findings = nil
	for _, f := range found {
		if row, ok := c.rows[f.ID]; ok {
			c.report.Findings = append(c.report.Findings, row)
		}
	}
	return errors.Join(problems...)
}

// save writes a row, without its statement if it is too large with it: a
// finding that says little is better than none.
func (a *Auditor) save(ctx context.Context, f drift.Finding) (drift.Finding, error) {
	saved, err := a.Ledger.Save(ctx, f)
	if errors.Is(err, drift.ErrTooLarge) {
		saved, err = a.Ledger.Save(ctx, brief(f))
	}
	return saved, err
}

// brief is a finding without what may be large in it.
func brief(f drift.Finding) drift.Finding {
	const enough = 1000
	f.Statement, f.Witness, f.Sids, f.Counterparties, f.Remediate = nil, nil, nil, nil, ""
	f.Replaced, f.Config, f.Before, f.Functions, f.Escalations = nil, nil, nil, nil, nil
	f.Reason = "too large to be kept whole: " + strings.ToValidUTF8(f.Reason[:min(len(f.Reason), enough)], "")
	f.Actor = drift.Actor{ARN: f.Actor.ARN, Account: f.Actor.Account, Type: f.Actor.Type, Issuer: f.Actor.Issuer, SourceIP: f.Actor.SourceIP}
	return f
}

// announceAll sends what the rows have pending, oldest first: ours at once,
// that of others only when it is old enough to have been lost. Until then the
// call comes back if the finding is one that it would have announced; what it
// did not look at is the other's message to bring back.
func (a *Auditor) announceAll(ctx context.Context, c conclusion) error {
	if a.Alerts == nil {
		return nil
	}
	var problems []error
	for _, row := range inOrder(c.rows) {
		if left := AnnounceLease - a.now().Sub(row.Pending[len(row.Pending)-1].At); !c.mine[row.ID] && left > 0 {
			if c.concerns(row) {
				problems = append(problems, &PendingError{Finding: row.ID, After: min(left, AnnounceLease)})
			}
			continue
		}
		problems = append(problems, a.announce(ctx, row))
	}
	return errors.Join(problems...)
}

// concerns reports whether the observation bears on a row: it found the cause,
// or saw that it is gone. Then nobody else may be left to announce it.
func (c conclusion) concerns(row drift.Finding) bool {
	found := slices.ContainsFunc(c.report.Findings, func(f drift.Finding) bool { return f.ID == row.ID })
	return found || c.read && row.Status == drift.Resolved && drift.Settles(c.state, row)
}

// inOrder are the rows that have something pending, by its time, then by id.
func inOrder(rows map[string]drift.Finding) []drift.Finding {
	pending := slices.Collect(maps.Values(rows))
	pending = slices.DeleteFunc(pending, func(row drift.Finding) bool { return len(row.Pending) == 0 })
	slices.SortFunc(pending, func(f, g drift.Finding) int {
		return cmp.Or(f.Pending[0].At.Compare(g.Pending[0].At), cmp.Compare(f.ID, g.ID))
	})
	return pending
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

package remediation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// finish records that a finding's cause was removed and announces it with the
// command that undoes it.
func (r *Remediator) finish(ctx context.Context, finding drift.Finding, undo []string) error {
	return r.announce(ctx, finding, func(row drift.Finding) (drift.Transition, bool) {
		if row.Status == drift.Remediated {
			return drift.Transition{}, false
		}
		return drift.Remediate(row, strings.Join(undo, " && "), "", r.now()), true
	})
}

// refuse records and announces, once, why nothing was removed.
func (r *Remediator) refuse(ctx context.Context, finding drift.Finding, why string) error {
	r.log().Warn("nothing done", "finding", finding.ID, "reason", why)
	return r.announce(ctx, finding, func(row drift.Finding) (drift.Transition, bool) {
		return drift.Refuse(row, why, r.now()), row.Status == drift.Open && row.Refusal != why
	})
}

// announce writes a transition and sends its announcement. A row that the
// auditor wrote meanwhile is read and decided upon again.
func (r *Remediator) announce(ctx context.Context, row drift.Finding, decide func(drift.Finding) (drift.Transition, bool)) error {
	const tries = 8
	for try := 1; ; try++ {
		t, ok := decide(row)
		if !ok {
			return nil
		}
		saved, err := r.Ledger.Save(ctx, t.Finding)
		if err == nil {
			return r.send(ctx, saved, saved.Pending[len(saved.Pending)-1])
		}
		if !errors.Is(err, drift.ErrConflict) || try == tries {
			return fmt.Errorf("recording the remediation of finding %s: %w", row.ID, err)
		}
		if row, err = r.Ledger.Finding(ctx, row.Subject, row.ID); err != nil {
			return fmt.Errorf("reading finding %s: %w", row.ID, err)
		}
	}
}

// send publishes an announcement and takes it off its row. If it fails, the
// row keeps it, and the auditor sends it when it next sees the row.
func (r *Remediator) send(ctx context.Context, row drift.Finding, announcement drift.Announcement) error {
	if err := r.Alerts.Send(ctx, row, announcement); err != nil {
		return fmt.Errorf("announcing the remediation of finding %s: %w", row.ID, err)
	}
	const tries = 8
	for try := 1; ; try++ {
		var rest []drift.Announcement
		for _, a := range row.Pending {
			if a.ID != announcement.ID {
				rest = append(rest, a)
			}
		}
		row.Pending = rest
		_, err := r.Ledger.Save(ctx, row)
		if err == nil {
			return nil
		}
		if !errors.Is(err, drift.ErrConflict) || try == tries {
			return fmt.Errorf("recording that the remediation of finding %s was announced: %w", row.ID, err)
		}
		if row, err = r.Ledger.Finding(ctx, row.Subject, row.ID); err != nil {
			return fmt.Errorf("reading finding %s: %w", row.ID, err)
		}
	}
}

package remediation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// errSeenAgain says that the auditor saw the cause while its removal was about
// to be recorded: perhaps somebody has added it again.
var errSeenAgain = errors.New("seen again meanwhile")

// finish records that a finding's cause was removed, if it is us who did, and
// announces it with the commands that undo it. Who did is in the ledger, so
// that a removal is announced even after a crash. It returns the last intent,
// nil if there is none.
func (r *Remediator) finish(ctx context.Context, finding drift.Finding, began time.Time) (*drift.Intent, error) {
	all, err := r.Ledger.Intents(ctx, finding.Subject)
	if err != nil {
		return nil, fmt.Errorf("reading the intents of %s: %w", finding.Subject, err)
	}
	ours := slices.DeleteFunc(slices.Clone(all), func(i drift.Intent) bool {
		made := i.Status == drift.Done || i.Status == drift.Planned
		return i.FindingID != finding.ID || !made || i.At.Before(finding.LastSeen) && i.At.Before(began)
	})
	if len(ours) == 0 {
		return nil, nil
	}
	undo, note := undoing(ours)
	return &ours[len(ours)-1], r.announce(ctx, finding, func(row drift.Finding) (drift.Transition, error) {
		switch {
		case row.Status == drift.Remediated:
			return drift.Transition{}, nil
		case row.Status == drift.Open && row.Count != finding.Count:
			return drift.Transition{}, errSeenAgain
		}
		return drift.Remediate(row, undo, note, r.now()), nil
	})
}

// undoing is the command that undoes intents, the last one first, and what
// there is to say about them.
func undoing(intents []drift.Intent) (undo, note string) {
	var commands []string
	for _, i := range slices.Backward(intents) {
		commands = append(commands, i.Undo)
		if i.Status == drift.Planned {
			note = "AWS's answer to the removal got lost: it is gone, but perhaps somebody else removed it"
		}
	}
	return strings.Join(commands, " && "), note
}

// claim announces that the cause of a resolved finding was removed by us, if
// the ledger says so: the auditor may see the removal before we could record it.
func (r *Remediator) claim(ctx context.Context, finding drift.Finding) (*drift.Intent, error) {
	last, err := r.finish(ctx, finding, finding.LastSeen)
	if last == nil && err == nil {
		r.log().InfoContext(ctx, "nothing done", "finding", finding.ID, "reason", "the finding is resolved")
	}
	return last, err
}

// resend sends what the remediator recorded for a finding and could not send.
func (r *Remediator) resend(ctx context.Context, row drift.Finding) error {
	for _, a := range row.Pending {
		if a.Transition != drift.RemovedByUs && a.Transition != drift.Refused {
			continue
		}
		if err := r.send(ctx, row, a); err != nil {
			return err
		}
	}
	return nil
}

// refuse records and announces, once, why nothing was removed.
func (r *Remediator) refuse(ctx context.Context, finding drift.Finding, why string) error {
	r.log().WarnContext(ctx, "nothing done", "finding", finding.ID, "reason", why)
	return r.announce(ctx, finding, func(row drift.Finding) (drift.Transition, error) {
		if row.Status != drift.Open || row.Refusal == why {
			return drift.Transition{}, nil
		}
		return drift.Refuse(row, why, r.now()), nil
	})
}

// announce writes a transition and sends its announcement. A row that the
// auditor wrote meanwhile is read and decided upon again.
func (r *Remediator) announce(ctx context.Context, row drift.Finding, decide func(drift.Finding) (drift.Transition, error)) error {
	const tries = 8
	for try := 1; ; try++ {
		t, err := decide(row)
		if err != nil || t.Kind == "" {
			return err
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

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
)

// maxSuppression is the longest time that a finding may be suppressed for, in days.
const maxSuppression = 365

func (p *program) suppressCommand() *cobra.Command {
	s := drift.Suppression{}
	var until string
	cmd := &cobra.Command{
		Use:   "suppress FINDING_ID --reason WHY --until DATE",
		Short: "Say nothing more of a finding for a time; it stays in the list",
		Long: `Say nothing more of a finding for a time, at most 365 days. It stays in 'findings
list', marked; that it is suppressed is announced; and it is told again when the
time is over or it becomes worse. Nothing is approved: what the finding is about
stays as it is, and the remediator leaves it alone meanwhile.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			now := p.now().UTC().Truncate(time.Second)
			if s.Reason == "" || until == "" {
				return usage("findings suppress: --reason and --until are needed")
			}
			end, err := later("--until", until, now)
			if err != nil {
				return err
			}
			if end.After(now.AddDate(0, 0, maxSuppression)) {
				return usage("--until is %s, more than %d days from now; approve the finding if it is to stay", until, maxSuppression)
			}
			s.At, s.Until = now, end
			return p.decide(cmd.Context(), ids[0], func(f drift.Finding) (drift.Transition, error) {
				if f.Status != drift.Open && f.Status != drift.Suppressed {
					return drift.Transition{}, fmt.Errorf("it is %s, not open", f.Status)
				}
				return drift.Suppress(f, s), nil
			})
		},
	}
	f := cmd.Flags()
	byFlag(cmd, &s.By, "who does not want to hear of it")
	f.StringVar(&s.Reason, "reason", "", "why")
	f.StringVar(&s.Ticket, "ticket", "", "where that was decided")
	f.StringVar(&until, "until", "", "the day or time from which on it is told again, such as 2026-12-31")
	return cmd
}

func (p *program) unsuppressCommand() *cobra.Command {
	var by, reason string
	cmd := &cobra.Command{
		Use:   "unsuppress FINDING_ID",
		Short: "End the suppression of a finding; it is open again",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return p.decide(cmd.Context(), ids[0], func(f drift.Finding) (drift.Transition, error) {
				if f.Status != drift.Suppressed {
					return drift.Transition{}, fmt.Errorf("it is %s, not suppressed", f.Status)
				}
				return drift.Unsuppress(f, by, reason, p.now().UTC().Truncate(time.Second)), nil
			})
		},
	}
	byFlag(cmd, &by, "who ends it")
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return cmd
}

// decide writes what a person decided of a finding. On an embedded store it
// prints the announcement; on that of a deployment the announcement stays on the
// row, and the deployed auditor sends it.
func (p *program) decide(ctx context.Context, id string, decision func(drift.Finding) (drift.Transition, error)) error {
	store, err := setup.OpenExistingStore(ctx, p.store, p.getenv)
	if err != nil {
		return err
	}
	defer p.shut(store)
	f, err := store.Ledger.Find(ctx, id)
	if err != nil {
		return fmt.Errorf("finding %s in %s: %w", id, store.Name, err)
	}
	const tries = 4
	for try := 1; ; try++ {
		t, err := decision(f)
		if err != nil {
			return fmt.Errorf("finding %s: %w", f.ID, err)
		}
		said := t.Finding.Pending[len(t.Finding.Pending)-1]
		if !setup.Shared(p.store) {
			t.Finding.Pending = nil
		}
		saved, err := store.Ledger.Save(ctx, t.Finding)
		if err == nil {
			return p.outcome("low").print(ctx, saved, said)
		}
		if !errors.Is(err, drift.ErrConflict) || try == tries {
			return fmt.Errorf("writing finding %s: %w", f.ID, err)
		}
		if f, err = store.Ledger.Finding(ctx, f.Subject, f.ID); err != nil {
			return fmt.Errorf("reading finding %s: %w", f.ID, err)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
)

func (p *program) modeCommand() *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use:   "mode [off|report|approve|enforce]",
		Short: "Show or set what the remediator may do",
		Long: `Show or set what the remediator may do.

  off      nothing (the default)
  report   say what it would remove
  approve  kept for approvals of single removals; acts on nothing yet
  enforce  remove added statements that nobody approved`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, modes []string) error {
			store, err := setup.OpenStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			return p.mode(cmd.Context(), store, by, modes)
		},
	}
	byFlag(cmd, &by, "who sets it")
	return cmd
}

func (p *program) mode(ctx context.Context, store *setup.Store, by string, modes []string) error {
	settings, err := store.Baseline.Settings(ctx)
	if err != nil {
		return fmt.Errorf("reading the mode in %s: %w", store.Name, err)
	}
	if len(modes) == 1 {
		mode := drift.Mode(modes[0])
		if !slices.Contains([]drift.Mode{drift.ModeOff, drift.ModeReport, drift.ModeApprove, drift.ModeEnforce}, mode) {
			return usage("%q is not a mode (off, report, approve, enforce)", modes[0])
		}
		settings.Mode, settings.UpdatedBy, settings.UpdatedAt = mode, by, p.now().UTC().Truncate(time.Second)
		if settings, err = store.Baseline.PutSettings(ctx, settings); err != nil {
			return fmt.Errorf("setting the mode in %s: %w", store.Name, err)
		}
	}
	if settings.Mode == "" {
		settings.Mode = drift.ModeOff
	}
	if p.format == "json" {
		return p.printJSON(settings)
	}
	fmt.Fprintln(p.out, settings.Mode)
	if len(modes) == 1 && settings.Mode == drift.ModeEnforce {
		return p.sayWhatStays(ctx, store)
	}
	return nil
}

// sayWhatStays says that enforcing begins with the next alert: what was
// announced before stays until somebody removes it.
func (p *program) sayWhatStays(ctx context.Context, store *setup.Store) error {
	open := 0
	for f, err := range store.Ledger.List(ctx) {
		if err != nil {
			return fmt.Errorf("listing findings: %w", err)
		}
		if f.Status == drift.Open && f.Kind == drift.PolicyWidened {
			open++
		}
	}
	if open > 0 {
		fmt.Fprintf(p.err, "%s open already and announced before; the remediator acts on new alerts only. Remove or approve them: permdrift findings list\n", plural(open, "finding"))
	}
	return nil
}

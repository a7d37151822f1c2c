package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func (p *program) baselineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Capture, show and approve what is allowed to be there",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	p.storeFlag(cmd)
	cmd.AddCommand(p.captureCommand(), p.baselineListCommand(), p.baselineShowCommand(), p.approveCommand(), p.modeCommand())
	return cmd
}

// approver are the flags that say who approves, and why.
type approver struct {
	by, reason, ticket, expires string
}

func (a *approver) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.by, "by", username(), "who approves")
	cmd.Flags().StringVar(&a.reason, "reason", "", "why")
	cmd.Flags().StringVar(&a.ticket, "ticket", "", "where that was decided")
	cmd.Flags().StringVar(&a.expires, "expires", "", "the day or time from which on it counts no more, such as 2026-12-31")
}

func username() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

func (a *approver) approval(s policy.Statement, now time.Time) (drift.Approval, error) {
	approval := drift.Approval{Statement: s, By: a.by, Reason: a.reason, Ticket: a.ticket, At: now.UTC().Truncate(time.Second)}
	if a.expires == "" {
		return approval, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, a.expires); err == nil {
			approval.Expires = t
			if !now.Before(t) {
				return approval, usage("--expires is %s, which is over", a.expires)
			}
			return approval, nil
		}
	}
	return approval, usage("--expires is %q, not a time such as 2026-12-31 or 2026-12-31T12:00:00Z", a.expires)
}

func (p *program) baselineListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the subjects that have a baseline",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			for subject, err := range store.Baseline.Subjects(cmd.Context()) {
				if err != nil {
					return fmt.Errorf("listing the baseline in %s: %w", store.Name, err)
				}
				baseline, err := store.Baseline.Get(cmd.Context(), subject)
				if err != nil {
					return fmt.Errorf("reading baseline of %s: %w", subject, err)
				}
				if err := p.listBaseline(baseline); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// listed is the JSON of baseline list, one object a line.
type listed struct {
	Subject   drift.Subject `json:"subject"`
	Places    int           `json:"places"`
	Approvals int           `json:"approvals"`
}

func (p *program) listBaseline(b drift.Baseline) error {
	l := listed{Subject: b.Subject, Places: len(b.Places)}
	for _, approved := range b.Places {
		l.Approvals += len(approved.Approvals)
	}
	if p.format == "json" {
		return p.printJSONLine(l)
	}
	fmt.Fprintf(p.out, "%s  %s, %s\n", l.Subject, plural(l.Places, "place"), plural(l.Approvals, "approved statement"))
	return nil
}

func (p *program) baselineShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FUNCTION_ARN",
		Short: "Show what is approved of a function, and who approved it",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, arns []string) error {
			subject, _, err := drift.ParseFunctionARN(arns[0])
			if err != nil {
				return usage("%w", err)
			}
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			baseline, err := store.Baseline.Get(cmd.Context(), subject)
			if err != nil {
				return fmt.Errorf("reading baseline of %s: %w", subject, err)
			}
			if !baseline.Known() {
				return fmt.Errorf("reading baseline of %s in %s: %w; capture it with 'permdrift baseline capture'", subject, store.Name, drift.ErrNotFound)
			}
			if p.format == "json" {
				return p.printJSON(baseline)
			}
			p.showBaseline(baseline)
			return nil
		},
	}
}

func (p *program) showBaseline(b drift.Baseline) {
	var places []drift.Place
	for place := range b.Places {
		places = append(places, place)
	}
	slices.Sort(places)
	for _, place := range places {
		approved := b.Places[place]
		fmt.Fprintf(p.out, "%s (version %d, %s)\n", clean(b.Subject.ARN(place)), approved.Version, plural(len(approved.Approvals), "approved statement"))
		for _, a := range approved.Approvals {
			fmt.Fprintf(p.out, "  %s\n    approved by %s on %s", clean(a.Statement.String()), clean(a.By), a.At.Format(time.DateOnly))
			for _, extra := range []struct{ head, text string }{{": ", a.Reason}, {", ticket ", a.Ticket}} {
				if extra.text != "" {
					fmt.Fprint(p.out, extra.head+clean(extra.text))
				}
			}
			if !a.Expires.IsZero() {
				fmt.Fprintf(p.out, ", until %s", a.Expires.Format(time.RFC3339))
			}
			fmt.Fprintln(p.out)
		}
	}
}

func (p *program) approveCommand() *cobra.Command {
	var a approver
	cmd := &cobra.Command{
		Use:   "approve FINDING_ID",
		Short: "Approve what a finding is about; the first six characters of its id are enough",
		Long: `Approve what a finding is about. An added statement goes into the baseline of its
place; a baseline statement that is gone is taken out of it.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			finding, err := store.Ledger.Find(cmd.Context(), ids[0])
			if err != nil {
				return fmt.Errorf("finding %s in %s: %w", ids[0], store.Name, err)
			}
			return p.approve(cmd.Context(), store, finding, a)
		},
	}
	a.flags(cmd)
	return cmd
}

func (p *program) approve(ctx context.Context, store *setup.Store, f drift.Finding, a approver) error {
	if f.Statement == nil || f.Kind != drift.PolicyWidened && f.Kind != drift.PolicyNarrowed {
		return fmt.Errorf("approving finding %s: a finding of the kind %s is not about a statement; what could not be read cannot be approved", f.ID, f.Kind)
	}
	approval, err := a.approval(*f.Statement, p.now())
	if err != nil {
		return err
	}
	baseline, err := store.Baseline.Get(ctx, f.Subject)
	if err != nil {
		return fmt.Errorf("reading baseline of %s: %w", f.Subject, err)
	}
	approved := baseline.Places[f.Place]
	approved.Approvals = slices.DeleteFunc(slices.Clone(approved.Approvals), func(b drift.Approval) bool {
		return b.Statement.Equal(*f.Statement)
	})
	verb := "is not part of the baseline any more"
	if f.Added() {
		approved.Approvals = append(approved.Approvals, approval)
		verb = "is approved"
	}
	approved.UpdatedBy, approved.UpdatedAt, approved.Reason = a.by, approval.At, strings.TrimSpace("finding "+f.ID+" "+a.reason)
	if _, err := store.Baseline.Put(ctx, f.Subject, f.Place, approved); err != nil {
		return fmt.Errorf("approving finding %s: %w", f.ID, err)
	}
	if err := p.close(ctx, store, f); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s at %s %s: %s\n", f.Subject, f.Place, verb, clean(f.Statement.String()))
	return nil
}

// close marks a finding approved in the ledger.
func (p *program) close(ctx context.Context, store *setup.Store, f drift.Finding) error {
	for range 4 {
		_, err := store.Ledger.Save(ctx, drift.Approve(f, p.now()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, drift.ErrConflict) {
			return fmt.Errorf("marking finding %s approved: %w", f.ID, err)
		}
		if f, err = store.Ledger.Finding(ctx, f.Subject, f.ID); err != nil {
			return fmt.Errorf("reading finding %s: %w", f.ID, err)
		}
	}
	return fmt.Errorf("marking finding %s approved: %w", f.ID, drift.ErrConflict)
}

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
	cmd.Flags().StringVar(&by, "by", username(), "who sets it")
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

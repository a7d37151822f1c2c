package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
)

func (p *program) findingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "findings",
		Short: "List, show and suppress what was found",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	p.storeFlag(cmd)
	cmd.AddCommand(p.findingsListCommand(), p.findingsShowCommand(), p.suppressCommand(), p.unsuppressCommand())
	return cmd
}

// listing says which findings are listed.
type listing struct {
	all      bool
	statuses []string
	severity string
	subject  string
}

func (p *program) findingsListCommand() *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the findings that are open or suppressed",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := l.check(); err != nil {
				return err
			}
			if s, err := subjectOf(l.subject); err == nil && s.Kind() != drift.Function {
				l.subject = string(s) // a role's without its path
			}
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			listed, there := 0, 0
			defer func() {
				switch {
				case there == 0:
					fmt.Fprintln(p.err, "no findings in "+store.Name)
				case listed == 0:
					fmt.Fprintf(p.err, "no findings in %s are such; it has %d, and --all lists also those that are over\n", store.Name, there)
				}
			}()
			for f, err := range store.Ledger.List(cmd.Context()) {
				if err != nil {
					return fmt.Errorf("listing findings: %w", err)
				}
				there++
				if !l.wants(f) {
					continue
				}
				listed++
				if err := p.listFinding(f); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&l.all, "all", false, "also those that are resolved, remediated, approved or transient")
	f.StringSliceVar(&l.statuses, "status", nil, "only those of this status (may be repeated): open, suppressed, approved, transient, remediated, resolved")
	f.StringVar(&l.severity, "severity", "", "only those of this severity and worse: critical, high, medium, low, informational")
	f.StringVar(&l.subject, "subject", "", "only those of the function, layer version, role or account with this ARN")
	return cmd
}

func (l listing) check() error {
	known := []drift.Status{drift.Open, drift.Transient, drift.Accepted, drift.Suppressed, drift.Remediated, drift.Resolved}
	for _, status := range l.statuses {
		if !slices.Contains(known, drift.Status(status)) {
			return usage("--status is %q, not open, suppressed, approved, transient, remediated or resolved", status)
		}
	}
	if l.severity != "" && drift.Severity(l.severity).Rank() < 0 {
		return usage("--severity is %q, not critical, high, medium, low or informational", l.severity)
	}
	return nil
}

func (l listing) wants(f drift.Finding) bool {
	switch {
	case len(l.statuses) > 0 && !slices.Contains(l.statuses, string(f.Status)):
		return false
	case len(l.statuses) == 0 && !l.all && f.Status != drift.Open && f.Status != drift.Suppressed:
		return false
	case l.subject != "" && l.subject != string(f.Subject) && l.subject != f.Subject.ARN(f.Place):
		return false
	}
	return l.severity == "" || f.Severity.Rank() >= drift.Severity(l.severity).Rank()
}

func (p *program) listFinding(f drift.Finding) error {
	if p.format == "json" {
		if err := alert.WriteJSON(p.out, f); err != nil {
			return fmt.Errorf("printing finding %s: %w", f.ID, err)
		}
		return nil
	}
	until := ""
	if f.Status == drift.Suppressed && f.Suppression != nil {
		until = ", suppressed by " + clean(f.Suppression.By) + " until " + f.Suppression.Until.Format(time.DateOnly)
	}
	_, err := fmt.Fprintf(p.out, "%s  %-10s %-13s %-20s %s%s\n", f.ID, f.Status, f.Severity, f.Kind, clean(f.Subject.ARN(f.Place)), until)
	if err != nil {
		return fmt.Errorf("printing finding %s: %w", f.ID, err)
	}
	return nil
}

func (p *program) findingsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show one finding wholly; the first six characters of its id are enough",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			f, err := store.Ledger.Find(cmd.Context(), ids[0])
			if err != nil {
				return fmt.Errorf("finding %s in %s: %w", ids[0], store.Name, err)
			}
			if p.format == "json" {
				return p.printJSON(alert.NewMessage(f, drift.Announcement{}))
			}
			_, err = fmt.Fprint(p.out, alert.Text(f, drift.Announcement{}))
			if err != nil {
				return fmt.Errorf("printing finding %s: %w", f.ID, err)
			}
			return nil
		},
	}
}

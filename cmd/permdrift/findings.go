package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
)

func (p *program) findingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "findings",
		Short: "List and show what was found",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	p.storeFlag(cmd)
	cmd.AddCommand(p.findingsListCommand(), p.findingsShowCommand())
	return cmd
}

func (p *program) findingsListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the findings that are open",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			listed := 0
			defer func() {
				if listed == 0 {
					fmt.Fprintln(p.err, "no findings in "+store.Name)
				}
			}()
			for f, err := range store.Ledger.List(cmd.Context()) {
				if err != nil {
					return fmt.Errorf("listing findings: %w", err)
				}
				if !all && f.Status != drift.Open {
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
	cmd.Flags().BoolVar(&all, "all", false, "also those that are resolved, remediated, approved or transient")
	return cmd
}

func (p *program) listFinding(f drift.Finding) error {
	if p.format == "json" {
		if err := alert.WriteJSON(p.out, f); err != nil {
			return fmt.Errorf("printing finding %s: %w", f.ID, err)
		}
		return nil
	}
	_, err := fmt.Fprintf(p.out, "%s  %-10s %-8s %-17s %s\n", f.ID, f.Status, f.Severity, f.Kind, clean(f.Subject.ARN(f.Place)))
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

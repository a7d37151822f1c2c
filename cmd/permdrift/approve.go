package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
)

func (p *program) approveCommand() *cobra.Command {
	var a approver
	cmd := &cobra.Command{
		Use:   "approve FINDING_ID",
		Short: "Approve what a finding is about; the first six characters of its id are enough",
		Long: `Approve what a finding is about. An added statement, function URL, event source or
execution role goes into the baseline of its place; what of the baseline is gone is
taken out of it, and an event source that was disabled is approved as disabled. A
role that is approved beside another is one of two that may be there; 'baseline
revoke' takes the old one out. What is approved already keeps its reason, ticket
and end, unless others are given.

Of a role, user or group, statements of the trust policy and of identity policies are
approved the same way. That the permissions boundary is gone can be approved: then
none is. A boundary that allows more or less than approved cannot, since what it
allows is not in the finding: 'baseline capture' approves the role as it is.

A finding about one call, such as one that may have blinded permdrift, is only
acknowledged: it is closed with who did that and why, and the baseline stays as
it is. What could not be read cannot be approved.`,
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
			if finding.AboutCall() {
				return p.acknowledge(cmd.Context(), store, finding, a)
			}
			return p.approve(cmd.Context(), store, finding, a)
		},
	}
	a.flags(cmd)
	return cmd
}

// acknowledge closes a finding about one call.
func (p *program) acknowledge(ctx context.Context, store *setup.Store, f drift.Finding, a approver) error {
	if a.expires != "" {
		return usage("--expires: a finding of the kind %s is about one call, of which nothing can expire", f.Kind)
	}
	err := p.change(ctx, store, f, func(row drift.Finding) drift.Finding {
		return drift.Acknowledge(row, a.by, a.reason, a.ticket, p.now())
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s: acknowledged: %s\n", f.ID, clean(f.Reason))
	return nil
}

func (p *program) approve(ctx context.Context, store *setup.Store, f drift.Finding, a approver) error {
	if f.Place == drift.Boundary && f.Subject.Kind() == drift.Role && f.Kind != drift.UnreadableChange {
		return p.approveBoundary(ctx, store, f, a)
	}
	if f.Statement == nil && f.Config == nil {
		return fmt.Errorf("approving finding %s: a finding of the kind %s is not about a statement or a configuration; what could not be read cannot be approved", f.ID, f.Kind)
	}
	approval, err := a.approval(p.now())
	if err != nil {
		return err
	}
	if approval.Config = f.Config; f.Config == nil {
		approval.Statement = *f.Statement
	}
	baseline, err := store.Baseline.Get(ctx, f.Subject)
	if err != nil {
		return fmt.Errorf("reading baseline of %s: %w", f.Subject, err)
	}
	approved := baseline.Places[f.Place]
	for _, before := range approved.Approvals {
		if supersedes(approval, before) && !before.Expired(p.now()) {
			approval = keep(approval, before)
		}
	}
	approved.Approvals = slices.DeleteFunc(slices.Clone(approved.Approvals), func(b drift.Approval) bool { return supersedes(approval, b) })
	verb := "is not part of the baseline any more"
	if stands(f) {
		approved.Approvals = append(approved.Approvals, approval)
		verb = "is approved"
	}
	approved.UpdatedBy, approved.UpdatedAt, approved.Reason = a.by, approval.At, strings.TrimSpace("finding "+f.ID+" "+a.reason)
	if _, err := store.Baseline.Put(ctx, f.Subject, f.Place, approved); err != nil {
		return fmt.Errorf("approving finding %s: %w", f.ID, err)
	}
	if err := p.change(ctx, store, f, func(row drift.Finding) drift.Finding { return drift.Approve(row, p.now()) }); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s at %s %s: %s\n", f.Subject, f.Place, verb, clean(approves(approval)))
	return nil
}

// keep is an approval with what it does not say of the one that it takes the
// place of: approving once more makes a limited approval no unlimited one.
func keep(approval, before drift.Approval) drift.Approval {
	if approval.Config == nil && !approval.Statement.Equal(before.Statement) || approval.Config != nil && (before.Config == nil || !approval.Config.Equal(*before.Config)) {
		return approval // of something else
	}
	approval.Reason, approval.Ticket = cmp.Or(approval.Reason, before.Reason), cmp.Or(approval.Ticket, before.Ticket)
	if approval.Expires.IsZero() {
		approval.Expires = before.Expires
	}
	return approval
}

// approveBoundary approves that a role has no permissions boundary any more, if
// that is what a finding is about.
func (p *program) approveBoundary(ctx context.Context, store *setup.Store, f drift.Finding, a approver) error {
	if f.Kind != drift.BoundaryRemoved || f.Config != nil || f.Before == nil {
		return fmt.Errorf("approving finding %s: what the permissions boundary allows now is not in the finding: 'permdrift baseline capture %s' approves the role as it is", f.ID, f.Subject)
	}
	if a.expires != "" {
		return usage("--expires: that there is no permissions boundary cannot expire")
	}
	baseline, err := store.Baseline.Get(ctx, f.Subject)
	if err != nil {
		return fmt.Errorf("reading baseline of %s: %w", f.Subject, err)
	}
	approved := drift.Approved{
		Version: baseline.Places[f.Place].Version, UpdatedBy: a.by, UpdatedAt: p.now().UTC().Truncate(time.Second),
		Reason: because("finding "+f.ID+": no permissions boundary", a),
	}
	if _, err := store.Baseline.Put(ctx, f.Subject, f.Place, approved); err != nil {
		return fmt.Errorf("approving finding %s: %w", f.ID, err)
	}
	if err := p.change(ctx, store, f, func(row drift.Finding) drift.Finding { return drift.Approve(row, p.now()) }); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "%s at %s: that it has none is approved; it was %s\n", f.Subject, f.Place, clean(f.Before.Boundary))
	return nil
}

// because is why a place of the baseline was written, with all that was said of it.
func because(text string, a approver) string {
	for _, extra := range []struct{ head, text string }{{": ", a.reason}, {", ticket ", a.ticket}} {
		if extra.text != "" {
			text += extra.head + extra.text
		}
	}
	return text
}

// stands reports whether what a finding shows is there, so that it is approved,
// and not gone. Of narrowed configuration there is something if it was changed.
func stands(f drift.Finding) bool {
	if f.Config != nil {
		return f.Kind != drift.PolicyNarrowed || f.Before != nil
	}
	return f.Added()
}

// supersedes reports whether an approval takes the place of another: of the same
// statement, of the one URL of a place, of the same event source, of the same role.
func supersedes(a, b drift.Approval) bool {
	switch {
	case a.Config == nil || b.Config == nil:
		return a.Config == nil && b.Config == nil && a.Statement.Equal(b.Statement)
	case a.Config.URL != nil:
		return b.Config.URL != nil
	}
	return a.Config.Equal(*b.Config)
}

// change writes a row as a function makes it, on what is stored by then.
func (p *program) change(ctx context.Context, store *setup.Store, f drift.Finding, to func(drift.Finding) drift.Finding) error {
	const tries = 4
	for try := 1; ; try++ {
		_, err := store.Ledger.Save(ctx, to(f))
		if err == nil {
			return nil
		}
		if !errors.Is(err, drift.ErrConflict) || try == tries {
			return fmt.Errorf("writing finding %s: %w", f.ID, err)
		}
		if f, err = store.Ledger.Finding(ctx, f.Subject, f.ID); err != nil {
			return fmt.Errorf("reading finding %s: %w", f.ID, err)
		}
	}
}

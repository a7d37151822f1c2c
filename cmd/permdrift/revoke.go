package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
)

func (p *program) revokeCommand() *cobra.Command {
	var by, reason string
	cmd := &cobra.Command{
		Use:   "revoke FINDING_ID | ARN NUMBER…",
		Short: "Take approvals back, so that what they approved is a finding again",
		Long: `Take approvals back: of what a finding is about, or those with the numbers that
'baseline show ARN' prints. What they approved is a finding again when it is
looked at the next time, by an event, a sweep or a scan. Nothing is removed from
the function or role. What a rule approves or adopted ends with the rule.

A permissions boundary is a limit: with a part of it revoked, more would count as
approved, or as a finding what never changed. 'baseline capture' approves it anew.`,
		Example: "  permdrift baseline revoke 378b30857aef\n  permdrift baseline revoke arn:aws:lambda:us-east-1:111122223333:function:orders 2 --reason 'the partner has left'",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			r := revocation{p: p, store: store, by: by, reason: reason}
			if !strings.HasPrefix(list[0], "arn:") {
				if len(list) > 1 {
					return usage("baseline revoke: name one finding, or the ARN of a function, layer version or role and numbers")
				}
				return r.finding(cmd.Context(), list[0])
			}
			return r.numbers(cmd.Context(), list[0], list[1:])
		},
	}
	byFlag(cmd, &by, "who revokes")
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return cmd
}

// revocation takes approvals back.
type revocation struct {
	p          *program
	store      *setup.Store
	by, reason string
}

// finding takes back what is approved of what a finding is about.
func (r revocation) finding(ctx context.Context, id string) error {
	f, err := r.store.Ledger.Find(ctx, id)
	if err != nil {
		return fmt.Errorf("finding %s in %s: %w", id, r.store.Name, err)
	}
	if f.Statement == nil && (f.Config == nil || f.Config.Boundary != "") {
		return fmt.Errorf("revoking finding %s: a finding of the kind %s has no approval", f.ID, f.Kind)
	}
	baseline, err := r.baseline(ctx, f.Subject)
	if err != nil {
		return err
	}
	var taken []numbered
	for _, a := range numbers(baseline) {
		if a.place == f.Place && about(f, a.Approval) {
			taken = append(taken, a)
		}
	}
	if len(taken) == 0 {
		also := ""
		if f.Adoption != nil {
			also = "; the rule " + f.Adoption.Rule + " adopted it, and it ends with the rule"
		}
		return fmt.Errorf("revoking finding %s: its approval in %s: %w%s", f.ID, r.store.Name, drift.ErrNotFound, also)
	}
	return r.take(ctx, baseline, taken)
}

// about reports whether an approval is of exactly what a finding shows.
func about(f drift.Finding, a drift.Approval) bool {
	if f.Config == nil || a.Config == nil {
		return f.Config == nil && a.Config == nil && a.Statement.Equal(*f.Statement)
	}
	return a.Config.Equal(*f.Config)
}

// numbers takes back the approvals of a subject with these numbers.
func (r revocation) numbers(ctx context.Context, arn string, named []string) error {
	subject, err := subjectOf(arn)
	if err != nil {
		return err
	}
	if len(named) == 0 {
		return usage("baseline revoke: which? 'permdrift baseline show %s' numbers what is approved", subject)
	}
	baseline, err := r.baseline(ctx, subject)
	if err != nil {
		return err
	}
	all := numbers(baseline)
	var taken []numbered
	for _, text := range named {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(all) {
			return usage("baseline revoke: %q is not a number of an approval of %s, which has %d", text, subject, len(all))
		}
		if !slices.ContainsFunc(taken, func(a numbered) bool { return a.number == n }) {
			taken = append(taken, all[n-1])
		}
	}
	return r.take(ctx, baseline, taken)
}

func (r revocation) baseline(ctx context.Context, subject drift.Subject) (drift.Baseline, error) {
	baseline, err := r.store.Baseline.Get(ctx, subject)
	if err != nil {
		return baseline, fmt.Errorf("reading baseline of %s: %w", subject, err)
	}
	return baseline, nil
}

// take writes the places anew without the approvals.
func (r revocation) take(ctx context.Context, baseline drift.Baseline, taken []numbered) error {
	roles := 0
	if slices.ContainsFunc(taken, func(t numbered) bool { return t.place == drift.Boundary && baseline.Subject.Kind() == drift.Role }) {
		return usage("baseline revoke: a permissions boundary is approved as a whole: 'permdrift baseline capture %s' approves the one that is there", baseline.Subject)
	}
	for _, place := range places(taken) {
		approved := baseline.Places[place]
		var kept []drift.Approval
		for i, a := range approved.Approvals {
			if !slices.ContainsFunc(taken, func(t numbered) bool { return t.place == place && t.index == i }) {
				kept = append(kept, a)
			}
		}
		approved.Approvals = kept
		approved.UpdatedBy, approved.UpdatedAt = r.by, r.p.now().UTC()
		approved.Reason = strings.TrimSuffix("revoked: "+r.reason, ": ")
		if _, err := r.store.Baseline.Put(ctx, baseline.Subject, place, approved); err != nil {
			return fmt.Errorf("revoking approvals of %s at %s: %w", baseline.Subject, place, err)
		}
		baseline.Places[place] = approved
	}
	for _, a := range taken {
		fmt.Fprintf(r.p.out, "%s at %s is not approved any more: %s\n", baseline.Subject, a.place, clean(approves(a.Approval)))
		if a.Config != nil && a.Config.Role != "" {
			roles++
		}
	}
	if roles > 0 && !slices.ContainsFunc(numbers(baseline), func(a numbered) bool { return a.Config != nil && a.Config.Role != "" }) {
		fmt.Fprintf(r.p.err, "no execution role of %s is approved now, so none is compared: approve one, or capture the function\n", baseline.Subject)
	}
	return nil
}

// places are the places of approvals, each once.
func places(list []numbered) []drift.Place {
	var all []drift.Place
	for _, a := range list {
		if !slices.Contains(all, a.place) {
			all = append(all, a.place)
		}
	}
	return all
}

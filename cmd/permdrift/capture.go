package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func (p *program) captureCommand() *cobra.Command {
	var c capture
	cmd := &cobra.Command{
		Use:   "capture [FUNCTION…]",
		Short: "Take what the functions' policies allow now as approved, less what is risky",
		Long: `Read the policies of the functions named, or of all with --all, with your AWS
credentials, and approve what they allow now. What is risky (of high or critical
severity) is shown and left out unless --accept-risky is given; it stays a
finding. A function whose policies could not all be read is left out as a whole.
FUNCTION is a name or an ARN. A capture replaces the function's baseline, but
what is there and was approved before stays approved, by whom it was.`,
		RunE: func(cmd *cobra.Command, functions []string) error {
			if c.all == (len(functions) > 0) {
				return usage("baseline capture: name functions, or give --all")
			}
			owner, err := c.viewer.owner("")
			if err != nil {
				return err
			}
			store, err := setup.OpenStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			account, err := setup.OpenAccount(cmd.Context(), c.region, c.rate)
			if err != nil {
				return err
			}
			c.p, c.store, c.account, c.owner, c.outcome = p, store, account, owner, p.outcome("low")
			return c.run(cmd.Context(), functions)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&c.all, "all", false, "all functions of the account and region")
	f.BoolVar(&c.risky, "accept-risky", false, "approve also what is of high or critical severity")
	f.StringVar(&c.region, "region", "", "the region (default: that of your AWS configuration)")
	f.Float64Var(&c.rate, "rate", 5, "reads of policies a second; the quota is 15, shared with everybody")
	f.StringVar(&c.viewer.organization, "org", "", "the id of your organization, o-…")
	f.StringSliceVar(&c.viewer.trusted, "trusted-account", nil, "an account that counts as your organization (may be repeated)")
	c.approver.flags(cmd)
	return cmd
}

// capture is one run of baseline capture.
type capture struct {
	p        *program
	store    *setup.Store
	account  *setup.Account
	owner    policy.Owner
	outcome  *outcome
	viewer   viewer
	approver approver
	all      bool
	risky    bool
	region   string
	rate     float64

	functions, approved, left int
}

func (c *capture) run(ctx context.Context, functions []string) error {
	subjects, err := c.subjects(ctx, functions)
	if err != nil {
		return err
	}
	bar := c.p.progress(len(subjects), c.account.ID+" "+c.account.Region)
	for _, subject := range subjects {
		if err := c.function(ctx, subject); err != nil {
			c.outcome.fail(err)
		}
		_ = bar.Add(1) // a progress bar that cannot be drawn is no reason to stop
	}
	fmt.Fprintf(c.p.out, "%s captured in %s: %s approved, %d left out as risky\n",
		plural(c.functions, "function"), c.store.Name, plural(c.approved, "statement"), c.left)
	switch {
	case len(c.outcome.failures) > 0:
		return &exitError{code: exitFailed}
	case c.outcome.unknown > 0:
		return &exitError{code: exitUnknown}
	}
	return nil
}

func (c *capture) subjects(ctx context.Context, functions []string) ([]drift.Subject, error) {
	if c.all {
		subjects, err := c.outcome.list(ctx, c.account)
		if err != nil {
			return nil, fmt.Errorf("listing the functions of %s in %s: %w", c.account.ID, c.account.Region, err)
		}
		return subjects, nil
	}
	var subjects []drift.Subject
	for _, name := range functions {
		subject := drift.FunctionSubject(c.account.Partition(), c.account.Region, c.account.ID, name)
		if strings.HasPrefix(name, "arn:") {
			var err error
			if subject, _, err = drift.ParseFunctionARN(name); err != nil {
				return nil, usage("%w", err)
			}
		} else if strings.Contains(name, ":") {
			return nil, usage("%q is neither the name nor the ARN of a function; a capture takes all its qualifiers", name)
		}
		subjects = append(subjects, subject)
	}
	return subjects, nil
}

// function captures all places of one function.
func (c *capture) function(ctx context.Context, subject drift.Subject) error {
	state, err := c.account.Live.State(ctx, drift.Change{Subject: subject, Operation: drift.Sweep, Whole: true})
	if err != nil {
		return fmt.Errorf("reading live state of %s: %w", subject, err)
	}
	if len(state.Gaps) > 0 {
		c.outcome.undecided("%s is not captured: %s", subject, state.Gaps[0].Reason)
		return nil
	}
	if len(state.Policies) == 0 {
		return fmt.Errorf("capturing %s: there is no such function", subject)
	}
	baseline, err := c.store.Baseline.Get(ctx, subject)
	if err != nil {
		return fmt.Errorf("reading baseline of %s: %w", subject, err)
	}
	for place := range baseline.Places {
		if _, ok := state.Policies[place]; !ok {
			state.Policies[place] = drift.PlacePolicy{} // the place is gone; nothing is approved there any more
		}
	}
	for place, live := range state.Policies {
		if err := c.place(ctx, subject, place, live.Policy, baseline.Places[place]); err != nil {
			return err
		}
	}
	c.functions++
	return nil
}

// place approves the statements of one place. What somebody approved before
// stays as it was approved.
func (c *capture) place(ctx context.Context, subject drift.Subject, place drift.Place, live policy.Policy, before drift.Approved) error {
	approved := drift.Approved{Version: before.Version, UpdatedBy: c.approver.by, UpdatedAt: c.p.now().UTC(), Reason: "captured"}
	owner := c.owner
	owner.Account = subject.Account()
	for _, s := range live.Statements {
		if i := slices.IndexFunc(before.Approvals, func(a drift.Approval) bool {
			return a.Statement.Equal(s) && !a.Expired(c.p.now())
		}); i >= 0 {
			approved.Approvals = append(approved.Approvals, before.Approvals[i])
			c.approved++
			continue
		}
		verdict := policy.Expose(s, owner)
		severity := drift.SeverityOf(verdict.Exposure, s)
		if severity.Rank() >= drift.High.Rank() {
			fmt.Fprintf(c.p.out, "risky: %s at %s: %s, %s: %s\n", subject, place, severity, verdict.Exposure, clean(s.String()))
			if !c.risky {
				c.left++
				continue
			}
		}
		approval, err := c.approver.approval(s, c.p.now())
		if err != nil {
			return err
		}
		approved.Approvals = append(approved.Approvals, approval)
		c.approved++
	}
	if _, err := c.store.Baseline.Put(ctx, subject, place, approved); err != nil {
		return fmt.Errorf("storing the baseline of %s: %w", subject, err)
	}
	return nil
}

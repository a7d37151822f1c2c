package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/drift"
)

func (p *program) scanCommand() *cobra.Command {
	var v viewer
	var regions []string
	var rate float64
	var everyRole bool
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Compare the functions, layer versions and roles of an account with the baseline, with your credentials",
		Long: `Read the policies, function URLs, event source mappings and execution roles of
every function, version and alias of the account that your AWS credentials are
for, and the policies of its layer versions, and compare them with the baseline in
the store. So are the roles that have a baseline, as 'baseline capture --all' gives
one to the roles that functions run as: their trust policy, identity policies and
permissions boundary. With --roles all roles of the account are compared; those that
a service made for itself are left out.

Lambda answers 15 reads of policies a second for the whole account, deployments
included; scan takes a third of it (--rate). What is throttled or refused is
tried again and then reported as unknown: the exit code is then 4, never 0.

On the store of a deployment what is found is recorded, and announced by the
deployed auditor: give the same --org, --trusted-account and --unknown as it has.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := v.context(p)
			if err != nil {
				return err
			}
			if rate <= 0 {
				return usage("--rate is %v; it must be above 0", rate)
			}
			store, err := setup.OpenStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			if len(regions) == 0 {
				regions = []string{""}
			}
			o := p.outcome(v.failOn)
			var scanned []drift.Subject
			done := make(map[string]bool) // accounts whose roles are scanned
			for _, region := range regions {
				account, err := setup.OpenAccount(cmd.Context(), region, rate)
				if err != nil {
					o.fail(fmt.Errorf("scanning: %w", err))
					continue
				}
				auditor := p.auditor(store, c)
				auditor.Live = account.Live
				subjects, err := o.scan(cmd.Context(), auditor, account)
				scanned = append(scanned, subjects...)
				if err != nil {
					return err
				}
				if done[account.ID] {
					continue // roles are of no region
				}
				done[account.ID] = true
				roles, err := o.scanRoles(cmd.Context(), auditor, account, store, everyRole)
				scanned = append(scanned, roles...)
				if err != nil {
					return err
				}
			}
			return o.end(subjectCount(scanned))
		},
	}
	p.storeFlag(cmd)
	v.flags(cmd)
	cmd.Flags().StringSliceVar(&regions, "region", nil, "a region to scan (may be repeated; default: that of your AWS configuration)")
	cmd.Flags().BoolVar(&everyRole, "roles", false, "all roles of the account, also those without a baseline")
	cmd.Flags().Float64Var(&rate, "rate", 5, "reads of policies a second; the quota is 15, shared with everybody")
	return cmd
}

// scanners is how many functions are read at once; the rate limit is what bounds the speed.
const scanners = 4

// scan audits all functions and layer versions of one account and region, and
// returns them. The error is about the output; what fails for one of them is
// reported, and the next gets its turn.
func (o *outcome) scan(ctx context.Context, auditor *audit.Auditor, account *setup.Account) ([]drift.Subject, error) {
	subjects, err := o.list(ctx, account)
	if err != nil {
		o.fail(fmt.Errorf("listing the functions of %s in %s: %w", account.ID, account.Region, err))
		if len(subjects) == 0 {
			return nil, nil
		}
	}
	bar := o.p.progress(len(subjects), account.ID+" "+account.Region)
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(scanners)
	for _, subject := range subjects {
		group.Go(func() error {
			report, err := auditor.Sweep(ctx, subject, true)
			mu.Lock()
			defer mu.Unlock()
			_ = bar.Add(1) // a progress bar that cannot be drawn is no reason to stop
			if err != nil {
				o.fail(fmt.Errorf("scanning: %w", err))
				return nil
			}
			return o.report(ctx, report)
		})
	}
	return subjects, group.Wait()
}

// list lists the functions and layer versions; on an error, those that were listed before it.
func (o *outcome) list(ctx context.Context, account *setup.Account) ([]drift.Subject, error) {
	var subjects []drift.Subject
	for subject, err := range account.Live.Subjects(ctx) {
		if err != nil {
			return subjects, err
		}
		subjects = append(subjects, subject)
	}
	return subjects, nil
}

// progress is a bar on stderr where that is a terminal, and else nothing.
func (p *program) progress(n int, what string) *progressbar.ProgressBar {
	if file, ok := p.err.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return progressbar.NewOptions(n, progressbar.OptionSetWriter(file), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		}
	}
	return progressbar.DefaultSilent(int64(n))
}

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/cloudtrail"
)

func (p *program) auditCommand() *cobra.Command {
	var v viewer
	var live bool
	var region string
	cmd := &cobra.Command{
		Use:   "audit EVENT…",
		Short: "Audit EventBridge or CloudTrail events from files",
		Long: `Audit EventBridge events, CloudTrail records or CloudTrail log files, one after
another, and compare what they lead to with the baseline in the store.

Without --live the state of a function is rebuilt from the events: from the last
state that the store knows, else from the baseline, else from nothing. With
--store none a single AddPermission is thus judged by itself. With --live the
subject is read from AWS with your credentials. - reads standard input.

A call that may have switched off what the auditing rests on is a finding too.
That of a trail always is; --stack and --own-key say which rules, queues,
functions, roles and keys are permdrift's own.`,
		Example: "  permdrift audit --store none events/public.json\n  permdrift audit --format json --store audit.db trail/*.json",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := v.context(p)
			if err != nil {
				return err
			}
			if setup.Shared(p.store) && !live {
				return usage("audit: on the store of a deployment only --live can be audited: a state rebuilt from files would resolve what is open")
			}
			store, err := setup.OpenStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			auditor := p.auditor(store, c)
			auditor.Live = &audit.Rebuilt{States: store.States, Baselines: store.Baseline}
			if live {
				account, err := setup.OpenAccount(cmd.Context(), region, eventRate)
				if err != nil {
					return err
				}
				auditor.Live = account.Live
			}
			return p.audit(cmd.Context(), auditor, files, v.failOn)
		},
	}
	p.storeFlag(cmd)
	v.flags(cmd)
	cmd.Flags().BoolVar(&live, "live", false, "read the functions' policies from AWS instead of rebuilding them")
	cmd.Flags().StringVar(&region, "region", "", "with --live: the region (default: that of your AWS configuration)")
	return cmd
}

// eventRate is how many reads a second audit --live makes: a third of the quota.
const eventRate = 5

func (p *program) audit(ctx context.Context, auditor *audit.Auditor, files []string, failOn string) error {
	o := p.outcome(failOn)
	records := 0
	for _, file := range files {
		text, err := p.read(file)
		if err != nil {
			o.fail(err)
			continue
		}
		before := records
		for _, event := range bodies(text) {
			results, err := cloudtrail.Decode(event)
			if err != nil {
				o.fail(fmt.Errorf("decoding %s: %w", file, err))
				continue
			}
			for _, result := range results {
				records++
				if result.Event.ID == "" {
					result.Event.ID = fmt.Sprintf("number %d", records-before)
				}
				if err := o.result(ctx, auditor, file, result); err != nil {
					return err
				}
			}
		}
	}
	return o.end(plural(records, "event"))
}

// bodies are the events in a file: the bodies of an SQS batch, as the function
// gets it, and else the text itself.
func bodies(text []byte) [][]byte {
	batch, ok := audit.Batch(text)
	if !ok {
		return [][]byte{text}
	}
	list := make([][]byte, 0, len(batch.Records))
	for _, message := range batch.Records {
		list = append(list, []byte(message.Body))
	}
	return list
}

// result audits one record. The error is about the output; what is wrong with
// the record is reported, and the next one gets its turn.
func (o *outcome) result(ctx context.Context, auditor *audit.Auditor, file string, result cloudtrail.Result) error {
	if result.Skipped != "" {
		o.note("%s: no change: %s", file, clean(result.Skipped))
	}
	if result.Err != nil {
		o.fail(fmt.Errorf("decoding %s: event %s: %w", file, result.Event.ID, result.Err))
	}
	for _, change := range result.Changes {
		report, err := auditor.Audit(ctx, change)
		if err != nil { // what was found of the other subjects is printed all the same
			o.fail(fmt.Errorf("auditing %s: event %s (%s): %w", file, change.Event.ID, change.Event.Name, err))
		}
		if report.NotAudited != "" {
			o.undecided("%s: %s: %s", file, change.Event.Name, report.NotAudited)
		}
		if err := o.report(ctx, report); err != nil {
			return err
		}
	}
	return nil
}

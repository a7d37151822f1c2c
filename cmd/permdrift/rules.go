package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func (p *program) ruleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rule",
		Short: "Add, list, show and remove rules: approvals for many functions",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.ruleAddCommand(), p.ruleListCommand(), p.ruleShowCommand(), p.ruleRemoveCommand())
	return cmd
}

// rulesFor are the rules that are about a subject.
func rulesFor(ctx context.Context, store *setup.Store, subject drift.Subject) ([]drift.Rule, error) {
	rules, err := store.Baseline.Rules(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the rules in %s: %w", store.Name, err)
	}
	return slices.DeleteFunc(rules, func(r drift.Rule) bool { return !r.Matches(subject) }), nil
}

// adding is one run of baseline rule add.
type adding struct {
	p         *program
	approver  approver
	viewer    viewer
	rule      drift.Rule
	statement string
	deployer  drift.Deployer
	risky     bool
}

func (p *program) ruleAddCommand() *cobra.Command {
	a := adding{p: p}
	cmd := &cobra.Command{
		Use:   "add --id ID --subjects PATTERN",
		Short: "Add a rule that approves a statement on many functions, or adopts what a deployer grants",
		Long: `Add a rule for all functions whose ARN matches a pattern, in which * is any text
and ? any character.

With --statement the rule approves a statement, read from a file or with - from
standard input, at every qualifier of each function; the function's ARN takes the
place of its Resource.

With --adopt-issuer and --adopt-account the rule adopts what sessions of exactly
that role grant, as it appears: permissions that only invoke and let in nobody but
the account itself, or with --adopt-organization the organization. URLs, event
sources, execution roles and layers are never adopted.

What a rule would approve that is risky is shown, and the rule is refused unless
--accept-risky is given.`,
		Example: "  permdrift baseline rule add --id s3-ingest --subjects 'arn:aws:lambda:*:111122223333:function:ingest-*' --statement s3.json --reason 'uploads'\n" +
			"  permdrift baseline rule add --id ci --subjects 'arn:aws:lambda:*:111122223333:function:*' \\\n    --adopt-issuer arn:aws:iam::111122223333:role/ci --adopt-account 111122223333 --expires 2027-06-30",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&a.rule.ID, "id", "", "the rule's name: a-z, 0-9 and -")
	f.StringVar(&a.rule.Subjects, "subjects", "", "a pattern of functions' ARNs")
	f.StringVar(&a.statement, "statement", "", "a file with the statement to approve; - reads standard input")
	f.StringVar(&a.deployer.Issuer, "adopt-issuer", "", "the ARN of the role whose grants are adopted")
	f.StringVar(&a.deployer.Account, "adopt-account", "", "the account of the role's sessions")
	f.BoolVar(&a.deployer.Organization, "adopt-organization", false, "adopt also what lets in the organization")
	f.BoolVar(&a.risky, "accept-risky", false, "store the rule even if it approves what is of high or critical severity")
	f.StringVar(&a.viewer.organization, "org", "", "the id of your organization, o-…")
	f.StringSliceVar(&a.viewer.trusted, "trusted-account", nil, "an account that counts as your organization (may be repeated)")
	a.approver.flags(cmd)
	return cmd
}

func (a *adding) run(ctx context.Context) error {
	if err := a.read(); err != nil {
		return err
	}
	owner, err := a.viewer.owner("")
	if err != nil {
		return err
	}
	if a.rule.Statement != nil {
		if err := a.judge(owner); err != nil {
			return err
		}
	}
	store, err := setup.OpenStore(ctx, a.p.store, a.p.getenv)
	if err != nil {
		return err
	}
	defer a.p.shut(store)
	rules, err := store.Baseline.Rules(ctx)
	if err != nil {
		return fmt.Errorf("reading the rules in %s: %w", store.Name, err)
	}
	if slices.ContainsFunc(rules, func(r drift.Rule) bool { return r.ID == a.rule.ID }) {
		return fmt.Errorf("adding the rule %s: there is one of that id in %s; remove it first", a.rule.ID, store.Name)
	}
	stored, err := store.Baseline.PutRule(ctx, a.rule)
	if err != nil {
		return fmt.Errorf("adding the rule %s: %w", a.rule.ID, err)
	}
	return a.p.printRule(stored)
}

// read makes the rule of the flags.
func (a *adding) read() error {
	approval, err := a.approver.approval(a.p.now())
	if err != nil {
		return err
	}
	a.rule.By, a.rule.Reason, a.rule.Ticket, a.rule.At, a.rule.Expires = approval.By, approval.Reason, approval.Ticket, approval.At, approval.Expires
	if a.deployer != (drift.Deployer{}) {
		a.rule.Adopt = &a.deployer
	}
	if a.statement != "" {
		text, err := a.p.read(a.statement)
		if err != nil {
			return err
		}
		s, err := policy.ParseStatement(text)
		if err != nil {
			return fmt.Errorf("reading the statement in %s: %w", a.statement, err)
		}
		a.rule.Statement = &s
	}
	if err := a.rule.Check(); err != nil {
		return usage("baseline rule add: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// judge says what a rule would approve on a function of its pattern that is
// risky: what would be a bad finding there.
func (a *adding) judge(owner policy.Owner) error {
	sample := sampleOf(a.rule)
	s := *a.rule.Statement
	s.Resource, s.NotResource = []string{string(sample)}, nil
	state := drift.State{Subject: sample, Policies: map[drift.Place]drift.PlacePolicy{drift.Unqualified: {Policy: policy.Policy{Version: "2012-10-17", Statements: []policy.Statement{s}}}}}
	found := drift.Compare(drift.Change{Subject: sample, Operation: drift.Sweep}, state, drift.Baseline{Subject: sample},
		drift.Context{Now: a.p.now(), Owner: owner, Unknown: drift.Strict})
	for _, f := range found {
		if f.Severity.Rank() < drift.High.Rank() {
			continue
		}
		fmt.Fprintf(a.p.err, "risky: on %s: %s, %s: %s: %s\n", clean(a.rule.Subjects), f.Severity, f.Exposure, clean(f.Reason), clean(s.String()))
		if !a.risky {
			return fmt.Errorf("adding the rule %s: what it approves is risky; --accept-risky stores it all the same", a.rule.ID)
		}
	}
	return nil
}

// noAccount is the account of a function of a pattern that names none: nobody's,
// so that what is pinned to an account is pinned to another's.
const noAccount = "000000000000"

// sampleOf is a function that a rule is about.
func sampleOf(r drift.Rule) drift.Subject {
	parts := strings.SplitN(r.Subjects, ":", 7)
	fallback := drift.FunctionSubject("", "us-east-1", noAccount, "sample")
	if len(parts) != 7 {
		return fallback
	}
	for i, plain := range map[int]string{1: "aws", 3: "us-east-1", 4: noAccount} {
		if strings.ContainsAny(parts[i], "*?") {
			parts[i] = plain
		}
	}
	parts[6] = strings.NewReplacer("*", "sample", "?", "x").Replace(parts[6])
	if s := drift.Subject(strings.Join(parts, ":")); r.Matches(s) {
		return s
	}
	return fallback
}

func (p *program) ruleListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the rules",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, rules, err := p.rules(cmd.Context())
			if err != nil {
				return err
			}
			defer p.shut(store)
			for _, r := range rules {
				if p.format == "json" {
					if err := p.printJSONLine(r); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(p.out, "%s  %s%s\n", clean(r.ID), clean(ruleWords(r)), over(r, p.now()))
			}
			if len(rules) == 0 {
				fmt.Fprintln(p.err, "no rules in "+store.Name)
			}
			return nil
		},
	}
}

// rules opens the store and reads all rules.
func (p *program) rules(ctx context.Context) (*setup.Store, []drift.Rule, error) {
	store, err := setup.OpenExistingStore(ctx, p.store, p.getenv)
	if err != nil {
		return nil, nil, err
	}
	rules, err := store.Baseline.Rules(ctx)
	if err != nil {
		p.shut(store)
		return nil, nil, fmt.Errorf("reading the rules in %s: %w", store.Name, err)
	}
	return store, rules, nil
}

// over says that a rule has run out.
func over(r drift.Rule, now time.Time) string {
	if r.Expired(now) {
		return " (has run out)"
	}
	return ""
}

// ruleWords is what a rule does, on one line.
func ruleWords(r drift.Rule) string {
	var does []string
	if r.Statement != nil {
		does = append(does, "approves "+r.Statement.String())
	}
	if r.Adopt != nil {
		text := "adopts what sessions of " + r.Adopt.Issuer + " in " + r.Adopt.Account + " grant"
		if r.Adopt.Organization {
			text += ", to the organization too"
		}
		does = append(does, text)
	}
	return strings.Join(does, ", and ") + " on " + r.Subjects
}

func (p *program) ruleShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a rule, who wrote it, why and until when",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			store, rules, err := p.rules(cmd.Context())
			if err != nil {
				return err
			}
			defer p.shut(store)
			r, err := ruleOf(rules, ids[0], store.Name)
			if err != nil {
				return err
			}
			return p.printRule(r)
		},
	}
}

func ruleOf(rules []drift.Rule, id, where string) (drift.Rule, error) {
	for _, r := range rules {
		if r.ID == id {
			return r, nil
		}
	}
	return drift.Rule{}, fmt.Errorf("rule %s in %s: %w", id, where, drift.ErrNotFound)
}

func (p *program) printRule(r drift.Rule) error {
	if p.format == "json" {
		return p.printJSON(r)
	}
	fmt.Fprintf(p.out, "rule %s (version %d)%s\n  on %s\n", clean(r.ID), r.Version, over(r, p.now()), clean(r.Subjects))
	if r.Statement != nil {
		fmt.Fprintf(p.out, "  approves %s\n", clean(r.Statement.String()))
	}
	if r.Adopt != nil {
		fmt.Fprintf(p.out, "  adopts what sessions of %s in %s grant", clean(r.Adopt.Issuer), clean(r.Adopt.Account))
		if r.Adopt.Organization {
			fmt.Fprint(p.out, ", to the organization too")
		}
		fmt.Fprintln(p.out)
	}
	fmt.Fprintf(p.out, "  written by %s\n", signed(r.By, r.At, r.Reason, r.Ticket, r.Expires))
	return nil
}

func (p *program) ruleRemoveCommand() *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove a rule; what it approved or adopted is a finding again",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			store, rules, err := p.rules(cmd.Context())
			if err != nil {
				return err
			}
			defer p.shut(store)
			r, err := ruleOf(rules, ids[0], store.Name)
			if err != nil {
				return err
			}
			if err := store.Baseline.DeleteRule(cmd.Context(), r.ID, r.Version, by); err != nil {
				return fmt.Errorf("removing the rule %s: %w", r.ID, err)
			}
			fmt.Fprintf(p.out, "rule %s is removed; it %s\n", clean(r.ID), clean(ruleWords(r)))
			return nil
		},
	}
	byFlag(cmd, &by, "who removes it")
	return cmd
}

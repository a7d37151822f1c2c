package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func (p *program) captureCommand() *cobra.Command {
	var c capture
	cmd := &cobra.Command{
		Use:   "capture [FUNCTION | ROLE_ARN…]",
		Short: "Take what functions, layer versions and roles allow now as approved, less what is risky",
		Long: `Read the functions and roles named, or with --all all functions and layer versions
and the roles that functions run as, or with --roles all roles of the account, with
your AWS credentials, and approve what is there now: the statements of functions'
policies on every qualifier, function URLs, event source mappings, and which role
is the execution role; of a role its trust policy, its identity policies, and its
permissions boundary. What is risky, that is what would be a finding of high or
critical severity, is shown and left out unless --accept-risky is given; it stays a
finding. Of roles these are grants to other accounts and to anybody, and rights that
make an administrator or a way to become one; a boundary is never risky. Which role
is the execution role is not risky by itself. What a rule approves is left to the rule.

What could not be read wholly is left out as a whole. FUNCTION is a name or an ARN,
also that of a layer version; ROLE_ARN may have the role's path or not. Roles that a
service made for itself are not captured by --roles. A capture replaces the baseline
of a function or role, but what is there and was approved before stays approved, by
whom it was, for what reason, and until when. A boundary is approved as a whole, and
without an end: --expires is about all but that.`,
		Example: `  permdrift baseline capture --all --org o-exampleorgid
  permdrift baseline capture orders arn:aws:iam::111122223333:role/orders`,
		RunE: func(cmd *cobra.Command, functions []string) error {
			if (c.all || c.everyRole) == (len(functions) > 0) {
				return usage("baseline capture: name functions and roles, or give --all or --roles")
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
	f.BoolVar(&c.all, "all", false, "all functions and layer versions of the account and region, and the roles that functions run as")
	f.BoolVar(&c.everyRole, "roles", false, "all roles of the account")
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
	// everyRole has all roles of the account captured, not only those in use.
	everyRole bool
	risky     bool
	region    string
	rate      float64

	subjects    []drift.Subject // that were captured
	inUse       []drift.Subject // roles that functions run as
	approved    [counted]int
	ruled, left int
}

func (c *capture) run(ctx context.Context, functions []string) error {
	subjects, err := c.named(ctx, functions)
	if err != nil {
		return err
	}
	bar := c.p.progress(len(subjects), c.account.ID+" "+c.account.Region)
	for _, subject := range subjects {
		if err := c.subject(ctx, subject); err != nil {
			c.outcome.fail(err)
		}
		_ = bar.Add(1) // a progress bar that cannot be drawn is no reason to stop
	}
	c.roles(ctx)
	fmt.Fprintln(c.p.out, c.summary())
	switch {
	case len(c.outcome.failures) > 0:
		return &exitError{code: exitFailed}
	case c.outcome.unknown > 0:
		return &exitError{code: exitUnknown}
	}
	return nil
}

func (c *capture) named(ctx context.Context, functions []string) ([]drift.Subject, error) {
	if c.everyRole && !c.all {
		return nil, nil
	}
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
			if subject, err = subjectOf(name); err != nil {
				return nil, err
			}
			if kind := subject.Kind(); kind == drift.User || kind == drift.Group {
				return nil, usage("%q is a %s: only functions, layer versions and roles are captured; approve its findings", name, kind)
			}
		} else if strings.Contains(name, ":") {
			return nil, usage("%q is neither the name nor the ARN of a function; a capture takes all its qualifiers", name)
		}
		subjects = append(subjects, subject)
	}
	return subjects, nil
}

// subject captures all of one function, layer version or role.
func (c *capture) subject(ctx context.Context, subject drift.Subject) error {
	state, err := c.account.Live.State(ctx, drift.Change{Subject: subject, Operation: drift.Sweep, Whole: true})
	if err != nil {
		return fmt.Errorf("reading live state of %s: %w", subject, err)
	}
	c.use(state)
	return c.state(ctx, state)
}

// state captures what was read of a subject.
func (c *capture) state(ctx context.Context, state drift.State) error {
	subject := state.Subject
	if len(state.Gaps) > 0 {
		c.outcome.undecided("%s is not captured: %s", subject, state.Gaps[0].Reason)
		return nil
	}
	if len(state.Policies) == 0 {
		return fmt.Errorf("capturing %s: there is no such %s", subject, strings.ReplaceAll(string(subject.Kind()), "-", " "))
	}
	baseline, err := c.store.Baseline.Get(ctx, subject)
	if err != nil {
		return fmt.Errorf("reading baseline of %s: %w", subject, err)
	}
	if baseline.Rules, err = rulesFor(ctx, c.store, subject); err != nil {
		return err
	}
	approvals, err := c.judge(state, baseline)
	if err != nil {
		return err
	}
	for _, place := range slices.Sorted(maps.Keys(approvals)) {
		approved := drift.Approved{
			Version: baseline.Places[place].Version, Approvals: approvals[place],
			UpdatedBy: c.approver.by, UpdatedAt: c.p.now().UTC(), Reason: "captured",
		}
		if _, err := c.store.Baseline.Put(ctx, subject, place, approved); err != nil {
			return fmt.Errorf("storing the baseline of %s: %w", subject, err)
		}
	}
	c.subjects = append(c.subjects, subject)
	return nil
}

// item is one thing that a capture can approve at a place.
type item struct {
	place drift.Place
	drift.Approval
}

// items are what a state has to approve: statements and URLs where they are,
// event sources at what they feed, all execution roles at the unqualified
// place, whichever versions have them, and which policy a boundary is.
func items(state drift.State) []item {
	var list []item
	for _, place := range slices.Sorted(maps.Keys(state.Policies)) {
		for _, s := range state.Policies[place].Policy.Statements {
			list = append(list, item{place, drift.Approval{Statement: s}})
		}
	}
	config := func(place drift.Place, c drift.Config) {
		i := slices.IndexFunc(list, func(x item) bool { return x.place == place && x.Config != nil && x.Config.Equal(c) })
		switch {
		case i < 0:
			list = append(list, item{place, drift.Approval{Config: &c}})
		case c.Mapping != nil && c.Mapping.Enabled: // two mappings of one source: one is enabled
			list[i].Config = &c
		}
	}
	for _, place := range slices.Sorted(maps.Keys(state.URLs)) {
		if url := state.URLs[place]; url.AuthType != "" {
			config(place, drift.Config{URL: &url})
		}
	}
	for _, uuid := range slices.Sorted(maps.Keys(state.Mappings)) {
		if m := state.Mappings[uuid]; m != nil {
			config(m.Place, drift.Config{Mapping: &m.Mapping})
		}
	}
	for _, place := range slices.Sorted(maps.Keys(state.Roles)) {
		if role := state.Roles[place]; role != "" {
			config(drift.Unqualified, drift.Config{Role: role})
		}
	}
	if state.Role != nil && state.Role.BoundaryARN != "" {
		config(drift.Boundary, drift.Config{Boundary: state.Role.BoundaryARN})
	}
	return list
}

// judge says what is to be approved at each place. What somebody approved
// before stays as it was approved; of the rest, what rules approve need not be
// in the baseline, and what would be a bad finding is shown and left out.
func (c *capture) judge(state drift.State, baseline drift.Baseline) (map[drift.Place][]drift.Approval, error) {
	approvals := make(map[drift.Place][]drift.Approval)
	for place := range state.Policies {
		approvals[place] = nil
	}
	for place := range baseline.Places {
		approvals[place] = nil // where the place is gone, nothing is approved any more
	}
	fresh, err := c.approver.approval(c.p.now())
	if err != nil {
		return nil, err
	}
	context := drift.Context{Now: c.p.now(), Owner: c.owner, Unknown: drift.Strict, Reach: access.Escalations}
	sweep := drift.Change{Subject: state.Subject, Operation: drift.Sweep}
	without := drift.Compare(sweep, state, drift.Baseline{Subject: state.Subject}, context)
	beside := drift.Compare(sweep, state, drift.Baseline{Subject: state.Subject, Rules: baseline.Rules}, context)
	for _, x := range items(state) {
		if before, ok := c.kept(x, baseline.Places[x.place]); ok {
			approvals[x.place] = append(approvals[x.place], before)
			c.count(x)
			continue
		}
		risk, found := x.finding(beside)
		if _, differs := x.finding(without); differs && !found {
			c.ruled++
			continue
		}
		if found && risk.Severity.Rank() >= drift.High.Rank() {
			fmt.Fprintf(c.p.out, "risky: %s at %s: %s: %s\n", state.Subject, x.place, riskWords(risk), clean(approves(x.Approval)))
			if !c.risky {
				c.left++
				continue
			}
		}
		approval := fresh
		approval.Statement, approval.Config = x.Statement, x.Config
		if x.place == drift.Boundary && state.Role != nil { // a function may have an alias of that name
			approval.Expires = time.Time{} // a limit that ran out would approve all that it kept away
		}
		approvals[x.place] = append(approvals[x.place], approval)
		c.count(x)
	}
	return approvals, nil
}

// kept is the approval that there is of an item and that has not run out, with
// the item's own address or UUID. One of a disabled event source is none of an
// enabled one.
func (c *capture) kept(x item, before drift.Approved) (drift.Approval, bool) {
	for _, a := range before.Approvals {
		if a.Expired(c.p.now()) || (a.Config == nil) != (x.Config == nil) {
			continue
		}
		switch {
		case a.Config == nil && a.Statement.Equal(x.Statement):
			return a, true
		case a.Config == nil || !a.Config.Equal(*x.Config):
		case a.Config.Mapping == nil || a.Config.Mapping.Enabled == x.Config.Mapping.Enabled:
			a.Config = x.Config
			return a, true
		}
	}
	return drift.Approval{}, false
}

// finding is the finding that an item is among findings, false if it is none.
func (x item) finding(found []drift.Finding) (drift.Finding, bool) {
	for _, f := range found {
		if f.Place != x.place || f.Kind == drift.UnreadableChange {
			continue
		}
		if f.Config == nil && f.Statement != nil && x.Config == nil && f.Statement.Equal(x.Statement) ||
			f.Config != nil && x.Config != nil && f.Config.Equal(*x.Config) {
			return f, true
		}
	}
	return drift.Finding{}, false
}

// count counts what is approved, by what it is.
func (c *capture) count(x item) {
	switch {
	case x.Config == nil:
		c.approved[statements]++
	case x.Config.URL != nil:
		c.approved[urls]++
	case x.Config.Mapping != nil:
		c.approved[sources]++
	case x.Config.Boundary != "":
		c.approved[boundaries]++
	default:
		c.approved[executionRoles]++
	}
}

// What a capture counts, in the order in which it tells them.
const (
	executionRoles = iota
	urls
	sources
	boundaries
	statements
	counted
)

// summary is what was captured, in words.
func (c *capture) summary() string {
	var parts []string
	for i, what := range []string{"execution role", "function URL", "event source", "permissions boundary", "statement"} {
		if n := c.approved[i]; n > 0 || i == statements {
			parts = append(parts, plural(n, what))
		}
	}
	text := fmt.Sprintf("%s captured in %s: %s approved", subjectCount(c.subjects), c.store.Name, strings.Join(parts, ", "))
	if c.ruled > 0 {
		text += fmt.Sprintf(", %d by rules already", c.ruled)
	}
	return text + fmt.Sprintf(", %d left out as risky", c.left)
}

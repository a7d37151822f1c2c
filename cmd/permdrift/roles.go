package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/drift"
)

// servicePath is where the roles are that a service makes for itself, and
// nobody else can change.
const servicePath = ":role/aws-service-role/"

// rolesOf are the states of all roles of an account but those of services, read in bulk.
func rolesOf(ctx context.Context, account *setup.Account) iter.Seq2[drift.State, error] {
	return func(yield func(drift.State, error) bool) {
		for state, err := range account.Live.Authorizations(ctx) {
			if err == nil && (state.Subject.Kind() != drift.Role || state.Role != nil && strings.Contains(state.Role.ARN, servicePath)) {
				continue
			}
			if !yield(state, err) || err != nil {
				return
			}
		}
	}
}

// use notes which roles the functions run as that --all captures.
func (c *capture) use(state drift.State) {
	if !c.all {
		return
	}
	for _, arn := range state.Roles {
		if role, err := subjectOf(arn); err == nil && role.Kind() == drift.Role && !slices.Contains(c.inUse, role) {
			c.inUse = append(c.inUse, role)
		}
	}
}

// roles captures all roles of the account, or those that functions run as.
func (c *capture) roles(ctx context.Context) {
	seen := make(map[drift.Subject]bool)
	if c.everyRole {
		for state, err := range rolesOf(ctx, c.account) {
			if err == nil {
				seen[state.Subject] = true
				err = c.state(ctx, state)
			}
			if err != nil {
				c.outcome.fail(err)
			}
		}
	}
	slices.Sort(c.inUse)
	for _, role := range c.inUse {
		if seen[role] {
			continue
		}
		if err := c.role(ctx, role); err != nil {
			c.outcome.fail(err)
		}
	}
}

// role captures a role that functions run as; that it does not exist is said.
func (c *capture) role(ctx context.Context, role drift.Subject) error {
	state, err := c.account.Live.State(ctx, drift.Change{Subject: role, Operation: drift.Sweep, Whole: true})
	if err != nil {
		return fmt.Errorf("reading live state of %s: %w", role, err)
	}
	if state.Role == nil && len(state.Gaps) == 0 {
		c.outcome.note("%s does not exist, and functions have it as their execution role", role)
		return nil
	}
	return c.state(ctx, state)
}

// riskWords say in short why something is risky.
func riskWords(f drift.Finding) string {
	words := []string{string(f.Severity)}
	if f.Exposure != "" {
		words = append(words, string(f.Exposure))
	}
	for _, e := range f.Escalations {
		words = append(words, e.Method)
	}
	if f.Policy != "" {
		words = append(words, "in "+clean(f.Policy))
	}
	return strings.Join(words, ", ")
}

// scanRoles audits all roles of an account, or those that have a baseline, and
// returns them. The error is about the output; what fails for one of them is
// reported, and the next gets its turn.
func (o *outcome) scanRoles(ctx context.Context, auditor *audit.Auditor, account *setup.Account, store *setup.Store, all bool) ([]drift.Subject, error) {
	var scanned []drift.Subject
	seen := make(map[drift.Subject]bool)
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(scanners)
	sweep := func(auditor *audit.Auditor, role drift.Subject) {
		scanned, seen[role] = append(scanned, role), true
		group.Go(func() error {
			report, err := auditor.Sweep(ctx, role, true)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				o.fail(fmt.Errorf("scanning: %w", err))
				return nil
			}
			return o.report(ctx, report)
		})
	}
	known, problem := baselineRoles(ctx, store, account.ID)
	if all {
		for state, err := range rolesOf(ctx, account) {
			if err != nil {
				problem = fmt.Errorf("scanning the roles of %s: %w", account.ID, err)
				break
			}
			one := *auditor
			one.Live = bulkRead{Live: auditor.Live, state: state}
			sweep(&one, state.Subject)
		}
	}
	for _, role := range known {
		if !seen[role] { // it is gone, or was not listed
			sweep(auditor, role)
		}
	}
	err := group.Wait()
	if problem != nil {
		o.fail(problem)
	}
	return scanned, err
}

// baselineRoles are the roles of an account that have a baseline.
func baselineRoles(ctx context.Context, store *setup.Store, account string) ([]drift.Subject, error) {
	var list []drift.Subject
	for subject, err := range store.Baseline.Subjects(ctx) {
		if err != nil {
			return list, fmt.Errorf("listing the baseline in %s: %w", store.Name, err)
		}
		if subject.Kind() == drift.Role && subject.Account() == account {
			list = append(list, subject)
		}
	}
	return list, nil
}

// bulkRead is a Live of one subject whose state was read with those of others.
type bulkRead struct {
	audit.Live

	state drift.State
}

// State is what was read.
func (b bulkRead) State(context.Context, drift.Change) (drift.State, error) { return b.state, nil }

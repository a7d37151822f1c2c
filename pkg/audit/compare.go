package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/permdrift/permdrift/pkg/drift"
)

// compare says what is not as the baseline has it. What is as the baseline has
// it costs one read of the baseline; only what differs has the rules read, the
// adoptions verified, and read what its finding is to be told with.
func (a *Auditor) compare(ctx context.Context, o *observation, rows []drift.Finding) ([]drift.Finding, error) {
	change := o.report.Change
	var found []drift.Finding
	if change.Operation == drift.Unreadable {
		found = append(found, drift.UnreadableFinding(change))
	}
	if o.tampering != nil {
		found = append(found, *o.tampering)
	}
	if !o.read {
		return found, nil
	}
	baseline, err := a.Baselines.Get(ctx, change.Subject)
	if err != nil {
		return nil, fmt.Errorf("reading baseline of %s: %w", change.Subject, err)
	}
	different := drift.Compare(change, o.state, baseline, o.context)
	transient := drift.TransientFindings(change, o.state, baseline, nil, o.context)
	if differs(different) || len(transient) > 0 {
		if baseline, err = a.rules(ctx, baseline, rows); err != nil {
			return nil, err
		}
		if different, err = a.complete(ctx, o, baseline, transient); err != nil {
			return nil, err
		}
		if transient, err = a.transient(ctx, o, baseline); err != nil {
			return nil, err
		}
	}
	noted := drift.Noted(change, o.state, baseline, o.context)
	if read, err := a.want(ctx, o, noted); err != nil {
		return nil, err
	} else if read {
		noted = drift.Noted(change, o.state, baseline, o.context)
	}
	return slices.Concat(found, different, transient, noted), nil
}

// differs reports whether rules could make a difference: gaps they cannot fill.
func differs(found []drift.Finding) bool {
	return slices.ContainsFunc(found, func(f drift.Finding) bool { return f.Kind != drift.UnreadableChange })
}

// rules gives a baseline the rules, and the adoptions on rows whose seal is true.
func (a *Auditor) rules(ctx context.Context, baseline drift.Baseline, rows []drift.Finding) (drift.Baseline, error) {
	rules, err := a.Baselines.Rules(ctx)
	if err != nil {
		return baseline, fmt.Errorf("reading the rules for %s: %w", baseline.Subject, err)
	}
	baseline = baseline.WithRules(rules)
	baseline.Adoptions = make(map[string]drift.Adoption)
	for _, row := range rows {
		if row.Adoption == nil {
			continue
		}
		sealed, err := a.sealed(ctx, row)
		if err != nil {
			return baseline, fmt.Errorf("verifying the adoption of finding %s of %s: %w", row.ID, row.Subject, err)
		}
		if sealed {
			baseline.Adoptions[row.ID] = *row.Adoption
		} else {
			a.log().WarnContext(ctx, "an adoption does not count: its seal is not true", "finding", row.ID, "subject", row.Subject)
		}
	}
	return baseline, nil
}

// sealed reports whether the adoption on a row is one that the auditor made.
func (a *Auditor) sealed(ctx context.Context, row drift.Finding) (bool, error) {
	switch {
	case a.TrustAdoptions:
		return true, nil
	case a.Seals == nil:
		return false, nil
	}
	return a.Seals.Verify(ctx, row.Adoption.Text(row), row.Adoption.Seal)
}

// complete compares with everything that bears on it: it reads what the findings
// are to be told with, those of what came and went too, and seals what is newly
// adopted.
func (a *Auditor) complete(ctx context.Context, o *observation, baseline drift.Baseline, transient []drift.Finding) ([]drift.Finding, error) {
	change := o.report.Change
	found := drift.Compare(change, o.state, baseline, o.context)
	read, err := a.want(ctx, o, slices.Concat(found, transient))
	if err != nil {
		return nil, err
	}
	if read {
		found = drift.Compare(change, o.state, baseline, o.context)
	}
	for i := range found {
		f := &found[i]
		if f.Adoption == nil || f.Adoption.Seal != "" || a.Seals == nil {
			continue
		}
		seal, err := a.Seals.Seal(ctx, f.Adoption.Text(*f))
		if err != nil {
			return nil, fmt.Errorf("sealing the adoption of finding %s of %s: %w", f.ID, f.Subject, err)
		}
		f.Adoption.Seal = seal
	}
	return found, nil
}

// want reads what findings are to be told with, and reports whether there was anything.
func (a *Auditor) want(ctx context.Context, o *observation, found []drift.Finding) (bool, error) {
	want := drift.Wants(found, o.state)
	if want.Empty() {
		return false, nil
	}
	state, err := a.Live.Complete(ctx, o.state, want)
	if err != nil {
		return false, fmt.Errorf("reading what the findings of %s are to be told with: %w", o.report.Change.Subject, err)
	}
	o.state, o.report.Gaps = state, state.Gaps
	return true, nil
}

// transient are the findings about what came and went, with how long it stood.
func (a *Auditor) transient(ctx context.Context, o *observation, baseline drift.Baseline) ([]drift.Finding, error) {
	change := o.report.Change
	found := drift.TransientFindings(change, o.state, baseline, nil, o.context)
	if len(found) == 0 {
		return nil, nil
	}
	removals, err := a.Ledger.Removals(ctx, change.Subject)
	if err != nil {
		return nil, fmt.Errorf("reading the removals of %s: %w", change.Subject, err)
	}
	return drift.TransientFindings(change, o.state, baseline, removals, o.context), nil
}

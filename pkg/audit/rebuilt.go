package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/permdrift/permdrift/pkg/drift"
)

// States keeps the last state of each subject that was rebuilt from files.
// State returns [drift.ErrNotFound] for a subject that it does not know.
type States interface {
	State(ctx context.Context, subject drift.Subject) (drift.State, error)
	SaveState(ctx context.Context, state drift.State) error
}

// Rebuilt is a [Live] that reads nothing live: it takes the last state of the
// subject that it knows, else the one its baseline describes, else nothing, and
// applies what the change claims.
type Rebuilt struct {
	States    States
	Baselines Baselines
}

// State applies the change and remembers the result.
func (r *Rebuilt) State(ctx context.Context, change drift.Change) (drift.State, error) {
	before, err := r.States.State(ctx, change.Subject)
	if errors.Is(err, drift.ErrNotFound) {
		var baseline drift.Baseline
		if baseline, err = r.Baselines.Get(ctx, change.Subject); err == nil {
			before = baseline.State(change.Subject)
		}
	}
	if err != nil {
		return drift.State{}, fmt.Errorf("reading the last known state of %s: %w", change.Subject, err)
	}
	after := drift.Rebuild(before, change)
	if err := r.States.SaveState(ctx, after); err != nil {
		return drift.State{}, fmt.Errorf("keeping the state of %s: %w", change.Subject, err)
	}
	return after, nil
}

// Complete returns the state as it is: what is not in the events is not known.
func (r *Rebuilt) Complete(_ context.Context, state drift.State, _ drift.Want) (drift.State, error) {
	return state, nil
}

// Resolve knows nothing: what a managed policy is attached to, and who trusts a
// provider, is in no event about them.
func (r *Rebuilt) Resolve(_ context.Context, change drift.Change) ([]drift.Subject, error) {
	return nil, fmt.Errorf("%s of %s: %w", change.Operation, change.Subject, drift.ErrUnresolved)
}

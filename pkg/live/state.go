package live

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/time/rate"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// State reads what a change makes worth reading: the place that it names, or
// the whole function. See the package comment for what is in it.
func (l *Lambda) State(ctx context.Context, change drift.Change) (drift.State, error) {
	subject := change.Subject
	if kind := subject.Kind(); kind != drift.Function {
		return drift.State{}, fmt.Errorf("%s is a %s: %w", subject, kind, ErrNotAudited)
	}
	t, err := l.target(subject)
	if err != nil {
		return drift.State{}, err
	}
	r := reader{lambda: l, target: t, subject: subject}
	r.state = drift.State{Subject: subject, Policies: map[drift.Place]drift.PlacePolicy{}, ReadAt: l.now()}
	if whole(change) {
		r.policies, r.others = t.policies, t.others
		err = r.readWhole(ctx, change.Place)
	} else {
		err = r.readPlace(ctx, change.Place)
	}
	if err != nil {
		return drift.State{}, fmt.Errorf("reading %s: %w", subject, err)
	}
	return r.state, nil
}

// whole reports whether a change is answered by reading every place.
func whole(c drift.Change) bool {
	switch c.Operation {
	case drift.Sweep, drift.CreateSubject, drift.DeleteSubject, drift.Unreadable:
		return true
	default: // the rest is as below
	}
	return c.Whole
}

// reader reads one function once.
type reader struct {
	lambda           *Lambda
	target           *target
	subject          drift.Subject
	policies, others *rate.Limiter // nil: at once
	state            drift.State
}

// readWhole lists the places and reads each. What is known of is read even
// where the listing failed: a public grant should not wait for the next try.
func (r *reader) readWhole(ctx context.Context, named drift.Place) error {
	places, err := r.list(ctx)
	if failed, ok := errors.AsType[*callError](err); ok && failed.class.isGap() {
		if failed.class == missing {
			r.state.Whole = true
			return nil
		}
		r.state.Gaps = append(r.state.Gaps, drift.Gap{All: true, Reason: failed.reason()})
		places = append(places, named)
	} else if err != nil {
		return err
	}
	r.state.Whole = err == nil
	for _, p := range append([]drift.Place{drift.Unqualified}, places...) {
		if _, done := r.state.Policies[p]; done {
			continue
		}
		if err := r.readPlace(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// readPlace reads one place into the state, as a policy or as a gap.
func (r *reader) readPlace(ctx context.Context, p drift.Place) error {
	if p == latest {
		p = drift.Unqualified
	}
	d, err := r.document(ctx, p)
	if failed, ok := errors.AsType[*callError](err); ok && failed.class.isGap() {
		r.state.Gaps = append(r.state.Gaps, drift.Gap{Place: p, Reason: failed.reason()})
		return nil
	}
	if err != nil {
		return fmt.Errorf("policy of %s: %w", p, err)
	}
	if d == (document{}) {
		r.state.Policies[p] = drift.PlacePolicy{}
		return nil
	}
	parsed, err := policy.Parse([]byte(d.text))
	if err != nil {
		r.state.Gaps = append(r.state.Gaps, drift.Gap{Place: p, Reason: "the policy does not parse: " + err.Error()})
		return nil //nolint:nilerr // a gap is how it is told
	}
	r.state.Policies[p] = drift.PlacePolicy{Policy: parsed, Document: d.text, RevisionID: d.revision}
	return nil
}

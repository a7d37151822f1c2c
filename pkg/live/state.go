package live

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/time/rate"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// State reads what a change makes worth reading: the place, URL, mapping or
// roles that it is about, the trust policy, or the whole subject. See the package comment for
// what is in it.
func (l *Lambda) State(ctx context.Context, change drift.Change) (drift.State, error) {
	subject := change.Subject
	kind := subject.Kind()
	if isIdentity(kind) {
		return l.identityState(ctx, change)
	}
	if kind != drift.Function && kind != drift.LayerVersion {
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
	}
	if kind == drift.LayerVersion {
		err = r.readLayer(ctx)
	} else {
		err = r.read(ctx, change)
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

// reader reads one subject once.
type reader struct {
	lambda           *Lambda
	target           *target
	subject          drift.Subject
	policies, others *rate.Limiter // nil: at once
	state            drift.State
}

// read reads what a change of a function is about.
func (r *reader) read(ctx context.Context, change drift.Change) error {
	if whole(change) {
		return r.readWhole(ctx, place(string(change.Place)))
	}
	switch p := place(string(change.Place)); change.Operation {
	case drift.PutMapping, drift.DeleteMapping:
		return r.readMapping(ctx, uuid(change))
	case drift.Configure, drift.UpdateCode:
		return r.readRoles(ctx)
	case drift.PutURL, drift.DeleteURL, drift.RepointPlace:
		if err := r.readPlace(ctx, p); err != nil {
			return err
		}
		return r.readURL(ctx, p)
	default: // what is about the policy at one place
		return r.readPlace(ctx, p)
	}
}

// readWhole lists the places and reads each, and then all URLs and mappings.
// What is known of is read even where the listing failed: a public grant
// should not wait for the next try.
func (r *reader) readWhole(ctx context.Context, named drift.Place) error {
	places, err := r.list(ctx)
	if isMissing(err) {
		r.state.Whole, r.state.Roles = true, nil
		r.state.Listed = []drift.Aspect{drift.Roles, drift.URLs, drift.Mappings}
		return nil
	}
	r.state.Whole = err == nil
	if err != nil {
		if err := r.gap(err, drift.Gap{All: true}); err != nil {
			return err
		}
		places = append(places, named)
	}
	tried := map[drift.Place]bool{}
	for _, p := range append([]drift.Place{drift.Unqualified}, places...) {
		if tried[p] {
			continue
		}
		tried[p] = true
		if err := r.readPlace(ctx, p); err != nil {
			return err
		}
	}
	if err := r.readURLs(ctx); err != nil {
		return err
	}
	return r.readMappings(ctx, shareFor)
}

// readPlace reads the policy at one place into the state, as a policy or as a gap.
func (r *reader) readPlace(ctx context.Context, p drift.Place) error {
	d, err := r.document(ctx, p)
	if err != nil {
		if err := r.gap(err, drift.Gap{Place: p}); err != nil {
			return fmt.Errorf("policy of %s: %w", p, err)
		}
		return nil
	}
	r.put(p, d)
	return nil
}

// put parses a document into the state, as a policy or as a gap.
func (r *reader) put(p drift.Place, d document) {
	if d == (document{}) {
		r.state.Policies[p] = drift.PlacePolicy{}
		return
	}
	parsed, err := policy.Parse([]byte(d.text))
	if err != nil {
		r.state.Gaps = append(r.state.Gaps, drift.Gap{Place: p, Reason: "the policy does not parse: " + err.Error()})
		return
	}
	r.state.Policies[p] = drift.PlacePolicy{Policy: parsed, Document: d.text, RevisionID: d.revision}
}

// gap notes what could not be read, if the service answered: then it is nil.
// Any other error ends the read and is returned.
func (r *reader) gap(err error, g drift.Gap) error {
	failed, ok := errors.AsType[*callError](err)
	if !ok || !failed.class.isGap() {
		return err
	}
	g.Reason = failed.reason()
	r.state.Gaps = append(r.state.Gaps, g)
	return nil
}

// isMissing reports whether an error says that the thing is not there.
func isMissing(err error) bool {
	failed, ok := errors.AsType[*callError](err)
	return ok && failed.class == missing
}

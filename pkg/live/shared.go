package live

import (
	"context"
	"fmt"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// shareFor is how long one listing of an account serves those who want it.
const shareFor = time.Minute

// shared is a listing of an account and region, as it was made last, by subject.
type shared[T any] struct {
	turn chan struct{} // of size 1: who lists, or looks
	at   time.Time     // when the last page came; zero: not listed
	all  map[drift.Subject][]T
}

func newShared[T any]() shared[T] { return shared[T]{turn: make(chan struct{}, 1)} }

// get is the listing if it is younger than age, else a new one. Who comes while
// somebody else lists waits for that listing. One that failed is not kept.
func (s *shared[T]) get(ctx context.Context, operation string, now func() time.Time, age time.Duration, list func() (map[drift.Subject][]T, error)) (map[drift.Subject][]T, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for %s: %w", operation, ctx.Err())
	}
	if !s.at.IsZero() && now().Sub(s.at) < age {
		return s.all, nil
	}
	all, err := list()
	if err != nil {
		return nil, err
	}
	s.all, s.at = all, now()
	return all, nil
}

package ledger

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/permdrift/permdrift/pkg/drift"
)

var errSlowDown = &smithy.GenericAPIError{Code: "ThrottlingException", Message: "slow down"}

func TestRetryWaitsLongerAndLongerAndGivesUp(t *testing.T) {
	var waits []time.Duration
	calls := 0
	err := retry(t.Context(), func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
		func() error { calls++; return errSlowDown })
	if !errors.Is(err, drift.ErrThrottled) || calls != maxAttempts || len(waits) != maxAttempts-1 {
		t.Fatalf("%d calls, %d waits, error %v", calls, len(waits), err)
	}
	for i, w := range waits {
		if limit := min(firstWait<<i, maxWait); w < 0 || w >= limit {
			t.Errorf("wait %d is %s, want less than %s", i+1, w, limit)
		}
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		calls := 0
		err := retry(ctx, sleep, func() error { calls++; return errSlowDown })
		if !errors.Is(err, drift.ErrThrottled) || !errors.Is(err, context.DeadlineExceeded) || calls != 1 {
			t.Errorf("%d calls, error %v", calls, err)
		}
	})
}

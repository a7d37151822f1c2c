package baseline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/smithy-go"
	"github.com/permdrift/permdrift/pkg/drift"
)

// A call that DynamoDB or KMS throttles is made up to maxAttempts times, beyond the
// SDK's own retries of each; the waits between them are random below a limit
// that doubles up to maxWait. That is less than ten seconds of waiting in all.
const (
	maxAttempts = 8
	firstWait   = 100 * time.Millisecond
	maxWait     = 3 * time.Second
)

// sentinels are the error codes of DynamoDB and KMS in the domain's words.
var sentinels = map[string]error{
	"ConditionalCheckFailedException":        drift.ErrConflict,
	"AccessDeniedException":                  drift.ErrDenied,
	"ProvisionedThroughputExceededException": drift.ErrThrottled,
	"ThrottlingException":                    drift.ErrThrottled,
	"RequestLimitExceeded":                   drift.ErrThrottled,
	"TransactionInProgressException":         drift.ErrThrottled,
	"TransactionConflictException":           drift.ErrThrottled,
}

// translate puts the domain's sentinel before an error of DynamoDB or KMS.
func translate(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	if sentinel := sentinels[api.ErrorCode()]; sentinel != nil {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	return err
}

// retry makes a call until it is not throttled, and translates its error.
func retry(ctx context.Context, sleep sleeper, call func() error) error {
	for attempt := 1; ; attempt++ {
		err := translate(call())
		if !errors.Is(err, drift.ErrThrottled) || attempt == maxAttempts {
			return err
		}
		if ended := sleep(ctx, wait(attempt)); ended != nil {
			return fmt.Errorf("%w (%w)", err, ended)
		}
	}
}

// wait is how long to wait after the n-th attempt.
func wait(n int) time.Duration {
	return rand.N(min(firstWait<<(n-1), maxWait))
}

// sleeper waits, or returns the context's error as soon as that ends.
type sleeper func(context.Context, time.Duration) error

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

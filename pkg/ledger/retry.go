package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/permdrift/permdrift/pkg/drift"
)

// A call that DynamoDB throttles is made up to maxAttempts times, beyond the
// SDK's own retries of each; the waits between them are random below a limit
// that doubles up to maxWait. That is less than ten seconds of waiting in all.
const (
	maxAttempts = 8
	firstWait   = 100 * time.Millisecond
	maxWait     = 3 * time.Second
)

// sentinels are DynamoDB's error codes in the domain's words.
var sentinels = map[string]error{
	"ConditionalCheckFailedException":        drift.ErrConflict,
	"AccessDeniedException":                  drift.ErrDenied,
	"ProvisionedThroughputExceededException": drift.ErrThrottled,
	"ThrottlingException":                    drift.ErrThrottled,
	"RequestLimitExceeded":                   drift.ErrThrottled,
	"TransactionInProgressException":         drift.ErrThrottled,
	"TransactionConflictException":           drift.ErrThrottled,
}

// reasons are the codes of the parts of a cancelled transaction.
var reasons = map[string]error{
	"ConditionalCheckFailed":        drift.ErrConflict,
	"AccessDenied":                  drift.ErrDenied,
	"ProvisionedThroughputExceeded": drift.ErrThrottled,
	"ThrottlingError":               drift.ErrThrottled,
	"TransactionConflict":           drift.ErrThrottled,
}

// translate puts the domain's sentinel before an error of DynamoDB.
func translate(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	sentinel := sentinels[api.ErrorCode()]
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		sentinel = verdict(canceled.CancellationReasons)
	}
	if sentinel != nil {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	return err
}

// verdict is why a transaction was cancelled. A failed condition decides it,
// whatever else went wrong; it was throttled only if all that failed was.
func verdict(parts []types.CancellationReason) error {
	var found error
	for i, part := range parts {
		code := aws.ToString(part.Code)
		switch {
		case code == "" || code == "None":
		case failedCondition(parts, i):
			return drift.ErrConflict
		case found == nil || errors.Is(found, drift.ErrThrottled):
			if found = reasons[code]; found == nil {
				found = fmt.Errorf("part %d of the transaction: %s", i, code)
			}
		}
	}
	return found
}

// failedCondition reports whether the condition of the i-th part failed.
func failedCondition(parts []types.CancellationReason, i int) bool {
	return i < len(parts) && errors.Is(reasons[aws.ToString(parts[i].Code)], drift.ErrConflict)
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

package drift

import (
	"errors"
	"fmt"
	"time"
)

// The sentinels of the domain. Adapters translate what their services say into
// these, so that nothing above an adapter knows a service's codes.
var (
	// ErrNotFound: what was asked for is not stored.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a conditional write found another version than the one it was based on.
	ErrConflict = errors.New("changed by somebody else since it was read")
	// ErrTooLarge: an item is larger than the store can hold.
	ErrTooLarge = errors.New("too large to store")
	// ErrThrottled: the service asked to slow down, and kept asking.
	ErrThrottled = errors.New("throttled")
	// ErrForeign: the subject is in an account or region that this deployment does not read.
	ErrForeign = errors.New("in another account or region, which is not read")
	// ErrNotAudited: subjects of this kind cannot be read here.
	ErrNotAudited = errors.New("not audited yet")
	// ErrUnresolved: what hangs on a subject cannot be known.
	ErrUnresolved = errors.New("which roles, users and groups hang on it is not known")
	// ErrDenied: the caller may not do that.
	ErrDenied = errors.New("access denied")
)

// StaleError says that the live state does not show yet what a change claims,
// so that nothing may be concluded, and when to look again.
type StaleError struct {
	Subject Subject
	After   time.Duration
}

// Error names the subject and the wait.
func (e *StaleError) Error() string {
	return fmt.Sprintf("live state of %s does not show the change yet; reading again in %s", e.Subject, e.After)
}

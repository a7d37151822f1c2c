package live

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/permdrift/permdrift/pkg/drift"
)

// ErrNotAudited says that subjects of this kind cannot be read yet, so that
// nothing may be concluded about them.
var ErrNotAudited = drift.ErrNotAudited

// ErrForeign says that a subject lies in an account or region for which there
// is no client.
var ErrForeign = drift.ErrForeign

// class is what an error means for a read.
type class int

const (
	ok               class = iota
	missing                // there is no such thing
	throttled              // asked to slow down
	denied                 // the caller may not do that
	unknownOperation       // the service does not know the call
	faulty                 // the service failed, or answered what cannot be read
	refused                // another answer, about this read alone
	credentials            // nothing at all can be read with these credentials
	unreachable            // no answer
)

// codes are the error codes that say which class an error is of.
var codes = map[string]class{
	"ResourceNotFoundException": missing,
	"NoSuchEntity":              missing,
	"NoSuchEntityException":     missing,

	"TooManyRequestsException":  throttled,
	"Throttling":                throttled,
	"ThrottlingException":       throttled,
	"ThrottledException":        throttled,
	"RequestThrottled":          throttled,
	"RequestThrottledException": throttled,
	"RequestLimitExceeded":      throttled,
	"SlowDown":                  throttled,

	"AccessDenied":          denied,
	"AccessDeniedException": denied,
	"UnauthorizedOperation": denied,

	"InvalidAction":                 unknownOperation,
	"NotImplemented":                unknownOperation,
	"UnknownOperation":              unknownOperation,
	"UnknownOperationException":     unknownOperation,
	"UnsupportedOperation":          unknownOperation,
	"UnsupportedOperationException": unknownOperation,

	"InternalFailure":    faulty,
	"ServiceException":   faulty,
	"ServiceFailure":     faulty,
	"ServiceUnavailable": faulty,

	"ExpiredToken":                        credentials,
	"ExpiredTokenException":               credentials,
	"IncompleteSignature":                 credentials,
	"InvalidClientTokenId":                credentials,
	"InvalidSignatureException":           credentials,
	"MissingAuthenticationToken":          credentials,
	"MissingAuthenticationTokenException": credentials,
	"SignatureDoesNotMatch":               credentials,
	"UnrecognizedClientException":         credentials,
}

// unknownPath are the words with which AWS's front ends refuse, with 403, a
// path that no operation has.
var unknownPath = []string{"Unable to determine service/operation name to be authorized", "Missing Authentication Token"}

// classify says what an error means. Codes decide; where an answer has none,
// its HTTP status does.
func classify(err error) class {
	if err == nil {
		return ok
	}
	if ofAnotherService(err) {
		return credentials
	}
	status := 0
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	answered := errors.As(err, &api)
	if !answered && status == 0 {
		return unreachable
	}
	c := ok
	if answered && status != http.StatusNotImplemented {
		c = codes[api.ErrorCode()]
	}
	if c == ok {
		c = byStatus(status)
	}
	switch {
	case c == denied && isUnknownPath(said(err)):
		return unknownOperation
	case c == ok && answered:
		return refused
	case c == ok:
		return faulty
	}
	return c
}

// ofAnotherService reports whether the call failed inside another one, which
// is how fetching credentials from STS fails.
func ofAnotherService(err error) bool {
	var outer, inner *smithy.OperationError
	return errors.As(err, &outer) && errors.As(outer.Err, &inner)
}

// byStatus is the class of an answer whose code says nothing, ok where its
// status says nothing either.
func byStatus(status int) class {
	switch {
	case status == http.StatusForbidden:
		return denied
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented:
		return unknownOperation
	case status == http.StatusTooManyRequests:
		return throttled
	case status >= http.StatusInternalServerError:
		return faulty
	}
	return ok
}

func isUnknownPath(text string) bool {
	return slices.ContainsFunc(unknownPath, func(words string) bool { return strings.Contains(text, words) })
}

// said is the text of an answer: its message, or its body where it is not JSON.
func said(err error) string {
	if undecoded, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return string(undecoded.Snapshot)
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorMessage()
	}
	return err.Error()
}

// attempts is how often a call is made in all before its error counts.
func (c class) attempts() int {
	switch c {
	case throttled:
		return 5
	case faulty, unreachable:
		return 3
	case denied: // a role that was created just now is refused for a moment
		return 2
	default: // the rest is as below
	}
	return 1
}

// isGap reports whether an error is about one read alone: the service answered.
func (c class) isGap() bool { return c != credentials && c != unreachable }

// domain is the domain's word for the class, if it has one.
func (c class) domain() error {
	switch c {
	case missing:
		return drift.ErrNotFound
	case throttled:
		return drift.ErrThrottled
	case denied, credentials:
		return drift.ErrDenied
	default: // the rest is as below
	}
	return nil
}

// callError is a call that failed for good.
type callError struct {
	operation string
	class     class
	err       error
}

func (e *callError) Error() string { return e.operation + ": " + e.err.Error() }

// Unwrap is the SDK's error and the domain's sentinel.
func (e *callError) Unwrap() []error {
	if sentinel := e.class.domain(); sentinel != nil {
		return []error{sentinel, e.err}
	}
	return []error{e.err}
}

// reason is the error as a Gap tells it: no request id, so that the same
// problem reads the same every time.
func (e *callError) reason() string {
	how := map[class]string{
		missing:          "finds nothing",
		throttled:        "is throttled",
		denied:           "is refused",
		unknownOperation: "is not known to the service",
		faulty:           "fails",
	}[e.class]
	if how == "" {
		how = "is not answered"
	}
	if api, ok := errors.AsType[smithy.APIError](e.err); ok {
		return fmt.Sprintf("%s %s: %s: %s", e.operation, how, api.ErrorCode(), api.ErrorMessage())
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](e.err); ok {
		return fmt.Sprintf("%s %s: HTTP status %d", e.operation, how, response.HTTPStatusCode())
	}
	return fmt.Sprintf("%s %s: %v", e.operation, how, e.err)
}

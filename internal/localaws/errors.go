package localaws

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// apiError is what the service answers instead of a result.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// statuses are the HTTP statuses of the error codes.
var statuses = map[string]int{
	"AccessDeniedException":               http.StatusForbidden,
	"InvalidParameterValueException":      http.StatusBadRequest,
	"MissingAuthenticationTokenException": http.StatusForbidden,
	"PolicyLengthExceededException":       http.StatusBadRequest,
	"PreconditionFailedException":         http.StatusPreconditionFailed,
	"PublicPolicyException":               http.StatusBadRequest,
	"ResourceConflictException":           http.StatusConflict,
	"ResourceNotFoundException":           http.StatusNotFound,
	"ResourceInUseException":              http.StatusBadRequest,
	"ServiceException":                    http.StatusInternalServerError,
	"TooManyRequestsException":            http.StatusTooManyRequests,
	"UnknownOperationException":           http.StatusNotFound,
	"ValidationException":                 http.StatusBadRequest,
}

// fault makes an apiError; an unknown code is a 400.
func fault(code, format string, args ...any) *apiError {
	status := statuses[code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *apiError {
	return fault("ResourceNotFoundException", format, args...)
}

func conflict(format string, args ...any) *apiError {
	return fault("ResourceConflictException", format, args...)
}

func invalid(format string, args ...any) *apiError {
	return fault("InvalidParameterValueException", format, args...)
}

// missing is the answer of all reads of something that is not there.
func missing() *apiError { return notFound("The resource you requested does not exist.") }

// stale is the answer to a RevisionId that is not the latest; api names where
// the latest is to be had.
func stale(api string) *apiError {
	return fault("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve the latest Revision Id", api)
}

func throttled() *apiError { return fault("TooManyRequestsException", "Rate exceeded") }

// constraint is the answer of the request validator.
func constraint(member, value, pattern string) *apiError {
	return fault("ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", value, member, pattern)
}

// body is the error's JSON. AWS spells the message's key differently from one
// shape to the next.
func (e *apiError) body() []byte {
	b := object{"Type": "User"}
	switch e.code {
	case "ResourceNotFoundException", "AccessDeniedException":
		b["Message"] = e.message
	case "ServiceException":
		b["Type"], b["Message"] = "Service", e.message
	case "ValidationException", "UnknownOperationException", "MissingAuthenticationTokenException":
		delete(b, "Type")
		b["message"] = e.message
	case "TooManyRequestsException":
		b["Reason"], b["message"] = "CallerRateLimitExceeded", e.message
	default:
		b["message"] = e.message
	}
	text, err := json.Marshal(b)
	if err != nil { // strings only: cannot fail
		panic(err)
	}
	return text
}

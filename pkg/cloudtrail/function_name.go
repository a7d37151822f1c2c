package cloudtrail

import (
	"fmt"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// function locates the function that a call was about, and the place that it
// named. An ARN from the response wins over the request; where that ARN bears
// no qualifier and the request names one for the same function, it is taken
// from there.
func (r *record) function(arn string) (drift.Subject, drift.Place, error) {
	requested, place, requestErr := r.functionName(r.request.str("functionName"), r.request.str("qualifier"))
	subject, answered, err := functionARN(arn)
	switch {
	case err != nil:
		return requested, place, requestErr
	case answered == drift.Unqualified && requestErr == nil && requested == subject:
		return subject, place, nil
	}
	return subject, answered, nil
}

// functionARN splits the ARN of a function that is fit to be a subject.
func functionARN(arn string) (drift.Subject, drift.Place, error) {
	subject, place, err := drift.ParseFunctionARN(arn)
	if err != nil {
		return "", "", fmt.Errorf("%q is not the ARN of a Lambda function", clip(arn))
	}
	for part := range strings.SplitSeq(arn, ":") {
		if part == "" || clean(part) != part {
			return "", "", fmt.Errorf("%q is not the ARN of a Lambda function", clip(arn))
		}
	}
	return subject, place, nil
}

// functionName resolves a function as callers spell it:
//
//	orders    orders:live    function:orders    111122223333:orders
//	111122223333:function:orders    111122223333:function:orders:live
//	us-east-1:111122223333:function:orders
//	arn:aws:lambda:us-east-1:111122223333:function:orders    the same with :live
//
// The qualifier may come apart. If it comes twice, it must be the same one.
func (r *record) functionName(name, qualifier string) (drift.Subject, drift.Place, error) {
	arn, err := r.fullARN(name)
	if err != nil {
		return "", "", err
	}
	subject, place, err := functionARN(arn)
	if err != nil {
		return "", "", fmt.Errorf("functionName %q: %w", clip(name), err)
	}
	if qualifier == "" || qualifier == "$LATEST" {
		return subject, place, nil
	}
	if clean(qualifier) == "" || place != drift.Unqualified && place != drift.Place(qualifier) {
		return "", "", fmt.Errorf("functionName %q contradicts qualifier %q", clip(name), clip(qualifier))
	}
	return subject, drift.Place(qualifier), nil
}

// fullARN completes a spelling of a function's name to its ARN.
func (r *record) fullARN(name string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("functionName is missing")
	}
	if strings.HasPrefix(name, "arn:") {
		return name, nil
	}
	region, account, rest := r.event.Region, r.event.Account, strings.Split(name, ":")
	marker := -1
	for i := 0; i < len(rest)-1 && i < 3 && marker < 0; i++ {
		if rest[i] == "function" {
			marker = i
		}
	}
	switch {
	case marker == 2:
		region, account, rest = rest[0], rest[1], rest[3:]
	case marker == 1:
		account, rest = rest[0], rest[2:]
	case marker == 0:
		rest = rest[1:]
	case len(rest) > 1 && isAccountID(rest[0]):
		account, rest = rest[0], rest[1:]
	}
	if account == "" || region == "" {
		return "", fmt.Errorf("functionName %q: the record names no account or no region", clip(name))
	}
	return "arn:" + r.partition + ":lambda:" + region + ":" + account + ":function:" + strings.Join(rest, ":"), nil
}

// isAccountID reports whether a text is twelve digits.
func isAccountID(text string) bool { return len(text) == 12 && allDigits(text) }

func allDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

package policy

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// compareString is StringEquals: the same text, wildcards taken as they are.
func compareString(e *evaluation, want, got string) ternary {
	w, ok := e.expand(want)
	if ok != holds || !e.spend(len(w.text)) {
		return min(ok, unsure)
	}
	return truth(w.text == got)
}

// compareFolded is StringEqualsIgnoreCase. Letters that are equal only by the
// special cases of Unicode are unsure.
func compareFolded(e *evaluation, want, got string) ternary {
	w, ok := e.expand(want)
	if ok != holds || !e.spend(len(w.text)+len(got)) {
		return min(ok, unsure)
	}
	a, b := strings.ToLower(w.text), strings.ToLower(got)
	switch {
	case a == b:
		return holds
	case strings.EqualFold(w.text, got):
		return e.unsure("the texts differ in letters whose case AWS may not fold")
	}
	return fails
}

// compareLike is StringLike: * crosses anything.
func compareLike(e *evaluation, want, got string) ternary {
	w, ok := e.expand(want)
	if ok != holds {
		return ok
	}
	return e.glob(w, got)
}

// compareARN is ArnLike, and ArnEquals. A value of the request that is not an
// ARN matches "*"; of other patterns nothing is documented.
func compareARN(e *evaluation, want, got string) ternary {
	w, ok := e.expand(want)
	if ok != holds {
		return ok
	}
	if isARN := strings.HasPrefix(got, "arn:") && strings.Count(got, ":") >= arnColons; !isARN && (w.text != "*" || w.next('*') < 0) {
		return e.unsure("the request's value " + quote(got) + " is not an ARN")
	}
	return e.matchARN(w, got)
}

// compareNumber compares decimal numbers of any length, exactly. Orders are the
// signs of got compared with want that match.
func compareNumber(orders ...int) func(e *evaluation, want, got string) ternary {
	return func(e *evaluation, want, got string) ternary {
		if !e.spend(len(want) + len(got)) {
			return unsure
		}
		a, okA := parseDecimal(got)
		b, okB := parseDecimal(want)
		if !okA || !okB {
			return e.unsure(illTyped(!okA, want, got) + " is not a decimal number")
		}
		return truth(slices.Contains(orders, a.compare(b)))
	}
}

// decimal is a number of any length.
type decimal struct {
	sign            int
	whole, fraction string // digits, without leading and trailing zeros
}

// parseDecimal reads digits with an optional sign and point. AWS takes "an
// integer or decimal value": exponents and numbers like ".5" are not documented.
func parseDecimal(text string) (decimal, bool) {
	d := decimal{sign: 1}
	digits := strings.TrimPrefix(text, "-")
	if digits != text {
		d.sign = -1
	} else {
		digits = strings.TrimPrefix(text, "+")
	}
	whole, fraction, point := strings.Cut(digits, ".")
	if !isDigits(whole) || point && !isDigits(fraction) {
		return d, false
	}
	d.whole, d.fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if d.whole == "" && d.fraction == "" {
		d.sign = 0
	}
	return d, true
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// compare is the sign of d minus x.
func (d decimal) compare(x decimal) int {
	if d.sign != x.sign || d.sign == 0 {
		return cmp.Compare(d.sign, x.sign)
	}
	return d.sign * cmp.Or(
		cmp.Compare(len(d.whole), len(x.whole)),
		cmp.Compare(d.whole, x.whole),
		cmp.Compare(d.fraction, x.fraction))
}

// compareDate compares points in time; orders as in compareNumber.
func compareDate(orders ...int) func(e *evaluation, want, got string) ternary {
	return func(e *evaluation, want, got string) ternary {
		if !e.spend(len(want) + len(got)) {
			return unsure
		}
		a, okA := parseDate(got)
		b, okB := parseDate(want)
		if !okA || !okB {
			return e.unsure(illTyped(!okA, want, got) + " is not a date as AWS documents it")
		}
		return truth(slices.Contains(orders, a.Compare(b)))
	}
}

// date is the profile of ISO 8601 that AWS refers to (www.w3.org/TR/NOTE-datetime)
// but for the year alone, which could be seconds as well; a date without time
// is its first instant in UTC.
var date = regexp.MustCompile(`^\d{4}-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?)?$`)

// epoch is seconds since 1970: up to 11 digits, since a longer number could be
// milliseconds, which AWS does not document, and not 4, which could be a year.
var epoch = regexp.MustCompile(`^(\d{1,3}|\d{5,11})$`)

// parseDate reads a date. What may mean two things is none.
func parseDate(text string) (time.Time, bool) {
	if len(text) > len("2006-01-02T15:04:05.999999999+07:00") {
		return time.Time{}, false
	}
	if epoch.MatchString(text) {
		var seconds int64
		for _, c := range []byte(text) {
			seconds = seconds*10 + int64(c-'0')
		}
		return time.Unix(seconds, 0), true
	}
	if !date.MatchString(text) {
		return time.Time{}, false
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// compareBool compares true and false, in any case.
func compareBool(e *evaluation, want, got string) ternary {
	if !e.spend(len(want) + len(got)) {
		return unsure
	}
	isBool := func(text string) bool { return strings.EqualFold(text, "true") || strings.EqualFold(text, "false") }
	if !isBool(want) || !isBool(got) {
		return e.unsure(illTyped(!isBool(got), want, got) + " is neither true nor false")
	}
	return truth(strings.EqualFold(want, got))
}

// compareBinary compares bytes; both texts are base64.
func compareBinary(e *evaluation, want, got string) ternary {
	if !e.spend(len(want) + len(got)) {
		return unsure
	}
	a, errA := base64.StdEncoding.Strict().DecodeString(got)
	b, errB := base64.StdEncoding.Strict().DecodeString(want)
	if errA != nil || errB != nil {
		return e.unsure(illTyped(errA != nil, want, got) + " is not base64")
	}
	return truth(bytes.Equal(a, b))
}

// compareAddress reports whether an address is in a range; one without prefix
// is one address, and bits behind the prefix do not count. An IPv4 address that
// is written as IPv6 (::ffff:10.0.0.1) is unsure where the two readings differ.
func compareAddress(e *evaluation, want, got string) ternary {
	if !e.spend(len(want) + len(got)) {
		return unsure
	}
	address, err := netip.ParseAddr(got)
	if err != nil || address.Zone() != "" {
		return e.unsure("the request's value " + quote(got) + " is not an IP address")
	}
	prefix, ok := parsePrefix(want)
	if !ok {
		return e.unsure("the policy's value " + quote(want) + " is not an IP address or range")
	}
	asWritten := prefix.Contains(address)
	if asWritten != unmap(prefix).Contains(address.Unmap()) {
		return e.unsure("an IPv4 address is written as IPv6")
	}
	return truth(asWritten)
}

func parsePrefix(text string) (netip.Prefix, bool) {
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		return prefix, err == nil
	}
	address, err := netip.ParseAddr(text)
	return netip.PrefixFrom(address, address.BitLen()), err == nil && address.Zone() == ""
}

// unmap is the IPv4 range that a range of mapped addresses stands for.
func unmap(prefix netip.Prefix) netip.Prefix {
	const mapped = 96
	if prefix.Addr().Is4In6() && prefix.Bits() >= mapped {
		return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	return prefix
}

// illTyped names the value that is not of the operator's type.
func illTyped(request bool, want, got string) string {
	if request {
		return "the request's value " + quote(got)
	}
	return "the policy's value " + quote(want)
}

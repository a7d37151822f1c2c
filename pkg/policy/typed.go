package policy

import (
	"cmp"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is one representative of a class.
type value struct {
	absent  bool
	text    string
	runes   []rune
	generic bool // stands for texts of its class that are no literal of the policies
	typed   typedValue
	caller  *callerClass
	yes     bool // of free questions and elements
	size4   float64
	size6   float64 // addresses in the class
}

// typedValue is a number, an instant or an address range.
type typedValue struct {
	number  *big.Rat
	address netip.Addr
	prefix  netip.Prefix
	junk    bool // a value of a request that is no number
}

// comparison is how a typed value is compared with a listed one.
type comparison uint8

const (
	equal comparison = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

var comparisons = map[string]comparison{
	"NumericLessThan": less, "NumericLessThanEquals": lessOrEqual, "NumericGreaterThan": greater, "NumericGreaterThanEquals": greaterOrEqual,
	"DateLessThan": less, "DateLessThanEquals": lessOrEqual, "DateGreaterThan": greater, "DateGreaterThanEquals": greaterOrEqual,
}

func (c comparison) holds(v, listed typedValue) bool {
	if v.junk {
		return false
	}
	if listed.number == nil {
		return v.address.IsValid() && listed.prefix.Contains(v.address)
	}
	order := v.number.Cmp(listed.number)
	switch c {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	default:
		return order == 0
	}
}

// readTyped reads a listed value of a condition.
func readTyped(text string, kind valueKind) (typedValue, bool) {
	switch kind {
	case numberValues:
		n, ok := readNumber(text)
		return typedValue{number: n}, ok
	case dateValues:
		n, ok := readDate(text)
		return typedValue{number: n}, ok
	case addressValues:
		p, ok := readAddress(text)
		return typedValue{prefix: p}, ok
	default:
		return typedValue{}, false
	}
}

// readNumber reads a decimal number; one with a huge exponent is none.
func readNumber(text string) (*big.Rat, bool) {
	const longest = 40 // longer ones are no numbers that anybody compares
	if len(text) == 0 || len(text) > longest || strings.ContainsAny(text, "/_xXpPbBoOiInN") {
		return nil, false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(text[i+1:]); err != nil || exponent > 300 || exponent < -300 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

// dateLayouts are the W3C profile of ISO 8601 that IAM documents for dates.
var dateLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"}

// readDate reads a date as seconds since 1970. Four digits are a year; other
// plain numbers are such seconds.
func readDate(text string) (*big.Rat, bool) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			seconds := new(big.Rat).SetInt64(t.Unix())
			return seconds.Add(seconds, big.NewRat(int64(t.Nanosecond()), int64(time.Second))), true
		}
	}
	return readNumber(text)
}

func readAddress(text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil && !p.Addr().Is4In6()
}

// numberExamples are the values that numbers or instants are compared with,
// and one in each gap between and beside them.
func numberExamples(clauses []*clause, kind valueKind, key string) []value {
	var cuts []*big.Rat
	for _, c := range clauses {
		for _, t := range c.typed {
			cuts = append(cuts, t.number)
		}
	}
	slices.SortFunc(cuts, func(a, b *big.Rat) int { return a.Cmp(b) })
	cuts = slices.CompactFunc(cuts, func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })
	var values []value
	if key == epochTime {
		kind = numberValues
	}
	add := func(n *big.Rat) {
		values = append(values, value{text: spellNumber(n, kind), typed: typedValue{number: n}})
	}
	one := big.NewRat(1, 1)
	for i, n := range cuts {
		if i == 0 {
			add(new(big.Rat).Sub(n, one))
		}
		add(n)
		next := new(big.Rat).Add(n, one)
		if i+1 < len(cuts) && next.Cmp(cuts[i+1]) >= 0 {
			next.Add(n, cuts[i+1])
			next.Mul(next, big.NewRat(1, 2))
		}
		add(next)
	}
	if len(cuts) == 0 {
		add(new(big.Rat))
	}
	if strings.Contains(key, "/") { // a tag may hold anything
		values = append(values, value{text: "x", typed: typedValue{junk: true}})
	}
	return values
}

func spellNumber(n *big.Rat, kind valueKind) string {
	if kind == dateValues && n.IsInt() && n.Num().IsInt64() {
		if t := time.Unix(n.Num().Int64(), 0).UTC(); t.Year() > 0 && t.Year() <= 9999 {
			return t.Format(time.RFC3339)
		}
	}
	if n.IsInt() {
		return n.Num().String()
	}
	text := strings.TrimRight(n.FloatString(400), "0")
	return strings.TrimSuffix(text, ".")
}

// addressExamples is one address of each stretch that the prefixes cut the
// IPv4 and IPv6 addresses into, with the stretch's size.
func addressExamples(clauses []*clause) []value {
	starts := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	for _, c := range clauses {
		for _, t := range c.typed {
			starts = append(starts, t.prefix.Addr())
			if next := lastOf(t.prefix).Next(); next.IsValid() {
				starts = append(starts, next)
			}
		}
	}
	slices.SortFunc(starts, netip.Addr.Compare)
	starts = slices.Compact(starts)
	values := make([]value, 0, len(starts))
	for i, a := range starts {
		v := value{text: a.String(), typed: typedValue{address: a}}
		end := sizeOfSpace(a)
		if i+1 < len(starts) && starts[i+1].BitLen() == a.BitLen() {
			end = number(starts[i+1])
		}
		if a.Is4() {
			v.size4 = end - number(a)
		} else {
			v.size6 = end - number(a)
		}
		values = append(values, v)
	}
	// The nicest first: an address that somebody can have.
	slices.SortStableFunc(values, func(a, b value) int {
		return cmp.Compare(unspecified(a), unspecified(b))
	})
	return values
}

func unspecified(v value) int {
	if v.typed.address.IsUnspecified() {
		return 1
	}
	return 0
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func number(a netip.Addr) float64 {
	n := 0.0
	for _, b := range a.AsSlice() {
		n = n*256 + float64(b)
	}
	return n
}

func sizeOfSpace(a netip.Addr) float64 {
	if a.Is4() {
		return 1 << 32
	}
	return 1 << 64 * (1 << 64)
}

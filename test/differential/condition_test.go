package differential

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator taken apart.
type operator struct {
	set      string // "foranyvalue", "forallvalues" or ""
	base     string // lower-case, without Not
	negated  bool
	ifExists bool
	family   family
}

var families = map[string]family{
	"stringequals": textual, "stringequalsignorecase": textual, "stringlike": textual, "binaryequals": textual,
	"arnequals": arns, "arnlike": arns,
	"numericequals": numbers, "numericlessthan": numbers, "numericlessthanequals": numbers,
	"numericgreaterthan": numbers, "numericgreaterthanequals": numbers,
	"dateequals": dates, "datelessthan": dates, "datelessthanequals": dates,
	"dategreaterthan": dates, "dategreaterthanequals": dates,
	"bool": booleans, "ipaddress": addresses, "null": textual,
}

func readOperator(text string) (operator, error) {
	var o operator
	rest := strings.ToLower(text)
	if set, after, found := strings.Cut(rest, ":"); found {
		o.set, rest = set, after
	}
	rest, o.ifExists = strings.CutSuffix(rest, "ifexists")
	if strings.Contains(rest, "not") {
		o.negated, rest = true, strings.Replace(rest, "not", "", 1)
	}
	f, known := families[rest]
	o.base, o.family = rest, f
	if !known || o.set != "" && o.set != "foranyvalue" && o.set != "forallvalues" || rest == "null" && (o.set != "" || o.ifExists || o.negated) {
		return o, fmt.Errorf("the operator %s", text)
	}
	return o, nil
}

// condition says that the request fulfils the condition.
func (w *world) condition(c condition, variables bool) (string, error) {
	o, err := readOperator(c.operator)
	if err != nil {
		return "", err
	}
	k := w.keys[strings.ToLower(c.key)]
	if o.base == "null" {
		return null(k, c.values)
	}
	if k.multi && o.set == "" {
		return "", fmt.Errorf("%s without a set operator on the set %s", c.operator, c.key)
	}
	var every, some []string
	for _, e := range k.elements {
		t, err := w.holds(o, e, c.values, variables)
		if err != nil {
			return "", err
		}
		every, some = append(every, implies(e.active, t)), append(some, and(e.active, t))
	}
	missing := o.ifExists || o.set == "forallvalues" || o.set == "" && o.negated
	present := or(some...)
	if o.set == "forallvalues" {
		present = and(every...)
	}
	if missing {
		return or(k.missing, present), nil
	}
	return and(not(k.missing), present), nil
}

func null(k *key, values []string) (string, error) {
	var terms []string
	for _, v := range values {
		switch strings.ToLower(v) {
		case "true":
			terms = append(terms, k.missing)
		case "false":
			terms = append(terms, not(k.missing))
		default:
			return "", fmt.Errorf("the value %q of Null", v)
		}
	}
	return or(terms...), nil
}

// holds says that one value of the request fulfils the operator.
func (w *world) holds(o operator, e element, values []string, variables bool) (string, error) {
	var terms []string
	for _, v := range values {
		t, err := w.match(o, e, v, variables)
		if err != nil {
			return "", err
		}
		terms = append(terms, t)
	}
	if o.negated {
		return not(or(terms...)), nil
	}
	return or(terms...), nil
}

func (w *world) match(o operator, e element, value string, variables bool) (string, error) {
	switch o.base {
	case "stringequals":
		return w.glob(tokens(value, false, variables), e.value, everyStar)
	case "stringlike":
		list := tokens(value, true, variables)
		if free(list) {
			return "true", nil
		}
		return w.glob(list, e.value, everyStar)
	case "stringequalsignorecase":
		list := tokens(value, false, variables)
		if hasVariable(list) {
			return "", errShape
		}
		return inRe(e.value, reFold(strings.Join(texts(list), ""))...), nil
	case "binaryequals":
		if _, err := base64.StdEncoding.DecodeString(value); err != nil {
			return "", err
		}
		return equal(e.value, quote(value)), nil
	case "arnequals", "arnlike":
		return w.globARN(tokens(value, true, variables), e.arn)
	case "bool":
		value = strings.ToLower(value)
		if value != "true" && value != "false" {
			return "", fmt.Errorf("the value %q of Bool", value)
		}
		return equal(e.value, quote(value)), nil
	case "ipaddress":
		return matchAddress(e, value)
	}
	point, err := pointOf(o.family, value)
	if err != nil {
		return "", err
	}
	return "(" + relation(o.base) + " " + e.value + " " + rational(point) + ")", nil
}

func texts(list []token) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.text)
	}
	return out
}

func relation(base string) string {
	switch rest := strings.TrimPrefix(strings.TrimPrefix(base, "numeric"), "date"); rest {
	case "lessthan":
		return "<"
	case "lessthanequals":
		return "<="
	case "greaterthan":
		return ">"
	case "greaterthanequals":
		return ">="
	}
	return "="
}

// pointOf reads a number, or a moment as seconds since 1970.
func pointOf(f family, text string) (*big.Rat, error) {
	if f == dates {
		return readDate(text)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || strings.ContainsRune(text, '/') {
		return nil, fmt.Errorf("the number %q", text)
	}
	return r, nil
}

var epoch = regexp.MustCompile(`^-?[0-9]{5,}$`) // four digits would be a year

func readDate(text string) (*big.Rat, error) {
	if epoch.MatchString(text) {
		n, err := strconv.ParseInt(text, 10, 64)
		return new(big.Rat).SetInt64(n), err
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			whole := new(big.Rat).SetInt64(t.Unix())
			return whole.Add(whole, big.NewRat(int64(t.Nanosecond()), 1_000_000_000)), nil
		}
	}
	return nil, fmt.Errorf("the date %q", text)
}

// rational is a number as a term.
func rational(r *big.Rat) string {
	abs := new(big.Rat).Abs(r)
	t := abs.Num().String() + ".0"
	if !abs.IsInt() {
		t = "(/ " + t + " " + abs.Denom().String() + ".0)"
	}
	if r.Sign() < 0 {
		return "(- " + t + ")"
	}
	return t
}

// An address is its number, a prefix an interval of numbers.

func power(bits uint) string { return new(big.Int).Lsh(big.NewInt(1), bits).String() }

var (
	mappedLow  = numberOf(netip.MustParseAddr("::ffff:0:0")).String()
	mappedHigh = numberOf(netip.MustParseAddr("::ffff:ffff:ffff")).String()
)

func numberOf(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }

func matchAddress(e element, text string) (string, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return "", err
		}
		text = netip.PrefixFrom(a, a.BitLen()).String()
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return "", err
	}
	low := numberOf(p.Masked().Addr())
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	side := e.v6
	if p.Addr().Is4() {
		side = not(e.v6)
	}
	return and(side, "(<= "+low.String()+" "+e.value+")", "(< "+e.value+" "+new(big.Int).Add(low, size).String()+")"), nil
}

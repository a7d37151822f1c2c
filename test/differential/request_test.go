package differential

import (
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// request is the solver's request as pkg/policy has requests. exact is false
// if a number of the model has no finite decimal form.
func (w *world) request(m model) (r policy.Request, exact bool) {
	r, exact = policy.Request{Context: map[string][]string{}}, true
	r.Action = m[w.service] + ":" + m[w.name]
	if w.kind != identityPolicy {
		r.Principal = w.caller.in(m)
	}
	if w.kind != trustPolicy {
		r.Resource = w.resource.in(m)
	}
	for _, name := range slices.Sorted(maps.Keys(w.keys)) {
		k := w.keys[name]
		if m[k.missing] == "true" {
			continue
		}
		values := []string{}
		for _, e := range k.elements {
			if e.active != "true" && m[e.active] != "true" {
				continue
			}
			text, ok := e.in(k.family, m)
			values, exact = append(values, text), exact && ok
		}
		r.Context[name] = values
	}
	return r, exact
}

func (c caller) in(m model) policy.Caller {
	kinds := map[string]policy.CallerKind{"0": policy.Anonymous, "2": policy.ServiceCaller, "3": policy.Federated, "4": policy.Canonical}
	if k, ok := kinds[m[c.kind]]; ok {
		if k == policy.Anonymous {
			return policy.Caller{Kind: k}
		}
		return policy.Caller{Kind: k, ID: m[c.id]}
	}
	id := "arn:aws:iam::" + m[c.account] + ":" + m[c.is]
	if s := m[c.session]; s != "" {
		id = "arn:aws:sts::" + m[c.account] + ":assumed-role/" + strings.TrimPrefix(m[c.is], "role/") + "/" + s
	}
	return policy.Caller{Kind: policy.AWSPrincipal, ID: id}
}

func (a arn) in(m model) string {
	if a.one != "" {
		return m[a.one]
	}
	parts := []string{"arn"}
	for _, s := range a.segments[1:] {
		parts = append(parts, m[s])
	}
	return strings.Join(parts, ":")
}

func (e element) in(f family, m model) (text string, exact bool) {
	switch f {
	case arns:
		return e.arn.in(m), true
	case numbers, dates:
		r, ok := new(big.Rat).SetString(m[e.value])
		if !ok {
			return "", false
		}
		digits, exact := r.FloatPrec()
		if f == numbers {
			return r.FloatString(digits), exact
		}
		return dateText(r), exact && digits <= 9
	case addresses:
		n, ok := new(big.Int).SetString(m[e.value], 10)
		size := 4
		if m[e.v6] == "true" {
			size = 16
		}
		if !ok || n.BitLen() > size*8 {
			return "", false
		}
		a, _ := netip.AddrFromSlice(n.FillBytes(make([]byte, size)))
		return a.String(), true
	default:
		return m[e.value], true
	}
}

// dateText is a moment in ISO 8601; its fraction may be cut.
func dateText(r *big.Rat) string {
	nano := new(big.Rat).Mul(r, big.NewRat(1_000_000_000, 1))
	n := new(big.Int).Div(nano.Num(), nano.Denom())
	seconds, rest := new(big.Int).DivMod(n, big.NewInt(1_000_000_000), new(big.Int))
	return time.Unix(seconds.Int64(), rest.Int64()).UTC().Format(time.RFC3339Nano)
}

// facts are the terms that pin the request to r. The error says what is not a
// value that a request can have.
func (w *world) facts(r policy.Request) ([]string, error) {
	if !actionName.MatchString(r.Action) {
		return nil, fmt.Errorf("%q is no action", r.Action)
	}
	service, name, _ := strings.Cut(strings.ToLower(r.Action), ":")
	terms := []string{equal(w.service, quote(service)), equal(w.name, quote(name))}
	if w.kind != identityPolicy {
		t, err := w.caller.facts(r.Principal)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t...)
	}
	if w.kind != trustPolicy {
		t, err := w.resource.facts(r.Resource)
		if err != nil {
			return nil, fmt.Errorf("the resource: %w", err)
		}
		terms = append(terms, t...)
	}
	given := map[string][]string{}
	for key, values := range r.Context {
		given[strings.ToLower(key)] = values
	}
	for _, name := range sortedKeys(w.keys) {
		values, present := given[name]
		t, err := w.keys[name].facts(values, present)
		if err != nil {
			return nil, fmt.Errorf("the key %s: %w", name, err)
		}
		terms = append(terms, t...)
	}
	return terms, nil
}

var actionName = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9-]+$`)

func (c caller) facts(who policy.Caller) ([]string, error) {
	kinds := map[policy.CallerKind]int{policy.Anonymous: anonymous, policy.ServiceCaller: serviceCaller, policy.Federated: federated, policy.Canonical: canonical}
	if k, ok := kinds[who.Kind]; ok {
		if k == anonymous {
			return []string{c.of(k)}, nil
		}
		return []string{c.of(k), equal(c.id, quote(who.ID))}, nil
	}
	var account, is, session string
	if m := sessionARN.FindStringSubmatch(who.ID); m != nil {
		account, is, session = m[1], "role/"+m[2], m[3]
	} else if m := entityARN.FindStringSubmatch(who.ID); m != nil {
		account, is = m[1], m[2]
	} else if m := rootARN.FindStringSubmatch(who.ID); m != nil {
		account, is = m[1], "root"
	} else {
		return nil, fmt.Errorf("the caller %q", who)
	}
	return []string{c.of(awsPrincipal), equal(c.account, quote(account)), equal(c.is, quote(is)), equal(c.session, quote(session))}, nil
}

func (a arn) facts(text string) ([]string, error) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return nil, fmt.Errorf("%q is no ARN", text)
	}
	if a.one != "" {
		return []string{equal(a.one, quote(text))}, nil
	}
	var terms []string
	for i := 1; i < 6; i++ {
		terms = append(terms, equal(a.segments[i], quote(parts[i])))
	}
	return terms, nil
}

func (k *key) facts(values []string, present bool) ([]string, error) {
	switch {
	case !present && k.derived: // the solver derives it, as Evaluate does
		return nil, nil
	case !present:
		return []string{k.missing}, nil
	}
	values = distinct(values)
	if !k.multi && len(values) != 1 {
		return nil, fmt.Errorf("%d values of a key that has one", len(values))
	}
	if len(values) > len(k.elements) {
		return nil, fmt.Errorf("%d values, more than are encoded", len(values))
	}
	terms := []string{not(k.missing)}
	for i, e := range k.elements {
		if i >= len(values) {
			terms = append(terms, not(e.active))
			continue
		}
		t, err := e.facts(k.family, values[i])
		if err != nil {
			return nil, err
		}
		terms = append(append(terms, e.active), t...)
	}
	return terms, nil
}

func distinct(values []string) []string {
	var out []string
	for _, v := range values {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func (e element) facts(f family, text string) ([]string, error) {
	switch f {
	case arns:
		return e.arn.facts(text)
	case booleans: // Bool does not mind the case
		return []string{equal(e.value, quote(strings.ToLower(text)))}, nil
	case numbers, dates:
		r, err := pointOf(f, text)
		if err != nil {
			return nil, err
		}
		return []string{equal(e.value, rational(r))}, nil
	case addresses:
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		side := e.v6
		if a.Is4() {
			side = not(side)
		}
		return []string{side, equal(e.value, numberOf(a).String())}, nil
	default:
		return []string{equal(e.value, quote(text))}, nil
	}
}

package differential

import (
	"fmt"
	"regexp"
	"strings"
)

// caller is who makes the request: exactly one of the kinds. An AWS principal
// is an account, what it is there ("root", "role/r", "user/u") and, for a role,
// a session or none.
type caller struct {
	kind, id             string
	account, is, session string
}

// The kinds of callers, as the solver's variable has them.
const (
	anonymous = iota
	awsPrincipal
	serviceCaller
	federated
	canonical
)

func (c caller) of(kind int) string { return equal(c.kind, fmt.Sprint(kind)) }

func (w *world) declareCaller() {
	c := &w.caller
	c.kind, c.id = w.declare("Int", "caller_kind"), w.declare("String", "caller_id")
	c.account, c.is, c.session = w.declare("String", "caller_account"), w.declare("String", "caller_is"), w.declare("String", "caller_session")
	digit, word := `(re.range "0" "9")`, `(re.+ (re.union (re.range "a" "z") (re.range "A" "Z") (re.range "0" "9") (str.to_re "-")))`
	w.require("(<= 0 "+c.kind+" 4)", inRe(c.account, "((_ re.^ 12) "+digit+")"),
		inRe(c.is, `(re.union (str.to_re "root") (re.++ (re.union (str.to_re "role/") (str.to_re "user/")) `+word+`))`),
		or(equal(c.session, `""`), and(`(str.prefixof "role/" `+c.is+")", inRe(c.session, word))),
		or(c.of(anonymous), c.of(awsPrincipal), inRe(c.id, "(re.+ (re.union "+word+` (str.to_re ".") (str.to_re ":") (str.to_re "/")))`)))
}

// principalARN is what aws:PrincipalArn holds: the role, not its session.
func (c caller) principalARN() string {
	return concat(`"arn:aws:iam::"`, c.account, `":"`, c.is)
}

// link ties the keys that AWS derives from the caller to the caller, as
// policy.Evaluate documents it: they are there for the kinds of callers that
// have them, and say the truth. Nothing else is tied: aws:SourceAccount may
// differ from the account in aws:SourceArn.
func (w *world) link() {
	if w.kind == identityPolicy {
		return
	}
	c := w.caller
	aws, service := c.of(awsPrincipal), c.of(serviceCaller)
	user := and(aws, `(str.prefixof "user/" `+c.is+")")
	ties := map[string]struct {
		present string
		value   func(e element) string
	}{
		"aws:principalarn":          {aws, func(e element) string { return equal(e.value, c.principalARN()) }},
		"aws:principalaccount":      {aws, func(e element) string { return equal(e.value, c.account) }},
		"aws:username":              {user, func(e element) string { return equal(concat(`"user/"`, e.value), c.is) }},
		"aws:principalservicename":  {service, func(e element) string { return equal(e.value, c.id) }},
		"aws:principalisawsservice": {or(aws, service), func(e element) string { return equal(service, equal(e.value, `"true"`)) }},
	}
	for _, name := range sortedKeys(ties) {
		if k := w.keys[name]; k != nil {
			tie := ties[name]
			k.derived = true
			w.require(equal(not(k.missing), tie.present), or(k.missing, tie.value(k.elements[0])))
		}
	}
	for _, name := range []string{"aws:principalorgid", "aws:principalorgpaths"} { // only these callers can be in an organization
		if k := w.keys[name]; k != nil {
			w.assumed = append(w.assumed, or(k.missing, aws))
		}
	}
}

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	rootARN    = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):root$`)
	entityARN  = regexp.MustCompile(`^arn:aws:iam::([0-9]{12}):((?:role|user)/[^/*?]+)$`)
	sessionARN = regexp.MustCompile(`^arn:aws:sts::([0-9]{12}):assumed-role/([^/*?]+)/([^/*?]+)$`)
	uniqueID   = regexp.MustCompile(`^A(RO|ID)A[A-Z0-9]+$`)
)

// principals says that the caller is one of those named.
func (w *world) principals(typed map[string][]string) (string, error) {
	var terms []string
	for _, kind := range sortedKeys(typed) {
		for _, name := range typed[kind] {
			t, err := w.principal(kind, name)
			if err != nil {
				return "", err
			}
			terms = append(terms, t)
		}
	}
	return or(terms...), nil
}

func (w *world) principal(kind, name string) (string, error) {
	c := w.caller
	kinds := map[string]int{"Service": serviceCaller, "Federated": federated, "CanonicalUser": canonical}
	if k, ok := kinds[kind]; ok {
		if strings.ContainsAny(name, "*?") {
			return "", fmt.Errorf("a wildcard in the principal %s %s", kind, name)
		}
		return and(c.of(k), equal(c.id, quote(name))), nil
	}
	if kind != "AWS" {
		return "", fmt.Errorf("the type of principal %s", kind)
	}
	if name == "*" {
		return "true", nil
	}
	if accountID.MatchString(name) {
		return and(c.of(awsPrincipal), equal(c.account, quote(name))), nil
	}
	if m := rootARN.FindStringSubmatch(name); m != nil {
		return w.principal(kind, m[1])
	}
	if m := entityARN.FindStringSubmatch(name); m != nil {
		return and(c.of(awsPrincipal), equal(c.account, quote(m[1])), equal(c.is, quote(m[2]))), nil
	}
	if m := sessionARN.FindStringSubmatch(name); m != nil {
		return and(c.of(awsPrincipal), equal(c.account, quote(m[1])), equal(c.is, quote("role/"+m[2])), equal(c.session, quote(m[3]))), nil
	}
	if uniqueID.MatchString(name) || strings.ContainsAny(name, "*?") {
		return "false", nil // deleted, or literal text that no principal has
	}
	return "", fmt.Errorf("the principal %s %q", kind, name)
}

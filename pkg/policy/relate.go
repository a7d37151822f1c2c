package policy

import (
	"slices"
	"strings"
)

// signedKeys are what describes the AWS principal that signed a request;
// anonymous callers, services and the tokens of identity providers have none.
// Source: IAM User Guide, "AWS global condition context keys", Availability.
var signedKeys = map[string]bool{
	"aws:principalarn": true, "aws:principalorgid": true, "aws:principalorgpaths": true, "aws:principalaccount": true,
	"aws:username": true, "aws:principalisawsservice": true, "aws:principalservicename": true,
}

// mostTied is the most accounts and roles for which Principal is tied to the
// keys that describe it; beyond it they count as independent, which may report
// too much.
const mostTied = 24

// tieCallers adds what the names in Principal need of aws:PrincipalArn and
// aws:PrincipalAccount: patterns that tell the accounts and roles apart.
func (s *space) tieCallers() {
	if s.whoAt < 0 {
		return
	}
	arn, hasARN := s.index[dimensionKey{name: "aws:principalarn", kind: textValues}]
	account, hasAccount := s.index[dimensionKey{name: "aws:principalaccount", kind: textValues}]
	for name := range signedKeys {
		s.everyCaller = s.everyCaller || s.names(name)
	}
	for _, d := range s.dimensions {
		s.everyCaller = s.everyCaller || d.free.loose != nil && d.free.wantsSigned()
	}
	if !hasARN && !hasAccount {
		return
	}
	accounts, roles := s.namedAWS()
	if len(accounts)+len(roles) > mostTied {
		return
	}
	for _, a := range accounts {
		partition, id, _ := strings.Cut(a, ":")
		if hasARN {
			s.tell(arn, "arn:"+partition+":*:*:"+id+":*", arnPattern)
		}
		if hasAccount {
			s.tell(account, id, plainPattern)
		}
	}
	if hasARN {
		for _, role := range roles {
			s.tell(arn, role, plainPattern)
		}
	}
}

// tell adds a pattern that tells the values of a dimension apart.
func (s *space) tell(d int, pattern string, kind patternKind) {
	g, variable := parseGlob(pattern, kind, false)
	if variable {
		return
	}
	dim := s.dimensions[d]
	dim.clauses = append(dim.clauses, &clause{key: dim.key, globs: []glob{g}, tells: true})
}

// namedAWS lists the accounts and roles that Principal elements name.
func (s *space) namedAWS() (accounts, roles []string) {
	for _, w := range s.whoClauses {
		for _, name := range w.list {
			if a := accountOfName(name); a != "" {
				accounts = append(accounts, a[len(accountName):])
			}
			if strings.Contains(name, ":role/") {
				roles = append(roles, name[len(arnName):])
			}
		}
	}
	slices.Sort(accounts)
	slices.Sort(roles)
	return slices.Compact(accounts), slices.Compact(roles)
}

// classifyCallers finds the classes of callers.
func (s *space) classifyCallers(dim *dimension) {
	var own *whoClause
	if s.own != nil {
		own = s.own.who
	}
	classes, ok := callerClasses(s.whoClauses, own, s.avoidAccount)
	if !ok {
		s.budget.exceed("the policies name more than mostNames principals")
		return
	}
	s.callers = classes
	if !s.everyCaller {
		s.callers = s.mergeCallers(s.callers)
	}
	if len(s.callers) > MaxClasses {
		s.budget.exceed("the principals fall into more than MaxClasses classes")
	}
	dim.values = make([]value, len(s.callers))
	for i, c := range s.callers {
		dim.values[i] = value{caller: c}
	}
}

// mergeCallers keeps one of the callers that the statements do not tell apart.
func (s *space) mergeCallers(callers []*callerClass) []*callerClass {
	seen := make(map[string]bool)
	var signature []byte
	return slices.DeleteFunc(callers, func(c *callerClass) bool {
		signature = signature[:0]
		for _, w := range s.whoClauses {
			yes, open := w.answer(c)
			b := byte('0')
			if yes {
				b = '1'
			}
			if open {
				b = '?'
			}
			signature = append(signature, b)
		}
		if seen[string(signature)] {
			return true
		}
		seen[string(signature)] = true
		return false
	})
}

// relate finds the relations between dimensions.
func (s *space) relate() {
	s.tieQuestions()
	for i, d := range s.dimensions {
		for _, e := range d.elements {
			// A set that is not there has no element.
			s.relations = append(s.relations, relation{a: i, b: e, rows: [][]uint64{{1}, {3}}})
		}
		if d.key.kind == freeValues && d.free.loose != nil {
			s.tieQuestion(i)
		}
		if !d.mayBeAbsent() {
			continue
		}
		for j := range i {
			if other := s.dimensions[j]; other.key.name == d.key.name && other.mayBeAbsent() {
				s.samePresence(i, j)
			}
		}
		if s.whoAt >= 0 && signedKeys[d.key.name] {
			s.tieToCaller(i)
		}
	}
}

// tieQuestion says that a pattern with a variable matches only what the pattern
// with anything for the variable does.
func (s *space) tieQuestion(at int) {
	f := s.dimensions[at].free
	if s.whoAt >= 0 && f.wantsSigned() {
		all, fits := make([]uint64, (len(s.callers)+63)/64), make([]uint64, (len(s.callers)+63)/64)
		fill(all, len(s.callers))
		for i, c := range s.callers {
			user := c.role == "" || f.about != "aws:username" && !strings.Contains(strings.ToLower(f.loose.source), "aws:username")
			if user && c.caller.Kind == AWSPrincipal || c.caller.Kind == Canonical && !c.unnamed {
				mark(fits, i)
			}
		}
		s.relations = append(s.relations, relation{a: at, b: s.whoAt, rows: [][]uint64{all, fits}})
	}
	for i, d := range s.dimensions {
		if d.key.kind != textValues || d.key.set || f.about != d.key.name {
			continue
		}
		all, fits := make([]uint64, (len(d.values)+63)/64), make([]uint64, (len(d.values)+63)/64)
		fill(all, len(d.values))
		for j := range d.values {
			if v := &d.values[j]; !v.absent && f.loose.match(v.text) {
				mark(fits, j)
			}
		}
		s.relations = append(s.relations, relation{a: at, b: i, rows: [][]uint64{all, fits}})
	}
}

// wantsSigned reports whether a pattern needs a variable, without a default,
// that only who signs a request has.
func (f free) wantsSigned() bool {
	rest := f.loose.source
	for {
		_, after, found := strings.Cut(rest, escapeOpen)
		if !found {
			return false
		}
		name, tail, _ := strings.Cut(after, "}")
		if key := strings.ToLower(strings.TrimSpace(name)); signedKeys[key] && key != "aws:principalisawsservice" && key != "aws:principalservicename" {
			return true
		}
		rest = tail
	}
}

// mayBeAbsent reports whether the dimension is a condition key, also one that
// the own statement wants present.
func (d *dimension) mayBeAbsent() bool {
	return !strings.HasPrefix(d.key.name, "\x00") && d.key.kind != freeValues && d.key.kind != elementValues
}

// samePresence says that a key is there under both of its types, or under none.
func (s *space) samePresence(a, b int) {
	left, right := s.dimensions[a], s.dimensions[b]
	rows := make([][]uint64, len(left.values))
	for i := range left.values {
		rows[i] = make([]uint64, (len(right.values)+63)/64)
		for j := range right.values {
			if left.values[i].absent == right.values[j].absent {
				mark(rows[i], j)
			}
		}
	}
	s.relations = append(s.relations, relation{a: a, b: b, rows: rows})
}

// tieToCaller says which values of a key that describes the caller go with
// which caller.
func (s *space) tieToCaller(at int) {
	d := s.dimensions[at]
	accounts, roles := s.namedAWS()
	tied := len(accounts)+len(roles) <= mostTied && d.key.kind == textValues && !d.key.set
	rows := make([][]uint64, len(s.callers))
	for i, c := range s.callers {
		rows[i] = make([]uint64, (len(d.values)+63)/64)
		for j := range d.values {
			v := &d.values[j]
			if d.key.name == serviceNameKey && c.caller.Kind == ServiceCaller && d.key.kind == textValues {
				if v.absent || s.isService(c, d, v) {
					mark(rows[i], j)
				}
				continue
			}
			if goesWith(c, v, d.key.name, tied, accounts, roles) {
				mark(rows[i], j)
			}
		}
	}
	s.relations = append(s.relations, relation{a: s.whoAt, b: at, rows: rows})
}

const serviceNameKey = "aws:principalservicename"

// isService reports whether a value of aws:PrincipalServiceName can be the name
// of a service: of a named one its own, of another none of those.
func (s *space) isService(c *callerClass, d *dimension, v *value) bool {
	if c.unnamed {
		return v.generic || !slices.ContainsFunc(s.callers, func(o *callerClass) bool {
			return o.caller.Kind == ServiceCaller && !o.unnamed && o.caller.ID == v.text
		})
	}
	own := value{text: c.caller.ID, runes: []rune(c.caller.ID)}
	return string(d.signature(nil, &own)) == string(d.signature(nil, v))
}

// goesWith reports whether a caller can have a value of a key that describes callers.
func goesWith(c *callerClass, v *value, key string, tied bool, accounts, roles []string) bool {
	switch key {
	case "aws:principalisawsservice":
		return serviceGoesWith(c, v)
	case serviceNameKey:
		return v.absent || c.caller.Kind == ServiceCaller
	}
	switch c.caller.Kind {
	case AWSPrincipal:
	case Anonymous:
		return v.absent
	case ServiceCaller:
		return v.absent
	case Federated: // a token of the provider, not a signature
		return v.absent
	default:
	}
	if c.caller.Kind == Canonical && c.unnamed {
		return v.absent // whoever signs is an AWS principal too, and counted there
	}
	if v.absent && (key == "aws:principalarn" || key == "aws:principalaccount") {
		return c.caller.Kind == Canonical // every signed request has them; how S3's users sign is not said
	}
	if !tied || c.caller.Kind == Canonical {
		return true
	}
	switch key {
	case "aws:username":
		return v.absent || c.role == ""
	case "aws:principalaccount":
		return accountGoesWith(c, func(account string) bool {
			_, id, _ := strings.Cut(account, ":")
			return !v.generic && v.text == id
		}, accounts)
	case "aws:principalarn":
		if c.role != "" {
			return !v.generic && v.text == c.role
		}
		if !v.generic && slices.Contains(roles, v.text) {
			return false
		}
		return accountGoesWith(c, func(account string) bool { return inAccount(v.text, account) }, accounts)
	}
	return true
}

// serviceGoesWith reports whether a caller can have a value of
// aws:PrincipalIsAWSService, which every signed request has.
func serviceGoesWith(c *callerClass, v *value) bool {
	switch c.caller.Kind {
	case ServiceCaller:
		return !v.absent && v.text != "false"
	case AWSPrincipal, Canonical:
		return !v.absent && v.text != "true"
	default:
		return v.absent
	}
}

// accountGoesWith reports whether a value is of the caller's account: of the
// one that is named, or of none of those that are.
func accountGoesWith(c *callerClass, is func(account string) bool, accounts []string) bool {
	if c.account != "" {
		return is(c.account)
	}
	return !c.unnamed || !slices.ContainsFunc(accounts, is)
}

func inAccount(arn, account string) bool {
	partition, id, _ := strings.Cut(account, ":")
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && parts[1] == partition && parts[4] == id
}

package policy

import "strings"

// callerARNs are what aws:PrincipalArn says of plain callers: a role and a user
// of each account that is named, and of one that is not.
func (s *space) callerARNs() (list []string) {
	accounts := []string{"aws:" + strangerAccount}
	named, _ := s.namedAWS()
	for _, account := range append(named[:min(len(named), mostTied)], accounts...) {
		partition, id, _ := strings.Cut(account, ":")
		for _, name := range []string{"role/example", "user/example"} {
			list = append(list, "arn:"+partition+":iam::"+id+":"+name)
		}
	}
	return list
}

// agree makes the caller of a class without a name one of whom the keys that
// were chosen are true: their account, their user name, their ARN.
func (s *space) agree(chosen []*value) {
	if s.whoAt < 0 || chosen[s.whoAt] == nil {
		return
	}
	c := *chosen[s.whoAt].caller
	if c.caller.Kind == ServiceCaller && c.unnamed {
		if v := s.chosen(serviceNameKey, chosen); v != nil {
			c.caller.ID = v.text
			chosen[s.whoAt] = &value{caller: &c}
		}
		return
	}
	parts := strings.SplitN(c.caller.ID, ":", 6)
	if c.caller.Kind != AWSPrincipal || c.role != "" || !c.unnamed && len(c.covers) != 1 || len(parts) != 6 {
		return
	}
	if v := s.chosen("aws:principalaccount", chosen); v != nil && isAccount(v.text) {
		parts[4] = v.text
	}
	if v := s.chosen("aws:username", chosen); v != nil {
		parts[5] = "user/" + v.text
	}
	c.caller.ID = strings.Join(parts, ":")
	if v := s.chosen("aws:principalarn", chosen); v != nil {
		d := s.dimensions[s.index[dimensionKey{name: "aws:principalarn", kind: textValues}]]
		own := value{text: c.caller.ID, runes: []rune(c.caller.ID)}
		if string(d.signature(nil, &own)) != string(d.signature(nil, v)) {
			c.caller.ID = v.text
		}
	}
	chosen[s.whoAt] = &value{caller: &c}
}

// chosen is the value of a key that is there, nil where it is not.
func (s *space) chosen(key string, chosen []*value) *value {
	d, ok := s.index[dimensionKey{name: key, kind: textValues}]
	if !ok || chosen[d] == nil || chosen[d].absent {
		return nil
	}
	return chosen[d]
}

// someValue is a value of the kind that the policies take a key's values for.
func (q *question) someValue(key string) string {
	for _, list := range [][]Statement{q.current.policy.Statements, q.baseline.policy.Statements} {
		for _, s := range list {
			for _, c := range s.Condition {
				if !strings.EqualFold(c.Key, key) {
					continue
				}
				base := parseOperator(c.Operator).base
				switch kind := kindOf(base, key, c.Values); {
				case kind == numberValues:
					return "1"
				case kind == dateValues:
					return "2026-01-01T00:00:00Z"
				case kind == addressValues:
					return "192.0.2.1"
				case kind == truthValues:
					return "true"
				case strings.HasPrefix(base, "Arn"):
					return exampleARN
				}
			}
		}
	}
	switch {
	case truthKeys[key]:
		return "true"
	case arnKeys[key]:
		return exampleARN
	}
	return "example"
}

// exampleARN is a resource that nobody names.
const exampleARN = "arn:aws:sns:us-east-1:" + strangerAccount + ":example"

// beUser makes a caller without a name the user that a policy variable wants.
func (r *Request) beUser(name string) {
	before, found := strings.CutSuffix(r.Principal.ID, ":role/example")
	if r.Principal.Kind != AWSPrincipal || !found || strings.ContainsAny(name, ":/*?") {
		return
	}
	old := r.Principal.ID
	r.Principal.ID = before + ":user/" + name
	for key, values := range r.Context {
		if strings.EqualFold(key, "aws:PrincipalArn") && len(values) == 1 && values[0] == old {
			r.Context[key] = []string{r.Principal.ID}
		}
	}
}

package policy

import "strings"

// confirm replays a request in the concrete evaluator: the current policy must
// allow it, by the statement too, and the baseline must not.
func (d *decision) confirm(r Request, statement int) bool {
	d.budget.replays += len(d.current.policy.Statements) + len(d.baseline.policy.Statements)
	if d.budget.replays > MaxClauses {
		return false
	}
	by := Policy{Version: version2012, Statements: d.current.policy.Statements[statement : statement+1]}
	return named(r.Action) && consistent(r) && Evaluate(by, r).Outcome == Allowed && allows(d.current.policy, d.o.CurrentBoundary, r) == Allowed &&
		surelyNot(allows(d.baseline.policy, d.o.BaselineBoundary, r))
}

// allows is what a policy inside a boundary says to a request.
func allows(p Policy, boundary *Policy, r Request) Outcome {
	outcome := Evaluate(p, r).Outcome
	if boundary == nil || surelyNot(outcome) {
		return outcome
	}
	if inside := Evaluate(*boundary, r).Outcome; inside != Allowed {
		return inside
	}
	return outcome
}

func surelyNot(o Outcome) bool { return o == ExplicitDeny || o == ImplicitDeny }

// named reports whether an action can exist: a service, one colon, and a name.
func named(action string) bool {
	service, name, ok := strings.Cut(action, ":")
	return ok && service != "" && name != "" && !strings.ContainsAny(name, ":*?") && !strings.ContainsAny(service, "*?")
}

// consistent reports whether the keys that follow from the caller say of the
// caller what is true.
func consistent(r Request) bool {
	var account, name string
	parts := strings.SplitN(ownARN(r.Principal), ":", 6)
	if len(parts) == 6 {
		account, name = parts[4], parts[5]
	}
	user, isUser := strings.CutPrefix(name, "user/")
	aws := r.Principal.Kind == AWSPrincipal || r.Principal == Caller{}
	if r.Principal.Kind == AWSPrincipal && (len(parts) != 6 || parts[2] != "iam" && parts[2] != "sts" ||
		strings.ContainsAny(r.Principal.ID, "*?") || account == "" || strings.Contains(name, ":") || name != "root" && !strings.Contains(name, "/")) {
		return false // nobody has such a name
	}
	for key, values := range r.Context {
		if low := strings.ToLower(key); len(values) == 0 && (!multiKeys[low] || filledKeys[low]) {
			return false // it is not there without a value
		}
		if len(values) != 1 || r.Principal == (Caller{}) {
			continue // identity policies: whose the identity is, is not said
		}
		value, ok := values[0], true
		switch strings.ToLower(key) {
		case "aws:principalarn":
			ok = aws && value == ownARN(r.Principal)
		case "aws:principalaccount":
			ok = aws && value == account
		case "aws:principalorgid", "aws:principalorgpaths":
			ok = aws
		case "aws:username":
			ok = aws && isUser && value == user[strings.LastIndexByte(user, '/')+1:]
		case "aws:principalservicename":
			ok = r.Principal.Kind == ServiceCaller && value == r.Principal.ID
		case "aws:principalisawsservice":
			ok = (aws || r.Principal.Kind == ServiceCaller) && (value == "true") == (r.Principal.Kind == ServiceCaller)
		}
		if !ok {
			return false
		}
	}
	return true
}

// ownARN is what aws:PrincipalArn says of a caller: the role, not its session.
func ownARN(c Caller) string {
	parts := strings.SplitN(c.ID, ":", 6)
	if c.Kind != AWSPrincipal || len(parts) != 6 || parts[2] != "sts" {
		return c.ID
	}
	role, found := strings.CutPrefix(parts[5], "assumed-role/")
	if !found {
		return c.ID
	}
	role, _, _ = strings.Cut(role, "/")
	return "arn:" + parts[1] + ":iam::" + parts[4] + ":role/" + role
}

package policy

// URL is the configuration of a function URL, as GetFunctionUrlConfig gives it.
type URL struct {
	AuthType string // "NONE", "AWS_IAM", empty where there is no URL
}

// The two actions that a request through a function URL needs.
// Source: Lambda Developer Guide, "Control access to Lambda function URLs".
const (
	actionInvokeURL = "lambda:InvokeFunctionUrl"
	actionInvoke    = "lambda:InvokeFunction"
)

// ExposeURL says who can call a function through its URL. The policy and the
// URL are those of one qualifier. It takes both grants, of
// lambda:InvokeFunctionUrl and of lambda:InvokeFunction: with AuthType NONE to
// anonymous callers, with AWS_IAM to signed ones. The reason also names grants
// that are left over: they open nothing now, and would at the next change.
func ExposeURL(p Policy, url URL, owner Owner) Verdict {
	counts := func(k CallerKind) bool { return k == AWSPrincipal }
	switch url.AuthType {
	case "":
		if halves := urlGrants(p, "NONE", owner, nil); halves[0].Exposure != Nobody {
			return Verdict{Exposure: Nobody, Reason: "there is no function URL; the grant of " + actionInvokeURL + " is left over and would open the next one", Certain: true}
		}
		return Verdict{Exposure: Nobody, Reason: "there is no function URL", Certain: true}
	case "NONE":
		counts = func(k CallerKind) bool { return k == Anonymous }
	case "AWS_IAM":
	default:
		return Verdict{Exposure: Unknown, Reason: "the AuthType " + clip(url.AuthType) + " is not known"}
	}
	halves := urlGrants(p, url.AuthType, owner, counts)
	narrow, wide := halves[0], halves[1]
	names := [2]string{actionInvokeURL, actionInvoke}
	if narrow.Exposure.Wider(wide.Exposure) {
		narrow, wide = wide, narrow
		names[0], names[1] = names[1], names[0]
	}
	v := narrow
	v.Certain = narrow.Certain && wide.Certain
	switch {
	case v.Exposure == Nobody && wide.Exposure != Nobody:
		v.Reason = "nobody is granted " + names[0] + ", without which the URL answers nobody; the grant of " + names[1] + " is left over"
	case v.Exposure == Nobody:
		v.Reason = "the policy lets nobody through the URL"
	case v.Exposure == Public && url.AuthType == "NONE":
		v.Reason = "anyone on the internet: AuthType is NONE, and both " + actionInvokeURL + " and " + actionInvoke + " are allowed to everybody"
	case v.Exposure == Public:
		v.Reason = "every AWS principal of every account: AuthType is AWS_IAM, and both grants are open"
	default:
		v.Reason = "AuthType is " + url.AuthType + ", and " + names[0] + " is granted to: " + narrow.Reason
	}
	return v
}

// urlGrants are the exposures of the two grants to the callers that count, for
// requests that come through a URL of an AuthType.
func urlGrants(p Policy, authType string, owner Owner, counts func(CallerKind) bool) [2]Verdict {
	deny := func(action string, conditions ...Condition) Statement {
		s := Statement{Effect: Deny, Principal: &Principals{Any: true}, Resource: []string{"*"}, Condition: conditions, Action: []string{"*"}}
		if action != "" {
			s.Action, s.NotAction = nil, []string{action}
		}
		return s
	}
	var verdicts [2]Verdict
	for i, extra := range [][]Statement{
		{deny(actionInvokeURL), deny("", Condition{Operator: "StringNotEquals", Key: "lambda:FunctionUrlAuthType", Values: []string{authType}})},
		{
			deny(actionInvoke), deny("", Condition{Operator: "Bool", Key: "lambda:InvokedViaFunctionUrl", Values: []string{"false"}}),
			deny("", Condition{Operator: "Null", Key: "lambda:InvokedViaFunctionUrl", Values: []string{"true"}}),
		},
	} {
		with := p
		with.Statements = append(append([]Statement{}, p.Statements...), extra...)
		e := exposer{policy: with, owner: owner, denys: true, callers: counts}
		if e.owner.Account == "" {
			e.owner.Account = ownerOf(p)
		}
		verdicts[i] = e.document()
	}
	return verdicts
}

// ownerOf is the account in the first resource of a policy that has one.
func ownerOf(p Policy) string {
	for _, s := range p.Statements {
		if account := s.owner(); account != "" {
			return account
		}
	}
	return ""
}

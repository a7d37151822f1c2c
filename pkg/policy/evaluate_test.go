package policy

import (
	"encoding/json"
	"strings"
	"testing"
)

// evaluateText evaluates a policy text, or a list of statements in the
// language of 2012-10-17.
func evaluateText(t testing.TB, text string, r Request) Decision {
	t.Helper()
	if strings.HasPrefix(text, "[") {
		text = `{"Version":"2012-10-17","Statement":` + text + `}`
	}
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return Evaluate(p, r)
}

// evalContext reads "k=v|w;j=": a key with two values and one without any. "j" alone
// has one empty value.
func evalContext(text string) map[string][]string {
	context := make(map[string][]string)
	for part := range strings.SplitSeq(text, ";") {
		key, values, found := strings.Cut(part, "=")
		switch {
		case key == "":
		case !found:
			context[key] = []string{""}
		case values == "":
			context[key] = []string{}
		default:
			context[key] = strings.Split(values, "|")
		}
	}
	return context
}

// checkOutcome compares the outcome, and asks that the reason is one line.
func checkOutcome(t *testing.T, d Decision, want Outcome) {
	t.Helper()
	if d.Outcome != want {
		t.Errorf("%s (%s), want %s", d.Outcome, d.Reason, want)
	}
	if d.Reason == "" || strings.ContainsAny(d.Reason, "\n\r") {
		t.Errorf("reason %q", d.Reason)
	}
}

func awsCaller(id string) Caller { return Caller{Kind: AWSPrincipal, ID: id} }

const (
	evalAccount = "arn:aws:iam::111122223333:"
	evalSession = "arn:aws:sts::111122223333:assumed-role/r/s"
)

func TestEvaluatePrincipal(t *testing.T) {
	anonymous, s3 := Caller{Kind: Anonymous}, Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}
	google, canonical := Caller{Kind: Federated, ID: "accounts.google.com"}, Caller{Kind: Canonical, ID: "79a5"}
	for _, c := range []struct {
		principal string
		caller    Caller
		want      Outcome
	}{
		{`"Principal":"*"`, anonymous, Allowed},
		{`"Principal":"*"`, awsCaller(evalAccount + "user/u"), Allowed},
		{`"Principal":"*"`, s3, Allowed},
		{`"Principal":"*"`, google, Allowed},
		{`"Principal":"*"`, canonical, Allowed},
		{`"Principal":"*"`, Caller{}, Allowed},
		{`"Principal":{"AWS":"*"}`, anonymous, Allowed},
		{`"Principal":{"AWS":"*"}`, s3, Allowed},
		{`"Principal":{"AWS":["444455556666","*"]}`, s3, Allowed},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller(evalAccount + "root"), Allowed},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller("111122223333"), Allowed},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller(evalAccount + "user/u"), Allowed},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller(evalAccount + "role/r"), Allowed},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller(evalSession), Allowed},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller("arn:aws:sts::111122223333:federated-user/f"), Allowed},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller("arn:aws:iam::444455556666:role/r"), ImplicitDeny},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller("arn:aws:iam::444455556666:role/audit-111122223333"), ImplicitDeny},
		{`"Principal":{"AWS":"111122223333"}`, anonymous, ImplicitDeny},
		{`"Principal":{"AWS":"111122223333"}`, s3, ImplicitDeny},
		{`"Principal":{"AWS":"111122223333"}`, google, ImplicitDeny},
		{`"Principal":{"AWS":"111122223333"}`, canonical, Undecided},
		{`"Principal":{"AWS":"111122223333"}`, Caller{}, Undecided},
		{`"Principal":{"AWS":"111122223333"}`, awsCaller("somebody"), Undecided},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`, awsCaller(evalAccount + "role/r"), Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`, awsCaller(evalSession), Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`, awsCaller("111122223333"), Allowed},
		{`"Principal":{"AWS":"arn:aws-cn:iam::111122223333:root"}`, awsCaller(evalAccount + "role/r"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws-us-gov:iam::111122223333:root"}`, awsCaller("arn:aws-us-gov:iam::111122223333:role/r"), Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, awsCaller(evalAccount + "role/r"), Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, awsCaller(evalSession), Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/team/deep/r"}`, awsCaller(evalSession), Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/team/r"}`, awsCaller(evalAccount + "role/r"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/R"}`, awsCaller(evalSession), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/r/s"}`, awsCaller(evalSession), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::444455556666:role/r"}`, awsCaller(evalSession), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, awsCaller(evalAccount + "root"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, awsCaller(evalAccount + "user/r"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}`, awsCaller(evalSession), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}`, awsCaller(evalAccount + "role/*"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::*:root"}`, awsCaller(evalAccount + "root"), ImplicitDeny},
		{`"Principal":{"AWS":"1111*"}`, awsCaller(evalAccount + "root"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`, awsCaller(evalSession), Allowed},
		{`"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/t"}`, awsCaller(evalSession), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`, awsCaller(evalAccount + "role/r"), Undecided},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:user/u"}`, awsCaller(evalAccount + "user/u"), Allowed},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:user/div/u"}`, awsCaller(evalAccount + "user/u"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:user/u"}`, awsCaller("arn:aws:sts::111122223333:federated-user/u"), Undecided},
		{`"Principal":{"AWS":"arn:aws:iam::111122223333:user/u"}`, awsCaller("arn:aws:sts::444455556666:federated-user/u"), ImplicitDeny},
		{`"Principal":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}`, awsCaller("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"), Allowed},
		{`"Principal":{"AWS":"AROAEXAMPLEEXAMPLEAB"}`, awsCaller(evalAccount + "role/r"), ImplicitDeny},
		{`"Principal":{"AWS":"AIDAEXAMPLEEXAMPLEAB"}`, awsCaller("AIDAEXAMPLEEXAMPLEAB"), ImplicitDeny},
		{`"Principal":{"AWS":"AROAEXAMPLEEXAMPLEAB"}`, anonymous, ImplicitDeny},
		{`"Principal":{"Service":"s3.amazonaws.com"}`, s3, Allowed},
		{`"Principal":{"Service":"S3.amazonaws.com"}`, s3, ImplicitDeny},
		{`"Principal":{"Service":"sns.amazonaws.com"}`, s3, ImplicitDeny},
		{`"Principal":{"Service":"*"}`, s3, ImplicitDeny},
		{`"Principal":{"Service":"s3.amazonaws.com"}`, awsCaller(evalAccount + "root"), ImplicitDeny},
		{`"Principal":{"Service":"s3.amazonaws.com"}`, Caller{}, Undecided},
		{`"Principal":{"AWS":"111122223333","Service":["sns.amazonaws.com","s3.amazonaws.com"]}`, s3, Allowed},
		{`"Principal":{"Federated":"accounts.google.com"}`, google, Allowed},
		{`"Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/p"}`, google, ImplicitDeny},
		{`"Principal":{"CanonicalUser":"79a5"}`, canonical, Allowed},
		{`"Principal":{"CanonicalUser":"79a6"}`, canonical, ImplicitDeny},
		{`"Principal":{"CanonicalUser":"79a5"}`, awsCaller(evalAccount + "root"), Undecided},
		{`"Principal":{"CanonicalUser":"79a5"}`, s3, ImplicitDeny},
		{`"Principal":{}`, anonymous, ImplicitDeny},
		{`"Principal":{"AWS":[]}`, awsCaller(evalAccount + "root"), ImplicitDeny},
		{`"NotPrincipal":{"AWS":"111122223333"}`, awsCaller(evalSession), ImplicitDeny},
		{`"NotPrincipal":{"AWS":"111122223333"}`, anonymous, Allowed},
		{`"NotPrincipal":{"AWS":"111122223333"}`, s3, Allowed},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"}`, awsCaller(evalSession), Allowed},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, awsCaller(evalSession), Undecided},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/u"}`, awsCaller(evalAccount + "user/u"), Undecided},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, awsCaller(evalAccount + "role/other"), Allowed},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/r"}`, awsCaller("arn:aws:iam::444455556666:role/r"), Allowed},
		{`"NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/r","111122223333"]}`, awsCaller(evalSession), ImplicitDeny},
		{`"NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/r","arn:aws:iam::111122223333:root"]}`, awsCaller(evalAccount + "role/other"), ImplicitDeny},
		{`"NotPrincipal":{"AWS":"AROAEXAMPLEEXAMPLEAB"}`, awsCaller(evalAccount + "role/r"), Allowed},
		{`"NotPrincipal":{"Service":"s3.amazonaws.com"}`, s3, ImplicitDeny},
		{`"NotPrincipal":{"Service":"s3.amazonaws.com"}`, anonymous, Allowed},
		{`"NotPrincipal":"*"`, anonymous, ImplicitDeny},
		{`"NotPrincipal":{}`, anonymous, Undecided},
	} {
		t.Run(c.principal+" "+c.caller.ID, func(t *testing.T) {
			checkOutcome(t, evaluateText(t, `[{"Effect":"Allow",`+c.principal+`,"Action":"*","Resource":"*"}]`, Request{Principal: c.caller, Action: "a:B", Resource: "arn:aws:a:::b"}), c.want)
		})
	}
}

func TestEvaluateTellsRolesOfOneNameApartByPrincipalArn(t *testing.T) {
	const statement = `[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/team/r"},"Action":"*","Resource":"*"}]`
	for arn, want := range map[string]Outcome{"role/team/r": Allowed, "role/old/r": ImplicitDeny, "role/r": Allowed, "role/old/other": Allowed} {
		r := Request{Principal: awsCaller(evalSession), Action: "a:B", Context: evalContext("aws:PrincipalArn=" + evalAccount + arn)}
		checkOutcome(t, evaluateText(t, statement, r), want)
	}
}

func TestEvaluateActionAndResource(t *testing.T) {
	const fn = "arn:aws:lambda:us-east-1:111122223333:function:"
	for _, c := range []struct {
		elements, action, resource string
		want                       Outcome
	}{
		{`"Action":"lambda:InvokeFunction"`, "lambda:InvokeFunction", "", Allowed},
		{`"Action":"lambda:invokeFunction"`, "lambda:InvokeFunction", "", Allowed},
		{`"Action":"LAMBDA:INVOKEFUNCTION"`, "lambda:invokefunction", "", Allowed},
		{`"Action":"lambda:Invoke*"`, "lambda:InvokeFunctionUrl", "", Allowed},
		{`"Action":"lambda:Invoke*"`, "lambda:GetFunction", "", ImplicitDeny},
		{`"Action":"lambda:InvokeFunction?"`, "lambda:InvokeFunction", "", ImplicitDeny},
		{`"Action":"lambda:?nvokeFunction"`, "lambda:InvokeFunction", "", Allowed},
		{`"Action":"*"`, "s3:GetObject", "", Allowed},
		{`"Action":"*:*"`, "s3:GetObject", "", Allowed},
		{`"Action":"lambda*"`, "lambda:GetFunction", "", Allowed},
		{`"Action":"lambda:*"`, "lambda", "", ImplicitDeny},
		{`"Action":["s3:*","lambda:*"]`, "lambda:GetFunction", "", Allowed},
		{`"Action":[]`, "lambda:GetFunction", "", ImplicitDeny},
		{`"Action":"lambda:${*}"`, "lambda:GetFunction", "", ImplicitDeny},
		{`"NotAction":"lambda:GetFunction"`, "lambda:InvokeFunction", "", Allowed},
		{`"NotAction":"lambda:GetFunction"`, "LAMBDA:getfunction", "", ImplicitDeny},
		{`"NotAction":"lambda:GetFunction"`, "future:Action", "", Allowed},
		{`"NotAction":["s3:*","lambda:*"]`, "lambda:Invoke", "", ImplicitDeny},
		{`"NotAction":[]`, "lambda:GetFunction", "", Undecided},

		{`"Action":"*","Resource":"*"`, "a:B", fn + "orders", Allowed},
		{`"Action":"*","Resource":"*"`, "a:B", "", Allowed},
		{`"Action":"*","Resource":"` + fn + `orders"`, "a:B", "", ImplicitDeny},
		{`"Action":"*","Resource":"` + fn + `orders"`, "a:B", fn + "orders", Allowed},
		{`"Action":"*","Resource":"` + fn + `orders"`, "a:B", fn + "Orders", ImplicitDeny},
		{`"Action":"*","Resource":"` + fn + `orders"`, "a:B", fn + "orders:live", ImplicitDeny},
		{`"Action":"*","Resource":"` + fn + `*"`, "a:B", fn + "orders:live", Allowed},
		{`"Action":"*","Resource":"` + fn + `orders:*"`, "a:B", fn + "orders", ImplicitDeny},
		{`"Action":"*","Resource":"` + fn + `orders:?"`, "a:B", fn + "orders:1", Allowed},
		{`"Action":"*","Resource":"` + fn + `orders:?"`, "a:B", fn + "orders:12", ImplicitDeny},
		{`"Action":"*","Resource":"` + fn + `orders?live"`, "a:B", fn + "orders:live", Allowed},
		{`"Action":"*","Resource":"arn:aws:lambda:*:111122223333:function:f"`, "a:B", fn + "f", Allowed},
		{`"Action":"*","Resource":"arn:aws:lambda:*:function:f"`, "a:B", fn + "f", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:sns:*:111122223333:t"`, "a:B", "arn:aws:sns:us-east-1:999999999999:x:111122223333:t", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:sns:*:999999999999:*:t"`, "a:B", "arn:aws:sns:us-east-1:999999999999:x:111122223333:t", Allowed},
		{`"Action":"*","Resource":"arn:*:sns:*:*:t"`, "a:B", "arn:aws:sns:us-east-1:999999999999:t", Allowed},
		{`"Action":"*","Resource":"arn:aws:s3:?::b"`, "a:B", "arn:aws:s3:::b", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:s3:?::b"`, "a:B", "arn:aws:s3::::b", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:s3:::*b"`, "a:B", "arn:aws:s3:::x:y:b", Allowed},
		{`"Action":"*","Resource":"arn:aws:lambda:*"`, "a:B", fn + "f:live", Allowed},
		{`"Action":"*","Resource":"arn:aws:lambda*"`, "a:B", fn + "f", Allowed},
		{`"Action":"*","Resource":"arn:*"`, "a:B", fn + "f", Allowed},
		{`"Action":"*","Resource":"arn:aws:s3:*"`, "a:B", fn + "f", ImplicitDeny},
		{`"Action":"*","Resource":"arn:*:lam*"`, "a:B", fn + "f", Allowed},
		{`"Action":"*","Resource":"arn:*:s3*"`, "a:B", "arn:aws:lambda:s3:1:x", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:lambda"`, "a:B", fn + "f", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:lambda:us-east-1:111122223333"`, "a:B", fn + "f", ImplicitDeny},
		{`"Action":"*","Resource":"*:f"`, "a:B", fn + "f", Allowed},
		{`"Action":"*","Resource":"*:g"`, "a:B", fn + "f", ImplicitDeny},
		{`"Action":"*","Resource":"**"`, "a:B", fn + "f", Allowed},
		{`"Action":"*","Resource":["arn:aws:s3:::b","` + fn + `f"]`, "a:B", fn + "f", Allowed},
		{`"Action":"*","Resource":[]`, "a:B", fn + "f", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:s3:::b/é?"`, "a:B", "arn:aws:s3:::b/éü", Allowed},
		{`"Action":"*","Resource":"arn:aws:s3:::b/?"`, "a:B", "arn:aws:s3:::b/世", Allowed},
		{`"Action":"*","Resource":"arn:aws:s3:::b/*?.txt"`, "a:B", "arn:aws:s3:::b/世.txt", Allowed},
		{`"Action":"*","Resource":"arn:aws:s3:::b/*?x*"`, "a:B", "arn:aws:s3:::b/x", ImplicitDeny},
		{`"Action":"*","Resource":"arn:aws:s3:::b/a*a"`, "a:B", "arn:aws:s3:::b/a", ImplicitDeny},
		{`"Action":"*","NotResource":"arn:aws:s3:::b/*"`, "a:B", "arn:aws:s3:::b/k", ImplicitDeny},
		{`"Action":"*","NotResource":"arn:aws:s3:::b/*"`, "a:B", "arn:aws:s3:::c/k", Allowed},
		{`"Action":"*","NotResource":"arn:aws:s3:::b/*"`, "a:B", "", Allowed},
		{`"Action":"*","NotResource":["arn:aws:s3:::b/*","arn:aws:s3:::c/*"]`, "a:B", "arn:aws:s3:::c/k", ImplicitDeny},
		{`"Action":"*","NotResource":[]`, "a:B", "arn:aws:s3:::c/k", Undecided},
	} {
		t.Run(c.elements+" "+c.action+" "+c.resource, func(t *testing.T) {
			checkOutcome(t, evaluateText(t, `[{"Effect":"Allow","Principal":"*",`+c.elements+`}]`, Request{Principal: Caller{Kind: Anonymous}, Action: c.action, Resource: c.resource}), c.want)
		})
	}
}

func TestEvaluateVariables(t *testing.T) {
	for _, c := range []struct {
		elements, resource, context string
		want                        Outcome
	}{
		{`"Resource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/u/k", "aws:userid=u", Allowed},
		{`"Resource":"arn:aws:s3:::b/${AWS:UserID}/*"`, "arn:aws:s3:::b/u/k", "aws:userid=u", Allowed},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/v/k", "aws:userid=u", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/${aws:userid}/k", "", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/u/k", "aws:userid=", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/u/k", "aws:userid=u|v", Undecided},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}"`, "arn:aws:s3:::b/AROA:s", "aws:userid=AROA:s", Allowed},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}"`, "arn:aws:s3:::b/anything", "aws:userid=*", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}"`, "arn:aws:s3:::b/*", "aws:userid=*", Allowed},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}"`, "arn:aws:s3:::b/x", "aws:userid=?", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${aws:userid}"`, "arn:aws:s3:::b/${x}", "aws:userid=${x}", Allowed},
		{`"Resource":"arn:aws:s3:::b/${aws:userid, 'anonymous'}"`, "arn:aws:s3:::b/anonymous", "", Allowed},
		{`"Resource":"arn:aws:s3:::b/${aws:userid, 'anonymous'}"`, "arn:aws:s3:::b/u", "aws:userid=u", Allowed},
		{`"Resource":"arn:aws:s3:::b/${aws:userid, 'anonymous'}"`, "arn:aws:s3:::b/anonymous", "aws:userid=u", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${aws:userid, ''}/*"`, "arn:aws:s3:::b//k", "", Allowed},
		{`"Resource":"arn:aws:s3:::b/${aws:userid,'x'}"`, "arn:aws:s3:::b/x", "", Undecided},
		{`"Resource":"arn:aws:s3:::b/${aws:userid, 'a*'}"`, "arn:aws:s3:::b/abc", "", Undecided},
		{`"Resource":"arn:aws:s3:::b/${aws:userid"`, "arn:aws:s3:::b/u", "aws:userid=u", Undecided},
		{`"Resource":"arn:aws:s3:::b/${}"`, "arn:aws:s3:::b/u", "", Undecided},
		{`"Resource":"arn:aws:s3:::b/${aws: userid}"`, "arn:aws:s3:::b/u", "", Undecided},
		{`"Resource":"arn:aws:s3:::b/${*}"`, "arn:aws:s3:::b/*", "", Allowed},
		{`"Resource":"arn:aws:s3:::b/${*}"`, "arn:aws:s3:::b/x", "", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${?}*"`, "arn:aws:s3:::b/?x", "", Allowed},
		{`"Resource":"arn:aws:s3:::b/${?}*"`, "arn:aws:s3:::b/xx", "", ImplicitDeny},
		{`"Resource":"arn:aws:s3:::b/${$}{aws:userid}"`, "arn:aws:s3:::b/${aws:userid}", "aws:userid=u", Allowed},
		{`"Resource":"arn:aws:s3:::b/$x"`, "arn:aws:s3:::b/$x", "", Allowed},
		{`"Resource":"arn:aws:sqs:*:${aws:PrincipalAccount}:q"`, "arn:aws:sqs:us-east-1:1:q", "aws:PrincipalAccount=1", Undecided},
		{`"Resource":"arn:aws:sqs:*:${aws:PrincipalAccount}:q"`, "arn:aws:sqs:us-east-1:2:q", "aws:PrincipalAccount=1", ImplicitDeny},
		{`"Resource":"arn:aws:sqs:*:1:${aws:userid}-${aws:userid}"`, "arn:aws:sqs:us-east-1:1:u-u", "aws:userid=u", Allowed},
		{`"NotResource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/u/k", "aws:userid=u", ImplicitDeny},
		{`"NotResource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/v/k", "aws:userid=u", Allowed},
		{`"NotResource":"arn:aws:s3:::b/${aws:userid}/*"`, "arn:aws:s3:::b/v/k", "", Undecided},
		{`"Resource":"*","Condition":{"StringEquals":{"k":"${aws:userid}"}}`, "", "k=u;aws:userid=u", Allowed},
		{`"Resource":"*","Condition":{"StringEquals":{"k":"${aws:userid}"}}`, "", "k=u", ImplicitDeny},
		{`"Resource":"*","Condition":{"StringNotEquals":{"k":"${aws:userid}"}}`, "", "k=u", Allowed},
		{`"Resource":"*","Condition":{"StringNotLike":{"k":"${aws:userid}*"}}`, "", "k=u", Allowed},
		{`"Resource":"*","Condition":{"ArnNotLike":{"k":"${aws:userid}"}}`, "", "k=arn:aws:s3:::b", Allowed},
		{`"Resource":"*","Condition":{"StringEquals":{"k":"${*}"}}`, "", "k=*", Allowed},
		{`"Resource":"*","Condition":{"StringLike":{"k":"${aws:userid}"}}`, "", "k=anything;aws:userid=*", ImplicitDeny},
		{`"Resource":"*","Condition":{"StringLike":{"k":"${aws:userid}/*"}}`, "", "k=u/x;aws:userid=u", Allowed},
		{`"Resource":"*","Condition":{"StringEqualsIgnoreCase":{"k":"${aws:userid}"}}`, "", "k=U;aws:userid=u", Allowed},
		{`"Resource":"*","Condition":{"ArnEquals":{"k":"arn:aws:sns:*:${aws:PrincipalAccount}:t"}}`, "", "k=arn:aws:sns:us-east-1:1:t;aws:PrincipalAccount=1", Allowed},
		{`"Resource":"*","Condition":{"ArnLike":{"k":"${own}"}}`, "", "k=arn:aws:sns:us-east-1:1:t;own=arn:aws:sns:us-east-1:1:t", Allowed},
		{`"Resource":"*","Condition":{"ArnLike":{"k":"${own}"}}`, "", "k=arn:aws:sns:us-east-1:1:t;own=arn:aws:sns:*:1:t", ImplicitDeny},
		{`"Resource":"*","Condition":{"StringEquals":{"k":"${own}"}}`, "", "k=a;own=a|a", Undecided},
		{`"Resource":"*","Condition":{"NumericEquals":{"k":"${own}"}}`, "", "k=1;own=1", Undecided},
		{`"Resource":"*","Condition":{"Bool":{"k":"${own}"}}`, "", "k=true;own=true", Undecided},
		{`"Resource":"*","Condition":{"Null":{"k":"${own}"}}`, "", "own=true", Undecided},
		{`"Resource":"*","Condition":{"StringEquals":{"k":"${OWN}"}}`, "", "k=a;own=a;Own=b", Undecided},
	} {
		t.Run(c.elements+" "+c.context, func(t *testing.T) {
			r := Request{Principal: Caller{Kind: Anonymous}, Action: "a:B", Resource: c.resource, Context: evalContext(c.context)}
			checkOutcome(t, evaluateText(t, `[{"Effect":"Allow","Principal":"*","Action":"*",`+c.elements+`}]`, r), c.want)
		})
	}
}

func TestEvaluateTakesVariablesAsTextInOldVersions(t *testing.T) {
	for _, version := range []string{``, `"Version":"2008-10-17",`} {
		for resource, want := range map[string]Outcome{"arn:aws:s3:::${k}/x": Allowed, "arn:aws:s3:::v/x": ImplicitDeny} {
			p := `{` + version + `"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${k}/*"}}`
			checkOutcome(t, evaluateText(t, p, Request{Action: "a:B", Resource: resource, Context: evalContext("k=v")}), want)
		}
		p := `{` + version + `"Statement":{"Effect":"Allow","Action":"*","Condition":{"StringLike":{"j":"${*}"}}}}`
		checkOutcome(t, evaluateText(t, p, Request{Action: "a:B", Context: evalContext("j=${anything}")}), Allowed)
		checkOutcome(t, evaluateText(t, p, Request{Action: "a:B", Context: evalContext("j=*")}), ImplicitDeny)
	}
}

// TestEvaluateTraps asks, of the pairs on which other tools err, that the
// request which shows the difference is judged as the label says.
func TestEvaluateTraps(t *testing.T) {
	const from = `[{"Effect":"Allow","Principal":"*","Action":"a:B","Condition":`
	deny := func(elements string) string {
		return `[{"Effect":"Allow","Principal":"*","Action":"*"},{"Effect":"Deny","Principal":"*",` + elements + `}]`
	}
	for _, c := range []struct {
		name, policy, context string
		want                  Outcome
	}{
		{"StringNotEquals on a missing key", from + `{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]`, "", Allowed},
		{"10.0.0.0/8 from the right end", from + `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]`, "aws:SourceIp=160.0.0.1", ImplicitDeny},
		{"ArnLike does not cross colons", from + `{"ArnLike":{"k":"arn:aws:sns:*:111111111111:t"}}}]`, "k=arn:aws:sns:us-east-1:999999999999:x:111111111111:t", ImplicitDeny},
		{"StringLike does", from + `{"StringLike":{"k":"arn:aws:sns:*:111111111111:t"}}}]`, "k=arn:aws:sns:us-east-1:999999999999:x:111111111111:t", Allowed},
		{"operators are ANDed", from + `{"Bool":{"b":"true"},"StringEquals":{"s":"x"}}}]`, "b=true;s=y", ImplicitDeny},
		{"keys are ANDed", from + `{"StringEquals":{"b":"true","s":"x"}}}]`, "b=true;s=y", ImplicitDeny},
		{"values are ORed", from + `{"StringEquals":{"s":["x","y"]}}}]`, "s=y", Allowed},
		{"a narrow Deny leaves a wide Allow", deny(`"Action":"a:C"`), "", Allowed},
		{"a conditional Deny", deny(`"Action":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`), "aws:SecureTransport=true", Allowed},
		{"a Deny whose key is missing", deny(`"Action":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`), "", Allowed},
		{"a Deny that holds", deny(`"Action":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`), "aws:SecureTransport=false", ExplicitDeny},
		{"a negated Deny on a missing key", deny(`"Action":"*","Condition":{"StringNotEqualsIfExists":{"k":"x"}}`), "", ExplicitDeny},
		{"any organization", from + `{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}]`, "aws:PrincipalOrgID=o-stranger", Allowed},
		{"any source account", from + `{"StringLike":{"aws:SourceAccount":"*"}}}]`, "aws:SourceAccount=444455556666", Allowed},
		{"any bucket", from + `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}}]`, "aws:SourceArn=arn:aws:s3:::theirs", Allowed},
		{"everyone but us", from + `{"ForAllValues:StringNotEquals":{"aws:PrincipalOrgID":"o-us"}}}]`, "", Allowed},
		{"ForAllValues is no guard", from + `{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-us"}}}]`, "", Allowed},
		{"0.0.0.0/0 is everybody", from + `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}}]`, "aws:SourceIp=198.51.100.7", Allowed},
		{"two halves are everybody", from + `{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}}]`, "aws:SourceIp=198.51.100.7", Allowed},
		{"NotIpAddress", from + `{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}]`, "aws:SourceIp=198.51.100.7", Allowed},
		{"NotAction", `[{"Effect":"Allow","Principal":"*","NotAction":"a:C"}]`, "", Allowed},
		{"NotPrincipal", `[{"Effect":"Allow","NotPrincipal":{"AWS":"999999999999"},"Action":"a:B"}]`, "", Allowed},
		{"one statement object", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"a:B"}}`, "", Allowed},
		{"IfExists is open without the key", from + `{"StringEqualsIfExists":{"aws:SourceAccount":"111122223333"}}}]`, "", Allowed},
		{"absence test", from + `{"Null":{"aws:PrincipalOrgID":"true"}}}]`, "", Allowed},
		{"AWS:SourceAccount and aws:SourceAccount", from + `{"StringEquals":{"AWS:SourceAccount":"1"}}}]`, "aws:sourceaccount=1", Allowed},
		{"StringEquals takes * as text", from + `{"StringEquals":{"aws:SourceAccount":"*"}}}]`, "aws:SourceAccount=1", ImplicitDeny},
		{"AuthType NONE", from + `{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}]`, "lambda:FunctionUrlAuthType=AWS_IAM", ImplicitDeny},
		{"InvokedViaFunctionUrl", from + `{"Bool":{"lambda:InvokedViaFunctionUrl":true}}}]`, "lambda:InvokedViaFunctionUrl=true", Allowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkOutcome(t, evaluateText(t, c.policy, Request{Principal: Caller{Kind: Anonymous}, Action: "a:B", Context: evalContext(c.context)}), c.want)
		})
	}
}

// TestEvaluateAgreesWithLabelledExposures replays the labelled exposures that a
// stranger without any key decides.
func TestEvaluateAgreesWithLabelledExposures(t *testing.T) {
	text := shared(t, "cases/exposure.json")
	var file struct {
		Cases []struct {
			Name, Exposure string
			Policy         Policy
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 40 {
		t.Errorf("only %d cases ran", len(file.Cases))
	}
	stranger := awsCaller("arn:aws:iam::444455556666:role/stranger")
	for _, c := range file.Cases {
		d := Evaluate(c.Policy, Request{Principal: stranger, Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:us-east-1:123456789012:function:f"})
		if d.Outcome == Allowed && c.Exposure != "public" {
			t.Errorf("%s: labelled %s, but a stranger without any key is let in: %s", c.Name, c.Exposure, d.Reason)
		}
		if d.Outcome == Undecided {
			t.Errorf("%s: undecided: %s", c.Name, d.Reason)
		}
	}
	t.Logf("%d labelled policies", len(file.Cases))
}

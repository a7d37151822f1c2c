package policy

import (
	"strings"
	"testing"
)

func TestEvaluateCondition(t *testing.T) {
	for _, c := range []struct {
		condition, context string
		want               Outcome
	}{
		{`{"StringEquals":{"k":"v"}}`, "k=v", Allowed},
		{`{"StringEquals":{"k":"v"}}`, "K=v", Allowed},
		{`{"StringEquals":{"k":"v"}}`, "k=V", ImplicitDeny},
		{`{"StringEquals":{"k":"v"}}`, "", ImplicitDeny},
		{`{"StringEquals":{"k":"v*"}}`, "k=vv", ImplicitDeny},
		{`{"StringEquals":{"k":""}}`, "k", Allowed},
		{`{"StringEquals":{"k":123}}`, "k=123", Allowed},
		{`{"StringEquals":{"aws:PrincipalTag/Team":"v"}}`, "aws:PrincipalTag/team=v", Allowed},
		{`{"StringEquals":{"k":[]}}`, "k=v", Undecided},
		{`{"StringEquals":{}}`, "", Allowed},
		{`{"stringequals":{"k":"v"}}`, "k=v", Allowed},
		{`{"StringNotEquals":{"k":"v"}}`, "k=v", ImplicitDeny},
		{`{"StringNotEquals":{"k":"v"}}`, "k=w", Allowed},
		{`{"StringNotEquals":{"k":"v"}}`, "", Allowed},
		{`{"StringNotEquals":{"k":["v","w"]}}`, "k=w", ImplicitDeny},
		{`{"StringNotEquals":{"k":["v","w"]}}`, "k=x", Allowed},
		{`{"StringEqualsIgnoreCase":{"k":"v"}}`, "k=V", Allowed},
		{`{"StringEqualsIgnoreCase":{"k":"ſ"}}`, "k=s", Undecided},
		{`{"StringEqualsIgnoreCase":{"k":"v"}}`, "k=w", ImplicitDeny},
		{`{"StringNotEqualsIgnoreCase":{"k":"v"}}`, "k=V", ImplicitDeny},
		{`{"StringNotEqualsIgnoreCase":{"k":"v"}}`, "", Allowed},
		{`{"StringLike":{"k":"a*c"}}`, "k=a:b:c", Allowed},
		{`{"StringLike":{"k":"a?c"}}`, "k=a:c", Allowed},
		{`{"StringLike":{"k":"a?c"}}`, "k=ac", ImplicitDeny},
		{`{"StringLike":{"k":"*"}}`, "k", Allowed},
		{`{"StringLike":{"k":"*"}}`, "", ImplicitDeny},
		{`{"StringLike":{"k":"A*"}}`, "k=abc", ImplicitDeny},
		{`{"StringNotLike":{"k":"a*"}}`, "k=abc", ImplicitDeny},
		{`{"StringNotLike":{"k":"a*"}}`, "k=bc", Allowed},
		{`{"StringNotLike":{"k":"a*"}}`, "", Allowed},

		{`{"ArnLike":{"k":"arn:aws:s3:::b*"}}`, "k=arn:aws:s3:::bucket", Allowed},
		{`{"ArnEquals":{"k":"arn:aws:s3:::b*"}}`, "k=arn:aws:s3:::bucket", Allowed},
		{`{"ArnEquals":{"k":"arn:aws:s3:::b"}}`, "k=arn:aws:s3:::bucket", ImplicitDeny},
		{`{"ArnLike":{"k":"arn:aws:lambda:*"}}`, "k=arn:aws:lambda:us-east-1:1:function:f:live", Allowed},
		{`{"ArnLike":{"k":"arn:aws:*:us-east-1:1:*"}}`, "k=arn:aws:lambda:us-east-1:1:function:f:live", Allowed},
		{`{"ArnLike":{"k":"*"}}`, "k=arn:aws:s3:::b", Allowed},
		{`{"ArnLike":{"k":"*"}}`, "k=not-an-arn", Allowed},
		{`{"ArnLike":{"k":"arn:aws:s3:::b"}}`, "k=not-an-arn", Undecided},
		{`{"ArnLike":{"k":"b"}}`, "k=arn:aws:s3:::b", ImplicitDeny},
		{`{"ArnLike":{"k":"arn:aws:s3:::b"}}`, "", ImplicitDeny},
		{`{"ArnNotLike":{"k":"arn:aws:s3:::b*"}}`, "k=arn:aws:s3:::bucket", ImplicitDeny},
		{`{"ArnNotEquals":{"k":"arn:aws:s3:::b*"}}`, "k=arn:aws:s3:::c", Allowed},
		{`{"ArnNotEquals":{"k":"arn:aws:s3:::b*"}}`, "", Allowed},

		{`{"NumericEquals":{"k":10}}`, "k=10.0", Allowed},
		{`{"NumericEquals":{"k":"10"}}`, "k=010", Allowed},
		{`{"NumericEquals":{"k":0}}`, "k=-0.0", Allowed},
		{`{"NumericEquals":{"k":"0.30000000000000000000000000000000001"}}`, "k=0.3", ImplicitDeny},
		{`{"NumericEquals":{"k":"9007199254740993"}}`, "k=9007199254740992", ImplicitDeny},
		{`{"NumericNotEquals":{"k":10}}`, "k=11", Allowed},
		{`{"NumericNotEquals":{"k":10}}`, "", Allowed},
		{`{"NumericLessThan":{"k":10}}`, "k=9", Allowed},
		{`{"NumericLessThan":{"k":10}}`, "k=10", ImplicitDeny},
		{`{"NumericLessThan":{"k":10}}`, "k=-11", Allowed},
		{`{"NumericLessThan":{"k":-10}}`, "k=-11", Allowed},
		{`{"NumericLessThan":{"k":"1.25"}}`, "k=1.3", ImplicitDeny},
		{`{"NumericLessThan":{"k":"1.3"}}`, "k=1.25", Allowed},
		{`{"NumericLessThanEquals":{"k":10}}`, "k=10", Allowed},
		{`{"NumericGreaterThan":{"k":10}}`, "k=100", Allowed},
		{`{"NumericGreaterThan":{"k":10}}`, "k=9.99", ImplicitDeny},
		{`{"NumericGreaterThanEquals":{"k":10}}`, "k=10", Allowed},
		{`{"NumericLessThan":{"k":10}}`, "", ImplicitDeny},
		{`{"NumericEquals":{"k":"ten"}}`, "k=10", Undecided},
		{`{"NumericEquals":{"k":"10"}}`, "k=ten", Undecided},
		{`{"NumericEquals":{"k":1e1}}`, "k=10", Undecided},
		{`{"NumericEquals":{"k":[10,"ten"]}}`, "k=10", Allowed},
		{`{"NumericNotEquals":{"k":[10,"ten"]}}`, "k=10", ImplicitDeny},
		{`{"NumericNotEquals":{"k":[10,"ten"]}}`, "k=11", Undecided},
		{`{"NumericEquals":{"k":"ten"}}`, "", ImplicitDeny},

		{`{"DateLessThan":{"k":"2026-01-01T00:00:00Z"}}`, "k=2025-12-31T23:59:59Z", Allowed},
		{`{"DateLessThan":{"k":"2026-01-01T00:00:00Z"}}`, "k=2026-01-01T00:00:00Z", ImplicitDeny},
		{`{"DateLessThanEquals":{"k":"2026-01-01T00:00:00Z"}}`, "k=2026-01-01T00:00:00Z", Allowed},
		{`{"DateEquals":{"k":"2026-01-01T01:00:00+01:00"}}`, "k=2026-01-01T00:00Z", Allowed},
		{`{"DateEquals":{"k":"2026-01-01"}}`, "k=2026-01-01T00:00:00Z", Allowed},
		{`{"DateEquals":{"k":"2026-01"}}`, "k=2026-01-01T00:00:00Z", Allowed},
		{`{"DateEquals":{"k":1767225600}}`, "k=2026-01-01T00:00:00.000Z", Allowed},
		{`{"DateNotEquals":{"k":"1767225600"}}`, "k=2026-01-01T00:00:00Z", ImplicitDeny},
		{`{"DateNotEquals":{"k":"1767225600"}}`, "", Allowed},
		{`{"DateGreaterThan":{"k":"2026-01-01T00:00:00Z"}}`, "k=2026-01-01T00:00:00.5Z", Allowed},
		{`{"DateGreaterThanEquals":{"k":"2026-01-01"}}`, "k=1767225600", Allowed},
		{`{"DateGreaterThan":{"k":"2026-01-01"}}`, "", ImplicitDeny},
		{`{"DateLessThan":{"k":"1767225600000"}}`, "k=2025-01-01T00:00:00Z", Undecided},
		{`{"DateLessThan":{"k":"2026"}}`, "k=2025-01-01T00:00:00Z", Undecided},
		{`{"DateLessThan":{"k":"2026-01-01T00:00:00"}}`, "k=2025-01-01T00:00:00Z", Undecided},
		{`{"DateLessThan":{"k":"2026-13-01"}}`, "k=2025-01-01", Undecided},
		{`{"DateLessThan":{"k":"tomorrow"}}`, "k=2025-01-01", Undecided},
		{`{"DateLessThan":{"k":"2026-01-01"}}`, "k=soon", Undecided},

		{`{"Bool":{"k":true}}`, "k=true", Allowed},
		{`{"Bool":{"k":"True"}}`, "k=true", Allowed},
		{`{"Bool":{"k":"false"}}`, "k=true", ImplicitDeny},
		{`{"Bool":{"k":["true","false"]}}`, "k=true", Allowed},
		{`{"Bool":{"k":"true"}}`, "", ImplicitDeny},
		{`{"BoolIfExists":{"k":"true"}}`, "", Allowed},
		{`{"BoolIfExists":{"k":"true"}}`, "k=false", ImplicitDeny},
		{`{"Bool":{"k":"yes"}}`, "k=true", Undecided},
		{`{"Bool":{"k":"true"}}`, "k=1", Undecided},
		{`{"BinaryEquals":{"k":"QmluYXJ5"}}`, "k=QmluYXJ5", Allowed},
		{`{"BinaryEquals":{"k":"QmluYXJ5"}}`, "k=QmluYXJ6", ImplicitDeny},
		{`{"BinaryEquals":{"k":"???"}}`, "k=QmluYXJ5", Undecided},
		{`{"BinaryEquals":{"k":"QmluYXJ5"}}`, "", ImplicitDeny},

		{`{"IpAddress":{"k":"203.0.113.0/24"}}`, "k=203.0.113.255", Allowed},
		{`{"IpAddress":{"k":"203.0.113.0/24"}}`, "k=203.0.114.0", ImplicitDeny},
		{`{"IpAddress":{"k":"203.0.113.7"}}`, "k=203.0.113.7", Allowed},
		{`{"IpAddress":{"k":"203.0.113.7"}}`, "k=203.0.113.8", ImplicitDeny},
		{`{"IpAddress":{"k":"203.0.113.9/24"}}`, "k=203.0.113.1", Allowed},
		{`{"IpAddress":{"k":"2001:DB8:1234:5678::/64"}}`, "k=2001:db8:1234:5678::1", Allowed},
		{`{"IpAddress":{"k":"2001:db8::/32"}}`, "k=2001:db9::1", ImplicitDeny},
		{`{"IpAddress":{"k":"2001:db8::1"}}`, "k=2001:0db8:0:0:0:0:0:1", Allowed},
		{`{"IpAddress":{"k":"0.0.0.0/0"}}`, "k=2001:db8::1", ImplicitDeny},
		{`{"IpAddress":{"k":"::/0"}}`, "k=203.0.113.7", ImplicitDeny},
		{`{"IpAddress":{"k":"10.0.0.0/8"}}`, "k=::ffff:10.0.0.1", Undecided},
		{`{"IpAddress":{"k":"10.0.0.0/8"}}`, "k=::ffff:11.0.0.1", ImplicitDeny},
		{`{"IpAddress":{"k":"::ffff:10.0.0.0/104"}}`, "k=10.0.0.1", Undecided},
		{`{"IpAddress":{"k":"::ffff:10.0.0.0/104"}}`, "k=::ffff:10.0.0.1", Allowed},
		{`{"IpAddress":{"k":["::/0","0.0.0.0/0"]}}`, "k=203.0.113.7", Allowed},
		{`{"IpAddress":{"k":"203.0.113.*"}}`, "k=203.0.113.7", Undecided},
		{`{"IpAddress":{"k":"203.0.113.0/33"}}`, "k=203.0.113.7", Undecided},
		{`{"IpAddress":{"k":"203.0.113.0/24"}}`, "k=here", Undecided},
		{`{"IpAddress":{"k":"203.0.113.0/24"}}`, "", ImplicitDeny},
		{`{"NotIpAddress":{"k":"203.0.113.0/24"}}`, "", Allowed},
		{`{"NotIpAddress":{"k":["203.0.113.0/24","198.51.100.0/24"]}}`, "k=198.51.100.1", ImplicitDeny},

		{`{"Null":{"k":"true"}}`, "", Allowed},
		{`{"Null":{"k":true}}`, "k=v", ImplicitDeny},
		{`{"Null":{"k":"False"}}`, "k=v", Allowed},
		{`{"Null":{"k":"false"}}`, "", ImplicitDeny},
		{`{"Null":{"k":"false"}}`, "k=", Allowed},
		{`{"Null":{"k":["true","false"]}}`, "", Allowed},
		{`{"Null":{"k":"maybe"}}`, "", Undecided},
		{`{"NullIfExists":{"k":"true"}}`, "", Undecided},
		{`{"ForAnyValue:Null":{"k":"true"}}`, "", Undecided},
		{`{"ForAllValues:Null":{"k":"true"}}`, "", Undecided},

		{`{"StringEqualsIfExists":{"k":"v"}}`, "", Allowed},
		{`{"StringEqualsIfExists":{"k":"v"}}`, "k=w", ImplicitDeny},
		{`{"StringNotEqualsIfExists":{"k":"v"}}`, "", Allowed},
		{`{"StringNotEqualsIfExists":{"k":"v"}}`, "k=v", ImplicitDeny},
		{`{"ArnLikeIfExists":{"k":"arn:aws:s3:::b"}}`, "", Allowed},
		{`{"NumericLessThanIfExists":{"k":1}}`, "", Allowed},
		{`{"DateLessThanIfExists":{"k":"2026-01-01"}}`, "", Allowed},
		{`{"IpAddressIfExists":{"k":"10.0.0.0/8"}}`, "", Allowed},
		{`{"BinaryEqualsIfExists":{"k":"QQ=="}}`, "", Allowed},

		{`{"ForAnyValue:StringEquals":{"k":["a","b"]}}`, "k=x|b", Allowed},
		{`{"ForAnyValue:StringEquals":{"k":["a","b"]}}`, "k=x|y", ImplicitDeny},
		{`{"ForAnyValue:StringEquals":{"k":"a"}}`, "k=a", Allowed},
		{`{"ForAnyValue:StringEquals":{"k":"a"}}`, "k=", ImplicitDeny},
		{`{"ForAnyValue:StringEquals":{"k":"a"}}`, "", ImplicitDeny},
		{`{"ForAnyValue:StringEqualsIfExists":{"k":"a"}}`, "", Allowed},
		{`{"ForAnyValue:StringEquals":{"k":""}}`, "k", Undecided},
		{`{"ForAnyValue:StringNotEquals":{"k":"a"}}`, "k=a|b", Allowed},
		{`{"ForAnyValue:StringNotEquals":{"k":"a"}}`, "k=a", ImplicitDeny},
		{`{"ForAnyValue:StringNotEquals":{"k":"a"}}`, "", ImplicitDeny},
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, "k=a|b", Allowed},
		{`{"ForAllValues:StringEquals":{"k":["a","b"]}}`, "k=a|x", ImplicitDeny},
		{`{"ForAllValues:StringEquals":{"k":"a"}}`, "k=a", Allowed},
		{`{"ForAllValues:StringEquals":{"k":"a"}}`, "k=", Allowed},
		{`{"ForAllValues:StringEquals":{"k":"a"}}`, "", Allowed},
		{`{"ForAllValues:StringEquals":{"k":"a"}}`, "k", Undecided},
		{`{"ForAllValues:StringLike":{"k":"a*"}}`, "k=ab|ac", Allowed},
		{`{"ForAllValues:StringNotEquals":{"k":"a"}}`, "k=b|c", Allowed},
		{`{"ForAllValues:StringNotEquals":{"k":"a"}}`, "k=b|a", ImplicitDeny},
		{`{"ForAllValues:StringNotEquals":{"k":"a"}}`, "", Allowed},
		{`{"ForAnyValue:NumericLessThan":{"k":10}}`, "k=11|9", Allowed},
		{`{"forallvalues:StringEquals":{"k":"a"}}`, "k=b", ImplicitDeny},

		{`{"StringEquals":{"k":["a","b"]}}`, "k=a|b", Allowed},
		{`{"StringEquals":{"k":"a"}}`, "k=a|b", Undecided},
		{`{"StringEquals":{"k":"a"}}`, "k=x|y", ImplicitDeny},
		{`{"StringEquals":{"k":"a"}}`, "k=", Undecided},
		{`{"StringNotEquals":{"k":"a"}}`, "k=x|y", Allowed},
		{`{"StringNotEquals":{"k":"a"}}`, "k=a|b", Undecided},
		{`{"StringNotEquals":{"k":"a"}}`, "k=a|a", ImplicitDeny},

		{`{"StringMatches":{"k":"a"}}`, "k=a", Undecided},
		{`{"ForSomeValue:StringEquals":{"k":"a"}}`, "", Undecided},
		{`{"IfExists":{"k":"a"}}`, "", Undecided},
		{`{"StringMatches":{"k":"a"},"StringEquals":{"k":"b"}}`, "k=a", ImplicitDeny},
		{`{"StringEquals":{"k":"a"}}`, "k=a;K=b", Undecided},
		{`{"StringEquals":{"k":"a"}}`, "k=a;K=a", Allowed},
		{`{"StringEquals":{"k":"a","j":"b"}}`, "k=a;j=b", Allowed},
		{`{"StringEquals":{"k":"a"},"StringLike":{"j":"b*"}}`, "k=a;j=c", ImplicitDeny},
	} {
		t.Run(c.condition+" "+c.context, func(t *testing.T) {
			text := `[{"Effect":"Allow","Principal":"*","Action":"*","Condition":` + c.condition + `}]`
			checkOutcome(t, evaluateText(t, text, Request{Principal: Caller{Kind: Anonymous}, Action: "a:B", Context: evalContext(c.context)}), c.want)
		})
	}
}

func TestEvaluateDerivesKeysFromTheCaller(t *testing.T) {
	for _, c := range []struct {
		condition string
		caller    Caller
		context   string
		want      Outcome
	}{
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}`, awsCaller(evalSession), "", Allowed},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:sts::111122223333:assumed-role/r/*"}}`, awsCaller(evalSession), "", ImplicitDeny},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, awsCaller(evalSession), "", Allowed},
		{`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/team/r"}}`, awsCaller(evalSession), "aws:PrincipalArn=arn:aws:iam::111122223333:role/team/r", Allowed},
		{`{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/u"}}`, awsCaller(evalAccount + "user/u"), "", Allowed},
		{`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, awsCaller(evalSession), "", Allowed},
		{`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, awsCaller(evalSession), "AWS:principalaccount=444455556666", ImplicitDeny},
		{`{"StringEquals":{"aws:PrincipalType":"AssumedRole"}}`, awsCaller(evalSession), "", Allowed},
		{`{"StringEquals":{"aws:PrincipalType":"Account"}}`, awsCaller("111122223333"), "", Allowed},
		{`{"StringEquals":{"aws:PrincipalType":"FederatedUser"}}`, awsCaller("arn:aws:sts::111122223333:federated-user/f"), "", Allowed},
		{`{"StringEquals":{"aws:username":"u"}}`, awsCaller(evalAccount + "user/div/u"), "", Allowed},
		{`{"Null":{"aws:username":"true"}}`, awsCaller(evalSession), "", Allowed},
		{`{"Null":{"aws:userid":"true"}}`, awsCaller(evalAccount + "user/u"), "", Allowed},
		{`{"Null":{"aws:PrincipalArn":"true"}}`, Caller{Kind: Anonymous}, "", Allowed},
		{`{"Bool":{"aws:PrincipalIsAWSService":"true"}}`, Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}, "", Allowed},
		{`{"Bool":{"aws:PrincipalIsAWSService":"false"}}`, awsCaller(evalSession), "", Allowed},
		{`{"StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com"}}`, Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}, "", Allowed},
		{`{"StringLike":{"k":"home/${aws:username}/*"}}`, awsCaller(evalAccount + "user/u"), "k=home/u/x", Allowed},
	} {
		t.Run(c.condition+" "+c.caller.ID, func(t *testing.T) {
			text := `[{"Effect":"Allow","Principal":"*","Action":"*","Condition":` + c.condition + `}]`
			checkOutcome(t, evaluateText(t, text, Request{Principal: c.caller, Action: "a:B", Context: evalContext(c.context)}), c.want)
		})
	}
}

func TestEvaluateCombinesStatements(t *testing.T) {
	const (
		allow    = `{"Effect":"Allow","Action":"*"}`
		deny     = `{"Effect":"Deny","Action":"*"}`
		mayAllow = `{"Effect":"Allow","Action":"*","Condition":{"What":{"k":"v"}}}`
		mayDeny  = `{"Effect":"Deny","Action":"*","Condition":{"What":{"k":"v"}}}`
		other    = `{"Effect":"Allow","Action":"x:Y"}`
	)
	for _, c := range []struct {
		statements []string
		want       Outcome
		by         int
	}{
		{nil, ImplicitDeny, -1},
		{[]string{other}, ImplicitDeny, -1},
		{[]string{other, allow}, Allowed, 1},
		{[]string{allow, deny}, ExplicitDeny, 1},
		{[]string{deny, allow}, ExplicitDeny, 0},
		{[]string{deny}, ExplicitDeny, 0},
		{[]string{mayDeny, mayAllow, allow, deny}, ExplicitDeny, 3},
		{[]string{allow, mayDeny}, Undecided, 1},
		{[]string{mayAllow}, Undecided, 0},
		{[]string{mayAllow, allow}, Allowed, 1},
		{[]string{mayAllow, mayDeny}, Undecided, 1},
		{[]string{other, mayDeny}, ImplicitDeny, -1},
		{[]string{mayDeny}, ImplicitDeny, -1},
	} {
		d := evaluateText(t, "["+strings.Join(c.statements, ",")+"]", Request{Action: "a:B"})
		checkOutcome(t, d, c.want)
		if d.Statement != c.by || len(d.Trace) != len(c.statements) {
			t.Errorf("%v: decided by %d, trace of %d", c.statements, d.Statement, len(d.Trace))
		}
	}
}

func TestEvaluateReason(t *testing.T) {
	const policy = `[{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}},
		{"Effect":"Deny","Principal":"*","NotAction":"lambda:InvokeFunction"}]`
	s3 := Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{s3, "lambda:InvokeFunction", "", evalContext("aws:SourceAccount=111122223333")}, "statement 0 (s3) allows it: Principal s3.amazonaws.com, Action lambda:*, Resource * and all conditions hold"},
		{Request{s3, "lambda:InvokeFunction", "", evalContext("aws:SourceAccount=4")}, `no statement allows it; statement 0 (s3) comes nearest, but its Condition StringEquals aws:SourceAccount does not hold: the request carries "4"`},
		{Request{s3, "lambda:InvokeFunction", "", nil}, `no statement allows it; statement 0 (s3) comes nearest, but its Condition StringEquals aws:SourceAccount does not hold: the request does not have the key`},
		{Request{awsCaller(evalSession), "lambda:InvokeFunction", "", nil}, `no statement allows it; statement 0 (s3) comes nearest, but its Principal does not name arn:aws:sts::111122223333:assumed-role/r/s`},
		{Request{s3, "lambda:GetFunction", "", nil}, "statement 1 denies it: Principal *, NotAction and all conditions hold"},
		{Request{s3, "lambda:InvokeFunction", "", evalContext("aws:SourceAccount=1|111122223333")}, "whether statement 0 (s3) allows it is not known: Condition StringEquals aws:SourceAccount: the request has not one value for the key, and the operator does not say whether any or all count"},
	} {
		if got := evaluateText(t, policy, c.request).Reason; got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestEvaluateIdentityIntersectsWithTheBoundary(t *testing.T) {
	read := func(text string) Policy {
		p, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[` + text + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	allow, deny := read(`{"Effect":"Allow","Action":"a:*","Resource":"*"}`), read(`{"Effect":"Deny","Action":"a:*","Resource":"*"}`)
	unknown := read(`{"Effect":"Allow","Action":"a:*","Resource":"*","Condition":{"What":{"k":"v"}}}`)
	other := read(`{"Effect":"Allow","Action":"x:*","Resource":"*"}`)
	withPrincipal := read(`{"Effect":"Allow","Principal":"*","Action":"a:*","Resource":"*"}`)
	for _, c := range []struct {
		name     string
		policies []Policy
		boundary *Policy
		want     Outcome
		by       [2]int
	}{
		{"none", nil, nil, ImplicitDeny, [2]int{0, -1}},
		{"union", []Policy{other, allow}, nil, Allowed, [2]int{1, 0}},
		{"deny in another policy", []Policy{allow, deny}, nil, ExplicitDeny, [2]int{1, 0}},
		{"within", []Policy{allow}, &allow, Allowed, [2]int{0, 0}},
		{"outside", []Policy{allow}, &other, ImplicitDeny, [2]int{0, -1}},
		{"boundary grants nothing", []Policy{other}, &allow, ImplicitDeny, [2]int{0, -1}},
		{"boundary denies", []Policy{allow}, &deny, ExplicitDeny, [2]int{1, 0}},
		{"boundary denies what nothing grants", []Policy{other}, &deny, ExplicitDeny, [2]int{1, 0}},
		{"boundary unknown", []Policy{allow}, &unknown, Undecided, [2]int{1, 0}},
		{"unknown outside", []Policy{unknown}, &other, ImplicitDeny, [2]int{0, -1}},
		{"unknown within", []Policy{unknown}, &allow, Undecided, [2]int{0, 0}},
		{"unknown, boundary unknown", []Policy{other}, &unknown, ImplicitDeny, [2]int{0, -1}},
		{"a Principal has no place", []Policy{withPrincipal}, nil, Undecided, [2]int{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := EvaluateIdentity(c.policies, c.boundary, Request{Principal: awsCaller(evalSession), Action: "a:B", Resource: "arn:aws:a:::b"})
			checkOutcome(t, d, c.want)
			if d.Statement != c.by[1] || d.Statement >= 0 && d.Policy != c.by[0] {
				t.Errorf("decided by policy %d, statement %d (%s)", d.Policy, d.Statement, d.Reason)
			}
		})
	}
}

func TestEvaluateOfStatementsThatParseRefuses(t *testing.T) {
	allow := Statement{Effect: Allow, Action: []string{"*"}}
	for name, change := range map[string]func(*Statement){
		"both principals": func(s *Statement) { s.Principal, s.NotPrincipal = &Principals{Any: true}, &Principals{} },
		"both actions":    func(s *Statement) { s.NotAction = []string{"x"} },
		"no action":       func(s *Statement) { s.Action = nil },
		"both resources":  func(s *Statement) { s.Resource, s.NotResource = []string{"*"}, []string{"x"} },
		"no effect":       func(s *Statement) { s.Effect = "" },
	} {
		t.Run(name, func(t *testing.T) {
			s := allow
			change(&s)
			checkOutcome(t, Evaluate(Policy{Statements: []Statement{s}}, Request{Action: "a:B"}), Undecided)
		})
	}
}

package policy

import "testing"

// smallCases are pairs of policies that somebody gets wrong, or that this
// package got wrong once, each by its name.
var smallCases = []struct {
	name, baseline, current string
	o                       Options
	isNew, unknown          bool
}{
	{"a removed Deny", doc(allowAll, denyWhen(`{"StringEquals":{"aws:SourceAccount":"1"}}`)), doc(allowAll), Options{}, true, false},
	{"a narrowed Deny", doc(allowAll, denyWhen(`{"StringLike":{"aws:SourceAccount":"1*"}}`)), doc(allowAll, denyWhen(`{"StringEquals":{"aws:SourceAccount":"1"}}`)), Options{}, true, false},
	{"a Deny that became wider", doc(allowAll, denyWhen(`{"StringEquals":{"aws:SourceAccount":"1"}}`)), doc(allowAll, denyWhen(`{"StringLike":{"aws:SourceAccount":"1*"}}`)), Options{}, false, false},
	{"a removed Deny of what nobody allows", doc(allowGet, denyWhen(`{}`)), doc(allowGet), Options{}, true, false},
	{"one Deny in two halves", doc(allowAll, denyWhen(`{}`)), doc(allowAll, denyWhen(`{"Null":{"aws:SourceVpce":"true"}}`), denyWhen(`{"Null":{"aws:SourceVpce":"false"}}`)), Options{}, false, false},
	{"two Allows cover one", doc(allowWhen(`{"Bool":{"aws:SecureTransport":"true"}}`), allowWhen(`{"BoolIfExists":{"aws:SecureTransport":"false"}}`)), doc(allowAll), Options{}, false, false},
	{"a missing key satisfies Not", doc(allowWhen(`{"Null":{"k":"false"}}`)), doc(allowWhen(`{"StringNotEquals":{"k":"a"}}`)), Options{}, true, false},
	{"an array of one is its element", doc(allowWhen(`{"StringEquals":{"k":["a"]}}`)), doc(allowWhen(`{"StringEquals":{"K":"a"}}`)), Options{}, false, false},
	{"ForAllValues lets the missing key in", doc(allowWhen(`{"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}}`)), doc(allowWhen(`{"ForAllValues:StringEquals":{"aws:TagKeys":"a"}}`)), Options{}, true, false},
	{"ForAnyValue of two is no more than of three", doc(allowWhen(`{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b","c"]}}`)), doc(allowWhen(`{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}`)), Options{}, false, false},
	{"numbers touch", doc(allowWhen(`{"NumericLessThan":{"k":"5"}}`), allowWhen(`{"NumericGreaterThanEquals":{"k":"5.0"}}`)), doc(allowWhen(`{"NumericLessThanEquals":{"k":[5,1e2]}}`)), Options{}, false, false},
	{"a gap between numbers", doc(allowWhen(`{"NumericLessThan":{"k":"5"}}`), allowWhen(`{"NumericGreaterThan":{"k":"5"}}`)), doc(allowWhen(`{"NumericLessThanEquals":{"k":"9"}}`)), Options{}, true, false},
	{"dates in two spellings", doc(allowWhen(`{"DateLessThan":{"aws:CurrentTime":"2026-02-01T00:00:00Z"}}`)), doc(allowWhen(`{"DateLessThan":{"aws:CurrentTime":"1769904000"}}`)), Options{}, false, false},
	{"halves of the IPv6 addresses", doc(allowWhen(`{"IpAddress":{"aws:SourceIp":["::/1","8000::/1","0.0.0.0/0"]}}`)), doc(allowWhen(`{"Null":{"aws:SourceIp":"false"},"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`)), Options{}, false, false},
	{"the same variable", doc(allowWhen(`{"StringEquals":{"aws:PrincipalTag/t":["${aws:username}","x"]}}`)), doc(allowWhen(`{"StringEquals":{"aws:PrincipalTag/t":"${aws:username}"}}`)), Options{}, false, false},
	{"a variable is inside its pattern", doc(allowWhen(`{"StringLike":{"k":"home/*"}}`)), doc(allowWhen(`{"StringLike":{"k":"home/${aws:username}"}}`)), Options{}, false, false},
	{"another variable", doc(allowWhen(`{"StringEquals":{"k":"${aws:username}"}}`)), doc(allowWhen(`{"StringEquals":{"k":"${aws:userid}"}}`)), Options{}, true, false},
	{"the same unknown operator", doc(allowWhen(`{"StringMatches":{"k":"a"}}`)), doc(allowWhen(`{"StringMatches":{"K":"a"},"Bool":{"aws:SecureTransport":"true"}}`)), Options{}, false, false},
	{"another unknown operator", doc(allowWhen(`{"StringMatches":{"k":"a"}}`)), doc(allowWhen(`{"StringMatches":{"k":"b"}}`)), Options{}, true, true},
	{"an unknown operator that does not matter", doc(allowAll), doc(allowWhen(`{"StringMatches":{"k":"b"}}`)), Options{}, false, false},
	{"a number that is none", doc(allowWhen(`{"NumericLessThan":{"k":"5"}}`)), doc(allowWhen(`{"NumericLessThan":{"k":"five"}}`)), Options{}, true, true},
	{"NotPrincipal with a role but not its account", doc(`{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`), doc(`{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/r"},"Action":"*","Resource":"*"}`), Options{}, true, true},
	{"a session of the role", doc(to(`{"AWS":"arn:aws:iam::111122223333:role/path/r"}`)), doc(to(`{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`)), Options{}, false, false},
	{"the role of a session", doc(to(`{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`)), doc(to(`{"AWS":"arn:aws:iam::111122223333:role/r"}`)), Options{}, true, false},
	{"a principal that was deleted", doc(to(`{"AWS":"arn:aws:iam::111122223333:role/r"}`)), doc(to(`{"AWS":"AROAEXAMPLEEXAMPLEAB"}`)), Options{}, false, false},
	{"services are in the star", doc(to(`"*"`)), doc(to(`{"Service":"s3.amazonaws.com","Federated":"www.amazon.com"}`)), Options{}, false, false},
	{"an account does not hold its services", doc(to(`{"AWS":"111122223333"}`)), doc(to(`{"Service":"s3.amazonaws.com"}`)), Options{}, true, false},
	{"roles by aws:PrincipalArn are in their account", doc(to(`{"AWS":"111122223333"}`)), doc(allowWhen(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`)), Options{}, false, false},
	{"a role by aws:PrincipalArn is the role", doc(to(`{"AWS":"arn:aws:iam::111122223333:role/r"}`)), doc(allowWhen(`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}`)), Options{}, false, false},
	{"anonymous callers have no organization", doc(allowWhen(`{"Null":{"aws:PrincipalOrgID":"true"}}`)), doc(allowWhen(`{"Null":{"aws:PrincipalArn":"true"}}`)), Options{}, false, false},
	{"a member of no organization signs too", doc(allowWhen(`{"Null":{"aws:PrincipalArn":"true"}}`)), doc(allowWhen(`{"Null":{"aws:PrincipalOrgID":"true"}}`)), Options{}, true, false},
	{"the star is the function and its qualifiers", doc(on("arn:aws:lambda:us-east-1:111122223333:function:f", "arn:aws:lambda:us-east-1:111122223333:function:f:*")), doc(on("*")), Options{}, false, false},
	{"the function is not its qualifiers", doc(on("arn:aws:lambda:us-east-1:111122223333:function:f")), doc(on("*")), Options{}, true, false},
	{"two spellings of Action *:*", doc(allowAll), doc(`{"Effect":"Allow","Principal":"*","Action":"*:*","Resource":"*"}`), Options{}, false, false},
	{"old versions have no variables", `{"Version":"2008-10-17","Statement":[` + allowWhen(`{"StringLike":{"k":"${*}"}}`) + `]}`, doc(allowWhen(`{"StringLike":{"k":"x*"}}`)), Options{}, true, false},
	{"inside the boundary", doc(allowGet), doc(allowAll), Options{Type: IdentityPolicy, CurrentBoundary: boundary(allowGet)}, false, false},
	{"a boundary taken away", doc(allowAll), doc(allowAll), Options{Type: IdentityPolicy, BaselineBoundary: boundary(allowGet)}, true, false},
	{"the same boundary on both sides", doc(allowGet), doc(allowAll), Options{Type: IdentityPolicy, BaselineBoundary: boundary(allowGet), CurrentBoundary: boundary(allowGet)}, false, false},
	{"a boundary that denied", doc(allowAll), doc(allowAll), Options{Type: IdentityPolicy, BaselineBoundary: boundary(allowAll, denyWhen(`{}`)), CurrentBoundary: boundary(allowAll)}, true, false},
	{"a trust policy has no resource", doc(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`), doc(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/r"},"Action":"sts:AssumeRole"}`), Options{Type: TrustPolicy}, false, false},
	{"a trust policy that lost its external id", doc(`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}`), doc(`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`), Options{Type: TrustPolicy}, true, false},
	{"tagging the session beside assuming the role", doc(`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`), doc(`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":["sts:AssumeRole","sts:TagSession"]}`), Options{Type: TrustPolicy}, true, false},
	{"one key under two types", doc(allowWhen(`{"NumericEquals":{"k":"1"},"Null":{"k":"true"}}`)), doc(allowWhen(`{"StringEquals":{"k":"1"},"Null":{"k":"true"}}`)), Options{}, false, false},
	{"IgnoreCase holds both cases", doc(allowWhen(`{"StringEqualsIgnoreCase":{"k":"Ab"}}`)), doc(allowWhen(`{"StringEquals":{"k":["aB","AB"]}}`)), Options{}, false, false},
	{"a question mark is one character, not one byte", doc(allowWhen(`{"StringLike":{"k":"?"}}`)), doc(allowWhen(`{"StringEquals":{"k":"é"}}`)), Options{}, false, false},
	{"patterns that leave one word", doc(allowWhen(`{"StringLike":{"k":"a?*"}}`)), doc(allowWhen(`{"StringLike":{"k":"a*"}}`)), Options{}, true, false},
	{"a star that is text behind a variable, beside one that is none", doc(allowWhen(`{"StringEquals":{"k":"z"}}`)), doc(allowWhen(`{"StringLike":{"k":"${aws:PrincipalTag/t}*"},"StringEquals":{"k":"${aws:PrincipalTag/t}*"}}`)), Options{}, true, false},
	{"a canonical user without an account", doc(allowGet), doc(`{"Effect":"Allow","Principal":{"CanonicalUser":"79a5"},"Action":"*","Resource":"*","Condition":{"Null":{"aws:PrincipalAccount":"true"}}}`), Options{}, true, false},
	{"an empty list matches nothing", doc(allowGet), doc(allowWhen(`{"StringEquals":{"k":[]}}`)), Options{}, false, false},
	{"an empty list that is negated", doc(allowGet), doc(allowWhen(`{"StringNotEquals":{"k":[]}}`)), Options{}, true, true},
	{"a Deny of an empty list that is negated", doc(allowGet), doc(allowAll, denyWhen(`{"StringNotEquals":{"k":[]}}`)), Options{}, true, true},
	{"a literal beside a pattern that begins with it", doc(allowWhen(`{"StringEquals":{"k":"a"}}`)), doc(allowWhen(`{"StringLike":{"k":"a*"}}`)), Options{}, true, false},
}

const (
	allowAll = `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`
	allowGet = `{"Effect":"Allow","Principal":"*","Action":"lambda:Get*","Resource":"*"}`
)

func doc(statements ...string) string {
	text := `{"Version":"2012-10-17","Statement":[`
	for i, s := range statements {
		if i > 0 {
			text += ","
		}
		text += s
	}
	return text + `]}`
}

func allowWhen(condition string) string {
	return `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":` + condition + `}`
}

func denyWhen(condition string) string {
	return `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":` + condition + `}`
}

func to(principal string) string {
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"*","Resource":"*"}`
}

func on(resources ...string) string {
	text := ""
	for _, r := range resources {
		text += `,"` + r + `"`
	}
	return `{"Effect":"Allow","Principal":"*","Action":"*","Resource":[` + text[1:] + `]}`
}

func boundary(statements ...string) *Policy {
	p, err := Parse([]byte(doc(statements...)))
	if err != nil {
		panic(err)
	}
	return &p
}

func TestNewAccessSmallCases(t *testing.T) {
	for _, c := range smallCases {
		baseline, current := parsed(t, c.baseline), parsed(t, c.current)
		got := NewAccess(baseline, current, c.o)
		if got.New != c.isNew || got.Unknown != c.unknown || got.Unknown && got.Reason == "" {
			t.Errorf("%s: got %+v, want new %v, unknown %v", c.name, got, c.isNew, c.unknown)
		}
		if got.New && !got.Unknown && !got.Witnesses[0].Certain {
			t.Errorf("%s: not confirmed: %s", c.name, got.Witnesses[0])
		}
		swapped := c.o
		swapped.BaselineBoundary, swapped.CurrentBoundary = c.o.CurrentBoundary, c.o.BaselineBoundary
		if lost := LostAccess(current, baseline, swapped); lost.New != got.New {
			t.Errorf("%s: lost the other way round: %+v", c.name, lost)
		}
	}
}

func TestNewAccessNamesTheStatement(t *testing.T) {
	baseline := parsed(t, doc(allowGet))
	current := parsed(t, doc(denyWhen(`{"Bool":{"aws:SecureTransport":"false"}}`), allowGet,
		`{"Sid":"debug","Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"*"}`,
		`{"Sid":"more","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*"}`))
	if got := NewAccess(baseline, current, Options{}); len(got.Witnesses) != 1 || got.Witnesses[0].Sid != "debug" || got.Witnesses[0].Index != 2 {
		t.Errorf("first: %+v", got)
	}
	got := NewAccess(baseline, current, Options{All: true})
	if len(got.Witnesses) != 2 || got.Witnesses[1].Sid != "more" || !got.Witnesses[0].Certain || !got.Witnesses[1].Certain {
		t.Errorf("all: %+v", got)
	}
	// A removed Deny: the witness is of the Allow that lets the request in.
	lost := NewAccess(current, parsed(t, doc(allowGet)), Options{})
	if !lost.New || lost.Witnesses[0].Index != 0 || !lost.Witnesses[0].Certain || lost.Witnesses[0].Context["aws:SecureTransport"][0] != "false" {
		t.Errorf("removed Deny: %+v", lost)
	}
}

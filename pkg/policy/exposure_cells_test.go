package policy

import (
	"math/rand"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var exposureOwner = Owner{Account: "111122223333", Organization: "o-exampleorgid", TrustedAccounts: []string{"777788889999"}, TrustedOrganizations: []string{"o-partnerorg1"}}

func TestExposureOfWholePolicies(t *testing.T) {
	const (
		open  = `{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"}`
		s3    = `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"*"}`
		other = `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"lambda:InvokeFunction","Resource":"*"}`
	)
	allow := func(principal, condition string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"lambda:InvokeFunction","Resource":"*","Condition":` + condition + `}`
	}
	deny := func(condition string) string {
		return `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":` + condition + `}`
	}
	for _, c := range []struct {
		name string
		want Exposure
		list []string
	}{
		{"Deny of other organizations pins to the own", Organization, []string{open, deny(`{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)}},
		{"the same with IfExists, which adds nothing to Not", Organization, []string{open, deny(`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)}},
		{"and with a Deny of the missing key does not", Organization, []string{open, deny(`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}`), deny(`{"Null":{"aws:PrincipalOrgID":"true"}}`)}},
		{"Deny of a foreign organization leaves the others", Public, []string{open, deny(`{"StringEquals":{"aws:PrincipalOrgID":"o-attackersorg"}}`)}},
		{"Deny of other accounts pins to the own", Internal, []string{open, deny(`{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`)}},
		{"Deny of everybody but the own account", Internal, []string{open, `{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`}},
		{"Deny of everybody but a foreign account", External, []string{open, `{"Effect":"Deny","NotPrincipal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}`}},
		{"Deny of everybody but a service", ConfusedDeputy, []string{open, `{"Effect":"Deny","NotPrincipal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}`}},
		{"Deny of calls without SourceAccount pins the service", Internal, []string{s3, deny(`{"StringNotEquals":{"aws:SourceAccount":"111122223333"}}`)}},
		{"Deny of other sources by ARN", Internal, []string{s3, deny(`{"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}`)}},
		{"Deny of other sources by ARN without account", ConfusedDeputy, []string{s3, deny(`{"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::b"}}`)}},
		{"Deny of another action", Public, []string{open, `{"Effect":"Deny","Principal":"*","Action":"lambda:Get*","Resource":"*"}`}},
		{"Deny of everything", Nobody, []string{open, `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`}},
		{"Deny in two halves", Nobody, []string{open, deny(`{"Bool":{"aws:SecureTransport":"true"}}`), deny(`{"BoolIfExists":{"aws:SecureTransport":"false"}}`)}},
		{"Deny of everything but invoking", Public, []string{open, `{"Effect":"Deny","Principal":"*","NotAction":"lambda:InvokeFunction","Resource":"*"}`}},
		{"Deny of other addresses", External, []string{open, deny(`{"NotIpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`)}},
		{"Deny of half the addresses", Public, []string{open, deny(`{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`)}},
		{"Deny of other VPC endpoints", External, []string{open, deny(`{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`)}},
		{"Deny of other user agents pins nobody", Public, []string{open, deny(`{"StringNotEquals":{"aws:UserAgent":"secret"}}`)}},
		{"Deny of anonymous callers only", Public, []string{open, deny(`{"Null":{"aws:PrincipalArn":"true"}}`)}},
		{"Deny of roles outside the account", Internal, []string{open, deny(`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`)}},
		{"Deny of organization paths outside", Organization, []string{open, deny(`{"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/r-1/*"}}`)}},
		{"two pins in two statements", Internal, []string{allow(`"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`), deny(`{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`)}},
		{"pins that exclude each other", Nobody, []string{allow(`"*"`, `{"StringEquals":{"aws:PrincipalAccount":"111122223333"},"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`)}},
		{"an account that is not the principal's", Nobody, []string{allow(`{"AWS":"444455556666"}`, `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`)}},
		{"a wildcard role of any account", Public, []string{allow(`"*"`, `{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/admin"}}`)}},
		{"a role under StringLike crosses colons", Public, []string{allow(`"*"`, `{"StringLike":{"aws:PrincipalArn":"*:111122223333:*"}}`)}},
		{"a role of the own account under StringLike", Internal, []string{allow(`"*"`, `{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`)}},
		{"a prefix of the own account", Public, []string{allow(`"*"`, `{"StringLike":{"aws:SourceAccount":"11112222333*"}}`)}},
		{"own organization in any case", Organization, []string{allow(`"*"`, `{"StringEqualsIgnoreCase":{"aws:PrincipalOrgID":"O-ExampleOrgId"}}`)}},
		{"ForAnyValue on a path of the own organization", Organization, []string{allow(`"*"`, `{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"}}`)}},
		{"ForAnyValue on paths of the own and a foreign organization", External, []string{allow(`"*"`, `{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-exampleorgid/*","o-attackersorg/*"]}}`)}},
		{"ForAllValues with the key present pins", Organization, []string{allow(`"*"`, `{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"},"Null":{"aws:PrincipalOrgID":"false"}}`)}},
		{"IfExists with the key present pins", Internal, []string{allow(`"*"`, `{"StringEqualsIfExists":{"aws:SourceAccount":"111122223333"},"Null":{"aws:SourceAccount":"false"}}`)}},
		{"any service is anyone", Public, []string{allow(`"*"`, `{"Bool":{"aws:PrincipalIsAWSService":"true"}}`)}},
		{"one service by its name", ConfusedDeputy, []string{allow(`"*"`, `{"StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com"}}`)}},
		{"one service by its name, for the own account", Internal, []string{allow(`"*"`, `{"StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com","aws:SourceAccount":"111122223333"}}`)}},
		{"a data perimeter that lets services through", Organization, []string{other, deny(`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`)}},
		{"a data perimeter does not pin the service", ConfusedDeputy, []string{s3, deny(`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`)}},
		{"several accounts, one of them foreign", External, []string{allow(`"*"`, `{"StringEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}}`)}},
		{"a role of the own account by ArnLike", Internal, []string{allow(`{"AWS":"*"}`, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`)}},
		{"a service of the own organization's paths", Organization, []string{`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-exampleorgid/r-1/*"}}}`}},
		{"a foreign account beside a Deny of it", Nobody, []string{other, `{"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}`}},
		{"a foreign account beside a Deny of one of its roles", External, []string{other, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::444455556666:role/r"},"Action":"*","Resource":"*"}`}},
		{"trusted account through a Deny", Organization, []string{open, `{"Effect":"Deny","NotPrincipal":{"AWS":["777788889999","111122223333"]},"Action":"*","Resource":"*"}`}},
		{"unknown operator in a Deny is no protection", Public, []string{open, deny(`{"StringMatches":{"aws:PrincipalOrgID":"x"}}`)}},
		{"federated provider", Unknown, []string{`{"Effect":"Allow","Principal":{"Federated":"www.amazon.com"},"Action":"*","Resource":"*"}`}},
		{"NotPrincipal inside the own organization", Organization, []string{`{"Effect":"Allow","NotPrincipal":{"AWS":"444455556666"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`}},
		{"own account and own bucket without condition", Internal, []string{`{"Effect":"Allow","Principal":{"AWS":["111122223333","AROAEXAMPLEEXAMPLEAB"]},"Action":"*","Resource":"*"}`}},
	} {
		p := parsed(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(c.list, ",")+`]}`)
		if got := ExposeDocument(p, exposureOwner); got.Exposure != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.name, got.Exposure, got.Reason, c.want)
		}
	}
}

// A statement that is read off must be what the cells say of it.
func TestExposureReadIsExposureInCells(t *testing.T) {
	plains := 0
	for seed := range 6000 {
		u := universe{Rand: rand.New(rand.NewSource(int64(seed)))}
		s := u.randomStatement()
		s.Effect = Allow
		if !plain(&s) {
			continue
		}
		plains++
		e := exposer{policy: Policy{Version: version2012, Statements: []Statement{s}}, owner: exposureOwner}
		exposure, _, ok := e.cells(0, exposureOwner)
		if at, seen := glance(&s, exposureOwner); seen && at != read(s, exposureOwner).Exposure {
			t.Fatalf("at a glance %s, read %s: %s", at, read(s, exposureOwner).Exposure, s)
		}
		if got := read(s, exposureOwner); ok && got.Certain && got.Exposure != exposure {
			t.Fatalf("read %s (%s), in cells %s: %s", got.Exposure, got.Reason, exposure, s)
		}
	}
	t.Logf("%d statements compared", plains)
}

// A Deny never widens, an Allow never narrows the exposure of a document, and
// order and spelling do not matter.
func TestExposureIsMonotone(t *testing.T) {
	forAll(t, func(t rapid.TB, c chooser) {
		u := universe{Rand: c}
		p, s := u.randomPolicy(), u.randomStatement()
		before := ExposeDocument(p, exposureOwner)
		if other := ExposeDocument(u.respelled(p), exposureOwner); other.Exposure != before.Exposure {
			t.Fatalf("%s, respelled %s:\n%s", before.Exposure, other.Exposure, text(p))
		}
		q := with1(p, s.Effect, s)
		if len(domainOf(p)) != len(domainOf(q)) {
			return // s names the function that the policy is on
		}
		after := ExposeDocument(q, exposureOwner)
		if s.Effect == Deny && after.Exposure.Wider(before.Exposure) || s.Effect == Allow && before.Exposure.Wider(after.Exposure) {
			t.Fatalf("%s, then %s with %s:\n%s", before.Exposure, after.Exposure, s, text(p))
		}
	})
}

package policy

import "testing"

// Exposures of whole policies: what several statements and Denys leave
// together. The owner is exposureOwner.
func TestExposureOfDocuments(t *testing.T) {
	allow := func(principal, condition string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"lambda:InvokeFunction","Resource":"` + function + `","Condition":` + condition + `}`
	}
	deny := func(elements string) string { return `{"Effect":"Deny",` + elements + `}` }
	all := func(condition string) string {
		return deny(`"Principal":"*","Action":"*","Resource":"*","Condition":` + condition)
	}
	open := allow(`"*"`, `{}`)
	s3 := allow(`{"Service":"s3.amazonaws.com"}`, `{}`)
	for _, c := range []struct {
		name string
		want Exposure
		doc  string
	}{
		// Denys of places.
		{"from outside our network, unless through our endpoint", External, doc(open, all(`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"},"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`))},
		{"the same, with services let through", Public, doc(open, all(`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"},"StringNotEquals":{"aws:SourceVpce":"vpce-1"},"Bool":{"aws:ViaAWSService":"false"}}`))},
		{"outside our network only if an address is known", Public, doc(open, all(`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"},"Null":{"aws:SourceIp":"false"}}`))},
		{"any VPC endpoint but ours", External, doc(open, all(`{"StringNotEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}}`))},
		{"any account's endpoint but ours", Internal, doc(open, all(`{"StringNotEquals":{"aws:VpceAccount":"111122223333"}}`))},
		{"any organization's endpoint but ours", Organization, doc(open, all(`{"StringNotEquals":{"aws:VpceOrgID":"o-exampleorgid"}}`))},
		{"half of the internet denied", Public, doc(open, all(`{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`))},
		{"all of IPv4 denied", Public, doc(open, all(`{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`))},
		{"all addresses denied, but not calls without", Public, doc(open, all(`{"IpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}`))},
		{"all but a /4 denied", Public, doc(open, all(`{"NotIpAddress":{"aws:SourceIp":"32.0.0.0/4"}}`))},

		// The data perimeter.
		{"identities outside the organization, services apart", ConfusedDeputy, doc(s3, open, all(`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`), deny(`"NotPrincipal":{"Service":"s3.amazonaws.com","AWS":"111122223333"},"Action":"*","Resource":"*"`))},
		{"identities outside the organization, services too", Organization, doc(open, all(`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}`))},
		{"the whole perimeter", Organization, doc(open, all(`{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`), all(`{"StringNotEqualsIfExists":{"aws:SourceOrgID":"o-exampleorgid"},"Bool":{"aws:PrincipalIsAWSService":"true"}}`))},
		{"the perimeter of the account", Internal, doc(open, all(`{"StringNotEqualsIfExists":{"aws:PrincipalAccount":"111122223333"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}`), all(`{"StringNotEqualsIfExists":{"aws:SourceAccount":"111122223333"},"Bool":{"aws:PrincipalIsAWSService":"true"}}`))},
		{"source accounts only where they are told", ConfusedDeputy, doc(s3, all(`{"StringNotEquals":{"aws:SourceAccount":"111122223333"},"Null":{"aws:SourceAccount":"false"},"Bool":{"aws:PrincipalIsAWSService":"true"}}`))},

		// Denys of callers.
		{"everybody but a role of ours", Internal, doc(open, all(`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/app-*"}}`))},
		{"everybody but a role of anybody's", Public, doc(open, all(`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/app-*"}}`))},
		{"everybody but one unique id", External, doc(open, all(`{"StringNotLike":{"aws:userid":"AROAEXAMPLEEXAMPLEAB:*"}}`))},
		{"everybody but two unique ids, if told", Public, doc(open, all(`{"StringNotLike":{"aws:userid":["AROAEXAMPLEEXAMPLEAB:*","AIDAEXAMPLEEXAMPLEAB"]},"Null":{"aws:userid":"false"}}`))},
		{"anonymous callers", Public, doc(open, all(`{"Null":{"aws:PrincipalArn":"true"}}`))},
		{"signed callers", Public, doc(open, all(`{"Null":{"aws:PrincipalArn":"false"}}`))},
		{"signed and anonymous callers, services apart", Public, doc(open, all(`{"Null":{"aws:PrincipalArn":"false"}}`), all(`{"Null":{"aws:PrincipalIsAWSService":"true"}}`))},
		{"everybody by two Denys", Nobody, doc(open, all(`{"Null":{"aws:PrincipalArn":"false"}}`), all(`{"Null":{"aws:PrincipalArn":"true"}}`))},
		{"all AWS principals by the star", Nobody, doc(open, deny(`"Principal":{"AWS":"*"},"Action":"lambda:*","Resource":"*"`))},
		{"accounts without MFA", External, doc(allow(`{"AWS":"444455556666"}`, `{}`), all(`{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`))},
		{"our account, of which a role is denied", Internal, doc(allow(`{"AWS":"111122223333"}`, `{}`), deny(`"Principal":{"AWS":"arn:aws:iam::111122223333:role/r"},"Action":"*","Resource":"*"`))},
		{"a role that is denied itself", Nobody, doc(allow(`{"AWS":"arn:aws:iam::444455556666:role/r"}`, `{}`), deny(`"Principal":{"AWS":"arn:aws:iam::444455556666:role/r"},"Action":"*","Resource":"*"`))},
		{"a role of which a session is denied", External, doc(allow(`{"AWS":"arn:aws:iam::444455556666:role/r"}`, `{}`), deny(`"Principal":{"AWS":"arn:aws:sts::444455556666:assumed-role/r/s"},"Action":"*","Resource":"*"`))},
		{"two accounts, the foreign one denied", Internal, doc(allow(`{"AWS":["111122223333","444455556666"]}`, `{}`), deny(`"Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:InvokeFunction","Resource":"*"`))},

		// Denys of actions and resources.
		{"another action", Public, doc(open, deny(`"Principal":"*","Action":["lambda:GetFunction","lambda:Invoke"],"Resource":"*"`))},
		{"the action by NotAction", Nobody, doc(open, deny(`"Principal":"*","NotAction":"lambda:Get*","Resource":"*"`))},
		{"everything but the action", Public, doc(open, deny(`"Principal":"*","NotAction":"lambda:invoke*","Resource":"*"`))},
		{"one of two actions", Public, doc(`{"Effect":"Allow","Principal":"*","Action":["lambda:InvokeFunction","lambda:GetFunction"],"Resource":"`+function+`"}`, deny(`"Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"`))},
		{"both of two actions in two Denys", Nobody, doc(`{"Effect":"Allow","Principal":"*","Action":["lambda:InvokeFunction","lambda:GetFunction"],"Resource":"`+function+`"}`, deny(`"Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"`), deny(`"Principal":"*","Action":"lambda:Get*","Resource":"*"`))},
		{"the function but not its aliases", Public, doc(`{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":["`+function+`","`+function+`:live"]}`, deny(`"Principal":"*","Action":"*","Resource":"`+function+`"`))},
		{"everything but another function", Nobody, doc(open, deny(`"Principal":"*","Action":"*","NotResource":"arn:aws:lambda:us-east-1:111122223333:function:other"`))},
		{"everything but this function", Public, doc(open, deny(`"Principal":"*","Action":"*","NotResource":"`+function+`"`))},

		// Shapes.
		{"nothing", Nobody, `{"Version":"2012-10-17","Statement":[]}`},
		{"Denys alone", Nobody, doc(all(`{}`))},
		{"an own statement beside an unknown one", Unknown, doc(allow(`{"AWS":"111122223333"}`, `{}`), allow(`{"Federated":"accounts.google.com"}`, `{}`))},
		{"a variable in an old version is text", External, `{"Statement":` + allow(`"*"`, `{"StringEquals":{"aws:SourceVpc":"${aws:SourceVpc}"}}`) + `}`},
		{"the same key twice, in two cases", Nobody, doc(allow(`"*"`, `{"StringEquals":{"aws:SourceAccount":"111122223333","AWS:SourceAccount":"444455556666"}}`))},
		{"the same key twice, for one value", Internal, doc(allow(`"*"`, `{"StringEquals":{"aws:SourceAccount":["111122223333","444455556666"],"AWS:SourceAccount":"111122223333"}}`))},
		{"actions of another service alone", Public, doc(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)},
	} {
		if got := ExposeDocument(parsed(t, c.doc), exposureOwner); got.Exposure != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.name, got.Exposure, got.Reason, c.want)
		}
	}
}

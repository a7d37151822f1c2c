package policy

import "testing"

// Exposures of one statement, by the key that decides. The owner is
// exposureOwner.
func TestExposureByKey(t *testing.T) {
	const (
		star   = `"*"`
		own    = "111122223333"
		other  = "444455556666"
		friend = "777788889999"
	)
	service := func(name string) string { return `{"Service":"` + name + `"}` }
	aws := func(name string) string { return `{"AWS":"` + name + `"}` }
	for _, c := range []struct {
		name, principal, condition string
		want                       Exposure
	}{
		// The unique id of a caller, which nobody else can have.
		{"id of a user", star, `{"StringEquals":{"aws:userid":"AIDAEXAMPLEEXAMPLEAB"}}`, External},
		{"sessions of a role's id", star, `{"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLEAB:*"}}`, External},
		{"one session of a role's id", star, `{"StringEquals":{"aws:userid":"AROAEXAMPLEEXAMPLEAB:s"}}`, External},
		{"ids that only begin like one", star, `{"StringLike":{"aws:userid":"AROA*"}}`, Public},
		{"sessions of any role", star, `{"StringLike":{"aws:userid":"*:bob"}}`, Public},
		{"root of our account by id", star, `{"StringEquals":{"aws:userid":"111122223333"}}`, Internal},
		{"federated user of another account by id", star, `{"StringLike":{"aws:userid":"444455556666:*"}}`, External},
		{"federated user of a trusted account by id", star, `{"StringEquals":{"aws:userid":"777788889999:u"}}`, Organization},
		{"an id or any name", star, `{"StringLike":{"aws:userid":["AIDAEXAMPLEEXAMPLEAB","*"]}}`, Public},
		{"an id that is none", star, `{"StringEquals":{"aws:userid":"bob"}}`, Public},
		{"the id of the anonymous caller", star, `{"StringEquals":{"aws:userid":"anonymous"}}`, Public},
		{"an id IfExists", star, `{"StringEqualsIfExists":{"aws:userid":"AIDAEXAMPLEEXAMPLEAB"}}`, Public},
		{"everybody but an id", star, `{"StringNotLike":{"aws:userid":"AROAEXAMPLEEXAMPLEAB:*"}}`, Public},
		{"an id of our account's", aws(own), `{"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLEAB:*"}}`, Internal},
		{"an id in our organization", star, `{"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLEAB:*"},"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Organization},
		{"an id does not pin a service", service("s3.amazonaws.com"), `{"StringEqualsIfExists":{"aws:userid":"AIDAEXAMPLEEXAMPLEAB"}}`, ConfusedDeputy},

		// Names that anybody can have.
		{"a user's name", star, `{"StringLike":{"aws:username":"admin*"}}`, Public},
		{"a session's name", star, `{"StringEquals":{"sts:RoleSessionName":"deploy"}}`, Public},
		{"a source identity", star, `{"StringEquals":{"aws:SourceIdentity":"alice"}}`, Public},
		{"an external id", star, `{"StringEquals":{"sts:ExternalId":"secret"}}`, Public},
		{"a provider", star, `{"StringEquals":{"aws:FederatedProvider":"arn:aws:iam::111122223333:oidc-provider/example.com"}}`, Public},
		{"a principal's tag by pattern", star, `{"StringLike":{"aws:PrincipalTag/dept":"*"}}`, Public},
		{"a region by NotEquals", star, `{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}}`, Public},
		{"an URL by its type", star, `{"StringEquals":{"lambda:FunctionUrlAuthType":["NONE","AWS_IAM"]}}`, Public},
		{"the function itself", star, `{"ArnLike":{"lambda:FunctionArn":"arn:aws:lambda:us-east-1:111122223333:function:f"}}`, Public},
		{"the principal's type is an account", star, `{"StringEquals":{"aws:PrincipalType":"Account"}}`, Public},
		{"a layer", star, `{"ForAnyValue:StringEquals":{"lambda:Layer":"arn:aws:lambda:us-east-1:111122223333:layer:l:1"}}`, Public},

		// Services by what they say of themselves.
		{"some service", star, `{"Bool":{"aws:PrincipalIsAWSService":"true"}}`, Public},
		{"some service for our account", star, `{"Bool":{"aws:PrincipalIsAWSService":"true"},"StringEquals":{"aws:SourceAccount":"111122223333"}}`, Internal},
		{"some service for our organization", star, `{"Bool":{"aws:PrincipalIsAWSService":"true"},"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}}`, Organization},
		{"some service for another account", star, `{"Bool":{"aws:PrincipalIsAWSService":"true"},"StringEquals":{"aws:SourceAccount":"444455556666"}}`, External},
		{"one service by its name", star, `{"StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com"}}`, ConfusedDeputy},
		{"one service by its name, for us", star, `{"StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com","aws:SourceAccount":"111122223333"}}`, Internal},
		{"one service by its name, for another", star, `{"StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com","aws:SourceAccount":"444455556666"}}`, External},
		{"services by a pattern of names", star, `{"StringLike":{"aws:PrincipalServiceName":"*.amazonaws.com"}}`, Public},
		{"not one service", star, `{"StringNotEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com"}}`, Public},
		{"a service that is none", service("s3.amazonaws.com"), `{"Bool":{"aws:PrincipalIsAWSService":"false"}}`, Nobody},
		{"a service under another's name", service("s3.amazonaws.com"), `{"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com"}}`, Nobody},
		{"a service under its own name", service("s3.amazonaws.com"), `{"StringEquals":{"aws:PrincipalServiceName":"s3.amazonaws.com"}}`, ConfusedDeputy},
		{"an account that is a service", aws(other), `{"Bool":{"aws:PrincipalIsAWSService":"true"}}`, Nobody},

		// Owners of sources.
		{"SourceOwner is an account", service("sns.amazonaws.com"), `{"StringEquals":{"aws:SourceOwner":"111122223333"}}`, Internal},
		{"SourceOwner of another", service("sns.amazonaws.com"), `{"StringEquals":{"AWS:SourceOwner":"444455556666"}}`, External},
		{"SourceOwner on the star", star, `{"StringEquals":{"AWS:SourceOwner":"111122223333"}}`, Internal},
		{"SourceAccount of a friend", service("s3.amazonaws.com"), `{"StringEquals":{"aws:SourceAccount":"777788889999"}}`, Organization},
		{"SourceAccount as a number", service("s3.amazonaws.com"), `{"StringEquals":{"aws:SourceAccount":111122223333}}`, Internal},
		{"SourceAccount by NumericEquals", service("s3.amazonaws.com"), `{"NumericEquals":{"aws:SourceAccount":"444455556666"}}`, ConfusedDeputy},
		{"SourceAccount that is the star as text", service("s3.amazonaws.com"), `{"StringEquals":{"aws:SourceAccount":"*"}}`, ConfusedDeputy},
		{"SourceAccount by question marks", service("s3.amazonaws.com"), `{"StringLike":{"aws:SourceAccount":"????????????"}}`, ConfusedDeputy},
		{"SourceAccount by StringLike as it stands", service("s3.amazonaws.com"), `{"StringLike":{"aws:SourceAccount":"111122223333"}}`, Internal},
		{"SourceArn as a key of another case", service("sns.amazonaws.com"), `{"ArnLike":{"AWS:SOURCEARN":"arn:aws:sns:us-east-1:111122223333:t"}}`, Internal},
		{"SourceArn by StringEquals", service("sns.amazonaws.com"), `{"StringEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}`, Internal},
		{"SourceArn by StringEqualsIgnoreCase", service("sns.amazonaws.com"), `{"StringEqualsIgnoreCase":{"aws:SourceArn":"ARN:AWS:SNS:us-east-1:111122223333:T"}}`, Internal},
		{"SourceArn of another by a star in the region", service("sns.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:444455556666:*"}}`, External},
		{"SourceArn of any partition", service("sns.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:*:sns:us-east-1:111122223333:t"}}`, Internal},
		{"SourceArn of anything that we own", service("events.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:*:*:111122223333:*"}}`, Internal},
		{"SourceArn of anything that we own, crossing", service("events.amazonaws.com"), `{"StringLike":{"aws:SourceArn":"arn:aws:*:*:111122223333:*"}}`, ConfusedDeputy},
		{"SourceArn with our id anywhere", service("events.amazonaws.com"), `{"StringLike":{"aws:SourceArn":"*111122223333*"}}`, ConfusedDeputy},
		{"SourceArn of a list with a bucket of anybody", service("s3.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":["arn:aws:s3:::a","arn:aws:s3:::b"]}}`, ConfusedDeputy},
		{"SourceArn of an access point", service("s3.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:us-east-1:111122223333:accesspoint/a"}}`, Internal},
		{"SourceArn of a distribution", service("cloudfront.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:cloudfront::111122223333:distribution/E1"}}`, Internal},
		{"SourceArn of another's distribution", service("cloudfront.amazonaws.com"), `{"StringEquals":{"aws:SourceArn":"arn:aws:cloudfront::444455556666:distribution/E1"}}`, External},
		{"SourceArn of a secret", service("secretsmanager.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:secretsmanager:us-east-1:111122223333:secret:s-??????"}}`, Internal},
		{"SourceArn of a repository", service("codecommit.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:codecommit:us-east-1:111122223333:r"}}`, Internal},
		{"SourceArn of a listener", service("vpc-lattice.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:vpc-lattice:us-east-1:111122223333:targetgroup/tg-1"}}`, Internal},
		{"SourceArn of an agent", service("bedrock.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:bedrock:us-east-1:111122223333:agent/*"}}`, Internal},
		{"an agent of anybody", service("bedrock.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:bedrock:us-east-1:*:agent/*"}}`, ConfusedDeputy},
		{"SourceArn and SourceAccount of two accounts", service("sns.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"},"StringEquals":{"aws:SourceAccount":"444455556666"}}`, Internal},
		{"SourceArn less a topic", service("sns.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:*"},"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}`, Internal},
		{"SourceArn empty", service("sns.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":""}}`, Nobody},
		{"source paths of our organization", service("sns.amazonaws.com"), `{"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-exampleorgid/r-1/ou-1/*"}}`, Organization},
		{"source paths of another", service("sns.amazonaws.com"), `{"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-attackersorg/*"}}`, External},
		{"not a source of our organization", service("sns.amazonaws.com"), `{"StringNotEquals":{"aws:SourceOrgID":"o-attackersorg"}}`, ConfusedDeputy},
		{"a source of some organization", service("sns.amazonaws.com"), `{"Null":{"aws:SourceOrgID":"false"}}`, ConfusedDeputy},
		{"a source VPC does not pin a service", service("s3.amazonaws.com"), `{"StringEquals":{"aws:SourceVpc":"vpc-1"}}`, ConfusedDeputy},

		// Services that are called by other names.
		{"regional logs of ours", service("logs.eu-west-1.amazonaws.com"), `{"ArnLike":{"AWS:SourceArn":"arn:aws:logs:eu-west-1:111122223333:log-group:*:*"}}`, Internal},
		{"China", service("s3.amazonaws.com.cn"), `{}`, ConfusedDeputy},
		{"alexa skill with token", service("alexa-appkit.amazon.com"), `{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask.skill.x"}}`, External},
		{"alexa skill without", service("alexa-appkit.amazon.com"), `{"Bool":{"aws:SecureTransport":"true"}}`, ConfusedDeputy},
		{"alexa with an empty list of tokens", service("alexa-appkit.amazon.com"), `{"StringEquals":{"lambda:EventSourceToken":[]}}`, Nobody},
		{"delegated to a function of ours", service("lambda.amazonaws.com"), `{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:us-east-1:111122223333:function:*"}}`, Internal},
		{"edge replicator", service("replicator.lambda.amazonaws.com"), `{}`, ConfusedDeputy},
		{"lex by account", service("lexv2.amazonaws.com"), `{"StringEquals":{"AWS:SourceAccount":"111122223333"}}`, Internal},
		{"connect", service("connect.amazonaws.com"), `{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:connect:us-east-1:111122223333:instance/i"}}`, Internal},

		// Principals.
		{"a wildcard for the account is literal", aws("arn:aws:iam::*:root"), `{}`, Nobody},
		{"a wildcard for the account of a role is literal", aws("arn:aws:iam::*:role/r"), `{}`, Nobody},
		{"a wildcard for everything of an ARN is literal", aws("arn:aws:iam::444455556666:user/*"), `{}`, Nobody},
		{"deleted group of ids", `{"AWS":["AROAEXAMPLEEXAMPLEAB","AIDAEXAMPLEEXAMPLEAB"]}`, `{}`, Nobody},
		{"deleted beside own", `{"AWS":["AROAEXAMPLEEXAMPLEAB","111122223333"]}`, `{}`, Internal},
		{"deleted beside a service", `{"AWS":"AROAEXAMPLEEXAMPLEAB","Service":"s3.amazonaws.com"}`, `{}`, ConfusedDeputy},
		{"nobody at all", `{"AWS":[]}`, `{}`, Nobody},
		{"a service-linked role of ours", aws("arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/r"), `{}`, Internal},
		{"own federated user", aws("arn:aws:sts::111122223333:federated-user/u"), `{}`, Internal},
		{"own root and a friend's role", `{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::777788889999:role/r"]}`, `{}`, Organization},
		{"a foreign role named by a friend's id", aws("arn:aws:iam::444455556666:role/777788889999"), `{}`, External},
		{"a friend's role by ARN in GovCloud", aws("arn:aws-us-gov:iam::777788889999:role/r"), `{}`, Organization},
		{"star with another's account", star, `{"StringEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}}`, External},
		{"another's role pinned to our account", aws("arn:aws:iam::444455556666:role/r"), `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, Nobody},
		{"our role by ARN, of any name", star, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:*"}}`, Internal},
		{"our role by StringLike", star, `{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`, Internal},
		{"a role by StringLike that crosses", star, `{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/111122223333"}}`, Public},
		{"a role of ours or of anybody", star, `{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/r","arn:aws:iam::*:role/r"]}}`, Public},
		{"everybody but our role", star, `{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}`, Public},

		// Organizations.
		{"org as a list with a pattern that is text", star, `{"StringEquals":{"aws:PrincipalOrgID":["o-exampleorgid","o-*"]}}`, External},
		{"org by IgnoreCase", star, `{"StringEqualsIgnoreCase":{"aws:PrincipalOrgID":"O-EXAMPLEORGID"}}`, Organization},
		{"org path of ours by Equals, not in a set", star, `{"StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"}}`, Organization},
		{"org paths of ours and of another", star, `{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":["o-exampleorgid/*","o-attackersorg/*"]}}`, External},
		{"org paths by ForAllValues and there", star, `{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"},"Null":{"aws:PrincipalOrgPaths":"false"}}`, Organization},
		{"org by ForAllValues and there", star, `{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"},"Null":{"aws:PrincipalOrgID":"false"}}`, Organization},
		{"source paths by ForAllValues and there", service("sns.amazonaws.com"), `{"ForAllValues:StringLike":{"aws:SourceOrgPaths":"o-exampleorgid/*"},"Null":{"aws:SourceOrgPaths":"false"}}`, Organization},
		{"paths outside by ForAllValues and there", star, `{"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"},"Null":{"aws:PrincipalOrgPaths":"false"}}`, Public},
		{"org paths by ForAllValues and ForAnyValue", star, `{"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-exampleorgid/*"},"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"*"}}`, Organization},
		{"our account and another org", star, `{"StringEquals":{"aws:PrincipalAccount":"111122223333","aws:PrincipalOrgID":"o-attackersorg"}}`, Internal},
		{"the resource's org is no pin", star, `{"StringEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}"}}`, Public},
		{"callers of the resource's org", star, `{"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}`, Unknown},
		{"callers of the resource's account", star, `{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}`, Unknown},

		// Networks.
		{"endpoint of our org's account", star, `{"StringEquals":{"aws:VpceOrgID":"o-attackersorg"}}`, External},
		{"endpoints of our org by path", star, `{"ForAnyValue:StringLike":{"aws:VpceOrgPaths":"o-exampleorgid/*"}}`, Organization},
		{"endpoint of our account by ForAllValues", star, `{"ForAllValues:StringEquals":{"aws:VpceAccount":"111122223333"}}`, Public},
		{"endpoint of our account by ForAllValues, there", star, `{"ForAllValues:StringEquals":{"aws:VpceAccount":"111122223333"},"Null":{"aws:VpceAccount":"false"}}`, Internal},
		{"VPC of ours by ARN", star, `{"ArnLike":{"aws:SourceVpcArn":"arn:aws:ec2:*:111122223333:vpc/*"}}`, Internal},
		{"VPC of another by ARN", star, `{"ArnEquals":{"aws:SourceVpcArn":"arn:aws:ec2:us-east-1:444455556666:vpc/vpc-1"}}`, External},
		{"any VPC by ARN", star, `{"ArnLike":{"aws:SourceVpcArn":"arn:aws:ec2:us-east-1:*:vpc/vpc-1"}}`, Public},
		{"VPC and address", star, `{"StringEquals":{"aws:SourceVpc":"vpc-1"},"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}}`, External},
		{"one address of each kind", star, `{"IpAddress":{"aws:SourceIp":["203.0.113.7","2001:db8::7"]}}`, External},
		{"not every address", star, `{"NotIpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}`, Public},
		{"an address by StringEquals", star, `{"StringEquals":{"aws:SourceIp":"203.0.113.7"}}`, External},
		{"an address by StringLike", star, `{"StringLike":{"aws:SourceIp":"203.0.113.*"}}`, Public},
		{"address that is none", star, `{"IpAddress":{"aws:SourceIp":"203.0.113"}}`, Unknown},
		{"a public range of a foreign org", star, `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"StringEquals":{"aws:PrincipalOrgID":"o-attackersorg"}}`, External},
		{"the whole internet but one address", star, `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"},"NotIpAddress":{"aws:SourceIp":"203.0.113.7"}}`, Public},
		{"friend", aws(friend), `{}`, Organization},
	} {
		s := `{"Effect":"Allow","Principal":` + c.principal + `,"Action":"lambda:InvokeFunction","Resource":"` + function + `","Condition":` + c.condition + `}`
		if got := ExposeDocument(parsed(t, doc(s)), exposureOwner); got.Exposure != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.name, got.Exposure, got.Reason, c.want)
		}
	}
}

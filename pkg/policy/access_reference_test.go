package policy

import (
	"slices"
	"testing"
)

// references are policies that say what is allowed at most, as people write
// them for a check in a pipeline, each with candidates: true is one that allows
// something beyond it.
var references = []struct {
	name, reference string
	o               Options
	candidates      []candidate
}{
	{"services only for our account", doc(allowAll, denyWhen(`{"StringNotEqualsIfExists":{"aws:SourceAccount":"111122223333"},"Bool":{"aws:PrincipalIsAWSService":"true"}}`)), Options{}, []candidate{
		{true, serves("sns", `{}`)},
		{false, serves("sns", `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`)},
		{true, serves("sns", `{"StringEqualsIfExists":{"aws:SourceAccount":"444455556666"}}`)},
		{true, serves("sns", `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}`)},
		{true, serves("sns", `{"StringEquals":{"aws:SourceAccount":["111122223333","444455556666"]}}`)},
		{false, to(`{"AWS":"444455556666"}`)},
		{false, to(`{"AWS":"AROAEXAMPLEEXAMPLEAB"}`)},
		{true, allowAll},
		{false, allowWhen(`{"Bool":{"aws:PrincipalIsAWSService":"false"}}`)},
		{false, allowWhen(`{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)},
		{true, allowWhen(`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)},
		{true, allowWhen(`{"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com"}}`)},
	}},
	{"one service by its name", doc(to(`{"Service":"sns.amazonaws.com"}`)), Options{}, []candidate{
		{false, allowWhen(`{"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com"}}`)},
		{true, allowWhen(`{"StringEquals":{"aws:PrincipalServiceName":"sqs.amazonaws.com"}}`)},
		{true, allowWhen(`{"StringLike":{"aws:PrincipalServiceName":"s?s.amazonaws.com"}}`)},
		{true, allowWhen(`{"StringNotEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com"}}`)},
		{false, serves("sns", `{"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com"}}`)},
		{false, serves("sqs", `{"StringEquals":{"aws:PrincipalServiceName":"sns.amazonaws.com"}}`)},
		{true, serves("sqs", `{"StringLike":{"aws:PrincipalServiceName":"*"}}`)},
	}},
	{"only our organization, or services", doc(allowWhen(`{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`), allowWhen(`{"Bool":{"aws:PrincipalIsAWSService":"true"}}`)), Options{}, []candidate{
		{false, serves("s3", `{}`)},
		{true, allowAll},
		{true, to(`{"AWS":"111122223333"}`)},
		{false, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`},
		{true, allowWhen(`{"StringLike":{"aws:PrincipalOrgID":"o-exampleorgid*"}}`)},
		{true, allowWhen(`{"StringNotEquals":{"aws:PrincipalOrgID":"o-attackersorg"}}`)},
		{true, allowWhen(`{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)},
		{false, allowWhen(`{"ForAnyValue:StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)},
		{true, to(`{"Federated":"www.amazon.com"}`)},
		{false, to(`{"Service":["s3.amazonaws.com","events.amazonaws.com"]}`)},
		{true, to(`{"Service":"s3.amazonaws.com","AWS":"111122223333"}`)},
	}},
	{"data only through our endpoint", doc(allowAll, `{"Effect":"Deny","Principal":"*","Action":"s3:*Object","Resource":"arn:aws:s3:::data/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}`), Options{}, []candidate{
		{true, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`},
		{false, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data2/*"}`},
		{true, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data*"}`},
		{false, `{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::data"}`},
		{false, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}}`},
		{true, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*","Condition":{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}}`},
		{true, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*","Condition":{"StringLike":{"aws:SourceVpce":"vpce-*"}}}`},
		{true, `{"Effect":"Allow","Principal":"*","Action":"s3:G*","Resource":"arn:aws:s3:::data/public/*"}`},
		{false, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObjectTagging","Resource":"arn:aws:s3:::data/*"}`},
		{true, `{"Effect":"Allow","Principal":"*","NotAction":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}`},
		{false, `{"Effect":"Allow","Principal":"*","NotAction":"s3:*Object","Resource":"arn:aws:s3:::data/*"}`},
		{false, `{"Effect":"Allow","Principal":"*","Action":"s3:*","NotResource":"arn:aws:s3:::data/*"}`},
		{true, `{"Effect":"Allow","Principal":"*","Action":"s3:*","NotResource":"arn:aws:s3:::data/a/*"}`},
	}},
	{"no secret without TLS", doc(allowAll, denyWhen(`{"Bool":{"aws:SecureTransport":"false"}}`)), Options{}, []candidate{
		{true, allowGet},
		{false, allowWhen(`{"Bool":{"aws:SecureTransport":"true"}}`)},
		{false, allowWhen(`{"BoolIfExists":{"aws:SecureTransport":"true"}}`)},
		{false, allowWhen(`{"Null":{"aws:SecureTransport":"true"}}`)},
		{true, allowWhen(`{"Null":{"aws:SecureTransport":"false"}}`)},
		{false, allowWhen(`{"StringNotEquals":{"aws:SecureTransport":"false"}}`)},
		{true, allowWhen(`{"BoolIfExists":{"aws:SecureTransport":"false"}}`)},
	}},
	{"an external id for everybody", doc(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"Null":{"sts:ExternalId":"false"}}}`, `{"Effect":"Allow","Principal":"*","NotAction":"sts:AssumeRole"}`), Options{Type: TrustPolicy}, []candidate{
		{true, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"sts:ExternalId":"*"}}}`},
		{true, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEqualsIfExists":{"sts:ExternalId":"x"}}}`},
		{true, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:ExternalId":"x"}}}`},
		{false, `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/p"},"Action":"sts:AssumeRoleWithSAML"}`},
		{true, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`},
		{true, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:*"}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":["sts:TagSession","sts:SetSourceIdentity"]}`},
		{true, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:Assume*"}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"sts:AssumeRole"}`},
	}},
	{"one repository's main branch", doc(web(`{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:org/app:ref:refs/heads/main"}}`)), Options{Type: TrustPolicy}, []candidate{
		{false, web(`{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:org/app:ref:refs/heads/main"},"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`)},
		{true, web(`{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:org/app:ref:refs/heads/main*"},"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`)},
		{true, web(`{"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:org/app:ref:refs/heads/main"}}`)},
		{true, web(`{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:org/*","token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`)},
		{false, web(`{"ForAnyValue:StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:org/app:ref:refs/heads/main"}}`)},
		{true, `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/gitlab.example.com"},"Action":"sts:AssumeRoleWithWebIdentity"}`},
	}},
	{"administrators but for the trail and the guard rails", doc(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":["cloudtrail:StopLogging","cloudtrail:DeleteTrail"],"Resource":"*"}`, `{"Effect":"Deny","Action":"iam:*","Resource":"arn:aws:iam::*:role/guard/*"}`), Options{Type: IdentityPolicy}, []candidate{
		{true, `{"Effect":"Allow","Action":"*","Resource":"*"}`},
		{true, `{"Effect":"Allow","Action":"cloudtrail:*","Resource":"*"}`},
		{false, `{"Effect":"Allow","Action":"cloudtrail:Get*","Resource":"*"}`},
		{true, `{"Effect":"Allow","Action":"cloudtrail:?topLogging","Resource":"arn:aws:cloudtrail:us-east-1:111122223333:trail/t"}`},
		{false, `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/app/*"}`},
		{true, `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/*"}`},
		{true, `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/g*"}`},
		{false, `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/guard"}`},
		{false, `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/app/guard/*"}`},
		{false, `{"Effect":"Allow","NotAction":["iam:*","cloudtrail:*"],"Resource":"*"}`},
		{true, `{"Effect":"Allow","NotAction":["iam:*"],"Resource":"*"}`},
		{false, `{"Effect":"Allow","Action":"iam:*","NotResource":"arn:aws:iam::*:role/*"}`},
		{true, `{"Effect":"Allow","Action":"iam:*","NotResource":"arn:aws:iam::111122223333:role/*"}`},
		{true, `{"Effect":"Allow","Action":"IAM:DELETEROLE","Resource":"arn:aws:iam::111122223333:role/guard/r"}`},
		{false, `{"Effect":"Allow","Action":"iam:DeleteRole","Resource":"arn:aws:iam::111122223333:role/Guard/r"}`},
	}},
	{"no instance without the right tag", doc(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"StringNotEquals":{"aws:RequestTag/team":["a","b"]}}}`), Options{Type: IdentityPolicy}, []candidate{
		{true, runs(`{}`)},
		{false, runs(`{"StringEquals":{"aws:RequestTag/team":"a"}}`)},
		{false, runs(`{"StringEquals":{"aws:RequestTag/Team":["b","a"]}}`)},
		{true, runs(`{"StringEquals":{"aws:RequestTag/team":["a","c"]}}`)},
		{true, runs(`{"StringLike":{"aws:RequestTag/team":"a*"}}`)},
		{true, runs(`{"StringEqualsIfExists":{"aws:RequestTag/team":"a"}}`)},
		{true, runs(`{"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}`)},
		{true, runs(`{"StringEqualsIgnoreCase":{"aws:RequestTag/team":"a"}}`)},
		{true, runs(`{"Null":{"aws:RequestTag/team":"true"}}`)},
		{false, `{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:volume/*"}`},
		{true, `{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:111122223333:*/*"}`},
		{false, `{"Effect":"Allow","Action":"ec2:Run*","Resource":"arn:aws:ec2:*:*:instance"}`},
	}},
	{"regions that are approved", doc(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}}`), Options{Type: IdentityPolicy}, []candidate{
		{false, `{"Effect":"Allow","Action":"iam:*","Resource":"*"}`},
		{true, `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`},
		{false, `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}`},
		{true, `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringLike":{"aws:RequestedRegion":"eu-*"}}}`},
		{true, `{"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:eu-west-1:*:*"}`},
		{true, `{"Effect":"Allow","Action":["iam:*","s3:*"],"Resource":"*"}`},
		{true, `{"Effect":"Allow","Action":"*am:*","Resource":"*"}`},
	}},
	{"folders of one's own", doc(`{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::home/${aws:username}/*"}`, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::home","Condition":{"StringLike":{"s3:prefix":["${aws:username}/*","public/*"]}}}`), Options{Type: IdentityPolicy}, []candidate{
		{false, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}/*"}`},
		{false, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${AWS:Username}/docs/*"}`},
		{true, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:username}*"}`},
		{true, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/*/docs/*"}`},
		{true, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${aws:userid}/*"}`},
		{true, `{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::home/${aws:username}/*"}`},
		{false, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::home","Condition":{"StringLike":{"s3:prefix":"public/a/*"}}}`},
		{false, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::home","Condition":{"StringEquals":{"s3:prefix":"${aws:username}/a"}}}`},
		{true, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::home","Condition":{"StringLike":{"s3:prefix":"*/a"}}}`},
		{true, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::home"}`},
	}},
	{"a function's own triggers", doc(
		`{"Sid":"a","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"`+testFunction+`","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::in-*"}}}`,
		`{"Sid":"b","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"lambda:*","Resource":"`+testFunction+`"}`), Options{Account: "111122223333"}, []candidate{
		{false, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:invokeFunction","Resource":"` + testFunction + `","Condition":{"ArnEquals":{"aws:SourceArn":["arn:aws:s3:::in-1","arn:aws:s3:::in-2"]},"StringEquals":{"aws:sourceaccount":["111122223333"]}}}`},
		{true, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + testFunction + `","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::in-1"}}}`},
		{true, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:*","Resource":"` + testFunction + `","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::in-1"}}}`},
		{true, `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + testFunction + `:live","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::in-1"}}}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:GetFunction","Resource":"` + testFunction + `"}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/u","arn:aws:sts::111122223333:assumed-role/r/s"]},"Action":"lambda:UpdateFunctionCode","Resource":"` + testFunction + `"}`},
		{true, `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"` + testFunction + `"}`},
		{true, `{"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::111122223333:root"},"Action":"lambda:GetFunction","Resource":"` + testFunction + `"}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::*:role/r"},"Action":"lambda:GetFunction","Resource":"` + testFunction + `"}`},
		{false, `{"Effect":"Allow","Principal":{"AWS":[]},"Action":"lambda:GetFunction","Resource":"` + testFunction + `"}`},
		{true, `{"Effect":"Allow","Principal":{"Service":"S3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + testFunction + `","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::in-1"}}}`},
	}},
}

type candidate struct {
	isNew     bool
	statement string
}

func serves(service, condition string) string {
	return `{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"*","Resource":"*","Condition":` + condition + `}`
}

func web(condition string) string {
	return `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + condition + `}`
}

func runs(condition string) string {
	return `{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*","Condition":` + condition + `}`
}

func TestNewAccessBeyondAReference(t *testing.T) {
	n := 0
	for _, r := range references {
		reference := parsed(t, r.reference)
		for _, c := range r.candidates {
			n++
			got := NewAccess(reference, parsed(t, doc(c.statement)), r.o)
			if got.New != c.isNew || got.Unknown || got.New && !got.Witnesses[0].Certain {
				t.Errorf("%s: %s: got %+v, want %v", r.name, c.statement, got, c.isNew)
			}
			// The candidate beside the reference allows what both do.
			both := reference
			both.Statements = append(slices.Clip(both.Statements), parsed(t, doc(c.statement)).Statements...)
			if got := NewAccess(both, reference, r.o); got.New {
				t.Errorf("%s: %s: the reference is beyond both together: %+v", r.name, c.statement, got)
			}
		}
	}
	t.Logf("%d candidates", n)
}

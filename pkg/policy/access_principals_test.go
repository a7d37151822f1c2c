package policy

import "testing"

// relatedPrincipals are pairs of statements that allow everything to somebody,
// each judged in both directions, as relatedConditions are.
var relatedPrincipals = []struct{ name, a, relation, b string }{
	// Accounts, their principals, and sessions.
	{"account and root", to(`{"AWS":"111122223333"}`), "=", to(`{"AWS":"arn:aws:iam::111122223333:root"}`)},
	{"account and role", to(`{"AWS":"111122223333"}`), "<", to(`{"AWS":"arn:aws:iam::111122223333:role/service-role/r"}`)},
	{"account and session", to(`{"AWS":"arn:aws:iam::111122223333:root"}`), "<", to(`{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`)},
	{"role and session", to(`{"AWS":"arn:aws:iam::111122223333:role/p/r"}`), "<", to(`{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`)},
	{"session of another role", to(`{"AWS":"arn:aws:iam::111122223333:role/r"}`), "#", to(`{"AWS":"arn:aws:sts::111122223333:assumed-role/r2/s"}`)},
	{"session of the role of another account", to(`{"AWS":"arn:aws:iam::111122223333:role/r"}`), "#", to(`{"AWS":"arn:aws:sts::444455556666:assumed-role/r/s"}`)},
	{"star and everything", to(`"*"`), "<", to(`{"AWS":["111122223333","arn:aws:iam::444455556666:user/u"],"Service":"s3.amazonaws.com","Federated":"www.amazon.com","CanonicalUser":"abc"}`)},
	{"star twice", to(`"*"`), "=", to(`{"AWS":["*","111122223333"],"Service":"s3.amazonaws.com"}`)},
	{"star with a service beside it", to(`{"AWS":"*"}`), "=", to(`{"AWS":"*","Service":"s3.amazonaws.com"}`)},
	{"order of principals", to(`{"AWS":["111122223333","444455556666"]}`), "=", to(`{"AWS":["arn:aws:iam::444455556666:root","arn:aws:iam::111122223333:root"]}`)},
	{"partition of the resource", `{"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::111122223333:root"},"Action":"*","Resource":"arn:aws-cn:lambda:cn-north-1:111122223333:function:f"}`, "=", `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"arn:aws-cn:lambda:cn-north-1:111122223333:function:f"}`},
	{"GovCloud is another account", to(`{"AWS":"arn:aws:iam::111122223333:root"}`), "#", to(`{"AWS":"arn:aws-us-gov:iam::111122223333:root"}`)},
	{"deleted and nobody", to(`{"AWS":"AROAEXAMPLEEXAMPLEAB"}`), "=", to(`{"AWS":[]}`)},
	{"deleted, by a short id", to(`{"AWS":"AROAEXAMPLEID"}`), "=", to(`{"AWS":[]}`)},
	{"deleted and a wildcard", to(`{"AWS":"AIDAEXAMPLEEXAMPLEAB"}`), "=", to(`{"AWS":"arn:aws:iam::111122223333:user/*"}`)},
	{"deleted beside the account", to(`{"AWS":"111122223333"}`), "=", to(`{"AWS":["AROAEXAMPLEEXAMPLEAB","111122223333"]}`)},
	{"role in another case", to(`{"AWS":"arn:aws:iam::111122223333:role/Admin"}`), "#", to(`{"AWS":"arn:aws:iam::111122223333:role/admin"}`)},

	// Accounts and roles by condition.
	{"account by condition", to(`{"AWS":"111122223333"}`), "=", allowWhen(`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`)},
	{"accounts by condition", to(`{"AWS":["111122223333","444455556666"]}`), "=", allowWhen(`{"StringEquals":{"aws:PrincipalAccount":["444455556666","111122223333"]}}`)},
	{"account by pattern", allowWhen(`{"StringLike":{"aws:PrincipalAccount":"1111*"}}`), "<", to(`{"AWS":"111122223333"}`)},
	{"role by condition", to(`{"AWS":"arn:aws:iam::111122223333:role/r"}`), "=", allowWhen(`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}`)},
	{"role by condition as text", to(`{"AWS":"arn:aws:iam::111122223333:role/r"}`), "=", allowWhen(`{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}`)},
	{"two roles by condition", to(`{"AWS":["arn:aws:iam::111122223333:role/a","arn:aws:iam::111122223333:role/b"]}`), "<", allowWhen(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/b"}}`)},
	{"role by pattern", allowWhen(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/ci-*"}}`), "<", to(`{"AWS":"arn:aws:iam::111122223333:role/ci-1"}`)},
	{"roles of a pattern are in the account", to(`{"AWS":"111122223333"}`), "<", allowWhen(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`)},
	{"roles of every account", to(`{"AWS":"111122223333"}`), "#", allowWhen(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/r"}}`)},
	{"account and role disagree", to(`{"AWS":"444455556666"}`), "<", `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"444455556666"}}}`},
	{"a user by name in the account", to(`{"AWS":"111122223333"}`), "<", `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"u"}}}`},
	{"the organization of an account is not known", to(`{"AWS":"111122223333"}`), "#", allowWhen(`{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)},
	{"whoever signs", allowWhen(`{"Null":{"aws:PrincipalArn":"false"}}`), "<", to(`{"AWS":"111122223333"}`)},
	{"whoever signs, by account", allowWhen(`{"Null":{"aws:PrincipalArn":"false"}}`), "=", allowWhen(`{"Null":{"aws:PrincipalAccount":"false"}}`)},
	{"who does not sign", allowWhen(`{"Null":{"aws:PrincipalArn":"true"}}`), "<", to(`{"Service":"s3.amazonaws.com"}`)},

	// Services.
	{"services and all of them", allowWhen(`{"Bool":{"aws:PrincipalIsAWSService":"true"}}`), "<", to(`{"Service":["s3.amazonaws.com","events.amazonaws.com"]}`)},
	{"all of them but not callers", allowWhen(`{"Bool":{"aws:PrincipalIsAWSService":"true"}}`), "#", to(`{"AWS":"111122223333"}`)},
	{"a service twice", to(`{"Service":"s3.amazonaws.com"}`), "=", to(`{"Service":["s3.amazonaws.com","s3.amazonaws.com"]}`)},
	{"a service of China", to(`{"Service":"s3.amazonaws.com"}`), "#", to(`{"Service":"s3.amazonaws.com.cn"}`)},
	{"a service with and without source", to(`{"Service":"s3.amazonaws.com"}`), "<", serves("s3", `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`)},
	{"a source of the star", allowWhen(`{"StringEquals":{"aws:SourceAccount":"111122223333"}}`), "<", serves("s3", `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`)},
	{"bucket by pattern", serves("s3", `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::in-*"}}`), "<", serves("s3", `{"ArnLike":{"aws:SourceArn":["arn:aws:s3:::in-1","arn:aws:s3:::in-2*"]}}`)},

	// NotPrincipal.
	{"not an account", `{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`, "<", to(`{"AWS":"444455556666"}`)},
	{"not an account is services too", `{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`, "<", to(`{"Service":"s3.amazonaws.com"}`)},
	{"not an account, by its root", `{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`, "=", `{"Effect":"Allow","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:role/r"]},"Action":"*","Resource":"*"}`},
	{"not a service", `{"Effect":"Allow","NotPrincipal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}`, "<", to(`{"AWS":"111122223333"}`)},
	{"not two services", `{"Effect":"Allow","NotPrincipal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}`, "<", `{"Effect":"Allow","NotPrincipal":{"Service":["s3.amazonaws.com","sns.amazonaws.com"]},"Action":"*","Resource":"*"}`},
	{"not anybody", to(`{"AWS":[]}`), "=", `{"Effect":"Allow","NotPrincipal":"*","Action":"*","Resource":"*"}`},
}

func TestNewAccessOfRelatedPrincipals(t *testing.T) {
	for _, c := range relatedPrincipals {
		checkRelation(t, c.name, parsed(t, doc(c.a)), parsed(t, doc(c.b)), c.relation, Options{})
	}
	t.Logf("%d pairs of principals", len(relatedPrincipals))
}

// relatedElements are pairs of Action, Resource and their Not forms in an
// identity policy.
var relatedElements = []struct{ name, a, relation, b string }{
	{"every action twice", `"Action":"*","Resource":"*"`, "=", `"Action":["*","s3:*"],"Resource":["*","arn:aws:s3:::b"]`},
	{"star colon star", `"Action":"*","Resource":"*"`, "=", `"Action":"*:*","Resource":"*"`},
	{"an action in capitals", `"Action":"s3:GetObject","Resource":"*"`, "=", `"Action":"S3:GETOBJECT","Resource":"*"`},
	{"a star in the service", `"Action":"*:Get*","Resource":"*"`, "<", `"Action":"s3:get*","Resource":"*"`},
	{"question marks", `"Action":"s3:?etObject","Resource":"*"`, "<", `"Action":["s3:GetObject","s3:setobject"],"Resource":"*"`},
	{"question marks and stars", `"Action":"ec2:*Instance?","Resource":"*"`, "<", `"Action":"ec2:RunInstances","Resource":"*"`},
	{"not an action is the rest", `"NotAction":"s3:*","Resource":"*"`, "#", `"Action":"s3:Get*","Resource":"*"`},
	{"not an action less another", `"NotAction":"s3:*","Resource":"*"`, "<", `"NotAction":["s3:*","iam:*"],"Resource":"*"`},
	{"not by a wider pattern", `"NotAction":"s3:Get*","Resource":"*"`, "<", `"NotAction":"s3:*","Resource":"*"`},
	{"not anything", `"Action":[],"Resource":"*"`, "=", `"NotAction":"*","Resource":"*"`},
	{"not by the same in two", `"NotAction":["s3:*","S3:GetObject"],"Resource":"*"`, "=", `"NotAction":"s3:*","Resource":"*"`},
	{"a bucket and its objects", `"Action":"*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`, "<", `"Action":"*","Resource":"arn:aws:s3:::b/x"`},
	{"a bucket by a prefix", `"Action":"*","Resource":"arn:aws:s3:::b*"`, "<", `"Action":"*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`},
	{"any S3", `"Action":"*","Resource":"arn:aws:s3:::*"`, "<", `"Action":"*","Resource":"arn:aws:s3:::b/*/c"`},
	{"any S3 with region and account", `"Action":"*","Resource":"arn:aws:s3:*:*:*"`, "<", `"Action":"*","Resource":"arn:aws:s3:::b"`},
	{"a table and its index", `"Action":"*","Resource":"arn:aws:dynamodb:*:*:table/t"`, "#", `"Action":"*","Resource":"arn:aws:dynamodb:*:*:table/t/index/*"`},
	{"tables by prefix and one region", `"Action":"*","Resource":"arn:aws:dynamodb:*:111122223333:table/t*"`, "<", `"Action":"*","Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/t/index/i"`},
	{"a log group and its streams", `"Action":"*","Resource":"arn:aws:logs:*:*:log-group:/aws/lambda/*"`, "<", `"Action":"*","Resource":"arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/f:log-stream:*"`},
	{"a function and its versions", `"Action":"*","Resource":"arn:aws:lambda:us-east-1:111122223333:function:f"`, "#", `"Action":"*","Resource":"arn:aws:lambda:us-east-1:111122223333:function:f:*"`},
	{"functions by a star", `"Action":"*","Resource":"arn:aws:lambda:us-east-1:111122223333:function:f*"`, "<", `"Action":"*","Resource":"arn:aws:lambda:us-east-1:111122223333:function:f:*"`},
	{"a star completes a short pattern", `"Action":"*","Resource":"arn:aws:sqs*:111122223333:q"`, "<", `"Action":"*","Resource":"arn:aws:sqs:us-east-1:111122223333:q"`},
	{"the whole service", `"Action":"*","Resource":"arn:aws:sqs:*"`, "=", `"Action":"*","Resource":"arn:aws:sqs:*:*:*"`},
	{"any partition", `"Action":"*","Resource":"arn:*:s3:::b"`, "<", `"Action":"*","Resource":["arn:aws:s3:::b","arn:aws-cn:s3:::b"]`},
	{"not a resource", `"Action":"*","NotResource":"arn:aws:s3:::b/*"`, "<", `"Action":"*","Resource":"arn:aws:s3:::b"`},
	{"not two resources", `"Action":"*","NotResource":"arn:aws:s3:::b"`, "<", `"Action":"*","NotResource":["arn:aws:s3:::b","arn:aws:s3:::c"]`},
	{"not a resource by pattern", `"Action":"*","NotResource":"arn:aws:s3:::b"`, "<", `"Action":"*","NotResource":"arn:aws:s3:::b*"`},
	{"a resource in another case", `"Action":"*","Resource":"arn:aws:s3:::Bucket"`, "#", `"Action":"*","Resource":"arn:aws:s3:::bucket"`},
	{"an escaped star in a resource", `"Action":"*","Resource":"arn:aws:s3:::b/*"`, "<", `"Action":"*","Resource":"arn:aws:s3:::b/${*}x"`},
	{"a variable in a resource", `"Action":"*","Resource":"arn:aws:s3:::b/*/x"`, "<", `"Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/x"`},
	{variableItself, `"Action":"*","Resource":"arn:aws:s3:::b/${aws:username}*"`, "<", `"Action":"*","Resource":["arn:aws:s3:::b/${aws:username}","arn:aws:s3:::b/${aws:username}/*"]`},
	{"a queue is one name", `"Action":"*","Resource":"arn:aws:sqs:*:*:q"`, "#", `"Action":"*","Resource":"arn:aws:sqs:*:*:q.fifo"`},
	{"crosswise", `"Action":["s3:GetObject","sqs:SendMessage"],"Resource":["arn:aws:s3:::b/*","arn:aws:sqs:*:*:q"]`, "<", `"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/x"`},
}

func TestNewAccessOfRelatedElements(t *testing.T) {
	statement := func(elements string) Policy { return parsed(t, doc(`{"Effect":"Allow",`+elements+`}`)) }
	denied := func(elements string) Policy {
		return parsed(t, doc(`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny",`+elements+`}`))
	}
	for _, c := range relatedElements {
		checkRelation(t, c.name, statement(c.a), statement(c.b), c.relation, Options{Type: IdentityPolicy})
		if c.relation == "<" {
			checkRelation(t, c.name+", denied", denied(c.b), denied(c.a), c.relation, Options{Type: IdentityPolicy})
		} else {
			checkRelation(t, c.name+", denied", denied(c.a), denied(c.b), c.relation, Options{Type: IdentityPolicy})
		}
	}
	t.Logf("%d pairs of elements", len(relatedElements))
}

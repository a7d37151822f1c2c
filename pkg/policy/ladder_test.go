package policy

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// ladderOwner is account 111122223333 of o-exampleorgid, which trusts
// 777788889999 and o-partnerorg1.
var ladderOwner = Owner{Account: testAccount, Organization: "o-exampleorgid", TrustedAccounts: []string{"777788889999"}, TrustedOrganizations: []string{"o-partnerorg1"}}

const (
	ownAccount     = `"StringEquals":{"aws:SourceAccount":"111122223333"}`
	foreignAccount = `"StringEquals":{"aws:SourceAccount":"444455556666"}`
)

func serviceStatement(principal, condition string) string {
	return `{"Sid":"s","Effect":"Allow","Principal":` + principal + `,"Action":"lambda:InvokeFunction","Resource":"` + testFunction + `","Condition":` + condition + `}`
}

// arnLike is a condition on aws:SourceArn, as AddPermission writes it.
func arnLike(arn string) string { return `"ArnLike":{"AWS:SourceArn":"` + arn + `"}` }

// The ladder of each service: what is pinned, and the advice begins.
func TestLadder(t *testing.T) {
	for _, c := range []struct {
		service, condition string
		want               Rung
		reason, advice     string // parts of them; an empty advice: none
	}{
		// S3: the four ways of the article.
		{"s3.amazonaws.com", ownAccount + "," + arnLike("arn:aws:s3:::b"), RungTight, `the bucket "b" of your own account`, ""},
		{"s3.amazonaws.com", arnLike("arn:aws:s3:::b"), RungSource, `the bucket "b": whoever owns that name; if it is deleted, anybody may take it`, "add aws:SourceAccount 111122223333 ("},
		{"s3.amazonaws.com", ownAccount, RungAccount, "any bucket of your own account", "add aws:SourceArn, the ARN of the bucket (arn:aws:s3:::BUCKET) ("},
		{"s3.amazonaws.com", ``, RungNone, "any bucket in the world whose owner points its notifications here", "add aws:SourceAccount 111122223333 and aws:SourceArn, the ARN of the bucket (arn:aws:s3:::BUCKET) ("},
		{"s3.amazonaws.com", arnLike("arn:aws:s3:::*"), RungNone, `any bucket in the world that matches "*" and whose owner`, "add aws:SourceAccount 111122223333 and"},
		{"s3.amazonaws.com", arnLike("arn:aws:s3:::logs-*"), RungNone, `any bucket in the world that matches "logs-*" and`, "add aws:SourceAccount"},
		{"s3.amazonaws.com", ownAccount + "," + arnLike("arn:aws:s3:::*"), RungAccount, "any bucket of your own", "add aws:SourceArn"},
		{"s3.amazonaws.com", ownAccount + "," + arnLike("arn:aws:s3:::logs-*"), RungTight, `the bucket "logs-*" of your own account`, ""},
		{"s3.amazonaws.com", `"ArnLike":{"aws:SourceArn":["arn:aws:s3:::a","arn:aws:s3:::b"]}`, RungSource, `the bucket "a" or "b": whoever`, "add aws:SourceAccount"},
		{"s3.amazonaws.com", `"ArnLike":{"aws:SourceArn":["arn:aws:s3:::a","arn:aws:s3:::b*"]}`, RungNone, "any bucket", "add aws:SourceAccount"},
		{"s3.amazonaws.com", foreignAccount + "," + arnLike("arn:aws:s3:::b"), RungForeign, "another account, 444455556666", "if that is meant, name whom it is pinned to as trusted; if not, remove the statement, or pin it by aws:SourceAccount 111122223333 and"},
		{"s3.amazonaws.com", `"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}`, RungOrganization, "the owner's organization", "if your own account is enough, pin it by aws:SourceAccount"},
		{"s3.amazonaws.com", `"StringEquals":{"aws:SourceOrgID":"o-partnerorg1"}`, RungOrganization, "the trusted organization", "if your own account is enough"},
		{"s3.amazonaws.com", `"StringEquals":{"aws:SourceOrgID":"o-attackersorg"}`, RungForeign, "another organization", "if that is meant"},
		{"s3.amazonaws.com", `"StringEquals":{"aws:SourceAccount":"777788889999"}`, RungOrganization, "the trusted account 777788889999", "if your own account is enough"},
		{"s3.amazonaws.com", `"StringEqualsIfExists":{"aws:SourceAccount":"111122223333"}`, RungNone, "any bucket in the world whose", "add aws:SourceAccount"},
		{"s3.amazonaws.com", `"ForAllValues:StringEquals":{"aws:SourceAccount":"111122223333"}`, RungNone, "any bucket", "add aws:SourceAccount"},
		{"s3.amazonaws.com", `"ArnLikeIfExists":{"aws:SourceArn":"arn:aws:s3:::b"}`, RungNone, "any bucket", "add aws:SourceAccount"},
		{"s3.amazonaws.com", `"StringLike":{"aws:SourceAccount":"*"}`, RungNone, "any bucket", "add aws:SourceAccount"},
		{"s3.amazonaws.com", `"StringNotEquals":{"aws:SourceAccount":"444455556666"}`, RungNone, "any bucket", "add aws:SourceAccount"},
		{"s3.amazonaws.com", `"StringLike":{"aws:SourceArn":"arn:aws:s3:::b"}`, RungSource, `the bucket "b"`, "add aws:SourceAccount"},
		{"s3.amazonaws.com", `"StringEquals":{"lambda:EventSourceToken":"t"}`, RungToken, "not documented to send lambda:EventSourceToken", "pin it by aws:SourceAccount 111122223333 and aws:SourceArn, the ARN of the bucket (arn:aws:s3:::BUCKET), and drop lambda:EventSourceToken"},

		// SNS: not documented to send aws:SourceAccount; the topic's ARN bears it.
		{"sns.amazonaws.com", arnLike("arn:aws:sns:us-east-1:111122223333:t"), RungTight, `the topic "arn:aws:sns:us-east-1:111122223333:t" of your own account`, ""},
		{"sns.amazonaws.com", arnLike("arn:aws:sns:*:111122223333:t"), RungTight, "of your own account", ""},
		{"sns.amazonaws.com", arnLike("arn:aws:sns:*:111122223333:*"), RungAccount, "any topic of your own account", "add aws:SourceArn, the ARN of the topic (arn:aws:sns:REGION:111122223333:TOPIC)"},
		{"sns.amazonaws.com", ownAccount, RungAccount, "any topic of your own account; but the service is not documented to send aws:SourceAccount", "pin it by aws:SourceArn, the ARN of the topic (arn:aws:sns:REGION:111122223333:TOPIC), and drop aws:SourceAccount"},
		{"sns.amazonaws.com", arnLike("arn:aws:sns:us-east-1:*:t"), RungNone, "any topic in the world that matches", "add aws:SourceArn"},
		{"sns.amazonaws.com", arnLike("arn:aws:sns:us-east-1:444455556666:t"), RungForeign, "another account, 444455556666", "or pin it by aws:SourceArn"},
		{"sns.amazonaws.com", arnLike("arn:aws:sns:us-east-1:777788889999:t"), RungOrganization, "the trusted account 777788889999", "if your own account is enough"},
		{"sns.amazonaws.com", `"StringLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:t"}`, RungNone, "any topic in the world that matches", "add aws:SourceArn"},
		{"sns.amazonaws.com", `"StringLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:*"}`, RungAccount, "any topic of your own account", "add aws:SourceArn"},
		{"sns.amazonaws.com", arnLike("arn:aws:sns:::t"), RungSource, `the topic "arn:aws:sns:::t": whoever`, "add aws:SourceArn"},
		{"sns.amazonaws.com", ``, RungNone, "any topic in the world whose owner subscribes the function", "add aws:SourceArn"},

		// EventBridge.
		{"events.amazonaws.com", arnLike("arn:aws:events:us-east-1:111122223333:rule/nightly"), RungTight, "the rule", ""},
		{"events.amazonaws.com", arnLike("arn:aws:events:us-east-1:111122223333:rule/nightly-*"), RungTight, "the rule", ""},
		{"events.amazonaws.com", arnLike("arn:aws:events:us-east-1:111122223333:rule/*"), RungAccount, "any rule of your own account", "add aws:SourceArn, the ARN of the rule (arn:aws:events:REGION:111122223333:rule/RULE)"},
		{"events.amazonaws.com", arnLike("arn:aws:events:us-east-1:444455556666:rule/r"), RungForeign, "444455556666", "if that is meant"},
		{"events.amazonaws.com", arnLike("arn:aws:events:::rule/r"), RungSource, "the rule", "add aws:SourceArn"},
		{"events.amazonaws.com", ``, RungNone, "any rule in the world whose owner makes the function its target", "add aws:SourceArn"},

		// API Gateway.
		{"apigateway.amazonaws.com", arnLike("arn:aws:execute-api:us-east-1:111122223333:a1b2c3/*/GET/orders"), RungTight, "the API", ""},
		{"apigateway.amazonaws.com", arnLike("arn:aws:execute-api:us-east-1:111122223333:a1b2c3/*"), RungTight, "the API", ""},
		{"apigateway.amazonaws.com", arnLike("arn:aws:execute-api:us-east-1:111122223333:*/prod/GET/orders"), RungAccount, "any API of your own account", "add aws:SourceArn, the ARN of the API"},
		{"apigateway.amazonaws.com", arnLike("arn:aws:execute-api:::a1b2c3/*"), RungNone, "any API in the world that matches", "add aws:SourceArn"},
		{"apigateway.amazonaws.com", arnLike("arn:aws:execute-api:::a1b2c3"), RungSource, "the API", "add aws:SourceArn"},
		{"apigateway.amazonaws.com", ``, RungNone, "any API in the world whose owner integrates the function", "add aws:SourceArn"},

		// Cognito.
		{"cognito-idp.amazonaws.com", ownAccount + "," + arnLike("arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_EXAMPLE"), RungTight, "the user pool", ""},
		{"cognito-idp.amazonaws.com", ownAccount, RungAccount, "any user pool of your own account", "add aws:SourceArn, the ARN of the user pool"},
		{"cognito-idp.amazonaws.com", arnLike("arn:aws:cognito-idp:::userpool/us-east-1_EXAMPLE"), RungSource, "the user pool", "add aws:SourceAccount 111122223333 and aws:SourceArn"},
		{"cognito-idp.amazonaws.com", ``, RungNone, "any user pool in the world", "add aws:SourceAccount 111122223333 and aws:SourceArn"},
		{"cognito-sync.amazonaws.com", arnLike("arn:aws:cognito-identity:us-east-1:111122223333:identitypool/*"), RungAccount, "any identity pool", "add aws:SourceArn"},

		// Alexa: a token instead of an account.
		{"alexa-appkit.amazon.com", `"StringEquals":{"lambda:EventSourceToken":"amzn1.ask.skill.example"}`, RungToken, `the skill whose token is "amzn1.ask.skill.example": whether it is yours, the policy does not say`, "check that the token is the id of your own skill"},
		{"alexa-appkit.amazon.com", `"StringLike":{"lambda:EventSourceToken":"amzn1.ask.skill.*"}`, RungNone, "any skill in the world", "add lambda:EventSourceToken, the skill's id ("},
		{"alexa-appkit.amazon.com", ownAccount, RungAccount, "not documented to send aws:SourceAccount", "pin it by lambda:EventSourceToken, the skill's id, and drop aws:SourceAccount"},
		{"alexa-appkit.amazon.com", arnLike("arn:aws:alexa:::skill"), RungSource, "not documented to send AWS:SourceArn", "pin it by lambda:EventSourceToken"},
		{"alexa-appkit.amazon.com", foreignAccount + `,"StringLike":{"lambda:EventSourceToken":"t"}`, RungForeign, "444455556666", "or pin it by lambda:EventSourceToken"},
		{"alexa-appkit.amazon.com", ``, RungNone, "any skill in the world whose owner makes the function its endpoint", "add lambda:EventSourceToken, the skill's id ("},
		{"alexa-connectedhome.amazon.com", ``, RungNone, "any smart home skill in the world", "add lambda:EventSourceToken"},

		// Config: not documented to send aws:SourceArn.
		{"config.amazonaws.com", ownAccount + "," + arnLike("arn:aws:config:us-east-1:111122223333:config-rule/config-rule-abc123"), RungTight, "not documented to send AWS:SourceArn", ""},
		{"config.amazonaws.com", ownAccount + "," + arnLike("arn:aws:config:us-east-1:111122223333:config-rule/*"), RungAccount, "any Config rule", "nothing tighter is documented"},
		{"config.amazonaws.com", ownAccount, RungAccount, "any Config rule of your own account", "nothing tighter is documented"},
		{"config.amazonaws.com", arnLike("arn:aws:config:::config-rule/r"), RungSource, "the Config rule", "pin it by aws:SourceAccount 111122223333, and drop AWS:SourceArn"},
		{"config.amazonaws.com", ``, RungNone, "any Config rule in the world", "add aws:SourceAccount 111122223333 ("},

		// Logs, also with a region in the name.
		{"logs.amazonaws.com", ownAccount + "," + arnLike("arn:aws:logs:us-east-1:111122223333:log-group:/app/orders:*"), RungTight, "the log group", ""},
		{"logs.us-east-1.amazonaws.com", arnLike("arn:aws:logs:us-east-1:111122223333:log-group:*"), RungAccount, "any log group of your own", "add aws:SourceArn, the ARN of the log group (arn:aws:logs:REGION:111122223333:log-group:GROUP:*)"},
		{"logs.us-east-1.amazonaws.com", arnLike("arn:aws:logs:us-east-1:111122223333:*"), RungAccount, "any log group", "add aws:SourceArn"},
		{"logs.amazonaws.com", arnLike("arn:aws:logs:::log-group:g"), RungSource, "the log group", "add aws:SourceAccount"},
		{"logs.eu-west-1.amazonaws.com", ``, RungNone, "any log group in the world", "add aws:SourceAccount 111122223333 and"},

		// IoT.
		{"iot.amazonaws.com", ownAccount + "," + arnLike("arn:aws:iot:us-east-1:111122223333:rule/r"), RungTight, "the IoT rule", ""},
		{"iot.amazonaws.com", arnLike("arn:aws:iot:us-east-1:111122223333:authorizer/*"), RungAccount, "any IoT rule", "add aws:SourceArn"},
		{"iot.amazonaws.com", arnLike("arn:aws:iot:::rule/r"), RungSource, "the IoT rule", "add aws:SourceAccount"},
		{"iot.amazonaws.com", ``, RungNone, "any IoT rule in the world", "add aws:SourceAccount"},
		{"iotevents.amazonaws.com", ``, RungNone, "any detector model in the world", "iotevents.amazonaws.com is not documented to send anything that pins it"},

		// SES.
		{"ses.amazonaws.com", ownAccount + "," + arnLike("arn:aws:ses:us-east-1:111122223333:receipt-rule-set/in:receipt-rule/r"), RungTight, "the receipt rule", ""},
		{"ses.amazonaws.com", ownAccount + "," + arnLike("arn:aws:ses:us-east-1:111122223333:receipt-rule-set/*:receipt-rule/*"), RungAccount, "any receipt rule", "add aws:SourceArn"},
		{"ses.amazonaws.com", arnLike("arn:aws:ses:::receipt-rule-set/in:receipt-rule/r"), RungSource, "the receipt rule", "add aws:SourceAccount"},
		{"ses.amazonaws.com", ``, RungNone, "any receipt rule in the world", "add aws:SourceAccount"},

		// Load balancers.
		{"elasticloadbalancing.amazonaws.com", ownAccount + "," + arnLike("arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0123456789abcdef"), RungTight, "the target group", ""},
		{"elasticloadbalancing.amazonaws.com", arnLike("arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/*"), RungAccount, "any target group", "add aws:SourceArn"},
		{"elasticloadbalancing.amazonaws.com", arnLike("arn:aws:elasticloadbalancing:::targetgroup/web/0123456789abcdef"), RungSource, "the target group", "add aws:SourceAccount"},
		{"elasticloadbalancing.amazonaws.com", ``, RungNone, "any target group in the world", "add aws:SourceAccount"},

		// Secrets Manager: not documented to send aws:SourceArn.
		{"secretsmanager.amazonaws.com", ownAccount + "," + arnLike("arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf"), RungTight, "not documented to send AWS:SourceArn", ""},
		{"secretsmanager.amazonaws.com", ownAccount, RungAccount, "any secret of your own account", "nothing tighter is documented"},
		{"secretsmanager.amazonaws.com", arnLike("arn:aws:secretsmanager:::secret:db"), RungSource, "the secret", "pin it by aws:SourceAccount 111122223333, and drop"},
		{"secretsmanager.amazonaws.com", ``, RungNone, "any secret in the world", "add aws:SourceAccount 111122223333 ("},

		// Lex.
		{"lexv2.amazonaws.com", arnLike("arn:aws:lex:us-east-1:111122223333:bot-alias/BOT/ALIAS"), RungTight, "the bot", ""},
		{"lexv2.amazonaws.com", arnLike("arn:aws:lex:us-east-1:111122223333:bot-alias/*"), RungAccount, "any bot of your own account", "add aws:SourceArn"},
		{"lexv2.amazonaws.com", arnLike("arn:aws:lex:::bot-alias/BOT/ALIAS"), RungSource, "the bot", "add aws:SourceArn"},
		{"lexv2.amazonaws.com", ``, RungNone, "any bot in the world", "add aws:SourceArn"},
		{"lex.amazonaws.com", arnLike("arn:aws:lex:us-east-1:111122223333:intent:OrderFlowers:*"), RungTight, "the intent", ""},
		{"lex.amazonaws.com", arnLike("arn:aws:lex:us-east-1:111122223333:intent:*"), RungAccount, "any intent", "add aws:SourceArn"},

		// CodeCommit.
		{"codecommit.amazonaws.com", ownAccount + "," + arnLike("arn:aws:codecommit:us-east-1:111122223333:repo"), RungTight, "the repository", ""},
		{"codecommit.amazonaws.com", arnLike("arn:aws:codecommit:us-east-1:111122223333:*"), RungAccount, "any repository of your own account", "add aws:SourceArn"},
		{"codecommit.amazonaws.com", arnLike("arn:aws:codecommit:::repo"), RungSource, "the repository", "add aws:SourceAccount"},
		{"codecommit.amazonaws.com", ``, RungNone, "any repository in the world", "add aws:SourceAccount"},

		// Services that call by something else, and services that nobody knows.
		{"scheduler.amazonaws.com", ``, RungNone, "calls by the execution role of the schedule, and not by this policy", "remove the statement: scheduler.amazonaws.com calls by the execution role of the schedule"},
		{"sqs.amazonaws.com", ownAccount, RungAccount, "an event source mapping", "remove the statement"},
		{"example.amazonaws.com", ownAccount + "," + arnLike("arn:aws:example:us-east-1:111122223333:thing/x"), RungTight, "the source", ""},
		{"example.amazonaws.com", arnLike("arn:aws:example:us-east-1:111122223333:thing/*"), RungAccount, "any source of your own account", "look up which of aws:SourceArn and aws:SourceAccount example.amazonaws.com sends"},
		{"example.amazonaws.com", arnLike("arn:aws:example:::x"), RungSource, "the source", "look up"},
		{"example.amazonaws.com", ``, RungNone, "any source in the world whose owner points it here", "look up"},
	} {
		t.Run(c.service+" {"+c.condition+"}", func(t *testing.T) {
			s := statement(t, serviceStatement(`{"Service":"`+c.service+`"}`, "{"+c.condition+"}"))
			got, ok := Ladder(s, ladderOwner)
			if !ok || got.Rung != c.want || got.Service != c.service || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got %s of %s (%s), want %s (%s)", got.Rung, got.Service, got.Reason, c.want, c.reason)
			}
			advice, ok := Advice(s, ladderOwner)
			if ok != (c.advice != "") || !strings.Contains(advice, c.advice) {
				t.Errorf("advises %q, want %q", advice, c.advice)
			}
			agrees(t, s, got, ok)
		})
	}
}

// agrees fails where the ladder and Expose contradict each other.
func agrees(t *testing.T, s Statement, step Step, ok bool) {
	t.Helper()
	want := map[Rung]Exposure{
		RungNone: ConfusedDeputy, RungSource: ConfusedDeputy, RungForeign: External, RungToken: External,
		RungOrganization: Organization, RungAccount: Internal, RungTight: Internal,
	}
	if v := Expose(s, ladderOwner); step.Rung != "" && want[step.Rung] != v.Exposure {
		t.Errorf("%s is %s (%s), and its exposure %s (%s)", s, step.Rung, step.Reason, v.Exposure, v.Reason)
	}
	if ok && step.Rung == "" {
		t.Errorf("%s: advice without a rung", s)
	}
}

func TestLadderOfOtherStatements(t *testing.T) {
	for _, c := range []struct {
		name, statement string
		want            Rung // empty: no rung
		service         string
	}{
		{"anyone", serviceStatement(`"*"`, `{}`), "", ""},
		{"an account", serviceStatement(`{"AWS":"444455556666"}`, `{}`), "", ""},
		{"a service and an account", serviceStatement(`{"Service":"s3.amazonaws.com","AWS":"111122223333"}`, `{}`), "", ""},
		{"a Deny", `{"Effect":"Deny","Principal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}`, "", ""},
		{"all but a service", `{"Effect":"Allow","NotPrincipal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*"}`, "", ""},
		{"an identity policy", `{"Effect":"Allow","Action":"*","Resource":"*"}`, "", ""},
		{"an operator that is not known", serviceStatement(`{"Service":"s3.amazonaws.com"}`, `{"StringMatches":{"aws:SourceAccount":"111122223333"}}`), "", ""},
		{"a variable", serviceStatement(`{"Service":"s3.amazonaws.com"}`, `{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}`), "", ""},
		{"nobody", serviceStatement(`{"Service":"s3.amazonaws.com"}`, `{"StringEquals":{"aws:SourceAccount":"111122223333"},"Null":{"aws:SourceAccount":"true"}}`), "", ""},
		{"the wider of two services", serviceStatement(`{"Service":["s3.amazonaws.com","events.amazonaws.com"]}`, `{"ArnLike":{"aws:SourceArn":"arn:aws:execute-api:us-east-1:111122223333:rule/*"}}`), RungAccount, "events.amazonaws.com"},
		{"two services, nothing pinned", serviceStatement(`{"Service":["sns.amazonaws.com","s3.amazonaws.com"]}`, `{}`), RungNone, "sns.amazonaws.com"},
		{"any action", `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"NotAction":"lambda:GetPolicy","Resource":"` + testFunction + `"}`, RungNone, "s3.amazonaws.com"},
		{"two conditions on the source", serviceStatement(`{"Service":"sns.amazonaws.com"}`, `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"},"StringEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}`), RungTight, "sns.amazonaws.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := statement(t, c.statement)
			got, ok := Ladder(s, ladderOwner)
			if got.Rung != c.want || got.Service != c.service || ok != (c.want != "") {
				t.Errorf("got %q of %q (%s), %v", got.Rung, got.Service, got.Reason, ok)
			}
			agrees(t, s, got, ok)
			if _, advised := Advice(s, ladderOwner); advised && !ok {
				t.Error("advice without a rung")
			}
		})
	}
}

func TestLadderTakesTheOwnerFromTheStatement(t *testing.T) {
	s := statement(t, serviceStatement(`{"Service":"s3.amazonaws.com"}`, "{"+ownAccount+"}"))
	if got, _ := Ladder(s, Owner{}); got.Rung != RungAccount {
		t.Errorf("got %s (%s)", got.Rung, got.Reason)
	}
	s.Resource = []string{"*"}
	if got, _ := Ladder(s, Owner{}); got.Rung != RungForeign {
		t.Errorf("of an unknown owner: got %s (%s)", got.Rung, got.Reason)
	}
}

func TestLadderInOldPoliciesAndOtherPartitions(t *testing.T) {
	p, err := Parse([]byte(`{"Version":"2008-10-17","Statement":` + serviceStatement(`{"Service":"s3.amazonaws.com"}`, `{"StringEquals":{"aws:SourceAccount":"111122223333","aws:SourceArn":"arn:aws:s3:::${b}"}}`) + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := Ladder(p.Statements[0], ladderOwner); got.Rung.Wider(RungAccount) {
		t.Errorf("a literal ${b}: got %s (%s)", got.Rung, got.Reason)
	}
	s := statement(t, `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws-cn:lambda:cn-north-1:111122223333:function:f"}`)
	if got, _ := Advice(s, Owner{}); !strings.Contains(got, "(arn:aws-cn:sns:REGION:111122223333:TOPIC)") {
		t.Errorf("got %q", got)
	}
}

func TestAdviceOnSeveralServices(t *testing.T) {
	s := statement(t, serviceStatement(`{"Service":["s3.amazonaws.com","sns.amazonaws.com"]}`, `{}`))
	if got, _ := Advice(s, ladderOwner); !strings.HasPrefix(got, "give each service a statement of its own") {
		t.Errorf("got %q", got)
	}
}

func TestRungsAreOrdered(t *testing.T) {
	for i, r := range rungs {
		for j, q := range rungs {
			if r.Wider(q) != (i < j) {
				t.Errorf("%s wider than %s: %v", r, q, r.Wider(q))
			}
		}
	}
	if !Rung("").Wider(RungNone) {
		t.Error("what is no rung must be the widest")
	}
}

// ladderCondition picks a condition on the keys that pin services. A wildcard
// that is literal is left out: no request has it.
func ladderCondition(u universe) Condition {
	set, tail := pickOne(u, "", "", "", "", "ForAnyValue:", "ForAllValues:"), pickOne(u, "", "", "", "IfExists")
	of := func(key, operator string, texts []string, patterns ...string) Condition {
		if strings.Contains(operator, "Like") {
			texts = append(texts, patterns...)
		}
		return Condition{Operator: set + operator + tail, Key: key, Values: some1(u, 2, texts...)}
	}
	switch u.Intn(6) {
	case 0, 1:
		return of("AWS:SourceArn", pickOne(u, "ArnLike", "ArnLike", "StringLike", "StringEquals", "ArnNotLike", "StringNotLike"),
			[]string{"arn:aws:s3:::b", "arn:aws:s3:::c", "arn:aws:sns:us-east-1:111122223333:t", "arn:aws:sns:us-east-1:444455556666:t"},
			"arn:aws:s3:::b*", "arn:aws:s3:::*", "*", "arn:aws:sns:*:111122223333:t*", "arn:aws:sns:us-east-1:111122223333:*", "arn:aws:sns:us-east-1:*:t", "arn:aws:sns:us-east-1:777788889999:*", "arn:aws:s*")
	case 2, 3:
		return of("aws:SourceAccount", pickOne(u, "StringEquals", "StringLike", "StringNotEquals", "StringEqualsIgnoreCase"), []string{"111122223333", "444455556666", "777788889999"}, "1*", "*")
	case 4:
		return of("aws:SourceOrgID", pickOne(u, "StringEquals", "StringLike", "StringNotEquals"), []string{"o-exampleorgid", "o-partnerorg1", "o-attackersorg"}, "o-*")
	}
	return Condition{Operator: "Null", Key: pickOne(u, "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID"), Values: []string{pickOne(u, "true", "false")}}
}

// caller is on whose behalf a service calls, and from which source.
type caller struct{ account, organization, arn string }

func (c caller) request(service string, with int) Request {
	r := Request{Principal: Caller{Kind: ServiceCaller, ID: service}, Action: "lambda:InvokeFunction", Resource: testFunction, Context: map[string][]string{}}
	for i, pair := range [][2]string{{"aws:SourceAccount", c.account}, {"aws:SourceArn", c.arn}, {"aws:SourceOrgID", c.organization}} {
		if with&(1<<i) != 0 {
			r.Context[pair[0]] = []string{pair[1]}
		}
	}
	return r
}

// calls lists on whose behalf a service can call: for each account, sources of
// the statements' names, and one that no statement knows.
func calls() (list []caller) {
	for account, organization := range map[string]string{testAccount: "o-exampleorgid", "777788889999": "o-elsewhere12", "444455556666": "o-attackersorg", "123456789012": "o-unnamedorg1"} {
		list = append(list, caller{account, organization, "arn:aws:events:us-east-1:" + account + ":rule/fresh"})
		for _, name := range []string{"b", "c", "b2", "t", "t2", "x:111122223333:t", "fresh"} {
			list = append(list, caller{account, organization, "arn:aws:s3:::" + name}, caller{account, organization, "arn:aws:sns:us-east-1:" + account + ":" + name})
		}
	}
	return list
}

// The ladder and the exposure never contradict each other, and neither do the
// ladder and Evaluate, which shares no code with it: what a rung shuts out is
// refused, and where nothing is pinned a stranger gets in.
func TestLadderAgreesWithExposeAndEvaluate(t *testing.T) {
	u := universe{Rand: rand.New(rand.NewSource(4))}
	count := map[Rung]int{}
	for range 600 {
		service := pickOne(u, "s3.amazonaws.com", "sns.amazonaws.com")
		s := Statement{Effect: Allow, Principal: &Principals{Service: []string{service}}, Action: []string{"lambda:InvokeFunction"}, Resource: []string{testFunction}}
		for range u.Intn(4) {
			s.Condition = append(s.Condition, ladderCondition(u))
		}
		step, ok := Ladder(s, ladderOwner)
		agrees(t, s, step, ok)
		if v := Expose(s, ladderOwner); ok != (v.Exposure != Unknown && v.Exposure != Nobody) {
			t.Fatalf("%s: a rung %v, and the exposure is %s", s, ok, v.Exposure)
		}
		if !ok {
			continue
		}
		count[step.Rung]++
		stranger := false
		for _, c := range calls() {
			for with := range 8 {
				if Evaluate(one(s), c.request(service, with)).Outcome != Allowed {
					continue
				}
				stranger = stranger || c.account != testAccount && c.account != "777788889999"
				if why := shutOut(step.Rung, c, with); why != "" {
					t.Fatalf("%s is %s (%s), yet %s: %+v with %03b", s, step.Rung, step.Reason, why, c, with)
				}
			}
		}
		if step.Rung == RungNone && !stranger {
			t.Fatalf("%s is none (%s), yet no stranger gets in", s, step.Reason)
		}
	}
	for _, r := range rungs {
		if r != RungToken && count[r] < 5 {
			t.Errorf("only %d statements were %s", count[r], r)
		}
	}
	t.Log(fmt.Sprint(count))
}

// shutOut says why a call must not get in under a rung, empty if it may.
func shutOut(rung Rung, c caller, with int) string {
	const account, arn, organization = 1, 2, 4
	fresh := with&arn == 0 || strings.HasSuffix(c.arn, "fresh")
	known := with&account != 0 || with&arn != 0 && !strings.HasPrefix(c.arn, "arn:aws:s3:") || with&organization != 0
	switch {
	case rung == RungSource && fresh && (c.account == "123456789012" || strings.HasPrefix(c.arn, "arn:aws:s3:")):
		return "a source that it does not name gets in" // one of an account that it names besides may
	case rung == RungTight && fresh:
		return "a source that it does not name gets in"
	case rung == RungNone || rung == RungSource:
		return ""
	case !known:
		return "a call for nobody in particular gets in"
	case rung == RungForeign && c.account == "123456789012":
		return "an account that it does not name gets in"
	case rung == RungForeign:
		return ""
	case rung == RungOrganization && (c.account == "444455556666" || c.account == "123456789012"):
		return "a stranger gets in"
	case (rung == RungAccount || rung == RungTight) && c.account != testAccount:
		return "another account gets in"
	}
	return ""
}

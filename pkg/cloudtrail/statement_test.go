package cloudtrail

import (
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/policy"
)

func TestStatementIsWrittenAsLambdaWritesIt(t *testing.T) {
	const service = `{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + orders + `"`
	for _, row := range []struct{ name, parameters, want string }{
		{
			addName, `"action":"lambda:InvokeFunction","principal":"*"`,
			`{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + orders + `"}`,
		},
		{
			addName, `"action":"lambda:*","principal":"444455556666","qualifier":"live"`,
			`{"Sid":"s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:*","Resource":"` + orders + `:live"}`,
		},
		{
			addName, `"action":"lambda:InvokeFunction","principal":"arn:aws:iam::444455556666:role/a.b"`,
			`{"Sid":"s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/a.b"},"Action":"lambda:InvokeFunction","Resource":"` + orders + `"}`,
		},
		{addName, `"action":"lambda:InvokeFunction","principal":"s3.amazonaws.com"`, service + `}`},
		{
			addName, `"action":"lambda:InvokeFunction","principal":"s3.amazonaws.com","sourceArn":"arn:aws:s3:::b","sourceAccount":"111122223333"`,
			service + `,"Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`,
		},
		{
			addName, `"action":"lambda:InvokeFunction","principal":"s3.amazonaws.com","eventSourceToken":"t","principalOrgID":"o-exampleorgid"`,
			service + `,"Condition":{"StringEquals":{"lambda:EventSourceToken":"t","aws:PrincipalOrgID":"o-exampleorgid"}}}`,
		},
		{
			addName, `"action":"lambda:InvokeFunction","principal":"s3.amazonaws.com","functionUrlAuthType":"NONE","invokedViaFunctionUrl":true`,
			service + `,"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"},"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`,
		},
		{
			"AddLayerVersionPermission20181031", `"layerName":"l","versionNumber":2,"action":"lambda:GetLayerVersion","principal":"*","organizationId":"o-exampleorgid"`,
			`{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"arn:aws:lambda:us-east-1:111122223333:layer:l:2","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`,
		},
	} {
		r := decodeOne(t, ours(lambdaAPI, row.name, `{"functionName":"orders","statementId":"s",`+row.parameters+`}`, `null`))
		want, err := policy.ParseStatement([]byte(row.want))
		if err != nil {
			t.Fatal(err)
		}
		c := r.Changes[0]
		if c.Statement == nil || !c.Statement.Equal(want) || c.Statement.Sid != "s" || c.Problem != "" {
			t.Errorf("%s:\n got %+v %s\nwant %+v", row.parameters, c.Statement, c.Problem, want)
		}
	}
}

func TestWhatIsAnsweredCountsNotWhatWasAsked(t *testing.T) {
	r := decodeOne(t, ours(lambdaAPI, addName, addOrders,
		`{"statement":"{\"Sid\":\"s\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::444455556666:root\"},\"Action\":\"lambda:GetFunction\",\"Resource\":\"`+orders+`\"}"}`))
	if s := r.Changes[0].Statement; s == nil || s.Action[0] != "lambda:GetFunction" || s.Principal.Any {
		t.Errorf("got %+v", s)
	}
}

func TestStatementsThatAreNotKnown(t *testing.T) {
	for name, row := range map[string]struct {
		record  []byte
		problem string // how it begins; empty if there is none
	}{
		"unreadable answer":      {ours(lambdaAPI, addName, addOrders, `{"statement":"{\"Effect\":"}`), "the statement that was added cannot be read: line 1, column 11: "},
		"hidden answer":          {ours(lambdaAPI, addName, addOrders, `{"statement":"HIDDEN_DUE_TO_SECURITY_REASONS"}`), "the statement that was added cannot be read: line 1, column 1: "},
		"nothing asked":          {ours(lambdaAPI, addName, `{"functionName":"orders","statementId":"s"}`, `null`), "the response quotes no statement, and the request does not tell it: action or principal is missing"},
		"the outcome is unknown": {ours(lambdaAPI, addName, addOrders, `null`, "errorCode", `"ServiceException"`), ""},
	} {
		c := decodeOne(t, row.record).Changes[0]
		if c.Statement != nil || c.Sid != "s" || !strings.HasPrefix(c.Problem, row.problem) || (row.problem == "") != (c.Problem == "") {
			t.Errorf("%s: statement %+v, sid %q, problem %q", name, c.Statement, c.Sid, c.Problem)
		}
	}
}

func TestClaimedPolicies(t *testing.T) {
	const allow = `{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"lambda:*\",\"Resource\":\"*\"}]}`
	const deny = `{\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"lambda:*\",\"Resource\":\"*\"}]}`
	put := func(request, response string) []byte {
		return ours(lambdaAPI, "PutResourcePolicy", `{"resourceArn":"`+orders+`"`+request+`}`, response)
	}
	for name, row := range map[string]struct {
		record       []byte
		want, reason string // the effect of the first statement, or how the problem begins
	}{
		"answered":         {put(`,"policy":"`+allow+`"`, `{"policy":"`+deny+`"}`), "Deny", ""},
		"asked":            {put(`,"policy":"`+allow+`"`, `null`), "Allow", ""},
		"as an object":     {put(`,"policy":`+strings.ReplaceAll(allow, `\`, ``), `null`), "Allow", ""},
		"not given":        {put(``, `null`), "", "the event does not quote the policy"},
		"not a policy":     {put(`,"policy":"{}"`, `null`), "", "the policy cannot be read: line 1, column 1: "},
		"not JSON":         {put(`,"policy":"allow all"`, `null`), "", "the policy cannot be read: line 1, column 1: "},
		"trust, asked":     {ours(iamAPI, "CreateRole", `{"roleName":"r","assumeRolePolicyDocument":"`+allow+`"}`, `null`), "Allow", ""},
		"trust, encoded":   {ours(iamAPI, "CreateRole", `{"roleName":"r"}`, `{"role":{"assumeRolePolicyDocument":"%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Deny%22%2C%22Principal%22%3A%22%2A%22%2C%22Action%22%3A%22sts%3A%2A%22%7D%5D%7D"}}`), "Deny", ""},
		"trust, bad coded": {ours(iamAPI, "CreateRole", `{"roleName":"r"}`, `{"role":{"assumeRolePolicyDocument":"%7"}}`), "", "the policy cannot be read: invalid URL escape"},
	} {
		c := decodeOne(t, row.record).Changes[0]
		got := ""
		if c.Policy != nil {
			got = string(c.Policy.Statements[0].Effect)
		}
		if got != row.want || !strings.HasPrefix(c.Problem, row.reason) || (row.reason == "") != (c.Problem == "") {
			t.Errorf("%s: effect %q, problem %q", name, got, c.Problem)
		}
	}
}

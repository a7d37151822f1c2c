package access

import (
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

const me = "111122223333"

// doc is a policy of statements.
func doc(t testing.TB, statements ...string) policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`))
	if err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	return p
}

func list(text string) string {
	return `["` + strings.ReplaceAll(text, " ", `","`) + `"]`
}

func allow(actions, resources string) string {
	return `{"Effect":"Allow","Action":` + list(actions) + `,"Resource":` + list(resources) + `}`
}

func allowIf(actions, resources, condition string) string {
	return `{"Effect":"Allow","Action":` + list(actions) + `,"Resource":` + list(resources) + `,"Condition":` + condition + `}`
}

func deny(actions, resources string) string {
	return `{"Effect":"Deny","Action":` + list(actions) + `,"Resource":` + list(resources) + `}`
}

func names(list []drift.Escalation) string {
	var out []string
	for _, e := range list {
		out = append(out, e.Method+"="+string(e.Severity))
	}
	return strings.Join(out, " ")
}

func has(list []drift.Escalation, method string) (drift.Escalation, bool) {
	for _, e := range list {
		if e.Method == method {
			return e, true
		}
	}
	return drift.Escalation{}, false
}

// TestEachMethodIsFoundAndItsNearMissIsNot has for each method policies that
// open it, and policies that nearly do.
func TestEachMethodIsFoundAndItsNearMissIsNot(t *testing.T) {
	const (
		fn      = "arn:aws:lambda:us-east-1:111122223333:function:orders"
		role    = "arn:aws:iam::111122223333:role/orders"
		toOther = `{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}`
		toUs    = `{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}`
	)
	type open struct {
		severity   drift.Severity
		statements []string
	}
	seen := make(map[string]bool)
	for _, c := range []struct {
		method string
		opens  []open
		misses [][]string
	}{
		{
			Administrator,
			[]open{{drift.Critical, []string{allow("*", "*")}}, {drift.Critical, []string{`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, allow("iam:*", "*")}}},
			[][]string{{allow("*", "arn:aws:s3:::*")}, {allow("*", "*"), deny("iam:*", "*")}, {`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`}},
		},
		{
			"pass-role-create-function",
			[]open{
				{drift.Critical, []string{allow("iam:PassRole lambda:CreateFunction lambda:InvokeFunction", "*")}},
				{drift.Critical, []string{allowIf("iam:PassRole", "*", toUs), allow("lambda:Create* ", "*"), allow("lambda:AddPermission", "arn:aws:lambda:us-east-1:*:function:*")}},
				{drift.High, []string{allow("iam:PassRole", role), allow("lambda:CreateFunction lambda:CreateEventSourceMapping", "*")}},
				{drift.Critical, []string{`{"Effect":"Allow","NotAction":["iam:Create*","s3:*"],"Resource":"*"}`}},
			},
			[][]string{
				{allowIf("iam:PassRole", "*", toOther), allow("lambda:CreateFunction lambda:InvokeFunction", "*")},
				{allow("iam:PassRole", "*"), allow("lambda:CreateFunction", "*")},
				{allow("iam:PassRole", "arn:aws:iam::444455556666:role/*"), allow("lambda:CreateFunction lambda:InvokeFunction", "*")},
				{allow("iam:PassRole lambda:*", "*"), deny("lambda:CreateFunction", "*")},
				{allow("lambda:*", "*")},
			},
		},
		{
			"update-function-code",
			[]open{{drift.High, []string{allow("lambda:updatefunctioncode", "*")}}, {drift.Medium, []string{allow("lambda:Update*", fn)}}},
			[][]string{{allow("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:111122223333:layer:x:1")}, {allow("lambda:*", "*"), deny("lambda:*Code", "*")}, {`{"Effect":"Allow","NotAction":"lambda:Update*","Resource":"*"}`}},
		},
		{
			"update-function-configuration",
			[]open{{drift.High, []string{allow("lambda:UpdateFunctionConfiguration", "*")}}, {drift.Medium, []string{allow("lambda:UpdateFunctionConfiguration", fn)}}},
			[][]string{{allow("lambda:GetFunctionConfiguration", "*")}, {allow("lambda:UpdateFunctionConfiguration", "arn:aws:lambda:us-east-1:444455556666:function:orders")}},
		},
		{
			"pass-role-update-function",
			[]open{{drift.Critical, []string{allow("iam:PassRole lambda:UpdateFunctionC*", "*")}}, {drift.High, []string{allow("iam:PassRole", role), allow("lambda:*", fn)}}},
			[][]string{{allowIf("iam:PassRole", "*", toOther), allow("lambda:*", fn)}, {allow("lambda:*", fn)}},
		},
		{
			"pass-any-role",
			[]open{{drift.High, []string{allowIf("iam:PassRole", "*", toOther)}}, {drift.High, []string{allow("iam:Pass*", "arn:aws:iam::111122223333:role/*")}}},
			[][]string{{allow("iam:PassRole", "arn:aws:iam::111122223333:role/app-*")}, {allow("iam:PassRole", "*"), deny("iam:PassRole", "*")}},
		},
		{"put-role-policy", []open{{drift.Critical, []string{allow("iam:PutRolePolicy", "*")}}}, [][]string{{allow("iam:PutRolePolicy", role)}, {allow("iam:PutUserPolicy", "*")}}},
		{"attach-role-policy", []open{{drift.Critical, []string{allow("iam:Attach*", "arn:aws:iam::*:role/*")}}}, [][]string{{allow("iam:AttachRolePolicy", "arn:aws:iam::111122223333:user/*")}}},
		{"create-policy-version", []open{{drift.Critical, []string{allow("iam:CreatePolicyVersion", "*")}}}, [][]string{{allow("iam:CreatePolicy", "*")}, {allow("iam:CreatePolicyVersion", "arn:aws:iam::111122223333:policy/app")}}},
		{"set-default-policy-version", []open{{drift.High, []string{allow("iam:SetDefaultPolicyVersion", "*")}}}, [][]string{{allow("iam:GetPolicyVersion", "*")}}},
		{"update-assume-role-policy", []open{{drift.Critical, []string{allow("iam:UpdateAssumeRolePolicy", "*")}}}, [][]string{{allow("iam:UpdateAssumeRolePolicy", role)}, {allow("iam:UpdateRole", "*")}}},
		{"put-user-policy", []open{{drift.Critical, []string{allow("iam:PutUserPolicy", "*")}}}, [][]string{{allow("iam:PutUserPolicy", "arn:aws:iam::111122223333:user/ana")}}},
		{"attach-user-policy", []open{{drift.Critical, []string{allow("iam:AttachUserPolicy", "*")}}}, [][]string{{allow("iam:DetachUserPolicy", "*")}}},
		{"write-any-group", []open{{drift.Critical, []string{allow("iam:PutGroupPolicy", "*")}}, {drift.Critical, []string{allow("iam:AddUserToGroup", "*")}}}, [][]string{{allow("iam:AttachGroupPolicy", "arn:aws:iam::111122223333:group/dev")}}},
		{"create-access-key", []open{{drift.Critical, []string{allow("iam:CreateAccessKey", "*")}}, {drift.Critical, []string{allow("iam:*LoginProfile", "*")}}}, [][]string{{allow("iam:CreateAccessKey", "arn:aws:iam::111122223333:user/ana")}}},
		{"delete-permissions-boundary", []open{{drift.High, []string{allow("iam:Delete*", "*")}}}, [][]string{{allow("iam:PutRolePermissionsBoundary", "*")}, {allow("iam:DeleteRolePermissionsBoundary", role)}}},
		{"assume-any-role", []open{{drift.High, []string{allow("sts:AssumeRole", "*")}}}, [][]string{{allow("sts:AssumeRole", role)}, {allow("sts:GetCallerIdentity", "*")}}},
		{
			"assume-foreign-role",
			[]open{{drift.High, []string{allow("sts:*", "*")}}, {drift.Medium, []string{allow("sts:AssumeRole", "arn:aws:iam::444455556666:role/deploy")}}},
			[][]string{{allow("sts:AssumeRole", "arn:aws:iam::111122223333:role/*")}, {allow("sts:AssumeRole", "*"), `{"Effect":"Deny","Action":"sts:*","NotResource":"arn:aws:iam::111122223333:*"}`}},
		},
		{"add-permission", []open{{drift.High, []string{allow("lambda:AddPermission", "*")}}, {drift.High, []string{allow("lambda:PutResourcePolicy", "*")}}}, [][]string{{allow("lambda:AddPermission", fn)}, {allow("lambda:AddLayerVersionPermission", "*")}}},
		{"invoke-every-function", []open{{drift.Medium, []string{allow("lambda:Invoke*", "*")}}}, [][]string{{allow("lambda:InvokeFunction", fn)}, {allow("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111122223333:function:orders-*")}}},
		{
			"read-every-stream",
			[]open{
				{drift.Medium, []string{allow("kinesis:GetRecords kinesis:GetShardIterator kinesis:DescribeStream kinesis:ListStreams", "*")}},
				{drift.Medium, []string{allow("dynamodb:Get*", "arn:aws:dynamodb:*:*:table/*")}},
			},
			[][]string{{allow("kinesis:GetRecords kinesis:GetShardIterator", "arn:aws:kinesis:us-east-1:111122223333:stream/orders")}, {allow("kinesis:GetRecords", "*")}, {allow("kinesis:PutRecord kinesis:GetShardIterator", "*")}},
		},
		{"read-every-queue", []open{{drift.Medium, []string{allow("sqs:ReceiveMessage", "*")}}}, [][]string{{allow("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:111122223333:orders")}, {allow("sqs:SendMessage", "*")}}},
		{"read-every-object", []open{{drift.High, []string{allow("s3:Get*", "*")}}, {drift.High, []string{allow("s3:GetObject", "arn:aws:s3:::*/*")}}}, [][]string{{allow("s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket/*")}, {allow("s3:ListBucket", "*")}}},
		{"read-every-secret", []open{{drift.High, []string{allow("secretsmanager:GetSecretValue", "*")}}}, [][]string{{allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-*")}, {allow("secretsmanager:ListSecrets", "*")}}},
		{"read-every-parameter", []open{{drift.High, []string{allow("ssm:GetParametersByPath", "*")}}}, [][]string{{allow("ssm:GetParameter", "arn:aws:ssm:us-east-1:111122223333:parameter/app/*")}, {allow("ssm:DescribeParameters", "*")}}},
		{"decrypt-with-every-key", []open{{drift.High, []string{allow("kms:Decrypt", "*")}}}, [][]string{{allow("kms:Encrypt", "*")}, {allow("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555")}}},
		{"read-every-table", []open{{drift.High, []string{allow("dynamodb:GetItem", "*")}}, {drift.High, []string{allow("dynamodb:Scan", "arn:aws:dynamodb:us-east-1:111122223333:table/*")}}}, [][]string{{allow("dynamodb:PutItem", "*")}, {allow("dynamodb:Query", "arn:aws:dynamodb:us-east-1:111122223333:table/orders")}}},
	} {
		seen[c.method] = true
		t.Run(c.method, func(t *testing.T) {
			for _, o := range c.opens {
				p := doc(t, o.statements...)
				found := Escalations(drift.Rights{Policy: p}, me)
				e, ok := has(found, c.method)
				if !ok || e.Severity != o.severity {
					t.Errorf("%s: want %s, found %s", o.statements, o.severity, names(found))
				}
				if strings.Contains(e.Reason, "not certain") {
					t.Errorf("%s: %s", o.statements, e.Reason)
				}
				nothing := policy.Policy{Version: version2012}
				if found := Escalations(drift.Rights{Policy: p, Boundary: &nothing}, me); len(found) != 0 {
					t.Errorf("%s within an empty boundary: found %s", o.statements, names(found))
				}
				denied := append(append([]string(nil), o.statements...), deny("*", "*"))
				if found := Escalations(drift.Rights{Policy: doc(t, denied...)}, me); len(found) != 0 {
					t.Errorf("%s behind a Deny: found %s", o.statements, names(found))
				}
			}
			for _, statements := range c.misses {
				found := Escalations(drift.Rights{Policy: doc(t, statements...)}, me)
				if e, ok := has(found, c.method); ok {
					t.Errorf("%s: found %s: %s", statements, e.Method, e.Reason)
				}
			}
		})
	}
	for _, m := range Methods() {
		if !seen[m.Name] && m.Name != "rewrite-itself" {
			t.Errorf("no policies for %s", m.Name)
		}
		if m.Source == "" || m.Reason == "" || !strings.HasPrefix(m.Reason, "can ") {
			t.Errorf("%s has no source, or its reason is no clause", m.Name)
		}
	}
}

func TestWhoCanRewriteHimselfIsFoundByHisARN(t *testing.T) {
	rights := drift.Rights{Policy: doc(t, allow("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/app/orders"))}
	if found := Escalations(rights, me); len(found) != 0 {
		t.Errorf("without an ARN: found %s", names(found))
	}
	if found := EscalationsOf("arn:aws:iam::111122223333:role/app/orders", rights); names(found) != "rewrite-itself=critical" {
		t.Errorf("its own ARN: found %s", names(found))
	}
	if found := EscalationsOf("arn:aws:iam::111122223333:role/orders", rights); len(found) != 0 {
		t.Errorf("another's ARN: found %s", names(found))
	}
}

func TestEscalationsTellConditionsAndDoubt(t *testing.T) {
	for _, c := range []struct{ statement, want, not string }{
		{allowIf("iam:PutRolePolicy", "*", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), "with aws:MultiFactorAuthPresent=true", "not certain"},
		{allowIf("iam:PutRolePolicy", "*", `{"StringEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}`), "aws:RequestedRegion=eu-", "not certain"},
		{allow("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/${aws:PrincipalTag/team}*"), "aws:principaltag/team=", "not certain"},
		{allowIf("iam:PutRolePolicy", "*", `{"StringResembles":{"aws:RequestedRegion":"eu-west-1"}}`), "not certain", "nothing"},
	} {
		found := Escalations(drift.Rights{Policy: doc(t, c.statement)}, me)
		e, ok := has(found, "put-role-policy")
		if !ok || !strings.Contains(e.Reason, c.want) || strings.Contains(e.Reason, c.not) {
			t.Errorf("%s: %v %q, want %q", c.statement, ok, e.Reason, c.want)
		}
	}
}

func TestABoundaryHidesTheMethodsOutsideIt(t *testing.T) {
	within := doc(t, allow("lambda:* logs:*", "*"))
	found := Escalations(drift.Rights{Policy: doc(t, allow("*", "*")), Boundary: &within}, me)
	for _, m := range []string{"update-function-code", "update-function-configuration", "add-permission", "invoke-every-function"} {
		if _, ok := has(found, m); !ok {
			t.Errorf("%s is missing: %s", m, names(found))
		}
	}
	if len(found) != 4 {
		t.Errorf("found %s", names(found))
	}
}

func TestSmallRightsHaveNone(t *testing.T) {
	small := doc(t, allow("logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents", "*"), allow("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/orders"))
	if found := Escalations(drift.Rights{Policy: small}, me); len(found) != 0 {
		t.Errorf("found %s", names(found))
	}
	var _ drift.Reach = Escalations
}

// TestQuickChecksNeverHideARequest compares the quick checks with Evaluate: what
// it matches they must let through.
func TestQuickChecksNeverHideARequest(t *testing.T) {
	actions := []string{"*", "lambda:*", "LAMBDA:invoke*", "l?mbda:InvokeFunction", "*:InvokeFunction", "lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "s3:*", "", "lambda"}
	resources := []string{
		"*", "arn:*", "arn:aws:lambda:*", "arn:aws:lambda:us-east-1:111122223333:function:orders", "arn:aws:lambda:us-east-1:111122223333:function:*", "arn:*:lambda:*:*:*:o?ders",
		"arn:aws:lambda:us-east-1:111122223333:function:${aws:username}", "arn:aws:s3:::*", "arn:aws:lambda:*:*:*", "arn:aws:lambda:us-east-?:111122223333:function:orders", "*rders", "arn:aws:lambda:us-east-1:111122223333:function:or",
	}
	matched := 0
	for _, action := range actions {
		for _, resource := range resources {
			s := policy.Statement{Effect: policy.Allow, Action: []string{action}, Resource: []string{resource}}
			r := policy.Request{Principal: policy.Caller{Kind: policy.AWSPrincipal, ID: arnOf("user", "orders")}, Action: "lambda:InvokeFunction", Resource: arnOrders}
			if policy.Evaluate(policy.Policy{Version: version2012, Statements: []policy.Statement{s}}, r).Outcome == policy.ImplicitDeny {
				continue
			}
			matched++
			for _, on := range []string{arnOrders, "arn:*:lambda:*:111122223333:function:*", "*"} {
				if !mayMatchAction(&s, r.Action) || !mayMatchResource(&s, on) {
					t.Errorf("%s on %s is hidden for %s", action, resource, on)
				}
			}
		}
	}
	if matched < 50 {
		t.Errorf("only %d pairs matched", matched)
	}
}

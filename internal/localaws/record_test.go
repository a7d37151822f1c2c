package localaws_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/localaws"
)

func TestRecordsAreCloudTrails(t *testing.T) {
	var records []map[string]any
	s, c, fn := start(t, localaws.Options{
		JSONPolicies: true, Callers: map[string]localaws.Caller{"AKIAEXAMPLE": {ARN: "arn:aws:sts::111122223333:assumed-role/deploy/ann"}},
		OnRecord: func(raw json.RawMessage) {
			var r map[string]any
			if err := json.Unmarshal(raw, &r); err != nil {
				t.Error(err)
			}
			records = append(records, r)
		},
	})
	ctx := t.Context()
	one := aws.Int64(1)
	s.AddLayer(account, region, "libs")
	steps := []error{
		add(t, c, "orders", "s1"),
		last(c.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &fn, StatementId: aws.String("s1")})),
		last(c.PutResourcePolicy(ctx, &lambda.PutResourcePolicyInput{ResourceArn: &fn, Policy: aws.String(jsonPolicy)})),
		last(c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &fn, Timeout: aws.Int32(9)})),
		last(c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &fn, AuthType: "NONE"})),
		last(c.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{LayerName: aws.String("libs"), VersionNumber: one, StatementId: aws.String("s"), Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String(other)})),
		last(c.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: aws.String("orders"), EventSourceArn: aws.String("arn:aws:sqs:us-east-1:111122223333:q")})),
		last(c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &fn})),
		last(get(t, c, "orders")), // not a change
	}
	for i, err := range steps[:8] {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	for i, want := range []struct{ name, request, response string }{
		{"AddPermission20150331v2", `{"action":"lambda:InvokeFunction","functionName":"orders","principal":"*","statementId":"s1"}`, `{"statement":"{\"Sid\":\"s1\",`},
		{"RemovePermission20150331v2", `{"functionName":"` + fn + `","statementId":"s1"}`, `null`},
		{"PutResourcePolicy20260709", `"resourceArn":"` + fn + `"`, `"revisionId":"`},
		{"UpdateFunctionConfiguration20150331v2", `{"functionName":"` + fn + `","timeout":9}`, `"role":"arn:aws:iam::111122223333:role/orders"`},
		{"CreateFunctionUrlConfig", `{"authType":"NONE","functionName":"` + fn + `"}`, `"functionUrl":"https://`},
		{"AddLayerVersionPermission20181031", `"versionNumber":1`, `"revisionId":"`},
		{"CreateEventSourceMapping20150331", `"eventSourceArn":"arn:aws:sqs`, `"uUID":"`},
		{"DeleteFunction20150331", `{"functionName":"` + fn + `"}`, `null`},
	} {
		if i >= len(records) {
			t.Fatalf("%d records, want 8", len(records))
		}
		r := records[i]
		request, response := marshal(t, r["requestParameters"]), marshal(t, r["responseElements"])
		if r["eventName"] != want.name || !strings.Contains(request, want.request) || !strings.Contains(response, want.response) {
			t.Errorf("record %d is %v %s %s, want %v", i, r["eventName"], request, response, want)
		}
		if issuer := marshal(t, r["userIdentity"]); !strings.Contains(issuer, `"arn":"arn:aws:iam::111122223333:role/deploy"`) {
			t.Errorf("record %d has identity %s", i, issuer)
		}
	}
}

func last[T any](_ T, err error) error { return err }

func marshal(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

package line_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// step is one call of Lambda's API or of IAM's.
type step func(context.Context, actor) error

// actor is who takes a step, and how he reaches Lambda and IAM.
type actor struct {
	*lambda.Client

	who person
	iam *directory
}

// option is one more parameter of AddPermission.
type option func(*lambda.AddPermissionInput)

func at(qualifier string) option {
	return func(in *lambda.AddPermissionInput) { in.Qualifier = &qualifier }
}

func action(name string) option {
	return func(in *lambda.AddPermissionInput) { in.Action = &name }
}

func source(arn string) option {
	return func(in *lambda.AddPermissionInput) { in.SourceArn = &arn }
}

func sourceAccount(id string) option {
	return func(in *lambda.AddPermissionInput) { in.SourceAccount = &id }
}

func organization(id string) option {
	return func(in *lambda.AddPermissionInput) { in.PrincipalOrgID = &id }
}

// throughURL grants lambda:InvokeFunctionUrl for URLs of an AuthType.
func throughURL(auth types.FunctionUrlAuthType) option {
	return func(in *lambda.AddPermissionInput) {
		in.Action, in.FunctionUrlAuthType = aws.String("lambda:InvokeFunctionUrl"), auth
	}
}

// onlyURL grants lambda:InvokeFunction for calls through the URL.
func onlyURL(in *lambda.AddPermissionInput) { in.InvokedViaFunctionUrl = aws.Bool(true) }

// grant is AddPermission, of lambda:InvokeFunction unless an option says otherwise.
func grant(function, sid, principal string, options ...option) step {
	return func(ctx context.Context, c actor) error {
		in := &lambda.AddPermissionInput{FunctionName: &function, StatementId: &sid, Principal: &principal, Action: aws.String("lambda:InvokeFunction")}
		for _, o := range options {
			o(in)
		}
		_, err := c.AddPermission(ctx, in)
		return err
	}
}

func revoke(function, qualifier, sid string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: &function, StatementId: &sid, Qualifier: optional(qualifier)})
		return err
	}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// put is PutResourcePolicy with these statements; $ARN in them is the resource.
func put(arn string, statements ...string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.PutResourcePolicy(ctx, &lambda.PutResourcePolicyInput{ResourceArn: &arn, Policy: aws.String(document(arn, statements...))})
		return err
	}
}

func document(arn string, statements ...string) string {
	text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	return strings.ReplaceAll(text, "$ARN", arn)
}

func clearPolicy(arn string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.DeleteResourcePolicy(ctx, &lambda.DeleteResourcePolicyInput{ResourceArn: &arn})
		return err
	}
}

func createURL(function, qualifier string, auth types.FunctionUrlAuthType) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &function, Qualifier: optional(qualifier), AuthType: auth})
		return err
	}
}

func updateURL(function, qualifier string, auth types.FunctionUrlAuthType, cors *types.Cors) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.UpdateFunctionUrlConfig(ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: &function, Qualifier: optional(qualifier), AuthType: auth, Cors: cors})
		return err
	}
}

func deleteURL(function, qualifier string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.DeleteFunctionUrlConfig(ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: &function, Qualifier: optional(qualifier)})
		return err
	}
}

// feed is CreateEventSourceMapping.
func feed(function, source string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &function, EventSourceArn: &source})
		return err
	}
}

// mapping finds the only mapping from a source.
func mapping(ctx context.Context, c actor, source string) (*string, error) {
	out, err := c.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{EventSourceArn: &source})
	if err != nil {
		return nil, err
	}
	if len(out.EventSourceMappings) != 1 {
		return nil, fmt.Errorf("there are %d mappings from %s", len(out.EventSourceMappings), source)
	}
	return out.EventSourceMappings[0].UUID, nil
}

// repoint is UpdateEventSourceMapping with another function.
func repoint(source, function string) step {
	return func(ctx context.Context, c actor) error {
		uuid, err := mapping(ctx, c, source)
		if err == nil {
			_, err = c.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: uuid, FunctionName: &function})
		}
		return err
	}
}

// enable is UpdateEventSourceMapping that switches a mapping on or off.
func enable(source string, on bool) step {
	return func(ctx context.Context, c actor) error {
		uuid, err := mapping(ctx, c, source)
		if err == nil {
			_, err = c.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: uuid, Enabled: &on})
		}
		return err
	}
}

func unfeed(source string) step {
	return func(ctx context.Context, c actor) error {
		uuid, err := mapping(ctx, c, source)
		if err == nil {
			_, err = c.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: uuid})
		}
		return err
	}
}

// share is AddLayerVersionPermission on pricing:1.
func share(sid, principal, organization string) step {
	return shareVersion(1, sid, principal, organization)
}

func shareVersion(version int64, sid, principal, organization string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{
			LayerName: aws.String("pricing"), VersionNumber: &version, StatementId: &sid, Principal: &principal,
			Action: aws.String("lambda:GetLayerVersion"), OrganizationId: optional(organization),
		})
		return err
	}
}

func unshare(sid string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{
			LayerName: aws.String("pricing"), VersionNumber: aws.Int64(1), StatementId: &sid,
		})
		return err
	}
}

func setRole(function, role string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &function, Role: aws.String(rolePrefix + role)})
		return err
	}
}

func setTimeout(function string, seconds int32) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &function, Timeout: &seconds})
		return err
	}
}

func deployCode(function, text string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &function, ZipFile: []byte(text)})
		return err
	}
}

func publish(function string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &function})
		return err
	}
}

func createAlias(function, alias, version string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &function, Name: &alias, FunctionVersion: &version})
		return err
	}
}

func pointAlias(function, alias, version string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: &function, Name: &alias, FunctionVersion: &version})
		return err
	}
}

func deleteAlias(function, alias string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &function, Name: &alias})
		return err
	}
}

func createFunction(function, role string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: &function, Role: aws.String(rolePrefix + role), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
			Code: &types.FunctionCode{ZipFile: []byte("code")},
		})
		return err
	}
}

func deleteFunction(function string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &function})
		return err
	}
}

func tag(arn, key, value string) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.TagResource(ctx, &lambda.TagResourceInput{Resource: &arn, Tags: map[string]string{key: value}})
		return err
	}
}

func reserve(function string, n int32) step {
	return func(ctx context.Context, c actor) error {
		_, err := c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &function, ReservedConcurrentExecutions: &n})
		return err
	}
}

// edit is a record that was changed.
func edit(t *testing.T, record json.RawMessage, change func(map[string]any)) json.RawMessage {
	t.Helper()
	var fields map[string]any
	must(t, "reading a record", json.Unmarshal(record, &fields))
	change(fields)
	text, err := json.Marshal(fields)
	must(t, "writing a record", err)
	return text
}

// dropped is what CloudTrail writes in the place of parameters over 100 KB.
var dropped = map[string]any{"reason": "requestParameters too large", "omitted": true, "originalSize": 131072}

// omitParameters drops the parameters of a call as CloudTrail does.
func omitParameters(record map[string]any) { record["requestParameters"] = dropped }

// omitAll drops the answer too, so that nothing names the function.
func omitAll(record map[string]any) {
	record["requestParameters"], record["responseElements"] = dropped, nil
}

func publishLayer(ctx context.Context, c actor) error {
	_, err := c.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: aws.String("pricing"), Content: &types.LayerVersionContentInput{ZipFile: []byte("code")}})
	return err
}

func deleteLayer(ctx context.Context, c actor) error {
	_, err := c.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String("pricing"), VersionNumber: aws.Int64(1)})
	return err
}

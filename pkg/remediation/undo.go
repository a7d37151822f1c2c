package remediation

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// UndoAPI are the calls that put a statement back. They widen, so only a
// person's credentials make them, never the remediator's role.
type UndoAPI interface {
	AddPermission(ctx context.Context, in *lambda.AddPermissionInput, opts ...func(*lambda.Options)) (*lambda.AddPermissionOutput, error)
	PutResourcePolicy(ctx context.Context, in *lambda.PutResourcePolicyInput, opts ...func(*lambda.Options)) (*lambda.PutResourcePolicyOutput, error)
}

// Undo puts back what an intent took away: the statement under its Sid, or,
// where AddPermission cannot write it, the whole document of before.
func Undo(ctx context.Context, api UndoAPI, intent drift.Intent) error {
	if in, ok := permissionInput(intent); ok {
		if _, err := api.AddPermission(ctx, in); err != nil {
			return fmt.Errorf("adding statement %q back to %s: %w", intent.Sid, intent.Subject.ARN(intent.Place), err)
		}
		return nil
	}
	_, err := api.PutResourcePolicy(ctx, &lambda.PutResourcePolicyInput{
		ResourceArn: aws.String(intent.Subject.ARN(intent.Place)), Policy: aws.String(intent.PreImage),
	})
	if err != nil {
		return fmt.Errorf("restoring the policy of %s: %w", intent.Subject.ARN(intent.Place), err)
	}
	return nil
}

// UndoCommand is the AWS command that does what [Undo] does.
func UndoCommand(intent drift.Intent) string {
	in, ok := permissionInput(intent)
	if !ok {
		return strings.Join([]string{
			"aws lambda put-resource-policy", "--resource-arn", drift.Quote(intent.Subject.ARN(intent.Place)),
			"--policy", drift.Quote(intent.PreImage), "--region", drift.Quote(intent.Subject.Region()),
		}, " ")
	}
	words := []string{"aws lambda add-permission"}
	add := func(flag string, value *string) {
		if value != nil && *value != "" {
			words = append(words, flag, drift.Quote(*value))
		}
	}
	add("--function-name", in.FunctionName)
	add("--qualifier", in.Qualifier)
	add("--statement-id", in.StatementId)
	add("--action", in.Action)
	add("--principal", in.Principal)
	add("--source-arn", in.SourceArn)
	add("--source-account", in.SourceAccount)
	add("--principal-org-id", in.PrincipalOrgID)
	add("--event-source-token", in.EventSourceToken)
	add("--function-url-auth-type", aws.String(string(in.FunctionUrlAuthType)))
	if in.InvokedViaFunctionUrl != nil && *in.InvokedViaFunctionUrl {
		words = append(words, "--invoked-via-function-url")
	}
	add("--region", aws.String(intent.Subject.Region()))
	return strings.Join(words, " ")
}

// permissionInput is the AddPermission call that writes an intent's statement,
// false if none does. What it would write is built again and compared, so that
// nothing of the statement is lost on the way.
func permissionInput(intent drift.Intent) (*lambda.AddPermissionInput, bool) {
	s := intent.Statement
	if s == nil || intent.Sid == "" || s.Effect != policy.Allow || s.Principal == nil || len(s.Action) != 1 || len(s.Resource) != 1 {
		return nil, false
	}
	principal, ok := solePrincipal(s.Principal)
	if !ok || s.Resource[0] != intent.Subject.ARN(intent.Place) {
		return nil, false
	}
	in := &lambda.AddPermissionInput{
		FunctionName: aws.String(string(intent.Subject)), StatementId: aws.String(intent.Sid),
		Action: aws.String(s.Action[0]), Principal: aws.String(principal),
	}
	if intent.Place != drift.Unqualified {
		in.Qualifier = aws.String(string(intent.Place))
	}
	for _, c := range s.Condition {
		if !parameter(in, c) {
			return nil, false
		}
	}
	return in, true
}

// parameter sets the parameter of AddPermission that writes a condition.
// Source: the Lambda API reference, and semantics of the stored statements.
func parameter(in *lambda.AddPermissionInput, c policy.Condition) bool {
	if len(c.Values) != 1 {
		return false
	}
	value := aws.String(c.Values[0])
	switch c.Operator + " " + strings.ToLower(c.Key) {
	case "ArnLike aws:sourcearn":
		in.SourceArn = value
	case "StringEquals aws:sourceaccount":
		in.SourceAccount = value
	case "StringEquals aws:principalorgid":
		in.PrincipalOrgID = value
	case "StringEquals lambda:eventsourcetoken":
		in.EventSourceToken = value
	case "StringEquals lambda:functionurlauthtype":
		in.FunctionUrlAuthType = types.FunctionUrlAuthType(*value)
	case "Bool lambda:invokedviafunctionurl":
		if *value != "true" {
			return false
		}
		in.InvokedViaFunctionUrl = aws.Bool(true)
	default:
		return false
	}
	return true
}

// solePrincipal is the one principal of a statement, as AddPermission takes it.
func solePrincipal(p *policy.Principals) (string, bool) {
	if p.Any {
		return "*", true
	}
	all := append(append([]string{}, p.AWS...), p.Service...)
	if len(all) != 1 || len(p.Federated)+len(p.CanonicalUser) > 0 {
		return "", false
	}
	return all[0], true
}

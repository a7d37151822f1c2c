package remediation

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/drift"
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
	if p, ok := permission(intent); ok {
		if _, err := api.AddPermission(ctx, input(p)); err != nil {
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
	if p, ok := permission(intent); ok {
		return p.Command()
	}
	return strings.Join([]string{
		"aws lambda put-resource-policy", drift.Flag("--resource-arn", intent.Subject.ARN(intent.Place)),
		drift.Flag("--policy", intent.PreImage), drift.Flag("--region", intent.Subject.Region()),
	}, " ")
}

// permission is the AddPermission call that writes an intent's statement, false
// if none does.
func permission(intent drift.Intent) (drift.Permission, bool) {
	if intent.Statement == nil {
		return drift.Permission{}, false
	}
	return drift.PermissionOf(intent.Subject, intent.Place, intent.Sid, *intent.Statement)
}

// input is a call for the SDK, in which what is not sent is nil.
func input(p drift.Permission) *lambda.AddPermissionInput {
	some := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	in := &lambda.AddPermissionInput{
		FunctionName: some(string(p.Function)), Qualifier: some(string(p.Qualifier)), StatementId: some(p.StatementID),
		Action: some(p.Action), Principal: some(p.Principal), SourceArn: some(p.SourceARN), SourceAccount: some(p.SourceAccount),
		PrincipalOrgID: some(p.PrincipalOrgID), EventSourceToken: some(p.EventSourceToken),
		FunctionUrlAuthType: types.FunctionUrlAuthType(p.FunctionURLAuthType),
	}
	if p.InvokedViaURL != "" {
		in.InvokedViaFunctionUrl = aws.Bool(p.InvokedViaURL == "true")
	}
	return in
}

package remediation

import (
	"context"
	"fmt"
	"regexp"
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
			"aws lambda put-resource-policy", drift.Flag("--resource-arn", intent.Subject.ARN(intent.Place)),
			drift.Flag("--policy", intent.PreImage), drift.Flag("--region", intent.Subject.Region()),
		}, " ")
	}
	return addCommand(in, intent.Subject.Region())
}

// AddCommand is the AddPermission command that writes an intent's statement
// under its Sid, empty if none does.
func AddCommand(intent drift.Intent) string {
	in, ok := permissionInput(intent)
	if !ok {
		return ""
	}
	return addCommand(in, intent.Subject.Region())
}

func addCommand(in *lambda.AddPermissionInput, region string) string {
	words := []string{"aws lambda add-permission"}
	add := func(flag string, value *string) {
		if value != nil && *value != "" {
			words = append(words, drift.Flag(flag, *value))
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
	if in.InvokedViaFunctionUrl != nil {
		words = append(words, map[bool]string{true: "--invoked-via-function-url", false: "--no-invoked-via-function-url"}[*in.InvokedViaFunctionUrl])
	}
	add("--region", aws.String(region))
	return strings.Join(words, " ")
}

// permissionInput is the AddPermission call that writes an intent's statement,
// false if none does. What it would write is built again and compared, so that
// nothing of the statement is lost on the way.
func permissionInput(intent drift.Intent) (*lambda.AddPermissionInput, bool) {
	s := intent.Statement
	if s == nil || !sids.MatchString(intent.Sid) || s.Principal == nil || len(s.Action) != 1 || !actions.MatchString(s.Action[0]) {
		return nil, false
	}
	principal, ok := solePrincipal(s.Principal)
	if !ok {
		return nil, false
	}
	in := &lambda.AddPermissionInput{
		FunctionName: aws.String(string(intent.Subject)), StatementId: aws.String(intent.Sid),
		Action: aws.String(s.Action[0]), Principal: aws.String(principal),
	}
	if intent.Place != drift.Unqualified {
		in.Qualifier = aws.String(string(intent.Place))
	}
	again := policy.Statement{
		Effect: policy.Allow, Principal: writtenPrincipal(principal), Action: s.Action, Resource: []string{intent.Subject.ARN(intent.Place)},
	}
	for _, c := range s.Condition {
		written, ok := parameter(in, c)
		if !ok {
			return nil, false
		}
		again.Condition = append(again.Condition, written)
	}
	if in.FunctionUrlAuthType != "" && *in.Action != "lambda:InvokeFunctionUrl" {
		return nil, false
	}
	return in, len(again.Condition) == parameters(in) && again.Equal(*s)
}

// The values that AddPermission takes. Source: the Lambda API reference. They
// also keep out what the command line would read from a file or an address.
var (
	sids     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,100}$`)
	actions  = regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`)
	callers  = regexp.MustCompile(`^([*]|[0-9]{12}|arn:[^\s]+|[a-zA-Z0-9-]+([.][a-zA-Z0-9-]+)+)$`)
	accounts = regexp.MustCompile(`^[0-9]{12}$`)
)

// conditions are the conditions that AddPermission writes, by the parameter
// that it writes each for. Source: as above, and the stored statements.
var conditions = []struct {
	operator, key string
	value         *regexp.Regexp
	set           func(*lambda.AddPermissionInput, *string)
}{
	{"ArnLike", "aws:SourceArn", regexp.MustCompile(`^arn:`), func(in *lambda.AddPermissionInput, v *string) { in.SourceArn = v }},
	{"StringEquals", "aws:SourceAccount", accounts, func(in *lambda.AddPermissionInput, v *string) { in.SourceAccount = v }},
	{"StringEquals", "aws:PrincipalOrgID", regexp.MustCompile(`^o-[a-z0-9]{10,32}$`), func(in *lambda.AddPermissionInput, v *string) { in.PrincipalOrgID = v }},
	{"StringEquals", "lambda:EventSourceToken", regexp.MustCompile(`^[a-zA-Z0-9._-]{1,256}$`), func(in *lambda.AddPermissionInput, v *string) { in.EventSourceToken = v }},
	{"StringEquals", "lambda:FunctionUrlAuthType", regexp.MustCompile(`^(NONE|AWS_IAM)$`), func(in *lambda.AddPermissionInput, v *string) { in.FunctionUrlAuthType = types.FunctionUrlAuthType(*v) }},
	{"Bool", "lambda:InvokedViaFunctionUrl", regexp.MustCompile(`^(true|false)$`), func(in *lambda.AddPermissionInput, v *string) { in.InvokedViaFunctionUrl = aws.Bool(*v == "true") }},
}

// parameter sets the parameter of AddPermission that writes a condition, and
// returns the condition that it writes.
func parameter(in *lambda.AddPermissionInput, c policy.Condition) (policy.Condition, bool) {
	if len(c.Values) != 1 {
		return policy.Condition{}, false
	}
	value := c.Values[0]
	for _, known := range conditions {
		if c.Operator == known.operator && strings.EqualFold(c.Key, known.key) && known.value.MatchString(value) {
			known.set(in, &value)
			return policy.Condition{Operator: known.operator, Key: known.key, Values: []string{value}}, true
		}
	}
	return policy.Condition{}, false
}

// parameters counts the parameters that write conditions. There are fewer than
// conditions where two are about the same key, of which AddPermission takes one.
func parameters(in *lambda.AddPermissionInput) int {
	n := 0
	for _, set := range []bool{
		in.SourceArn != nil, in.SourceAccount != nil, in.PrincipalOrgID != nil, in.EventSourceToken != nil,
		in.FunctionUrlAuthType != "", in.InvokedViaFunctionUrl != nil,
	} {
		if set {
			n++
		}
	}
	return n
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
	return all[0], callers.MatchString(all[0])
}

// writtenPrincipal is what AddPermission writes for a principal.
func writtenPrincipal(principal string) *policy.Principals {
	switch {
	case principal == "*":
		return &policy.Principals{Any: true}
	case accounts.MatchString(principal) || strings.HasPrefix(principal, "arn:"):
		return &policy.Principals{AWS: []string{principal}}
	}
	return &policy.Principals{Service: []string{principal}}
}

package access

import "github.com/permdrift/permdrift/pkg/drift"

// Administrator is the name of the method of who may do everything.
const Administrator = "administrator"

// The sources of the methods.
const (
	rhino       = "Rhino Security Labs, AWS IAM Privilege Escalation: Methods and Mitigation"
	pathfinding = "DataDog, pathfinding.cloud: "
	userGuide   = "IAM User Guide: "
	guide       = "Lambda Developer Guide: "
	seed        = "AWS Compute Blog, Easy Authorization of AWS Lambda Functions, scenario "
	reference   = "Service Authorization Reference: "
)

// The resources that methods are about. The first five segments may hold
// patterns: regions and partitions do not matter.
const (
	anyRole     = "arn:*:iam::ACCOUNT:role/ANY"
	anyUser     = "arn:*:iam::ACCOUNT:user/ANY"
	anyGroup    = "arn:*:iam::ACCOUNT:group/ANY"
	anyPolicy   = "arn:*:iam::ACCOUNT:policy/ANY"
	anyFunction = "arn:*:lambda:*:ACCOUNT:function:ANY"
	anyMapping  = "*"
)

// passing is iam:PassRole of any role to Lambda.
// Source: Service Authorization Reference, IAM, PassRole: iam:PassedToService.
var passing = Need{Action: "iam:PassRole", On: anyRole, With: map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}}

func on(action, resource string) Need { return Need{Action: action, On: resource} }

// each makes an alternative of each call.
func each(needs ...Need) [][]Need {
	var list [][]Need
	for _, n := range needs {
		list = append(list, []Need{n})
	}
	return list
}

// all makes one alternative of all calls.
func all(needs ...Need) [][]Need { return [][]Need{needs} }

// methods is the table of methods, but for [Administrator].
var methods = []Method{
	// Code that runs as another role.
	{
		Name: "pass-role-create-function", Severity: drift.Critical, Narrow: drift.High, Reason: "can run its own code as a role that it passes to a new function",
		Source: rhino + ", 15 and 16; " + pathfinding + "lambda-001, lambda-002, lambda-006",
		Needs: [][]Need{
			{passing, on("lambda:CreateFunction", anyFunction), on("lambda:InvokeFunction", anyFunction)},
			{passing, on("lambda:CreateFunction", anyFunction), on("lambda:CreateEventSourceMapping", anyMapping)},
			{passing, on("lambda:CreateFunction", anyFunction), on("lambda:AddPermission", anyFunction)}, // also where a URL is made
			{passing, on("lambda:CreateFunction", anyFunction), on("lambda:PutResourcePolicy", anyFunction)},
		},
	},
	{
		Name: "update-function-code", Severity: drift.High, Narrow: drift.Medium, Reason: "can replace the code of functions, and so act as their roles",
		Source: rhino + ", 17; " + pathfinding + "lambda-003",
		Needs:  each(on("lambda:UpdateFunctionCode", anyFunction)),
	},
	{
		Name: "update-function-configuration", Severity: drift.High, Narrow: drift.Medium, Reason: "can put a layer or environment of its own into functions, and so act as their roles",
		Source: guide + "Managing Lambda dependencies with layers; HackTricks, AWS - Lambda Privesc, UpdateFunctionConfiguration",
		Needs:  each(on("lambda:UpdateFunctionConfiguration", anyFunction)),
	},
	{
		Name: "pass-role-update-function", Severity: drift.Critical, Narrow: drift.High, Reason: "can give a function whose code it changes another role",
		Source: reference + "AWS Lambda, UpdateFunctionConfiguration, dependent action iam:PassRole",
		Needs:  all(passing, on("lambda:UpdateFunctionConfiguration", anyFunction), on("lambda:UpdateFunctionCode", anyFunction)),
	},
	{
		Name: "pass-any-role", Severity: drift.High, Reason: "can pass any role to some service",
		Source: userGuide + "Grant a user permissions to pass a role to an AWS service",
		Needs:  each(on("iam:PassRole", anyRole)),
	},

	// Rights that are rewritten.
	{
		Name: "put-role-policy", Severity: drift.Critical, Reason: "can write any policy into any role",
		Source: rhino + ", 12", Needs: each(on("iam:PutRolePolicy", anyRole)),
	},
	{
		Name: "attach-role-policy", Severity: drift.Critical, Reason: "can attach any policy to any role",
		Source: rhino + ", 9", Needs: each(on("iam:AttachRolePolicy", anyRole)),
	},
	{
		Name: "rewrite-itself", Severity: drift.Critical, Reason: "can rewrite its own rights",
		Source: rhino + ", 7, 9, 10, 12",
		Needs: each(on("iam:PutRolePolicy", self), on("iam:AttachRolePolicy", self), on("iam:PutUserPolicy", self),
			on("iam:AttachUserPolicy", self), on("iam:DeleteRolePermissionsBoundary", self), on("iam:DeleteUserPermissionsBoundary", self)),
	},
	{
		Name: "create-policy-version", Severity: drift.Critical, Reason: "can write a new default version of any policy of the account",
		Source: rhino + ", 1; " + pathfinding + "iam-001", Needs: each(on("iam:CreatePolicyVersion", anyPolicy)),
	},
	{
		Name: "set-default-policy-version", Severity: drift.High, Reason: "can go back to any older version of any policy of the account",
		Source: rhino + ", 2", Needs: each(on("iam:SetDefaultPolicyVersion", anyPolicy)),
	},
	{
		Name: "update-assume-role-policy", Severity: drift.Critical, Reason: "can let anybody become any role",
		Source: rhino + ", 14", Needs: each(on("iam:UpdateAssumeRolePolicy", anyRole)),
	},
	{
		Name: "put-user-policy", Severity: drift.Critical, Reason: "can write any policy into any user",
		Source: rhino + ", 10", Needs: each(on("iam:PutUserPolicy", anyUser)),
	},
	{
		Name: "attach-user-policy", Severity: drift.Critical, Reason: "can attach any policy to any user",
		Source: rhino + ", 7", Needs: each(on("iam:AttachUserPolicy", anyUser)),
	},
	{
		Name: "write-any-group", Severity: drift.Critical, Reason: "can give any group any policy, or join any group",
		Source: rhino + ", 8, 11, 13", Needs: each(on("iam:PutGroupPolicy", anyGroup), on("iam:AttachGroupPolicy", anyGroup), on("iam:AddUserToGroup", anyGroup)),
	},
	{
		Name: "create-access-key", Severity: drift.Critical, Reason: "can make keys or passwords of any user, and act as him",
		Source: rhino + ", 4, 5, 6", Needs: each(on("iam:CreateAccessKey", anyUser), on("iam:CreateLoginProfile", anyUser), on("iam:UpdateLoginProfile", anyUser)),
	},
	{
		Name: "delete-permissions-boundary", Severity: drift.High, Reason: "can take the permissions boundary off any role or user",
		Source: userGuide + "Permissions boundaries for IAM entities",
		Needs:  each(on("iam:DeleteRolePermissionsBoundary", anyRole), on("iam:DeleteUserPermissionsBoundary", anyUser)),
	},
	{
		Name: "assume-any-role", Severity: drift.High, Reason: "can become any role of the account whose trust policy lets the account in",
		Source: pathfinding + "sts-001", Needs: each(on("sts:AssumeRole", anyRole)),
	},
	{
		Name: "assume-foreign-role", Severity: drift.High, Narrow: drift.Medium, Reason: "can become a role of another account that trusts this one",
		Source: userGuide + "Cross-account resource access in IAM",
		Needs:  all(Need{Action: "sts:AssumeRole", On: "arn:*:iam::ACCOUNT:role/ANY", Elsewhere: true}),
	},

	// Who may call functions.
	{
		Name: "add-permission", Severity: drift.High, Reason: "can let anybody call any function",
		Source: reference + "AWS Lambda, Permissions management: AddPermission; " + pathfinding + "lambda-006",
		Needs:  each(on("lambda:AddPermission", anyFunction), on("lambda:PutResourcePolicy", anyFunction)),
	},
	{
		Name: "invoke-every-function", Severity: drift.Medium, Reason: "can invoke every function",
		Source: seed + "4 (lambda:InvokeFunction on *)", Needs: each(on("lambda:InvokeFunction", anyFunction)),
	},

	// Data on every resource.
	{
		Name: "read-every-stream", Severity: drift.Medium, Reason: "can read every stream",
		Source: seed + "4 (a stream-reading policy on *)",
		Needs: [][]Need{
			{on("kinesis:GetRecords", "arn:*:kinesis:*:ACCOUNT:stream/ANY"), on("kinesis:GetShardIterator", "arn:*:kinesis:*:ACCOUNT:stream/ANY")},
			{on("dynamodb:GetRecords", "arn:*:dynamodb:*:ACCOUNT:table/ANY/stream/ANY"), on("dynamodb:GetShardIterator", "arn:*:dynamodb:*:ACCOUNT:table/ANY/stream/ANY")},
		},
	},
	{
		Name: "read-every-queue", Severity: drift.Medium, Reason: "can read every queue",
		Source: reference + "Amazon SQS, ReceiveMessage", Needs: each(on("sqs:ReceiveMessage", "arn:*:sqs:*:ACCOUNT:ANY")),
	},
	{
		Name: "read-every-object", Severity: drift.High, Reason: "can read the objects of every bucket",
		Source: reference + "Amazon S3, GetObject", Needs: each(on("s3:GetObject", "arn:*:s3:::ANY/ANY")),
	},
	{
		Name: "read-every-secret", Severity: drift.High, Reason: "can read every secret",
		Source: reference + "AWS Secrets Manager, GetSecretValue", Needs: each(on("secretsmanager:GetSecretValue", "arn:*:secretsmanager:*:ACCOUNT:secret:ANY")),
	},
	{
		Name: "read-every-parameter", Severity: drift.High, Reason: "can read every parameter of Systems Manager",
		Source: reference + "AWS Systems Manager, GetParameter, GetParameters, GetParametersByPath",
		Needs: each(on("ssm:GetParameter", "arn:*:ssm:*:ACCOUNT:parameter/ANY"), on("ssm:GetParameters", "arn:*:ssm:*:ACCOUNT:parameter/ANY"),
			on("ssm:GetParametersByPath", "arn:*:ssm:*:ACCOUNT:parameter/ANY")),
	},
	{
		Name: "decrypt-with-every-key", Severity: drift.High, Reason: "can decrypt with every key whose policy leaves it to IAM",
		Source: reference + "AWS KMS, Decrypt", Needs: each(on("kms:Decrypt", "arn:*:kms:*:ACCOUNT:key/ANY")),
	},
	{
		Name: "read-every-table", Severity: drift.High, Reason: "can read every DynamoDB table",
		Source: reference + "Amazon DynamoDB, Scan, Query, GetItem, BatchGetItem",
		Needs: each(on("dynamodb:Scan", "arn:*:dynamodb:*:ACCOUNT:table/ANY"), on("dynamodb:Query", "arn:*:dynamodb:*:ACCOUNT:table/ANY"),
			on("dynamodb:GetItem", "arn:*:dynamodb:*:ACCOUNT:table/ANY"), on("dynamodb:BatchGetItem", "arn:*:dynamodb:*:ACCOUNT:table/ANY")),
	},
}

// Methods lists the methods that [Escalations] tries, but for [Administrator],
// which is every action on everything within the boundary.
func Methods() []Method { return append([]Method(nil), methods...) }

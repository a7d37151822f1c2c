// Package access says who can invoke or administer a Lambda function and why,
// and what rights allow that is worse than their text looks. It is pure: what it
// reads comes from an [io.Reader] or as values, and no clock is asked.
//
// # The account
//
// An [Account] holds the roles and users of one account (trust policy, identity
// policies as one, permissions boundary; a user's include its groups'), and the
// states of its functions (policy per qualifier, URLs, event source mappings,
// execution roles). It is filled from
//
//   - [drift.State] values, live or as JSON files: a state directory
//   - the JSON of "aws iam get-account-authorization-details", streamed: one role
//     at a time, each managed policy parsed once; see [Export]
//   - the JSON of "aws lambda get-policy" or get-resource-policy, and plain policy
//     documents, of which the statements name the function and its qualifier
//   - the JSON of "aws lambda get-function-url-config"
//
// # Who can
//
// [WhoCan] answers by the rules of the IAM User Guide, "Policy evaluation logic":
//
//	who calls                  what must allow it
//	role, user of the account  its identity policies within its boundary, or the function's policy, if that names it
//	somebody elsewhere         the function's policy, and policies of the other account, which are not read
//	a service                  the function's policy
//	anybody (function URL)     the function's policy, both lambda:InvokeFunctionUrl and lambda:InvokeFunction
//	an event source            an event source mapping: Lambda reads the source with the execution role
//
// An explicit Deny in any of these policies wins. A grant to the account itself
// (its id, its root ARN) only delegates: an identity policy is needed as well.
// What a permissions boundary leaves out limits the grants of a function's
// policy so (IAM User Guide, "How AWS enforcement code logic evaluates requests",
// "Permissions boundaries for IAM entities", "IAM role principals"):
//
//	the grant names             limited by what the boundary does not allow
//	the role's ARN              yes
//	a session's ARN, a user's   no
//	"*"                         no
//
// and a Deny with NotPrincipal always hits who has a boundary. An Allow with
// NotPrincipal is not documented here; it counts as "*", and as not certain where
// the boundary does not allow the request.
//
// Whether a statement matches is decided by package policy: each statement is
// reduced to the caller, the action and the resource with [policy.Evaluate], and
// [policy.NewAccess] then finds a context in which an Allow is left over. That
// request is evaluated once more under the whole policies; where this confirms
// it the [Grant] is certain. For example, the function policy
//
//	{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",
//	 "Resource":"arn:aws:lambda:us-east-1:111122223333:function:ingest",
//	 "Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"}}}
//
// gives the grant: service s3.amazonaws.com, through statement 0 of the function's
// policy, with aws:SourceAccount=111122223333.
//
// What is taken to be true of a request: a role or user has the keys that say
// who it is, and no other principal's; only a service sends aws:SourceArn,
// aws:SourceAccount and their like; only who calls through the URL has
// lambda:InvokedViaFunctionUrl. All other keys, tags above all, may have any
// value, which the answer then shows.
//
// # Escalations
//
// [Escalations] tries each [Method] of a table on rights: it counts if the policy
// engine finds the requests that it needs, within the boundary. Its severity is
// less where only named resources are within reach. Who is an administrator has
// just that.
//
// # Not promised
//
// Service and resource control policies, session policies, VPC endpoint policies
// and the policies of other accounts are not read, and every [Answer] says so.
// The account's root user, whom no policy of the account but an explicit Deny of
// the function's limits, is not listed. Who may assume a role is told for one
// step. Two keys of one request that depend on each other in a way that is not
// listed above count as independent.
package access

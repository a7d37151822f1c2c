// Package localaws is a stand-in, inside the test process, for the AWS
// endpoints that no emulator has right: the REST API of AWS Lambda as far as
// access goes (policies, function URLs, roles, event source mappings, layers),
// and three calls of STS.
//
//	s := localaws.New(localaws.Options{JSONPolicies: true})
//	defer s.Close()
//	url := s.Start() // http://127.0.0.1:port, for AWS_ENDPOINT_URL_LAMBDA and AWS_ENDPOINT_URL_STS
//	arn := s.AddFunction("111122223333", "us-east-1", "orders")
//
// Without a socket, for instance inside testing/synctest, the Server itself is
// an aws.HTTPClient (Do) and an http.RoundTripper.
//
// # What it promises
//
// The wire format is the real one: an unchanged SDK client works against it.
// What it answers to the calls in shared/recorded/lambda_permissions.json is
// what AWS answered, and TestRecorded says so answer by answer:
//
//   - A policy belongs to one place: the function, a version or an alias, never
//     $LATEST. Places do not see one another's statements.
//   - AddPermission writes one statement, spelled as AWS spells it.
//   - A stale RevisionId is 412 PreconditionFailedException, a missing policy or
//     statement 404 ResourceNotFoundException, a Sid that exists 409
//     ResourceConflictException, a document over 20,480 bytes 400
//     PolicyLengthExceededException, a call over quota 429
//     TooManyRequestsException.
//   - functionName is understood in all its spellings: name, name:qualifier,
//     account:function:name, and the full ARN with and without qualifier.
//   - Accounts and regions are apart. The region is that of the request's
//     signature, the account that of its access key (Options.Callers).
//
// # RevisionIds
//
// The recordings disagree, because AWS changed. In December 2022 GetPolicy's
// RevisionId was the RevisionId of the function, version or alias. In November
// 2025 every policy has a RevisionId of its own: publishing changes the
// function's and leaves the policy's, and the error names GetPolicy instead of
// GetFunction. The newer behaviour is the default; Options.SharedRevisions is
// the older one. A first AddPermission, where there is no policy yet, takes the
// RevisionId of its place (recorded for an alias).
//
// # What nobody has seen
//
// Options.JSONPolicies, GetPolicyShowsJSON, PutChangesRevision,
// PermissionKeepsRevision, MappingsOfQualifiers and Quotas.ResourcePolicy are
// switches because nobody has recorded what AWS does. A test that depends on one
// runs both ways. Also unseen, and fixed here: AddPermission and
// RemovePermission work on a JSON policy statement by statement;
// PutResourcePolicy keeps the text as it was put.
//
// # What it does not promise
//
// It checks no signature, no permission of the caller and no trust policy. It
// runs no code. It does not know whether a principal exists, does not turn a
// deleted principal into its id, and checks parameters only where a recording
// or the design asks for it. State changes are done at once: a function is
// Pending in the answer of CreateFunction and Active in the next read, a mapping
// Creating and then Enabled; SetMappingState holds one in between. Layers have
// no JSON policies. What it does not implement is 404 UnknownOperationException,
// and the error names the operation.
package localaws

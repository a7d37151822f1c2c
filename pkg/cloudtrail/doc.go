// Package cloudtrail decodes CloudTrail records into Changes. It does no I/O.
//
// # Input
//
// One JSON text in one of three forms:
//
//	{"detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "account": "…", "detail": RECORD}
//	RECORD
//	{"Records": [RECORD, …]}
//
// A RECORD is what CloudTrail documents: eventSource, eventName, userIdentity,
// requestParameters, responseElements and so on; any of them may be missing.
// An SQS batch is none of the three: its messages succeed and fail one by one,
// so each body is decoded by itself.
//
// # Output
//
// One Result per record, in the order of the input, and each has Changes, or
// says in Skipped why there is none, or in Err why it could not be told. A bad
// record never hides the others.
//
//	AddPermission20150331v2, succeeded        → AddStatement with the statement that Lambda wrote
//	AddPermission20150331v2, AccessDenied     → Skipped, Failed
//	AddPermission20150331v2, ServiceException → AddStatement, OutcomeUnknown
//	UpdateAssumeRolePolicy, succeeded         → PutPolicy on the role, at trust
//	CreatePolicyVersion, not setAsDefault     → Skipped: the policy in force is unchanged
//	TagRole, UpdateRoleDescription, …         → Skipped: nobody's rights change
//	UpdateFunctionCode20150331v2, succeeded   → UpdateCode, which changes no access
//	StopLogging, DisableRule, DeleteAlarms, … → Blind on the account, with what names the resource in Detail
//	requestParameters omitted by CloudTrail   → Unreadable on the best subject known: of IAM the
//	                                            account, unless the response names a role
//	requestParameters of another type         → Err, and Unreadable
//	envelope that contradicts its record      → Err, and no change: it may be forged
//
// Which call is decoded how is a table keyed by eventSource and the API's name
// for the call, see calls.go and blind.go; Calls lists it. Event names carry a
// date there and then (AddPermission20150331v2), which is cut off before the
// table is asked; a longer name is another call.
//
// # Claims
//
// A change claims what the call left behind, as far as the record tells:
//
//	AddStatement              Statement       the response's, else as Lambda writes it for the request
//	PutPolicy                 Policy          the response's, else the request's
//	PutURL                    Config.URL      the response's; of a creation, else the request's
//	PutMapping                Config.Mapping  with its source; brokers of one's own are kafka://host:9092,host:9092
//	DeleteMapping             Config.Mapping  at least its UUID
//	CreateSubject, Configure  Config.Role     of a function
//	CreateSubject of a role   Policy          its trust policy; Detail: path, roleId, permissionsBoundary
//	PutIdentityPolicy         Policy          of an inline policy; Detail: policyName, or policyArn of one that is attached
//	RemoveIdentityPolicy                      Detail: policyName or policyArn
//	PutBoundary                               Detail: permissionsBoundary, the ARN of a policy
//	PutManagedPolicy          Policy          the document of a new version; Detail: versionId, setAsDefault
//
// A role's trust policy, its identity policies and its boundary are one place
// each; a role that is made, deleted or handed on is read as a whole. A managed
// policy and a provider are subjects of their own: which roles hang on them, no
// record says. A user who joins or leaves a group is Configure with groupName.
//
// What the record does not tell in full is not claimed: an update of a URL or a
// mapping without a response has no Config. Detail has single facts of the
// request and the response by CloudTrail's parameter name: texts as they are,
// lists of texts joined by commas, anything else as JSON without white space.
//
// # Actors
//
// Actor.Issuer is the role behind a session, Actor.Source the identity that the
// first caller set, Actor.Provider and Actor.Federated the identity provider and
// the user there: of a federated user, of a session that web identity began, or
// on whose behalf in IAM Identity Center the call was made. Actor.Via is
// console, cli, sdk, cloudformation, terraform, cdk, sam, pulumi, service (some
// other AWS service in the caller's name), or empty.
//
// # Subjects
//
// A function is known by the ARN in the response, where there is one, because
// that is what the service acted on; else by functionName, in all the spellings
// that the API takes, with region and account of the record. The partition is
// the caller's, else that of the region. Account ids and regions are taken as
// they come: published records mask both.
//
// # Not promised
//
// Actor.Via is a hint for people: it rests on the user agent, which is whatever
// the caller sent. Of keys that occur twice in an object the last counts. What a
// call did is not verified: only the live state says what is true.
package cloudtrail

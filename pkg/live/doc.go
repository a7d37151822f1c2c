// Package live reads what AWS says now. Of functions and layer versions: their
// resource policies, function URLs, event source mappings and execution roles.
// Of roles, users and groups: who may become them, what they may do, and their
// boundary. And the list of all of them.
//
//	reader := live.New(client, live.Home("111122223333", "eu-west-1"), live.ListWith(client), live.WithIAM(roles))
//	state, err := reader.State(ctx, change)
//	state, err = reader.Complete(ctx, state, drift.Want{Roles: replaced, Tags: true})
//	subjects, err := reader.Resolve(ctx, change) // of a managed policy or a provider
//
// # What State reads of functions and layer versions
//
// A policy sits at a place: unqualified, a version or an alias. The change says
// what is read of a function, and what that costs:
//
//	change                                    what is read                              calls
//	of statements, policies, versions and     the policy at its place                   1
//	aliases, and all that is not below
//	PutURL, DeleteURL, RepointPlace           that, and the URL of the place            2 (a version has no URL: 1)
//	PutMapping, DeleteMapping                 the mapping of its UUID                   1
//	…without a UUID                           all mappings, as in a whole read          pages
//	Configure, UpdateCode                     the roles of $LATEST and every version    pages
//	Sweep, CreateSubject, DeleteSubject,      everything: the state is Whole, and       pages, and 1 per place
//	Unreadable, and every change with Whole   Listed has roles, URLs and mappings
//
// A whole read lists versions, with their roles, and aliases ($LATEST never has
// a policy), reads the policy of every place, and lists the function's URLs and
// the account's mappings. It costs 5 calls for a function without versions: one
// page each of ListVersionsByFunction, ListAliases, ListFunctionUrlConfigs (50 a
// page) and ListEventSourceMappings (100 a page), and one policy. A policy that
// is not there costs one call more, see below. A layer version has one policy,
// for which any change costs one call.
//
//	no policy, no such place, no such function           the zero PlacePolicy
//	no URL, no such alias, no such function              the zero URL
//	no such mapping, it is being deleted,                nil under its UUID
//	or it feeds another function
//	no such function, Configure and UpdateCode           no roles, and they are Listed
//	no such function, whole read                         no entries; Whole, and all three Listed
//	throttled, refused, or a fault of the service        retried, then a Gap of the aspect: of the place (policy,
//	                                                     URL), All (listing of URLs), unqualified (mappings, roles)
//	a text that does not parse                           a Gap of the place
//	versions or aliases could not be listed, whole read  a Gap with All, Whole not set; what is known of is read
//	no answer (network), credentials refused, ctx ended  an error, and no state
//
// A Gap is unknown, never clean, and never costs the rest: that is in the state.
// The state is what the service said; it may be seconds old. Nothing is cached
// between two reads but three things: the account's mappings and its functions,
// for a minute, and versions of managed policies, which never change. See below.
//
// # What State reads of roles, users and groups
//
// A role has three places: Trust, Identity and Boundary. Users have no Trust,
// groups neither that nor a boundary. Identity is all identity policies as one, of
// version 2012-10-17 (what an older document takes as text is escaped): the inline
// ones, then the attached ones at their default version, AWS's own too; of a user,
// then those of each of his groups. State.Role says which statement is of which
// policy. The boundary is told in 2012-10-17 too, with its version id as the
// RevisionID, the trust policy in its own version. The places are there also
// where nothing is: as a policy without statements.
//
//	change                                      what is read                  calls
//	PutPolicy at Trust of a role, not Whole     the trust policy              1: GetRole
//	any other of a role                         everything, Whole             1 (GetRole), a page each of ListRolePolicies and
//	                                                                          ListAttachedRolePolicies, 1 for each inline policy,
//	                                                                          1 or 2 for each attached one and for the boundary
//	any of a user                               everything, Whole             as a role, with GetUser; a page of ListGroupsForUser,
//	                                                                          and for each group what a group costs
//	any of a group                              everything, Whole             as a role, without GetUser or a boundary
//
// A managed policy costs GetPolicy, which says what its default version is, and
// GetPolicyVersion unless the process has that version already. It keeps the last
// 1,000 or so, under the id of the policy: one that is deleted and made anew under
// the same name is another. A version younger than five minutes is not kept, since
// IAM may for seconds show what was before.
//
//	no such role, user or group                 no entries, Role nil; Whole
//	throttled, refused, or a fault of the       retried, then a Gap of the place, with nothing of it:
//	service; a text that does not parse; a      half of the identity policies would look like few rights
//	policy that is listed and not found
//	GetRole or GetUser is refused               a Gap of Trust and Boundary; Identity is read all the same,
//	                                            and Role.ARN is the subject, as it is always of a group
//	no answer, credentials refused, ctx ended   an error, and no state
//	in another account than that of Home, or    [ErrForeign]; without a client ([WithIAM]) [ErrNotAudited]
//	IAM answers for another account
//
// Roles of services (/aws-service-role/) are read as others are.
//
// # What Resolve finds
//
//	managed policy        who has it, as permissions or as      a page of ListEntitiesForPolicy for each
//	                      boundary; gone: nobody
//	OIDC, SAML provider   roles whose trust policy names it     pages of ListRoles, 1,000 roles each
//	Roles Anywhere        roles whose trust policy names        pages of ListRoles
//	                      rolesanywhere.amazonaws.com
//
// A trust policy names a provider also with "*" and with NotPrincipal, and where
// it cannot be read. What cannot be listed is an error.
//
// # Authorizations
//
// Authorizations tells the same of all groups, roles and users of the account,
// roles of services too, by GetAccountAuthorizationDetails: once over for the
// managed policies and groups, which are kept in memory, and once for the roles
// and users, which are told page by page. It costs pages, of about 100, and two
// calls for each managed policy that was attached in between.
//
// # Event source mappings
//
// What ListEventSourceMappings by the name of a function shows of the mappings
// of its versions and aliases is not documented. So a whole read lists all
// mappings of the account and region and keeps those of the function. One such
// listing serves all whole reads of a process for a minute after its last page:
// their mappings may be that much older than ReadAt. Nothing but whole reads
// uses it, and a listing that failed is not kept.
//
// A mapping counts as enabled unless its state is Disabled or Disabling: one
// that is Creating, Enabling or Updating, or in a state that is not known here,
// may call the function. Its source is the ARN of the event source; of
// self-managed Kafka kafka://host:9092,host:9092, sorted; of other endpoints the
// kind that the service gives, in lower case, in the place of kafka; and
// unknown://UUID where the service names none.
//
// # What Complete reads
//
//	Want.URLs        GetFunctionUrlConfig, unless the state has the URL or tried in vain   1 call a place
//	Want.Roles       what the role may do                                                  as State reads a role
//	Want.Tags        ListTags                                                              1 call
//	Want.Functions   which functions run as the role that the state is of                  pages of ListFunctions
//
// The rights of a role are what State reads at Identity and Boundary. If
// anything of it cannot be read, or the role is in another account than that of
// Home (without Home: of the subject), does not exist, or there is no client
// ([WithIAM]), then the rights are a Problem and nothing else: half of the rights
// would look like few. A URL that cannot be read is a Gap of the place. Tags that
// cannot be read stay nil, and are no Gap. Only an ended context, and no answer
// to what was asked about a URL, are errors. For layer versions only roles are read.
//
// The functions of a role are those of the home account and region whose
// unpublished code runs as it: a version that runs as another role than $LATEST is
// not looked for. They are empty, and not nil, where there are none; nil where they
// could not be listed, which is no Gap, and where the role does not exist. One
// listing serves a process for a minute. It keeps to the rate even for an event.
//
// # GetResourcePolicy and GetPolicy
//
// Since August 2026 a policy may be a whole JSON document. PutResourcePolicy
// replaces what AddPermission wrote, so a place has one document. Two facts
// nobody has seen yet: whether GetResourcePolicy shows a document that
// AddPermission wrote, and whether GetPolicy shows a JSON document. JSONAuto is
// right in all four cases:
//
//   - GetResourcePolicy is the read. What it shows is the answer: one call.
//   - Where it shows none, GetPolicy confirms that there is none: a second
//     call, only for places without a policy. If GetPolicy shows one, that is
//     the answer.
//   - Where the service does not know GetResourcePolicy, there are no JSON
//     documents and GetPolicy is the answer. That is remembered for an hour,
//     per account and region, once GetPolicy has answered; then asked again,
//     because regions learn, and because a proxy's 404 must not blind a
//     process for good. In between a read is one call.
//   - Where GetResourcePolicy is refused, the place is a Gap. There is no
//     falling back to GetPolicy: it might hide a Deny or a whole document, and
//     a state from it would look clean. Missing rights show at once this way.
//
// JSONOnly spares the second call, for those who have seen that
// GetResourcePolicy shows everything. JSONNever reads GetPolicy alone, for
// endpoints that are known not to have JSON documents.
//
// # Quotas
//
// Reading for an event is not slowed down, unless it is a whole read. Whole
// reads, completing them, and Subjects are: Rate reads of functions' policies and
// Rate other calls a second, per account and region, a third of the quota by
// default. IAM publishes no quota, and its calls are not slowed down. Throttled
// calls are repeated with growing pauses, at most five times in all. The SDK's
// own retries are switched off, so that every call is counted.
//
// Subjects lists functions and layer versions, and with [WithRoles] then the
// roles that the functions run as, deleted ones too, or all roles beside, but for
// those of services, which nobody else can change.
//
// # Not promised
//
// State answers [ErrNotAudited] for all other kinds of subjects. Answers read
// one after the other are not a snapshot.
package live

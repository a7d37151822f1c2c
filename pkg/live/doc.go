// Package live reads what AWS says now of functions and layer versions: their
// resource policies, function URLs, event source mappings and execution roles,
// what those roles may do, and the list of all of them.
//
//	reader := live.New(client, live.Home("111122223333", "eu-west-1"), live.ListWith(client), live.WithIAM(roles))
//	state, err := reader.State(ctx, change)
//	state, err = reader.Complete(ctx, state, drift.Want{Roles: replaced, Tags: true})
//
// # What State reads
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
// between two reads, but for one thing.
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
//	Want.URLs    GetFunctionUrlConfig, unless the state has the URL or tried in vain   1 call a place
//	Want.Roles   what the role may do                                                  3 calls and more, see below
//	Want.Tags    ListTags                                                              1 call
//
// The rights of a role are its inline policies and its attached ones at their
// default version, as one policy of version 2012-10-17 (what an older document
// takes as text is escaped), and the permissions boundary. They cost GetRole,
// a page each of ListRolePolicies and ListAttachedRolePolicies, one call for
// each inline policy and two for each attached one and for the boundary. If
// anything of it cannot be read, or the role is in another account than that of
// Home (without Home: of the subject), does not exist, or there is no client
// ([WithIAM]), then the rights are a Problem and nothing else: half of the rights
// would look like few. A URL that cannot be read is a Gap of the place. Tags that
// cannot be read stay nil, and are no Gap. Only an ended context, and no answer
// to what was asked about a URL, are errors. For layer versions only roles are read.
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
// default. IAM publishes no quota, and its calls are not slowed down. Throttled calls are repeated with growing
// pauses, at most five times in all. The SDK's own retries are switched off,
// so that every call is counted.
//
// # Not promised
//
// Roles are not subjects yet: State answers [ErrNotAudited] for what is neither
// a function nor a layer version. Answers read one after the other are not a
// snapshot.
package live

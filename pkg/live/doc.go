// Package live reads what AWS Lambda says now: the resource policies of a
// function at each of its places, and the list of functions.
//
//	reader := live.New(client, live.Home("111122223333", "eu-west-1"), live.ListWith(client))
//	state, err := reader.State(ctx, change)
//
// # What State answers
//
// A policy sits at a place: unqualified, a version or an alias. A change to one
// place is answered by reading that place. A change that is Whole, a sweep, the
// creation or deletion of the function and an unreadable change are answered by
// listing versions and aliases ($LATEST never has a policy) and reading every
// place; the state is then Whole.
//
//	no policy at the place, no such place, no such function   the zero PlacePolicy
//	no such function, whole read                              no places, Whole set
//	throttled, refused, or a fault of the service             retried, then a Gap of the place
//	a text that does not parse                                a Gap of the place
//	versions or aliases could not be listed                   a Gap with All, Whole not set; what is known of is read
//	no answer (network), credentials refused, ctx ended       an error, and no state
//
// A Gap is unknown, never clean, and never costs the other places: they are in
// the state. The state is what the service said; it may be seconds old, and
// nothing is cached between two reads.
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
// Reading one place for an event is not slowed down. Whole reads and Subjects
// are: Rate policy reads and Rate other calls a second, per account and region,
// a third of the quota by default. Throttled calls are repeated with growing
// pauses, at most five times in all. The SDK's own retries are switched off,
// so that every call is counted.
//
// # Not promised
//
// Function URLs, roles, layers and event source mappings are not read yet:
// State answers [ErrNotAudited] for subjects that are not functions. Two
// documents read one after the other are not a snapshot.
package live

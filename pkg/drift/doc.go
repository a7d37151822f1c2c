// Package drift is permdrift's domain: every type and sentinel error that two
// packages exchange, and the pure decisions made on them. It does no I/O and
// imports nothing but pkg/policy.
//
// The line, one value between two steps:
//
//	CloudTrail record → Change → State → Compare with Baseline → Reconcile with the ledger → Transition → alert, Intent
//
// # Words
//
// A Subject is what is protected: a function, a layer version, a role, or the
// account itself. A Place is where in a subject a policy sits. A Change says
// "somebody may have altered this subject". A State is what AWS says now. A
// Baseline is the approved state. A Finding is one difference between the two,
// with a stable id. A Transition is what an observation did to a finding, and
// the only thing that is ever announced.
//
// # Contracts
//
//   - [Compare] takes a change, a state and a baseline and returns findings.
//     It looks only at what the state covers; what the state could not read
//     becomes a finding of kind UnreadableChange, never silence.
//   - [Reconcile] takes the stored findings of the subject and the findings of
//     now and returns transitions. It resolves only what the state covers.
//   - [Rebuild] takes a state and a change and returns the state after it, for
//     audits of files and replay, where nothing live can be read.
//   - [Reflects] says whether a state already shows what a change claims.
//   - The State of a deleted subject is the zero State (with Whole set). The
//     Baseline of an unknown subject is empty, so all that it grants is a
//     finding.
//
// # What is a difference
//
// Comparison is exact, by [policy.NewAccess]: what differs in text only is no
// finding, what allows one more request is.
//
//	baseline  Allow A             state  Allow A, C         → PolicyWidened, statement: Allow C, with a request that is new
//	baseline  Allow A             state  Allow A, part of A → nothing
//	baseline  Allow A, Deny B     state  Allow A            → PolicyWidened, statement: Deny B, with a request that B denied
//	baseline  Deny B              state  Allow B, Deny B    → PolicyWidened, informational: Allow B is dormant until the Deny goes
//	baseline  Allow A             state  (none)             → PolicyNarrowed, statement: Allow A
//	baseline  Allow A             state  Allow A, Deny A    → PolicyNarrowed, statement: Deny A
//
// What cannot be decided counts as new, and is not certain.
//
// # Configuration
//
// Of a function's configuration a baseline approves the function URL of a place,
// the event source mappings that feed a place, and the execution roles:
//
//	approved            live                            finding
//	no URL              URL                             URLOpened, exposed as the policy and the AuthType together say
//	URL, AWS_IAM        URL, NONE, or wider CORS        URLOpened
//	URL, NONE           URL, AWS_IAM                    PolicyNarrowed, low
//	URL                 none                            PolicyNarrowed, medium
//	no mapping          mapping from a source           EventSourceAdded, exposed as the account of the source says; disabled, one step less
//	mapping             none, disabled, elsewhere       PolicyNarrowed, medium
//	role A              role B                          RoleReplaced, told with what B may do beyond A
//	no role             role B                          nothing; the event that set it is told once ([Noted])
//
// A mapping made anew from the same source is the same. A role is approved for
// all versions. Where CORS alone is wider, who may call is as approved: low.
//
// A grant that works only through a function URL, where there is no such URL, is
// left over: told for what it is, at most medium. An alias that points at other
// code is told once, where its policy lets in somebody outside the account.
// What is narrowed names the command that restores it, and is medium where a
// service that sends events cannot call any more.
//
// # Layers
//
// The policy of a layer version lets people read code and not run it: its
// findings are LayerShared, one step less severe.
//
// # Roles
//
// A role has documents at three places. Trust says who may become it, and is
// compared as a resource policy of sts:AssumeRole*: TrustWidened, TrustNarrowed.
// Its identity policies count as one, within the permissions boundary:
// PermissionsWidened, PermissionsNarrowed, one for each statement, told with what
// it comes to ([Reach]), by itself or together with others. What is outside the
// boundary is dormant, and told as informational. The boundary itself counts by
// what is approved of the role and it allows: BoundaryRemoved where that became
// more. A role that nobody captured has no baseline: what it has is a finding.
//
// What hands a role to others without a change of its documents is told once
// ([Noted]). Users and groups count by what they may do with functions, which is
// informational; their other rights are none of permdrift's business.
//
// # Rules, adoption, suppression
//
// A [Rule] approves a statement at every place of every function that its
// pattern matches; what a rule approves need not be there. A rule may also let
// a deployer's grants be adopted: those of sessions of exactly one role in one
// account, by an event that claims the statement as it stands, that only invoke
// and are at most internal. Learning is such a rule for everybody, built in,
// with an end. A suppressed finding stays, is silent until its time is over,
// and speaks when it becomes worse.
//
// # The auditing itself
//
// [Tampering] tells of changes to what the auditing rests on.
package drift

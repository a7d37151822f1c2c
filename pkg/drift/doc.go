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
package drift

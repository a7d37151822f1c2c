// Package audit is the line: a change comes in, the live state is read and
// compared with the baseline, the ledger is brought up to date, and what
// changed is announced. It knows no AWS service; the small interfaces that it
// declares are filled in by internal/setup.
//
//	change ─► Live.State ─► Baselines.Get ─► drift.Compare ─► Ledger ─► Alerts
//
// # Promises
//
//   - Findings are recorded before they are announced. The row holds what is
//     still to be announced, so a crash between the two announces again under
//     the same announcement id: at least once, and not again on redelivery.
//   - If the live state does not show yet what a change claims, or the place
//     cannot be read, nothing is concluded: Audit returns a [drift.StaleError]
//     until the change is older than all of RereadAfter together.
//   - A finding that cannot be recorded or announced keeps none of the others
//     from it; one that is too large is recorded in brief.
//   - An unreadable change asks for one sweep, before it is recorded, so that
//     the sweep is lost to no crash, and not before what was done may show;
//     one of IAM for a sweep of all roles.
//   - A message that cannot be decoded becomes a finding of the kind
//     unreadable-change and then fails for good, so that the queue's redrive
//     policy carries it to the dead-letter queue. It is never dropped.
//   - One message of a batch that fails does not fail the others.
//   - A message that failed for another reason comes back after half a minute,
//     then later and later: the visibility time-out is made for crashes.
//   - One sweep is worked off at a time; one that never ends holds up others
//     for three hours. One that is asked for because of a change waits for a
//     sweep that began before it.
//   - A subject in an account or region that is not read is answered as not
//     audited.
//   - A sweep's shard that could not be read is tried again; at the last try it
//     is recorded as unknown. A sweep is never called clean by absence.
//
// # Input of the handler
//
// [Handler.Handle] takes what Lambda hands over: an SQS batch (every
// Records[].eventSource is aws:sqs) whose bodies are EventBridge events, sweep
// shards or sweep requests; one EventBridge event or CloudTrail record, as from
// `sam local invoke`; a CloudTrail log file; or {"permdrift":"sweep"} from the
// schedule; or {"permdrift":"digest"} from the daily schedule of learning.
//
// # What it costs
//
// A change that leads to nothing costs one read of the live state (one call for
// a statement of a policy), one read of the baseline and one of the findings;
// one that takes something away, and every new trust policy, also the writing of a
// mark, for the grant whose event comes later. Only what differs has the rules read, the seals of
// adoptions verified, and read what its finding is told with: the URL that a
// grant needs, what an execution role may do, the function's tags.
//
// # Rules and adoptions
//
// A rule of the baseline approves a statement on many functions, or lets a
// deployer's grants be adopted as they appear ([drift.Rule]). An adoption
// stands on the row of its finding, sealed with a key that the auditor alone
// has. Without the seal, or without a rule that still permits it, it does not
// count, and the finding is open again.
//
// # Changes to permdrift itself
//
// Calls that change what the auditing rests on are findings, one for each
// event, and ask for a sweep ([drift.Tampering]). Where it is not known which
// resources are permdrift's, such a call is answered as not audited.
//
// # Roles
//
// A change of a managed policy or an identity provider is one of each role, user
// and group that hangs on it, which the live reader resolves. Where nothing live
// is read, that is not known, and answered as not audited.
//
// Not promised yet: rules, adoption and learning are about functions only, and
// boundaries of users are not audited.
package audit

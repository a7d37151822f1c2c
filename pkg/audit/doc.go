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
//     the sweep is lost to no crash.
//   - A message that cannot be decoded becomes a finding of the kind
//     unreadable-change and then fails for good, so that the queue's redrive
//     policy carries it to the dead-letter queue. It is never dropped.
//   - One message of a batch that fails does not fail the others.
//   - A message that failed for another reason comes back after half a minute,
//     then later and later: the visibility time-out is made for crashes.
//   - One sweep is worked off at a time; one that never ends holds up others
//     for three hours.
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
// schedule.
//
// Not promised yet: roles, layers, function URLs, event source mappings and
// calls that blind the auditor are decoded, and answered as not audited.
package audit

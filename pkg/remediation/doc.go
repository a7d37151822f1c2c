// Package remediation takes a finding's cause away again: it removes the one
// statement that nobody approved, and keeps all that is needed to put it back.
//
// It trusts no message. A message only names a finding; the live policy and the
// baseline are read anew, and only a statement that is still there, and still
// not approved, is removed.
//
//	message ─► mode ─► finding still open ─► read policy and baseline ─► Plan
//	        ─► intent with pre-image into the ledger ─► RemovePermission ─► read back ─► announce
//
// # Promises
//
//   - The function only narrows. It calls RemovePermission, and PutResourcePolicy
//     with the live document less one Allow statement where that has no Sid, or
//     one that RemovePermission cannot name; if no other statement is left, it
//     gets a Sid first. What is written is compared with what is there: it has
//     no statement more. Restoring a Deny, or anything that widens, is never
//     done here.
//   - Every call carries the qualifier and the RevisionId that the decision was
//     made on. PreconditionFailed means that somebody was there in between: read
//     and decide again. ResourceNotFound means that it is gone: success. An
//     answer that does not come leaves the intent planned.
//   - The pre-image is in the ledger before the call, and the announcement names
//     the commands that undo it, the last call first. [Undo] runs under a
//     person's credentials. Who removed the cause is read from the ledger, so
//     that a crash after the call costs no announcement.
//   - The mode comes from the baseline table only, and is off until somebody
//     sets it. Off does nothing; report says what would be done; enforce acts.
//     Approve waits for a later stage and acts on nothing.
//
// Not promised yet: holds, circuit breakers, stacks in progress, the page when
// a statement is added again after its removal, and one transaction of the
// intent with a check of the baseline's version.
package remediation

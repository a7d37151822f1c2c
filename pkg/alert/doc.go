// Package alert tells people and machines what happened to a finding. It
// decides nothing: what is to be announced is decided by drift.Reconcile, and
// a sender sends what it is given, once.
//
//	topic := alert.NewSNS(client, topicARN)
//	screen := alert.Terminal{W: os.Stdout, Color: true}
//	err := alert.Multi(topic, screen).Send(ctx, finding, announcement)
//
// # For machines
//
// [Message] is one JSON object, version "1", the same in an SNS message and,
// one a line, on the command line ([WriteJSON]):
//
//	version id kind severity exposure account region subject qualifier statement sids config before reason certain
//	advice counterparties witness policy escalations[]{method,severity,reason} functions
//	actor event{id,name,time} owner stack firstSeen lastSeen resolvedAt count replaces replaced
//	status adoption suppression approve remediate undo
//	transition announcement note                  only in announcements; announcement is the id, the same if sent again
//	truncated                                     something was left out
//
// Keys without a value are left out, but for certain; the seal of an adoption
// is never told. A message that would be too large for SNS loses, in this order
// and until it fits: actor.userAgent, witness, counterparties, functions,
// replaced, advice, statement, config and before, sids and policy, escalations,
// suppression and adoption, all of reason and note beyond 500 characters each,
// undo, remediate, approve, actor, event, owner and stack. It keeps id, kind, severity, exposure, account, region,
// subject and qualifier, so whoever acts on it can read the rest from the
// ledger. [ParseMessage] wants version, id and subject.
//
// [Digest] is another object, of the kind "digest", which ParseMessage refuses.
// Once a day it lists what was adopted:
//
//	version kind since count more                 count is of all, more of those that are not listed
//	adopted[]{id,subject,qualifier,statement,exposure,rule,at,actor,event,remediate}
//
// # For people
//
// The e-mail says in one line what happened and how bad it is; then who did it,
// where and whose it is, what changed and from what, why it matters, what a
// role's new rights come to and which functions run as it, a request that it
// allows, what was done about it, and the commands. It is worded for each
// kind and transition; a finding that is shown without an announcement is worded
// by its status. What is long is cut, visibly, and a command is shown whole or
// not at all. [Terminal] says the same in at most twelve lines.
//
// # What an attacker may write
//
// Names, Sids, conditions, tags and user agents are chosen by whoever makes the
// change. Every line for people is printable: control characters, terminal
// escapes, line breaks, bidirectional and invisible characters are shown as
// \u001b and the like. The subject is ASCII. The JSON escapes the same
// characters, which JSON may always do, so that it can be printed too.
//
// # Not promised
//
// A message may come twice, with the same announcement id. Links in text are
// not disarmed. The machine JSON is not proof of anything: who acts on it reads
// the ledger and the live state again.
package alert

// Package baseline stores what people approved: for every subject and place
// the approved statements, their history, and permdrift's own settings.
//
// There are two stores that behave alike and pass one conformance test:
// DynamoDB for the deployed functions and Bolt (one file) for one machine.
// A store decides nothing; it gets, puts under a condition, and lists.
//
// # Contracts
//
//   - Every read is consistent: it sees each write that ended before it began.
//   - The baseline of a subject that nobody captured has no places; that is
//     no error.
//   - Put and PutSettings are optimistic. The value carries the version that
//     was read (0: there was none); if another one is stored by now, nothing
//     changes and the error is [drift.ErrConflict]. What is stored has the next
//     version and is returned.
//   - Put writes history before it moves the head, so that no version that was
//     ever in force is missing from History, whenever the writer dies. History
//     lists the versions that were in force, oldest first, and no other.
//   - What is larger than 400 KB (MaxSize, DynamoDB's limit, which Bolt shares)
//     is refused before anything is sent: [drift.ErrTooLarge]. So is what could
//     not be read again, such as a statement without an effect.
//   - An error other than ErrConflict, ErrTooLarge and ErrDenied leaves open
//     whether the write took effect. Reading tells.
//
// # The DynamoDB table
//
// Keys pk and sk, both strings. One item per subject and place, so that none
// nears 400 KB.
//
//	item      pk                          sk
//	head      SUBJECT                     place#PLACE
//	history   history#SUBJECT#PLACE       VERSION#WRITE
//	settings  settings                    settings
//
// SUBJECT is the ARN; PLACE is a qualifier, trust, identity or boundary, and
// $unqualified for the place without a name (no alias may contain $). VERSION
// has 19 digits, so that its order as text is its order as a number.
//
//	attribute  type
//	version    N     the version that the condition of a write compares
//	write      S     the random id of the write that stored the item
//	previous   S     the id of the write that this one replaced; history and head
//	doc        S     drift.Approved or drift.Settings as JSON
//
// A condition that fails may fail because of our own write: the SDK repeats a
// write whose answer got lost. The item's write id tells, and then it is
// success. The same id makes history safe. Each attempt writes a history item
// of its own, and the head names the one that came into force; that one names
// its predecessor, and so on down to version 1. Items that this chain does not
// reach are of writers that lost a race or died between the two writes: they
// never were in force, block nobody, and may be deleted.
//
// The functions need Query and GetItem only ([API]); [WriteAPI] and [ScanAPI]
// are for the command line, where a person approves.
//
// # The Bolt file
//
// One bucket, "baseline", with the same keys joined by a zero byte (history
// without WRITE, since one transaction writes both) and the same JSON. Other
// packages may keep their buckets in the same file.
//
// Bucket "keys" has one key, "sealing": 32 random bytes ([Bolt.SealingKey]).
//
// # Seals
//
// An adoption stands in the ledger, where more may write than may approve. So
// it bears a seal: a MAC (HMAC-SHA-256) over its text. [KMS] seals with a key
// that never leaves KMS and that only the auditor may use; [Local] with a key
// in memory, for one machine, where whoever can write the file can read its
// key too.
//
//	seal    = ("kms1:" | "local1:") base64(HMAC(key, message))
//	message = "permdrift seal 1" LF hex(SHA-256(text))
//
// A seal of the other kind, in another spelling, of another key or text is
// false; an error means that the key could not be asked, which is neither true
// nor false. KMS remembers the true seals that it made or saw, so it notices a
// key that was disabled only for others.
//
// # Not promised
//
// Subjects come in no particular order, and one that is added during the
// listing may be missing. DynamoDB protects neither history nor heads from
// somebody who may write to the table; that is for IAM.
package baseline

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/permdrift/permdrift/pkg/drift"
)

// MaxSize is the largest item that a store takes, in bytes.
const MaxSize = 400 << 10

// Store is everything that the command line does with a baseline. *Bolt and
// *DynamoDBAdmin are Stores; see the package comment for the contracts.
type Store interface {
	// Get returns the approved state of a subject at all places. Places is
	// never nil.
	Get(ctx context.Context, s drift.Subject) (drift.Baseline, error)
	// Put stores what is approved at one place and returns it with its new version.
	Put(ctx context.Context, s drift.Subject, p drift.Place, a drift.Approved) (drift.Approved, error)
	// History returns all versions that were in force at one place, oldest
	// first. If a version is missing, it returns those after it and an error.
	History(ctx context.Context, s drift.Subject, p drift.Place) ([]drift.Approved, error)
	// Subjects yields each subject that has a baseline once; an error ends it.
	Subjects(ctx context.Context) iter.Seq2[drift.Subject, error]
	// Settings returns the settings; the zero value if none are stored.
	Settings(ctx context.Context) (drift.Settings, error)
	// PutSettings stores the settings and returns them with their new version.
	PutSettings(ctx context.Context, s drift.Settings) (drift.Settings, error)
}

const (
	settingsKey   = "settings"
	placePrefix   = "place#"
	historyPrefix = "history#"
	unqualified   = "$unqualified"
)

func placeName(p drift.Place) string {
	if p == drift.Unqualified {
		return unqualified
	}
	return string(p)
}

func placeKey(p drift.Place) string { return placePrefix + placeName(p) }

// parsePlace is the place of a head's sk.
func parsePlace(sk string) drift.Place {
	if sk == placePrefix+unqualified {
		return drift.Unqualified
	}
	return drift.Place(sk[len(placePrefix):])
}

func historyKey(s drift.Subject, p drift.Place) string {
	return historyPrefix + string(s) + "#" + placeName(p)
}

// record is one item of a store.
type record struct {
	pk, sk   string
	version  int64
	write    string
	previous string
	doc      string
}

// newRecord encodes a value under its keys, or says that it is too large or
// could not be decoded again.
func newRecord[V any](pk, sk string, version int64, value V) (record, error) {
	doc, err := json.Marshal(value)
	if err != nil {
		return record{}, err
	}
	if err := json.Unmarshal(doc, new(V)); err != nil {
		return record{}, fmt.Errorf("it could not be read again: %w", err)
	}
	r := record{pk: pk, sk: sk, version: version, doc: string(doc)}
	if size := r.size(); size > MaxSize {
		return record{}, fmt.Errorf("%w: %d bytes, at most %d", drift.ErrTooLarge, size, MaxSize)
	}
	return r, nil
}

// size is an upper bound of what DynamoDB counts for the record and for its
// copy in the history: names and values of the attributes.
func (r record) size() int {
	const namesAndIDs = 256
	return len(r.pk) + len(r.sk) + len(r.doc) + namesAndIDs
}

// approved decodes a record. The version that conditions compare is the true one.
func (r record) approved() (drift.Approved, error) {
	var a drift.Approved
	if err := json.Unmarshal([]byte(r.doc), &a); err != nil {
		return a, fmt.Errorf("decoding version %d: %w", r.version, err)
	}
	a.Version = r.version
	return a, nil
}

func (r record) settings() (drift.Settings, error) {
	if r.version == 0 {
		return drift.Settings{}, nil
	}
	var s drift.Settings
	if err := json.Unmarshal([]byte(r.doc), &s); err != nil {
		return s, fmt.Errorf("decoding version %d: %w", r.version, err)
	}
	s.Version = r.version
	return s, nil
}

// baselineOf assembles the heads of a subject.
func baselineOf(s drift.Subject, heads []record) (drift.Baseline, error) {
	b := drift.Baseline{Subject: s, Places: make(map[drift.Place]drift.Approved, len(heads))}
	for _, head := range heads {
		place := parsePlace(head.sk)
		approved, err := head.approved()
		if err != nil {
			return drift.Baseline{}, fmt.Errorf("place %s: %w", place, err)
		}
		b.Places[place] = approved
	}
	return b, nil
}

func conflict(read, stored int64) error {
	return fmt.Errorf("version %d was read, version %d is stored: %w", read, stored, drift.ErrConflict)
}

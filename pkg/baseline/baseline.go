// Package baseline stores what people approved: for every subject and place
// the approved statements and configuration, the rules for many subjects, the
// history of both, and permdrift's own settings. It also makes the seals by
// which the auditor knows its own adoptions again.
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
//   - Put, PutRule and PutSettings are optimistic. The value carries the
//     version that was read (0: there was none); if another one is stored by
//     now, nothing changes and the error is [drift.ErrConflict]. What is stored
//     has the next version and is returned. DeleteRule takes the version that
//     was read.
//   - Put, PutRule and DeleteRule write history before they move the head, so
//     that no version that was ever in force is missing from History or
//     RuleHistory, whenever the writer dies. These list the versions that were
//     in force, oldest first, and no other.
//   - A rule is deleted by a version that is neither an approval nor an
//     adoption ([Deleted]) and says who deleted it, and when. Rules leaves it
//     out; RuleHistory has it. A rule that is made again under the same id
//     goes on from there: no version of a rule is ever used twice, so that who
//     read the old one cannot change the new one.
//   - What is larger than 400 KB (MaxSize, DynamoDB's limit, which Bolt shares)
//     is refused before anything is sent: [drift.ErrTooLarge]. So is what could
//     not be read again or means nothing: a rule that [drift.Rule.Check]
//     refuses, an approval that is not either of a statement with an effect or
//     of a configuration with exactly one field.
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
//	head      rules                       rule#ID
//	history   history#SUBJECT#PLACE       VERSION#WRITE
//	history   history#rules#ID            VERSION#WRITE
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
//	doc        S     drift.Approved, drift.Rule or drift.Settings as JSON
//
// A condition that fails may fail because of our own write: the SDK repeats a
// write whose answer got lost. The item's write id tells, and then it is
// success. The same id makes history safe. Each attempt writes a history item
// of its own, and the head names the one that came into force; that one names
// its predecessor, and so on down to version 1. Items that this chain does not
// reach are of writers that lost a race or died between the two writes: they
// never were in force, block nobody, and may be deleted.
//
// A deleted rule keeps its head, so that its chain has a beginning, and nobody
// needs a call that removes items.
//
// The functions need Query and GetItem only ([API]; Query alone for Get and
// Rules); [WriteAPI] and [ScanAPI] are for the command line, where a person
// approves.
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
// nor false. A KMS value remembers the true seals that it made or saw; for it
// they stay true when the key is disabled.
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
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// MaxSize is the largest item that a store takes, in bytes.
const MaxSize = 400 << 10

// Store is everything that the command line does with a baseline. *Bolt and
// *DynamoDBAdmin are Stores; see the package comment for the contracts.
type Store interface {
	PlaceStore
	RuleStore
	SettingsStore
}

// PlaceStore keeps what is approved at the places of subjects.
type PlaceStore interface {
	// Get returns the approved state of a subject at all places. Places is
	// never nil. Rules are not in it.
	Get(ctx context.Context, s drift.Subject) (drift.Baseline, error)
	// Put stores what is approved at one place and returns it with its new version.
	Put(ctx context.Context, s drift.Subject, p drift.Place, a drift.Approved) (drift.Approved, error)
	// History returns all versions that were in force at one place, oldest
	// first. If a version is missing, it returns those after it and an error.
	History(ctx context.Context, s drift.Subject, p drift.Place) ([]drift.Approved, error)
	// Subjects yields each subject that has a baseline once; an error ends it.
	Subjects(ctx context.Context) iter.Seq2[drift.Subject, error]
}

// SettingsStore keeps permdrift's own settings.
type SettingsStore interface {
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

// historyKey is the pk of the history of a head.
func historyKey(pk, sk string) string {
	_, name, _ := strings.Cut(sk, "#")
	return historyPrefix + pk + "#" + name
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

// past is the copy of a head that its history keeps.
func (r record) past() record {
	r.pk, r.sk = historyKey(r.pk, r.sk), fmt.Sprintf("%019d", r.version)
	if r.write != "" {
		r.sk += "#" + r.write
	}
	return r
}

// approvedRecord encodes what is approved at a place, or says that it means nothing.
func approvedRecord(s drift.Subject, p drift.Place, a drift.Approved) (record, error) {
	for i, approval := range a.Approvals {
		if err := checkApproval(approval); err != nil {
			return record{}, fmt.Errorf("approval %d of %d: %w", i+1, len(a.Approvals), err)
		}
	}
	return newRecord(string(s), placeKey(p), a.Version, a)
}

// checkApproval says if an approval is not of exactly one thing. Whether its
// statement can be read is for newRecord.
func checkApproval(a drift.Approval) error {
	if a.Config == nil {
		if a.Statement.Effect == "" {
			return errors.New("it has neither a statement with an effect nor a configuration")
		}
		return nil
	}
	if a.Statement.Effect != "" {
		return errors.New("it has a statement and a configuration")
	}
	fields := 0
	for _, set := range []bool{a.Config.URL != nil, a.Config.Mapping != nil, a.Config.Role != "", a.Config.Boundary != ""} {
		if set {
			fields++
		}
	}
	if fields != 1 {
		return fmt.Errorf("its configuration has %d fields, not exactly one", fields)
	}
	return nil
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

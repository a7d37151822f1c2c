// Package ledger stores what permdrift itself knows: findings, intents (what
// the remediator is about to do or has done), removals (the calls of others
// that took something away), and how far sweeps got.
//
// There are two stores that behave alike and pass one conformance test:
// DynamoDB for the deployed functions and Bolt (one file) for one machine.
// A store decides nothing; it gets, puts under a condition, counts, and lists.
//
// # Contracts
//
//   - Every read is consistent: it sees each write that ended before it began.
//   - Save and SaveIntent are optimistic. The value carries the version that
//     was read (0: there was none); if another one is stored by now, nothing
//     changes and the error is [drift.ErrConflict]. What is stored has the next
//     version and is returned.
//   - What is not stored is [drift.ErrNotFound] where one thing is asked for by
//     its id, and an empty list elsewhere.
//   - SaveRemoval may be repeated: the same removal, which is one of the same
//     subject, place, Sid and event ([drift.Event.Key]), is stored once.
//   - A finding that is closed and has nothing pending is forgotten after 90
//     days, a sweep after 7, a removal after one. Nothing else ever is: not
//     open, approved or suppressed findings, and with them what was adopted;
//     not what still has to be announced; not intents, which hold the
//     pre-images that undo needs. What is due to be forgotten is absent from every read at
//     once, also while the store has not removed it yet, and may be created
//     again under the same id.
//   - CountShard counts a subject once in a sweep, however often it is called.
//     AddSweepSubjects is counted once per call, however often it is repeated
//     on the way.
//   - A finding, intent or removal that is larger than 400 KB (MaxSize, DynamoDB's
//     limit, which Bolt shares) is refused before anything is sent:
//     [drift.ErrTooLarge]. So is one that could not be read again.
//   - An error other than ErrConflict, ErrNotFound, ErrTooLarge and ErrDenied
//     leaves open whether the write took effect. Reading tells.
//
// # The DynamoDB table
//
// Keys pk and sk, both strings; time to live by the attribute expires.
//
//	item      pk          sk
//	finding   SUBJECT     finding#ID
//	intent    SUBJECT     intent#ID
//	removal   SUBJECT     removal#HASH    of place, Sid and event
//	sweep     sweep#ID    sweep
//	mark      sweep#ID    shard#SUBJECT   the subject was counted
//	mark      sweep#ID    add#WRITE       the subjects were added
//
//	attribute  type
//	version    N     findings, intents: what the condition of a write compares; removals: 1
//	write      S     findings, intents, sweeps: the random id of the write that stored the item
//	doc        S     drift.Finding, drift.Intent or drift.Removal as JSON
//	expires    N     when the item may be forgotten, in seconds since 1970; absent: never
//
// A sweep has the fields of drift.SweepRun as attributes by their JSON names,
// so that several writers can add to its counters.
//
// A condition that fails may fail because of our own write: the SDK repeats a
// write whose answer got lost. The item's write id tells, and then it is
// success. A counter and its mark are written in one transaction, and the mark
// tells.
//
// The functions need Query, GetItem, PutItem and UpdateItem ([WriteAPI]; a
// transaction needs the permissions of its parts). Scan ([ScanAPI]) is for the
// command line, and for one function: the auditor's, which lists what was
// adopted once a day for the digest of learning ([DynamoDBLister]).
//
// # The Bolt file
//
// Bucket "ledger" with the same keys joined by a zero byte, and JSON; bucket
// "state" with the last state of each subject that was rebuilt from files.
// Other packages may keep their buckets in the same file. What has expired is
// removed when the next sweep starts.
//
// # Not promised
//
// List yields findings in no particular order. If the answer to a Save gets
// lost and somebody else writes the next version before the SDK's repetition,
// Save reports ErrConflict although its version was stored for a moment; who
// reads and decides anew, as after any conflict, loses nothing.
package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// MaxSize is the largest item that a store takes, in bytes.
const MaxSize = 400 << 10

// MinPrefix is how many characters of a finding's id Find wants at least.
const MinPrefix = 6

// How long a store keeps what may be forgotten.
const (
	FindingsKept = 90 * 24 * time.Hour // from the Save of a closed finding with nothing pending
	SweepsKept   = 7 * 24 * time.Hour  // from the start
	// RemovalsKept is from the last SaveRemoval. The grant that was taken away
	// is looked for while its own message is on the way: the re-reads of a stale
	// state end within minutes, but SQS may retry a message that fails for hours.
	RemovalsKept = 24 * time.Hour
)

// Store is everything that the command line does with a ledger. *Bolt and
// *DynamoDBAdmin are Stores; *DynamoDBWriter lacks Find, List and LastSweeps.
type Store interface {
	FindingStore
	IntentStore
	RemovalStore
	SweepStore
}

// FindingStore keeps findings.
type FindingStore interface {
	// Findings returns the findings of a subject, ordered by id.
	Findings(ctx context.Context, s drift.Subject) ([]drift.Finding, error)
	// Finding returns one finding.
	Finding(ctx context.Context, s drift.Subject, id string) (drift.Finding, error)
	// Find returns the finding whose id begins with a prefix of at least
	// MinPrefix characters; if several do, the error names them.
	Find(ctx context.Context, prefix string) (drift.Finding, error)
	// List yields all findings; an error ends it.
	List(ctx context.Context) iter.Seq2[drift.Finding, error]
	// Save stores a finding and returns it with its new version.
	Save(ctx context.Context, f drift.Finding) (drift.Finding, error)
}

// IntentStore keeps intents.
type IntentStore interface {
	// Intents returns the intents of a subject, oldest first.
	Intents(ctx context.Context, s drift.Subject) ([]drift.Intent, error)
	// SaveIntent stores an intent and returns it with its new version.
	SaveIntent(ctx context.Context, i drift.Intent) (drift.Intent, error)
}

// RemovalStore keeps removals for a day.
type RemovalStore interface {
	// SaveRemoval stores a removal of something of a subject.
	SaveRemoval(ctx context.Context, s drift.Subject, r drift.Removal) error
	// Removals returns the removals of a subject, in the order of their events.
	Removals(ctx context.Context, s drift.Subject) ([]drift.Removal, error)
}

// SweepStore keeps how far sweeps got. All but StartSweep and LastSweeps
// return ErrNotFound for a sweep that was never started or is forgotten.
type SweepStore interface {
	// StartSweep stores a new sweep; ErrConflict if there is one of that id.
	StartSweep(ctx context.Context, r drift.SweepRun) error
	// AddSweepSubjects adds n to the number of subjects.
	AddSweepSubjects(ctx context.Context, id string, n int) error
	// FinishPlan ends the planning: no more subjects will be added. If some
	// could not be listed, problem says why, and the sweep is never clean.
	FinishPlan(ctx context.Context, id, problem string) error
	// CountShard counts a subject as worked off, once.
	CountShard(ctx context.Context, id string, s drift.Subject, outcome drift.ShardOutcome) error
	// Sweep returns how far a sweep got.
	Sweep(ctx context.Context, id string) (drift.SweepRun, error)
	// LastSweeps returns the latest sweeps, newest first, at most limit.
	LastSweeps(ctx context.Context, limit int) ([]drift.SweepRun, error)
}

const (
	findingPrefix = "finding#"
	intentPrefix  = "intent#"
	removalPrefix = "removal#"
	sweepPrefix   = "sweep#"
	sweepKey      = "sweep"
	shardPrefix   = "shard#"
	addPrefix     = "add#"
)

// record is one item of a store.
type record struct {
	pk, sk  string
	version int64
	write   string
	expires int64 // seconds since 1970; 0: never
	doc     string
}

// expired reports whether the record is to be forgotten.
func (r record) expired(now time.Time) bool { return r.expires != 0 && now.Unix() >= r.expires }

// size is an upper bound of what DynamoDB counts for the record: names and
// values of the attributes.
func (r record) size() int {
	const namesAndIDs = 256
	return len(r.pk) + len(r.sk) + len(r.doc) + namesAndIDs
}

// encodeDoc encodes a value, or says that it could not be decoded again.
func encodeDoc[V any](value V) ([]byte, error) {
	doc, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(doc, new(V)); err != nil {
		return nil, fmt.Errorf("it could not be read again: %w", err)
	}
	return doc, nil
}

// newRecord encodes a value under its keys, or says that it is too large.
func newRecord[V any](pk, sk string, version int64, value V) (record, error) {
	doc, err := encodeDoc(value)
	if err != nil {
		return record{}, err
	}
	r := record{pk: pk, sk: sk, version: version, doc: string(doc)}
	if size := r.size(); size > MaxSize {
		return record{}, fmt.Errorf("%w: %d bytes, at most %d", drift.ErrTooLarge, size, MaxSize)
	}
	return r, nil
}

func findingRecord(f drift.Finding, now time.Time) (record, error) {
	r, err := newRecord(string(f.Subject), findingPrefix+f.ID, f.Version, f)
	if f.Closed() && len(f.Pending) == 0 {
		r.expires = now.Add(FindingsKept).Unix()
	}
	return r, err
}

func intentRecord(i drift.Intent) (record, error) {
	return newRecord(string(i.Subject), intentPrefix+i.ID, i.Version, i)
}

// removalRecord encodes a removal under a key that is the same for the same one.
func removalRecord(s drift.Subject, removal drift.Removal, now time.Time) (record, error) {
	id := drift.FindingID(s, removal.Place, removal.Sid+"\x00"+removal.Event.Key())
	r, err := newRecord(string(s), removalPrefix+id, 1, removal)
	r.expires = now.Add(RemovalsKept).Unix()
	return r, err
}

// finding decodes a record. The version that conditions compare is the true one.
func (r record) finding() (drift.Finding, error) {
	var f drift.Finding
	if err := json.Unmarshal([]byte(r.doc), &f); err != nil {
		return f, fmt.Errorf("decoding %s of %s: %w", r.sk, r.pk, err)
	}
	f.Version = r.version
	return f, nil
}

func (r record) intent() (drift.Intent, error) {
	var i drift.Intent
	if err := json.Unmarshal([]byte(r.doc), &i); err != nil {
		return i, fmt.Errorf("decoding %s of %s: %w", r.sk, r.pk, err)
	}
	i.Version = r.version
	return i, nil
}

func (r record) removal() (drift.Removal, error) {
	var removal drift.Removal
	if err := json.Unmarshal([]byte(r.doc), &removal); err != nil {
		return removal, fmt.Errorf("decoding %s of %s: %w", r.sk, r.pk, err)
	}
	return removal, nil
}

// decodeAll decodes all records that are not expired.
func decodeAll[V any](records []record, now time.Time, decode func(record) (V, error)) ([]V, error) {
	var all []V
	for _, r := range records {
		if r.expired(now) {
			continue
		}
		v, err := decode(r)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func oldestFirst(intents []drift.Intent) {
	slices.SortFunc(intents, func(a, b drift.Intent) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
}

func inOrder(removals []drift.Removal) {
	slices.SortFunc(removals, func(a, b drift.Removal) int {
		return cmp.Or(a.Event.Time.Compare(b.Event.Time), cmp.Compare(a.Event.Key(), b.Event.Key()),
			cmp.Compare(a.Place, b.Place), cmp.Compare(a.Sid, b.Sid))
	})
}

// latest sorts sweeps, newest first, and keeps at most limit.
func latest(runs []drift.SweepRun, limit int) []drift.SweepRun {
	slices.SortFunc(runs, func(a, b drift.SweepRun) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.ID, b.ID))
	})
	return runs[:min(len(runs), max(limit, 0))]
}

// find chooses among findings the one whose id begins with a prefix.
func find(prefix string, all iter.Seq2[drift.Finding, error]) (drift.Finding, error) {
	if len(prefix) < MinPrefix {
		return drift.Finding{}, fmt.Errorf("at least %d characters of the id are needed", MinPrefix)
	}
	var found []drift.Finding
	var ids []string
	for f, err := range all {
		switch {
		case err != nil:
			return drift.Finding{}, err
		case f.ID == prefix:
			return f, nil
		case strings.HasPrefix(f.ID, prefix):
			found, ids = append(found, f), append(ids, f.ID)
		}
	}
	switch len(found) {
	case 0:
		return drift.Finding{}, drift.ErrNotFound
	case 1:
		return found[0], nil
	}
	slices.Sort(ids)
	return drift.Finding{}, fmt.Errorf("%d findings begin with it; give more characters: %s", len(ids), strings.Join(ids, ", "))
}

// counts is what an outcome adds to the counters of a sweep, by their names.
func counts(outcome drift.ShardOutcome) (map[string]int, error) {
	switch outcome {
	case drift.ShardClean:
		return map[string]int{"done": 1}, nil
	case drift.ShardDrifted:
		return map[string]int{"done": 1, "drifted": 1}, nil
	case drift.ShardUnknown:
		return map[string]int{"done": 1, "unknown": 1}, nil
	}
	return nil, fmt.Errorf("%q is not an outcome", outcome)
}

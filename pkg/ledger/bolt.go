package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"go.etcd.io/bbolt"
)

var (
	bucketName  = []byte("ledger")
	stateBucket = []byte("state")
)

// batch is how many items List reads in one transaction.
const batch = 100

// Bolt is the Store in a bbolt file.
type Bolt struct {
	// Now is the clock by which items expire.
	Now func() time.Time

	db *bbolt.DB
}

// NewBolt returns the Store in an open file, which the caller closes.
func NewBolt(db *bbolt.DB) *Bolt { return &Bolt{Now: time.Now, db: db} }

// Findings returns the findings of a subject, ordered by id.
func (b *Bolt) Findings(ctx context.Context, s drift.Subject) ([]drift.Finding, error) {
	records, err := b.query(ctx, string(s), findingPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading findings of %s: %w", s, err)
	}
	findings, err := decodeAll(records, b.Now(), record.finding)
	if err != nil {
		return nil, fmt.Errorf("reading findings of %s: %w", s, err)
	}
	return findings, nil
}

// Finding returns one finding.
func (b *Bolt) Finding(ctx context.Context, s drift.Subject, id string) (f drift.Finding, err error) {
	err = b.view(ctx, bucketName, func(bucket *bbolt.Bucket) error {
		r, err := b.load(bucket, string(s), findingPrefix+id)
		if err == nil {
			f, err = r.finding()
		}
		return err
	})
	if err != nil {
		return drift.Finding{}, fmt.Errorf("reading finding %s of %s: %w", id, s, err)
	}
	return f, nil
}

// Find returns the finding whose id begins with a prefix.
func (b *Bolt) Find(ctx context.Context, prefix string) (drift.Finding, error) {
	f, err := find(prefix, b.findings(ctx))
	if err != nil {
		return drift.Finding{}, fmt.Errorf("looking for finding %s: %w", prefix, err)
	}
	return f, nil
}

// List yields all findings; an error ends it. No transaction is open while it
// yields, so the caller may use the file.
func (b *Bolt) List(ctx context.Context) iter.Seq2[drift.Finding, error] {
	return func(yield func(drift.Finding, error) bool) {
		for f, err := range b.findings(ctx) {
			if err != nil {
				err = fmt.Errorf("listing the findings: %w", err)
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// findings yields all findings; an error ends it.
func (b *Bolt) findings(ctx context.Context) iter.Seq2[drift.Finding, error] {
	return func(yield func(drift.Finding, error) bool) {
		for start := []byte{}; start != nil; {
			page, next, err := b.page(ctx, start)
			if err != nil {
				yield(drift.Finding{}, err)
				return
			}
			for _, f := range page {
				if !yield(f, nil) {
					return
				}
			}
			start = next
		}
	}
}

// page returns the findings of the next batch from a key on, and the key to go
// on with; nil after the last.
func (b *Bolt) page(ctx context.Context, start []byte) ([]drift.Finding, []byte, error) {
	var records []record
	var next []byte
	err := b.view(ctx, bucketName, func(bucket *bbolt.Bucket) (err error) {
		records, next, err = someFindings(bucket, start)
		return err
	})
	if err != nil && !errors.Is(err, drift.ErrNotFound) {
		return nil, nil, err
	}
	findings, err := decodeAll(records, b.Now(), record.finding)
	return findings, next, err
}

// someFindings returns up to batch findings from a key on, and the next key.
func someFindings(bucket *bbolt.Bucket, start []byte) ([]record, []byte, error) {
	var records []record
	c := bucket.Cursor()
	for key, value := c.Seek(start); key != nil; key, value = c.Next() {
		if !bytes.Contains(key, []byte("\x00"+findingPrefix)) {
			continue
		}
		if len(records) == batch {
			return records, bytes.Clone(key), nil
		}
		r, err := boltRecord(key, value)
		if err != nil {
			return nil, nil, err
		}
		records = append(records, r)
	}
	return records, nil, nil
}

// Save stores a finding and returns it with its new version.
func (b *Bolt) Save(ctx context.Context, f drift.Finding) (drift.Finding, error) {
	read := f.Version
	f.Version++
	r, err := findingRecord(f, b.Now())
	if err == nil {
		err = b.replace(ctx, r, read)
	}
	if err != nil {
		return drift.Finding{}, fmt.Errorf("writing finding %s of %s: %w", f.ID, f.Subject, err)
	}
	return f, nil
}

// Intents returns the intents of a subject, oldest first.
func (b *Bolt) Intents(ctx context.Context, s drift.Subject) ([]drift.Intent, error) {
	records, err := b.query(ctx, string(s), intentPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading intents of %s: %w", s, err)
	}
	intents, err := decodeAll(records, b.Now(), record.intent)
	if err != nil {
		return nil, fmt.Errorf("reading intents of %s: %w", s, err)
	}
	oldestFirst(intents)
	return intents, nil
}

// SaveIntent stores an intent and returns it with its new version.
func (b *Bolt) SaveIntent(ctx context.Context, i drift.Intent) (drift.Intent, error) {
	read := i.Version
	i.Version++
	r, err := intentRecord(i)
	if err == nil {
		err = b.replace(ctx, r, read)
	}
	if err != nil {
		return drift.Intent{}, fmt.Errorf("writing intent %s of %s: %w", i.ID, i.Subject, err)
	}
	return i, nil
}

// Removals returns the removals of a subject, in the order of their events.
func (b *Bolt) Removals(ctx context.Context, s drift.Subject) ([]drift.Removal, error) {
	records, err := b.query(ctx, string(s), removalPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading removals of %s: %w", s, err)
	}
	removals, err := decodeAll(records, b.Now(), record.removal)
	if err != nil {
		return nil, fmt.Errorf("reading removals of %s: %w", s, err)
	}
	inOrder(removals)
	return removals, nil
}

// SaveRemoval stores a removal of something of a subject.
func (b *Bolt) SaveRemoval(ctx context.Context, s drift.Subject, r drift.Removal) error {
	stored, err := removalRecord(s, r, b.Now())
	if err == nil {
		err = b.update(ctx, bucketName, func(bucket *bbolt.Bucket) error { return write(bucket, stored) })
	}
	if err != nil {
		return fmt.Errorf("writing removal from %s by event %s: %w", s.ARN(r.Place), r.Event.Key(), err)
	}
	return nil
}

// State returns the last state of a subject that was rebuilt from files;
// ErrNotFound if there is none.
func (b *Bolt) State(ctx context.Context, s drift.Subject) (drift.State, error) {
	var state drift.State
	err := b.view(ctx, stateBucket, func(bucket *bbolt.Bucket) error {
		value := bucket.Get([]byte(s))
		if value == nil {
			return drift.ErrNotFound
		}
		return json.Unmarshal(value, &state)
	})
	if err != nil {
		return drift.State{}, fmt.Errorf("reading last state of %s: %w", s, err)
	}
	return state, nil
}

// SaveState stores the state of a subject in place of the last one.
func (b *Bolt) SaveState(ctx context.Context, s drift.State) error {
	value, err := encodeDoc(s)
	if err == nil {
		err = b.update(ctx, stateBucket, func(bucket *bbolt.Bucket) error { return bucket.Put([]byte(s.Subject), value) })
	}
	if err != nil {
		return fmt.Errorf("writing state of %s: %w", s.Subject, err)
	}
	return nil
}

// boltKey joins the keys of an item. Neither can contain a zero byte.
func boltKey(pk, sk string) []byte { return []byte(pk + "\x00" + sk) }

// boltItem is the value of a key.
type boltItem struct {
	Version int64           `json:"version"`
	Expires int64           `json:"expires,omitempty"`
	Doc     json.RawMessage `json:"doc"`
}

func boltRecord(key, value []byte) (record, error) {
	pk, sk, _ := strings.Cut(string(key), "\x00")
	var item boltItem
	if err := json.Unmarshal(value, &item); err != nil {
		return record{}, fmt.Errorf("decoding %s of %s: %w", sk, pk, err)
	}
	return record{pk: pk, sk: sk, version: item.Version, expires: item.Expires, doc: string(item.Doc)}, nil
}

// query reads all items of a pk whose sk has a prefix, in the order of sk.
func (b *Bolt) query(ctx context.Context, pk, prefix string) (records []record, err error) {
	err = b.view(ctx, bucketName, func(bucket *bbolt.Bucket) error {
		start, c := boltKey(pk, prefix), bucket.Cursor()
		for key, value := c.Seek(start); bytes.HasPrefix(key, start); key, value = c.Next() {
			r, err := boltRecord(key, value)
			if err != nil {
				return err
			}
			records = append(records, r)
		}
		return nil
	})
	if errors.Is(err, drift.ErrNotFound) {
		return nil, nil
	}
	return records, err
}

// load reads one item; ErrNotFound if there is none or it has expired.
func (b *Bolt) load(bucket *bbolt.Bucket, pk, sk string) (record, error) {
	value := bucket.Get(boltKey(pk, sk))
	if value == nil {
		return record{}, drift.ErrNotFound
	}
	r, err := boltRecord(boltKey(pk, sk), value)
	if err == nil && r.expired(b.Now()) {
		return record{}, drift.ErrNotFound
	}
	return r, err
}

// replace writes a record if the stored version is the one that was read (0:
// nothing is stored).
func (b *Bolt) replace(ctx context.Context, r record, read int64) error {
	return b.update(ctx, bucketName, func(bucket *bbolt.Bucket) error {
		stored, err := b.load(bucket, r.pk, r.sk)
		if err != nil && !errors.Is(err, drift.ErrNotFound) {
			return err
		}
		if stored.version != read {
			return fmt.Errorf("version %d was read, version %d is stored: %w", read, stored.version, drift.ErrConflict)
		}
		return write(bucket, r)
	})
}

func write(bucket *bbolt.Bucket, r record) error {
	value, err := json.Marshal(boltItem{Version: r.version, Expires: r.expires, Doc: json.RawMessage(r.doc)})
	if err != nil {
		return err
	}
	return bucket.Put(boltKey(r.pk, r.sk), value)
}

// view reads a bucket; ErrNotFound if nothing was ever written to it.
func (b *Bolt) view(ctx context.Context, name []byte, read func(*bbolt.Bucket) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.View(func(tx *bbolt.Tx) error {
		if bucket := tx.Bucket(name); bucket != nil {
			return read(bucket)
		}
		return drift.ErrNotFound
	})
}

func (b *Bolt) update(ctx context.Context, name []byte, change func(*bbolt.Bucket) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(name)
		if err != nil {
			return err
		}
		return change(bucket)
	})
}

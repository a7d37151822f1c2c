package baseline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"go.etcd.io/bbolt"
)

var bucketName = []byte("baseline")

// Bolt is the Store in a bbolt file.
type Bolt struct {
	// Now is the clock by which deletions are dated.
	Now func() time.Time

	db *bbolt.DB
}

// NewBolt returns the Store in an open file, which the caller closes.
func NewBolt(db *bbolt.DB) *Bolt { return &Bolt{Now: time.Now, db: db} }

// boltKey joins the keys of an item. Neither can contain a zero byte.
func boltKey(pk, sk string) []byte { return []byte(pk + "\x00" + sk) }

// boltItem is the value of a key.
type boltItem struct {
	Version int64           `json:"version"`
	Doc     json.RawMessage `json:"doc"`
}

func boltRecord(key, value []byte) (record, error) {
	pk, sk, _ := strings.Cut(string(key), "\x00")
	var item boltItem
	if err := json.Unmarshal(value, &item); err != nil {
		return record{}, fmt.Errorf("decoding item %s of %s: %w", sk, pk, err)
	}
	return record{pk: pk, sk: sk, version: item.Version, doc: string(item.Doc)}, nil
}

// Get returns the approved state of a subject at all places.
func (b *Bolt) Get(ctx context.Context, s drift.Subject) (drift.Baseline, error) {
	heads, err := b.query(ctx, string(s), placePrefix)
	if err != nil {
		return drift.Baseline{}, fmt.Errorf("reading baseline of %s: %w", s, err)
	}
	found, err := baselineOf(s, heads)
	if err != nil {
		return drift.Baseline{}, fmt.Errorf("reading baseline of %s: %w", s, err)
	}
	return found, nil
}

// History returns all versions that were in force at one place, oldest first.
func (b *Bolt) History(ctx context.Context, s drift.Subject, p drift.Place) ([]drift.Approved, error) {
	items, err := b.query(ctx, historyKey(string(s), placeKey(p)), "")
	if err != nil {
		return nil, fmt.Errorf("reading history of %s: %w", s.ARN(p), err)
	}
	var versions []drift.Approved
	for _, item := range items {
		approved, err := item.approved()
		if err != nil {
			return nil, fmt.Errorf("reading history of %s: %w", s.ARN(p), err)
		}
		versions = append(versions, approved)
	}
	return versions, nil
}

// Settings returns the settings; the zero value if none are stored.
func (b *Bolt) Settings(ctx context.Context) (drift.Settings, error) {
	var s drift.Settings
	items, err := b.query(ctx, settingsKey, settingsKey)
	if err == nil && len(items) > 0 {
		s, err = items[0].settings()
	}
	if err != nil {
		return drift.Settings{}, fmt.Errorf("reading settings: %w", err)
	}
	return s, nil
}

// Put stores what is approved at one place and returns it with its new version.
func (b *Bolt) Put(ctx context.Context, s drift.Subject, p drift.Place, a drift.Approved) (drift.Approved, error) {
	read := a.Version
	a.Version++
	head, err := approvedRecord(s, p, a)
	if err == nil {
		err = b.replace(ctx, head, read, head.past())
	}
	if err != nil {
		return drift.Approved{}, fmt.Errorf("writing baseline of %s: %w", s.ARN(p), err)
	}
	return a, nil
}

// PutSettings stores the settings and returns them with their new version.
func (b *Bolt) PutSettings(ctx context.Context, s drift.Settings) (drift.Settings, error) {
	read := s.Version
	s.Version++
	r, err := newRecord(settingsKey, settingsKey, s.Version, s)
	if err == nil {
		err = b.replace(ctx, r, read)
	}
	if err != nil {
		return drift.Settings{}, fmt.Errorf("writing settings: %w", err)
	}
	return s, nil
}

// Subjects yields each subject that has a baseline once; an error ends it. No
// transaction is open while it yields, so the caller may use the file.
func (b *Bolt) Subjects(ctx context.Context) iter.Seq2[drift.Subject, error] {
	return func(yield func(drift.Subject, error) bool) {
		for after := ""; ; {
			pk, err := b.nextHead(ctx, after)
			if err != nil {
				yield("", fmt.Errorf("listing the subjects: %w", err))
				return
			}
			if pk == "" || !yield(drift.Subject(pk), nil) {
				return
			}
			after = pk
		}
	}
}

// nextHead is the first pk after another one that has places; "" if none has.
func (b *Bolt) nextHead(ctx context.Context, after string) (next string, err error) {
	err = b.view(ctx, func(bucket *bbolt.Bucket) error {
		c := bucket.Cursor()
		seek := []byte(after + "\x01")
		if after == "" {
			seek = nil
		}
		for key, _ := c.Seek(seek); key != nil; key, _ = c.Next() {
			pk, sk, _ := strings.Cut(string(key), "\x00")
			if strings.HasPrefix(sk, placePrefix) {
				next = pk
				return nil
			}
		}
		return nil
	})
	return next, err
}

// query reads all items of a pk whose sk has a prefix, in the order of sk.
func (b *Bolt) query(ctx context.Context, pk, prefix string) (records []record, err error) {
	err = b.view(ctx, func(bucket *bbolt.Bucket) error {
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
	return records, err
}

func (b *Bolt) view(ctx context.Context, read func(*bbolt.Bucket) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.View(func(tx *bbolt.Tx) error {
		if bucket := tx.Bucket(bucketName); bucket != nil {
			return read(bucket)
		}
		return nil
	})
}

// replace writes a record, and others with it, in one transaction, if the
// stored version is the one that was read (0: nothing is stored).
func (b *Bolt) replace(ctx context.Context, r record, read int64, others ...record) error {
	return b.change(ctx, r.pk, r.sk, func(stored record) ([]record, error) {
		if stored.version != read {
			return nil, conflict(read, stored.version)
		}
		return append(others, r), nil
	})
}

// change writes, in one transaction, what follows from a stored record (the
// zero record if there is none).
func (b *Bolt) change(ctx context.Context, pk, sk string, follow func(stored record) ([]record, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(bucketName)
		if err != nil {
			return err
		}
		var stored record
		key := boltKey(pk, sk)
		if value := bucket.Get(key); value != nil {
			if stored, err = boltRecord(key, value); err != nil {
				return err
			}
		}
		next, err := follow(stored)
		if err != nil {
			return err
		}
		for _, item := range next {
			if err := write(bucket, item); err != nil {
				return err
			}
		}
		return nil
	})
}

func write(bucket *bbolt.Bucket, r record) error {
	value, err := json.Marshal(boltItem{Version: r.version, Doc: json.RawMessage(r.doc)})
	if err != nil {
		return err
	}
	return bucket.Put(boltKey(r.pk, r.sk), value)
}

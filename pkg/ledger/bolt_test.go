package ledger

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"go.etcd.io/bbolt"
)

var _ Store = (*Bolt)(nil)

func openBolt(t testing.TB) *Bolt {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "permdrift.db"), 0o600, &bbolt.Options{Timeout: time.Second, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return NewBolt(db)
}

func TestBoltConforms(t *testing.T) {
	for _, c := range Conformance() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			store := openBolt(t)
			c.Run(t, Harness{Store: store, SetNow: func(now time.Time) { store.Now = func() time.Time { return now } }})
		})
	}
}

func TestBoltListsMoreThanABatch(t *testing.T) {
	store := openBolt(t)
	const n = 2*batch + 1
	for i := range n {
		save(t, store, open(function(i%7), fmt.Sprintf("finding%03d", i)))
	}
	seen := 0
	for f, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen%batch == 1 {
			f.Count++
			save(t, store, f) // the file is free meanwhile
		}
	}
	if seen != n {
		t.Errorf("%d findings, want %d", seen, n)
	}
}

func TestBoltKeepsTheLastState(t *testing.T) {
	store := openBolt(t)
	_, err := store.State(t.Context(), ingest)
	wantErr(t, "no state", err, drift.ErrNotFound)
	for _, revision := range []string{"r1", "r2"} {
		state := drift.State{
			Subject: ingest, ReadAt: noon,
			Policies: map[drift.Place]drift.PlacePolicy{drift.Unqualified: {RevisionID: revision, Document: `{"Statement":[]}`}},
			Gaps:     []drift.Gap{{Place: "live", Reason: "not in the log"}},
		}
		if err := store.SaveState(t.Context(), state); err != nil {
			t.Fatal(err)
		}
		got, err := store.State(t.Context(), ingest)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "state", got, state)
	}
	_, err = store.State(t.Context(), export)
	wantErr(t, "another subject", err, drift.ErrNotFound)
}

func TestBoltRemovesWhatExpiredWhenASweepStarts(t *testing.T) {
	store := openBolt(t)
	store.Now = func() time.Time { return noon }
	start(t, store, "s1", noon)
	count(t, store, "s1", ingest, drift.ShardClean)
	save(t, store, open(ingest, "aaaaaaaa"))
	store.Now = func() time.Time { return noon.Add(SweepsKept) }
	start(t, store, "s2", noon)
	var keys []string
	err := store.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketName).ForEach(func(key, _ []byte) error {
			keys = append(keys, string(key))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "keys", keys, []string{string(ingest) + "\x00finding#aaaaaaaa", "sweep#s2\x00sweep"})
}

func BenchmarkGet(b *testing.B) {
	store := openBolt(b)
	for i := range 5 {
		save(b, store, open(ingest, fmt.Sprint("finding", i)))
	}
	for b.Loop() {
		if _, err := store.Findings(b.Context(), ingest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSave(b *testing.B) {
	store := openBolt(b)
	f := open(ingest, "aaaaaaaa")
	for b.Loop() {
		f = save(b, store, f)
	}
}

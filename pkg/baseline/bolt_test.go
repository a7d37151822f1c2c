package baseline

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

func BenchmarkGet(b *testing.B) {
	store := openBolt(b)
	for i := range 5 {
		put(b, store, ingest, drift.Place(fmt.Sprint("alias", i)), approvedBy(0, "one", "two", "three"))
	}
	for b.Loop() {
		if _, err := store.Get(b.Context(), ingest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	store := openBolt(b)
	a := approvedBy(0, "one", "two", "three")
	for b.Loop() {
		a = put(b, store, ingest, "live", a)
	}
}

package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/permdrift/permdrift/pkg/drift"
	"go.etcd.io/bbolt"
)

// StartSweep stores a new sweep; ErrConflict if there is one of that id. It
// also removes what has expired.
func (b *Bolt) StartSweep(ctx context.Context, r drift.SweepRun) error {
	err := b.update(ctx, bucketName, func(bucket *bbolt.Bucket) error {
		if err := b.forget(bucket); err != nil {
			return err
		}
		switch _, err := b.load(bucket, sweepPrefix+r.ID, sweepKey); {
		case err == nil:
			return drift.ErrConflict
		case !errors.Is(err, drift.ErrNotFound):
			return err
		}
		return b.writeSweep(bucket, r, b.Now().Add(SweepsKept).Unix())
	})
	if err != nil {
		return fmt.Errorf("starting sweep %s: %w", r.ID, err)
	}
	return nil
}

// forget removes what has expired.
func (b *Bolt) forget(bucket *bbolt.Bucket) error {
	var gone [][]byte
	c := bucket.Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		r, err := boltRecord(key, value)
		if err != nil {
			return err
		}
		if r.expired(b.Now()) {
			gone = append(gone, bytes.Clone(key))
		}
	}
	for _, key := range gone {
		if err := bucket.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// AddSweepSubjects adds n to the number of subjects.
func (b *Bolt) AddSweepSubjects(ctx context.Context, id string, n int) error {
	err := b.updateSweep(ctx, id, func(_ *bbolt.Bucket, r *drift.SweepRun) error {
		r.Subjects += n
		return nil
	})
	if err != nil {
		return fmt.Errorf("adding %d subjects to sweep %s: %w", n, id, err)
	}
	return nil
}

// FinishPlan ends the planning; problem says what could not be listed.
func (b *Bolt) FinishPlan(ctx context.Context, id, problem string) error {
	err := b.updateSweep(ctx, id, func(_ *bbolt.Bucket, r *drift.SweepRun) error {
		r.Planned, r.Problem = true, problem
		return nil
	})
	if err != nil {
		return fmt.Errorf("finishing the plan of sweep %s: %w", id, err)
	}
	return nil
}

// CountShard counts a subject as worked off, once.
func (b *Bolt) CountShard(ctx context.Context, id string, s drift.Subject, outcome drift.ShardOutcome) error {
	add, err := counts(outcome)
	if err == nil {
		err = b.updateSweep(ctx, id, func(bucket *bbolt.Bucket, r *drift.SweepRun) error {
			return b.countOnce(bucket, r, s, add)
		})
	}
	if err != nil {
		return fmt.Errorf("counting %s in sweep %s: %w", s, id, err)
	}
	return nil
}

func (b *Bolt) countOnce(bucket *bbolt.Bucket, r *drift.SweepRun, s drift.Subject, add map[string]int) error {
	mark := record{
		pk: sweepPrefix + r.ID, sk: shardPrefix + string(s), doc: "{}",
		expires: b.Now().Add(SweepsKept).Unix(),
	}
	if _, err := b.load(bucket, mark.pk, mark.sk); !errors.Is(err, drift.ErrNotFound) {
		return err
	}
	r.Done += add["done"]
	r.Drifted += add["drifted"]
	r.Unknown += add["unknown"]
	return write(bucket, mark)
}

// Sweep returns how far a sweep got.
func (b *Bolt) Sweep(ctx context.Context, id string) (r drift.SweepRun, err error) {
	err = b.view(ctx, bucketName, func(bucket *bbolt.Bucket) (err error) {
		r, _, err = b.loadSweep(bucket, id)
		return err
	})
	if err != nil {
		return drift.SweepRun{}, fmt.Errorf("reading sweep %s: %w", id, err)
	}
	return r, nil
}

// LastSweeps returns the latest sweeps, newest first, at most limit.
func (b *Bolt) LastSweeps(ctx context.Context, limit int) ([]drift.SweepRun, error) {
	var runs []drift.SweepRun
	err := b.view(ctx, bucketName, func(bucket *bbolt.Bucket) error {
		c := bucket.Cursor()
		for key, value := c.Seek([]byte(sweepPrefix)); bytes.HasPrefix(key, []byte(sweepPrefix)); key, value = c.Next() {
			r, err := boltRecord(key, value)
			if err != nil {
				return err
			}
			if r.sk != sweepKey || r.expired(b.Now()) {
				continue
			}
			run, err := r.sweep()
			if err != nil {
				return err
			}
			runs = append(runs, run)
		}
		return nil
	})
	if err != nil && !errors.Is(err, drift.ErrNotFound) {
		return nil, fmt.Errorf("listing the sweeps: %w", err)
	}
	return latest(runs, limit), nil
}

// updateSweep changes a sweep in one transaction.
func (b *Bolt) updateSweep(ctx context.Context, id string, change func(*bbolt.Bucket, *drift.SweepRun) error) error {
	return b.update(ctx, bucketName, func(bucket *bbolt.Bucket) error {
		r, expires, err := b.loadSweep(bucket, id)
		if err != nil {
			return err
		}
		if err := change(bucket, &r); err != nil {
			return err
		}
		return b.writeSweep(bucket, r, expires)
	})
}

// loadSweep reads a sweep and when it expires.
func (b *Bolt) loadSweep(bucket *bbolt.Bucket, id string) (drift.SweepRun, int64, error) {
	r, err := b.load(bucket, sweepPrefix+id, sweepKey)
	if err != nil {
		return drift.SweepRun{}, 0, err
	}
	run, err := r.sweep()
	return run, r.expires, err
}

func (b *Bolt) writeSweep(bucket *bbolt.Bucket, run drift.SweepRun, expires int64) error {
	r, err := newRecord(sweepPrefix+run.ID, sweepKey, 0, run)
	if err != nil {
		return err
	}
	r.expires = expires
	return write(bucket, r)
}

func (r record) sweep() (drift.SweepRun, error) {
	var run drift.SweepRun
	if err := json.Unmarshal([]byte(r.doc), &run); err != nil {
		return run, fmt.Errorf("decoding %s: %w", r.pk, err)
	}
	return run, nil
}

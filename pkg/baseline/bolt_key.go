package baseline

import (
	"bytes"
	"crypto/rand"
	"fmt"

	"go.etcd.io/bbolt"
)

// keySize is how many random bytes the sealing key of a file has.
const keySize = 32

var (
	keyBucket  = []byte("keys")
	sealingKey = []byte("sealing")
)

// SealingKey returns the key for [NewLocal] that is kept in the file. The
// first call makes it.
func (b *Bolt) SealingKey() ([]byte, error) {
	key, err := b.sealingKey()
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("it has %d bytes, not %d", len(key), keySize)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the sealing key: %w", err)
	}
	return key, nil
}

func (b *Bolt) sealingKey() (key []byte, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		if bucket := tx.Bucket(keyBucket); bucket != nil {
			key = bytes.Clone(bucket.Get(sealingKey))
		}
		return nil
	})
	if err != nil || key != nil {
		return key, err
	}
	err = b.db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(keyBucket)
		if err != nil {
			return err
		}
		if key = bytes.Clone(bucket.Get(sealingKey)); key != nil {
			return nil // somebody else made it meanwhile
		}
		key = make([]byte, keySize)
		if _, err := rand.Read(key); err != nil {
			return err
		}
		return bucket.Put(sealingKey, key)
	})
	return key, err
}

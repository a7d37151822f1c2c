package baseline

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// The kinds of seals. A seal begins with the kind of its key and the version
// of what the MAC is over, so that one is never taken for another.
const (
	kmsSeal   = "kms1:"
	localSeal = "local1:"
)

// sealedMessage is what the MAC of a text is over. KMS takes 4096 bytes at
// most and a text may be longer, so it is the text's hash, after words that
// no other use of the key begins with.
func sealedMessage(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return []byte("permdrift seal 1\n" + hex.EncodeToString(sum[:]))
}

// sealOf writes a MAC as a seal.
func sealOf(kind string, mac []byte) string { return kind + base64.StdEncoding.EncodeToString(mac) }

// macIn is the MAC in a seal of one kind; nil if it is no such seal, or one in
// another spelling than sealOf's.
func macIn(kind, seal string) []byte {
	encoded, ok := strings.CutPrefix(seal, kind)
	if !ok {
		return nil
	}
	mac, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(mac) != sha256.Size || sealOf(kind, mac) != seal {
		return nil
	}
	return mac
}

// Local seals texts with a key in memory, for one machine.
type Local struct {
	key []byte
}

// NewLocal returns what seals with a key of at least 32 random bytes, such as
// [Bolt.SealingKey] keeps. With a shorter one nothing is sealed or verified.
func NewLocal(key []byte) *Local { return &Local{key: key} }

func (l *Local) mac(text string) ([]byte, error) {
	if len(l.key) < keySize {
		return nil, fmt.Errorf("the key has %d bytes, at least %d are needed", len(l.key), keySize)
	}
	h := hmac.New(sha256.New, l.key)
	h.Write(sealedMessage(text))
	return h.Sum(nil), nil
}

// Seal returns the seal of a text.
func (l *Local) Seal(_ context.Context, text string) (string, error) {
	mac, err := l.mac(text)
	if err != nil {
		return "", fmt.Errorf("sealing with the local key: %w", err)
	}
	return sealOf(localSeal, mac), nil
}

// Verify reports whether a seal is that of a text. It takes as long for one
// wrong seal as for another.
func (l *Local) Verify(_ context.Context, text, seal string) (bool, error) {
	want, err := l.mac(text)
	if err != nil {
		return false, fmt.Errorf("verifying a seal with the local key: %w", err)
	}
	return hmac.Equal(macIn(localSeal, seal), want), nil
}

// KMSAPI is what sealing with a key in KMS calls.
type KMSAPI interface {
	GenerateMac(context.Context, *kms.GenerateMacInput, ...func(*kms.Options)) (*kms.GenerateMacOutput, error)
	VerifyMac(context.Context, *kms.VerifyMacInput, ...func(*kms.Options)) (*kms.VerifyMacOutput, error)
}

// maxVerified is how many verified seals are remembered: a thousand functions
// with a few adoptions each, in a few hundred kilobytes.
const maxVerified = 4096

// KMS seals texts with an HMAC key that never leaves KMS. It may be used by
// several goroutines.
type KMS struct {
	api   KMSAPI
	keyID string
	sleep sleeper

	mu       sync.Mutex
	verified map[sealing]struct{} // dropped as a whole when it is full
}

// sealing is a seal and the hash of its text.
type sealing struct {
	text [sha256.Size]byte
	seal string
}

// NewKMS returns what seals with a key in KMS, of the spec HMAC_256, named by
// its id, ARN or alias.
func NewKMS(api KMSAPI, keyID string) *KMS {
	return &KMS{api: api, keyID: keyID, sleep: sleep, verified: make(map[sealing]struct{})}
}

// Seal returns the seal of a text.
func (k *KMS) Seal(ctx context.Context, text string) (string, error) {
	input := &kms.GenerateMacInput{KeyId: &k.keyID, MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: sealedMessage(text)}
	var output *kms.GenerateMacOutput
	err := retry(ctx, k.sleep, func() (err error) { output, err = k.api.GenerateMac(ctx, input); return err })
	if err == nil && len(output.Mac) != sha256.Size {
		err = fmt.Errorf("the MAC has %d bytes, not %d", len(output.Mac), sha256.Size)
	}
	if err != nil {
		return "", fmt.Errorf("sealing with key %s: %w", k.keyID, err)
	}
	seal := sealOf(kmsSeal, output.Mac)
	k.remember(text, seal)
	return seal, nil
}

// Verify reports whether a seal is that of a text. KMS is asked once for each
// that is; an error says that it could not answer, which is not no.
func (k *KMS) Verify(ctx context.Context, text, seal string) (bool, error) {
	mac := macIn(kmsSeal, seal)
	if mac == nil {
		return false, nil
	}
	if k.remembers(text, seal) {
		return true, nil
	}
	input := &kms.VerifyMacInput{KeyId: &k.keyID, MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: sealedMessage(text), Mac: mac}
	var output *kms.VerifyMacOutput
	err := retry(ctx, k.sleep, func() (err error) { output, err = k.api.VerifyMac(ctx, input); return err })
	if _, invalid := errors.AsType[*types.KMSInvalidMacException](err); invalid {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("verifying a seal with key %s: %w", k.keyID, err)
	}
	if output.MacValid {
		k.remember(text, seal)
	}
	return output.MacValid, nil
}

func (k *KMS) remembers(text, seal string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.verified[sealing{sha256.Sum256([]byte(text)), seal}]
	return ok
}

func (k *KMS) remember(text, seal string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.verified) >= maxVerified {
		clear(k.verified)
	}
	k.verified[sealing{sha256.Sum256([]byte(text)), seal}] = struct{}{}
}

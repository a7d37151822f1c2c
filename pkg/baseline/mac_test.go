package baseline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/permdrift/permdrift/internal/mototest"
	"github.com/permdrift/permdrift/pkg/drift"
)

// sealer is what both kinds of keys do.
type sealer interface {
	Seal(ctx context.Context, text string) (string, error)
	Verify(ctx context.Context, text, seal string) (bool, error)
}

const adopted = "permdrift adoption 1\narn:aws:lambda:eu-central-1:111122223333:function:ingest\nlive"

// sealsAsItShould is what every key does: it takes its own seal for its own
// text, and nothing else. fresh is the same key that has seen nothing yet.
func sealsAsItShould(t *testing.T, fresh func() sealer, other sealer, prefix string) {
	t.Helper()
	ctx, own := t.Context(), fresh()
	seal, err := own.Seal(ctx, adopted)
	if err != nil || !strings.HasPrefix(seal, prefix) {
		t.Fatalf("seal %q, %v, want %s…", seal, err, prefix)
	}
	foreign, err := other.Seal(ctx, adopted)
	if err != nil || foreign == seal {
		t.Fatalf("seal %q of another key, %v", foreign, err)
	}
	kind, mac, _ := strings.Cut(seal, ":")
	flipped := map[bool]string{true: "B", false: "A"}[mac[0] == 'A'] + mac[1:]
	for _, c := range []struct {
		name, text, seal string
		want             bool
	}{
		{"its own", adopted, seal, true},
		{"another text", adopted + "\n", seal, false},
		{"no text", "", seal, false},
		{"another key's", adopted, foreign, false},
		{"forged", adopted, kind + ":" + flipped, false},
		{"truncated", adopted, seal[:len(seal)-4], false},
		{"longer", adopted, seal + "AAAA", false},
		{"in another spelling", adopted, seal[:len(seal)-8] + "\n" + seal[len(seal)-8:], false},
		{"no base64", adopted, kind + ":" + strings.Repeat("!", len(mac)), false},
		{"nothing but the kind", adopted, kind + ":", false},
		{"empty", adopted, "", false},
		{"without its kind", adopted, mac, false},
		{"of another kind", adopted, map[string]string{kmsSeal: localSeal, localSeal: kmsSeal}[prefix] + mac, false},
		{"of another version", adopted, strings.Replace(seal, "1:", "2:", 1), false},
	} {
		for _, s := range []sealer{own, fresh()} {
			for range 2 { // what is remembered makes no difference
				if got, err := s.Verify(ctx, c.text, c.seal); err != nil || got != c.want {
					t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
				}
			}
		}
	}
	long := strings.Repeat("a statement, ", 10_000) // KMS takes 4096 bytes
	seal, err = own.Seal(ctx, long)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := fresh().Verify(ctx, long, seal); !ok || err != nil {
		t.Errorf("a long text: %v, %v", ok, err)
	}
	if ok, err := fresh().Verify(ctx, long[1:], seal); ok || err != nil {
		t.Errorf("another long text: %v, %v", ok, err)
	}
}

func TestLocalSeals(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, keySize), bytes.Repeat([]byte{2}, keySize)
	sealsAsItShould(t, func() sealer { return NewLocal(key) }, NewLocal(other), localSeal)
}

// The seal of a known key and text never changes, or stored adoptions would
// lose theirs. The value is that of openssl dgst -sha256 -hmac.
func TestLocalSealStaysTheSame(t *testing.T) {
	seal, err := NewLocal([]byte("0123456789abcdef0123456789abcdef")).Seal(t.Context(), "text")
	if want := "local1:0qnTch9D6YQJpbuYBQFT/ABn66bT6ccwM6FRyN5wHLA="; err != nil || seal != want {
		t.Errorf("seal %s, %v, want %s", seal, err, want)
	}
}

func TestAShortKeySealsNothing(t *testing.T) {
	for _, key := range [][]byte{nil, {}, bytes.Repeat([]byte{1}, keySize-1)} {
		l := NewLocal(key)
		if seal, err := l.Seal(t.Context(), adopted); err == nil {
			t.Errorf("%d bytes: sealed %s", len(key), seal)
		}
		if ok, err := l.Verify(t.Context(), adopted, ""); err == nil || ok {
			t.Errorf("%d bytes: verified", len(key))
		}
	}
}

func TestAFileKeepsItsSealingKey(t *testing.T) {
	store, another := openBolt(t), openBolt(t)
	key, err := store.SealingKey()
	if err != nil || len(key) != keySize || bytes.Equal(key, make([]byte, keySize)) {
		t.Fatalf("key %x, %v", key, err)
	}
	put(t, store, ingest, "live", approvedBy(0, "one")) // a slice of the file's memory would change
	if again, err := NewBolt(store.db).SealingKey(); err != nil || !bytes.Equal(again, key) {
		t.Errorf("key %x, %v, want %x", again, err, key)
	}
	if foreign, err := another.SealingKey(); err != nil || bytes.Equal(foreign, key) {
		t.Errorf("two files have the key %x, %v", foreign, err)
	}
	same(t, "subjects", subjectsOf(t, store), []drift.Subject{ingest})
}

// newKey makes an HMAC key and returns its id.
func newKey(t *testing.T, client *kms.Client) string {
	t.Helper()
	made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{
		KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *made.KeyMetadata.KeyId
}

func TestKMSSeals(t *testing.T) {
	t.Parallel()
	client := kms.NewFromConfig(mototest.AWSConfig(mototest.Start(t)))
	id, other := newKey(t, client), newKey(t, client)
	sealsAsItShould(t, func() sealer { return NewKMS(client, id) }, NewKMS(client, other), kmsSeal)
	_, err := NewKMS(client, "11111111-2222-3333-4444-555555555555").Seal(t.Context(), adopted)
	if err == nil || !strings.Contains(err.Error(), "sealing with key 11111111-") {
		t.Errorf("a key that is not there: %v", err)
	}
}

// counting is a KMS that seals with one key in memory, counts the calls, and
// fails those that are due to fail.
type counting struct {
	calls int
	fail  []error
}

func (c *counting) mac(message []byte) ([]byte, error) {
	if c.calls++; len(c.fail) > 0 {
		err := c.fail[0]
		c.fail = c.fail[1:]
		return nil, err
	}
	return NewLocal(bytes.Repeat([]byte{7}, keySize)).mac(string(message))
}

func (c *counting) GenerateMac(_ context.Context, in *kms.GenerateMacInput, _ ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	mac, err := c.mac(in.Message)
	return &kms.GenerateMacOutput{Mac: mac}, err
}

func (c *counting) VerifyMac(_ context.Context, in *kms.VerifyMacInput, _ ...func(*kms.Options)) (*kms.VerifyMacOutput, error) {
	mac, err := c.mac(in.Message)
	if err == nil && !bytes.Equal(mac, in.Mac) {
		err = &types.KMSInvalidMacException{}
	}
	return &kms.VerifyMacOutput{MacValid: err == nil}, err
}

func countingKMS(fail ...error) (*KMS, *counting) {
	api := &counting{fail: fail}
	k := NewKMS(api, "key")
	k.sleep = atOnce
	return k, api
}

func TestKMSIsAskedOnceForEachTrueSeal(t *testing.T) {
	k, api := countingKMS()
	seal, err := k.Seal(t.Context(), adopted)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if ok, err := k.Verify(t.Context(), adopted, seal); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	}
	if api.calls != 1 {
		t.Errorf("%d calls for a seal of our own, want 1", api.calls)
	}
	k, api = countingKMS()
	for range 3 {
		if ok, err := k.Verify(t.Context(), adopted, seal); !ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
		if ok, err := k.Verify(t.Context(), "another text", seal); ok || err != nil {
			t.Errorf("another text: %v, %v", ok, err)
		}
		if ok, err := k.Verify(t.Context(), adopted, "kms1:"); ok || err != nil {
			t.Errorf("no seal: %v, %v", ok, err)
		}
	}
	if api.calls != 1+3 {
		t.Errorf("%d calls, want 1 for the true seal, 3 for the false one, none for what is no seal", api.calls)
	}
}

func TestKMSRemembersSoMuchAndNoMore(t *testing.T) {
	k, api := countingKMS()
	var last string
	for i := range maxVerified + 1 {
		var err error
		if last, err = k.Seal(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		if len(k.verified) > maxVerified {
			t.Fatalf("%d remembered", len(k.verified))
		}
	}
	api.calls = 0
	if ok, err := k.Verify(t.Context(), fmt.Sprint(maxVerified), last); !ok || err != nil || api.calls != 0 {
		t.Errorf("the last one: %v, %v, %d calls", ok, err, api.calls)
	}
}

func TestErrorsOfKMSAreNoVerdict(t *testing.T) {
	slowDown, other := &smithy.GenericAPIError{Code: "ThrottlingException"}, errors.New("any other error")
	for _, c := range []struct {
		name  string
		fail  []error
		want  error
		calls int
	}{
		{"throttled twice", []error{slowDown, slowDown}, nil, 3},
		{"always throttled", slices.Repeat([]error{slowDown}, maxAttempts), drift.ErrThrottled, maxAttempts},
		{"denied", []error{&smithy.GenericAPIError{Code: "AccessDeniedException"}}, drift.ErrDenied, 1},
		{"disabled", []error{&types.DisabledException{}}, other, 1},
	} {
		healthy, _ := countingKMS()
		seal, err := healthy.Seal(t.Context(), adopted)
		if err != nil {
			t.Fatal(err)
		}
		for what, call := range map[string]func(*KMS) (bool, error){
			"sealing":   func(k *KMS) (bool, error) { made, err := k.Seal(t.Context(), adopted); return made == seal, err },
			"verifying": func(k *KMS) (bool, error) { return k.Verify(t.Context(), adopted, seal) },
		} {
			k, api := countingKMS(c.fail...)
			ok, err := call(k)
			fits := errors.Is(err, c.want) || errors.Is(c.want, other) && err != nil && !errors.Is(err, drift.ErrThrottled)
			if !fits || ok != (c.want == nil) || api.calls != c.calls {
				t.Errorf("%s: %s: %v, error %v, %d calls; want %v, %d calls", c.name, what, ok, err, api.calls, c.want, c.calls)
			}
		}
	}
}

package policy

import (
	"encoding/json"
	"testing"
)

func TestNewAccessAgreesWithAWS(t *testing.T) {
	var corpus struct {
		Cases []struct {
			Name, PolicyType, Expected string
			Existing, New              json.RawMessage
		}
	}
	if err := json.Unmarshal(shared(t, "cases/no_new_access.json"), &corpus); err != nil {
		t.Fatal(err)
	}
	types := map[string]PolicyType{"IDENTITY_POLICY": IdentityPolicy, "RESOURCE_POLICY": ResourcePolicy}
	ran, certain := 0, 0
	for _, c := range corpus.Cases {
		baseline, err := Parse(c.Existing)
		current, err2 := Parse(c.New)
		if err != nil || err2 != nil {
			t.Logf("NOT USABLE: %s: %v %v", c.Name, err, err2)
			continue
		}
		ran++
		got := NewAccess(baseline, current, Options{Type: types[c.PolicyType]})
		if got.New != (c.Expected == "FAIL") || got.Unknown {
			t.Errorf("%s: got %+v, AWS says %s", c.Name, got, c.Expected)
		}
		for _, w := range got.Witnesses {
			if w.Certain {
				certain++
			} else {
				t.Errorf("%s: not confirmed: %s", c.Name, w)
			}
		}
	}
	t.Logf("%d of %d cases ran, %d witnesses confirmed", ran, len(corpus.Cases), certain)
	if ran < 100 {
		t.Errorf("only %d cases ran", ran)
	}
}

func TestNewAccessWhereOthersErr(t *testing.T) {
	var corpus struct {
		Cases []struct {
			Name, Why string
			Base, Cur json.RawMessage
			NewAccess bool
		}
	}
	if err := json.Unmarshal(shared(t, "cases/traps.json"), &corpus); err != nil {
		t.Fatal(err)
	}
	for _, c := range corpus.Cases {
		baseline, current := parsed(t, string(c.Base)), parsed(t, string(c.Cur))
		if got := NewAccess(baseline, current, Options{}); got.New != c.NewAccess || got.Unknown {
			t.Errorf("%s: got %+v, want %v (%s)", c.Name, got, c.NewAccess, c.Why)
		}
	}
	t.Logf("%d cases ran", len(corpus.Cases))
	if len(corpus.Cases) < 8 {
		t.Errorf("only %d cases ran", len(corpus.Cases))
	}
}

func parsed(t testing.TB, text string) Policy {
	t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

package alert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
)

func TestMessageComesBackAsItWas(t *testing.T) {
	for _, s := range samples(t) {
		m := alert.NewMessage(s.f, s.a)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := alert.ParseMessage(text)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(text) {
			t.Errorf("%s: %s, %v\nwas %s", s.name, again, err, text)
		}
	}
}

func TestJSONHasTheKeysOfTheDesign(t *testing.T) {
	want := []string{
		"account", "actor", "approve", "certain", "count", "counterparties", "event", "exposure", "firstSeen", "id", "kind", "lastSeen",
		"qualifier", "reason", "region", "remediate", "severity", "sids", "statement", "status", "subject", "version", "witness",
	}
	var b bytes.Buffer
	if err := alert.WriteJSON(&b, public(t)); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || strings.Count(b.String(), "\n") != 1 {
		t.Fatalf("%v: %s", err, &b)
	}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
		t.Errorf("keys = %v", keys)
	}
	for key, want := range map[string][]string{"event": {"id", "name", "time"}, "actor": {"account", "arn", "issuer", "mfa", "sourceIp", "type", "userAgent", "via"}} {
		if keys := slices.Sorted(maps.Keys(got[key].(map[string]any))); !slices.Equal(keys, want) {
			t.Errorf("keys of %s = %v", key, keys)
		}
	}
	golden(t, "finding.json", b.String())
}

// TestJSONTellsOfConfigurationAndDecisions wants every key that only some
// findings have.
func TestJSONTellsOfConfigurationAndDecisions(t *testing.T) {
	for name, want := range map[string][]string{
		"url-opened":  {"before", "config", "owner", "stack"},
		"replaced":    {"owner", "replaced", "replaces", "stack"},
		"suppressed":  {"suppression"},
		"adopted":     {"adoption", "resolvedAt"},
		"resolved-by": {"note", "resolvedAt"},

		"permissions-administrator": {"escalations", "functions", "policy"},
		"boundary-removed":          {"before", "escalations"},
	} {
		s := sampleOf(t, name)
		text, err := json.Marshal(alert.NewMessage(s.f, s.a))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		for _, key := range want {
			if got[key] == nil {
				t.Errorf("%s has no %s: %s", name, key, text)
			}
		}
		if strings.Contains(string(text), "secret") {
			t.Errorf("%s tells the seal: %s", name, text)
		}
	}
}

func TestFindingShownAsItStandsIsToldByItsStatus(t *testing.T) {
	for name, want := range map[string]string{
		"suppressed": "CRITICAL, SUPPRESSED: ", "adopted": "ADOPTED: ", "resolved": "RESOLVED: ", "remediated": "REMOVED: ", "opened": "CRITICAL: anyone may now",
		"transient": "CRITICAL: anyone could", "alias-repointed": "INFORMATIONAL: the alias live of orders was pointed",
	} {
		if got := alert.Subject(sampleOf(t, name).f, drift.Announcement{}); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	f := public(t)
	f.Status = drift.Accepted
	if got := alert.Subject(f, drift.Announcement{}); got != "APPROVED: anyone may invoke orders (live); that is approved" {
		t.Error(got)
	}
}

func TestEscapesInJSONMeanTheSame(t *testing.T) {
	f := public(t)
	f.Reason = strings.ToValidUTF8(nasty, "\ufffd")
	var b bytes.Buffer
	if err := alert.WriteJSON(&b, f); err != nil {
		t.Fatal(err)
	}
	m, err := alert.ParseMessage(b.Bytes())
	if err != nil || m.Reason != f.Reason {
		t.Errorf("%q, %v", m.Reason, err)
	}
}

func TestParseMessageWantsVersionIDAndSubject(t *testing.T) {
	const whole = `{"version":"1","id":"0123456789abcdef0123","subject":"arn:aws:lambda:eu-west-1:111122223333:function:orders","later":{"keys":true}}`
	if m, err := alert.ParseMessage([]byte(whole)); err != nil || m.Subject.Name() != "orders" {
		t.Errorf("%+v, %v", m, err)
	}
	for _, test := range []struct{ from, to string }{
		{`"version":"1"`, `"version":"2"`},
		{`"version":"1",`, ``},
		{`"id":"0123456789abcdef0123",`, ``},
		{`0123456789abcdef0123`, `0123456789abcdef012`},
		{`0123456789abcdef0123`, `0123456789ABCDEF0123`},
		{`0123456789abcdef0123`, `../56789abcdef01234`},
		{`arn:aws:lambda`, `arn:aws:ec2`},
		{`arn:aws:lambda:eu-west-1:111122223333:function:orders`, ``},
		{`{"version"`, `[{"version"`},
		{`true}}`, `true}}{}`},
	} {
		text := strings.Replace(whole, test.from, test.to, 1)
		if m, err := alert.ParseMessage([]byte(text)); err == nil || !reflect.DeepEqual(m, alert.Message{}) {
			t.Errorf("%s: accepted as %+v", text, m)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte(`{"version":"1","id":"0123456789abcdef0123","subject":"arn:aws:lambda:eu-west-1:111122223333:function:orders"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := alert.ParseMessage(text)
		if err == nil && (m.Version != "1" || len(m.ID) != 20 || m.Subject.Kind() == drift.OtherKind) {
			t.Errorf("accepted %q", text)
		}
	})
}

func TestMultiSendsToAllAndJoinsTheErrors(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	var b bytes.Buffer
	s := sampleOf(t, "opened")
	err := alert.Multi(alert.Terminal{W: failing{first}}, alert.Terminal{W: &b}, alert.Terminal{W: failing{second}}).Send(t.Context(), s.f, s.a)
	if !errors.Is(err, first) || !errors.Is(err, second) || b.Len() == 0 {
		t.Errorf("%v; %d bytes", err, b.Len())
	}
	if err := alert.Multi().Send(t.Context(), s.f, s.a); err != nil {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

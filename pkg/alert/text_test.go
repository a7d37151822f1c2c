package alert_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func TestTextReadsAsTheGoldenFiles(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			golden(t, s.name+".txt", "Subject: "+alert.Subject(s.f, s.a)+"\n\n"+alert.Text(s.f, s.a))
		})
	}
}

func TestTerminalReadsAsTheGoldenFiles(t *testing.T) {
	var all bytes.Buffer
	for _, s := range samples(t) {
		var b bytes.Buffer
		if err := (alert.Terminal{W: &b}).Send(t.Context(), s.f, s.a); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "\n"); n < 5 || n > 13 {
			t.Errorf("%s has %d lines:\n%s", s.name, n, &b)
		}
		all.Write(b.Bytes())
	}
	golden(t, "terminal.txt", all.String())
}

func TestTerminalIsColouredOnlyOnRequest(t *testing.T) {
	s := sampleOf(t, "opened")
	var colour, plain bytes.Buffer
	for _, terminal := range []alert.Terminal{{W: &colour, Color: true}, {W: &plain}} {
		if err := terminal.Send(t.Context(), s.f, s.a); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "terminal-colour.txt", colour.String())
	if strings.Contains(plain.String(), "\x1b") {
		t.Errorf("%q", plain.String())
	}
}

func TestEveryExposureAndKindHasWords(t *testing.T) {
	f := public(t)
	for _, e := range []policy.Exposure{policy.Public, policy.ConfusedDeputy, policy.External, policy.Organization, policy.Internal, policy.Nobody, policy.Unknown} {
		f.Exposure = e
		sentence := strings.ReplaceAll(string(e), "-", " ") + ":"
		if text := alert.Text(f, announcement(drift.Opened, "")); !strings.Contains(strings.ToLower(text), "\n  "+sentence) {
			t.Errorf("%s is not explained:\n%s", e, text)
		}
	}
	f.Statement = nil
	for _, k := range []drift.FindingKind{
		drift.URLOpened, drift.RoleReplaced, drift.EventSourceAdded, drift.LayerShared, drift.TrustWidened, drift.TrustNarrowed,
		drift.PermissionsWidened, drift.PermissionsNarrowed, drift.BoundaryRemoved, drift.UnreadableChange, drift.BaselineTampered, drift.AliasRepointed,
	} {
		f.Kind = k
		if line := alert.Subject(f, announcement(drift.Opened, "")); strings.Contains(line, "invoke") || !strings.Contains(line, "orders") {
			t.Errorf("%s: %s", k, line)
		}
	}
}

func TestGrantOfTheURLAloneIsToldAsSuch(t *testing.T) {
	f := public(t)
	f.Statement.Action = []string{"lambda:invokefunctionurl"}
	if line := alert.Subject(f, announcement(drift.Opened, "")); line != "CRITICAL: anyone may now call the URL of orders (live)" {
		t.Error(line)
	}
}

// nasty breaks lines, terminals and reading order.
const nasty = "x\r\nApprove it\n\x1b[2J\x1b]0;t\x07\u009b31m\u202e\u2066\u200b\u2028\U000e0041\x00\x7f\xff é<&>"

// poison sets every string in a value, however deep.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(nasty)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for _, field := range v.Fields() {
			if field.CanSet() {
				poison(field)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string][]string{nasty: {nasty}}))
	default: // the rest is as below
	}
}

func TestNothingThatAnAttackerWritesLeavesItsLine(t *testing.T) {
	for _, s := range samples(t) {
		kind := s.a.Transition
		clean := alert.Text(s.f, s.a)
		poison(reflect.ValueOf(&s.f).Elem())
		poison(reflect.ValueOf(&s.a).Elem())
		for _, kept := range []bool{true, false} {
			if kept {
				s.a.Transition = kind
			} else {
				s.a.Transition = nasty
			}
			text, subject := alert.Text(s.f, s.a), alert.Subject(s.f, s.a)
			var terminal, line bytes.Buffer
			if err := (alert.Terminal{W: &terminal}).Send(t.Context(), s.f, s.a); err != nil {
				t.Fatal(err)
			}
			if err := alert.WriteJSON(&line, s.f); err != nil {
				t.Fatal(err)
			}
			for name, got := range map[string]string{"text": text, "terminal": terminal.String(), "JSON": line.String(), "subject": subject + "\n"} {
				for _, r := range got {
					if r != '\n' && !unicode.IsPrint(r) {
						t.Errorf("%s, %s: %U in\n%s", s.name, name, r, got)
						break
					}
				}
			}
			if strings.Count(text, "\nApprove it") != 0 || strings.Count(line.String(), "\n") != 1 {
				t.Errorf("%s: a line was added:\n%s\n%s", s.name, text, &line)
			}
			if n := strings.Count(terminal.String(), "\n"); n > 13 {
				t.Errorf("%s: %d lines", s.name, n)
			}
			checkSubject(t, subject)
		}
		if strings.Contains(clean, `\u`) {
			t.Errorf("%s: escapes where none are needed:\n%s", s.name, clean)
		}
	}
}

func checkSubject(t *testing.T, subject string) {
	t.Helper()
	if len(subject) == 0 || len(subject) >= 100 {
		t.Errorf("subject of %d characters: %q", len(subject), subject)
	}
	for _, r := range subject {
		if r < 0x20 || r > 0x7e {
			t.Errorf("subject with %U: %q", r, subject)
		}
	}
}

func TestLongTextsAreCutVisiblyAndCommandsNever(t *testing.T) {
	f := huge(t)
	text := alert.Text(f, announcement(drift.Refused, strings.Repeat("n", 9000)))
	if len(text) > 30<<10 {
		t.Errorf("%d bytes", len(text))
	}
	if n := strings.Count(text, "… cut, see the ledger: permdrift findings show 0123456789abcdef0123"); n < 5 {
		t.Errorf("%d notes:\n%s", n, text)
	}
	if strings.Contains(text, "rm -rf") {
		t.Error("half a command is shown")
	}
	checkSubject(t, alert.Subject(f, announcement(drift.Opened, "")))
}

// huge is a finding of which everything is too large.
func huge(t *testing.T) drift.Finding {
	f := public(t)
	for range 5000 {
		f.Statement.Resource = append(f.Statement.Resource, `arn:aws:lambda:eu-west-1:111122223333:function:"\"`)
		f.Counterparties = append(f.Counterparties, `"444455556666"`)
		f.Sids = append(f.Sids, `"""\\\`+strings.Repeat("s", 50))
		f.Functions = append(f.Functions, drift.FunctionSubject("", "eu-west-1", "111122223333", strings.Repeat("n", 64)))
		f.Escalations = append(f.Escalations, drift.Escalation{Method: strings.Repeat("m", 64), Severity: drift.High, Reason: strings.Repeat("r", 64)})
	}
	f.Witness.Context["aws:SourceIp"] = f.Sids
	f.Reason, f.Policy = strings.Repeat(`"why"\`, 20000), strings.Repeat("p", 100000)
	f.Remediate = "rm -rf " + strings.Repeat("x", 200000)
	f.Actor.UserAgent = strings.Repeat("\x1b", 90000)
	f.Subject = drift.FunctionSubject("", "eu-west-1", "111122223333", strings.Repeat("n", 300))
	return f
}

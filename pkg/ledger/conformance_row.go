package ledger

import (
	"reflect"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func rowTests() []ConformanceTest {
	return []ConformanceTest{
		{"every field of a finding is kept", everyFieldIsKept},
		{"what could not be read again is not written", notReadable},
		{"a finding that is too large is kept in brief", keptInBrief},
	}
}

// full is a finding with something in each of its fields.
func full(id string) drift.Finding {
	f := open(ingest, id)
	before := *f.Statement
	before.Sid = "before"
	f.Counterparties, f.Witness.Index, f.Owner, f.Stack = []string{"*"}, 1, "team-orders", "orders"
	f.Config = &drift.Config{URL: &drift.URL{
		Address: "https://abc.lambda-url.eu-central-1.on.aws/", AuthType: "NONE", InvokeMode: "BUFFERED",
		CORS: &drift.CORS{AllowOrigins: []string{"*"}, MaxAge: 60},
	}}
	f.Escalations = []drift.Escalation{{Method: "administrator", Severity: drift.Critical, Reason: "can do everything"}}
	f.Functions = []drift.Subject{ingest}
	f.Before = &drift.Config{Mapping: &drift.Mapping{UUID: "u1", Source: "arn:aws:sqs:eu-central-1:444455556666:orders", Enabled: true}}
	f.Replaces, f.Replaced = "0123456789abcdef0123", &before
	f.Actor = drift.Actor{ARN: "arn:aws:sts::111122223333:assumed-role/deploy/ci", Account: "111122223333", Issuer: "arn:aws:iam::111122223333:role/deploy"}
	f.Event = drift.Event{ID: "e1", Name: "AddPermission20150331v2", Time: noon}
	f.ResolvedAt, f.Approve, f.Remediate, f.Undo, f.Refusal = noon, "permdrift baseline approve", "aws lambda remove-permission", "aws lambda add-permission", "a stack is in progress"
	f.Adoption = &drift.Adoption{Rule: "deploy", Issuer: "arn:aws:iam::111122223333:role/deploy", Event: "e1", At: noon.Add(time.Nanosecond), Seal: "local1:AAAA"}
	f.Suppression = &drift.Suppression{By: "arn:aws:iam::111122223333:user/ana", Reason: "known & harmless", Ticket: "SEC-1", At: noon, Until: noon.AddDate(0, 1, 0)}
	f.Pending = []drift.Announcement{{ID: "a1", Transition: drift.Muted, At: noon, Note: "until then"}}
	for _, field := range reflect.ValueOf(&f).Elem().Fields() { // texts that nothing here is about
		if field.Kind() == reflect.String && field.IsZero() {
			field.SetString("a text")
		}
	}
	return f
}

// everyFieldIsKept fails also where a finding has a field, other than a text,
// that full leaves empty.
func everyFieldIsKept(t T, h Harness) {
	stored := save(t, h.Store, full("aaaaaaaa"))
	for field, value := range reflect.ValueOf(stored).Fields() {
		if value.IsZero() {
			t.Errorf("the finding of this test has no %s", field.Name)
		}
	}
	got, err := h.Store.Finding(t.Context(), ingest, "aaaaaaaa")
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	same(t, "finding", got, stored)
	if !reflect.DeepEqual(got, stored) {
		t.Errorf("a field is not in the JSON:\n got %+v\nwant %+v", got, stored)
	}
	text, kept := stored.Adoption.Text(stored), got.Adoption.Text(got)
	if text != kept {
		t.Errorf("what the seal is over was %q, is %q", text, kept)
	}
}

// notReadable: one statement that nobody can read would hide the whole subject.
func notReadable(t T, h Harness) {
	for name, change := range map[string]func(*drift.Finding){
		"a statement": func(f *drift.Finding) { f.Statement = &policy.Statement{Sid: "no effect, no action"} },
		"a replaced statement": func(f *drift.Finding) {
			f.Replaced = &policy.Statement{Sid: "no action", Effect: policy.Allow}
		},
	} {
		f := open(ingest, "aaaaaaaa")
		change(&f)
		if _, err := h.Store.Save(t.Context(), f); err == nil {
			t.Errorf("%s that cannot be read was stored", name)
		}
	}
	if all := findingsOf(t, h.Store, ingest); len(all) != 0 {
		t.Errorf("findings: %v", all)
	}
}

// keptInBrief: whoever saves a finding that is too large saves it again without
// its large parts; that must do, over the version that was read.
func keptInBrief(t T, h Harness) {
	f := save(t, h.Store, full("aaaaaaaa"))
	f.Statement.Resource = []string{strings.Repeat("x", MaxSize)}
	_, err := h.Store.Save(t.Context(), f)
	wantErr(t, "saving a large statement", err, drift.ErrTooLarge)
	f.Statement, f.Replaced, f.Witness, f.Config, f.Before, f.Sids, f.Counterparties = nil, nil, nil, nil, nil, nil, nil
	f = save(t, h.Store, f)
	same(t, "findings", findingsOf(t, h.Store, ingest), []drift.Finding{f})
}

package alert_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// learned is a grant that learning adopted, so long after noon.
func learned(t *testing.T, id int, after time.Duration) drift.Finding {
	f := public(t)
	f.ID = fmt.Sprintf("%020x", id)
	f.Status, f.Severity, f.Exposure, f.Owner = drift.Accepted, drift.Informational, policy.Internal, "payments@example.com"
	f.Adoption = &drift.Adoption{Rule: drift.LearnRule, At: noon.Add(after), Seal: "kms1:secret"}
	return f
}

func TestDigestListsWhatWasAdoptedSince(t *testing.T) {
	swept := learned(t, 2, time.Hour)
	swept.Actor, swept.Event, swept.Remediate, swept.Place = drift.Actor{}, drift.Event{}, "", drift.Unqualified
	byRule := learned(t, 3, 2*time.Hour)
	byRule.Adoption.Rule = "shop-ci"
	approved := learned(t, 4, time.Hour)
	approved.Adoption = nil
	back := learned(t, 5, time.Hour)
	back.Status = drift.Open
	all := []drift.Finding{byRule, swept, learned(t, 1, -time.Second), learned(t, 6, time.Minute), approved, back}

	var p publisher
	if err := alert.NewSNS(&p, topic).SendDigest(t.Context(), all, noon); err != nil {
		t.Fatal(err)
	}
	in := p.got[0]
	if *in.Subject != "DIGEST: permdrift adopted 3 grants" || len(in.MessageAttributes) != 2 ||
		*in.MessageAttributes["kind"].StringValue != "digest" || *in.MessageAttributes["severity"].StringValue != "informational" {
		t.Errorf("%s, attributes %v", *in.Subject, in.MessageAttributes)
	}
	var message map[string]string
	if err := json.Unmarshal([]byte(*in.Message), &message); err != nil {
		t.Fatal(err)
	}
	golden(t, "digest.txt", "Subject: "+*in.Subject+"\n\n"+message["email"])
	golden(t, "digest.json", message["default"]+"\n")
	if strings.Contains(*in.Message, "secret") {
		t.Error("the seal of an adoption is told")
	}
	if _, err := alert.ParseMessage([]byte(message["default"])); err == nil {
		t.Error("a digest passes for the message of a finding")
	}
}

func TestDigestOfNothingIsNotSent(t *testing.T) {
	var p publisher
	if err := alert.NewSNS(&p, topic).SendDigest(t.Context(), []drift.Finding{public(t), learned(t, 1, 0)}, noon); err != nil || len(p.got) != 0 {
		t.Errorf("%v, %d messages", err, len(p.got))
	}
}

func TestDigestOfTooMuchSaysHowMuchMore(t *testing.T) {
	var all []drift.Finding
	for i := range 3000 {
		f := learned(t, i, time.Duration(i+1)*time.Second)
		f.Statement.Resource = append(f.Statement.Resource, strings.Repeat("r", i))
		all = append(all, f)
	}
	var p publisher
	if err := alert.NewSNS(&p, topic).SendDigest(t.Context(), all, noon); err != nil {
		t.Fatal(err)
	}
	var message map[string]string
	if err := json.Unmarshal([]byte(*p.got[0].Message), &message); err != nil {
		t.Fatal(err)
	}
	var d alert.Digest
	if err := json.Unmarshal([]byte(message["default"]), &d); err != nil {
		t.Fatal(err)
	}
	if d.Count != 3000 || len(d.Adopted) < 20 || len(d.Adopted)+d.More != 3000 || d.Adopted[0].ID != all[0].ID {
		t.Errorf("%d of %d are listed, and %d more", len(d.Adopted), d.Count, d.More)
	}
	shown := strings.Count(message["email"], "finding 0")
	if len(message["email"]) > 30<<10 || shown < 20 || !strings.HasSuffix(message["email"], fmt.Sprintf("\nand %d more: permdrift findings list --status approved\n", 3000-shown)) {
		t.Errorf("%d bytes, %d shown: %s", len(message["email"]), shown, message["email"][len(message["email"])-200:])
	}
}

func TestNothingInADigestLeavesItsLine(t *testing.T) {
	f := learned(t, 1, time.Hour)
	poison(reflect.ValueOf(&f).Elem())
	f.Status = drift.Accepted
	d := alert.NewDigest([]drift.Finding{f}, noon)
	if d.Count != 1 {
		t.Fatal("the digest is empty")
	}
	var p publisher
	if err := alert.NewSNS(&p, topic).SendDigest(t.Context(), []drift.Finding{f}, noon); err != nil {
		t.Fatal(err)
	}
	for _, r := range d.Text() + *p.got[0].Message + *p.got[0].Subject {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%U in\n%s", r, d.Text())
		}
	}
	if strings.Contains(d.Text(), "\nApprove it") {
		t.Errorf("a line was added:\n%s", d.Text())
	}
}

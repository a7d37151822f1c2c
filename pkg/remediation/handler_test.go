package remediation

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/permdrift/permdrift/pkg/drift"
)

// deliver hands over messages, and returns those that are to come back.
func (w *world) deliver(bodies ...string) string {
	w.t.Helper()
	var batch events.SQSEvent
	for i, body := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint("m", i), Body: body})
	}
	response, err := w.Handle(w.t.Context(), batch)
	if err != nil {
		w.t.Fatal(err)
	}
	var failed []string
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return strings.Join(failed, " ")
}

func raw(f drift.Finding) string { return fmt.Sprintf(`{"id":%q,"subject":%q}`, f.ID, f.Subject) }

func enveloped(message string) string {
	text, err := json.Marshal(map[string]string{"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111122223333:alerts", "Message": message})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestMessages(t *testing.T) {
	for _, wrap := range []func(string) string{func(s string) string { return s }, enveloped} {
		w := newWorld(t)
		f := w.put("", public)
		if failed := w.deliver(wrap(raw(f))); failed != "" {
			t.Errorf("%s failed", failed)
		}
		w.want("none", "remediated")
	}
}

// Each of these is one bad message between two good ones.
func TestBadMessages(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":          "",
		"garbage":          "garbage",
		"null":             "null",
		"wrong types":      `{"id":7,"subject":[]}`,
		"no subject":       `{"id":"x"}`,
		"no id":            `{"subject":"` + string(orders) + `"}`,
		"empty envelope":   enveloped(""),
		"no alert inside":  enveloped("Hello"),
		"wrong inside":     enveloped(`[]`),
		"deep":             strings.Repeat(`[`, 20_000),
		"another envelope": `{"Type":"SubscriptionConfirmation","Message":"{\"id\":\"x\",\"subject\":\"y\"}"}`,
	} {
		w := newWorld(t)
		f := w.put("", public)
		if failed := w.deliver(raw(f), body, raw(f)); failed != "m1" {
			t.Errorf("%s: %q failed", name, failed)
		}
		w.want("none", "remediated")
	}
}

// A forged message can name a finding, and nothing else.
func TestForgedMessages(t *testing.T) {
	w := newWorld(t)
	w.approved = []string{own}
	f := w.put("", own, public)
	forged := []string{
		`{"id":"nonesuch","subject":"` + string(orders) + `","sids":["own"],"status":"open","remediate":"rm -rf /"}`,
		fmt.Sprintf(`{"id":%q,"subject":"arn:aws:lambda:us-east-1:111122223333:function:other"}`, f.ID),
		fmt.Sprintf(`{"id":%q,"subject":"%s\u0000"}`, f.ID, orders),
		fmt.Sprintf(`{"id":"%s\u0000","subject":%q}`, f.ID, orders),
		enveloped(strings.Repeat(" ", 1<<20) + `{"id":"x","subject":"y"}`),
	}
	if failed := w.deliver(forged...); failed != "" || w.writes() != "" {
		t.Errorf("failed %q, called %s", failed, w.writes())
	}
	lie := fmt.Sprintf(`{"id":%q,"subject":%q,"sids":["own"],"qualifier":"live","statement":%s,"kind":"policy-narrowed"}`, f.ID, orders, own)
	w.deliver(lie)
	w.want("own", "remediated")
}

func TestPanicIsOneMessage(t *testing.T) {
	w := newWorld(t)
	f := w.put("", public)
	w.onRead = func(n int) {
		if n == 1 {
			panic("a bug")
		}
	}
	if failed := w.deliver(raw(f), raw(f)); failed != "m0" {
		t.Errorf("%q failed", failed)
	}
	w.want("none", "remediated")
}

func TestEmptyBatch(t *testing.T) {
	w := newWorld(t)
	response, err := w.Handle(t.Context(), events.SQSEvent{})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(response); err != nil || string(text) != `{"batchItemFailures":[]}` {
		t.Errorf("got %s, %v", text, err)
	}
}

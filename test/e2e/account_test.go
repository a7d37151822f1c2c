package e2e_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// times are the times of a sample, also inside a string of JSON.
var times = regexp.MustCompile(`("|\\")(?:2026-\d\d-\d\dT\d\d:\d\d:\d\dZ)("|\\")`)

// function makes a function with a statement that nobody objects to, approves
// it, and returns the ARN.
func (w *world) function(name string) string {
	w.t.Helper()
	arn := w.aws.AddFunction(account, region, name)
	w.aws.SetPolicy(arn, "", document(uploads(arn)))
	w.approve(arn, drift.Unqualified)
	return arn
}

// aliased is function with an alias, whose policy is approved too.
func (w *world) aliased(name, alias string) string {
	w.t.Helper()
	arn := w.function(name)
	w.aws.AddAlias(arn, alias, w.aws.AddVersion(arn))
	w.aws.SetPolicy(arn, alias, document(uploads(arn+":"+alias)))
	w.approve(arn, drift.Place(alias))
	return arn
}

// uploads is a statement as AddPermission writes it: the account's own bucket
// may invoke the function.
func uploads(arn string) string {
	return `{"Sid":"uploads","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + arn +
		`","Condition":{"StringEquals":{"AWS:SourceAccount":"` + account + `"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::uploads-` + account + `"}}}`
}

// public is a statement that lets everybody in; without a Sid if that is empty.
func public(arn, sid string) string {
	head := `{`
	if sid != "" {
		head += `"Sid":"` + sid + `",`
	}
	return head + `"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + arn + `"}`
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(statements, ",") + `]}`
}

// approve makes what a place has now its baseline.
func (w *world) approve(arn string, place drift.Place) {
	w.t.Helper()
	subject := drift.Subject(arn)
	stored, err := w.baselines.Get(w.t.Context(), subject)
	must(w.t, "reading the baseline", err)
	approved := drift.Approved{Version: stored.Places[place].Version, UpdatedBy: "alice", UpdatedAt: time.Now().UTC(), Reason: "captured"}
	for _, s := range w.policy(arn, string(place)).Statements {
		approved.Approvals = append(approved.Approvals, drift.Approval{Statement: s, By: "alice", At: time.Now().UTC()})
	}
	_, err = w.baselines.Put(w.t.Context(), subject, place, approved)
	must(w.t, "approving", err)
}

// policy is what a place has now.
func (w *world) policy(arn, qualifier string) policy.Policy {
	w.t.Helper()
	text := w.aws.Policy(arn, qualifier)
	if text == "" {
		return policy.Policy{}
	}
	p, err := policy.Parse([]byte(text))
	must(w.t, "reading the policy of "+arn, err)
	return p
}

// sids are the Sids at a place, in the policy's order.
func (w *world) sids(arn, qualifier string) []string {
	w.t.Helper()
	var sids []string
	for _, s := range w.policy(arn, qualifier).Statements {
		sids = append(sids, s.Sid)
	}
	return sids
}

func (w *world) wantSids(arn, qualifier string, want ...string) {
	w.t.Helper()
	if got := w.sids(arn, qualifier); !slices.Equal(got, want) {
		w.t.Errorf("%s has the statements %q at %q, want %q", arn, got, qualifier, want)
	}
}

// open lets everybody in, as mallory, and returns the call's record.
func (w *world) open(arn, qualifier, sid string) json.RawMessage {
	w.t.Helper()
	in := &lambda.AddPermissionInput{
		FunctionName: &arn, StatementId: &sid, Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("*"),
	}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	_, err := w.mallory.AddPermission(w.t.Context(), in)
	must(w.t, "opening "+arn, err)
	return w.last()
}

// remove removes a statement, as mallory, and returns the call's record.
func (w *world) remove(arn, sid string) json.RawMessage {
	w.t.Helper()
	_, err := w.mallory.RemovePermission(w.t.Context(), &lambda.RemovePermissionInput{FunctionName: &arn, StatementId: &sid})
	must(w.t, "removing a statement of "+arn, err)
	return w.last()
}

// last is the one record since the last take.
func (w *world) last() json.RawMessage {
	w.t.Helper()
	records := w.take()
	if len(records) != 1 {
		w.t.Fatalf("%d records, want 1: %s", len(records), records)
	}
	return records[0]
}

// mode sets what the remediator may do.
func (w *world) mode(m drift.Mode) {
	w.t.Helper()
	s, err := w.baselines.Settings(w.t.Context())
	must(w.t, "reading the settings", err)
	s.Mode, s.UpdatedBy, s.UpdatedAt = m, "alice", time.Now().UTC()
	_, err = w.baselines.PutSettings(w.t.Context(), s)
	must(w.t, "setting the mode", err)
}

// mail is one message as the security team gets it.
type mail struct {
	alert.Message

	subject    string
	json       map[string]any
	attributes map[string]string
}

// mail empties the mailbox.
func (w *world) mail() []mail {
	w.t.Helper()
	var all []mail
	for _, message := range w.mailbox.take() {
		var envelope struct {
			Type, Subject, Message string
			MessageAttributes      map[string]struct{ Type, Value string }
		}
		must(w.t, "reading a notification", json.Unmarshal([]byte(*message.Body), &envelope))
		parsed, err := alert.ParseMessage([]byte(envelope.Message))
		must(w.t, "reading an alert", err)
		m := mail{Message: parsed, subject: envelope.Subject, attributes: map[string]string{}}
		must(w.t, "reading an alert", json.Unmarshal([]byte(envelope.Message), &m.json))
		for name, a := range envelope.MessageAttributes {
			m.attributes[name] = a.Value
		}
		all = append(all, m)
	}
	return all
}

// oneMail is the only message in the mailbox, which tells of a transition.
func (w *world) oneMail(transition drift.TransitionKind) mail {
	w.t.Helper()
	all := w.mail()
	if len(all) != 1 || all[0].Transition != transition {
		w.t.Fatalf("the mailbox has %s, want one of the transition %s", told(all), transition)
	}
	return all[0]
}

func (w *world) noMail() {
	w.t.Helper()
	if all := w.mail(); len(all) != 0 {
		w.t.Errorf("the mailbox has %s, want none", told(all))
	}
}

// told is mail in short.
func told(all []mail) []string {
	list := make([]string, 0, len(all))
	for _, m := range all {
		list = append(list, string(m.Transition)+" "+string(m.Kind)+" "+m.Subject.Name()+":"+string(m.Place))
	}
	slices.Sort(list)
	return list
}

// findings are the rows of a function.
func (w *world) findings(arn string) []drift.Finding {
	w.t.Helper()
	rows, err := w.ledger.Findings(w.t.Context(), drift.Subject(arn))
	must(w.t, "reading the findings of "+arn, err)
	for _, row := range rows {
		if len(row.Pending) != 0 {
			w.t.Errorf("finding %s has %v still to be announced", row.ID, row.Pending)
		}
	}
	return rows
}

// oneFinding is the only row of a function, of a status.
func (w *world) oneFinding(arn string, status drift.Status) drift.Finding {
	w.t.Helper()
	rows := w.findings(arn)
	if len(rows) != 1 || rows[0].Status != status {
		w.t.Fatalf("the ledger has %+v of %s, want one finding that is %s", rows, arn, status)
	}
	return rows[0]
}

func (w *world) intents(t *testing.T, arn string) []drift.Intent {
	t.Helper()
	list, err := w.ledger.Intents(t.Context(), drift.Subject(arn))
	must(t, "reading the intents of "+arn, err)
	return list
}

// answers are the statuses with which calls of an operation were answered.
func (w *world) answers(operation string) []int {
	var list []int
	for _, c := range w.aws.Calls() {
		if c.Operation == operation {
			list = append(list, c.Status)
		}
	}
	return list
}

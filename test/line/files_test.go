package line_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/permdrift/permdrift/pkg/cloudtrail"
	"github.com/permdrift/permdrift/pkg/drift"
)

// times are the times in an event.
var times = regexp.MustCompile(`("(?:eventTime|time)": *")[^"]*(")`)

// sample is a file of events/ with its times moved to now.
func (w *world) sample(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("../../events", name))
	must(w.t, "reading a sample", err)
	return times.ReplaceAllString(string(text), `${1}`+w.clock().Format(time.RFC3339)+`${2}`)
}

// bodies are the messages of a sample: of a batch each, else the event itself.
func bodies(t *testing.T, text string) []string {
	t.Helper()
	var batch events.SQSEvent
	if err := json.Unmarshal([]byte(text), &batch); err != nil || len(batch.Records) == 0 || batch.Records[0].EventSource != "aws:sqs" {
		return []string{text}
	}
	var list []string
	for _, r := range batch.Records {
		list = append(list, r.Body)
	}
	return list
}

// stand makes the live state what an event claims, and returns the event with
// the ids that the state has. What already is as it claims stays.
func (w *world) stand(body string) string {
	w.t.Helper()
	results, err := cloudtrail.Decode([]byte(body))
	must(w.t, "decoding a sample", err)
	for _, r := range results {
		for _, change := range r.Changes {
			body = w.standing(change, body)
		}
	}
	return body
}

func (w *world) standing(change drift.Change, body string) string {
	w.t.Helper()
	arn, place := string(change.Subject), string(change.Place)
	if change.Subject.Kind() == drift.LayerVersion {
		number, _ := strconv.Atoi(arn[strings.LastIndexByte(arn, ':')+1:])
		for range number - 1 { // version 1 is there
			w.aws.AddLayer(account, region, "pricing")
		}
		if change.Statement != nil {
			organization := ""
			for _, c := range change.Statement.Condition {
				organization = c.Values[0]
			}
			w.do(owner, shareVersion(int64(number), "everybody", "*", organization))
		}
		return body
	}
	if change.Subject.Kind() != drift.Function {
		w.standingIAM(change)
		return body
	}
	if n, err := strconv.Atoi(place); err == nil {
		for range n - 1 { // version 1 is there
			w.aws.AddVersion(arn)
		}
	}
	switch {
	case change.Operation == drift.AddStatement && change.Statement != nil:
		w.aws.SetPolicy(arn, place, document(arn, change.Statement.String()))
	case change.Operation == drift.PutPolicy && change.Policy != nil:
		var statements []string
		for _, statement := range change.Policy.Statements {
			statements = append(statements, statement.String())
		}
		w.aws.SetPolicy(arn, place, document(arn, statements...))
	case change.Operation == drift.PutURL && change.Config != nil:
		w.aws.SetURL(arn, place, change.Config.URL.AuthType)
	case change.Operation == drift.PutMapping && change.Config != nil:
		uuid := w.aws.AddMapping(change.Subject.ARN(change.Place), change.Config.Mapping.Source)
		body = strings.ReplaceAll(body, change.Config.Mapping.UUID, uuid)
	case change.Operation == drift.Configure && change.Config != nil:
		w.aws.SetRole(arn, change.Config.Role)
	}
	return body
}

// sample is a file of events/, and what the line says of it where the live
// state is as the event claims, and nothing but what the owner made before is
// approved.
type sample struct {
	file   string
	before []step
	stands []step // what else is so after the event, which does not say it
	want   []string
}

func samples() []sample {
	return []sample{
		{file: "public.json", want: []string{"opened policy-widened critical public orders"}},
		{file: "unscoped-s3.json", want: []string{"opened policy-widened high confused-deputy ingest"}},
		{file: "foreign-account.json", want: []string{"opened policy-widened critical external payments"}},
		{file: "alias-scoped.json", want: []string{"opened policy-widened critical public payments:live"}},
		{file: "alias-inside-name.json", want: []string{"opened policy-widened high external payments:live"}},
		{file: "same-sid-on-alias.json", want: []string{"opened policy-widened critical public ingest:live"}},
		{file: "version-grant.json", want: []string{"opened policy-widened critical public payments:3"}},
		{
			file:   "json-policy-removes-deny.json",
			before: []step{put(ordersARN, allowOurOrganization, strings.NewReplacer("aws:SourceVpc", "aws:SourceVpce", "vpc-", "vpce-").Replace(denyOutsideVPC))},
			want:   []string{"opened policy-widened medium organization orders"},
		},
		{file: "statement-without-sid.json", want: []string{"opened policy-widened critical public orders"}},
		{file: "invoke-star-action.json", want: []string{"opened policy-widened high external payments"}},
		{file: "principal-org-foreign.json", want: []string{"opened policy-widened high external orders"}},
		{file: "organization-wildcard.json", want: []string{"opened policy-widened critical public payments"}},
		{file: "source-arn-wildcard.json", want: []string{"opened policy-widened high confused-deputy ingest"}},
		{file: "not-principal.json", want: []string{"opened policy-widened critical public ingest"}},
		{file: "function-url-grant.json", want: []string{"opened policy-widened medium public orders"}},   // left over: there is no URL
		{file: "function-url-created.json", want: []string{"opened url-opened medium nobody orders"}},     // one grant from the internet
		{file: "function-url-none.json", want: []string{"opened url-opened medium nobody payments:live"}}, // as before
		{file: "url-auth-type-changed.json", before: []step{createURL("orders", "", "AWS_IAM")}, want: []string{"opened url-opened medium nobody orders"}},
		{file: "parameters-omitted.json", want: []string{"opened unreadable-change medium unknown account"}},
		{file: "remove-permission.json", want: nil}, // it was not approved
		{file: "layer-public.json", want: []string{"opened layer-shared high public pricing:3"}},
		{file: "layer-organization.json", want: []string{"opened layer-shared medium external pricing:3"}},
		{file: "execution-role-replaced.json", want: []string{"opened role-replaced critical orders"}},
		{file: "event-source-added.json", want: []string{"opened event-source-added high external payments"}},
		{file: "foreign-event-source.json", want: []string{"opened event-source-added high external ingest"}},
		{file: "mapping-repointed.json", want: []string{"opened event-source-added low internal payments"}},
		{file: "alias-repointed.json", want: nil}, // it lets in nobody from outside
		{file: "alias-repointed.json", before: []step{grant("payments", "partner", foreign, at("live"))}, want: []string{"transient alias-repointed informational external payments:live"}},
		{file: "trail-stopped.json", want: []string{"opened audit-blinded critical account"}},
		{file: "own-rule-disabled.json", want: []string{"opened audit-blinded critical account"}},
		{file: "own-code-updated.json", want: []string{"opened audit-blinded critical permdrift-AuditorFunction-EXAMPLE3C4D"}},
		{file: "outcome-unknown.json", want: nil}, // it had no effect, as the live state says
		{file: "scoped-s3.json", want: []string{"opened policy-widened low internal ingest"}},
		{file: "own-api-by-cloudformation.json", want: []string{"opened policy-widened low internal orders"}},
		{file: "own-organization.json", want: []string{"opened policy-widened medium organization orders"}},
		{file: "read-only.json", want: nil},
		{file: "failed-call.json", want: nil},
		{file: "sqs-batch.json", want: []string{"opened policy-widened critical public ingest:7"}},
		{file: "sqs-batch-bad-message.json", want: []string{"opened unreadable-change medium unknown account"}},
	}
}

// Every file of events/ goes through the whole line: what it claims stands.
func TestSamplesAreAnnounced(t *testing.T) {
	for _, c := range slices.Concat(samples(), roleSamples()) {
		t.Run(c.file, func(t *testing.T) {
			w := newWorld(t)
			w.iam.allow("administrator", "*", "*")
			w.begin(c.before...)
			w.do(mallory, c.stands...)
			var messages []string
			for _, body := range bodies(t, w.sample(c.file)) {
				if json.Valid([]byte(body)) {
					body = w.stand(body)
				}
				messages = append(messages, body)
			}
			for _, body := range messages {
				w.enqueue(eventsARN, body)
			}
			w.settle()
			w.wantSent(c.want...)
			for _, m := range w.topic.messages() {
				if m.Reason == "" || m.Event.Name == "" && len(c.stands) == 0 { // what the sweep found has no event
					t.Errorf("the alert of %s does not say why, or of which event: %+v", m.Kind, m)
				}
			}
			if want := strings.Count(c.file, "bad-message"); len(w.dead) != want {
				t.Errorf("%d messages died, want %d", len(w.dead), want)
			}
		})
	}
}

// A file that nobody put into the table would never go through the line.
func TestEverySampleHasARow(t *testing.T) {
	files, err := filepath.Glob("../../events/*.json")
	must(t, "listing events", err)
	if len(files) < 49 {
		t.Fatalf("only %d files in events/", len(files))
	}
	for _, path := range files {
		name := filepath.Base(path)
		if !slices.ContainsFunc(slices.Concat(samples(), roleSamples()), func(s sample) bool { return s.file == name }) {
			t.Errorf("%s has no row", name)
		}
	}
}

// What an event claims and the live state lacks, after every wait, came and went.
func TestSamplesWhoseGrantIsGoneAreTransient(t *testing.T) {
	for file, want := range map[string]string{
		"public.json":             "policy-widened critical public orders",
		"alias-scoped.json":       "policy-widened critical public payments:live",
		"not-principal.json":      "policy-widened critical public ingest",
		"layer-public.json":       "layer-shared high public pricing:3",
		"event-source-added.json": "event-source-added high external payments",
	} {
		t.Run(file, func(t *testing.T) {
			w := newWorld(t)
			w.begin()
			started := w.clock()
			w.enqueue(eventsARN, w.sample(file))
			w.work()
			w.wantSent()
			w.settle()
			w.wantSent("transient " + want)
			if waited := w.clock().Sub(started); waited != 15*time.Second+time.Minute+5*time.Minute {
				t.Errorf("concluded after %s", waited)
			}
			w.wantOpen(0)
		})
	}
}

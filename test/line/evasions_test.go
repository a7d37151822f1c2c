package line_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Statements of JSON policies. $ARN is the function at its place.
const (
	allowOurOrganization = `{"Sid":"organization","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"$ARN","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`
	denyOutsideVPC       = `{"Sid":"vpc","Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction","Resource":"$ARN","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1a2b3c4d"}}}`
	allowOurRoot         = `{"Sid":"root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"lambda:InvokeFunction","Resource":"$ARN"}`
	allowAnyone          = `{"Sid":"open","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"$ARN"}`
	allowForeign         = `{"Sid":"partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:InvokeFunction","Resource":"$ARN"}`
)

const (
	api       = "apigateway.amazonaws.com"
	ourAPI    = "arn:aws:execute-api:us-east-1:111122223333:a1b2c3/*/POST/orders"
	s3        = "s3.amazonaws.com"
	bucket    = "arn:aws:s3:::amzn-s3-demo-bucket"
	ourQueue  = "arn:aws:sqs:us-east-1:111122223333:commands"
	ourOther  = "arn:aws:sqs:us-east-1:111122223333:uploads"
	farQueue  = "arn:aws:sqs:us-east-1:444455556666:commands"
	farTopic  = "arn:aws:sns:us-east-1:444455556666:updates"
	ownVPC    = `"Condition":{"StringEquals":{"aws:SourceVpc":"vpc-0aaaabbbbccccdddd"}}`
	invocable = `"Action":"lambda:InvokeFunction","Resource":"$ARN"`
)

// evasion is what somebody does to get in, or to let somebody in, unseen.
type evasion struct {
	name   string
	before []step // the owner's, approved
	attack []step
	record func(map[string]any) // what CloudTrail makes of the records
	want   []string
	says   string   // in a reason
	later  []string // what the next sweep adds
}

func evasions() []evasion {
	return []evasion{
		{
			name: "alias grant", attack: []step{grant("orders", "debug", "*", at("live"))},
			want: []string{"opened policy-widened critical public orders:live"}, says: "anyone",
		},
		{
			name: "alias grant, qualifier inside the name", attack: []step{grant("111122223333:function:orders:live", "debug", "*")},
			want: []string{"opened policy-widened critical public orders:live"}, says: "anyone",
		},
		{
			name: "version grant", attack: []step{grant("orders", "debug", "*", at("1"))},
			want: []string{"opened policy-widened critical public orders:1"}, says: "anyone",
		},
		{
			name: "JSON policy replacing a policy", before: []step{grant("orders", "api", api, source(ourAPI))}, attack: []step{put(ordersARN, allowForeign)},
			want: []string{"opened policy-widened high external orders", "opened policy-narrowed medium nobody orders"},
		},
		{
			name: "Deny removed", before: []step{put(paymentsARN, allowOurOrganization, denyOutsideVPC)}, attack: []step{put(paymentsARN, allowOurOrganization)},
			want: []string{"opened policy-widened medium organization payments"}, says: "a Deny of the baseline is gone",
		},
		{
			name: "Deny narrowed to nothing", before: []step{put(paymentsARN, allowOurOrganization, denyOutsideVPC)},
			attack: []step{put(paymentsARN, allowOurOrganization, strings.NewReplacer("vpc-1a2b3c4d", "vpc-*", "StringNotEquals", "StringNotLike").Replace(denyOutsideVPC))},
			want:   []string{"opened policy-widened medium organization payments"}, says: "a Deny of the baseline is gone",
		},
		{
			name: "action in other case", attack: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow","Principal":"*","Action":"LAMBDA:invokefunction","Resource":"$ARN"}`)},
			want: []string{"opened policy-widened critical public orders"}, says: "anyone",
		},
		{
			name: "lambda:Invoke*", attack: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/ci"},"Action":"lambda:Invoke*","Resource":"$ARN"}`)},
			want: []string{"opened policy-widened high external orders"}, says: foreign,
		},
		{
			name: "foreign root as a bare id", attack: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow","Principal":{"AWS":"444455556666"},`+invocable+`}`)},
			want: []string{"opened policy-widened high external orders"}, says: foreign,
		},
		{
			name: "foreign root as a bare id in AddPermission", attack: []step{grant("orders", "a", foreign, action("lambda:*"))},
			want: []string{"opened policy-widened critical external orders"}, says: foreign,
		},
		{
			name: "PrincipalOrgID of another organization", attack: []step{grant("orders", "a", "*", organization("o-otherorgid12"))},
			want: []string{"opened policy-widened high external orders"}, says: "o-otherorgid12",
		},
		{
			name: "PrincipalOrgID o-*", attack: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow","Principal":"*",`+invocable+`,"Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}`)},
			want: []string{"opened policy-widened critical public orders"},
		},
		{
			name: "SourceArn wildcard", attack: []step{grant("orders", "a", s3, source("arn:aws:s3:::*"))},
			want: []string{"opened policy-widened high confused-deputy orders"},
		},
		{
			name: "service principal without source", attack: []step{grant("orders", "a", s3)},
			want: []string{"opened policy-widened high confused-deputy orders"},
		},
		{
			name: "bucket without its account", attack: []step{grant("orders", "a", s3, source(bucket))},
			want: []string{"opened policy-widened medium confused-deputy orders"}, says: "whoever owns that name",
		},
		{
			name: "foreign SourceArn", attack: []step{grant("orders", "a", "sns.amazonaws.com", source(farTopic))},
			want: []string{"opened policy-widened high external orders"}, says: foreign,
		},
		{
			name: "NotPrincipal", attack: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"},`+invocable+`}`)},
			want: []string{"opened policy-widened critical public orders"},
		},
		{name: "URL with AuthType NONE and both statements", attack: []step{
			grant("orders", "u", "*", throughURL("NONE")), grant("orders", "f", "*", onlyURL), createURL("orders", "", "NONE"),
		}, want: []string{
			"opened policy-widened critical public orders", "opened policy-widened critical public orders", "opened url-opened critical public orders",
		}},
		{name: "URL of an alias with both statements", attack: []step{
			grant("orders", "u", "*", throughURL("NONE"), at("live")), grant("orders", "f", "*", onlyURL, at("live")), createURL("orders", "live", "NONE"),
		}, want: []string{
			"opened policy-widened critical public orders:live", "opened policy-widened critical public orders:live", "opened url-opened critical public orders:live",
		}},
		{
			name: "layer to *", attack: []step{share("a", "*", "")},
			want: []string{"opened layer-shared high public pricing:1"}, says: "anyone",
		},
		{
			name: "layer to another organization", attack: []step{share("a", "*", "o-otherorgid12")},
			want: []string{"opened layer-shared medium external pricing:1"}, says: "o-otherorgid12",
		},
		{
			name: "mapping re-pointed onto a protected function", before: []step{feed("ingest", ourQueue)}, attack: []step{repoint(ourQueue, "orders")},
			want: []string{"opened event-source-added low internal orders"}, says: ourQueue, later: []string{"opened policy-narrowed medium nobody ingest"},
		},
		{
			name: "mapping re-pointed onto its alias", before: []step{feed("ingest", ourQueue)}, attack: []step{repoint(ourQueue, "orders:live")},
			want: []string{"opened event-source-added low internal orders:live"}, says: ourQueue, later: []string{"opened policy-narrowed medium nobody ingest"},
		},
		{
			name: "mapping from a foreign queue", attack: []step{feed("orders", farQueue)},
			want: []string{"opened event-source-added high external orders"}, says: foreign,
		},
		{
			name: "foreign mapping, re-pointed", before: []step{feed("ingest", farQueue)}, attack: []step{repoint(farQueue, "orders")},
			want: []string{"opened event-source-added high external orders"}, says: foreign, later: []string{"opened policy-narrowed medium nobody ingest"},
		},
		{
			name: "add and remove within seconds", attack: []step{grant("orders", "a", "*"), revoke("orders", "", "a")},
			want: []string{"transient policy-widened critical public orders"}, says: "it stood for 1s, until " + mallory.caller.ARN,
		},
		{
			name: "add and remove within seconds, at an alias", attack: []step{grant("orders", "a", foreign, at("live")), revoke("orders", "live", "a")},
			want: []string{"transient policy-widened high external orders:live"}, says: "it stood for 1s",
		},
		{
			name: "JSON policy put and taken back within seconds", before: []step{put(ordersARN, allowOurRoot)}, attack: []step{put(ordersARN, allowOurRoot, allowAnyone), put(ordersARN, allowOurRoot)},
			want: []string{"transient policy-widened critical public orders"},
		},
		{
			name: "mapping there and back within seconds", before: []step{feed("ingest", farQueue)}, attack: []step{repoint(farQueue, "orders"), repoint(farQueue, "ingest")},
			want: []string{"transient event-source-added high external orders"},
		},
		{
			name: "URL there and gone within seconds", before: []step{grant("orders", "u", "*", throughURL("NONE")), grant("orders", "f", "*", onlyURL)},
			attack: []step{createURL("orders", "", "NONE"), deleteURL("orders", "")},
			want:   []string{"transient url-opened critical public orders"},
		},
		{
			name: "oversized parameters", attack: []step{grant("orders", "a", "*")}, record: omitParameters,
			want: []string{"opened unreadable-change medium unknown orders", "opened policy-widened critical public orders", "resolved unreadable-change medium unknown orders"},
		},
		{
			name: "oversized parameters, and no answer: a sweep finds it", attack: []step{grant("orders", "a", "*")}, record: omitAll,
			want: []string{"opened unreadable-change medium unknown account", "opened policy-widened critical public orders"},
		},
		{
			name: "statement without Sid", attack: []step{put(ordersARN, `{"Effect":"Allow","Principal":"*",`+invocable+`}`)},
			want: []string{"opened policy-widened critical public orders"}, says: "anyone",
		},
		{
			name: "same Sid on two qualifiers", attack: []step{grant("orders", "a", "*"), grant("orders", "a", "*", at("live"))},
			want: []string{"opened policy-widened critical public orders", "opened policy-widened critical public orders:live"},
		},
		{
			name: "an approved Sid at another qualifier", before: []step{grant("orders", "a", foreign)}, attack: []step{grant("orders", "a", foreign, at("live"))},
			want: []string{"opened policy-widened high external orders:live"},
		},
		{
			name: "an approved Sid with another statement", before: []step{grant("orders", "a", foreign)}, attack: []step{revoke("orders", "", "a"), grant("orders", "a", "*")},
			want: []string{"opened policy-widened critical public orders"},
		},
		{
			name: "a grant on a new alias", attack: []step{createAlias("orders", "canary", "1"), grant("orders", "a", "*", at("canary"))},
			want: []string{"opened policy-widened critical public orders:canary"},
		},
		{
			name: "Deny taken away and put back within seconds", before: []step{put(paymentsARN, allowOurOrganization, denyOutsideVPC)},
			attack: []step{revoke("payments", "", "vpc"), put(paymentsARN, allowOurOrganization, denyOutsideVPC)},
			want:   []string{"transient policy-widened medium organization payments"}, says: "a Deny of the baseline is gone",
		},
		{
			name: "document without its Deny, and put back within seconds", before: []step{put(paymentsARN, allowOurOrganization, denyOutsideVPC)},
			attack: []step{put(paymentsARN, allowOurOrganization), put(paymentsARN, allowOurOrganization, denyOutsideVPC)},
			want:   []string{"transient policy-widened medium organization payments"}, says: "a Deny of the baseline is gone",
		},
		{
			name: "a role that is there for one version only", attack: []step{setRole("orders", "administrator"), publish("orders"), setRole("orders", "orders")},
			want: []string{"opened role-replaced critical orders"}, says: "version 2",
		},
		{
			name: "a URL's AuthType there and back within seconds", before: []step{grant("orders", "u", "*", throughURL("NONE")), grant("orders", "f", "*", onlyURL), createURL("orders", "", "AWS_IAM")},
			attack: []step{updateURL("orders", "", "NONE", nil), updateURL("orders", "", "AWS_IAM", nil)},
			want:   []string{"transient url-opened critical public orders"},
		},
		{
			name: "a function deleted and made again with another policy", attack: []step{deleteFunction("orders"), createFunction("orders", "orders"), grant("orders", "a", "*")},
			want: []string{"opened policy-widened critical public orders"},
		},
		{
			name: "the auditor's own code, and an outcome that is unknown", attack: []step{deployCode(permdriftAuditor, "v2")}, record: failed("ServiceException"),
			want: []string{"opened audit-blinded critical permdrift-auditor"}, says: "whether it took effect is unknown",
		},
		{
			name: "the role of an administrator", attack: []step{setRole("orders", "administrator")},
			want: []string{"opened role-replaced critical orders"}, says: "administrator",
		},
	}
}

// Each way of getting in unseen is announced exactly once, with who did it and
// why it matters, and stays open.
func TestEvasionsAreAnnounced(t *testing.T) {
	ran := 0
	for _, c := range evasions() {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.iam.allow("administrator", "*", "*")
			w.begin(c.before...)
			for _, record := range w.do(mallory, c.attack...) {
				if c.record != nil {
					record = edit(t, record, c.record)
				}
				w.deliver(record)
			}
			w.settle()
			w.wantSent(c.want...)
			w.wantTold(mallory, c.says)
			w.sweep()
			w.wantSent(append(c.later, c.want...)...) // nothing is told twice
			if len(w.dead) > 0 {
				t.Errorf("%d messages died", len(w.dead))
			}
		})
		ran++
	}
	if ran < 20 {
		t.Errorf("only %d evasions ran, the issue names twenty", ran)
	}
}

// wantTold checks of every alert that it tells who did it and why it matters,
// that none came twice, and that its finding is open in the ledger.
func (w *world) wantTold(who person, says string) {
	w.t.Helper()
	seen := map[string]bool{}
	told := false
	status := map[string]drift.Status{}
	for _, m := range w.topic.messages() {
		if transition := m.ID + string(m.Transition); seen[m.Announcement] || seen[transition] {
			w.t.Errorf("%s was announced twice", transition)
		} else {
			seen[m.Announcement], seen[transition] = true, true
		}
		if m.Actor.ARN != who.caller.ARN && m.Event.Name != "" {
			w.t.Errorf("the actor of %s is %q", m.Kind, m.Actor.ARN)
		}
		if m.Reason == "" && m.Witness == nil {
			w.t.Errorf("%s has neither reason nor witness", m.Kind)
		}
		if m.Kind == drift.PolicyWidened && m.Certain && m.Witness == nil {
			w.t.Errorf("%s at %s has no witness: %s", m.Kind, where(m.Subject, m.Place), m.Reason)
		}
		told = told || strings.Contains(m.Reason, says)
		status[m.ID] = map[drift.TransitionKind]drift.Status{drift.Vanished: drift.Transient, drift.Closed: drift.Resolved, drift.Opened: drift.Open, drift.Reopened: drift.Open}[m.Transition]
	}
	for id, want := range status {
		if row := w.row(id); row.Status != want || len(row.Pending) > 0 {
			w.t.Errorf("the row of %s is %s, with %d announcements pending; want %s", row.Kind, row.Status, len(row.Pending), want)
		}
	}
	if !told {
		w.t.Errorf("no reason says %q: %q", says, reasons(w))
	}
}

func reasons(w *world) []string {
	var list []string
	for _, m := range w.topic.messages() {
		list = append(list, fmt.Sprintf("%s: %s", m.Kind, m.Reason))
	}
	slices.Sort(list)
	return list
}

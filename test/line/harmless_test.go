package line_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/drift"
)

// deployRule adopts what the deployer grants on every function of the account.
func deployRule() drift.Rule {
	return drift.Rule{
		ID: "deployer", Subjects: "arn:aws:lambda:*:111122223333:function:*", By: "alice", At: noon.Add(-24 * time.Hour),
		Adopt: &drift.Deployer{Issuer: rolePrefix + "deployer", Account: account},
	}
}

func (w *world) rule(r drift.Rule) {
	w.t.Helper()
	_, err := w.baselines.PutRule(w.t.Context(), r)
	must(w.t, "writing a rule", err)
}

// byCloudFormation is what CloudFormation's records say beside the deployer's identity.
func byCloudFormation(record map[string]any) {
	record["userIdentity"].(map[string]any)["invokedBy"] = "cloudformation.amazonaws.com"
	record["sourceIPAddress"], record["userAgent"] = "cloudformation.amazonaws.com", "cloudformation.amazonaws.com"
}

// failed is a record of a call that was refused.
func failed(code string) func(map[string]any) {
	return func(record map[string]any) {
		record["errorCode"], record["errorMessage"], record["responseElements"] = code, "refused", nil
	}
}

// harmless is a change that lets nobody in.
type harmless struct {
	name   string
	before []step
	ground []step // made after the capture, and told to nobody
	who    person
	steps  []step
	undo   []step // made before the records are delivered, and told to nobody
	record func(map[string]any)
	twice  bool
}

func harmlessChanges() []harmless {
	const (
		two      = `{"Sid":"two","Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/ci"]},"Action":["lambda:InvokeFunction","lambda:GetFunctionConfiguration"],"Resource":"$ARN"}`
		twoOther = `{"Sid":"zwei","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/ci","arn:aws:iam::111122223333:root"]},"Action":["LAMBDA:getfunctionconfiguration","lambda:invokeFunction"],"Resource":["$ARN"]}`
	)
	return []harmless{
		{name: "re-ordered lists", before: []step{put(ordersARN, two, allowOurOrganization)}, steps: []step{put(ordersARN, allowOurOrganization, twoOther)}},
		{name: "other spellings", before: []step{put(ordersARN, allowOurRoot)}, steps: []step{put(ordersARN,
			`{"Sid":"root","Effect":"Allow","Principal":{"AWS":["111122223333"]},"Action":["lambda:invokefunction"],"Resource":["$ARN"],"Condition":{}}`)}},
		{
			name: "a condition's key in other case", before: []step{put(ordersARN, allowOurOrganization)},
			steps: []step{put(ordersARN, strings.Replace(allowOurOrganization, "aws:PrincipalOrgID", "AWS:principalorgid", 1))},
		},
		{name: "a part of what is approved", before: []step{put(ordersARN, two)}, steps: []step{put(ordersARN, two, strings.Replace(allowOurRoot, "111122223333:root", "111122223333:role/ci", 1))}},
		{name: "the same grant under a new Sid", before: []step{grant("orders", "api", api, source(ourAPI))}, steps: []step{grant("orders", "api2", api, source(ourAPI)), revoke("orders", "", "api")}},
		{
			name: "a CloudFormation update by an adopted deployer", who: deployer, record: byCloudFormation,
			steps: []step{grant("orders", "api", api, source(ourAPI)), grant("ingest", "s3", s3, source(bucket), sourceAccount(account))},
		},
		{
			name: "a replacement by an adopted deployer", who: deployer,
			steps: []step{grant("orders", "api", api, source(ourAPI)), revoke("orders", "", "api"), grant("orders", "api", api, source(ourAPI+"/v2"))},
		},
		{name: "tags", steps: []step{tag(ordersARN, "owner", "orders-team")}},
		{name: "a code deploy", steps: []step{deployCode("orders", "v2"), publish("orders"), pointAlias("orders", "live", "2")}},
		{
			name: "a code deploy behind an internal alias", before: []step{grant("orders", "api", api, source(ourAPI), at("live"))},
			steps: []step{deployCode("orders", "v2"), publish("orders"), pointAlias("orders", "live", "2")},
		},
		{name: "a new version and alias", steps: []step{deployCode("orders", "v2"), publish("orders"), createAlias("orders", "canary", "2")}},
		{name: "an alias that goes", before: []step{createAlias("orders", "canary", "1")}, steps: []step{deleteAlias("orders", "canary")}},
		{name: "a longer time-out", steps: []step{setTimeout("orders", 30)}},
		{name: "the same role again", steps: []step{setRole("orders", "orders")}},
		{name: "concurrency", steps: []step{reserve("orders", 5)}},
		{name: "concurrency of 0, of somebody else's function", steps: []step{reserve("orders", 0)}},
		{name: "an approved URL made again", before: []step{createURL("orders", "", "AWS_IAM")}, steps: []step{deleteURL("orders", ""), createURL("orders", "", "AWS_IAM")}},
		{
			name: "CORS that answers less", before: []step{createURL("orders", "", "AWS_IAM"), updateURL("orders", "", "AWS_IAM", &types.Cors{AllowOrigins: []string{"https://example.com", "https://www.example.com"}})},
			steps: []step{updateURL("orders", "", "AWS_IAM", &types.Cors{AllowOrigins: []string{"https://EXAMPLE.com"}})},
		},
		{name: "the batch size of an approved mapping", before: []step{feed("orders", ourQueue)}, steps: []step{enable(ourQueue, true)}},
		{
			name: "failed calls", steps: []step{grant("orders", "open", "*"), createURL("orders", "", "NONE"), feed("orders", farQueue)}, record: failed("AccessDenied"),
			undo: []step{revoke("orders", "", "open"), deleteURL("orders", ""), unfeed(farQueue)},
		},
		{name: "read-only calls", steps: []step{grant("orders", "open", "*")}, undo: []step{revoke("orders", "", "open")}, record: func(r map[string]any) {
			r["eventName"], r["readOnly"], r["responseElements"] = "GetPolicy20150331v2", true, nil
		}},
		{name: "duplicates of an approved grant", before: []step{grant("orders", "api", api, source(ourAPI))}, steps: []step{tag(ordersARN, "a", "b")}, twice: true},
		{name: "duplicates of an adopted grant", who: deployer, steps: []step{grant("orders", "api", api, source(ourAPI))}, twice: true},
		{name: "a Deny more, of what nobody is granted", steps: []step{put(ordersARN, strings.Replace(allowAnyone, `"Allow"`, `"Deny"`, 1))}},
	}
}

// What lets nobody in raises nothing: nothing is announced, nothing is open,
// neither by the events nor by the sweep after them.
func TestHarmlessChangesRaiseNothing(t *testing.T) {
	changes := slices.Concat(harmlessChanges(), harmlessRoleChanges())
	if len(changes) < 45 {
		t.Fatalf("only %d changes", len(changes))
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.rule(deployRule())
			w.begin(c.before...)
			if c.who.key == "" {
				c.who = owner
			}
			w.do(owner, c.ground...)
			records := w.do(c.who, c.steps...)
			if len(records) != len(c.steps) {
				t.Fatalf("%d records of %d calls", len(records), len(c.steps))
			}
			w.do(c.who, c.undo...)
			for _, record := range records {
				if c.record != nil {
					record = edit(t, record, c.record)
				}
				w.deliver(record)
				if c.twice {
					w.deliver(record, again(t, record))
				}
			}
			w.settle()
			run := w.sweep()
			w.wantSent()
			w.wantOpen(0)
			if len(w.dead) > 0 {
				t.Errorf("%d messages died", len(w.dead))
			}
			if !run.Clean() {
				t.Errorf("the sweep is not clean: %+v", run)
			}
		})
	}
}

// again is a record as CloudTrail delivers it once more, under a new id.
func again(t *testing.T, record json.RawMessage) json.RawMessage {
	t.Helper()
	return edit(t, record, func(fields map[string]any) {
		fields["addendum"] = map[string]any{"reason": "DELIVERY_DELAY", "originalEventID": fields["eventID"]}
		fields["eventID"] = "a1b2c3d4-5678-90ab-cdef-EXAMPLE99999"
	})
}

// The same event twenty times over, in batches of ten, is one alert.
func TestDuplicatesAreOneAlert(t *testing.T) {
	w := newWorld(t)
	w.begin()
	record := w.do(mallory, grant("orders", "open", "*"))[0]
	for range 10 {
		w.deliver(record, again(t, record))
	}
	for len(w.queue) > 0 {
		batch := slices.Clone(w.queue[:min(10, len(w.queue))])
		for _, m := range batch {
			m.received++
		}
		w.receive(batch...)
		w.tick(time.Minute)
	}
	w.wantSent("opened policy-widened critical public orders")
	if row := w.row(w.topic.messages()[0].ID); row.Count != 1 {
		t.Errorf("one call was counted %d times", row.Count)
	}
}

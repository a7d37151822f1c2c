package line_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// poison is how an attacker who knows the rules tries to have a way in adopted.
type poison struct {
	name    string
	rules   []drift.Rule // besides, or in the place of, the deployer's
	context func(*drift.Context)
	before  []step
	who     person
	steps   []step
	swap    []step // what mallory does after them, which no event tells of
	record  func(map[string]any)
	want    []string
	adopted int // how many rows are adopted, which are the deployer's own
}

const (
	malloryRole = rolePrefix + "mallory"
	ownRole     = `"Principal":{"AWS":"arn:aws:iam::111122223333:role/mallory"}`
	// lowOrders is a grant that the rule would adopt, had the deployer made it.
	lowOrders = "opened policy-widened low internal orders"
)

func poisons() []poison {
	pinned := func(condition string) step {
		return put(ordersARN, `{"Sid":"mine","Effect":"Allow","Principal":"*",`+invocable+`,"Condition":`+condition+`}`)
	}
	expired, elsewhere := deployRule(), deployRule()
	expired.Expires = noon.Add(-time.Minute)
	elsewhere.Subjects = "arn:aws:lambda:*:111122223333:function:ingest*"
	serviceError := failed("ServiceException")
	return []poison{
		{
			name: "lambda:UpdateFunctionCode for an own role", steps: []step{grant("orders", "a", malloryRole, action("lambda:UpdateFunctionCode"))},
			want: []string{"opened policy-widened medium internal orders"},
		},
		{
			name: "lambda:* for an own role", steps: []step{grant("orders", "a", malloryRole, action("lambda:*"))},
			want: []string{"opened policy-widened medium internal orders"},
		},
		{
			name: "AddPermission beside invoking, in one statement", steps: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow",`+ownRole+`,"Action":["lambda:InvokeFunction","lambda:AddPermission"],"Resource":"$ARN"}`)},
			want: []string{"opened policy-widened medium internal orders"},
		},
		{
			name: "NotAction", steps: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow",`+ownRole+`,"NotAction":"lambda:DeleteFunction","Resource":"$ARN"}`)},
			want: []string{"opened policy-widened medium internal orders"},
		},
		{name: "his own VPC", steps: []step{pinned(`{"StringEquals":{"aws:SourceVpc":"vpc-0aaaabbbbccccdddd"}}`)}, want: []string{"opened policy-widened high external orders"}},
		{name: "his own VPC endpoint", steps: []step{pinned(`{"StringEquals":{"aws:SourceVpce":"vpce-0aaaabbbbccccdddd"}}`)}, want: []string{"opened policy-widened high external orders"}},
		{name: "his own address", steps: []step{pinned(`{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`)}, want: []string{"opened policy-widened high external orders"}},
		{name: "his own organization", steps: []step{grant("orders", "a", "*", organization("o-otherorgid12"))}, want: []string{"opened policy-widened high external orders"}},
		{
			name: "our organization, where the rule is for the account", steps: []step{grant("orders", "a", "*", organization("o-exampleorgid"))},
			want: []string{"opened policy-widened medium organization orders"},
		},
		{name: "a key that the caller chooses", steps: []step{pinned(`{"StringEquals":{"aws:UserAgent":"deployer"}}`)}, want: []string{"opened policy-widened critical public orders"}},
		{name: "the deployer's session name without its issuer", who: namesake, steps: []step{grant("orders", "api", api, source(ourAPI))}, want: []string{lowOrders}},
		{name: "a role of the deployer's name in another account", who: stranger, steps: []step{grant("orders", "api", api, source(ourAPI))}, want: []string{lowOrders}},
		{name: "CloudFormation, with another identity", who: mallory, record: byCloudFormation, steps: []step{grant("orders", "api", api, source(ourAPI))}, want: []string{lowOrders}},
		{
			name: "a statement swapped after the event", steps: []step{grant("orders", "api", api, source(ourAPI))},
			swap: []step{revoke("orders", "", "api"), grant("orders", "api", foreign)}, want: []string{"opened policy-widened high external orders"},
		},
		{
			name: "a statement swapped for another that is internal", steps: []step{grant("orders", "api", api, source(ourAPI))},
			swap: []step{revoke("orders", "", "api"), grant("orders", "api", malloryRole)}, want: []string{lowOrders},
		},
		{
			name: "a statement beside the one of the event", steps: []step{grant("orders", "api", api, source(ourAPI))},
			swap: []step{grant("orders", "api2", malloryRole)}, want: []string{lowOrders}, adopted: 1,
		},
		{
			name: "the statement of the event at another qualifier", steps: []step{revoke("orders", "live", "api")}, before: []step{grant("orders", "api", api, source(ourAPI), at("live"))},
			swap: []step{grant("orders", "api", malloryRole, at("live"))}, want: []string{"opened policy-widened low internal orders:live", "opened policy-narrowed medium nobody orders:live"},
		},
		{name: "an extra statement in the document that is put", steps: []step{put(ordersARN, allowOurRoot, allowForeign)}, want: []string{"opened policy-widened high external orders"}, adopted: 1},
		{
			name: "a document without its Deny", before: []step{put(ordersARN, allowOurOrganization, denyOutsideVPC)}, steps: []step{put(ordersARN, allowOurOrganization)},
			want: []string{"opened policy-widened medium organization orders"},
		},
		{
			name: "a grant that sleeps behind a Deny", before: []step{put(ordersARN, strings.Replace(allowAnyone, `"Allow"`, `"Deny"`, 1))},
			steps: []step{put(ordersARN, strings.Replace(allowAnyone, `"Allow"`, `"Deny"`, 1), strings.Replace(allowOurRoot, "root", "own", 1))}, want: []string{"opened policy-widened informational nobody orders"},
		},
		{
			name: "NotPrincipal by the deployer", steps: []step{put(ordersARN, `{"Sid":"a","Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::444455556666:root"},`+invocable+`}`)},
			want: []string{"opened policy-widened critical public orders"},
		},
		{name: "a function URL", steps: []step{createURL("orders", "", "NONE")}, want: []string{"opened url-opened medium nobody orders"}},
		{name: "a function URL for signed callers", steps: []step{createURL("orders", "live", "AWS_IAM")}, want: []string{"opened url-opened low nobody orders:live"}},
		{name: "a role", steps: []step{setRole("orders", "administrator")}, want: []string{"opened role-replaced critical orders"}},
		{name: "a layer", steps: []step{share("a", account, "")}, want: []string{"opened layer-shared informational internal pricing:1"}},
		{name: "a mapping", steps: []step{feed("orders", ourQueue)}, want: []string{"opened event-source-added low internal orders"}},
		{name: "a rule that expired", rules: []drift.Rule{expired}, steps: []step{grant("orders", "api", api, source(ourAPI))}, want: []string{lowOrders}},
		{name: "a rule about other functions", rules: []drift.Rule{elsewhere}, steps: []step{grant("orders", "api", api, source(ourAPI))}, want: []string{lowOrders}},
		{name: "an outcome that is unknown", steps: []step{grant("orders", "api", api, source(ourAPI))}, record: serviceError, want: []string{lowOrders}},
		{
			name: "a document whose outcome is unknown", steps: []step{put(ordersARN, allowOurRoot)}, record: serviceError, want: []string{lowOrders},
		},
		{
			name: "a session of another account with the deployer's issuer", steps: []step{grant("orders", "api", api, source(ourAPI))}, want: []string{lowOrders},
			record: func(record map[string]any) { record["userIdentity"].(map[string]any)["accountId"] = foreign },
		},
		{
			name: "a user with the deployer's issuer", steps: []step{grant("orders", "api", api, source(ourAPI))}, want: []string{lowOrders},
			record: func(record map[string]any) { record["userIdentity"].(map[string]any)["type"] = "IAMUser" },
		},
		{
			name: "permdrift's own function", steps: []step{grant("permdrift-auditor", "api", api, source(ourAPI))},
			want: []string{"opened audit-blinded critical permdrift-auditor"}, adopted: 1,
		},
	}
}

// None of the ways to have something adopted succeeds, and each raises an alert.
func TestPoisonIsNotAdopted(t *testing.T) {
	for _, c := range poisons() {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.iam.allow("administrator", "*", "*")
			if c.context != nil {
				c.context(&w.auditor.Context)
			}
			if c.rules == nil {
				c.rules = []drift.Rule{deployRule()}
			}
			for _, r := range c.rules {
				w.rule(r)
			}
			if c.who.key == "" {
				c.who = deployer
			}
			w.begin(c.before...)
			records := w.do(c.who, c.steps...)
			w.do(mallory, c.swap...)
			for _, record := range records {
				if c.record != nil {
					record = edit(t, record, c.record)
				}
				w.deliver(record)
			}
			w.settle()
			w.sweep()
			w.wantSent(c.want...)
			w.wantAdopted(c.adopted)
			w.wantOpen(len(c.want))
		})
	}
}

// wantAdopted checks how many rows are adopted.
func (w *world) wantAdopted(want int) {
	w.t.Helper()
	var adopted []string
	for _, f := range w.rows() {
		if f.Status == drift.Accepted {
			adopted = append(adopted, where(f.Subject, f.Place)+": "+f.Reason)
		}
	}
	if len(adopted) != want {
		w.t.Errorf("%d findings are adopted, want %d:\n\t%s", len(adopted), want, strings.Join(adopted, "\n\t"))
	}
}

// Learning adopts what is internal, for a time that has an end, and only of a
// function that nobody captured.
func TestLearningEnds(t *testing.T) {
	learnUntil := func(at time.Time) func(*drift.Context) {
		return func(c *drift.Context) { c.Unknown, c.LearnUntil = drift.Learn, at }
	}
	for _, c := range []struct {
		name    string
		context func(*drift.Context)
		before  []step // approved
		steps   []step
		want    []string
		adopted int
	}{
		{name: "internal, while learning", context: learnUntil(noon.AddDate(0, 0, 7)), steps: []step{grant("orders", "a", malloryRole)}, adopted: 1},
		{name: "external, while learning", context: learnUntil(noon.AddDate(0, 0, 7)), steps: []step{grant("orders", "a", foreign)}, want: []string{"opened policy-widened high external orders"}},
		{name: "administering, while learning", context: learnUntil(noon.AddDate(0, 0, 7)), steps: []step{grant("orders", "a", malloryRole, action("lambda:*"))}, want: []string{"opened policy-widened medium internal orders"}},
		{name: "after its end", context: learnUntil(noon), steps: []step{grant("orders", "a", malloryRole)}, want: []string{lowOrders}},
		{name: "with an end that is too far", context: learnUntil(noon.AddDate(0, 0, 60)), steps: []step{grant("orders", "a", malloryRole)}, want: []string{lowOrders}},
		{name: "a function that is captured", context: learnUntil(noon.AddDate(0, 0, 7)), before: []step{tag(ordersARN, "a", "b")}, steps: []step{grant("orders", "a", malloryRole)}, want: []string{lowOrders}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.context(&w.auditor.Context)
			if len(c.before) > 0 {
				w.begin(c.before...)
			}
			w.run(mallory, c.steps...)
			w.wantSent(c.want...)
			w.wantAdopted(c.adopted)
			w.tick(30 * 24 * time.Hour) // long after the end, what was adopted stays, and nothing more is
			w.run(mallory, grant("orders", "later", rolePrefix+"another"))
			w.wantSent(append(c.want, lowOrders)...)
		})
	}
}

// forge writes a row as somebody who may write into the ledger, and makes no seal.
func (w *world) forge(row drift.Finding) {
	w.t.Helper()
	_, err := w.ledger.Save(w.t.Context(), row)
	must(w.t, "forging a row", err)
}

// Whoever can write into the ledger adopts nothing: the seal tells.
func TestForgedAdoptionsDoNotCount(t *testing.T) {
	forged := func(row, sealed drift.Finding, seal string) drift.Finding {
		row.Status, row.ResolvedAt, row.Pending = drift.Accepted, noon, nil
		row.Adoption = &drift.Adoption{Rule: "deployer", Issuer: rolePrefix + "deployer", Event: "e1", At: noon, Seal: seal}
		if sealed.Adoption != nil {
			row.Adoption = sealed.Adoption
		}
		return row
	}
	const junk = "local1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for _, c := range []struct {
		name  string
		forge func(row, sealed drift.Finding) drift.Finding
	}{
		{"without a seal", func(row, _ drift.Finding) drift.Finding { return forged(row, drift.Finding{}, "") }},
		{"with a seal of nothing", func(row, _ drift.Finding) drift.Finding { return forged(row, drift.Finding{}, junk) }},
		{"with an adoption copied from another finding", func(row, sealed drift.Finding) drift.Finding { return forged(row, sealed, "") }},
		{"with only the seal copied", func(row, sealed drift.Finding) drift.Finding {
			return forged(row, drift.Finding{}, sealed.Adoption.Seal)
		}},
		{"as learned", func(row, sealed drift.Finding) drift.Finding {
			row = forged(row, drift.Finding{}, sealed.Adoption.Seal)
			row.Adoption.Rule = drift.LearnRule
			return row
		}},
		{"as approved, without any adoption", func(row, _ drift.Finding) drift.Finding {
			row.Status, row.ResolvedAt = drift.Accepted, noon
			return row
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.rule(deployRule())
			w.begin()
			w.run(deployer, grant("payments", "api", api, source(ourAPI)), grant("orders", "api", api, source(ourAPI)))
			w.wantAdopted(2)
			w.run(mallory, grant("orders", "mine", malloryRole))
			w.wantSent(lowOrders)
			row := w.row(w.topic.messages()[0].ID)
			for _, sealed := range w.rows() {
				if sealed.Adoption == nil {
					continue
				}
				w.forge(c.forge(w.row(row.ID), sealed)) // of the same function, and of another
				w.topic.forget()
				w.sweep()
				w.wantSent("reopened policy-widened low internal orders")
				w.wantAdopted(2)
			}
		})
	}
}

// A row that was forged before the grant is made does not hide it.
func TestAdoptionForgedInAdvanceDoesNotCount(t *testing.T) {
	scout := newWorld(t) // where the attacker learns the id that his finding will have
	scout.begin()
	scout.run(mallory, grant("orders", "mine", malloryRole))
	row := scout.row(scout.topic.messages()[0].ID)

	w := newWorld(t)
	w.rule(deployRule())
	w.begin()
	row.Version, row.Status = 0, drift.Accepted
	row.Adoption = &drift.Adoption{Rule: "deployer", Issuer: rolePrefix + "deployer", Event: "e1", At: noon, Seal: "local1:AAAA"}
	w.forge(row)
	w.run(mallory, grant("orders", "mine", malloryRole))
	w.wantSent("reopened policy-widened low internal orders")
	w.wantTold(mallory, "")
}

// An adoption counts only while its rule permits it.
func TestAdoptionEndsWithItsRule(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*world, drift.Rule)
	}{
		{"deleted", func(w *world, r drift.Rule) {
			must(w.t, "deleting the rule", w.baselines.DeleteRule(w.t.Context(), r.ID, r.Version, "alice"))
		}},
		{"expired", func(w *world, r drift.Rule) { r.Expires = w.clock(); w.rule(r) }},
		{"of another issuer", func(w *world, r drift.Rule) {
			r.Adopt = &drift.Deployer{Issuer: rolePrefix + "other", Account: account}
			w.rule(r)
		}},
		{"about other functions", func(w *world, r drift.Rule) { r.Subjects = "arn:aws:lambda:*:111122223333:function:ingest"; w.rule(r) }},
		{"that only approves", func(w *world, r drift.Rule) {
			r.Adopt = nil
			w.rule(withStatement(w, r))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.rule(deployRule())
			w.begin()
			w.run(deployer, grant("orders", "api", api, source(ourAPI)))
			w.wantSent()
			rules, err := w.baselines.Rules(t.Context())
			must(t, "reading the rules", err)
			c.end(w, rules[0])
			w.sweep()
			w.wantSent("reopened policy-widened low internal orders")
		})
	}
}

// What was adopted behind a Deny counts when the Deny goes: the loss of it is as
// bad as what that lets in.
func TestLostDenyWakesWhatIsAdopted(t *testing.T) {
	w := newWorld(t)
	rule := deployRule()
	rule.Adopt.Organization = true
	w.rule(rule)
	w.begin(put(ordersARN, denyOutsideVPC))
	w.run(deployer, put(ordersARN, denyOutsideVPC, allowOurOrganization))
	w.wantSent()
	w.wantAdopted(1)
	w.run(mallory, put(ordersARN, allowOurOrganization))
	w.wantSent("opened policy-widened medium organization orders")
}

// A grant of mallory's that the deployer then writes again, in a document of his
// own, stays mallory's: it is not adopted.
func TestGrantThatTheDeployerRepeatsStaysOpen(t *testing.T) {
	w := newWorld(t)
	w.rule(deployRule())
	w.begin()
	mine := strings.Replace(allowOurRoot, ":root", ":role/mallory", 1)
	w.run(mallory, put(ordersARN, mine))
	w.wantSent(lowOrders)
	w.run(deployer, put(ordersARN, allowOurRoot, mine))
	w.wantSent(lowOrders)
	w.wantOpen(1)
	w.wantAdopted(1)
}

// An adoption ends with its grant: who makes the same grant after the deployer
// took it back is told.
func TestAdoptionEndsWithItsGrant(t *testing.T) {
	w := newWorld(t)
	w.rule(deployRule())
	w.begin()
	mine := grant("orders", "own", account)
	w.run(deployer, mine)
	w.wantAdopted(1)
	w.tick(time.Hour)
	w.run(deployer, revoke("orders", "", "own"))
	w.wantSent()
	w.wantAdopted(0)
	w.run(mallory, mine)
	w.wantSent("reopened policy-widened low internal orders")
}

func withStatement(w *world, r drift.Rule) drift.Rule {
	var s drift.Approval
	must(w.t, "reading a statement", json.Unmarshal([]byte(`{"statement":`+strings.ReplaceAll(allowOurRoot, "$ARN", "*")+`}`), &s))
	r.Statement = &s.Statement
	return r
}

// PutEvents can say anything but where it comes from: an event that says it is
// of the deployer, and that CloudTrail did not send, is a finding of its own.
func TestForgedEventsAreNotBelieved(t *testing.T) {
	for name, forge := range map[string]func(map[string]any){
		"another source":      func(e map[string]any) { e["source"] = "mallory.lambda" },
		"another detail type": func(e map[string]any) { e["detail-type"] = "custom" },
		"another account":     func(e map[string]any) { e["account"] = foreign },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.rule(deployRule())
			w.begin()
			w.do(mallory, grant("orders", "api", api, source(ourAPI)))
			w.do(mallory, revoke("orders", "", "api"))
			record := w.do(deployer, grant("orders", "api", api, source(ourAPI)))[0]
			w.enqueue(eventsARN, string(edit(t, json.RawMessage(envelope(t, record)), forge)))
			w.settle()
			w.wantSent("opened unreadable-change medium unknown account")
			w.wantAdopted(0)
			if len(w.dead) != 1 {
				t.Errorf("%d messages died, want one", len(w.dead))
			}
			w.sweep()
			w.wantSent("opened unreadable-change medium unknown account", lowOrders)
		})
	}
}

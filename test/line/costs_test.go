package line_test

import (
	"slices"
	"testing"

	"github.com/permdrift/permdrift/internal/localaws"
)

// cost is what auditing one call costs.
type cost struct {
	name   string
	before []step // approved
	ground []step // made and audited before, and not approved
	who    person
	step   step
	lambda string // calls to Lambda
	iam    string // calls to IAM
	stores string // calls to the baseline and the ledger
	alerts int
}

const (
	clean    = "baseline.Get 1, ledger.Findings 1"
	drifted  = "baseline.Get 1, baseline.Rules 1, ledger.Findings 1, ledger.Save 2" // the row, and that it was announced
	resolved = "baseline.Get 1, ledger.Findings 1, ledger.Save 2"
)

func costs() []cost {
	return []cost{
		{
			name: "AddPermission, approved", before: []step{grant("orders", "api", api, source(ourAPI))}, step: grant("orders", "api2", api, source(ourAPI)),
			lambda: "GetResourcePolicy 1", stores: clean,
		},
		{
			name: "AddPermission, adopted", who: deployer, step: grant("orders", "api", api, source(ourAPI)),
			lambda: "GetResourcePolicy 1", stores: "baseline.Get 1, baseline.Rules 1, ledger.Findings 1, ledger.Save 1",
		},
		{
			name: "AddPermission, adopted before", ground: []step{grant("orders", "api", api, source(ourAPI))}, who: deployer, step: grant("orders", "api2", api, source(ourAPI)),
			lambda: "GetResourcePolicy 1", stores: "baseline.Get 1, baseline.Rules 1, ledger.Findings 1",
		},
		{name: "AddPermission, public", step: grant("orders", "open", "*"), lambda: "GetResourcePolicy 1, ListTags 1", stores: drifted, alerts: 1},
		{
			name: "AddPermission for a URL", step: grant("orders", "u", "*", throughURL("NONE")),
			lambda: "GetFunctionUrlConfig 1, GetResourcePolicy 1, ListTags 1", stores: drifted, alerts: 1,
		},

		{
			name: "RemovePermission, of nothing that was approved", before: []step{grant("orders", "api", api, source(ourAPI)), grant("orders", "api2", api, source(ourAPI))}, step: revoke("orders", "", "api2"),
			lambda: "GetResourcePolicy 1", stores: "baseline.Get 1, ledger.Findings 1, ledger.SaveRemoval 1",
		},
		{
			name: "RemovePermission, approved", before: []step{grant("orders", "api", api, source(ourAPI)), grant("orders", "ci", rolePrefix+"ci")}, step: revoke("orders", "", "ci"),
			lambda: "GetResourcePolicy 1, ListTags 1", stores: drifted + ", ledger.SaveRemoval 1", alerts: 1,
		},
		{
			name: "RemovePermission, which resolves", before: []step{grant("orders", "api", api, source(ourAPI))}, ground: []step{grant("orders", "open", "*")}, who: mallory, step: revoke("orders", "", "open"),
			lambda: "GetResourcePolicy 1", stores: resolved + ", ledger.SaveRemoval 1", alerts: 1,
		},

		{
			name: "CreateFunctionUrlConfig", before: []step{grant("orders", "api", api, source(ourAPI))}, step: createURL("orders", "", "AWS_IAM"),
			lambda: "GetFunctionUrlConfig 1, GetResourcePolicy 1, ListTags 1", stores: drifted, alerts: 1,
		},
		{
			name: "UpdateFunctionUrlConfig, approved", before: []step{grant("orders", "api", api, source(ourAPI)), createURL("orders", "", "AWS_IAM")}, step: updateURL("orders", "", "AWS_IAM", nil),
			lambda: "GetFunctionUrlConfig 1, GetResourcePolicy 1", stores: clean,
		},
		{name: "CreateEventSourceMapping", step: feed("orders", ourQueue), lambda: "GetEventSourceMapping 1, ListTags 1", stores: drifted, alerts: 1},
		{
			name: "UpdateEventSourceMapping, approved", before: []step{feed("orders", ourQueue)}, step: enable(ourQueue, true),
			lambda: "GetEventSourceMapping 1", stores: clean,
		},

		{name: "PutResourcePolicy, approved", before: []step{put(ordersARN, allowOurRoot)}, step: put(ordersARN, allowOurRoot), lambda: "GetResourcePolicy 1", stores: clean},
		{name: "AddLayerVersionPermission", step: share("all", "*", ""), lambda: "GetLayerVersionPolicy 1", stores: drifted, alerts: 1},
		{name: "UpdateFunctionCode", step: deployCode("orders", "v2"), lambda: "", stores: "ledger.Findings 1"},
		{
			name: "UpdateAlias", before: []step{grant("orders", "api", api, source(ourAPI), at("live"))}, step: pointAlias("orders", "live", "1"),
			lambda: "GetFunctionUrlConfig 1, GetResourcePolicy 1", stores: clean,
		},
		{name: "TagResource", step: tag(ordersARN, "a", "b"), lambda: "", stores: ""},
	}
}

// What auditing a call costs: on the clean path one read each of Lambda, baseline
// and ledger, and no write. Only what differs reads rules, tags and URLs.
func TestCosts(t *testing.T) {
	for _, c := range slices.Concat(costs(), roleCosts()) {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.iam.page = 100
			w.rule(deployRule())
			w.begin(c.before...)
			if c.who.key == "" {
				c.who = owner
			}
			w.run(c.who, c.ground...)
			w.topic.forget()
			w.wantCost(c.who, c.step, c.lambda, c.iam, c.stores)
			if got := len(w.sent()); got != c.alerts {
				t.Errorf("announced %d: %q", got, w.sent())
			}
		})
	}
}

// wantCost checks what auditing one call costs.
func (w *world) wantCost(who person, s step, lambda, iam, stores string) {
	w.t.Helper()
	records := w.do(who, s)
	w.calls.forget()
	w.aws.ForgetCalls()
	w.iam.forgetReads()
	w.deliver(records...)
	w.settle()
	if got := lambdaCalls(w.aws); got != lambda {
		w.t.Errorf("Lambda: got %q, want %q", got, lambda)
	}
	if got := w.iam.countedReads(); got != iam {
		w.t.Errorf("IAM: got %q, want %q", got, iam)
	}
	if got := w.calls.String(); got != stores {
		w.t.Errorf("stores: got %q, want %q", got, stores)
	}
}

func lambdaCalls(aws *localaws.Server) string {
	n := map[string]int{}
	for _, c := range aws.Calls() {
		n[c.Operation]++
	}
	return counted(n)
}

// Where the region knows no JSON policies, or GetResourcePolicy shows none that
// AddPermission wrote, the clean path costs no more than the design allows.
func TestCostsOfOneReadWithoutJSONPolicies(t *testing.T) {
	w := newWorld(t)
	w.aws.Configure(func(o *localaws.Options) { o.JSONPolicies = false })
	w.begin(grant("orders", "api", api, source(ourAPI)))
	w.wantCost(owner, grant("orders", "api2", api, source(ourAPI)), "GetPolicy 1", "", clean)
}

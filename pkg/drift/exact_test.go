package drift

import (
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/policy"
)

// More statements of the tests.
const (
	ownRole     = `{"Sid":"role","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/caller"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
	ownOrg      = `{"Sid":"org","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`
	denyOutside = `{"Sid":"vpc","Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1a2b3c4d"}}}`
	denyDelete  = `{"Sid":"delete","Effect":"Deny","Principal":"*","Action":"lambda:DeleteFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
	deleted     = `{"Sid":"gone","Effect":"Allow","Principal":{"AWS":"AROAIOSFODNN7EXAMPLE0"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}`
)

func TestCompareIsExact(t *testing.T) {
	learn := here
	learn.Unknown, learn.LearnUntil = Learn, noon.Add(MaxLearn)
	for _, c := range []struct {
		name     string
		state    State
		baseline Baseline
		context  Context
		want     []string
	}{
		{"contained in an approved statement", state(t, "", own, ownRole), baseline(t, "", own), here, nil},
		{"wider than an approved one", state(t, "", own), baseline(t, "", ownRole), here, []string{"policy-widened low internal at unqualified [own]"}},
		{"a narrower one in place of an approved one", state(t, "", ownRole), baseline(t, "", own), here, []string{"policy-narrowed low nobody at unqualified [own]"}},
		{"a principal that was deleted", state(t, "", deleted), baseline(t, ""), here, nil},
		{"covered wholly by a Deny", state(t, "", public, denyAll), baseline(t, "", denyAll), here, []string{"policy-widened informational nobody at unqualified [public]"}},
		{"covered by a Deny, while learning", state(t, "", public, denyAll), Baseline{}, learn, []string{"policy-widened informational nobody at unqualified [public]", "policy-narrowed low nobody at unqualified [deny]"}},
		{"a Deny lost that kept the organization inside", state(t, "", ownOrg), baseline(t, "", ownOrg, denyOutside), here, []string{"policy-widened medium organization at unqualified [vpc]"}},
		{"a Deny lost of what nothing allows", state(t, "", ownOrg), baseline(t, "", ownOrg, denyDelete), here, []string{"policy-widened low nobody at unqualified [delete]"}},
		{"a Deny lost, and the Allow rewritten a little narrower", state(t, "", strings.Replace(public, `"Sid":"public"`, `"Sid":"tls","Condition":{"Bool":{"aws:SecureTransport":"true"}}`, 1)), baseline(t, "", public, denyOutside), here, []string{"policy-widened critical public at unqualified [vpc]", "policy-narrowed low nobody at unqualified [public]"}},
		{"a Deny added of what nothing allows", state(t, "", ownOrg, denyDelete), baseline(t, "", ownOrg), here, nil},
		{"a Deny lost, and a grant added that it denied", state(t, "", public), baseline(t, "", own, denyAll), here, []string{"policy-widened critical public at unqualified [public]", "policy-widened low nobody at unqualified [deny]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Compare(Change{Subject: orders}, c.state, c.baseline, c.context)
			got := briefs(found)
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			for _, f := range found {
				if f.Status != Open {
					t.Errorf("%s was adopted", brief(f))
				}
			}
		})
	}
}

// TestWitnessIsANewRequest replays each witness of a finding: the live policy
// allows it, the baseline does not.
func TestWitnessIsANewRequest(t *testing.T) {
	for name, c := range map[string]struct {
		live, approved []string
	}{
		"public":        {[]string{own, public}, []string{own}},
		"foreign":       {[]string{foreign}, nil},
		"administering": {[]string{own, admin}, []string{own}},
		"Deny lost":     {[]string{ownOrg}, []string{ownOrg, denyOutside}},
		"org widened":   {[]string{strings.Replace(ownOrg, `"StringEquals"`, `"StringNotEquals"`, 1)}, []string{ownOrg}},
	} {
		t.Run(name, func(t *testing.T) {
			witnesses := 0
			for _, f := range Compare(Change{Subject: orders}, state(t, "", c.live...), baseline(t, "", c.approved...), here) {
				if f.Kind != PolicyWidened {
					continue
				}
				if f.Witness == nil || !f.Witness.Certain {
					t.Fatalf("no certain witness: %+v", f.Witness)
				}
				witnesses++
				r := request(*f.Witness)
				if d := policy.Evaluate(parse(t, c.live...), r); d.Outcome != policy.Allowed {
					t.Errorf("%s: the live policy does not allow it: %s", f.Witness, d.Reason)
				}
				if d := policy.Evaluate(parse(t, c.approved...), r); d.Outcome == policy.Allowed {
					t.Errorf("%s: the baseline allows it: %s", f.Witness, d.Reason)
				}
			}
			if witnesses == 0 {
				t.Error("no witness")
			}
		})
	}
}

// request is the request that a witness tells of.
func request(w policy.Witness) policy.Request {
	caller := policy.Caller{Kind: policy.AWSPrincipal, ID: w.Principal}
	switch {
	case w.Principal == string(policy.Anonymous):
		caller = policy.Caller{Kind: policy.Anonymous}
	case strings.HasSuffix(w.Principal, ".amazonaws.com"):
		caller.Kind = policy.ServiceCaller
	}
	return policy.Request{Principal: caller, Action: w.Action, Resource: w.Resource, Context: w.Context}
}

// TestDormantGrantIsAnnouncedAgainWhenItsDenyGoes plays the attack in two
// steps: a public grant behind a Deny, which is informational, then the Deny away.
func TestDormantGrantIsAnnouncedAgainWhenItsDenyGoes(t *testing.T) {
	l := &ledger{rows: make(map[string]Finding)}
	l.audit(Change{Event: Event{ID: "1"}}, state(t, "", public, denyAll), baseline(t, ""), here)
	l.audit(Change{Event: Event{ID: "2"}}, state(t, "", public), baseline(t, ""), here)
	if !slices.Contains(l.announced, "reopened public") {
		t.Errorf("announced %q", l.announced)
	}
	for _, row := range l.rows {
		if row.Status == Open && row.Severity != Critical {
			t.Errorf("%s", brief(row))
		}
	}
}

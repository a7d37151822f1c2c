package drift

import (
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/policy"
)

// TestNoRewritingIsClean plays rewritings of an approved policy by which a
// request becomes possible that was not: each must leave an open finding that
// is no less than high.
func TestNoRewritingIsClean(t *testing.T) {
	with := func(s, from, to string) string { return strings.Replace(s, from, to, 1) }
	for name, c := range map[string]struct{ approved, live []string }{
		"two halves of everybody":             {[]string{own}, []string{own, with(public, `"Sid"`, `"Condition":{"Bool":{"aws:SecureTransport":"true"}},"Sid"`), with(public, `"Sid":"public"`, `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Sid":"b"`)}},
		"a Deny kept, but under a condition":  {[]string{public, denyAll}, []string{public, with(denyAll, `"Sid"`, `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Sid"`)}},
		"a Deny kept, for another resource":   {[]string{public, denyAll}, []string{public, with(denyAll, "function:orders", "function:orders:live")}},
		"a Deny kept, with a NotPrincipal":    {[]string{public, denyAll}, []string{public, with(denyAll, `"Principal":"*"`, `"NotPrincipal":{"AWS":"444455556666"}`)}},
		"an approved Sid for something else":  {[]string{own}, []string{with(public, `"public"`, `"own"`)}},
		"the principal as a list with a star": {[]string{own}, []string{with(own, `"111122223333"`, `["111122223333","*"]`)}},
		"a service beside the account":        {[]string{own}, []string{with(own, `{"AWS":"111122223333"}`, `{"AWS":"111122223333","Service":"s3.amazonaws.com"}`)}},
		"everything but one action":           {[]string{own}, []string{own, with(foreign, `"Action"`, `"NotAction"`)}},
		"another organization beside ours":    {[]string{ownOrg}, []string{ownOrg, with(ownOrg, "o-exampleorgid", "o-attackersorg")}},
		"IfExists on the approved condition":  {[]string{ownOrg}, []string{with(ownOrg, `"StringEquals"`, `"StringEqualsIfExists"`)}},
		"ForAllValues on the approved one":    {[]string{ownOrg}, []string{with(ownOrg, `"StringEquals"`, `"ForAllValues:StringEquals"`)}},
	} {
		worst := Severity("")
		for _, f := range Compare(Change{Subject: orders}, state(t, "", c.live...), baseline(t, "", c.approved...), here) {
			if f.Status == Open && f.Severity.Rank() > worst.Rank() {
				worst = f.Severity
			}
		}
		if worst.Rank() < High.Rank() {
			t.Errorf("%s: the worst finding is %q", name, worst)
		}
	}
}

// TestOldVersionHidesNoVariable: in a document without a version ${…} is text,
// so a statement that looks the same as an approved one is another.
func TestOldVersionHidesNoVariable(t *testing.T) {
	const text = `{"Sid":"v","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringEquals":{"aws:username":"${aws:username}"}}}`
	old, err := policy.Parse([]byte(`{"Statement":[` + text + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	approved := Baseline{Subject: orders, Places: map[Place]Approved{"": {Version: 1, Approvals: []Approval{{Statement: old.Statements[0], At: noon}}}}}
	if found := Compare(Change{Subject: orders}, state(t, "", text), approved, here); len(found) == 0 {
		t.Error("a variable in place of literal text is clean")
	}
}

package access

import (
	"fmt"
	"math/rand"
	"testing"
)

// TestRandomAccountsAgreeWithEvaluate makes small accounts of random statements
// and checks each answer by brute force: see world.brute.
func TestRandomAccountsAgreeWithEvaluate(t *testing.T) {
	const accounts = 400
	r := rand.New(rand.NewSource(7))
	pick := func(list ...string) string { return list[r.Intn(len(list))] }
	condition := func() string {
		return pick("", "", "", `{"Bool":{"aws:SecureTransport":"true"}}`, `{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}`, `{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`,
			`{"Null":{"aws:TokenIssueTime":"true"}}`, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a*"}}`)
	}
	body := func(with string) string {
		text := `"Effect":"` + pick("Allow", "Allow", "Allow", "Deny") + `",` + with
		if c := condition(); c != "" {
			text += `,"Condition":` + c
		}
		return "{" + text + "}"
	}
	identity := func() string {
		return body(pick(`"Action":`, `"Action":`, `"NotAction":`) + pick(`"lambda:*"`, `"lambda:Invoke*"`, `["s3:Get*","lambda:invokeFunction"]`, `"lambda:UpdateFunctionCode"`) + `,"Resource":` + pick(`"*"`, `"`+arnOrders+`"`, `"arn:aws:lambda:*:*:function:b*"`))
	}
	many := func(one func() string) (out []string) {
		for range r.Intn(4) {
			out = append(out, one())
		}
		return out
	}
	grants := 0
	for n := range accounts {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			for _, name := range []string{"a", "b"} {
				if i := w.role(name, many(identity)...); r.Intn(3) == 0 {
					i.within(t, many(identity)...)
				}
			}
			if i := w.user("u", many(identity)...); r.Intn(3) == 0 {
				i.within(t, many(identity)...)
			}
			w.at("", many(func() string {
				who := pick(`"Principal":"*"`, `"Principal":{"AWS":"111122223333"}`, `"Principal":{"AWS":"`+arnOf("role", "a")+`"}`, `"Principal":{"AWS":["`+arnOf("user", "u")+`","`+arnOf("role", "b")+`"]}`, `"Principal":{"Service":"s3.amazonaws.com"}`)
				return body(who + `,"Action":` + pick(`"lambda:*"`, `"lambda:InvokeFunction"`, `"lambda:UpdateFunctionCode"`) + `,"Resource":"` + arnOrders + `"`)
			})...)
			for _, action := range []Action{Invoke, Administer} {
				a, err := WhoCan(w.Account, orders, "", action)
				if err != nil {
					t.Fatal(err)
				}
				grants += len(a.Grants)
				w.brute("", action, a)
				if t.Failed() {
					t.Logf("the function's policy: %v", w.Functions[orders].Policies[""].Policy.Statements)
					for _, i := range w.Identities {
						t.Logf("%s: %v within %v", i.ARN, i.Rights.Policy.Statements, i.Rights.Boundary)
					}
					t.Log(linesOf(a))
				}
			}
		})
	}
	if grants < accounts {
		t.Errorf("only %d grants in %d accounts", grants, accounts)
	}
}

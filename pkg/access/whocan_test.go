package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

const (
	orders  = drift.Subject("arn:aws:lambda:us-east-1:111122223333:function:orders")
	foreign = "444455556666"
)

// world is an account with the function orders, in code that reads as its policies.
type world struct {
	t testing.TB
	*Account
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{t, &Account{Owner: policy.Owner{Account: me, Organization: "o-exampleorgid"}}}
	w.put(drift.State{Subject: orders, Whole: true, Policies: map[drift.Place]drift.PlacePolicy{"": {}}, Listed: []drift.Aspect{drift.URLs}})
	return w
}

func arnOf(kind, name string) string { return "arn:aws:iam::111122223333:" + kind + "/" + name }

func (w world) role(name string, statements ...string) *Identity {
	return w.add(Role, name, statements)
}

func (w world) user(name string, statements ...string) *Identity {
	return w.add(User, name, statements)
}

func (w world) add(kind Kind, name string, statements []string) *Identity {
	w.t.Helper()
	p := doc(w.t, statements...)
	i := Identity{Kind: kind, ARN: arnOf(string(kind), name), Rights: drift.Rights{Policy: p}, From: []drift.RolePolicy{{Name: "inline", Statements: len(p.Statements)}}}
	if err := w.AddIdentity(i); err != nil {
		w.t.Fatal(err)
	}
	return &w.Identities[len(w.Identities)-1]
}

func (i *Identity) within(t testing.TB, statements ...string) *Identity {
	b := doc(t, statements...)
	i.Rights.Boundary, i.BoundaryARN = &b, arnOf("policy", "boundary")
	return i
}

func (i *Identity) trusts(t testing.TB, statements ...string) { i.Trust = doc(t, statements...) }

// at puts the function's policy at a place.
func (w world) at(place drift.Place, statements ...string) {
	w.t.Helper()
	s := w.Functions[orders]
	s.Policies[place] = drift.PlacePolicy{Policy: doc(w.t, statements...)}
	w.put(s)
}

func (w world) url(place drift.Place, authType string) {
	s := w.Functions[orders]
	s.URLs = map[drift.Place]drift.URL{place: {AuthType: authType}}
	w.put(s)
}

// grantTo is a statement of a function's policy: a principal, an action, conditions.
func grantTo(principal, action string, condition ...string) string {
	return statement("Allow", "Principal", principal, action, condition...)
}

func statement(effect, element, principal, action string, condition ...string) string {
	text := fmt.Sprintf(`{"Effect":%q,%q:%s,"Action":"lambda:%s","Resource":"%s"`, effect, element, principal, action, orders)
	if len(condition) > 0 {
		text += `,"Condition":` + condition[0]
	}
	return text + "}"
}

// linesOf is an answer in lines, one for each grant:
// "kind principal: what, through, with, provided, certain or not".
func linesOf(a Answer) []string {
	var out []string
	for _, g := range a.Grants {
		line := string(g.Kind) + " " + strings.TrimPrefix(g.Principal, "arn:aws:iam::111122223333:")
		if a.Action == Administer {
			line += " " + strings.ReplaceAll(strings.Join(g.Actions, ","), "lambda:", "")
		}
		for _, t := range g.Through {
			line += " <" + t.String() + ">"
		}
		if g.Context != nil {
			line += " with " + g.With()
		}
		if g.Provided != "" {
			line += " if " + g.Provided
		}
		if !g.Certain {
			line += " (not certain)"
		}
		out = append(out, line)
	}
	return out
}

func (w world) want(place drift.Place, action Action, want ...string) {
	w.t.Helper()
	a, err := WhoCan(w.Account, orders, place, action)
	if err != nil {
		w.t.Fatal(err)
	}
	got := linesOf(a)
	for i := range got {
		got[i] = strings.NewReplacer("function policy, statement ", "policy ", "inline policy inline, statement ", "identity ").Replace(got[i])
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("who can %s at %q:\n got  %s\n want %s", action, place, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
		for _, g := range a.Grants {
			if g.Why != "" {
				w.t.Logf("%s: %s", g.Principal, g.Why)
			}
		}
	}
	w.brute(place, action, a)
}

const arnOrders = string(orders)

func TestScenarioOneNeedsNoResourcePolicy(t *testing.T) {
	w := newWorld(t)
	w.user("joe", allow("lambda:InvokeFunction", arnOrders))
	w.role("web", allow("lambda:InvokeFunction", "arn:aws:lambda:*:*:*"))
	w.role("payments", allow("lambda:InvokeFunction", arnOrders+"-payments"))
	w.role("reader", allow("lambda:Get* lambda:List*", "*"))
	w.role("aliases", allow("lambda:InvokeFunction", arnOrders+":*"))
	w.want("", Invoke, "role role/web <identity 0>", "user user/joe <identity 0>")
	w.at("live")
	w.want("live", Invoke, "role role/aliases <identity 0>", "role role/web <identity 0>")
	w.want("", Administer)
}

func TestScenarioTwoNeedsBothAccounts(t *testing.T) {
	w := newWorld(t)
	w.role("web") // nothing of its own
	w.at("", grantTo(`{"AWS":"444455556666"}`, "InvokeFunction"), grantTo(`{"AWS":"arn:aws:iam::123456789012:role/caller"}`, "InvokeFunction"))
	w.want("", Invoke,
		"account 444455556666 <policy 0> if a policy of account 444455556666 allows it",
		"role arn:aws:iam::123456789012:role/caller <policy 1> if a policy of account 123456789012 allows it")
	w.at("", grantTo(`{"AWS":"111122223333"}`, "InvokeFunction"))
	w.want("", Invoke) // a grant to the account only delegates
	w.role("delegate", allow("lambda:*", "*"))
	w.want("", Invoke, "role role/delegate <identity 0>")
}

func TestScenarioThreeClimbsTheLadder(t *testing.T) {
	const s3 = `{"Service":"s3.amazonaws.com"}`
	w := newWorld(t)
	w.at("",
		grantTo(s3, "InvokeFunction", `{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::amzn-s3-demo-bucket"}}`),
		grantTo(s3, "InvokeFunction", `{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::amzn-s3-demo-bucket"}}`),
		grantTo(s3, "InvokeFunction", `{"StringEquals":{"AWS:SourceAccount":"444455556666"}}`),
		grantTo(`{"Service":"sns.amazonaws.com"}`, "InvokeFunction"))
	w.want("", Invoke,
		"service s3.amazonaws.com <policy 1> with aws:SourceArn=arn:aws:s3:::amzn-s3-demo-bucket",
		"service sns.amazonaws.com <policy 3>",
		"service s3.amazonaws.com <policy 2> with aws:SourceAccount=444455556666",
		"service s3.amazonaws.com <policy 0> with aws:SourceAccount=111122223333, aws:SourceArn=arn:aws:s3:::amzn-s3-demo-bucket")
	a, _ := WhoCan(w.Account, orders, "", Invoke)
	var exposures []string
	for _, g := range a.Grants {
		exposures = append(exposures, string(g.Exposure))
	}
	if want := "confused-deputy confused-deputy external internal"; strings.Join(exposures, " ") != want {
		t.Errorf("exposures %s, want %s", exposures, want)
	}
}

func TestScenarioFourReadsWithTheExecutionRole(t *testing.T) {
	const stream = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks"
	w := newWorld(t)
	w.role("exec", allow("kinesis:DescribeStream kinesis:ListStreams kinesis:GetShardIterator kinesis:GetRecords", stream))
	s := w.Functions[orders]
	s.Roles = map[drift.Place]string{"": arnOf("role", "exec")}
	s.Mappings = map[string]*drift.PlacedMapping{
		"uuid-1": {Mapping: drift.Mapping{UUID: "uuid-1", Source: stream, Enabled: true}},
		"uuid-2": {Mapping: drift.Mapping{UUID: "uuid-2", Source: "arn:aws:sqs:us-east-1:111122223333:queue", Enabled: true}},
		"uuid-3": {Mapping: drift.Mapping{UUID: "uuid-3", Source: stream, Enabled: true}, Place: "live"},
	}
	w.put(s)
	w.want("", Invoke, "service "+stream+" <event source mapping uuid-1>", "service arn:aws:sqs:us-east-1:111122223333:queue <event source mapping uuid-2> (not certain)")
	w.role("mapper", allowIf("lambda:CreateEventSourceMapping", "*", `{"ArnEquals":{"lambda:FunctionArn":"`+arnOrders+`"}}`))
	w.role("other", allowIf("lambda:CreateEventSourceMapping", "*", `{"ArnEquals":{"lambda:FunctionArn":"`+arnOrders+`-2"}}`))
	w.want("", Administer, "role role/mapper CreateEventSourceMapping <identity 0>")
}

func TestTheBoundaryLimitsGrantsToTheRoleAndNotToUserOrSession(t *testing.T) {
	const session = "arn:aws:sts::111122223333:assumed-role/limited/s1"
	w := newWorld(t)
	w.role("limited", allow("lambda:*", "*")).within(t, allow("s3:* lambda:Get*", "*"))
	w.role("wide", allow("lambda:*", "*")).within(t, allow("s3:* lambda:Invoke*", "*"))
	w.user("ana").within(t, allow("s3:*", "*"))
	w.at("", grantTo(`{"AWS":["`+arnOf("role", "limited")+`","`+session+`","`+arnOf("user", "ana")+`"]}`, "InvokeFunction"))
	w.want("", Invoke, "role role/wide <identity 0>", "role arn:aws:sts::111122223333:assumed-role/limited/s1 <policy 0>", "user user/ana <policy 0>")
	w.Identities[0].within(t, allow("s3:* lambda:Get*", "*"), deny("lambda:InvokeFunction", "*")) // an explicit Deny hits the session too
	w.want("", Invoke, "role role/wide <identity 0>", "user user/ana <policy 0>")
	w.Identities[0].within(t, allow("s3:* lambda:Get*", "*"))
	w.at("", grantTo(`"*"`, "InvokeFunction", `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`)) // "*" is not limited
	w.want("", Invoke, "role role/limited <policy 0>", "role role/wide <identity 0> <policy 0>", "user user/ana <policy 0>")
}

func TestADenyAnywhereWins(t *testing.T) {
	w := newWorld(t)
	w.role("a", allow("lambda:*", "*"), deny("lambda:InvokeFunction", arnOrders))
	w.role("b", allow("lambda:*", "*"))
	w.role("c", allow("lambda:*", "*"))
	w.role("d").within(t, allow("lambda:*", "*"), deny("lambda:InvokeFunction", "*"))
	w.at("",
		grantTo(`{"AWS":["`+arnOf("role", "a")+`","`+arnOf("role", "d")+`"]}`, "InvokeFunction"),
		statement("Deny", "Principal", `{"AWS":"`+arnOf("role", "b")+`"}`, "InvokeFunction"),
		statement("Deny", "Principal", `"*"`, "*", `{"Bool":{"aws:SecureTransport":"false"}}`))
	w.want("", Invoke, "role role/c <identity 0>")
}

func TestNotPrincipalSparesWhomItNamesUnlessHeHasABoundary(t *testing.T) {
	spared := `{"AWS":["` + arnOf("role", "spared") + `","` + arnOf("role", "bounded") + `","111122223333"]}`
	w := newWorld(t)
	w.role("spared", allow("lambda:*", "*"))
	w.role("bounded", allow("lambda:*", "*")).within(t, allow("*", "*"))
	w.at("", grantTo(`{"AWS":"444455556666"}`, "InvokeFunction"), statement("Deny", "NotPrincipal", spared, "InvokeFunction"))
	w.want("", Invoke, "role role/spared <identity 0>")
	w.at("", statement("Allow", "NotPrincipal", `{"AWS":["`+arnOf("role", "spared")+`","111122223333"]}`, "InvokeFunction"))
	w.want("", Invoke,
		`account * <policy 0> if a policy of the caller's own account allows it`, "service * <policy 0>",
		"role role/bounded <identity 0>", "role role/spared <identity 0>")
}

func TestAPublicURLTakesBothGrants(t *testing.T) {
	url := grantTo(`"*"`, "InvokeFunctionUrl", `{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}`)
	through := grantTo(`"*"`, "InvokeFunction", `{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}`)
	w := newWorld(t)
	w.role("web", allow("lambda:InvokeFunction", "*"))
	w.url("", "NONE")
	w.at("", url)
	w.want("", Invoke, "role role/web <identity 0>")
	w.at("", url, through)
	w.want("", Invoke, "anonymous * <function URL, AuthType NONE> <policy 0> <policy 1>", "role role/web <identity 0>")
	w.url("", "AWS_IAM")
	w.want("", Invoke, "role role/web <identity 0>") // the grant is for another AuthType
	w.url("", "")
	w.want("", Invoke, "role role/web <identity 0>")
}

func TestAURLWithIAMLetsInWhoMayCallIt(t *testing.T) {
	w := newWorld(t)
	w.role("caller", allow("lambda:InvokeFunctionUrl", "*"), allowIf("lambda:InvokeFunction", "*", `{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}`))
	w.role("half", allow("lambda:InvokeFunctionUrl", "*"))
	w.url("", "AWS_IAM")
	w.want("", Invoke, "role role/caller <function URL, AuthType AWS_IAM> <identity 0> <identity 1>")
}

func TestAnybodyIsToldWithHisConditions(t *testing.T) {
	w := newWorld(t)
	w.at("", grantTo(`"*"`, "InvokeFunction"))
	w.want("", Invoke, "account * <policy 0> if a policy of the caller's own account allows it", "service * <policy 0>")
	w.at("", grantTo(`"*"`, "InvokeFunction", `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`))
	w.role("idle")
	w.want("", Invoke, "account * <policy 0> with aws:PrincipalOrgID=o-exampleorgid if a policy of the caller's own account allows it", "role role/idle <policy 0>")
	w.at("", grantTo(`{"Federated":"cognito-identity.amazonaws.com"}`, "InvokeFunction"))
	w.want("", Invoke, "federated cognito-identity.amazonaws.com <policy 0>")
	w.at("", grantTo(`{"AWS":"AROAEXAMPLEEXAMPLE001"}`, "InvokeFunction"))
	w.want("", Invoke)
}

func TestWhoAdministersIsToldByAction(t *testing.T) {
	w := newWorld(t)
	w.role("deploy", allow("lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration", arnOrders))
	w.at("", grantTo(`{"AWS":"444455556666"}`, "AddPermission"), grantTo(`{"AWS":"444455556666"}`, "InvokeFunction"))
	w.want("", Administer,
		"account 444455556666 AddPermission <policy 0> if a policy of account 444455556666 allows it",
		"role role/deploy UpdateFunctionCode,UpdateFunctionConfiguration <identity 0>")
}

func TestTheRolesOfAnAnswerAreToldWithWhoAssumesThem(t *testing.T) {
	w := newWorld(t)
	w.user("joe")
	w.role("web", allow("lambda:InvokeFunction", "*")).trusts(t,
		`{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com","AWS":["`+arnOf("user", "joe")+`","444455556666"]},"Action":"sts:AssumeRole"}`,
		`{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/example.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"example.com:aud":"sts"}}}`,
		`{"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:ExternalId":"x1"}}}`)
	a, err := WhoCan(w.Account, orders, "", Invoke)
	if err != nil || len(a.Grants) != 1 {
		t.Fatalf("%v %v", linesOf(a), err)
	}
	var got []string
	for _, by := range a.Grants[0].AssumedBy {
		got = append(got, fmt.Sprintf("%s %s %s %v", by.Kind, by.Principal, contextText(by.Context), by.Certain))
	}
	want := []string{
		"account 444455556666 sts:ExternalId=x1 true", "service ec2.amazonaws.com  true",
		"federated arn:aws:iam::111122223333:oidc-provider/example.com example.com:aud=sts true", "user arn:aws:iam::111122223333:user/joe  true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("assumed by\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

func TestWhatWasNotReadIsSaid(t *testing.T) {
	w := newWorld(t)
	i := w.role("half")
	i.Rights.Problem = "inline policy x: line 1: unexpected end"
	s := w.Functions[orders]
	s.Whole, s.Gaps = false, []drift.Gap{{Place: "live", Reason: "GetPolicy was refused"}}
	w.put(s)
	a, err := WhoCan(w.Account, orders, "live", Invoke)
	if err != nil {
		t.Fatal(err)
	}
	if got := linesOf(a); len(got) != 1 || !strings.HasPrefix(got[0], "role role/half") || a.Grants[0].Certain {
		t.Errorf("a role that could not be read: %s", got)
	}
	text := strings.Join(a.NotRead, "; ")
	for _, want := range []string{"service control policies", "resource control policies", "session policies", "the policy of " + arnOrders + ":live", "GetPolicy was refused", "1 of the 1 roles"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
}

func TestQuestionsAboutWhatIsNotThereAreErrors(t *testing.T) {
	w := newWorld(t)
	if _, err := WhoCan(w.Account, orders+"-2", "", Invoke); !errors.Is(err, ErrNoFunction) {
		t.Errorf("another function: %v", err)
	}
	if _, err := WhoCan(w.Account, orders, "live", Invoke); !errors.Is(err, ErrNoQualifier) {
		t.Errorf("another qualifier: %v", err)
	}
	if _, err := WhoCan(w.Account, orders, "", "eat"); err == nil {
		t.Error("another action: no error")
	}
}

package remediation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// wantSame checks that two documents mean the same.
func wantSame(t testing.TB, before, after string) {
	t.Helper()
	p, err := policy.Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	q, err := policy.Parse([]byte(after))
	if err != nil {
		t.Fatalf("%v in %q", err, after)
	}
	if !p.Equal(q) {
		t.Fatalf("not the same\nbefore %s\nafter  %s", before, after)
	}
}

// roundTrip removes the cause of a finding and undoes it again.
func (w *world) roundTrip(f drift.Finding, place drift.Place) []drift.Intent {
	w.t.Helper()
	before := w.aws.Policy(string(orders), string(place))
	if w.remediate(f) == nil {
		w.t.Fatalf("nothing was removed from %s: %v", before, w.notes)
	}
	intents, err := w.Intents(w.t.Context(), orders)
	if err != nil {
		w.t.Fatal(err)
	}
	var ours []drift.Intent
	for _, i := range intents {
		if i.FindingID == f.ID && i.Status == drift.Done {
			ours = append(ours, i)
		}
	}
	for _, i := range slices.Backward(ours) {
		if err := Undo(w.t.Context(), w.client, i); err != nil {
			w.t.Fatalf("undoing %s: %v", i.Undo, err)
		}
	}
	wantSame(w.t, before, w.aws.Policy(string(orders), string(place)))
	return ours
}

// permission is a random call to AddPermission that AWS takes.
func (g generator) permission(place drift.Place) *lambda.AddPermissionInput {
	maybe := func(values ...string) *string {
		if g.IntN(2) == 0 {
			return nil
		}
		return aws.String(pick(g, values...))
	}
	in := &lambda.AddPermissionInput{
		FunctionName: aws.String(string(orders)), StatementId: aws.String(pick(g, "a", "B-1_x", "-dash", "--debug", strings.Repeat("z", 100))),
		Action: aws.String(pick(g, "lambda:InvokeFunction", "lambda:*", "*", "lambda:InvokeFunctionUrl", "lambda:GetFunction")),
		Principal: aws.String(pick(g, "*", account, "444455556666", "arn:aws:iam::444455556666:user/a/b+c=d,e@f", "arn:aws:iam::444455556666:root",
			"s3.amazonaws.com", "alexa-appkit.amazon.com", "apigateway.amazonaws.com")),
		SourceArn:        maybe("arn:aws:s3:::amzn-s3-demo-bucket", "arn:aws:execute-api:us-east-1:111122223333:a1b2/*/GET/it's $HOME `x`"),
		SourceAccount:    maybe(account, "444455556666"),
		PrincipalOrgID:   maybe("o-exampleorgid"),
		EventSourceToken: maybe("amzn1.ask.skill.x-1", "-f"),
	}
	if place != "" {
		in.Qualifier = aws.String(string(place))
	}
	if *in.Action == "lambda:InvokeFunctionUrl" {
		in.FunctionUrlAuthType = pick(g, "", types.FunctionUrlAuthTypeNone, types.FunctionUrlAuthTypeAwsIam)
	}
	if g.IntN(2) == 0 {
		in.InvokedViaFunctionUrl = aws.Bool(g.IntN(2) == 0)
	}
	return in
}

// Everything that AddPermission can write is put back by AddPermission.
func TestUndoOfAddPermission(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(3, 4))}
	for n := range 80 {
		w := newWorld(t)
		w.approved = []string{}
		place := pick[drift.Place](g, "", "live")
		if g.IntN(2) == 0 {
			w.approved = []string{own}
			w.aws.SetPolicy(string(orders), string(place), text(own))
		}
		in := g.permission(place)
		if _, err := w.client.AddPermission(t.Context(), in); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		for _, f := range w.find(place) {
			if len(f.Sids) != 1 || f.Sids[0] != *in.StatementId {
				continue // own, at live, where it is not approved
			}
			for _, i := range w.roundTrip(f, place) {
				if i.Remedy != drift.RemovePermission || !strings.HasPrefix(i.Undo, "aws lambda add-permission ") {
					t.Fatalf("%d: %s is undone by %s", n, i.Statement, i.Undo)
				}
			}
		}
	}
}

// Whatever a JSON policy says, what was removed can be put back.
func TestUndoOfJSONPolicies(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(5, 6))}
	trips := 0
	for range 80 {
		w := newWorld(t)
		w.aws.SetPolicy(string(orders), "", g.policy())
		for _, f := range w.find("") {
			state, err := w.reader.State(t.Context(), drift.Change{Subject: orders, Operation: drift.RemoveStatement})
			if err != nil {
				t.Fatal(err)
			}
			if d := Plan(f, state, drift.Baseline{}, strict); d.Intent == nil {
				continue // a Deny, or a Sid that two statements bear
			}
			before := w.aws.Policy(string(orders), "")
			if _, err := w.Remediate(t.Context(), orders, f.ID); err != nil {
				t.Fatalf("%v in %s", err, before)
			}
			if row := w.row(f); row.Status != drift.Remediated { // the next of its Sids is borne by two
				w.aws.SetPolicy(string(orders), "", before)
				continue
			}
			w.undo(f)
			wantSame(t, before, w.aws.Policy(string(orders), ""))
			trips++
		}
	}
	if trips < 60 {
		t.Errorf("only %d round trips", trips)
	}
}

// undo undoes all intents of a finding, the last one first.
func (w *world) undo(f drift.Finding) {
	w.t.Helper()
	intents, err := w.Intents(w.t.Context(), orders)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, i := range slices.Backward(intents) {
		if i.FindingID != f.ID {
			continue
		}
		if err := Undo(w.t.Context(), w.client, i); err != nil {
			w.t.Fatalf("undoing %s: %v", i.Undo, err)
		}
	}
}

// What AddPermission would write otherwise than it was is restored whole.
func TestUndoByWholeDocument(t *testing.T) {
	for name, s := range map[string]string{
		"two conditions on one key": `"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::a*","AWS:SourceArn":"arn:aws:s3:::*b"}},`,
		"two values":                `"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:s3:::a","arn:aws:s3:::b"]}},`,
		"another operator":          `"Condition":{"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::a"}},`,
		"another key":               `"Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}},`,
		"a variable":                `"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${aws:username}"}},"NotPrincipal":{"AWS":"111122223333"},`,
		"a local file":              `"Condition":{"StringEquals":{"lambda:EventSourceToken":"file:///home/alice/.aws/credentials"}},`,
		"an address":                `"Condition":{"StringEquals":{"lambda:EventSourceToken":"https://mallory.example/"}},`,
		"a URL type of invoking":    `"Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}},`,
		"two actions":               `"Action":["lambda:InvokeFunction","lambda:GetPolicy"],`,
		"a pattern of actions":      `"Action":"lambda:Invoke*",`,
		"another resource":          `"Resource":"*",`,
		"two principals":            `"Principal":{"AWS":["111122223333","444455556666"]},`,
		"a provider":                `"Principal":{"Federated":"accounts.google.com"},`,
		"a file as principal":       `"Principal":{"Service":"file:///etc/passwd"},`,
		"a service called *":        `"Principal":{"Service":"*"},`,
		"all but one":               `"NotPrincipal":{"AWS":"111122223333"},`,
	} {
		t.Run(name, func(t *testing.T) {
			members := `{"Sid":"odd","Effect":"Allow",` + s
			if !strings.Contains(s, "Principal") {
				members += `"Principal":"*",`
			}
			if !strings.Contains(s, `"Action"`) {
				members += `"Action":"lambda:InvokeFunction",`
			}
			if !strings.Contains(s, `"Resource"`) {
				members += `"Resource":"` + string(orders) + `",`
			}
			w := newWorld(t)
			w.approved = []string{own}
			f := w.put("", own, strings.TrimSuffix(members, ",")+"}")
			intents := w.roundTrip(f, "")
			if undo := intents[0].Undo; !strings.HasPrefix(undo, "aws lambda put-resource-policy --resource-arn ") || !strings.Contains(undo, "--policy '{") {
				t.Errorf("undone by %s", undo)
			}
		})
	}
}

// A literal ${…} of an old document is not written into a new one, where it
// would be a variable.
func TestUndoOfLiteralVariables(t *testing.T) {
	document := `{"Version":"2008-10-17","Statement":{"Sid":"odd","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + string(orders) +
		`","Condition":{"StringEquals":{"lambda:EventSourceToken":"token-${aws:username}"}}}}`
	_, d := planned(t, document)
	if _, ok := permission(*d.Intent); ok {
		t.Errorf("undone by %s", d.Intent.Undo)
	}
}

func TestUndoCommand(t *testing.T) {
	_, d := planned(t, text(`{"Sid":"--debug","Effect":"Allow","Principal":{"Service":"alexa-appkit.amazon.com"},"Action":"lambda:InvokeFunction","Resource":"`+string(orders)+
		`","Condition":{"StringEquals":{"AWS:SourceAccount":"444455556666","lambda:EventSourceToken":"-x"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::it's"},"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`))
	want := "aws lambda add-permission --function-name " + string(orders) + " --statement-id=--debug --action lambda:InvokeFunction --principal alexa-appkit.amazon.com" +
		` --source-arn 'arn:aws:s3:::it'\''s' --source-account 444455556666 --event-source-token=-x --invoked-via-function-url --region us-east-1`
	if d.Intent.Undo != want {
		t.Errorf("got  %s\nwant %s", d.Intent.Undo, want)
	}
	if _, ok := permission(drift.Intent{Sid: "x"}); ok {
		t.Error("an intent without a statement is undone by AddPermission")
	}
}

func TestUndoFailures(t *testing.T) {
	for _, s := range []string{public, nameless} {
		w := newWorld(t)
		w.approved = []string{own}
		intent := w.remediate(w.put("", own, s))
		w.aws.Fail("*", 1, "AccessDeniedException")
		err := Undo(t.Context(), w.client, *intent)
		var code interface{ ErrorCode() string }
		if !errors.As(err, &code) || code.ErrorCode() != "AccessDeniedException" || !strings.Contains(err.Error(), string(orders)) {
			t.Errorf("got %v", err)
		}
	}
}

// Undoing twice is refused by AWS, and changes nothing.
func TestUndoTwice(t *testing.T) {
	w := newWorld(t)
	intent := w.remediate(w.put("", public))
	if err := Undo(t.Context(), w.client, *intent); err != nil {
		t.Fatal(err)
	}
	if err := Undo(t.Context(), w.client, *intent); err == nil {
		t.Error("the same Sid was added twice")
	}
	if w.left("") != "public" {
		t.Errorf("left %s", fmt.Sprint(w.left("")))
	}
}

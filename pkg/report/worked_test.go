package report

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

const orders = drift.Subject("arn:aws:lambda:us-east-1:111122223333:function:orders")

var written = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

func own(kind, name string) string { return "arn:aws:iam::111122223333:" + kind + "/" + name }

func statement(of string, index int, sid string, conditions ...string) access.Through {
	return access.Through{Policy: of, Statement: index, Sid: sid, Conditions: conditions}
}

func beside(what string) access.Through { return access.Through{Policy: what, Statement: -1} }

// can is a certain grant to invoke.
func can(principal string, kind access.Kind, exposure policy.Exposure, through ...access.Through) access.Grant {
	return access.Grant{Principal: principal, Kind: kind, Actions: []string{"lambda:InvokeFunction"}, Through: through, Exposure: exposure, Certain: true}
}

// worked is a function with each kind of grant, at two places, and nobody at a third.
func worked() []access.Answer {
	manage := own("policy", "RunFunctions")
	url := can("*", access.Anonymous, policy.Public, beside("function URL, AuthType NONE"),
		statement(access.FunctionPolicy, 0, "url", "StringEquals lambda:FunctionUrlAuthType NONE"), statement(access.FunctionPolicy, 1, "through"))
	url.Actions = []string{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
	bucket := can("s3.amazonaws.com", access.Service, policy.ConfusedDeputy, statement(access.FunctionPolicy, 2, "s3", "ArnLike AWS:SourceArn arn:aws:s3:::amzn-s3-demo-bucket"))
	bucket.Context = map[string][]string{"AWS:SourceArn": {"arn:aws:s3:::amzn-s3-demo-bucket"}}
	partner := can("444455556666", access.Other, policy.External, statement(access.FunctionPolicy, 3, "partner"))
	partner.Provided = "a policy of account 444455556666 allows it"
	broken := can(own("role", "old"), access.Role, policy.Internal, beside("a policy that could not be read"))
	broken.Certain, broken.Why = false, "inline policy broken: line 1, column 2: expected a name in quotes"
	web := can(own("role", "web"), access.Role, policy.Internal, statement("inline policy call", 0, "orders"), statement(manage, 1, ""))
	web.AssumedBy = []access.Assumer{
		{Principal: "444455556666", Kind: access.Other, Provided: "a policy of account 444455556666 allows it", Certain: true, Context: map[string][]string{"sts:ExternalId": {"example"}}},
		{Principal: own("oidc-provider", "token.actions.githubusercontent.com"), Kind: access.Federated},
		{Principal: "ec2.amazonaws.com", Kind: access.Service, Certain: true},
	}
	queue := can("arn:aws:sqs:us-east-1:111122223333:incoming", access.Service, policy.Internal, beside("event source mapping 14e0db71-0000-4000-8000-EXAMPLE11111"))
	admin := can(own("role", "admin"), access.Role, policy.Internal, statement("inline policy all", 0, ""))
	admin.Actions = access.Administering()
	return []access.Answer{
		{Function: orders, Action: access.Invoke, NotRead: []string{"the policies of other accounts"}, Grants: []access.Grant{
			url, bucket, partner, broken, web, can(own("user", "joe"), access.User, policy.Internal, statement(manage, 1, "")), queue, admin,
		}},
		{Function: orders, Qualifier: "live", Action: access.Invoke, NotRead: []string{"the policies of other accounts", "which other aliases orders has"}, Grants: []access.Grant{partner}},
		{Function: orders, Qualifier: "7", Action: access.Invoke},
	}
}

// crowd is one answer with n grants, each through a statement of its own.
func crowd(n int) access.Answer {
	a := access.Answer{Function: orders, Action: access.Invoke}
	for i := range n {
		g := can(own("role", fmt.Sprintf("r%05d", i)), access.Role, policy.Internal, statement("inline policy run", 0, ""))
		g.AssumedBy = []access.Assumer{{Principal: own("user", fmt.Sprintf("u%05d", i)), Kind: access.User, Certain: true}}
		a.Grants = append(a.Grants, g)
	}
	return a
}

func write(t testing.TB, answers ...access.Answer) string {
	t.Helper()
	var b bytes.Buffer
	if err := WhoCan(&b, written, answers...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

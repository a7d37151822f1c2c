package policy

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzEvaluate asks that no policy and no request makes Evaluate panic, that
// the outcome is one of the four and the same every time, and that the deciding
// statement exists.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"lambda:Invoke*","Resource":"arn:aws:lambda:*:*:function:${k, 'f'}*","Condition":{"ForAnyValue:StringLike":{"k":["a*","${j}"]}}}}`), "aws", evalSession, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:1:function:f", "k=a|b;j=c")
	f.Add([]byte(`{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/p/r"]},"NotAction":"a:?","NotResource":"arn:aws:a*","Condition":{"NumericLessThan":{"n":1e3},"DateLessThan":{"d":"2026-01-01T00:00:00Z"},"IpAddress":{"i":["10.0.0.0/8","::/0"]},"BinaryEquals":{"b":"QQ=="},"Bool":{"t":true},"Null":{"x":"true"}}}]}`), "anonymous", "", "a:B", "", "n=1;d=2025-01-01;i=::ffff:10.0.0.1;b=QQ==;t=true")
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"${${*}${a:b, '}"}]}`), "service", "s3.amazonaws.com", "\xff", "\xff:?*", "a:b=\xff;A:B=x")
	f.Fuzz(func(t *testing.T, text []byte, kind, id, action, resource, context string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		r := Request{Principal: Caller{Kind: CallerKind(kind), ID: id}, Action: action, Resource: resource, Context: evalContext(context)}
		d := Evaluate(p, r)
		if again := Evaluate(p, r); fmt.Sprint(again) != fmt.Sprint(d) {
			t.Errorf("once %+v, then %+v", d, again)
		}
		if access(d) < 0 || d.Reason == "" || d.Statement < -1 || d.Statement >= len(p.Statements) || len(d.Trace) != len(p.Statements) {
			t.Errorf("%+v", d)
		}
		if within := EvaluateIdentity([]Policy{p}, &p, r); access(within) < 0 {
			t.Errorf("%+v", within)
		}
	})
}

// TestEvaluateIsBounded asks of hostile policies that the work stops at its cap
// and that the answer is then not known.
func TestEvaluateIsBounded(t *testing.T) {
	const twentyKB = 20 << 10
	pattern := strings.Repeat("*a*b*c", twentyKB/6)
	for _, c := range []struct {
		name, statement, resource string
		values                    []string
		want                      Outcome
	}{
		{"stars match", `"Resource":"` + pattern + `*"`, strings.Repeat("abc", twentyKB), nil, Allowed},
		{"stars fail", `"Resource":"` + pattern + `d"`, strings.Repeat("abc", twentyKB), nil, ImplicitDeny},
		{"stars and question marks", `"Resource":"` + strings.Repeat("*?a", twentyKB/3) + `"`, strings.Repeat("a", twentyKB), nil, Undecided},
		{"many patterns", `"Resource":["` + strings.Repeat(`*x","`, twentyKB) + `*x"]`, strings.Repeat("a", 1<<20), nil, Undecided},
		{"many values against many", `"Condition":{"ForAnyValue:StringEquals":{"k":["` + strings.Repeat(`x","`, twentyKB) + `x"]}}`, "", strings.Split(strings.Repeat("y,", 1<<20), ","), Undecided},
		{"long numbers", `"Condition":{"NumericLessThan":{"k":` + strings.Repeat("9", 1<<19) + `}}`, "", []string{strings.Repeat("9", 1<<19) + ".0"}, ImplicitDeny},
		{"a variable in every place", `"Resource":"arn:a:a:::` + strings.Repeat("${k}", twentyKB) + `"`, "arn:a:a:::" + strings.Repeat("*?", twentyKB), []string{"*?"}, Allowed},
		{"a long variable in every place", `"Resource":"arn:a:a:::` + strings.Repeat("${k}", twentyKB) + `"`, "", []string{strings.Repeat("x", twentyKB)}, Undecided},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",` + c.statement + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			e := newEvaluation(Request{Action: "a:B", Resource: c.resource, Context: map[string][]string{"k": c.values}})
			d := decide(e.policy(nil, 0, &p), e.request)
			checkOutcome(t, d, c.want)
			if spent := e.work > maxWork; spent != (c.want == Undecided) {
				t.Errorf("spent %d of %d", e.work, maxWork)
			}
		})
	}
}

// BenchmarkEvaluate is one request against the policies of 20 and 60
// statements, as AddPermission writes them; the last statement decides.
func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{20, 60} {
		var statements []string
		for i := range n {
			statements = append(statements, fmt.Sprintf(`{"Sid":"s%d","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::bucket-%d"}}}`, i, i))
		}
		p, err := Parse([]byte(`{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(statements, ",") + `]}`))
		if err != nil {
			b.Fatal(err)
		}
		r := Request{Principal: Caller{Kind: ServiceCaller, ID: "s3.amazonaws.com"}, Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:us-east-1:111122223333:function:orders"}
		for name, change := range map[string]func(*Request){
			"match": func(r *Request) {
				r.Context = evalContext(fmt.Sprintf("aws:SourceAccount=111122223333;aws:SourceArn=arn:aws:s3:::bucket-%d", n-1))
			},
			"nobody":  func(r *Request) { r.Principal = Caller{Kind: Anonymous} },
			"account": func(r *Request) { r.Context = evalContext("aws:SourceAccount=444455556666") },
		} {
			request := r
			change(&request)
			b.Run(fmt.Sprintf("%d-%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Evaluate(p, request)
				}
			})
		}
	}
}

package policy

import "testing"

func statement(t testing.TB, text string) Statement {
	t.Helper()
	s, err := ParseStatement([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCanonicalForm(t *testing.T) {
	const rest = `,"Action":"lambda:InvokeFunction","Resource":"` + function + `"`
	for _, c := range []struct {
		name, a, b string
		equal      bool
	}{
		{"Sid", `{"Sid":"a","Effect":"Allow","Principal":"*"` + rest + `}`, `{"Effect":"Allow","Principal":"*"` + rest + `}`, true},
		{"order of elements", `{"Action":"lambda:InvokeFunction","Principal":"*","Resource":"` + function + `","Effect":"Allow"}`, `{"Effect":"Allow","Principal":"*"` + rest + `}`, true},
		{"action case", `{"Effect":"Allow","Principal":"*","Action":"lambda:invokeFunction","Resource":"` + function + `"}`, `{"Effect":"Allow","Principal":"*"` + rest + `}`, true},
		{"resource case", `{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"arn:aws:lambda:us-east-1:111122223333:function:Orders"}`, `{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"` + function + `"}`, false},
		{"star in AWS", `{"Effect":"Allow","Principal":{"AWS":["*","444455556666"]}` + rest + `}`, `{"Effect":"Allow","Principal":"*"` + rest + `}`, true},
		{"account and root", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"}` + rest + `}`, `{"Effect":"Allow","Principal":{"AWS":"444455556666"}` + rest + `}`, true},
		{"root of another partition", `{"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::444455556666:root"}` + rest + `}`, `{"Effect":"Allow","Principal":{"AWS":"444455556666"}` + rest + `}`, false},
		{"order and doubles in lists", `{"Effect":"Allow","Principal":{"AWS":["444455556666","777788889999","444455556666"]}` + rest + `}`, `{"Effect":"Allow","Principal":{"AWS":["777788889999","444455556666"]}` + rest + `}`, true},
		{"key case", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"ArnLike":{"AWS:SourceArn":"x"}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"ArnLike":{"aws:sourcearn":["x"]}}}`, true},
		{"tag key case stays", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"StringEquals":{"aws:PrincipalTag/Team":"x"}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"x"}}}`, false},
		{"ArnEquals is ArnLike", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"ArnEquals":{"k":"x"}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"ArnLike":{"k":"x"}}}`, true},
		{"StringLike is not ArnLike", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"StringLike":{"k":"x"}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"ArnLike":{"k":"x"}}}`, false},
		{"IfExists matters", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"StringEqualsIfExists":{"k":"x"}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"StringEquals":{"k":"x"}}}`, false},
		{"empty condition", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{}}`, `{"Effect":"Allow","Principal":"*"` + rest + `}`, true},
		{"literal Bool", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"Bool":{"k":true}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"Bool":{"k":"True"}}}`, true},
		{"no condition and one", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"Bool":{"k":true}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `}`, false},
		{"conditions under two operators", `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"Bool":{"k":true},"ArnLike":{"a":"b"}}}`, `{"Effect":"Allow","Principal":"*"` + rest + `,"Condition":{"ArnLike":{"a":"b"},"Bool":{"k":true}}}`, true},
		{"effect", `{"Effect":"Deny","Principal":"*"` + rest + `}`, `{"Effect":"Allow","Principal":"*"` + rest + `}`, false},
		{"no principal and empty one", `{"Effect":"Allow","Principal":{}` + rest + `}`, `{"Effect":"Allow"` + rest + `}`, false},
		{"action and not action", `{"Effect":"Allow","Principal":"*","NotAction":"a:b","Resource":"x"}`, `{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"x"}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := statement(t, c.a), statement(t, c.b)
			if a.Equal(b) != c.equal {
				t.Errorf("equal = %v, want %v\n%s\n%s", !c.equal, c.equal, a.Key(), b.Key())
			}
			if (a.Hash() == b.Hash()) != c.equal {
				t.Error("Hash disagrees with Equal")
			}
			if canonical := a.Canonical(); canonical.Key() != a.Key() {
				t.Errorf("the canonical form of the canonical form differs: %s", canonical.Key())
			}
		})
	}
}

func TestCanonicalFormOfOldVersionTakesVariablesAsText(t *testing.T) {
	const statement = `[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"x/${aws:username}"}]`
	old, err := Parse([]byte(`{"Statement":` + statement + `}`))
	if err != nil {
		t.Fatal(err)
	}
	now, err := Parse([]byte(`{"Version":"2012-10-17","Statement":` + statement + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if old.Equal(now) {
		t.Error("a variable equals literal text")
	}
	if want := `"x/${$}{aws:username}"`; old.Statements[0].Canonical().Resource[0] != want[1:len(want)-1] {
		t.Errorf("got %q", old.Statements[0].Canonical().Resource)
	}
}

func TestCompareFindsAddedAndRemoved(t *testing.T) {
	baseline, _ := Parse([]byte(`{"Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"x:y","Resource":"*"},{"Sid":"b","Effect":"Deny","Principal":"*","Action":"x:z","Resource":"*"}]}`))
	current, _ := Parse([]byte(`{"Statement":[{"Sid":"new","Effect":"Allow","Principal":{"AWS":"*"},"Action":"X:Y","Resource":"*"},{"Sid":"c","Effect":"Allow","Principal":"*","Action":"x:w","Resource":"*"}]}`))
	d := Compare(baseline, current)
	if len(d.Added) != 1 || d.Added[0] != 1 || len(d.Removed) != 1 || d.Removed[0] != 1 {
		t.Errorf("got %+v, want the second of each", d)
	}
}

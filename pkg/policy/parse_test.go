package policy

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const function = "arn:aws:lambda:us-east-1:111122223333:function:orders"

func TestParseAcceptsEveryLegalForm(t *testing.T) {
	for name, text := range map[string]string{
		"single statement object": `{"Statement":{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*"}}`,
		"no version, no id":       `{"Statement":[]}`,
		"lists":                   `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":["*","111122223333"],"Service":"s3.amazonaws.com"},"Action":["a:b","c:d"],"Resource":["*","x"]}]}`,
		"not forms":               `{"Statement":[{"Effect":"Allow","NotPrincipal":{"Federated":"f"},"NotAction":"a:b","NotResource":"x"}]}`,
		"canonical user":          `{"Statement":[{"Effect":"Allow","Principal":{"CanonicalUser":"0123abcd"},"Action":"*","Resource":"*"}]}`,
		"trust policy":            `{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{}}]}`,
		"identity policy":         `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"conditions of all types": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":[10,-1.5e3]},"ForAnyValue:StringLike":{"k":["a","b"]}}}]}`,
		"escapes":                 `{"Statement":[{"Sid":"a\u00e9\ud83d\ude00\"\\\/\n","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			printed, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(printed)
			if err != nil {
				t.Fatalf("what was printed does not parse: %v\n%s", err, printed)
			}
			if !p.Equal(again) || len(p.Statements) != len(again.Statements) {
				t.Errorf("printed and parsed again, %s became %s", text, printed)
			}
		})
	}
}

func TestParseNamesElementAndPosition(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", ``, "line 1, column 1: expected a policy, found nothing"},
		{"white space", " \n ", "line 2, column 2: expected a policy, found nothing"},
		{"a list", `[]`, "line 1, column 1: expected a policy (an object), found a list"},
		{"two documents", `{"Statement":[]} {"Statement":[]}`, "line 1, column 18: expected the end of the policy, found an object: one text holds one policy"},
		{"unknown element", `{"Statment":[]}`, `line 1, column 2: "Statment" is not an element of a policy (Version, Id, Statement)`}, //nolint:misspell // that is the case
		{"unknown statement element", "{\"Statement\":[{\"Effect\":\"Allow\",\n\"Actions\":\"*\"}]}", `line 2, column 1: Statement[0]: "Actions" is not an element of a statement`},
		{"element twice", `{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}`, "line 1, column 25: Version: is given twice"},
		{"no statement", `{"Version":"2012-10-17"}`, "line 1, column 1: the policy has no Statement"},
		{"wrong version", `{"Version":"2012","Statement":[]}`, `line 1, column 12: Version: "2012" is not a version of the policy language (2012-10-17, 2008-10-17)`},
		{"number as action", `{"Statement":[{"Effect":"Allow","Action":["a",5]}]}`, "line 1, column 47: Statement[0].Action[1]: expected a string, found a number"},
		{"number as sole action", `{"Statement":{"Effect":"Allow","Action":5}}`, "line 1, column 41: Statement.Action: expected a string or a list of strings, found a number"},
		{"effect", `{"Statement":{"Effect":"allow","Action":"*"}}`, `line 1, column 24: Statement.Effect: expected "Allow" or "Deny", found "allow"`},
		{"no effect", `{"Statement":{"Action":"*"}}`, "line 1, column 14: Statement: the statement has no Effect"},
		{"no action", `{"Statement":{"Effect":"Allow"}}`, "line 1, column 14: Statement: the statement has neither Action nor NotAction"},
		{"principal list", `{"Statement":{"Effect":"Allow","Principal":["*"],"Action":"*"}}`, `line 1, column 44: Statement.Principal: expected "*" or an object such as {"AWS": …}, found a list`},
		{"principal text", `{"Statement":{"Effect":"Allow","Principal":"111122223333","Action":"*"}}`, `line 1, column 44: Statement.Principal: expected "*" or an object such as {"AWS": …}, found "111122223333"`},
		{"principal type", `{"Statement":{"Effect":"Allow","Principal":{"Aws":"*"},"Action":"*"}}`, `line 1, column 45: Statement.Principal: "Aws" is not a type of principal (AWS, Service, Federated, CanonicalUser)`},
		{"condition null", `{"Statement":{"Effect":"Allow","Action":"*","Condition":{"Bool":{"k":null}}}}`, "line 1, column 70: Statement.Condition.Bool.k: expected a string, a number, true, false, or a list of them, found null"},
		{"both actions", `{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*"}}`, "line 1, column 14: Statement: the statement has both Action and NotAction"},
		{"half surrogate", `{"Id":"\ud800","Statement":[]}`, "line 1, column 8: Id: an escape that JSON does not have"},
		{"open string", `{"Id":"abc`, "line 1, column 7: Id: the string has no end"},
		{"control character", "{\"Id\":\"a\nb\"}", "line 1, column 9: Id: a control character (0x0a) stands in a string"},
		{"invalid UTF-8", "{\"Id\":\"a\xff\"}", "line 1, column 9: the text is not valid UTF-8"},
		{"leading zero", `{"Statement":{"Effect":"Allow","Action":"*","Condition":{"NumericEquals":{"k":01}}}}`, "line 1, column 79: Statement.Condition.NumericEquals.k: expected a string, a number, true, false, or a list of them, found a number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Fatalf("got %v, want a SyntaxError", err)
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestParseRefusesHugeDocument(t *testing.T) {
	_, err := Parse([]byte(`{"Id":"` + strings.Repeat("x", MaxDocument) + `"}`))
	if err == nil || !strings.Contains(err.Error(), "the most that is read is 1048576") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"lambda:InvokeFunction","Resource":"` + function + `","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}]}`))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":["a:*"],"NotResource":"${aws:x, 'd'}","Condition":{"Null":{"k":[true,1e9,"é"]}}}}`))
	f.Add([]byte("{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"\\ud83d\\ude00\"}]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 {
				t.Fatalf("the error names no place: %v", err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("accepted what is not JSON: %q", text)
		}
		printed, err := p.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q was printed as %q, which does not parse: %v", text, printed, err)
		}
		if !p.Equal(again) {
			t.Fatalf("%q was printed as %q, which differs", text, printed)
		}
		for _, s := range p.Statements {
			alone, err := ParseStatement([]byte(s.String()))
			if err != nil {
				t.Fatalf("statement %q alone does not parse: %v", s, err)
			}
			if !alone.Equal(s) {
				t.Fatalf("statement %q alone is another one: %q", s.Key(), alone.Key())
			}
			v := Expose(s, Owner{Account: "111122223333"})
			if v.Exposure == "" || v.Reason == "" {
				t.Fatalf("no verdict for %q", s)
			}
			Example(s)
		}
		ExposeDocument(p, Owner{})
	})
}

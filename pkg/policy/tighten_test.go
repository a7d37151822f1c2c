package policy

import "testing"

func TestTighten(t *testing.T) {
	allow := func(principal, condition string) string {
		return `{"Sid":"s","Effect":"Allow","Principal":` + principal + `,"Action":"lambda:InvokeFunction","Resource":"` + testFunction + `","Condition":` + condition + `}`
	}
	const s3, sns = `{"Service":"s3.amazonaws.com"}`, `{"Service":"sns.amazonaws.com"}`
	for _, c := range []struct {
		name, statement string
		want            string // conditions afterwards; empty: no suggestion
	}{
		{"bucket without account", allow(s3, `{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}`), `{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"},"StringEquals":{"aws:SourceAccount":"111122223333"}}`},
		{"nothing at all", allow(s3, `{}`), `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`},
		{"a wildcard account", allow(s3, `{"StringLike":{"aws:SourceAccount":"*"}}`), `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`},
		{"pinned already", allow(s3, `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`), ""},
		{"pinned to somebody else", allow(s3, `{"StringEquals":{"aws:SourceAccount":"444455556666"}}`), ""},
		{"everybody but one account", allow(s3, `{"StringNotEquals":{"aws:SourceAccount":"111122223333"}}`), ""},
		{"a service that does not send the key", allow(sns, `{}`), ""},
		{"one of two services does not", allow(`{"Service":["s3.amazonaws.com","sns.amazonaws.com"]}`, `{}`), ""},
		{"anyone", allow(`"*"`, `{}`), ""},
		{"a service and an account", allow(`{"Service":"s3.amazonaws.com","AWS":"444455556666"}`, `{}`), ""},
	} {
		s := statement(t, c.statement)
		got, ok := Tighten(s, Owner{Account: testAccount})
		if ok != (c.want != "") {
			t.Errorf("%s: got %v %s", c.name, ok, got.Statement)
			continue
		}
		if !ok {
			continue
		}
		if want := statement(t, allow(`{"Service":"s3.amazonaws.com"}`, c.want)); !got.Statement.Equal(want) || got.Statement.Sid != "s" {
			t.Errorf("%s: got %s, want %s", c.name, got.Statement, want)
		}
		if NewAccess(one(s), one(got.Statement), Options{}).New {
			t.Errorf("%s: the tightened statement allows something new", c.name)
		}
	}
}

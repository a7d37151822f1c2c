package policy

import "testing"

func TestExposureTakesTheOwnerFromThePolicy(t *testing.T) {
	const (
		named   = `{"Sid":"n","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + function + `","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}`
		unnamed = `{"Sid":"u","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"lambda:InvokeFunction","Resource":"*"}`
	)
	for _, c := range []struct {
		name, policy string
		want         Exposure
	}{
		{"one statement names the function, the other does not", doc(unnamed, named), Internal},
		{"no statement names it", doc(unnamed), External},
		{"by a pattern", doc(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:*","Resource":"arn:aws:lambda:*:111122223333:function:*"}`), Internal},
		{"a Deny names it", doc(unnamed, `{"Effect":"Deny","Principal":"*","Action":"lambda:GetFunction","Resource":"`+function+`"}`), Internal},
		{"a layer", doc(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"lambda:GetLayerVersion","Resource":"arn:aws:lambda:us-east-1:111122223333:layer:l:1"}`), Internal},
	} {
		if got := ExposeDocument(parsed(t, c.policy), Owner{}); got.Exposure != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.name, got.Exposure, got.Reason, c.want)
		}
	}
}

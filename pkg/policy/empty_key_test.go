package policy

import "testing"

// A condition key may be empty in a document; nothing panics, and it pins nobody.
func TestEmptyConditionKey(t *testing.T) {
	for _, conditions := range []string{`{"ArnEqualsIfExists":{"":""}}`, `{"StringEquals":{"":"x"}}`, `{"Null":{"":"true"}}`, `{"ForAllValues:StringLike":{"":["*","a"]}}`} {
		p, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:f","Condition":` + conditions + `},{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"":"y*"}}}]}`))
		if err != nil {
			continue // refusing it is as good
		}
		if v := ExposeDocument(p, Owner{Account: "111122223333"}); v.Exposure == Nobody && v.Certain {
			t.Errorf("%s: %+v", conditions, v)
		}
		if !NewAccess(Policy{Version: version2012}, p, Options{Type: ResourcePolicy}).New {
			t.Errorf("%s: no new access", conditions)
		}
	}
}

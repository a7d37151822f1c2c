package policy

import (
	"strings"
	"testing"
)

func TestExposureOfFunctionURLs(t *testing.T) {
	grant := func(principal, action, condition string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `","Resource":"` + testFunction + `","Condition":` + condition + `}`
	}
	url := func(principal, authType string) string {
		return grant(principal, "lambda:InvokeFunctionUrl", `{"StringEquals":{"lambda:FunctionUrlAuthType":"`+authType+`"}}`)
	}
	invoke := func(principal string) string {
		return grant(principal, "lambda:InvokeFunction", `{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}`)
	}
	const own, other, all = `{"AWS":"111122223333"}`, `{"AWS":"444455556666"}`, `"*"`
	for _, c := range []struct {
		name, authType string
		want           Exposure
		reason         string
		list           []string
	}{
		{"both grants and NONE", "NONE", Public, "anyone on the internet", []string{url(all, "NONE"), invoke(all)}},
		{"the first grant alone", "NONE", Nobody, "left over", []string{url(all, "NONE")}},
		{"the second grant alone", "NONE", Nobody, "left over", []string{invoke(all)}},
		{"grants left over without a URL", "", Nobody, "left over", []string{url(all, "NONE"), invoke(all)}},
		{"no URL and no grant", "", Nobody, "there is no function URL", []string{grant(own, "lambda:InvokeFunction", "{}")}},
		{"grants for NONE under AWS_IAM", "AWS_IAM", Nobody, "left over", []string{url(all, "NONE"), invoke(all)}},
		{"both grants to all under AWS_IAM", "AWS_IAM", Public, "every AWS principal", []string{url(all, "AWS_IAM"), invoke(all)}},
		{"one grant to all, one to the own account", "AWS_IAM", Internal, "AWS_IAM", []string{url(own, "AWS_IAM"), invoke(all)}},
		{"both grants to another account", "AWS_IAM", External, "another account", []string{url(other, "AWS_IAM"), invoke(other)}},
		{"lambda:* to all without conditions", "NONE", Public, "anyone", []string{grant(all, "lambda:*", "{}")}},
		{"signed callers only, under NONE", "NONE", Nobody, "left over", []string{url(all, "NONE"), grant(all, "lambda:InvokeFunction", `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)}},
		{"narrow addresses under NONE", "NONE", External, "NONE", []string{url(all, "NONE"), grant(all, "lambda:InvokeFunction", `{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}`)}},
		{"a Deny of invoking through URLs", "NONE", Nobody, "left over", []string{url(all, "NONE"), invoke(all), `{"Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction","Resource":"*","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`}},
		{"an AuthType nobody knows", "MAGIC", Unknown, "not known", []string{url(all, "NONE"), invoke(all)}},
	} {
		p := parsed(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(c.list, ",")+`]}`)
		got := ExposeURL(p, URL{AuthType: c.authType}, exposureOwner)
		if got.Exposure != c.want || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: got %s (%s), want %s (%s)", c.name, got.Exposure, got.Reason, c.want, c.reason)
		}
	}
}

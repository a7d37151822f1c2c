package policy

import (
	"slices"
	"strings"
	"testing"
)

// Each service has a source, and says what it carries or by what it calls instead.
func TestServicesAreWhole(t *testing.T) {
	var seen []string
	for _, s := range Services() {
		if slices.Contains(seen, s.Principal) {
			t.Errorf("%s is listed twice", s.Principal)
		}
		seen = append(seen, s.Principal)
		if s.Page == "" {
			t.Errorf("%s: no source", s.Principal)
		}
		if (s.Source == "") != (s.Instead != "") || (s.Calls == "") != (s.Instead != "") {
			t.Errorf("%s: says neither whose calls it makes nor by what it calls instead, or both", s.Principal)
		}
		if s.Instead != "" && (s.ARN != "" || s.SendsAccount || s.Token != "") {
			t.Errorf("%s: does not call by the function's policy, yet sends keys", s.Principal)
		}
		if s.ARN != "" && len(strings.SplitN(s.ARN, ":", 6)) != 6 {
			t.Errorf("%s: %s is no ARN", s.Principal, s.ARN)
		}
		if got, ok := ServiceOf(s.Principal); !ok || got != s {
			t.Errorf("%s: ServiceOf gives %+v, %v", s.Principal, got, ok)
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d services", len(seen))
	}
}

func TestSourcesWithoutAccount(t *testing.T) {
	for _, s := range Services() {
		if bears := s.BearsAccount(); s.ARN != "" && bears == (s.Principal == "s3.amazonaws.com") {
			t.Errorf("%s: a source ARN bears an account, but for S3's: %s", s.Principal, s.ARN)
		}
	}
}

func TestServiceOf(t *testing.T) {
	for _, c := range []struct{ principal, want string }{
		{"logs.amazonaws.com", "logs.amazonaws.com"},
		{"logs.us-east-1.amazonaws.com", "logs.amazonaws.com"},
		{"logs.us-gov-west-1.amazonaws.com", "logs.amazonaws.com"},
		{"logs.cn-north-1.amazonaws.com.cn", "logs.amazonaws.com"},
		{"pinpoint.eu-west-1.amazonaws.com", "pinpoint.amazonaws.com"},
		{"s3.amazonaws.com.cn", "s3.amazonaws.com"},
		{"s3.us-east-1.amazonaws.com", ""}, // not documented with a region
		{"logs.delivery.amazonaws.com", ""},
		{"logs.us-east-.amazonaws.com", ""},
		{"delivery.logs.amazonaws.com", ""},
		{"logs.us-east-1.amazonaws.com.example.com", ""},
		{"S3.amazonaws.com", ""}, // a principal is an exact string
		{"example.amazonaws.com", ""},
		{"", ""},
	} {
		if got, ok := ServiceOf(c.principal); got.Principal != c.want && ok || ok != (c.want != "") {
			t.Errorf("%q: got %q, %v; want %q", c.principal, got.Principal, ok, c.want)
		}
	}
}

// Tighten reads the one table: it adds aws:SourceAccount for exactly the
// services that are documented to send it.
func TestTightenAddsTheAccountWhereItIsSent(t *testing.T) {
	owner := Owner{Account: testAccount}
	for _, s := range Services() {
		open := Statement{Effect: Allow, Principal: &Principals{Service: []string{s.Principal}}, Action: []string{"lambda:InvokeFunction"}, Resource: []string{testFunction}}
		got, ok := Tighten(open, owner)
		if ok != s.SendsAccount {
			t.Errorf("%s: Tighten suggests %v, but sends aws:SourceAccount %v", s.Principal, ok, s.SendsAccount)
		}
		if ok && !strings.Contains(got.Reason, s.Page) {
			t.Errorf("%s: %s", s.Principal, got.Reason)
		}
	}
}

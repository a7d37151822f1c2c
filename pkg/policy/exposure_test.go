package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shared reads a file of the corpus beside the project, or skips visibly.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", name))
	if os.IsNotExist(err) {
		if slices.Contains(strings.Split(os.Getenv("PERMDRIFT_REQUIRE"), ","), "shared") {
			t.Fatalf("PERMDRIFT_REQUIRE wants ../shared: %v", err)
		}
		t.Skipf("SKIPPED: no ../shared beside the project, so %s was not checked", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestExposureCorpus(t *testing.T) {
	var corpus struct {
		Cases []struct {
			Name, Account, Organization string
			TrustedAccounts             []string
			Policy                      json.RawMessage
			Exposure                    Exposure
			Why                         string
		}
	}
	if err := json.Unmarshal(shared(t, "cases/exposure.json"), &corpus); err != nil {
		t.Fatal(err)
	}
	for _, c := range corpus.Cases {
		t.Run(c.Name, func(t *testing.T) {
			p, err := Parse(c.Policy)
			if err != nil {
				t.Fatal(err)
			}
			got := ExposeDocument(p, Owner{Account: c.Account, Organization: c.Organization, TrustedAccounts: c.TrustedAccounts})
			if got.Exposure != c.Exposure {
				t.Errorf("got %s (%s), want %s (%s)", got.Exposure, got.Reason, c.Exposure, c.Why)
			}
		})
	}
	t.Logf("%d cases ran", len(corpus.Cases))
	if len(corpus.Cases) < 40 {
		t.Errorf("only %d cases ran", len(corpus.Cases))
	}
}

func TestExposureOfTrapsBeyondTheCorpus(t *testing.T) {
	owner := Owner{Account: "111122223333", Organization: "o-exampleorgid", TrustedAccounts: []string{"777788889999"}, TrustedOrganizations: []string{"o-partnerorg1"}}
	allow := func(principal, condition string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"lambda:InvokeFunction","Resource":"` + function + `","Condition":` + condition + `}`
	}
	for _, c := range []struct {
		name, principal, condition string
		want                       Exposure
	}{
		{"trusted account", `{"AWS":"777788889999"}`, `{}`, Organization},
		{"trusted organization", `"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-partnerorg1"}}`, Organization},
		{"foreign organization", `"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-attackersorg"}}`, External},
		{"one of two values is a wildcard", `"*"`, `{"StringLike":{"aws:PrincipalOrgID":["o-exampleorgid","o-*"]}}`, Public},
		{"ForAllValues guards nothing", `"*"`, `{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Public},
		{"wildcard under StringEquals is literal", `"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Organization},
		{"StringLike crosses colons before the account", `{"Service":"events.amazonaws.com"}`, `{"StringLike":{"aws:SourceArn":"arn:aws:events:*:111122223333:rule/r"}}`, ConfusedDeputy},
		{"ArnLike does not", `{"Service":"events.amazonaws.com"}`, `{"ArnLike":{"aws:SourceArn":"arn:aws:events:*:111122223333:rule/r"}}`, Internal},
		{"foreign SourceArn", `{"Service":"events.amazonaws.com"}`, `{"ArnLike":{"aws:SourceArn":"arn:aws:events:us-east-1:444455556666:rule/r"}}`, External},
		{"source address does not pin a service", `{"Service":"s3.amazonaws.com"}`, `{"IpAddress":{"aws:SourceIp":"198.51.100.7/32"}}`, ConfusedDeputy},
		{"narrow address", `"*"`, `{"IpAddress":{"aws:SourceIp":"198.51.100.7"}}`, External},
		{"whole IPv6", `"*"`, `{"IpAddress":{"aws:SourceIp":["198.51.100.7","::/0"]}}`, Public},
		{"variable", `"*"`, `{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}`, Unknown},
		{"unknown operator", `"*"`, `{"StringMatches":{"aws:SourceAccount":"111122223333"}}`, Unknown},
		{"unknown operator cannot widen own account", `{"AWS":"111122223333"}`, `{"StringMatches":{"k":"x"}}`, Internal},
		{"wildcard role is literal", `{"AWS":"arn:aws:iam::444455556666:role/*"}`, `{}`, Nobody},
		{"user agent pins nobody", `"*"`, `{"StringEquals":{"aws:UserAgent":"secret"}}`, Public},
		{"two pins, the narrower counts", `"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid","aws:PrincipalAccount":"111122223333"}}`, Internal},
		{"foreign user narrowed to own organization", `{"AWS":"444455556666"}`, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Organization},
		{"endpoint of the own account", `"*"`, `{"StringEquals":{"aws:VpceAccount":"111122223333"}}`, Internal},
		{"endpoint of another account", `"*"`, `{"StringEquals":{"aws:VpceAccount":"444455556666"}}`, External},
		{"endpoint of any account", `"*"`, `{"StringLike":{"aws:VpceAccount":"*"}}`, Public},
		{"endpoint of the organization", `"*"`, `{"StringEquals":{"aws:VpceOrgID":"o-exampleorgid"}}`, Organization},
		{"endpoint of the own account does not pin a service", `{"Service":"s3.amazonaws.com"}`, `{"StringEquals":{"aws:VpceAccount":"111122223333"}}`, ConfusedDeputy},
		{"from a function of our own", `"*"`, `{"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:us-east-1:111122223333:function:caller"}}`, Internal},
		{"alexa without token", `{"Service":"alexa-appkit.amazon.com"}`, `{}`, ConfusedDeputy},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Expose(statement(t, allow(c.principal, c.condition)), owner)
			if got.Exposure != c.want {
				t.Errorf("got %s (%s), want %s", got.Exposure, got.Reason, c.want)
			}
		})
	}
}

func TestExampleShowsTheStranger(t *testing.T) {
	w := Example(statement(t, `{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"`+function+`","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`))
	if w == nil || w.Principal != "s3.amazonaws.com" || w.Context["aws:SourceAccount"][0] != strangerAccount || w.Sid != "s" {
		t.Errorf("got %+v", w)
	}
	if w := Example(statement(t, `{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`)); w != nil {
		t.Errorf("read a request off a NotPrincipal: %+v", w)
	}
}

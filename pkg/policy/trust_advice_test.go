package policy

import (
	"strings"
	"testing"
)

func TestTrustAdviceSaysHowToPin(t *testing.T) {
	for _, c := range []struct{ name, principal, condition, want string }{
		{"own account", trustOwn, `{}`, ""},
		{"third party", trustForeign, `{}`, "sts:ExternalId"},
		{"third party with a word", trustForeign, `{"StringEquals":{"sts:ExternalId":"e"}}`, ""},
		{"trusted account", `{"AWS":"777788889999"}`, `{}`, ""},
		{"everybody", trustStar, `{}`, "aws:PrincipalOrgID"},
		{"everybody of the organization", trustStar, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, ""},
		{"Lambda", trustService("lambda.amazonaws.com"), `{}`, ""},
		{"deputy", trustService("states.amazonaws.com"), `{}`, "aws:SourceAccount 111122223333 and aws:SourceArn of the shape arn:aws:states:REGION:111122223333:stateMachine:*"},
		{"pinned deputy", trustService("states.amazonaws.com"), `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, ""},
		{"Roles Anywhere", trustAnywhere, `{}`, "arn:aws:rolesanywhere:REGION:111122223333:trust-anchor/ID"},
		{"one certificate", trustAnywhere, `{"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"host"}}`, ""},
		{"GitHub", trustGitHub, `{}`, "token.actions.githubusercontent.com:sub, of the shape repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH, and token.actions.githubusercontent.com:aud to sts.amazonaws.com"},
		{"GitHub without audience", trustGitHub, `{"StringEquals":{"token.actions.githubusercontent.com:sub":"repo:example/app:ref:refs/heads/main"}}`, "pin token.actions.githubusercontent.com:aud to sts.amazonaws.com"},
		{"pinned GitHub", trustGitHub, github("StringLike", `"repo:example/app:*"`), ""},
		{"cluster", trustEKS, `{}`, "system:serviceaccount:NAMESPACE:NAME"},
		{"unknown issuer", trustOIDC("id.example.com"), `{}`, "id.example.com:sub"},
		{"SAML", trustSAML, `{}`, "https://signin.aws.amazon.com/saml"},
		{"identity pool", trustCognito, `{}`, "amr = authenticated"},
	} {
		got, ok := TrustAdvice(statement(t, trustCase{principal: c.principal, condition: c.condition}.text()), exposureOwner)
		if ok != (c.want != "") || !strings.Contains(got, c.want) || ok && !strings.Contains(got, "(") {
			t.Errorf("%s: got %q, %t, want %q", c.name, got, ok, c.want)
		}
	}
	deny := statement(t, `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}`)
	if got, ok := TrustAdvice(deny, exposureOwner); ok {
		t.Errorf("advises on a Deny: %s", got)
	}
}

func TestIssuersAreDocumentedAndPin(t *testing.T) {
	examples := map[string]string{ // the provider of a row, where its Host is no example by itself
		"api.bitbucket.org/2.0/workspaces/WORKSPACE/pipelines-config/identity/oidc":        "",
		"oidc.eks.REGION.amazonaws.com/id/CLUSTER":                                         "oidc.eks.eu-west-1.amazonaws.com/id/E",
		"cognito-idp.REGION.amazonaws.com/POOL":                                            "cognito-idp.eu-west-1.amazonaws.com/p",
		"sts.windows.net/TENANT or login.microsoftonline.com/TENANT/v2.0":                  "login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
		"TENANT.okta.com or TENANT.auth0.com":                                              "example.auth0.com/",
		"container.googleapis.com/v1/projects/PROJECT/locations/LOCATION/clusters/CLUSTER": "",
	}
	for _, i := range Issuers() {
		host := i.Host
		if example := examples[host]; example != "" {
			host = example
		}
		found, ok := IssuerOf("arn:aws:iam::111122223333:oidc-provider/" + host)
		if !ok || found.Host != i.Host {
			t.Errorf("%s: found %q", i.Host, found.Host)
		}
		if i.Page == "" || i.Who == "" || i.Name == "" || i.Subject == "" || len(i.pins) == 0 {
			t.Errorf("%s: incomplete", i.Host)
		}
	}
	if len(Issuers()) < 20 {
		t.Errorf("only %d issuers", len(Issuers()))
	}
	for _, d := range Deputies() {
		if d.Page == "" || !strings.Contains(d.ARN, ":ACCOUNT:") {
			t.Errorf("%s: incomplete", d.Principal)
		}
	}
	for _, text := range []string{"token.actions.githubusercontent.com.example.com", "example.com/token.actions.githubusercontent.com", "gitlab.com.evil.example.com/x", ""} {
		if i, ok := IssuerOf(text); ok {
			t.Errorf("%q is taken for %s", text, i.Host)
		}
	}
}

// FuzzExposeTrust looks for policies that make the verdict panic, or differ by
// the order of what does not matter.
func FuzzExposeTrust(f *testing.F) {
	for _, c := range trustCases {
		f.Add([]byte(doc(c.text())))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		v := ExposeTrustDocument(p, exposureOwner)
		if v.Reason == "" {
			t.Errorf("no reason for %s", v.Exposure)
		}
		for _, s := range p.Statements {
			TrustAdvice(s, exposureOwner)
		}
	})
}

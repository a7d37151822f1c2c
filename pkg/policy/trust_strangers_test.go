package policy

import "testing"

// strangers are requests of people whom nobody named: by one of them who gets
// in, a statement is public.
func strangers() []Request {
	var list []Request
	add := func(provider, action string, context map[string][]string) {
		context["aws:SourceIp"] = []string{"198.51.100.9"}
		context["aws:SecureTransport"] = []string{"true"}
		list = append(list, Request{Principal: Caller{Kind: Federated, ID: provider}, Action: action, Context: context})
	}
	const own = "arn:aws:iam::111122223333:oidc-provider/"
	for _, subject := range []string{
		"repo:attacker/app:ref:refs/heads/main", "repo:example-too/app:ref:refs/heads/main", "repo:exampla/app:environment:prod",
		"environment:prod", "job_workflow_ref:example/flows/.github/workflows/x.yml@refs/heads/main", "repo:attacker@9/app@9:ref:refs/heads/main",
		"actor:octocat", "repository_owner_id:999:x",
	} {
		key := "token.actions.githubusercontent.com:"
		add(own+"token.actions.githubusercontent.com", assumeWithWeb, map[string][]string{
			key + "sub": {subject}, key + "aud": {"sts.amazonaws.com"}, key + "actor": {"octocat"}, key + "repository": {"attacker/app"}, key + "repository_id": {"999"},
		})
	}
	for provider, subjects := range map[string][]string{
		"gitlab.com":          {"project_path:attacker/app:ref_type:branch:ref:main", "project_path:example-too/app:ref_type:branch:ref:main"},
		"app.terraform.io":    {"organization:attacker:project:p:workspace:w:run_phase:apply", "organization:example-too:project:p:workspace:w:run_phase:apply"},
		"agent.buildkite.com": {"organization:attacker:pipeline:deploy:ref:refs/heads/main:commit:c:step:s"},
		"oidc.vercel.com":     {"owner:attacker:project:p:environment:production"},
	} {
		for _, subject := range subjects {
			add(own+provider, assumeWithWeb, map[string][]string{
				provider + ":sub": {subject}, provider + ":aud": {"aws.workload.identity"},
			})
		}
	}
	const pool = "us-east-1:12345678-dead-beef-cafe-123456790ab"
	add("cognito-identity.amazonaws.com", assumeWithWeb, map[string][]string{"cognito-identity.amazonaws.com:aud": {"us-east-1:other"}, "cognito-identity.amazonaws.com:amr": {"authenticated"}, "cognito-identity.amazonaws.com:sub": {"us-east-1:x"}})
	add("cognito-identity.amazonaws.com", assumeWithWeb, map[string][]string{"cognito-identity.amazonaws.com:aud": {pool}, "cognito-identity.amazonaws.com:amr": {"unauthenticated"}, "cognito-identity.amazonaws.com:sub": {"us-east-1:x"}})
	add("accounts.google.com", assumeWithWeb, map[string][]string{"accounts.google.com:aud": {"999"}, "accounts.google.com:oaud": {"https://example.com"}, "accounts.google.com:sub": {"999"}})
	add("www.amazon.com", assumeWithWeb, map[string][]string{"www.amazon.com:app_id": {"amzn1.application-oa2-client.other"}})
	add("graph.facebook.com", assumeWithWeb, map[string][]string{"graph.facebook.com:app_id": {"9"}, "graph.facebook.com:id": {"9"}})
	list = append(list, Request{
		Principal: Caller{Kind: AWSPrincipal, ID: "arn:aws:iam::999900001111:role/deployer"}, Action: assumeRole, Context: map[string][]string{
			"aws:PrincipalArn": {"arn:aws:iam::999900001111:role/deployer"}, "aws:PrincipalAccount": {"999900001111"}, "aws:PrincipalOrgID": {"o-strangersorg"},
			"aws:SourceIp": {"198.51.100.9"}, "aws:SecureTransport": {"true"}, "aws:MultiFactorAuthPresent": {"true"}, "sts:ExternalId": {"e1"}, "sts:RoleSessionName": {"ci-1"},
		},
	})
	return list
}

// The evaluator shares no code with the cells: where it lets a stranger in, the
// exposure has to be public, or unknown.
func TestStrangersGetInOnlyWhereItSaysSo(t *testing.T) {
	requests, let := strangers(), 0
	public := make(map[string]bool)
	for _, c := range trustCases {
		p := parsed(t, doc(c.text()))
		v := ExposeTrust(p, 0, exposureOwner)
		for _, r := range requests {
			if Evaluate(p, r).Outcome != Allowed {
				continue
			}
			let++
			public[c.name] = true
			if v.Exposure != Public && v.Exposure != Unknown {
				t.Errorf("%s: %s (%s), and %s with %v gets in", c.name, v.Exposure, v.Reason, r.Principal.ID, r.Context)
			}
		}
	}
	if let < 100 || len(public) < 40 {
		t.Errorf("strangers got in %d times by %d statements: are they still the ones that the statements are about?", let, len(public))
	}
}

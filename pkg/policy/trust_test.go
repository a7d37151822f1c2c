package policy

import (
	"slices"
	"strings"
	"testing"
)

// The principals of the tables.
const (
	trustStar     = `"*"`
	trustOwn      = `{"AWS":"arn:aws:iam::111122223333:root"}`
	trustForeign  = `{"AWS":"444455556666"}`
	trustGitHub   = `{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`
	trustGitLab   = `{"Federated":"arn:aws:iam::111122223333:oidc-provider/gitlab.com"}`
	trustEKS      = `{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"}`
	trustSAML     = `{"Federated":"arn:aws:iam::111122223333:saml-provider/idp"}`
	trustCognito  = `{"Federated":"cognito-identity.amazonaws.com"}`
	trustAnywhere = `{"Service":"rolesanywhere.amazonaws.com"}`

	eksKey = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
)

func trustService(name string) string { return `{"Service":"` + name + `"}` }

func trustOIDC(host string) string {
	return `{"Federated":"arn:aws:iam::111122223333:oidc-provider/` + host + `"}`
}

// github is a condition on the subject of GitHub's tokens.
func github(operator, values string) string {
	if operator == "StringEquals" {
		return `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":` + values + `}}`
	}
	return `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"` + operator + `":{"token.actions.githubusercontent.com:sub":` + values + `}}`
}

// trustCase is one Allow of a trust policy. The action follows from the
// principal where it is empty.
type trustCase struct {
	name, principal, action, condition string
	want                               Exposure
}

func (c trustCase) text() string {
	action := c.action
	switch {
	case action != "":
	case strings.Contains(c.principal, "saml-provider"):
		action = `"sts:AssumeRoleWithSAML"`
	case strings.Contains(c.principal, "Federated"):
		action = `"sts:AssumeRoleWithWebIdentity"`
	default:
		action = `"sts:AssumeRole"`
	}
	return `{"Effect":"Allow","Principal":` + c.principal + `,"Action":` + action + `,"Condition":` + c.condition + `}`
}

var trustCases = []trustCase{
	// Who signs.
	{"own root", trustOwn, "", `{}`, Internal},
	{"own account by its id", `{"AWS":"111122223333"}`, `["sts:AssumeRole","sts:TagSession"]`, `{}`, Internal},
	{"own role", `{"AWS":"arn:aws:iam::111122223333:role/admin"}`, "", `{}`, Internal},
	{"foreign root as a bare id", trustForeign, "", `{}`, External},
	{"foreign role", `{"AWS":"arn:aws:iam::444455556666:role/r"}`, "", `{}`, External},
	{"foreign user with an external id", `{"AWS":"arn:aws:iam::444455556666:user/u"}`, "", `{"StringEquals":{"sts:ExternalId":"e1"}}`, External},
	{"trusted account", `{"AWS":"777788889999"}`, "", `{}`, Organization},
	{"own and foreign", `{"AWS":["111122223333","444455556666"]}`, "", `{}`, External},
	{"deleted role", `{"AWS":"AROAEXAMPLEEXAMPLEAB"}`, "", `{}`, Nobody},
	{"everybody", trustStar, "", `{}`, Public},
	{"everybody, as AWS", `{"AWS":"*"}`, `"sts:*"`, `{}`, Public},
	{"everybody with an external id", trustStar, "", `{"StringEquals":{"sts:ExternalId":"e1"}}`, Public},
	{"everybody of a role's name", trustStar, "", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/deployer"}}`, Public},
	{"everybody over TLS", trustStar, "", `{"Bool":{"aws:SecureTransport":"true"}}`, Public},
	{"everybody with a second factor", trustStar, "", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, Public},
	{"everybody with a session name", trustStar, "", `{"StringLike":{"sts:RoleSessionName":"ci-*"}}`, Public},
	{"everybody of an organization by pattern", trustStar, "", `{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`, Public},
	{"everybody of the organization if it has one", trustStar, "", `{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Public},
	{"everybody of the organization", trustStar, "", `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Organization},
	{"everybody of the organization, by any call", trustStar, `"sts:AssumeRole*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Organization},
	{"everybody of another organization", trustStar, "", `{"StringEquals":{"aws:PrincipalOrgID":"o-attackersorg"}}`, External},
	{"everybody of the own account", trustStar, "", `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, Internal},
	{"everybody from one address", trustStar, "", `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, External},
	{"everybody, tokens only", trustStar, `"sts:AssumeRoleWithWebIdentity"`, `{}`, Public},
	{"everybody, SAML only", trustStar, `"sts:AssumeRoleWithSAML"`, `{}`, Public},
	{"tokens of everybody from one address", trustStar, `"sts:AssumeRoleWithWebIdentity"`, `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, External},
	{"tokens of everybody with an unknown operator", trustStar, `"sts:AssumeRoleWithWebIdentity"`, `{"StringMatches":{"aws:SourceIp":"x"}}`, Unknown},
	{"callers of a variable", trustStar, "", `{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}`, Unknown},
	{"tags only", trustStar, `"sts:TagSession"`, `{}`, Nobody},
	{"source identity only", trustForeign, `["sts:SetSourceIdentity","sts:TagSession"]`, `{}`, Nobody},
	{"foreign, by the call of tokens", trustForeign, `"sts:AssumeRoleWithWebIdentity"`, `{}`, Nobody},
	{"a provider, by the call of signers", trustGitHub, `"sts:AssumeRole"`, `{}`, Nobody},

	// Services.
	{"Lambda", trustService("lambda.amazonaws.com"), "", `{}`, Internal},
	{"EC2", trustService("ec2.amazonaws.com"), "", `{}`, Internal},
	{"states without source account", trustService("states.amazonaws.com"), "", `{}`, Internal},
	{"states with source account", trustService("states.amazonaws.com"), "", `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, Internal},
	{"states in a region with source ARN", trustService("states.us-east-1.amazonaws.com"), "", `{"ArnLike":{"aws:SourceArn":"arn:aws:states:us-east-1:111122223333:stateMachine:*"}}`, Internal},
	{"states for a foreign account", trustService("states.amazonaws.com"), "", `{"StringEquals":{"aws:SourceAccount":"444455556666"}}`, External},
	{"scheduler for the organization", trustService("scheduler.amazonaws.com"), "", `{"StringEquals":{"aws:SourceOrgID":"o-exampleorgid"}}`, Organization},
	{"Lambda and a foreign account", `{"Service":"lambda.amazonaws.com","AWS":"444455556666"}`, "", `{}`, External},
	{"Cognito with an external id", trustService("cognito-idp.amazonaws.com"), "", `{"StringEquals":{"sts:ExternalId":"e"}}`, Internal},
	{"Roles Anywhere", trustAnywhere, `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`, `{}`, External},
	{"Roles Anywhere of the own account", trustAnywhere, "", `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, External},
	{"Roles Anywhere of any own anchor", trustAnywhere, "", `{"ArnLike":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/*"}}`, External},
	{"Roles Anywhere of a foreign anchor", trustAnywhere, "", `{"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:444455556666:trust-anchor/t"}}`, External},
	{"Roles Anywhere of one anchor", trustAnywhere, "", `{"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t"}}`, Internal},
	{"Roles Anywhere of one certificate of any anchor", trustAnywhere, "", `{"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"host"}}`, External},
	{"Roles Anywhere of one anchor if it says so", trustAnywhere, "", `{"ArnEqualsIfExists":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t"}}`, External},

	// GitHub.
	{"GitHub", trustGitHub, "", `{}`, Public},
	{"GitHub by audience only", trustGitHub, "", `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`, Public},
	{"one branch", trustGitHub, "", github("StringEquals", `"repo:example/app:ref:refs/heads/main"`), External},
	{"one repository", trustGitHub, "", github("StringLike", `"repo:example/app:*"`), External},
	{"one owner", trustGitHub, "", github("StringLike", `"repo:example/*"`), External},
	{"one owner with its id", trustGitHub, "", github("StringLike", `"repo:example@123456/app@*"`), External},
	{"one owner, ignoring case", trustGitHub, "", github("StringEqualsIgnoreCase", `"repo:Example/app:ref:refs/heads/main"`), External},
	{"owners that begin alike", trustGitHub, "", github("StringLike", `"repo:example*"`), Public},
	{"an owner of one unknown letter", trustGitHub, "", github("StringLike", `"repo:exampl?/app:*"`), Public},
	{"any repository", trustGitHub, "", github("StringLike", `"repo:*"`), Public},
	{"any subject", trustGitHub, "", github("StringLike", `"*"`), Public},
	{"any owner's repository of a name", trustGitHub, "", github("StringLike", `"repo:*/app:ref:refs/heads/main"`), Public},
	{"one owner, or any", trustGitHub, "", github("StringLike", `["repo:example/app:*","repo:*:environment:prod"]`), Public},
	{"two owners", trustGitHub, "", github("StringLike", `["repo:example/*","repo:partner/*"]`), External},
	{"a list of many branches", trustGitHub, "", github("StringEquals", `["repo:e/a:1","repo:e/a:2","repo:e/a:3","repo:e/a:4","repo:e/a:5","repo:e/a:6","repo:e/a:7","repo:e/a:8","repo:e/a:9","repo:e/a:10","repo:e/a:11","repo:e/a:12","repo:e/a:13"]`), External},
	{"a list of many branches and an environment", trustGitHub, "", github("StringEquals", `["repo:e/a:1","repo:e/a:2","repo:e/a:3","repo:e/a:4","repo:e/a:5","repo:e/a:6","repo:e/a:7","repo:e/a:8","repo:e/a:9","repo:e/a:10","repo:e/a:11","repo:e/a:12","environment:prod"]`), Public},
	{"an environment, which any owner can name so", trustGitHub, "", github("StringEquals", `"environment:prod"`), Public},
	{"a workflow that others may call", trustGitHub, "", github("StringLike", `"job_workflow_ref:example/flows/.github/workflows/x.yml@*"`), Public},
	{"an owner by id", trustGitHub, "", github("StringLike", `"repository_owner_id:123456:*"`), External},
	{"one owner if there is a subject", trustGitHub, "", github("StringLikeIfExists", `"repo:example/*"`), Public},
	{"all subjects of one owner, or none", trustGitHub, "", github("ForAllValues:StringLike", `"repo:example/*"`), Public},
	{"some subject of one owner", trustGitHub, "", github("ForAnyValue:StringLike", `"repo:example/*"`), External},
	{"some subject of any owner", trustGitHub, "", github("ForAnyValue:StringLike", `"repo:*"`), Public},
	{"a subject, whichever", trustGitHub, "", github("Null", `"false"`), Public},
	{"everybody but one owner", trustGitHub, "", github("StringNotLike", `"repo:example/*"`), Public},
	{"one owner less a repository", trustGitHub, "", `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"},"StringNotLike":{"token.actions.githubusercontent.com:sub":"repo:example/old:*"}}`, External},
	{"a subject by variable", trustGitHub, "", github("StringLike", `"${aws:PrincipalTag/sub}"`), Unknown},
	{"a subject by an unknown operator", trustGitHub, "", github("StringMatches", `"repo:example/app"`), Unknown},
	{"the subject of another provider's key", trustGitHub, "", `{"StringEquals":{"gitlab.com:sub":"project_path:example/app:ref_type:branch:ref:main"}}`, Public},
	{"a user who may work anywhere", trustGitHub, "", `{"StringEquals":{"token.actions.githubusercontent.com:actor":"octocat"}}`, Public},
	{"a repository by its claim", trustGitHub, "", `{"StringEquals":{"token.actions.githubusercontent.com:repository":"example/app"}}`, External},
	{"a repository by its id", trustGitHub, "", `{"StringEquals":{"token.actions.githubusercontent.com:repository_id":"123456"}}`, External},
	{"any repository from one address", trustGitHub, "", `{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, External},
	{"any repository of the internet", trustGitHub, "", `{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, Public},
	{"any repository that signs for the organization", trustGitHub, "", `{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`, Nobody},
	{"GitHub of one enterprise", trustOIDC("token.actions.githubusercontent.com/example-inc"), "", `{}`, External},
	{"a GitHub server", trustOIDC("github.example.com/_services/token"), "", `{}`, External},
	{"GitHub in capitals", trustOIDC("Token.Actions.GitHubUserContent.com"), "", `{}`, Public},

	// Other issuers.
	{"GitLab", trustGitLab, "", `{}`, Public},
	{"one group", trustGitLab, "", `{"StringLike":{"gitlab.com:sub":"project_path:example/*"}}`, External},
	{"groups that begin alike", trustGitLab, "", `{"StringLike":{"gitlab.com:sub":"project_path:example*"}}`, Public},
	{"any branch main", trustGitLab, "", `{"StringLike":{"gitlab.com:sub":"project_path:*:ref_type:branch:ref:main"}}`, Public},
	{"a GitLab server", trustOIDC("gitlab.example.com"), "", `{}`, External},
	{"Bitbucket workspace", trustOIDC("api.bitbucket.org/2.0/workspaces/example/pipelines-config/identity/oidc"), "", `{}`, External},
	{"HCP Terraform", trustOIDC("app.terraform.io"), "", `{"StringEquals":{"app.terraform.io:aud":"aws.workload.identity"}}`, Public},
	{"HCP Terraform organization", trustOIDC("app.terraform.io"), "", `{"StringLike":{"app.terraform.io:sub":"organization:example:project:*"}}`, External},
	{"HCP Terraform organizations that begin alike", trustOIDC("app.terraform.io"), "", `{"StringLike":{"app.terraform.io:sub":"organization:example*"}}`, Public},
	{"Buildkite", trustOIDC("agent.buildkite.com"), "", `{"StringLike":{"agent.buildkite.com:sub":"organization:*:pipeline:deploy:*"}}`, Public},
	{"Buildkite organization", trustOIDC("agent.buildkite.com"), "", `{"StringLike":{"agent.buildkite.com:sub":"organization:example:*"}}`, External},
	{"CircleCI organization", trustOIDC("oidc.circleci.com/org/00000000-0000-0000-0000-000000000000"), "", `{}`, External},
	{"Vercel", trustOIDC("oidc.vercel.com"), "", `{}`, Public},
	{"Google", `{"Federated":"accounts.google.com"}`, "", `{}`, Public},
	{"Google for one app", `{"Federated":"accounts.google.com"}`, "", `{"StringEquals":{"accounts.google.com:aud":"1234567890"}}`, External},
	{"Google for an audience that the caller chose", `{"Federated":"accounts.google.com"}`, "", `{"StringEquals":{"accounts.google.com:oaud":"https://example.com"}}`, Public},
	{"Amazon for any app", `{"Federated":"www.amazon.com"}`, "", `{"StringLike":{"www.amazon.com:app_id":"amzn1.*"}}`, Public},
	{"Amazon for one app", `{"Federated":"www.amazon.com"}`, "", `{"StringEquals":{"www.amazon.com:app_id":"amzn1.application-oa2-client.example"}}`, External},
	{"Facebook", `{"Federated":"graph.facebook.com"}`, "", `{}`, Public},
	{"identity pools", trustCognito, "", `{}`, Public},
	{"an identity pool and its guests", trustCognito, "", `{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:12345678-dead-beef-cafe-123456790ab"}}`, Public},
	{"the guests of an identity pool", trustCognito, "", `{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:12345678-dead-beef-cafe-123456790ab"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"unauthenticated"}}`, Public},
	{"an identity pool by a pattern that guests match", trustCognito, "", `{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:12345678-dead-beef-cafe-123456790ab"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"*authenticated"}}`, Public},
	{"who signed in to an identity pool", trustCognito, "", `{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:12345678-dead-beef-cafe-123456790ab"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}`, External},
	{"who signed in to any identity pool", trustCognito, "", `{"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}`, Public},
	{"an identity pool, all of whose methods or none", trustCognito, "", `{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:12345678-dead-beef-cafe-123456790ab"},"ForAllValues:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}`, Public},
	{"a user pool", trustOIDC("cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE"), "", `{}`, External},
	{"Entra tenant", trustOIDC("sts.windows.net/00000000-0000-0000-0000-000000000000"), "", `{}`, External},
	{"an issuer nobody knows", trustOIDC("id.example.com"), "", `{"StringEquals":{"id.example.com:aud":"app"}}`, Unknown},
	{"a subject of an issuer nobody knows", trustOIDC("id.example.com"), "", `{"StringEquals":{"id.example.com:sub":"alice"}}`, External},
	{"subjects of an issuer nobody knows", trustOIDC("id.example.com"), "", `{"StringLike":{"id.example.com:sub":"org:acme:*"}}`, External},
	{"subjects by one part of an issuer nobody knows", trustOIDC("id.example.com"), "", `{"StringLike":{"id.example.com:sub":"repo:*"}}`, Unknown},
	{"a host that only ends like GitHub", trustOIDC("eviltoken.actions.githubusercontent.com"), "", `{}`, Unknown},
	{"any provider", `{"Federated":"*"}`, "", `{}`, Unknown},

	// Clusters and SAML.
	{"a cluster", trustEKS, "", `{}`, External},
	{"a cluster's namespace and audience", trustEKS, "", `{"StringEquals":{"` + eksKey + `:aud":"sts.amazonaws.com"},"StringLike":{"` + eksKey + `:sub":"system:serviceaccount:shop:*"}}`, Internal},
	{"a service account and audience", trustEKS, "", `{"StringEquals":{"` + eksKey + `:aud":"sts.amazonaws.com","` + eksKey + `:sub":"system:serviceaccount:shop:orders"}}`, Internal},
	{"a service account without audience", trustEKS, "", `{"StringEquals":{"` + eksKey + `:sub":"system:serviceaccount:shop:orders"}}`, External},
	{"service accounts of a name in any namespace", trustEKS, "", `{"StringEquals":{"` + eksKey + `:aud":"sts.amazonaws.com"},"StringLike":{"` + eksKey + `:sub":"system:serviceaccount:*:orders"}}`, External},
	{"a cluster in another account's provider", `{"Federated":"arn:aws:iam::444455556666:oidc-provider/` + eksKey + `"}`, "", `{"StringEquals":{"` + eksKey + `:aud":"sts.amazonaws.com","` + eksKey + `:sub":"system:serviceaccount:shop:orders"}}`, External},
	{"SAML", trustSAML, "", `{}`, External},
	{"SAML by audience", trustSAML, "", `{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}`, External},
	{"SAML by audience and subject", trustSAML, "", `{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml","SAML:sub":"alice"}}`, Internal},
	{"SAML by subject", trustSAML, "", `{"StringEquals":{"SAML:sub":"alice"}}`, External},
	{"SAML by the call of tokens", trustSAML, `"sts:AssumeRoleWithWebIdentity"`, `{}`, Nobody},
	{"SAML of another account", `{"Federated":"arn:aws:iam::444455556666:saml-provider/idp"}`, "", `{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml","SAML:sub":"alice"}}`, External},
}

func TestWhoMayBecomeARole(t *testing.T) {
	for _, c := range trustCases {
		got := ExposeTrustStatement(statement(t, c.text()), exposureOwner)
		if got.Exposure != c.want || got.Reason == "" || got.Certain != (c.want != Unknown) {
			t.Errorf("%s: got %s, certain %t (%s), want %s", c.name, got.Exposure, got.Certain, got.Reason, c.want)
		}
	}
	if len(trustCases) < 120 {
		t.Errorf("only %d cases ran", len(trustCases))
	}
}

func TestTrustPoliciesWithDeny(t *testing.T) {
	allow := func(principal, condition string) string {
		return trustCase{principal: principal, condition: condition}.text()
	}
	const aud = `{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}`
	deny := func(principal, action, condition string) string {
		return `{"Effect":"Deny",` + principal + `,"Action":"` + action + `","Condition":` + condition + `}`
	}
	for _, c := range []struct {
		name       string
		statements []string
		want       Exposure
	}{
		{"all but one owner are denied", []string{allow(trustGitHub, aud), deny(`"Principal":"*"`, "sts:*", `{"StringNotLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}`)}, External},
		{"one owner is denied", []string{allow(trustGitHub, aud), deny(`"Principal":"*"`, "sts:*", `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}`)}, Public},
		{"tags are denied", []string{allow(trustGitHub, aud), deny(`"Principal":"*"`, "sts:TagSession", `{}`)}, Public},
		{"signers are denied", []string{allow(trustGitHub, aud), deny(`"Principal":"*"`, "sts:AssumeRole", `{}`)}, Public},
		{"tokens are denied", []string{allow(trustGitHub, aud), deny(`"Principal":"*"`, "sts:AssumeRoleWith*", `{}`)}, Nobody},
		{"everything else is denied", []string{allow(trustGitHub, aud), `{"Effect":"Deny","Principal":"*","NotAction":"sts:AssumeRoleWithWebIdentity"}`}, Public},
		{"everybody but the provider is denied", []string{allow(trustGitHub, aud), `{"Effect":"Deny","NotPrincipal":` + trustGitHub + `,"Action":"sts:*"}`}, Public},
		{"the provider is denied", []string{allow(trustGitHub, aud), deny(`"Principal":`+trustGitHub, "sts:*", `{}`)}, Nobody},
		{"the repository is denied", []string{allow(trustGitHub, github("StringLike", `"repo:example/app:*"`)), deny(`"Principal":"*"`, "sts:*", `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}`)}, Nobody},
		{"outside of the organization is denied", []string{allow(trustStar, `{}`), deny(`"Principal":"*"`, "sts:*", `{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)}, Organization},
		{"outside of the organization is denied, if there is one", []string{allow(trustStar, `{}`), deny(`"Principal":"*"`, "sts:*", `{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)}, Organization},
		{"a foreign account is denied", []string{allow(trustForeign, `{}`), deny(`"Principal":{"AWS":"444455556666"}`, "sts:AssumeRole", `{}`)}, Nobody},
		{"a service for others is denied", []string{allow(trustService("states.amazonaws.com"), `{}`), deny(`"Principal":"*"`, "sts:*", `{"StringNotEquals":{"aws:SourceAccount":"111122223333"}}`)}, Internal},
		{"other anchors are denied", []string{allow(trustAnywhere, `{}`), deny(`"Principal":"*"`, "sts:*", `{"ArnNotEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t"}}`)}, External},
		{"a subject is denied by variable", []string{allow(trustGitHub, aud), deny(`"Principal":"*"`, "sts:*", `{"StringNotLike":{"token.actions.githubusercontent.com:sub":"${aws:PrincipalTag/sub}"}}`)}, Unknown},
		{"everybody but one account", []string{`{"Effect":"Allow","NotPrincipal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`}, Public},
		{"everything but signing", []string{`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"sts:AssumeRole"}`}, Nobody},
		{"everything but tags", []string{`{"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"sts:TagSession"}`}, External},
		{"the widest counts", []string{allow(trustOwn, `{}`), allow(trustForeign, `{}`), allow(trustService("lambda.amazonaws.com"), `{}`)}, External},
		{"a condition without a key", []string{allow(trustForeign, `{"ArnEqualsIfExists":{"":""}}`)}, Unknown},
		{"no principal", []string{`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`}, Unknown},
		{"nothing", nil, Nobody},
	} {
		got := ExposeTrustDocument(parsed(t, doc(c.statements...)), exposureOwner)
		if got.Exposure != c.want {
			t.Errorf("%s: got %s (%s), want %s", c.name, got.Exposure, got.Reason, c.want)
		}
	}
}

// A condition more never lets more in.
func TestTrustConditionsOnlyNarrow(t *testing.T) {
	conditions := []string{
		`"IpAddress":{"aws:SourceIp":"203.0.113.7"}`, `"Bool":{"aws:SecureTransport":"true"}`, `"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`,
	}
	for _, c := range trustCases {
		before := ExposeTrustStatement(statement(t, c.text()), exposureOwner)
		for _, more := range conditions {
			operator, _, _ := strings.Cut(more, ":")
			if strings.Contains(c.condition, operator) {
				continue
			}
			inner := strings.TrimSuffix(strings.TrimPrefix(c.condition, "{"), "}")
			if inner != "" {
				inner += ","
			}
			narrower := c
			narrower.condition = "{" + inner + more + "}"
			after := ExposeTrustStatement(statement(t, narrower.text()), exposureOwner)
			if after.Exposure.Wider(before.Exposure) {
				t.Errorf("%s: %s with %s, and %s without", c.name, after.Exposure, more, before.Exposure)
			}
		}
	}
}

func TestTrustReasonsSayWhatIsMissing(t *testing.T) {
	for _, c := range []struct{ name, principal, condition, want, not string }{
		{"a third party", trustForeign, `{}`, "without sts:ExternalId", ""},
		{"a third party by pattern", trustForeign, `{"StringLike":{"sts:ExternalId":"*"}}`, "without sts:ExternalId", ""},
		{"a third party with its word", trustForeign, `{"StringEquals":{"sts:ExternalId":"e1"}}`, "444455556666", "without"},
		{"the own account", trustOwn, `{}`, "own account", "without"},
		{"a word for everybody", trustStar, `{"StringEquals":{"sts:ExternalId":"e1"}}`, "pins no account", ""},
		{"a documented deputy", trustService("states.amazonaws.com"), `{}`, "without aws:SourceAccount", ""},
		{"a deputy that is pinned", trustService("states.amazonaws.com"), `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, "aws:SourceAccount", "without"},
		{"Lambda", trustService("lambda.amazonaws.com"), `{}`, "has to pass the role", "without"},
		{"no subject", trustGitHub, `{}`, "any repository on GitHub", ""},
		{"no audience", trustGitHub, `{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/app:*"}}`, "without token.actions.githubusercontent.com:aud", "every repository"},
		{"a whole owner", trustGitHub, github("StringLike", `"repo:example/*"`), "every repository of that owner", "without"},
		{"a subject that pins nobody", trustGitHub, github("StringLike", `"repo:*"`), "repo:* pins nobody", ""},
		{"SAML without audience", trustSAML, `{}`, "without saml:aud", ""},
		{"any certificate", trustAnywhere, `{"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t"}}`, "any of them", ""},
		{"one certificate", trustAnywhere, `{"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"host"}}`, "that trust anchor", "any of them"},
		{"Denys alone", trustEKS, `{"StringNotLike":{"` + eksKey + `:sub":"x"}}`, "any service account of the cluster", ""},
	} {
		got := ExposeTrustStatement(statement(t, trustCase{principal: c.principal, condition: c.condition}.text()), exposureOwner)
		if !strings.Contains(got.Reason, c.want) || c.not != "" && strings.Contains(got.Reason, c.not) {
			t.Errorf("%s: %q does not say %q, or says %q", c.name, got.Reason, c.want, c.not)
		}
	}
}

func TestTrustCounterpartiesAreTheSubjects(t *testing.T) {
	s := statement(t, trustCase{principal: trustGitHub, condition: `{"StringLike":{"token.actions.githubusercontent.com:sub":["repo:a/b:*","repo:c/d:*"]}}`}.text())
	want := []string{"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com (token.actions.githubusercontent.com:sub repo:a/b:*, repo:c/d:*)"}
	if got := ExposeTrustStatement(s, exposureOwner).Counterparties; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	s = statement(t, trustCase{principal: `{"AWS":["111122223333","444455556666"],"Service":"lambda.amazonaws.com"}`, condition: `{}`}.text())
	want = []string{"111122223333", "444455556666", "lambda.amazonaws.com"}
	if got := ExposeTrustStatement(s, exposureOwner).Counterparties; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

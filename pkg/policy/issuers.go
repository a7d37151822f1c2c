package policy

import (
	"regexp"
	"slices"
	"strings"
)

// Issuer is what is documented of an identity provider: who gets its tokens,
// and which claims of them say who somebody is. A claim is the condition key
// PROVIDER:CLAIM, such as token.actions.githubusercontent.com:sub.
type Issuer struct {
	Host     string // the provider's URL, names in capitals
	Name     string // as people call it
	Who      string // who gets a token, where nothing is pinned
	Shared   bool   // anybody gets one; otherwise the URL names a tenant
	Subject  string // the claim, and the shape of its values that name somebody; empty: none is documented
	Audience string // the value of aud that the documentation asks for
	Page     string // the documentation that says so

	match *regexp.Regexp // of the provider, without https://
	pins  [][]claim      // any of these sets of claims pins
	own   bool           // a cluster or identity provider that belongs to who registers it
	all   string         // what is let in where only the first part of the subject is pinned
}

// claim is a claim and how its values pin. A value pins where the expression
// matches what stands before its first wildcard; without one, where it has no
// wildcard.
type claim struct {
	name string
	pin  *regexp.Regexp
	not  string // a value that pins nobody
}

// pinsBy reports whether a value pins, of which the prefix is what stands before the
// first wildcard, or the whole.
func (c claim) pinsBy(prefix string, whole bool) bool {
	switch {
	case c.not != "":
		return prefix != "" && prefix != c.not && (whole || !strings.HasPrefix(c.not, prefix))
	case c.pin != nil:
		return c.pin.MatchString(prefix)
	}
	return whole && prefix != ""
}

// subject is the claim sub, pinned by values that match.
func subject(pin string) claim { return claim{name: "sub", pin: regexp.MustCompile(pin)} }

// anyOfClaims are claims each of which pins by itself, by a value without wildcards.
func anyOfClaims(claims ...string) (sets [][]claim) {
	for _, name := range claims {
		sets = append(sets, []claim{{name: name}})
	}
	return sets
}

// Issuers lists the identity providers that are known.
func Issuers() []Issuer { return slices.Clone(issuers) }

// IssuerOf is what is known of a provider: the ARN of an OpenID Connect
// provider, or a name such as accounts.google.com.
func IssuerOf(provider string) (Issuer, bool) {
	_, host, found := strings.Cut(provider, ":oidc-provider/")
	if !found {
		host = provider
	}
	host = strings.TrimPrefix(host, "https://")
	for _, issuer := range issuers {
		if issuer.match.MatchString(strings.ToLower(host)) {
			return issuer, true
		}
	}
	return Issuer{}, false
}

// exactly matches a whole provider.
func exactly(pattern string) *regexp.Regexp { return regexp.MustCompile("^(?:" + pattern + ")/?$") }

// The subjects of several providers.
const (
	anySubject = `^(?s).` // whatever the tenant calls somebody
	// serviceAccount names a namespace of a cluster.
	serviceAccount = `^system:serviceaccount:[^:]+:`
	organization   = `^organization:[^:]+:`
	// twoParts is a subject of an unknown form, of which two parts are whole.
	twoParts = `^[^:/|]+[:/|]+[^:/|]+[:/|]`
)

const kubernetes = "sub = system:serviceaccount:NAMESPACE:NAME"

// issuers are tried in order. Those whose tokens anybody can get are public
// unless pinned. What GitHub, GitLab and the like write into sub begins with
// whose it is, unless the owner chose another form; a form that begins with
// anything else (an environment, a branch, a user, a workflow that others may
// call) can be had by any owner, and pins nobody.
var issuers = []Issuer{
	{
		Host: "token.actions.githubusercontent.com", Name: "GitHub Actions", Shared: true, Who: "any repository on GitHub",
		Subject: "sub = repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH", Audience: "sts.amazonaws.com",
		Page:  "GitHub Docs, Configuring OpenID Connect in Amazon Web Services; OpenID Connect reference; IAM User Guide, Available keys for AWS OIDC federation",
		match: exactly(`token\.actions\.githubusercontent\.com`), all: "every repository of that owner",
		// repo:OWNER@ID/ since 2026: neither sign can be part of a name.
		pins: [][]claim{
			{subject(`^(?:repo|repository):[^/@]+[/@]|^repository_owner:[^:]+:|^repository(?:_owner)?_id:[0-9]+:|^enterprise_id:[0-9]+:`)},
			{{name: "repository", pin: regexp.MustCompile(`^[^/]+/`)}},
			{{name: "repository_id"}},
			{{name: "enterprise_id"}},
		},
	},
	{
		Host: "token.actions.githubusercontent.com/ENTERPRISE", Name: "GitHub Actions of one enterprise", Who: "any repository of the enterprise",
		Subject: "sub = repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH", Audience: "sts.amazonaws.com",
		Page:  "GitHub Docs, OpenID Connect reference, Customizing the issuer value for an enterprise",
		match: exactly(`token\.actions\.githubusercontent\.com/[^/]+`), pins: [][]claim{{subject(`^repo:[^/@]+[/@]`)}}, all: "every repository of that owner",
	},
	{
		Host: "HOSTNAME/_services/token", Name: "GitHub Enterprise Server", Who: "any repository of the server",
		Subject: "sub = repo:OWNER/REPOSITORY:ref:refs/heads/BRANCH", Audience: "sts.amazonaws.com",
		Page:  "GitHub Docs, OpenID Connect reference, enterprise-server",
		match: exactly(`[^/]+/_services/token`), pins: [][]claim{{subject(`^repo:[^/@]+[/@]`)}}, all: "every repository of that owner",
	},
	{
		Host: "gitlab.com", Name: "GitLab", Shared: true, Who: "any project on gitlab.com",
		Subject: "sub = project_path:GROUP/PROJECT:ref_type:branch:ref:BRANCH", Audience: "https://gitlab.com",
		Page:  "GitLab Docs, Configure OpenID Connect in AWS to retrieve temporary credentials",
		match: exactly(`gitlab\.com`), pins: [][]claim{{subject(`^project_path:[^/]+/`)}}, all: "every project of that group",
	},
	{
		Host: "gitlab.HOSTNAME", Name: "a GitLab server", Who: "any project of the server, where whoever may register has one",
		Subject: "sub = project_path:GROUP/PROJECT:ref_type:branch:ref:BRANCH",
		Page:    "GitLab Docs, Configure OpenID Connect in AWS to retrieve temporary credentials",
		match:   exactly(`gitlab\.[^/]+`), pins: [][]claim{{subject(`^project_path:[^/]+/`)}}, all: "every project of that group",
	},
	{
		Host: "api.bitbucket.org/2.0/workspaces/WORKSPACE/pipelines-config/identity/oidc", Name: "Bitbucket Pipelines", Who: "any repository of the workspace",
		Subject: "sub = {REPOSITORY_UUID}*:{STEP_UUID}", Audience: "ari:cloud:bitbucket::workspace/WORKSPACE_UUID",
		Page:  "Bitbucket Support, Deploy on AWS using Bitbucket Pipelines OpenID Connect",
		match: exactly(`api\.bitbucket\.org/2\.0/workspaces/[^/]+/pipelines-config/identity/oidc`), pins: [][]claim{{subject(`^\{[^}:]+\}`)}}, all: "every step of that repository",
	},
	{
		Host: "app.terraform.io", Name: "HCP Terraform", Shared: true, Who: "any workspace on HCP Terraform",
		Subject: "sub = organization:ORGANIZATION:project:PROJECT:workspace:WORKSPACE:run_phase:PHASE", Audience: "aws.workload.identity",
		Page:  "HCP Terraform Docs, Use dynamic credentials with the AWS provider",
		match: exactly(`app(?:\.eu)?\.terraform\.io`), pins: [][]claim{{subject(organization)}}, all: "every workspace of that organization",
	},
	{
		Host: "agent.buildkite.com", Name: "Buildkite", Shared: true, Who: "any pipeline on Buildkite",
		Subject: "sub = organization:ORGANIZATION:pipeline:PIPELINE:ref:REF:commit:COMMIT:step:STEP", Audience: "sts.amazonaws.com",
		Page:  "Buildkite Docs, OIDC with AWS",
		match: exactly(`agent\.buildkite\.com`), pins: [][]claim{{subject(organization)}}, all: "every pipeline of that organization",
	},
	{
		Host: "oidc.circleci.com/org/ORGANIZATION_ID", Name: "CircleCI", Who: "any project of the organization",
		Subject: "sub = org/ORGANIZATION_ID/project/PROJECT_ID/user/USER_ID", Audience: "ORGANIZATION_ID",
		Page:  "CircleCI Docs, Using OpenID Connect tokens in jobs",
		match: exactly(`oidc\.circleci\.com/org/[^/]+`), pins: [][]claim{{subject(`^org/[^/]+/project/[^/]+`)}}, all: "every job of that project",
	},
	{
		Host: "oidc.eks.REGION.amazonaws.com/id/CLUSTER", Name: "EKS", Who: "any service account of the cluster",
		Subject: kubernetes, Audience: "sts.amazonaws.com",
		Page:  "EKS User Guide, Assign IAM roles to Kubernetes service accounts",
		match: exactly(`oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/id/[^/]+|oidc-eks\.[a-z0-9-]+\.api\.(?:aws|amazonwebservices\.com\.cn)/id/[^/]+`), pins: [][]claim{{subject(serviceAccount)}}, own: true, all: "every service account of that namespace",
	},
	{
		Host: "container.googleapis.com/v1/projects/PROJECT/locations/LOCATION/clusters/CLUSTER", Name: "GKE", Who: "any service account of the cluster",
		Subject: kubernetes, Page: "Google Kubernetes Engine Docs, Clusters and their OIDC issuer",
		match: exactly(`container\.googleapis\.com/v1/projects/.+/clusters/[^/]+`), pins: [][]claim{{subject(serviceAccount)}}, all: "every service account of that namespace",
	},
	{
		Host: "cognito-identity.amazonaws.com", Name: "Cognito identity pools", Shared: true, Who: "any identity pool, or its guests",
		Subject: "aud = the identity pool's id, and with ForAnyValue:StringLike amr = authenticated",
		Page:    "Cognito Developer Guide, IAM roles; Role trust and permissions",
		match:   exactly(`cognito-identity\.amazonaws\.com`), pins: [][]claim{{{name: "aud"}, {name: "amr", not: "unauthenticated"}}, {{name: "sub"}}},
	},
	{
		Host: "cognito-idp.REGION.amazonaws.com/POOL", Name: "a Cognito user pool", Who: "any user of the pool, who may have signed up by himself",
		Subject: "sub = the user's id", Audience: "the app client's id", Page: "Cognito Developer Guide, Understanding user pool JSON web tokens",
		match: exactly(`cognito-idp\.[a-z0-9-]+\.amazonaws\.com/[^/]+`), pins: anyOfClaims("sub"),
	},
	{
		// aud is azp, which the issuer sets; oaud is whatever a service account asked for.
		Host: "accounts.google.com", Name: "Google", Shared: true, Who: "any account of Google",
		Subject: "aud = the app's client id, or sub = the account's id",
		Page:    "IAM User Guide, Create a role for OpenID Connect federation; Available keys for AWS OIDC federation",
		match:   exactly(`accounts\.google\.com`), pins: anyOfClaims("aud", "sub"),
	},
	{
		Host: "www.amazon.com", Name: "Login with Amazon", Shared: true, Who: "any customer of Amazon",
		Subject: "app_id = the app's id", Page: "IAM User Guide, Create a role for OpenID Connect federation",
		match: exactly(`www\.amazon\.com`), pins: anyOfClaims("app_id", "user_id"),
	},
	{
		Host: "graph.facebook.com", Name: "Facebook", Shared: true, Who: "any user of Facebook",
		Subject: "app_id = the app's id", Page: "IAM User Guide, Create a role for OpenID Connect federation",
		match: exactly(`graph\.facebook\.com`), pins: anyOfClaims("app_id", "id"),
	},
	{
		Host: "sts.windows.net/TENANT or login.microsoftonline.com/TENANT/v2.0", Name: "Microsoft Entra", Who: "any identity of the tenant",
		Subject: "sub = the object's id", Audience: "the application's id", Page: "Microsoft Entra Docs, Access token claims reference",
		match: exactly(`sts\.windows\.net/[0-9a-f-]{36}|login\.microsoftonline\.com/[0-9a-f-]{36}/v2\.0`), pins: anyOfClaims("sub"),
	},
	{
		Host: "TENANT.okta.com or TENANT.auth0.com", Name: "Okta or Auth0", Who: "any user of the tenant, who may have signed up by himself",
		Subject: "sub = the user's id", Audience: "the application's client id", Page: "Auth0 Docs, ID token structure; Okta Developer Docs, OpenID Connect API",
		match: exactly(`[^/]+\.(?:okta|oktapreview|auth0)\.com(?:/.*)?`), pins: anyOfClaims("sub"),
	},
	{
		Host: "oidc.vercel.com", Name: "Vercel", Shared: true, Who: "any project on Vercel",
		Subject: "sub = owner:TEAM:project:PROJECT:environment:ENVIRONMENT", Audience: "https://vercel.com/TEAM",
		Page:  "Vercel Docs, Connect to Amazon Web Services",
		match: exactly(`oidc\.vercel\.com`), pins: [][]claim{{subject(`^owner:[^:]+:`)}}, all: "every project of that team",
	},
	{
		Host: "oidc.vercel.com/TEAM", Name: "Vercel", Who: "any project of the team",
		Subject: "sub = owner:TEAM:project:PROJECT:environment:ENVIRONMENT", Audience: "https://vercel.com/TEAM",
		Page:  "Vercel Docs, Connect to Amazon Web Services",
		match: exactly(`oidc\.vercel\.com/[^/]+`), pins: [][]claim{{subject(`^owner:[^:]+:project:[^:]+:`)}}, all: "every environment of that project",
	},
}

// issuer is a provider as one statement names it.
type issuer struct {
	Issuer
	provider string // as in the policy
	prefix   string // of its condition keys, in lower case
	action   string // the call that its tokens are for
	known    bool
}

// issuerOf is what is known of a provider, and what can be said of any.
func issuerOf(provider string) issuer {
	out := issuer{provider: provider, action: assumeWithWeb}
	if _, name, saml := strings.Cut(provider, ":saml-provider/"); saml {
		out.action, out.prefix, out.known = assumeWithSAML, "saml", true
		out.Issuer = Issuer{
			Host: name, Name: "the SAML provider " + name, Who: "whoever it says",
			Subject: "sub = the user's id there", Audience: "https://signin.aws.amazon.com/saml",
			Page: "IAM User Guide, Create a role for SAML 2.0 federation; Available keys for SAML-based AWS STS federation",
			pins: [][]claim{{subject(anySubject)}}, own: true,
		}
		return out
	}
	_, host, found := strings.Cut(provider, ":oidc-provider/")
	if !found {
		host = provider
	}
	host = strings.TrimPrefix(host, "https://")
	out.prefix = strings.ToLower(host)
	if out.Issuer, out.known = IssuerOf(provider); out.known {
		return out
	}
	out.Issuer = Issuer{
		Host: host, Name: "the provider " + clip(host), Who: "whoever it gives a token",
		Subject: "sub", Page: "IAM User Guide, Create a role for OpenID Connect federation",
		pins: [][]claim{{subject(twoParts)}, {{name: "sub"}}},
	}
	return out
}

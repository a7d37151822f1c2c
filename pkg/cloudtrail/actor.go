package cloudtrail

import (
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// actorOf is who made the call, as CloudTrail identified them.
func actorOf(fields object) drift.Actor {
	identity := fields.obj("userIdentity")
	session := identity.obj("sessionContext")
	a := drift.Actor{
		ARN:       identity.str("arn"),
		Account:   identity.str("accountId"),
		Type:      identity.str("type"),
		Issuer:    session.obj("sessionIssuer").str("arn"),
		Source:    first(session.str("sourceIdentity"), identity.str("sourceIdentity")),
		InvokedBy: identity.str("invokedBy"),
		SourceIP:  fields.str("sourceIPAddress"),
		UserAgent: fields.str("userAgent"),
		MFA:       isTrue(session.obj("attributes").str("mfaAuthenticated")),
	}
	a.Provider, a.Federated = federation(identity, session)
	a.Via = via(a, isTrue(fields.str("sessionCredentialFromConsole")))
	return a
}

// federation is the identity provider that a session was begun with, and the
// user there: of a federated user's own call, of a session that web identity
// began, and of a call on behalf of a user of IAM Identity Center, whose store
// is then the provider.
func federation(identity, session object) (provider, user string) {
	switch identity.str("type") {
	case "WebIdentityUser", "SAMLUser":
		return identity.str("identityProvider"), identity.str("userName")
	}
	web, center := session.obj("webIdFederationData"), identity.obj("onBehalfOf")
	switch {
	case web.str("federatedProvider") != "":
		return web.str("federatedProvider"), webUser(web.obj("attributes"))
	case center.str("userId") != "":
		return center.str("identityStoreArn"), center.str("userId")
	}
	return identity.str("identityProvider"), ""
}

// webUser is the user's id among what a web identity provider reported, such as
// "www.amazon.com:user_id" beside "www.amazon.com:app_id".
func webUser(attributes object) string {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if strings.HasSuffix(name, ":user_id") || strings.HasSuffix(name, ":sub") {
			return attributes.str(name)
		}
	}
	return ""
}

// agents tells by the user agent what made a call; the first that is contained
// counts. Terraform's, Pulumi's, CDK's and SAM's agents name an SDK too.
// aws-internal is how an AWS front end signs what it does with its user's
// credentials.
var agents = []struct{ part, via string }{
	{"Pulumi", "pulumi"},
	{"Terraform", "terraform"},
	{"OpenTofu", "terraform"},
	{"aws-cdk/", "cdk"},
	{"aws-sam-cli/", "sam"},
	{"aws-cli/", "cli"},
	{"AWSPowerShell", "cli"},
	{"signin.amazonaws.com", "console"},
	{"console.", "console"},
	{"Console/", "console"},
	{"aws-internal/", "console"},
	{"AWS Internal", "console"},
	{"Mozilla/", "console"},
	{"aws-sdk-", "sdk"},
	{"Boto3/", "sdk"},
	{"Botocore/", "sdk"},
}

// via is by what means the call was made; empty if that cannot be told. What
// AWS itself says (invokedBy, the source address of CloudFormation) comes
// before the user agent, which the caller can choose.
func via(a drift.Actor, consoleCredential bool) string {
	switch {
	case a.InvokedBy == "cloudformation.amazonaws.com" || a.SourceIP == "cloudformation.amazonaws.com":
		return "cloudformation"
	case a.InvokedBy == "signin.amazonaws.com" || strings.HasPrefix(a.InvokedBy, "console."):
		return "console"
	case a.InvokedBy != "":
		return "service"
	case consoleCredential:
		return "console"
	}
	for _, agent := range agents {
		if strings.Contains(a.UserAgent, agent.part) {
			return agent.via
		}
	}
	return ""
}

package cloudtrail

import (
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
		InvokedBy: identity.str("invokedBy"),
		SourceIP:  fields.str("sourceIPAddress"),
		UserAgent: fields.str("userAgent"),
		MFA:       isTrue(session.obj("attributes").str("mfaAuthenticated")),
	}
	a.Via = via(a, isTrue(fields.str("sessionCredentialFromConsole")))
	return a
}

// agents tells by the user agent what made a call; the first that is contained
// counts. Terraform's agent names an SDK too. aws-internal is how an AWS front
// end signs what it does with its user's credentials.
var agents = []struct{ part, via string }{
	{"Terraform", "terraform"},
	{"OpenTofu", "terraform"},
	{"aws-cli/", "cli"},
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

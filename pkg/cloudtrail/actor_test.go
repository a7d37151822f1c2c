package cloudtrail

import "testing"

func TestActorsMeans(t *testing.T) {
	for _, row := range []struct{ identity, agent, source, console, want string }{
		{`{}`, "aws-cli/2.31.5 md/awscrt", "198.51.100.1", "", "cli"},
		{`{}`, "aws-cli/2.31.5 exec-env/CloudShell", "198.51.100.1", `"true"`, "console"},
		{`{}`, "Mozilla/5.0 (X11)", "198.51.100.1", `true`, "console"},
		{`{}`, "signin.amazonaws.com", "198.51.100.1", "", "console"},
		{`{}`, "console.amazonaws.com", "198.51.100.1", "", "console"},
		{`{}`, "aws-internal/3 aws-sdk-java/1.11.1014 Linux", "198.51.100.1", "", "console"},
		{`{"invokedBy":"signin.amazonaws.com"}`, "signin.amazonaws.com", "198.51.100.1", "", "console"},
		{`{"invokedBy":"cloudformation.amazonaws.com"}`, "cloudformation.amazonaws.com", "cloudformation.amazonaws.com", "", "cloudformation"},
		{`{}`, "cloudformation.amazonaws.com", "198.51.100.1", "", ""},
		{`{"invokedBy":"autoscaling.amazonaws.com"}`, "aws-cli/2", "x", `"true"`, "service"},
		{`{}`, "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 aws-sdk-go-v2/1.18.0", "198.51.100.1", "", "terraform"},
		{`{}`, "APN/1.0 OpenTofu/1.10 aws-sdk-go-v2/1.18.0", "198.51.100.1", "", "terraform"},
		{`{}`, "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.17.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.24.8 md/GOOS#linux md/GOARCH#arm64 api/lambda#1.78.0 m/E", "198.51.100.1", "", "terraform"},
		{`{}`, "aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25 md/GOOS#linux APN/1.0 Pulumi/1.0 PulumiAwsNative/1.12 api/lambda#1.78.0", "198.51.100.1", "", "pulumi"},
		{`{}`, "APN/1.0 Pulumi/1.0 PulumiAWS/7.8.0 Terraform/1.0 aws-sdk-go-v2/1.39.2", "198.51.100.1", "", "pulumi"},
		{`{}`, "aws-cdk/2.1031.0 aws-sdk-js/3.901.0 ua/2.1 os/linux#6.12 lang/js md/nodejs#22.20.0 api/lambda#3.901.0", "198.51.100.1", "", "cdk"},
		{`{}`, "Boto3/1.40.55 md/Botocore#1.40.55 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.7 aws-sam-cli/1.145.1", "198.51.100.1", "", "sam"},
		{`{"invokedBy":"cloudformation.amazonaws.com"}`, "cloudformation.amazonaws.com", "cloudformation.amazonaws.com", `"true"`, "cloudformation"},
		{`{"invokedBy":"cloudcontrolapi.amazonaws.com"}`, "cloudcontrolapi.amazonaws.com", "cloudcontrolapi.amazonaws.com", "", "service"},
		{`{}`, "AWSPowerShell.Common/5.0.75 .NET_Core/9.0 OS/Linux PowerShellCore/7.5 aws-sdk-dotnet-coreclr/4.0", "198.51.100.1", "", "cli"},
		{`{}`, "aws-sdk-java/2.35.0 md/io#sync md/http#Apache ua/2.1 os/Linux#6.12 lang/java#21", "198.51.100.1", "", "sdk"},
		{`{}`, "aws-sdk-js/3.901.0 ua/2.1 os/linux#6.12 lang/js md/nodejs#22.20.0 api/lambda#3.901.0", "198.51.100.1", "", "sdk"},
		{`{}`, "Botocore/1.40.55 md/awscrt#0.27.6 ua/2.1", "198.51.100.1", "", "sdk"},
		{`{}`, "S3Console/0.4", "198.51.100.1", "", "console"},
		{`{}`, "Boto3/1.40.55 md/Botocore#1.40.55", "198.51.100.1", "", "sdk"},
		{`{}`, "aws-sdk-go-v2/1.47.7", "198.51.100.1", "", "sdk"},
		{`{}`, "stratus-red-team_a5b48423", "198.51.100.1", "", ""},
		{`{}`, "", "", "", ""},
	} {
		r := decodeOne(t, ours(lambdaAPI, addName, addOrders, `null`, "userIdentity", row.identity, "userAgent", `"`+row.agent+`"`,
			"sourceIPAddress", `"`+row.source+`"`, "sessionCredentialFromConsole", row.console))
		if got := r.Changes[0].Actor.Via; got != row.want {
			t.Errorf("%+v: via %q", row, got)
		}
	}
}

func TestActorIsTakenFromTheIdentity(t *testing.T) {
	r := decodeOne(t, ours(lambdaAPI, addName, addOrders, `null`, "sourceIPAddress", `"198.51.100.1"`, "userIdentity",
		`{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/admin/alice","accountId":"111122223333","sessionContext":{
		"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/admin"},"attributes":{"mfaAuthenticated":"true"}}}`))
	a := r.Actor
	if a.ARN != "arn:aws:sts::111122223333:assumed-role/admin/alice" || a.Account != "111122223333" || a.Type != "AssumedRole" ||
		a.Issuer != "arn:aws:iam::111122223333:role/admin" || !a.MFA || a.SourceIP != "198.51.100.1" {
		t.Errorf("got %+v", a)
	}
}

func TestFederatedActorsAreNamed(t *testing.T) {
	const session = `{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci"`
	for name, row := range map[string]struct{ identity, source, provider, federated string }{
		"nobody":                                 {session + `,"userName":"x"}`, "", "", ""},
		"an empty federation":                    {session + `,"sessionContext":{"webIdFederationData":{},"attributes":{}}}`, "", "", ""},
		"a source identity":                      {session + `,"sessionContext":{"sourceIdentity":"alice"}}`, "alice", "", ""},
		"a source identity beside the session":   {session + `,"sourceIdentity":"alice"}`, "alice", "", ""},
		"a session that web identity began":      {session + `,"sessionContext":{"webIdFederationData":{"federatedProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com","attributes":{}}}}`, "", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", ""},
		"a session of a user of an app":          {session + `,"sessionContext":{"webIdFederationData":{"federatedProvider":"www.amazon.com","attributes":{"www.amazon.com:app_id":"a","www.amazon.com:user_id":"u"}}}}`, "", "www.amazon.com", "u"},
		"a session with the subject":             {session + `,"sessionContext":{"webIdFederationData":{"federatedProvider":"p","attributes":{"p:aud":"a","p:sub":"s"}}}}`, "", "p", "s"},
		"the call by which web identity begins":  {`{"type":"WebIdentityUser","principalId":"p:aud:sub","userName":"repo:example/orders","identityProvider":"arn:aws:iam::111122223333:oidc-provider/token.example.com"}`, "", "arn:aws:iam::111122223333:oidc-provider/token.example.com", "repo:example/orders"},
		"the call by which SAML begins":          {`{"type":"SAMLUser","principalId":"x:alice","userName":"alice","identityProvider":"x"}`, "", "x", "alice"},
		"an IAM user is not federated":           {`{"type":"IAMUser","userName":"alice"}`, "", "", ""},
		"on behalf of a user of Identity Center": {session + `,"onBehalfOf":{"userId":"544894e8-EXAMPLE","identityStoreArn":"arn:aws:identitystore::111122223333:identitystore/d-EXAMPLE"}}`, "", "arn:aws:identitystore::111122223333:identitystore/d-EXAMPLE", "544894e8-EXAMPLE"},
		"a user of Identity Center":              {`{"type":"IdentityCenterUser","accountId":"111122223333","onBehalfOf":{"userId":"u","identityStoreArn":"s"}}`, "", "s", "u"},
		"of odd types":                           {session + `,"onBehalfOf":7,"sessionContext":{"webIdFederationData":[],"sourceIdentity":{}}}`, "", "", ""},
	} {
		a := decodeOne(t, ours(lambdaAPI, addName, addOrders, `null`, "userIdentity", row.identity)).Actor
		if a.Source != row.source || a.Provider != row.provider || a.Federated != row.federated {
			t.Errorf("%s: source %q, provider %q, user %q", name, a.Source, a.Provider, a.Federated)
		}
	}
}

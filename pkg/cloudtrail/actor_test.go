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

package drift

import (
	"strings"
	"testing"
)

// The ladder of the services: how far a grant is pinned decides how bad it is.
func TestLadder(t *testing.T) {
	const (
		bucket  = `"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::amzn-s3-demo-bucket"}`
		topic   = `"ArnLike":{"AWS:SourceArn":"arn:aws:sns:us-east-1:111122223333:clicks"}`
		account = `"StringEquals":{"AWS:SourceAccount":"111122223333"}`
		other   = `"StringEquals":{"AWS:SourceAccount":"444455556666"}`
	)
	for _, c := range []struct{ name, service, conditions, want, reason string }{
		{"S3, bucket and account", "s3", bucket + "," + account, "low internal", "of your own account"},
		{"S3, account only", "s3", account, "low internal", "any bucket of your own account"},
		{"S3, bucket only", "s3", bucket, "medium confused-deputy", "whoever owns that name"},
		{"S3, neither", "s3", "", "high confused-deputy", "any bucket in the world"},
		{"S3, another account", "s3", other, "high external", "444455556666"},
		{"SNS, topic", "sns", topic, "low internal", "topic"},
		{"SNS, nothing", "sns", "", "high confused-deputy", "any topic in the world"},
		{"EventBridge, nothing", "events", "", "high confused-deputy", "any rule in the world"},
	} {
		condition := ""
		if c.conditions != "" {
			condition = `,"Condition":{` + c.conditions + `}`
		}
		s := `{"Sid":"s","Effect":"Allow","Principal":{"Service":"` + c.service + `.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"` + condition + `}`
		f := Compare(Change{}, state(t, "", s), Baseline{}, here)[0]
		if got := string(f.Severity) + " " + string(f.Exposure); got != c.want || !strings.Contains(f.Reason, c.reason) {
			t.Errorf("%s: got %s, %q", c.name, got, f.Reason)
		}
		if f.Severity != Low && f.Advice == "" {
			t.Errorf("%s: no advice", c.name)
		}
	}
}

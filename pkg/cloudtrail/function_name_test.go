package cloudtrail

import (
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
)

func TestFunctionNameSpellings(t *testing.T) {
	r := &record{partition: "aws", event: drift.Event{Account: "111122223333", Region: "us-east-1"}}
	const eu = "arn:aws:lambda:eu-west-1:444455556666:function:orders"
	for _, row := range []struct{ name, qualifier, subject, place string }{
		{"orders", "", orders, ""},
		{"orders", "live", orders, "live"},
		{"orders", "$LATEST", orders, ""},
		{"orders:live", "", orders, "live"},
		{"orders:live", "live", orders, "live"},
		{"orders:$LATEST", "", orders, ""},
		{"orders:7", "", orders, "7"},
		{"function:orders", "", orders, ""},
		{"function:orders:live", "", orders, "live"},
		{"function", "", "arn:aws:lambda:us-east-1:111122223333:function:function", ""},
		{"444455556666:function:orders", "", "arn:aws:lambda:us-east-1:444455556666:function:orders", ""},
		{"444455556666:function:orders:live", "", "arn:aws:lambda:us-east-1:444455556666:function:orders", "live"},
		{"444455556666:function:orders", "3", "arn:aws:lambda:us-east-1:444455556666:function:orders", "3"},
		{"4444:function:orders", "", "arn:aws:lambda:us-east-1:4444:function:orders", ""},
		{"444455556666:orders", "", "arn:aws:lambda:us-east-1:444455556666:function:orders", ""},
		{"444455556666:orders:live", "", "arn:aws:lambda:us-east-1:444455556666:function:orders", "live"},
		{"eu-west-1:444455556666:function:orders:live", "", eu, "live"},
		{eu, "", eu, ""},
		{eu, "live", eu, "live"},
		{eu + ":live", "", eu, "live"},
		{eu + ":live", "live", eu, "live"},
		{"arn:aws-cn:lambda:cn-north-1:444455556666:function:orders:1", "", "arn:aws-cn:lambda:cn-north-1:444455556666:function:orders", "1"},
	} {
		subject, place, err := r.functionName(row.name, row.qualifier)
		if err != nil || string(subject) != row.subject || string(place) != row.place {
			t.Errorf("%q, %q: got %s @%s, %v; want %s @%s", row.name, row.qualifier, subject, string(place), err, row.subject, row.place)
		}
	}
}

func TestFunctionNamesThatAreNone(t *testing.T) {
	r := &record{partition: "aws", event: drift.Event{Account: "111122223333", Region: "us-east-1"}}
	for _, row := range []struct{ name, qualifier, want string }{
		{"", "", "functionName is missing"},
		{"orders:live", "old", `functionName "orders:live" contradicts qualifier "old"`},
		{"orders", "a b", `functionName "orders" contradicts qualifier "a b"`},
		{":", "", `functionName ":": "arn:aws:lambda:us-east-1:111122223333:function::" is not the ARN of a Lambda function`},
		{"a:b:c", "", `functionName "a:b:c": "arn:aws:lambda:us-east-1:111122223333:function:a:b:c" is not the ARN of a Lambda function`},
		{"orders\n", "", `functionName "orders\n": "arn:aws:lambda:us-east-1:111122223333:function:orders\n" is not the ARN of a Lambda function`},
		{"arn:aws:s3:::bucket", "", `functionName "arn:aws:s3:::bucket": "arn:aws:s3:::bucket" is not the ARN of a Lambda function`},
		{"arn:aws:lambda:::function:orders", "", `functionName "arn:aws:lambda:::function:orders": "arn:aws:lambda:::function:orders" is not the ARN of a Lambda function`},
	} {
		subject, _, err := r.functionName(row.name, row.qualifier)
		if err == nil || err.Error() != row.want {
			t.Errorf("%q, %q: got %s, %v; want %s", row.name, row.qualifier, subject, err, row.want)
		}
	}
}

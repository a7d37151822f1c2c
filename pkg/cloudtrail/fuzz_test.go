package cloudtrail

import (
	"path/filepath"
	"testing"
	"unicode"

	"github.com/permdrift/permdrift/pkg/drift"
)

// FuzzDecode: no panic, every record has an outcome, and every subject is one.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "events", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in events: %v", err)
	}
	for _, file := range files {
		for _, body := range bodies(f, file) {
			f.Add(body)
		}
	}
	for _, row := range calls {
		f.Add(ours(row.source, row.name, row.request, row.response))
	}
	f.Add([]byte(`{"Records":[{},7,null,{"eventName":"AddPermission","eventSource":"lambda.amazonaws.com","requestParameters":7,"recipientAccountId":"1"}]}`))
	f.Add(ours(lambdaAPI, addName, `{"omitted":"true"}`, `{"statement":"{\"Resource\":[\"`+orders+`\"]}"}`))
	f.Add(ours("cloudtrail.amazonaws.com", "StopLogging", `{"name":"t"}`, `null`))
	f.Add(enveloped("aws.iam", "111122223333", "AWS API Call via CloudTrail", `{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		results, err := Decode(data)
		if err != nil {
			if len(results) > 0 || len(err.Error()) > 2000 {
				t.Errorf("%d results, and an error of %d bytes", len(results), len(err.Error()))
			}
			return
		}
		for _, r := range results {
			checkResult(t, r)
		}
	})
}

func checkResult(t *testing.T, r Result) {
	t.Helper()
	if len(r.Changes) == 0 && r.Skipped == "" && r.Err == nil {
		t.Errorf("no outcome: %+v", r)
	}
	if r.Skipped != "" && (len(r.Changes) > 0 || r.Err != nil) || r.Failed != "" && r.Skipped == "" {
		t.Errorf("skipped, and not: %+v", r)
	}
	if len(r.Changes) > maxProfileRoles {
		t.Errorf("%d changes of one record", len(r.Changes))
	}
	for _, c := range r.Changes {
		if r.Err != nil && c.Operation != drift.Unreadable {
			t.Errorf("%s beside an error: %v", c.Operation, r.Err)
		}
		if c.Operation == "" || c.Operation == drift.Unreadable && (c.Problem == "" || !c.Whole) {
			t.Errorf("operation %q, whole %t, problem %q", c.Operation, c.Whole, c.Problem)
		}
		s := c.Subject
		if s.Kind() == drift.OtherKind || s.Partition() == "" || s.Account() == "" || s.Name() == "" {
			t.Errorf("%q is no subject", s)
		}
		for _, letter := range string(s) + string(c.Place) {
			if !unicode.IsPrint(letter) || unicode.IsSpace(letter) {
				t.Errorf("%q @%q has a letter that is not for print", s, string(c.Place))
			}
		}
		if s.Kind() == drift.Function {
			if _, place, err := drift.ParseFunctionARN(s.ARN(c.Place)); err != nil || place != c.Place && c.Place != "$LATEST" {
				t.Errorf("%s @%s does not parse: %v", s, string(c.Place), err)
			}
		}
	}
}

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
	f.Add(ours(lambdaAPI, "UpdateFunctionUrlConfig", `{"functionName":"orders"}`, `{"authType":"NONE","cors":{"allowOrigins":["*",7,null],"maxAge":-1e400}}`))
	f.Add(ours(lambdaAPI, "CreateEventSourceMapping20150331", `{"functionName":"orders","selfManagedEventSource":{"endpoints":{"KAFKA_BOOTSTRAP_SERVERS":["b:1","a:1"]}}}`, `{"uUID":"u","state":"Creating"}`))
	f.Add(ours(lambdaAPI, addName, addOrders, `null`, "userIdentity", `{"type":"SAMLUser","userName":"u","identityProvider":"p","onBehalfOf":{"userId":"v"},"sessionContext":{"sourceIdentity":"s","webIdFederationData":{"federatedProvider":"q","attributes":{"q:sub":"t"}}}}`))
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
		checkConfig(t, c)
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

// checkConfig: a claimed configuration is one of the three, of an operation that
// claims such, and tells what it is compared by.
func checkConfig(t *testing.T, c drift.Change) {
	t.Helper()
	if c.Config == nil {
		return
	}
	url, mapping, role := c.Config.URL, c.Config.Mapping, c.Config.Role
	switch c.Operation {
	case drift.PutURL:
		if url == nil || mapping != nil || role != "" || url.AuthType == "" {
			t.Errorf("%s claims %+v", c.Operation, *c.Config)
		}
	case drift.PutMapping, drift.DeleteMapping:
		if mapping == nil || url != nil || role != "" || mapping.Source == "" && (c.Operation == drift.PutMapping || mapping.UUID == "") {
			t.Errorf("%s claims %+v", c.Operation, *c.Config)
		}
	case drift.Configure, drift.CreateSubject:
		if role == "" || url != nil || mapping != nil || c.Subject.Kind() != drift.Function {
			t.Errorf("%s of %s claims %+v", c.Operation, c.Subject, *c.Config)
		}
	default:
		t.Errorf("%s claims a configuration: %+v", c.Operation, *c.Config)
	}
}

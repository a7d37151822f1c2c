package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
)

// sharedEvents is where published CloudTrail records are, beside the project.
const sharedEvents = "../../../shared/events"

func requireShared(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(sharedEvents); err != nil {
		if slices.Contains(strings.Split(os.Getenv("PERMDRIFT_REQUIRE"), ","), "shared") {
			t.Fatalf("PERMDRIFT_REQUIRE wants ../shared: %v", err)
		}
		t.Skip("SKIPPED: no ../shared beside the project, so the published records were not audited")
	}
}

// published is one record of INDEX.json.
type published struct {
	File      string
	Kind      string // attack, benign, unknown
	Expected  string
	ErrorCode string `json:"error_code"`
	Source    string `json:"event_source"`
}

// conclusion is what the audit of one record, by itself, comes to.
type conclusion struct {
	code                     int
	kind, severity, exposure string // of its one finding; empty: there is none
}

// conclusions are those of the records that have a finding, or are unknown.
var conclusions = map[string]conclusion{
	"001-lambda-addpermission-public-stratus.json":             {exitDrift, "policy-widened", "critical", "public"},
	"008-cloudtrail-deletetrail-stratus.json":                  {exitDrift, "audit-blinded", "critical", ""},
	"010-cloudtrail-puteventselectors-stratus.json":            {exitDrift, "audit-blinded", "critical", ""},
	"015-lambda-addpermission-public.json":                     {exitDrift, "policy-widened", "critical", "public"},
	"020-lambda-removepermission.json":                         {exitUnknown, "unreadable-change", "medium", "unknown"}, // it does not say what was removed, and nobody saw it before
	"056-cloudtrail-puteventselectors.json":                    {exitDrift, "audit-blinded", "critical", ""},
	"072-lambda-addpermission-cfn-apigw-lowercase-action.json": {exitDrift, "policy-widened", "low", "internal"},
	"073-lambda-addpermission-cfn-serviceexception.json":       {exitUnknown, "unreadable-change", "medium", "unknown"},
	"074-lambda-addpermission-s3-scoped.json":                  {exitDrift, "policy-widened", "low", "internal"},
	"075-lambda-addpermission-cfn-events-rule.json":            {exitDrift, "policy-widened", "low", "internal"},
	"077-lambda-addpermission-request-response-mismatch.json":  {exitDrift, "policy-widened", "low", "internal"}, // by the ARN of the response
	"082-lambda-createesm-kinesis.json":                        {exitDrift, "event-source-added", "low", "internal"},
}

// concludes is what the audit of a record should come to. What is not in the
// table is clean, but for IAM and Roles Anywhere, whose roles are not audited yet.
func concludes(record published) conclusion {
	if c, ok := conclusions[record.File]; ok {
		return c
	}
	readOnly := strings.Contains(record.File, "readonly")
	if record.ErrorCode == "" && !readOnly && (record.Source == "iam.amazonaws.com" || record.Source == "rolesanywhere.amazonaws.com") {
		return conclusion{code: exitUnknown}
	}
	return conclusion{code: exitClean}
}

// TestAuditOfEveryPublishedRecord wants of each record, audited by itself, what
// INDEX.json concludes, as far as it is audited by now: attacks are critical,
// what is harmless is at most low, and what is not judged is unknown and says so.
func TestAuditOfEveryPublishedRecord(t *testing.T) {
	requireShared(t)
	var index struct{ Records []published }
	text, err := os.ReadFile(filepath.Join(sharedEvents, "INDEX.json"))
	if err == nil {
		err = json.Unmarshal(text, &index)
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, record := range index.Records {
		t.Run(record.File, func(t *testing.T) {
			want := concludes(record)
			if _, ok := conclusions[record.File]; ok {
				seen++
			}
			stdout, stderr, code := call(t, "", "audit", "--store", "none", "--format", "json", filepath.Join(sharedEvents, record.File))
			got := conclusion{code: code}
			if stdout != "" {
				var finding struct{ Kind, Severity, Exposure string }
				if err := json.Unmarshal([]byte(stdout), &finding); err != nil {
					t.Fatalf("not one finding: %v: %s", err, stdout)
				}
				got.kind, got.severity, got.exposure = finding.Kind, finding.Severity, finding.Exposure
			}
			if got != want {
				t.Errorf("got %+v, want %+v\nexpected: %s\n%s%s", got, want, record.Expected, stdout, stderr)
			}
			checkAgainstIndex(t, record, got, stderr)
		})
	}
	if len(index.Records) != 59 || seen != len(conclusions) {
		t.Errorf("%d records audited, not 59; %d of %d conclusions used", len(index.Records), seen, len(conclusions))
	}
}

// checkAgainstIndex holds a conclusion against what INDEX.json says of its kind.
func checkAgainstIndex(t *testing.T, record published, got conclusion, stderr string) {
	t.Helper()
	audited := got.code != exitUnknown
	switch {
	case !audited && got.kind == "" && !strings.Contains(stderr, "is not audited yet"):
		t.Errorf("unknown, and does not say why: %s", stderr)
	case audited && strings.HasPrefix(record.Expected, "DRIFT critical") && got.severity != "critical":
		t.Errorf("not critical: %+v; expected: %s", got, record.Expected)
	case audited && record.Kind == "benign" && drift.Severity(got.severity).Rank() > drift.Low.Rank():
		t.Errorf("harmless, and yet %s", got.severity)
	case record.ErrorCode != "" && record.ErrorCode != "ServiceException" && got.code != exitClean:
		t.Errorf("the call failed with %s, and yet exit %d", record.ErrorCode, got.code)
	}
}

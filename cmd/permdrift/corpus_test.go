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
	kind, severity, exposure string // of its worst finding; empty: there is none
}

// conclusions are those of the records that have a finding, or are unknown.
var conclusions = map[string]conclusion{
	"001-lambda-addpermission-public-stratus.json":             {exitDrift, "policy-widened", "critical", "public"},
	"005-iam-createrole-foreign-root-stratus.json":             {exitDrift, "trust-widened", "critical", "external"},
	"006-iam-attachrolepolicy-admin-stratus.json":              {exitDrift, "permissions-widened", "critical", ""},
	"007-iam-attachuserpolicy-admin-stratus.json":              {exitClean, "permissions-widened", "informational", ""},
	"013-rolesanywhere-createprofile-stratus.json":             {exitDrift, "trust-widened", "medium", "external"}, // high where the role has a baseline
	"025-iam-createrole-lambda-exec-emptycondition.json":       {exitDrift, "trust-widened", "low", "internal"},
	"026-iam-createrole-bare-account-principal.json":           {exitDrift, "trust-widened", "low", "internal"},
	"027-iam-putrolepolicy-inline.json":                        {exitDrift, "permissions-widened", "low", ""},
	"028-iam-createrole-ec2.json":                              {exitDrift, "trust-widened", "low", "internal"},
	"030-iam-attachrolepolicy-awsmanaged.json":                 {exitUnknown, "unreadable-change", "medium", "unknown"}, // its document is in no event
	"031-iam-addroletoinstanceprofile.json":                    {exitClean, "trust-widened", "informational", "internal"},
	"032-iam-putrolepolicy-leaveorg.json":                      {exitDrift, "permissions-widened", "low", ""},
	"036-iam-createrole-own-account-list.json":                 {exitDrift, "trust-widened", "low", "internal"},
	"037-iam-attachrolepolicy-customermanaged.json":            {exitUnknown, "unreadable-change", "medium", "unknown"}, // its document is in no event
	"038-iam-detachrolepolicy.json":                            {exitUnknown, "unreadable-change", "medium", "unknown"}, // nobody saw it before
	"040-iam-deleterolepolicy-sameSecond-a.json":               {exitUnknown, "unreadable-change", "medium", "unknown"}, // nobody saw it before
	"043-iam-createrole-to-be-backdoored.json":                 {exitDrift, "trust-widened", "low", "internal"},
	"045-iam-updateassumerolepolicy-foreign-root.json":         {exitDrift, "trust-widened", "critical", "external"},
	"046-iam-updateassumerolepolicy-revert.json":               {exitDrift, "trust-widened", "low", "internal"},
	"047-iam-detachrolepolicy-admin.json":                      {exitUnknown, "unreadable-change", "medium", "unknown"}, // nobody saw it before
	"051-rolesanywhere-createprofile.json":                     {exitDrift, "trust-widened", "medium", "external"},
	"053-iam-attachuserpolicy-admin.json":                      {exitClean, "permissions-widened", "informational", ""},
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
// table is clean.
func concludes(record published) conclusion {
	if c, ok := conclusions[record.File]; ok {
		return c
	}
	if strings.Contains(record.File, "createtrustanchor") { // which roles trust it is in no event
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
			worst := -1
			for line := range strings.Lines(stdout) {
				var finding struct{ Kind, Severity, Exposure string }
				if err := json.Unmarshal([]byte(line), &finding); err != nil {
					t.Fatalf("not a finding: %v: %s", err, stdout)
				}
				if rank := drift.Severity(finding.Severity).Rank(); rank > worst {
					worst, got.kind, got.severity, got.exposure = rank, finding.Kind, finding.Severity, finding.Exposure
				}
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
	case !audited && got.kind == "" && !strings.Contains(stderr, "hang on it is not known"):
		t.Errorf("unknown, and does not say why: %s", stderr)
	case audited && strings.HasPrefix(record.Expected, "DRIFT critical") && got.severity != "critical":
		t.Errorf("not critical: %+v; expected: %s", got, record.Expected)
	case audited && record.Kind == "benign" && drift.Severity(got.severity).Rank() > drift.Low.Rank():
		t.Errorf("harmless, and yet %s", got.severity)
	case record.ErrorCode != "" && record.ErrorCode != "ServiceException" && got.code != exitClean:
		t.Errorf("the call failed with %s, and yet exit %d", record.ErrorCode, got.code)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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

// TestAuditOfPublishedAddPermissions wants of each AddPermission record, audited
// by itself, what INDEX.json concludes: attacks are critical, what is harmless
// is at most low, and an unknown outcome is unknown.
func TestAuditOfPublishedAddPermissions(t *testing.T) {
	requireShared(t)
	want := map[string]struct {
		code               int
		severity, exposure string
	}{
		"001-lambda-addpermission-public-stratus.json":             {exitDrift, "critical", "public"},
		"015-lambda-addpermission-public.json":                     {exitDrift, "critical", "public"},
		"072-lambda-addpermission-cfn-apigw-lowercase-action.json": {exitDrift, "low", "internal"},
		"073-lambda-addpermission-cfn-serviceexception.json":       {exitUnknown, "medium", "unknown"},
		"074-lambda-addpermission-s3-scoped.json":                  {exitDrift, "low", "internal"},
		"075-lambda-addpermission-cfn-events-rule.json":            {exitDrift, "low", "internal"},
		"077-lambda-addpermission-request-response-mismatch.json":  {exitDrift, "low", "internal"}, // by the ARN of the response
	}
	files, err := filepath.Glob(filepath.Join(sharedEvents, "*-lambda-addpermission-*.json"))
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d AddPermission records, but conclusions for %d (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			expected, ok := want[filepath.Base(file)]
			if !ok {
				t.Fatal("no conclusion is stated for this record")
			}
			stdout, stderr, code := call(t, "", "audit", "--store", "none", "--format", "json", file)
			var finding struct{ Severity, Exposure string }
			if err := json.Unmarshal([]byte(stdout), &finding); err != nil {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			}
			if code != expected.code || finding.Severity != expected.severity || finding.Exposure != expected.exposure {
				t.Errorf("got exit %d, %s, %s; want %+v", code, finding.Severity, finding.Exposure, expected)
			}
		})
	}
	t.Logf("%d records audited", len(files))
}

// TestAuditOfEveryPublishedRecord wants that no record fails, that records of
// failed and read-only calls are clean, and that what this version does not
// judge is unknown rather than clean.
func TestAuditOfEveryPublishedRecord(t *testing.T) {
	requireShared(t)
	var index struct {
		Records []struct {
			File      string
			ErrorCode string `json:"error_code"`
		}
	}
	text, err := os.ReadFile(filepath.Join(sharedEvents, "INDEX.json"))
	if err == nil {
		err = json.Unmarshal(text, &index)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range index.Records {
		stdout, stderr, code := call(t, "", "audit", "--store", "none", filepath.Join(sharedEvents, record.File))
		switch {
		case code == exitFailed || code == exitUsage:
			t.Errorf("%s: exit %d: %s", record.File, code, stderr)
		case code == exitClean && !strings.Contains(stderr, "no change") && !strings.Contains(stdout, "no findings"):
			t.Errorf("%s: clean, and does not say why: %s%s", record.File, stdout, stderr)
		case record.ErrorCode != "" && record.ErrorCode != "ServiceException" && code != exitClean:
			t.Errorf("%s: the call failed with %s, and yet exit %d: %s", record.File, record.ErrorCode, code, stdout)
		}
	}
	if len(index.Records) < 59 {
		t.Errorf("only %d records audited", len(index.Records))
	}
}

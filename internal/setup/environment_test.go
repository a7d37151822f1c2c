package setup

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// environment is the least that is required, and changes to it.
func environment(changes map[string]string) func(string) string {
	values := map[string]string{
		"PERMDRIFT_BASELINE_TABLE": "baseline", "PERMDRIFT_LEDGER_TABLE": "ledger",
		"PERMDRIFT_TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:alerts",
	}
	maps.Copy(values, changes)
	return func(name string) string { return values[name] }
}

func TestEnvironmentDefaults(t *testing.T) {
	e, err := ReadEnvironment(environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	waits := []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute}
	if e.Rate != 2.5 || !slices.Equal(e.RereadAfter, waits) || e.JSONPolicies != live.JSONAuto || e.Context.Unknown != drift.Strict ||
		!e.Context.LearnUntil.IsZero() || e.Context.Owner.Organization != "" || len(e.Context.Owner.TrustedAccounts) != 0 ||
		e.AdoptionKey != "" || e.Context.Seals || e.Context.Own.Stack != "" {
		t.Errorf("got %+v", e)
	}
}

func TestEnvironment(t *testing.T) {
	e, err := ReadEnvironment(environment(map[string]string{
		"PERMDRIFT_EVENTS_QUEUE_URL": "https://sqs/events", "PERMDRIFT_SWEEP_QUEUE_URL": "https://sqs/sweeps",
		"PERMDRIFT_ORGANIZATION_ID": "o-exampleorgid", "PERMDRIFT_TRUSTED_ACCOUNTS": " 444455556666 ,,777788889999",
		"PERMDRIFT_UNKNOWN": "learn", "PERMDRIFT_LEARN_UNTIL": "2026-12-01", "PERMDRIFT_RATE": "0.5",
		"PERMDRIFT_REREAD_AFTER": "1s, 2m", "PERMDRIFT_JSON_POLICIES": "never",
		"PERMDRIFT_ADOPTION_KEY": "arn:aws:kms:us-east-1:111122223333:key/a1b2c3d4-EXAMPLE",
	}))
	if err != nil {
		t.Fatal(err)
	}
	owner := e.Context.Owner
	if e.EventsQueueURL != "https://sqs/events" || e.SweepQueueURL != "https://sqs/sweeps" || owner.Organization != "o-exampleorgid" ||
		!slices.Equal(owner.TrustedAccounts, []string{"444455556666", "777788889999"}) || e.Context.Unknown != drift.Learn ||
		!e.Context.LearnUntil.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) || e.Rate != 0.5 ||
		!slices.Equal(e.RereadAfter, []time.Duration{time.Second, 2 * time.Minute}) || e.JSONPolicies != live.JSONNever ||
		e.AdoptionKey != "arn:aws:kms:us-east-1:111122223333:key/a1b2c3d4-EXAMPLE" || !e.Context.Seals {
		t.Errorf("got %+v", e)
	}
}

func TestOwnStackIsKnownByNameAccountRegionAndKeys(t *testing.T) {
	for _, c := range []struct {
		changes map[string]string
		want    drift.Own
	}{
		{nil, drift.Own{Account: "111122223333", Region: "us-east-1"}},
		{map[string]string{"PERMDRIFT_STACK": "permdrift"}, drift.Own{Stack: "permdrift", Account: "111122223333", Region: "us-east-1"}},
		{map[string]string{"PERMDRIFT_STACK": "Permdrift-2", "AWS_REGION": "eu-west-1"}, drift.Own{Stack: "Permdrift-2", Account: "111122223333", Region: "eu-west-1"}},
		{map[string]string{"PERMDRIFT_TOPIC_ARN": "alerts", "AWS_REGION": "eu-west-1"}, drift.Own{Region: "eu-west-1"}},
		{map[string]string{"PERMDRIFT_TOPIC_KEY": "t", "PERMDRIFT_ADOPTION_KEY": "a"}, drift.Own{Account: "111122223333", Region: "us-east-1", Keys: []string{"t", "a"}}},
	} {
		e, err := ReadEnvironment(environment(c.changes))
		if err != nil || !reflect.DeepEqual(e.Context.Own, c.want) {
			t.Errorf("%v: got %+v, %v; want %+v", c.changes, e.Context.Own, err, c.want)
		}
	}
}

func TestEnvironmentNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, value, says string }{
		{"PERMDRIFT_BASELINE_TABLE", "", "is empty"},
		{"PERMDRIFT_LEDGER_TABLE", "", "is empty"},
		{"PERMDRIFT_TOPIC_ARN", "", "is empty"},
		{"PERMDRIFT_ORGANIZATION_ID", "o-*", "o-exampleorgid"},
		{"PERMDRIFT_ORGANIZATION_ID", "exampleorgid", "o-exampleorgid"},
		{"PERMDRIFT_TRUSTED_ACCOUNTS", "444455556666,12345678901a", "twelve digits"},
		{"PERMDRIFT_TRUSTED_ACCOUNTS", "*", "twelve digits"},
		{"PERMDRIFT_UNKNOWN", "lax", "strict or learn"},
		{"PERMDRIFT_LEARN_UNTIL", "tomorrow", "2026-12-01"},
		{"PERMDRIFT_RATE", "0", "above 0"},
		{"PERMDRIFT_RATE", "-1", "above 0"},
		{"PERMDRIFT_RATE", "NaN", "above 0"},
		{"PERMDRIFT_RATE", "Inf", "above 0"},
		{"PERMDRIFT_RATE", "fast", "above 0"},
		{"PERMDRIFT_REREAD_AFTER", "15", "such as 15s"},
		{"PERMDRIFT_REREAD_AFTER", "15s,,1m", "such as 15s"},
		{"PERMDRIFT_REREAD_AFTER", "-1s", "such as 15s"},
		{"PERMDRIFT_JSON_POLICIES", "yes", "auto, only or never"},
		{"PERMDRIFT_SWEEP_ROLES", "some", "execution, all or none"},
		{"PERMDRIFT_STACK", "perm*", "name of a CloudFormation stack"},
		{"PERMDRIFT_STACK", "arn:aws:cloudformation:us-east-1:111122223333:stack/permdrift/1", "name of a CloudFormation stack"},
	} {
		_, err := ReadEnvironment(environment(map[string]string{c.name: c.value}))
		if err == nil || !strings.Contains(err.Error(), c.name) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%q: got %v", c.name, c.value, err)
		}
	}
	_, err := ReadEnvironment(environment(map[string]string{"PERMDRIFT_UNKNOWN": "learn"}))
	if err == nil || !strings.Contains(err.Error(), "PERMDRIFT_LEARN_UNTIL") {
		t.Errorf("learning without an end: got %v", err)
	}
	_, err = ReadEnvironment(func(string) string { return "" })
	if err == nil || strings.Count(err.Error(), "is empty") != 3 {
		t.Errorf("not all that is wrong: %v", err)
	}
}

func TestFunctionsArePutTogether(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	h, err := Auditor(t.Context(), environment(map[string]string{"PERMDRIFT_SWEEP_QUEUE_URL": "https://sqs/sweeps"}))
	if err != nil || h.Auditor == nil || h.Sweeper == nil || h.Messages == nil {
		t.Errorf("got %+v, %v", h, err)
	}
	if h, err := Auditor(t.Context(), environment(nil)); err != nil || h.Sweeper != nil {
		t.Errorf("without a sweep queue: got %+v, %v", h, err)
	}
	if r, err := Remediator(t.Context(), environment(nil)); err != nil || r.API == nil || r.Live == nil {
		t.Errorf("got %+v, %v", r, err)
	}
	nothing := func(string) string { return "" }
	if _, err := Auditor(t.Context(), nothing); err == nil || !strings.Contains(err.Error(), "starting the auditor") {
		t.Errorf("got %v", err)
	}
	if _, err := Remediator(t.Context(), nothing); err == nil || !strings.Contains(err.Error(), "starting the remediator") {
		t.Errorf("got %v", err)
	}
}

func TestPartition(t *testing.T) {
	for caller, want := range map[string]string{
		"arn:aws-cn:iam::111122223333:user/alice": "aws-cn", "arn:aws:sts::1:x": "aws", "": "aws", "garbage": "aws",
	} {
		if got := (&Account{Caller: caller}).Partition(); got != want {
			t.Errorf("%q: got %s", caller, got)
		}
	}
}

func TestAccountNeedsRegion(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	if _, err := OpenAccount(t.Context(), "", 1); err == nil || !strings.Contains(err.Error(), "--region") {
		t.Errorf("got %v", err)
	}
}

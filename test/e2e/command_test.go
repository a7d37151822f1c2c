package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/internal/lambdaruntime"
	"github.com/permdrift/permdrift/internal/localaws"
)

// command runs the built permdrift against Lambda and STS of a world without
// moto, and an IAM in which every function's role is plain, with a store of its own.
type command struct {
	t           *testing.T
	path, store string
	env         []string
}

func newCommand(t *testing.T, w *world) *command {
	t.Helper()
	home := t.TempDir()
	return &command{
		t: t, path: lambdaruntime.Build(t, "../../cmd/permdrift"), store: filepath.Join(home, "store.db"),
		env: []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AWS_REGION=" + region, "AWS_EC2_METADATA_DISABLED=true",
			"AWS_ACCESS_KEY_ID=AKIAPERSONEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
			"AWS_ENDPOINT_URL_LAMBDA=" + w.url, "AWS_ENDPOINT_URL_STS=" + w.url, "AWS_ENDPOINT_URL_IAM=" + plainRoles(t),
		},
	}
}

// plainRoles is the address of an IAM in which Lambda may assume every role, and
// no role has a policy.
func plainRoles(t *testing.T) string {
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action, name := r.FormValue("Action"), r.FormValue("RoleName")
		var result string
		switch action {
		case "GetRole":
			result = "<Role><Path>/</Path><RoleName>" + name + "</RoleName><RoleId>AROAEXAMPLE</RoleId><Arn>arn:aws:iam::" + account + ":role/" + name +
				"</Arn><CreateDate>2026-01-02T03:04:05Z</CreateDate><AssumeRolePolicyDocument>" + url.PathEscape(trust) + "</AssumeRolePolicyDocument></Role>"
		case "ListRolePolicies":
			result = "<PolicyNames/><IsTruncated>false</IsTruncated>"
		case "ListAttachedRolePolicies":
			result = "<AttachedPolicies/><IsTruncated>false</IsTruncated>"
		default:
			http.Error(w, "not here: "+action, http.StatusNotImplemented)
			return
		}
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, result)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// run runs permdrift and wants an exit code; it returns what was printed.
func (c *command) run(want int, args ...string) string {
	c.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(c.t.Context(), c.path, append(args, "--store", c.store)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("running permdrift %s: %v", strings.Join(args, " "), err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		c.t.Fatalf("permdrift %s exits %d, want %d\n%s%s", strings.Join(args, " "), got, want, &stdout, &stderr)
	}
	return stdout.String()
}

// lines are the objects of JSON output, one a line.
func (c *command) lines(text string) []map[string]any {
	c.t.Helper()
	var all []map[string]any
	for line := range strings.Lines(text) {
		var one map[string]any
		must(c.t, "reading the line "+line, json.Unmarshal([]byte(line), &one))
		all = append(all, one)
	}
	return all
}

func TestTheCommandLineCapturesAndScansAnAccount(t *testing.T) {
	t.Parallel()
	w := &world{t: t, settings: settings{aws: localaws.Options{JSONPolicies: true}}}
	w.startAWS()
	const functions = 20
	for i := range functions {
		arn := w.aws.AddFunction(account, region, fmt.Sprintf("f%02d", i))
		w.aws.SetPolicy(arn, "", document(uploads(arn)))
	}
	c := newCommand(t, w)
	if out := c.run(3, "scan", "--rate", "1000"); !strings.Contains(out, "20 functions: 20 findings (20 low)") {
		t.Errorf("scan without a baseline says\n%s", out)
	}
	if out := c.run(0, "baseline", "capture", "--all", "--rate", "1000"); !strings.Contains(out, "20 functions and 20 roles captured in") || !strings.Contains(out, ": 20 execution roles, 40 statements approved") {
		t.Errorf("capture says\n%s", out)
	}
	if out := c.run(0, "scan", "--rate", "1000"); !strings.Contains(out, "20 functions and 20 roles: no findings") {
		t.Errorf("scan after the capture says\n%s", out)
	}

	arn := "arn:aws:lambda:" + region + ":" + account + ":function:f07"
	w.aws.AddAlias(arn, "live", w.aws.AddVersion(arn))
	w.open(arn, "live", "temp-debug")
	found := c.lines(c.run(3, "scan", "--rate", "1000", "--format", "json"))
	if len(found) != 1 || found[0]["subject"] != arn || found[0]["qualifier"] != "live" || found[0]["severity"] != "critical" {
		t.Errorf("scan finds %v", found)
	}
	c.run(3, "scan", "--rate", "1000")

	w.aws.SetPolicy(arn, "live", "")
	c.run(0, "scan", "--rate", "1000")
	w.refuse.Store(true)
	for _, finding := range c.lines(c.run(4, "scan", "--rate", "1000", "--format", "json")) {
		if finding["kind"] != "unreadable-change" || finding["exposure"] != "unknown" {
			t.Errorf("refused, scan finds %v", finding)
		}
	}
	c.run(4, "baseline", "capture", "f07", "--rate", "1000")
	w.refuse.Store(false)
	c.run(0, "scan", "--rate", "1000")
}

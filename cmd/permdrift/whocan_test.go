package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// TestWhoCanCommandLines runs who-can on the files of testdata/whocan.
func TestWhoCanCommandLines(t *testing.T) {
	const export, function, alias, url = "testdata/whocan/export.json", "testdata/whocan/orders.json", "testdata/whocan/orders-live.json", "testdata/whocan/orders-url.json"
	temporary := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(temporary, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("empty/readme.txt", "nothing")
	with := func(files ...string) []string {
		var line []string
		for _, f := range files {
			line = append(line, "--from", f)
		}
		return line
	}
	everything := with(export, function, alias, url)
	for _, c := range []struct {
		name string
		line []string
		code int
	}{
		{"help", []string{"--help"}, exitClean},
		{"invoke", append([]string{"orders", "--org", "o-exampleorgid"}, everything...), exitClean},
		{"administer", append([]string{"orders", "--action", "administer", "--qualifier", ""}, everything...), exitClean},
		{"alias", append([]string{"arn:aws:lambda:us-east-1:111122223333:function:orders:live"}, everything...), exitClean},
		{"json", append([]string{"orders", "--qualifier", "", "--format", "json"}, everything...), exitClean},
		{"dot", append([]string{"orders", "--qualifier", "", "--format", "dot"}, everything...), exitClean},
		{"html", append([]string{"orders", "--format", "html"}, everything...), exitClean},
		{"directory", []string{"orders", "--qualifier", "live", "--from", "testdata/whocan"}, exitClean},
		{"trusted", append([]string{"orders", "--qualifier", "", "--trusted-account", "444455556666"}, with(function)...), exitClean},
		{"export-only", append([]string{"arn:aws:lambda:us-east-1:111122223333:function:orders"}, with(export)...), exitClean},

		{"no-function", append([]string{"billing"}, everything...), exitFailed},
		{"no-function-read", append([]string{"orders"}, with(export)...), exitFailed},
		{"bad-export", append([]string{"orders"}, with(write("bad.json", `{"RoleDetailList":[{"Arn":`))...), exitFailed},
		{"not-an-export", append([]string{"orders"}, with(write("other.json", `{"Functions":[]}`))...), exitFailed},
		{"empty-directory", append([]string{"orders"}, with(filepath.Join(temporary, "empty"))...), exitFailed},
		{"no-file", append([]string{"orders"}, with("no-such-file.json")...), exitFailed},
		{"twice", append([]string{"orders"}, with(function, function)...), exitFailed},
		{"wrong-action", append([]string{"orders", "--action", "eat"}, everything...), exitUsage},
		{"wrong-format", append([]string{"orders", "--format", "svg"}, everything...), exitUsage},
		{"wrong-org", append([]string{"orders", "--org", "x"}, everything...), exitUsage},
		{"two-qualifiers", append([]string{"arn:aws:lambda:us-east-1:111122223333:function:orders:live", "--qualifier", "7"}, everything...), exitUsage},
		{"no-argument", nil, exitUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := call(t, "", append([]string{"who-can"}, c.line...)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			got := fmt.Sprintf("%s-- stderr --\n%s-- exit %d --\n", stdout, stderr, code)
			golden(t, "who-can-"+c.name, strings.ReplaceAll(got, temporary, "TMP"))
		})
	}
}

// fakeAccount is an account to read.
type fakeAccount struct {
	function drift.State
	people   []drift.State
	err      error
}

func (f fakeAccount) State(context.Context, drift.Change) (drift.State, error) {
	return f.function, nil
}

func (f fakeAccount) Authorizations(context.Context) iter.Seq2[drift.State, error] {
	return func(yield func(drift.State, error) bool) {
		for _, s := range f.people {
			if !yield(s, nil) {
				return
			}
		}
		if f.err != nil {
			yield(drift.State{}, f.err)
		}
	}
}

func TestWhoCanReadsTheLiveAccount(t *testing.T) {
	const function = drift.Subject("arn:aws:lambda:us-east-1:111122223333:function:orders")
	run := policy.Policy{Version: "2012-10-17", Statements: []policy.Statement{{Effect: policy.Allow, Action: []string{"lambda:*"}, Resource: []string{"*"}}}}
	f := fakeAccount{
		function: drift.State{Subject: function, Whole: true, Policies: map[drift.Place]drift.PlacePolicy{"": {}}},
		people: []drift.State{
			{Subject: "arn:aws:iam::111122223333:group/dev", Whole: true, Policies: map[drift.Place]drift.PlacePolicy{"identity": {Policy: run}}},
			{Subject: "arn:aws:iam::111122223333:role/web", Whole: true, Policies: map[drift.Place]drift.PlacePolicy{"identity": {Policy: run}}},
		},
	}
	var account access.Account
	if err := collect(t.Context(), &account, function, f); err != nil {
		t.Fatal(err)
	}
	answer, err := access.WhoCan(&account, function, "", access.Invoke)
	if err != nil || len(answer.Grants) != 1 || answer.Grants[0].Principal != "arn:aws:iam::111122223333:role/web" {
		t.Errorf("%+v, %v", answer.Grants, err)
	}
	f.err = errors.New("throttled")
	if err := collect(t.Context(), new(access.Account), function, f); err == nil || !strings.Contains(err.Error(), "throttled") {
		t.Errorf("half a listing: %v", err)
	}
	f.function = drift.State{Subject: function, Whole: true}
	if err := collect(t.Context(), new(access.Account), function, f); !errors.Is(err, access.ErrNoFunction) {
		t.Errorf("a function that does not exist: %v", err)
	}
}

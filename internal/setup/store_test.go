package setup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
)

const orders = drift.Subject("arn:aws:lambda:us-east-1:111122223333:function:orders")

func nothing(string) string { return "" }

// keeps checks that a store keeps a finding and a state.
func keeps(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Ledger.Save(t.Context(), drift.Finding{ID: "f", Subject: orders}); err != nil {
		t.Error(err)
	}
	if _, err := s.States.State(t.Context(), orders); !errors.Is(err, drift.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := s.States.SaveState(t.Context(), drift.State{Subject: orders, Whole: true}); err != nil {
		t.Error(err)
	}
	if state, err := s.States.State(t.Context(), orders); err != nil || !state.Whole {
		t.Errorf("got %+v, %v", state, err)
	}
	if b, err := s.Baseline.Get(t.Context(), orders); err != nil || b.Known() {
		t.Errorf("got %+v, %v", b, err)
	}
}

func TestFileStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := OpenStore(t.Context(), path, nothing)
	if err != nil || s.Name != path {
		t.Fatal(err)
	}
	keeps(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	s, err = OpenStore(t.Context(), path, nothing)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Ledger.Finding(t.Context(), orders, "f"); err != nil {
		t.Error(err)
	}
}

func TestAFileSealsWithItsOwnKey(t *testing.T) {
	open := func(name string) *Store {
		s, err := OpenStore(t.Context(), name, nothing)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	path := filepath.Join(t.TempDir(), "a.db")
	s := open(path)
	seal, err := s.Seals.Seal(t.Context(), "text")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{path: true, path + "2": false, "none": false} {
		s := open(name)
		if ok, err := s.Seals.Verify(t.Context(), "text", seal); ok != want || err != nil {
			t.Errorf("%s: %v, %v, want %v", s.Name, ok, err, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTemporaryStoreIsRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, err := OpenStore(t.Context(), "none", nothing)
	if err != nil || s.Name != "memory" {
		t.Fatal(err)
	}
	keeps(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestDefaultStore(t *testing.T) {
	for _, c := range []struct{ variable, below string }{{"XDG_STATE_HOME", ""}, {"HOME", ".local/state"}} {
		dir := t.TempDir()
		s, err := OpenStore(t.Context(), "", func(name string) string { return map[string]string{c.variable: dir}[name] })
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if want := filepath.Join(dir, c.below, "permdrift", "store.db"); s.Name != want {
			t.Errorf("got %s, want %s", s.Name, want)
		}
	}
	if _, err := OpenStore(t.Context(), "", nothing); err == nil || !strings.Contains(err.Error(), "--store") {
		t.Errorf("got %v", err)
	}
}

func TestStoreThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("garbage", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		dir:                          "is a directory",
		garbage:                      garbage,
		filepath.Join(dir, "no/x"):   "no/x",
		"dynamodb:":                  "BASELINE_TABLE,LEDGER_TABLE",
		"dynamodb:one":               "BASELINE_TABLE,LEDGER_TABLE",
		"dynamodb:one,":              "BASELINE_TABLE,LEDGER_TABLE",
		filepath.Join(garbage, "x"):  "x",
		filepath.Join(dir, "\x00.x"): "store",
	} {
		s, err := OpenStore(t.Context(), name, nothing)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v", name, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
	if _, err := OpenStore(t.Context(), "", func(string) string { return garbage }); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("got %v", err)
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "nowhere"))
	if _, err := OpenStore(t.Context(), "none", nothing); err == nil {
		t.Error("made a store nowhere")
	}
}

func TestStoreInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := OpenStore(t.Context(), path, nothing)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := OpenStore(t.Context(), path, nothing); err == nil || !strings.Contains(err.Error(), "another permdrift") {
		t.Errorf("got %v", err)
	}
}

func TestTableStore(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	if _, err := OpenStore(t.Context(), "dynamodb:b,l", nothing); err == nil || !strings.Contains(err.Error(), "AWS_PROFILE") {
		t.Errorf("without credentials: got %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	s, err := OpenStore(t.Context(), "dynamodb:b,l", nothing)
	if err != nil || s.Name != "dynamodb:b,l" {
		t.Fatal(err)
	}
	if s.Seals != nil {
		t.Errorf("the command line seals with %v", s.Seals)
	}
	if _, err := s.States.State(t.Context(), orders); !errors.Is(err, drift.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := s.States.SaveState(t.Context(), drift.State{Subject: orders, Whole: true}); err != nil {
		t.Error(err)
	}
	if state, err := s.States.State(t.Context(), orders); err != nil || !state.Whole {
		t.Errorf("got %+v, %v", state, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

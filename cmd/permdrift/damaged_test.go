package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A store whose pages are not what they should be is said to be damaged; it is
// no wrong usage, and no trace of calls.
func TestDamagedStore(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.db")
	event := filepath.Join("..", "..", "events", "public.json")
	if _, stderr, code := call(t, "", "audit", "--store", whole, event); code != exitDrift {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	pages := len(text) / 2
	for name, bad := range map[string][]byte{
		"overwritten": append(append([]byte{}, text[:8192]...), bytes.Repeat([]byte{0xa5}, len(text)-8192)...),
		"zeros":       append(append([]byte{}, text[:8192]...), make([]byte, len(text)-8192)...),
		"half":        append(append([]byte{}, text[:8192]...), bytes.Repeat([]byte{0xa5}, pages)...),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, name+".db")
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, line := range [][]string{{"findings", "list", "--store", file}, {"audit", "--store", file, event}} {
				_, stderr, code := call(t, "", line...)
				if code != exitFailed || !strings.Contains(stderr, file) || strings.Contains(stderr, "goroutine") {
					t.Errorf("%v: exit code %d: %s", line, code, stderr)
				}
			}
		})
	}
	t.Run("our own panic goes on", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("it was kept")
			}
		}()
		var code int
		p := &program{err: &bytes.Buffer{}}
		defer p.damaged(&code)
		panic("a fault")
	})
}

package lambdaruntime

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// builds are the binaries of this process, by absolute directory.
var builds struct {
	sync.Mutex
	dir  string
	done map[string]*built
}

type built struct {
	once sync.Once
	path string
	err  error
}

// Build builds the main package in dir, relative to the test's directory, with
// the flags of production (no cgo, no RPC mode, trimmed, stripped) but for the
// platform of this machine, and returns the path of its bootstrap. Each package
// is built once per process. The files are in one temporary directory, which
// RemoveBuilds removes.
func Build(t testing.TB, dir string) string {
	t.Helper()
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatalf("finding %s: %v", dir, err)
	}
	b, err := entry(abs)
	if err != nil {
		t.Fatalf("making a directory for builds: %v", err)
	}
	b.once.Do(func() { b.err = build(abs, b.path) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

// entry is the place of a build, made or not.
func entry(abs string) (*built, error) {
	builds.Lock()
	defer builds.Unlock()
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "bootstrap-")
		if err != nil {
			return nil, err
		}
		builds.dir, builds.done = dir, map[string]*built{}
	}
	b := builds.done[abs]
	if b == nil {
		b = &built{path: filepath.Join(builds.dir, fmt.Sprint(len(builds.done)), "bootstrap")}
		builds.done[abs] = b
	}
	return b, nil
}

func build(dir, out string) error {
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", dir, err, text)
	}
	return nil
}

// RemoveBuilds removes what Build made; for the end of TestMain. A Build after
// it builds anew.
func RemoveBuilds() error {
	builds.Lock()
	defer builds.Unlock()
	dir := builds.dir
	builds.dir, builds.done = "", nil
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

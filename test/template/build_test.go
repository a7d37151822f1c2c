package template_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What sam build does with BuildMethod makefile, without sam.
func TestMakeLeavesAStaticArm64BootstrapAndNothingElse(t *testing.T) {
	for _, d := range deployed {
		t.Run(d.function, func(t *testing.T) {
			dir := t.TempDir()
			build := exec.Command("make", "build-"+d.function, "ARTIFACTS_DIR="+dir)
			build.Dir = root
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("make build-%s: %v\n%s", d.function, err, out)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 1 || entries[0].Name() != "bootstrap" {
				t.Fatalf("left %v, want bootstrap", entries)
			}
			checkBootstrap(t, filepath.Join(dir, "bootstrap"))
		})
	}
}

func checkBootstrap(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode()&0o111 == 0 {
		t.Errorf("mode %v: cannot be run", info.Mode())
	}
	file, err := elf.Open(path)
	if err != nil {
		t.Fatalf("reading bootstrap: %v", err)
	}
	defer file.Close()
	if file.Machine != elf.EM_AARCH64 || file.Class != elf.ELFCLASS64 {
		t.Errorf("built for %v %v, want 64-bit ARM", file.Machine, file.Class)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("has a %v segment: not static", p.Type)
		}
	}
	if file.Section(".symtab") != nil || file.Section(".debug_info") != nil {
		t.Error("not stripped")
	}
}

func TestMakeWithoutArtifactsDirSaysWhatIsMissing(t *testing.T) {
	build := exec.Command("make", "build-AuditorFunction", "ARTIFACTS_DIR=")
	build.Dir = root
	out, err := build.CombinedOutput()
	if err == nil {
		t.Fatalf("no error; make said %s", out)
	}
	t.Logf("%s", out)
}

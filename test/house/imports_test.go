// Package house checks the rules of the house that no linter knows: which
// package may import which (design, section 3), that every package has a
// package comment, and that no package has a name that says nothing.
//
// The files are read inside the test process, with go/parser: what a
// subprocess reads, the test cache does not see.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/permdrift/permdrift/"
)

// The libraries that rules name.
const (
	sdk     = "github.com/aws/aws-sdk-go-v2/"
	smithy  = "github.com/aws/smithy-go"
	lambdas = "github.com/aws/aws-lambda-go/"
	events  = lambdas + "events"
	bolt    = "go.etcd.io/bbolt"
	yaml    = "go.yaml.in/yaml/v3"
	rate    = "golang.org/x/time/rate"
	sync    = "golang.org/x/sync/"
	sarif   = "github.com/owenrumney/go-sarif"
	cobra   = "github.com/spf13/cobra"
	bar     = "github.com/schollz/progressbar/v3"
)

// allowed is the import table: what each package's production code may import
// beside the standard library. A name that ends in "/" allows all below it. A
// package that is not listed fails.
var allowed = map[string][]string{
	"pkg/policy":      {},
	"pkg/drift":       {"pkg/policy"},
	"pkg/access":      {"pkg/drift", "pkg/policy"},
	"pkg/template":    {"pkg/drift", "pkg/policy", yaml},
	"pkg/cloudtrail":  {"pkg/drift", "pkg/policy", events}, // policy: the texts of statements in records are parsed here
	"pkg/live":        {"pkg/drift", "pkg/policy", sdk, smithy, rate, sync},
	"pkg/baseline":    {"pkg/drift", "pkg/policy", sdk, smithy, bolt, yaml},
	"pkg/ledger":      {"pkg/drift", "pkg/policy", sdk, smithy, bolt},
	"pkg/alert":       {"pkg/drift", "pkg/policy", sdk, smithy},
	"pkg/remediation": {"pkg/drift", "pkg/policy", sdk, smithy, rate, events}, // events: its input is an SQS batch
	"pkg/doctor":      {"pkg/drift", "pkg/policy", sdk, smithy},
	"pkg/audit":       {"pkg/drift", "pkg/cloudtrail", events, sync},
	"pkg/report":      {"pkg/drift", "pkg/policy", "pkg/access", sarif},

	"internal/setup":         {"pkg/", sdk, smithy, bolt}, // bolt: it opens the one file of both stores
	"internal/localaws":      {"pkg/policy", rate},        // rate: the quotas
	"internal/lambdaruntime": {},
	"internal/mototest":      {sdk, smithy},

	"functions/auditor":    {"pkg/", "internal/setup", lambdas},
	"functions/remediator": {"pkg/", "internal/setup", lambdas},
	"cmd/permdrift":        {"pkg/", "internal/", sdk, smithy, cobra, bar, sync},
}

// free are the folders whose packages only tests use; nothing may import them.
var free = []string{"test/", "bench", "tools/"}

// pkgSource is the production code of one package.
type pkgSource struct {
	path    string // "pkg/policy"
	name    string
	doc     string
	imports map[string]string // path to the file that imports it
}

func TestImportTable(t *testing.T) {
	seen := 0
	for _, p := range sources(t) {
		rules, listed := allowed[p.path]
		if !listed {
			if !slices.ContainsFunc(free, func(f string) bool { return strings.HasPrefix(p.path+"/", strings.TrimSuffix(f, "/")+"/") }) {
				t.Errorf("%s is not in the import table of the design", p.path)
			}
			continue
		}
		seen++
		for path, file := range p.imports {
			if bad := forbidden(path, rules); bad != "" {
				t.Errorf("%s: %s may not import %s", file, p.path, bad)
			}
		}
	}
	if seen < 14 {
		t.Errorf("only %d packages of the table were found below %s", seen, root)
	}
}

// forbidden names the import if no rule allows it.
func forbidden(path string, rules []string) string {
	if own, ok := strings.CutPrefix(path, module); ok {
		path = own
	} else if !strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
		return "" // the standard library
	}
	for _, rule := range rules {
		if path == rule || strings.HasSuffix(rule, "/") && strings.HasPrefix(path, rule) || strings.HasPrefix(path, rule+"/") && !strings.HasPrefix(rule, "pkg/") {
			return ""
		}
	}
	return path
}

func TestImportTableCatchesViolations(t *testing.T) {
	for _, c := range []struct {
		path  string
		rules []string
		want  string
	}{
		{"encoding/json", nil, ""},
		{module + "pkg/drift", allowed["pkg/policy"], "pkg/drift"},
		{module + "pkg/ledger", allowed["pkg/baseline"], "pkg/ledger"},
		{sdk + "service/sns", allowed["pkg/audit"], sdk + "service/sns"},
		{sdk + "service/sns", allowed["pkg/alert"], ""},
		{"github.com/bytedance/sonic", allowed["cmd/permdrift"], "github.com/bytedance/sonic"},
		{module + "pkg/policy/deep", allowed["pkg/drift"], "pkg/policy/deep"},
	} {
		if got := forbidden(c.path, c.rules); got != c.want {
			t.Errorf("importing %s: got %q, want %q", c.path, got, c.want)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for _, p := range sources(t) {
		if len(p.doc) < 80 {
			t.Errorf("%s has no package comment that says what it is", p.path)
		}
		if p.name != "main" && !strings.HasPrefix(p.doc, "Package "+p.name+" ") {
			t.Errorf("the comment of %s does not begin with its name", p.path)
		}
	}
}

func TestNoPackageIsCalledUtil(t *testing.T) {
	for _, p := range sources(t) {
		if slices.Contains([]string{"util", "utils", "common", "types", "helpers", "models", "misc", "shared"}, p.name) {
			t.Errorf("%s: the name says nothing", p.path)
		}
	}
}

// sources reads every package of the module. Packages of tests only count too,
// with their test files, for their comments.
func sources(t *testing.T) []*pkgSource {
	t.Helper()
	found := make(map[string]*pkgSource)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			name := entry.Name()
			if name == "testdata" || name == "dist" || name == "bin" || path != root && strings.HasPrefix(name, ".") || hasModule(path) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") {
			read(t, path, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []*pkgSource
	for _, p := range found {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *pkgSource) int { return strings.Compare(a.path, b.path) })
	return list
}

// hasModule reports whether a folder is a module of its own.
func hasModule(path string) bool {
	if path == root {
		return false
	}
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}

func read(t *testing.T, path string, found map[string]*pkgSource) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.ToSlash(dir)
	p := found[dir]
	if p == nil {
		p = &pkgSource{path: dir, name: file.Name.Name, imports: make(map[string]string)}
		found[dir] = p
	}
	if !strings.HasSuffix(path, "_test.go") {
		p.name = file.Name.Name
	}
	if file.Doc != nil && len(file.Doc.Text()) > len(p.doc) {
		p.doc = file.Doc.Text()
	}
	if strings.HasSuffix(path, "_test.go") {
		return
	}
	for _, spec := range file.Imports {
		p.imports[importPath(t, spec)] = path
	}
}

func importPath(t *testing.T, spec *ast.ImportSpec) string {
	t.Helper()
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

package template_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// calls is what a program may do: each operation of an SDK that it may call
// ("lambda GetPolicy") and each environment variable of ours that it names,
// with one place where it does.
type calls struct {
	operations map[string]string
	variables  map[string]string
}

// readCalls reads the calls of a main package from its source and that of the
// module's packages below it. services is the import path above the SDK's
// service packages.
//
// It follows references from main: a function that is named in what is
// reached is reached, and so are the methods that an interface's call may end
// in, of every type named in what is reached. An operation is a call to
// something outside the module, or to an interface, that takes a *XInput of a
// service package; handing an SDK client to somebody is no call. Reflection,
// linkname and assembly are not followed.
func readCalls(dir, main, services string) (calls, error) {
	p, err := check(dir, main)
	if err != nil {
		return calls{}, err
	}
	r := reach{
		program: p, services: services, calls: calls{map[string]string{}, map[string]string{}},
		seen: map[types.Object]bool{}, live: map[*types.Named]bool{},
	}
	for _, b := range p.bodies {
		if f, ok := b.object.(*types.Func); ok && (f.Name() == "init" || f.Name() == "main" && f.Pkg().Path() == p.main) && f.Signature().Recv() == nil {
			r.add(f)
		}
	}
	r.follow()
	return r.calls, nil
}

// program is the type-checked source of the module's part of a program.
type program struct {
	main   string
	fset   *token.FileSet
	info   *types.Info
	ours   map[*types.Package]bool // the module's packages
	bodies map[types.Object]body
}

// body is what a package-level function or variable consists of.
type body struct {
	object types.Object
	node   ast.Node
}

func check(dir, main string) (*program, error) {
	list := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,GoFiles,Export,Module", main)
	list.Dir = dir
	var stderr bytes.Buffer
	list.Stderr = &stderr
	text, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the packages of %s: %w: %s", main, err, stderr.Bytes())
	}
	p := &program{fset: token.NewFileSet(), ours: map[*types.Package]bool{}, bodies: map[types.Object]body{}, info: &types.Info{
		Uses:       map[*ast.Ident]types.Object{},
		Defs:       map[*ast.Ident]types.Object{},
		Types:      map[ast.Expr]types.TypeAndValue{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	im := imports{ours: map[string]*types.Package{}, export: map[string]string{}}
	im.others = importer.ForCompiler(p.fset, "gc", im.open)
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var l struct {
			ImportPath, Dir, Export string
			GoFiles                 []string
			Module                  *struct{ Main bool }
		}
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return p, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading the list of packages: %w", err)
		}
		if l.Module == nil || !l.Module.Main {
			im.export[l.ImportPath] = l.Export
			continue
		}
		// Dependencies come first, so the last package is main.
		p.main = l.ImportPath
		if im.ours[l.ImportPath], err = p.checkPackage(l.ImportPath, l.Dir, l.GoFiles, im); err != nil {
			return nil, err
		}
	}
}

func (p *program) checkPackage(importPath, dir string, names []string, im imports) (*types.Package, error) {
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(p.fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", importPath, err)
		}
		files = append(files, file)
	}
	pkg, err := (&types.Config{Importer: im}).Check(importPath, p.fset, files, p.info)
	if err != nil {
		return nil, fmt.Errorf("type-checking %s: %w", importPath, err)
	}
	p.ours[pkg] = true
	for _, file := range files {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				p.define(decl.Name, decl)
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && decl.Tok == token.VAR {
						for _, name := range v.Names {
							p.define(name, v)
						}
					}
				}
			}
		}
	}
	return pkg, nil
}

func (p *program) define(name *ast.Ident, node ast.Node) {
	if object := p.info.Defs[name]; object != nil {
		p.bodies[object] = body{object, node}
	}
}

// imports gives the module's packages as they were checked, and all others
// from what the compiler exported.
type imports struct {
	ours   map[string]*types.Package
	export map[string]string
	others types.Importer
}

func (im imports) Import(importPath string) (*types.Package, error) {
	if pkg := im.ours[importPath]; pkg != nil {
		return pkg, nil
	}
	return im.others.Import(importPath)
}

func (im imports) open(importPath string) (io.ReadCloser, error) {
	if im.export[importPath] == "" {
		return nil, fmt.Errorf("no export data of %s", importPath)
	}
	return os.Open(im.export[importPath])
}

// reach is the walk from main.
type reach struct {
	*program

	services string
	calls    calls
	queue    []types.Object
	seen     map[types.Object]bool
	live     map[*types.Named]bool // types of the module that are named in what is reached
	abstract []*types.Func         // methods of interfaces that are called
}

// callbacks are methods that the standard library calls through interfaces of
// its own.
var callbacks = []string{
	"Error", "String", "Format", "GoString", "LogValue", "Handle", "Enabled", "ServeHTTP", "RoundTrip", "Read", "Write", "Close",
	"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "MarshalYAML", "UnmarshalYAML", "Less", "Swap", "Len",
	"Invoke", "Is", "As", "Unwrap",
}

func (r *reach) add(o types.Object) {
	if f, ok := o.(*types.Func); ok {
		o = f.Origin()
	}
	if _, ours := r.bodies[o]; ours && !r.seen[o] {
		r.seen[o] = true
		r.queue = append(r.queue, o)
	}
}

// follow reads bodies until nothing new is reached: neither by name nor
// through an interface.
func (r *reach) follow() {
	for len(r.queue) > 0 {
		for len(r.queue) > 0 {
			o := r.queue[0]
			r.queue = r.queue[1:]
			ast.Inspect(r.bodies[o].node, func(n ast.Node) bool {
				r.read(n)
				return true
			})
		}
		for named := range r.live {
			for _, m := range r.abstract {
				r.add(implementation(named, m))
			}
			for _, name := range callbacks {
				m, _, _ := types.LookupFieldOrMethod(types.NewPointer(named), true, nil, name)
				r.add(m)
			}
		}
	}
}

// read notes what one node refers to.
func (r *reach) read(n ast.Node) {
	switch n := n.(type) {
	case *ast.BasicLit:
		r.variable(r.info.Types[n].Value, n.Pos())
	case *ast.CompositeLit:
		r.part(r.info.Types[n].Type, n.Pos())
		r.enliven(r.info.Types[n].Type)
	case ast.Expr:
		if t, ok := r.info.Types[n]; ok {
			r.enliven(t.Type)
		}
	}
	id, ok := n.(*ast.Ident)
	if !ok {
		return
	}
	switch o := r.info.Uses[id].(type) {
	case *types.Const:
		r.variable(o.Val(), id.Pos())
	case *types.Func:
		if _, ours := r.bodies[o.Origin()]; !ours || strings.HasPrefix(o.Pkg().Path(), r.services) {
			r.operation(o, id.Pos())
		}
		if recv := o.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
			r.abstract = append(r.abstract, o)
		}
		r.add(o)
	case *types.Var:
		r.add(o)
	}
}

// enliven notes the named types of an expression's type and, since a value
// holds the values of its fields, of theirs.
func (r *reach) enliven(t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		r.enliven(t.Elem())
	case *types.Slice:
		r.enliven(t.Elem())
	case *types.Array:
		r.enliven(t.Elem())
	case *types.Map:
		r.enliven(t.Elem())
	case *types.Tuple:
		for v := range t.Variables() {
			r.enliven(v.Type())
		}
	case *types.Struct:
		for f := range t.Fields() {
			r.enliven(f.Type())
		}
	case *types.Named:
		if r.live[t] || !r.ours[t.Obj().Pkg()] || types.IsInterface(t) {
			return
		}
		r.live[t] = true
		r.enliven(t.Underlying())
	}
}

// implementation is the method of a type that a call of an interface's method
// may end in, or nil.
func implementation(named *types.Named, m *types.Func) types.Object {
	i, ok := m.Signature().Recv().Type().Underlying().(*types.Interface)
	if !ok {
		return nil
	}
	o, _, _ := types.LookupFieldOrMethod(types.NewPointer(named), true, m.Pkg(), m.Name())
	f, ok := o.(*types.Func)
	if !ok {
		return nil
	}
	// A generic interface as declared has type parameters that no type
	// implements: then the name must do.
	generic := false
	if n, ok := types.Unalias(m.Signature().Recv().Type()).(*types.Named); ok {
		generic = n.TypeParams().Len() > 0
	}
	if generic || types.Implements(types.NewPointer(named), i) || named.TypeParams().Len() > 0 {
		return f
	}
	return nil
}

// operation notes a call that takes the input of an operation.
func (r *reach) operation(f *types.Func, pos token.Pos) {
	for v := range f.Signature().Params().Variables() {
		pointer, ok := v.Type().(*types.Pointer)
		if !ok {
			continue
		}
		named, ok := types.Unalias(pointer.Elem()).(*types.Named)
		if !ok || named.Obj().Pkg() == nil {
			continue
		}
		name, ok := strings.CutSuffix(named.Obj().Name(), "Input")
		if importPath := named.Obj().Pkg().Path(); ok && strings.HasPrefix(importPath, r.services) {
			r.calls.operations[path.Base(importPath)+" "+name] = r.place(pos)
		}
	}
}

// transactParts are the types of which a DynamoDB transaction consists, and the
// operation whose permission each needs.
var transactParts = map[string]string{
	"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
}

// part notes a part of a transaction as the operation that it stands for.
func (r *reach) part(t types.Type, pos token.Pos) {
	if pointer, ok := t.(*types.Pointer); ok { // an element of []*T, written {…}
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != r.services+"dynamodb/types" {
		return
	}
	if name := transactParts[named.Obj().Name()]; name != "" {
		r.calls.operations["dynamodb "+name] = r.place(pos)
	}
}

var ourVariable = regexp.MustCompile(`^PERMDRIFT_[A-Z_]+$`)

func (r *reach) variable(value constant.Value, pos token.Pos) {
	if value != nil && value.Kind() == constant.String && ourVariable.MatchString(constant.StringVal(value)) {
		r.calls.variables[constant.StringVal(value)] = r.place(pos)
	}
}

func (r *reach) place(pos token.Pos) string {
	p := r.fset.Position(pos)
	return fmt.Sprintf("%s:%d", filepath.Base(p.Filename), p.Line)
}

func TestCallsAreReadFromWhatMainReaches(t *testing.T) {
	for _, test := range []struct{ main, operations, variables string }{
		// Not Store.Put, though it stands beside Get; not RemovePermission,
		// though the interface has it.
		{"./functions/one", "dynamodb GetItem, lambda GetPolicy", "PERMDRIFT_TABLE"},
		{"./functions/two", "dynamodb ConditionCheckItem, dynamodb PutItem, lambda ListFunctions, lambda RemovePermission", "PERMDRIFT_TABLE, PERMDRIFT_TOPIC"},
	} {
		got, err := readCalls("testdata/sample", test.main, "example.com/sample/service/")
		if err != nil {
			t.Fatal(err)
		}
		if s := strings.Join(slices.Sorted(maps.Keys(got.operations)), ", "); s != test.operations {
			t.Errorf("%s calls %s; want %s", test.main, s, test.operations)
		}
		if s := strings.Join(slices.Sorted(maps.Keys(got.variables)), ", "); s != test.variables {
			t.Errorf("%s names %s; want %s", test.main, s, test.variables)
		}
	}
}

func TestSourceThatDoesNotCompileIsAnError(t *testing.T) {
	if _, err := readCalls("testdata/sample", "./functions/three", "example.com/sample/service/"); err == nil {
		t.Error("no error for a package that does not exist")
	}
}

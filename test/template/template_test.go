// Package template_test checks template.yaml, the files in deploy/ and the build
// targets of the Makefile, without an AWS account and without the SAM command
// line:
//
//   - what each function's role may do is what its code calls, and the
//     environment that it is given is what its code reads (grants_test.go);
//   - queues, dead letters, alarms, tables, conditions and parameters keep the
//     rules that design.md and AWS's documentation set (structure_test.go);
//   - only our rules send to our queues and to the hub (senders_test.go), and
//     only the auditor seals what it adopts (adoption_test.go);
//   - the event patterns let in the records that matter, and no others
//     (pattern_test.go), and every call that is decoded is forwarded, or listed
//     with the reason why not (forward_test.go);
//   - cfn-lint and the SAM translator accept the files, where they are
//     installed (tools_test.go);
//   - "make build-…Function" leaves a static arm64 bootstrap and nothing else
//     (build_test.go).
//
// It reads YAML with CloudFormation's short tags as their long form: !Ref X is
// {"Ref": "X"}, !GetAtt A.B is {"Fn::GetAtt": ["A", "B"]}, and so on.
package template_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// root is the project's folder, seen from this one.
const root = "../.."

// templates are the files that CloudFormation deploys.
var templates = []string{"template.yaml", "deploy/account.yaml", "deploy/region.yaml"}

// object is a YAML mapping.
type object = map[string]any

// load reads a template of the project.
func load(t *testing.T, path string) object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parse(text)
	if err != nil {
		t.Fatalf("reading %s: %v", path, err)
	}
	return doc
}

func parse(text []byte) (object, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	if len(node.Content) != 1 {
		return nil, fmt.Errorf("%d documents, want 1", len(node.Content))
	}
	value, err := long(node.Content[0])
	if err != nil {
		return nil, err
	}
	doc, ok := value.(object)
	if !ok {
		return nil, fmt.Errorf("the document is a %T, want a mapping", value)
	}
	return doc, nil
}

// long is the value of a node, with short tags in their long form.
func long(n *yaml.Node) (any, error) {
	value, err := plain(n)
	if err != nil || !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return value, err
	}
	name := n.Tag[1:]
	switch name {
	case "Ref", "Condition":
		return object{name: value}, nil
	case "GetAtt":
		if s, ok := value.(string); ok {
			resource, attribute, _ := strings.Cut(s, ".")
			value = []any{resource, attribute}
		}
	}
	return object{"Fn::" + name: value}, nil
}

func plain(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				return nil, fmt.Errorf("line %d: %s stands twice", n.Content[i].Line, key)
			}
			value, err := long(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key] = value
		}
		return m, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			value, err := long(c)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!int":
			return strconv.Atoi(n.Value)
		case "!!bool":
			return n.Value == "true", nil
		}
		return n.Value, nil
	default:
		return nil, fmt.Errorf("line %d: an alias, which CloudFormation does not know", n.Line)
	}
}

// at follows keys through mappings; nil if one is missing.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, ok := v.(object)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

// list is v as a list: itself, or the one value that stands for it.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// texts are the plain strings of a list or a single value.
func texts(v any) []string {
	var out []string
	for _, e := range list(v) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// resources are the resources of a type, or all if the type is empty, as
// (logical id, resource) in order of id.
func resources(doc object, kind string) []resource {
	var out []resource
	for id, r := range doc["Resources"].(object) {
		if kind == "" || at(r, "Type") == kind {
			out = append(out, resource{id, r.(object)})
		}
	}
	slices.SortFunc(out, func(a, b resource) int { return strings.Compare(a.id, b.id) })
	return out
}

type resource struct {
	id   string
	body object
}

// property follows keys below the resource's Properties.
func (r resource) property(keys ...string) any {
	return at(r.body["Properties"], keys...)
}

// refs are the logical ids that v names by Ref, Fn::GetAtt or Fn::Sub, at any depth.
func refs(v any) []string {
	var out []string
	walk(v, func(o object) {
		if id, ok := o["Ref"].(string); ok {
			out = append(out, id)
		}
		if a, ok := o["Fn::GetAtt"].([]any); ok {
			out = append(out, a[0].(string))
		}
		for _, s := range texts(o["Fn::Sub"]) {
			for part := range strings.SplitSeq(s, "${") {
				if name, _, ok := strings.Cut(part, "}"); ok {
					name, _, _ = strings.Cut(name, ".")
					out = append(out, name)
				}
			}
		}
	})
	return out
}

// walk calls visit for v and every mapping within.
func walk(v any, visit func(object)) {
	switch v := v.(type) {
	case object:
		visit(v)
		for _, e := range v {
			walk(e, visit)
		}
	case []any:
		for _, e := range v {
			walk(e, visit)
		}
	}
}

// missing ends the test because a tool is not there: by a skip, or by a failure
// if PERMDRIFT_REQUIRE names the item.
func missing(t *testing.T, item, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("PERMDRIFT_REQUIRE"), ","), item) {
		t.Fatalf("%s; PERMDRIFT_REQUIRE wants %s", reason, item)
	}
	t.Skip(reason)
}

func TestShortTagsAreReadAsTheirLongForm(t *testing.T) {
	doc, err := parse([]byte("a: !GetAtt Queue.Arn\nb: !If [Wants, !Ref X, !Sub '${Y.Arn}/*']\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(doc), "map[a:map[Fn::GetAtt:[Queue Arn]] b:map[Fn::If:[Wants map[Ref:X] map[Fn::Sub:${Y.Arn}/*]]]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got := refs(doc)
	slices.Sort(got)
	if want := "[Queue X Y]"; fmt.Sprint(got) != want {
		t.Errorf("refs are %v, want %s", got, want)
	}
}

package report

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// links are the links of a graph in words, dashed ones with "- -".
func links(grants ...access.Grant) []string {
	s := newSketch(access.Answer{Function: orders, Action: access.Invoke, Grants: grants})
	var list []string
	for _, l := range s.links {
		line := " -> "
		if !s.sure[l] {
			line = " - - "
		}
		list = append(list, s.layers[l.column].nodes[l.from].Name+line+s.layers[l.column+1].nodes[l.to].Name)
	}
	return list
}

func TestGraphLinks(t *testing.T) {
	inline, managed := statement("inline policy run", 0, ""), statement(own("policy", "Run"), 0, "")
	role := func(name string, through ...access.Through) access.Grant {
		return can(own("role", name), access.Role, policy.Internal, through...)
	}
	doubtful := func(g access.Grant) access.Grant { g.Certain = false; return g }
	provided := func(g access.Grant) access.Grant { g.Provided = "something"; return g }
	assumed := role("a", inline)
	assumed.AssumedBy = []access.Assumer{{Principal: own("role", "b"), Kind: access.Role, Certain: true}, {Principal: "444455556666", Kind: access.Other, Certain: true, Provided: "something"}}
	for _, c := range []struct {
		name   string
		grants []access.Grant
		want   []string
	}{
		{
			"inline policies of one name are two",
			[]access.Grant{role("a", inline), role("b", inline)},
			[]string{"role/a -> inline policy run", "inline policy run -> orders", "role/b -> inline policy run", "inline policy run -> orders"},
		},
		{
			"a managed policy is one",
			[]access.Grant{role("a", managed), role("b", managed)},
			[]string{"role/a -> policy/Run", "policy/Run -> orders", "role/b -> policy/Run"},
		},
		{
			"a URL takes all after it",
			[]access.Grant{can("*", access.Anonymous, policy.Public, statement(access.FunctionPolicy, 4, ""), beside("function URL, AuthType NONE"), statement(access.FunctionPolicy, 0, ""))},
			[]string{"* -> function policy", "function policy -> orders", "* -> function URL, AuthType NONE", "function URL, AuthType NONE -> orders"},
		},
		{"not certain", []access.Grant{doubtful(role("a", inline))}, []string{"role/a - - inline policy run", "inline policy run - - orders"}},
		{"provided", []access.Grant{provided(role("a", inline))}, []string{"role/a - - inline policy run", "inline policy run - - orders"}},
		{
			"one that is certain is enough",
			[]access.Grant{doubtful(role("a", managed)), role("b", managed)},
			[]string{"role/a - - policy/Run", "policy/Run -> orders", "role/b -> policy/Run"},
		},
		{
			"one that is certain stays enough",
			[]access.Grant{role("b", managed), doubtful(role("a", managed))},
			[]string{"role/b -> policy/Run", "policy/Run -> orders", "role/a - - policy/Run"},
		},
		{
			"in two columns",
			[]access.Grant{assumed, role("b", managed)},
			[]string{"role/a -> inline policy run", "inline policy run -> orders", "role/b -> role/a", "444455556666 - - role/a", "role/b -> policy/Run", "policy/Run -> orders"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := links(c.grants...); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestGraphKeepsItsMeasures: no two nodes overlap, all is within the picture,
// and each edge begins and ends at a node.
func TestGraphKeepsItsMeasures(t *testing.T) {
	answers := slices.Concat(worked()[:2], []access.Answer{crowd(1), crowd(graphRows), crowd(graphRows + 1), crowd(10_000)})
	for i, a := range answers {
		g := draw(a)
		if most := 3*(graphRows+1) + 1; len(g.Nodes) > most || len(g.Heads) > columns {
			t.Errorf("graph %d has %d nodes, want at most %d", i, len(g.Nodes), most)
		}
		starts, ends := make(map[[2]int]bool), make(map[[2]int]bool)
		for k, n := range g.Nodes {
			if n.X < 0 || n.Y < headHeight || n.X+nodeWidth > g.Width || n.Y+nodeHeight > g.Height {
				t.Errorf("graph %d: node %q is at %d %d, outside of %d x %d", i, n.Name, n.X, n.Y, g.Width, g.Height)
			}
			for _, m := range g.Nodes[:k] {
				if m.X == n.X && m.Y < n.Y+nodeHeight && n.Y < m.Y+nodeHeight {
					t.Errorf("graph %d: nodes %q and %q overlap", i, m.Name, n.Name)
				}
			}
			starts[[2]int{n.X + nodeWidth, n.Y + nodeHeight/2}], ends[[2]int{n.X, n.Y + nodeHeight/2}] = true, true
		}
		for _, e := range g.Edges {
			if !starts[point(e.Line)] || !ends[point(e.Arrow)] {
				t.Errorf("graph %d: the edge %s %s hangs in the air", i, e.Line, e.Arrow)
			}
		}
	}
	if draw(worked()[2]) != nil {
		t.Error("a graph of nobody was drawn")
	}
}

// point is where a path begins.
func point(path string) [2]int {
	var p [2]int
	i := 0
	for _, r := range strings.TrimPrefix(path, "M") {
		switch {
		case r >= '0' && r <= '9':
			p[i] = p[i]*10 + int(r-'0')
		case r == ' ' && i == 0:
			i++
		default:
			return p
		}
	}
	return p
}

func TestGraphIsXML(t *testing.T) {
	pages := []string{write(t, worked()...), write(t, crowd(10_000))}
	for _, name := range evil {
		pages = append(pages, write(t, named(name)))
	}
	found := 0
	for _, page := range pages {
		for {
			_, rest, ok := strings.Cut(page, "<svg")
			if !ok {
				break
			}
			picture, after, ok := strings.Cut(rest, "</svg>")
			if !ok {
				t.Fatal("a picture does not end")
			}
			checkXML(t, "<svg"+picture+"</svg>")
			found, page = found+1, after
		}
	}
	if want := len(evil) + 3; found != want {
		t.Errorf("%d pictures were read, want %d", found, want)
	}
}

func checkXML(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	elements := make(map[string]int)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("a picture is not XML: %v\n%s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok {
			if start.Name.Space != "http://www.w3.org/2000/svg" {
				t.Errorf("<%s> is not of SVG", start.Name.Local)
			}
			elements[start.Name.Local]++
		}
	}
	if elements["svg"] != 1 || elements["desc"] != 1 || elements["g"] < 3 || elements["title"] != elements["g"]+1 || elements["path"] < 4 {
		t.Errorf("a picture has the elements %v", elements)
	}
}

func TestTextsFitTheirNodes(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"role/web", 8, "role/web"},
		{"role/website", 8, "role…ite"},
		{"角色角色角色", 8, "角色…色"},
		{"a角角角角", 4, "a…角"},
		{"", 3, ""},
	} {
		if got := fit(c.text, c.most); got != c.want || cells(got) > c.most {
			t.Errorf("fit(%q, %d) = %q, want %q", c.text, c.most, got, c.want)
		}
	}
	for _, name := range evil {
		for _, n := range draw(named(name)).Nodes {
			if cells(n.Name) > nameCells || cells(n.Note) > noteCells {
				t.Errorf("%q, %q is too wide", n.Name, n.Note)
			}
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{visible("a\u202eb\x80\U000e0041\n"), `a\u202eb\x80\udb40\udc41\u000a`},
		{thousands(999), "999"},
		{thousands(1000), "1,000"},
		{thousands(1234567), "1,234,567"},
		{number(1, "grant"), "1 grant"},
		{number(0, "grant"), "0 grants"},
		{more(0), ""},
		{placeText(drift.Unqualified), "unqualified"},
		{placeText("12"), "version 12"},
		{placeText("live"), "alias live"},
		{placeText("v12"), "alias v12"},
		{kindText(can("*", access.Other, policy.Public)), "every account"},
		{kindText(can("*", access.Service, policy.Public)), "every service"},
		{kindText(can("444455556666", access.Other, policy.External)), "account"},
		{kindText(can(own("role", "a"), access.Role, policy.Internal)), "role of 111122223333"},
		{kindText(can("s3.amazonaws.com", access.Service, policy.Internal)), "service"},
		{resource("arn:aws:iam::111122223333:role/a/b"), "role/a/b"},
		{resource("arn:aws:iam::111122223333:"), "arn:aws:iam::111122223333:"},
		{resource("s3.amazonaws.com"), "s3.amazonaws.com"},
		{resource(""), nameless},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

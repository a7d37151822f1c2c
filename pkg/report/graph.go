package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
)

// graphRows is how many nodes a column of a graph has; one more counts the rest.
const graphRows = 24

// Measures of a graph in pixels, and of its texts in characters.
const (
	margin     = 10
	headHeight = 28
	nodeWidth  = 250
	nodeHeight = 42
	rowHeight  = 54
	columnStep = nodeWidth + 58
	nameCells  = 31 // 12 pixels, 7.2 a character
	noteCells  = 34 // 11 pixels, 6.6 a character
)

// graph is one picture, as the template draws it.
type graph struct {
	Title, Description string
	Width, Height      int
	Heads              []head
	Nodes              []node
	Edges              []edge
}

type head struct {
	X, Y int
	Text string
}

// node is a box of two lines. Full is what its tooltip says.
type node struct {
	X, Y             int
	Class            string
	Name, Note, Full string
}

// Width and Height are the measures of every node.
func (node) Width() int { return nodeWidth }

// Height is as Width.
func (node) Height() int { return nodeHeight }

// TextX, NameY and NoteY are where its texts begin.
func (n node) TextX() int { return n.X + 14 }

// NameY is as TextX.
func (n node) NameY() int { return n.Y + 17 }

// NoteY is as TextX.
func (n node) NoteY() int { return n.Y + 33 }

// edge is a line with its arrow, as SVG paths.
type edge struct {
	Line, Arrow string
	Dashed      bool
}

// layer is a column of a graph.
type layer struct {
	head  string
	at    map[string]int // row of a key
	nodes []node
	rest  int
}

// put returns the row of a key, and makes its node where it is new. What is too
// much gets the row after the last.
func (l *layer) put(key string, fresh func() node) int {
	if row, ok := l.at[key]; ok {
		return row
	}
	row := len(l.nodes)
	if row == graphRows {
		l.rest++
	} else {
		l.nodes = append(l.nodes, fresh())
	}
	l.at[key] = row
	return row
}

// link is an edge from a row of a column to a row of the next.
type link struct{ column, from, to int }

// The columns of a graph.
const (
	assumers = iota
	callers
	ways
	places
	columns
)

// sketch is a graph before it has a layout.
type sketch struct {
	layers [columns]layer
	links  []link
	sure   map[link]bool // whether a link is drawn as a whole line
}

// draw makes the graph of an answer, nil where nobody can.
func draw(a access.Answer) *graph {
	if len(a.Grants) == 0 {
		return nil
	}
	s := newSketch(a)
	description := fmt.Sprintf("%s through %s. The table after the graph says the same in words.",
		number(s.layers[callers].size(), "principal"), number(s.layers[ways].size(), "way"))
	picture := s.layout()
	picture.Title, picture.Description = visible("Graph of who can "+string(a.Action)+" "+a.Function.ARN(a.Qualifier)), description
	return picture
}

// newSketch is the graph of an answer, each node and link once.
func newSketch(a access.Answer) *sketch {
	s := &sketch{sure: make(map[link]bool)}
	for i, text := range []string{"may assume the role", "can " + string(a.Action), "through", "the function"} {
		s.layers[i] = layer{head: fit(visible(text), nameCells), at: make(map[string]int)}
	}
	place := s.layers[places].put("", func() node {
		return textNode("place", cmp.Or(a.Function.Name(), string(a.Function)), placeText(a.Qualifier), a.Function.ARN(a.Qualifier))
	})
	for _, g := range a.Grants {
		s.grant(g, place)
	}
	return s
}

// size is how many nodes there are, drawn or counted.
func (l *layer) size() int { return len(l.nodes) + l.rest }

func (s *sketch) grant(g access.Grant, place int) {
	sure := g.Certain && g.Provided == ""
	kind := kindText(g)
	caller := s.layers[callers].put(string(g.Kind)+" "+g.Principal, func() node {
		return textNode(newBadge(g.Exposure).Class, resource(g.Principal), kind+" · "+string(g.Exposure), g.Principal+", "+kind+", "+string(g.Exposure))
	})
	for _, w := range waysOf(g) {
		way := s.layers[ways].put(w.key, func() node { return textNode("way", w.name, w.note, w.full) })
		s.link(link{callers, caller, way}, sure)
		s.link(link{ways, way, place}, sure)
	}
	for _, by := range g.AssumedBy {
		kind := kindText(access.Grant{Principal: by.Principal, Kind: by.Kind})
		from := s.layers[assumers].put(string(by.Kind)+" "+by.Principal, func() node {
			return textNode("assumer", resource(by.Principal), kind, by.Principal+", "+kind)
		})
		s.link(link{assumers, from, caller}, by.Certain && by.Provided == "")
	}
}

func (s *sketch) link(l link, sure bool) {
	if _, ok := s.sure[l]; !ok {
		s.links = append(s.links, l)
	}
	s.sure[l] = s.sure[l] || sure
}

// way is what lets somebody in, as a node.
type way struct{ key, name, note, full string }

// waysOf are the ways of a grant. From a function URL on all is one way.
func waysOf(g access.Grant) []way {
	var list []way
	for i, t := range g.Through {
		if isURL(t) {
			var full []string
			for _, part := range g.Through[i:] {
				full = append(full, part.String())
			}
			text := strings.Join(full, " and ")
			return append(list, way{key: text, name: t.Policy, note: "with " + number(len(full)-1, "statement"), full: text})
		}
		w := way{key: t.String(), name: t.Policy, full: t.String()}
		if strings.HasPrefix(t.Policy, "arn:") {
			w.name = resource(t.Policy)
		} else if t.Policy != access.FunctionPolicy {
			w.key = g.Principal + " " + w.key // the like-named inline policies of two roles are two
		}
		if t.Statement >= 0 {
			w.note = fmt.Sprintf("statement %d", t.Statement)
		}
		if t.Sid != "" {
			w.note += ` "` + t.Sid + `"`
		}
		if len(t.Conditions) > 0 {
			w.note += " · " + number(len(t.Conditions), "condition")
			w.full += ", if " + strings.Join(t.Conditions, " and ")
		}
		list = append(list, w)
	}
	return list
}

// textNode is a node without a place, its texts fit to be shown.
func textNode(class, name, note, full string) node {
	return node{Class: class, Name: fit(visible(name), nameCells), Note: fit(visible(note), noteCells), Full: visible(full)}
}

// layout puts each column's nodes one below the other, the columns centred
// beside each other, and draws the links. A column without nodes is left out.
func (s *sketch) layout() *graph {
	tallest := 0
	for i := range s.layers {
		l := &s.layers[i]
		if l.rest > 0 {
			text := more(l.rest)
			l.nodes = append(l.nodes, textNode("more", text, "", text))
		}
		tallest = max(tallest, len(l.nodes))
	}
	g := &graph{Height: headHeight + tallest*rowHeight + margin}
	x := margin
	for i := range s.layers {
		l := &s.layers[i]
		if len(l.nodes) == 0 {
			continue
		}
		g.Heads = append(g.Heads, head{X: x, Y: headHeight - 10, Text: l.head})
		top := headHeight + (tallest-len(l.nodes))*rowHeight/2
		for row := range l.nodes {
			l.nodes[row].X, l.nodes[row].Y = x, top+row*rowHeight
		}
		g.Nodes = append(g.Nodes, l.nodes...)
		x += columnStep
	}
	g.Width = x - columnStep + nodeWidth + margin
	for _, l := range s.links {
		g.Edges = append(g.Edges, arrow(s.layers[l.column].nodes[l.from], s.layers[l.column+1].nodes[l.to], !s.sure[l]))
	}
	return g
}

// arrow is the edge from the right side of a node to the left side of another.
func arrow(from, to node, dashed bool) edge {
	x, y := from.X+nodeWidth, from.Y+nodeHeight/2
	toX, toY := to.X, to.Y+nodeHeight/2
	bend := (toX - x) / 2
	return edge{
		Line:   fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x, y, x+bend, y, toX-8-bend/2, toY, toX-8, toY),
		Arrow:  fmt.Sprintf("M%d %dl-9 -4v8z", toX, toY),
		Dashed: dashed,
	}
}

// nameless is shown for whom nothing names, as the source of some mappings.
const nameless = "(without a name)"

// resource is the part of an ARN that names the thing, and any other text as it is.
func resource(name string) string {
	if parts := strings.SplitN(name, ":", 6); len(parts) == 6 && parts[0] == "arn" && parts[5] != "" {
		return parts[5]
	}
	return cmp.Or(name, nameless)
}

// kindText is what a principal is, in words.
func kindText(g access.Grant) string {
	account := drift.Subject(g.Principal).Account()
	switch {
	case len(g.Through) > 0 && strings.HasPrefix(g.Through[0].Policy, "event source mapping"):
		return "event source"
	case g.Kind == access.Anonymous:
		return "anybody"
	case g.Kind == access.Other && g.Principal == "*":
		return "every account"
	case g.Kind == access.Service && g.Principal == "*":
		return "every service"
	case strings.HasPrefix(g.Principal, "arn:") && account != "":
		return string(g.Kind) + " of " + account
	}
	return string(g.Kind)
}

// placeText is a place of a function, in words.
func placeText(p drift.Place) string {
	switch {
	case p == drift.Unqualified:
		return "unqualified"
	case strings.Trim(string(p), "0123456789") == "":
		return "version " + string(p)
	}
	return "alias " + string(p)
}

// isURL reports whether a way is a function URL, which takes what follows it too.
func isURL(t access.Through) bool { return strings.HasPrefix(t.Policy, "function URL") }

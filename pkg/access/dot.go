package access

import (
	"fmt"
	"io"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// DOT writes answers about one function as a graph for Graphviz: who can, with
// an edge to the function for each grant, and who may assume the roles. An edge
// is dashed where the grant is not certain or hangs on policies of another
// account. The same answers give the same bytes.
func DOT(w io.Writer, answers ...Answer) error {
	g := graph{nodes: make(map[string]bool)}
	g.line("digraph who_can {")
	g.line("  rankdir=LR;")
	g.line("  node [shape=box, fontname=\"sans-serif\"];")
	g.line("  edge [fontname=\"sans-serif\", fontsize=10];")
	for _, a := range answers {
		function := a.Function.ARN(a.Qualifier)
		g.node(function, drift.Subject(function).Name(), "component")
		for _, grant := range a.Grants {
			id := string(grant.Kind) + " " + grant.Principal
			g.node(id, grant.Principal+"\n"+string(grant.Kind), shapes[grant.Kind])
			label := []string{string(a.Action)}
			for _, t := range grant.Through {
				label = append(label, t.String())
			}
			if with := grant.With(); with != "" {
				label = append(label, "with "+with)
			}
			g.edge(id, function, strings.Join(label, "\n"), !grant.Certain || grant.Provided != "")
			for _, by := range grant.AssumedBy {
				from := string(by.Kind) + " " + by.Principal
				g.node(from, by.Principal+"\n"+string(by.Kind), shapes[by.Kind])
				label := "assume"
				if with := contextText(by.Context); with != "" {
					label += "\nwith " + with
				}
				g.edge(from, id, label, !by.Certain || by.Provided != "")
			}
		}
	}
	g.line("}")
	_, err := io.WriteString(w, g.text.String())
	if err != nil {
		return fmt.Errorf("writing the graph: %w", err)
	}
	return nil
}

var shapes = map[Kind]string{Role: "box", User: "box", Service: "hexagon", Other: "house", Anonymous: "doubleoctagon", Federated: "house"}

// graph is the text of a graph, each node and edge once.
type graph struct {
	text  strings.Builder
	nodes map[string]bool
}

func (g *graph) line(text string) { g.text.WriteString(text + "\n") }

func (g *graph) node(id, label, shape string) {
	if !g.nodes[id] {
		g.nodes[id] = true
		g.line("  " + quote(id) + " [label=" + quote(label) + ", shape=" + shape + "];")
	}
}

func (g *graph) edge(from, to, label string, dashed bool) {
	text := "  " + quote(from) + " -> " + quote(to) + " [label=" + quote(label)
	if dashed {
		text += ", style=dashed"
	}
	text += "];"
	if !g.nodes[text] {
		g.nodes[text] = true
		g.line(text)
	}
}

// quote is a string of the DOT language: a quotation mark is escaped, and line
// ends are written out. Source: Graphviz, "The DOT Language", ID.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", " ").Replace(text) + `"`
}

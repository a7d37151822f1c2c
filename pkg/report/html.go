package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the page and its style sheet
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/policy"
)

// tableRows is how many grants the table of a place shows.
const tableRows = 1000

// listItems is how many items a list in a cell shows.
const listItems = 20

//go:embed page.html
var pageText string

//go:embed page.css
var styleSheet string

// whoCanPage is the page with its style sheet, and the hash by which the page's
// Content-Security-Policy allows that and nothing else.
var whoCanPage = template.Must(template.New("page").Parse(strings.NewReplacer("@STYLE@", styleSheet, "@HASH@", styleHash()).Replace(pageText)))

func styleHash() string {
	sum := sha256.Sum256([]byte(styleSheet))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// page is what the template fills in. All texts are fit to be shown.
type page struct {
	Title    string
	Written  string // the time, as people read it
	Sections []section
	NotRead  []string
}

// section is one answer.
type section struct {
	ID      string
	Heading string
	Action  string
	ARN     string
	Grants  string // how many
	Counts  []count
	Graph   *graph
	Rows    []row
	More    string
}

// count is how many grants have an exposure.
type count struct {
	badge

	Count string
}

// row is one grant.
type row struct {
	Principal, Kind string
	Exposure        badge
	Through         list
	// Together is true where a function URL takes all that stands after it.
	Together bool
	Actions  []string
	// Some are the first of the actions, empty where all are few.
	Some      string
	Needs     list
	Uncertain string
	AssumedBy list
}

// badge is an exposure, as a text and as the class that colours it.
type badge struct{ Class, Text string }

func newBadge(e policy.Exposure) badge {
	switch e {
	case policy.Public, policy.ConfusedDeputy, policy.External, policy.Organization, policy.Internal, policy.Nobody:
		return badge{"x-" + string(e), string(e)}
	case policy.Unknown:
	}
	return badge{"x-" + string(policy.Unknown), visible(string(e))}
}

// list is some items of a cell, and how many there are more.
type list struct {
	Items []item
	More  string
}

// item is a line of a list, and what is said below it.
type item struct {
	Text  string
	Notes []string
}

// WhoCan writes answers as one HTML page that needs nothing beside itself. The
// page bears the time written. It fails where there is no answer, or w does.
func WhoCan(w io.Writer, written time.Time, answers ...access.Answer) error {
	if len(answers) == 0 {
		return errors.New("writing the page: there is no answer to write")
	}
	p := page{Title: title(answers), Written: written.UTC().Format("2 January 2006, 15:04 UTC")}
	for i, a := range answers {
		p.Sections = append(p.Sections, newSection(fmt.Sprintf("place-%d", i+1), a))
		for _, n := range a.NotRead {
			if n = visible(n); !slices.Contains(p.NotRead, n) {
				p.NotRead = append(p.NotRead, n)
			}
		}
	}
	var text bytes.Buffer
	if err := whoCanPage.Execute(&text, p); err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	if _, err := text.WriteTo(w); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// title is what the page is about: one function as a rule.
func title(answers []access.Answer) string {
	first := answers[0]
	for _, a := range answers {
		if a.Function != first.Function || a.Action != first.Action {
			return "Who can invoke or administer functions"
		}
	}
	return visible("Who can " + string(first.Action) + " " + first.Function.Name())
}

func newSection(id string, a access.Answer) section {
	s := section{
		ID: id, Heading: visible(a.Function.Name() + ", " + placeText(a.Qualifier)), Action: visible(string(a.Action)), ARN: visible(a.Function.ARN(a.Qualifier)),
		Grants: number(len(a.Grants), "grant"), Counts: counts(a.Grants), Graph: draw(a), More: more(len(a.Grants) - tableRows),
	}
	for _, g := range a.Grants[:min(len(a.Grants), tableRows)] {
		s.Rows = append(s.Rows, newRow(g))
	}
	return s
}

// counts are the numbers of grants by exposure, in the order of the grants: the
// widest first.
func counts(grants []access.Grant) []count {
	numbers := make(map[policy.Exposure]int)
	var order []policy.Exposure
	for _, g := range grants {
		if numbers[g.Exposure]++; numbers[g.Exposure] == 1 {
			order = append(order, g.Exposure)
		}
	}
	var list []count
	for _, e := range order {
		list = append(list, count{newBadge(e), thousands(numbers[e])})
	}
	return list
}

func newRow(g access.Grant) row {
	r := row{Principal: visible(cmp.Or(g.Principal, nameless)), Kind: visible(kindText(g)), Exposure: newBadge(g.Exposure), Together: slices.ContainsFunc(g.Through, isURL)}
	var through, needs, by []item
	for _, t := range g.Through {
		i := item{Text: visible(t.String())}
		for _, c := range t.Conditions {
			i.Notes = append(i.Notes, visible(c))
		}
		through = append(through, i)
	}
	if with := g.With(); with != "" {
		needs = append(needs, item{Text: visible("for example a request with " + with)})
	}
	if g.Provided != "" {
		needs = append(needs, item{Text: visible("provided that " + g.Provided)})
	}
	if !g.Certain {
		r.Uncertain = visible(cmp.Or(g.Why, "nobody said why"))
	}
	for _, a := range g.AssumedBy {
		by = append(by, assumer(a))
	}
	for _, a := range g.Actions {
		r.Actions = append(r.Actions, visible(a))
	}
	const few = 4
	if n := len(r.Actions); n > few+1 {
		r.Some = strings.Join(r.Actions[:few], ", ") + " " + more(n-few)
	}
	r.Through, r.Needs, r.AssumedBy = newList(through), newList(needs), newList(by)
	return r
}

// assumer is who may become a role, with what that takes.
func assumer(a access.Assumer) item {
	g := access.Grant{Principal: a.Principal, Kind: a.Kind, Context: a.Context}
	i := item{Text: visible(cmp.Or(a.Principal, nameless) + " (" + kindText(g) + ")")}
	if with := g.With(); with != "" {
		i.Notes = append(i.Notes, visible("for example with "+with))
	}
	if a.Provided != "" {
		i.Notes = append(i.Notes, visible("provided that "+a.Provided))
	}
	if !a.Certain {
		i.Notes = append(i.Notes, "not certain")
	}
	return i
}

func newList(items []item) list {
	return list{Items: items[:min(len(items), listItems)], More: more(len(items) - listItems)}
}

package line_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/cloudtrail"
)

var update = flag.Bool("update", false, "write docs/coverage.md")

// The columns of docs/coverage.md: in what form a call arrives.
const (
	differs = "makes a difference"
	same    = "makes none"
	own     = "on permdrift's own"
	refused = "refused"
	unknown = "outcome unknown"
	omitted = "parameters omitted"
)

var columns = []string{differs, same, own, refused, unknown, omitted}

// The conclusions that are no findings.
const (
	nothing = "nothing"
	notYet  = "unknown: not audited yet"
	// died is added where the message then goes to the dead-letter queue.
	died = ", and dead-lettered"
)

// cell is one call in one form, and what the auditor concludes.
type cell struct {
	call   string // "lambda AddPermission"
	event  string // as CloudTrail spells it
	column string
	want   string
	// record makes the record in a world, whose live state is as after the call.
	record func(*world) json.RawMessage
	// shared is set where the live state says nothing, so that one world does for all.
	shared bool
}

// name is the subtest's: docs/coverage.md is generated from it.
func (c cell) name() string {
	return strings.Join([]string{strings.ReplaceAll(c.call, " ", "/"), c.event, c.column, c.want}, "|")
}

func allCells() []cell {
	return slices.Concat(cellsOf("lambda", lambdaRows()), cellsOf("iam", slices.Concat(roleRows(), partyRows(), managedRows(), providerRows())), blindCells())
}

// TestCoverage feeds every event that is decoded, in every form in which it
// arrives, to the handler, and checks what is concluded; docs/coverage.md has to
// be what the names of these subtests say.
func TestCoverage(t *testing.T) {
	everything := newWorld(t)
	everything.begin()
	cells := allCells()
	var ran []string
	for _, c := range cells {
		t.Run(c.name(), func(t *testing.T) {
			ran = append(ran, c.name())
			w := everything
			if !c.shared {
				w = newWorld(t)
				w.iam.allow("administrator", "*", "*")
			}
			record := edit(t, c.record(w), form(c))
			w.tick(10 * time.Minute) // no state is stale any more
			w.topic.forget()
			answer, err := w.handler.Handle(t.Context(), json.RawMessage(envelope(t, record)))
			got := w.concluded(answer.(audit.Response))
			if err != nil {
				got += died
			}
			if got != c.want {
				t.Errorf("concluded %q, want %q; %v; %q", got, c.want, err, reasons(w))
			}
			c.checkDecoded(t, record)
		})
	}
	if len(ran) != len(cells) {
		t.Logf("%d of %d cells ran, so docs/coverage.md is not compared", len(ran), len(cells))
		return
	}
	compareWithDocs(t, ran)
}

// form is what makes a record one of the column's form.
func form(c cell) func(map[string]any) {
	return func(record map[string]any) {
		record["eventName"] = c.event
		switch c.column {
		case refused:
			failed("AccessDenied")(record)
		case unknown:
			failed("ServiceException")(record)
		case omitted:
			omitParameters(record)
		}
	}
}

// checkDecoded checks that the decoder says the same: a call that was refused
// changes nothing, and any other is at least a change or skipped with a reason.
func (c cell) checkDecoded(t *testing.T, record json.RawMessage) {
	t.Helper()
	results, err := cloudtrail.Decode([]byte(envelope(t, record)))
	must(t, "decoding the event", err)
	r := results[0]
	switch {
	case (r.Err != nil) != strings.HasSuffix(c.want, died):
		t.Errorf("cannot be decoded: %v", r.Err)
	case c.column == refused && (len(r.Changes) > 0 || r.Failed == ""):
		t.Errorf("a refused call has %d changes", len(r.Changes))
	case c.column != refused && len(r.Changes) == 0 && (c.want != nothing || r.Skipped == ""):
		t.Errorf("there is no change: %q", r.Skipped)
	}
}

// concluded is what a response and the alerts since come to, in one line.
func (w *world) concluded(r audit.Response) string {
	var list []string
	for _, m := range w.topic.messages() {
		text := fmt.Sprintf("%s %s", m.Kind, m.Severity)
		if m.Transition != "opened" {
			text = fmt.Sprintf("%s (%s)", text, m.Transition)
		}
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	slices.Sort(list)
	switch {
	case len(list) > 0:
		return strings.Join(list, ", ")
	case len(r.NotAudited) > 0 && strings.HasSuffix(r.NotAudited[0], "is not audited yet"):
		return notYet
	case len(r.NotAudited) > 0:
		return "unknown: " + r.NotAudited[0]
	}
	return nothing
}

// Every call that is decoded has a row, and every row is of a call that is decoded.
func TestCoverageHasEveryCall(t *testing.T) {
	rows := map[string]map[string]bool{}
	for _, c := range allCells() {
		if rows[c.call] == nil {
			rows[c.call] = map[string]bool{}
		}
		rows[c.call][c.column] = true
	}
	if got, want := slices.Sorted(maps.Keys(rows)), cloudtrail.Calls(); !slices.Equal(got, want) {
		t.Errorf("rows without a decoder, or decoders without a row:\n%q\n%q", missing(got, want), missing(want, got))
	}
	for call, has := range rows {
		for _, column := range []string{refused, unknown, omitted} {
			if !has[column] {
				t.Errorf("%s has no cell for %q", call, column)
			}
		}
		if !has[differs] && !has[same] && !has[own] {
			t.Errorf("%s has no cell in which it takes effect", call)
		}
	}
}

func missing(from, in []string) []string {
	return slices.DeleteFunc(slices.Clone(from), func(s string) bool { return slices.Contains(in, s) })
}

const docs = "../../docs/coverage.md"

// compareWithDocs compares docs/coverage.md with what the names of the subtests
// say, or writes it.
func compareWithDocs(t *testing.T, names []string) {
	t.Helper()
	text := coverageText(names)
	if *update {
		must(t, "writing "+docs, os.WriteFile(docs, []byte(text), 0o644))
		return
	}
	stored, err := os.ReadFile(docs)
	must(t, "reading "+docs, err)
	if string(stored) != text {
		t.Errorf("%s is not what the tests say: run go test ./test/line -run TestCoverage -update", docs)
	}
}

const coverageHead = `# Coverage

What the auditor concludes from each CloudTrail event. This file is written by
` + "`go test ./test/line -run TestCoverage -update`" + ` from the names of the tests that ran: each cell is a
test that feeds such an event to the auditor, with the live state as it is after the call, and no test passes
if the cell says something else.

* **%s**: the call lets in somebody who is not approved, or takes away what is approved.
* **%s**: it leaves what is approved, or concerns somebody else's resource.
* **%s**: its function, role, rule, queue, topic, key, table, stack. Any trail counts as its own.
* **%s**: the call failed (AccessDenied) and changed nothing.
* **%s**: the service answered ServiceException. The cell is that of a call that took effect all the same: the live state says so.
* **%s**: CloudTrail dropped the parameters because they were too large. If the answer does not name the function either, the finding is about the account, and a sweep is asked for.

"%s": the call is decoded, and what it is about is compared with no baseline. An empty cell: the call has no such form.
"dead-lettered": the record does not say what it is about; it is a finding, and the message is kept for a person.
A finding that was opened is named by kind and severity; what else became of it stands in brackets.
`

// coverageText is docs/coverage.md: one table for each service, one row for each call.
func coverageText(names []string) string {
	cells := map[string]map[string]string{} // by call and column
	events := map[string][]string{}
	for _, name := range names {
		parts := strings.Split(name, "|")
		call, event, column, want := parts[0], parts[1], parts[2], parts[3]
		if cells[call] == nil {
			cells[call] = map[string]string{}
		}
		if before := cells[call][column]; before != "" && before != want {
			want = before + "; " + event + ": " + want
		}
		cells[call][column] = want
		if !slices.Contains(events[call], event) {
			events[call] = append(events[call], event)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, coverageHead, differs, same, own, refused, unknown, omitted, notYet)
	service := ""
	for _, call := range inOrder(slices.Collect(maps.Keys(cells))) {
		if of, _, _ := strings.Cut(call, "/"); of != service {
			service = of
			fmt.Fprintf(&b, "\n## %s.amazonaws.com\n\n| event | %s |\n|---%s|\n", service, strings.Join(columns, " | "), strings.Repeat("|---", len(columns)))
		}
		fmt.Fprintf(&b, "| %s |", strings.Join(events[call], ", "))
		for _, column := range columns {
			fmt.Fprintf(&b, " %s |", cells[call][column])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// inOrder sorts calls: Lambda's first, then IAM's, then those that blind.
func inOrder(calls []string) []string {
	rank := func(call string) int {
		service, _, _ := strings.Cut(call, "/")
		return slices.Index([]string{"rolesanywhere", "iam", "lambda"}, service)
	}
	slices.SortFunc(calls, func(a, b string) int { return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(a, b)) })
	return calls
}

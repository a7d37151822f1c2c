package alert

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Terminal prints announcements for people at a terminal: at most twelve
// lines and an empty one each, in one Write.
type Terminal struct {
	W     io.Writer
	Color bool // with ANSI colours
}

// How much of a line is shown, in characters.
const (
	maxColumn = 160
	maxChange = 400 // of what changed, why, and what was done
)

// The ANSI codes of the first line.
const (
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	blue   = "\x1b[1;34m"
	green  = "\x1b[1;32m"
	faint  = "\x1b[2m"
	plain  = "\x1b[0m"
)

// Send prints one announcement; with the zero announcement, the finding as it
// stands.
func (t Terminal) Send(_ context.Context, f drift.Finding, a drift.Announcement) error {
	s := newStory(f, a)
	s.nameLength = 60
	p := printer{color: t.Color}
	label, _ := cut(clean(s.label()), maxColumn)
	line, _ := cut(clean(s.headline()), maxColumn)
	p.b.WriteString(p.paint(shade(s), label) + "  " + line + "\n")
	p.row("where", s.Subject.ARN(s.Place))
	p.row("who", join(", ", s.who(), s.how(), s.when()))
	p.row("owner", s.whose())
	p.cut(s.change(), s.shown(), maxChange)
	if s.transition == drift.Replaced && s.Replaced != nil {
		p.cut("before", s.Replaced.String(), maxChange)
	}
	p.cut("why", join(", ", join(": ", string(s.Exposure), s.Reason), s.uncertain()), maxChange)
	if len(s.Escalations) > 0 {
		p.cut("comes to", s.methods(), maxChange)
	} else if !s.over() {
		p.cut("pin it", s.Advice, maxChange)
	}
	p.row("request", s.request())
	if s.over() || s.noted() || s.accepted() || s.transition == drift.Refused || s.transition == drift.Muted || s.Kind == drift.AuditBlinded {
		p.cut("done", s.done(), maxChange)
	} else if s.transition == drift.Reopened {
		p.cut("note", s.note, maxChange)
	}
	s.rows(&p)
	p.row("finding", join(", ", f.ID, string(f.Kind), string(s.transition)))
	p.b.WriteByte('\n')
	if _, err := io.WriteString(t.W, p.b.String()); err != nil {
		return fmt.Errorf("printing finding %s: %w", f.ID, err)
	}
	return nil
}

// rows prints the commands.
func (s story) rows(p *printer) {
	remove := "remove"
	if s.narrows() || s.ofRole() || s.Config != nil && s.Before != nil {
		remove = "revert"
	}
	switch {
	case s.accepted():
		p.command(remove, s.Remediate, s.ID)
		return
	case s.noted():
	case s.transition == drift.Vanished, s.transition == drift.Closed:
		return
	case s.transition == drift.RemovedByUs:
		p.command("undo", s.Undo, s.ID)
	default:
		p.command(remove, s.Remediate, s.ID)
	}
	p.command("approve", s.Approve, s.ID)
}

func (s story) uncertain() string {
	if s.Certain || s.Kind == drift.UnreadableChange || s.noted() {
		return ""
	}
	return "not certain"
}

// change is the head of the row that shows what changed.
func (s story) change() string {
	_, done := s.thing()
	return done
}

// shown is what changed on one line, empty if there is nothing to show.
func (s story) shown() string {
	if s.Statement != nil {
		return join(": ", s.Policy, s.Statement.String())
	}
	return s.summary()
}

// shade is the colour of the first line.
func shade(s story) string {
	switch {
	case s.transition == drift.Closed || s.transition == drift.RemovedByUs:
		return green
	case s.Severity.Rank() >= drift.High.Rank():
		return red
	case s.Severity == drift.Medium:
		return yellow
	}
	return blue
}

// printer collects aligned rows.
type printer struct {
	b     strings.Builder
	color bool
}

func (p *printer) paint(color, text string) string {
	if !p.color {
		return text
	}
	return color + text + plain
}

// row prints a row, cut at maxColumn characters; an empty one is left out.
func (p *printer) row(head, text string) { p.cut(head, text, maxColumn) }

func (p *printer) cut(head, text string, most int) {
	if text == "" {
		return
	}
	text, more := cut(clean(text), most)
	if more {
		text += " …"
	}
	p.whole(head, text)
}

// command prints a row that is whole, or says where it is.
func (p *printer) command(head, command, id string) {
	if command == "" {
		return
	}
	command = clean(command)
	if len(command) > maxCommand {
		command = clean("… too long, see the ledger: permdrift findings show " + id)
	}
	p.whole(head, command)
}

func (p *printer) whole(head, text string) {
	p.b.WriteString("  " + p.paint(faint, fmt.Sprintf("%-8s", head)) + " " + text + "\n")
}

package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// How much of what is shown in a text, in characters; lists in entries.
const (
	maxSubject   = 99
	maxLine      = 1000
	maxStatement = 4000
	maxCommand   = 2000
	maxEntries   = 10
)

// Subject is the subject line of an e-mail: printable ASCII, less than 100
// characters.
func Subject(f drift.Finding, a drift.Announcement) string {
	s := newStory(f, a)
	s.nameLength = 32
	line := strings.TrimSpace(ascii(s.label() + ": " + s.headline()))
	if len(line) > maxSubject {
		line = line[:maxSubject-3] + "..."
	}
	return line
}

// Text is the announcement of a finding as a person reads it in an e-mail.
func Text(f drift.Finding, a drift.Announcement) string {
	t := &text{story: newStory(f, a)}
	t.line(0, t.label()+": "+t.headline()+".")
	t.who()
	t.where()
	t.what()
	t.why()
	t.comesTo()
	t.runners()
	t.allows()
	t.head("What was done")
	t.line(1, t.done())
	t.next()
	t.commands()
	t.finding()
	if t.b.Len() > maxText {
		whole, _ := cut(t.b.String(), maxText/4)
		return whole + "\n" + t.cutNote() + "\n"
	}
	return t.b.String()
}

// text is an e-mail in the making.
type text struct {
	story
	b strings.Builder
}

// cutNote stands where something was cut.
func (t *text) cutNote() string {
	return clean("… cut, see the ledger: permdrift findings show " + t.ID)
}

// line writes one line, clean and of bounded length. Empty lines are left out.
func (t *text) line(indent int, line string) {
	if line == "" {
		return
	}
	line, more := cut(clean(line), maxLine)
	if more {
		line += " " + t.cutNote()
	}
	t.b.WriteString(strings.Repeat("  ", indent) + line + "\n")
}

// head begins a section.
func (t *text) head(title string) {
	t.b.WriteString("\n" + title + "\n")
}

func (t *text) who() {
	t.head("Who made the change")
	who := t.story.who()
	if who == "" {
		t.line(1, "Not known: no event tells of this change. CloudTrail may have it.")
		t.line(1, t.when())
		return
	}
	t.line(1, join(", ", who, t.how()))
	if t.Actor.ARN != who {
		t.line(1, t.Actor.ARN)
	}
	t.line(1, prefixed("the session is of ", t.Actor.Issuer))
	t.line(1, join(", ", t.when(), t.Event.Name, prefixed("event ", t.Event.ID)))
}

func (t *text) where() {
	t.head("Where")
	subject, account := string(t.Subject.Kind())+" "+t.Subject.Name(), prefixed("account ", t.Account)
	switch t.Subject.Kind() {
	case drift.Function:
		subject += ", unqualified"
		if t.Place != drift.Unqualified {
			subject = "function " + t.Subject.Name() + ", qualifier " + string(t.Place)
		}
	case drift.Role, drift.User, drift.Group:
		subject = join(", ", subject, places[t.Place])
	case drift.LayerVersion:
		subject = t.target()
	case drift.Account:
		subject = ""
	default: // kind and name say it
	}
	t.line(1, subject)
	t.line(1, join(", ", account, prefixed("region ", t.Region)))
	t.line(1, t.Subject.ARN(t.Place))
	t.line(1, prefixed("Owner: ", t.whose()))
}

// whose it is: the owner and the stack that the function's tags name.
func (s story) whose() string { return join(", ", s.Owner, prefixed("stack ", s.Stack)) }

func (t *text) what() {
	switch {
	case t.Statement != nil:
		sids := ""
		if len(t.Sids) > 0 {
			sids = " (Sid " + t.list(t.Sids) + ")"
		}
		t.head("What changed")
		t.line(1, t.verb()+sids+":")
		t.statement(t.Statement)
	case len(t.settings()) > 0:
		t.head("What changed")
		t.line(1, t.verb()+":")
		for _, part := range t.settings() {
			t.line(2, t.words(part))
		}
	}
	if t.transition == drift.Replaced && t.Replaces != "" {
		t.replaced()
	}
}

// replaced shows what was there before, and in what the new differs from it.
func (t *text) replaced() {
	if t.Statement == nil || t.Config != nil {
		t.line(1, "Before, it was as finding "+t.Replaces+" says.")
		return
	}
	t.line(1, "Its Sid belonged to another statement, that of finding "+t.Replaces+".")
	if t.Replaced == nil {
		return
	}
	t.line(1, "It replaced this statement:")
	t.statement(t.Replaced)
	t.head("What is different")
	for _, line := range differences(*t.Replaced, *t.Statement) {
		t.line(1, line)
	}
}

func (t *text) statement(s *policy.Statement) {
	indented, more := cut(s.Indent(""), maxStatement)
	for line := range strings.SplitSeq(indented, "\n") {
		t.line(2, line)
	}
	if more {
		t.line(2, t.cutNote())
	}
}

func (t *text) why() {
	if t.over() {
		t.head("Why it mattered")
	} else {
		t.head("Why it matters")
	}
	if t.Exposure != "" && !t.narrows() {
		t.line(1, sentence(meaning[t.Exposure]))
	}
	t.line(1, sentence(t.Reason))
	if len(t.Counterparties) > 0 && t.Kind != drift.EventSourceAdded { // its source is shown
		t.line(1, "It lets in: "+t.list(t.Counterparties))
	}
	if !t.over() {
		t.line(1, prefixed("If it is meant: ", t.Advice))
	}
	if t.uncertain() != "" {
		t.line(1, "This is not certain, and counts as new access until somebody has looked.")
	}
}

func (t *text) allows() {
	if t.Witness == nil {
		return
	}
	title := "A request that is now possible"
	if t.over() {
		title = "A request that was possible"
	}
	t.head(title)
	t.line(1, t.request())
	for i, key := range slices.Sorted(maps.Keys(t.Witness.Context)) {
		if i == maxEntries {
			t.line(1, t.cutNote())
			break
		}
		t.line(1, "with "+key+" = "+t.list(t.Witness.Context[key]))
	}
}

// next is what a person has to do where no command does it.
func (t *text) next() {
	if t.over() || t.accepted() {
		return
	}
	if t.Place == drift.Boundary && t.Config != nil {
		t.command("To approve the role as it is, with its boundary, less what is risky", "permdrift baseline capture "+drift.Quote(string(t.Subject)))
	}
	if t.Kind != drift.AuditBlinded {
		return
	}
	t.head("What to do")
	t.line(1, "Check that a trail records management events here and is logging, that the rules of permdrift's stack are enabled and have their targets, and that its functions, queues, tables and topics are as they were deployed.")
	t.line(1, "Then sweep ('permdrift scan'): what was changed in the meantime may not have been told.")
	t.command("When that is settled", "permdrift baseline approve "+t.ID)
}

// commands are what a person may run next.
func (t *text) commands() {
	switch {
	case t.accepted():
		t.command("To remove it", t.Remediate)
		return
	case t.noted():
		t.command("To approve it", t.Approve)
		return
	case t.transition == drift.Vanished, t.transition == drift.Closed:
		return
	case t.transition == drift.RemovedByUs:
		t.command("To put it back", t.Undo)
		t.command("To approve it, so that it is not removed again", t.Approve)
		return
	case t.transition == drift.Muted:
		t.command("To hear of it again", "permdrift findings unsuppress "+t.ID)
	}
	if t.narrows() {
		t.command("To approve the change", t.Approve)
		t.command("To take the change back", t.Remediate)
		return
	}
	t.command("To approve it", t.Approve)
	title := "To remove it"
	if t.ofRole() || t.Config != nil && t.Before != nil {
		title = "To take the change back"
	}
	t.command(title, t.Remediate)
	t.command("To undo the removal", t.Undo)
}

// command shows a command whole, or says where it is: half a command is dangerous.
func (t *text) command(title, command string) {
	if command == "" {
		return
	}
	t.head(title)
	command = clean(command)
	if len(command) > maxCommand {
		command = t.cutNote()
	}
	t.b.WriteString("  " + command + "\n")
}

func (t *text) finding() {
	t.head("Finding")
	first, seen := "", ""
	if !t.FirstSeen.IsZero() {
		first = "first seen" + on(t.FirstSeen)
	}
	if t.Count > 1 {
		seen = fmt.Sprintf("seen %d times", t.Count)
	}
	t.line(1, join(", ", t.ID, first, seen))
	t.line(1, "permdrift findings show "+t.ID)
}

// list is the first entries of a list in one line.
func (t *text) list(entries []string) string {
	if len(entries) <= maxEntries {
		return strings.Join(entries, ", ")
	}
	return fmt.Sprintf("%s and %d more %s", strings.Join(entries[:maxEntries], ", "), len(entries)-maxEntries, t.cutNote())
}

// join joins the parts that are not empty.
func join(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), separator)
}

// prefixed is a text with a word before it, empty if the text is.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// sentence begins a text with a capital, unless its first word is a name, and
// ends it with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	first, _, _ := strings.Cut(text, " ")
	if strings.Trim(first, "abcdefghijklmnopqrstuvwxyz,:") != "" || first == "permdrift" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

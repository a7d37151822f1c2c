package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// DigestKind is the kind of a digest, where a [Message] has that of a finding.
const DigestKind = "digest"

// Digest is what was adopted since a time, for machines; the package comment
// lists its keys.
type Digest struct {
	Version string    `json:"version"`
	Kind    string    `json:"kind"` // DigestKind
	Since   time.Time `json:"since"`
	Count   int       `json:"count"` // of all, also those that are not listed
	Adopted []Adopted `json:"adopted"`
	More    int       `json:"more,omitempty"` // how many are not listed
}

// Adopted is one grant that was adopted.
type Adopted struct {
	ID        string            `json:"id"`
	Subject   drift.Subject     `json:"subject"`
	Place     drift.Place       `json:"qualifier,omitempty"`
	Statement *policy.Statement `json:"statement,omitempty"` // left out where it is long
	Exposure  policy.Exposure   `json:"exposure,omitempty"`
	Rule      string            `json:"rule"`
	At        time.Time         `json:"at"`
	Actor     drift.Actor       `json:"actor,omitzero"`
	Event     Event             `json:"event,omitzero"`
	Remediate string            `json:"remediate,omitempty"`

	story story
}

// maxAdopted is how long the JSON of a statement in a digest may be.
const maxAdopted = 2000

// NewDigest is the digest of those findings that are adopted and were adopted
// after a time, oldest first.
func NewDigest(findings []drift.Finding, since time.Time) Digest {
	d := Digest{Version: MessageVersion, Kind: DigestKind, Since: since}
	for _, f := range findings {
		if f.Status != drift.Accepted || f.Adoption == nil || !f.Adoption.At.After(since) {
			continue
		}
		a := Adopted{
			ID: f.ID, Subject: f.Subject, Place: f.Place, Statement: f.Statement, Exposure: f.Exposure, Rule: f.Adoption.Rule, At: f.Adoption.At,
			Actor: f.Actor, Event: Event{ID: f.Event.ID, Name: f.Event.Name, Time: f.Event.Time}, Remediate: f.Remediate,
			story: newStory(f, drift.Announcement{}),
		}
		a.Actor.UserAgent = ""
		if f.Statement != nil && len(f.Statement.String()) > maxAdopted {
			a.Statement = nil
		}
		if len(a.Remediate) > maxCommand {
			a.Remediate = ""
		}
		d.Adopted = append(d.Adopted, a)
	}
	slices.SortFunc(d.Adopted, func(a, b Adopted) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	d.Count = len(d.Adopted)
	return d
}

// Subject is the subject line of the digest's e-mail.
func (d Digest) Subject() string {
	return fmt.Sprintf("DIGEST: permdrift adopted %s", grants(d.Count))
}

// Text is the digest as a person reads it in an e-mail: as much of it as fits,
// and how many more there are.
func (d Digest) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "permdrift adopted %s since %s.\n\n", grants(d.Count), stamp(d.Since))
	b.WriteString("What is adopted counts as approved and raises no finding. Look at each, and remove what should not be there.\n")
	for i, a := range d.Adopted {
		entry := a.text()
		if b.Len()+len(entry) > maxText-200 {
			fmt.Fprintf(&b, "\nand %d more: permdrift findings list --status approved\n", d.Count-i)
			return b.String()
		}
		b.WriteString(entry)
	}
	if d.More > 0 {
		fmt.Fprintf(&b, "\nand %d more: permdrift findings list --status approved\n", d.More)
	}
	return b.String()
}

// text is one grant: where, what, who, and how to take it away.
func (a Adopted) text() string {
	s := a.story
	t := &text{story: s}
	t.b.WriteByte('\n')
	t.line(0, join(", ", s.target(), prefixed("account ", t.Account), prefixed("region ", t.Region), s.whose()))
	if t.Statement != nil {
		statement, more := cut(t.Statement.String(), maxChange)
		if more {
			statement += " …"
		}
		t.line(1, statement)
	}
	t.line(1, join(", ", cmp.Or(s.who(), "by whom is not known"), s.how(), s.when()))
	t.line(1, join(", ", s.adopted(), "finding "+t.ID))
	if a.Remediate != "" {
		t.b.WriteString("  to remove it: " + clean(a.Remediate) + "\n")
	}
	return t.b.String()
}

// fit is the digest as JSON of at most limit bytes, less what does not fit.
func (d Digest) fit(limit int) (string, error) {
	for {
		text, err := encodeJSON(d)
		text = cleanJSON(text)
		if err != nil || len(text) <= limit || len(d.Adopted) == 0 {
			return text, err
		}
		keep := len(d.Adopted) * limit / len(text) // all are about as long
		d.Adopted = d.Adopted[:min(keep, len(d.Adopted)-1)]
		d.More = d.Count - len(d.Adopted)
	}
}

func grants(n int) string {
	if n == 1 {
		return "1 grant"
	}
	return fmt.Sprintf("%d grants", n)
}

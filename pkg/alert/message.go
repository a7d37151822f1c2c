package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// MessageVersion is the version of Message that this package writes and reads.
const MessageVersion = "1"

// Message is a finding for machines; the package comment lists its keys.
type Message struct {
	Version  string            `json:"version"`
	ID       string            `json:"id"`
	Kind     drift.FindingKind `json:"kind"`
	Severity drift.Severity    `json:"severity"`
	Exposure policy.Exposure   `json:"exposure,omitempty"`
	Account  string            `json:"account,omitempty"`
	Region   string            `json:"region,omitempty"`
	Subject  drift.Subject     `json:"subject"`
	Place    drift.Place       `json:"qualifier,omitempty"`

	Statement      *policy.Statement `json:"statement,omitempty"`
	Sids           []string          `json:"sids,omitempty"`
	Config         *drift.Config     `json:"config,omitempty"`
	Before         *drift.Config     `json:"before,omitempty"`
	Reason         string            `json:"reason,omitempty"`
	Advice         string            `json:"advice,omitempty"`
	Policy         string            `json:"policy,omitempty"`
	Certain        bool              `json:"certain"`
	Counterparties []string          `json:"counterparties,omitempty"`
	Witness        *policy.Witness   `json:"witness,omitempty"`

	Escalations []drift.Escalation `json:"escalations,omitempty"`
	Functions   []drift.Subject    `json:"functions,omitempty"`

	Actor drift.Actor `json:"actor,omitzero"`
	Event Event       `json:"event,omitzero"`

	Owner string `json:"owner,omitempty"`
	Stack string `json:"stack,omitempty"`

	FirstSeen   time.Time          `json:"firstSeen,omitzero"`
	LastSeen    time.Time          `json:"lastSeen,omitzero"`
	ResolvedAt  time.Time          `json:"resolvedAt,omitzero"`
	Count       int                `json:"count,omitempty"`
	Replaces    string             `json:"replaces,omitempty"`
	Replaced    *policy.Statement  `json:"replaced,omitempty"`
	Status      drift.Status       `json:"status,omitempty"`
	Adoption    *drift.Adoption    `json:"adoption,omitempty"` // without its seal
	Suppression *drift.Suppression `json:"suppression,omitempty"`

	Approve   string `json:"approve,omitempty"`
	Remediate string `json:"remediate,omitempty"`
	Undo      string `json:"undo,omitempty"`

	Transition   drift.TransitionKind `json:"transition,omitempty"`
	Announcement string               `json:"announcement,omitempty"`
	Note         string               `json:"note,omitempty"`
	Truncated    bool                 `json:"truncated,omitempty"`
}

// Event is the call that a finding is about.
type Event struct {
	ID   string    `json:"id,omitempty"`
	Name string    `json:"name,omitempty"`
	Time time.Time `json:"time,omitzero"`
}

// NewMessage is the message of an announcement; with the zero announcement,
// of the finding as it stands.
func NewMessage(f drift.Finding, a drift.Announcement) Message {
	adoption := f.Adoption
	if adoption != nil {
		unsealed := *adoption
		unsealed.Seal, adoption = "", &unsealed
	}
	return Message{
		Version: MessageVersion,
		ID:      f.ID, Kind: f.Kind, Severity: f.Severity, Exposure: f.Exposure,
		Account: f.Account, Region: f.Region, Subject: f.Subject, Place: f.Place,
		Statement: f.Statement, Sids: f.Sids, Config: f.Config, Before: f.Before, Reason: f.Reason, Advice: f.Advice, Certain: f.Certain,
		Policy: f.Policy, Counterparties: f.Counterparties, Witness: f.Witness, Escalations: f.Escalations, Functions: f.Functions,
		Actor: f.Actor, Event: Event{ID: f.Event.ID, Name: f.Event.Name, Time: f.Event.Time},
		Owner: f.Owner, Stack: f.Stack,
		FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, ResolvedAt: f.ResolvedAt, Count: f.Count, Replaces: f.Replaces, Replaced: f.Replaced,
		Status: f.Status, Adoption: adoption, Suppression: f.Suppression,
		Approve: f.Approve, Remediate: f.Remediate, Undo: f.Undo,
		Transition: a.Transition, Announcement: a.ID, Note: a.Note,
	}
}

var findingID = regexp.MustCompile(`^[0-9a-f]{20}$`)

// ParseMessage reads a message. It wants version 1, the id of a finding and a
// subject of a known kind, which is all that somebody who acts on it needs;
// keys that it does not know are passed over.
func ParseMessage(text []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(text, &m); err != nil {
		return Message{}, fmt.Errorf("parsing alert message: %w", err)
	}
	switch {
	case m.Version != MessageVersion:
		return Message{}, fmt.Errorf("parsing alert message: version %q is not %q", m.Version, MessageVersion)
	case !findingID.MatchString(m.ID):
		return Message{}, fmt.Errorf("parsing alert message: %q is not the id of a finding", m.ID)
	case m.Subject.Kind() == drift.OtherKind:
		return Message{}, fmt.Errorf("parsing alert message: %q is not the ARN of a subject", m.Subject)
	}
	return m, nil
}

// WriteJSON writes a finding as one line of JSON, never truncated.
func WriteJSON(w io.Writer, f drift.Finding) error {
	text, err := NewMessage(f, drift.Announcement{}).encode()
	if err != nil {
		return fmt.Errorf("writing finding %s: %w", f.ID, err)
	}
	if _, err := io.WriteString(w, text+"\n"); err != nil {
		return fmt.Errorf("writing finding %s: %w", f.ID, err)
	}
	return nil
}

// encode is the message as JSON on one line, all printable.
func (m Message) encode() (string, error) {
	text, err := encodeJSON(m)
	return cleanJSON(text), err
}

// encodeJSON is a value as JSON on one line, with <, > and & as they are.
func encodeJSON(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// drops are what a message that is too large loses, in this order.
var drops = []func(*Message){
	func(m *Message) { m.Actor.UserAgent = "" },
	func(m *Message) { m.Witness = nil },
	func(m *Message) { m.Counterparties = nil },
	func(m *Message) { m.Functions = nil },
	func(m *Message) { m.Replaced = nil },
	func(m *Message) { m.Advice = "" },
	func(m *Message) { m.Statement = nil },
	func(m *Message) { m.Config, m.Before = nil, nil },
	func(m *Message) { m.Sids, m.Policy = nil, "" },
	func(m *Message) { m.Escalations = nil },
	func(m *Message) { m.Suppression, m.Adoption = nil, nil },
	func(m *Message) { m.Reason, _ = cut(m.Reason, 500); m.Note, _ = cut(m.Note, 500) },
	func(m *Message) { m.Undo = "" },
	func(m *Message) { m.Remediate = "" },
	func(m *Message) { m.Approve = "" },
	func(m *Message) { m.Actor = drift.Actor{} },
	func(m *Message) { m.Event = Event{} },
	func(m *Message) { m.Owner, m.Stack = "", "" },
}

// fit is the message as JSON of at most limit bytes, less what does not fit.
func (m Message) fit(limit int) (string, error) {
	text, err := m.encode()
	for _, drop := range drops {
		if err != nil || len(text) <= limit {
			return text, err
		}
		drop(&m)
		m.Truncated = true
		text, err = m.encode()
	}
	if err == nil && len(text) > limit {
		err = errors.Join(drift.ErrTooLarge, fmt.Errorf("the message still has %d bytes of at most %d", len(text), limit))
	}
	return text, err
}

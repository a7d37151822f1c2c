package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// mostText is the largest file that is read whole, in bytes: anything but an
// account export. The state of a function with thousands of versions has some
// megabytes.
const mostText = 64 << 20

// mostExport is the most that the roles and users of an account may take as an
// export before [Account.Read] gives up, in bytes of text. IAM's own quotas (5,000
// roles and users, 10 to 20 policies of 6 KB each) end far below.
const mostExport = 4 << 30

// Read adds what a file has: an account export, a state, a function's policy or
// the configuration of its URL; see the package comment.
func (a *Account) Read(r io.ReadSeeker) error {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size > mostExport {
		return fmt.Errorf("it has more than %d GB", mostExport>>30)
	}
	switch e, err := OpenExport(r); {
	case err == nil:
		return a.readExport(e)
	case !errors.Is(err, errNotExport):
		return err
	}
	if size > mostText {
		return fmt.Errorf("it is no account export (%w), and has more than %d MB", errNotExport, mostText>>20)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return a.readText(text)
}

func (a *Account) readExport(e *Export) error {
	for i, err := range e.Identities() {
		if err == nil {
			err = a.AddIdentity(i)
		}
		if err != nil {
			return err
		}
	}
	a.Gaps = append(a.Gaps, e.Gaps()...)
	return nil
}

// shape is what the other files are told apart by.
type shape struct {
	Subject     *string         `json:"subject"`
	Policy      json.RawMessage `json:"Policy"`
	Statement   json.RawMessage `json:"Statement"`
	FunctionURL *string         `json:"FunctionUrl"`
}

func (a *Account) readText(text []byte) error {
	var s shape
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	switch {
	case s.Subject != nil:
		var state drift.State
		if err := json.Unmarshal(text, &state); err != nil {
			return err
		}
		return a.AddState(state)
	case s.FunctionURL != nil:
		return a.readURL(text)
	case s.Policy != nil:
		return a.readPolicy(s.Policy)
	case s.Statement != nil:
		return a.readPolicy(text)
	}
	return errors.New("it is neither an account export, nor a state, a function's policy or the configuration of a function URL")
}

// readPolicy adds a function's policy. Which function and qualifier it is of, its
// statements say.
func (a *Account) readPolicy(raw json.RawMessage) error {
	d := parse(raw)
	if d.err != nil {
		return d.err
	}
	var subject drift.Subject
	var place drift.Place
	found := false
	for i, s := range d.policy.Statements {
		for _, resource := range s.Resource {
			function, at, err := drift.ParseFunctionARN(resource)
			if err != nil || strings.ContainsAny(resource, "*?") {
				continue
			}
			if found && (function != subject || at != place) {
				return fmt.Errorf("statement %d is about %s, and others about %s: which function it is the policy of is not clear", i, resource, subject.ARN(place))
			}
			subject, place, found = function, at, true
		}
	}
	if !found {
		return errors.New("no statement names a function as its Resource, so which function it is the policy of is not clear")
	}
	state, err := a.open(subject)
	if err != nil {
		return err
	}
	if _, ok := state.Policies[place]; ok {
		return fmt.Errorf("the policy of %s is there twice", subject.ARN(place))
	}
	state.Policies[place] = drift.PlacePolicy{Policy: d.policy}
	a.put(state)
	return nil
}

func (a *Account) readURL(text []byte) error {
	var c struct {
		FunctionURL string `json:"FunctionUrl"`
		FunctionArn string
		AuthType    string
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	subject, place, err := drift.ParseFunctionARN(c.FunctionArn)
	if err != nil {
		return err
	}
	state, err := a.open(subject)
	if err != nil {
		return err
	}
	state.URLs[place] = drift.URL{Address: c.FunctionURL, AuthType: c.AuthType}
	a.put(state)
	return nil
}

// open is a copy of the state of a function to which something is added.
func (a *Account) open(subject drift.Subject) (drift.State, error) {
	if err := a.belongs(string(subject)); err != nil {
		return drift.State{}, err
	}
	state := a.Functions[subject]
	state.Subject = subject
	state.Policies, state.URLs = maps.Clone(state.Policies), maps.Clone(state.URLs)
	if state.Policies == nil {
		state.Policies = make(map[drift.Place]drift.PlacePolicy)
	}
	if state.URLs == nil {
		state.URLs = make(map[drift.Place]drift.URL)
	}
	return state, nil
}

// lost are the gaps of a state that are about a place.
func lost(s drift.State, p drift.Place) []string {
	var list []string
	for _, g := range s.Gaps {
		if g.All || g.Place == p {
			list = append(list, fmt.Sprintf("%s of %s: %s", what(g.Aspect), s.Subject.ARN(g.Place), g.Reason))
		}
	}
	return list
}

func what(a drift.Aspect) string {
	if a == drift.Policies {
		return "the policy"
	}
	return "the " + string(a)
}

// identityGaps counts roles and users that could not be read whole.
func (a *Account) identityGaps() []string {
	n := 0
	for i := range a.Identities {
		if a.Identities[i].Rights.Problem != "" {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("all policies of %d of the %d roles and users", n, len(a.Identities))}
}

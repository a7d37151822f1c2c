package alert

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// thing is what a finding shows, and what was done to it.
func (s story) thing() (what, done string) {
	gone := s.narrows()
	switch c := s.Config; {
	case s.Kind == drift.BoundaryRemoved && c == nil:
		return "The permissions boundary", "removed"
	case s.Statement == nil && c != nil && c.Boundary != "":
		return "The permissions boundary", "changed"
	case s.aboutDeny():
		what, done = "This Deny"+s.document(), "removed"
		if gone {
			done = "added"
		}
		return what, done
	case s.Statement != nil && gone:
		return "This statement" + s.document(), "removed"
	case s.Statement != nil || c == nil:
		return "This statement" + s.document(), "added"
	case c.Role != "":
		return "This execution role", "set"
	case c.URL != nil && s.Before != nil:
		return "This function URL", "changed"
	case c.URL != nil && gone:
		return "This function URL", "removed"
	case c.URL != nil:
		return "This function URL", "made"
	case gone && s.Before != nil:
		return "This event source mapping", "disabled"
	case gone:
		return "This event source mapping", "removed"
	case s.Before != nil:
		return "This event source mapping", "enabled"
	}
	return "This event source mapping", "added"
}

// verb says what happened to what the finding shows.
func (s story) verb() string {
	what, done := s.thing()
	appeared := done == "added" || done == "made"
	switch {
	case s.noted():
		return what + " was " + done
	case s.transition == drift.Vanished && appeared:
		return what + " was " + done + ", and was gone when permdrift looked"
	case s.transition == drift.Vanished:
		return what + " was " + done + ", and was not so any more when permdrift looked"
	case s.accepted():
		return what + " was " + done + ", and stays"
	case s.transition == drift.Closed && done == "removed":
		return what + " had been removed, and is back or not approved any more"
	case s.transition == drift.Closed && appeared:
		return what + " had been " + done + ", and is gone or approved now"
	case s.transition == drift.Closed:
		return what + " had been " + done + ", and is as approved now"
	case s.transition == drift.RemovedByUs:
		return what + " had been " + done + ", and permdrift removed it"
	}
	return what + " was " + done
}

// setting is one part of a configuration: what it is, and what it was before or
// is approved as; empty where nothing is.
type setting struct{ name, value, before string }

// settings are the parts of what of a configuration is new or gone.
func (s story) settings() []setting {
	config := s.Config
	switch {
	case config == nil && s.Kind == drift.BoundaryRemoved && s.Before != nil:
		config = &drift.Config{Boundary: "none"}
	case config == nil:
		return nil
	}
	parts, before := settingsOf(*config), []setting(nil)
	if s.Before != nil {
		before = settingsOf(*s.Before)
	}
	for i, part := range parts {
		j := slices.IndexFunc(before, func(b setting) bool { return b.name == part.name })
		if j >= 0 && part.name != "address" && part.name != "uuid" {
			parts[i].before = before[j].value
		}
	}
	return slices.DeleteFunc(parts, func(part setting) bool { return part.value == "" })
}

func settingsOf(c drift.Config) []setting {
	switch {
	case c.URL != nil:
		return []setting{{name: "AuthType", value: c.URL.AuthType}, {name: "CORS", value: cors(c.URL.CORS)}, {name: "address", value: c.URL.Address}}
	case c.Mapping != nil:
		state := "disabled"
		if c.Mapping.Enabled {
			state = "enabled"
		}
		return []setting{{name: "source", value: c.Mapping.Source}, {name: "state", value: state}, {name: "uuid", value: c.Mapping.UUID}}
	case c.Boundary != "":
		return []setting{{name: "boundary", value: c.Boundary}}
	}
	return []setting{{name: "role", value: c.Role}}
}

// cors is what a function URL answers to browsers of other origins, in short.
func cors(c *drift.CORS) string {
	if c == nil || len(c.AllowOrigins) == 0 {
		return "no other origin"
	}
	list := func(head string, entries []string) string {
		if len(entries) > maxEntries {
			entries = append(slices.Clone(entries[:maxEntries]), "…")
		}
		return prefixed(head, strings.Join(entries, ", "))
	}
	credentials := ""
	if c.AllowCredentials {
		credentials = "with credentials"
	}
	return join("; ", list("origins ", c.AllowOrigins), list("methods ", c.AllowMethods), list("headers ", c.AllowHeaders),
		list("exposed ", c.ExposeHeaders), credentials)
}

// words are a setting in one line.
func (s story) words(part setting) string {
	line := part.name + ": " + part.value
	switch {
	case part.before == "":
		return line
	case s.transition == drift.Replaced && part.before == part.value:
		return line + " (as before)"
	case s.transition == drift.Replaced:
		return line + " (before: " + part.before + ")"
	case part.before == part.value && part.name == "boundary":
		return line + ", as approved, but what it allows is not"
	case part.before == part.value:
		return line + " (as approved)"
	}
	return line + " (approved: " + part.before + ")"
}

// summary is the configuration of a finding on one line, empty if it has none.
func (s story) summary() string {
	var lines []string
	for _, part := range s.settings() {
		lines = append(lines, s.words(part))
	}
	return strings.Join(lines, ", ")
}

// differences are the elements in which a statement differs from the one that
// it replaced, one line each.
func differences(before, after policy.Statement) []string {
	old, current := elements(before), elements(after)
	var lines []string
	for _, name := range []string{"Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"} {
		a, b := old[name], current[name]
		if string(a) == string(b) {
			continue
		}
		lines = append(lines, name+": "+short(b)+", before: "+short(a))
	}
	return lines
}

// elements are the elements of a statement as JSON, by name.
func elements(s policy.Statement) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal([]byte(s.String()), &all) != nil {
		return nil
	}
	return all
}

// short is an element's JSON, at most 200 characters of it.
func short(element json.RawMessage) string {
	if len(element) == 0 {
		return "none"
	}
	text, more := cut(string(element), 200)
	if more {
		text += " …"
	}
	return text
}

package differential

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// document is a policy document, read here and not by pkg/policy.
type document struct {
	version    string
	statements []statement
}

// statement is one statement; present tells a missing element from an empty one.
type statement struct {
	sid, effect string
	lists       map[string][]string            // Action, NotAction, Resource, NotResource
	principals  map[string]map[string][]string // Principal, NotPrincipal: type to names
	conditions  []condition
}

// condition is one operator on one key.
type condition struct {
	operator, key string
	values        []string
}

// readPolicy decodes a document whose statements may be a list or one object.
func readPolicy(text []byte) (document, error) {
	var d struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return document{}, err
	}
	p := document{version: d.Version}
	raw, err := listOf(d.Statement)
	if err != nil {
		return p, err
	}
	for _, r := range raw {
		s, err := readStatement(r)
		if err != nil {
			return p, err
		}
		p.statements = append(p.statements, s)
	}
	return p, nil
}

func readStatement(text []byte) (statement, error) {
	s := statement{lists: map[string][]string{}, principals: map[string]map[string][]string{}}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return s, err
	}
	for name, raw := range members {
		var err error
		switch name {
		case "Sid":
			err = json.Unmarshal(raw, &s.sid)
		case "Effect":
			err = json.Unmarshal(raw, &s.effect)
		case "Action", "NotAction", "Resource", "NotResource":
			s.lists[name], err = stringsOf(raw)
		case "Principal", "NotPrincipal":
			s.principals[name], err = principalsOf(raw)
		case "Condition":
			s.conditions, err = conditionsOf(raw)
		default:
			err = errors.New("not an element")
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

func principalsOf(raw json.RawMessage) (map[string][]string, error) {
	if text := ""; json.Unmarshal(raw, &text) == nil {
		return map[string][]string{"AWS": {text}}, nil
	}
	var typed map[string]json.RawMessage
	if err := json.Unmarshal(raw, &typed); err != nil {
		return nil, err
	}
	m := map[string][]string{}
	for name, list := range typed {
		names, err := stringsOf(list)
		if err != nil {
			return nil, err
		}
		m[name] = names
	}
	return m, nil
}

func conditionsOf(raw json.RawMessage) ([]condition, error) {
	var operators map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &operators); err != nil {
		return nil, err
	}
	var list []condition
	for _, operator := range sortedKeys(operators) {
		for _, key := range sortedKeys(operators[operator]) {
			values, err := stringsOf(operators[operator][key])
			if err != nil {
				return nil, err
			}
			list = append(list, condition{operator, key, values})
		}
	}
	return list, nil
}

// listOf is a JSON list's elements, or the one value that stands for a list.
func listOf(raw json.RawMessage) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if len(raw) > 0 && raw[0] == '[' {
		err := json.Unmarshal(raw, &list)
		return list, err
	}
	return []json.RawMessage{raw}, nil
}

// stringsOf reads strings; a number or Boolean is its text.
func stringsOf(raw json.RawMessage) ([]string, error) {
	items, err := listOf(raw)
	list := make([]string, 0, len(items))
	for _, item := range items {
		text := string(item)
		if item[0] == '"' {
			if err := json.Unmarshal(item, &text); err != nil {
				return nil, err
			}
		}
		list = append(list, text)
	}
	return list, err
}

// MarshalJSON prints the document with its elements in the order of their names.
func (p document) MarshalJSON() ([]byte, error) {
	d := map[string]any{"Statement": p.statements}
	if p.statements == nil {
		d["Statement"] = []statement{}
	}
	if p.version != "" {
		d["Version"] = p.version
	}
	return json.Marshal(d)
}

// MarshalJSON prints lists of one as the one value.
func (s statement) MarshalJSON() ([]byte, error) {
	m := map[string]any{"Effect": s.effect}
	if s.sid != "" {
		m["Sid"] = s.sid
	}
	for name, list := range s.lists {
		m[name] = short(list)
	}
	for name, typed := range s.principals {
		m[name] = shortPrincipals(typed)
	}
	operators := map[string]map[string]any{}
	for _, c := range s.conditions {
		if operators[c.operator] == nil {
			operators[c.operator] = map[string]any{}
		}
		operators[c.operator][c.key] = short(c.values)
	}
	if len(operators) > 0 {
		m["Condition"] = operators
	}
	return json.Marshal(m)
}

func shortPrincipals(typed map[string][]string) any {
	if len(typed) == 1 && slices.Equal(typed["AWS"], []string{"*"}) {
		return "*"
	}
	m := map[string]any{}
	for kind, names := range typed {
		m[kind] = short(names)
	}
	return m
}

func short(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// clone is a copy that shares nothing.
func (p document) clone() document {
	c := document{version: p.version}
	for _, s := range p.statements {
		c.statements = append(c.statements, s.clone())
	}
	return c
}

func (s statement) clone() statement {
	c := statement{sid: s.sid, effect: s.effect, lists: map[string][]string{}, principals: map[string]map[string][]string{}}
	for name, list := range s.lists {
		c.lists[name] = slices.Clone(list)
	}
	for name, typed := range s.principals {
		c.principals[name] = map[string][]string{}
		for kind, names := range typed {
			c.principals[name][kind] = slices.Clone(names)
		}
	}
	for _, o := range s.conditions {
		c.conditions = append(c.conditions, condition{o.operator, o.key, slices.Clone(o.values)})
	}
	return c
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

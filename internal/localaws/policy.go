package localaws

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// maxPolicy is the largest policy document, in bytes.
const maxPolicy = 20480

// policy is the resource policy of one place.
type policy struct {
	version, id string
	statements  []json.RawMessage
	text        string // as PutResourcePolicy got it, until a statement changes; else ""
	revision    string
}

func newPolicy() *policy { return &policy{version: "2012-10-17", id: "default"} }

func (p *policy) clone() *policy {
	if p == nil {
		return nil
	}
	c := *p
	c.statements = append([]json.RawMessage(nil), p.statements...)
	return &c
}

// parsePolicy reads a JSON document. Statement may be one object.
func parsePolicy(document string) (*policy, error) {
	var d struct {
		Version, ID string
		Statement   json.RawMessage
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return nil, fmt.Errorf("the policy is not valid JSON: %w", err)
	}
	p := &policy{version: d.Version, id: d.ID, text: document}
	trimmed := bytes.TrimSpace(d.Statement)
	switch {
	case len(trimmed) == 0:
		return nil, fmt.Errorf("the policy has no Statement")
	case trimmed[0] == '{':
		p.statements = []json.RawMessage{trimmed}
	default:
		if err := json.Unmarshal(trimmed, &p.statements); err != nil {
			return nil, fmt.Errorf("the policy's Statement is no list: %w", err)
		}
	}
	if len(p.statements) == 0 {
		return nil, fmt.Errorf("the policy has no statements")
	}
	return p, nil
}

// document is the policy's JSON text.
func (p *policy) document() string {
	if p.text != "" {
		return p.text
	}
	return render(p.version, p.id, p.statements)
}

func render(version, id string, statements []json.RawMessage) string {
	b, err := encode(struct {
		Version   string            `json:",omitempty"`
		ID        string            `json:"Id,omitempty"`
		Statement []json.RawMessage `json:"Statement"`
	}{version, id, statements})
	if err != nil {
		panic(fmt.Sprintf("localaws: rendering a policy: %v", err)) // statements were valid JSON when they came in
	}
	return string(b)
}

// plain is what an API that knows no JSON policies shows of one: only the
// statements that AddPermission could have written. It may have none.
func (p *policy) plain() []json.RawMessage {
	var shown []json.RawMessage
	for _, s := range p.statements {
		if isPlain(s) {
			shown = append(shown, s)
		}
	}
	return shown
}

// isPlain says whether AddPermission could have written a statement: a Sid,
// Allow, one principal, one action, one resource.
func isPlain(statement json.RawMessage) bool {
	var s map[string]any
	if json.Unmarshal(statement, &s) != nil || s["Effect"] != "Allow" {
		return false
	}
	for key, value := range s {
		switch key {
		case "Sid", "Effect", "Action", "Resource":
			if _, ok := value.(string); !ok {
				return false
			}
		case "Principal":
			if !onePrincipal(value) {
				return false
			}
		case "Condition":
		default:
			return false
		}
	}
	return text(s, "Sid") != "" && s["Principal"] != nil && s["Action"] != nil && s["Resource"] != nil
}

func onePrincipal(value any) bool {
	if value == "*" {
		return true
	}
	typed, ok := value.(map[string]any)
	if !ok || len(typed) != 1 {
		return false
	}
	for _, v := range typed {
		_, ok = v.(string)
	}
	return ok
}

// index is the place of the statement with that Sid, or -1.
func (p *policy) index(sid string) int {
	for i, s := range p.statements {
		var st struct{ Sid string }
		if json.Unmarshal(s, &st) == nil && st.Sid == sid {
			return i
		}
	}
	return -1
}

// statement is what AddPermission writes, in AWS's order.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition *condition `json:",omitempty"`
}

type condition struct {
	StringEquals *stringEquals     `json:",omitempty"`
	Bool         map[string]string `json:",omitempty"`
	ArnLike      map[string]string `json:",omitempty"`
}

type stringEquals struct {
	SourceAccount string `json:"AWS:SourceAccount,omitempty"`
	AuthType      string `json:"lambda:FunctionUrlAuthType,omitempty"`
	PrincipalOrg  string `json:"aws:PrincipalOrgID,omitempty"`
	EventToken    string `json:"lambda:EventSourceToken,omitempty"`
}

// encode marshals without escaping <, > and &, as AWS does.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

package policy

import (
	"fmt"
	"unicode/utf8"
)

// Parse reads one policy document. The error is a [*SyntaxError].
func Parse(text []byte) (Policy, error) {
	s, err := begin(text, "policy")
	if err != nil {
		return Policy{}, err
	}
	return s.document()
}

// document reads a policy up to the end of the text.
func (s *scanner) document() (Policy, error) {
	p, err := s.policy()
	if err != nil {
		return Policy{}, err
	}
	return p, s.end("policy")
}

// ParseStatement reads one statement, in the language of 2012-10-17. The error
// is a [*SyntaxError].
func ParseStatement(text []byte) (Statement, error) {
	s, err := begin(text, "statement")
	if err != nil {
		return Statement{}, err
	}
	statement, err := s.statement()
	if err != nil {
		return Statement{}, err
	}
	return statement, s.end("statement")
}

func begin(text []byte, what string) (*scanner, error) {
	s := &scanner{src: string(text)}
	if len(text) > MaxDocument {
		return nil, s.fail(0, "the %s has %d bytes; the most that is read is %d", what, len(text), MaxDocument)
	}
	if !utf8.ValidString(s.src) {
		return nil, s.fail(invalidAt(s.src), "the text is not valid UTF-8")
	}
	if s.peek() == 0 && s.pos == len(s.src) {
		return nil, s.fail(s.pos, "expected a %s, found nothing", what)
	}
	return s, nil
}

func (s *scanner) end(what string) error {
	if c := s.peek(); s.pos < len(s.src) {
		return s.fail(s.pos, "expected the end of the %s, found %s: one text holds one %s", what, kind(c), what)
	}
	return nil
}

func invalidAt(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(text[i:]); width == 1 {
				return i
			}
		}
	}
	return len(text)
}

func (s *scanner) policy() (Policy, error) {
	var p Policy
	start, found := s.pos, false
	err := s.object("a policy (an object)", func(key string, at int) error {
		var err error
		switch key {
		case "Version":
			p.Version, err = s.version()
		case "Id":
			p.ID, err = s.str()
		case "Statement":
			found = true
			p.Statements, err = s.statements()
		default:
			return s.fail(at, "%q is not an element of a policy (Version, Id, Statement)", clip(key))
		}
		return inside(err, key)
	})
	if err != nil {
		return Policy{}, err
	}
	if !found {
		return Policy{}, s.fail(start, "the policy has no Statement")
	}
	for i := range p.Statements {
		p.Statements[i].literal = p.Version != version2012
	}
	return p, nil
}

// version2012 is the version of the language that has policy variables.
const version2012 = "2012-10-17"

func (s *scanner) version() (string, error) {
	at := s.pos
	version, err := s.str()
	if err == nil && version != version2012 && version != "2008-10-17" {
		err = s.fail(at, "%q is not a version of the policy language (2012-10-17, 2008-10-17)", clip(version))
	}
	return version, err
}

func (s *scanner) statements() ([]Statement, error) {
	if s.peek() == '{' {
		statement, err := s.statement()
		return []Statement{statement}, err
	}
	if c := s.peek(); c != '[' {
		return nil, s.fail(s.pos, "expected a statement or a list of statements, found %s", kind(c))
	}
	const usual = 256 // bytes of a statement
	statements := make([]Statement, 0, min(8+(len(s.src)-s.pos)/usual, 64))
	err := s.list(func(int) error {
		statement, err := s.statement()
		statements = append(statements, statement)
		return err
	})
	return statements, err
}

func (s *scanner) statement() (Statement, error) {
	var t Statement
	start := s.pos
	err := s.object("a statement (an object)", func(key string, at int) error {
		var err error
		switch key {
		case "Sid":
			t.Sid, err = s.str()
		case "Effect":
			t.Effect, err = s.effect()
		case "Principal":
			t.Principal, err = s.principals()
		case "NotPrincipal":
			t.NotPrincipal, err = s.principals()
		case "Action":
			t.Action, err = s.strings()
		case "NotAction":
			t.NotAction, err = s.strings()
		case "Resource":
			t.Resource, err = s.strings()
		case "NotResource":
			t.NotResource, err = s.strings()
		case "Condition":
			t.Condition, err = s.conditions()
		default:
			return s.fail(at, "%q is not an element of a statement", clip(key))
		}
		return inside(err, key)
	})
	if err == nil {
		err = s.complete(t, start)
	}
	return t, err
}

// complete checks what the elements of a statement must be together.
func (s *scanner) complete(t Statement, start int) error {
	switch {
	case t.Effect == "":
		return s.fail(start, "the statement has no Effect")
	case t.Action == nil && t.NotAction == nil:
		return s.fail(start, "the statement has neither Action nor NotAction")
	case t.Action != nil && t.NotAction != nil:
		return s.fail(start, "the statement has both Action and NotAction")
	case t.Resource != nil && t.NotResource != nil:
		return s.fail(start, "the statement has both Resource and NotResource")
	case t.Principal != nil && t.NotPrincipal != nil:
		return s.fail(start, "the statement has both Principal and NotPrincipal")
	}
	return nil
}

func (s *scanner) effect() (Effect, error) {
	at := s.pos
	text, err := s.str()
	if err == nil && text != string(Allow) && text != string(Deny) {
		err = s.fail(at, "expected \"Allow\" or \"Deny\", found %q", clip(text))
	}
	return Effect(text), err
}

func (s *scanner) principals() (*Principals, error) {
	at := s.pos
	switch c := s.peek(); c {
	case '"':
		text, err := s.str()
		if err == nil && text != "*" {
			err = s.fail(at, "expected \"*\" or an object such as {\"AWS\": …}, found %q", clip(text))
		}
		return &Principals{Any: true}, err
	case '{':
	default:
		return nil, s.fail(at, "expected \"*\" or an object such as {\"AWS\": …}, found %s", kind(c))
	}
	p := new(Principals)
	err := s.object("an object", func(key string, at int) error {
		list := p.typed(key)
		if list == nil {
			return s.fail(at, "%q is not a type of principal (AWS, Service, Federated, CanonicalUser)", clip(key))
		}
		var err error
		*list, err = s.strings()
		return inside(err, key)
	})
	return p, err
}

// typed is the list of one type of principal, nil where there is no such type.
func (p *Principals) typed(name string) *[]string {
	switch name {
	case "AWS":
		return &p.AWS
	case "Service":
		return &p.Service
	case "Federated":
		return &p.Federated
	case "CanonicalUser":
		return &p.CanonicalUser
	}
	return nil
}

// strings reads a string or a list of strings; never nil without an error.
func (s *scanner) strings() ([]string, error) {
	return s.values(false, "a string or a list of strings")
}

// values reads a string or a list of strings, with scalars also numbers, true and false.
func (s *scanner) values(scalars bool, what string) ([]string, error) {
	switch c := s.peek(); c {
	case '[':
		from := len(s.texts)
		err := s.list(func(int) error {
			text, err := s.one(scalars)
			s.texts = append(s.texts, text)
			return err
		})
		return s.keep(from), err
	case '{', 'n', 0:
		return nil, s.fail(s.pos, "expected %s, found %s", what, kind(c))
	default:
		at := s.pos
		text, err := s.one(scalars)
		if err != nil && s.pos == at && c != '"' {
			err = s.fail(at, "expected %s, found %s", what, kind(c))
		}
		s.texts = append(s.texts, text)
		return s.keep(len(s.texts) - 1), err
	}
}

func (s *scanner) one(scalars bool) (string, error) {
	if scalars {
		return s.scalar()
	}
	return s.str()
}

// keep moves the last texts that were read into a list of their own. Lists are
// cut from blocks; their capacity ends where they do.
func (s *scanner) keep(from int) []string {
	const block = 64
	n := len(s.texts) - from
	if n == 0 {
		return []string{} // there, and empty
	}
	if len(s.block) < n {
		s.block = make([]string, max(n, block))
	}
	list := s.block[:n:n]
	s.block = s.block[n:]
	copy(list, s.texts[from:])
	s.texts = s.texts[:from]
	return list
}

func (s *scanner) conditions() ([]Condition, error) {
	var list []Condition
	err := s.object("an object of condition operators", func(operator string, _ int) error {
		err := s.object("an object of condition keys", func(key string, _ int) error {
			values, err := s.values(true, "a string, a number, true, false, or a list of them")
			if list == nil {
				list = make([]Condition, 0, 2)
			}
			list = append(list, Condition{Operator: operator, Key: key, Values: values})
			return inside(err, clip(key))
		})
		return inside(err, clip(operator))
	})
	return list, err
}

// clip shortens what an error message quotes.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	for i := most; i > 0; i-- {
		if utf8.RuneStart(text[i]) {
			return text[:i] + "…"
		}
	}
	return "…"
}

// String names the condition as people write it.
func (c Condition) String() string { return fmt.Sprintf("%s %s %q", c.Operator, c.Key, c.Values) }

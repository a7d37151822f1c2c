package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// Export is the JSON of "aws iam get-account-authorization-details", read in two
// passes, since roles come before the managed policies that they name. What is
// kept in memory are the managed policies, each parsed once, and the groups; of
// roles and users there is one at a time. Documents are URL-encoded strings, as
// the API gives them, or JSON objects, as the AWS command line prints them.
type Export struct {
	r        io.ReadSeeker
	managed  map[string]*document
	groups   map[string][]source
	gaps     []string
	anything bool
}

// document is one policy, or why it could not be read.
type document struct {
	policy  policy.Policy
	version string
	err     error
}

// source is a policy and where it is from.
type source struct {
	of drift.RolePolicy
	*document
}

// The parts of an export, named as in the API.
type (
	attached struct {
		PolicyName, PolicyArn string
	}
	inline struct {
		PolicyName     string
		PolicyDocument json.RawMessage
	}
	boundary struct {
		PermissionsBoundaryArn string
	}
	tag    struct{ Key, Value string }
	detail struct {
		Arn                      string
		RoleName                 string
		AssumeRolePolicyDocument json.RawMessage
		RolePolicyList           []inline
		UserName                 string
		UserPolicyList           []inline
		GroupList                []string
		GroupName                string
		GroupPolicyList          []inline
		AttachedManagedPolicies  []attached
		PermissionsBoundary      *boundary
		Tags                     []tag
	}
	managed struct {
		Arn               string
		DefaultVersionID  string `json:"DefaultVersionId"`
		PolicyVersionList []struct {
			Document         json.RawMessage
			VersionID        string `json:"VersionId"`
			IsDefaultVersion bool
		}
	}
)

// exportLists are the lists of an export.
var exportLists = map[string]bool{"UserDetailList": true, "GroupDetailList": true, "RoleDetailList": true, "Policies": true}

// errNotExport says that a file has none of the lists of an export.
var errNotExport = errors.New("it has none of UserDetailList, GroupDetailList, RoleDetailList, Policies")

// OpenExport reads the managed policies and groups of an export. A policy that
// does not parse is no error here: it makes those who have it unknown.
func OpenExport(r io.ReadSeeker) (*Export, error) {
	e := &Export{r: r, managed: make(map[string]*document), groups: make(map[string][]source)}
	var groups []detail
	err := e.pass(func(list string, d *json.Decoder) error {
		switch list {
		case "Policies":
			var p managed
			if err := d.Decode(&p); err != nil {
				return err
			}
			e.keep(p)
		case "GroupDetailList":
			var g detail
			if err := d.Decode(&g); err != nil {
				return err
			}
			groups = append(groups, g)
		default:
			return skip(d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !e.anything {
		return nil, errNotExport
	}
	for _, g := range groups {
		list := e.sources(g.GroupPolicyList, g.AttachedManagedPolicies)
		for i := range list {
			list[i].of.Group = g.GroupName
		}
		e.groups[g.GroupName] = list
	}
	return e, nil
}

// Gaps say what the export itself leaves out.
func (e *Export) Gaps() []string { return e.gaps }

// keep keeps the default version of a managed policy.
func (e *Export) keep(p managed) {
	for _, v := range p.PolicyVersionList {
		if v.IsDefaultVersion || v.VersionID != "" && v.VersionID == p.DefaultVersionID {
			document := parse(v.Document)
			document.version = v.VersionID
			e.managed[p.Arn] = document
			return
		}
	}
	e.managed[p.Arn] = &document{err: errors.New("the export has no default version of it")}
}

// errStop ends a pass early.
var errStop = errors.New("stop")

// Identities are the roles and users of the export, one at a time. An error ends
// the sequence.
func (e *Export) Identities() iter.Seq2[Identity, error] {
	return func(yield func(Identity, error) bool) {
		err := e.pass(func(list string, d *json.Decoder) error {
			if list != "RoleDetailList" && list != "UserDetailList" {
				return skip(d)
			}
			var one detail
			if err := d.Decode(&one); err != nil {
				return err
			}
			i, err := e.identity(one)
			if err != nil {
				return err
			}
			if !yield(i, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Identity{}, err)
		}
	}
}

// skip reads one value and keeps nothing.
func skip(d *json.Decoder) error {
	var nothing struct{}
	return d.Decode(&nothing)
}

// pass reads the export from its start and calls each with every element of its
// lists; each has to decode one value. The lists may come in any order, and
// more than once, as in pages that follow one another.
func (e *Export) pass(each func(list string, d *json.Decoder) error) error {
	if _, err := e.r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("going back to the start: %w", err)
	}
	d := json.NewDecoder(e.r)
	e.gaps = nil
	pages, more := 0, false
	for ; ; pages++ {
		opening, err := d.Token()
		if errors.Is(err, io.EOF) && pages > 0 {
			break
		}
		if err != nil {
			return syntax(err)
		}
		if opening != json.Delim('{') {
			return errors.New("it is not a JSON object")
		}
		if more, err = e.page(d, each); err != nil {
			return err
		}
	}
	if more {
		e.gaps = append(e.gaps, "the rest of the account: the export ends before its last page (IsTruncated is true)")
	}
	return nil
}

// page reads one object, and reports whether it says that more would follow.
func (e *Export) page(d *json.Decoder, each func(string, *json.Decoder) error) (more bool, err error) {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return false, syntax(err)
		}
		name, _ := key.(string)
		switch {
		case name == "IsTruncated":
			err = d.Decode(&more)
		case exportLists[name]:
			e.anything = true
			err = e.list(d, name, each)
		default:
			err = skipAny(d)
		}
		if err != nil {
			return false, err
		}
	}
	_, err = d.Token()
	return more, syntax(err)
}

func (e *Export) list(d *json.Decoder, name string, each func(string, *json.Decoder) error) error {
	opening, err := d.Token()
	if err != nil {
		return syntax(err)
	}
	if opening != json.Delim('[') {
		return fmt.Errorf("%s is not a list", name)
	}
	for n := 0; d.More(); n++ {
		if err := each(name, d); err != nil {
			if errors.Is(err, errStop) {
				return err
			}
			return fmt.Errorf("%s, element %d: %w", name, n, syntax(err))
		}
	}
	_, err = d.Token()
	return syntax(err)
}

// skipAny reads a value of any type.
func skipAny(d *json.Decoder) error {
	var nothing json.RawMessage
	return syntax(d.Decode(&nothing))
}

// syntax says what an unexpected end means.
func syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}

// parse reads a document as an export has it.
func parse(raw json.RawMessage) *document {
	text := []byte(raw)
	if len(text) == 0 || string(text) == "null" {
		return &document{err: errors.New("the export has no document of it")}
	}
	if text[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return &document{err: err}
		}
		if !strings.HasPrefix(strings.TrimSpace(s), "{") {
			decoded, err := url.PathUnescape(s)
			if err != nil {
				return &document{err: fmt.Errorf("it is not URL-encoded: %w", err)}
			}
			s = decoded
		}
		text = []byte(s)
	}
	p, err := policy.Parse(text)
	return &document{policy: p, err: err}
}

// sources are the identity policies that a detail has.
func (e *Export) sources(inlines []inline, list []attached) []source {
	var out []source
	for _, p := range inlines {
		out = append(out, source{drift.RolePolicy{Name: p.PolicyName}, parse(p.PolicyDocument)})
	}
	for _, a := range list {
		d, ok := e.managed[a.PolicyArn]
		if !ok {
			d = &document{err: errors.New("the export does not have it")}
		}
		out = append(out, source{drift.RolePolicy{ARN: a.PolicyArn, VersionID: d.version}, d})
	}
	return out
}

// identity is a role or user of a detail.
func (e *Export) identity(d detail) (Identity, error) {
	i := Identity{Kind: Role, ARN: d.Arn}
	list := e.sources(append(d.RolePolicyList, d.UserPolicyList...), d.AttachedManagedPolicies)
	switch drift.Subject(d.Arn).Kind() {
	case drift.User:
		i.Kind = User
		for _, name := range d.GroupList {
			group, ok := e.groups[name]
			if !ok {
				i.Rights.Problem = "group " + name + " is not in the export"
			}
			list = append(list, group...)
		}
	case drift.Role:
		trust := parse(d.AssumeRolePolicyDocument)
		if trust.err != nil {
			i.Rights.Problem = "trust policy: " + trust.err.Error()
		}
		i.Trust = trust.policy
	default:
		return i, fmt.Errorf("%q is not the ARN of a role or user", d.Arn)
	}
	i.Rights.Policy.Version = version2012
	n := 0
	for _, s := range list {
		n += len(s.policy.Statements)
	}
	i.Rights.Policy.Statements = make([]policy.Statement, 0, n)
	for _, s := range list {
		if s.err != nil {
			i.Rights.Problem = s.of.String() + ": " + s.err.Error()
		}
		s.of.Statements = len(s.policy.Statements)
		i.From = append(i.From, s.of)
		i.Rights.Policy.Statements = append(i.Rights.Policy.Statements, s.policy.Statements...)
	}
	if b := d.PermissionsBoundary; b != nil && b.PermissionsBoundaryArn != "" {
		i.BoundaryARN = b.PermissionsBoundaryArn
		if limit, ok := e.managed[i.BoundaryARN]; ok && limit.err == nil {
			i.Rights.Boundary = &limit.policy
		} else {
			i.Rights.Problem = "its permissions boundary " + i.BoundaryARN + " is not in the export, or does not parse"
		}
	}
	for _, t := range d.Tags {
		if i.Tags == nil {
			i.Tags = make(map[string]string, len(d.Tags))
		}
		i.Tags[t.Key] = t.Value
	}
	return i, nil
}

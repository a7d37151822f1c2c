package drift

import (
	"regexp"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Permission is one call of AddPermission, by the names of its parameters.
// Empty fields are not sent. Source: the Lambda API reference.
type Permission struct {
	Function            Subject
	Qualifier           Place
	StatementID         string
	Action              string
	Principal           string
	SourceARN           string
	SourceAccount       string
	PrincipalOrgID      string
	EventSourceToken    string
	FunctionURLAuthType string
	InvokedViaURL       string // true or false
}

// PermissionOf is the AddPermission call that writes a statement under a Sid,
// false if none does. What it would write is built again and compared, so that
// nothing of the statement is lost on the way.
func PermissionOf(subject Subject, place Place, sid string, s policy.Statement) (Permission, bool) {
	if subject.Kind() != Function || !sids.MatchString(sid) || s.Principal == nil || len(s.Action) != 1 || !actions.MatchString(s.Action[0]) {
		return Permission{}, false
	}
	principal, ok := solePrincipal(s.Principal)
	if !ok {
		return Permission{}, false
	}
	p := Permission{Function: subject, Qualifier: place, StatementID: sid, Action: s.Action[0], Principal: principal}
	again := policy.Statement{
		Effect: policy.Allow, Principal: writtenPrincipal(principal), Action: s.Action, Resource: []string{subject.ARN(place)},
	}
	for _, c := range s.Condition {
		written, ok := p.set(c)
		if !ok {
			return Permission{}, false
		}
		again.Condition = append(again.Condition, written)
	}
	if p.FunctionURLAuthType != "" && p.Action != "lambda:InvokeFunctionUrl" {
		return Permission{}, false
	}
	return p, again.Equal(s)
}

// Command is the AWS command that makes the call.
func (p Permission) Command() string {
	words := []string{"aws lambda add-permission"}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, Flag(flag, value))
		}
	}
	add("--function-name", string(p.Function))
	add("--qualifier", string(p.Qualifier))
	add("--statement-id", p.StatementID)
	add("--action", p.Action)
	add("--principal", p.Principal)
	add("--source-arn", p.SourceARN)
	add("--source-account", p.SourceAccount)
	add("--principal-org-id", p.PrincipalOrgID)
	add("--event-source-token", p.EventSourceToken)
	add("--function-url-auth-type", p.FunctionURLAuthType)
	switch p.InvokedViaURL {
	case "true":
		words = append(words, "--invoked-via-function-url")
	case "false":
		words = append(words, "--no-invoked-via-function-url")
	}
	add("--region", p.Function.Region())
	return strings.Join(words, " ")
}

// The values that AddPermission takes. Source: the Lambda API reference. They
// also keep out what the command line would read from a file or an address.
var (
	sids     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,100}$`)
	actions  = regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`)
	callers  = regexp.MustCompile(`^([*]|[0-9]{12}|arn:[^\s]+|[a-zA-Z0-9-]+([.][a-zA-Z0-9-]+)+)$`)
	accounts = regexp.MustCompile(`^[0-9]{12}$`)
)

// conditions are the conditions that AddPermission writes, by the parameter
// that it writes each for. Source: as above, and the stored statements.
var conditions = []struct {
	operator, key string
	value         *regexp.Regexp
	field         func(*Permission) *string
}{
	{"ArnLike", "aws:SourceArn", regexp.MustCompile(`^arn:`), func(p *Permission) *string { return &p.SourceARN }},
	{"StringEquals", "aws:SourceAccount", accounts, func(p *Permission) *string { return &p.SourceAccount }},
	{"StringEquals", "aws:PrincipalOrgID", regexp.MustCompile(`^o-[a-z0-9]{10,32}$`), func(p *Permission) *string { return &p.PrincipalOrgID }},
	{"StringEquals", "lambda:EventSourceToken", regexp.MustCompile(`^[a-zA-Z0-9._-]{1,256}$`), func(p *Permission) *string { return &p.EventSourceToken }},
	{"StringEquals", "lambda:FunctionUrlAuthType", regexp.MustCompile(`^(NONE|AWS_IAM)$`), func(p *Permission) *string { return &p.FunctionURLAuthType }},
	{"Bool", "lambda:InvokedViaFunctionUrl", regexp.MustCompile(`^(true|false)$`), func(p *Permission) *string { return &p.InvokedViaURL }},
}

// set sets the parameter that writes a condition, and returns the condition
// that it writes; false where none does, or where it is set already.
func (p *Permission) set(c policy.Condition) (policy.Condition, bool) {
	if len(c.Values) != 1 {
		return policy.Condition{}, false
	}
	value := c.Values[0]
	for _, known := range conditions {
		if c.Operator != known.operator || !strings.EqualFold(c.Key, known.key) || !known.value.MatchString(value) {
			continue
		}
		field := known.field(p)
		if *field != "" {
			return policy.Condition{}, false
		}
		*field = value
		return policy.Condition{Operator: known.operator, Key: known.key, Values: []string{value}}, true
	}
	return policy.Condition{}, false
}

// solePrincipal is the one principal of a statement, as AddPermission takes it.
func solePrincipal(p *policy.Principals) (string, bool) {
	if p.Any {
		return "*", true
	}
	all := append(append([]string{}, p.AWS...), p.Service...)
	if len(all) != 1 || len(p.Federated)+len(p.CanonicalUser) > 0 {
		return "", false
	}
	return all[0], callers.MatchString(all[0])
}

// writtenPrincipal is what AddPermission writes for a principal.
func writtenPrincipal(principal string) *policy.Principals {
	switch {
	case principal == "*":
		return &policy.Principals{Any: true}
	case accounts.MatchString(principal) || strings.HasPrefix(principal, "arn:"):
		return &policy.Principals{AWS: []string{principal}}
	}
	return &policy.Principals{Service: []string{principal}}
}

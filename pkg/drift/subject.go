package drift

import (
	"fmt"
	"strings"
)

// Subject is what is protected, named by its ARN: a function without a
// qualifier, a layer version with its number, a role without its path (role
// names are unique in an account, and most events omit the path), a managed
// policy or provider through which roles change, or the account
// (arn:aws:iam::ID:root) for findings about the auditing itself.
type Subject string

// Kind is the kind of a subject.
type Kind string

// The kinds of subjects. A Policy, a User, a Group and a Provider are never
// audited for themselves; changes name them because roles hang on them.
const (
	Function     Kind = "function"
	LayerVersion Kind = "layer-version"
	Role         Kind = "role"
	ManagedPol   Kind = "policy"
	User         Kind = "user"
	Group        Kind = "group"
	Provider     Kind = "provider"
	Account      Kind = "account"
	OtherKind    Kind = "other"
)

// Place is where in a subject a policy sits: for a function and a layer
// version the qualifier, and Unqualified; for a role Trust, Identity, Boundary.
type Place string

// The places that are not qualifiers.
const (
	Unqualified Place = ""
	Trust       Place = "trust"
	Identity    Place = "identity"
	Boundary    Place = "boundary"
)

// String is the place as people read it: "unqualified" for the zero Place.
func (p Place) String() string {
	if p == Unqualified {
		return "unqualified"
	}
	return string(p)
}

// FunctionSubject is the subject of a function. An empty partition means aws.
func FunctionSubject(partition, region, account, name string) Subject {
	if partition == "" {
		partition = "aws"
	}
	return Subject("arn:" + partition + ":lambda:" + region + ":" + account + ":function:" + name)
}

// RoleSubject is the subject of a role; name may carry a path, which is dropped.
func RoleSubject(partition, account, name string) Subject {
	if partition == "" {
		partition = "aws"
	}
	return Subject("arn:" + partition + ":iam::" + account + ":role/" + name[strings.LastIndexByte(name, '/')+1:])
}

// AccountSubject is the subject of an account. An empty partition means aws.
func AccountSubject(partition, account string) Subject {
	if partition == "" {
		partition = "aws"
	}
	return Subject("arn:" + partition + ":iam::" + account + ":root")
}

// ParseFunctionARN splits a function's ARN into its subject and the place that
// its qualifier names. $LATEST is the unqualified place, since no policy is
// ever attached to it.
func ParseFunctionARN(arn string) (Subject, Place, error) {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 || len(parts) > 8 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" || parts[6] == "" {
		return "", "", fmt.Errorf("%q is not the ARN of a Lambda function", arn)
	}
	subject := Subject(strings.Join(parts[:7], ":"))
	if len(parts) == 7 || parts[7] == "$LATEST" {
		return subject, Unqualified, nil
	}
	return subject, Place(parts[7]), nil
}

// ARN is the ARN of the subject at a place: a function's with the qualifier.
func (s Subject) ARN(p Place) string {
	if s.Kind() == Function && p != Unqualified {
		return string(s) + ":" + string(p)
	}
	return string(s)
}

// Kind is the kind of the subject, from its ARN.
func (s Subject) Kind() Kind {
	resource := s.segment(5)
	switch s.segment(2) {
	case "lambda":
		switch {
		case strings.HasPrefix(resource, "function:"):
			return Function
		case strings.HasPrefix(resource, "layer:"):
			return LayerVersion
		}
	case "iam":
		return iamKind(resource)
	case "rolesanywhere":
		return Provider
	}
	return OtherKind
}

func iamKind(resource string) Kind {
	for _, k := range []struct {
		prefix string
		kind   Kind
	}{
		{"role/", Role},
		{"policy/", ManagedPol},
		{"user/", User},
		{"group/", Group},
		{"oidc-provider/", Provider},
		{"saml-provider/", Provider},
	} {
		if strings.HasPrefix(resource, k.prefix) {
			return k.kind
		}
	}
	if resource == "root" {
		return Account
	}
	return OtherKind
}

// Partition is the partition of the subject: aws, aws-cn, aws-us-gov, …
func (s Subject) Partition() string { return s.segment(1) }

// Region is the region of the subject, empty for roles and accounts.
func (s Subject) Region() string { return s.segment(3) }

// Account is the twelve digits of the account that owns the subject.
func (s Subject) Account() string { return s.segment(4) }

// Name is the subject's name: a function's, a role's, "layer:3" for a layer version.
func (s Subject) Name() string {
	resource := s.segment(5)
	if i := strings.IndexAny(resource, ":/"); i >= 0 {
		return resource[i+1:]
	}
	return resource
}

// segment is the i-th of the six colon-separated segments of the ARN; the last is the rest.
func (s Subject) segment(i int) string {
	parts := strings.SplitN(string(s), ":", 6)
	if i >= len(parts) {
		return ""
	}
	return parts[i]
}

package access

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// Kind is what a principal is.
type Kind string

// The kinds of principals.
const (
	Role      Kind = "role"
	User      Kind = "user"
	Service   Kind = "service"
	Other     Kind = "account" // another account as a whole, or "*": all of them
	Anonymous Kind = "anonymous"
	Federated Kind = "federated"
)

// Account is what was read of one account.
type Account struct {
	// Owner is the account, its organization and whom it trusts. An empty
	// account is taken from the first function, role or user that is added.
	Owner policy.Owner
	// Identities are the account's roles and users.
	Identities []Identity
	// Functions are the states of functions.
	Functions map[drift.Subject]drift.State
	// Gaps say what could not be read.
	Gaps []string

	known map[string]int // index of an identity, by its ARN without path
}

// Identity is a role or user and what it may do.
type Identity struct {
	Kind Kind
	ARN  string // with its path
	// Rights are its identity policies as one, for a user with those of its
	// groups, and its boundary. Rights.Problem says what could not be read.
	Rights drift.Rights
	// From are the policies that the statements of Rights.Policy are of, in order.
	From        []drift.RolePolicy
	BoundaryARN string
	Trust       policy.Policy // of a role
	Tags        map[string]string
}

// State is the state of a role, or of a user as far as it has one.
func (i Identity) State() drift.State {
	s := drift.State{
		Subject:  plain(i.ARN),
		Policies: map[drift.Place]drift.PlacePolicy{drift.Identity: {Policy: i.Rights.Policy}},
		Whole:    true,
		Role:     &drift.RoleState{ARN: i.ARN, Policies: i.From, BoundaryARN: i.BoundaryARN},
		Tags:     i.Tags,
	}
	if i.Kind == Role {
		s.Policies[drift.Trust] = drift.PlacePolicy{Policy: i.Trust}
	}
	if i.Rights.Boundary != nil {
		s.Policies[drift.Boundary] = drift.PlacePolicy{Policy: *i.Rights.Boundary}
	}
	if i.Rights.Problem != "" {
		s.Gaps = []drift.Gap{{Place: drift.Identity, Reason: i.Rights.Problem}}
	}
	return s
}

// plain is the subject of a role or user: its ARN without the path.
func plain(arn string) drift.Subject {
	head, rest, ok := strings.Cut(arn, "/")
	if !ok {
		return drift.Subject(arn)
	}
	return drift.Subject(head + "/" + rest[strings.LastIndexByte(rest, '/')+1:])
}

// identityOf is the identity of a state, if it is one of a role or user.
func identityOf(s drift.State) (Identity, bool) {
	i := Identity{ARN: string(s.Subject), Trust: s.Policies[drift.Trust].Policy, Tags: s.Tags}
	switch s.Subject.Kind() {
	case drift.Role:
		i.Kind = Role
	case drift.User:
		i.Kind = User
	default:
		return Identity{}, false
	}
	i.Rights.Policy = s.Policies[drift.Identity].Policy
	if r := s.Role; r != nil {
		i.ARN, i.From, i.BoundaryARN = cmp.Or(r.ARN, i.ARN), r.Policies, r.BoundaryARN
	}
	if b, ok := s.Policies[drift.Boundary]; ok && (i.BoundaryARN != "" || len(b.Policy.Statements) > 0) {
		boundary := b.Policy
		i.Rights.Boundary = &boundary
	}
	for _, g := range s.Gaps {
		if g.All || g.Place == drift.Identity || g.Place == drift.Boundary {
			i.Rights.Problem = cmp.Or(g.Reason, "it could not be read")
		}
	}
	if i.BoundaryARN != "" && i.Rights.Boundary == nil && i.Rights.Problem == "" {
		i.Rights.Problem = "its permissions boundary " + i.BoundaryARN + " was not read"
	}
	return i, true
}

// AddState adds a state: of a function, a role or a user. States of other
// subjects are passed over. A subject that is already there is an error, and so
// is one of another account.
func (a *Account) AddState(s drift.State) error {
	if i, ok := identityOf(s); ok {
		return a.AddIdentity(i)
	}
	if s.Subject.Kind() != drift.Function {
		return nil
	}
	if err := a.belongs(string(s.Subject)); err != nil {
		return err
	}
	if _, ok := a.Functions[s.Subject]; ok {
		return fmt.Errorf("the state of %s is there twice", s.Subject)
	}
	a.put(s)
	return nil
}

// AddIdentity adds a role or user.
func (a *Account) AddIdentity(i Identity) error {
	if err := a.belongs(i.ARN); err != nil {
		return err
	}
	name := string(plain(i.ARN))
	if _, ok := a.index()[name]; ok {
		return fmt.Errorf("%s is there twice", i.ARN)
	}
	a.known[name] = len(a.Identities)
	a.Identities = append(a.Identities, i)
	return nil
}

// index is a.known, made where the identities were put in by hand.
func (a *Account) index() map[string]int {
	if len(a.known) != len(a.Identities) || a.known == nil {
		a.known = make(map[string]int, len(a.Identities))
		for i := range a.Identities {
			a.known[string(plain(a.Identities[i].ARN))] = i
		}
	}
	return a.known
}

// identity is the role or user of an ARN, with or without its path.
func (a *Account) identity(arn string) (*Identity, bool) {
	i, ok := a.index()[string(plain(arn))]
	if !ok {
		return nil, false
	}
	return &a.Identities[i], true
}

func (a *Account) belongs(arn string) error {
	account := drift.Subject(arn).Account()
	if a.Owner.Account == "" {
		a.Owner.Account = account
	}
	if account != a.Owner.Account {
		return fmt.Errorf("%s is not of account %s", arn, a.Owner.Account)
	}
	return nil
}

func (a *Account) put(s drift.State) {
	if a.Functions == nil {
		a.Functions = make(map[drift.Subject]drift.State)
	}
	a.Functions[s.Subject] = s
}

// Errors of questions about what was not read.
var (
	ErrNoFunction  = errors.New("no such function")
	ErrNoQualifier = errors.New("no such qualifier")
)

// Function finds a function by its ARN or, where that is clear, its name.
func (a *Account) Function(name string) (drift.Subject, error) {
	if subject := drift.Subject(name); subject.Kind() == drift.Function {
		if _, ok := a.Functions[subject]; !ok && len(a.Functions) > 0 {
			return "", fmt.Errorf("%w: %s is not among the %d functions that were read", ErrNoFunction, name, len(a.Functions))
		}
		return subject, a.belongs(name)
	}
	var found []string
	for subject := range a.Functions {
		if subject.Name() == name {
			found = append(found, string(subject))
		}
	}
	slices.Sort(found)
	switch {
	case len(found) == 1:
		return drift.Subject(found[0]), nil
	case len(found) > 1:
		return "", fmt.Errorf("%q is the name of several functions: %s", name, strings.Join(found, ", "))
	case len(a.Functions) == 0:
		return "", fmt.Errorf("%w: no function was read; name it by its ARN to ask for what roles and users may do", ErrNoFunction)
	}
	return "", fmt.Errorf("%w: %q is not among the %d functions that were read", ErrNoFunction, name, len(a.Functions))
}

// Places are the qualifiers of a function at which a policy or URL may stand,
// the unqualified one first.
func (a *Account) Places(function drift.Subject) []drift.Place {
	state := a.Functions[function]
	places := []drift.Place{drift.Unqualified}
	for p := range state.Policies {
		places = append(places, p)
	}
	for p := range state.URLs {
		places = append(places, p)
	}
	for _, m := range state.Mappings {
		if m != nil {
			places = append(places, m.Place)
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

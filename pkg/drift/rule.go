package drift

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Rule is an approval for many functions by pattern, written by a person into
// the baseline. It approves a statement on each, or lets a deployer's grants be
// adopted as they appear, or both.
type Rule struct {
	ID       string `json:"id"`       // a-z, 0-9 and -, at most 64 characters
	Subjects string `json:"subjects"` // pattern over the function's ARN: * is any text, ? any character
	// Statement is approved at every place of every function that matches,
	// with the ARN of that place in the place of its Resource.
	Statement *policy.Statement `json:"statement,omitempty"`
	Adopt     *Deployer         `json:"adopt,omitempty"`

	By      string    `json:"by"`
	Reason  string    `json:"reason,omitempty"`
	Ticket  string    `json:"ticket,omitempty"`
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
	// Version is the stored version for optimistic locking; 0: not stored yet.
	Version int64 `json:"version,omitempty"`
}

// Deployer says whose grants are adopted: those of sessions of exactly this
// role, in exactly this account, that only invoke and are at most internal.
type Deployer struct {
	Issuer  string `json:"issuer"`  // ARN of the role behind the session
	Account string `json:"account"` // of the session
	// Organization adopts also what is at most organization.
	Organization bool `json:"organization,omitempty"`
}

var (
	ruleID  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	twelve  = regexp.MustCompile(`^\d{12}$`)
)

// Check says what is wrong with a rule that is to be stored.
func (r Rule) Check() error {
	var problems []error
	fail := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !ruleID.MatchString(r.ID) || r.ID == LearnRule {
		fail("the id %q is not a name of a-z, 0-9 and - of at most 64 characters, or is %q, which is taken", r.ID, LearnRule)
	}
	if !strings.HasPrefix(r.Subjects, "arn:") || !strings.Contains(r.Subjects, ":function:") {
		fail("subjects is %q, not a pattern of functions' ARNs such as arn:aws:lambda:*:111122223333:function:ingest-*", r.Subjects)
	}
	if r.Statement == nil && r.Adopt == nil {
		fail("it neither approves a statement nor adopts")
	}
	if s := r.Statement; s != nil && (s.Effect != policy.Allow || s.Principal == nil || s.NotPrincipal != nil) {
		fail("its statement is not an Allow with a Principal")
	}
	if a := r.Adopt; a != nil && (!roleARN.MatchString(a.Issuer) || !twelve.MatchString(a.Account)) {
		fail("adopt needs the exact ARN of a role as issuer, and an account of twelve digits: %q, %q", a.Issuer, a.Account)
	}
	if r.By == "" || r.At.IsZero() {
		fail("it does not say who wrote it, and when")
	}
	return errors.Join(problems...)
}

// Expired reports whether the rule has run out at a time.
func (r Rule) Expired(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// Matches reports whether the rule is about a subject. Rules are about
// functions only.
func (r Rule) Matches(s Subject) bool { return s.Kind() == Function && matches(r.Subjects, string(s)) }

// matches is a pattern of * and ? against a text.
func matches(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// LearnRule is the id of the rule that is built in while learning.
const LearnRule = "learn"

// Adoption says that a grant was adopted, by which rule and from which event.
// It stands on the row of its finding, and counts only with a seal that the
// auditor alone can make, and while the rule still permits it.
type Adoption struct {
	Rule   string    `json:"rule"`
	Issuer string    `json:"issuer,omitempty"` // of the session that made the grant
	Event  string    `json:"event,omitempty"`  // id of the event; empty for what learning found without one
	At     time.Time `json:"at"`
	Seal   string    `json:"seal,omitempty"` // MAC over Text
}

// Text is what the seal of an adoption is over.
func (a Adoption) Text(f Finding) string {
	return strings.Join([]string{
		"permdrift adoption 1", string(f.Subject), string(f.Place), f.ID, a.Rule, a.Issuer, a.Event, a.At.UTC().Format(time.RFC3339Nano),
	}, "\n")
}

// Suppression says that a person does not want to hear of a finding for a time.
type Suppression struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Ticket string    `json:"ticket,omitempty"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
}

// Removal is a call that took something away, kept for a while so that what
// came and went before it could be read can be told with how long it stood.
type Removal struct {
	Place Place  `json:"qualifier,omitempty"`
	Sid   string `json:"sid,omitempty"` // of RemovePermission, or the identity policy; empty: everything at the place
	Actor Actor  `json:"actor"`
	Event Event  `json:"event"`
}

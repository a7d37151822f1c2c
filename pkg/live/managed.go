package live

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/policy"
)

// version2012 is the version of the policy language in which rights are told.
const version2012 = "2012-10-17"

// written is a policy of IAM and how it is written.
type written struct {
	policy  policy.Policy // in the language of 2012-10-17
	text    string
	version string // id, of a managed policy
}

// documentError is a document that does not parse.
type documentError struct {
	what string
	err  error
}

func (e *documentError) Error() string { return e.what + ": " + e.err.Error() }
func (e *documentError) Unwrap() error { return e.err }

// decode is a document, which IAM gives URL-encoded, as text. One that begins
// with a brace is plain already: stand-ins for IAM have it so.
func decode(what string, document *string) (string, error) {
	raw := aws.ToString(document)
	if strings.HasPrefix(strings.TrimSpace(raw), "{") {
		return raw, nil
	}
	text, err := url.PathUnescape(raw)
	if err != nil {
		return "", &documentError{what + " is not URL-encoded", err}
	}
	return text, nil
}

// parseWritten parses a document as IAM gives it into the language of
// 2012-10-17: what an older version takes as text is escaped.
func parseWritten(what string, document *string) (written, error) {
	text, err := decode(what, document)
	if err != nil {
		return written{}, err
	}
	p, err := policy.Parse([]byte(text))
	if err != nil {
		return written{}, &documentError{what + " does not parse", err}
	}
	p.Statements = slices.Clip(p.Statements) // many may hold it: who appends gets his own
	if p.Version == version2012 {
		return written{policy: p, text: text}, nil
	}
	p.Version = version2012
	for i, s := range p.Statements {
		if p.Statements[i], err = policy.ParseStatement([]byte(s.String())); err != nil {
			return written{}, &documentError{fmt.Sprintf("%s has no equal in version %s", what, version2012), err}
		}
	}
	return written{policy: p, text: text}, nil
}

// managed is a managed policy at its default version.
func (l *Lambda) managed(ctx context.Context, arn string) (written, error) {
	head, err := ask(ctx, l, "GetPolicy", l.iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn})
	if err == nil && head.Policy == nil {
		err = &callError{"GetPolicy", faulty, errEmpty}
	}
	if err != nil {
		return written{}, err
	}
	key := versionKey{aws.ToString(head.Policy.PolicyId), aws.ToString(head.Policy.DefaultVersionId)}
	if w, ok := l.versions.get(key); ok {
		return w, nil
	}
	out, err := ask(ctx, l, "GetPolicyVersion", l.iam.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: head.Policy.DefaultVersionId})
	if err == nil && out.PolicyVersion == nil {
		err = &callError{"GetPolicyVersion", faulty, errEmpty}
	}
	if err != nil {
		return written{}, err
	}
	w, err := parseWritten("policy "+arn, out.PolicyVersion.Document)
	if err != nil {
		return written{}, err
	}
	w.version = key.version
	if key.policy != "" && settled(*head.Policy, *out.PolicyVersion, l.now()) {
		l.versions.put(key, w)
	}
	return w, nil
}

// settleAfter is how old a version is before it is kept. IAM shows for seconds
// what was before.
const settleAfter = 5 * time.Minute

// settled reports whether a version is for certain one of the policy: not that
// of a policy of the same name which was deleted a moment ago.
func settled(p types.Policy, v types.PolicyVersion, now time.Time) bool {
	return p.CreateDate != nil && v.CreateDate != nil && !v.CreateDate.Before(*p.CreateDate) && now.Sub(*v.CreateDate) > settleAfter
}

// maxVersions is how many versions of managed policies are kept.
const maxVersions = 1000

// versionKey names a version of a managed policy for good: another policy under
// the same ARN, made when the first was deleted, has another id.
type versionKey struct{ policy, version string }

// versions are versions of managed policies, which nobody can change.
type versions struct {
	mu   sync.Mutex
	kept map[versionKey]written
}

func (v *versions) get(key versionKey) (written, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, ok := v.kept[key]
	return w, ok
}

// put keeps a version, in the place of any other if there are too many.
func (v *versions) put(key versionKey, w written) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.kept == nil {
		v.kept = map[versionKey]written{}
	}
	for other := range v.kept {
		if len(v.kept) < maxVersions {
			break
		}
		delete(v.kept, other)
	}
	v.kept[key] = w
}

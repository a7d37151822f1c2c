package differential

import (
	"fmt"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// answer is what the engine says of a pair.
type answer struct {
	grown, unknown bool
	reason         string
	certain        []witness
}

// witness is a request that the engine is certain of. The engine names its
// caller by a text only, so it stands for any of several.
type witness struct {
	requests []policy.Request
	index    int
}

// engineVerdict asks pkg/policy, which reads the same bytes.
func engineVerdict(p pair) (answer, error) {
	baseline, current, err := parsedBy(p)
	if err != nil {
		return answer{}, err
	}
	a := policy.NewAccess(baseline, current, policy.Options{Type: policy.PolicyType(p.kind), All: true})
	out := answer{grown: a.New, unknown: a.Unknown, reason: a.Reason}
	for _, w := range a.Witnesses {
		if !w.Certain {
			continue
		}
		found := witness{index: w.Index}
		for _, c := range callers(p.kind, w.Principal) {
			found.requests = append(found.requests, policy.Request{Principal: c, Action: w.Action, Resource: w.Resource, Context: w.Context})
		}
		out.certain = append(out.certain, found)
	}
	return out, nil
}

func parsedBy(p pair) (baseline, current policy.Policy, err error) {
	before, after, err := p.texts()
	if err != nil {
		return baseline, current, err
	}
	if baseline, err = policy.Parse(before); err != nil {
		return baseline, current, fmt.Errorf("%w in %s", err, before)
	}
	if current, err = policy.Parse(after); err != nil {
		return baseline, current, fmt.Errorf("%w in %s", err, after)
	}
	return baseline, current, nil
}

// callers are those that the text can name.
func callers(k kind, text string) []policy.Caller {
	switch {
	case k == identityPolicy:
		return []policy.Caller{{}}
	case text == "anonymous":
		return []policy.Caller{{Kind: policy.Anonymous}}
	case strings.HasPrefix(text, "arn:") && !strings.Contains(text, "-provider/"):
		return []policy.Caller{{Kind: policy.AWSPrincipal, ID: text}}
	}
	return []policy.Caller{{Kind: policy.ServiceCaller, ID: text}, {Kind: policy.Federated, ID: text}, {Kind: policy.Canonical, ID: text}}
}

// evaluateBoth says what Evaluate thinks of a request: new if current allows it
// and baseline does not, old if that is not so, undecided otherwise.
func evaluateBoth(p pair, r policy.Request) (string, error) {
	baseline, current, err := parsedBy(p)
	if err != nil {
		return "", err
	}
	before, after := policy.Evaluate(baseline, r), policy.Evaluate(current, r)
	switch {
	case before.Outcome == policy.Allowed || after.Outcome == policy.ExplicitDeny || after.Outcome == policy.ImplicitDeny:
		return "old (before: " + before.Reason + "; now: " + after.Reason + ")", nil
	case before.Outcome == policy.Undecided || after.Outcome == policy.Undecided:
		return "undecided", nil
	}
	return "new", nil
}

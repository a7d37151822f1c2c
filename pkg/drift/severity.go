package drift

import (
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// SeverityOf is how bad it is that a statement lets somebody in: it follows
// the exposure, and one step more if the actions administer the subject rather
// than only invoke it.
func SeverityOf(exposure policy.Exposure, s policy.Statement) Severity {
	invoke := map[policy.Exposure]Severity{
		policy.Public: Critical, policy.ConfusedDeputy: High, policy.External: High, policy.Unknown: High,
		policy.Organization: Medium, policy.Internal: Low, policy.Nobody: Informational,
	}
	administer := map[policy.Exposure]Severity{
		policy.Public: Critical, policy.ConfusedDeputy: Critical, policy.External: Critical, policy.Unknown: Critical,
		policy.Organization: High, policy.Internal: Medium, policy.Nobody: Informational,
	}
	if Administers(s) {
		return administer[exposure]
	}
	return invoke[exposure]
}

// judge gives a finding about a statement its severity, reason and advice. The
// policy of a layer version lets people read code and not run it, which is one
// step less.
func (c comparison) judge(f *Finding, v policy.Verdict, s policy.Statement) {
	f.Severity = c.severity(v.Exposure, s)
	switch {
	case c.identity() && c.subject != Role:
		f.Reason = "the " + string(c.subject) + " may do more with functions than is approved"
		return
	case c.identity():
		f.Reason = "allows what nobody approved"
		return
	case c.subject == Role:
		f.Severity, f.Reason, f.Advice = JudgeTrust(v, s, c.owner)
		return
	}
	f.Severity, f.Reason, f.Advice = Judge(v, s, c.owner)
	if f.Kind == LayerShared && !Administers(s) {
		f.Severity = lower(f.Severity)
	}
}

// Judge says how bad it is that a statement of a function's policy lets somebody
// in, why, and how it can be pinned: for services by how far the grant is
// pinned (the ladder of package policy). A source that is named, though its ARN
// bears no account, is one step less than any source. The verdict may be after
// the policy's Denys.
func Judge(v policy.Verdict, s policy.Statement, owner policy.Owner) (severity Severity, reason, advice string) {
	severity, reason = SeverityOf(v.Exposure, s), v.Reason
	step, ok := policy.Ladder(s, owner)
	if !ok || step.Rung.Exposure() != v.Exposure {
		return severity, reason, ""
	}
	if step.Rung == policy.RungSource {
		severity = lower(severity)
	}
	advice, _ = policy.Advice(s, owner)
	return severity, step.Reason, advice
}

// JudgeTrust is [Judge] for a statement of a role's trust policy: who becomes a
// role has all that it may do.
func JudgeTrust(v policy.Verdict, s policy.Statement, owner policy.Owner) (severity Severity, reason, advice string) {
	severity = SeverityOf(v.Exposure, policy.Statement{Action: []string{"sts:*"}})
	if v.Exposure == policy.Internal {
		severity = Low // the ordinary case
	}
	advice, _ = policy.TrustAdvice(s, owner)
	return severity, v.Reason, advice
}

// severity is how bad it is that a statement lets somebody in. Who becomes a
// role has all that it may do; inside the account that is the ordinary case.
// What an identity policy allows is judged by what it comes to, see [Reach].
func (c comparison) severity(exposure policy.Exposure, s policy.Statement) Severity {
	switch {
	case c.identity() && c.subject != Role:
		return Informational // what people may do is theirs to govern; that they can is told
	case c.identity():
		return Low
	case c.subject == Role:
		severity, _, _ := JudgeTrust(policy.Verdict{Exposure: exposure}, s, c.owner)
		return severity
	}
	return SeverityOf(exposure, s)
}

// lower is one step less severe.
func lower(s Severity) Severity {
	return []Severity{Informational, Low, Medium, High, Critical}[max(s.Rank()-1, 0)]
}

// harmless are the Lambda actions that only use a function or a layer, or only
// read about it, in lower case.
var harmless = map[string]bool{
	"lambda:invokefunction": true, "lambda:invokefunctionurl": true, "lambda:invokeasync": true,
	"lambda:getlayerversion": true, "lambda:getfunctionurlconfig": true, "lambda:getfunctionconfiguration": true,
	"lambda:getalias": true, "lambda:getpolicy": true, "lambda:listtags": true,
}

// Administers reports whether a statement is about more than invoking: any
// action, or pattern, that is not known to be harmless.
func Administers(s policy.Statement) bool {
	if s.NotAction != nil {
		return true
	}
	for _, action := range s.Action {
		action = strings.ToLower(action)
		if !harmless[action] && !strings.HasPrefix(action, "lambda:invoke") {
			return true
		}
	}
	return false
}

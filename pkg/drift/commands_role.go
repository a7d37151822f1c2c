package drift

import (
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// roleCommand is the command by which a person takes a change of a role, user
// or group back: the trust policy as it is approved, or the removal of a policy
// of which nothing is approved. Empty where no single command does that.
func roleCommand(f Finding, state State, baseline Baseline, c Context) string {
	switch f.Kind {
	case TrustWidened, TrustNarrowed:
		return trustCommand(f, baseline, c)
	case PermissionsWidened:
		return rightsCommand(f, state, baseline, c)
	default:
		return ""
	}
}

// trustCommand writes the trust policy as it is approved.
func trustCommand(f Finding, baseline Baseline, c Context) string {
	approved := baseline.Places[Trust].Valid(c.Now)
	if len(approved) == 0 || f.Statement == nil {
		return ""
	}
	text, err := policy.Policy{Version: "2012-10-17", Statements: approved}.MarshalJSON()
	if err != nil { // what was parsed can be printed
		return ""
	}
	return strings.Join([]string{
		"aws iam update-assume-role-policy", Flag("--role-name", f.Subject.Name()), Flag("--policy-document", string(text)),
	}, " ")
}

// rightsCommand detaches or deletes the policy that a new statement is of.
func rightsCommand(f Finding, state State, baseline Baseline, c Context) string {
	if state.Role == nil || f.Statement == nil || f.Statement.Effect != policy.Allow {
		return ""
	}
	i := slices.IndexFunc(state.Role.Policies, func(p RolePolicy) bool { return p.String() == f.Policy })
	if i < 0 {
		return ""
	}
	at := 0
	for _, p := range state.Role.Policies[:i] {
		at += p.Statements
	}
	p, approved := state.Role.Policies[i], baseline.Places[Identity].Valid(c.Now)
	for _, s := range state.Policies[Identity].Policy.Statements[at : at+p.Statements] {
		if slices.ContainsFunc(approved, s.Equal) {
			return "" // something of it is needed
		}
	}
	kind := string(f.Subject.Kind())
	whose := Flag("--"+kind+"-name", f.Subject.Name())
	if p.ARN != "" {
		return strings.Join([]string{"aws iam detach-" + kind + "-policy", whose, Flag("--policy-arn", p.ARN)}, " ")
	}
	return strings.Join([]string{"aws iam delete-" + kind + "-policy", whose, Flag("--policy-name", p.Name)}, " ")
}

// boundaryCommand sets the permissions boundary that is approved. Where that is
// the one which is set, its document has changed, and no single command helps.
func boundaryCommand(f Finding) string {
	role := Flag("--role-name", f.Subject.Name())
	switch {
	case f.Before == nil && f.Config != nil && f.Kind == PermissionsNarrowed:
		return "aws iam delete-role-permissions-boundary " + role
	case f.Before == nil || f.Config != nil && f.Config.Boundary == f.Before.Boundary:
		return ""
	}
	return strings.Join([]string{"aws iam put-role-permissions-boundary", role, Flag("--permissions-boundary", f.Before.Boundary)}, " ")
}

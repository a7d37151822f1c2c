package drift

import (
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// Wants says what has to be read beside a state before its findings can be
// told: nothing where there is nothing open.
func Wants(found []Finding, state State) Want {
	var w Want
	for _, f := range found {
		if (f.Status == Open || f.Status == Transient) && f.Subject.Kind() == Role && f.Kind != UnreadableChange {
			w.Functions = w.Functions || state.Functions == nil
		}
		if f.Status != Open || f.Subject.Kind() != Function {
			continue
		}
		w.Tags = w.Tags || state.Tags == nil && f.Kind != UnreadableChange
		if f.Statement != nil && f.Added() && !state.CoversURL(f.Place) && !state.missing(URLs, f.Place) && !slices.Contains(w.URLs, f.Place) {
			if _, only := viaURL(*f.Statement); only {
				w.URLs = append(w.URLs, f.Place)
			}
		}
		if f.Kind != RoleReplaced || f.Before == nil {
			continue
		}
		for _, role := range []string{f.Before.Role, f.Config.Role} {
			if _, ok := state.Rights[role]; !ok && !slices.Contains(w.Roles, role) {
				w.Roles = append(w.Roles, role)
			}
		}
	}
	return w
}

// viaURL reports whether an Allow can only be used through a function URL, and
// of which AuthType that has to be; empty: of any.
func viaURL(s policy.Statement) (authType string, only bool) {
	only = len(s.Action) > 0 && !slices.ContainsFunc(s.Action, func(a string) bool { return !strings.EqualFold(a, "lambda:InvokeFunctionUrl") })
	for _, c := range s.Condition {
		if len(c.Values) != 1 {
			continue
		}
		switch {
		case strings.EqualFold(c.Key, "lambda:InvokedViaFunctionUrl") && c.Operator == "Bool" && strings.EqualFold(c.Values[0], "true"):
			only = true
		case strings.EqualFold(c.Key, "lambda:FunctionUrlAuthType") && c.Operator == "StringEquals":
			authType = c.Values[0]
		}
	}
	return authType, only
}

// leftOver tells of a grant that needs a function URL where there is none, or
// one of another AuthType: it lets in nobody now, and opens the next URL.
func (f *Finding) leftOver(state State) {
	authType, only := viaURL(*f.Statement)
	if !only || f.Kind != PolicyWidened || !state.CoversURL(f.Place) {
		return
	}
	url := state.URLs[f.Place]
	switch {
	case !url.exists():
		f.Reason += "; there is no function URL here, so the grant is left over: it lets in nobody now, and opens the next URL that is made"
	case authType != "" && url.AuthType != authType:
		f.Reason += "; the AuthType of the function URL is " + url.AuthType + ", so the grant lets in nobody now, and opens the URL when that changes"
	default:
		return
	}
	if f.Severity.Rank() > Medium.Rank() {
		f.Severity = Medium
	}
}

// ownerTags are the tags that say whom a function belongs to, the first that
// is there counts. Names are compared without case.
var ownerTags = []string{"owner", "team", "contact", "service-owner", "owner-email", "squad"}

// stackTag is the tag that CloudFormation puts on what it makes.
const stackTag = "aws:cloudformation:stack-name"

// owners are the owner and the stack that tags name, in short.
func owners(tags map[string]string) (owner, stack string) {
	const longest = 128
	clip := func(text string) string { return strings.ToValidUTF8(text[:min(len(text), longest)], "") }
	for _, name := range ownerTags {
		for key, value := range tags {
			if owner == "" && value != "" && strings.EqualFold(key, name) {
				owner = clip(value)
			}
		}
	}
	return owner, clip(tags[stackTag])
}

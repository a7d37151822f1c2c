package template_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/cloudtrail"
)

// notForwarded are the calls that are decoded, from log files and single
// records, and that no rule forwards, and why.
var notForwarded = map[string]string{
	"iam CreateServiceLinkedRole": serviceLinked,
	"iam DeleteServiceLinkedRole": serviceLinked,

	"iam PutUserPermissionsBoundary": notAFunctions,

	"iam UpdateUser":  notAFunctions,
	"iam UpdateGroup": notAFunctions,

	"iam CreatePolicy": "a new policy is attached to nothing yet",
	"iam DeletePolicy": "only a policy that is attached to nothing can be deleted",

	"iam DeleteOpenIDConnectProvider":             takesAway,
	"iam RemoveClientIDFromOpenIDConnectProvider": takesAway,
	"iam DeleteSAMLProvider":                      takesAway,
	"iam RemoveRoleFromInstanceProfile":           takesAway,
	"rolesanywhere DeleteTrustAnchor":             takesAway,
	"rolesanywhere DisableTrustAnchor":            takesAway,
	"rolesanywhere DeleteProfile":                 takesAway,
	"rolesanywhere DisableProfile":                takesAway,
}

const (
	serviceLinked = "only its AWS service can assume such a role, and Lambda cannot run functions with it"
	notAFunctions = "takes rights away, or gives another name; what a user may do with functions is told when it grows"
	takesAway     = "takes access away, and nothing is decided by it"
)

func TestEveryCallThatIsDecodedIsForwarded(t *testing.T) {
	rules := eventRules(t)
	decoded := cloudtrail.Calls()
	if len(decoded) < 100 {
		t.Fatalf("%d calls are decoded; is the list cut off?", len(decoded))
	}
	forwarded := func(c string) bool {
		service, name, _ := strings.Cut(c, " ")
		return slices.ContainsFunc(kinds, func(k kind) bool { return matches(rules[k.suffix][0].pattern, call(service, name)) })
	}
	for _, c := range decoded {
		switch why := notForwarded[c]; {
		case why == "" && !forwarded(c):
			t.Errorf("%s is decoded, and no rule forwards it", c)
		case why != "" && forwarded(c):
			t.Errorf("the exception %s (%s) is forwarded", c, why)
		}
	}
	for c, why := range notForwarded {
		if !slices.Contains(decoded, c) {
			t.Errorf("the exception %s (%s) is not decoded", c, why)
		}
	}
}

// A name that no decoder knows costs a message for each call and tells nothing.
func TestRulesNameOnlyCallsThatAreDecoded(t *testing.T) {
	decoded := cloudtrail.Calls()
	for suffix, rules := range eventRules(t) {
		pattern := rules[0].pattern
		services := texts(at(pattern, "detail", "eventSource"))
		var sources []string
		for _, s := range services {
			sources = append(sources, "aws."+strings.TrimSuffix(s, ".amazonaws.com"))
		}
		if got := texts(at(pattern, "source")); !slices.Equal(got, sources) {
			t.Errorf("%s: the sources are %v, and the event sources %v", suffix, got, services)
		}
		used := map[string]bool{}
		for _, p := range list(at(pattern, "detail", "eventName")) {
			prefix, _ := at(p, "prefix").(string)
			known := false
			for _, c := range decoded {
				service, name, _ := strings.Cut(c, " ")
				if prefix != "" && name == prefix && slices.Contains(services, service+".amazonaws.com") {
					known, used[service+".amazonaws.com"] = true, true
				}
			}
			if !known {
				t.Errorf("%s: no call of its services that is decoded is named %q", suffix, prefix)
			}
		}
		if len(used) != len(services) {
			t.Errorf("%s: of the services %v only %v have a call that is named", suffix, services, used)
		}
	}
}

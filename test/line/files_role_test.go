package line_test

import (
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// standingIAM makes the account what a change of IAM claims. What the change
// does not say is as the sample has it before.
func (w *world) standingIAM(change drift.Change) {
	w.t.Helper()
	name := change.Subject.Name()
	whose := string(change.Subject.Kind()) + "/" + name
	text := ""
	if change.Policy != nil {
		document, err := change.Policy.MarshalJSON()
		must(w.t, "printing a policy", err)
		text = string(document)
	}
	var s step
	switch change.Operation {
	case drift.CreateSubject:
		s = steps(createRole(name), trustDocument(name, text))
	case drift.PutPolicy:
		s = trustDocument(name, text)
	case drift.PutIdentityPolicy:
		if arn := change.Detail["policyArn"]; arn != "" {
			s = attach(whose, arn)
			break
		}
		var list []string
		for _, statement := range change.Policy.Statements {
			list = append(list, statement.String())
		}
		s = inline(whose, change.Detail["policyName"], list...)
	case drift.RemoveBoundary:
		s = unbound(whose)
	case drift.DeleteSubject:
		s = steps(uninline(whose, "rights"), deleteRole(name))
	case drift.PutManagedPolicy:
		var list []string
		for _, statement := range change.Policy.Statements {
			list = append(list, statement.String())
		}
		s = newVersion(strings.TrimPrefix(string(change.Subject), policyARN), true, list...)
	case drift.PutProvider:
		s = addClient(string(change.Subject), change.Detail["clientID"])
	default:
		return
	}
	w.do(owner, s)
}

// roleSamples are the files of events/ about roles. The function orders runs as
// orders-execution in all of them.
func roleSamples() []sample {
	runs := []step{
		createPolicy("edge", `{"Effect":"Allow","Action":["s3:*","logs:*"],"Resource":"*"}`),
		createPolicy("shared/functions-base", logging), newVersion("shared/functions-base", true, logging), newVersion("shared/functions-base", true, logging),
		createBoundRole("orders-execution", "", trustLambda), inline("role/orders-execution", "rights", readBucket, strings.Replace(readBucket, "s3:GetObject", "sqs:*", 1)),
		deleteFunction("orders"), createFunction("orders", "orders-execution"), silently(createProvider(githubARN, "sts.amazonaws.com")), createRole("ci", trustGitHub),
	}
	with := func(more ...step) []step { return append(slices.Clip(runs), more...) }
	return []sample{
		{file: "role-foreign-root.json", before: runs, want: []string{"opened trust-widened critical external support-access:trust"}},
		{file: "trust-foreign-root.json", before: runs, want: []string{"opened trust-widened critical external orders-execution:trust"}},
		{file: "role-trust-wildcard-condition.json", before: runs, want: []string{"opened trust-widened critical public orders-execution:trust"}},
		{file: "role-oidc-without-subject.json", before: runs, want: []string{"opened trust-widened critical public deploy:trust"}},
		{
			file: "role-boundary-deleted.json", before: with(bound("role/orders-execution", policyARN+"edge")),
			want: []string{"opened boundary-removed medium orders-execution:boundary"},
		},
		{
			file: "role-policy-version-default.json", before: with(attach("role/orders-execution", policyARN+"shared/functions-base"), attach("role/payments", policyARN+"shared/functions-base")),
			want: []string{"opened permissions-widened medium orders-execution:identity", "opened permissions-widened medium payments:identity"},
		},
		{file: "role-inline-notaction.json", before: runs, want: []string{"opened permissions-widened critical orders-execution:identity"}},
		{file: "role-admin-attached.json", before: runs, want: []string{"opened permissions-widened critical orders-execution:identity"}},
		{file: "provider-client-added.json", before: runs, want: []string{"transient trust-widened high external ci:trust"}},
		{
			file: "role-deleted.json", before: runs,
			want: []string{"opened trust-narrowed high nobody orders-execution:trust", "opened permissions-narrowed low orders-execution:identity", "opened permissions-narrowed low orders-execution:identity"},
		},
		{
			file: "padded-role-policy.json", before: runs, stands: []step{inline("role/orders-execution", "read-only", anything)},
			want: []string{"opened unreadable-change medium unknown account", "opened permissions-widened critical orders-execution:identity"},
		},
	}
}

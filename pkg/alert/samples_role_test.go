package alert_test

import (
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// role is a finding about a role, as Compare and Reconcile make it.
func role(t *testing.T, kind drift.FindingKind, place drift.Place, severity drift.Severity, text, reason string) drift.Finding {
	f := public(t)
	f.Kind, f.Severity, f.Exposure, f.Reason = kind, severity, "", reason
	f.Subject, f.Place, f.Region = drift.RoleSubject("", "111122223333", "orders"), place, ""
	f.Statement, f.Sids, f.Witness, f.Counterparties, f.Remediate = nil, nil, nil, nil, ""
	f.Event.Name, f.Event.Source = "PutRolePolicy", "iam.amazonaws.com"
	if text != "" {
		f.Statement = statement(t, text)
	}
	return f
}

// running are functions that run as the role.
func running(names ...string) []drift.Subject {
	var list []drift.Subject
	for _, name := range names {
		list = append(list, drift.FunctionSubject("", "eu-west-1", "111122223333", name))
	}
	return list
}

// roles are the announcements about roles, users and groups.
func roles(t *testing.T) []sample {
	const reset = `aws iam update-assume-role-policy --role-name orders --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'`

	trust := role(t, drift.TrustWidened, drift.Trust, drift.Critical, `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}`,
		"another account, 444455556666; 2 functions run as the role: orders, refunds")
	trust.Exposure, trust.Counterparties, trust.Remediate, trust.Functions = policy.External, []string{"444455556666"}, reset, running("orders", "refunds")
	trust.Witness = &policy.Witness{Principal: "arn:aws:iam::444455556666:role/example", Action: "sts:AssumeRole"}
	trust.Owner, trust.Event.Name = "payments@example.com", "UpdateAssumeRolePolicy"

	service := role(t, drift.TrustWidened, drift.Trust, drift.Low, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, "the service ec2.amazonaws.com")
	service.Exposure, service.Remediate = policy.Internal, reset

	undenied := role(t, drift.TrustWidened, drift.Trust, drift.High, `{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}`,
		"a Deny of the baseline is gone; what it denied is now allowed to another account, 444455556666")
	undenied.Exposure, undenied.Remediate = policy.External, reset

	outage := role(t, drift.TrustNarrowed, drift.Trust, drift.High, `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`,
		"a statement of the trust policy is gone: lambda.amazonaws.com cannot become the role any more, so Lambda cannot run the functions that have it; 2 functions run as the role: orders, refunds")
	outage.Exposure, outage.Remediate, outage.Functions, outage.Approve = policy.Nobody, reset, running("orders", "refunds"), public(t).Approve

	handed := role(t, drift.TrustWidened, drift.Trust, drift.High, "",
		"a profile of Roles Anywhere hands out the role: whoever holds a certificate of a trust anchor can become it, as far as its trust policy lets them")
	handed.Exposure, handed.Status, handed.ResolvedAt, handed.Certain, handed.Approve = policy.External, drift.Transient, noon, false, ""
	handed.Event.Name = "CreateProfile"

	instances := handed
	instances.Exposure, instances.Severity, instances.Functions = policy.Internal, drift.Medium, running("orders")
	instances.Reason = "the role is in the instance profile web now: whoever runs code on its instances has the role; the function orders runs as the role"
	instances.Event.Name = "AddRoleToInstanceProfile"

	provider := handed
	provider.Reason = "AddClientIDToOpenIDConnectProvider changed arn:aws:iam::111122223333:oidc-provider/token.example.com, which the role trusts: whom it vouches for can become the role, as far as its trust policy lets them"
	provider.Event.Name = "AddClientIDToOpenIDConnectProvider"

	return append(rights(t), []sample{
		{"trust-widened", trust, announcement(drift.Opened, "")},
		{"trust-service", service, announcement(drift.Opened, "")},
		{"trust-deny-removed", undenied, announcement(drift.Opened, "")},
		{"trust-narrowed", outage, announcement(drift.Opened, "")},
		{"role-to-anywhere", handed, announcement(drift.Vanished, "")},
		{"role-to-instances", instances, announcement(drift.Vanished, "")},
		{"role-provider", provider, announcement(drift.Vanished, "")},
	}...)
}

// administrator is what all rights come to.
func administrator() []drift.Escalation {
	return []drift.Escalation{{Method: "administrator", Severity: drift.Critical, Reason: "it can do everything on everything: an administrator"}}
}

// limit is the boundary that is approved.
const limit = "arn:aws:iam::111122223333:policy/limit"

// attached is a role that became an administrator.
func attached(t *testing.T) drift.Finding {
	f := role(t, drift.PermissionsWidened, drift.Identity, drift.Critical, `{"Effect":"Allow","Action":"*","Resource":"*"}`,
		"allows what nobody approved; it can do everything on everything: an administrator; the function orders runs as the role")
	f.Policy, f.Escalations, f.Functions = "arn:aws:iam::aws:policy/AdministratorAccess", administrator(), running("orders")
	f.Witness = &policy.Witness{Principal: "arn:aws:iam::111122223333:role/orders", Action: "iam:CreateUser", Resource: "arn:aws:iam::111122223333:user/example"}
	f.Remediate, f.Event.Name = "aws iam detach-role-policy --role-name orders --policy-arn arn:aws:iam::aws:policy/AdministratorAccess", "AttachRolePolicy"
	return f
}

// unbound is a role whose boundary is gone.
func unbound(t *testing.T) drift.Finding {
	f := role(t, drift.BoundaryRemoved, drift.Boundary, drift.Critical, "",
		"the permissions boundary is gone: what is approved of the role comes to more, for example iam:CreateUser on arn:aws:iam::111122223333:user/example; it can do everything on everything: an administrator")
	f.Before, f.Escalations = &drift.Config{Boundary: limit}, administrator()
	f.Remediate = "aws iam put-role-permissions-boundary --role-name orders --permissions-boundary " + limit
	f.Event.Name = "DeleteRolePermissionsBoundary"
	return f
}

// rights are the announcements about what roles, users and groups may do.
func rights(t *testing.T) []sample {
	refused := attached(t)
	refused.Owner, refused.Stack = "payments@example.com", "shop"

	climbs := role(t, drift.PermissionsWidened, drift.Identity, drift.High, `{"Effect":"Allow","Action":["iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}`,
		"allows what nobody approved; can read every stream; can run code as any role that Lambda may assume (iam:PassRole; lambda:CreateFunction)")
	climbs.Policy, climbs.Remediate = "inline policy data", "aws iam delete-role-policy --role-name orders --policy-name data"
	climbs.Escalations = []drift.Escalation{
		{Method: "read-streams", Severity: drift.Medium, Reason: "can read every stream"},
		{Method: "pass-role-create-function", Severity: drift.High, Reason: "can run code as any role that Lambda may assume (iam:PassRole; lambda:CreateFunction)"},
	}

	dormant := role(t, drift.PermissionsWidened, drift.Identity, drift.Informational, `{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*"}`,
		"allows nothing beyond what is approved at present, because a Deny or the permissions boundary stands before it; it will when that goes")
	dormant.Policy = "inline policy data"

	ana := role(t, drift.PermissionsWidened, drift.Identity, drift.Informational, `{"Effect":"Allow","Action":["lambda:InvokeFunction","s3:*"],"Resource":"*"}`, "the user may do more with functions than is approved")
	ana.Subject, ana.Policy = "arn:aws:iam::111122223333:user/ana", "inline policy work"
	ana.Remediate = "aws iam delete-user-policy --user-name ana --policy-name work"
	ana.Witness = &policy.Witness{Principal: "arn:aws:iam::111122223333:user/ana", Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:us-east-1:111122223333:function:example"}

	group := ana
	group.Statement = statement(t, `{"Effect":"Allow","Action":"lam*","Resource":"*"}`)
	group.Witness, group.Subject, group.Policy, group.Reason = nil, "arn:aws:iam::111122223333:group/devs", "arn:aws:iam::111122223333:policy/dev", "the group may do more with functions than is approved"
	group.Remediate = "aws iam detach-group-policy --group-name devs --policy-arn arn:aws:iam::111122223333:policy/dev"

	lost := role(t, drift.PermissionsNarrowed, drift.Identity, drift.Low, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, "a statement of the baseline is gone: what needs it is refused")

	back := unbound(t)
	back.Status, back.ResolvedAt = drift.Resolved, noon.Add(5*time.Minute)

	wider := role(t, drift.BoundaryRemoved, drift.Boundary, drift.Medium, "", "the permissions boundary is wider than approved: what is approved of the role comes to more, for example ec2:RunInstances on *")
	wider.Before, wider.Config, wider.Approve = &drift.Config{Boundary: limit}, &drift.Config{Boundary: limit}, ""
	wider.Event.Name = "CreatePolicyVersion"

	less := role(t, drift.PermissionsNarrowed, drift.Boundary, drift.Low, "", "the permissions boundary allows less than approved: what needs it is refused")
	less.Before, less.Config, less.Approve = &drift.Config{Boundary: limit}, &drift.Config{Boundary: "arn:aws:iam::111122223333:policy/less"}, ""
	less.Remediate = unbound(t).Remediate

	return []sample{
		{"permissions-administrator", attached(t), announcement(drift.Opened, "")},
		{"permissions-refused", refused, announcement(drift.Refused, "permdrift removes nothing from roles yet.")},
		{"permissions-escalation", climbs, announcement(drift.Opened, "")},
		{"permissions-dormant", dormant, announcement(drift.Opened, "")},
		{"permissions-user", ana, announcement(drift.Opened, "")},
		{"permissions-group", group, announcement(drift.Opened, "")},
		{"permissions-narrowed", lost, announcement(drift.Opened, "")},
		{"boundary-removed", unbound(t), announcement(drift.Opened, "")},
		{"boundary-back", back, announcement(drift.Closed, "by arn:aws:iam::111122223333:user/dave (PutRolePermissionsBoundary)")},
		{"boundary-wider", wider, announcement(drift.Opened, "")},
		{"boundary-narrower", less, announcement(drift.Opened, "")},
	}
}

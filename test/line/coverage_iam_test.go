package line_test

import (
	"slices"
	"strings"
)

// Statements of trust policies and identity policies.
const (
	trustForeign  = `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}`
	trustGitHub   = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:example/shop:ref:refs/heads/main"}}}`
	trustSAML     = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/people"},"Action":"sts:AssumeRoleWithSAML","Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}`
	trustAnywhere = `{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"machine-1"}}}`
	readBucket    = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*"}`
	useBuckets    = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	invokeAll     = `{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}`
	auditorRole   = "role/permdrift-auditor"
)

// What calls of IAM come to.
const (
	blindedRole = "audit-blinded critical"
	unreadable  = "unreadable-change medium"
	handedOut   = "trust-widened high (transient)"
)

// roleRows are the calls that name a role.
func roleRows() []row {
	return []row{
		{
			call:    "CreateRole",
			differs: scene{step: createRole("backdoor", trustForeign), want: "trust-widened critical"},
			same:    scene{before: []step{createRole("batch", trustLambda)}, ground: []step{deleteRole("batch")}, step: createRole("batch", trustLambda), want: nothing},
			own:     scene{step: createRole("permdrift-extra", trustLambda), want: blindedRole + ", trust-widened low"},
			unknown: "trust-widened critical", omitted: "trust-widened critical, " + unreadable,
		},
		{
			call:    "UpdateAssumeRolePolicy",
			differs: scene{step: trust("orders", trustLambda, trustForeign), want: "trust-widened critical"},
			same:    scene{step: trust("orders", `{"Action":["sts:AssumeRole"],"Principal":{"Service":["lambda.amazonaws.com"]},"Effect":"Allow"}`), want: nothing},
			own:     scene{step: trust("permdrift-auditor", trustLambda), want: blindedRole},
			unknown: "trust-widened critical", omitted: unreadable,
		},
		{
			call:    "UpdateRole",
			same:    scene{step: describe("orders", "takes orders", 7200), want: nothing},
			own:     scene{step: describe("permdrift-auditor", "audits", 7200), want: blindedRole},
			unknown: nothing, omitted: unreadable,
		},
		{
			call:    "DeleteRole",
			differs: scene{before: []step{createRole("batch", trustLambda)}, step: deleteRole("batch"), want: "trust-narrowed medium"},
			same:    scene{ground: []step{createRole("batch", trustLambda)}, step: deleteRole("batch"), want: nothing},
			own:     scene{before: []step{createRole("permdrift-extra", trustLambda)}, step: deleteRole("permdrift-extra"), want: blindedRole + ", trust-narrowed medium"},
			unknown: "trust-narrowed medium", omitted: unreadable,
		},
		{
			call:    "CreateServiceLinkedRole",
			differs: scene{step: createServiceRole("lex.amazonaws.com", "AWSServiceRoleForLex"), want: "trust-widened low"},
			own:     scene{step: createServiceRole("lex.amazonaws.com", "permdrift-lex"), want: blindedRole + ", trust-widened low"},
			unknown: unreadable + died, omitted: "trust-widened low, " + unreadable,
		},
		{
			call:    "DeleteServiceLinkedRole",
			differs: scene{before: []step{createServiceRole("lex.amazonaws.com", "AWSServiceRoleForLex")}, step: deleteServiceRole("AWSServiceRoleForLex"), want: "trust-narrowed medium"},
			same:    scene{ground: []step{createServiceRole("lex.amazonaws.com", "AWSServiceRoleForLex")}, step: deleteServiceRole("AWSServiceRoleForLex"), want: nothing},
			own:     scene{before: []step{createServiceRole("lex.amazonaws.com", "permdrift-lex")}, step: deleteServiceRole("permdrift-lex"), want: blindedRole + ", trust-narrowed medium"},
			unknown: "trust-narrowed medium", omitted: unreadable,
		},
		{
			call:    "PutRolePolicy",
			differs: scene{step: inline("role/orders", "read-only", anything), want: "permissions-widened critical"},
			same:    scene{step: inline("role/orders", "again", readBucket), want: nothing},
			own:     scene{step: inline(auditorRole, "again", readBucket), want: blindedRole},
			unknown: "permissions-widened critical", omitted: unreadable,
		},
		{
			call:    "AttachRolePolicy",
			differs: scene{step: attach("role/orders", adminARN), want: "permissions-widened critical"},
			same:    scene{before: []step{createPolicy("read", readBucket)}, step: attach("role/orders", policyARN+"read"), want: nothing},
			own:     scene{step: attach(auditorRole, denyARN), want: blindedRole + ", permissions-narrowed low"},
			unknown: "permissions-widened critical", omitted: unreadable,
		},
		{
			call:    "DeleteRolePolicy",
			differs: scene{step: uninline("role/orders", "rights"), want: "permissions-narrowed low"},
			same:    scene{ground: []step{inline("role/orders", "extra", logging)}, step: uninline("role/orders", "extra"), want: nothing},
			own:     scene{step: uninline(auditorRole, "rights"), want: blindedRole + ", permissions-narrowed low"},
			unknown: "permissions-narrowed low", omitted: unreadable,
		},
		{
			call:    "DetachRolePolicy",
			differs: scene{before: []step{attach("role/orders", basicARN)}, step: detach("role/orders", basicARN), want: "permissions-narrowed low"},
			same:    scene{ground: []step{attach("role/orders", basicARN)}, step: detach("role/orders", basicARN), want: nothing},
			own:     scene{before: []step{attach(auditorRole, basicARN)}, step: detach(auditorRole, basicARN), want: blindedRole + ", permissions-narrowed low"},
			unknown: "permissions-narrowed low", omitted: unreadable,
		},
		{
			call:    "PutRolePermissionsBoundary",
			differs: scene{before: bounded("orders"), ground: []step{createPolicy("wide", anything)}, step: bound("role/orders", policyARN+"wide"), want: "boundary-removed medium"},
			same:    scene{before: bounded("orders"), step: bound("role/orders", policyARN+"edge"), want: nothing},
			own:     scene{before: bounded("permdrift-auditor"), step: bound(auditorRole, policyARN+"edge"), want: blindedRole},
			unknown: "boundary-removed medium", omitted: unreadable,
		},
		{
			call:    "DeleteRolePermissionsBoundary",
			differs: scene{before: bounded("orders"), step: unbound("role/orders"), want: "boundary-removed medium"},
			same:    scene{ground: bounded("orders")[:2], step: unbound("role/orders"), want: nothing},
			own:     scene{before: bounded("permdrift-auditor"), step: unbound(auditorRole), want: blindedRole + ", boundary-removed medium"},
			unknown: "boundary-removed medium", omitted: unreadable,
		},
		{
			call:    "AddRoleToInstanceProfile",
			differs: scene{step: intoProfile("orders", "web"), want: "trust-widened medium (transient)"},
			own:     scene{step: intoProfile("permdrift-auditor", "web"), want: blindedRole + ", trust-widened medium (transient)"},
			unknown: "trust-widened medium (transient)", omitted: unreadable,
		},
		{
			call:    "RemoveRoleFromInstanceProfile",
			same:    scene{ground: []step{intoProfile("orders", "web")}, step: outOfProfile("orders", "web"), want: nothing},
			own:     scene{ground: []step{intoProfile("permdrift-auditor", "web")}, step: outOfProfile("permdrift-auditor", "web"), want: blindedRole},
			unknown: nothing, omitted: unreadable,
		},
	}
}

// bounded gives a role a permissions boundary within which its rights are.
func bounded(role string) []step {
	return []step{createPolicy("edge", useBuckets), bound("role/"+role, policyARN+"edge"), inline("role/"+role, "more", strings.Replace(anything, `"Action":"*"`, `"Action":["s3:*","sqs:SendMessage"]`, 1))}
}

// partyRows are the calls that name a user or a group. Nothing is approved of them.
func partyRows() []row {
	const told = "permissions-widened informational"
	ann, staff := []step{createParty("user/ann")}, []step{createParty("group/staff")}
	annHas := []step{createParty("user/ann"), inline("user/ann", "call", invokeAll)}
	staffHas := []step{createParty("group/staff"), inline("group/staff", "call", invokeAll)}
	annIn := slices.Concat(ann, staffHas, []step{join("ann", "staff")})
	return []row{
		{call: "PutUserPolicy", differs: scene{before: ann, step: inline("user/ann", "call", invokeAll), want: told}, same: scene{before: ann, step: inline("user/ann", "read", useBuckets), want: nothing}, unknown: told, omitted: unreadable},
		{call: "AttachUserPolicy", differs: scene{before: ann, step: attach("user/ann", adminARN), want: told}, same: scene{before: ann, step: attach("user/ann", basicARN), want: nothing}, unknown: told, omitted: unreadable},
		{call: "DeleteUserPolicy", same: scene{before: annHas, step: uninline("user/ann", "call"), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "DetachUserPolicy", same: scene{before: append(ann, attach("user/ann", adminARN)), step: detach("user/ann", adminARN), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "PutUserPermissionsBoundary", same: scene{before: ann, step: bound("user/ann", denyARN), want: notYet}, unknown: notYet, omitted: unreadable},
		{call: "DeleteUserPermissionsBoundary", same: scene{before: append(ann, bound("user/ann", denyARN)), step: unbound("user/ann"), want: notYet}, unknown: notYet, omitted: unreadable},
		{call: "UpdateUser", differs: scene{before: annHas, step: rename("user/ann", "bea"), want: told}, same: scene{before: ann, step: rename("user/ann", "bea"), want: nothing}, unknown: told, omitted: unreadable},
		{call: "DeleteUser", same: scene{before: ann, step: deleteParty("user/ann"), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "AddUserToGroup", differs: scene{before: append(ann, staffHas...), step: join("ann", "staff"), want: told}, same: scene{before: append(ann, staff...), step: join("ann", "staff"), want: nothing}, unknown: told, omitted: unreadable},
		{call: "RemoveUserFromGroup", same: scene{before: annIn, step: leave("ann", "staff"), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "PutGroupPolicy", differs: scene{before: staff, step: inline("group/staff", "call", invokeAll), want: told}, same: scene{before: staff, step: inline("group/staff", "read", useBuckets), want: nothing}, unknown: told, omitted: unreadable},
		{call: "AttachGroupPolicy", differs: scene{before: staff, step: attach("group/staff", adminARN), want: told}, same: scene{before: staff, step: attach("group/staff", basicARN), want: nothing}, unknown: told, omitted: unreadable},
		{call: "DeleteGroupPolicy", same: scene{before: staffHas, step: uninline("group/staff", "call"), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "DetachGroupPolicy", same: scene{before: append(staff, attach("group/staff", adminARN)), step: detach("group/staff", adminARN), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "UpdateGroup", differs: scene{before: staffHas, step: rename("group/staff", "crew"), want: told}, same: scene{before: staff, step: rename("group/staff", "crew"), want: nothing}, unknown: told, omitted: unreadable},
		{call: "DeleteGroup", same: scene{before: staff, step: deleteParty("group/staff"), want: nothing}, unknown: nothing, omitted: unreadable},
	}
}

// managedRows are the calls that name a managed policy, which the role orders has.
func managedRows() []row {
	const widened = "permissions-widened critical"
	has := func(role string) []step {
		return []step{createPolicy("base", logging), attach(role, policyARN+"base")}
	}
	second := newVersion("base", false, anything)
	return []row{
		{call: "CreatePolicy", same: scene{step: createPolicy("base", anything), want: nothing}, unknown: nothing, omitted: unreadable},
		{
			call:    "CreatePolicyVersion",
			differs: scene{before: has("role/orders"), step: newVersion("base", true, anything), want: widened},
			same:    scene{before: has("role/orders"), step: newVersion("base", false, anything), want: nothing},
			own:     scene{before: has(auditorRole), step: newVersion("base", true, logging), want: blindedRole},
			unknown: widened, omitted: unreadable,
		},
		{
			call:    "SetDefaultPolicyVersion",
			differs: scene{before: append(has("role/orders"), second), step: setDefault("base", "v2"), want: widened},
			same:    scene{before: append(has("role/orders"), newVersion("base", false, logging)), step: setDefault("base", "v2"), want: nothing},
			own:     scene{before: append(has(auditorRole), newVersion("base", false, logging)), step: setDefault("base", "v2"), want: blindedRole},
			unknown: widened, omitted: unreadable,
		},
		{call: "DeletePolicyVersion", same: scene{before: append(has("role/orders"), second), step: deleteVersion("base", "v2"), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "DeletePolicy", same: scene{before: []step{createPolicy("base", anything)}, step: deletePolicy("base"), want: nothing}, unknown: nothing, omitted: unreadable},
	}
}

// providerRows are the calls about what vouches for whom a role lets in.
func providerRows() []row {
	deploy := []step{createProvider(githubARN, "sts.amazonaws.com"), createRole("deploy", trustGitHub)}
	people := []step{saml("Create", "people"), createRole("staff", trustSAML)}
	machines := []step{createRole("machines", trustAnywhere)}
	provided := func(call string, before []step, s step, other step) row {
		return row{
			call: call, differs: scene{before: before, step: s, want: handedOut}, same: scene{step: other, want: nothing},
			unknown: handedOut, omitted: unreadable,
		}
	}
	const stranger = "arn:aws:iam::111122223333:oidc-provider/token.example.com"
	rows := []row{
		provided("CreateOpenIDConnectProvider", deploy[1:], createProvider(githubARN, "sts.amazonaws.com"), createProvider(stranger, "shop")),
		provided("AddClientIDToOpenIDConnectProvider", deploy, addClient(githubARN, "https://github.com/attacker"), addClient(stranger, "shop")),
		provided("UpdateOpenIDConnectProviderThumbprint", deploy, newThumbprint(githubARN), newThumbprint(stranger)),
		{call: "RemoveClientIDFromOpenIDConnectProvider", same: scene{before: deploy, step: removeClient(githubARN, "sts.amazonaws.com"), want: nothing}, unknown: nothing, omitted: unreadable},
		{call: "DeleteOpenIDConnectProvider", same: scene{before: deploy, step: deleteProvider(githubARN), want: nothing}, unknown: nothing, omitted: unreadable},
		provided("CreateSAMLProvider", people[1:], saml("Create", "people"), saml("Create", "others")),
		provided("UpdateSAMLProvider", people, saml("Update", "people"), saml("Update", "others")),
		{call: "DeleteSAMLProvider", same: scene{before: people, step: saml("Delete", "people"), want: nothing}, unknown: nothing, omitted: unreadable},
	}
	for _, verb := range []string{"Create", "Update", "Enable"} {
		perhaps := handedOut
		if verb == "Enable" { // only its answer names the roles
			perhaps = nothing
		}
		r := provided(verb+"TrustAnchor", machines, anchor(verb), anchor(verb))
		r.service = "rolesanywhere"
		rows = append(rows, r, row{
			service: "rolesanywhere", call: verb + "Profile",
			differs: scene{step: handOut(verb, "orders"), want: handedOut},
			own:     scene{step: handOut(verb, "permdrift-auditor"), want: blindedRole + ", " + handedOut},
			unknown: perhaps, omitted: unreadable,
		})
	}
	for _, verb := range []string{"Delete", "Disable"} {
		rows = append(rows,
			row{service: "rolesanywhere", call: verb + "TrustAnchor", same: scene{before: machines, step: anchor(verb), want: nothing}, unknown: nothing, omitted: unreadable},
			row{
				service: "rolesanywhere", call: verb + "Profile", same: scene{step: handOut(verb, "orders"), want: nothing},
				own: scene{step: handOut(verb, "permdrift-auditor"), want: blindedRole}, unknown: nothing, omitted: unreadable,
			})
	}
	return rows
}

package line_test

import "slices"

// roleCosts is what auditing a call about a role costs. Every role has one inline policy.
func roleCosts() []cost {
	const (
		whole  = "GetRole 1, GetRolePolicy 1, ListAttachedRolePolicies 1, ListRolePolicies 1" // a role without managed policies
		more   = "GetRole 1, GetRolePolicy 2, ListAttachedRolePolicies 1, ListRolePolicies 1"
		policy = "GetPolicy 1, GetPolicyVersion 1, GetRole 1, GetRolePolicy 1, ListAttachedRolePolicies 1, ListRolePolicies 1"
		shared = "GetPolicy 1, GetPolicyVersion 1, GetRole 1, GetRolePolicy 1, ListAttachedRolePolicies 1, ListEntitiesForPolicy 2, ListRolePolicies 1"
		marked = clean + ", ledger.SaveRemoval 1"
	)
	has := []step{createPolicy("base", logging), attach("role/orders", policyARN+"base")}
	second := append(slices.Clip(has), newVersion("base", false, logging))
	return []cost{
		{name: "UpdateAssumeRolePolicy, approved", step: trust("orders", trustLambda), iam: "GetRole 1", stores: marked},
		{name: "UpdateAssumeRolePolicy, to a stranger", step: trust("orders", trustLambda, trustForeign), iam: "GetRole 1", lambda: "ListFunctions 1", stores: drifted + ", ledger.SaveRemoval 1", alerts: 1},
		{name: "PutRolePolicy, approved", step: inline("role/orders", "rights", readBucket), iam: whole, stores: clean},
		{name: "PutRolePolicy, of an administrator", step: inline("role/orders", "more", anything), iam: more, lambda: "ListFunctions 1", stores: drifted, alerts: 1},
		{name: "AttachRolePolicy, of what is approved", before: []step{createPolicy("read", readBucket)}, step: attach("role/orders", policyARN+"read"), iam: policy, stores: clean},
		{name: "DetachRolePolicy, of what is not missed", ground: []step{attach("role/orders", denyARN), detach("role/orders", denyARN)}, step: detach("role/orders", denyARN), iam: whole, stores: marked, alerts: 0},
		{name: "CreatePolicyVersion, not the default", before: has, step: newVersion("base", false, anything)},
		{name: "CreatePolicyVersion, the default, approved", before: has, step: newVersion("base", true, logging), iam: shared, stores: clean},
		{name: "SetDefaultPolicyVersion, approved", before: second, step: setDefault("base", "v2"), iam: shared, stores: clean},
		{
			name: "SetDefaultPolicyVersion, of two roles", before: append(slices.Clip(second), attach("role/ingest", policyARN+"base")), step: setDefault("base", "v2"),
			iam: "GetPolicy 2, GetPolicyVersion 1, GetRole 2, GetRolePolicy 2, ListAttachedRolePolicies 2, ListEntitiesForPolicy 2, ListRolePolicies 2", stores: "baseline.Get 2, ledger.Findings 2",
		},
		{name: "SetDefaultPolicyVersion, of a policy that nobody has", before: []step{createPolicy("base", logging), newVersion("base", false, anything)}, step: setDefault("base", "v2"), iam: "ListEntitiesForPolicy 2"},
		{name: "DeleteRolePermissionsBoundary, of one that is not approved", ground: []step{bound("role/orders", adminARN)}, step: unbound("role/orders"), iam: whole, stores: clean},
		{name: "AddClientIDToOpenIDConnectProvider, that nobody trusts", step: addClient(githubARN, "shop"), iam: "ListRoles 1"},
		{name: "UpdateRole", step: describe("orders", "takes orders", 7200), iam: whole, stores: clean},
		{name: "TagRole", step: tagRole("orders", "a", "b")},
	}
}

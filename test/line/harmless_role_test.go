package line_test

import "strings"

// harmlessRoleChanges are changes of roles, users and groups by which nobody can do more.
func harmlessRoleChanges() []harmless {
	const (
		ownRoot  = `{"Sid":"own","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`
		ownOther = `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root"]},"Action":["STS:assumerole"],"Condition":{}}`
		both     = `{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::amzn-s3-demo-bucket/*"}`
	)
	write := strings.Replace(readBucket, "GetObject", "PutObject", 1)
	old := []step{putDocument("role/orders", "rights", `{"Version":"2008-10-17","Statement":`+strings.Replace(readBucket, "/*", "/${aws:username}/*", 1)+`}`)}
	has := []step{createPolicy("base", logging), attach("role/orders", policyARN+"base")}
	edge := []step{createPolicy("edge", useBuckets, logging), bound("role/orders", policyARN+"edge")}
	deploy := []step{silently(createProvider(githubARN, "sts.amazonaws.com", "shop")), createRole("deploy", trustGitHub), createRole("machines", trustAnywhere)}
	return []harmless{
		{name: "a trust policy in another order", before: []step{trust("orders", trustLambda, ownRoot)}, steps: []step{trust("orders", ownRoot, trustLambda)}},
		{name: "a trust policy in other spellings", before: []step{trust("orders", trustLambda, ownRoot)}, steps: []step{trust("orders", ownOther, trustLambda)}},
		{name: "an empty condition", steps: []step{trust("orders", strings.Replace(trustLambda, `"Action"`, `"Condition":{},"Action"`, 1))}},
		{name: "the trust policy once more", steps: []step{trust("orders", trustLambda), trust("orders", trustLambda)}},
		{name: "rights in another order and under other Sids", before: []step{inline("role/orders", "rights", readBucket, logging)}, steps: []step{inline("role/orders", "rights", strings.Replace(logging, "{", `{"Sid":"Logs",`, 1), readBucket)}},
		{name: "rights split over two policies", before: []step{inline("role/orders", "rights", both)}, steps: []step{inline("role/orders", "more", write), inline("role/orders", "rights", readBucket)}},
		{name: "rights moved into a managed policy", steps: []step{createPolicy("read", readBucket), attach("role/orders", policyARN+"read"), uninline("role/orders", "rights")}},
		{name: "a policy that allows nothing new", before: []step{inline("role/orders", "rights", both)}, steps: []step{inline("role/orders", "again", readBucket), attach("role/orders", policyARN+"read")}, ground: []step{createPolicy("read", write)}},
		{name: "a policy of the language of 2008", steps: []step{putDocument("role/orders", "rights", `{"Statement":`+readBucket+`}`)}},
		{name: "a variable that is none in the language of 2008", before: old, steps: old},
		{name: "a Deny of what nobody is allowed", steps: []step{inline("role/orders", "no", strings.Replace(writeRoles, "Allow", "Deny", 1))}},
		{name: "a new version of the same policy", before: has, steps: []step{newVersion("base", true, logging)}},
		{name: "a version that is not the default one", before: has, steps: []step{newVersion("base", false, anything), deleteVersion("base", "v2")}},
		{name: "a policy that nobody has", steps: []step{createPolicy("everything", anything), newVersion("everything", true, anything), deletePolicy("everything")}},
		{name: "the boundary once more, and a new version of the same", before: edge, steps: []step{bound("role/orders", policyARN+"edge"), newVersion("edge", true, logging, useBuckets)}},
		{name: "a boundary that takes nothing away", steps: edge},
		{name: "description and duration", steps: []step{describe("orders", "takes orders", 43200)}},
		{name: "a role's tags", steps: []step{tagRole("orders", "team", "shop")}},
		{name: "a role deleted and made again alike", steps: []step{uninline("role/orders", "rights"), deleteRole("orders"), createRole("orders", trustLambda), inline("role/orders", "rights", readBucket)}},
		{
			name: "failed calls on roles", steps: []step{trust("orders", trustLambda, trustForeign), inline("role/orders", "x", anything), attach("role/orders", adminARN)}, record: failed("AccessDenied"),
			undo: []step{trust("orders", trustLambda), uninline("role/orders", "x"), detach("role/orders", adminARN)},
		},
		{name: "read-only calls on roles", steps: []step{attach("role/orders", adminARN)}, undo: []step{detach("role/orders", adminARN)}, record: func(r map[string]any) {
			r["eventName"], r["readOnly"] = "GetRole", true
		}},
		{name: "duplicates of an approved policy", steps: []step{inline("role/orders", "rights", readBucket)}, twice: true},
		{name: "what vouches for less", before: deploy, ground: []step{intoProfile("orders", "web")}, steps: []step{
			removeClient(githubARN, "shop"), deleteProvider(githubARN), anchor("Disable"), anchor("Delete"), handOut("Delete", "orders"), outOfProfile("orders", "web"),
		}},
		{name: "a user's rights on other things", steps: []step{createParty("user/ann"), createParty("group/staff"), attach("user/ann", basicARN), inline("user/ann", "s3", useBuckets), inline("group/staff", "s3", useBuckets), join("ann", "staff"), leave("ann", "staff")}},
	}
}

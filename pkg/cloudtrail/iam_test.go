package cloudtrail

import (
	"strings"
	"testing"

	"github.com/permdrift/permdrift/pkg/drift"
)

const roleR = "arn:aws:iam::111122223333:role/r"

// What changes nobody's rights makes no change: it would cost a read of the role.
func TestCallsThatChangeNobodysRightsAreSkipped(t *testing.T) {
	for _, name := range []string{
		"TagRole", "UntagRole", "UpdateRoleDescription", "CreateLoginProfile", "UpdateLoginProfile", "CreateAccessKey", "UpdateAccessKey",
		"CreateUser", "CreateGroup", "CreateInstanceProfile", "DeleteInstanceProfile", "TagPolicy", "UpdateAccountPasswordPolicy", "CreateVirtualMFADevice",
	} {
		r := decodeOne(t, ours(iamAPI, name, `{"roleName":"r","userName":"u"}`, `null`))
		if got, want := summary(r), notAudited+"iam.amazonaws.com "+name; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// Whatever IAM call is padded until its parameters are gone: nothing else names
// the role, so all roles of the account are to be read.
func TestOmittedParametersOfIAMAreAboutTheAccount(t *testing.T) {
	const gone = `{"reason":"requestParameters too large","omitted":true,"originalSize":131072}`
	ran := 0
	for c := range decoders {
		if c.service != "iam" {
			continue
		}
		ran++
		r := decodeOne(t, ours(iamAPI, c.name, gone, `null`))
		if got, want := summary(r), "unreadable "+accountID+" whole"; got != want || r.Changes[0].Problem == "" {
			t.Errorf("%s: got %s (%+v)", c.name, got, r.Changes)
		}
	}
	if ran < 43 {
		t.Errorf("only %d calls ran", ran)
	}
	r := decodeOne(t, ours(iamAPI, "CreateRole", gone, `{"role":{"arn":"`+roleR+`"}}`))
	if got, want := summary(r), "unreadable "+roleR+" whole"; got != want {
		t.Errorf("a response that names the role: got %s, want %s", got, want)
	}
}

func TestDocumentsOfRolesAreClaimed(t *testing.T) {
	const text = `{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"NotAction\":\"iam:*\",\"Resource\":\"*\"}}`
	const encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%22%2A%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D"
	for name, row := range map[string]struct{ call, request, response, problem string }{
		"inline":                      {"PutRolePolicy", `{"roleName":"r","policyName":"read-only","policyDocument":"` + text + `"}`, `null`, ""},
		"inline, unquoted":            {"PutRolePolicy", `{"roleName":"r","policyName":"p","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}`, `null`, ""},
		"inline, missing":             {"PutRolePolicy", `{"roleName":"r","policyName":"p"}`, `null`, "the event does not quote the policy"},
		"inline, cut off":             {"PutRolePolicy", `{"roleName":"r","policyName":"p","policyDocument":"{"}`, `null`, "the policy cannot be read"},
		"trust, missing":              {"UpdateAssumeRolePolicy", `{"roleName":"r"}`, `null`, "the event does not quote the policy"},
		"trust, only in the response": {"CreateRole", `{"roleName":"r"}`, `{"role":{"assumeRolePolicyDocument":"` + encoded + `"}}`, ""},
		"trust, ill encoded":          {"CreateRole", `{"roleName":"r"}`, `{"role":{"assumeRolePolicyDocument":"%7"}}`, "the policy cannot be read"},
		"version":                     {"CreatePolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/p","policyDocument":"` + text + `","setAsDefault":true}`, `null`, ""},
		"user's inline":               {"PutUserPolicy", `{"userName":"u","policyName":"p","policyDocument":"` + text + `"}`, `null`, ""},
		"group's inline":              {"PutGroupPolicy", `{"groupName":"g","policyName":"p","policyDocument":"` + text + `"}`, `null`, ""},
	} {
		c := decodeOne(t, ours(iamAPI, row.call, row.request, row.response)).Changes[0]
		if (c.Policy != nil) != (row.problem == "") || !strings.Contains(c.Problem, row.problem) || row.problem == "" && c.Problem != "" {
			t.Errorf("%s: policy %+v, problem %q", name, c.Policy, c.Problem)
		}
		if c.Policy != nil && len(c.Policy.Statements) != 1 {
			t.Errorf("%s: %d statements", name, len(c.Policy.Statements))
		}
	}
	for _, call := range []string{"AttachRolePolicy", "DetachRolePolicy", "DeleteRolePolicy"} {
		c := decodeOne(t, ours(iamAPI, call, `{"roleName":"r","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, `null`)).Changes[0]
		if c.Policy != nil || c.Problem != "" {
			t.Errorf("%s has no document: policy %+v, problem %q", call, c.Policy, c.Problem)
		}
	}
}

// Only what is about a role as a whole is read as a whole.
func TestOnlyWholeRolesAreReadWhole(t *testing.T) {
	const request = `{"roleName":"r","policyName":"p","policyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess","permissionsBoundary":"b","policyDocument":"{}","instanceProfileName":"i","maxSessionDuration":3600}`
	for name, want := range map[string]drift.Place{
		"UpdateAssumeRolePolicy": drift.Trust, "PutRolePolicy": drift.Identity, "DeleteRolePolicy": drift.Identity,
		"AttachRolePolicy": drift.Identity, "DetachRolePolicy": drift.Identity,
		"PutRolePermissionsBoundary": drift.Boundary, "DeleteRolePermissionsBoundary": drift.Boundary,
		"CreateRole": "", "DeleteRole": "", "UpdateRole": "", "AddRoleToInstanceProfile": "", "RemoveRoleFromInstanceProfile": "",
	} {
		c := decodeOne(t, ours(iamAPI, name, request, `null`)).Changes[0]
		if c.Subject != roleR || c.Whole != (want == "") || want != "" && c.Place != want {
			t.Errorf("%s: %s, at %q, whole %t", name, c.Subject, c.Place, c.Whole)
		}
	}
}

// The path is no part of the subject, whoever tells it.
func TestRolesHaveOneName(t *testing.T) {
	for name, row := range map[string]struct{ source, call, request, response string }{
		"by name":               {iamAPI, "DeleteRole", `{"roleName":"r"}`, `null`},
		"answered with a path":  {iamAPI, "CreateRole", `{"roleName":"r","path":"/a/b/"}`, `{"role":{"arn":"arn:aws:iam::111122223333:role/a/b/r"}}`},
		"asked with a path":     {iamAPI, "CreateRole", `{"roleName":"r","path":"/a/b/"}`, `null`},
		"in a profile":          {"rolesanywhere.amazonaws.com", "CreateProfile", `{"roleArns":["arn:aws:iam::111122223333:role/a/b/r"]}`, `null`},
		"in an updated profile": {"rolesanywhere.amazonaws.com", "UpdateProfile", `{"profileId":"p"}`, `{"profile":{"roleArns":["arn:aws:iam::111122223333:role/a/b/r"]}}`},
	} {
		if c := decodeOne(t, ours(row.source, row.call, row.request, row.response)).Changes[0]; c.Subject != roleR {
			t.Errorf("%s: %s", name, c.Subject)
		}
	}
}

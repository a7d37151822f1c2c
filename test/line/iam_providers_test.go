package line_test

import (
	"context"
	"slices"
	"strings"
)

// createProvider is CreateOpenIDConnectProvider.
func createProvider(arn string, clients ...string) step {
	_, host, _ := strings.Cut(arn, "oidc-provider/")
	request := fields{"url": "https://" + host, "clientIDList": clients, "thumbprintList": []string{"6938fd4d98bab03faadb97b34396831e3780aea1"}}
	return iamStep("CreateOpenIDConnectProvider", request, func(s *iamState) (fields, error) {
		s.Providers[arn] = clients
		return fields{"openIDConnectProviderArn": arn}, nil
	})
}

func deleteProvider(arn string) step {
	return change("DeleteOpenIDConnectProvider", fields{"openIDConnectProviderArn": arn}, func(s *iamState) error {
		delete(s.Providers, arn)
		return nil
	})
}

// addClient is AddClientIDToOpenIDConnectProvider.
func addClient(arn, client string) step {
	return change("AddClientIDToOpenIDConnectProvider", fields{"openIDConnectProviderArn": arn, "clientID": client}, func(s *iamState) error {
		s.Providers[arn] = append(s.Providers[arn], client)
		return nil
	})
}

func removeClient(arn, client string) step {
	return change("RemoveClientIDFromOpenIDConnectProvider", fields{"openIDConnectProviderArn": arn, "clientID": client}, func(s *iamState) error {
		s.Providers[arn] = slices.DeleteFunc(s.Providers[arn], func(c string) bool { return c == client })
		return nil
	})
}

func newThumbprint(arn string) step {
	request := fields{"openIDConnectProviderArn": arn, "thumbprintList": []string{"a031c46782e6e6c662c2c87c76da9aa62ccabd8e"}}
	return change("UpdateOpenIDConnectProviderThumbprint", request, func(*iamState) error { return nil })
}

// saml is CreateSAMLProvider, UpdateSAMLProvider or DeleteSAMLProvider.
func saml(verb, name string) step {
	arn := "arn:aws:iam::" + account + ":saml-provider/" + name
	request := fields{"sAMLProviderArn": arn, "sAMLMetadataDocument": "<EntityDescriptor/>"}
	if verb == "Create" {
		request = fields{"name": name, "sAMLMetadataDocument": "<EntityDescriptor/>"}
	}
	return iamStep(verb+"SAMLProvider", request, func(s *iamState) (fields, error) {
		if s.Providers[arn] = nil; verb == "Delete" {
			delete(s.Providers, arn)
			return nil, nil
		}
		return fields{"sAMLProviderArn": arn}, nil
	})
}

// intoProfile is AddRoleToInstanceProfile.
func intoProfile(role, profile string) step {
	return change("AddRoleToInstanceProfile", fields{"roleName": role, "instanceProfileName": profile}, func(s *iamState) error {
		s.Profiles[profile] = role
		return nil
	})
}

func outOfProfile(role, profile string) step {
	return change("RemoveRoleFromInstanceProfile", fields{"roleName": role, "instanceProfileName": profile}, func(s *iamState) error {
		delete(s.Profiles, profile)
		return nil
	})
}

const (
	anchorID  = "a1b2c3d4-5678-90ab-cdef-EXAMPLEa1b2c"
	profileID = "a1b2c3d4-5678-90ab-cdef-EXAMPLEd3e4f"
)

// anchor is a call about a trust anchor of Roles Anywhere: CreateTrustAnchor, …
func anchor(verb string) step {
	request := fields{"trustAnchorId": anchorID}
	if verb == "Create" {
		request = fields{"name": "factory", "enabled": true, "source": fields{"sourceType": "CERTIFICATE_BUNDLE"}}
	}
	return anywhere(verb+"TrustAnchor", request, fields{"trustAnchor": fields{
		"trustAnchorId": anchorID, "name": "factory", "enabled": verb != "Disable", "trustAnchorArn": "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/" + anchorID,
	}})
}

// handOut is a call about a profile of Roles Anywhere that has these roles.
func handOut(verb string, roles ...string) step {
	var arns []string
	for _, role := range roles {
		arns = append(arns, rolePrefix+role)
	}
	request := fields{"profileId": profileID}
	if verb == "Create" || verb == "Update" {
		request["name"], request["roleArns"] = "machines", arns
	}
	return anywhere(verb+"Profile", request, fields{"profile": fields{
		"profileId": profileID, "name": "machines", "enabled": verb != "Disable", "roleArns": arns, "profileArn": "arn:aws:rolesanywhere:us-east-1:111122223333:profile/" + profileID,
	}})
}

// anywhere is a call of Roles Anywhere, of which no role tells.
func anywhere(name string, request, response fields) step {
	return func(_ context.Context, c actor) error {
		return c.iam.call(c.who, event{service: "rolesanywhere", name: name, request: request}, func(*iamState) (fields, error) { return response, nil })
	}
}

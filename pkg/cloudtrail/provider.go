package cloudtrail

import (
	"fmt"
	"maps"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// provider decodes the calls on identity providers, which can widen a trust
// policy that stays the same.
func provider(r *record) ([]drift.Change, error) {
	arn := ""
	for _, name := range []string{"openIDConnectProviderArn", "sAMLProviderArn"} {
		arn = first(arn, r.response.str(name), r.request.str(name))
	}
	if host := r.request.str("url"); arn == "" && host != "" {
		arn = r.iamARN("oidc-provider/" + strings.TrimPrefix(host, "https://"))
	}
	if name := r.request.str("name"); arn == "" && name != "" {
		arn = r.iamARN("saml-provider/" + name)
	}
	subject, err := arnSubject(arn, drift.Provider)
	if err != nil {
		return nil, err
	}
	detail := r.details("url", "clientID", "clientIDList", "thumbprintList")
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.PutProvider, Detail: detail}}, nil
}

// instanceProfile decodes the calls that give a role to an instance profile, or
// take it away.
func instanceProfile(r *record) ([]drift.Change, error) {
	subject, err := r.role()
	if err != nil {
		return nil, err
	}
	detail := r.details("instanceProfileName")
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.ShareRole, Detail: detail}}, nil
}

// trustAnchor decodes the calls on trust anchors of IAM Roles Anywhere: a
// certificate authority that may mint sessions.
func trustAnchor(r *record) ([]drift.Change, error) {
	anchor := r.response.obj("trustAnchor")
	subject, err := r.anywhere(anchor.str("trustAnchorArn"), "trust-anchor", r.request.str("trustAnchorId"))
	if err != nil {
		return nil, err
	}
	detail := r.anywhereDetail(anchor)
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.PutProvider, Detail: detail}}, nil
}

// maxProfileRoles is how many roles a Roles Anywhere profile can have.
const maxProfileRoles = 250

// anywhereProfile decodes the calls on profiles of IAM Roles Anywhere: one
// change for each role that the profile hands out.
func anywhereProfile(r *record) ([]drift.Change, error) {
	profile := r.response.obj("profile")
	roles := profile.list("roleArns")
	if len(roles) == 0 {
		roles = r.request.list("roleArns")
	}
	if len(roles) > maxProfileRoles {
		return nil, fmt.Errorf("the profile has %d roles, and AWS allows %d", len(roles), maxProfileRoles)
	}
	arn, err := r.anywhere(profile.str("profileArn"), "profile", r.request.str("profileId"))
	if err != nil {
		return nil, err
	}
	detail := r.anywhereDetail(profile)
	if len(roles) == 0 {
		return []drift.Change{{Subject: arn, Whole: true, Operation: drift.PutProvider, Detail: detail}}, nil
	}
	detail["profileArn"], detail["roleArns"] = string(arn), strings.Join(roles, ",")
	changes := make([]drift.Change, 0, len(roles))
	for _, role := range roles {
		subject, err := roleARN(role)
		if err != nil {
			return nil, err
		}
		changes = append(changes, drift.Change{Subject: subject, Whole: true, Operation: drift.ShareRole, Detail: detail})
	}
	return changes, nil
}

// anywhere is the subject of a resource of Roles Anywhere: its ARN, else made
// of its id, else the account.
func (r *record) anywhere(arn, kind, id string) (drift.Subject, error) {
	if arn == "" && clean(id) != "" {
		arn = "arn:" + r.partition + ":rolesanywhere:" + r.event.Region + ":" + r.event.Account + ":" + kind + "/" + id
	}
	if subject, err := arnSubject(arn, drift.Provider); err == nil {
		return subject, nil
	}
	if r.event.Account == "" {
		return "", errNoAccount
	}
	return r.account(), nil
}

// anywhereDetail are the facts of a trust anchor or profile, as asked for and
// as answered.
func (r *record) anywhereDetail(answer object) map[string]string {
	detail := r.details("name", "enabled")
	maps.Copy(detail, details(answer, "name", "enabled"))
	return detail
}

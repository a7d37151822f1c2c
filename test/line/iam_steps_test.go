package line_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// iamStep is one call of IAM by whoever takes the step.
func iamStep(name string, request fields, change func(*iamState) (fields, error)) step {
	return func(_ context.Context, c actor) error {
		return c.iam.call(c.who, event{name: name, request: request}, change)
	}
}

// change is a call whose answer says nothing.
func change(name string, request fields, change func(*iamState) error) step {
	return iamStep(name, request, func(s *iamState) (fields, error) { return nil, change(s) })
}

// ofParty is a call about a role, user or group ("role/orders"), whose answer
// says nothing. VERB in the name of the call stands for Role, User or Group.
func ofParty(call, whose string, request fields, alter func(*party) error) step {
	kind, name, _ := strings.Cut(whose, "/")
	request = maps.Clone(request)
	if request == nil {
		request = fields{}
	}
	request[kind+"Name"] = name
	word := strings.ToUpper(kind[:1]) + kind[1:]
	return change(strings.ReplaceAll(call, "PARTY", word), request, func(s *iamState) error {
		p, err := s.find(kind, name)
		if err != nil {
			return err
		}
		return alter(p)
	})
}

// createRole is CreateRole with a trust policy of these statements.
func createRole(name string, trust ...string) step {
	return createBoundRole(name, "", trust...)
}

func createBoundRole(name, boundary string, trust ...string) step {
	path, base := splitPath(name)
	request := fields{"roleName": base, "assumeRolePolicyDocument": rights(trust...)}
	if path != "/" {
		request["path"] = path
	}
	if boundary != "" {
		request["permissionsBoundary"] = boundary
	}
	return iamStep("CreateRole", request, func(s *iamState) (fields, error) {
		if _, err := s.find("role", base); err == nil {
			return nil, fmt.Errorf("there is a role %s", base)
		}
		p := s.newParty("role", name)
		p.Trust, p.Boundary = rights(trust...), boundary
		return fields{"role": roleFields(p)}, nil
	})
}

func roleFields(p *party) fields {
	return fields{
		"path": p.Path, "roleName": p.Name, "roleId": p.ID, "arn": p.arn("role"), "createDate": spoken(noon),
		"assumeRolePolicyDocument": *encoded(p.Trust),
	}
}

// createServiceRole is CreateServiceLinkedRole.
func createServiceRole(service, name string) step {
	return iamStep("CreateServiceLinkedRole", fields{"aWSServiceName": service}, func(s *iamState) (fields, error) {
		p := s.newParty("role", "aws-service-role/"+service+"/"+name)
		p.Trust = rights(strings.Replace(trustLambda, "lambda.amazonaws.com", service, 1))
		return fields{"role": roleFields(p)}, nil
	})
}

// deleteServiceRole is DeleteServiceLinkedRole.
func deleteServiceRole(name string) step {
	return iamStep("DeleteServiceLinkedRole", fields{"roleName": name}, func(s *iamState) (fields, error) {
		delete(s.Parties, "role/"+name)
		return fields{"deletionTaskId": "task/" + name}, nil
	})
}

// deleteRole is DeleteRole. Trust policies that name the role have its id from then on.
func deleteRole(name string) step {
	return change("DeleteRole", fields{"roleName": name}, func(s *iamState) error {
		gone, err := s.find("role", name)
		if err != nil {
			return err
		}
		if len(gone.Inline)+len(gone.Attached) > 0 {
			text := "Cannot delete entity, must detach all policies first."
			return &iamtypes.DeleteConflictException{Message: &text}
		}
		delete(s.Parties, "role/"+name)
		for _, p := range s.Parties {
			p.Trust = strings.ReplaceAll(p.Trust, `"`+gone.arn("role")+`"`, `"`+gone.ID+`"`)
		}
		return nil
	})
}

// trust is UpdateAssumeRolePolicy with these statements.
func trust(role string, statements ...string) step { return trustDocument(role, rights(statements...)) }

func trustDocument(role, text string) step {
	return ofParty("UpdateAssumeRolePolicy", "role/"+role, fields{"policyDocument": text}, func(p *party) error {
		p.Trust = text
		return nil
	})
}

// inline is PutRolePolicy, PutUserPolicy or PutGroupPolicy with these statements.
func inline(whose, name string, statements ...string) step {
	return putDocument(whose, name, rights(statements...))
}

func putDocument(whose, name, text string) step {
	return ofParty("PutPARTYPolicy", whose, fields{"policyName": name, "policyDocument": text}, func(p *party) error {
		p.Inline[name] = text
		return nil
	})
}

// uninline is DeleteRolePolicy and its like.
func uninline(whose, name string) step {
	return ofParty("DeletePARTYPolicy", whose, fields{"policyName": name}, func(p *party) error {
		delete(p.Inline, name)
		return nil
	})
}

// attach is AttachRolePolicy and its like.
func attach(whose, arn string) step {
	return ofParty("AttachPARTYPolicy", whose, fields{"policyArn": arn}, func(p *party) error {
		if !slices.Contains(p.Attached, arn) {
			p.Attached = append(p.Attached, arn)
		}
		return nil
	})
}

func detach(whose, arn string) step {
	return ofParty("DetachPARTYPolicy", whose, fields{"policyArn": arn}, func(p *party) error {
		p.Attached = slices.DeleteFunc(p.Attached, func(a string) bool { return a == arn })
		return nil
	})
}

// bound is PutRolePermissionsBoundary or PutUserPermissionsBoundary.
func bound(whose, arn string) step {
	return ofParty("PutPARTYPermissionsBoundary", whose, fields{"permissionsBoundary": arn}, func(p *party) error {
		p.Boundary = arn
		return nil
	})
}

func unbound(whose string) step {
	return ofParty("DeletePARTYPermissionsBoundary", whose, nil, func(p *party) error {
		p.Boundary = ""
		return nil
	})
}

// describe is UpdateRole with a description and a session duration.
func describe(role, text string, seconds int) step {
	return ofParty("UpdateRole", "role/"+role, fields{"description": text, "maxSessionDuration": seconds}, func(*party) error { return nil })
}

func tagRole(role, key, value string) step {
	return ofParty("TagRole", "role/"+role, fields{"tags": []fields{{"key": key, "value": value}}}, func(p *party) error {
		p.Tags[key] = value
		return nil
	})
}

// createParty is CreateUser or CreateGroup.
func createParty(whose string) step {
	kind, name, _ := strings.Cut(whose, "/")
	word := strings.ToUpper(kind[:1]) + kind[1:]
	return change("Create"+word, fields{kind + "Name": name}, func(s *iamState) error {
		s.newParty(kind, name)
		return nil
	})
}

// deleteParty is DeleteUser or DeleteGroup.
func deleteParty(whose string) step {
	kind, name, _ := strings.Cut(whose, "/")
	word := strings.ToUpper(kind[:1]) + kind[1:]
	return change("Delete"+word, fields{kind + "Name": name}, func(s *iamState) error {
		delete(s.Parties, whose)
		return nil
	})
}

// rename is UpdateUser or UpdateGroup with a new name.
func rename(whose, name string) step {
	kind, old, _ := strings.Cut(whose, "/")
	word := strings.ToUpper(kind[:1]) + kind[1:]
	return change("Update"+word, fields{kind + "Name": old, "new" + word + "Name": name}, func(s *iamState) error {
		p, err := s.find(kind, old)
		if err != nil {
			return err
		}
		delete(s.Parties, whose)
		p.Name = name
		s.Parties[kind+"/"+name] = p
		return nil
	})
}

// join is AddUserToGroup.
func join(user, group string) step {
	return ofParty("AddUserToGroup", "user/"+user, fields{"groupName": group}, func(p *party) error {
		p.Groups = append(p.Groups, group)
		return nil
	})
}

// leave is RemoveUserFromGroup.
func leave(user, group string) step {
	return ofParty("RemoveUserFromGroup", "user/"+user, fields{"groupName": group}, func(p *party) error {
		p.Groups = slices.DeleteFunc(p.Groups, func(g string) bool { return g == group })
		return nil
	})
}

// createPolicy is CreatePolicy.
func createPolicy(name string, statements ...string) step {
	return createdPolicy(time.Time{}, name, statements...)
}

// createdPolicy is CreatePolicy at another time than the clock's.
func createdPolicy(at time.Time, name string, statements ...string) step {
	arn := policyARN + name
	return func(_ context.Context, c actor) error {
		if at.IsZero() {
			at = c.iam.now()
		}
		request := fields{"policyName": name, "policyDocument": rights(statements...)}
		return c.iam.call(c.who, event{name: "CreatePolicy", request: request}, func(s *iamState) (fields, error) {
			s.Policies[arn] = s.newPolicy(at, rights(statements...))
			return fields{"policy": fields{"policyName": name, "policyId": s.Policies[arn].ID, "arn": arn, "path": "/", "defaultVersionId": "v1", "attachmentCount": 0}}, nil
		})
	}
}

// newVersion is CreatePolicyVersion.
func newVersion(name string, setAsDefault bool, statements ...string) step {
	arn, text := policyARN+name, rights(statements...)
	return func(_ context.Context, c actor) error {
		at := c.iam.now()
		e := event{name: "CreatePolicyVersion", request: fields{"policyArn": arn, "policyDocument": text, "setAsDefault": setAsDefault}}
		return c.iam.call(c.who, e, func(s *iamState) (fields, error) {
			p, err := s.policy(arn)
			if err != nil {
				return nil, err
			}
			id := p.add(at, text, setAsDefault)
			return fields{"policyVersion": fields{"versionId": id, "isDefaultVersion": setAsDefault, "createDate": spoken(at)}}, nil
		})
	}
}

// add adds a version to a policy and is its id.
func (p *managedPol) add(at time.Time, text string, setAsDefault bool) string {
	p.Last++
	id := fmt.Sprintf("v%d", p.Last)
	p.Versions[id] = policyVersion{text, at}
	if setAsDefault {
		p.Default = id
	}
	return id
}

func setDefault(name, version string) step {
	arn := policyARN + name
	return change("SetDefaultPolicyVersion", fields{"policyArn": arn, "versionId": version}, func(s *iamState) error {
		p, err := s.policy(arn)
		if err == nil {
			p.Default = version
		}
		return err
	})
}

func deleteVersion(name, version string) step {
	arn := policyARN + name
	return change("DeletePolicyVersion", fields{"policyArn": arn, "versionId": version}, func(s *iamState) error {
		p, err := s.policy(arn)
		if err == nil {
			delete(p.Versions, version)
		}
		return err
	})
}

func deletePolicy(name string) step {
	arn := policyARN + name
	return change("DeletePolicy", fields{"policyArn": arn}, func(s *iamState) error {
		delete(s.Policies, arn)
		return nil
	})
}

// changedByAWS gives a managed policy of AWS another version. No event tells of it.
func changedByAWS(arn string, statements ...string) step {
	return func(_ context.Context, c actor) error {
		c.iam.mu.Lock()
		defer c.iam.mu.Unlock()
		at := c.iam.now()
		next := c.iam.states[len(c.iam.states)-1].iam.clone()
		p, err := next.policy(arn)
		if err == nil {
			p.add(at, rights(statements...), true)
			c.iam.states = append(c.iam.states, moment{at, next})
		}
		return err
	}
}

// silently takes steps of IAM of which no record tells.
func silently(list ...step) step {
	return func(ctx context.Context, c actor) error {
		c.iam.silent = true
		defer func() { c.iam.silent = false }()
		return steps(list...)(ctx, c)
	}
}

package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/permdrift/permdrift/pkg/live"
)

// directory is an IAM with roles and managed policies of one version each.
type directory struct {
	live.IAMAPI // what is not below is not called

	roles    map[string]*entry
	policies map[string]string // documents by ARN
	singly   atomic.Int64      // how often a role was read by itself
	refused  error             // what reading in bulk answers

	elsewhere string // a role that does not answer
}

// entry is a role.
type entry struct {
	path, trust string
	inline      map[string]string // documents by name
	attached    []string          // ARNs
	boundary    string            // ARN
}

func newDirectory() *directory {
	return &directory{roles: map[string]*entry{}, policies: map[string]string{}}
}

// The documents of the tests.
const (
	byLambda   = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`
	byStranger = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}`
	logging    = `{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}`
	everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	limit      = `{"Effect":"Allow","Action":["logs:*","xray:*"],"Resource":"*"}`

	adminARN = "arn:aws:iam::aws:policy/AdministratorAccess"
	limitARN = "arn:aws:iam::111122223333:policy/limit"
	rolesARN = "arn:aws:iam::111122223333:role/"
)

// document is a policy of statements.
func document(statements ...string) string {
	text := ""
	for i, s := range statements {
		if i > 0 {
			text += ","
		}
		text += s
	}
	return `{"Version":"2012-10-17","Statement":[` + text + `]}`
}

// add adds a role that Lambda may assume, which may write logs.
func (d *directory) add(name string) *entry {
	e := &entry{path: "/", trust: document(byLambda), inline: map[string]string{"logs": document(logging)}}
	d.roles[name] = e
	return e
}

func (d *directory) role(name *string) (*types.Role, *entry, error) {
	e, ok := d.roles[*name]
	if !ok {
		return nil, nil, &types.NoSuchEntityException{Message: aws.String("no role " + *name)}
	}
	r := &types.Role{RoleName: name, Path: &e.path, Arn: aws.String("arn:aws:iam::" + demoAccount + ":role" + e.path + *name), AssumeRolePolicyDocument: &e.trust}
	if e.boundary != "" {
		r.PermissionsBoundary = &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: &e.boundary}
	}
	return r, e, nil
}

func (d *directory) GetRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if *in.RoleName == d.elsewhere {
		return nil, errors.New("no answer")
	}
	d.singly.Add(1)
	r, _, err := d.role(in.RoleName)
	return &iam.GetRoleOutput{Role: r}, err
}

func (d *directory) ListRolePolicies(_ context.Context, in *iam.ListRolePoliciesInput, _ ...func(*iam.Options)) (*iam.ListRolePoliciesOutput, error) {
	_, e, err := d.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: slices.Sorted(maps.Keys(e.inline))}, nil
}

func (d *directory) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput, _ ...func(*iam.Options)) (*iam.GetRolePolicyOutput, error) {
	_, e, err := d.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{PolicyDocument: aws.String(e.inline[*in.PolicyName])}, nil
}

func (e *entry) policies() []types.AttachedPolicy {
	var list []types.AttachedPolicy
	for _, arn := range e.attached {
		list = append(list, types.AttachedPolicy{PolicyArn: &arn})
	}
	return list
}

func (d *directory) ListAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput, _ ...func(*iam.Options)) (*iam.ListAttachedRolePoliciesOutput, error) {
	_, e, err := d.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: e.policies()}, nil
}

func (d *directory) GetPolicy(_ context.Context, in *iam.GetPolicyInput, _ ...func(*iam.Options)) (*iam.GetPolicyOutput, error) {
	if _, ok := d.policies[*in.PolicyArn]; !ok {
		return nil, &types.NoSuchEntityException{Message: aws.String("no policy " + *in.PolicyArn)}
	}
	return &iam.GetPolicyOutput{Policy: &types.Policy{Arn: in.PolicyArn, DefaultVersionId: aws.String("v4")}}, nil
}

func (d *directory) GetPolicyVersion(_ context.Context, in *iam.GetPolicyVersionInput, _ ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error) {
	return &iam.GetPolicyVersionOutput{PolicyVersion: &types.PolicyVersion{VersionId: in.VersionId, IsDefaultVersion: true, Document: aws.String(d.policies[*in.PolicyArn])}}, nil
}

// GetAccountAuthorizationDetails answers all that is asked for on one page.
func (d *directory) GetAccountAuthorizationDetails(_ context.Context, in *iam.GetAccountAuthorizationDetailsInput, _ ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	out := &iam.GetAccountAuthorizationDetailsOutput{}
	if d.refused != nil {
		return nil, d.refused
	}
	if slices.Contains(in.Filter, types.EntityTypeLocalManagedPolicy) {
		for _, arn := range slices.Sorted(maps.Keys(d.policies)) {
			out.Policies = append(out.Policies, types.ManagedPolicyDetail{Arn: aws.String(arn), DefaultVersionId: aws.String("v4"), PolicyVersionList: []types.PolicyVersion{
				{VersionId: aws.String("v4"), IsDefaultVersion: true, Document: aws.String(d.policies[arn])},
			}})
		}
	}
	if slices.Contains(in.Filter, types.EntityTypeRole) {
		for _, name := range slices.Sorted(maps.Keys(d.roles)) {
			r, e, err := d.role(&name)
			if err != nil {
				return nil, err
			}
			detail := types.RoleDetail{
				RoleName: &name, Path: r.Path, Arn: r.Arn, AssumeRolePolicyDocument: r.AssumeRolePolicyDocument,
				PermissionsBoundary: r.PermissionsBoundary, AttachedManagedPolicies: e.policies(),
			}
			for _, policy := range slices.Sorted(maps.Keys(e.inline)) {
				detail.RolePolicyList = append(detail.RolePolicyList, types.PolicyDetail{PolicyName: &policy, PolicyDocument: aws.String(e.inline[policy])})
			}
			out.RoleDetailList = append(out.RoleDetailList, detail)
		}
	}
	return out, nil
}

// ListEntitiesForPolicy answers who has a policy attached.
func (d *directory) ListEntitiesForPolicy(_ context.Context, in *iam.ListEntitiesForPolicyInput, _ ...func(*iam.Options)) (*iam.ListEntitiesForPolicyOutput, error) {
	out := &iam.ListEntitiesForPolicyOutput{}
	for _, name := range slices.Sorted(maps.Keys(d.roles)) {
		if slices.Contains(d.roles[name].attached, *in.PolicyArn) {
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: aws.String(name)})
		}
	}
	return out, nil
}

// Package lambda stands for the SDK's package of that name.
package lambda

import "context"

type (
	GetPolicyInput        struct{}
	RemovePermissionInput struct{}
	ListFunctionsInput    struct{}
	Client                struct{}
	Paginator             struct{}
)

func (*Client) GetPolicy(context.Context, *GetPolicyInput) error               { return nil }
func (*Client) RemovePermission(context.Context, *RemovePermissionInput) error { return nil }
func (*Client) ListFunctions(context.Context, *ListFunctionsInput) error       { return nil }

func NewListFunctionsPaginator(*Client, *ListFunctionsInput) *Paginator { return &Paginator{} }

// Command one reads a policy and an item, through interfaces.
package main

import (
	"context"

	"example.com/sample/service/lambda"
	"example.com/sample/setup"
)

type reader interface{ Get(context.Context) error }

type policies interface {
	GetPolicy(context.Context, *lambda.GetPolicyInput) error
	RemovePermission(context.Context, *lambda.RemovePermissionInput) error
}

func main() {
	_ = handle(context.Background(), setup.Store(), &lambda.Client{})
}

func handle(ctx context.Context, r reader, p policies) error {
	if err := r.Get(ctx); err != nil {
		return err
	}
	return p.GetPolicy(ctx, &lambda.GetPolicyInput{})
}

// Command two writes, pages, and runs a table of functions.
package main

import (
	"context"

	"example.com/sample/service/dynamodb/types"
	"example.com/sample/service/lambda"
	"example.com/sample/setup"
	"example.com/sample/store"
)

type writer[T any] interface{ Put(context.Context) T }

func main() {
	ctx, c := context.Background(), &lambda.Client{}
	_ = save[error](ctx, setup.Store())
	_ = lambda.NewListFunctionsPaginator(c, nil)
	_ = store.Run(ctx, c)
	_ = setup.Topic()
	_ = []*types.ConditionCheck{{}}
}

func save[T any](ctx context.Context, w writer[T]) T { return w.Put(ctx) }

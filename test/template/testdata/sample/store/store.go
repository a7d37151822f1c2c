// Package store reads and writes; who gets it as a Reader cannot write.
package store

import (
	"context"

	"example.com/sample/service/dynamodb"
	"example.com/sample/service/lambda"
)

type Table interface {
	GetItem(context.Context, *dynamodb.GetItemInput) error
	PutItem(context.Context, *dynamodb.PutItemInput) error
}

type Store struct{ table Table }

func New(t Table) *Store { return &Store{table: t} }

func (s *Store) Get(ctx context.Context) error { return s.table.GetItem(ctx, nil) }
func (s *Store) Put(ctx context.Context) error { return s.put(ctx, &dynamodb.PutItemInput{}) }

func (s *Store) put(ctx context.Context, in *dynamodb.PutItemInput) error {
	return s.table.PutItem(ctx, in)
}

// Memory has the methods of Store, and calls nothing.
type Memory struct{}

func (Memory) Get(context.Context) error { return nil }
func (Memory) Put(context.Context) error { return nil }

// steps is a table of functions, reached only by who ranges over it.
var steps = map[string]func(context.Context, *lambda.Client) error{
	"remove": remove,
}

func Run(ctx context.Context, c *lambda.Client) error {
	for _, step := range steps {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func remove(ctx context.Context, c *lambda.Client) error {
	return c.RemovePermission(ctx, &lambda.RemovePermissionInput{})
}

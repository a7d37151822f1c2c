// Package setup wires both functions.
package setup

import (
	"os"

	"example.com/sample/service/dynamodb"
	"example.com/sample/store"
)

const tableName = "PERMDRIFT_TABLE"

func Store() *store.Store {
	_ = os.Getenv(tableName)
	return store.New(&dynamodb.Client{})
}

func Topic() string { return os.Getenv("PERMDRIFT_TOPIC") }

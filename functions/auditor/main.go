// Command auditor is the Lambda function that audits: it takes SQS batches of
// EventBridge events and of sweep shards, the sweep schedule, and single events
// as from `sam local invoke`. See pkg/audit for what it does with them and
// internal/setup for its environment.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/permdrift/permdrift/internal/setup"
)

func main() {
	slog.SetDefault(slog.New(lambdacontext.NewLogHandler()))
	handler, err := setup.Auditor(context.Background(), os.Getenv)
	if err != nil {
		slog.Error("the auditor cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(handler.Handle)
}

// Command remediator is the Lambda function that takes a finding's cause away:
// it takes SQS batches of alerts that SNS delivered. See pkg/remediation for
// what it does with them and internal/setup for its environment.
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
	remediator, err := setup.Remediator(context.Background(), os.Getenv)
	if err != nil {
		slog.Error("the remediator cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(remediator.Handle)
}

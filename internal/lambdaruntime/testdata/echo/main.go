// Echo is a function for the tests of lambdaruntime. The event says what it
// does; the variable INIT makes it fail before its first event.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string `json:"do"`
	Text string `json:"text"`
}

type answer struct {
	Text      string `json:"text"`
	Count     int    `json:"count"` // events so far
	RequestID string `json:"requestId"`
	ARN       string `json:"arn"`
	Name      string `json:"name"`
	Version   string `json:"version"`
	Region    string `json:"region"`
	Home      string `json:"home"`
	Remaining int64  `json:"remaining"` // milliseconds until the deadline
}

var count int

func handle(ctx context.Context, e event) (answer, error) {
	count++
	switch e.Do {
	case "error":
		return answer{}, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "slow": // heeds the deadline
		<-ctx.Done()
		return answer{}, fmt.Errorf("giving up: %w", ctx.Err())
	case "stuck":
		time.Sleep(time.Hour)
	case "exit":
		fmt.Fprintln(os.Stderr, e.Text)
		os.Exit(3)
	}
	a := answer{Text: e.Text, Count: count, Name: lambdacontext.FunctionName, Version: lambdacontext.FunctionVersion, Region: os.Getenv("AWS_REGION"), Home: os.Getenv("HOME")}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		a.RequestID, a.ARN = lc.AwsRequestID, lc.InvokedFunctionArn
	}
	if deadline, ok := ctx.Deadline(); ok {
		a.Remaining = time.Until(deadline).Milliseconds()
	}
	return a, nil
}

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Fprintln(os.Stderr, "no table")
		os.Exit(1)
	case "error":
		report()
		os.Exit(1)
	}
	lambda.Start(handle)
}

// report tells the runtime API why the function cannot start.
func report() {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	r, err := http.Post(url, "application/json", strings.NewReader(`{"errorType":"Init","errorMessage":"no table"}`))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	r.Body.Close()
}

// Package mototest gives tests a moto_server (https://docs.getmoto.org): a
// stand-in for DynamoDB, SNS, SQS, IAM and KMS that speaks AWS's wire protocol.
//
//	endpoint := mototest.Start(t)
//	client := dynamodb.NewFromConfig(mototest.AWSConfig(endpoint))
//	table := mototest.CreateTable(t, endpoint, "ledger", true)
//
// There is one server per test process, started by the first test that wants
// it. It ends with the process, however that ends: a shell stands between the
// two, reads a pipe that only the test process holds open, and kills the
// server when the pipe closes. So there is nothing to stop, and tests may run
// in parallel. The account is 111122223333.
//
// Where moto_server is not installed the test is skipped, and says so; if the
// environment variable PERMDRIFT_REQUIRE lists moto, the test fails instead.
//
// Not promised: moto's DynamoDB is not atomic. It answers requests in
// parallel threads and checks a condition in one step and writes in another.
// DynamoDB itself is, so a client made from AWSConfig sends its DynamoDB
// requests one after another. Several processes that share one server (Start
// passes the endpoint on to nobody) do not have that protection.
package mototest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Account is the account that the server plays.
const Account = "111122223333"

// Region is the region of AWSConfig.
const Region = "eu-central-1"

// startLimit is how long the server may take to come up on a busy machine.
const startLimit = 60 * time.Second

var errNotInstalled = errors.New("moto_server is not installed (pip install 'moto[server]')")

// server is the one server of this process.
var server = sync.OnceValues(start)

// alive is the pipe whose closing ends the server. It is kept so that nothing
// closes it before the process ends.
var alive io.WriteCloser

// Start returns the URL of the server and starts it if nobody has.
func Start(t testing.TB) string {
	t.Helper()
	endpoint, err := server()
	switch {
	case err == nil:
	case errors.Is(err, errNotInstalled) && !required():
		t.Skipf("skipped: %v", err)
	default:
		t.Fatalf("starting moto_server: %v", err)
	}
	return endpoint
}

// required reports whether PERMDRIFT_REQUIRE lists moto.
func required() bool {
	return slices.Contains(strings.Split(os.Getenv("PERMDRIFT_REQUIRE"), ","), "moto")
}

// guard runs its arguments until its standard input closes.
const guard = `"$@" </dev/null & pid=$!; cat >/dev/null; kill -9 $pid; wait $pid`

func start() (string, error) {
	path, err := exec.LookPath("moto_server")
	if err != nil {
		return "", errNotInstalled
	}
	// Port 0: the system chooses a free port, and no one can take it meanwhile.
	cmd := exec.Command("/bin/sh", "-c", guard, "sh", path, "-H", "127.0.0.1", "-p", "0")
	cmd.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+Account, "PYTHONUNBUFFERED=1")
	if alive, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	output, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	endpoint, err := address(output)
	if err == nil {
		err = answers(endpoint)
	}
	if err != nil {
		err = errors.Join(err, alive.Close())
		return "", err
	}
	return endpoint, nil
}

var running = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// address reads the server's log until it names its address, and goes on
// reading, so that the server never blocks on a full pipe.
func address(log io.Reader) (string, error) {
	found, failed := make(chan string, 1), make(chan string, 1)
	go func() {
		var text strings.Builder
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if m := running.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
				break
			}
			fmt.Fprintln(&text, lines.Text())
		}
		failed <- text.String()
		io.Copy(io.Discard, log) //nolint:errcheck // the log of a server that runs is of no interest
	}()
	select {
	case endpoint := <-found:
		return endpoint, nil
	case text := <-failed:
		select {
		case endpoint := <-found:
			return endpoint, nil
		default:
			return "", fmt.Errorf("it named no address:\n%s", text)
		}
	case <-time.After(startLimit):
		return "", fmt.Errorf("no address within %s", startLimit)
	}
}

// answers waits until the server answers a request.
func answers(endpoint string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/moto-api/", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("no answer within %s: %w", startLimit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// AWSConfig is a configuration for clients of the server at an endpoint, with
// credentials that mean nothing.
func AWSConfig(endpoint string) aws.Config {
	return aws.Config{
		Region:       Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		HTTPClient:   oneByOne{},
	}
}

// dynamo lets one DynamoDB request at a time through; see the package comment.
var dynamo sync.Mutex

type oneByOne struct{}

// Do sends a request, those for DynamoDB one after another.
func (oneByOne) Do(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_") {
		dynamo.Lock()
		defer dynamo.Unlock()
	}
	return http.DefaultClient.Do(r)
}

var tables atomic.Int64

// CreateTable creates a table with the string keys pk and sk and returns its
// name: the given one with a number, since all tests of a process share the
// server. With ttl, items expire by the attribute expires; moto never removes
// them.
func CreateTable(t testing.TB, endpoint, name string, ttl bool) string {
	t.Helper()
	ctx, client := context.Background(), dynamodb.NewFromConfig(AWSConfig(endpoint))
	table := fmt.Sprintf("%s-%d-%d", name, os.Getpid(), tables.Add(1))
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   &table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatalf("creating table %s: %v", table, err)
	}
	if !ttl {
		return table
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String("expires"), Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		t.Fatalf("switching on the time to live of %s: %v", table, err)
	}
	return table
}

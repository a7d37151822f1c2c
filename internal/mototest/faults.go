package mototest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Faults stands between a DynamoDB client and the server and makes go wrong
// what goes wrong on a real network. The zero value changes nothing. Requests
// of other services pass untouched.
type Faults struct {
	mu        sync.Mutex
	lose      int // writes until the one whose answer gets lost
	meanwhile func()
	crash     int // writes until all fail; 0: none does
	throttle  int
	page      int
}

// FaultyConfig is AWSConfig with faults, of which there are none yet. The SDK
// repeats requests as always, but does not wait between them.
func FaultyConfig(endpoint string) (aws.Config, *Faults) {
	faults := &Faults{}
	config := AWSConfig(endpoint)
	config.HTTPClient = faults
	config.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return config, faults
}

// LoseAnswer lets the n-th write from now (1: the next) take effect, then
// calls meanwhile unless it is nil, and then fails the connection.
func (f *Faults) LoseAnswer(n int, meanwhile func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose, f.meanwhile = n, meanwhile
}

// Crash fails all writes from the n-th from now on (1: the next) without
// effect. Crash(0) ends that.
func (f *Faults) Crash(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crash = n
}

// Throttle refuses the next n requests.
func (f *Faults) Throttle(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.throttle = n
}

// PageSize limits how many items a Query or Scan reads in one request.
func (f *Faults) PageSize(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.page = n
}

// fate is what happens to one request.
type fate struct {
	throttled, crashed, lost bool
	meanwhile                func()
	page                     int
}

func (f *Faults) next(operation string) fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.throttle > 0 {
		f.throttle--
		return fate{throttled: true}
	}
	switch operation {
	case "Query", "Scan":
		return fate{page: f.page}
	case "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems":
		return f.nextWrite()
	}
	return fate{}
}

func (f *Faults) nextWrite() (now fate) {
	switch {
	case f.crash > 1:
		f.crash--
	case f.crash == 1:
		return fate{crashed: true}
	}
	if f.lose > 0 {
		if f.lose--; f.lose == 0 {
			now.lost, now.meanwhile = true, f.meanwhile
		}
	}
	return now
}

// Do sends a request, or does what its fate is.
func (f *Faults) Do(r *http.Request) (*http.Response, error) {
	target := r.Header.Get("X-Amz-Target")
	if !strings.HasPrefix(target, "DynamoDB_") {
		return oneByOne{}.Do(r)
	}
	now := f.next(target[strings.IndexByte(target, '.')+1:])
	switch {
	case now.throttled:
		return slowDown(r), nil
	case now.crashed:
		return nil, errors.New("mototest: crashed before the write")
	case now.page > 0:
		if err := limit(r, now.page); err != nil {
			return nil, err
		}
	}
	response, err := oneByOne{}.Do(r)
	if err != nil || !now.lost {
		return response, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	err = errors.Join(err, response.Body.Close())
	if now.meanwhile != nil {
		now.meanwhile()
	}
	return nil, errors.Join(errors.New("mototest: the answer got lost"), err)
}

// slowDown is how DynamoDB refuses a request for the time being.
func slowDown(r *http.Request) *http.Response {
	const body = `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`
	return &http.Response{
		StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:          io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}

// limit puts a Limit into a request.
func limit(r *http.Request, n int) error {
	var input map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&input); err != nil {
		return fmt.Errorf("mototest: reading the request: %w", err)
	}
	input["Limit"] = fmt.Append(nil, n)
	body, err := json.Marshal(input)
	if err != nil {
		return fmt.Errorf("mototest: writing the request: %w", err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

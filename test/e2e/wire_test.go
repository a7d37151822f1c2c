package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// wire stands between one world and moto_server. It counts the calls, and lets
// one request of a service through at a time: moto checks a condition in one
// step and writes in another, where DynamoDB and SQS are atomic, and several
// processes share it here.
type wire struct {
	url   string
	mu    sync.Mutex
	calls map[string]int
}

// lanes are the services that are let through one at a time, for all worlds
// together. SNS delivers into SQS, so both are one lane.
var lanes = map[string]*sync.Mutex{"dynamodb": {}, "sqs": {}}

func newWire(t *testing.T, moto string) *wire {
	t.Helper()
	target, err := url.Parse(moto)
	must(t, "reading the address of moto_server", err)
	w := &wire{calls: map[string]int{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		lane, call, err := name(r)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		w.count(call)
		lanes[lane].Lock()
		defer lanes[lane].Unlock()
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// name is the lane of a request, and its call: "Query TABLE" for DynamoDB, and
// the operation alone for the others.
func name(r *http.Request) (lane, call string, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", "", fmt.Errorf("reading a request: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	target := r.Header.Get("X-Amz-Target")
	service, operation, found := strings.Cut(target, ".")
	if !found { // SNS speaks the query protocol
		form, err := url.ParseQuery(string(body))
		return "sqs", form.Get("Action"), err
	}
	if !strings.HasPrefix(service, "DynamoDB") {
		return "sqs", operation, nil
	}
	var named struct{ TableName string }
	if err := json.Unmarshal(body, &named); err != nil {
		return "", "", fmt.Errorf("reading a request for DynamoDB: %w", err)
	}
	return "dynamodb", strings.TrimSpace(operation + " " + named.TableName), nil
}

func (w *wire) count(call string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[call]++
}

// counted is how many calls there were so far.
func (w *wire) counted() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.calls)
}

package live_test

import (
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// answer answers GetResourcePolicy with what a service that does not know it,
// or a broken one, would say; everything else goes to the service behind it.
type answer struct {
	name   string
	status int
	code   string // header X-Amzn-Errortype
	body   string
	behind aws.HTTPClient
}

func (a answer) Do(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.Path, "/resource-policy/") {
		return a.behind.Do(r)
	}
	response := &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}
	if a.code != "" {
		response.Header.Set("X-Amzn-Errortype", a.code)
	}
	return response, nil
}

// answerTo answers whatever has a text in its path with one body; everything
// else goes to the service behind it.
type answerTo struct {
	path, body string
	behind     aws.HTTPClient
}

func (a answerTo) Do(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.Path, a.path) {
		return a.behind.Do(r)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

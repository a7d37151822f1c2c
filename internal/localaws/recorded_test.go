package localaws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/internal/localaws"
)

const (
	account = "111122223333"
	other   = "444455556666"
	region  = "us-east-1"
)

// expected is how many responses are recorded and replayed. The test fails if
// it compares fewer.
const expected = 139

// notReplayed lists, with the reason, the recorded responses that the test
// leaves out. There are none.
var notReplayed = map[string]string{}

// recordedIn2022 are the cases from before policies had RevisionIds of their
// own; they are replayed with Options.SharedRevisions.
var recordedIn2022 = []string{"test_lambda_permission_versioning", "test_lambda_permission_revisions", "test_add_lambda_permission_optional_fields"}

// addedLater are members of a configuration that AWS did not have in 2022.
var addedLater = []string{"LoggingConfig", "RuntimeVersionConfig", "SnapStart"}

// shared is a file of ../shared; without it the test is skipped, or fails if
// PERMDRIFT_REQUIRE has "shared".
func shared(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", name)
	raw, err := os.ReadFile(path)
	if err == nil {
		return raw
	}
	if slices.Contains(strings.Split(os.Getenv("PERMDRIFT_REQUIRE"), ","), "shared") {
		t.Fatalf("PERMDRIFT_REQUIRE has shared, but: %v", err)
	}
	t.Skipf("the recordings are not here: %v", err)
	return nil
}

func TestRecorded(t *testing.T) {
	var file struct {
		Recorded map[string]struct {
			Content map[string]any `json:"recorded-content"`
		}
	}
	if err := json.Unmarshal(shared(t, "recorded/lambda_permissions.json"), &file); err != nil {
		t.Fatalf("reading the recordings: %v", err)
	}
	compared := 0
	for _, title := range slices.Sorted(maps.Keys(file.Recorded)) {
		_, name, _ := strings.Cut(title, "::")
		t.Run(name, func(t *testing.T) {
			steps, ok := replays[name]
			if !ok {
				t.Fatal("no replay is written for this case")
			}
			old := slices.Contains(recordedIn2022, name)
			r := newReplay(t, old, file.Recorded[title].Content)
			steps(r)
			for answer := range r.want {
				if _, out := notReplayed[name+"/"+answer]; !r.done[answer] && !out {
					t.Errorf("recorded %s was not compared", answer)
				}
			}
			compared += len(r.done)
		})
	}
	if compared != expected {
		t.Errorf("compared %d recorded responses, want %d", compared, expected)
	}
	t.Logf("compared %d recorded responses", compared)
}

// replay is one case under way.
type replay struct {
	*testing.T
	*lambda.Client
	ctx   context.Context
	old   bool
	want  map[string]any
	done  map[string]bool
	bound map[string]string // placeholder → value
	wire  capture
}

// capture keeps the last answer as it came over the wire.
type capture struct {
	status int
	header http.Header
	body   []byte
}

func (c *capture) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if c.body, err = io.ReadAll(answer.Body); err != nil {
		return nil, err
	}
	c.status, c.header = answer.StatusCode, answer.Header
	answer.Body = io.NopCloser(bytes.NewReader(c.body))
	return answer, nil
}

func newReplay(t *testing.T, old bool, want map[string]any) *replay {
	s := localaws.New(localaws.Options{SharedRevisions: old})
	t.Cleanup(s.Close)
	r := &replay{T: t, ctx: t.Context(), old: old, want: want, done: map[string]bool{}, bound: map[string]string{}}
	r.Client = client(s.Start(), "AKIAEXAMPLE", region, func(o *lambda.Options) { o.HTTPClient = &http.Client{Transport: &r.wire} })
	return r
}

// client is an SDK client that does not retry.
func client(url, key, region string, opts ...func(*lambda.Options)) *lambda.Client {
	return lambda.New(lambda.Options{
		Region: region, BaseEndpoint: aws.String(url), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
	}, opts...)
}

// must does a call between the recorded ones.
func must[T any](r *replay, out T, err error) T {
	r.Helper()
	if err != nil {
		r.Fatalf("a call between the recorded ones: %v", err)
	}
	return out
}

// match compares the answer of the call just made with a recorded one.
func match[T any](r *replay, name string, out T, err error) T {
	r.Helper()
	r.compare(name, r.answer(err))
	return out
}

// matchCreated is match for the fixture that wraps CreateFunction's answer.
func matchCreated[T any](r *replay, name string, out T, err error) T {
	r.Helper()
	r.compare(name, map[string]any{"CreateEventSourceMappingResponse": nil, "CreateFunctionResponse": r.answer(err)})
	return out
}

func (r *replay) compare(name string, got map[string]any) {
	r.Helper()
	want, ok := r.want[name].(map[string]any)
	if !ok {
		r.Errorf("%s is not recorded", name)
		return
	}
	if want["ResponseMetadata"] == nil {
		delete(got, "ResponseMetadata") // pages put together by the recorder
	}
	r.done[name] = true
	for _, diff := range r.diff(name, want, got) {
		r.Error(diff)
	}
}

// answer is the last answer in the recordings' form.
func (r *replay) answer(err error) map[string]any {
	r.Helper()
	got := map[string]any{}
	if len(r.wire.body) > 0 {
		if err := json.Unmarshal(r.wire.body, &got); err != nil {
			r.Fatalf("the answer is not JSON: %v: %s", err, r.wire.body)
		}
	}
	for _, key := range []string{"Policy", "Statement"} {
		var inner any
		if s, ok := got[key].(string); ok && json.Unmarshal([]byte(s), &inner) == nil {
			got[key] = inner
		}
	}
	if err != nil {
		got = r.failure(err, got)
	}
	got["ResponseMetadata"] = map[string]any{"HTTPStatusCode": float64(r.wire.status)}
	return got
}

// failure is an error in the recordings' form. The code that the SDK found
// must be the one in the header.
func (r *replay) failure(err error, body map[string]any) map[string]any {
	var e smithy.APIError
	if !errors.As(err, &e) {
		r.Fatalf("not an error of the API: %v", err)
	}
	if code := r.wire.header.Get("X-Amzn-Errortype"); code != e.ErrorCode() {
		r.Errorf("x-amzn-errortype is %q, the SDK reads %q", code, e.ErrorCode())
	}
	if e.ErrorCode() == "ValidationException" { // not a modelled error of Lambda: the recorder drops its members
		body = map[string]any{}
	}
	body["Error"] = map[string]any{"Code": e.ErrorCode(), "Message": e.ErrorMessage()}
	return body
}

// diff compares two JSON values. Placeholders stand for any value, but always
// for the same, and two placeholders of RevisionIds for two.
func (r *replay) diff(path string, want, got any) []string {
	switch want := want.(type) {
	case map[string]any:
		o, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: got %v, want an object", path, got)}
		}
		return r.diffObjects(path, want, o)
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(want) {
			return []string{fmt.Sprintf("%s: got %v, want %d elements", path, got, len(want))}
		}
		var all []string
		for i := range want {
			all = append(all, r.diff(fmt.Sprintf("%s[%d]", path, i), want[i], l[i])...)
		}
		return all
	case string:
		return r.diffStrings(path, want, got)
	}
	if want != got {
		return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
	}
	return nil
}

func (r *replay) diffObjects(path string, want, got map[string]any) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if key == "HTTPHeaders" || key == "RequestId" || key == "RetryAttempts" {
			continue
		}
		if _, ok := got[key]; !ok {
			all = append(all, fmt.Sprintf("%s.%s is missing", path, key))
			continue
		}
		all = append(all, r.diff(path+"."+key, want[key], got[key])...)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok && (!r.old || !slices.Contains(addedLater, key)) {
			all = append(all, fmt.Sprintf("%s.%s = %v is not recorded", path, key, got[key]))
		}
	}
	return all
}

var placeholder = regexp.MustCompile(`<[a-z0-9-]+(?::\d+)?>`)

func (r *replay) diffStrings(path, want string, got any) []string {
	switch want {
	case "date", "<code-size>", "lambda-url", "<location>", "<layer-location>", "<user_arn>":
		if got == nil || got == "" {
			return []string{path + " is empty"}
		}
		return nil
	}
	want = strings.NewReplacer("<partition>", "aws", "<region>", region, "111111111111", account).Replace(want)
	names := placeholder.FindAllString(want, -1)
	var pattern strings.Builder
	for i, literal := range placeholder.Split(want, -1) {
		pattern.WriteString(regexp.QuoteMeta(literal))
		if i < len(names) {
			pattern.WriteString(`([^:]+)`)
		}
	}
	s, _ := got.(string)
	values := regexp.MustCompile("^" + pattern.String() + "$").FindStringSubmatch(s)
	if values == nil {
		return []string{fmt.Sprintf("%s: got %v, want %q", path, got, want)}
	}
	for i, name := range names {
		if failure := r.bind(name, values[i+1]); failure != "" {
			return []string{path + ": " + failure}
		}
	}
	return nil
}

// bind says that a placeholder stands for a value.
func (r *replay) bind(name, value string) string {
	if old, ok := r.bound[name]; ok && old != value {
		return fmt.Sprintf("%s is %s here and %s before", name, value, old)
	}
	for n, v := range r.bound {
		if v == value && n != name && strings.HasPrefix(name, "<uuid:") {
			return fmt.Sprintf("%s and %s are both %s", name, n, value)
		}
	}
	r.bound[name] = value
	return ""
}

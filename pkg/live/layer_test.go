package live_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
)

// share grants everybody of an organization a version of the layer libs.
func (w *world) share(t *testing.T, version int64) {
	t.Helper()
	_, err := w.client.AddLayerVersionPermission(t.Context(), &lambda.AddLayerVersionPermissionInput{
		LayerName: aws.String("libs"), VersionNumber: &version, StatementId: aws.String("all"),
		Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*"), OrganizationId: aws.String("o-exampleorgid"),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLayerVersionIsReadWithOneCall(t *testing.T) {
	w := newWorld(t, localaws.Options{JSONPolicies: true})
	for range 12 {
		w.aws.AddLayer(account, region, "libs")
	}
	w.share(t, 12)
	w.calls()
	layer := "arn:aws:lambda:" + region + ":" + account + ":layer:libs:"
	for _, operation := range []drift.Operation{drift.AddStatement, drift.RemoveStatement, drift.Unreadable, drift.Sweep} {
		for version, want := range map[string]int{"12": 1, "1": 0, "99": 0} {
			s, err := w.reader.State(t.Context(), drift.Change{Subject: drift.Subject(layer + version), Operation: operation})
			got, read := s.Policies[""]
			if err != nil || !read || len(got.Policy.Statements) != want || !s.Whole || len(s.Gaps) != 0 || (got.RevisionID != "") != (want == 1) {
				t.Errorf("%s %s: %+v, %v", operation, version, s, err)
			}
			if calls := w.calls(); !slices.Equal(calls, []string{"GetLayerVersionPolicy"}) {
				t.Errorf("%s: calls = %v", operation, calls)
			}
		}
	}
}

func TestUnreadableLayerPolicyIsAGap(t *testing.T) {
	layer := drift.Subject("arn:aws:lambda:eu-west-1:111122223333:layer:libs:1")
	for code, calls := range map[string]int{"TooManyRequestsException": 5, "AccessDeniedException": 2} {
		w := newWorld(t, localaws.Options{})
		w.aws.Fail("GetLayerVersionPolicy", calls, code)
		s, err := w.reader.State(t.Context(), drift.Change{Subject: layer})
		if err != nil || len(s.Gaps) != 1 || s.Covers("") || !strings.Contains(s.Gaps[0].Reason, code) || w.aws.CountCalls("GetLayerVersionPolicy") != calls {
			t.Errorf("%s: %+v, %v", code, s, err)
		}
	}
	broken := answerTo{path: "/policy", body: `{"Policy":"{"}`}
	s, err := live.New(newClient(broken)).State(t.Context(), drift.Change{Subject: layer})
	if err != nil || len(s.Gaps) != 1 || s.Covers("") {
		t.Errorf("state = %+v, %v", s, err)
	}
	lost := do(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") })
	c := newClock()
	if _, err := live.New(newClient(lost), live.Clock(c.now, c.sleep)).State(t.Context(), drift.Change{Subject: layer}); err == nil || !strings.Contains(err.Error(), string(layer)) {
		t.Errorf("err = %v", err)
	}
}

func TestSubjectsListsLayerVersionsAfterTheFunctions(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	for i := range 60 {
		w.aws.AddLayer(account, region, fmt.Sprintf("single-%02d", i))
	}
	for range 60 {
		w.aws.AddLayer(account, region, "libs")
	}
	w.aws.AddLayer("444455556666", region, "foreign")
	w.aws.Fail("ListLayerVersions", 1, "TooManyRequestsException")
	var all []drift.Subject
	for s, err := range w.reader.Subjects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if len(all) != 121 || all[0] != drift.Subject(w.orders) || !slices.Contains(all, "arn:aws:lambda:eu-west-1:111122223333:layer:libs:1") {
		t.Errorf("%d subjects, first %s", len(all), all[0])
	}
	for _, s := range all[1:] {
		if s.Kind() != drift.LayerVersion || strings.Count(s.Name(), ":") != 1 {
			t.Errorf("%s is not a layer version", s)
		}
	}
	for op, want := range map[string]int{"ListLayers": 2, "ListLayerVersions": 61 + 1 + 1} {
		if n := w.aws.CountCalls(op); n != want {
			t.Errorf("%s: %d calls, want %d", op, n, want)
		}
	}
}

func TestSubjectsEndsWithTheErrorOfALayer(t *testing.T) {
	for op, want := range map[string]int{"ListLayers": 1, "ListLayerVersions": 1} {
		w := newWorld(t, localaws.Options{})
		w.aws.AddLayer(account, region, "libs")
		w.aws.AddLayer(account, region, "tools")
		w.aws.Fail(op, 2, "AccessDeniedException")
		var subjects int
		var last error
		for _, err := range w.reader.Subjects(t.Context()) {
			if last != nil {
				t.Error("it goes on after the error")
			}
			if last = err; err == nil {
				subjects++
			}
		}
		if subjects != want || !errors.Is(last, drift.ErrDenied) || !strings.Contains(last.Error(), "layer versions") {
			t.Errorf("%s: %d subjects, last error %v", op, subjects, last)
		}
	}
}

func TestSubjectsStopsAmongTheLayersWhenTheCallerDoes(t *testing.T) {
	w := newWorld(t, localaws.Options{})
	w.aws.AddLayer(account, region, "libs")
	w.aws.AddLayer(account, region, "tools")
	for s := range w.reader.Subjects(t.Context()) {
		if s.Kind() == drift.LayerVersion {
			break
		}
	}
	if got := w.calls(); !slices.Equal(got, []string{"ListFunctions", "ListLayers", "ListLayerVersions"}) {
		t.Errorf("calls = %v", got)
	}
}

package localaws_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/internal/localaws"
)

func TestMappingsOfQualifiersAreASwitch(t *testing.T) {
	for _, shown := range []bool{false, true} {
		s, c, fn := start(t, localaws.Options{MappingsOfQualifiers: shown})
		s.AddAlias(fn, "live", s.AddVersion(fn))
		s.AddFunction(account, region, "orders-2")
		for _, feeds := range []string{"orders", "orders:live", "orders-2"} {
			if _, err := c.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{FunctionName: &feeds, EventSourceArn: aws.String("arn:aws:sqs:us-east-1:111122223333:q")}); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range map[string]int{"": 3, "orders": 1, "orders:live": 1, "orders-2": 1} {
			in := &lambda.ListEventSourceMappingsInput{FunctionName: &name}
			if name == "" {
				in.FunctionName = nil
			}
			if name == "orders" && shown {
				want = 2
			}
			if out, err := c.ListEventSourceMappings(t.Context(), in); err != nil || len(out.EventSourceMappings) != want {
				t.Errorf("shown %t, %q: %d mappings, want %d; %v", shown, name, len(out.EventSourceMappings), want, err)
			}
		}
	}
}

func TestMappingStatesAndStaleReads(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	id := s.AddMapping(fn, "arn:aws:sqs:us-east-1:111122223333:q")
	state := func() string {
		t.Helper()
		out, err := c.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: &id})
		if err != nil {
			return code(err)
		}
		return *out.State
	}
	s.StaleFor("GetEventSourceMapping", 1)
	if got := state(); got != "ResourceNotFoundException" {
		t.Errorf("stale: %s", got)
	}
	s.SetMappingState(id, "Deleting")
	s.StaleFor("GetEventSourceMapping", 1)
	if stale, fresh := state(), state(); stale != "Enabled" || fresh != "Deleting" {
		t.Errorf("stale %s, fresh %s", stale, fresh)
	}
}

func TestMappingsComeInPagesOfAHundred(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	for i := range 150 {
		s.AddMapping(fn, fmt.Sprintf("arn:aws:sqs:us-east-1:111122223333:q-%d", i))
	}
	first, err := c.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{})
	if err != nil || len(first.EventSourceMappings) != 100 || first.NextMarker == nil {
		t.Fatalf("first page: %v, %v", first, err)
	}
	second, err := c.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{Marker: first.NextMarker})
	if err != nil || len(second.EventSourceMappings) != 50 || second.NextMarker != nil {
		t.Errorf("second page: %v, %v", second, err)
	}
}

func TestAPublishedVersionKeepsItsRole(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	version := s.AddVersion(fn)
	const wider = "arn:aws:iam::111122223333:role/admin"
	if _, err := c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &fn, Role: aws.String(wider)}); err != nil {
		t.Fatal(err)
	}
	out, err := c.ListVersionsByFunction(t.Context(), &lambda.ListVersionsByFunctionInput{FunctionName: &fn})
	if err != nil || len(out.Versions) != 2 || *out.Versions[0].Role != wider || *out.Versions[1].Version != version || *out.Versions[1].Role == wider {
		t.Errorf("versions: %v, %v", out, err)
	}
}

func TestReservedConcurrency(t *testing.T) {
	_, c, fn := start(t, localaws.Options{})
	reserved := func() *int32 {
		t.Helper()
		out, err := c.GetFunctionConcurrency(t.Context(), &lambda.GetFunctionConcurrencyInput{FunctionName: &fn})
		if err != nil {
			t.Fatal(err)
		}
		return out.ReservedConcurrentExecutions
	}
	if got := reserved(); got != nil {
		t.Errorf("at first %d", *got)
	}
	if _, err := c.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: &fn, ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	if got := reserved(); got == nil || *got != 0 {
		t.Errorf("stopped: %v", got)
	}
	if _, err := c.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: &fn}); err != nil || reserved() != nil {
		t.Errorf("deleted: %v, %v", reserved(), err)
	}
}

func TestDeletedLayerVersionAndTagAreGone(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	s.AddLayer(account, region, "libs")
	for range 2 { // the second finds nothing, which is no error
		if _, err := c.DeleteLayerVersion(t.Context(), &lambda.DeleteLayerVersionInput{LayerName: aws.String("libs"), VersionNumber: aws.Int64(1)}); err != nil {
			t.Error(err)
		}
	}
	if out, err := c.ListLayers(t.Context(), &lambda.ListLayersInput{}); err != nil || len(out.Layers) != 0 {
		t.Errorf("layers: %v, %v", out, err)
	}
	if arn := s.AddLayer(account, region, "libs"); !strings.HasSuffix(arn, ":libs:2") {
		t.Errorf("a number came twice: %s", arn)
	}
	s.SetTag(fn, "owner", "ann")
	if _, err := c.UntagResource(t.Context(), &lambda.UntagResourceInput{Resource: &fn, TagKeys: []string{"owner"}}); err != nil {
		t.Error(err)
	}
	if out, err := c.ListTags(t.Context(), &lambda.ListTagsInput{Resource: &fn}); err != nil || len(out.Tags) != 0 {
		t.Errorf("tags: %v, %v", out, err)
	}
}

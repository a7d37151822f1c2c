package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/drift"
)

// uuid is the mapping that a change names, or "".
func uuid(c drift.Change) string {
	if c.Config != nil && c.Config.Mapping != nil && c.Config.Mapping.UUID != "" {
		return c.Config.Mapping.UUID
	}
	return c.Detail["uuid"]
}

// readMapping reads one mapping into the state: nil if there is none, or if it
// feeds another function. Without a UUID all mappings of the function are read.
func (r *reader) readMapping(ctx context.Context, uuid string) error {
	if uuid == "" {
		return r.readMappings(ctx, 0)
	}
	r.state.Mappings = map[string]*drift.PlacedMapping{}
	var out *lambda.GetEventSourceMappingOutput
	err := r.lambda.call(ctx, "GetEventSourceMapping", r.others, func() (err error) {
		out, err = r.target.api.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &uuid}, once)
		return err
	})
	if isMissing(err) {
		r.state.Mappings[uuid] = nil
		return nil
	}
	var feeds drift.Subject
	var m *drift.PlacedMapping
	if err == nil {
		feeds, m, err = newMapping("GetEventSourceMapping", types.EventSourceMappingConfiguration{
			UUID: &uuid, FunctionArn: out.FunctionArn, State: out.State,
			EventSourceArn: out.EventSourceArn, SelfManagedEventSource: out.SelfManagedEventSource,
		})
	}
	if err != nil {
		if err := r.gap(err, drift.Gap{Aspect: drift.Mappings}); err != nil {
			return fmt.Errorf("event source mapping %s: %w", uuid, err)
		}
		return nil
	}
	if feeds != r.subject {
		m = nil
	}
	r.state.Mappings[uuid] = m
	return nil
}

// readMappings reads all mappings of the function into the state, from a
// listing that is younger than age.
func (r *reader) readMappings(ctx context.Context, age time.Duration) error {
	all, err := r.accountMappings(ctx, age)
	if err != nil {
		if err := r.gap(err, drift.Gap{Aspect: drift.Mappings}); err != nil {
			return fmt.Errorf("event source mappings: %w", err)
		}
		return nil
	}
	r.state.Mappings = map[string]*drift.PlacedMapping{}
	for _, m := range all[r.subject] {
		r.state.Mappings[m.UUID] = &m
	}
	r.listed(drift.Mappings)
	return nil
}

// accountMappings are all mappings of the account and region, by function.
func (r *reader) accountMappings(ctx context.Context, age time.Duration) (map[drift.Subject][]drift.PlacedMapping, error) {
	return r.target.mappings.get(ctx, "ListEventSourceMappings", r.lambda.now, age, func() (map[drift.Subject][]drift.PlacedMapping, error) {
		all := map[drift.Subject][]drift.PlacedMapping{}
		listing := pages(ctx, r.lambda, "ListEventSourceMappings", r.others, func(marker *string) ([]types.EventSourceMappingConfiguration, *string, error) {
			out, err := r.target.api.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{Marker: marker}, once)
			if err != nil {
				return nil, nil, err
			}
			return out.EventSourceMappings, out.NextMarker, nil
		})
		for c, err := range listing {
			if err != nil {
				return nil, err
			}
			feeds, m, err := newMapping("ListEventSourceMappings", c)
			if err != nil {
				return nil, err
			}
			if m != nil {
				all[feeds] = append(all[feeds], *m)
			}
		}
		return all, nil
	})
}

// newMapping is a mapping as the service describes it and the function that it
// feeds. One that is being deleted is nil.
func newMapping(operation string, c types.EventSourceMappingConfiguration) (drift.Subject, *drift.PlacedMapping, error) {
	feeds, at, err := parseFunction(operation, c.FunctionArn)
	if err != nil {
		return "", nil, err
	}
	state := aws.ToString(c.State)
	if state == "Deleting" {
		return feeds, nil, nil
	}
	return feeds, &drift.PlacedMapping{Place: at, Mapping: drift.Mapping{
		UUID: aws.ToString(c.UUID), Source: source(c), Enabled: state != "Disabled" && state != "Disabling",
	}}, nil
}

// source names the event source of a mapping.
func source(c types.EventSourceMappingConfiguration) string {
	if arn := aws.ToString(c.EventSourceArn); arn != "" {
		return arn
	}
	var texts []string
	if own := c.SelfManagedEventSource; own != nil {
		for kind, addresses := range own.Endpoints {
			if len(addresses) == 0 {
				continue
			}
			scheme := strings.ToLower(kind)
			if kind == string(types.EndPointTypeKafkaBootstrapServers) {
				scheme = "kafka"
			}
			texts = append(texts, scheme+"://"+strings.Join(slices.Compact(slices.Sorted(slices.Values(addresses))), ","))
		}
	}
	if len(texts) == 0 {
		return "unknown://" + aws.ToString(c.UUID)
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

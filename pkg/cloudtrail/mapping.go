package cloudtrail

import (
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// putMapping decodes CreateEventSourceMapping and UpdateEventSourceMapping.
func putMapping(r *record) ([]drift.Change, error) {
	return r.eventSourceMapping(drift.PutMapping, r.claimedMapping())
}

// deleteMapping decodes DeleteEventSourceMapping, of which the UUID is enough.
func deleteMapping(r *record) ([]drift.Change, error) {
	claim := r.claimedMapping()
	if uuid := r.mappingID(); claim == nil && uuid != "" {
		claim = &drift.Config{Mapping: &drift.Mapping{UUID: uuid}}
	}
	if claim != nil {
		claim.Mapping.Enabled = false
	}
	return r.eventSourceMapping(drift.DeleteMapping, claim)
}

// eventSourceMapping is the change of an event source mapping, at the place that
// it feeds. The call may name only the mapping, by its uuid; then the response
// has to name the function.
func (r *record) eventSourceMapping(operation drift.Operation, claim *drift.Config) ([]drift.Change, error) {
	detail := details(r.response, "uuid", "eventSourceArn", "state")
	maps.Copy(detail, r.details("uuid", "eventSourceArn", "enabled"))
	subject, place, err := r.function(r.response.str("functionArn"))
	if err != nil && detail["uuid"] != "" {
		changes := r.unreadable("the event names an event source mapping by its uuid only, and no function")
		for i := range changes {
			changes[i].Detail = detail
		}
		return changes, nil
	}
	if err != nil {
		return nil, err
	}
	return []drift.Change{{Subject: subject, Place: place, Operation: operation, Detail: detail, Config: claim}}, nil
}

// mappingID is the UUID of the mapping, which responses spell uUID.
func (r *record) mappingID() string {
	return first(r.response.str("uuid"), r.request.str("uuid"))
}

// claimedMapping is the mapping that the call left behind; nil where nothing
// says what its source is.
func (r *record) claimedMapping() *drift.Config {
	source := first(
		r.response.str("eventSourceArn"), r.request.str("eventSourceArn"),
		selfManaged(r.response), selfManaged(r.request))
	if source == "" {
		return nil
	}
	return &drift.Config{Mapping: &drift.Mapping{UUID: r.mappingID(), Source: source, Enabled: r.mappingEnabled()}}
}

// mappingEnabled reports whether the mapping works from now on: as was asked
// for, else as the state in the response says, else yes, which is the default.
func (r *record) mappingEnabled() bool {
	if asked := r.request.str("enabled"); asked != "" {
		return isTrue(asked)
	}
	switch r.response.str("state") {
	case "Disabled", "Disabling", "Deleting":
		return false
	}
	return true
}

// selfManaged is the source of a mapping of brokers that AWS does not run, in
// one spelling: kafka://host1:9092,host2:9092, sorted. Kafka is the only kind.
func selfManaged(o object) string {
	hosts := o.obj("selfManagedEventSource").obj("endpoints").list("KAFKA_BOOTSTRAP_SERVERS")
	if len(hosts) == 0 {
		return ""
	}
	return "kafka://" + strings.Join(slices.Compact(slices.Sorted(slices.Values(hosts))), ",")
}

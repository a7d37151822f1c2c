package localaws

import (
	"maps"
	"strings"
	"time"
)

func (s *Server) createMapping(q *request) (any, *apiError) {
	n, err := s.resolve(q, text(q.body, "FunctionName"), "")
	if err != nil {
		return nil, err
	}
	f := q.st.functions[n.function]
	if f == nil || f.place(n.qualifier) == nil {
		return nil, invalid("Function does not exist")
	}
	source := text(q.body, "EventSourceArn")
	for id, m := range q.st.mappings {
		if source != "" && text(m, "EventSourceArn") == source && text(m, "FunctionArn") == n.arn() {
			return nil, conflict("The event source arn (\" %s \") and function (\" %s \") provided mapping already exists. Please update or delete the existing mapping with UUID %s", source, n.function, id)
		}
	}
	m := s.newMapping(q.home, n.arn(), q.body)
	answer := maps.Clone(m)
	answer["State"] = "Creating"
	return answer, nil
}

// newMapping stores a mapping with what the caller configured.
func (s *Server) newMapping(h home, function string, body object) object {
	id := newID()
	m := object{
		"UUID": id, "FunctionArn": function,
		"EventSourceMappingArn": "arn:" + partition(h.region) + ":lambda:" + h.region + ":" + h.account + ":event-source-mapping:" + id,
		"BatchSize":             100, "MaximumBatchingWindowInSeconds": 0,
		"StateTransitionReason": "USER_INITIATED", "LastProcessingResult": "No records processed",
	}
	if strings.Contains(text(body, "EventSourceArn"), ":sqs:") {
		m["BatchSize"] = 10
		delete(m, "LastProcessingResult")
	}
	s.setMapping(m, body)
	setDefault(m, "State", "Enabled")
	st := s.store(h.account, h.region)
	st.saveMapping(id)
	st.mappings[id] = m
	return m
}

// setMapping takes the caller's configuration.
func (s *Server) setMapping(m, body object) {
	for key, v := range body {
		switch key {
		case "FunctionName", "Enabled", "Tags", "UUID":
		default:
			m[key] = v
		}
	}
	switch body["Enabled"] {
	case true:
		m["State"] = "Enabled"
	case false:
		m["State"] = "Disabled"
	}
	m["LastModified"] = float64(s.now().UnixMilli()) / 1000
}

// mapping is the mapping that the call names; it must exist.
func (q *request) mapping() (object, *apiError) {
	if m := q.st.mapping(q.params["UUID"], q.stale); m != nil {
		return m, nil
	}
	return nil, missing()
}

func (s *Server) getMapping(q *request) (any, *apiError) {
	m, err := q.mapping()
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (s *Server) updateMapping(q *request) (any, *apiError) {
	m, err := q.mapping()
	if err != nil {
		return nil, err
	}
	function := text(m, "FunctionArn")
	if spelled := text(q.body, "FunctionName"); spelled != "" {
		n, err := s.resolve(q, spelled, "")
		if err != nil {
			return nil, err
		}
		if q.st.functions[n.function] == nil {
			return nil, invalid("Function does not exist")
		}
		function = n.arn()
	}
	q.st.saveMapping(text(m, "UUID"))
	s.setMapping(m, q.body)
	m["FunctionArn"] = function
	answer := maps.Clone(m)
	answer["State"] = "Updating"
	return answer, nil
}

func (s *Server) deleteMapping(q *request) (any, *apiError) {
	m, err := q.mapping()
	if err != nil {
		return nil, err
	}
	q.st.saveMapping(text(m, "UUID"))
	delete(q.st.mappings, text(m, "UUID"))
	answer := maps.Clone(m)
	answer["State"] = "Deleting"
	return answer, nil
}

func (s *Server) listMappings(q *request) (any, *apiError) {
	feeds := func(object) bool { return true }
	if spelled := q.query.Get("FunctionName"); spelled != "" {
		n, err := s.resolve(q, spelled, "")
		if err != nil {
			return nil, err
		}
		if q.st.functions[n.function] == nil {
			return nil, notFound("Function not found: %s", n.arn())
		}
		feeds = func(m object) bool {
			fed := text(m, "FunctionArn")
			return fed == n.arn() || s.options.MappingsOfQualifiers && n.qualifier == "" && strings.HasPrefix(fed, n.arn()+":")
		}
	}
	source := q.query.Get("EventSourceArn")
	var all []item
	for id, m := range q.st.mappings {
		if feeds(m) && (source == "" || text(m, "EventSourceArn") == source) {
			all = append(all, item{id, m})
		}
	}
	return q.page("EventSourceMappings", all, 100)
}

// spoken is a time as CloudTrail writes that of a mapping.
func spoken(seconds float64) string {
	return time.UnixMilli(int64(seconds * 1000)).UTC().Format("Jan 2, 2006 3:04:05 PM")
}

package localaws

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// trail is a CloudTrail record, in the order in which CloudTrail writes it.
type trail struct {
	Version      string          `json:"eventVersion"`
	UserIdentity json.RawMessage `json:"userIdentity"`
	Time         string          `json:"eventTime"`
	Source       string          `json:"eventSource"`
	Name         string          `json:"eventName"`
	Region       string          `json:"awsRegion"`
	SourceIP     string          `json:"sourceIPAddress"`
	UserAgent    string          `json:"userAgent"`
	Request      any             `json:"requestParameters"`
	Response     any             `json:"responseElements"`
	RequestID    string          `json:"requestID"`
	EventID      string          `json:"eventID"`
	ReadOnly     bool            `json:"readOnly"`
	Type         string          `json:"eventType"`
	Management   bool            `json:"managementEvent"`
	Recipient    string          `json:"recipientAccountId"`
	Category     string          `json:"eventCategory"`
}

// record is the record of a successful call.
func (s *Server) record(q *request, answer any, id string) *trail {
	params := object{}
	maps.Copy(params, q.body)
	for k, v := range q.query {
		params[k] = v[0]
	}
	for k, v := range q.params {
		params[k] = v
	}
	if n, err := strconv.Atoi(q.params["VersionNumber"]); err == nil {
		params["VersionNumber"] = n
	}
	request := recorded(params)
	if uuid, ok := request["uUID"]; ok {
		request["uuid"] = uuid
		delete(request, "uUID")
	}
	var response any
	if o, ok := answer.(object); ok {
		response = recorded(o)
	}
	return &trail{
		Version: "1.11", UserIdentity: q.caller.UserIdentity, Time: s.now().UTC().Format(time.RFC3339),
		Source: "lambda.amazonaws.com", Name: q.op.event, Region: q.region, SourceIP: "198.51.100.7", UserAgent: q.agent,
		Request: request, Response: response, RequestID: id, EventID: newID(),
		Type: "AwsApiCall", Management: true, Recipient: q.account, Category: "Management",
	}
}

// recorded spells an object as CloudTrail does: keys begin in lower case,
// environments are empty, code is left out.
func recorded(o object) object {
	out := object{}
	for key, v := range o {
		lower := lowerFirst(key)
		switch key {
		case "ZipFile":
		case "Environment":
			out[lower] = object{}
		case "Tags", "AdditionalVersionWeights":
			out[lower] = v
		case "LastModified":
			out[lower] = v
			if seconds, ok := v.(float64); ok {
				out[lower] = spoken(seconds)
			}
		default:
			out[lower] = recordedValue(v)
		}
	}
	return out
}

func recordedValue(v any) any {
	switch v := v.(type) {
	case object:
		return recorded(v)
	case []object:
		var list []any
		for _, e := range v {
			list = append(list, recorded(e))
		}
		return list
	case []any:
		list := make([]any, 0, len(v))
		for _, e := range v {
			list = append(list, recordedValue(e))
		}
		return list
	}
	return v
}

func lowerFirst(key string) string { return strings.ToLower(key[:1]) + key[1:] }

// emit hands a record to Options.OnRecord.
func (s *Server) emit(t *trail) {
	s.mu.Lock()
	hook := s.options.OnRecord
	s.mu.Unlock()
	if hook == nil {
		return
	}
	raw, err := encode(t)
	if err != nil {
		panic(fmt.Sprintf("localaws: writing the record of %s: %v", t.Name, err)) // all of it came in as JSON
	}
	hook(raw)
}

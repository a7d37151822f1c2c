package localaws

import (
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
)

// item is one entry of a list, with the key that orders the list.
type item struct {
	key   string
	value any
}

// page cuts a list, ordered by key, after Marker and at MaxItems. A page holds
// at most most items.
func (q *request) page(member string, all []item, most int) (any, *apiError) {
	size := most
	if given := q.query.Get("MaxItems"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > 10000 {
			return nil, fault("ValidationException", "1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 10000", given)
		}
		size = min(size, n)
	}
	marker, err := base64.RawURLEncoding.DecodeString(q.query.Get("Marker"))
	if err != nil {
		return nil, invalid("Invalid marker: %s", q.query.Get("Marker"))
	}
	slices.SortFunc(all, func(a, b item) int { return cmp.Compare(a.key, b.key) })
	from, _ := slices.BinarySearchFunc(all, string(marker)+"\x00", func(a item, key string) int { return cmp.Compare(a.key, key) })
	if len(marker) == 0 {
		from = 0
	}
	to := min(from+size, len(all))
	values := make([]any, 0, to-from)
	for _, it := range all[from:to] {
		values = append(values, it.value)
	}
	answer := object{member: values}
	if to < len(all) {
		answer["NextMarker"] = base64.RawURLEncoding.EncodeToString([]byte(all[to-1].key))
	}
	return answer, nil
}

// versionKey orders versions by number, $LATEST first.
func versionKey(version string) string {
	n, _ := strconv.Atoi(version) // $LATEST is 0
	return strconv.Itoa(1_000_000_000 + n)
}

// listed is a configuration as lists show it: without the states.
func listed(c object, arn string) object {
	c = maps.Clone(c)
	for _, key := range []string{"State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"} {
		delete(c, key)
	}
	c["FunctionArn"] = arn
	return c
}

// allVersions are $LATEST and the published versions of a function, each
// under its qualified ARN.
func (f *function) allVersions(prefix string) []item {
	arn := text(f.latest, "FunctionArn")
	all := []item{{prefix + versionKey(latest), listed(f.latest, arn+":"+latest)}}
	for v, c := range f.versions {
		all = append(all, item{prefix + versionKey(v), listed(c, arn+":"+v)})
	}
	return all
}

func (s *Server) listFunctions(q *request) (any, *apiError) {
	var all []item
	for n, f := range q.st.functions {
		if q.query.Get("FunctionVersion") == "ALL" {
			all = append(all, f.allVersions(n+"\x00")...)
		} else {
			all = append(all, item{n, listed(f.latest, text(f.latest, "FunctionArn"))})
		}
	}
	return q.page("Functions", all, 50)
}

func (s *Server) listVersions(q *request) (any, *apiError) {
	_, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	return q.page("Versions", f.allVersions(""), 50)
}

func (s *Server) listAliases(q *request) (any, *apiError) {
	_, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	var all []item
	version := q.query.Get("FunctionVersion")
	for n, a := range f.aliases {
		if version == "" || text(a, "FunctionVersion") == version {
			all = append(all, item{n, a})
		}
	}
	return q.page("Aliases", all, 50)
}

func (s *Server) listURLs(q *request) (any, *apiError) {
	n, err := s.target(q)
	if err != nil {
		return nil, err
	}
	f := q.st.function(n.function, q.stale)
	if f == nil {
		return nil, notFound("Function does not exist")
	}
	var all []item
	for qualifier, u := range f.urls {
		all = append(all, item{"/" + qualifier, u})
	}
	return q.page("FunctionUrlConfigs", all, 50)
}

func (s *Server) listTags(q *request) (any, *apiError) {
	_, f, err := s.tagged(q)
	if err != nil {
		return nil, err
	}
	if f.tags == nil {
		return object{"Tags": object{}}, nil
	}
	return object{"Tags": f.tags}, nil
}

func (s *Server) tagResource(q *request) (any, *apiError) {
	n, f, err := s.tagged(q)
	if err != nil {
		return nil, err
	}
	q.st.save(n.function)
	f.setTags(q.body["Tags"])
	return nil, nil
}

func (s *Server) untagResource(q *request) (any, *apiError) {
	n, f, err := s.tagged(q)
	if err != nil {
		return nil, err
	}
	q.st.save(n.function)
	for _, key := range q.query["tagKeys"] {
		delete(f.tags, key)
	}
	return nil, nil
}

func (s *Server) tagged(q *request) (name, *function, *apiError) {
	n, err := splitARN(q.params["Resource"])
	if err != nil || n.qualifier != "" {
		return n, nil, invalid("Tags on function aliases and versions are not supported. Please specify either a function ARN or an event source mapping ARN.")
	}
	if err := s.reach(q, &n); err != nil {
		return n, nil, err
	}
	f := q.st.function(n.function, q.stale)
	if f == nil {
		return n, nil, notFound("Function not found: %s", n.arn())
	}
	return n, f, nil
}

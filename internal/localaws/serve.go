package localaws

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is the largest request that is read, in bytes.
const maxBody = 70 << 20

// request is one call, taken apart.
type request struct {
	op     *operation
	caller Caller
	home
	params map[string]string // from the path
	query  url.Values
	body   object
	agent  string
	stale  bool // answer the state before the last write
	st     *store
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newID()
	w.Header().Set("X-Amzn-Requestid", id)
	q, failure := s.read(r)
	if failure != nil {
		writeError(w, failure)
		return
	}
	if q.op == nil {
		s.serveSTS(w, q, id)
		return
	}
	status, answer, record, failure := s.call(q, id)
	if record != nil {
		s.emit(record)
	}
	if failure != nil {
		writeError(w, failure)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the caller went away: nothing to tell
}

func writeError(w http.ResponseWriter, e *apiError) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", e.code)
	w.WriteHeader(e.status)
	_, _ = w.Write(e.body())
}

// read takes a request apart. A request for STS has no operation.
func (s *Server) read(r *http.Request) (*request, *apiError) {
	key, region, service := scope(r.Header.Get("Authorization"))
	if key == "" {
		return nil, fault("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, fault("ServiceException", "reading the request: %v", err)
	}
	q := &request{query: r.URL.Query(), body: object{}, agent: r.UserAgent()}
	q.caller = s.caller(key)
	q.home = home{q.caller.Account, region}
	if service == "sts" {
		q.query, err = url.ParseQuery(string(raw))
		if err != nil {
			return nil, fault("ValidationException", "reading the form: %v", err)
		}
		return q, nil
	}
	q.op, q.params = route(r.Method, r.URL.EscapedPath())
	if len(raw) > 0 && json.Unmarshal(raw, &q.body) != nil {
		return nil, fault("SerializationException", "the request's body is not a JSON object")
	}
	return q, s.known(q, r)
}

// known says whether the operation exists in this region.
func (s *Server) known(q *request, r *http.Request) *apiError {
	s.mu.Lock()
	jsonPolicies := s.options.JSONPolicies
	s.mu.Unlock()
	switch {
	case q.op == nil:
		return fault("UnknownOperationException", "localaws does not implement %s (%s %s)", operationName(r.Method, r.URL.EscapedPath()), r.Method, r.URL.Path)
	case q.op.json && !jsonPolicies:
		return fault("UnknownOperationException", "this region does not know %s", q.op.name)
	}
	return nil
}

// scope is the access key id, region and service of a SigV4 Authorization
// header; the signature is not checked.
func scope(authorization string) (key, region, service string) {
	_, credential, _ := strings.Cut(authorization, "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	p := strings.Split(credential, "/")
	if len(p) < 5 {
		return "", "", ""
	}
	return p[len(p)-5], p[len(p)-3], p[len(p)-2]
}

// call does a call: log, hook, quota, injected fault, operation, record.
func (s *Server) call(q *request, id string) (status int, answer []byte, record *trail, failure *apiError) {
	index, hook, logged := s.log(q)
	if hook != nil {
		hook(logged)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status = q.op.status
	defer func() {
		if failure != nil {
			status = failure.status
		}
		if index < len(s.calls) {
			s.calls[index].Status = status
		}
	}()
	if failure = s.refuse(q); failure != nil {
		return status, nil, nil, failure
	}
	q.st = s.store(q.account, q.region)
	q.stale = s.isStale(q.op)
	result, failure := q.op.do(s, q)
	if failure != nil {
		return status, nil, nil, failure
	}
	if q.op.event != "" && s.options.OnRecord != nil {
		record = s.record(q, result, id)
	}
	if failure = s.inject(q.op.name, true); failure != nil {
		return status, nil, record, failure
	}
	if result == nil {
		return status, nil, record, nil
	}
	answer, err := encode(result)
	if err != nil {
		return status, nil, record, fault("ServiceException", "writing the answer of %s: %v", q.op.name, err)
	}
	return status, answer, record, nil
}

// refuse is the quota and the injected faults.
func (s *Server) refuse(q *request) *apiError {
	if !s.allow(q) {
		return throttled()
	}
	return s.inject(q.op.name, false)
}

// target finds the function that a call names. The qualifier may be in the
// name, apart, or both if they agree.
func (s *Server) target(q *request) (name, *apiError) {
	return s.resolve(q, q.params["FunctionName"], q.query.Get("Qualifier"))
}

func (s *Server) resolve(q *request, spelled, qualifier string) (name, *apiError) {
	n, err := parseName(spelled)
	if err != nil {
		return n, err
	}
	if qualifier != "" && !qualifierExpr.MatchString(qualifier) {
		return n, constraint("qualifier", qualifier, qualifierPattern)
	}
	if n.qualifier != "" && qualifier != "" && n.qualifier != qualifier {
		return n, invalid("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if n.qualifier == "" {
		n.qualifier = qualifier
	}
	return n, s.reach(q, &n)
}

// reach fills in account and region, and says whether the caller gets there.
func (s *Server) reach(q *request, n *name) *apiError {
	if n.region != "" && n.region != q.region {
		return notFound("Functions from '%s' are not reachable in this region ('%s')", n.region, q.region)
	}
	if n.account != "" && n.account != q.account {
		return fault("AccessDeniedException", "User: %s is not authorized to perform: lambda:%s on resource: %s because no resource-based policy allows the lambda:%s action",
			q.caller.ARN, q.op.name, functionARN(n.account, q.region, n.function, n.qualifier), q.op.name)
	}
	n.region, n.account = q.region, q.account
	return nil
}

func (n name) arn() string { return functionARN(n.account, n.region, n.function, n.qualifier) }

// function is the function that the call names; it must exist.
func (s *Server) function(q *request) (name, *function, *apiError) {
	n, err := s.target(q)
	if err != nil {
		return n, nil, err
	}
	f := q.st.function(n.function, q.stale)
	if f == nil {
		return n, nil, notFound("Function not found: %s", n.arn())
	}
	return n, f, nil
}

// decode reads the members of the body into v.
func (q *request) decode(v any) *apiError {
	raw, err := json.Marshal(q.body)
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fault("SerializationException", "reading the parameters of %s: %v", q.op.name, err)
	}
	return nil
}

// isLatest says whether a RevisionId that a caller gave is absent or the latest.
func isLatest(given, current string) bool { return given == "" || given == current }

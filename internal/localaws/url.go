package localaws

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"strings"
	"time"
)

// urlTarget finds the function, and the alias if the call names one, whose URL
// the call is about.
func (s *Server) urlTarget(q *request, none *apiError) (name, *function, *apiError) {
	n, err := s.target(q)
	if err != nil {
		return n, nil, err
	}
	if n.qualifier != "" && !isAlias(n.qualifier) {
		return n, nil, constraint("qualifier", n.qualifier, urlPattern)
	}
	f := q.st.function(n.function, q.stale)
	if f == nil || f.place(n.qualifier) == nil {
		return n, nil, none
	}
	return n, f, nil
}

func (s *Server) createURL(q *request) (any, *apiError) {
	n, f, err := s.urlTarget(q, notFound("Function does not exist"))
	if err != nil {
		return nil, err
	}
	if err := checkAuthType(q.body, true); err != nil {
		return nil, err
	}
	if f.urls[n.qualifier] != nil {
		return nil, conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", n.arn())
	}
	q.st.save(n.function)
	return s.addURL(f, n, q.body), nil
}

func checkAuthType(body object, required bool) *apiError {
	auth := text(body, "AuthType")
	if auth == "NONE" || auth == "AWS_IAM" || auth == "" && !required {
		return nil
	}
	return fault("ValidationException", "1 validation error detected: Value '%s' at 'authType' failed to satisfy constraint: Member must satisfy enum value set: [NONE, AWS_IAM]", auth)
}

// addURL gives a place its URL and returns the answer of the call.
func (s *Server) addURL(f *function, n name, body object) object {
	at := s.now().UTC().Format(time.RFC3339Nano)
	sum := sha256.Sum256([]byte(n.arn()))
	id := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
	u := object{
		"FunctionArn": n.arn(), "FunctionUrl": "https://" + id + ".lambda-url." + n.region + ".on.aws/",
		"AuthType": body["AuthType"], "CreationTime": at, "LastModifiedTime": at, "InvokeMode": "BUFFERED",
	}
	setURL(u, body)
	f.urls[n.qualifier] = u
	answer := urlAnswer(u, body)
	delete(answer, "LastModifiedTime")
	return answer
}

func setURL(u, body object) {
	for _, key := range []string{"AuthType", "Cors", "InvokeMode"} {
		if body[key] != nil {
			u[key] = body[key]
		}
	}
}

// urlAnswer is what a writing call answers: InvokeMode only if it was given.
func urlAnswer(u, body object) object {
	answer := maps.Clone(u)
	if body["InvokeMode"] == nil {
		delete(answer, "InvokeMode")
	}
	return answer
}

// existingURL is the URL that the call is about; it must exist.
func (s *Server) existingURL(q *request) (name, *function, object, *apiError) {
	n, f, err := s.urlTarget(q, missing())
	if err != nil {
		return n, nil, nil, err
	}
	if f.urls[n.qualifier] == nil {
		return n, nil, nil, missing()
	}
	return n, f, f.urls[n.qualifier], nil
}

func (s *Server) getURL(q *request) (any, *apiError) {
	_, _, u, err := s.existingURL(q)
	if err != nil {
		return nil, err
	}
	return u, nil
}

func (s *Server) updateURL(q *request) (any, *apiError) {
	n, _, u, err := s.existingURL(q)
	if err != nil {
		return nil, err
	}
	if err := checkAuthType(q.body, false); err != nil {
		return nil, err
	}
	q.st.save(n.function)
	setURL(u, q.body)
	u["LastModifiedTime"] = s.now().UTC().Format(time.RFC3339Nano)
	return urlAnswer(u, q.body), nil
}

func (s *Server) deleteURL(q *request) (any, *apiError) {
	n, f, _, err := s.existingURL(q)
	if err != nil {
		return nil, err
	}
	q.st.save(n.function)
	delete(f.urls, n.qualifier)
	return nil, nil
}

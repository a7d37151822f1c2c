package localaws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// DefaultAccount is the account of access keys that Options.Callers does not
// list.
const DefaultAccount = "111122223333"

// Options are the switches of a Server. The zero value is usable. They may be
// changed while the server runs, by Configure.
type Options struct {
	// JSONPolicies says whether the region knows Put, Get and
	// DeleteResourcePolicy. Without it their paths are unknown operations.
	JSONPolicies bool
	// GetPolicyShowsJSON says whether GetPolicy shows a JSON policy's whole
	// document. Without it GetPolicy shows only those statements that
	// AddPermission could have written, and is 404 if there is none. (Unseen.)
	GetPolicyShowsJSON bool
	// PutChangesRevision says whether Put and DeleteResourcePolicy change the
	// RevisionId of the function, version or alias. (Unseen.)
	PutChangesRevision bool
	// SharedRevisions makes GetPolicy's RevisionId that of the function, version
	// or alias, as recorded in 2022. Without it every policy has its own, as
	// recorded in November 2025.
	SharedRevisions bool
	// PermissionKeepsRevision says that AddPermission and RemovePermission leave
	// the RevisionId of the function, version or alias as it was; only the
	// policy's own changes. Recorded in 2022: they change it; since policies have
	// their own: unseen. SharedRevisions wins.
	PermissionKeepsRevision bool
	// MappingsOfQualifiers says whether ListEventSourceMappings by an
	// unqualified name shows the mappings of versions and aliases too. (Unseen.)
	MappingsOfQualifiers bool

	// Quotas are calls per second; the zero value is unlimited.
	Quotas Quotas
	// Callers maps an access key id to who signs with it.
	Callers map[string]Caller
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// OnCall is called with each call before it is done, outside of all locks,
	// so that it may make calls itself.
	OnCall func(Call)
	// OnRecord gets the CloudTrail record of each successful call that changed
	// something, outside of all locks.
	OnRecord func(json.RawMessage)
}

// Server is the stand-in. Its methods may be called at any time from any
// goroutine. Make one with New.
type Server struct {
	mu       sync.Mutex
	options  Options
	stores   map[home]*store
	sessions map[string]Caller // by access key id, from AssumeRole
	limits   map[bucket]*limiter
	faults   []*injected
	stale    []*staleness
	calls    []Call

	http *http.Server
	url  string
	done chan struct{}
}

// New makes a server that does not listen yet. Start makes it listen; Do and
// ServeHTTP work without.
func New(o Options) *Server {
	return &Server{
		options:  o,
		stores:   map[home]*store{},
		sessions: map[string]Caller{},
		limits:   map[bucket]*limiter{},
	}
}

// Start listens on a free port of 127.0.0.1 and returns the URL. A second
// Start returns the same. It panics if there is no port to be had.
func (s *Server) Start() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return s.url
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("localaws: listening on 127.0.0.1: %v", err))
	}
	s.url = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	s.done = make(chan struct{})
	go func(srv *http.Server, done chan struct{}) {
		defer close(done)
		_ = srv.Serve(l) // always http.ErrServerClosed
	}(s.http, s.done)
	return s.url
}

// URL is what Start returned, or "".
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Close stops listening and drops open connections. What the server knows
// stays.
func (s *Server) Close() {
	s.mu.Lock()
	srv, done := s.http, s.done
	s.http, s.url = nil, ""
	s.mu.Unlock()
	if srv != nil {
		_ = srv.Close()
		<-done
	}
}

// Configure changes options while the server runs. Quotas that change start
// with full buckets.
func (s *Server) Configure(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.options.Quotas
	change(&s.options)
	if s.options.Quotas != old {
		clear(s.limits)
	}
}

// Do answers a request without a socket, as an aws.HTTPClient does.
func (s *Server) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := &memory{header: http.Header{}, status: http.StatusOK}
	s.ServeHTTP(w, r)
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Header: w.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// memory is an http.ResponseWriter that keeps the answer.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memory) Header() http.Header         { return m.header }
func (m *memory) WriteHeader(status int)      { m.status = status }
func (m *memory) Write(p []byte) (int, error) { return m.body.Write(p) }

// RoundTrip is Do.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) { return s.Do(r) }

func (s *Server) now() time.Time {
	if s.options.Now != nil {
		return s.options.Now()
	}
	return time.Now()
}

// store is what an account has in a region. The caller holds the lock.
func (s *Server) store(account, region string) *store {
	h := home{account, region}
	if s.stores[h] == nil {
		s.stores[h] = newStore()
	}
	return s.stores[h]
}

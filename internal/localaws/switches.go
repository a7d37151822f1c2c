package localaws

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// Group is a set of operations that share a quota.
type Group string

// The groups of lambda.md section 2.
const (
	GroupGetPolicy   Group = "GetPolicy"
	GroupGetFunction Group = "GetFunction"
	GroupOther       Group = "Other" // every other control-plane call, together
)

// Quotas are calls per second, per account and region; 0 is unlimited. A
// bucket holds Burst calls; 0 is one second's worth.
type Quotas struct {
	GetPolicy, GetFunction, Other float64
	Burst                         int
	// ResourcePolicy says on which bucket GetResourcePolicy draws; "" is
	// GroupOther. (Unseen.)
	ResourcePolicy Group
}

// AWSQuotas are the real ones: none of them can be raised.
func AWSQuotas() Quotas { return Quotas{GetPolicy: 15, GetFunction: 100, Other: 15} }

type bucket struct {
	home
	group Group
}

type limiter = rate.Limiter

func (q Quotas) of(g Group) float64 {
	switch g {
	case GroupGetPolicy:
		return q.GetPolicy
	case GroupGetFunction:
		return q.GetFunction
	default: // the rest is as below
	}
	return q.Other
}

// allow takes one call from its bucket.
func (s *Server) allow(q *request) bool {
	g := q.op.group
	if q.op.name == "GetResourcePolicy" && s.options.Quotas.ResourcePolicy != "" {
		g = s.options.Quotas.ResourcePolicy
	}
	perSecond := s.options.Quotas.of(g)
	if perSecond <= 0 {
		return true
	}
	b := bucket{q.home, g}
	if s.limits[b] == nil {
		burst := s.options.Quotas.Burst
		if burst == 0 {
			burst = int(math.Ceil(perSecond))
		}
		s.limits[b] = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	return s.limits[b].AllowN(s.now(), 1)
}

// injected is a fault that the next calls of an operation meet.
type injected struct {
	op    string
	left  int
	code  string
	after bool
}

// Fail makes the next calls of an operation ("*": of any) fail with an error
// code, for instance AccessDeniedException or ServiceException, without doing
// anything.
func (s *Server) Fail(op string, times int, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &injected{op, times, code, false})
}

// FailAfter is Fail, but the call is done first: the caller sees an error and
// cannot know the outcome.
func (s *Server) FailAfter(op string, times int, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &injected{op, times, code, true})
}

func (s *Server) inject(op string, after bool) *apiError {
	for _, f := range s.faults {
		if f.left > 0 && f.after == after && (f.op == op || f.op == "*") {
			f.left--
			return fault(f.code, "%s was made to fail", op)
		}
	}
	return nil
}

// staleness makes reads answer an old state; op "" is every policy read.
type staleness struct {
	op   string
	left int
}

// Stale makes the next policy reads (GetPolicy, GetResourcePolicy,
// GetLayerVersionPolicy) answer the state before the last write to the
// function or layer version that they read.
func (s *Server) Stale(times int) { s.StaleFor("", times) }

// StaleFor is Stale for one operation; any that reads one function, alias, event
// source mapping or layer version will do.
func (s *Server) StaleFor(op string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = append(s.stale, &staleness{op, times})
}

// Fresh ends what Stale and StaleFor began.
func (s *Server) Fresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = nil
}

func (s *Server) isStale(o *operation) bool {
	if o.event != "" {
		return false
	}
	for _, st := range s.stale {
		if st.left > 0 && (st.op == o.name || st.op == "" && o.policy) {
			st.left--
			return true
		}
	}
	return false
}

// Call is one request to Lambda, as it came in. Calls of STS are not logged.
type Call struct {
	Operation string
	// Resource is the unqualified ARN of the function, the ARN of the layer
	// version, the UUID of the mapping, or "" for lists of everything.
	Resource  string
	Qualifier string
	Account   string
	Region    string
	Time      time.Time
	// Status is the HTTP status of the answer; 0 while the call is under way.
	Status int
}

// Calls are all calls so far, in the order in which they came in, refused ones
// included.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// CountCalls is the number of calls of an operation so far.
func (s *Server) CountCalls(op string) int {
	n := 0
	for _, c := range s.Calls() {
		if c.Operation == op {
			n++
		}
	}
	return n
}

// ForgetCalls empties the log.
func (s *Server) ForgetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// log writes a call down. A call that ForgetCalls overtakes keeps no status.
func (s *Server) log(q *request) (index int, hook func(Call), c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c = Call{Operation: q.op.name, Account: q.account, Region: q.region, Time: s.now()}
	c.Resource, c.Qualifier = s.named(q)
	s.calls = append(s.calls, c)
	return len(s.calls) - 1, s.options.OnCall, c
}

// named is what a call is about, as far as can be said before doing it.
func (s *Server) named(q *request) (resource, qualifier string) {
	p := q.params
	switch {
	case p["FunctionName"] != "" || text(q.body, "FunctionName") != "":
		spelled := p["FunctionName"]
		if spelled == "" {
			spelled = text(q.body, "FunctionName")
		}
		n, err := parseName(spelled)
		if err != nil {
			return spelled, q.query.Get("Qualifier")
		}
		if n.qualifier == "" {
			n.qualifier = q.query.Get("Qualifier")
		}
		if n.account == "" {
			n.account = q.account
		}
		if n.region == "" {
			n.region = q.region
		}
		return functionARN(n.account, n.region, n.function, ""), n.qualifier
	case p["ResourceArn"] != "":
		n, err := splitARN(p["ResourceArn"])
		if err != nil {
			return p["ResourceArn"], ""
		}
		return functionARN(n.account, n.region, n.function, ""), n.qualifier
	case p["LayerName"] != "":
		return layerARN(q.home, layerName(p["LayerName"]), p["VersionNumber"]), ""
	case p["Resource"] != "":
		return p["Resource"], ""
	}
	return p["UUID"], ""
}

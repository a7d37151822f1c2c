package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// The requests that permdrift sends itself.
const (
	RequestSweep = "sweep" // plan a sweep: list the subjects and put each on the queue
	RequestShard = "shard" // read one subject of a sweep
)

// Request is a message of permdrift to itself, on the sweep queue or from the schedule.
type Request struct {
	Permdrift string        `json:"permdrift"`
	Kind      string        `json:"kind,omitempty"` // of a sweep: full, all-roles
	Sweep     string        `json:"sweep,omitempty"`
	Subject   drift.Subject `json:"subject,omitempty"`
	// Since is what a sweep has to be younger than; zero: any will do.
	Since time.Time `json:"since,omitzero"`
}

// Subjects lists the subjects of the account and region, page by page.
type Subjects interface {
	Subjects(ctx context.Context) iter.Seq2[drift.Subject, error]
}

// Queue takes requests that are to be worked off later. Send either takes all or fails.
type Queue interface {
	Send(ctx context.Context, bodies []string) error
}

// Sweeps keeps how far a sweep got.
type Sweeps interface {
	StartSweep(ctx context.Context, run drift.SweepRun) error
	AddSweepSubjects(ctx context.Context, id string, n int) error
	FinishPlan(ctx context.Context, id, problem string) error
	CountShard(ctx context.Context, id string, subject drift.Subject, outcome drift.ShardOutcome) error
	Sweep(ctx context.Context, id string) (drift.SweepRun, error)
}

// The kinds of sweeps.
const (
	fullSweep = "full"      // what the settings say is to be swept
	roleSweep = "all-roles" // that, and every role of the account
)

// Sweeper plans sweeps.
type Sweeper struct {
	Subjects Subjects
	AllRoles Subjects // for sweeps of the kind all-roles; nil: as Subjects
	Queue    Queue
	Sweeps   Sweeps
}

// of is what a sweep of a kind reads.
func (s *Sweeper) of(kind string) Subjects {
	if kind == roleSweep && s.AllRoles != nil {
		return s.AllRoles
	}
	return s.Subjects
}

// sendBatch is how many subjects are put on the queue at a time, and countEvery
// after how many their number is written down.
const (
	sendBatch  = 10
	countEvery = 200
)

// sweep plans a sweep and returns its id.
func (h *Handler) sweep(ctx context.Context, request Request) (string, error) {
	if h.Sweeper == nil || h.Sweeper.Queue == nil {
		return "", fmt.Errorf("planning a sweep: no sweep queue is configured")
	}
	kind := cmp.Or(request.Kind, fullSweep)
	if kind != fullSweep && kind != roleSweep {
		return "", &permanentError{fmt.Errorf("planning a sweep: the kind %q is not known (full, all-roles)", request.Kind)}
	}
	id, err := h.Sweeper.Plan(ctx, h.Auditor.now(), kind)
	if err != nil || request.Since.IsZero() {
		return id, err
	}
	if id == "" { // there were too many within minutes
		return "", &busyError{sweep: sweepID(h.Auditor.now(), sweepsABucket), since: request.Since}
	}
	run, err := h.Sweeper.Sweeps.Sweep(ctx, id)
	if err != nil {
		return id, fmt.Errorf("reading sweep %s: %w", id, err)
	}
	if run.Started.Before(request.Since) || kind == roleSweep && run.Kind != kind {
		return id, &busyError{sweep: id, since: request.Since}
	}
	return id, nil
}

// busyError says that a sweep is being worked off that may have read before a
// change what it is to show of it, so that the request has to come back.
type busyError struct {
	sweep string
	since time.Time
}

// busyWait is how long a request waits for the sweep before it.
const busyWait = 15 * time.Minute

func (e *busyError) Error() string {
	return fmt.Sprintf("sweep %s began before %s, or reads fewer roles; another is planned after it", e.sweep, e.since.UTC().Format(time.RFC3339))
}

// Sweeps are numbered within ten minutes, and looked back for over three hours,
// so that a sweep is not planned while another is being worked off.
const (
	sweepBucket   = 10 * time.Minute
	sweepLookBack = 18
	sweepsABucket = 9
)

func sweepID(at time.Time, n int) string {
	return fmt.Sprintf("full-%s-%d", at.UTC().Truncate(sweepBucket).Format("20060102T1504Z"), n)
}

// last looks back for a sweep that is still being planned or worked off, and
// for a free id. A sweep that never ends holds up others for three hours.
func (s *Sweeper) last(ctx context.Context, now time.Time) (running, free string, err error) {
	for back := range sweepLookBack {
		for n := 1; n <= sweepsABucket; n++ {
			id := sweepID(now.Add(-time.Duration(back)*sweepBucket), n)
			run, err := s.Sweeps.Sweep(ctx, id)
			if errors.Is(err, drift.ErrNotFound) {
				if back == 0 {
					free = id
				}
				break
			}
			if err != nil {
				return "", "", fmt.Errorf("reading sweep %s: %w", id, err)
			}
			if run.Problem == "" && !run.Complete() {
				return id, free, nil
			}
		}
	}
	return "", free, nil
}

// Plan lists the subjects page by page and puts each on the queue, unless a
// sweep is still being worked off: then it returns the id of that one. A listing
// that fails half-way leaves a sweep that says so and is never complete; what
// was listed until then is audited all the same.
func (s *Sweeper) Plan(ctx context.Context, now time.Time, kind string) (id string, err error) {
	running, id, err := s.last(ctx, now)
	if err != nil {
		return "", err
	}
	if running != "" || id == "" {
		return running, nil
	}
	if err := s.Sweeps.StartSweep(ctx, drift.SweepRun{ID: id, Kind: kind, Started: now}); err != nil {
		return id, fmt.Errorf("starting sweep %s: %w", id, err)
	}
	defer func() {
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		if e := s.Sweeps.FinishPlan(context.WithoutCancel(ctx), id, problem); e != nil && err == nil {
			err = fmt.Errorf("finishing the plan of sweep %s: %w", id, e)
		}
	}()
	plan := plan{sweeper: s, id: id}
	for subject, err := range s.of(kind).Subjects(ctx) {
		if err != nil {
			return id, errors.Join(fmt.Errorf("listing the subjects of sweep %s: %w", id, err), plan.flush(ctx))
		}
		if err := plan.add(ctx, subject); err != nil {
			return id, err
		}
	}
	return id, plan.flush(ctx)
}

// plan gathers subjects until there are enough for one call.
type plan struct {
	sweeper *Sweeper
	id      string
	bodies  []string
	counted int
}

func (p *plan) add(ctx context.Context, subject drift.Subject) error {
	body, err := json.Marshal(Request{Permdrift: RequestShard, Sweep: p.id, Subject: subject})
	if err != nil {
		return fmt.Errorf("encoding the shard of %s: %w", subject, err)
	}
	p.bodies = append(p.bodies, string(body))
	if len(p.bodies) < sendBatch {
		return nil
	}
	if err := p.send(ctx); err != nil {
		return err
	}
	if p.counted >= countEvery {
		return p.count(ctx)
	}
	return nil
}

func (p *plan) send(ctx context.Context) error {
	if len(p.bodies) == 0 {
		return nil
	}
	if err := p.sweeper.Queue.Send(ctx, p.bodies); err != nil {
		return fmt.Errorf("putting %d subjects of sweep %s on the queue: %w", len(p.bodies), p.id, err)
	}
	p.counted += len(p.bodies)
	p.bodies = p.bodies[:0]
	return nil
}

func (p *plan) count(ctx context.Context) error {
	n := p.counted
	p.counted = 0
	if err := p.sweeper.Sweeps.AddSweepSubjects(ctx, p.id, n); err != nil {
		return fmt.Errorf("counting the subjects of sweep %s: %w", p.id, err)
	}
	return nil
}

func (p *plan) flush(ctx context.Context) error {
	if err := p.send(ctx); err != nil {
		return err
	}
	return p.count(ctx)
}

// requestOnce asks for a full sweep because a change could not be read, or may
// have kept other changes from being heard of, unless the ledger knows the
// finding about it already: then somebody has asked. So a sweep is asked for
// before the finding is recorded; and where that could see what was before the
// change, both wait.
func (h *Handler) requestOnce(ctx context.Context, change drift.Change, try int) error {
	if h.Sweeper == nil || h.Sweeper.Queue == nil {
		return nil
	}
	var finding *drift.Finding
	switch {
	case change.Operation == drift.Unreadable && sweepable(change):
		f := drift.UnreadableFinding(change)
		finding = &f
	case change.Operation == drift.Blind:
		finding, _ = drift.Tampering(change, h.Auditor.Context.Own)
	}
	if finding == nil {
		return nil
	}
	known, err := h.Auditor.knows(ctx, *finding)
	if err != nil || known {
		return err
	}
	if wait := h.Auditor.fresh(change); wait > 0 && try < lastTry {
		return &drift.StaleError{Subject: change.Subject, After: wait}
	}
	return h.Sweeper.request(ctx, change)
}

// fresh is how long to wait until what an unreadable change did, which nobody can
// tell, may be expected to show when it is looked for.
func (a *Auditor) fresh(change drift.Change) time.Duration {
	age := a.now().Sub(change.Event.Time)
	if change.Operation != drift.Unreadable || len(a.RereadAfter) == 0 || change.Event.Time.IsZero() || age < -maxSkew {
		return 0
	}
	return a.RereadAfter[0] - age
}

// sweepable reports whether a sweep could show what a change did: sweeps read
// functions, layers and roles.
func sweepable(change drift.Change) bool {
	switch change.Event.Source {
	case "", "lambda.amazonaws.com", "iam.amazonaws.com", "rolesanywhere.amazonaws.com":
		return true
	}
	return false
}

// knows reports whether the ledger has a row of a finding.
func (a *Auditor) knows(ctx context.Context, f drift.Finding) (bool, error) {
	_, err := a.reload(ctx, f)
	if errors.Is(err, drift.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// request asks for a full sweep because a change could not be read.
func (s *Sweeper) request(ctx context.Context, change drift.Change) error {
	kind := fullSweep
	if change.Operation == drift.Unreadable && change.Event.Source != "lambda.amazonaws.com" {
		kind = roleSweep // which role it was about, nobody knows
	}
	body, err := json.Marshal(Request{Permdrift: RequestSweep, Kind: kind, Since: change.Event.Time})
	if err != nil {
		return fmt.Errorf("encoding a sweep request: %w", err)
	}
	if err := s.Queue.Send(ctx, []string{string(body)}); err != nil {
		return fmt.Errorf("asking for a sweep after the unreadable event %s: %w", change.Event.ID, err)
	}
	return nil
}

// lastTry is the try at which a message is done without what it could not get:
// a shard records what could not be read as unknown, an unreadable change does
// without its sweep. shardWait is how long a shard waits in between.
const (
	lastTry   = 3
	shardWait = time.Minute
)

// unreadError says that a shard could not be read wholly and is to be tried again.
type unreadError struct {
	subject drift.Subject
	gap     drift.Gap
	after   time.Duration
}

func (e *unreadError) Error() string {
	return fmt.Sprintf("reading %s for a sweep: %s", e.subject, e.gap.Reason)
}

// shard audits one subject of a sweep and counts how that ended.
func (h *Handler) shard(ctx context.Context, request Request, try int) error {
	if kind := request.Subject.Kind(); kind != drift.Function && kind != drift.LayerVersion && kind != drift.Role {
		return &permanentError{fmt.Errorf("sweep %s: %q is a %s, and only functions, layer versions and roles are swept", request.Sweep, request.Subject, kind)}
	}
	report, err := h.Auditor.Sweep(ctx, request.Subject, try >= lastTry)
	if err != nil {
		return fmt.Errorf("sweep %s: %w", request.Sweep, err)
	}
	h.logReport(ctx, report)
	if h.Sweeper == nil || h.Sweeper.Sweeps == nil {
		return nil
	}
	if err := h.Sweeper.Sweeps.CountShard(ctx, request.Sweep, request.Subject, report.Outcome()); err != nil {
		return fmt.Errorf("counting %s in sweep %s: %w", request.Subject, request.Sweep, err)
	}
	return nil
}

// Sweep audits a whole subject without any event. Unless it is the last try,
// a subject that could not be read wholly is an error and nothing is recorded.
func (a *Auditor) Sweep(ctx context.Context, subject drift.Subject, last bool) (Report, error) {
	o := a.begin(drift.Change{Subject: subject, Operation: drift.Sweep, Whole: true})
	if err := a.read(ctx, &o); err != nil {
		return o.report, err
	}
	if len(o.state.Gaps) > 0 && !last {
		return o.report, &unreadError{subject: subject, gap: o.state.Gaps[0], after: shardWait}
	}
	return a.conclude(ctx, o)
}

// Outcome is how the reading of a subject ended.
func (r Report) Outcome() drift.ShardOutcome {
	if len(r.Gaps) > 0 {
		return drift.ShardUnknown
	}
	for _, f := range r.Findings {
		if f.Status == drift.Open {
			return drift.ShardDrifted
		}
	}
	return drift.ShardClean
}

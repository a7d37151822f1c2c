package live

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"golang.org/x/time/rate"

	"github.com/permdrift/permdrift/pkg/drift"
)

// API is what reading the state of a function or layer version calls.
type API interface {
	PolicyAPI
	PlaceAPI
	ConfigAPI
}

// PolicyAPI is what reading policies calls.
type PolicyAPI interface {
	GetPolicy(context.Context, *lambda.GetPolicyInput, ...func(*lambda.Options)) (*lambda.GetPolicyOutput, error)
	GetResourcePolicy(context.Context, *lambda.GetResourcePolicyInput, ...func(*lambda.Options)) (*lambda.GetResourcePolicyOutput, error)
	GetLayerVersionPolicy(context.Context, *lambda.GetLayerVersionPolicyInput, ...func(*lambda.Options)) (*lambda.GetLayerVersionPolicyOutput, error)
}

// PlaceAPI is what listing the places of a function calls.
type PlaceAPI interface {
	ListVersionsByFunction(context.Context, *lambda.ListVersionsByFunctionInput, ...func(*lambda.Options)) (*lambda.ListVersionsByFunctionOutput, error)
	ListAliases(context.Context, *lambda.ListAliasesInput, ...func(*lambda.Options)) (*lambda.ListAliasesOutput, error)
}

// ConfigAPI is what reading the rest of a function calls.
type ConfigAPI interface {
	GetFunctionUrlConfig(context.Context, *lambda.GetFunctionUrlConfigInput, ...func(*lambda.Options)) (*lambda.GetFunctionUrlConfigOutput, error)
	ListFunctionUrlConfigs(context.Context, *lambda.ListFunctionUrlConfigsInput, ...func(*lambda.Options)) (*lambda.ListFunctionUrlConfigsOutput, error)
	GetEventSourceMapping(context.Context, *lambda.GetEventSourceMappingInput, ...func(*lambda.Options)) (*lambda.GetEventSourceMappingOutput, error)
	ListEventSourceMappings(context.Context, *lambda.ListEventSourceMappingsInput, ...func(*lambda.Options)) (*lambda.ListEventSourceMappingsOutput, error)
	ListTags(context.Context, *lambda.ListTagsInput, ...func(*lambda.Options)) (*lambda.ListTagsOutput, error)
}

// ListAPI is what listing the functions and layer versions calls.
type ListAPI interface {
	ListFunctions(context.Context, *lambda.ListFunctionsInput, ...func(*lambda.Options)) (*lambda.ListFunctionsOutput, error)
	ListLayers(context.Context, *lambda.ListLayersInput, ...func(*lambda.Options)) (*lambda.ListLayersOutput, error)
	ListLayerVersions(context.Context, *lambda.ListLayerVersionsInput, ...func(*lambda.Options)) (*lambda.ListLayerVersionsOutput, error)
}

// JSONMode says how policies are read while nobody has seen what the service
// shows where; see the package comment.
type JSONMode string

// The modes.
const (
	JSONAuto  JSONMode = "auto"  // GetResourcePolicy; GetPolicy confirms that there is none, and stands in where the service does not know it
	JSONOnly  JSONMode = "only"  // GetResourcePolicy alone
	JSONNever JSONMode = "never" // GetPolicy alone
)

// DefaultRate is a third of Lambda's quota of 15 calls a second.
const DefaultRate = 5

// Lambda reads functions and layer versions, and roles, users and groups. It is safe for concurrent use.
type Lambda struct {
	own       *target
	home      site
	list      ListAPI
	iam       IAMAPI
	roles     RoleScope // whether Subjects lists roles
	versions  versions
	running   shared[drift.Subject] // functions, by the role that they run as
	clientFor func(account, region string) (API, error)
	mode      JSONMode
	policies  rate.Limit
	others    rate.Limit
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error

	mu      sync.Mutex
	targets map[site]*target
}

// site is an account and region, which is what quotas are counted for.
type site struct{ account, region string }

// target is one account and region and what is known of its service.
type target struct {
	api              API
	policies, others *rate.Limiter
	mappings         shared[drift.PlacedMapping] // by the function that they feed

	mu      sync.Mutex
	unknown time.Time // when the service last said that it does not know GetResourcePolicy
}

// Option changes a setting of New.
type Option func(*Lambda)

// Home names the account and region that the client of New reads. A subject
// elsewhere is then ErrForeign, or goes to ClientFor. Without Home every
// subject is read with the client of New.
func Home(account, region string) Option {
	return func(l *Lambda) { l.home = site{account, region} }
}

// ListWith gives Subjects the client that it lists with.
func ListWith(api ListAPI) Option { return func(l *Lambda) { l.list = api } }

// WithIAM gives the client that roles, users and groups are read with, those of
// the account of Home.
func WithIAM(api IAMAPI) Option { return func(l *Lambda) { l.iam = api } }

// RoleScope says which roles Subjects lists.
type RoleScope string

// The scopes.
const (
	NoRoles        RoleScope = ""          // none
	ExecutionRoles RoleScope = "execution" // those that functions run as
	AllRoles       RoleScope = "all"       // all of the account but those of services, and those that functions run as; needs WithIAM
)

// WithRoles has Subjects list roles too.
func WithRoles(scope RoleScope) Option { return func(l *Lambda) { l.roles = scope } }

// ClientFor is asked once for each account and region other than Home.
func ClientFor(f func(account, region string) (API, error)) Option {
	return func(l *Lambda) { l.clientFor = f }
}

// JSONPolicies sets how policies are read; JSONAuto by default.
func JSONPolicies(mode JSONMode) Option { return func(l *Lambda) { l.mode = mode } }

// Rate sets how many policies are read and how many other calls are made a
// second, per account and region, by sweeps. Zero or less is without limit.
func Rate(policies, others float64) Option {
	return func(l *Lambda) { l.policies, l.others = limit(policies), limit(others) }
}

// Clock replaces the time: what it is, and waiting. Sleep returns the error of
// a context that ends first.
func Clock(now func() time.Time, sleep func(context.Context, time.Duration) error) Option {
	return func(l *Lambda) { l.now, l.sleep = now, sleep }
}

// New makes a reader.
func New(api API, options ...Option) *Lambda {
	l := &Lambda{
		mode: JSONAuto, policies: DefaultRate, others: DefaultRate,
		now: time.Now, sleep: sleep, targets: map[site]*target{}, running: newShared[drift.Subject](),
	}
	for _, o := range options {
		o(l)
	}
	l.own = l.newTarget(api)
	return l
}

func (l *Lambda) newTarget(api API) *target {
	return &target{
		api: api, policies: rate.NewLimiter(l.policies, 1), others: rate.NewLimiter(l.others, 1),
		mappings: newShared[drift.PlacedMapping](),
	}
}

func limit(perSecond float64) rate.Limit {
	if perSecond <= 0 {
		return rate.Inf
	}
	return rate.Limit(perSecond)
}

// target is the client and limits for a subject.
func (l *Lambda) target(s drift.Subject) (*target, error) {
	if isIdentity(s.Kind()) {
		return l.own, l.checkAccount(s)
	}
	at := site{s.Account(), s.Region()}
	if at == l.home || l.home == (site{}) && l.clientFor == nil {
		return l.own, nil
	}
	if l.clientFor == nil {
		return nil, fmt.Errorf("%s is in account %s, region %s, this reads account %s, region %s: %w",
			s, at.account, at.region, l.home.account, l.home.region, ErrForeign)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.targets[at]; t != nil {
		return t, nil
	}
	api, err := l.clientFor(at.account, at.region)
	if err != nil {
		return nil, fmt.Errorf("making a client for account %s, region %s: %w", at.account, at.region, err)
	}
	l.targets[at] = l.newTarget(api)
	return l.targets[at], nil
}

// call makes one call, waits for the limiter before it if there is one, and
// repeats it as its error deserves. The error is a *callError, or the
// context's where that ended.
func (l *Lambda) call(ctx context.Context, operation string, limiter *rate.Limiter, do func() error) error {
	for n := 1; ; n++ {
		if err := l.wait(ctx, limiter); err != nil {
			return fmt.Errorf("waiting for %s: %w", operation, err)
		}
		err := do()
		if err == nil {
			return nil
		}
		if ended := ctx.Err(); ended != nil {
			return fmt.Errorf("%s: %w", operation, ended)
		}
		c := classify(err)
		if n >= c.attempts() {
			return &callError{operation, c, err}
		}
		if err := l.sleep(ctx, pause(n)); err != nil {
			return fmt.Errorf("waiting to repeat %s: %w", operation, err)
		}
	}
}

// wait waits until the limiter lets one call pass. A nil limiter lets all pass.
func (l *Lambda) wait(ctx context.Context, limiter *rate.Limiter) error {
	if err := ctx.Err(); err != nil || limiter == nil {
		return err
	}
	now := l.now()
	reserved := limiter.ReserveN(now, 1)
	delay := reserved.DelayFrom(now)
	if delay == 0 {
		return nil
	}
	if err := l.sleep(ctx, delay); err != nil {
		reserved.CancelAt(l.now())
		return err
	}
	return nil
}

// pause is how long to wait after the n-th attempt: between half and all of
// 0.5 s, 1 s, 2 s, … 8 s, by chance, so that callers do not come back together.
func pause(n int) time.Duration {
	most := min(500*time.Millisecond<<(n-1), 8*time.Second)
	return most/2 + rand.N(most/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

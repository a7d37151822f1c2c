package setup

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/live"
	"github.com/permdrift/permdrift/pkg/policy"
)

// Environment is what a function is told by its environment.
type Environment struct {
	BaselineTable, LedgerTable string
	TopicARN                   string
	AdoptionKey                string // id or ARN of the KMS key that seals adoptions; empty: none can be sealed
	EventsQueueURL             string
	SweepQueueURL              string
	Context                    drift.Context
	Rate                       float64 // reads of policies per second
	RereadAfter                []time.Duration
	JSONPolicies               live.JSONMode
	SweepRoles                 live.RoleScope
}

// defaultRate is a third of the quota of 15 reads per second, shared by the
// two instances that may work on the sweep queue at once.
const defaultRate = 2.5

// ReadEnvironment reads the environment; all that is wrong with it is in one error.
func ReadEnvironment(getenv func(string) string) (Environment, error) {
	r := reader{getenv: getenv}
	e := Environment{
		BaselineTable:  r.required("PERMDRIFT_BASELINE_TABLE"),
		LedgerTable:    r.required("PERMDRIFT_LEDGER_TABLE"),
		TopicARN:       r.required("PERMDRIFT_TOPIC_ARN"),
		AdoptionKey:    getenv("PERMDRIFT_ADOPTION_KEY"),
		EventsQueueURL: getenv("PERMDRIFT_EVENTS_QUEUE_URL"),
		SweepQueueURL:  getenv("PERMDRIFT_SWEEP_QUEUE_URL"),
		Rate:           r.rate("PERMDRIFT_RATE"),
		RereadAfter:    r.durations("PERMDRIFT_REREAD_AFTER", "15s,60s,5m"),
		JSONPolicies:   r.jsonMode("PERMDRIFT_JSON_POLICIES"),
		SweepRoles:     r.roles("PERMDRIFT_SWEEP_ROLES"),
	}
	e.Context = drift.Context{
		Owner: policy.Owner{
			Organization:    r.organization("PERMDRIFT_ORGANIZATION_ID"),
			TrustedAccounts: r.accounts("PERMDRIFT_TRUSTED_ACCOUNTS"),
		},
		Own:        drift.Own{Stack: r.stack("PERMDRIFT_STACK")},
		Unknown:    r.unknown("PERMDRIFT_UNKNOWN"),
		LearnUntil: r.time("PERMDRIFT_LEARN_UNTIL"),
		Reach:      access.Escalations,
	}
	e.Context.Seals = e.AdoptionKey != ""
	for _, key := range []string{getenv("PERMDRIFT_TOPIC_KEY"), e.AdoptionKey} {
		if key != "" {
			e.Context.Own.Keys = append(e.Context.Own.Keys, key)
		}
	}
	e.Context.Own.Account, e.Context.Own.Region = e.home(getenv("AWS_REGION"))
	e.Context.Store = "dynamodb:" + e.BaselineTable + "," + e.LedgerTable
	if time.Until(e.Context.LearnUntil) > drift.MaxLearn {
		r.fail("PERMDRIFT_LEARN_UNTIL", "is more than %d days ahead, the longest that learning may last", int(drift.MaxLearn.Hours())/24)
	}
	if e.Context.Unknown == drift.Learn && e.Context.LearnUntil.IsZero() {
		r.fail("PERMDRIFT_LEARN_UNTIL", "is empty, but PERMDRIFT_UNKNOWN=learn must have an end")
	}
	return e, errors.Join(r.problems...)
}

// home is the account and region that the functions run in: the alert topic is
// in the same account, and its region stands in for one that is not told.
func (e Environment) home(region string) (account, home string) {
	parts := strings.Split(e.TopicARN, ":")
	if len(parts) != 6 {
		return "", region
	}
	if region == "" {
		region = parts[3]
	}
	return parts[4], region
}

// reader gathers what is wrong.
type reader struct {
	getenv   func(string) string
	problems []error
}

func (r *reader) fail(name, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("environment variable %s %s", name, fmt.Sprintf(format, args...)))
}

func (r *reader) required(name string) string {
	value := r.getenv(name)
	if value == "" {
		r.fail(name, "is empty")
	}
	return value
}

// organizationID is what the id of an organization looks like. A pattern in its
// place would make everybody who writes the same pattern one of us.
var organizationID = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)

func (r *reader) organization(name string) string {
	value, err := Organization(r.getenv(name))
	if err != nil {
		r.fail(name, "%v", err)
	}
	return value
}

// Organization checks the id of an organization; the empty one means none.
func Organization(id string) (string, error) {
	if id != "" && !organizationID.MatchString(id) {
		return "", fmt.Errorf("is %q, not the id of an organization such as o-exampleorgid", id)
	}
	return id, nil
}

// stackName is what the name of a CloudFormation stack looks like.
var stackName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)

func (r *reader) stack(name string) string {
	value := r.getenv(name)
	if value != "" && !stackName.MatchString(value) {
		r.fail(name, "is %q, not the name of a CloudFormation stack", value)
	}
	return value
}

func (r *reader) accounts(name string) []string {
	accounts, err := Accounts(r.getenv(name))
	if err != nil {
		r.fail(name, "%v", err)
	}
	return accounts
}

// Accounts splits a list of account ids at commas.
func Accounts(list string) ([]string, error) {
	var accounts []string
	for account := range strings.SplitSeq(list, ",") {
		if account = strings.TrimSpace(account); account == "" {
			continue
		}
		if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
			return nil, fmt.Errorf("holds %q, which is not an account id of twelve digits", account)
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

func (r *reader) unknown(name string) drift.UnknownMode {
	switch value := drift.UnknownMode(r.getenv(name)); value {
	case "":
		return drift.Strict
	case drift.Strict, drift.Learn:
		return value
	default:
		r.fail(name, "is %q, not strict or learn", value)
		return drift.Strict
	}
}

func (r *reader) jsonMode(name string) live.JSONMode {
	switch value := live.JSONMode(r.getenv(name)); value {
	case "":
		return live.JSONAuto
	case live.JSONAuto, live.JSONOnly, live.JSONNever:
		return value
	default:
		r.fail(name, "is %q, not auto, only or never", value)
		return live.JSONAuto
	}
}

func (r *reader) roles(name string) live.RoleScope {
	switch value := r.getenv(name); value {
	case "", "execution":
		return live.ExecutionRoles
	case "all":
		return live.AllRoles
	case "none":
		return live.NoRoles
	default:
		r.fail(name, "is %q, not execution, all or none", value)
		return live.ExecutionRoles
	}
}

func (r *reader) time(name string) time.Time {
	value := r.getenv(name)
	if value == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			return t
		}
	}
	r.fail(name, "is %q, not a time such as 2026-12-01 or 2026-12-01T12:00:00Z", value)
	return time.Time{}
}

func (r *reader) rate(name string) float64 {
	value := r.getenv(name)
	if value == "" {
		return defaultRate
	}
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || !(rate > 0 && rate <= 1000) { // so that NaN is none
		r.fail(name, "is %q, not a number of reads per second above 0", value)
		return defaultRate
	}
	return rate
}

func (r *reader) durations(name, otherwise string) []time.Duration {
	value := r.getenv(name)
	if value == "" {
		value = otherwise
	}
	var list []time.Duration
	for text := range strings.SplitSeq(value, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || d <= 0 {
			r.fail(name, "holds %q, not a duration such as 15s", text)
			continue
		}
		list = append(list, d)
	}
	return list
}

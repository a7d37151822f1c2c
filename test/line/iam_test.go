package line_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// directory is IAM: the roles, users, groups, managed policies and providers of
// the account. Reads (iam_reads_test.go) are what live.IAMAPI has, steps
// (iam_steps_test.go) are calls that change something and leave a record. All
// reads answer the state of lag ago, since IAM is only eventually consistent.
type directory struct {
	now      func() time.Time
	onRecord func(json.RawMessage)

	mu     sync.Mutex
	lag    time.Duration
	silent bool     // calls leave no record
	page   int      // how much a page has
	states []moment // oldest first, never empty
	reads  map[string]int
	serial int
}

// moment is the account from a time on.
type moment struct {
	from time.Time
	iam  *iamState
}

// iamState is what IAM knows at a moment.
type iamState struct {
	Parties   map[string]*party      // by kind and name: "role/orders"
	Policies  map[string]*managedPol // by ARN
	Providers map[string][]string    // client ids, by the provider's ARN
	Profiles  map[string]string      // the role of each instance profile
	Serial    int                    // of the ids that were given
}

// party is a role, user or group.
type party struct {
	Path, Name, ID string
	Trust          string
	Inline         map[string]string // documents by name
	Attached       []string          // ARNs, in order of their attachment
	Boundary       string
	Groups         []string
	Tags           map[string]string
}

// managedPol is a managed policy.
type managedPol struct {
	ID       string
	Made     time.Time
	Default  string
	Versions map[string]policyVersion
	Last     int // the number of the last version
}

type policyVersion struct {
	Document string
	Made     time.Time
}

// The documents of the account as it is at first.
const (
	trustLambda = `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`
	anything    = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	logging     = `{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}`

	adminARN  = "arn:aws:iam::aws:policy/AdministratorAccess"
	basicARN  = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	denyARN   = "arn:aws:iam::aws:policy/AWSDenyAll"
	policyARN = "arn:aws:iam::111122223333:policy/"
	githubARN = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
)

// longAgo is when what is there at first was made.
var longAgo = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func newDirectory(now func() time.Time, onRecord func(json.RawMessage)) *directory {
	s := &iamState{Parties: map[string]*party{}, Policies: map[string]*managedPol{}, Providers: map[string][]string{}, Profiles: map[string]string{}}
	s.Policies[adminARN] = s.newPolicy(longAgo, rights(anything))
	s.Policies[basicARN] = s.newPolicy(longAgo, rights(logging))
	s.Policies[denyARN] = s.newPolicy(longAgo, rights(strings.Replace(anything, "Allow", "Deny", 1)))
	return &directory{now: now, onRecord: onRecord, page: 2, reads: map[string]int{}, states: []moment{{longAgo, s}}}
}

// rights is a document of these statements.
func rights(statements ...string) string { return document("", statements...) }

func (s *iamState) clone() *iamState {
	next := &iamState{
		Parties: make(map[string]*party, len(s.Parties)), Policies: make(map[string]*managedPol, len(s.Policies)),
		Providers: make(map[string][]string, len(s.Providers)), Profiles: maps.Clone(s.Profiles), Serial: s.Serial,
	}
	for key, p := range s.Parties {
		n := *p
		n.Inline, n.Attached, n.Groups, n.Tags = maps.Clone(p.Inline), slices.Clone(p.Attached), slices.Clone(p.Groups), maps.Clone(p.Tags)
		next.Parties[key] = &n
	}
	for arn, p := range s.Policies {
		n := *p
		n.Versions = maps.Clone(p.Versions)
		next.Policies[arn] = &n
	}
	for arn, clients := range s.Providers {
		next.Providers[arn] = slices.Clone(clients)
	}
	return next
}

// id is a unique id with IAM's prefix for a kind of thing.
func (s *iamState) id(prefix string) string {
	s.Serial++
	return fmt.Sprintf("%sEXAMPLE%09d", prefix, s.Serial)
}

func (s *iamState) newPolicy(at time.Time, text string) *managedPol {
	return &managedPol{ID: s.id("ANPA"), Made: at, Default: "v1", Last: 1, Versions: map[string]policyVersion{"v1": {text, at}}}
}

// newParty is a role, user or group of a kind and name; the name may have a path.
func (s *iamState) newParty(kind, name string) *party {
	path, name := splitPath(name)
	prefix := map[string]string{"role": "AROA", "user": "AIDA", "group": "AGPA"}[kind]
	p := &party{Path: path, Name: name, ID: s.id(prefix), Inline: map[string]string{}, Tags: map[string]string{}}
	s.Parties[kind+"/"+name] = p
	return p
}

// splitPath takes the path off a name: "/team/" of "team/orders".
func splitPath(name string) (path, base string) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "/", name
	}
	return "/" + strings.TrimPrefix(name[:i+1], "/"), name[i+1:]
}

func (p *party) arn(kind string) string {
	return "arn:aws:iam::" + account + ":" + kind + p.Path + p.Name
}

// find is a role, user or group.
func (s *iamState) find(kind, name string) (*party, error) {
	if p, ok := s.Parties[kind+"/"+name]; ok {
		return p, nil
	}
	return nil, missingEntity(kind + " with name " + name)
}

func (s *iamState) policy(arn string) (*managedPol, error) {
	if p, ok := s.Policies[arn]; ok {
		return p, nil
	}
	return nil, missingEntity("policy " + arn)
}

func missingEntity(what string) error {
	text := "The " + what + " cannot be found."
	return &iamtypes.NoSuchEntityException{Message: &text}
}

// seed changes the account without any record, and as if it had long been so.
func (d *directory) seed(change func(*iamState)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := d.states[len(d.states)-1].iam.clone()
	change(next)
	d.states = []moment{{longAgo, next}}
}

// allow gives a role that Lambda may take on its only policy, and makes the role
// where there is none.
func (d *directory) allow(role, action, resource string) {
	d.grant(role, fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource))
}

// grant is allow with statements.
func (d *directory) grant(role string, statements ...string) {
	d.seed(func(s *iamState) {
		p, err := s.find("role", role)
		if err != nil {
			p = s.newParty("role", role)
			p.Trust = rights(trustLambda)
		}
		p.Inline["rights"] = rights(statements...)
	})
}

// roles are the names of all roles.
func (d *directory) roles() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for key := range d.states[len(d.states)-1].iam.Parties {
		if name, ok := strings.CutPrefix(key, "role/"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// stale has reads answer what was so long ago.
func (d *directory) stale(lag time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lag = lag
}

// forgetReads begins to count reads anew.
func (d *directory) forgetReads() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.reads)
}

// countedReads are the reads since, by operation.
func (d *directory) countedReads() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return counted(d.reads)
}

// counted is a count as one line: "GetRole 1, ListRoles 2".
func counted(n map[string]int) string {
	var list []string
	for name, count := range n {
		list = append(list, fmt.Sprintf("%s %d", name, count))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// call makes one call by a person, which changes the account or fails, and has
// its record written: the request as it is, the response without what is nil.
func (d *directory) call(who person, e event, change func(*iamState) (fields, error)) error {
	d.mu.Lock()
	at := d.now()
	d.serial++
	id := fmt.Sprintf("b1b2c3d4-5678-90ab-cdef-%012d", d.serial)
	next := d.states[len(d.states)-1].iam.clone()
	response, err := change(next)
	if err == nil {
		d.states = append(d.states, moment{at, next})
	}
	d.mu.Unlock()
	e.response = response
	record := e.trail(who, id, at)
	if err != nil {
		failed("NoSuchEntityException")(record)
	}
	text, broken := json.Marshal(record)
	if broken != nil {
		return fmt.Errorf("writing the record of %s: %w", e.name, broken)
	}
	if !d.silent {
		d.onRecord(text)
	}
	return err
}

// trail is the record of a call, as CloudTrail writes it.
func (e event) trail(who person, id string, at time.Time) map[string]any {
	service := "iam"
	if e.service != "" {
		service = e.service
	}
	record := map[string]any{
		"eventVersion": "1.11", "userIdentity": who.identity(), "eventTime": at.UTC().Format(time.RFC3339),
		"eventSource": service + ".amazonaws.com", "eventName": e.name, "awsRegion": region,
		"sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.31.5 md/command#iam", "requestParameters": e.request,
		"responseElements": nil, "requestID": "r" + id[1:], "eventID": id, "readOnly": false, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
	}
	if e.response != nil {
		record["responseElements"] = e.response
	}
	return record
}

// identity is CloudTrail's userIdentity of a person.
func (p person) identity() any {
	if p.caller.UserIdentity != nil {
		return p.caller.UserIdentity
	}
	_, path, _ := strings.Cut(p.caller.ARN, account+":")
	parts := strings.Split(path, "/")
	identity := map[string]any{"type": "IAMUser", "principalId": "AIDAEXAMPLETESTER0001", "arn": p.caller.ARN, "accountId": account, "accessKeyId": p.key}
	if parts[0] != "assumed-role" {
		identity["userName"] = parts[len(parts)-1]
		return identity
	}
	identity["type"], identity["principalId"] = "AssumedRole", "AROAEXAMPLEROLE000001:"+parts[2]
	identity["sessionContext"] = map[string]any{
		"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAEXAMPLEROLE000001", "accountId": account, "userName": parts[1], "arn": rolePrefix + parts[1]},
		"attributes":    map[string]any{"mfaAuthenticated": "false"},
	}
	return identity
}

// spoken is a time as IAM's records have it.
func spoken(at time.Time) string { return at.UTC().Format("Jan 2, 2006 3:04:05 PM") }

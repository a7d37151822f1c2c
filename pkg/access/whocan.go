package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// administering are the actions on a function that change what it does, or who
// may call it.
// Source: Service Authorization Reference, "Actions, resources, and condition
// keys for AWS Lambda", access levels Write, Permissions management and Tagging;
// those for JSON policies: Lambda API Reference, PutResourcePolicy.
var administering = []string{
	"lambda:AddPermission", "lambda:CreateAlias", "lambda:CreateFunction", "lambda:CreateFunctionUrlConfig", "lambda:DeleteAlias", "lambda:DeleteFunction",
	"lambda:DeleteFunctionCodeSigningConfig", "lambda:DeleteFunctionConcurrency", "lambda:DeleteFunctionEventInvokeConfig", "lambda:DeleteFunctionUrlConfig",
	"lambda:DeleteProvisionedConcurrencyConfig", "lambda:DeleteResourcePolicy", "lambda:PublishVersion", "lambda:PutFunctionCodeSigningConfig",
	"lambda:PutFunctionConcurrency", "lambda:PutFunctionEventInvokeConfig", "lambda:PutFunctionRecursionConfig", "lambda:PutProvisionedConcurrencyConfig",
	"lambda:PutResourcePolicy", "lambda:PutRuntimeManagementConfig", "lambda:RemovePermission", "lambda:TagResource", "lambda:UntagResource",
	"lambda:UpdateAlias", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionEventInvokeConfig", "lambda:UpdateFunctionUrlConfig",
}

// mapping actions have a function only as a condition key.
// Source: as above, resource type eventSourceMapping and lambda:FunctionArn.
const createMapping = "lambda:CreateEventSourceMapping"

// Administering lists the actions that [Administer] is about.
func Administering() []string { return append(slices.Clone(administering), createMapping) }

// WhoCan says who can invoke or administer a function at a qualifier, and why.
// It returns ErrNoQualifier where all places of the function were read and this
// is none of them, and ErrNoFunction where functions were read and not this one.
func WhoCan(a *Account, function drift.Subject, qualifier drift.Place, action Action) (Answer, error) {
	if _, err := a.Function(string(function)); err != nil {
		return Answer{}, err
	}
	if action != Invoke && action != Administer {
		return Answer{}, fmt.Errorf("the action is %q, not invoke or administer", action)
	}
	state := a.Functions[function]
	if state.Whole && !slices.Contains(a.Places(function), qualifier) {
		return Answer{}, fmt.Errorf("%w: %s has no qualifier %q with a policy, URL or event source mapping", ErrNoQualifier, function, qualifier)
	}
	q := &question{account: a, function: function, place: qualifier, policy: state.Policies[qualifier].Policy}
	q.verdicts = policy.ExposeEach(q.policy, a.Owner)
	answer := Answer{Function: function, Qualifier: qualifier, Action: action, NotRead: slices.Clone(notRead)}
	answer.NotRead = append(answer.NotRead, unread(state, function, qualifier, action)...)
	if len(a.Identities) == 0 {
		answer.NotRead = append(answer.NotRead, "the roles and users of account "+a.Owner.Account)
	}
	answer.NotRead = slices.Concat(answer.NotRead, lost(state, qualifier), a.identityGaps(), a.Gaps)
	if action == Invoke {
		q.invoke(state)
	} else {
		q.administer()
	}
	for i := range a.Identities {
		q.unreadable(&a.Identities[i], action)
	}
	answer.Grants = q.grants.sorted()
	for i := range answer.Grants {
		if g := &answer.Grants[i]; g.Kind == Role {
			if role, ok := a.identity(g.Principal); ok {
				g.AssumedBy = a.assumers(role)
			}
		}
	}
	if answer.Grants == nil {
		answer.Grants = []Grant{}
	}
	return answer, nil
}

// unread says what of a function was not read.
func unread(state drift.State, function drift.Subject, qualifier drift.Place, action Action) []string {
	var list []string
	arn := function.ARN(qualifier)
	if !state.Covers(qualifier) {
		list = append(list, "the policy of "+arn)
	}
	if !state.Whole {
		list = append(list, "which other versions and aliases "+function.Name()+" has")
	}
	if action != Invoke {
		return list
	}
	if !state.CoversURL(qualifier) {
		list = append(list, "whether "+arn+" has a function URL")
	}
	if len(state.Mappings) == 0 && !slices.Contains(state.Listed, drift.Mappings) {
		list = append(list, "the event source mappings of "+function.Name())
	}
	return list
}

// everyone asks for each role, user and outsider; those who can are returned.
func (q *question) everyone(c call) {
	for i := range q.account.Identities {
		if identity := &q.account.Identities[i]; identity.concerns(c) || len(q.policy.Statements) > 0 {
			q.identity(identity, c)
		}
	}
	for _, o := range q.account.outsiders(q.policy) {
		q.outsider(o, c)
	}
}

// concerns reports whether an identity policy may be about a call.
func (i *Identity) concerns(c call) bool {
	return slices.ContainsFunc(i.Rights.Policy.Statements, func(s policy.Statement) bool { return mayMatchAction(&s, c.action) })
}

func (q *question) administer() {
	arn := q.function.ARN(q.place)
	owner := is("aws:ResourceAccount", q.account.Owner.Account)
	for _, action := range administering {
		q.everyone(call{action: action, resource: arn, pins: []pin{owner}})
	}
	c := call{action: createMapping, resource: "*", pins: []pin{owner, is("lambda:FunctionArn", arn)}}
	for i := range q.account.Identities {
		q.identity(&q.account.Identities[i], c)
	}
}

// invoke asks for calls of the Invoke API, through the function URL, and by
// event source mappings.
func (q *question) invoke(state drift.State) {
	arn := q.function.ARN(q.place)
	owner := is("aws:ResourceAccount", q.account.Owner.Account)
	q.everyone(call{action: "lambda:InvokeFunction", resource: arn, pins: []pin{
		owner, never("Bool", "lambda:InvokedViaFunctionUrl", "true"), missing("lambda:FunctionUrlAuthType"),
	}})
	if url := state.URLs[q.place]; url.AuthType != "" {
		q.url(url, call{action: "lambda:InvokeFunctionUrl", resource: arn, pins: []pin{owner, is("lambda:FunctionUrlAuthType", url.AuthType)}},
			call{action: "lambda:InvokeFunction", resource: arn, pins: []pin{owner, never("Bool", "lambda:InvokedViaFunctionUrl", "false"), never("Null", "lambda:InvokedViaFunctionUrl", "true")}})
	}
	q.mappings(state)
}

// url asks who can call through the function URL, which takes two grants. With
// AuthType NONE nobody signs, and all callers are anonymous.
// Source: Lambda Developer Guide, "Control access to Lambda function URLs".
func (q *question) url(url drift.URL, open, run call) {
	through := Through{Policy: "function URL, AuthType " + url.AuthType, Statement: -1}
	both := &question{account: q.account, function: q.function, place: q.place, policy: q.policy, verdicts: q.verdicts}
	if url.AuthType == "NONE" {
		o := outsider{party: party{caller: policy.Caller{Kind: policy.Anonymous}, pins: anonymousPins()}, principal: "*", kind: Anonymous}
		both.outsider(o, open)
		second := &question{account: q.account, function: q.function, place: q.place, policy: q.policy, verdicts: q.verdicts}
		second.outsider(o, run)
		q.join(both.grants.list, second.grants.list, through)
		return
	}
	both.everyone(open)
	second := &question{account: q.account, function: q.function, place: q.place, policy: q.policy, verdicts: q.verdicts}
	second.everyone(run)
	q.join(both.grants.list, second.grants.list, through)
}

func anonymousPins() []pin {
	return append([]pin{missing("aws:SourceArn"), missing("aws:SourceAccount"), missing("aws:PrincipalIsAWSService"), missing("aws:PrincipalServiceName")}, unsigned...)
}

// join adds those who have a grant of both lists. Where two requests say
// different things of one key, nothing is certain.
func (q *question) join(opens, runs []Grant, through Through) {
	for _, a := range opens {
		for _, b := range runs {
			if a.Kind != b.Kind || a.Principal != b.Principal || a.Kind == Service {
				continue
			}
			g := a
			g.Actions = []string{a.Actions[0], b.Actions[0]}
			g.Through = append([]Through{through}, append(slices.Clone(a.Through), b.Through...)...)
			g.Context = make(map[string][]string)
			maps.Copy(g.Context, a.Context)
			for key, values := range b.Context {
				if old, ok := g.Context[key]; ok && !slices.Equal(old, values) && g.Why == "" {
					g.Certain, g.Why = false, "the two grants want different values of "+key
				}
				g.Context[key] = values
			}
			maps.DeleteFunc(g.Context, func(key string, _ []string) bool { return strings.EqualFold(key, "lambda:InvokedViaFunctionUrl") })
			if len(g.Context) == 0 {
				g.Context = nil
			}
			if !b.Certain && g.Certain {
				g.Certain, g.Why = false, b.Why
			}
			if a.Kind == Anonymous {
				g.Exposure = narrowest(a.Exposure, b.Exposure)
			}
			q.grants.add(g)
		}
	}
}

func narrowest(a, b policy.Exposure) policy.Exposure {
	if a.Wider(b) {
		return b
	}
	return a
}

// mappings adds the event source mappings of the place: Lambda reads the source
// with the execution role and invokes the function; no policy of the function is
// asked. What the role must be allowed is checked where the role was read.
func (q *question) mappings(state drift.State) {
	role := state.Roles[q.place]
	if role == "" {
		role = state.Roles[drift.Unqualified]
	}
	for _, uuid := range sortedKeys(state.Mappings) {
		m := state.Mappings[uuid]
		if m == nil || m.Place != q.place {
			continue
		}
		g := Grant{
			Principal: m.Source, Kind: Service, Actions: []string{"lambda:InvokeFunction"}, Exposure: policy.Internal, Certain: true,
			Through: []Through{{Policy: "event source mapping " + uuid, Statement: -1}},
		}
		if account := drift.Subject(m.Source).Account(); account != "" && account != q.account.Owner.Account {
			g.Exposure = policy.External
			if slices.Contains(q.account.Owner.TrustedAccounts, account) {
				g.Exposure = policy.Organization
			}
		}
		if why := q.reads(role, m.Source); why != "" {
			g.Certain, g.Why = false, why
		}
		if !m.Enabled {
			g.Certain, g.Why = false, "the mapping is disabled"
		}
		q.grants.add(g)
	}
}

// reading are the actions that Lambda needs of the execution role to read a
// source, by the source's service.
// Source: Lambda Developer Guide, "Defining Lambda function permissions with an
// execution role", AWSLambdaKinesisExecutionRole, AWSLambdaDynamoDBExecutionRole,
// AWSLambdaSQSQueueExecutionRole.
var reading = map[string][]string{
	"kinesis":  {"kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream"},
	"dynamodb": {"dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"},
	"sqs":      {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
}

// reads says why the execution role may not be able to read a source, empty if
// it can.
func (q *question) reads(role, source string) string {
	actions := reading[strings.Join(strings.SplitN(source+":::", ":", 4)[2:3], "")]
	i, ok := q.account.identity(role)
	if role == "" || !ok {
		return "what the execution role may read was not read"
	}
	p := q.account.of(i)
	for _, action := range actions {
		c := call{action: action, resource: source}
		allows, denies := reduce(i.Rights.Policy.Statements, p, c)
		if len(ask(p, c, allows, denies, bounds(i.Rights.Boundary, p, c))) == 0 {
			return "the execution role is not allowed " + action + " on it"
		}
	}
	return ""
}

// unreadable adds a role or user of which some policy could not be read: it may
// be able to, unless that is known already.
func (q *question) unreadable(i *Identity, action Action) {
	if i.Rights.Problem == "" || slices.ContainsFunc(q.grants.list, func(g Grant) bool { return g.Principal == i.ARN }) {
		return
	}
	actions := []string{"lambda:InvokeFunction"}
	if action == Administer {
		actions = []string{"lambda:*"}
	}
	q.grants.add(Grant{
		Principal: i.ARN, Kind: i.Kind, Actions: actions, Exposure: policy.Internal, Why: i.Rights.Problem,
		Through: []Through{{Policy: "a policy that could not be read", Statement: -1}},
	})
}

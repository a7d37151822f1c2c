package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/permdrift/permdrift/internal/lambdaruntime"
	"github.com/permdrift/permdrift/internal/localaws"
	"github.com/permdrift/permdrift/internal/mototest"
	"github.com/permdrift/permdrift/pkg/baseline"
	"github.com/permdrift/permdrift/pkg/ledger"
)

// The access keys of those who call Lambda, which localaws tells apart.
const (
	malloryKey    = "AKIAMALLORYEXAMPLE"
	remediatorKey = "AKIAREMEDIATOREXAMPLE"
	deployerKey   = "AKIADEPLOYEREXAMPLE"
	deployerARN   = "arn:aws:sts::" + account + ":assumed-role/ci/deploy"
	deployerRole  = "arn:aws:iam::" + account + ":role/ci"
	malloryARN    = "arn:aws:iam::" + account + ":user/mallory"
	remediatorARN = "arn:aws:sts::" + account + ":assumed-role/permdrift-remediator/permdrift"
)

// settings are what a test wants of its world beside the template.
type settings struct {
	aws       localaws.Options
	enveloped bool   // the remediator's subscription has SNS's envelope, not raw messages
	reread    string // PERMDRIFT_REREAD_AFTER; empty: three waits of a second
	rate      string // PERMDRIFT_RATE; empty: 1000
	roles     string // PERMDRIFT_SWEEP_ROLES; empty: none
	adopts    bool   // there is a key that seals adoptions
}

// world is one deployment, and the account that it watches.
type world struct {
	t        *testing.T
	stack    stack
	settings settings
	number   int64
	wire     *wire

	aws     *localaws.Server
	refuse  atomic.Bool    // set: every read of a policy is refused
	url     string         // of Lambda and STS
	mallory *lambda.Client // somebody in the account who may do everything

	baselines *baseline.DynamoDBAdmin
	ledger    *ledger.DynamoDBAdmin
	names     map[string]string // values of the PERMDRIFT_ variables

	mailbox      *queue
	events       *mapping
	sweeps       *mapping
	remediations *mapping

	mu      sync.Mutex
	records []json.RawMessage
}

var worlds atomic.Int64

// newWorld makes the tables, the topic, the queues and Lambda, and starts one
// instance of each function.
func newWorld(t *testing.T, s settings) *world {
	t.Helper()
	w := &world{t: t, stack: theStack(t), settings: s, number: worlds.Add(1)}
	w.wire = newWire(t, mototest.Start(t))
	w.startAWS()
	config := w.config("AKIAPERSONEXAMPLE", w.wire.url)
	w.tables(dynamodb.NewFromConfig(config))
	w.queues(sqs.NewFromConfig(config), sns.NewFromConfig(config))
	w.events.function = w.startAuditor()
	w.sweeps.function = w.events.function
	w.remediations.function = w.start("remediator", w.stack.remediator, map[string]string{"AWS_ACCESS_KEY_ID": remediatorKey})
	return w
}

func (w *world) config(key, endpoint string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &endpoint, HTTPClient: http.DefaultClient,
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
	}
}

// startAWS starts Lambda and STS, whose records the world keeps.
func (w *world) startAWS() {
	w.settings.aws.Callers = map[string]localaws.Caller{malloryKey: {ARN: malloryARN}, remediatorKey: {ARN: remediatorARN}, deployerKey: {ARN: deployerARN}}
	w.settings.aws.OnRecord = func(record json.RawMessage) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.records = append(w.records, record)
	}
	w.aws = localaws.New(w.settings.aws)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if policy := strings.HasSuffix(r.URL.Path, "/policy") || strings.Contains(r.URL.Path, "/resource-policy/"); policy && r.Method == http.MethodGet && w.refuse.Load() {
			rw.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			http.Error(rw, `{"Message":"no identity-based policy allows it"}`, http.StatusForbidden)
			return
		}
		w.aws.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(server.Close)
	w.url = server.URL
	w.mallory = lambda.NewFromConfig(w.config(malloryKey, w.url))
}

func (w *world) name(what string) string { return fmt.Sprintf("e2e-%d-%s", w.number, what) }

func (w *world) tables(api *dynamodb.Client) {
	for _, name := range []string{w.name("baseline"), w.name("ledger")} {
		_, err := api.CreateTable(w.t.Context(), &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
				{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
			},
			KeySchema: []types.KeySchemaElement{
				{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
				{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
			},
		})
		must(w.t, "creating table "+name, err)
	}
	w.baselines = baseline.NewDynamoDBAdmin(api, w.name("baseline"))
	w.ledger = ledger.NewDynamoDBAdmin(api, w.name("ledger"))
}

// queues makes the topic with its two subscribers, and the auditor's queues.
func (w *world) queues(api *sqs.Client, topics *sns.Client) {
	topic, err := topics.CreateTopic(w.t.Context(), &sns.CreateTopicInput{Name: aws.String(w.name("alerts"))})
	must(w.t, "creating the topic", err)
	w.events = &mapping{queue: newRedriven(w.t, api, w.name("events"), w.stack.events), batch: w.stack.auditor.Events["Events"].Properties.BatchSize}
	w.sweeps = &mapping{queue: newRedriven(w.t, api, w.name("sweeps"), w.stack.sweeps), batch: w.stack.auditor.Events["Sweep"].Properties.BatchSize}
	w.remediations = &mapping{queue: newRedriven(w.t, api, w.name("remediations"), w.stack.remediations), batch: w.stack.remediator.Events["Alerts"].Properties.BatchSize}
	w.mailbox = newQueue(w.t, api, w.name("mailbox"), nil)
	filter, err := json.Marshal(w.stack.subscription.FilterPolicy)
	must(w.t, "writing the filter policy", err)
	attributes := map[string]string{"FilterPolicy": string(filter), "FilterPolicyScope": w.stack.subscription.FilterPolicyScope}
	if w.stack.subscription.RawMessageDelivery && !w.settings.enveloped {
		attributes["RawMessageDelivery"] = "true"
	}
	for _, s := range []struct {
		queue      *queue
		attributes map[string]string
	}{{w.mailbox, nil}, {w.remediations.queue, attributes}} {
		_, err := topics.Subscribe(w.t.Context(), &sns.SubscribeInput{
			TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &s.queue.arn, Attributes: s.attributes,
		})
		must(w.t, "subscribing "+s.queue.name, err)
	}
	w.names = map[string]string{
		"PERMDRIFT_BASELINE_TABLE": w.name("baseline"), "PERMDRIFT_LEDGER_TABLE": w.name("ledger"),
		"PERMDRIFT_TOPIC_ARN":        *topic.TopicArn,
		"PERMDRIFT_EVENTS_QUEUE_URL": w.events.queue.url, "PERMDRIFT_SWEEP_QUEUE_URL": w.sweeps.queue.url,
		"PERMDRIFT_ORGANIZATION_ID": "o-exampleorgid", "PERMDRIFT_TRUSTED_ACCOUNTS": "",
		"PERMDRIFT_SWEEP_ROLES": or(w.settings.roles, "none"), "PERMDRIFT_STACK": "permdrift", "PERMDRIFT_TOPIC_KEY": "", "PERMDRIFT_ADOPTION_KEY": w.adoptionKey(),
		"PERMDRIFT_UNKNOWN": "strict", "PERMDRIFT_LEARN_UNTIL": "",
		"PERMDRIFT_RATE": or(w.settings.rate, "1000"), "PERMDRIFT_REREAD_AFTER": or(w.settings.reread, "1s,1s,1s"),
	}
}

// adoptionKey is the ARN of a new key that seals adoptions, empty where nothing
// is to be adopted.
func (w *world) adoptionKey() string {
	if !w.settings.adopts {
		return ""
	}
	out, err := kms.NewFromConfig(w.config("AKIAPERSONEXAMPLE", w.wire.url)).CreateKey(w.t.Context(), &kms.CreateKeyInput{
		KeySpec: kmstypes.KeySpecHmac256, KeyUsage: kmstypes.KeyUsageTypeGenerateVerifyMac,
	})
	must(w.t, "creating the key", err)
	return *out.KeyMetadata.Arn
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// startAuditor starts one more instance of the auditor.
func (w *world) startAuditor() *lambdaruntime.Function {
	w.t.Helper()
	return w.start("auditor", w.stack.auditor, nil)
}

// start runs a bootstrap with the variables that the template gives it.
func (w *world) start(name string, p functionProperties, extra map[string]string) *lambdaruntime.Function {
	w.t.Helper()
	env := map[string]string{}
	for variable := range p.Environment.Variables {
		value, ok := w.names[variable]
		if !ok {
			w.t.Fatalf("the template sets %s, which this harness does not know", variable)
		}
		env[variable] = value
	}
	for _, service := range []string{"DYNAMODB", "SNS", "SQS", "IAM", "KMS"} {
		env["AWS_ENDPOINT_URL_"+service] = w.wire.url
	}
	env["AWS_ENDPOINT_URL_LAMBDA"], env["AWS_ENDPOINT_URL_STS"] = w.url, w.url
	maps.Copy(env, extra)
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	f, err := lambdaruntime.Start(ctx, lambdaruntime.Config{
		Bootstrap: lambdaruntime.Build(w.t, "../../functions/"+name), Env: env, Timeout: p.timeout(),
		FunctionARN: "arn:aws:lambda:" + region + ":" + account + ":function:permdrift-" + name, Stdout: &log, Stderr: &log,
	})
	must(w.t, "starting the "+name, err)
	w.t.Cleanup(func() {
		if err := f.Close(); err != nil {
			w.t.Errorf("ending the %s: %v", name, err)
		}
		if w.t.Failed() {
			w.t.Logf("log of the %s:\n%s", name, log.String())
		}
	})
	return f
}

// take returns the records that the account's trail has since the last take.
func (w *world) take() []json.RawMessage {
	w.mu.Lock()
	defer w.mu.Unlock()
	records := w.records
	w.records = nil
	return records
}

// feed puts records on the events queue, as EventBridge does.
func (w *world) feed(records ...json.RawMessage) {
	w.t.Helper()
	for _, record := range records {
		w.events.queue.send(envelope(w.t, record))
	}
}

// envelope is a record as EventBridge delivers it.
func envelope(t *testing.T, record json.RawMessage) string {
	t.Helper()
	var r struct {
		EventID, EventTime, EventSource, AwsRegion, RecipientAccountID string
	}
	must(t, "reading a record", json.Unmarshal(record, &r))
	source, _, _ := strings.Cut(r.EventSource, ".")
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": "e-" + r.EventID, "detail-type": "AWS API Call via CloudTrail", "source": "aws." + source,
		"account": r.RecipientAccountID, "time": r.EventTime, "region": r.AwsRegion, "resources": []string{}, "detail": record,
	})
	must(t, "writing an event", err)
	return string(body)
}

// sample is a file of events/, its times moved to when it is to have happened.
func sample(t *testing.T, name string, at time.Time) string {
	t.Helper()
	text, err := os.ReadFile("../../events/" + name)
	must(t, "reading a sample", err)
	return times.ReplaceAllString(string(text), `${1}`+at.UTC().Format(time.RFC3339)+`${2}`)
}

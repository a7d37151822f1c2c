package setup

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/baseline"
	"github.com/permdrift/permdrift/pkg/ledger"
	"github.com/permdrift/permdrift/pkg/live"
	"github.com/permdrift/permdrift/pkg/remediation"
)

// Auditor puts the auditor function together from its environment.
func Auditor(ctx context.Context, getenv func(string) string) (*audit.Handler, error) {
	e, err := ReadEnvironment(getenv)
	if err != nil {
		return nil, fmt.Errorf("starting the auditor: %w", err)
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting the auditor: loading the AWS configuration: %w", err)
	}
	tables := dynamodb.NewFromConfig(aws)
	functions := e.functions(aws, lambda.NewFromConfig(aws))
	alerts := alert.NewSNS(sns.NewFromConfig(aws), e.TopicARN)
	findings := ledger.NewDynamoDBWriter(tables, e.LedgerTable)
	queues := newQueues(sqs.NewFromConfig(aws), e.EventsQueueURL, e.SweepQueueURL)
	h := &audit.Handler{
		Auditor: &audit.Auditor{
			Live: functions, Baselines: baseline.NewDynamoDB(tables, e.BaselineTable), Ledger: findings,
			Alerts: alerts, Context: e.Context, RereadAfter: e.RereadAfter,
		},
		Digester: &audit.Digester{Findings: ledger.NewDynamoDBLister(tables, e.LedgerTable), Alerts: alerts},
		Messages: queues,
	}
	if e.AdoptionKey != "" {
		h.Auditor.Seals = baseline.NewKMS(kms.NewFromConfig(aws), e.AdoptionKey)
	}
	if e.SweepQueueURL != "" {
		all := e
		all.SweepRoles = live.AllRoles
		h.Sweeper = &audit.Sweeper{Subjects: functions, AllRoles: all.functions(aws, lambda.NewFromConfig(aws)), Queue: queues, Sweeps: findings}
	}
	return h, nil
}

// Remediator puts the remediator function together from its environment.
func Remediator(ctx context.Context, getenv func(string) string) (*remediation.Remediator, error) {
	e, err := ReadEnvironment(getenv)
	if err != nil {
		return nil, fmt.Errorf("starting the remediator: %w", err)
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting the remediator: loading the AWS configuration: %w", err)
	}
	tables := dynamodb.NewFromConfig(aws)
	functions := lambda.NewFromConfig(aws)
	plain := e
	plain.JSONPolicies = live.JSONNever
	return &remediation.Remediator{
		API: functions, Live: e.functions(aws, functions), Plain: plain.functions(aws, functions), Baselines: baseline.NewDynamoDB(tables, e.BaselineTable),
		Ledger: ledger.NewDynamoDBWriter(tables, e.LedgerTable), Alerts: alert.NewSNS(sns.NewFromConfig(aws), e.TopicARN),
		Context: e.Context,
	}, nil
}

// functions reads the functions of the account and region that the alert topic is in.
func (e Environment) functions(c aws.Config, client *lambda.Client) *live.Lambda {
	options := []live.Option{
		live.ListWith(client), live.WithIAM(iam.NewFromConfig(c)), live.Rate(e.Rate, e.Rate), live.JSONPolicies(e.JSONPolicies), live.WithRoles(e.SweepRoles),
	}
	if parts := strings.Split(e.TopicARN, ":"); len(parts) == 6 && c.Region != "" {
		options = append(options, live.Home(parts[4], c.Region))
	}
	return live.New(client, options...)
}

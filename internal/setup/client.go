package setup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/permdrift/permdrift/pkg/live"
)

// Account is one account and region with the caller's credentials.
type Account struct {
	ID     string
	Region string
	Caller string // ARN of who is asking
	Lambda *lambda.Client
	Live   *live.Lambda
}

// credentialsTimeout is how long credentials are looked for; the last place, the
// instance's metadata, does not answer at all on a laptop.
const credentialsTimeout = 5 * time.Second

// configuration is the AWS configuration of a person's machine.
func configuration(ctx context.Context, region string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{})} // what it would log is in the error
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	return c, nil
}

// signedIn says how to sign in where there are no credentials.
func signedIn(ctx context.Context, c aws.Config) error {
	asking, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	if _, err := c.Credentials.Retrieve(asking); err != nil {
		return fmt.Errorf("no AWS credentials: set AWS_PROFILE, sign in with 'aws sso login', or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", err)
	}
	return nil
}

// OpenAccount asks who the caller is and makes the clients. An empty region is
// the one of the AWS configuration.
func OpenAccount(ctx context.Context, region string, rate float64) (*Account, error) {
	c, err := configuration(ctx, region)
	if err != nil {
		return nil, err
	}
	if c.Region == "" {
		return nil, errors.New("no region: name one with --region, or set AWS_REGION")
	}
	if err := signedIn(ctx, c); err != nil {
		return nil, err
	}
	identity, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("asking AWS who the caller is, in %s: %w", c.Region, err)
	}
	client := lambda.NewFromConfig(c)
	a := &Account{ID: aws.ToString(identity.Account), Region: c.Region, Caller: aws.ToString(identity.Arn), Lambda: client}
	a.Live = live.New(client, live.ListWith(client), live.WithIAM(iam.NewFromConfig(c)), live.Rate(rate, rate), live.Home(a.ID, a.Region))
	return a, nil
}

// Partition is the partition of the account: aws, aws-cn, aws-us-gov, …
func (a *Account) Partition() string {
	if parts := strings.SplitN(a.Caller, ":", 3); len(parts) == 3 {
		return parts[1]
	}
	return "aws"
}

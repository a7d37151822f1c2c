package alert

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/permdrift/permdrift/pkg/drift"
)

// SNSAPI is what publishing calls.
type SNSAPI interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// SNS publishes to a topic: the JSON of Message to machines (default), a text
// to e-mail addresses, the subject to telephones, and attributes for filter
// policies: severity, kind, exposure, account, region, transition, findingId,
// owner, stack. An attribute without a value is left out.
type SNS struct {
	api   SNSAPI
	topic string
}

// NewSNS is a sender to the topic of that ARN.
func NewSNS(api SNSAPI, topicARN string) *SNS { return &SNS{api: api, topic: topicARN} }

// The sizes in bytes. In the message that SNS takes, both texts are strings of
// another JSON object, which at worst doubles them.
const (
	maxPublish = 256 << 10
	maxMachine = 90 << 10
	maxText    = 30 << 10
)

// Send publishes one message. A throttled call, a fault of the service and no
// answer are repeated, four calls in all.
func (s *SNS) Send(ctx context.Context, f drift.Finding, a drift.Announcement) error {
	input, err := s.input(f, a)
	if err == nil {
		err = s.publish(ctx, input)
	}
	if err != nil {
		return fmt.Errorf("publishing finding %s to %s: %w", f.ID, s.topic, err)
	}
	return nil
}

// SendDigest publishes one message about what was adopted; see [NewDigest]. Of
// nothing, nothing is sent.
func (s *SNS) SendDigest(ctx context.Context, findings []drift.Finding, since time.Time) error {
	d := NewDigest(findings, since)
	if d.Count == 0 {
		return nil
	}
	machine, err := d.fit(maxMachine)
	if err != nil {
		return fmt.Errorf("publishing the digest to %s: %w", s.topic, err)
	}
	input, err := s.envelope(d.Subject(), machine, d.Text(), map[string]string{"kind": DigestKind, "severity": string(drift.Informational)})
	if err == nil {
		err = s.publish(ctx, input)
	}
	if err != nil {
		return fmt.Errorf("publishing the digest to %s: %w", s.topic, err)
	}
	return nil
}

func (s *SNS) input(f drift.Finding, a drift.Announcement) (*sns.PublishInput, error) {
	machine, err := NewMessage(f, a).fit(maxMachine)
	if err != nil {
		return nil, err
	}
	return s.envelope(Subject(f, a), machine, Text(f, a), map[string]string{
		"severity": string(f.Severity), "kind": string(f.Kind), "exposure": string(f.Exposure),
		"account": f.Account, "region": f.Region, "transition": string(a.Transition), "findingId": f.ID,
		"owner": f.Owner, "stack": f.Stack,
	})
}

// envelope is a message to the topic, for machines and people.
func (s *SNS) envelope(subject, machine, text string, named map[string]string) (*sns.PublishInput, error) {
	message, err := encodeJSON(map[string]string{"default": machine, "email": text, "sms": subject})
	if err != nil {
		return nil, err
	}
	attributes := map[string]types.MessageAttributeValue{}
	size := len(message)
	for name, value := range named {
		if value, _ = cut(clean(value), 100); value != "" {
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
			size += len(name) + len("String") + len(value)
		}
	}
	if size > maxPublish {
		return nil, fmt.Errorf("the message has %d bytes: %w", size, drift.ErrTooLarge)
	}
	return &sns.PublishInput{
		TopicArn: aws.String(s.topic), Subject: aws.String(subject), Message: aws.String(message),
		MessageStructure: aws.String("json"), MessageAttributes: attributes,
	}, nil
}

// publish calls SNS until it takes the message, four times at most.
func (s *SNS) publish(ctx context.Context, input *sns.PublishInput) error {
	const attempts = 4
	for n := 1; ; n++ {
		_, err := s.api.Publish(ctx, input, func(o *sns.Options) { o.Retryer = aws.NopRetryer{} })
		if err == nil {
			return nil
		}
		again, err := translate(err)
		if n == attempts || !again || ctx.Err() != nil {
			return err
		}
		most := 250 * time.Millisecond << n // half a second, one, two
		timer := time.NewTimer(most/2 + rand.N(most/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// meanings are SNS's error codes in the domain's words.
var meanings = map[string]error{
	"KMSThrottling":               drift.ErrThrottled,
	"KMSThrottlingException":      drift.ErrThrottled,
	"Throttled":                   drift.ErrThrottled,
	"ThrottledException":          drift.ErrThrottled,
	"Throttling":                  drift.ErrThrottled,
	"ThrottlingException":         drift.ErrThrottled,
	"TooManyRequestsException":    drift.ErrThrottled,
	"AccessDenied":                drift.ErrDenied,
	"AccessDeniedException":       drift.ErrDenied,
	"AuthorizationError":          drift.ErrDenied,
	"AuthorizationErrorException": drift.ErrDenied,
	"KMSAccessDenied":             drift.ErrDenied,
	"KMSAccessDeniedException":    drift.ErrDenied,
	"NotFound":                    drift.ErrNotFound,
	"NotFoundException":           drift.ErrNotFound,
}

// translate adds the domain's word to an error and says whether the call is
// worth repeating: throttled, a fault of the service, or no answer.
func translate(err error) (again bool, translated error) {
	status := 0
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return status == 0 || status >= http.StatusInternalServerError, err
	}
	meaning := meanings[api.ErrorCode()]
	if meaning == nil && status == http.StatusTooManyRequests {
		meaning = drift.ErrThrottled
	}
	if meaning == nil {
		return status >= http.StatusInternalServerError, err
	}
	return errors.Is(meaning, drift.ErrThrottled), fmt.Errorf("%w: %w", meaning, err)
}

package remediation

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Handle takes an SQS batch of alerts as SNS delivers them, raw or in SNS's
// envelope, and names the messages that are to come back.
func (r *Remediator) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, message := range batch.Records {
		if err := r.message(ctx, message); err != nil {
			r.log().ErrorContext(ctx, "message failed", "messageId", message.MessageId, "error", err.Error())
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	r.log().InfoContext(ctx, "batch processed", "processed", len(batch.Records)-len(response.BatchItemFailures), "failed", len(response.BatchItemFailures))
	return response, nil
}

func (r *Remediator) message(ctx context.Context, message events.SQSMessage) (err error) {
	defer func() {
		if p := recover(); p != nil { // one message never takes the others with it
			err = fmt.Errorf("message %s: panic: %v", message.MessageId, p)
		}
	}()
	named, err := decode([]byte(message.Body))
	if err != nil {
		return fmt.Errorf("decoding message %s: %w", message.MessageId, err)
	}
	_, err = r.Remediate(ctx, named.Subject, named.ID)
	return err
}

// named is all that is believed of a message: which finding it is about.
type named struct {
	ID      string        `json:"id"`
	Subject drift.Subject `json:"subject"`
}

func decode(body []byte) (named, error) {
	var envelope struct {
		named
		Type    string
		Message string
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return named{}, fmt.Errorf("an alert in JSON is expected: %w", err)
	}
	n := envelope.named
	if envelope.Type == "Notification" {
		if err := json.Unmarshal([]byte(envelope.Message), &n); err != nil {
			return named{}, fmt.Errorf("an alert in JSON is expected in the notification: %w", err)
		}
	}
	if n.ID == "" || n.Subject == "" {
		return named{}, fmt.Errorf("the alert names no finding: it has no id or no subject")
	}
	return n, nil
}

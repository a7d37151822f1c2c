package alert

import (
	"context"
	"errors"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Sender sends one announcement about a finding.
type Sender interface {
	Send(context.Context, drift.Finding, drift.Announcement) error
}

// Multi is a sender that sends to all, whatever becomes of the others, and
// returns all their errors.
func Multi(senders ...Sender) Sender { return multi(senders) }

type multi []Sender

// Send sends to all.
func (m multi) Send(ctx context.Context, f drift.Finding, a drift.Announcement) error {
	var failed []error
	for _, s := range m {
		failed = append(failed, s.Send(ctx, f, a))
	}
	return errors.Join(failed...)
}

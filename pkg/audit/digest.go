package audit

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// RequestDigest asks for the digest of what learning adopted in the last day.
const RequestDigest = "digest"

// digestOf is how far back a digest looks: over a day, as one is never asked for
// to the second, and what is told twice is better than what is told never.
const digestOf = 25 * time.Hour

// Findings lists all findings; an error ends the sequence.
type Findings interface {
	List(ctx context.Context) iter.Seq2[drift.Finding, error]
}

// Digests sends one message about everything that was adopted since a time.
type Digests interface {
	SendDigest(ctx context.Context, findings []drift.Finding, since time.Time) error
}

// Digester tells once a day what learning adopted, so that a person sees it
// before learning ends.
type Digester struct {
	Findings Findings
	Alerts   Digests
}

// Send sends the digest of the last day and returns how much is in it. Where
// nothing was adopted, nothing is sent.
func (d *Digester) Send(ctx context.Context, now time.Time) (int, error) {
	since := now.Add(-digestOf)
	var adopted []drift.Finding
	for f, err := range d.Findings.List(ctx) {
		if err != nil {
			return 0, fmt.Errorf("listing what was adopted: %w", err)
		}
		if f.Status == drift.Accepted && f.Adoption != nil && f.Adoption.Rule == drift.LearnRule && f.Adoption.At.After(since) {
			adopted = append(adopted, f)
		}
	}
	if len(adopted) == 0 {
		return 0, nil
	}
	if err := d.Alerts.SendDigest(ctx, adopted, since); err != nil {
		return 0, fmt.Errorf("sending the digest of %d adopted grants: %w", len(adopted), err)
	}
	return len(adopted), nil
}

// digest answers a request for the digest.
func (h *Handler) digest(ctx context.Context) (Response, error) {
	response := Response{Findings: []drift.Finding{}}
	if h.Digester == nil {
		return response, fmt.Errorf("sending the digest: none is configured")
	}
	n, err := h.Digester.Send(ctx, h.Auditor.now())
	if err == nil {
		h.Auditor.log().InfoContext(ctx, "digest sent", "adopted", n)
	}
	return response, err
}

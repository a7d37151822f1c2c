package live

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/pkg/drift"
)

// document is a policy as the service gave it; the zero document is none.
type document struct{ text, revision string }

// askAgain is how long the answer that GetResourcePolicy is unknown holds.
const askAgain = time.Hour

// document reads the policy of a place, by the calls that the mode allows.
func (r *reader) document(ctx context.Context, p drift.Place) (document, error) {
	switch mode := r.lambda.mode; {
	case mode == JSONOnly:
		return r.getResourcePolicy(ctx, p)
	case mode == JSONNever, !r.target.knows(r.lambda.now()):
		return r.getPolicy(ctx, p)
	}
	d, err := r.getResourcePolicy(ctx, p)
	if failed, ok := errors.AsType[*callError](err); ok && failed.class == unknownOperation {
		d, err = r.getPolicy(ctx, p)
		if err == nil { // it is the operation that is unknown, not the whole service that is out of order
			r.target.forget(r.lambda.now())
		}
		return d, err
	}
	if err != nil || d != (document{}) {
		return d, err
	}
	return r.getPolicy(ctx, p)
}

// knows reports whether the service is to be asked with GetResourcePolicy.
func (t *target) knows(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.unknown.IsZero() || now.Sub(t.unknown) >= askAgain
}

// forget remembers that the service does not know GetResourcePolicy.
func (t *target) forget(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unknown = now
}

func (r *reader) getResourcePolicy(ctx context.Context, p drift.Place) (document, error) {
	var out *lambda.GetResourcePolicyOutput
	err := r.lambda.call(ctx, "GetResourcePolicy", r.policies, func() (err error) {
		out, err = r.target.api.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{
			ResourceArn: aws.String(r.subject.ARN(p)),
		}, once)
		return err
	})
	if err != nil {
		return document{}, unlessMissing(err)
	}
	return newDocument(out.Policy, out.RevisionId), nil
}

func (r *reader) getPolicy(ctx context.Context, p drift.Place) (document, error) {
	in := &lambda.GetPolicyInput{FunctionName: aws.String(string(r.subject))}
	if p != drift.Unqualified {
		in.Qualifier = aws.String(string(p))
	}
	var out *lambda.GetPolicyOutput
	err := r.lambda.call(ctx, "GetPolicy", r.policies, func() (err error) {
		out, err = r.target.api.GetPolicy(ctx, in, once)
		return err
	})
	if err != nil {
		return document{}, unlessMissing(err)
	}
	return newDocument(out.Policy, out.RevisionId), nil
}

// once switches off the SDK's retries: call has its own, which are counted.
func once(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }

// newDocument is the document of an answer. An empty text is no policy.
func newDocument(text, revision *string) document {
	if aws.ToString(text) == "" {
		return document{}
	}
	return document{*text, aws.ToString(revision)}
}

// unlessMissing is the error, but nil for what is not there.
func unlessMissing(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}

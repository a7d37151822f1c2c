package live

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/permdrift/permdrift/pkg/drift"
)

// readLayer reads the policy of a layer version, its only one, into the state.
func (r *reader) readLayer(ctx context.Context) error {
	arn := string(r.subject)
	colon := strings.LastIndexByte(arn, ':')
	version, err := strconv.ParseInt(arn[colon+1:], 10, 64)
	if err != nil || !strings.Contains(r.subject.Name(), ":") {
		return fmt.Errorf("the ARN names no version of a layer: %w", ErrNotAudited)
	}
	r.state.Whole = true
	var out *lambda.GetLayerVersionPolicyOutput
	err = r.lambda.call(ctx, "GetLayerVersionPolicy", r.others, func() (err error) {
		out, err = r.target.api.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{
			LayerName: aws.String(arn[:colon]), VersionNumber: &version,
		}, once)
		return err
	})
	switch {
	case isMissing(err):
		r.put(drift.Unqualified, document{})
	case err != nil:
		if err := r.gap(err, drift.Gap{}); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
	default:
		r.put(drift.Unqualified, newDocument(out.Policy, out.RevisionId))
	}
	return nil
}

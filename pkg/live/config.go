package live

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/permdrift/permdrift/pkg/drift"
)

// readRoles reads the execution role of every version into the state. A
// function that does not exist has none.
func (r *reader) readRoles(ctx context.Context) error {
	_, err := r.versions(ctx)
	if isMissing(err) {
		r.state.Roles = map[drift.Place]string{}
		r.listed(drift.Roles)
		return nil
	}
	if err := r.gap(err, drift.Gap{Aspect: drift.Roles}); err != nil {
		return fmt.Errorf("execution roles: %w", err)
	}
	return nil
}

// readURL reads the URL of one place into the state. A version cannot have one.
func (r *reader) readURL(ctx context.Context, p drift.Place) error {
	if r.state.URLs == nil {
		r.state.URLs = map[drift.Place]drift.URL{}
	}
	if isVersion(p) {
		r.state.URLs[p] = drift.URL{}
		return nil
	}
	in := &lambda.GetFunctionUrlConfigInput{FunctionName: aws.String(string(r.subject))}
	if p != drift.Unqualified {
		in.Qualifier = aws.String(string(p))
	}
	var out *lambda.GetFunctionUrlConfigOutput
	err := r.lambda.call(ctx, "GetFunctionUrlConfig", r.others, func() (err error) {
		out, err = r.target.api.GetFunctionUrlConfig(ctx, in, once)
		return err
	})
	switch {
	case isMissing(err):
		r.state.URLs[p] = drift.URL{}
	case err != nil:
		if err := r.gap(err, drift.Gap{Place: p, Aspect: drift.URLs}); err != nil {
			return fmt.Errorf("URL of %s: %w", p, err)
		}
	default:
		r.state.URLs[p] = newURL(out.FunctionUrl, out.AuthType, out.InvokeMode, out.Cors)
	}
	return nil
}

// readURLs reads the URLs of all places into the state, as a list that is
// whole or a gap of all of it.
func (r *reader) readURLs(ctx context.Context) error {
	r.state.URLs = map[drift.Place]drift.URL{}
	all := pages(ctx, r.lambda, "ListFunctionUrlConfigs", r.others, func(marker *string) ([]types.FunctionUrlConfig, *string, error) {
		out, err := r.target.api.ListFunctionUrlConfigs(ctx, &lambda.ListFunctionUrlConfigsInput{
			FunctionName: aws.String(string(r.subject)), Marker: marker,
		}, once)
		if err != nil {
			return nil, nil, err
		}
		return out.FunctionUrlConfigs, out.NextMarker, nil
	})
	for u, err := range all {
		if isMissing(err) { // the function was deleted meanwhile
			clear(r.state.URLs)
			break
		}
		var at drift.Place
		if err == nil {
			_, at, err = parseFunction("ListFunctionUrlConfigs", u.FunctionArn)
		}
		if err != nil {
			if err := r.gap(err, drift.Gap{All: true, Aspect: drift.URLs}); err != nil {
				return fmt.Errorf("URLs: %w", err)
			}
			return nil
		}
		r.state.URLs[at] = newURL(u.FunctionUrl, u.AuthType, u.InvokeMode, u.Cors)
	}
	r.listed(drift.URLs)
	return nil
}

// isVersion reports whether a place is a published version: a number.
func isVersion(p drift.Place) bool {
	return p != drift.Unqualified && strings.Trim(string(p), "0123456789") == ""
}

// parseFunction is the function that an answer names; an ARN that is none is a
// fault of the service.
func parseFunction(operation string, arn *string) (drift.Subject, drift.Place, error) {
	subject, at, err := drift.ParseFunctionARN(aws.ToString(arn))
	if err != nil {
		return "", "", &callError{operation, faulty, err}
	}
	return subject, at, nil
}

// newURL is a function URL as the service describes it.
func newURL(address *string, auth types.FunctionUrlAuthType, mode types.InvokeMode, cors *types.Cors) drift.URL {
	u := drift.URL{Address: aws.ToString(address), AuthType: string(auth), InvokeMode: string(mode)}
	if cors != nil {
		u.CORS = &drift.CORS{
			AllowCredentials: aws.ToBool(cors.AllowCredentials),
			AllowHeaders:     cors.AllowHeaders,
			AllowMethods:     cors.AllowMethods,
			AllowOrigins:     cors.AllowOrigins,
			ExposeHeaders:    cors.ExposeHeaders,
			MaxAge:           int(aws.ToInt32(cors.MaxAge)),
		}
	}
	return u
}

package alert_test

import (
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// bare is a finding about something other than a statement.
func bare(t *testing.T, kind drift.FindingKind, severity drift.Severity, exposure policy.Exposure, reason string) drift.Finding {
	f := public(t)
	f.Kind, f.Severity, f.Exposure, f.Reason = kind, severity, exposure, reason
	f.Statement, f.Sids, f.Witness, f.Counterparties, f.Remediate = nil, nil, nil, nil, ""
	return f
}

func url(authType string, origins ...string) *drift.Config {
	u := &drift.URL{AuthType: authType}
	if len(origins) > 0 {
		u.CORS = &drift.CORS{AllowOrigins: origins, AllowMethods: []string{"GET"}}
	}
	return &drift.Config{URL: u}
}

func mapping(source string, enabled bool) *drift.Config {
	return &drift.Config{Mapping: &drift.Mapping{UUID: "11111111-2222-3333-4444-555555555555", Source: source, Enabled: enabled}}
}

// configured are the announcements about configuration, layers, the auditing
// and what people and rules decided.
func configured(t *testing.T) []sample {
	const foreign, own = "arn:aws:sqs:eu-west-1:444455556666:jobs", "arn:aws:sqs:eu-west-1:111122223333:jobs"

	opened := bare(t, drift.URLOpened, drift.Critical, policy.Public, "the AuthType of the function URL is NONE, approved is AWS_IAM; anyone: Principal is \"*\"")
	opened.Config, opened.Before = url("NONE", "*"), url("AWS_IAM")
	opened.Config.URL.Address = "https://abcdefghij.lambda-url.eu-west-1.on.aws/"
	opened.Owner, opened.Stack = "payments@example.com", "shop"
	opened.Remediate = "aws lambda update-function-url-config --function-name orders --qualifier live --auth-type AWS_IAM --region eu-west-1"

	swapped := opened
	swapped.Config, swapped.Before = url("NONE", "*"), url("AWS_IAM")
	swapped.Replaces = "fedcba9876543210fedc"

	browsers := bare(t, drift.URLOpened, drift.Low, policy.Internal, "CORS of the function URL answers browsers more than is approved")
	browsers.Config, browsers.Before = url("AWS_IAM", "https://shop.example.com"), url("AWS_IAM")

	closed := bare(t, drift.PolicyNarrowed, drift.Medium, policy.Nobody, "the approved function URL is gone: whoever calls it gets no answer")
	closed.Config = url("NONE")
	closed.Remediate = "aws lambda create-function-url-config --function-name orders --qualifier live --auth-type NONE --region eu-west-1"

	source := bare(t, drift.EventSourceAdded, drift.High, policy.External, "an event source mapping feeds the function from "+foreign)
	source.Place, source.Config, source.Counterparties = drift.Unqualified, mapping(foreign, true), []string{foreign}
	source.Remediate = "aws lambda delete-event-source-mapping --uuid 11111111-2222-3333-4444-555555555555 --region eu-west-1"

	enabled := source
	enabled.Reason = "an event source mapping that is approved as disabled is enabled: " + own + ", a source in the function's own account"
	enabled.Counterparties, enabled.Remediate = []string{own}, "aws lambda update-event-source-mapping --uuid 11111111-2222-3333-4444-555555555555 --no-enabled --region eu-west-1"
	enabled.Exposure, enabled.Severity, enabled.Before, enabled.Config = policy.Internal, drift.Low, mapping(own, false), mapping(own, true)

	stopped := bare(t, drift.PolicyNarrowed, drift.Medium, policy.Nobody, "the approved event source mapping from "+own+" is disabled: its events wait or are lost")
	stopped.Config, stopped.Before = mapping(own, false), mapping(own, true)
	stopped.Remediate = "aws lambda update-event-source-mapping --uuid 11111111-2222-3333-4444-555555555555 --enabled --region eu-west-1"

	role := bare(t, drift.RoleReplaced, drift.Critical, "", "the execution role of the unpublished code is arn:aws:iam::111122223333:role/admin, and approved is arn:aws:iam::111122223333:role/orders; it is an administrator")
	role.Place, role.Config, role.Before = drift.Unqualified, &drift.Config{Role: "arn:aws:iam::111122223333:role/admin"}, &drift.Config{Role: "arn:aws:iam::111122223333:role/orders"}

	first := role
	first.Config = &drift.Config{Role: "arn:aws:iam::111122223333:role/admin"}
	first.Before, first.Status, first.Severity, first.ResolvedAt, first.Certain = nil, drift.Transient, drift.Medium, noon, false
	first.Reason = "the execution role is arn:aws:iam::111122223333:role/admin now; no role is approved for the function, so there is none to compare it with"

	service := public(t)
	service.Kind, service.Severity, service.Exposure, service.Counterparties, service.Witness = drift.PolicyNarrowed, drift.Medium, policy.Nobody, nil, nil
	service.Statement = statement(t, `{"Sid":"pub","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:orders:live"}`)
	service.Remediate = "aws lambda add-permission --function-name " + string(service.Subject) + " --qualifier live --statement-id pub --action lambda:InvokeFunction --principal s3.amazonaws.com --region eu-west-1"
	service.Reason = "a statement of the baseline is gone: s3.amazonaws.com cannot call the function any more, so its events are lost"

	return append([]sample{
		{"url-opened", opened, announcement(drift.Opened, "")},
		{"url-replaced", swapped, announcement(drift.Replaced, "")},
		{"url-cors", browsers, announcement(drift.Opened, "")},
		{"url-gone", closed, announcement(drift.Opened, "")},
		{"event-source-added", source, announcement(drift.Opened, "")},
		{"event-source-enabled", enabled, announcement(drift.Opened, "")},
		{"event-source-disabled", stopped, announcement(drift.Opened, "")},
		{"role-replaced", role, announcement(drift.Opened, "")},
		{"role-unknown", first, announcement(drift.Vanished, "")},
		{"service-lost", service, announcement(drift.Opened, "")},
	}, told(t)...)
}

// told are the announcements of layers, calls, and decisions.
func told(t *testing.T) []sample {
	layer := public(t)
	layer.Kind, layer.Severity, layer.Place, layer.Witness = drift.LayerShared, drift.High, drift.Unqualified, nil
	layer.Subject = "arn:aws:lambda:eu-west-1:111122223333:layer:shared-code:3"
	layer.Statement = statement(t, `{"Sid":"pub","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"arn:aws:lambda:eu-west-1:111122223333:layer:shared-code:3"}`)

	layer.Remediate = "aws lambda remove-layer-version-permission --layer-name shared-code --version-number 3 --statement-id pub --region eu-west-1"

	alias := bare(t, drift.AliasRepointed, drift.Informational, policy.External, "the alias points at version 7 now, and with it those whom its policy lets in: the account 444455556666")
	alias.Status, alias.ResolvedAt, alias.Approve, alias.Counterparties = drift.Transient, noon, "", []string{"444455556666"}

	blinded := bare(t, drift.AuditBlinded, drift.Critical, "", "StopLogging on audit: if no other trail records management events here, permdrift hears of no call any more; sweeps go on")
	blinded.Subject, blinded.Place, blinded.Approve = drift.AccountSubject("", "111122223333"), drift.Unqualified, ""
	blinded.Event.Name, blinded.Event.Source = "StopLogging", "cloudtrail.amazonaws.com"

	own := blinded
	own.Subject, own.Event.Name = drift.FunctionSubject("", "eu-west-1", "111122223333", "permdrift-auditor"), "UpdateFunctionCode20150331v2"
	own.Reason = "UpdateFunctionCode20150331v2 on permdrift-auditor, a function of the auditing itself"

	muted := public(t)
	muted.Status = drift.Suppressed
	muted.Suppression = &drift.Suppression{By: "carol", Reason: "load test", Ticket: "SEC-12", At: noon.Add(5 * time.Minute), Until: noon.AddDate(0, 1, 0)}

	adopted := public(t)
	adopted.Status, adopted.Severity, adopted.Exposure, adopted.ResolvedAt = drift.Accepted, drift.Informational, policy.Internal, noon.Add(time.Minute)
	adopted.Adoption = &drift.Adoption{Rule: "shop-ci", Issuer: "arn:aws:iam::111122223333:role/ci", At: noon, Seal: "local1:secret"}

	stood := public(t)
	stood.Status, stood.ResolvedAt = drift.Transient, stood.Event.Time.Add(5*time.Second)
	stood.Reason += "; it stood for 5s, until arn:aws:iam::111122223333:user/mallory took it away (RemovePermission20150331v2)"
	stood.Actor = drift.Actor{
		ARN: "arn:aws:sts::111122223333:assumed-role/ci/deploy", Account: "111122223333", Type: "AssumedRole", Issuer: "arn:aws:iam::111122223333:role/build/ci",
		Provider: "arn:aws:iam::111122223333:oidc-provider/token.example.com", Federated: "repo:shop", Source: "alice", Via: "terraform",
	}

	closed := public(t)
	closed.Status, closed.ResolvedAt = drift.Resolved, noon.Add(5*time.Minute)

	return []sample{
		{"layer-shared", layer, announcement(drift.Opened, "")},
		{"alias-repointed", alias, announcement(drift.Vanished, "")},
		{"audit-blinded", blinded, announcement(drift.Opened, "")},
		{"audit-blinded-function", own, announcement(drift.Opened, "")},
		{"suppressed", muted, announcement(drift.Muted, "by carol until 2026-12-20T12:00:00Z: load test")},
		{"unsuppressed", public(t), announcement(drift.Reopened, "carol ended the suppression: the test is over")},
		{"adopted", adopted, announcement(drift.Closed, "adopted by the rule shop-ci, from a grant of arn:aws:iam::111122223333:role/ci")},
		{"transient-stood", stood, announcement(drift.Vanished, "")},
		{"resolved-by", closed, announcement(drift.Closed, "by arn:aws:iam::111122223333:user/dave (RemovePermission20150331v2)")},
	}
}

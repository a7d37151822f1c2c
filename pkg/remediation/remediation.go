package remediation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/pkg/drift"
)

// API are the calls that narrow.
type API interface {
	RemovePermission(ctx context.Context, in *lambda.RemovePermissionInput, opts ...func(*lambda.Options)) (*lambda.RemovePermissionOutput, error)
	PutResourcePolicy(ctx context.Context, in *lambda.PutResourcePolicyInput, opts ...func(*lambda.Options)) (*lambda.PutResourcePolicyOutput, error)
}

// Live reads the policy that a change points at.
type Live interface {
	State(ctx context.Context, change drift.Change) (drift.State, error)
}

// Baselines reads what is approved, one by one and by rules, and the mode.
type Baselines interface {
	Get(ctx context.Context, subject drift.Subject) (drift.Baseline, error)
	Rules(ctx context.Context) ([]drift.Rule, error)
	Settings(ctx context.Context) (drift.Settings, error)
}

// Ledger keeps findings and intents.
type Ledger interface {
	Finding(ctx context.Context, subject drift.Subject, id string) (drift.Finding, error)
	Save(ctx context.Context, finding drift.Finding) (drift.Finding, error)
	Intents(ctx context.Context, subject drift.Subject) ([]drift.Intent, error)
	SaveIntent(ctx context.Context, intent drift.Intent) (drift.Intent, error)
}

// Alerts sends one announcement of a finding.
type Alerts interface {
	Send(ctx context.Context, finding drift.Finding, announcement drift.Announcement) error
}

// Remediator removes the causes of findings.
type Remediator struct {
	API       API
	Live      Live
	Plain     Live // reads by GetPolicy alone; see onItsRevision. Nil: none
	Baselines Baselines
	Ledger    Ledger
	Alerts    Alerts
	Context   drift.Context
	Now       func() time.Time                           // nil: time.Now
	Sleep     func(context.Context, time.Duration) error // nil: a timer
	Log       *slog.Logger                               // nil: slog.Default
}

// rounds is how often the remediator reads and decides anew for one message,
// before the message goes back to the queue.
const rounds = 6

// Remediate removes the cause of a finding, if the mode says so and the cause
// is still there and still not approved. It returns the last intent that it
// carried out, nil if there was nothing to do.
func (r *Remediator) Remediate(ctx context.Context, subject drift.Subject, id string) (*drift.Intent, error) {
	settings, err := r.Baselines.Settings(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the remediation mode: %w", err)
	}
	if settings.Mode != drift.ModeReport && settings.Mode != drift.ModeEnforce {
		r.log().InfoContext(ctx, "nothing done", "finding", id, "reason", "the mode is "+modeName(settings.Mode))
		return nil, nil
	}
	finding, err := r.Ledger.Finding(ctx, subject, id)
	if errors.Is(err, drift.ErrNotFound) {
		r.log().WarnContext(ctx, "nothing done", "finding", id, "reason", "the ledger knows no such finding of "+string(subject))
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading finding %s of %s: %w", id, subject, err)
	}
	if err := r.resend(ctx, finding); err != nil {
		return nil, err
	}
	switch {
	case finding.Kind != drift.PolicyWidened && finding.Kind != drift.PolicyNarrowed:
		r.log().InfoContext(ctx, "nothing done", "finding", id, "reason", "the finding is about no statement of a policy")
		return nil, nil
	case finding.Status == drift.Resolved && finding.Undo == "" && settings.Mode == drift.ModeEnforce:
		return r.claim(ctx, finding) // perhaps it is us who resolved it
	case finding.Status != drift.Open:
		r.log().InfoContext(ctx, "nothing done", "finding", id, "reason", "the finding is "+string(finding.Status))
		return nil, nil
	}
	return r.rounds(ctx, finding, settings.Mode)
}

func modeName(m drift.Mode) string {
	if m == "" {
		return string(drift.ModeOff)
	}
	return string(m)
}

// rounds reads, decides and acts until nothing is left to remove.
func (r *Remediator) rounds(ctx context.Context, finding drift.Finding, mode drift.Mode) (*drift.Intent, error) {
	began := r.now()
	var refused string // the revision on which the last call failed
	for round := range rounds {
		decision, err := r.decide(ctx, r.Live, finding)
		if err == nil {
			err = r.onItsRevision(ctx, finding, decision.Intent, refused)
		}
		if err != nil {
			return nil, err
		}
		switch {
		case decision.Gone:
			last, err := r.finish(ctx, finding, began)
			if errors.Is(err, errSeenAgain) {
				if finding, err = r.Ledger.Finding(ctx, finding.Subject, finding.ID); err != nil {
					return nil, fmt.Errorf("reading finding %s: %w", finding.ID, err)
				}
				break
			}
			if last == nil && err == nil {
				r.log().InfoContext(ctx, "nothing done", "finding", finding.ID, "reason", decision.Why)
			}
			return last, err
		case decision.Intent == nil:
			return nil, r.refuse(ctx, finding, decision.Why)
		case mode == drift.ModeReport:
			return nil, r.refuse(ctx, finding, "the mode is report; enforce would run: "+actCommand(*decision.Intent))
		default:
			status, err := r.act(ctx, finding, *decision.Intent, round)
			if err != nil {
				return nil, err
			}
			if status == drift.Abandoned {
				refused = decision.Intent.RevisionID
			}
		}
		if err := r.sleep(ctx, time.Duration(round)*250*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("remediating finding %s of %s: the policy still shows the statement after %d tries", finding.ID, finding.Subject, rounds)
}

// onItsRevision gives RemovePermission the revision that GetPolicy shows, once
// it has failed on the one of GetResourcePolicy although the policy is still
// the same: AWS documents that one for PutResourcePolicy and
// DeleteResourcePolicy only, and whether the two are one nobody has seen.
func (r *Remediator) onItsRevision(ctx context.Context, finding drift.Finding, intent *drift.Intent, refused string) error {
	if r.Plain == nil || intent == nil || intent.Remedy != drift.RemovePermission || intent.RevisionID != refused {
		return nil
	}
	plain, err := r.decide(ctx, r.Plain, finding)
	if err != nil {
		return err
	}
	if p := plain.Intent; p != nil && p.Remedy == intent.Remedy && p.Sid == intent.Sid {
		intent.RevisionID = p.RevisionID
	}
	return nil
}

// decide reads the policy and the baseline and plans.
func (r *Remediator) decide(ctx context.Context, live Live, finding drift.Finding) (Decision, error) {
	change := drift.Change{Subject: finding.Subject, Place: finding.Place, Operation: drift.RemoveStatement}
	state, err := live.State(ctx, change)
	if err != nil {
		return Decision{}, fmt.Errorf("reading live state of %s: %w", finding.Subject, err)
	}
	if len(state.Gaps) > 0 {
		return Decision{}, fmt.Errorf("reading the policy of %s: %s", finding.Subject.ARN(finding.Place), state.Gaps[0].Reason)
	}
	baseline, err := r.Baselines.Get(ctx, finding.Subject)
	if err != nil {
		return Decision{}, fmt.Errorf("reading baseline of %s: %w", finding.Subject, err)
	}
	rules, err := r.Baselines.Rules(ctx)
	if err != nil {
		return Decision{}, fmt.Errorf("reading the rules for %s: %w", finding.Subject, err)
	}
	baseline.Subject = finding.Subject
	baseline = baseline.WithRules(rules)
	c := r.Context
	c.Now, c.Unknown = r.now(), drift.Strict
	return Plan(finding, state, baseline, c), nil
}

// act logs the intent, makes the call, and logs how it ended. What AWS refuses
// for good is announced, too.
func (r *Remediator) act(ctx context.Context, finding drift.Finding, intent drift.Intent, round int) (drift.IntentStatus, error) {
	intent.At = r.now()
	intent.ID = fmt.Sprintf("%s-%s-%d", intent.FindingID, intent.At.UTC().Format("20060102T150405.000000000"), round)
	intent, err := r.Ledger.SaveIntent(ctx, intent)
	if err != nil {
		return "", fmt.Errorf("logging the intent for finding %s: %w", finding.ID, err)
	}
	called := r.call(ctx, intent)
	intent.EndedAt = r.now()
	intent.Status, intent.Detail = ending(called)
	r.log().InfoContext(ctx, "remediation", "intent", intent.ID, "finding", finding.ID, "call", intent.Remedy, "subject", intent.Subject, "qualifier", intent.Place, "status", intent.Status)
	if _, err := r.Ledger.SaveIntent(context.WithoutCancel(ctx), intent); err != nil {
		return intent.Status, errors.Join(called, fmt.Errorf("logging the end of intent %s: %w", intent.ID, err))
	}
	switch intent.Status {
	case drift.Done, drift.Gone, drift.Abandoned:
		return intent.Status, nil
	case drift.Failed:
		if !passing[errorCode(called)] {
			why := fmt.Sprintf("%s was refused with %s: a person has to remove it", intent.Remedy, errorCode(called))
			return intent.Status, errors.Join(called, r.refuse(ctx, finding, why))
		}
	case drift.Planned:
	}
	return intent.Status, called
}

// passing are the refusals that pass by waiting.
var passing = map[string]bool{
	"TooManyRequestsException": true, "ThrottlingException": true, "Throttling": true, "RequestLimitExceeded": true,
	"ResourceConflictException": true, // the function is being updated
}

// ending is how a call ended. An answer that did not come, and an error of the
// service, leave open whether it took effect: the intent stays planned.
func ending(err error) (drift.IntentStatus, string) {
	api, answered := errors.AsType[smithy.APIError](err)
	switch code := errorCode(err); {
	case err == nil:
		return drift.Done, ""
	case code == "ResourceNotFoundException":
		return drift.Gone, "it was gone already"
	case code == "PreconditionFailedException":
		return drift.Abandoned, "the policy changed since it was read"
	case code == "", code == "ServiceException", answered && api.ErrorFault() == smithy.FaultServer:
		return drift.Planned, "whether it took effect is unknown: " + err.Error()
	}
	return drift.Failed, err.Error()
}

// call is the destructive step.
func (r *Remediator) call(ctx context.Context, intent drift.Intent) error {
	var revision *string
	if intent.RevisionID != "" {
		revision = aws.String(intent.RevisionID)
	}
	if intent.Remedy == drift.PutResourcePolicy {
		_, err := r.API.PutResourcePolicy(ctx, &lambda.PutResourcePolicyInput{
			ResourceArn: aws.String(intent.Subject.ARN(intent.Place)), Policy: aws.String(intent.Put), RevisionId: revision,
		})
		if err != nil {
			return fmt.Errorf("writing the policy of %s less one statement: %w", intent.Subject.ARN(intent.Place), err)
		}
		return nil
	}
	in := &lambda.RemovePermissionInput{
		FunctionName: aws.String(string(intent.Subject)), StatementId: aws.String(intent.Sid), RevisionId: revision,
	}
	if intent.Place != drift.Unqualified {
		in.Qualifier = aws.String(string(intent.Place))
	}
	if _, err := r.API.RemovePermission(ctx, in); err != nil {
		return fmt.Errorf("removing statement %q of %s: %w", intent.Sid, intent.Subject.ARN(intent.Place), err)
	}
	return nil
}

func actCommand(intent drift.Intent) string {
	if intent.Remedy == drift.RemovePermission {
		return drift.RemoveCommand(intent.Subject, intent.Place, intent.Sid)
	}
	return "aws lambda put-resource-policy " + drift.Flag("--resource-arn", intent.Subject.ARN(intent.Place)) + " " + drift.Flag("--policy", intent.Put)
}

func errorCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

func (r *Remediator) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

func (r *Remediator) sleep(ctx context.Context, d time.Duration) error {
	if r.Sleep != nil {
		return r.Sleep(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (r *Remediator) log() *slog.Logger {
	if r.Log != nil {
		return r.Log
	}
	return slog.Default()
}

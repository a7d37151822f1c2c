package alert_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/drift"
)

const topic = "arn:aws:sns:eu-west-1:111122223333:permdrift"

// publisher fails as told and keeps what it was given.
type publisher struct {
	errs []error // one a call, then none
	got  []*sns.PublishInput
}

func (p *publisher) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	p.got = append(p.got, in)
	if len(p.errs) >= len(p.got) {
		return nil, p.errs[len(p.got)-1]
	}
	return &sns.PublishOutput{}, nil
}

func publish(t *testing.T, f drift.Finding, a drift.Announcement) (*sns.PublishInput, map[string]string) {
	t.Helper()
	var p publisher
	if err := alert.NewSNS(&p, topic).Send(t.Context(), f, a); err != nil {
		t.Fatal(err)
	}
	var message map[string]string
	if err := json.Unmarshal([]byte(*p.got[0].Message), &message); err != nil {
		t.Fatalf("%v: %s", err, *p.got[0].Message)
	}
	return p.got[0], message
}

func TestSNSCarriesTextJSONAndAttributes(t *testing.T) {
	for _, s := range samples(t) {
		in, message := publish(t, s.f, s.a)
		if *in.TopicArn != topic || *in.MessageStructure != "json" || *in.Subject != alert.Subject(s.f, s.a) {
			t.Errorf("%s: %+v", s.name, in)
		}
		checkSubject(t, *in.Subject)
		if message["email"] != alert.Text(s.f, s.a) || message["sms"] != *in.Subject {
			t.Errorf("%s: %v", s.name, message)
		}
		m, err := alert.ParseMessage([]byte(message["default"]))
		if err != nil || m.Announcement != s.a.ID || m.Transition != s.a.Transition || m.Note != s.a.Note || m.Truncated {
			t.Errorf("%s: %+v, %v", s.name, m, err)
		}
		want := map[string]string{
			"severity": string(s.f.Severity), "kind": string(s.f.Kind), "exposure": string(s.f.Exposure), "account": "111122223333",
			"region": s.f.Region, "transition": string(s.a.Transition), "findingId": s.f.ID, "owner": s.f.Owner, "stack": s.f.Stack,
		}
		maps.DeleteFunc(want, func(_, value string) bool { return value == "" })
		got := map[string]string{}
		for name, v := range in.MessageAttributes {
			got[name] = *v.StringValue
			if *v.DataType != "String" {
				t.Errorf("%s is a %s", name, *v.DataType)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: attributes %v", s.name, got)
		}
	}
}

func TestEmptyAttributesAreLeftOut(t *testing.T) {
	f := public(t)
	f.Region, f.Exposure = "", ""
	in, _ := publish(t, f, drift.Announcement{})
	if got := slices.Sorted(maps.Keys(in.MessageAttributes)); !slices.Equal(got, []string{"account", "findingId", "kind", "severity"}) {
		t.Errorf("attributes %v", got)
	}
}

func TestWholeMessageStaysUnderTheLimit(t *testing.T) {
	f := huge(t)
	in, message := publish(t, f, announcement(drift.Refused, strings.Repeat(`"`, 100000)))
	size := len(*in.Message)
	for name, v := range in.MessageAttributes {
		size += len(name) + len(*v.DataType) + len(*v.StringValue)
	}
	if size >= 256<<10 {
		t.Errorf("%d bytes", size)
	}
	m, err := alert.ParseMessage([]byte(message["default"]))
	if err != nil || !m.Truncated || m.ID != f.ID || m.Subject != f.Subject || m.Place != f.Place || m.Statement != nil || m.Approve == "" {
		t.Errorf("%+v, %v", m, err)
	}
}

// Only as much is dropped as is needed, in the order of the package comment.
func TestSmallestLossComesFirst(t *testing.T) {
	f := public(t)
	f.Actor.UserAgent = strings.Repeat("a", 100<<10)
	_, message := publish(t, f, announcement(drift.Opened, ""))
	m, err := alert.ParseMessage([]byte(message["default"]))
	if err != nil || !m.Truncated || m.Actor.UserAgent != "" || m.Witness == nil || m.Statement == nil {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestThrottledPublishIsRepeatedFourTimesAtMost(t *testing.T) {
	throttled := error(&types.ThrottledException{Message: aws.String("slow down")})
	denied := error(&types.AuthorizationErrorException{Message: aws.String("no")})
	network := errors.New("connection reset")
	for _, test := range []struct {
		name     string
		errs     []error
		calls    int
		sentinel error
	}{
		{"once", []error{throttled}, 2, nil},
		{"network", []error{network, network}, 3, nil},
		{"for ever", slices.Repeat([]error{throttled}, 9), 4, drift.ErrThrottled},
		{"network for ever", slices.Repeat([]error{network}, 9), 4, network},
		{"denied", []error{denied}, 1, drift.ErrDenied},
		{"no topic", []error{&types.NotFoundException{}}, 1, drift.ErrNotFound},
		{"invalid", []error{&smithy.GenericAPIError{Code: "InvalidParameter"}}, 1, errAny},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := publisher{errs: test.errs}
				started := time.Now()
				err := alert.NewSNS(&p, topic).Send(t.Context(), public(t), announcement(drift.Opened, ""))
				if len(p.got) != test.calls || (err == nil) != (test.sentinel == nil) || !errors.Is(test.sentinel, errAny) && !errors.Is(err, test.sentinel) {
					t.Errorf("%d calls, %v", len(p.got), err)
				}
				if err != nil && !strings.Contains(err.Error(), "publishing finding 0123456789abcdef0123 to "+topic) {
					t.Errorf("err = %v", err)
				}
				if took := time.Since(started); took > 4*time.Second {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

var errAny = errors.New("any error")

func TestEndedContextEndsTheRepeating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		p := publisher{errs: slices.Repeat([]error{&types.ThrottledException{}}, 9)}
		err := alert.NewSNS(&p, topic).Send(ctx, public(t), announcement(drift.Opened, ""))
		if len(p.got) != 1 || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, drift.ErrThrottled) {
			t.Errorf("%d calls, %v", len(p.got), err)
		}
	})
}

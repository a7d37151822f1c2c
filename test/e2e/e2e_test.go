// Package e2e_test runs the whole line with the real binaries on the real wire:
//
//	localaws (Lambda) ─ record ─► events queue ─► auditor ─► alert topic ─► mailbox
//	      ▲                                                      └────────► remediator queue ─► remediator
//	      └───────────────────────── RemovePermission ◄──────────────────────────────────────────────┘
//
// The two bootstraps are built from functions/ as for production and run under
// internal/lambdaruntime. DynamoDB, SNS and SQS are moto_server; Lambda and STS
// are internal/localaws. What the template decides is read from template.yaml:
// the functions' environment, time-outs and batch sizes, the queues' visibility
// and redrive, the remediator's filter policy, the sweep's input.
//
// A [world] is one deployment with tables, topic, queues and functions of its
// own, so that tests run in parallel. What a test does not have is played by
// the harness: EventBridge (world.feed), Lambda's event source mapping
// (mapping), the security team (world.mail), and the passing of hours
// (queue.hurry makes what is hidden visible).
//
// Where moto_server is not installed the tests that need it are skipped, and
// say so; with moto in PERMDRIFT_REQUIRE they fail.
//
// No test asserts how long something takes. Waits poll, and give up after
// patience.
package e2e_test

import (
	"errors"
	"testing"
	"time"

	"github.com/permdrift/permdrift/internal/lambdaruntime"
)

// The documentation's accounts: ours, and a foreign one.
const (
	account = "111122223333"
	foreign = "444455556666"
	region  = "us-east-1"
)

// patience is how long a test waits for what has to happen.
const patience = 90 * time.Second

func TestMain(m *testing.M) {
	m.Run() // its code is the one that the process exits with
	if err := lambdaruntime.RemoveBuilds(); err != nil {
		panic(err)
	}
}

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain until %s", patience, what)
		}
	}
}

// must ends the test if an error is not nil.
func must(t *testing.T, doing string, err ...error) {
	t.Helper()
	if err := errors.Join(err...); err != nil {
		t.Fatalf("%s: %v", doing, err)
	}
}

// Package lambdaruntime runs a built bootstrap binary as AWS Lambda does: it
// starts it as a process of its own, with a Lambda Runtime API server and the
// environment that functions find, and hands it one event after another.
//
//	bootstrap := lambdaruntime.Build(t, "../../functions/auditor")
//	f, err := lambdaruntime.Start(ctx, lambdaruntime.Config{Bootstrap: bootstrap})
//	defer f.Close()
//	answer, err := f.Invoke(ctx, []byte(`{"Records":[]}`))
//
// One Function is one instance: invocations are serialised, and state that the
// handler keeps between them is kept. An instance that died stays dead; Lambda
// would start another one.
//
// Invoke tells three ends apart: an answer; an *Error, which the function
// reported, or Sandbox.Timedout if it ran out of time and was killed; and an
// *ExitError, if the process died without an answer.
//
// The process does not inherit the environment of the test, so that it cannot
// find anybody's credentials: it gets PATH, the variables of Lambda, a fake
// access key, and Config.Env.
//
// Not promised: memory limits, freezing between invocations, extensions, and
// streamed responses that fail half-way.
package lambdaruntime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Config says what to run. Only Bootstrap is required.
type Config struct {
	Bootstrap   string            // path of the binary
	Env         map[string]string // wins over what Lambda sets
	Timeout     time.Duration     // of one invocation; default 3 s, as at AWS
	Grace       time.Duration     // how long after the deadline the process is killed; default 0, as at AWS
	FunctionARN string            // may be qualified; default: function "test" of account 111122223333
	Stdout      io.Writer         // nil: dropped
	Stderr      io.Writer         // nil: dropped, but for the end, which an ExitError holds
}

const (
	defaultARN     = "arn:aws:lambda:us-east-1:111122223333:function:test"
	defaultTimeout = 3 * time.Second
	patience       = 2 * time.Second // between SIGTERM and SIGKILL
)

// Error is what a function reported as its error.
type Error struct {
	Type    string  `json:"errorType"`
	Message string  `json:"errorMessage"`
	Stack   []Frame `json:"stackTrace"`
}

// Frame is one line of a stack trace.
type Frame struct {
	Path  string `json:"path"`
	Line  int    `json:"line"`
	Label string `json:"label"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// ExitError says that the process ended without an answer.
type ExitError struct {
	Err    error  // of exec.Cmd.Wait; nil for exit code 0
	Stderr string // the last lines
}

func (e *ExitError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	return "the function's process ended (" + how + "); its last words: " + e.Stderr
}

func (e *ExitError) Unwrap() error { return e.Err }

// Function is one running instance. Invoke may be called from several
// goroutines, and waits its turn.
type Function struct {
	config Config
	cmd    *exec.Cmd
	http   *http.Server
	served chan struct{} // closed when the server has ended
	tail   *tail

	turn    chan struct{} // holds one token: the right to invoke
	pending chan *invocation
	closing chan struct{}
	close   sync.Once

	ready     chan struct{} // closed when the process first asks for an event
	readyOnce sync.Once
	initError chan error
	started   time.Time
	asked     time.Time // written before ready is closed

	exited  chan struct{} // closed when the process has ended
	exitErr error

	mu      sync.Mutex
	current *invocation
}

// invocation is one event under way.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	done     chan result // holds one
}

type result struct {
	body []byte
	err  error
}

// Start runs the bootstrap and waits until it asks for its first event. The
// context bounds that wait only. If the process ends or reports an error
// instead, Start returns that, and nothing is left running.
func Start(ctx context.Context, c Config) (*Function, error) {
	if c.FunctionARN == "" {
		c.FunctionARN = defaultARN
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	path, err := filepath.Abs(c.Bootstrap)
	if err != nil {
		return nil, fmt.Errorf("finding the bootstrap %s: %w", c.Bootstrap, err)
	}
	c.Bootstrap = path
	f := &Function{
		config: c, tail: &tail{}, served: make(chan struct{}), turn: make(chan struct{}, 1), pending: make(chan *invocation),
		closing: make(chan struct{}), ready: make(chan struct{}), initError: make(chan error, 1), exited: make(chan struct{}),
	}
	if err := f.run(); err != nil {
		return nil, err
	}
	select {
	case <-f.ready:
		return f, nil
	case err = <-f.initError:
	case <-f.exited:
		select {
		case err = <-f.initError: // it said why
		default:
			err = f.exitError()
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(fmt.Errorf("starting %s: %w", path, err), f.Close())
}

// run listens and starts the process.
func (f *Function) run() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the runtime API: %w", err)
	}
	f.http = &http.Server{Handler: f.routes(), ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(f.served)
		_ = f.http.Serve(l) // always http.ErrServerClosed
	}()
	f.cmd = exec.Command(f.config.Bootstrap)
	f.cmd.Dir = filepath.Dir(f.config.Bootstrap)
	f.cmd.Env = environment(f.config, l.Addr().String())
	f.cmd.Stdout = f.config.Stdout
	f.cmd.Stderr = f.tail
	if f.config.Stderr != nil {
		f.cmd.Stderr = io.MultiWriter(f.tail, f.config.Stderr)
	}
	f.cmd.WaitDelay = patience
	f.started = time.Now()
	if err := f.cmd.Start(); err != nil {
		_ = f.http.Close() // nothing is served yet
		<-f.served
		return fmt.Errorf("starting %s: %w", f.config.Bootstrap, err)
	}
	go func() {
		f.exitErr = f.cmd.Wait()
		close(f.exited)
	}()
	return nil
}

// environment is what a function finds.
func environment(c Config, api string) []string {
	arn := strings.Split(c.FunctionARN, ":")
	arn = append(arn, make([]string, 8)...) // a short ARN has empty parts
	version := arn[7]
	if version == "" {
		version = "$LATEST"
	}
	env := map[string]string{
		"PATH":                            os.Getenv("PATH"),
		"TZ":                              ":UTC",
		"LANG":                            "en_US.UTF-8",
		"AWS_LAMBDA_RUNTIME_API":          api,
		"AWS_LAMBDA_FUNCTION_NAME":        arn[6],
		"AWS_LAMBDA_FUNCTION_VERSION":     version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + arn[6],
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local",
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"AWS_REGION":                      arn[3],
		"AWS_DEFAULT_REGION":              arn[3],
		"AWS_ACCESS_KEY_ID":               "AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY":           "secret",
		"AWS_EC2_METADATA_DISABLED":       "true",
		"LAMBDA_TASK_ROOT":                filepath.Dir(c.Bootstrap),
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"_HANDLER":                        "bootstrap",
	}
	maps.Copy(env, c.Env)
	list := make([]string, 0, len(env))
	for _, key := range slices.Sorted(maps.Keys(env)) {
		list = append(list, key+"="+env[key])
	}
	return list
}

// InitDuration is the time from the start of the process to its first request
// for an event.
func (f *Function) InitDuration() time.Duration { return f.asked.Sub(f.started) }

// Invoke hands an event to the function and waits for its answer. When
// Config.Timeout (and Grace) has passed, or the context ends, the process is
// killed.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-f.closing:
		return nil, errors.New("invoking the function: it is closed")
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the function: %w", ctx.Err())
	}
	inv := &invocation{id: requestID(), payload: payload, deadline: time.Now().Add(f.config.Timeout), done: make(chan result, 1)}
	timer := time.NewTimer(f.config.Timeout + f.config.Grace)
	defer timer.Stop()
	select {
	case f.pending <- inv:
	case <-f.exited:
		return nil, f.exitError()
	case <-timer.C:
		return nil, f.timeout()
	case <-ctx.Done():
		return nil, fmt.Errorf("handing the event to the function: %w", ctx.Err())
	}
	select {
	case r := <-inv.done:
		return r.body, r.err
	case <-f.exited:
		select {
		case r := <-inv.done: // it answered, then died
			return r.body, r.err
		default:
			return nil, f.exitError()
		}
	case <-timer.C:
		return nil, f.timeout()
	case <-ctx.Done():
		f.kill()
		return nil, fmt.Errorf("waiting for the function's answer: %w", ctx.Err())
	}
}

// timeout kills the process, as Lambda does when the time is up.
func (f *Function) timeout() error {
	f.kill()
	return &Error{Type: "Sandbox.Timedout", Message: fmt.Sprintf("Task timed out after %.2f seconds", f.config.Timeout.Seconds())}
}

func (f *Function) kill() {
	_ = f.cmd.Process.Kill() // an error says that it has ended already
	<-f.exited
}

func (f *Function) exitError() error { return &ExitError{Err: f.exitErr, Stderr: f.tail.String()} }

// Close ends the process, by SIGTERM and if need be by SIGKILL, and the server.
// Nothing is left running. A second Close does nothing.
func (f *Function) Close() error {
	var err error
	f.close.Do(func() {
		close(f.closing)
		_ = f.cmd.Process.Signal(syscall.SIGTERM) // an error says that it has ended already
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-f.exited:
		case <-timer.C:
			f.kill()
		}
		if e := f.http.Close(); e != nil {
			err = fmt.Errorf("closing the runtime API: %w", e)
		}
		<-f.served
	})
	return err
}

// decodeError reads the body of an error report; one that cannot be read is
// reported as it is.
func decodeError(kind string, body []byte) *Error {
	e := &Error{}
	if err := json.Unmarshal(body, e); err != nil {
		e.Message = string(body)
	}
	if e.Type == "" {
		e.Type = kind
	}
	return e
}

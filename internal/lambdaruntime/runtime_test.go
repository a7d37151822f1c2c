package lambdaruntime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/permdrift/permdrift/internal/lambdaruntime"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := lambdaruntime.RemoveBuilds(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// start runs the echo function, and closes it with the test.
func start(t *testing.T, c lambdaruntime.Config) *lambdaruntime.Function {
	t.Helper()
	c.Bootstrap = lambdaruntime.Build(t, "testdata/echo")
	f, err := lambdaruntime.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestEcho(t *testing.T) {
	const arn = "arn:aws:lambda:eu-west-1:444455556666:function:auditor:7"
	f := start(t, lambdaruntime.Config{FunctionARN: arn, Timeout: time.Minute, Env: map[string]string{"HOME": "/nowhere"}})
	for i := 1; i <= 2; i++ {
		raw, err := f.Invoke(t.Context(), []byte(`{"text":"hello"}`))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Text, RequestID, ARN, Name, Version, Region, Home string
			Count                                             int
			Remaining                                         int64
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		if got.Text != "hello" || got.Count != i || got.ARN != arn || got.Name != "auditor" || got.Version != "7" || got.Region != "eu-west-1" || got.Home != "/nowhere" {
			t.Errorf("invocation %d: %+v", i, got)
		}
		if len(got.RequestID) != 36 || got.Remaining <= 0 || got.Remaining > time.Minute.Milliseconds() {
			t.Errorf("invocation %d: %+v", i, got)
		}
	}
	if f.InitDuration() <= 0 {
		t.Error("no InitDuration")
	}
}

func TestInvocationsAreSerialised(t *testing.T) {
	f := start(t, lambdaruntime.Config{})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := f.Invoke(t.Context(), []byte(`{}`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	raw, err := f.Invoke(t.Context(), []byte(`{}`))
	if err != nil || !strings.Contains(string(raw), `"count":11`) {
		t.Errorf("the eleventh answer is %s, %v", raw, err)
	}
}

func TestErrorOfTheFunction(t *testing.T) {
	f := start(t, lambdaruntime.Config{})
	_, err := f.Invoke(t.Context(), []byte(`{"do":"error","text":"no such table"}`))
	var e *lambdaruntime.Error
	if !errors.As(err, &e) || e.Type != "errorString" || e.Message != "no such table" {
		t.Fatalf("got %#v", err)
	}
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); err != nil {
		t.Errorf("after an error: %v", err)
	}
}

func TestPanicIsAnErrorWithAStackAndEndsTheProcess(t *testing.T) {
	f := start(t, lambdaruntime.Config{})
	_, err := f.Invoke(t.Context(), []byte(`{"do":"panic","text":"nil map"}`))
	var e *lambdaruntime.Error
	if !errors.As(err, &e) || e.Message != "nil map" || len(e.Stack) == 0 || e.Stack[0].Label == "" {
		t.Fatalf("got %#v", err)
	}
	_, err = f.Invoke(t.Context(), []byte(`{}`))
	if _, ok := errors.AsType[*lambdaruntime.ExitError](err); !ok {
		t.Errorf("after a panic: %v", err)
	}
}

func TestDeadline(t *testing.T) {
	for _, row := range []struct {
		do            string
		grace         time.Duration
		kind, message string
		alive         bool
	}{
		{"slow", time.Minute, "wrapError", "giving up: context deadline exceeded", true},
		{"stuck", 0, "Sandbox.Timedout", "Task timed out after 0.30 seconds", false},
	} {
		t.Run(row.do, func(t *testing.T) {
			f := start(t, lambdaruntime.Config{Timeout: 300 * time.Millisecond, Grace: row.grace})
			_, err := f.Invoke(t.Context(), []byte(`{"do":"`+row.do+`"}`))
			var e *lambdaruntime.Error
			if !errors.As(err, &e) || e.Type != row.kind || e.Message != row.message {
				t.Fatalf("got %#v", err)
			}
			if _, err := f.Invoke(t.Context(), []byte(`{}`)); (err == nil) != row.alive {
				t.Errorf("after the deadline: %v", err)
			}
		})
	}
}

func TestExitIsToldWithTheLastWords(t *testing.T) {
	var stderr bytes.Buffer
	f := start(t, lambdaruntime.Config{Stderr: &stderr})
	_, err := f.Invoke(t.Context(), []byte(`{"do":"exit","text":"out of luck"}`))
	var exit *lambdaruntime.ExitError
	if !errors.As(err, &exit) || exit.Stderr != "out of luck" || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatalf("got %v", err)
	}
	if stderr.String() != "out of luck\n" {
		t.Errorf("stderr is %q", stderr.String())
	}
}

func TestStartFails(t *testing.T) {
	echo := lambdaruntime.Build(t, "testdata/echo")
	for _, row := range []struct{ name, path, init, want string }{
		{"no binary", filepath.Join(t.TempDir(), "bootstrap"), "", "no such file"},
		{"exit", echo, "exit", "no table"},
		{"init error", echo, "error", "Init: no table"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Bootstrap: row.path, Env: map[string]string{"INIT": row.init}})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestCancelledInvokeKills(t *testing.T) {
	f := start(t, lambdaruntime.Config{Timeout: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, []byte(`{"do":"stuck"}`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	var exit *lambdaruntime.ExitError
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); !errors.As(err, &exit) {
		t.Errorf("the process lives on: %v", err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	path := lambdaruntime.Build(t, "testdata/echo")
	before := runtime.NumGoroutine()
	for range 5 {
		f, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Bootstrap: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Close(), f.Close()); err != nil {
			t.Error(err)
		}
		if _, err := f.Invoke(t.Context(), nil); err == nil {
			t.Error("a closed function answers")
		}
	}
	after := runtime.NumGoroutine()
	for range 100 { // connections end on their own goroutines
		if after <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
		after = runtime.NumGoroutine()
	}
	t.Errorf("%d goroutines before, %d after", before, after)
}

func TestBuildIsCached(t *testing.T) {
	first := lambdaruntime.Build(t, "testdata/empty")
	if second := lambdaruntime.Build(t, "./testdata/../testdata/empty"); first != second {
		t.Errorf("built twice: %s, %s", first, second)
	}
	f, err := lambdaruntime.Start(t.Context(), lambdaruntime.Config{Bootstrap: first})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := f.Invoke(t.Context(), []byte(`{"Records":[{"messageId":"1"}]}`))
	if err != nil || string(raw) != `{"batchItemFailures":null}` {
		t.Errorf("got %s, %v", raw, err)
	}
}

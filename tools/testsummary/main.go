// Command testsummary runs "go test -json" in a folder and prints what a person
// wants to read: go test's own closing line of each package, and before it the
// package's failures in full and every skipped test with its reason. Its exit
// status is that of go test.
//
//	testsummary FOLDER -count=1 ./...
//
// It needs the standard library only, so that "make test" works on a machine
// with nothing but Go and make.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run starts go test in the folder args[0], with the rest of args, and returns
// its exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, "usage: testsummary FOLDER [ARGUMENT OF go test]...")
		return 2
	}
	test := exec.Command("go", append([]string{"test", "-json"}, args[1:]...)...)
	test.Dir = args[0]
	test.Stderr = stderr
	stream, err := test.StdoutPipe()
	if err == nil {
		err = test.Start()
	}
	if err != nil {
		fmt.Fprintln(stderr, "testsummary: starting go test:", err)
		return 1
	}
	readErr := summarize(stream, stdout)
	if readErr != nil {
		// Drain, or go test blocks on a full pipe.
		_, _ = io.Copy(stdout, stream)
	}
	err = test.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1)
	}
	if err = errors.Join(err, readErr); err != nil {
		fmt.Fprintln(stderr, "testsummary: running go test:", err)
		return 1
	}
	return 0
}

// event is one line of go test -json (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// summarize turns the events of in into the summary. A line that is no event
// is printed as it is.
func summarize(in io.Reader, out io.Writer) error {
	outputs := map[string][]string{} // of a test that has not ended, by package and name
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprint(out, line)
			} else {
				e.print(outputs, out)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// print prints what e calls for: build output at once, a test's output when it
// failed, its reason when it was skipped, and what go test says of a package.
func (e event) print(outputs map[string][]string, out io.Writer) {
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Fprint(out, e.Output)
	case e.Action == "output":
		outputs[key] = append(outputs[key], e.Output)
	case e.Test == "" && (e.Action == "pass" || e.Action == "fail" || e.Action == "skip"):
		for _, o := range outputs[key] {
			if o != "PASS\n" && o != "FAIL\n" {
				fmt.Fprint(out, o)
			}
		}
		// A crash or a time-out ends the package in the middle of a test.
		for k, os := range outputs {
			if e.Action == "fail" && k != key && strings.HasPrefix(k, e.Package+" ") {
				fmt.Fprint(out, strings.Join(os, ""))
			}
		}
		delete(outputs, key)
	case e.Action == "fail":
		fmt.Fprint(out, strings.Join(outputs[key], ""))
		delete(outputs, key)
	case e.Action == "skip":
		fmt.Fprintf(out, "SKIP  %s %s: %s\n", e.Package, e.Test, reason(outputs[key]))
		delete(outputs, key)
	case e.Action == "pass":
		delete(outputs, key)
	}
}

// reason joins what a skipped test said, without the frame that go test puts
// around it.
func reason(output []string) string {
	var said []string
	for _, o := range output {
		o = strings.TrimSpace(o)
		if o == "" || strings.HasPrefix(o, "=== ") || strings.HasPrefix(o, "--- ") {
			continue
		}
		said = append(said, o)
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

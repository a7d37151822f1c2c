package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
)

// version is the release that this tree is on its way to.
const version = "0.1.0-dev"

// The exit codes.
const (
	exitClean   = 0
	exitFailed  = 1
	exitUsage   = 2
	exitDrift   = 3
	exitUnknown = 4
)

// exitError carries an exit code; an empty err says nothing on stderr.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is an error about how the command was called.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// program is what the commands share.
type program struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	now      func() time.Time

	format string
	store  string
}

// run is permdrift with its arguments; it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p := &program{in: stdin, out: stdout, err: stderr, getenv: os.Getenv, now: time.Now}
	return p.run(ctx, args)
}

func (p *program) run(ctx context.Context, args []string) (code int) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a store that was cut short
	defer p.damaged(&code)
	root := p.root() //nolint:contextcheck // commands get the context from ExecuteContext
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitClean
	}
	code = exitFailed
	if exit, ok := errors.AsType[*exitError](err); ok {
		code = exit.code
	} else if strings.HasPrefix(err.Error(), "unknown command") {
		code = exitUsage
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(p.err, "permdrift: "+text)
	}
	if code == exitUsage {
		fmt.Fprintf(p.err, "See '%s'.\n", strings.TrimSpace("permdrift help "+within(cmd)))
	}
	return code
}

// within is the path of a command without the program's own name.
func within(cmd *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "permdrift"), " ")
}

const rootHelp = `permdrift watches who may invoke and administer AWS Lambda functions.

It compares what the functions' policies and their roles allow now with a baseline
that somebody approved, says exactly which statement is new, who it lets in, and
who did it, and names the commands that approve or remove it.

Start here:
  permdrift demo                     the whole story, on this machine, without AWS
  permdrift explain policy.json      who a policy lets in
  permdrift audit --store none event.json
                                     what one CloudTrail event opens

With AWS credentials:
  permdrift baseline capture --all   approve what is there now, less what is risky
  permdrift scan                     compare every function with the baseline

Exit codes: 0 clean; 3 drift found; 4 no drift found, but something could not be
read or decided; 2 wrong usage; 1 it failed. What was found is printed all the same.`

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "permdrift",
		Short:         "Find grants on AWS Lambda functions that nobody approved",
		Long:          rootHelp,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("permdrift {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.PersistentFlags().StringVar(&p.format, "format", "text", "text for people, json for machines")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if p.format != "text" && p.format != "json" {
			return usage("--format is %q, not text or json", p.format)
		}
		return nil
	}
	root.AddCommand(p.demoCommand(), p.explainCommand(), p.diffCommand(), p.auditCommand(), p.scanCommand(), p.baselineCommand(), p.findingsCommand(), p.whoCanCommand())
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil { // a shell that it does not know is wrong usage
		completion.Args = args(cobra.NoArgs)
		completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	return root
}

// storeFlag adds --store to a command.
func (p *program) storeFlag(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&p.store, "store", "",
		"where baseline and findings are: a file; none for an empty one that is gone afterwards; dynamodb:BASELINE_TABLE,LEDGER_TABLE (default: store.db in the user's state directory)")
}

// shut closes a store. What was done is done by then; that it could not be
// closed is said, and changes no exit code.
func (p *program) shut(store *setup.Store) {
	if err := store.Close(); err != nil {
		fmt.Fprintf(p.err, "permdrift: closing the store %s: %v\n", store.Name, err)
	}
}

// args makes an error of cobra's argument checks one of usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, list []string) error {
		if err := check(cmd, list); err != nil {
			return usage("%s: %w", within(cmd), err)
		}
		return nil
	}
}

func versionText() string {
	var text strings.Builder
	text.WriteString(version)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				text.WriteString(" (" + s.Value[:12] + ")")
			}
		}
		text.WriteString(" " + info.GoVersion)
	}
	return text.String()
}

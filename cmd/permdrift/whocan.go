package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/report"
)

// whoCan is one call of who-can.
type whoCan struct {
	function  string
	action    string
	qualifier string
	asked     bool // a qualifier was named
	from      []string
	region    string
	viewer    viewer
}

func (p *program) whoCanCommand() *cobra.Command {
	var w whoCan
	cmd := &cobra.Command{
		Use:   "who-can FUNCTION",
		Short: "Say who can invoke or administer a function, and why",
		Long: `Say everyone who can invoke or administer a function, and through which
statement: roles and users by their identity policies (within their permissions
boundary) or by the function's policy; other accounts by the function's policy,
provided that their own policies allow it too; services; event source mappings;
and anybody, through a public function URL. Who may assume a role is told with it.

FUNCTION is a name or an ARN. Without --qualifier, or a qualifier in the ARN, every
place is told: the unqualified function, and its versions and aliases.

With AWS credentials the account is read. With --from nothing is: FILE is the JSON
of 'aws iam get-account-authorization-details', of 'aws lambda get-policy' or
get-resource-policy, of 'aws lambda get-function-url-config', a policy, or a state;
DIR is a directory of such files, those whose name ends in .json. --format dot prints
a graph for Graphviz, --format html a page for people that needs nothing beside
itself: graph, grants, reasons.

Service control policies, resource control policies and session policies are not
read, and neither are those of other accounts.`,
		Example: `  permdrift who-can orders
  permdrift who-can orders --action administer --from export.json --from orders-policy.json
  permdrift who-can orders --from state/ --format dot | dot -Tsvg > orders.svg
  permdrift who-can orders --format html > who-can.html`,
		Args: args(cobra.ExactArgs(1)),
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"text", "json", "dot", "html"}, p.format) {
				return usage("--format is %q, not text, json, dot or html", p.format)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w.function, w.asked = args[0], cmd.Flags().Changed("qualifier")
			return p.whoCan(cmd.Context(), w)
		},
	}
	f := cmd.Flags()
	f.StringVar(&w.action, "action", "invoke", "invoke or administer")
	f.StringVar(&w.qualifier, "qualifier", "", "a version or an alias; empty is the unqualified function (default: every place)")
	f.StringSliceVar(&w.from, "from", nil, "a file or directory to read instead of AWS (may be repeated)")
	f.StringVar(&w.region, "region", "", "the region of the function (default: that of the AWS configuration)")
	f.StringVar(&w.viewer.organization, "org", "", "the id of your organization, o-…")
	f.StringSliceVar(&w.viewer.trusted, "trusted-account", nil, "an account that counts as your organization (may be repeated)")
	return cmd
}

func (p *program) whoCan(ctx context.Context, w whoCan) error {
	if w.action != string(access.Invoke) && w.action != string(access.Administer) {
		return usage("--action is %q, not invoke or administer", w.action)
	}
	owner, err := w.viewer.owner("")
	if err != nil {
		return err
	}
	if subject, place, err := drift.ParseFunctionARN(w.function); err == nil {
		if w.asked && place != drift.Unqualified && place != drift.Place(w.qualifier) {
			return usage("the ARN names the qualifier %s, and --qualifier %s", place, w.qualifier)
		}
		w.function = string(subject)
		if place != drift.Unqualified {
			w.qualifier, w.asked = string(place), true
		}
	}
	account := &access.Account{Owner: owner}
	if len(w.from) > 0 {
		err = p.readFrom(account, w.from)
	} else {
		err = readLive(ctx, account, &w)
	}
	if err != nil {
		return err
	}
	function, err := account.Function(w.function)
	if err != nil {
		return err
	}
	places := []drift.Place{drift.Place(w.qualifier)}
	if !w.asked {
		places = account.Places(function)
	}
	var answers []access.Answer
	for _, place := range places {
		answer, err := access.WhoCan(account, function, place, access.Action(w.action))
		if err != nil {
			return err
		}
		answers = append(answers, answer)
	}
	return p.printAnswers(answers)
}

// readFrom reads files, and the JSON files of directories.
func (p *program) readFrom(account *access.Account, names []string) error {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, errors.Unwrap(err))
		}
		files := []string{name}
		if info.IsDir() {
			if files, err = jsonFiles(name); err != nil {
				return err
			}
			if len(files) == 0 {
				return fmt.Errorf("reading %s: there is no file in it whose name ends in .json", name)
			}
		}
		for _, file := range files {
			if err := readFile(account, file); err != nil {
				return err
			}
		}
	}
	return nil
}

// jsonFiles are the JSON files below a directory, in order.
func jsonFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && strings.HasSuffix(path, ".json") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the directory %s: %w", dir, err)
	}
	return files, nil
}

func readFile(account *access.Account, name string) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, errors.Unwrap(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := account.Read(f); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// readLive reads the function, and the roles and users of its account, with the
// caller's credentials.
func readLive(ctx context.Context, account *access.Account, w *whoCan) error {
	region := w.region
	subject := drift.Subject(w.function)
	if subject.Kind() == drift.Function && region == "" {
		region = subject.Region()
	}
	const rate = 5 // a third of the quota, as scan takes
	caller, err := setup.OpenAccount(ctx, region, rate)
	if err != nil {
		return fmt.Errorf("who-can reads the account, or files that --from names: %w", err)
	}
	if subject.Kind() != drift.Function {
		subject = drift.FunctionSubject(caller.Partition(), caller.Region, caller.ID, w.function)
	}
	if subject.Account() != caller.ID {
		return fmt.Errorf("%s is in another account than the credentials, %s: read it with --from", subject, caller.ID)
	}
	w.function = string(subject)
	return collect(ctx, account, subject, caller.Live)
}

// accountReader reads one subject, and all groups, roles and users.
type accountReader interface {
	State(ctx context.Context, change drift.Change) (drift.State, error)
	Authorizations(ctx context.Context) iter.Seq2[drift.State, error]
}

// collect reads a function and everybody of its account.
func collect(ctx context.Context, account *access.Account, function drift.Subject, reader accountReader) error {
	state, err := reader.State(ctx, drift.Change{Subject: function, Operation: drift.Sweep, Whole: true})
	if err != nil {
		return fmt.Errorf("reading %s: %w", function, err)
	}
	if state.Whole && len(state.Policies) == 0 && len(state.Roles) == 0 {
		return fmt.Errorf("%w: %s", access.ErrNoFunction, function)
	}
	if err := account.AddState(state); err != nil {
		return fmt.Errorf("reading %s: %w", function, err)
	}
	for state, err := range reader.Authorizations(ctx) {
		if err == nil {
			err = account.AddState(state)
		}
		if err != nil {
			return fmt.Errorf("reading the roles and users of account %s: %w", function.Account(), err)
		}
	}
	return nil
}

// printAnswers prints the answers for each place of a function.
func (p *program) printAnswers(answers []access.Answer) error {
	switch p.format {
	case "json":
		return p.printJSON(map[string]any{"version": "1", "answers": answers})
	case "dot":
		return access.DOT(p.out, answers...)
	case "html":
		return report.WhoCan(p.out, p.now(), answers...)
	}
	for i, a := range answers {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		if err := p.answerText(a); err != nil {
			return err
		}
	}
	fmt.Fprintln(p.out)
	fmt.Fprintln(p.out, "Not read:")
	var said []string
	for _, a := range answers {
		for _, n := range a.NotRead {
			if !slices.Contains(said, n) {
				said = append(said, n)
				fmt.Fprintf(p.out, "  %s\n", clean(n))
			}
		}
	}
	return nil
}

func (p *program) answerText(a access.Answer) error {
	fmt.Fprintf(p.out, "Who can %s %s:\n", a.Action, clean(a.Function.ARN(a.Qualifier)))
	if len(a.Grants) == 0 {
		fmt.Fprintln(p.out, "  nobody of those who were read")
		return nil
	}
	table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i := range cells {
			cells[i] = clean(cells[i])
		}
		_, _ = io.WriteString(table, "  "+strings.TrimRight(strings.Join(cells, "\t"), "\t ")+"\n") // into the buffer of the table
	}
	row("WHO", "KIND", "EXPOSURE", "THROUGH")
	for _, g := range a.Grants {
		for i, line := range reasons(g) {
			if i == 0 {
				row(g.Principal, string(g.Kind), string(g.Exposure), line)
			} else {
				row("", "", "", line)
			}
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	return nil
}

// reasons say why somebody can, a line each.
func reasons(g access.Grant) []string {
	var lines []string
	for _, t := range g.Through {
		lines = append(lines, t.String())
	}
	if with := g.With(); with != "" {
		lines = append(lines, "with "+with)
	}
	if len(g.Actions) > 1 || !strings.HasPrefix(g.Actions[0], "lambda:Invoke") {
		lines = append(lines, "may "+shortened(g.Actions))
	}
	if g.Provided != "" {
		lines = append(lines, "provided that "+g.Provided)
	}
	if !g.Certain {
		lines = append(lines, "not certain: "+g.Why)
	}
	var by []string
	for _, a := range g.AssumedBy {
		text := a.Principal
		if a.Kind == access.Other && a.Principal != "*" {
			text = "account " + text
		}
		if len(a.Context) > 0 {
			text += " (with " + access.Grant{Context: a.Context}.With() + ")"
		}
		if !slices.Contains(by, text) {
			by = append(by, text)
		}
	}
	if len(by) > 0 {
		lines = append(lines, "assumed by "+strings.Join(by, ", "))
	}
	return lines
}

// shortened is a list of actions, of a long one the first few. JSON has them all.
func shortened(actions []string) string {
	const most = 6
	rest := ""
	if n := len(actions); n > most+1 {
		actions, rest = actions[:most], fmt.Sprintf(" and %d more", n-most)
	}
	return strings.Join(actions, ", ") + rest
}

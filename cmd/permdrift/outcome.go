package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/alert"
	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// viewer are the flags that say whose eyes exposures are seen with, and what
// an unknown function means.
type viewer struct {
	organization string
	trusted      []string
	unknown      string
	failOn       string
	stack        string
	keys         []string
}

func (v *viewer) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.organization, "org", "", "the id of your organization, o-…")
	f.StringSliceVar(&v.trusted, "trusted-account", nil, "an account that counts as your organization (may be repeated)")
	f.StringVar(&v.unknown, "unknown", "strict", "what a function without a baseline means: strict makes every grant a finding, learn adopts what is at most internal")
	f.StringVar(&v.stack, "stack", "", "the stack that permdrift is deployed with, so that changes to it are told")
	f.StringSliceVar(&v.keys, "own-key", nil, "a KMS key that the stack uses, by its ARN (may be repeated)")
	f.StringVar(&v.failOn, "fail-on", "low", "the severity from which on the exit code is 3: critical, high, medium, low")
}

// context is the context of comparisons; learning from the command line ends with the day.
func (v *viewer) context(p *program) (drift.Context, error) {
	owner, err := v.owner("")
	if err != nil {
		return drift.Context{}, err
	}
	c := drift.Context{Owner: owner, Unknown: drift.UnknownMode(v.unknown), Store: p.store, Reach: access.Escalations, Own: drift.Own{Stack: v.stack, Keys: v.keys}}
	switch c.Unknown {
	case drift.Strict:
	case drift.Learn:
		c.LearnUntil = p.now().AddDate(0, 0, 1)
	default:
		return c, usage("--unknown is %q, not strict or learn", v.unknown)
	}
	if severity := drift.Severity(v.failOn); severity.Rank() < drift.Low.Rank() {
		return c, usage("--fail-on is %q, not critical, high, medium or low", v.failOn)
	}
	return c, nil
}

func (v *viewer) owner(account string) (policy.Owner, error) {
	accounts, err := setup.Accounts(strings.Join(v.trusted, ","))
	if err != nil {
		return policy.Owner{}, usage("--trusted-account %w", err)
	}
	if own, err := setup.Accounts(account); err != nil {
		return policy.Owner{}, usage("--account %w", err)
	} else if len(own) > 1 {
		return policy.Owner{}, usage("--account is %q; name one account", account)
	}
	if _, err := setup.Organization(v.organization); err != nil {
		return policy.Owner{}, usage("--org %w", err)
	}
	return policy.Owner{Account: account, Organization: v.organization, TrustedAccounts: accounts}, nil
}

// outcome gathers what a command found, for its summary and its exit code.
type outcome struct {
	p        *program
	failOn   drift.Severity
	found    map[drift.Severity]int
	drifted  bool
	unknown  int
	adopted  int // grants that a rule adopted
	silenced int // findings that somebody suppressed
	failures []error
}

func (p *program) outcome(failOn string) *outcome {
	return &outcome{p: p, failOn: drift.Severity(failOn), found: make(map[drift.Severity]int)}
}

// report prints the findings of one audited change and counts them.
func (o *outcome) report(ctx context.Context, r audit.Report) error {
	announced := make(map[string]drift.Announcement)
	for _, t := range r.Transitions {
		if t.Kind == drift.Seen {
			continue
		}
		announced[t.Finding.ID] = drift.Announcement{Transition: t.Kind, At: t.Finding.LastSeen}
		if n := len(t.Finding.Pending); n > 0 {
			announced[t.Finding.ID] = t.Finding.Pending[n-1]
		}
		if t.Kind == drift.Closed {
			if err := o.print(ctx, t.Finding, announced[t.Finding.ID]); err != nil {
				return err
			}
		}
	}
	for _, f := range r.Findings {
		switch f.Status {
		case drift.Open, drift.Transient:
			o.count(f)
		case drift.Suppressed:
			if o.silenced++; o.p.format != "json" {
				continue
			}
		default:
			if f.Adoption != nil {
				o.adopted++
			}
			continue
		}
		a, ok := announced[f.ID]
		if !ok {
			a = drift.Announcement{Transition: drift.Seen, At: f.LastSeen}
		}
		if err := o.print(ctx, f, a); err != nil {
			return err
		}
	}
	return nil
}

func (o *outcome) count(f drift.Finding) {
	if f.Kind == drift.UnreadableChange {
		o.unknown++
		return
	}
	o.found[f.Severity]++
	if f.Severity.Rank() >= o.failOn.Rank() {
		o.drifted = true
	}
}

func (o *outcome) print(ctx context.Context, f drift.Finding, a drift.Announcement) error {
	if o.p.format == "json" {
		if err := alert.WriteJSON(o.p.out, f); err != nil {
			return fmt.Errorf("printing finding %s: %w", f.ID, err)
		}
		return nil
	}
	return alert.Terminal{W: o.p.out, Color: o.p.color()}.Send(ctx, f, a)
}

// fail says on stderr what failed, and goes on.
func (o *outcome) fail(err error) {
	o.failures = append(o.failures, err)
	fmt.Fprintln(o.p.err, "permdrift: "+err.Error())
}

// note says something on stderr that is neither a finding nor a failure.
func (o *outcome) note(format string, args ...any) {
	fmt.Fprintf(o.p.err, format+"\n", args...)
}

// undecided counts something that was not judged.
func (o *outcome) undecided(format string, args ...any) {
	o.unknown++
	o.note("unknown: "+format, args...)
}

// end prints the summary and returns the exit code: failed before drift before unknown.
func (o *outcome) end(what string) error {
	if o.p.format == "text" {
		fmt.Fprintf(o.p.out, "%s: %s\n", what, o.summary())
	}
	switch {
	case len(o.failures) > 0:
		return &exitError{code: exitFailed}
	case o.drifted:
		return &exitError{code: exitDrift}
	case o.unknown > 0:
		return &exitError{code: exitUnknown}
	}
	return nil
}

func (o *outcome) summary() string {
	var parts []string
	total := 0
	for _, s := range []drift.Severity{drift.Critical, drift.High, drift.Medium, drift.Low, drift.Informational} {
		if n := o.found[s]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	text := "no findings"
	if total > 0 {
		text = fmt.Sprintf("%s (%s)", plural(total, "finding"), strings.Join(parts, ", "))
	}
	if o.silenced > 0 {
		text += fmt.Sprintf(", %d suppressed", o.silenced)
	}
	if o.adopted > 0 {
		text += fmt.Sprintf(", %d adopted", o.adopted)
	}
	if o.unknown > 0 {
		text += fmt.Sprintf(", %d unknown", o.unknown)
	}
	if n := len(o.failures); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "ary"); ok {
		return fmt.Sprintf("%d %saries", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// subjectCount is how many functions, layer versions and roles there are, in words.
func subjectCount(subjects []drift.Subject) string {
	counts := make(map[drift.Kind]int)
	for _, s := range subjects {
		counts[s.Kind()]++
	}
	var parts []string
	for _, kind := range []drift.Kind{drift.Function, drift.LayerVersion, drift.Role} {
		if n := counts[kind]; n > 0 {
			parts = append(parts, plural(n, strings.ReplaceAll(string(kind), "-", " ")))
		}
	}
	if len(parts) == 0 {
		return plural(0, "function")
	}
	last := len(parts) - 1
	return strings.Join(slices.DeleteFunc([]string{strings.Join(parts[:last], ", "), parts[last]}, func(part string) bool { return part == "" }), " and ")
}

// auditor is an auditor on a store, which reads nothing yet. In the tables of a
// deployment adoptions are taken as they are: only the deployed auditor has the
// key that seals them, and what it reads puts right what was taken wrongly.
func (p *program) auditor(store *setup.Store, c drift.Context) *audit.Auditor {
	return &audit.Auditor{
		Baselines: store.Baseline, Ledger: store.Ledger, Alerts: p.alerts(), Context: c, Now: p.now,
		Seals: store.Seals, TrustAdoptions: setup.Shared(p.store),
	}
}

// alerts is who announces what a command finds. On an embedded store nobody
// but the command, which prints it itself. On the store of a deployment the
// announcements stay on the rows, and the deployed auditor sends them.
func (p *program) alerts() audit.Alerts {
	if setup.Shared(p.store) {
		return nil
	}
	return silent{}
}

// silent takes announcements for sent.
type silent struct{}

func (silent) Send(context.Context, drift.Finding, drift.Announcement) error { return nil }

// color reports whether the output is a terminal that wants colours.
func (p *program) color() bool {
	file, ok := p.out.(*os.File)
	if !ok || p.getenv("NO_COLOR") != "" || p.getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

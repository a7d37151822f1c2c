package main

import (
	"fmt"
	"maps"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/internal/setup"
	"github.com/permdrift/permdrift/pkg/drift"
)

func (p *program) baselineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Capture, show, approve and revoke what is allowed to be there, and rules",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	p.storeFlag(cmd)
	cmd.AddCommand(p.captureCommand(), p.baselineListCommand(), p.baselineShowCommand(),
		p.approveCommand(), p.revokeCommand(), p.ruleCommand(), p.modeCommand())
	return cmd
}

// approver are the flags that say who approves, and why.
type approver struct {
	by, reason, ticket, expires string
}

func (a *approver) flags(cmd *cobra.Command) {
	byFlag(cmd, &a.by, "who approves")
	cmd.Flags().StringVar(&a.reason, "reason", "", "why")
	cmd.Flags().StringVar(&a.ticket, "ticket", "", "where that was decided")
	cmd.Flags().StringVar(&a.expires, "expires", "", "the day or time from which on it counts no more, such as 2026-12-31")
}

// byFlag adds --by to a command; without it the user of the machine signs.
func byFlag(cmd *cobra.Command, by *string, what string) {
	cmd.Flags().StringVar(by, "by", username(), what)
	cmd.Flags().Lookup("by").DefValue = "your user name" // in the help
}

func username() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

// approval is an approval of nothing yet: by whom, why and until when.
func (a *approver) approval(now time.Time) (drift.Approval, error) {
	expires, err := later("--expires", a.expires, now)
	return drift.Approval{By: a.by, Reason: a.reason, Ticket: a.ticket, At: now.UTC().Truncate(time.Second), Expires: expires}, err
}

// later is the time that a flag says, which must not be over; the zero time if
// it says none.
func later(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if !now.Before(t) {
			return t, usage("%s is %s, which is over", flag, text)
		}
		return t, nil
	}
	return time.Time{}, usage("%s is %q, not a time such as 2026-12-31 or 2026-12-31T12:00:00Z", flag, text)
}

func (p *program) baselineListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the subjects that have a baseline",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			for subject, err := range store.Baseline.Subjects(cmd.Context()) {
				if err != nil {
					return fmt.Errorf("listing the baseline in %s: %w", store.Name, err)
				}
				baseline, err := store.Baseline.Get(cmd.Context(), subject)
				if err != nil {
					return fmt.Errorf("reading baseline of %s: %w", subject, err)
				}
				if err := p.listBaseline(baseline); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// listed is the JSON of baseline list, one object a line.
type listed struct {
	Subject   drift.Subject `json:"subject"`
	Places    int           `json:"places"`
	Approvals int           `json:"approvals"`
}

func (p *program) listBaseline(b drift.Baseline) error {
	l := listed{Subject: b.Subject, Places: len(b.Places)}
	for _, approved := range b.Places {
		l.Approvals += len(approved.Approvals)
	}
	if p.format == "json" {
		return p.printJSONLine(l)
	}
	fmt.Fprintf(p.out, "%s  %s, %s\n", l.Subject, plural(l.Places, "place"), plural(l.Approvals, "approval"))
	return nil
}

func (p *program) baselineShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ARN",
		Short: "Show what is approved of a function, layer version or role, and who approved it",
		Long: `Show what is approved of a function, layer version or role, who approved it, why
and until when, and the rules that approve more of it. 'baseline revoke' takes the
number that stands before an approval. The ARN of a role, user or group may have
its path or not.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, arns []string) error {
			subject, err := subjectOf(arns[0])
			if err != nil {
				return err
			}
			store, err := setup.OpenExistingStore(cmd.Context(), p.store, p.getenv)
			if err != nil {
				return err
			}
			defer p.shut(store)
			baseline, err := store.Baseline.Get(cmd.Context(), subject)
			if err != nil {
				return fmt.Errorf("reading baseline of %s: %w", subject, err)
			}
			if baseline.Rules, err = rulesFor(cmd.Context(), store, subject); err != nil {
				return err
			}
			if !baseline.Known() && len(baseline.Rules) == 0 {
				return fmt.Errorf("reading baseline of %s in %s: %w; capture it with 'permdrift baseline capture'", subject, store.Name, drift.ErrNotFound)
			}
			if p.format == "json" {
				return p.printJSON(baseline)
			}
			p.showBaseline(baseline)
			return nil
		},
	}
}

// subjectOf is the subject that the ARN of a function, with or without a
// qualifier, of a layer version, or of a role, user or group, with or without its
// path, names.
func subjectOf(arn string) (drift.Subject, error) {
	switch s := drift.Subject(arn); s.Kind() {
	case drift.LayerVersion:
		if strings.Contains(s.Name(), ":") {
			return s, nil
		}
	case drift.Role, drift.User, drift.Group:
		if name := s.Name()[strings.LastIndexByte(s.Name(), '/')+1:]; name != "" && s.Account() != "" {
			return drift.Subject(strings.TrimSuffix(arn, s.Name()) + name), nil
		}
	default:
		if subject, _, err := drift.ParseFunctionARN(arn); err == nil {
			return subject, nil
		}
	}
	return "", usage("%q is not the ARN of a function, of a layer version, or of a role", arn)
}

// numbered is an approval with the number that people name it by: the place in
// the order of the places, from 1 on.
type numbered struct {
	number int
	place  drift.Place
	index  int // in the approvals of the place
	drift.Approval
}

// numbers numbers all approvals of a baseline.
func numbers(b drift.Baseline) []numbered {
	var list []numbered
	for _, place := range slices.Sorted(maps.Keys(b.Places)) {
		for i, a := range b.Places[place].Approvals {
			list = append(list, numbered{number: len(list) + 1, place: place, index: i, Approval: a})
		}
	}
	return list
}

func (p *program) showBaseline(b drift.Baseline) {
	list := numbers(b)
	for _, place := range slices.Sorted(maps.Keys(b.Places)) {
		approved := b.Places[place]
		fmt.Fprintf(p.out, "%s (version %d, %s)\n", clean(at(b.Subject, place)), approved.Version, plural(len(approved.Approvals), "approval"))
		if place == drift.Boundary && len(approved.Approvals) == 0 {
			fmt.Fprintln(p.out, "  no permissions boundary")
		}
		for _, a := range list {
			if a.place == place {
				fmt.Fprintf(p.out, "  %d. %s\n    approved by %s\n", a.number, clean(approves(a.Approval)),
					signed(a.By, a.At, a.Reason, a.Ticket, a.Expires))
			}
		}
	}
	for _, r := range b.Rules {
		fmt.Fprintf(p.out, "rule %s: %s\n", clean(r.ID), clean(ruleWords(r)))
	}
}

// at is a place of a subject: an ARN with the qualifier, or a role's with the place.
func at(s drift.Subject, place drift.Place) string {
	switch s.Kind() {
	case drift.Role, drift.User, drift.Group:
		return string(s) + " at " + place.String()
	default:
		return s.ARN(place)
	}
}

// signed says who decided something, when, why, and until when it counts.
func signed(by string, at time.Time, reason, ticket string, expires time.Time) string {
	text := by + " on " + at.Format(time.DateOnly)
	if reason != "" {
		text += ": " + reason
	}
	if ticket != "" {
		text += ", ticket " + ticket
	}
	if !expires.IsZero() {
		text += ", until " + expires.Format(time.RFC3339)
	}
	return clean(text)
}

// approves is what an approval is of, on one line.
func approves(a drift.Approval) string {
	if a.Config == nil {
		return a.Statement.String()
	}
	return configWords(*a.Config)
}

// configWords is a part of the configuration on one line.
func configWords(c drift.Config) string {
	switch {
	case c.URL != nil:
		text := "function URL, AuthType " + c.URL.AuthType
		if c.URL.CORS != nil && len(c.URL.CORS.AllowOrigins) > 0 {
			text += ", CORS origins " + strings.Join(c.URL.CORS.AllowOrigins, ", ")
		}
		return text
	case c.Mapping != nil && !c.Mapping.Enabled:
		return "event source " + c.Mapping.Source + ", disabled"
	case c.Mapping != nil:
		return "event source " + c.Mapping.Source
	case c.Boundary != "":
		return "permissions boundary " + c.Boundary
	}
	return "execution role " + c.Role
}

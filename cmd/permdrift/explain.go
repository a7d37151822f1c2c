package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func (p *program) explainCommand() *cobra.Command {
	var v viewer
	var account string
	cmd := &cobra.Command{
		Use:   "explain POLICY",
		Short: "Say what each statement of a policy grants, and to whom",
		Long: `Say what each statement of a policy grants, and to whom.

POLICY is a file with one policy document, as 'aws lambda get-policy' or
get-resource-policy shows it; - reads standard input. Exposures are seen from the
account that owns the function, which is taken from the policy's ARNs unless
--account names it.`,
		Example: "  permdrift explain policy.json\n  aws lambda get-policy --function-name orders --query Policy --output text | permdrift explain -",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			owner, err := v.owner(account)
			if err != nil {
				return err
			}
			document, err := p.policy(args[0])
			if err != nil {
				return err
			}
			return p.explain(document, owner)
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "the account that owns the function")
	cmd.Flags().StringVar(&v.organization, "org", "", "the id of your organization, o-…")
	cmd.Flags().StringSliceVar(&v.trusted, "trusted-account", nil, "an account that counts as your organization (may be repeated)")
	return cmd
}

// explanation is the JSON of explain.
type explanation struct {
	Exposure   policy.Exposure        `json:"exposure"`
	Statements []explanationStatement `json:"statements"`
}

type explanationStatement struct {
	Index          int             `json:"index"`
	Sid            string          `json:"sid,omitempty"`
	Effect         policy.Effect   `json:"effect"`
	Exposure       policy.Exposure `json:"exposure"`
	Severity       drift.Severity  `json:"severity"`
	Counterparties []string        `json:"counterparties"`
	Actions        []string        `json:"actions,omitempty"`
	NotActions     []string        `json:"notActions,omitempty"`
	Resources      []string        `json:"resources,omitempty"`
	NotResources   []string        `json:"notResources,omitempty"`
	Reason         string          `json:"reason"`
	Certain        bool            `json:"certain"`
	Witness        *policy.Witness `json:"witness,omitempty"`
}

func (p *program) explain(document policy.Policy, owner policy.Owner) error {
	e := explanation{Exposure: policy.ExposeDocument(document, owner).Exposure, Statements: []explanationStatement{}}
	for i, s := range document.Statements {
		v := policy.Expose(s, owner)
		witness := example(document, i, owner.Account)
		if v.Counterparties == nil {
			v.Counterparties = []string{}
		}
		severity := drift.SeverityOf(v.Exposure, s)
		e.Statements = append(e.Statements, explanationStatement{
			Index: i, Sid: s.Sid, Effect: s.Effect, Exposure: v.Exposure, Severity: severity, Counterparties: v.Counterparties,
			Actions: s.Action, NotActions: s.NotAction, Resources: s.Resource, NotResources: s.NotResource,
			Reason: v.Reason, Certain: v.Certain, Witness: witness,
		})
	}
	if p.format == "json" {
		return p.printJSON(e)
	}
	for _, s := range e.Statements {
		p.explainStatement(s)
	}
	fmt.Fprintf(p.out, "The policy as a whole is %s.\n", e.Exposure)
	return nil
}

// example is one request that a statement by itself lets in, nil if there is none.
func example(document policy.Policy, index int, account string) *policy.Witness {
	alone := policy.Policy{Version: document.Version, Statements: document.Statements[index : index+1]}
	access := policy.NewAccess(policy.Policy{}, alone, policy.Options{Account: account})
	if len(access.Witnesses) == 0 {
		return nil
	}
	w := access.Witnesses[0]
	w.Index = index
	return &w
}

func (p *program) explainStatement(s explanationStatement) {
	name := fmt.Sprintf("Statement %d", s.Index)
	if s.Sid != "" {
		name += fmt.Sprintf(" (%q)", s.Sid)
	}
	fmt.Fprintf(p.out, "%s: %s, %s\n", name, s.Exposure, s.Severity)
	verb := "allows"
	if s.Effect == policy.Deny {
		verb = "denies"
	}
	what := strings.Join(s.Actions, ", ")
	if s.NotActions != nil {
		what = "every action but " + strings.Join(s.NotActions, ", ")
	}
	where := strings.Join(s.Resources, ", ")
	if s.NotResources != nil {
		where = "everything but " + strings.Join(s.NotResources, ", ")
	}
	fmt.Fprintf(p.out, "  %s   %s\n", verb, clean(what))
	if where != "" {
		fmt.Fprintf(p.out, "  on       %s\n", clean(where))
	}
	if len(s.Counterparties) > 0 {
		fmt.Fprintf(p.out, "  to       %s\n", clean(strings.Join(s.Counterparties, ", ")))
	}
	certain := ""
	if !s.Certain {
		certain = " (not certain)"
	}
	fmt.Fprintf(p.out, "  because  %s%s\n", clean(s.Reason), certain)
	if s.Witness != nil {
		fmt.Fprintf(p.out, "  such as  %s\n", clean(s.Witness.String()))
	}
	fmt.Fprintln(p.out)
}

// read reads a file, or standard input for "-".
func (p *program) read(name string) ([]byte, error) {
	if name == "-" {
		text, err := io.ReadAll(io.LimitReader(p.in, maxInput+1))
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return text, tooLarge("standard input", int64(len(text)))
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, errors.Unwrap(err))
	}
	if info.IsDir() {
		return nil, fmt.Errorf("reading %s: it is a directory; name the files in it", name)
	}
	if err := tooLarge(name, info.Size()); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, errors.Unwrap(err))
	}
	return text, nil
}

// maxInput is the largest file that is read whole, in bytes. CloudTrail's log
// files are a few megabytes.
const maxInput = 256 << 20

func tooLarge(name string, size int64) error {
	if size > maxInput {
		return fmt.Errorf("reading %s: it has more than %d MB", name, maxInput>>20)
	}
	return nil
}

// printJSONLine prints one object on one line.
func (p *program) printJSONLine(v any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}

func (p *program) printJSON(v any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}

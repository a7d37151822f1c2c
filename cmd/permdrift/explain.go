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
	var account, url, kind string
	cmd := &cobra.Command{
		Use:   "explain POLICY",
		Short: "Say what each statement of a policy grants, and to whom",
		Long: `Say what each statement of a policy grants, and to whom.

POLICY is a file with one policy document, as 'aws lambda get-policy' or
get-resource-policy shows it; - reads standard input. Exposures are seen from the
account that owns the function, which is taken from the policy's ARNs unless
--account names it, and after the policy's Denys.

A role's trust policy says who may become the role; it names no account, so say
with --account whose role it is.

A function URL is open by the policy and its AuthType together: --function-url says
which AuthType it has. Where a service may call on anybody's behalf, the conditions
that the owner most likely meant are suggested, with the commands; nothing is
changed.`,
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
			if url != "" && url != "NONE" && url != "AWS_IAM" {
				return usage("--function-url is %q, not NONE or AWS_IAM", url)
			}
			switch kind {
			case "":
				if kind = "resource"; trusts(document) {
					kind = "trust"
				}
			case "resource", "trust":
			default:
				return usage("--type is %q, not resource or trust", kind)
			}
			return p.explain(document, owner, url, kind == "trust")
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "the account that owns the function")
	cmd.Flags().StringVar(&kind, "type", "", "what the policy is attached to: resource, or trust for a role's trust policy (default: trust where every statement is about sts and no resource)")
	cmd.Flags().StringVar(&url, "function-url", "", "the AuthType of the function's URL, if it has one: NONE or AWS_IAM")
	cmd.Flags().StringVar(&v.organization, "org", "", "the id of your organization, o-…")
	cmd.Flags().StringSliceVar(&v.trusted, "trusted-account", nil, "an account that counts as your organization (may be repeated)")
	return cmd
}

// explanation is the JSON of explain.
type explanation struct {
	Exposure    policy.Exposure        `json:"exposure"`
	FunctionURL *urlExplanation        `json:"functionUrl,omitempty"`
	Statements  []explanationStatement `json:"statements"`
}

// urlExplanation says who may call through the function's URL.
type urlExplanation struct {
	AuthType string          `json:"authType"`
	Exposure policy.Exposure `json:"exposure"`
	Reason   string          `json:"reason"`
	Certain  bool            `json:"certain"`
}

// suggestion is how a statement is pinned to whom its owner most likely meant.
type suggestion struct {
	Statement policy.Statement `json:"statement"`
	Reason    string           `json:"reason"`
	Commands  []string         `json:"commands,omitempty"`
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
	Remove         string          `json:"remove,omitempty"` // the command that removes the statement
	Advice         string          `json:"advice,omitempty"` // how it can be pinned, in words
	Tighten        *suggestion     `json:"tighten,omitempty"`
}

// trusts reports whether a policy is a role's trust policy by its looks.
func trusts(document policy.Policy) bool {
	for _, s := range document.Statements {
		if s.Resource != nil || s.NotResource != nil || s.Principal == nil && s.NotPrincipal == nil || len(s.Action) == 0 {
			return false
		}
		for _, action := range s.Action {
			if !strings.HasPrefix(strings.ToLower(action), "sts:") {
				return false
			}
		}
	}
	return len(document.Statements) > 0
}

// judged is what explain says of the statements and of the whole.
type judged struct {
	whole    policy.Exposure
	verdicts []policy.Verdict
	judge    func(policy.Verdict, policy.Statement, policy.Owner) (drift.Severity, string, string)
	options  policy.Options
}

func judge(document policy.Policy, owner policy.Owner, trust bool) judged {
	j := judged{options: policy.Options{Account: owner.Account, All: true}, judge: drift.Judge}
	if !trust {
		j.whole, j.verdicts = policy.ExposeDocument(document, owner).Exposure, policy.ExposeEach(document, owner)
		return j
	}
	j.options.Type, j.judge = policy.TrustPolicy, drift.JudgeTrust
	j.whole = policy.ExposeTrustDocument(document, owner).Exposure
	for i := range document.Statements {
		j.verdicts = append(j.verdicts, policy.ExposeTrust(document, i, owner))
	}
	return j
}

func (p *program) explain(document policy.Policy, owner policy.Owner, url string, trust bool) error {
	j := judge(document, owner, trust)
	e := explanation{Exposure: j.whole, Statements: []explanationStatement{}}
	if url != "" {
		v := policy.ExposeURL(document, policy.URL{AuthType: url}, owner)
		e.FunctionURL = &urlExplanation{AuthType: url, Exposure: v.Exposure, Reason: v.Reason, Certain: v.Certain}
	}
	such := examples(document, j.options)
	for i, s := range document.Statements {
		v := j.verdicts[i]
		if v.Counterparties == nil {
			v.Counterparties = []string{}
		}
		x := explanationStatement{
			Index: i, Sid: s.Sid, Effect: s.Effect, Exposure: v.Exposure, Counterparties: v.Counterparties,
			Actions: s.Action, NotActions: s.NotAction, Resources: s.Resource, NotResources: s.NotResource,
			Certain: v.Certain, Witness: such[i],
		}
		x.Severity, x.Reason, x.Advice = j.judge(v, s, owner)
		if v.Exposure.Wider(policy.Organization) && !trust {
			x.Remove, x.Tighten = removal(s), tighten(s, owner)
		}
		e.Statements = append(e.Statements, x)
	}
	if p.format == "json" {
		return p.printJSON(e)
	}
	for _, s := range e.Statements {
		p.explainStatement(s)
	}
	switch e.Exposure {
	case policy.Nobody:
		fmt.Fprintln(p.out, "The policy as a whole lets nobody in.")
	case policy.Unknown:
		fmt.Fprintln(p.out, "The policy as a whole is unknown: what could not be decided may let anybody in.")
	default:
		fmt.Fprintf(p.out, "The policy as a whole is %s.\n", e.Exposure)
	}
	if u := e.FunctionURL; u != nil {
		fmt.Fprintf(p.out, "The function URL is %s: %s.\n", u.Exposure, clean(u.Reason))
	}
	return nil
}

// examples are requests that the statements let in after the policy's Denys,
// one of each statement that lets one in, by its index.
func examples(document policy.Policy, o policy.Options) map[int]*policy.Witness {
	access := policy.NewAccess(policy.Policy{}, document, o)
	such := make(map[int]*policy.Witness)
	for i := range access.Witnesses {
		w := &access.Witnesses[i]
		such[w.Index] = w
	}
	return such
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
	if s.Remove != "" {
		fmt.Fprintf(p.out, "  remove   %s\n", clean(s.Remove))
	}
	if s.Advice != "" && s.Tighten == nil {
		fmt.Fprintf(p.out, "  pin it   %s\n", clean(s.Advice))
	}
	if s.Tighten != nil {
		fmt.Fprintf(p.out, "  tighten  %s\n", clean(s.Tighten.Reason))
		for _, command := range s.Tighten.Commands {
			fmt.Fprintf(p.out, "           %s\n", clean(command))
		}
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

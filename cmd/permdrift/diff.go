package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/permdrift/permdrift/pkg/policy"
)

func (p *program) diffCommand() *cobra.Command {
	var kind, account string
	cmd := &cobra.Command{
		Use:   "diff BASELINE CURRENT",
		Short: "Say whether CURRENT allows any request that BASELINE does not, and show one",
		Long: `Decide whether the policy CURRENT allows any request that the policy BASELINE does
not, and show such a request for each statement that lets one in.

Both are files with one policy document each; - reads one of them from standard
input. The answer is exact: order, Sid and spelling do not matter, a removed Deny
does. What cannot be decided counts as new access and says so.`,
		Example: "  permdrift diff approved.json live.json\n  permdrift diff --type identity --format json before.json after.json",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, files []string) error {
			o := policy.Options{Type: policy.PolicyType(kind), All: true}
			switch o.Type {
			case "", policy.ResourcePolicy, policy.IdentityPolicy, policy.TrustPolicy:
			default:
				return usage("--type is %q, not resource, identity or trust", kind)
			}
			owner, err := (&viewer{}).owner(account)
			if err != nil {
				return err
			}
			o.Account = owner.Account
			if files[0] == "-" && files[1] == "-" {
				return usage("diff: only one of the two can be standard input")
			}
			baseline, err := p.policy(files[0])
			if err != nil {
				return err
			}
			current, err := p.policy(files[1])
			if err != nil {
				return err
			}
			return p.diff(policy.NewAccess(baseline, current, o), current)
		},
	}
	cmd.Flags().StringVar(&kind, "type", "", "what the policies are attached to: resource, identity or trust, a role's trust policy (default: resource where a statement has a principal, else identity)")
	cmd.Flags().StringVar(&account, "account", "", "the account that owns the resource (default: from the policies' ARNs)")
	return cmd
}

// policy reads the policy document in a file.
func (p *program) policy(name string) (policy.Policy, error) {
	text, err := p.read(name)
	if err != nil {
		return policy.Policy{}, err
	}
	document, err := policy.Parse(unwrap(text))
	if err != nil {
		if name == "-" {
			name = "standard input"
		}
		return policy.Policy{}, fmt.Errorf("reading the policy in %s: %w", name, err)
	}
	return document, nil
}

// unwrap takes the policy out of what `aws lambda get-policy` and
// get-resource-policy print, and a byte order mark off its front.
func unwrap(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	var answer struct{ Policy *string }
	if json.Unmarshal(text, &answer) == nil && answer.Policy != nil {
		return []byte(*answer.Policy)
	}
	return text
}

// difference is the JSON of diff.
type difference struct {
	NewAccess bool             `json:"newAccess"`
	Certain   bool             `json:"certain"`
	Reason    string           `json:"reason,omitempty"` // why something could not be decided
	Witnesses []policy.Witness `json:"witnesses"`
}

// diff prints what was decided. Unknown counts as new.
func (p *program) diff(a policy.Access, current policy.Policy) error {
	d := difference{NewAccess: a.New, Certain: !a.Unknown, Reason: a.Reason, Witnesses: a.Witnesses}
	if d.Witnesses == nil {
		d.Witnesses = []policy.Witness{}
	}
	for _, w := range a.Witnesses {
		d.Certain = d.Certain && w.Certain
	}
	if p.format == "json" {
		if err := p.printJSON(d); err != nil {
			return err
		}
	} else {
		p.diffText(d, current)
	}
	if a.New {
		return &exitError{code: exitDrift}
	}
	return nil
}

func (p *program) diffText(d difference, current policy.Policy) {
	if !d.NewAccess {
		fmt.Fprintln(p.out, "No new access: every request that the current policy allows, the baseline allows too.")
		return
	}
	for _, w := range d.Witnesses {
		name := fmt.Sprintf("Statement %d", w.Index)
		if w.Sid != "" {
			name += fmt.Sprintf(" (%q)", clean(w.Sid))
		}
		fmt.Fprintf(p.out, "%s now allows what the baseline does not:\n", name)
		fmt.Fprintf(p.out, "  request    %s\n", clean(w.String()))
		if w.Index < len(current.Statements) {
			fmt.Fprintf(p.out, "  statement  %s\n", clean(current.Statements[w.Index].String()))
			if remove := removal(current.Statements[w.Index]); remove != "" {
				fmt.Fprintf(p.out, "  remove     %s\n", clean(remove))
			}
		}
		if !w.Certain {
			fmt.Fprintln(p.out, "  certain    no: the request could not be confirmed, so this may be a false alarm")
		}
		fmt.Fprintln(p.out)
	}
	if d.Reason != "" {
		fmt.Fprintf(p.out, "Not decided, and so counted as new: %s\n", clean(d.Reason))
	}
	if d.Certain {
		fmt.Fprintln(p.out, "There is new access.")
	} else {
		fmt.Fprintln(p.out, "There may be new access.")
	}
}

package policy

import (
	"strings"
)

// PolicyType is what a policy is attached to, and so what its requests look like.
type PolicyType string //nolint:revive // Type alone would say too little in Options

// The types of policies. Identity policies have no principal; trust policies
// have no resource. The empty type is [ResourcePolicy], or [IdentityPolicy]
// where no statement has a principal.
const (
	ResourcePolicy PolicyType = "resource"
	IdentityPolicy PolicyType = "identity"
	TrustPolicy    PolicyType = "trust"
)

// Options are what [NewAccess] has to know beside the two policies.
type Options struct {
	Type    PolicyType
	Account string // that owns the resource; empty: taken from the ARNs of the policies
	// The permissions boundary on either side: what the policy allows counts
	// only where the boundary allows it too. Nil means none.
	BaselineBoundary, CurrentBoundary *Policy
	// All asks for one witness of each statement that lets something new in;
	// otherwise the search stops at the first.
	All bool
}

// Access is what a policy allows and another does not.
type Access struct {
	// New is true where there is such a request, and where that is unknown.
	New bool
	// Unknown is true where it could not be decided; Reason then says which
	// cap was hit, or which value could not be read.
	Unknown bool
	Reason  string
	// Witnesses are such requests, each with the index and Sid of the Allow
	// statement that lets it in.
	Witnesses []Witness
}

// NewAccess decides whether current allows a request that baseline does not.
// It never says no where there is one. It may say yes where there is none if
// two keys that in truth depend on each other are taken for independent; the
// witness is then not certain.
func NewAccess(baseline, current Policy, o Options) Access {
	return newAccess(Compile(baseline), Compile(current), o)
}

// LostAccess is [NewAccess] the other way round: what baseline allows and
// current does not. Index and Sid of its witnesses are of baseline's Allow
// statement. With o, the boundaries keep their sides.
func LostAccess(baseline, current Policy, o Options) Access {
	o.BaselineBoundary, o.CurrentBoundary = o.CurrentBoundary, o.BaselineBoundary
	return newAccess(Compile(current), Compile(baseline), o)
}

func newAccess(baseline, current *Compiled, o Options) Access {
	d := newDecision(baseline, current, o)
	var access Access
	for i, s := range current.policy.Statements {
		if s.Effect != Allow {
			continue
		}
		verdict := d.judge(i)
		if !verdict.found {
			continue
		}
		access.New = true
		if verdict.witness != nil {
			access.Witnesses = append(access.Witnesses, *verdict.witness)
		}
		if verdict.unknown != "" {
			if access.Reason == "" {
				access.Reason = verdict.place(s, i) + ": " + verdict.unknown
			}
			access.Unknown = true
			continue
		}
		if !o.All {
			return Access{New: true, Witnesses: []Witness{*verdict.witness}}
		}
	}
	if !o.All && len(access.Witnesses) > 1 {
		access.Witnesses = access.Witnesses[:1]
	}
	return access
}

// decision is one comparison of two policies.
type decision struct {
	baseline, current *Compiled
	o                 Options
	partition         string
	budget            budget // of the exact questions
	small             budget // of containment, statement by statement
	pairs             int    // of statements that were looked at; see MaxPairs
	lost              []int  // Denys of the baseline that current has not
	rules             [4][]*rule
	domain            []glob
}

// The policies of a decision, as indices of its rules.
const (
	ofBaseline = iota
	ofCurrent
	ofBaselineBoundary
	ofCurrentBoundary
)

func newDecision(baseline, current *Compiled, o Options) *decision {
	if o.Type == "" {
		o.Type = typeOf(baseline.policy, current.policy)
	}
	d := &decision{baseline: baseline, current: current, o: o}
	for i, s := range baseline.policy.Statements {
		if s.Effect == Deny && current.find(baseline, i) < 0 {
			d.lost = append(d.lost, i)
		}
	}
	return d
}

func typeOf(policies ...Policy) PolicyType {
	for _, p := range policies {
		for _, s := range p.Statements {
			if s.Principal != nil || s.NotPrincipal != nil {
				return ResourcePolicy
			}
		}
	}
	return IdentityPolicy
}

// compile reads the statements of both policies, when the first is needed.
func (d *decision) compile() {
	if d.partition != "" {
		return
	}
	d.partition = partitionOf(d.current.policy, d.baseline.policy)
	r := reading{d.partition, mixedTexts(&d.current.policy, &d.baseline.policy, d.o.CurrentBoundary, d.o.BaselineBoundary)}
	boundary := func(p *Policy) []*rule {
		if p == nil {
			return nil
		}
		return compileAll(*p, IdentityPolicy, r)
	}
	d.rules[ofBaselineBoundary] = boundary(d.o.BaselineBoundary)
	d.rules[ofCurrentBoundary] = boundary(d.o.CurrentBoundary)
	d.rules[ofBaseline] = compileAll(d.baseline.policy, d.o.Type, r)
	d.rules[ofCurrent] = compileAll(d.current.policy, d.o.Type, r)
	if d.o.Type == ResourcePolicy {
		d.domain = domainOf(d.baseline.policy, d.current.policy)
	}
}

func compileAll(p Policy, t PolicyType, r reading) []*rule {
	list := make([]*rule, len(p.Statements))
	for i, s := range p.Statements {
		list[i] = compileStatement(s, i, t, r)
	}
	return list
}

// partitionOf is the partition that bare account ids are in.
func partitionOf(policies ...Policy) string {
	for _, p := range policies {
		for _, s := range p.Statements {
			if partition := s.partition(); partition != "" {
				return partition
			}
		}
	}
	for _, p := range policies {
		for _, s := range p.Statements {
			if s.Principal == nil {
				continue
			}
			for _, text := range s.Principal.AWS {
				if parts := strings.SplitN(text, ":", 3); len(parts) == 3 && parts[0] == "arn" {
					return parts[1]
				}
			}
		}
	}
	return "aws"
}

// domainOf is what a policy of a Lambda function can be about: the function
// and its qualifiers, where the Resource elements name one function and no
// other. Else it is nil, for anything.
func domainOf(policies ...Policy) []glob {
	name := ""
	for _, p := range policies {
		for _, s := range p.Statements {
			for _, resource := range s.Resource {
				switch function := functionOf(resource); {
				case function == "" || function == name:
				case name != "":
					return nil
				default:
					name = function
				}
			}
		}
	}
	if name == "" {
		return nil
	}
	return []glob{mustGlob(name), mustGlob(name + ":*")}
}

// functionOf is the unqualified ARN of the one function that a resource names,
// empty where it names none or a pattern of them.
func functionOf(resource string) string {
	parts := strings.SplitN(resource, ":", 8)
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" {
		return ""
	}
	name := strings.Join(parts[:7], ":")
	if strings.ContainsAny(name, "*?$") {
		return ""
	}
	return name
}

func mustGlob(text string) glob {
	g, _ := parseGlob(text, arnPattern, false)
	return g
}

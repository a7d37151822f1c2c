package differential

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// verdict is what the solver says of a problem.
type verdict string

const (
	sat     verdict = "sat"
	unsat   verdict = "unsat"
	unknown verdict = "unknown" // gave up, or ran out of time
)

// solver runs cvc5, one process for each question, so that no state and no
// memory is carried from pair to pair.
type solver struct {
	path  string
	limit time.Duration // for one check-sat
}

// solve asks for a request; the model is nil unless there is one.
func (s solver) solve(p *problem) (verdict, model, error) {
	script := "(set-option :produce-models true)\n" + p.script() + p.assumptions() +
		"(check-sat)\n(get-value (" + strings.Join(p.variables(), " ") + "))\n"
	out, err := s.run(script, 1)
	first, rest, _ := strings.Cut(out, "\n")
	v := verdictOf(first)
	if v == "" {
		return "", nil, fmt.Errorf("cvc5: %w: %s", err, out)
	}
	if v != sat {
		return v, nil, nil
	}
	return v, readModel(rest), nil
}

// confirm asks, for each list of facts, whether the problem has a request with
// these facts.
func (s solver) confirm(p *problem, facts [][]string) ([]verdict, error) {
	var b strings.Builder
	b.WriteString("(set-option :incremental true)\n" + p.script())
	for _, list := range facts {
		b.WriteString("(push 1)\n")
		for _, t := range list {
			b.WriteString("(assert " + t + ")\n")
		}
		b.WriteString("(check-sat)\n(pop 1)\n")
	}
	out, err := s.run(b.String(), len(facts))
	var verdicts []verdict
	for line := range strings.FieldsSeq(out) {
		if v := verdictOf(line); v != "" {
			verdicts = append(verdicts, v)
		}
	}
	if len(verdicts) != len(facts) {
		return nil, fmt.Errorf("cvc5: %w: %s", err, out)
	}
	return verdicts, nil
}

func verdictOf(line string) verdict {
	switch v := verdict(strings.TrimSpace(line)); {
	case v == sat || v == unsat || v == unknown:
		return v
	case strings.Contains(line, "interrupted by timeout"):
		return unknown
	}
	return ""
}

func (s solver) run(script string, checks int) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(checks)*s.limit+10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, s.path, "--lang=smt2", "--strings-exp", fmt.Sprintf("--tlimit-per=%d", s.limit.Milliseconds()))
	c.Stdin = strings.NewReader(script)
	out, err := c.CombinedOutput()
	if ctx.Err() != nil { // the limit of its own did not stop it
		return string(unknown), nil
	}
	return string(out), err
}

// model is the value of each variable, strings without their quotes.
type model map[string]string

func readModel(text string) model {
	m := model{}
	values, _ := readTerm(text)
	for _, pair := range values.list {
		if len(pair.list) == 2 {
			m[pair.list[0].atom] = valueText(pair.list[1])
		}
	}
	return m
}

// valueText is a literal as a policy's text has it; a fraction is n/d.
func valueText(p parsed) string {
	switch {
	case strings.HasPrefix(p.atom, `"`):
		return unquote(p.atom)
	case p.atom != "":
		return strings.TrimSuffix(p.atom, ".0")
	case len(p.list) == 2 && p.list[0].atom == "-":
		return "-" + valueText(p.list[1])
	case len(p.list) == 3 && p.list[0].atom == "/":
		return valueText(p.list[1]) + "/" + valueText(p.list[2])
	}
	return ""
}

package differential

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/permdrift/permdrift/pkg/policy"
)

// outcome is what came of one pair.
type outcome struct {
	skipped                    string // why the pair is not encoded
	solver                     verdict
	engine                     answer
	confirmed, notDecided      int // certain witnesses
	evaluated, evaluateUnknown int // requests of the solver, put to Evaluate
	wrong                      *disagreement
}

// disagreement is a forbidden difference.
type disagreement struct {
	class   string
	what    string
	request *policy.Request // the solver's, or the witness that it refutes
}

// The classes of disagreements.
const (
	missed    = "missed"    // the engine says none, and the solver finds a request
	misjudged = "misjudged" // Evaluate and the solver differ on the solver's request
	misnamed  = "misnamed"  // a certain witness that another statement lets in than it says
	refuted   = "refuted"   // a certain witness that Evaluate or the solver rejects
	malformed = "malformed" // a certain witness with a value that no request has
	unreal    = "unreal"    // a certain witness whose keys contradict its caller, or an action that the type of policy does not have
)

// compare puts one pair to the engine and to the solver.
func compare(s solver, p pair) (outcome, error) {
	var o outcome
	q, err := p.problem()
	if err != nil {
		o.skipped = err.Error()
		return o, nil //nolint:nilerr // what is not encoded is counted, not an error
	}
	if o.engine, err = engineVerdict(p); err != nil {
		return o, err
	}
	var m model
	if o.solver, m, err = s.solve(q); err != nil {
		return o, err
	}
	if o.solver == sat {
		if err := o.replay(p, q, m); err != nil || o.wrong != nil {
			return o, err
		}
	}
	return o, o.confirm(s, p, q)
}

// replay puts the solver's request to the engine's verdict and to Evaluate.
func (o *outcome) replay(p pair, q *problem, m model) error {
	r, exact := q.world.request(m)
	if !o.engine.grown {
		o.wrong = &disagreement{missed, "the engine says none, and the solver finds a request", &r}
		return nil
	}
	if !exact {
		return nil
	}
	says, err := evaluateBoth(p, r)
	switch {
	case err != nil:
		return err
	case says == "undecided":
		o.evaluateUnknown++
	case says != "new":
		o.wrong = &disagreement{misjudged, "the solver's request is no new access to Evaluate: " + says, &r}
	default:
		o.evaluated++
	}
	return nil
}

// confirm puts every certain witness to the solver and to Evaluate.
func (o *outcome) confirm(s solver, p pair, q *problem) error {
	for _, w := range o.engine.certain {
		v, wrong, err := confirmOne(s, p, q, w)
		switch {
		case err != nil:
			return err
		case v == sat:
			o.confirmed++
		case v == unknown:
			o.notDecided++
		case o.wrong == nil:
			o.wrong = wrong
		}
	}
	return nil
}

// confirmOne is unsat with the reason if no reading of the witness's caller
// makes it new access.
func confirmOne(s solver, p pair, q *problem, w witness) (verdict, *disagreement, error) {
	var facts, ofStatement [][]string
	wrong := &disagreement{malformed, "a certain witness is impossible:", &w.requests[0]}
	for _, r := range w.requests {
		f, err := q.world.facts(r)
		if err != nil {
			wrong.what += " " + err.Error()
			continue
		}
		says, err := evaluateBoth(p, r)
		if err != nil {
			return "", nil, err
		}
		if says != "new" {
			wrong = &disagreement{refuted, "to Evaluate, a certain witness is " + says, &r}
			continue
		}
		facts, ofStatement = append(facts, f), append(ofStatement, append(slices.Clip(f), q.perCurrent[w.index]))
	}
	if len(facts) == 0 {
		return unsat, wrong, nil
	}
	verdicts, err := s.confirm(q, ofStatement)
	switch {
	case err != nil:
		return "", nil, err
	case slices.Contains(verdicts, sat):
		return sat, nil, nil
	case slices.Contains(verdicts, unknown):
		return unknown, nil, nil
	}
	wrong, err = explain(s, q, facts)
	wrong.request = &w.requests[0]
	return unsat, wrong, err
}

// explain says what is wrong with a witness that the solver rejects.
func explain(s solver, q *problem, facts [][]string) (*disagreement, error) {
	verdicts, err := s.confirm(q, facts)
	if slices.Contains(verdicts, sat) {
		return &disagreement{class: misnamed, what: "a certain witness is let in by another statement than it says"}, err
	}
	free := *q.world
	free.domain = nil
	verdicts, err = s.confirm(&problem{world: &free, grown: q.grown}, facts)
	if slices.Contains(verdicts, sat) {
		return &disagreement{class: unreal, what: "no such request exists: a certain witness whose keys contradict its caller, or whose action the type of policy does not have"}, err
	}
	return &disagreement{class: refuted, what: "to the solver, a certain witness is not allowed now, or was allowed before"}, err
}

// tally counts outcomes.
type tally struct {
	pairs, skipped                         int
	none, grown, engineUnknown             int
	sat, unsat, unknown                    int
	toomuch, certain, confirmed, undecided int
	evaluated, evaluateUnknown             int
	wrong                                  int
	classes                                map[string]int
}

func (t *tally) add(o outcome) {
	t.pairs++
	count := func(n *int, when bool) {
		if when {
			*n++
		}
	}
	if o.skipped != "" {
		t.skipped++
		return
	}
	count(&t.none, !o.engine.grown)
	count(&t.grown, o.engine.grown && !o.engine.unknown)
	count(&t.engineUnknown, o.engine.unknown)
	count(&t.sat, o.solver == sat)
	count(&t.unsat, o.solver == unsat)
	count(&t.unknown, o.solver == unknown)
	count(&t.toomuch, o.engine.grown && o.solver == unsat)
	if o.wrong != nil {
		t.wrong++
		if t.classes == nil {
			t.classes = map[string]int{}
		}
		t.classes[o.wrong.class]++
	}
	t.certain += len(o.engine.certain)
	t.confirmed += o.confirmed
	t.undecided += o.notDecided
	t.evaluated += o.evaluated
	t.evaluateUnknown += o.evaluateUnknown
}

// String is the summary.
func (t *tally) String() string {
	return fmt.Sprintf("differential: %d pairs (%d not encoded); engine: %d none, %d new, %d unknown; solver: %d sat, %d unsat, %d undecided; "+
		"disagreements: %d %v; certain witnesses: %d, confirmed %d, undecided %d; solver's requests that Evaluate confirms: %d, leaves open: %d; "+
		"reported too much: %d (%.1f%% of unsat)",
		t.pairs, t.skipped, t.none, t.grown, t.engineUnknown, t.sat, t.unsat, t.unknown,
		t.wrong, t.classes, t.certain, t.confirmed, t.undecided, t.evaluated, t.evaluateUnknown,
		t.toomuch, 100*float64(t.toomuch)/float64(max(t.unsat, 1)))
}

// record is a disagreement as a file in testdata has it.
type record struct {
	Name     string          `json:"name"`
	Why      string          `json:"why"`
	Kind     kind            `json:"kind"`
	Baseline json.RawMessage `json:"baseline"`
	Current  json.RawMessage `json:"current"`
	// New is the truth: whether current allows what baseline does not.
	New     bool            `json:"new"`
	Request *policy.Request `json:"request,omitempty"`
}

// report shrinks a disagreement and writes it down.
func report(s solver, p pair, name string) (record, error) {
	o, err := compare(s, p)
	if err == nil && o.wrong != nil {
		p = shrink(p, func(smaller pair) bool {
			now, err := compare(s, smaller)
			return err == nil && now.wrong != nil && now.wrong.class == o.wrong.class
		})
		o, err = compare(s, p)
	}
	if err != nil || o.wrong == nil {
		return record{}, fmt.Errorf("shrinking %s: lost the disagreement: %w", name, err)
	}
	baseline, current, err := p.texts()
	return record{name, o.wrong.what, p.kind, baseline, current, o.solver == sat, o.wrong.request}, err
}

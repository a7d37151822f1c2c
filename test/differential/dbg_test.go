package differential

import ("testing";"time";"fmt";"encoding/json")

func TestDbg(t *testing.T) {
	s := findSolver(t, 3*time.Second)
	n := setting(t, "N", 300)
	var tot tally
	shown := map[string]int{}
	for i, o := range outcomes(t, s, uint64(setting(t,"SEED",1)), n) {
		tot.add(o)
		p := newPair(uint64(setting(t,"SEED",1)), uint64(i))
		a, b, _ := p.texts()
		if o.skipped != "" { t.Logf("%d SKIP %s", i, o.skipped) }

		if o.engine.grown && o.solver == unsat { shown["much"]++; if shown["much"] < 1 {t.Logf("%d MUCH unknown=%v %s certain=%+v\n%s\n%s", i, o.engine.unknown, o.engine.reason, len(o.engine.certain), a, b) }}

		if o.wrong != nil {
			k := o.wrong.class
			if shown[k]++; shown[k] < 4 {
				r, err := report(s, p, fmt.Sprint(i))
				j, _ := json.Marshal(r)
				t.Logf("WRONG %v %s", err, j)
			}
		}
	}
	t.Log(&tot)
}

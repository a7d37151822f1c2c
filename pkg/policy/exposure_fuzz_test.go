package policy

import (
	"fmt"
	"strings"
	"testing"
)

// Thousands of statements that each take their time take it together.
func TestExposureOfManyStatementsStopsAtItsCaps(t *testing.T) {
	documents := map[string]func(i int) string{
		"numbers and addresses": func(i int) string {
			return fmt.Sprintf(`{"Effect":"%s","Principal":"*","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"k":"%d.5"},"IpAddress":{"aws:SourceIp":"%d.%d.0.0/17"}}}`, []string{"Allow", "Deny"}[i%2], i*7919, i%256, i*31%256)
		},
		"patterns": func(i int) string {
			return fmt.Sprintf(`{"Effect":"%s","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:SourceAccount":"*%d*"},"StringNotLike":{"aws:PrincipalArn":"*x%d*"}}}`, []string{"Allow", "Deny"}[i%2], i, i)
		},
		"principals": func(i int) string {
			return fmt.Sprintf(`{"Effect":"%s","NotPrincipal":{"AWS":"arn:aws:iam::%012d:role/r"},"Action":"*","Resource":"*"}`, []string{"Allow", "Deny"}[i%2], i)
		},
	}
	for name, statement := range documents {
		list := make([]string, 2400)
		for i := range list {
			list[i] = statement(i)
		}
		p := parsed(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(list, ",")+`]}`)
		e := exposer{policy: p, owner: exposureOwner}
		e.findDenys()
		for i, s := range p.Statements {
			if v := e.expose(i); v.Exposure == "" || s.Effect == Allow && v.Exposure != Public && name != "numbers and addresses" {
				t.Fatalf("%s: statement %d: %+v", name, i, v)
			}
		}
		const overshoot = 1 << 20 // what one last step may cost
		if e.budget.steps > MaxSteps+overshoot || e.budget.total > MaxTotalCells+MaxCells || e.budget.clauses > MaxClauses+overshoot {
			t.Errorf("%s: over the caps: %+v", name, e.budget)
		}
		if got := NewAccess(Policy{}, p, Options{All: true}); !got.New {
			t.Errorf("%s: nothing new", name)
		}
	}
}

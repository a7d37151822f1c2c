package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hostile are policies made to cost: each is one statement's members.
func hostile() map[string]string {
	stars := make([]string, 200)
	for i := range stars {
		stars[i] = fmt.Sprintf(`"*%c%c*"`, 'a'+i%26, 'a'+i/26)
	}
	conditions := make([]string, 1000)
	for i := range conditions {
		conditions[i] = fmt.Sprintf(`"aws:PrincipalTag/k%d":"*v%d*"`, i, i)
	}
	elements := make([]string, 300)
	for i := range elements {
		elements[i] = fmt.Sprintf(`"t%d"`, i)
	}
	ors := make([]string, 12)
	for i := range ors {
		ors[i] = fmt.Sprintf(`"aws:k%d":["a","b","c","d"]`, i)
	}
	return map[string]string{
		"20 KB of one pattern":    `"Action":"*","Resource":"` + strings.Repeat("*a*b*c", 3300) + `*"`,
		"many patterns":           `"Action":"*","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":[` + strings.Join(stars, ",") + `]}}`,
		"a thousand conditions":   `"Action":"*","Resource":"*","Condition":{"StringLike":{` + strings.Join(conditions, ",") + `}}`,
		"a large set":             `"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":[` + strings.Join(elements, ",") + `]}}`,
		"a product of ORs":        `"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{` + strings.Join(ors, ",") + `}}`,
		"many question marks":     `"Action":"*","Resource":"` + strings.Repeat("*?", 2000) + `"`,
		"huge numbers":            `"Action":"*","Resource":"*","Condition":{"NumericEquals":{"aws:MultiFactorAuthAge":[1e999999999,"1e400000","0x10","1_0","NaN",-1e-300]}}`,
		"numbers for strings":     `"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":[1,true,1.5]}}`,
		"variables without end":   `"Action":"*","Resource":"${${${","Condition":{"StringLike":{"aws:UserAgent":"${a${*}"}}`,
		"everything but patterns": `"NotAction":["*a*","*b*","*c*"],"NotResource":["*x*","*y*","arn:*:*z*"]`,
	}
}

func around(members string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",` + members + `}]}`
}

// decideCounted is NewAccess, and checks that the work stayed inside the caps.
func decideCounted(t *testing.T, baseline, current Policy, o Options) {
	t.Helper()
	d := newDecision(Compile(baseline), Compile(current), o)
	for i, s := range current.Statements {
		if s.Effect == Allow {
			d.judge(i)
		}
	}
	const overshoot = 1 << 20 // what one last step may cost
	for _, b := range []budget{d.budget, d.small} {
		if b.steps > MaxSteps+overshoot || b.total > MaxTotalCells+MaxCells || b.clauses > MaxClauses+overshoot {
			t.Fatalf("over the caps: %+v", b)
		}
	}
}

func TestNewAccessStopsAtItsCaps(t *testing.T) {
	for name, members := range hostile() {
		for other, members2 := range hostile() {
			baseline, current := parsed(t, around(members)), parsed(t, around(members2))
			decideCounted(t, baseline, current, Options{})
			if name == other && NewAccess(baseline, current, Options{}).New {
				t.Errorf("%s: differs from itself", name)
			}
		}
	}
}

func TestNewAccessIsUnknownBehindItsCaps(t *testing.T) {
	patterns := func(from, n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":"*%c%c*"}}}`, 'a'+from+i, 'b'+from+i)
		}
		return strings.Join(list, ",")
	}
	document := func(statements string) Policy {
		return parsed(t, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
	}
	wide := document(patterns(0, 20))
	// Inside one statement of the baseline: containment still says so.
	inside := document(`{"Effect":"Allow","Principal":"*","Action":"lambda:GetFunction","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":["*abab*"]}}}`)
	if got := NewAccess(wide, inside, Options{}); got.New {
		t.Errorf("contained in one statement: got %+v", got)
	}
	all := document(`{"Effect":"Allow","Principal":"*","Action":"lambda:GetFunction","Resource":"*","Condition":{"StringLike":{"aws:UserAgent":"*"},"StringNotLike":{"aws:Referer":"x"}}}`)
	got := NewAccess(wide, all, Options{})
	if !got.New || !got.Unknown || !strings.Contains(got.Reason, "Max") {
		t.Errorf("behind a cap: got %+v", got)
	}
}

func FuzzNewAccess(f *testing.F) {
	for _, members := range hostile() {
		f.Add(around(members), around(`"Action":"*","Resource":"*"`))
	}
	for _, pair := range smallCases {
		f.Add(pair.baseline, pair.current)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		baseline, err := Parse([]byte(first))
		current, err2 := Parse([]byte(second))
		if err != nil || err2 != nil {
			return
		}
		for _, o := range []Options{{Type: ResourcePolicy, All: true}, {Type: IdentityPolicy}, {Type: TrustPolicy, CurrentBoundary: &baseline}} {
			decideCounted(t, baseline, current, o)
			if got := NewAccess(baseline, baseline, o); got.New && o.CurrentBoundary == nil {
				t.Errorf("differs from itself: %+v", got)
			}
			if got := NewAccess(baseline, current, o); got.New == (len(got.Witnesses) == 0 && !got.Unknown) {
				t.Errorf("new access without a witness: %+v", got)
			}
		}
		doubled := current
		doubled.Statements = append(slices.Clone(current.Statements), baseline.Statements...)
		for i, s := range doubled.Statements {
			if v := ExposeIn(doubled, i, exposureOwner); v.Exposure == "" || s.Effect == Deny && v.Exposure != Nobody {
				t.Errorf("statement %d: %+v", i, v)
			}
		}
	})
}

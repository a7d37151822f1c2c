package line_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"pgregory.net/rapid"

	"github.com/permdrift/permdrift/pkg/drift"
)

const foreignQueue = "arn:aws:sqs:us-east-1:444455556666:feed"

// violations are what the histories switch on and off, and the kind and place
// of the finding about each.
var violations = []struct {
	name    string
	on, off step
}{
	{"policy-widened orders", grant("orders", "public", "*"), revoke("orders", "", "public")},
	{"policy-widened orders:live", grant("orders", "foreign", foreign, at("live")), revoke("orders", "live", "foreign")},
	{"policy-widened orders:1", grant("orders", "s3", "s3.amazonaws.com", at("1")), revoke("orders", "1", "s3")},
	{"event-source-added orders", feed("orders", foreignQueue), unfeed(foreignQueue)},
	{"url-opened payments", createURL("payments", "", types.FunctionUrlAuthTypeNone), deleteURL("payments", "")},
	{"role-replaced payments", setRole("payments", "admin"), setRole("payments", "payments")},
	{"layer-shared pricing:1", share("everybody", "*", ""), unshare("everybody")},
	{"trust-widened orders:trust", trust("orders", trustLambda, trustForeign), trust("orders", trustLambda)},
	{"permissions-widened orders:identity", inline("role/orders", "x", anything), uninline("role/orders", "x")},
	{"boundary-removed bounded:boundary", unbound("role/bounded"), bound("role/bounded", policyARN+"edge")},
}

// call is one call of a history, and how its record is delivered.
type call struct {
	violation int
	copies    int  // of the record; 0: it is lost
	later     bool // it is delivered with those that come after
	stale     int  // how many of the next reads answer the state of before
}

// history draws calls that switch violations on and off.
func history(t *rapid.T) []call {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call {
		return call{
			violation: rapid.IntRange(0, len(violations)-1).Draw(t, "violation"),
			copies:    rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "copies"),
			later:     rapid.Bool().Draw(t, "later"),
			stale:     rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "stale"),
		}
	}), 1, 12).Draw(t, "calls")
}

// story is what came of a history.
type story struct {
	open      []string
	announced map[string][]string // transitions, by violation
}

// play makes the calls of a history. Orderly, each record is delivered once and
// at once; else they are lost, doubled, held back and swapped as drawn, and
// reads are stale.
func play(t *testing.T, draw *rapid.T, calls []call, orderly bool) story {
	t.Helper()
	w := newWorld(t)
	w.iam.allow("admin", "*", "*")
	w.begin(createRole("bounded", trustLambda), silently(bounded("bounded")...))
	on := make([]bool, len(violations))
	var held []json.RawMessage
	for _, c := range calls {
		v := violations[c.violation]
		next := v.on
		if on[c.violation] {
			next = v.off
		}
		on[c.violation] = !on[c.violation]
		records := w.do(mallory, next)
		if orderly {
			w.deliver(records...)
			w.settle()
			continue
		}
		for range c.copies {
			held = append(held, records...)
		}
		w.aws.Fresh() // at most two reads are stale, for less than the auditor waits
		w.aws.Stale(c.stale)
		w.iam.stale(time.Duration(c.stale) * time.Second)
		for _, operation := range []string{"GetFunctionUrlConfig", "GetEventSourceMapping", "ListVersionsByFunction"} {
			w.aws.StaleFor(operation, c.stale)
		}
		if !c.later {
			w.deliver(shuffled(draw, held)...)
			held = nil
			w.work() // what is to be read again later is not waited for
		}
	}
	w.deliver(shuffled(draw, held)...)
	w.settle()
	w.tick(time.Hour)
	w.aws.Fresh()
	w.iam.stale(0)
	w.sweep()
	return w.story()
}

func shuffled(draw *rapid.T, records []json.RawMessage) []json.RawMessage {
	if len(records) < 2 {
		return records
	}
	order := make([]int, len(records))
	for i := range order {
		order[i] = i
	}
	swapped := make([]json.RawMessage, 0, len(records))
	for _, i := range rapid.Permutation(order).Draw(draw, "order") {
		swapped = append(swapped, records[i])
	}
	return swapped
}

func (w *world) story() story {
	s := story{announced: map[string][]string{}}
	for _, f := range w.rows() {
		if f.Status == drift.Open {
			s.open = append(s.open, fmt.Sprintf("%s %s %s %s", f.ID, f.Kind, f.Severity, where(f.Subject, f.Place)))
		}
	}
	slices.Sort(s.open)
	for _, m := range w.topic.messages() {
		violation := fmt.Sprintf("%s %s", m.Kind, where(m.Subject, m.Place))
		s.announced[violation] = append(s.announced[violation], string(m.Transition))
	}
	return s
}

// TestHistoriesEndAlike: whatever is lost, doubled and swapped on the way, after
// a sweep the open findings are those of an orderly delivery; what is open, or
// was heard of, was announced; and nothing more often than it happened, or stale
// reads showed it.
func TestHistoriesEndAlike(t *testing.T) {
	// Each history is two accounts. More of them: -args -rapid.checks=200.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		must(t, "drawing less", checks.Value.Set("40"))
	}
	must(t, "keeping nothing", flag.Set("rapid.nofailfile", "true"))
	rapid.Check(t, func(draw *rapid.T) {
		calls := history(draw)
		want, got := play(t, draw, calls, true), play(t, draw, calls, false)
		if !slices.Equal(got.open, want.open) {
			draw.Fatalf("open are\n\t%s\nand after an orderly delivery\n\t%s", strings.Join(got.open, "\n\t"), strings.Join(want.open, "\n\t"))
		}
		on, happened, shown, heard := make([]bool, len(violations)), make([]int, len(violations)), make([]int, len(violations)), make([]bool, len(violations))
		for _, c := range calls {
			if on[c.violation] = !on[c.violation]; on[c.violation] {
				happened[c.violation]++
				heard[c.violation] = heard[c.violation] || c.copies > 0
			}
			for i := range violations {
				if c.stale > 0 && !on[i] && happened[i] > 0 {
					shown[i]++ // what is gone, and was seen to be, may be shown once more
				}
			}
		}
		for i, v := range violations {
			told, over := 0, 0
			for _, transition := range got.announced[v.name] {
				switch drift.TransitionKind(transition) {
				case drift.Opened, drift.Reopened, drift.Replaced, drift.Vanished:
					told++
				case drift.Closed:
					over++
				default:
					draw.Errorf("%s was announced as %s", v.name, transition)
				}
			}
			switch {
			case told == 0 && (on[i] || heard[i]):
				draw.Errorf("%s was never announced: %v", v.name, got.announced)
			case told > happened[i]+shown[i] || over > told:
				draw.Errorf("%s happened %d times, was shown %d times after it was gone, and was announced as %v", v.name, happened[i], shown[i], got.announced[v.name])
			}
		}
	})
}

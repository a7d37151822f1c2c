package policy

import (
	"flag"
	"testing"

	"pgregory.net/rapid"
)

// chooser is where random policies and requests come from: a number from 0 to
// below n. Smaller is simpler, so that failures shrink.
type chooser func(n int) int

// The properties are cheap: many more runs than rapid's hundred. A failure
// prints the seed that repeats it, and leaves no file in the source.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "2000", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// forAll checks a property, and shrinks what breaks it.
func forAll(t *testing.T, property func(t rapid.TB, c chooser)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		property(t, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") })
	})
}

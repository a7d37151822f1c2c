package policy

import (
	"encoding/json"
	"math/rand"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func TestZZCPU(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		t.Skip()
	}
	runtime.GOMAXPROCS(1)
	cpu := func() time.Duration {
		var r syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	r := rand.New(rand.NewSource(1))
	b := &testing.B{}
	mk := func(n int, f func(int, []string) []string) []benchPair { return benchPairs(b, n, f) }
	idn := func(_ int, l []string) []string { return l }
	cases := []struct {
		name string
		list []benchPair
		f    func(p *benchPair)
	}{
		{"read20", mk(20, idn), func(p *benchPair) { var v any; _ = json.Unmarshal(p.current, &v) }},
		{"read60", mk(60, idn), func(p *benchPair) { var v any; _ = json.Unmarshal(p.current, &v) }},
		{"parse20", mk(20, idn), func(p *benchPair) { _, _ = Parse(p.current) }},
		{"compile20", mk(20, idn), func(p *benchPair) { _, _ = CompileBytes(p.current) }},
		{"ident", mk(20, idn), func(p *benchPair) { _, _ = NewAccessBytes(p.baseline, p.current, Options{Type: ResourcePolicy}) }},
		{"respelled", mk(20, func(_ int, l []string) []string { return respell(l, r) }), func(p *benchPair) { _, _ = NewAccessBytes(p.baseline, p.current, Options{Type: ResourcePolicy}) }},
		{"public", mk(20, func(d int, list []string) []string {
			return append(list, `{"Sid":"debug","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"`+benchFunction(d)+`"}`)
		}), func(p *benchPair) { _, _ = NewAccessBytes(p.baseline, p.current, Options{Type: ResourcePolicy}) }},
		{"60one", mk(59, func(d int, list []string) []string { return append(list, benchStatement(d, 1000)) }), func(p *benchPair) { _, _ = NewAccessBytes(p.baseline, p.current, Options{Type: ResourcePolicy}) }},
		{"exposure", mk(20, idn), func(p *benchPair) { q, _ := Parse(p.current); ExposeDocument(q, Owner{Account: "123456789012"}) }},
	}
	base := map[string]time.Duration{}
	for _, c := range cases {
		best := time.Hour
		for range 7 {
			const n = 1500
			t0 := cpu()
			for i := range n {
				c.f(&c.list[i%pairs])
			}
			best = min(best, (cpu()-t0)/n)
		}
		base[c.name] = best
		ref := base["read20"]
		if c.name == "60one" {
			ref = base["read60"]
		}
		t.Logf("%-10s %8.2f us  ratio %.3f", c.name, float64(best)/1000, float64(best)/float64(ref))
	}
}

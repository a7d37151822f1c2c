// Package differential holds pkg/policy against an SMT solver, cvc5.
//
// NewAccess splits requests into classes and subtracts boxes. Here the same
// question, "does some request exist that current allows and baseline does
// not?", is written down as a formula over strings, numbers and Booleans, from
// the meaning of the policy language alone. Nothing is shared with pkg/policy:
// not the reader, not the patterns, not the operators; only the types Policy,
// Request and Caller, to ask the engine. cvc5 answers sat with a request, unsat,
// or nothing in the time it has.
//
//	engine   solver   verdict
//	none     unsat    agree
//	new      sat      agree
//	new      unsat    reported too much: allowed, counted
//	unknown  any      allowed, counted
//	none     sat      FORBIDDEN
//
// Forbidden too: a witness that the engine is certain of, but the solver with
// the request's values put in, or Evaluate, does not confirm; and a request of
// the solver that Evaluate judges otherwise.
//
// # What a request is here
//
// The caller is anonymous, an AWS principal (account; root, role or user; a
// session of the role or none), a service, a federated identity or a canonical
// user. Keys that follow from the caller (aws:PrincipalArn and its like) are
// present and say the truth, as Evaluate documents it. Every other key is
// missing or has a value, and no key depends on another: aws:SourceAccount may
// differ from the account in aws:SourceArn. The actions of trust
// policies are sts:AssumeRole and its like. Resources and the keys that ARN
// operators test are ARNs: six strings, the first five without a colon. Action
// names have letters, digits and hyphens and are in lower case, since case means
// nothing. Numbers and dates are rationals, an address is a version and an
// integer, a prefix an interval. A key that is a set has as many elements as
// there are conditions on it, which is enough (maxElements says why). A policy
// variable is the value itself, its wildcards plain text.
//
// Where the engine may or may not know more, the solver's own requests keep to
// the narrower reading, and the engine's witnesses need not: where the Resource
// elements of a resource policy name one Lambda function, the resource is that
// function or a qualifier of it (a pattern or a NotResource names none), and
// only AWS principals are in an organization. Values under a set operator are
// not empty, as AWS calls an empty string a null data set; and the values of
// policy variables have no wildcards, as AWS does not say what these mean.
//
// Not encoded, and counted as skipped: what is undocumented or ill-typed, one
// key under operators of two kinds, a variable between wildcards.
//
// # Running it
//
// "make differential N=10000 SEED=7"; pair i depends on SEED and i alone. KEEP=1
// writes each disagreement, shrunk, to testdata, where it is a regression test
// from then on. Without cvc5 the tests skip, or fail if PERMDRIFT_REQUIRE lists
// it. The encoder itself is held against AWS's verdicts, and the harness against
// engines that misread policies.
package differential

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// findSolver is cvc5, or the test is skipped; it fails if PERMDRIFT_REQUIRE
// lists cvc5.
func findSolver(t *testing.T, limit time.Duration) solver {
	t.Helper()
	path, err := exec.LookPath("cvc5")
	if err != nil {
		lacking(t, "cvc5", "cvc5 is not on the PATH (Debian: apt-get install cvc5)")
	}
	return solver{path: path, limit: limit}
}

// lacking skips the test, or fails it if PERMDRIFT_REQUIRE lists the item.
func lacking(t *testing.T, item, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("PERMDRIFT_REQUIRE"), ","), item) {
		t.Fatalf("PERMDRIFT_REQUIRE has %s, but: %s", item, reason)
	}
	t.Skip(reason)
}

// TestNewAccessAgreesWithSolver is the differential test: N pairs of SEED.
func TestNewAccessAgreesWithSolver(t *testing.T) {
	s := findSolver(t, 3*time.Second)
	n, seed := setting(t, "N", 300), uint64(setting(t, "SEED", 1))
	var total tally
	for i, o := range outcomes(t, s, seed, n) {
		total.add(o)
		if o.wrong == nil {
			continue
		}
		if t.Errorf("pair %d of seed %d: %s: %s", i, seed, o.wrong.class, o.wrong.what); total.wrong <= 5 {
			show(t, s, newPair(seed, uint64(i)), fmt.Sprintf("seed-%d-pair-%d", seed, i))
		}
	}
	t.Log(&total)
	if total.wrong > 0 || n < 200 {
		return
	}
	decided := total.sat + total.unsat
	if decided < total.pairs*90/100 {
		t.Errorf("the solver decided %d of %d pairs: too few to show anything", decided, total.pairs)
	}
	if total.sat < total.pairs/5 || total.unsat < total.pairs/5 {
		t.Errorf("the pairs are out of balance: %d sat, %d unsat", total.sat, total.unsat)
	}
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, text, err)
	}
	return n
}

// outcomes compares the pairs two at a time; their order is kept.
func outcomes(t *testing.T, s solver, seed uint64, n int) []outcome {
	t.Helper()
	out := make([]outcome, n)
	var group errgroup.Group
	group.SetLimit(2)
	for i := range n {
		group.Go(func() error {
			var err error
			if out[i], err = compare(s, newPair(seed, uint64(i))); err != nil {
				return fmt.Errorf("pair %d of seed %d: %w", i, seed, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return out
}

// show prints a disagreement, shrunk, and with KEEP writes it to testdata.
func show(t *testing.T, s solver, p pair, name string) {
	t.Helper()
	r, err := report(s, p, name)
	if err != nil {
		t.Error(err)
		return
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", text)
	if os.Getenv("KEEP") != "" {
		if err := os.WriteFile(filepath.Join("testdata", name+".json"), append(text, '\n'), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// TestKnownDisagreements holds every case that was once found against both.
func TestKnownDisagreements(t *testing.T) {
	s := findSolver(t, 10*time.Second)
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var r record
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			o, err := compare(s, pair{r.Kind, mustRead(t, r.Baseline), mustRead(t, r.Current)})
			switch {
			case err != nil:
				t.Fatal(err)
			case o.skipped != "":
				t.Fatal(o.skipped)
			case o.wrong != nil:
				t.Errorf("%s: %s", o.wrong.class, o.wrong.what)
			case o.solver != unknown && (o.solver == sat) != r.New:
				t.Errorf("the solver says %s; the case says new access %v", o.solver, r.New)
			case r.Request != nil:
				checkRequest(t, s, r)
			}
		})
	}
	t.Logf("%d cases", len(files))
}

// checkRequest holds a case's own request against Evaluate and the solver.
func checkRequest(t *testing.T, s solver, r record) {
	t.Helper()
	p := pair{r.Kind, mustRead(t, r.Baseline), mustRead(t, r.Current)}
	q, err := p.problem()
	if err != nil {
		t.Fatal(err)
	}
	facts, err := q.world.facts(*r.Request)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := s.confirm(q, [][]string{facts})
	if err != nil || verdicts[0] != sat {
		t.Errorf("the solver does not confirm the request: %v %v", verdicts, err)
	}
	if says, err := evaluateBoth(p, *r.Request); err != nil || says != "new" {
		t.Errorf("Evaluate does not confirm the request: %s %v", says, err)
	}
}

// labelled is a pair with the verdict of somebody else.
type labelled struct {
	name              string
	kind              kind
	baseline, current json.RawMessage
	grown             bool
}

// corpora are AWS's own verdicts and the traps of other analysers.
func corpora(t *testing.T) []labelled {
	t.Helper()
	var all []labelled
	var aws struct {
		Cases []struct {
			Name, PolicyType, Expected string
			Existing, New              json.RawMessage
		}
	}
	readShared(t, "no_new_access.json", &aws)
	for _, c := range aws.Cases {
		k := resourcePolicy
		if c.PolicyType == "IDENTITY_POLICY" {
			k = identityPolicy
		}
		all = append(all, labelled{c.Name, k, c.Existing, c.New, c.Expected == "FAIL"})
	}
	var traps struct {
		Cases []struct {
			Name      string
			Base, Cur json.RawMessage
			NewAccess bool
		}
	}
	readShared(t, "traps.json", &traps)
	for _, c := range traps.Cases {
		all = append(all, labelled{c.Name, resourcePolicy, c.Base, c.Cur, c.NewAccess})
	}
	return all
}

func readShared(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "cases", name))
	if err != nil {
		lacking(t, "shared", err.Error())
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestEncoderAgreesWithLabels holds the solver's verdicts against AWS's.
func TestEncoderAgreesWithLabels(t *testing.T) {
	s := findSolver(t, 10*time.Second)
	cases := corpora(t)
	decided, sats := 0, 0
	for _, c := range cases {
		q, err := pair{kind: c.kind, baseline: mustRead(t, c.baseline), current: mustRead(t, c.current)}.problem()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		v, _, err := s.solve(q)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		switch {
		case v == unknown:
			t.Logf("%s: not decided", c.name)
			continue
		case (v == sat) != c.grown:
			t.Errorf("%s: the solver says %s; the label says new access %v", c.name, v, c.grown)
		}
		decided++
		if v == sat {
			sats++
		}
	}
	t.Logf("the solver decided %d of %d labelled pairs, %d with new access", decided, len(cases), sats)
	if len(cases) < 113 || decided < len(cases)*95/100 {
		t.Errorf("decided %d of %d", decided, len(cases))
	}
}

func mustRead(t *testing.T, text []byte) document {
	t.Helper()
	p, err := readPolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The reference: a small universe in which the meaning of every element is
// written down as a table or as one line, and a policy is decided by going
// through all the ways in which its unknowns may turn out. It shares nothing
// with Evaluate but the syntax.

var (
	refCallers   = []Caller{awsCaller(evalSession), {Kind: ServiceCaller, ID: "s3.amazonaws.com"}}
	refActions   = []string{"a:B", "a:C"}
	refResources = []string{"arn:aws:a:::x", "arn:aws:a:::x:1"}
	refValues    = []string{"-", "", "a", "b", "a|b", "b|b"} // of key k; "-" is missing, "" is empty
	refNumbers   = []string{"-", "1", "5"}                   // of key n
)

// refPrincipals, refActionLists and refResourceLists say of each text which
// members of the universe it covers.
var (
	refPrincipals = map[string][]bool{
		`{"AWS":"*"}`:                                         {true, true},
		`{"AWS":"111122223333"}`:                              {true, false},
		`{"AWS":"arn:aws:iam::111122223333:root"}`:            {true, false},
		`{"AWS":"arn:aws:iam::111122223333:role/r"}`:          {true, false},
		`{"AWS":"444455556666"}`:                              {false, false},
		`{"AWS":"AROAEXAMPLE"}`:                               {false, false},
		`{"Service":"s3.amazonaws.com"}`:                      {false, true},
		`{"AWS":"111122223333","Service":"s3.amazonaws.com"}`: {true, true},
	}
	refActionLists = map[string][]bool{
		`"*"`: {true, true}, `"A:*"`: {true, true}, `"a:b"`: {true, false}, `["a:c","x:*"]`: {false, true}, `"a:?"`: {true, true}, `"x:*"`: {false, false},
	}
	refResourceLists = map[string][]bool{
		`"*"`: {true, true}, `"arn:aws:a:::x"`: {true, false}, `"arn:aws:a:::x:*"`: {false, true}, `"arn:aws:a:*"`: {true, true}, `"arn:*:x"`: {true, false}, refVariable: {false, false},
	}
)

// refWorld is the set of truth values that something may have.
type refWorld struct{ no, yes bool }

// and of values that turn out independently.
func (w refWorld) and(v refWorld) refWorld { return refWorld{w.no || v.no, w.yes && v.yes} }

func refSure(b bool) refWorld { return refWorld{!b, b} }

// refStatement is a statement with its meaning.
type refStatement struct {
	text string
	deny bool
	// applies says whether it matches the request of these indices.
	applies func(caller, action, resource int, k, n string) refWorld
}

func drawRefStatement(c chooser) refStatement {
	principal, notPrincipal := drawRefText(c, refPrincipals)
	action, notAction := drawRefText(c, refActionLists)
	resource, notResource := drawRefText(c, refResourceLists)
	condition, when := drawRefCondition(c)
	effect := pick(c, "Allow", "Allow", "Deny")
	name := func(not bool, element string) string {
		return map[bool]string{false: `"`, true: `"Not`}[not] + element + `":`
	}
	return refStatement{
		deny: effect == "Deny",
		text: `{"Effect":"` + effect + `",` + name(notPrincipal, "Principal") + principal + "," + name(notAction, "Action") + action + "," +
			name(notResource, "Resource") + resource + "," + condition + "}",
		applies: func(i, j, l int, k, n string) refWorld {
			who := refSure(refPrincipals[principal][i] != notPrincipal)
			if notPrincipal && strings.Contains(principal, "role/r") && i == 0 { // without its account
				who = refWorld{true, true}
			}
			where := refSure(refResourceLists[resource][l] != notResource)
			switch {
			case resource != refVariable:
			case strings.Contains(k, "|"): // a variable of many values
				where = refWorld{true, true}
			case k == "-" || k == "": // the default names the first resource
				where = refSure((l == 0) != notResource)
			}
			return who.and(refSure(refActionLists[action][j] != notAction)).and(where).and(when(k, n))
		},
	}
}

// refVariable is a resource that depends on the key k: its values in the
// universe name nothing.
const refVariable = `"arn:aws:a:::${k, 'x'}"`

// drawRefText draws an element's text, and whether it is the Not form.
func drawRefText(c chooser, table map[string][]bool) (string, bool) {
	return pick(c, slices.Sorted(maps.Keys(table))...), c(4) == 0
}

func drawRefCondition(c chooser) (string, func(k, n string) refWorld) {
	switch c(5) {
	case 0:
		return `"Condition":{}`, func(string, string) refWorld { return refSure(true) }
	case 1:
		return drawRefNumeric(c)
	case 2:
		want := c(2) == 0
		return `"Condition":{"Null":{"K":"` + strconv.FormatBool(want) + `"}}`, func(k, _ string) refWorld { return refSure((k == "-") == want) }
	}
	return drawRefString(c)
}

func drawRefNumeric(c chooser) (string, func(k, n string) refWorld) {
	want, negated, ifExists := 1+c(5), c(2) == 0, c(2) == 0
	operator := map[bool]string{false: "NumericLessThanEquals", true: "NumericNotEquals"}[negated]
	if ifExists {
		operator += "IfExists"
	}
	return `"Condition":{"` + operator + `":{"n":` + strconv.Itoa(want) + `}}`, func(_, n string) refWorld {
		if n == "-" {
			return refSure(negated || ifExists)
		}
		got, _ := strconv.Atoi(n)
		return refSure(negated && got != want || !negated && got <= want)
	}
}

func drawRefString(c chooser) (string, func(k, n string) refWorld) {
	quantifier, negated, ifExists := pick(c, "", "ForAnyValue:", "ForAllValues:"), c(2) == 0, c(3) == 0
	operator := quantifier + map[bool]string{false: "StringLike", true: "StringNotLike"}[negated]
	if ifExists {
		operator += "IfExists"
	}
	list := pick(c, "a", "b", "?", "c", "a|c", "a|b")
	text := `"Condition":{"` + operator + `":{"k":["` + strings.ReplaceAll(list, "|", `","`) + `"]}}`
	return text, func(k, _ string) refWorld {
		var values []string
		switch k {
		case "-":
			return refSure(ifExists || quantifier == "ForAllValues:" || quantifier == "" && negated)
		case "":
		default:
			values = strings.Split(k, "|")
		}
		some, every := false, true
		for _, value := range values {
			ok := (strings.Contains(list, value) || list == "?") != negated
			some, every = some || ok, every && ok
		}
		switch quantifier {
		case "ForAnyValue:":
			return refSure(some)
		case "ForAllValues:":
			return refSure(every)
		}
		return refWorld{!some || !every, some || every}
	}
}

// refDecide goes through all the ways in which the statements may turn out.
func refDecide(statements []refStatement, worlds []refWorld) Outcome {
	seen := make(map[Outcome]bool)
	for ways := range 1 << len(worlds) {
		allow, deny, possible := false, false, true
		for i, w := range worlds {
			matches := ways>>i&1 == 1
			possible = possible && (matches && w.yes || !matches && w.no)
			deny = deny || matches && statements[i].deny
			allow = allow || matches && !statements[i].deny
		}
		switch {
		case !possible:
		case deny:
			seen[ExplicitDeny] = true
		case allow:
			seen[Allowed] = true
		default:
			seen[ImplicitDeny] = true
		}
	}
	switch {
	case !seen[Allowed] && !seen[ImplicitDeny]:
		return ExplicitDeny
	case !seen[Allowed]:
		return ImplicitDeny
	case len(seen) == 1:
		return Allowed
	}
	return Undecided
}

func TestEvaluateAgreesWithBruteForceOnSmallUniverses(t *testing.T) {
	outcomes := make(map[Outcome]int)
	forAll(t, func(t rapid.TB, c chooser) {
		statements, texts := make([]refStatement, 1+c(4)), []string{}
		for i := range statements {
			statements[i] = drawRefStatement(c)
			texts = append(texts, statements[i].text)
		}
		p, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(texts, ",\n") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		k, n := pick(c, refValues...), pick(c, refNumbers...)
		for i := range len(refCallers) * len(refActions) * len(refResources) {
			caller, action, resource := i&1, i>>1&1, i>>2
			r := Request{Principal: refCallers[caller], Action: refActions[action], Resource: refResources[resource], Context: refContext(k, n)}
			worlds := make([]refWorld, len(statements))
			for j, s := range statements {
				worlds[j] = s.applies(caller, action, resource, k, n)
			}
			want := refDecide(statements, worlds)
			outcomes[want]++
			if got := Evaluate(p, r); got.Outcome != want {
				t.Errorf("%s\nfor %+v: %s (%s), by brute force %s", strings.Join(texts, "\n"), r, got.Outcome, got.Reason, want)
			}
		}
	})
	t.Logf("requests by outcome: %v", outcomes)
}

func refContext(k, n string) map[string][]string {
	context := make(map[string][]string)
	if k != "-" {
		context["k"] = []string{}
		if k != "" {
			context["k"] = strings.Split(k, "|")
		}
	}
	if n != "-" {
		context["n"] = []string{n}
	}
	return context
}

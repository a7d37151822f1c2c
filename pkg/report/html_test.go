package report

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/permdrift/permdrift/pkg/access"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

var update = flag.Bool("update", false, "write the golden files")

func TestPageIsAsBefore(t *testing.T) {
	got, file := write(t, worked()...), filepath.Join("testdata", "who-can.html")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it in a browser after -update wrote it anew. Got:\n%s", file, got)
	}
}

// TestPageSaysAllOfAGrant looks for each text of each grant in the page.
func TestPageSaysAllOfAGrant(t *testing.T) {
	text := html.UnescapeString(write(t, worked()...))
	has := func(what string) {
		if !strings.Contains(text, visible(what)) {
			t.Errorf("the page does not say %q", what)
		}
	}
	for _, a := range worked() {
		has(a.Function.ARN(a.Qualifier))
		for _, n := range a.NotRead {
			has("<li>" + n + "</li>")
		}
		for _, g := range a.Grants {
			has("<code>" + g.Principal + "</code>")
			has(`">` + string(g.Exposure) + "</span>")
			has(g.With())
			has(g.Provided)
			has(g.Why)
			for _, action := range g.Actions {
				has(action)
			}
			for _, through := range g.Through {
				has("<li>" + through.String())
				for _, c := range through.Conditions {
					has(">" + c + "</div>")
				}
			}
			for _, by := range g.AssumedBy {
				has("<li>" + by.Principal + " (")
				has(by.Provided)
			}
		}
	}
}

func TestPageAsksForNothing(t *testing.T) {
	got := write(t, worked()...)
	bare := strings.ReplaceAll(got, ` xmlns="http://www.w3.org/2000/svg"`, "")
	for _, bad := range []string{"<script", "<link", "<img", "<iframe", "<base", "src=", "http:", "https:", "url(", "@import", " style="} {
		if strings.Contains(bare, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, ref := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(got, -1) {
		if id, ok := strings.CutPrefix(ref[1], "#"); !ok || !strings.Contains(got, `id="`+id+`"`) {
			t.Errorf("a link leads to %q, which is not in the page", ref[1])
		}
	}
	_, style, _ := strings.Cut(got, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := `content="default-src 'none'; style-src 'sha256-` + base64.StdEncoding.EncodeToString(sum[:]) + `'; base-uri 'none'; form-action 'none'"`
	if !strings.Contains(got, want) {
		t.Errorf("the Content-Security-Policy does not allow the style sheet: want %s", want)
	}
}

// evil are names that try to leave their place.
var evil = []string{
	`<script>alert(1)</script>`, `"><svg onload=alert(1)>`, `' onmouseover='alert(1)`, `</title></style></svg><img src=x onerror=alert(1)>`,
	`javascript:alert(1)`, `{{.Title}}`, `]]><!--`, `&lt;b&gt;`, "line\nbreak\ttab\x00\x1b[31m", "\u202egnp.exe\u2066\u200b\ufeff", "\xff\xfe not UTF-8", "\ufffe\uffff\U000e0041",
	"arn:aws:iam::\"<1>\":role/<b>", "角色" + strings.Repeat("界", 60), strings.Repeat("e\u0301", 50),
}

// named is an answer in which every text is the name.
func named(name string) access.Answer {
	g := access.Grant{
		Principal: name, Kind: access.Kind(name), Exposure: policy.Exposure(name), Actions: []string{name, name, name, name, name, name, name},
		Through: []access.Through{{Policy: name, Statement: 1, Sid: name, Conditions: []string{name}}, {Policy: "function URL" + name, Statement: -1}},
		Context: map[string][]string{name: {name}}, Provided: name, Why: name,
		AssumedBy: []access.Assumer{{Principal: name, Kind: access.Kind(name), Context: map[string][]string{name: {name}}, Provided: name}},
	}
	return access.Answer{Function: drift.Subject(name), Qualifier: drift.Place(name), Action: access.Action(name), Grants: []access.Grant{g}, NotRead: []string{name}}
}

// TestHostileNamesStayText: with whatever name, the page has the tags and the
// attributes that it has with a harmless one.
func TestHostileNamesStayText(t *testing.T) {
	value := regexp.MustCompile(`="[^"]*"`)
	tag := regexp.MustCompile(`<[^>]*>`)
	tags := func(page string) string {
		return strings.Join(tag.FindAllString(value.ReplaceAllString(page, ""), -1), "\n")
	}
	want := tags(write(t, named("harmless")))
	if strings.Count(want, "\n") < 100 {
		t.Fatalf("only these tags were found:\n%s", want)
	}
	for _, name := range evil {
		got := write(t, named(name))
		if tags(got) != want {
			t.Errorf("the name %q changes the tags of the page:\n%s", name, tags(got))
		}
		if !utf8.ValidString(got) {
			t.Errorf("with the name %q the page is not UTF-8", name)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) && r != '\n' {
				t.Errorf("with the name %q the page has %U", name, r)
			}
		}
		if !strings.Contains(html.UnescapeString(got), "<code>"+visible(name)+"</code>") {
			t.Errorf("the page does not show the name %q as a text", name)
		}
	}
}

func TestSameAnswersGiveTheSameBytes(t *testing.T) {
	answers := worked()
	answers[0].Grants[0].Context = map[string][]string{"a": {"1"}, "b": {"2"}, "c": {"3"}, "d": {"4"}, "e": {"5"}}
	want := write(t, answers...)
	for range 20 {
		if write(t, answers...) != want {
			t.Fatal("the same answers gave another page")
		}
	}
	var b strings.Builder
	if err := WhoCan(&b, written.In(time.FixedZone("", 3600)), answers...); err != nil || b.String() != want {
		t.Errorf("the same time in another zone gave another page (%v)", err)
	}
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	a := crowd(10_000)
	for i := range 50 {
		a.Grants[0].Through = append(a.Grants[0].Through, statement("inline policy run", i+1, ""))
	}
	got := write(t, a)
	if n := strings.Count(got, `data-label="Who"`); n != tableRows {
		t.Errorf("the table has %d rows, want %d", n, tableRows)
	}
	for _, want := range []string{
		"<strong>and 9,000 more</strong> than are listed here", `<text class="name" x="332" y="1341">and 9,976 more</text>`, "10,000 grants", "<li><strong>and 31 more</strong></li>",
		"10,000 principals through 10,050 ways",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	if len(got) > 2<<20 {
		t.Errorf("the page has %d bytes", len(got))
	}
}

func TestTitleNamesWhatAllAnswersAreAbout(t *testing.T) {
	invoke, administer := access.Answer{Function: orders, Action: access.Invoke}, access.Answer{Function: orders, Action: access.Administer}
	for want, answers := range map[string][]access.Answer{
		"Who can invoke orders":                  {invoke, invoke},
		"Who can administer orders":              {administer},
		"Who can invoke or administer functions": {invoke, administer},
	} {
		if got := write(t, answers...); !strings.Contains(got, "<title>"+want+"</title>") || !strings.Contains(got, "<h1>"+want+"</h1>") {
			t.Errorf("no title %q", want)
		}
	}
}

type full struct{}

var errFull = errors.New("the disk is full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestErrorsAreReturned(t *testing.T) {
	if err := WhoCan(full{}, written, worked()...); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
	if err := WhoCan(new(strings.Builder), written); err == nil {
		t.Error("a page about nothing was written")
	}
}

// TestColoursCanBeRead measures the contrast of each colour of texts on both
// backgrounds, light and dark. Source: WCAG 2.2, 1.4.3: at least 4.5.
func TestColoursCanBeRead(t *testing.T) {
	light, dark, ok := strings.Cut(styleSheet, "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("the style sheet knows no dark")
	}
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		colours := make(map[string]float64)
		for _, m := range regexp.MustCompile(`--(\w+): #([0-9a-f]+);`).FindAllStringSubmatch(text, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, name := range []string{"text", "quiet", "link", "red", "orange", "violet", "blue", "green", "grey"} {
			for _, ground := range []string{"page", "box"} {
				a, b := colours[name], colours[ground]
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.1f", scheme, name, ground, ratio)
				}
			}
		}
	}
}

// luminance is the relative luminance of a colour, by WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	if len(colour) == 3 {
		colour = strings.Repeat(colour[:1], 2) + strings.Repeat(colour[1:2], 2) + strings.Repeat(colour[2:], 2)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

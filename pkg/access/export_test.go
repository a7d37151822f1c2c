package access

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// export is a small account export: documents once as objects, once URL-encoded.
func export() string {
	encoded := func(text string) string { return `"` + url.PathEscape(text) + `"` }
	document := func(statement string) string { return `{"Version":"2012-10-17","Statement":[` + statement + `]}` }
	invoke := allow("lambda:InvokeFunction", "*")
	trust := document(`{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	return `{
 "UserDetailList":[{"Path":"/","UserName":"joe","UserId":"AIDAEXAMPLE","Arn":"arn:aws:iam::111122223333:user/team/joe","GroupList":["callers"],"AttachedManagedPolicies":[],
   "UserPolicyList":[{"PolicyName":"logs","PolicyDocument":` + encoded(document(allow("logs:*", "*"))) + `}]}],
 "GroupDetailList":[{"GroupName":"callers","Arn":"arn:aws:iam::111122223333:group/callers","GroupPolicyList":[{"PolicyName":"run","PolicyDocument":` + document(invoke) + `}],"AttachedManagedPolicies":[]}],
 "RoleDetailList":[
  {"RoleName":"web","Arn":"arn:aws:iam::111122223333:role/web","AssumeRolePolicyDocument":` + encoded(trust) + `,"RolePolicyList":[],"InstanceProfileList":[{"Roles":[{"RoleName":"web"}]}],
   "AttachedManagedPolicies":[{"PolicyName":"Run","PolicyArn":"arn:aws:iam::111122223333:policy/Run"}],"Tags":[{"Key":"team","Value":"shop"}],"RoleLastUsed":{"LastUsedDate":"2026-11-01T00:00:00+00:00"}},
  {"RoleName":"held","Arn":"arn:aws:iam::111122223333:role/held","AssumeRolePolicyDocument":` + trust + `,"RolePolicyList":[{"PolicyName":"run","PolicyDocument":` + document(invoke) + `}],
   "AttachedManagedPolicies":[],"PermissionsBoundary":{"PermissionsBoundaryType":"PermissionsBoundaryPolicy","PermissionsBoundaryArn":"arn:aws:iam::111122223333:policy/Edge"}},
  {"RoleName":"broken","Arn":"arn:aws:iam::111122223333:role/broken","AssumeRolePolicyDocument":` + trust + `,"RolePolicyList":[{"PolicyName":"bad","PolicyDocument":"%7B%22Statement%22"}],"AttachedManagedPolicies":[{"PolicyName":"Gone","PolicyArn":"arn:aws:iam::aws:policy/Gone"}]}],
 "Policies":[
  {"PolicyName":"Run","Arn":"arn:aws:iam::111122223333:policy/Run","DefaultVersionId":"v2","PolicyVersionList":[
   {"VersionId":"v1","IsDefaultVersion":false,"Document":` + document(allow("s3:*", "*")) + `},{"VersionId":"v2","IsDefaultVersion":true,"Document":` + encoded(document(invoke)) + `}]},
  {"PolicyName":"Edge","Arn":"arn:aws:iam::111122223333:policy/Edge","DefaultVersionId":"v1","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":true,"Document":` + document(allow("s3:*", "*")) + `}]}]}`
}

const functionFile = `{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"s3\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:111122223333:function:orders\"}]}","RevisionId":"x"}`

func TestAnExportAndAFunctionPolicyAnswer(t *testing.T) {
	var a Account
	for _, text := range []string{export(), functionFile} {
		if err := a.Read(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := WhoCan(&a, orders, "", Invoke)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(linesOf(answer), "\n")
	want := `service s3.amazonaws.com <function policy, statement 0 ("s3")>
role role/broken <a policy that could not be read> (not certain)
role role/web <arn:aws:iam::111122223333:policy/Run, statement 0>
user user/team/joe <inline policy run, statement 0>`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if by := answer.Grants[2].AssumedBy; len(by) != 1 || by[0].Principal != "ec2.amazonaws.com" {
		t.Errorf("web is assumed by %v", by)
	}
	web, ok := a.identity("arn:aws:iam::111122223333:role/web")
	if !ok || web.Tags["team"] != "shop" || web.From[0] != (drift.RolePolicy{ARN: "arn:aws:iam::111122223333:policy/Run", VersionID: "v2", Statements: 1}) {
		t.Errorf("web is %+v", web)
	}
	if state := web.State(); state.Subject.Kind() != drift.Role || len(state.Policies) != 2 || state.Role.ARN != web.ARN {
		t.Errorf("its state is %+v", state)
	}
}

// TestAStateDirectoryAnswersAsTheExport writes each state as JSON and reads it again.
func TestAStateDirectoryAnswersAsTheExport(t *testing.T) {
	var a, b Account
	for _, text := range []string{export(), functionFile} {
		if err := a.Read(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	var states []drift.State
	for i := range a.Identities {
		states = append(states, a.Identities[i].State())
	}
	for _, s := range a.Functions {
		states = append(states, s)
	}
	for _, s := range states {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Read(strings.NewReader(string(text))); err != nil {
			t.Fatal(err)
		}
	}
	for _, action := range []Action{Invoke, Administer} {
		one, err := WhoCan(&a, orders, "", action)
		if err != nil {
			t.Fatal(err)
		}
		two, err := WhoCan(&b, orders, "", action)
		if err != nil {
			t.Fatal(err)
		}
		if x, y := strings.Join(linesOf(one), "\n"), strings.Join(linesOf(two), "\n"); x != y {
			t.Errorf("%s: the export says\n%s\nits states say\n%s", action, x, y)
		}
	}
}

func TestPagesOfAnExportAndACutOneAreRead(t *testing.T) {
	var a Account
	half := `{"RoleDetailList":[],"IsTruncated":true,"Marker":"m"}`
	if err := a.Read(strings.NewReader(half + export())); err != nil {
		t.Fatal(err)
	}
	if len(a.Identities) != 4 || len(a.Gaps) != 0 {
		t.Errorf("%d identities, gaps %s", len(a.Identities), a.Gaps)
	}
	var b Account
	if err := b.Read(strings.NewReader(half)); err != nil {
		t.Fatal(err)
	}
	if len(b.Gaps) != 1 || !strings.Contains(b.Gaps[0], "IsTruncated") {
		t.Errorf("gaps %s", b.Gaps)
	}
}

func TestBadFilesSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "ends too early"},
		{"[]", "not a JSON object"},
		{`{"RoleDetailList":{}}`, "RoleDetailList is not a list"},
		{`{"RoleDetailList":[{"Arn":7}]}`, "RoleDetailList, element 0"},
		{`{"RoleDetailList":[{"Arn":"arn:aws:s3:::b"}]}`, "not the ARN of a role or user"},
		{export()[:900], "ends too early"},
		{`{"hello":1}`, "neither an account export"},
		{`{"Statement":[]}`, "no statement names a function"},
		{`{"Policy":"{\"Statement\":7}"}`, "Statement"},
		{strings.Replace(export(), "user/team/joe", "role/web", 1), "there twice"},
		{strings.Replace(export(), "111122223333:role/held", "444455556666:role/held", 1), "not of account 111122223333"},
		{`{"FunctionUrl":"https://example.com","FunctionArn":"x","AuthType":"NONE"}`, "not the ARN of a Lambda function"},
	} {
		var a Account
		if err := a.Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestTheGraphQuotesNames(t *testing.T) {
	a := Answer{Function: orders, Action: Invoke, Grants: []Grant{{Principal: `a"b\c`, Kind: Role, Through: []Through{{Policy: "inline policy \"x\"", Statement: 1}}, AssumedBy: []Assumer{{Principal: "ec2.amazonaws.com", Kind: Service, Certain: true}}}}}
	var b strings.Builder
	if err := DOT(&b, a); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"role a\"b\\c" -> "arn:aws:lambda:us-east-1:111122223333:function:orders" [label="invoke\ninline policy \"x\", statement 1", style=dashed];`, `"service ec2.amazonaws.com" -> "role a\"b\\c" [label="assume"];`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s\ndoes not have\n%s", b.String(), want)
		}
	}
}

// writeExport writes an export of so many roles with 20 policies each: 10
// attached out of 200 managed ones, and 10 inline ones of their own.
func writeExport(t testing.TB, roles int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "export.json")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	document := func(n, m int) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"read","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query","s3:GetObject"],"Resource":["arn:aws:dynamodb:us-east-1:111122223333:table/t%d-%d","arn:aws:s3:::bucket-%d-%d/*"]},{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:111122223333:log-group:/g/%d-%d:*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}]}`, n, m, n, m, n, m)
	}
	fmt.Fprint(f, `{"UserDetailList":[],"GroupDetailList":[],"RoleDetailList":[`)
	for i := range roles {
		if i > 0 {
			fmt.Fprint(f, ",\n")
		}
		fmt.Fprintf(f, `{"RoleName":"r%d","Arn":"arn:aws:iam::111122223333:role/r%d","AssumeRolePolicyDocument":%q,"RolePolicyList":[`, i, i,
			url.PathEscape(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`))
		for k := range 10 {
			if k > 0 {
				fmt.Fprint(f, ",")
			}
			text := document(i, k)
			if i%100 == 0 && k == 0 {
				text = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["lambda:*","iam:PassRole"],"Resource":"*"}}`
			}
			fmt.Fprintf(f, `{"PolicyName":"p%d","PolicyDocument":%q}`, k, url.PathEscape(text))
		}
		fmt.Fprint(f, `],"AttachedManagedPolicies":[`)
		for k := range 10 {
			if k > 0 {
				fmt.Fprint(f, ",")
			}
			fmt.Fprintf(f, `{"PolicyName":"m","PolicyArn":"arn:aws:iam::111122223333:policy/m%d"}`, (i*7+k*13)%200)
		}
		fmt.Fprint(f, `]}`)
	}
	fmt.Fprint(f, `],"Policies":[`)
	for i := range 200 {
		if i > 0 {
			fmt.Fprint(f, ",")
		}
		fmt.Fprintf(f, `{"PolicyName":"m%d","Arn":"arn:aws:iam::111122223333:policy/m%d","DefaultVersionId":"v1","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":true,"Document":%q}]}`, i, i, url.PathEscape(document(i, 99)))
	}
	if _, err := fmt.Fprint(f, `],"IsTruncated":false}`); err != nil {
		t.Fatal(err)
	}
	return file
}

// scanExport reads an export and compares each role with its baseline, as a
// sweep does: the baseline is what the role is, but for one role in fifty, of
// which the first statement is not approved. It returns how many roles there
// were, how many of them came to more than their text, and how many drifted.
func scanExport(t testing.TB, r io.ReadSeeker, each func()) (roles, escalated, drifted int) {
	t.Helper()
	e, err := OpenExport(r)
	if err != nil {
		t.Fatal(err)
	}
	c := drift.Context{Now: time.Unix(0, 0), Unknown: drift.Strict, Reach: Escalations}
	for i, err := range e.Identities() {
		if err != nil {
			t.Fatal(err)
		}
		if len(Escalations(i.Rights, me)) > 0 {
			escalated++
		}
		state := i.State()
		baseline := drift.Baseline{Subject: state.Subject, Places: map[drift.Place]drift.Approved{drift.Boundary: {}}}
		for place, p := range state.Policies {
			var a drift.Approved
			for k, s := range p.Policy.Statements {
				if roles%50 != 0 || place != drift.Identity || k > 0 {
					a.Approvals = append(a.Approvals, drift.Approval{Statement: s})
				}
			}
			baseline.Places[place] = a
		}
		if len(drift.Compare(drift.Change{Subject: state.Subject, Operation: drift.Sweep}, state, baseline, c)) > 0 {
			drifted++
		}
		roles++
		if each != nil {
			each()
		}
	}
	return roles, escalated, drifted
}

// mostHeap is the most that may live on the heap while an export is read, beside
// what did before: the managed policies, one role, and garbage that is not
// collected yet. The export of the test has 25 MB.
const mostHeap = 24 << 20

func TestAnExportIsReadInBoundedMemory(t *testing.T) {
	const roles = 1500
	f, err := os.Open(writeExport(t, roles))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	alive := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, peak, n := alive(), uint64(0), 0
	got, escalated, drifted := scanExport(t, f, func() {
		if n++; n%100 == 0 {
			peak = max(peak, alive())
		}
	})
	if got != roles || escalated == 0 || drifted != roles/50 {
		t.Errorf("%d roles, %d escalated, %d drifted", got, escalated, drifted)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("an export of %d MB: at most %.1f MB alive", info.Size()>>20, float64(peak-min(peak, before))/(1<<20))
	if peak > before+mostHeap {
		t.Errorf("%d MB alive, at most %d are allowed", (peak-before)>>20, mostHeap>>20)
	}
}

func BenchmarkExport(b *testing.B) {
	const roles = 5000
	file := writeExport(b, roles)
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		if got, _, _ := scanExport(b, f, nil); got != roles {
			b.Fatalf("%d roles", got)
		}
	}
	b.ReportMetric(float64(roles)*float64(b.N)/b.Elapsed().Seconds(), "roles/s")
}

func BenchmarkEscalationsOfSmallRights(b *testing.B) {
	rights := drift.Rights{Policy: doc(b, allow("logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents", "*"), allow("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/orders"))}
	b.ReportAllocs()
	for b.Loop() {
		Escalations(rights, me)
	}
}

func BenchmarkWhoCan(b *testing.B) {
	f, err := os.Open(writeExport(b, 5000))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var a Account
	if err := a.Read(f); err != nil {
		b.Fatal(err)
	}
	for _, action := range []Action{Invoke, Administer} {
		b.Run(string(action), func(b *testing.B) {
			for b.Loop() {
				if _, err := WhoCan(&a, orders, "", action); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(5000*float64(b.N)/b.Elapsed().Seconds(), "roles/s")
		})
	}
}

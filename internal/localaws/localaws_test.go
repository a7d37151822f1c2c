package localaws_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/permdrift/permdrift/internal/localaws"
)

const (
	plainPolicy = `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"}]}`
	jsonPolicy  = `{"Version":"2012-10-17","Statement":[{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders"},{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"}]}`
	denyPolicy  = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"lambda:*","Resource":"*"}}`
)

// start makes a server with the function "orders", and a client without a
// socket.
func start(t *testing.T, o localaws.Options) (*localaws.Server, *lambda.Client, string) {
	t.Helper()
	s := localaws.New(o)
	t.Cleanup(s.Close)
	arn := s.AddFunction(account, region, "orders")
	return s, client("http://localaws", "AKIAEXAMPLE", region, func(o *lambda.Options) { o.HTTPClient = s }), arn
}

func add(t *testing.T, c *lambda.Client, function, sid string) error {
	t.Helper()
	_, err := c.AddPermission(t.Context(), &lambda.AddPermissionInput{FunctionName: &function, StatementId: &sid, Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("*")})
	return err
}

func get(t *testing.T, c *lambda.Client, function string) (*lambda.GetPolicyOutput, error) {
	t.Helper()
	return c.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: &function})
}

// code is the error code of an SDK error, "" if there is none.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestFunctionNameSpellings(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:111122223333:function:orders"
	for _, row := range []struct{ name, qualifier, want, code string }{
		{"orders", "", arn, ""},
		{"orders", "live", arn + ":live", ""},
		{"orders:live", "", arn + ":live", ""},
		{"orders:live", "live", arn + ":live", ""},
		{"111122223333:function:orders", "", arn, ""},
		{"111122223333:function:orders:live", "", arn + ":live", ""},
		{"111122223333:function:orders", "1", arn + ":1", ""},
		{arn, "", arn, ""},
		{arn + ":live", "", arn + ":live", ""},
		{arn + ":live", "1", "", "InvalidParameterValueException"},
		{arn + ":$LATEST", "", "", "InvalidParameterValueException"},
		{"arn:aws:lambda:eu-west-1:111122223333:function:orders", "", "", "ResourceNotFoundException"},
		{"444455556666:function:orders", "", "", "AccessDeniedException"},
		{"a:b:c", "", "", "ValidationException"},
		{"or ders", "", "", "ValidationException"},
	} {
		t.Run(row.name+"+"+row.qualifier, func(t *testing.T) {
			s, c, fn := start(t, localaws.Options{})
			s.AddAlias(fn, "live", s.AddVersion(fn))
			in := &lambda.AddPermissionInput{FunctionName: &row.name, StatementId: aws.String("s1"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("*")}
			if row.qualifier != "" {
				in.Qualifier = &row.qualifier
			}
			out, err := c.AddPermission(t.Context(), in)
			if code(err) != row.code {
				t.Fatalf("got error %v, want %q", err, row.code)
			}
			if err == nil && !strings.Contains(*out.Statement, `"Resource":"`+row.want+`"`) {
				t.Errorf("statement is %s, want resource %s", *out.Statement, row.want)
			}
		})
	}
}

func TestAddPermissionWritesConditions(t *testing.T) {
	_, c, _ := start(t, localaws.Options{})
	out, err := c.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("orders"), StatementId: aws.String("s1"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String(other), InvokedViaFunctionUrl: aws.Bool(true), PrincipalOrgID: aws.String("o-abc"),
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Sid":"s1","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:111122223333:function:orders","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abc"},"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`
	if diff := cmp.Diff(want, *out.Statement); diff != "" {
		t.Error(diff)
	}
}

func TestPolicyTooLong(t *testing.T) {
	s, c, fn := start(t, localaws.Options{JSONPolicies: true})
	var err error
	for i := 0; err == nil && i < 500; i++ {
		err = add(t, c, "orders", fmt.Sprintf("statement-%03d", i))
	}
	if code(err) != "PolicyLengthExceededException" {
		t.Errorf("filling the policy ended with %v", err)
	}
	if n := len(s.Policy(fn, "")); n > 20480 || n < 20000 {
		t.Errorf("the policy holds %d bytes", n)
	}
	long := strings.Replace(jsonPolicy, "s1", strings.Repeat("s", 20480), 1)
	_, err = c.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: &fn, Policy: &long})
	if code(err) != "PolicyLengthExceededException" {
		t.Errorf("a long document is answered %v", err)
	}
}

func TestRevisionSwitches(t *testing.T) {
	for _, row := range []struct {
		name           string
		options        localaws.Options
		moves, differs bool // AddPermission moves the function's RevisionId; GetPolicy's is another
	}{
		{"own", localaws.Options{}, true, true},
		{"own, kept", localaws.Options{PermissionKeepsRevision: true}, false, true},
		{"shared", localaws.Options{SharedRevisions: true}, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, c, _ := start(t, row.options)
			revision := func() string {
				out, err := c.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
				if err != nil {
					t.Fatal(err)
				}
				return *out.Functions[0].RevisionId
			}
			before := revision()
			if err := add(t, c, "orders", "s1"); err != nil {
				t.Fatal(err)
			}
			if moved := revision() != before; moved != row.moves {
				t.Errorf("AddPermission moved the function's RevisionId: %v", moved)
			}
			out, err := get(t, c, "orders")
			if err != nil {
				t.Fatal(err)
			}
			if differs := *out.RevisionId != revision(); differs != row.differs {
				t.Errorf("GetPolicy's RevisionId differs from the function's: %v", differs)
			}
		})
	}
}

func TestResourcePolicySwitches(t *testing.T) {
	for _, row := range []struct {
		name, put    string
		shows, moves bool
		want         string // GetPolicy's; "" for 404
	}{
		{"hidden Deny", jsonPolicy, false, false, strings.Replace(plainPolicy, `"Id":"default",`, "", 1)},
		{"shown Deny", jsonPolicy, true, true, jsonPolicy},
		{"nothing to show", denyPolicy, false, false, ""},
		{"single object shown", denyPolicy, true, false, denyPolicy},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, c, fn := start(t, localaws.Options{JSONPolicies: true, GetPolicyShowsJSON: row.shows, PutChangesRevision: row.moves})
			before, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &fn})
			if err != nil {
				t.Fatal(err)
			}
			put, err := c.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: &fn, Policy: &row.put})
			if err != nil {
				t.Fatal(err)
			}
			after, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &fn})
			if err != nil {
				t.Fatal(err)
			}
			if moved := *before.RevisionId != *after.RevisionId; moved != row.moves {
				t.Errorf("Put moved the function's RevisionId: %v", moved)
			}
			whole, err := c.GetResourcePolicy(t.Context(), &lambda.GetResourcePolicyInput{ResourceArn: &fn})
			if err != nil || *whole.Policy != row.put || *whole.RevisionId != *put.RevisionId {
				t.Errorf("GetResourcePolicy: %v, %v", whole, err)
			}
			if out, err := get(t, c, "orders"); row.want == "" && code(err) != "ResourceNotFoundException" {
				t.Errorf("GetPolicy: %v, %v", out, err)
			} else if row.want != "" && (err != nil || *out.Policy != row.want) {
				t.Errorf("GetPolicy: %v, %v", aws.ToString(out.Policy), err)
			}
		})
	}
}

func TestResourcePolicyLifecycle(t *testing.T) {
	s, c, fn := start(t, localaws.Options{JSONPolicies: true})
	if err := add(t, c, "orders", "old"); err != nil {
		t.Fatal(err)
	}
	put, err := c.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: &fn, Policy: aws.String(jsonPolicy)})
	if err != nil || s.Policy(fn, "") != jsonPolicy {
		t.Fatalf("Put did not replace: %v, %s", err, s.Policy(fn, ""))
	}
	_, err = c.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: &fn, Policy: aws.String(jsonPolicy), RevisionId: aws.String("wrong")})
	if code(err) != "PreconditionFailedException" {
		t.Errorf("a wrong RevisionId is answered %v", err)
	}
	if err := add(t, c, "orders", "s2"); err != nil || !strings.Contains(s.Policy(fn, ""), `"Deny"`) {
		t.Errorf("AddPermission on a JSON policy: %v, %s", err, s.Policy(fn, ""))
	}
	_, err = c.DeleteResourcePolicy(t.Context(), &lambda.DeleteResourcePolicyInput{ResourceArn: &fn, RevisionId: put.RevisionId})
	if code(err) != "PreconditionFailedException" {
		t.Errorf("an old RevisionId is answered %v", err)
	}
	if _, err = c.DeleteResourcePolicy(t.Context(), &lambda.DeleteResourcePolicyInput{ResourceArn: &fn}); err != nil || s.Policy(fn, "") != "" {
		t.Errorf("Delete: %v, %s", err, s.Policy(fn, ""))
	}
	s.Configure(func(o *localaws.Options) { o.JSONPolicies = false })
	_, err = c.GetResourcePolicy(t.Context(), &lambda.GetResourcePolicyInput{ResourceArn: &fn})
	if code(err) != "UnknownOperationException" {
		t.Errorf("a region without JSON policies answers %v", err)
	}
}

func TestListFunctionsPagesHoldFifty(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	s.AddVersion(fn)
	for i := range 300 {
		s.AddFunction(account, region, fmt.Sprintf("fn-%03d", i))
	}
	for _, row := range []struct {
		all         types.FunctionVersion
		items       int32
		want, pages int
	}{{"", 10000, 301, 7}, {"", 50, 301, 7}, {"ALL", 0, 302, 7}, {"", 20, 301, 16}} {
		in := &lambda.ListFunctionsInput{FunctionVersion: row.all}
		if row.items > 0 {
			in.MaxItems = &row.items
		}
		seen, n := map[string]bool{}, 0
		for p := lambda.NewListFunctionsPaginator(c, in); p.HasMorePages(); n++ {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range out.Functions {
				seen[*f.FunctionArn] = true
			}
		}
		if len(seen) != row.want || n != row.pages {
			t.Errorf("%v: %d functions on %d pages", row, len(seen), n)
		}
	}
}

func TestQuotasArePerAccountRegionAndGroup(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s, c, fn := start(t, localaws.Options{
		JSONPolicies: true, Quotas: localaws.AWSQuotas(), Now: func() time.Time { return now },
		Callers: map[string]localaws.Caller{"AKIAOTHER": {Account: other}},
	})
	policies := func(c *lambda.Client, n int) (refused int) {
		for range n {
			if _, err := get(t, c, "orders"); code(err) == "TooManyRequestsException" {
				refused++
			}
		}
		return refused
	}
	if n := policies(c, 20); n != 5 {
		t.Errorf("%d of 20 GetPolicy calls were refused, want 5", n)
	}
	now = now.Add(time.Second / 15)
	if n := policies(c, 2); n != 1 {
		t.Errorf("after 1/15 s %d of 2 were refused, want 1", n)
	}
	elsewhere := client("http://localaws", "AKIAEXAMPLE", "eu-west-1", func(o *lambda.Options) { o.HTTPClient = s })
	others := client("http://localaws", "AKIAOTHER", region, func(o *lambda.Options) { o.HTTPClient = s })
	if n := policies(elsewhere, 15) + policies(others, 15); n != 0 {
		t.Errorf("%d calls of other buckets were refused", n)
	}
	read := func() error {
		_, err := c.GetResourcePolicy(t.Context(), &lambda.GetResourcePolicyInput{ResourceArn: &fn})
		return err
	}
	if err := read(); code(err) != "ResourceNotFoundException" {
		t.Errorf("GetResourcePolicy drew on GetPolicy's bucket: %v", err)
	}
	s.Configure(func(o *localaws.Options) { o.Quotas.ResourcePolicy = localaws.GroupGetPolicy })
	policies(c, 15)
	var e *types.TooManyRequestsException
	if err := read(); !errors.As(err, &e) || e.Reason == "" || aws.ToString(e.Type) != "User" {
		t.Errorf("GetResourcePolicy did not draw on GetPolicy's bucket: %v", err)
	}
}

func TestQuotasInSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c, _ := start(t, localaws.Options{Quotas: localaws.Quotas{GetPolicy: 1}})
		begin, calls := time.Now(), 0
		for done := 0; done < 10; calls++ {
			if _, err := get(t, c, "orders"); code(err) == "TooManyRequestsException" {
				time.Sleep(time.Second)
			} else {
				done++
			}
		}
		if took := time.Since(begin); took != 9*time.Second || calls != 19 || s.CountCalls("GetPolicy") != 19 {
			t.Errorf("10 reads at 1/s took %v and %d calls", took, calls)
		}
	})
}

func TestFaults(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	s.Fail("GetPolicy", 1, "AccessDeniedException")
	s.FailAfter("AddPermission", 1, "ServiceException")
	if _, err := get(t, c, "orders"); code(err) != "AccessDeniedException" {
		t.Errorf("got %v", err)
	}
	if err := add(t, c, "orders", "s1"); code(err) != "ServiceException" || s.Policy(fn, "") != plainPolicy {
		t.Errorf("FailAfter: %v, policy %s", err, s.Policy(fn, ""))
	}
	if out, err := get(t, c, "orders"); err != nil || *out.Policy != plainPolicy {
		t.Errorf("after the faults: %v, %v", out, err)
	}
}

func TestStaleReadsAnswerTheStateBeforeTheLastWrite(t *testing.T) {
	s, c, _ := start(t, localaws.Options{})
	for _, sid := range []string{"s1", "s2"} {
		if err := add(t, c, "orders", sid); err != nil {
			t.Fatal(err)
		}
	}
	s.Stale(2)
	for i, want := range []int{1, 1, 2} {
		out, err := get(t, c, "orders")
		if err != nil || strings.Count(*out.Policy, `"Sid"`) != want {
			t.Errorf("read %d: %v, %v, want %d statements", i, out, err, want)
		}
	}
	s.AddFunction(account, region, "fresh")
	s.StaleFor("GetFunction", 1)
	for i, want := range []string{"ResourceNotFoundException", ""} {
		if _, err := c.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("fresh")}); code(err) != want {
			t.Errorf("read %d of a new function: %v, want %q", i, err, want)
		}
	}
}

func TestCallsAndHook(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	s.Configure(func(o *localaws.Options) {
		o.OnCall = func(call localaws.Call) {
			if call.Operation == "RemovePermission" {
				s.SetPolicy(fn, "", "") // somebody else was faster
			}
		}
	})
	if err := add(t, c, "orders", "s1"); err != nil {
		t.Fatal(err)
	}
	_, err := c.RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("orders:live"), StatementId: aws.String("s1")})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("got %v", err)
	}
	var got []localaws.Call
	for _, call := range s.Calls() {
		call.Time = time.Time{}
		got = append(got, call)
	}
	want := []localaws.Call{
		{Operation: "AddPermission", Resource: fn, Account: account, Region: region, Status: 201},
		{Operation: "RemovePermission", Resource: fn, Qualifier: "live", Account: account, Region: region, Status: 404},
	}
	if diff := cmp.Diff(want, got); diff != "" || s.CountCalls("AddPermission") != 1 {
		t.Error(diff)
	}
}

func TestSTS(t *testing.T) {
	s := localaws.New(localaws.Options{Callers: map[string]localaws.Caller{"AKIAOTHER": {Account: other}}})
	t.Cleanup(s.Close)
	provider := credentials.NewStaticCredentialsProvider("AKIAOTHER", "secret", "")
	c := sts.New(sts.Options{Region: region, BaseEndpoint: aws.String(s.Start()), Credentials: provider})
	who, err := c.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Account != other || *who.Arn != "arn:aws:iam::444455556666:user/tester" {
		t.Fatalf("GetCallerIdentity: %v, %v", who, err)
	}
	role, err := c.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/read"), RoleSessionName: aws.String("hub")})
	if err != nil {
		t.Fatal(err)
	}
	s.AddFunction(account, region, "orders")
	out, err := client(s.URL(), *role.Credentials.AccessKeyId, region).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil || len(out.Functions) != 1 {
		t.Errorf("the role's functions: %v, %v", out, err)
	}
	if _, err := c.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIAEXAMPLEEXAMPLE")}); code(err) != "InvalidAction" {
		t.Errorf("another call: %v", err)
	}
}

func TestUnknownOperationIsNamed(t *testing.T) {
	_, c, _ := start(t, localaws.Options{})
	_, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("orders")})
	if code(err) != "UnknownOperationException" || !strings.Contains(err.Error(), "Invoke") {
		t.Errorf("got %v", err)
	}
}

func TestMappings(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	ctx := t.Context()
	m, err := c.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{FunctionName: aws.String("orders"), EventSourceArn: aws.String("arn:aws:sqs:us-east-1:111122223333:q")})
	if err != nil || *m.BatchSize != 10 || *m.State != "Creating" || m.LastModified.IsZero() {
		t.Fatalf("create: %v, %v", m, err)
	}
	s.AddMapping(fn, "arn:aws:sqs:us-east-1:111122223333:q2")
	if _, err = c.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: m.UUID, Enabled: aws.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID}); err != nil || *got.State != "Disabled" {
		t.Errorf("get: %v, %v", got, err)
	}
	if list, err := c.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: aws.String("orders")}); err != nil || len(list.EventSourceMappings) != 2 {
		t.Errorf("list: %v, %v", list, err)
	}
	if _, err = c.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: m.UUID}); err != nil {
		t.Error(err)
	}
	if _, err = c.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID}); code(err) != "ResourceNotFoundException" {
		t.Errorf("get after delete: %v", err)
	}
}

func TestListsOfTagsVersionsAndLayers(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	ctx := t.Context()
	s.SetTag(fn, "owner", "ann")
	for range 11 {
		s.AddVersion(fn)
	}
	if out, err := c.ListTags(ctx, &lambda.ListTagsInput{Resource: &fn}); err != nil || out.Tags["owner"] != "ann" {
		t.Errorf("ListTags: %v, %v", out, err)
	}
	out, err := c.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: &fn})
	if err != nil || len(out.Versions) != 12 || *out.Versions[0].Version != "$LATEST" || *out.Versions[11].Version != "11" {
		t.Errorf("ListVersionsByFunction: %v, %v", out, err)
	}
	s.AddLayer(account, region, "libs")
	s.AddLayer(account, region, "libs")
	list, err := c.ListLayers(ctx, &lambda.ListLayersInput{})
	if err != nil || len(list.Layers) != 1 || list.Layers[0].LatestMatchingVersion.Version != 2 {
		t.Errorf("ListLayers: %v, %v", list, err)
	}
	versions, err := c.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: aws.String("libs")})
	if err != nil || len(versions.LayerVersions) != 2 || versions.LayerVersions[0].Version != 2 {
		t.Errorf("ListLayerVersions: %v, %v", versions, err)
	}
}

func TestConcurrentWritesAllCount(t *testing.T) {
	s, c, fn := start(t, localaws.Options{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := add(t, c, "orders", fmt.Sprintf("s%d", i)); err != nil {
				t.Error(err)
			}
			s.Calls()
		})
	}
	wg.Wait()
	if n := strings.Count(s.Policy(fn, ""), `"Sid"`); n != 20 {
		t.Errorf("%d statements, want 20", n)
	}
}

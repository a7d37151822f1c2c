package cloudtrail

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// ours is a record of account 111122223333 in us-east-1; more adds fields or
// replaces them, and an empty value removes one.
func ours(source, name, request, response string, more ...string) []byte {
	fields := map[string]json.RawMessage{
		"eventVersion": json.RawMessage(`"1.11"`), "eventID": json.RawMessage(`"e1"`),
		"eventTime": json.RawMessage(`"2026-11-23T10:15:04Z"`), "awsRegion": json.RawMessage(`"us-east-1"`),
		"recipientAccountId": json.RawMessage(`"111122223333"`),
		"userIdentity":       json.RawMessage(`{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/mallory","accountId":"111122223333"}`),
		"eventSource":        json.RawMessage(`"` + source + `"`), "eventName": json.RawMessage(`"` + name + `"`),
		"requestParameters": json.RawMessage(request), "responseElements": json.RawMessage(response),
	}
	for i := 0; i+1 < len(more); i += 2 {
		fields[more[i]] = json.RawMessage(more[i+1])
	}
	maps.DeleteFunc(fields, func(_ string, raw json.RawMessage) bool { return len(raw) == 0 })
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return data
}

// decodeOne decodes one record.
func decodeOne(t *testing.T, data []byte) Result {
	t.Helper()
	results, err := Decode(data)
	if err != nil || len(results) != 1 {
		t.Fatalf("Decode(%s): %d results, %v", data, len(results), err)
	}
	return results[0]
}

const (
	lambdaAPI = "lambda.amazonaws.com"
	iamAPI    = "iam.amazonaws.com"
	addName   = "AddPermission20150331v2"
	addOrders = `{"functionName":"orders","statementId":"s","action":"lambda:InvokeFunction","principal":"*"}`
	orders    = "arn:aws:lambda:us-east-1:111122223333:function:orders"
	accountID = "arn:aws:iam::111122223333:root"
	badParams = "error: decoding lambda.amazonaws.com AddPermission20150331v2 (event e1): "
)

func TestEveryTrapOfARecord(t *testing.T) {
	for name, row := range map[string]struct {
		record []byte
		want   string
	}{
		"the name without a date":                    {ours(lambdaAPI, "AddPermission", addOrders, `null`), "add-statement " + orders + " #s"},
		"the name with the old date":                 {ours(lambdaAPI, "AddPermission20150331", addOrders, `null`), "add-statement " + orders + " #s"},
		"a future date":                              {ours(lambdaAPI, "AddPermission20270101v13", addOrders, `null`), "add-statement " + orders + " #s"},
		"a longer name":                              {ours(lambdaAPI, "AddPermissionXYZ20150331", addOrders, `null`), notAudited + "lambda.amazonaws.com AddPermissionXYZ20150331"},
		"a shorter date":                             {ours(lambdaAPI, "AddPermission2015", addOrders, `null`), notAudited + "lambda.amazonaws.com AddPermission2015"},
		"the name in lower case":                     {ours(lambdaAPI, "addpermission", addOrders, `null`), notAudited + "lambda.amazonaws.com addpermission"},
		"sqs has an AddPermission too":               {ours("sqs.amazonaws.com", "AddPermission", `{}`, `null`), notAudited + "sqs.amazonaws.com AddPermission"},
		"waf has a DeleteRule too":                   {ours("waf.amazonaws.com", "DeleteRule", `{"name":"r"}`, `null`), notAudited + "waf.amazonaws.com DeleteRule"},
		"secretsmanager has a PutResourcePolicy too": {ours("secretsmanager.amazonaws.com", "PutResourcePolicy", `{}`, `null`), notAudited + "secretsmanager.amazonaws.com PutResourcePolicy"},
		"a source in China":                          {ours("lambda.amazonaws.com.cn", addName, addOrders, `null`), "add-statement " + orders + " #s"},

		"a failed call":                     {ours(lambdaAPI, addName, `null`, `null`, "errorCode", `"AccessDenied"`), "skip: failed call: AccessDenied"},
		"a failed call with odd parameters": {ours(lambdaAPI, addName, `7`, `null`, "errorCode", `"ResourceConflictException"`), "skip: failed call: ResourceConflictException"},
		"an empty errorCode is none":        {ours(lambdaAPI, addName, addOrders, `null`, "errorCode", `""`), "add-statement " + orders + " #s"},
		"ServiceException is unknown":       {ours(lambdaAPI, addName, addOrders, `null`, "errorCode", `"ServiceException"`), "add-statement " + orders + " #s unknown"},
		"IAM's ServiceFailure is unknown":   {ours(iamAPI, "DeleteRole", `{"roleName":"r"}`, `null`, "errorCode", `"ServiceFailureException"`), "delete-subject arn:aws:iam::111122223333:role/r whole unknown"},
		"unknown outcome, nothing said":     {ours(lambdaAPI, addName, `null`, `null`, "errorCode", `"ServiceException"`), "unreadable " + accountID + " whole unknown | " + badParams + "functionName is missing"},
		"read-only":                         {ours(lambdaAPI, "GetPolicy20150331v2", `{}`, `null`, "readOnly", `true`), "skip: read-only call"},
		"read-only as text":                 {ours(lambdaAPI, "GetPolicy20150331v2", `{}`, `null`, "readOnly", `"true"`), "skip: read-only call"},
		"a change that is marked read-only": {ours(lambdaAPI, addName, addOrders, `null`, "readOnly", `true`), "add-statement " + orders + " #s"},
		"an insight":                        {[]byte(`{"eventVersion":"1.09","eventType":"AwsCloudTrailInsight","recipientAccountId":"111122223333"}`), notAudited + "AwsCloudTrailInsight"},

		"parameters omitted":                     {ours(lambdaAPI, addName, `{"reason":"requestParameters too large","omitted":true,"originalSize":102401}`, `null`), "unreadable " + accountID + " whole"},
		"parameters omitted, as text":            {ours(iamAPI, "CreateRole", `{"omitted":"true","originalSize":"102401"}`, `null`), "unreadable " + accountID + " whole"},
		"parameters omitted, statement answered": {ours(lambdaAPI, addName, `{"omitted":true}`, `{"statement":"{\"Resource\":\"`+orders+`:live\"}"}`), "unreadable " + orders + " whole"},
		"parameters omitted, function answered":  {ours(lambdaAPI, "UpdateFunctionConfiguration20150331v2", `{"omitted":true}`, `{"functionArn":"`+orders+`"}`), "unreadable " + orders + " whole"},
		"parameters omitted, role answered":      {ours(iamAPI, "CreateRole", `{"omitted":true}`, `{"role":{"arn":"arn:aws:iam::111122223333:role/a/r"}}`), "unreadable arn:aws:iam::111122223333:role/r whole"},
		"parameters omitted, not our business":   {ours("s3.amazonaws.com", "PutBucketPolicy", `{"omitted":true}`, `null`), notAudited + "s3.amazonaws.com PutBucketPolicy"},
		"response omitted":                       {ours(lambdaAPI, addName, addOrders, `{"omitted":true,"reason":"responseElements too large"}`), "add-statement " + orders + " #s"},

		"parameters are a number":            {ours(lambdaAPI, addName, `7`, `null`), "unreadable " + accountID + " whole | " + badParams + "requestParameters is a number, not an object"},
		"parameters are null":                {ours(lambdaAPI, addName, `null`, `null`), "unreadable " + accountID + " whole | " + badParams + "functionName is missing"},
		"parameters are missing":             {ours(lambdaAPI, addName, ``, ``), "unreadable " + accountID + " whole | " + badParams + "functionName is missing"},
		"omitted, nobody knows the account":  {ours(lambdaAPI, addName, `{"omitted":true}`, `null`, "recipientAccountId", ``, "userIdentity", ``), badParams + "the record names no account"},
		"a policy of an odd ARN, no account": {ours(lambdaAPI, "PutResourcePolicy", `{"resourceArn":"arn:"}`, `null`, "recipientAccountId", ``, "userIdentity", ``), "error: decoding lambda.amazonaws.com PutResourcePolicy (event e1): the record names no account"},
		"nobody knows the account":           {ours(lambdaAPI, addName, `7`, `null`, "recipientAccountId", ``, "userIdentity", ``), badParams + "requestParameters is a number, not an object"},
		"no Sid to remove":                   {ours(lambdaAPI, "RemovePermission20150331v2", `{"functionName":"orders"}`, `null`), "unreadable " + orders + " whole | error: decoding lambda.amazonaws.com RemovePermission20150331v2 (event e1): statementId is missing"},
		"no eventName":                       {ours(lambdaAPI, "", addOrders, `null`), "unreadable " + accountID + " whole | error: decoding lambda.amazonaws.com (event e1): the record has no eventName or no eventSource"},
		"a later format":                     {ours(lambdaAPI, addName, addOrders, `null`, "eventVersion", `"2.0"`), "unreadable " + accountID + ` whole | ` + badParams + `eventVersion "2.0" is not 1.x`},
		"a later minor version":              {ours(lambdaAPI, addName, addOrders, `null`, "eventVersion", `"1.99"`), "add-statement " + orders + " #s"},

		"no recipientAccountId":      {ours(lambdaAPI, addName, addOrders, `null`, "recipientAccountId", ``), "add-statement " + orders + " #s"},
		"accountId is a number":      {ours(lambdaAPI, addName, addOrders, `null`, "recipientAccountId", `111122223333`), "add-statement " + orders + " #s"},
		"a masked account":           {ours(lambdaAPI, addName, addOrders, `null`, "recipientAccountId", `"1111222"`), "add-statement arn:aws:lambda:us-east-1:1111222:function:orders #s"},
		"no version, id, time, user": {ours(lambdaAPI, addName, addOrders, `null`, "eventVersion", ``, "eventID", ``, "eventTime", ``, "userIdentity", ``), "add-statement " + orders + " #s"},
		"no region":                  {ours(lambdaAPI, addName, addOrders, `null`, "awsRegion", ``), "unreadable " + accountID + " whole | " + badParams + `functionName "orders": the record names no account or no region`},
		"a key that occurs twice":    {[]byte(strings.Replace(string(ours(lambdaAPI, addName, addOrders, `null`)), `"eventName":`, `"eventName":"GetPolicy","eventName":`, 1)), "add-statement " + orders + " #s"},

		"qualifier apart":                 {ours(lambdaAPI, addName, `{"functionName":"orders","qualifier":"live","statementId":"s","action":"a","principal":"*"}`, `null`), "add-statement " + orders + " @live #s"},
		"qualifier inside":                {ours(lambdaAPI, addName, `{"functionName":"orders:live","statementId":"s","action":"a","principal":"*"}`, `null`), "add-statement " + orders + " @live #s"},
		"the response wins":               {ours(lambdaAPI, addName, addOrders, `{"statement":"{\"Sid\":\"s\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"lambda:*\",\"Resource\":\"arn:aws:lambda:eu-west-1:444455556666:function:other:3\"}"}`), "add-statement arn:aws:lambda:eu-west-1:444455556666:function:other @3 #s"},
		"a response that is not JSON":     {ours(lambdaAPI, addName, addOrders, `{"statement":"HIDDEN_DUE_TO_SECURITY_REASONS"}`), "add-statement " + orders + " #s"},
		"a response that is an object":    {ours(lambdaAPI, addName, addOrders, `{"statement":{"Sid":"t","Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"`+orders+`:live"}}`), "add-statement " + orders + " @live #t"},
		"deleting one version":            {ours(lambdaAPI, "DeleteFunction20150331", `{"functionName":"orders","qualifier":"3"}`, `null`), "delete-place " + orders + " @3"},
		"a role that only the answer has": {ours(lambdaAPI, "UpdateFunctionConfiguration20150331v2", `{"functionName":"orders"}`, `{"role":"arn:aws:iam::111122223333:role/r"}`), "update-code " + orders},
	} {
		if got := summary(decodeOne(t, row.record)); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, row.want)
		}
	}
}

func TestFailedCallsCarryTheirCode(t *testing.T) {
	for code, want := range map[string]string{"AccessDenied": "AccessDenied", "ServiceException": "", "": ""} {
		if r := decodeOne(t, ours(lambdaAPI, addName, addOrders, `null`, "errorCode", `"`+code+`"`)); r.Failed != want {
			t.Errorf("errorCode %q: Failed is %q, want %q", code, r.Failed, want)
		}
	}
}

func TestEventIsTakenFromTheRecord(t *testing.T) {
	r := decodeOne(t, ours(lambdaAPI, addName, addOrders, `null`,
		"addendum", `{"reason":"UPDATED_DATA","updatedFields":"requestParameters","originalEventID":"e0","originalRequestID":"r0"}`))
	e := r.Changes[0].Event
	if e.ID != "e1" || e.Original != "e0" || e.Key() != "e0" || e.Name != addName || e.Source != lambdaAPI || e.Account != "111122223333" ||
		e.Region != "us-east-1" || !e.Time.Equal(time.Date(2026, 11, 23, 10, 15, 4, 0, time.UTC)) {
		t.Errorf("got %+v", e)
	}
}

func TestPartitionIsTheCallersElseTheRegions(t *testing.T) {
	for _, row := range []struct{ caller, region, want string }{
		{"arn:aws:iam::111122223333:user/u", "cn-northsouth-2r", "aws"},
		{"arn:aws-cn:iam::111122223333:user/u", "cn-north-1", "aws-cn"},
		{"", "cn-north-1", "aws-cn"},
		{"", "us-gov-west-1", "aws-us-gov"},
		{"", "us-iso-east-1", "aws-iso"},
		{"", "us-isob-east-1", "aws-iso-b"},
		{"", "us-isof-south-1", "aws-iso-f"},
		{"", "eu-isoe-west-1", "aws-iso-e"},
		{"", "eusc-de-east-1", "aws-eusc"},
		{"not an ARN", "eu-west-1", "aws"},
		{"", "sagov-west-2r", "aws"},
	} {
		r := decodeOne(t, ours(lambdaAPI, addName, addOrders, `null`, "awsRegion", `"`+row.region+`"`, "userIdentity", `{"arn":"`+row.caller+`"}`))
		want := "arn:" + row.want + ":lambda:" + row.region + ":111122223333:function:orders"
		if len(r.Changes) != 1 || string(r.Changes[0].Subject) != want {
			t.Errorf("%+v: got %s, want %s", row, summary(r), want)
		}
	}
}

// enveloped is a record in an EventBridge envelope.
func enveloped(source, account, kind, detail string) []byte {
	return fmt.Appendf(nil, `{"version":"0","id":"i","detail-type":%q,"source":%q,"account":%q,"time":"2026-11-23T10:15:05Z","region":"us-east-1","resources":[],"detail":%s}`,
		kind, source, account, detail)
}

func TestEnvelopeMustAgreeWithItsRecord(t *testing.T) {
	const call, forged = "AWS API Call via CloudTrail", "error: forged or foreign event, not audited: the envelope's "
	record := string(ours(lambdaAPI, addName, addOrders, `null`))
	bare := string(ours(lambdaAPI, addName, addOrders, `null`, "recipientAccountId", ``, "userIdentity", `{"accountId":"444455556666"}`, "awsRegion", ``, "eventTime", ``))
	for name, row := range map[string]struct {
		data []byte
		want string
	}{
		"as it should be":         {enveloped("aws.lambda", "111122223333", call, record), "add-statement " + orders + " #s"},
		"a service event":         {enveloped("aws.lambda", "111122223333", "AWS Service Event via CloudTrail", record), "add-statement " + orders + " #s"},
		"the envelope fills in":   {enveloped("aws.lambda", "111122223333", call, bare), "add-statement " + orders + " #s"},
		"a source of PutEvents":   {enveloped("my.app", "111122223333", call, record), forged + `source is "my.app", and CloudTrail's begin with "aws."`},
		"a source that resembles": {enveloped("awsx.lambda", "111122223333", call, record), forged + `source is "awsx.lambda", and CloudTrail's begin with "aws."`},
		"another account":         {enveloped("aws.lambda", "444455556666", call, record), forged + `account is "444455556666", and the record's recipientAccountId "111122223333"`},
		"another detail-type":     {enveloped("aws.lambda", "111122223333", "Scheduled Event", record), forged + `detail-type is "Scheduled Event", and CloudTrail's are ["AWS API Call via CloudTrail" "AWS Service Event via CloudTrail"]`},
		"no detail":               {enveloped("aws.lambda", "111122223333", call, `null`), "unreadable " + accountID + " whole | error: decoding record: the envelope's detail is null or missing, not a CloudTrail record"},
		"a detail that is text":   {enveloped("aws.lambda", "111122223333", call, `"x"`), "unreadable " + accountID + " whole | error: decoding record: the envelope's detail is a string, not a CloudTrail record"},
	} {
		r := decodeOne(t, row.data)
		if got := summary(r); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, row.want)
		}
		if name == "the envelope fills in" && r.Event.Time.IsZero() {
			t.Errorf("%s: no time", name)
		}
	}
}

func TestInputThatIsNoneOfTheThreeForms(t *testing.T) {
	for _, row := range []struct{ input, want string }{
		{"", expected + "; found nothing (0 bytes)"},
		{" \n", expected + "; found nothing (2 bytes)"},
		{"hello", expected + "; found no JSON: invalid character 'h' looking for beginning of value at byte 1"},
		{`{"eventName": }`, expected + "; found no JSON: invalid character '}' looking for beginning of value at byte 15"},
		{"\n\n{\"a\":1}\n{\"a\":2}", expected + "; found no JSON: invalid character '{' after top-level value at byte 11"},
		{"  [1]", expected + "; found a list at byte 2"},
		{"null", expected + "; found null or missing at byte 0"},
		{`"text"`, expected + "; found a string at byte 0"},
		{`{}`, expected + "; found an object without keys"},
		{`{"Version":"2012-10-17","Statement":[]}`, expected + `; found an object with the keys "Statement", "Version"`},
		{`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}`, expected + `; found an object with the keys "a", "b", "c", "d", "e", "f", …`},
		{`{"Records":{}}`, expected + `; found "Records" that are an object, not a list`},
		{`{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`, expected + "; found a batch of aws:sqs: decode the body of each message by itself"},
	} {
		_, err := Decode([]byte(row.input))
		if err == nil || err.Error() != row.want {
			t.Errorf("%q:\n got %v\nwant %s", row.input, err, row.want)
		}
	}
}

func TestBadRecordsDoNotHideTheOthers(t *testing.T) {
	good := string(ours(lambdaAPI, addName, addOrders, `null`))
	data := "\xef\xbb\xbf" + `{"Records":[7, {}, null, ` + good + `, {"eventSource":"aws:sqs"}, ` + good + `]}`
	results, err := Decode([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"error: Records[0] is a number, not a CloudTrail record",
		"error: decoding record: the record has no eventName or no eventSource",
		"error: Records[2] is null or missing, not a CloudTrail record",
		"add-statement " + orders + " #s",
		"error: decoding aws:sqs: the record has no eventName or no eventSource",
		"add-statement " + orders + " #s",
	}
	for i, r := range results {
		if got := summary(r); i >= len(want) || got != want[i] {
			t.Errorf("Records[%d]: got %s", i, got)
		}
	}
	if len(results) != len(want) {
		t.Errorf("%d results, want %d", len(results), len(want))
	}
	if results, err := Decode([]byte(`{"Records":[]}`)); err != nil || len(results) != 0 {
		t.Errorf("an empty log file: %v, %v", results, err)
	}
}

func TestDeepAndHugeInputsAreBounded(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	if _, err := Decode([]byte(deep)); err == nil {
		t.Error("100,000 levels were decoded")
	}
	levels := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	r := decodeOne(t, ours(lambdaAPI, addName, `{"functionName":`+levels+`}`, `null`))
	if r.Err == nil {
		t.Errorf("got %s", summary(r))
	}
	arns := strings.TrimSuffix(strings.Repeat(`"arn:aws:iam::111122223333:role/r",`, 251), ",")
	r = decodeOne(t, ours("rolesanywhere.amazonaws.com", "CreateProfile", `{"roleArns":[`+arns+`]}`, `null`))
	if r.Err == nil || len(r.Changes) != 1 {
		t.Errorf("a profile with 251 roles: %s", summary(r))
	}
}

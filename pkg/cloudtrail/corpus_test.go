package cloudtrail

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/permdrift/permdrift/pkg/drift"
)

// summary is a Result in one line, as the tables of this package have it:
// "operation subject [@place] [whole] [#sid] [unknown]", "skip: …", "error: …".
func summary(r Result) string {
	var parts []string
	for _, c := range r.Changes {
		line := string(c.Operation) + " " + string(c.Subject)
		if c.Place != "" {
			line += " @" + string(c.Place)
		}
		if c.Whole {
			line += " whole"
		}
		if c.Sid != "" {
			line += " #" + c.Sid
		}
		if c.OutcomeUnknown {
			line += " unknown"
		}
		parts = append(parts, line)
	}
	if r.Skipped != "" {
		parts = append(parts, "skip: "+r.Skipped)
	}
	if r.Err != nil {
		parts = append(parts, "error: "+r.Err.Error())
	}
	return strings.Join(parts, " | ")
}

// shared is the folder of that name beside the project. Its absence skips the
// test, unless PERMDRIFT_REQUIRE says that it must be there.
func shared(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", folder)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv("PERMDRIFT_REQUIRE"), ","), "shared") {
		t.Fatalf("%s is required (PERMDRIFT_REQUIRE) and not there", path)
	}
	t.Skipf("SKIPPED: %s is not there", path)
	return ""
}

const notAudited = "skip: not an event that permdrift audits: "

// sharedEvents has a row for every record in shared/events.
var sharedEvents = map[string]string{
	"001-lambda-addpermission-public-stratus.json":             "add-statement arn:aws:lambda:ca-centralnorth-1r:ACCOUNT:function:stratus-red-team-backdoor-f-func #backdoor",
	"002-lambda-updateconfig-layer-stratus.json":               "update-code arn:aws:lambda:eugov-eastcentral-1r:ACCOUNT:function:stratus-red-team-lambda-layer-simpleLambda",
	"003-lambda-updatecode-stratus.json":                       "update-code arn:aws:lambda:ap-westeast-2r:ACCOUNT:function:stratus-red-team-olc-func-vayhjqkdav",
	"005-iam-createrole-foreign-root-stratus.json":             "create-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-malicious-iam-role @trust whole",
	"006-iam-attachrolepolicy-admin-stratus.json":              "put-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-malicious-iam-role @identity",
	"007-iam-attachuserpolicy-admin-stratus.json":              "put-identity-policy arn:aws:iam::ACCOUNT:user/malicious-iam-user @identity",
	"008-cloudtrail-deletetrail-stratus.json":                  "blind arn:aws:iam::ACCOUNT:root whole",
	"010-cloudtrail-puteventselectors-stratus.json":            "blind arn:aws:iam::ACCOUNT:root whole",
	"011-organizations-leave-denied-stratus.json":              "skip: failed call: AccessDenied",
	"012-rolesanywhere-createtrustanchor-stratus.json":         "put-provider arn:aws:rolesanywhere:cn-northsouth-3r:ACCOUNT:trust-anchor/UUID whole",
	"013-rolesanywhere-createprofile-stratus.json":             "share-role arn:aws:iam::ACCOUNT:role/stratus-red-team-trust-anchor-role whole",
	"015-lambda-addpermission-public.json":                     "add-statement arn:aws:lambda:us-east-1:ACCOUNT:function:stratus-red-team-backdoor-f-func #backdoor",
	"016-lambda-createfunction-failed-1.json":                  "skip: failed call: InvalidParameterValueException",
	"017-lambda-createfunction-failed-2.json":                  "skip: failed call: InvalidParameterValueException",
	"018-lambda-createfunction-after-retries.json":             "create-subject arn:aws:lambda:us-east-1:ACCOUNT:function:stratus-red-team-olc-func-xhfgzaowxc whole",
	"020-lambda-removepermission.json":                         "remove-statement arn:aws:lambda:us-east-1:ACCOUNT:function:stratus-red-team-backdoor-f-func #backdoor",
	"021-lambda-updatecode-revert.json":                        "update-code arn:aws:lambda:us-east-1:ACCOUNT:function:stratus-red-team-olc-func-xhfgzaowxc",
	"022-lambda-deletefunction.json":                           "delete-subject arn:aws:lambda:us-east-1:ACCOUNT:function:stratus-red-team-olc-func-xhfgzaowxc whole",
	"023-lambda-deletefunction-backdoored.json":                "delete-subject arn:aws:lambda:us-east-1:ACCOUNT:function:stratus-red-team-backdoor-f-func whole",
	"025-iam-createrole-lambda-exec-emptycondition.json":       "create-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-olc-lambda-xhfgzaowxc @trust whole",
	"026-iam-createrole-bare-account-principal.json":           "create-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2-get-password-data-role @trust whole",
	"027-iam-putrolepolicy-inline.json":                        "put-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2-get-password-data-role @identity",
	"028-iam-createrole-ec2.json":                              "create-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2-steal-credentials-role @trust whole",
	"030-iam-attachrolepolicy-awsmanaged.json":                 "put-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2-steal-credentials-role @identity",
	"031-iam-addroletoinstanceprofile.json":                    "share-role arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2-steal-credentials-role whole",
	"032-iam-putrolepolicy-leaveorg.json":                      "put-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-leave-org-role @identity",
	"033-organizations-leave-denied.json":                      "skip: failed call: AccessDenied",
	"035-iam-createpolicy.json":                                "put-managed-policy arn:aws:iam::ACCOUNT:policy/stratus-red-team-ec2lui-policy-pcccexdthk whole",
	"036-iam-createrole-own-account-list.json":                 "create-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2lui-role-pcccexdthk @trust whole",
	"037-iam-attachrolepolicy-customermanaged.json":            "put-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2lui-role-pcccexdthk @identity",
	"038-iam-detachrolepolicy.json":                            "remove-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-usr-data-role @identity",
	"040-iam-deleterolepolicy-sameSecond-a.json":               "remove-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2-get-password-data-role @identity",
	"041-iam-deleterole-sameSecond-b.json":                     "delete-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-ec2-get-password-data-role whole",
	"042-iam-deletepolicy.json":                                "put-managed-policy arn:aws:iam::ACCOUNT:policy/stratus-red-team-ec2lui-policy-pcccexdthk whole",
	"043-iam-createrole-to-be-backdoored.json":                 "create-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-backdoor-r-role @trust whole",
	"045-iam-updateassumerolepolicy-foreign-root.json":         "put-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-backdoor-r-role @trust",
	"046-iam-updateassumerolepolicy-revert.json":               "put-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-backdoor-r-role @trust",
	"047-iam-detachrolepolicy-admin.json":                      "remove-identity-policy arn:aws:iam::ACCOUNT:role/stratus-red-team-backdoor-r-role @identity",
	"048-iam-deleterole-backdoored.json":                       "delete-subject arn:aws:iam::ACCOUNT:role/stratus-red-team-backdoor-r-role whole",
	"050-rolesanywhere-createtrustanchor.json":                 "put-provider arn:aws:rolesanywhere:us-east-1:ACCOUNT:trust-anchor/UUID whole",
	"051-rolesanywhere-createprofile.json":                     "share-role arn:aws:iam::ACCOUNT:role/stratus-red-team-trust-anchor-role whole",
	"052-rolesanywhere-deletetrustanchor.json":                 "put-provider arn:aws:rolesanywhere:us-east-1:ACCOUNT:trust-anchor/UUID whole",
	"053-iam-attachuserpolicy-admin.json":                      "put-identity-policy arn:aws:iam::ACCOUNT:user/malicious-iam-user @identity",
	"055-cloudtrail-stoplogging-failed.json":                   "skip: failed call: TrailNotFoundException",
	"056-cloudtrail-puteventselectors.json":                    "blind arn:aws:iam::ACCOUNT:root whole",
	"057-iam-getrole-readonly-nosuchentity.json":               "skip: read-only call",
	"058-lambda-getfunction-readonly.json":                     "skip: read-only call",
	"072-lambda-addpermission-cfn-apigw-lowercase-action.json": "add-statement arn:aws:lambda:eu-west-1:ACCOUNT:function:com-github-dnvriend-dnv-sam-seed-GetHello-R8NVI6CUWUHL #com-github-dnvriend-dnv-sam-seed-GetHelloApiGatewayEventSourcePermissionProd-1J2DTANU0SFCW",
	"073-lambda-addpermission-cfn-serviceexception.json":       "add-statement arn:aws:lambda:eu-west-1:ACCOUNT:function:StackState-Topo-CWEvents #stackstate-topo-cwevents-CloudWatchLambdaEC2EventsHandlerPermission-UTZENMF9PVBE unknown",
	"074-lambda-addpermission-s3-scoped.json":                  "add-statement arn:aws:lambda:eu-west-1:ACCOUNT:function:mynewlambda-2 #lambda-UUID",
	"075-lambda-addpermission-cfn-events-rule.json":            "add-statement arn:aws:lambda:eu-west-1:ACCOUNT:function:com-github-dnvriend-dnv-sam-seed-ScheduledHandler-NUSQHIINBDTV #com-github-dnvriend-dnv-sam-seed-ScheduledHandlerScheduledEventSourcePermission-QQYHR5ELDK42",
	"077-lambda-addpermission-request-response-mismatch.json":  "add-statement arn:aws:lambda:eu-west-1:ACCOUNT:function:JpkTest #UUID",
	"078-lambda-createfunction-cfn.json":                       "create-subject arn:aws:lambda:eu-west-1:ACCOUNT:function:com-stackstate-prod-sam-seed-PutHello-1LUD3ESBOR6EY whole",
	"079-lambda-createfunction-null-response.json":             "create-subject arn:aws:lambda:eu-west-1:ACCOUNT:function:com-github-dnvriend-dnv-sam-seed-GetHello-R8NVI6CUWUHL whole",
	"080-lambda-deletefunction-console.json":                   "delete-subject arn:aws:lambda:eu-west-1:ACCOUNT:function:JpkTest whole",
	"082-lambda-createesm-kinesis.json":                        "put-mapping arn:aws:lambda:eu-west-1:ACCOUNT:function:KinesisHandler",
	"083-lambda-publishversion.json":                           "create-place arn:aws:lambda:eu-west-1:ACCOUNT:function:com-stackstate-prod-sam-seed-PutHello-1LUD3ESBOR6EY @1",
	"084-lambda-tagresource.json":                              notAudited + "lambda.amazonaws.com TagResource20170331v2",
	"085-lambda-updateconfig-no-role.json":                     "update-code arn:aws:lambda:eu-west-1:ACCOUNT:function:com-stackstate-prod-sam-seed-PutHello-1LUD3ESBOR6EY",
}

// idInARN is an account's id in an ARN, uuid any other id. The published ids
// are not copied into the table; that the accounts are the record's is checked
// by itself.
var (
	idInARN = regexp.MustCompile(`:\d{12}:`)
	uuid    = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// ownerOf is the account that a record is about: of the ARN in the statement
// or of the function that was answered, of the recipient, or of the caller.
func ownerOf(t *testing.T, data []byte) string {
	t.Helper()
	var r struct {
		RecipientAccountID string `json:"recipientAccountId"`
		UserIdentity       struct{ AccountID string }
		ResponseElements   struct{ Statement, FunctionArn string }
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	var statement struct{ Resource string }
	if json.Unmarshal([]byte(r.ResponseElements.Statement), &statement) == nil && statement.Resource != "" {
		return strings.Split(statement.Resource, ":")[4]
	}
	if parts := strings.Split(r.ResponseElements.FunctionArn, ":"); len(parts) > 4 {
		return parts[4]
	}
	if r.RecipientAccountID != "" {
		return r.RecipientAccountID
	}
	return r.UserIdentity.AccountID
}

func TestSharedEventsAreDecoded(t *testing.T) {
	folder := shared(t, "events")
	files, err := filepath.Glob(filepath.Join(folder, "[0-9]*.json"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		name := filepath.Base(file)
		want, ok := sharedEvents[name]
		if !ok {
			t.Errorf("%s has no row in sharedEvents", name)
			continue
		}
		ran++
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		results, err := Decode(data)
		if err != nil || len(results) != 1 {
			t.Errorf("%s: %d results, %v", name, len(results), err)
			continue
		}
		r := results[0]
		got := summary(r)
		if masked := uuid.ReplaceAllString(idInARN.ReplaceAllString(got, ":ACCOUNT:"), "UUID"); masked != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		for _, c := range r.Changes {
			if id := c.Subject.Account(); id != ownerOf(t, data) {
				t.Errorf("%s: account %s is not the record's, %s", name, id, ownerOf(t, data))
			}
		}
		if r.Event.ID == "" || r.Event.Time.IsZero() || r.Actor.ARN == "" || r.Event.Account == "" {
			t.Errorf("%s: event or actor is incomplete: %+v %+v", name, r.Event, r.Actor)
		}
		for _, c := range r.Changes {
			if c.Problem != "" || c.Event != r.Event || c.Actor != r.Actor {
				t.Errorf("%s: problem %q, event %+v, actor %+v", name, c.Problem, c.Event, c.Actor)
			}
			if c.Operation == drift.AddStatement && !c.OutcomeUnknown && c.Statement == nil {
				t.Errorf("%s: no statement", name)
			}
			if c.Place == drift.Trust && c.Policy == nil {
				t.Errorf("%s: no trust policy", name)
			}
		}
	}
	if ran != len(sharedEvents) || ran != 59 {
		t.Errorf("%d records ran, the table has %d, and there should be 59", ran, len(sharedEvents))
	}
}

// ownEvents has a row for every file in events, and a line for every message of
// an SQS batch.
var ownEvents = map[string][]string{
	"public.json":                        {"add-statement arn:aws:lambda:us-east-1:111122223333:function:orders #temp-debug"},
	"unscoped-s3.json":                   {"add-statement arn:aws:lambda:us-east-1:111122223333:function:ingest #s3-invoke"},
	"foreign-account.json":               {"add-statement arn:aws:lambda:us-east-1:111122223333:function:payments #partner"},
	"alias-scoped.json":                  {"add-statement arn:aws:lambda:us-east-1:111122223333:function:payments @live #health-check"},
	"json-policy-removes-deny.json":      {"put-policy arn:aws:lambda:us-east-1:111122223333:function:orders"},
	"alias-inside-name.json":             {"add-statement arn:aws:lambda:us-east-1:111122223333:function:payments @live #reporting"},
	"function-url-grant.json":            {"add-statement arn:aws:lambda:us-east-1:111122223333:function:orders #FunctionURLAllowPublicAccess"},
	"function-url-created.json":          {"put-url arn:aws:lambda:us-east-1:111122223333:function:orders"},
	"organization-wildcard.json":         {"put-policy arn:aws:lambda:us-east-1:111122223333:function:payments"},
	"not-principal.json":                 {"put-policy arn:aws:lambda:us-east-1:111122223333:function:ingest"},
	"parameters-omitted.json":            {"unreadable arn:aws:iam::111122223333:root whole"},
	"remove-permission.json":             {"remove-statement arn:aws:lambda:us-east-1:111122223333:function:ingest #uploads-bucket"},
	"layer-public.json":                  {"add-statement arn:aws:lambda:us-east-1:111122223333:layer:pricing:3 #everyone"},
	"role-foreign-root.json":             {"create-subject arn:aws:iam::111122223333:role/support-access @trust whole"},
	"trust-foreign-root.json":            {"put-policy arn:aws:iam::111122223333:role/orders-execution @trust"},
	"execution-role-replaced.json":       {"configure arn:aws:lambda:us-east-1:111122223333:function:orders"},
	"event-source-added.json":            {"put-mapping arn:aws:lambda:us-east-1:111122223333:function:payments"},
	"trail-stopped.json":                 {"blind arn:aws:iam::111122223333:root whole"},
	"outcome-unknown.json":               {"add-statement arn:aws:lambda:us-east-1:111122223333:function:orders #api unknown"},
	"scoped-s3.json":                     {"add-statement arn:aws:lambda:us-east-1:111122223333:function:ingest #uploads-bucket"},
	"own-api-by-cloudformation.json":     {"add-statement arn:aws:lambda:us-east-1:111122223333:function:orders #shop-OrdersFunctionApiPermissionprod-EXAMPLE"},
	"own-organization.json":              {"add-statement arn:aws:lambda:us-east-1:111122223333:function:orders #shared-services"},
	"read-only.json":                     {"skip: read-only call"},
	"failed-call.json":                   {"skip: failed call: AccessDenied"},
	"function-url-none.json":             {"put-url arn:aws:lambda:us-east-1:111122223333:function:payments @live"},
	"url-auth-type-changed.json":         {"put-url arn:aws:lambda:us-east-1:111122223333:function:orders"},
	"mapping-repointed.json":             {"put-mapping arn:aws:lambda:us-east-1:111122223333:function:payments"},
	"foreign-event-source.json":          {"put-mapping arn:aws:lambda:us-east-1:111122223333:function:ingest"},
	"alias-repointed.json":               {"repoint-place arn:aws:lambda:us-east-1:111122223333:function:payments @live"},
	"layer-organization.json":            {"add-statement arn:aws:lambda:us-east-1:111122223333:layer:pricing:3 #partners"},
	"version-grant.json":                 {"add-statement arn:aws:lambda:us-east-1:111122223333:function:payments @3 #rollback"},
	"own-rule-disabled.json":             {"blind arn:aws:iam::111122223333:root whole"},
	"own-code-updated.json":              {"update-code arn:aws:lambda:us-east-1:111122223333:function:permdrift-AuditorFunction-EXAMPLE3C4D"},
	"principal-org-foreign.json":         {"add-statement arn:aws:lambda:us-east-1:111122223333:function:orders #organization"},
	"source-arn-wildcard.json":           {"add-statement arn:aws:lambda:us-east-1:111122223333:function:ingest #topics"},
	"invoke-star-action.json":            {"put-policy arn:aws:lambda:us-east-1:111122223333:function:payments"},
	"statement-without-sid.json":         {"put-policy arn:aws:lambda:us-east-1:111122223333:function:orders"},
	"same-sid-on-alias.json":             {"add-statement arn:aws:lambda:us-east-1:111122223333:function:ingest @live #uploads-bucket"},
	"role-trust-wildcard-condition.json": {"put-policy arn:aws:iam::111122223333:role/orders-execution @trust"},
	"role-oidc-without-subject.json":     {"create-subject arn:aws:iam::111122223333:role/deploy @trust whole"},
	"role-boundary-deleted.json":         {"remove-boundary arn:aws:iam::111122223333:role/orders-execution @boundary"},
	"role-policy-version-default.json":   {"put-managed-policy arn:aws:iam::111122223333:policy/shared/functions-base whole"},
	"role-inline-notaction.json":         {"put-identity-policy arn:aws:iam::111122223333:role/orders-execution @identity"},
	"role-admin-attached.json":           {"put-identity-policy arn:aws:iam::111122223333:role/orders-execution @identity"},
	"provider-client-added.json":         {"put-provider arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com whole"},
	"role-deleted.json":                  {"delete-subject arn:aws:iam::111122223333:role/orders-execution whole"},
	"padded-role-policy.json":            {"unreadable arn:aws:iam::111122223333:root whole"},
	"sqs-batch.json":                     {"add-statement arn:aws:lambda:us-east-1:111122223333:function:ingest @7 #version-grant"},
	"sqs-batch-bad-message.json": {
		"delete-subject arn:aws:lambda:us-east-1:111122223333:function:ingest whole",
		"input: " + expected + "; found no JSON: unexpected end of JSON input at byte 90",
	},
}

func TestOwnEventsAreDecoded(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "events", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "events", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	ran := 0
	for _, file := range files {
		name := filepath.Base(file)
		want, ok := ownEvents[name]
		if !ok {
			t.Errorf("%s has no row in ownEvents", name)
			continue
		}
		if !strings.Contains(string(readme), "| `"+name+"` |") {
			t.Errorf("%s has no row in events/README.md", name)
		}
		ran++
		var got []string
		for _, body := range bodies(t, file) {
			results, err := Decode(body)
			if err != nil {
				got = append(got, "input: "+err.Error())
				continue
			}
			for _, r := range results {
				got = append(got, summary(r))
				if other, twice := ids[r.Event.ID]; twice {
					t.Errorf("%s has the event id of %s", name, other)
				}
				ids[r.Event.ID] = name
				checkOwn(t, name, r)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
	}
	if ran != len(ownEvents) || ran != 49 {
		t.Errorf("%d files ran, the table has %d, and there should be 49", ran, len(ownEvents))
	}
}

func checkOwn(t *testing.T, name string, r Result) {
	t.Helper()
	if r.Event.Account != "111122223333" || r.Event.Time.Format("2006-01") != "2026-11" {
		t.Errorf("%s: account %s, time %s", name, r.Event.Account, r.Event.Time)
	}
	for _, c := range r.Changes {
		if c.Problem != "" && c.Operation != drift.Unreadable {
			t.Errorf("%s: %s", name, c.Problem)
		}
	}
}

// bodies are the events in a file: itself, or the messages of an SQS batch.
func bodies(tb testing.TB, file string) [][]byte {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var batch events.SQSEvent
	if err := json.Unmarshal(data, &batch); err != nil {
		tb.Fatal(err)
	}
	if len(batch.Records) == 0 {
		return [][]byte{data}
	}
	var all [][]byte
	for _, message := range batch.Records {
		if message.EventSource != "aws:sqs" {
			tb.Fatalf("%s: a message from %q", file, message.EventSource)
		}
		all = append(all, []byte(message.Body))
	}
	return all
}

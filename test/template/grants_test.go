package template_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sdkServices = "github.com/aws/aws-sdk-go-v2/service/"

// deployed are the functions of the template.
var deployed = []struct {
	function, role, source string
	// uncalled are the actions that the template grants and the code does not
	// call, and why.
	uncalled map[string]string
	// ungranted are the operations that the code reaches, as far as its source
	// tells, and that the template does not grant, and why.
	ungranted map[string]string
	// unset are the variables that the code reads and the template does not
	// set, and why.
	unset map[string]string
}{
	{
		"AuditorFunction", "AuditorRole", "functions/auditor",
		map[string]string{
			"sqs:ReceiveMessage":     polling,
			"sqs:DeleteMessage":      polling,
			"sqs:GetQueueAttributes": polling,
			"logs:CreateLogStream":   logging,
			"logs:PutLogEvents":      logging,
			"kms:Decrypt":            encryption,
			"kms:GenerateDataKey*":   encryption,
		},
		nil,
		map[string]string{"PERMDRIFT_JSON_POLICIES": jsonPolicies},
	},
	{
		"RemediatorFunction", "RemediatorRole", "functions/remediator",
		map[string]string{
			"lambda:AddPermission":        "companion action: AWS wants it of who calls PutResourcePolicy",
			"sqs:ReceiveMessage":          polling,
			"sqs:DeleteMessage":           polling,
			"sqs:GetQueueAttributes":      polling,
			"sqs:ChangeMessageVisibility": polling,
			"logs:CreateLogStream":        logging,
			"logs:PutLogEvents":           logging,
			"kms:Decrypt":                 encryption,
			"kms:GenerateDataKey*":        encryption,
		},
		map[string]string{
			"lambda ListAliases":             onePlace,
			"lambda ListVersionsByFunction":  onePlace,
			"lambda GetEventSourceMapping":   onePlace,
			"lambda GetFunctionUrlConfig":    onePlace,
			"lambda GetLayerVersionPolicy":   onePlace,
			"lambda ListEventSourceMappings": onePlace,
			"lambda ListFunctionUrlConfigs":  onePlace,
			"iam GetGroupPolicy":             functionsOnly,
			"iam GetPolicy":                  functionsOnly,
			"iam GetPolicyVersion":           functionsOnly,
			"iam GetRole":                    functionsOnly,
			"iam GetRolePolicy":              functionsOnly,
			"iam GetUser":                    functionsOnly,
			"iam GetUserPolicy":              functionsOnly,
			"iam ListAttachedGroupPolicies":  functionsOnly,
			"iam ListAttachedRolePolicies":   functionsOnly,
			"iam ListAttachedUserPolicies":   functionsOnly,
			"iam ListGroupPolicies":          functionsOnly,
			"iam ListGroupsForUser":          functionsOnly,
			"iam ListRolePolicies":           functionsOnly,
			"iam ListUserPolicies":           functionsOnly,
		},
		map[string]string{
			"PERMDRIFT_JSON_POLICIES":    jsonPolicies,
			"PERMDRIFT_EVENTS_QUEUE_URL": auditorsOwn,
			"PERMDRIFT_SWEEP_QUEUE_URL":  auditorsOwn,
			"PERMDRIFT_REREAD_AFTER":     auditorsOwn,
			"PERMDRIFT_SWEEP_ROLES":      auditorsOwn,
			"PERMDRIFT_RATE":             auditorsOwn + "; only whole reads are slowed down",
			"PERMDRIFT_UNKNOWN":          auditorsOwn + "; the remediator decides by approvals alone",
			"PERMDRIFT_LEARN_UNTIL":      auditorsOwn + "; the remediator decides by approvals alone",
			"PERMDRIFT_ADOPTION_KEY":     auditorsOwn + "; the remediator cannot seal, and what was adopted is never sent to it",
			"PERMDRIFT_TOPIC_KEY":        auditorsOwn + "; the remediator hears of no key",
		},
	},
}

const (
	polling    = "Lambda polls the queue in the role's name"
	logging    = "Lambda writes the logs in the role's name"
	encryption = "SNS uses the topic's key in the role's name"

	onePlace      = "live.State reads it for whole reads and changes of its own, and the remediator reads the policy at one place of a function"
	functionsOnly = "live.State reads it of roles, users and groups, and the remediator reads functions"
	jsonPolicies  = "auto, the default, finds out by itself"
	auditorsOwn   = "read by the code that both functions share; the remediator has no use for it"
)

// actions are what an operation needs, where that is not the action of its own
// name.
var actions = map[string][]string{
	"dynamodb TransactWriteItems": {}, // its parts count: see transactParts
	"dynamodb TransactGetItems":   {"dynamodb:GetItem"},
	"sns PublishBatch":            {"sns:Publish"},
	"sqs SendMessageBatch":        {"sqs:SendMessage"},
	"sqs DeleteMessageBatch":      {"sqs:DeleteMessage"},
	"sts GetCallerIdentity":       {}, // needs no permission
}

// difference says how the granted actions and those that the operations need
// differ, and which exceptions are not needed.
func difference(operations map[string]string, granted []string, uncalled map[string]string) []string {
	needed := map[string]string{}
	for operation, place := range operations {
		names, special := actions[operation]
		if !special {
			names = []string{strings.Replace(operation, " ", ":", 1)}
		}
		for _, a := range names {
			needed[a] = operation + " at " + place
		}
	}
	var out []string
	for _, a := range slices.Sorted(maps.Keys(needed)) {
		if !slices.Contains(granted, a) {
			out = append(out, fmt.Sprintf("the code calls %s, and %s is not granted", needed[a], a))
		}
	}
	for _, a := range granted {
		if needed[a] == "" && uncalled[a] == "" {
			out = append(out, fmt.Sprintf("%s is granted, and nothing calls it", a))
		}
	}
	for _, a := range slices.Sorted(maps.Keys(uncalled)) {
		switch {
		case needed[a] != "":
			out = append(out, fmt.Sprintf("the exception %s (%s) is called by %s", a, uncalled[a], needed[a]))
		case !slices.Contains(granted, a):
			out = append(out, fmt.Sprintf("the exception %s (%s) is not granted", a, uncalled[a]))
		}
	}
	return out
}

// grants are the actions that a role's own policies allow, and those that are
// put on it apart, sorted.
func grants(doc object, role string) []string {
	var out []string
	add := func(s object) {
		if s["Effect"] == "Allow" {
			out = append(out, texts(s["Action"])...)
		}
	}
	for _, p := range list(at(doc, "Resources", role, "Properties", "Policies")) {
		resource{role, p.(object)}.statements(add)
	}
	for _, p := range resources(doc, "AWS::IAM::Policy") {
		if slices.Contains(refs(p.property("Roles")), role) {
			p.statements(add)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// variables are the environment variables that the template gives to a function.
func variables(doc object, function string) []string {
	m, _ := at(doc, "Resources", function, "Properties", "Environment", "Variables").(object)
	return slices.Sorted(maps.Keys(m))
}

// readDeployed reads the calls of a deployed function.
func readDeployed(t *testing.T, source string) calls {
	t.Helper()
	c, err := readCalls(root, "./"+source, sdkServices)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRolesMayDoWhatTheCodeCalls(t *testing.T) {
	doc := load(t, "template.yaml")
	for _, d := range deployed {
		t.Run(d.function, func(t *testing.T) {
			if got := refs(at(doc, "Resources", d.function, "Properties", "Role")); !slices.Equal(got, []string{d.role}) {
				t.Errorf("%s runs as %v, want %s", d.function, got, d.role)
			}
			c := readDeployed(t, d.source)
			if len(c.operations) == 0 {
				t.Fatal("found no operation; is the reading blind?")
			}
			for operation, why := range d.ungranted {
				if c.operations[operation] == "" {
					t.Errorf("the exception %s (%s) is not reached", operation, why)
				}
				delete(c.operations, operation)
			}
			for _, line := range difference(c.operations, grants(doc, d.role), d.uncalled) {
				t.Error(line)
			}
		})
	}
}

func TestFunctionsReadTheEnvironmentTheyAreGiven(t *testing.T) {
	doc := load(t, "template.yaml")
	for _, d := range deployed {
		t.Run(d.function, func(t *testing.T) {
			given := variables(doc, d.function)
			read := readDeployed(t, d.source).variables
			for _, name := range given {
				if read[name] == "" {
					t.Errorf("the template sets %s, and %s never reads it", name, d.source)
				}
			}
			for name, place := range read {
				if !slices.Contains(given, name) && d.unset[name] == "" {
					t.Errorf("%s reads %s at %s, and the template does not set it", d.source, name, place)
				}
			}
			for name, why := range d.unset {
				if read[name] == "" || slices.Contains(given, name) {
					t.Errorf("the exception %s (%s) is not needed", name, why)
				}
			}
		})
	}
}

func TestDifferenceFindsEveryKind(t *testing.T) {
	c, err := readCalls("testdata/sample", "./functions/two", "example.com/sample/service/")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"dynamodb:PutItem", "dynamodb:ConditionCheckItem", "lambda:ListFunctions", "lambda:RemovePermission", "logs:PutLogEvents"}
	for _, test := range []struct {
		name     string
		granted  []string
		uncalled map[string]string
		want     string
	}{
		{"equal", all, map[string]string{"logs:PutLogEvents": logging}, ""},
		{"not granted", all[1:], map[string]string{"logs:PutLogEvents": logging}, "the code calls dynamodb PutItem at store.go:24, and dynamodb:PutItem is not granted"},
		{"not called", all, nil, "logs:PutLogEvents is granted, and nothing calls it"},
		{"exception not granted", all[:4], map[string]string{"logs:PutLogEvents": logging}, "the exception logs:PutLogEvents (" + logging + ") is not granted"},
		{"exception called", all[:4], map[string]string{"dynamodb:PutItem": "why"}, "the exception dynamodb:PutItem (why) is called by dynamodb PutItem at store.go:24"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(difference(c.operations, test.granted, test.uncalled), "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	batch := map[string]string{"sqs SendMessageBatch": "x.go:1", "sts GetCallerIdentity": "x.go:2"}
	if got := difference(batch, []string{"sqs:SendMessage"}, nil); got != nil {
		t.Errorf("operations with actions of another name: %v", got)
	}
}

func TestGrantsAreReadFromTheTemplate(t *testing.T) {
	got := grants(load(t, "template.yaml"), "AuditorRole")
	for _, a := range []string{"lambda:GetPolicy", "lambda:GetResourcePolicy", "dynamodb:Query", "sns:Publish", "sqs:SendMessage", "kms:GenerateMac"} {
		if !slices.Contains(got, a) {
			t.Errorf("grants of AuditorRole are %v, without %s", got, a)
		}
	}
	if slices.Contains(got, "sts:AssumeRole") {
		t.Error("the trust policy was read as a grant")
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Errorf("the project's folder is elsewhere: %v", err)
	}
}

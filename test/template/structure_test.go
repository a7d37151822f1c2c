package template_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wildcards are the statements that may name every resource, and why.
var wildcards = map[string]string{
	"template.yaml AuditorRole ListAll":                  "listing functions, layers and mappings knows no resources; a mapping is read by an id that bears no function",
	"template.yaml TopicKey AllowAccountByItsPolicies":   "in a key policy * is the key itself",
	"template.yaml TopicKey AllowAlarms":                 "in a key policy * is the key itself",
	"template.yaml AdoptionKey AllowAccountToAdminister": "in a key policy * is the key itself",
	"template.yaml AdoptionKey AllowAuditorToSeal":       "in a key policy * is the key itself",
}

// broadActions are the actions with a star that may be allowed, and why.
var broadActions = map[string]string{
	"template.yaml TopicKey kms:*":                      "without it nobody could administer the key",
	"template.yaml TopicKey kms:GenerateDataKey*":       "SNS asks for the key with and without plain text",
	"template.yaml AuditorRole kms:GenerateDataKey*":    "SNS asks for the key with and without plain text",
	"template.yaml RemediatorRole kms:GenerateDataKey*": "SNS asks for the key with and without plain text",
}

// statements calls visit for each policy statement of a resource.
func (r resource) statements(visit func(object)) {
	walk(r.body, func(o object) {
		if _, ok := o["Effect"].(string); ok {
			visit(o)
		}
	})
}

func TestStatementsNameResourcesActionsAndPrincipals(t *testing.T) {
	stars, actions, seen := map[string]bool{}, map[string]bool{}, 0
	for _, file := range templates {
		for _, r := range resources(load(t, file), "") {
			r.statements(func(s object) {
				seen++
				name := fmt.Sprintf("%s %s %v", file, r.id, s["Sid"])
				if slices.Contains(texts(s["Resource"]), "*") {
					stars[name] = true
					if wildcards[name] == "" {
						t.Errorf("%s: Resource is *", name)
					}
				}
				if s["Effect"] != "Allow" {
					return
				}
				for _, a := range texts(s["Action"]) {
					if key := file + " " + r.id + " " + a; strings.Contains(a, "*") {
						actions[key] = true
						if broadActions[key] == "" {
							t.Errorf("%s: allows %s", name, a)
						}
					}
				}
				if (s["Principal"] == "*" || at(s, "Principal", "AWS") == "*") && s["Condition"] == nil {
					t.Errorf("%s: allows everybody without a condition", name)
				}
				if s["NotAction"] != nil || s["NotResource"] != nil || s["NotPrincipal"] != nil {
					t.Errorf("%s: allows by exclusion", name)
				}
			})
		}
	}
	if seen < 30 {
		t.Errorf("saw %d statements; is the walk blind?", seen)
	}
	for name := range wildcards {
		if !stars[name] {
			t.Errorf("exception %q is not needed any more", name)
		}
	}
	for name := range broadActions {
		if !actions[name] {
			t.Errorf("exception %q is not needed any more", name)
		}
	}
}

// A service principal without a source is the confused deputy that permdrift
// itself looks for.
func TestServicesAreAllowedOnlyForASource(t *testing.T) {
	exceptions := map[string]string{
		"template.yaml AuditorRole":    "Lambda's role trust: only somebody with PassRole hands it over",
		"template.yaml RemediatorRole": "as AuditorRole",
		"template.yaml TopicKey":       "whether alarms send a source to KMS is not documented; the topic's policy has it",
	}
	for _, file := range templates {
		for _, r := range resources(load(t, file), "") {
			r.statements(func(s object) {
				if at(s, "Principal", "Service") == nil || exceptions[file+" "+r.id] != "" {
					return
				}
				if !strings.Contains(fmt.Sprint(s["Condition"]), "aws:SourceArn") {
					t.Errorf("%s %s %v: a service without aws:SourceArn", file, r.id, s["Sid"])
				}
			})
			if r.body["Type"] == "AWS::Lambda::Permission" && (r.property("SourceArn") == nil || r.property("SourceAccount") == nil) {
				t.Errorf("%s %s: without SourceArn and SourceAccount", file, r.id)
			}
		}
	}
}

func TestQueuesHaveDeadLettersAndThoseHaveAlarms(t *testing.T) {
	for _, file := range templates {
		doc := load(t, file)
		dead := map[string]bool{}
		for _, r := range resources(doc, "") {
			walk(r.body, func(o object) {
				for _, target := range []any{o["deadLetterTargetArn"], o["DeadLetterConfig"], o["OnFailure"]} {
					for _, id := range refs(target) {
						dead[id] = true
					}
				}
			})
		}
		alarmed := map[string]bool{}
		for _, a := range resources(doc, "AWS::CloudWatch::Alarm") {
			if a.property("MetricName") == "ApproximateNumberOfMessagesVisible" && a.property("Threshold") == 1 &&
				a.property("ComparisonOperator") == "GreaterThanOrEqualToThreshold" && a.property("AlarmActions") != nil {
				for _, id := range refs(a.property("Dimensions")) {
					alarmed[id] = true
				}
			}
		}
		for _, q := range resources(doc, "AWS::SQS::Queue") {
			redrive := q.property("RedrivePolicy")
			switch {
			case redrive == nil && !dead[q.id]:
				t.Errorf("%s %s has no dead-letter queue and is none", file, q.id)
			case redrive == nil && !alarmed[q.id]:
				t.Errorf("%s %s: a dead-letter queue without an alarm", file, q.id)
			case redrive != nil:
				if n, _ := at(redrive, "maxReceiveCount").(int); n < 8 {
					t.Errorf("%s %s: maxReceiveCount %d; throttled polls count, so at least 8", file, q.id, n)
				}
			}
			if q.property("SqsManagedSseEnabled") != true {
				t.Errorf("%s %s is not encrypted", file, q.id)
			}
		}
		for _, r := range resources(doc, "AWS::Events::Rule") {
			for _, target := range list(r.property("Targets")) {
				if at(target, "DeadLetterConfig", "Arn") == nil {
					t.Errorf("%s %s: a target without a dead-letter queue", file, r.id)
				}
			}
		}
	}
}

func TestFunctionsPollTheirQueuesSafely(t *testing.T) {
	doc := load(t, "template.yaml")
	mappings := 0
	for _, f := range resources(doc, "AWS::Serverless::Function") {
		timeout, _ := f.property("Timeout").(int)
		for name, event := range f.property("Events").(object) {
			if at(event, "Type") != "SQS" {
				continue
			}
			mappings++
			properties := at(event, "Properties")
			queue := refs(at(properties, "Queue"))[0]
			visibility, _ := at(doc, "Resources", queue, "Properties", "VisibilityTimeout").(int)
			if timeout == 0 || visibility < 6*timeout {
				t.Errorf("%s: visible again after %d s, want at least 6 × %d s", queue, visibility, timeout)
			}
			if got := texts(at(properties, "FunctionResponseTypes")); !slices.Contains(got, "ReportBatchItemFailures") {
				t.Errorf("%s %s: one bad message fails its batch", f.id, name)
			}
			if n, _ := at(properties, "ScalingConfig", "MaximumConcurrency").(int); n < 2 {
				t.Errorf("%s %s: MaximumConcurrency %d, AWS wants at least 2", f.id, name, n)
			}
			if at(doc, "Resources", queue, "Properties", "RedrivePolicy") == nil {
				t.Errorf("%s %s polls %s, which has no dead-letter queue", f.id, name, queue)
			}
		}
	}
	if mappings != 3 {
		t.Errorf("%d queues are polled, want 3: events, sweep, alerts", mappings)
	}
}

func TestFunctionsAreBuiltAsTheirMakeTargetsSay(t *testing.T) {
	doc := load(t, "template.yaml")
	if got, want := fmt.Sprint(at(doc, "Globals", "Function", "Runtime"), at(doc, "Globals", "Function", "Architectures")), "provided.al2023[arm64]"; strings.ReplaceAll(got, " ", "") != want {
		t.Errorf("functions run on %s, want %s", got, want)
	}
	for _, f := range resources(doc, "AWS::Serverless::Function") {
		if at(f.body, "Metadata", "BuildMethod") != "makefile" {
			t.Errorf("%s is not built by make", f.id)
		}
		if f.property("LoggingConfig", "LogFormat") != "JSON" || f.property("LoggingConfig", "LogGroup") == nil {
			t.Errorf("%s does not log JSON to a group of its own", f.id)
		}
	}
	for _, g := range resources(doc, "AWS::Logs::LogGroup") {
		if g.property("RetentionInDays") == nil {
			t.Errorf("%s keeps logs for ever", g.id)
		}
	}
}

func TestTablesAreKeptEncryptedAndRestorable(t *testing.T) {
	doc := load(t, "template.yaml")
	expires := map[string]any{"BaselineTable": nil, "LedgerTable": "expires"}
	tables := resources(doc, "AWS::DynamoDB::Table")
	if len(tables) != len(expires) {
		t.Errorf("%d tables, want %d", len(tables), len(expires))
	}
	for _, table := range tables {
		for what, ok := range map[string]bool{
			"deletion policy":         table.body["DeletionPolicy"] == "Retain",
			"replacement policy":      table.body["UpdateReplacePolicy"] == "Retain",
			"deletion protection":     table.property("DeletionProtectionEnabled") == true,
			"on-demand billing":       table.property("BillingMode") == "PAY_PER_REQUEST",
			"encryption":              table.property("SSESpecification", "SSEEnabled") == true,
			"point-in-time recovery":  table.property("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") == true,
			"keys":                    fmt.Sprint(table.property("KeySchema")) == "[map[AttributeName:pk KeyType:HASH] map[AttributeName:sk KeyType:RANGE]]",
			"expiry attribute":        table.property("TimeToLiveSpecification", "AttributeName") == expires[table.id],
			"name left to the stack":  table.property("TableName") == nil,
			"no stream to leak it by": table.property("StreamSpecification") == nil,
		} {
			if !ok {
				t.Errorf("%s: wrong %s", table.id, what)
			}
		}
	}
}

// Approvals come from people. A function that could write them could approve
// its own findings.
func TestNoFunctionMayWriteTheBaseline(t *testing.T) {
	doc := load(t, "template.yaml")
	reads := []string{"dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable"}
	granted := 0
	for _, role := range resources(doc, "AWS::IAM::Role") {
		role.statements(func(s object) {
			if s["Effect"] != "Allow" || !slices.Contains(refs(s["Resource"]), "BaselineTable") {
				return
			}
			granted++
			for _, a := range texts(s["Action"]) {
				if !slices.Contains(reads, a) {
					t.Errorf("%s may %s on the baseline table", role.id, a)
				}
			}
		})
	}
	if granted != 2 {
		t.Errorf("%d statements about the baseline table, want one for each function", granted)
	}
}

func TestRemediatorExistsOnlyIfWanted(t *testing.T) {
	doc := load(t, "template.yaml")
	ours := 0
	for _, r := range resources(doc, "") {
		if strings.HasPrefix(r.id, "Remediator") {
			ours++
			if r.body["Condition"] != "WantsRemediator" {
				t.Errorf("%s exists without being wanted", r.id)
			}
			continue
		}
		if got := refs(withoutIf(r.body, "WantsRemediator")); slices.ContainsFunc(got, isRemediators) {
			t.Errorf("%s refers to %v without asking WantsRemediator", r.id, got)
		}
	}
	if ours < 8 {
		t.Errorf("%d resources of the remediator, want at least 8", ours)
	}
	for name, o := range doc["Outputs"].(object) {
		if slices.ContainsFunc(refs(o), isRemediators) && at(o, "Condition") != "WantsRemediator" {
			t.Errorf("output %s refers to the remediator without asking WantsRemediator", name)
		}
	}
	if got := at(doc, "Parameters", "DeployRemediator", "Default"); got != "false" {
		t.Errorf("DeployRemediator is %v by default, want false", got)
	}
}

func isRemediators(id string) bool { return strings.HasPrefix(id, "Remediator") }

// withoutIf is v without what stands only under a condition.
func withoutIf(v any, condition string) any {
	switch v := v.(type) {
	case object:
		if branches := list(v["Fn::If"]); len(branches) == 3 && branches[0] == condition {
			return withoutIf(branches[2], condition)
		}
		out := object{}
		for k, e := range v {
			out[k] = withoutIf(e, condition)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, withoutIf(e, condition))
		}
		return out
	}
	return v
}

func TestRemediatorGetsUnapprovedGrantsAsTheyAppear(t *testing.T) {
	s := resource{body: load(t, "template.yaml")["Resources"].(object)["RemediatorSubscription"].(object)}
	if got, want := fmt.Sprint(s.property("FilterPolicy")), "map[kind:[policy-widened] transition:[opened reopened replaced]]"; got != want {
		t.Errorf("filter policy is %s, want %s", got, want)
	}
	if s.property("FilterPolicyScope") != "MessageAttributes" || s.property("RawMessageDelivery") != true {
		t.Error("the subscription does not deliver raw messages filtered by attributes")
	}
}

// An auditor that is dead raises no alert, so silence is the alarm.
func TestHeartbeatRingsOnSilence(t *testing.T) {
	doc := load(t, "template.yaml")
	filter := resource{body: doc["Resources"].(object)["ProcessedMetricFilter"].(object)}
	alarm := resource{body: doc["Resources"].(object)["HeartbeatAlarm"].(object)}
	metric := list(filter.property("MetricTransformations"))[0]
	if at(metric, "MetricNamespace") != alarm.property("Namespace") || at(metric, "MetricName") != alarm.property("MetricName") {
		t.Errorf("the alarm watches %v/%v, the filter writes %v", alarm.property("Namespace"), alarm.property("MetricName"), metric)
	}
	if alarm.property("TreatMissingData") != "breaching" {
		t.Error("missing data does not ring")
	}
	if got := refs(alarm.property("AlarmActions")); !slices.Equal(got, []string{"OperationsTopic"}) {
		t.Errorf("rings at %v, want OperationsTopic", got)
	}
	hours, _ := at(doc, "Parameters", "HeartbeatHours", "Default").(int)
	if got := at(doc, "Parameters", "SweepSchedule", "Default"); got != "rate(1 hour)" || hours < 3 || alarm.property("Period") != 3600 {
		t.Errorf("sweeps at %v and a window of %d × %v s: the window must hold at least two sweeps", got, hours, alarm.property("Period"))
	}
	for _, a := range resources(doc, "AWS::CloudWatch::Alarm") {
		if slices.Contains(refs(a.property("AlarmActions")), "AlertTopic") {
			t.Errorf("%s rings at the alert topic", a.id)
		}
	}
}

func TestTopicsAreEncryptedAndRestricted(t *testing.T) {
	doc := load(t, "template.yaml")
	topics := resources(doc, "AWS::SNS::Topic")
	if len(topics) != 2 {
		t.Errorf("%d topics, want 2", len(topics))
	}
	var restricted []string
	for _, p := range resources(doc, "AWS::SNS::TopicPolicy") {
		restricted = append(restricted, refs(p.property("Topics"))...)
	}
	for _, topic := range topics {
		if topic.property("KmsMasterKeyId") == nil {
			t.Errorf("%s is not encrypted", topic.id)
		}
		if !slices.Contains(restricted, topic.id) {
			t.Errorf("%s has no policy", topic.id)
		}
	}
}

func TestParametersExplainThemselves(t *testing.T) {
	for _, file := range templates {
		doc := load(t, file)
		grouped := map[string]int{}
		for _, g := range list(at(doc, "Metadata", "AWS::CloudFormation::Interface", "ParameterGroups")) {
			for _, name := range texts(at(g, "Parameters")) {
				grouped[name]++
			}
		}
		parameters := doc["Parameters"].(object)
		for name, p := range parameters {
			if d, _ := at(p, "Description").(string); len(d) < 20 {
				t.Errorf("%s parameter %s has no description", file, name)
			}
			if grouped[name] != 1 {
				t.Errorf("%s parameter %s stands in %d groups, want 1", file, name, grouped[name])
			}
			checkDefault(t, file+" parameter "+name, p.(object))
		}
		for name := range grouped {
			if parameters[name] == nil {
				t.Errorf("%s: a group names %s, which is no parameter", file, name)
			}
		}
		for name, o := range doc["Outputs"].(object) {
			if at(o, "Description") == nil {
				t.Errorf("%s output %s has no description", file, name)
			}
		}
	}
}

// checkDefault holds a default against the parameter's own pattern, which
// CloudFormation does only at deployment.
func checkDefault(t *testing.T, name string, p object) {
	t.Helper()
	pattern, ok := p["AllowedPattern"].(string)
	if !ok {
		return
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if value, ok := p["Default"].(string); ok && !re.MatchString(value) {
		t.Errorf("%s: default %q does not match %s", name, value, pattern)
	}
}

func TestRolesAreBoundedAndUnnamed(t *testing.T) {
	for _, file := range templates {
		for _, r := range resources(load(t, file), "AWS::IAM::Role") {
			if !slices.Contains(refs(r.property("PermissionsBoundary")), "PermissionsBoundary") {
				t.Errorf("%s %s ignores the permissions boundary", file, r.id)
			}
			if r.property("ManagedPolicyArns") != nil {
				t.Errorf("%s %s has managed policies, which grant more than is called", file, r.id)
			}
			if r.property("RoleName") != nil {
				t.Errorf("%s %s has a name, which needs CAPABILITY_NAMED_IAM", file, r.id)
			}
		}
	}
}

func TestResourcesBearTheTags(t *testing.T) {
	taggable := []string{
		"AWS::CloudTrail::Trail", "AWS::CloudWatch::Alarm", "AWS::DynamoDB::Table", "AWS::Events::EventBus", "AWS::Events::Rule",
		"AWS::IAM::Role", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue",
	}
	for _, file := range templates {
		for _, r := range resources(load(t, file), "") {
			if kind, _ := r.body["Type"].(string); !slices.Contains(taggable, kind) {
				continue
			}
			if got := refs(r.property("Tags")); !slices.Equal(got, []string{"Owner", "Environment"}) {
				t.Errorf("%s %s has the tags of %v", file, r.id, got)
			}
		}
	}
}

// StackSets cannot run the SAM transform, and other partitions have other ARNs.
func TestTemplatesWorkEverywhere(t *testing.T) {
	for _, file := range templates[1:] {
		if load(t, file)["Transform"] != nil {
			t.Errorf("%s uses a transform", file)
		}
	}
	for _, file := range templates {
		walk(load(t, file)["Resources"], func(o object) {
			for key, v := range o {
				for _, s := range texts(v) {
					if strings.HasPrefix(s, "arn:") && !strings.HasPrefix(s, "arn:${AWS::Partition}:") {
						t.Errorf("%s: %s %q is bound to a partition", file, key, s)
					}
				}
			}
		})
	}
}

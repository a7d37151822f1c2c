package template_test

import (
	"slices"
	"strings"
	"testing"
)

// What a queue takes from EventBridge: of the rules that send to it, and that
// let their dead letters fall into it, no more and no fewer.
func TestQueuesTakeMessagesOfOurRulesOnly(t *testing.T) {
	for _, queue := range []struct {
		file, id string
		rules    int
	}{
		{"template.yaml", "EventsQueue", 7},
		{"template.yaml", "DeliveryDeadLetterQueue", 9},
		{"deploy/account.yaml", "ForwarderDeadLetterQueue", 2},
		{"deploy/region.yaml", "ForwarderDeadLetterQueue", 2},
	} {
		doc := load(t, queue.file)
		var want []string
		for _, r := range resources(doc, "AWS::Events::Rule") {
			if slices.Contains(refs(r.property("Targets")), queue.id) {
				want = append(want, r.id)
			}
		}
		allowed := 0
		for _, s := range list(at(doc, "Resources", queue.id+"Policy", "Properties", "PolicyDocument", "Statement")) {
			s := s.(object)
			if s["Effect"] != "Allow" {
				continue
			}
			allowed++
			got := refs(at(s, "Condition", "ArnEquals", "aws:SourceArn"))
			got = slices.DeleteFunc(got, func(id string) bool { return id == "AWS::NoValue" })
			slices.Sort(got)
			if at(s, "Principal", "Service") != "events.amazonaws.com" || s["Action"] != "sqs:SendMessage" || !slices.Equal(got, want) {
				t.Errorf("%s: the policy of %s allows %v; want events.amazonaws.com to send for %v", queue.file, queue.id, s, want)
			}
		}
		if allowed != 1 || len(want) != queue.rules {
			t.Errorf("%s %s: %d Allow statements for %d rules, want 1 for %d", queue.file, queue.id, allowed, len(want), queue.rules)
		}
	}
}

// A forwarder's role trusts the rules of its stack by their names.
func TestForwardersRoleIsAssumedByItsRulesOnly(t *testing.T) {
	for _, file := range []string{"deploy/account.yaml", "deploy/region.yaml"} {
		doc := load(t, file)
		var want []string
		for _, r := range resources(doc, "AWS::Events::Rule") {
			name := texts(at(r.property("Name"), "Fn::Sub"))
			if len(name) != 1 || !strings.HasPrefix(name[0], "${AWS::StackName}-") {
				t.Errorf("%s %s is named %v", file, r.id, r.property("Name"))
				continue
			}
			want = append(want, "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/"+name[0])
			for _, target := range list(r.property("Targets")) {
				if got := refs(at(target, "RoleArn")); !slices.Equal(got, []string{"ForwarderRole"}) {
					t.Errorf("%s %s puts events as %v", file, r.id, got)
				}
			}
		}
		var got []string
		trust := list(at(doc, "Resources", "ForwarderRole", "Properties", "AssumeRolePolicyDocument", "Statement"))
		for _, name := range list(at(trust[0], "Condition", "ArnEquals", "aws:SourceArn")) {
			got = append(got, texts(at(name, "Fn::Sub"))...)
		}
		slices.Sort(got)
		slices.Sort(want)
		if len(trust) != 1 || len(want) != 2 || !slices.Equal(got, want) {
			t.Errorf("%s: the role may be assumed for %v, and the rules are %v", file, got, want)
		}
	}
}

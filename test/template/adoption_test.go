package template_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// An adoption counts only with a seal that nobody but the auditor can make.
func TestOnlyTheAuditorCanSealAdoptions(t *testing.T) {
	doc := load(t, "template.yaml")
	key := resource{"AdoptionKey", doc["Resources"].(object)["AdoptionKey"].(object)}
	if key.property("KeySpec") != "HMAC_256" || key.property("KeyUsage") != "GENERATE_VERIFY_MAC" || key.body["Condition"] != "Adopts" {
		t.Errorf("the key is %v", key.body)
	}
	seals := 0
	for _, r := range resources(doc, "") {
		r.statements(func(s object) {
			for _, a := range texts(s["Action"]) {
				switch {
				case a == "kms:GenerateMac" || a == "kms:VerifyMac":
					seals++
					if r.id != "AuditorSealPolicy" && !slices.Equal(refs(at(s, "Principal", "AWS")), []string{"AuditorRole"}) {
						t.Errorf("%s %v allows %s", r.id, s["Sid"], a)
					}
				case r.id == "AdoptionKey" && (strings.Contains(a, "*") || a == "kms:CreateGrant" || a == "kms:ReplicateKey"):
					t.Errorf("%v allows %s, by which others could seal", s["Sid"], a)
				}
			}
		})
	}
	if seals != 4 {
		t.Errorf("sealing is allowed %d times, want twice by the key and twice by the role", seals)
	}
	policy := resource{"AuditorSealPolicy", doc["Resources"].(object)["AuditorSealPolicy"].(object)}
	if policy.body["Condition"] != "Adopts" || !slices.Equal(refs(policy.property("Roles")), []string{"AuditorRole"}) {
		t.Errorf("the policy is %v", policy.body)
	}
	for name, want := range map[string]string{
		"Adopts": "map[Fn::Or:[map[Fn::Equals:[map[Ref:AllowAdoption] true]] map[Condition:Learns]]]",
		"Learns": "map[Fn::Equals:[map[Ref:UnknownFunctions] learn]]",
	} {
		if got := fmt.Sprint(at(doc, "Conditions", name)); got != want {
			t.Errorf("condition %s is %s, want %s", name, got, want)
		}
	}
	if got := at(doc, "Parameters", "AllowAdoption", "Default"); got != "false" {
		t.Errorf("AllowAdoption is %v by default, want false", got)
	}
	if got, want := fmt.Sprint(at(doc, "Resources", "AuditorFunction", "Properties", "Environment", "Variables", "PERMDRIFT_ADOPTION_KEY")), "map[Fn::If:[Adopts map[Fn::GetAtt:[AdoptionKey Arn]] ]]"; got != want {
		t.Errorf("the auditor is given the key %s, want %s", got, want)
	}
}

// What learning adopts is shown to people every day, and only then.
func TestDigestIsSentDailyWhileLearning(t *testing.T) {
	doc := load(t, "template.yaml")
	rule := resource{"DigestRule", doc["Resources"].(object)["DigestRule"].(object)}
	permission := resource{"DigestPermission", doc["Resources"].(object)["DigestPermission"].(object)}
	if rule.body["Condition"] != "Learns" || permission.body["Condition"] != "Learns" || rule.property("ScheduleExpression") != "rate(1 day)" {
		t.Errorf("the rule is %v, the permission %v", rule.body, permission.body)
	}
	target := list(rule.property("Targets"))[0]
	if got := refs(at(target, "Arn")); !slices.Equal(got, []string{"AuditorFunction"}) || at(target, "Input") != `{"permdrift":"digest"}` {
		t.Errorf("the target is %v", target)
	}
	if got := refs(permission.property("SourceArn")); !slices.Equal(got, []string{"DigestRule"}) {
		t.Errorf("the permission is for %v", got)
	}
	got := refs(withoutIf(doc["Resources"].(object)["DeliveryDeadLetterQueuePolicy"], "Learns"))
	if slices.Contains(got, "DigestRule") {
		t.Error("the dead-letter queue's policy names the rule without asking Learns")
	}
}

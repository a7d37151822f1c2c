package template_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// lint runs cfn-lint, or ends the test where it is not installed.
func lint(t *testing.T, files ...string) {
	t.Helper()
	if err := exec.Command("cfn-lint", "--version").Run(); err != nil {
		missing(t, "cfnlint", "cfn-lint is not installed: "+err.Error())
	}
	cmd := exec.Command("cfn-lint", append([]string{"--regions", "us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "--"}, files...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
}

func TestCfnLintAcceptsTheTemplates(t *testing.T) {
	lint(t, templates...)
}

// transform does what CloudFormation does with the SAM template at deployment:
// argument 1 is the template, and the result goes to argument 2. CodeUri is a
// place in S3 by then.
const transform = `
import json, os, sys
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

template = yaml_parse(open(sys.argv[1]).read())
template["Globals"]["Function"]["CodeUri"] = "s3://example-bucket/bootstrap.zip"
parameters = {k: v["Default"] for k, v in template["Parameters"].items()}
parameters["DeployRemediator"] = "true"
result = Translator({}, Parser()).translate(template, parameters)
json.dump(result, open(sys.argv[2], "w"), indent=1)
`

func TestSAMTranslatorAcceptsTheTemplate(t *testing.T) {
	if out, err := exec.Command("python3", "-c", "import samtranslator").CombinedOutput(); err != nil {
		missing(t, "samtranslator", "python3 cannot import samtranslator: "+err.Error()+string(out))
	}
	path := filepath.Join(t.TempDir(), "translated.json")
	cmd := exec.Command("python3", "-c", transform, "template.yaml", path)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("translating template.yaml: %v\n%s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parse(text)
	if err != nil {
		t.Fatalf("reading the result: %v", err)
	}
	for kind, want := range map[string]int{
		"AWS::Serverless::Function":       0,
		"AWS::Lambda::Function":           2,
		"AWS::Lambda::EventSourceMapping": 3,
		"AWS::Lambda::EventInvokeConfig":  1,
		"AWS::IAM::Role":                  2, // ours: SAM adds none, and no managed policies
		"AWS::Lambda::Permission":         2,
		"AWS::Events::Rule":               9,
	} {
		if got := len(resources(doc, kind)); got != want {
			t.Errorf("%d of %s, want %d", got, kind, want)
		}
	}
	for _, m := range resources(doc, "AWS::Lambda::EventSourceMapping") {
		if m.property("ScalingConfig", "MaximumConcurrency") == nil || m.property("FunctionResponseTypes") == nil {
			t.Errorf("%s lost its scaling or its response type", m.id)
		}
	}
	t.Run("cfn-lint", func(t *testing.T) { lint(t, path) })
}

package e2e_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// stack is what template.yaml says and the tests depend on.
type stack struct {
	events, sweeps, remediations queueProperties
	auditor, remediator          functionProperties
	subscription                 subscriptionProperties
	sweepInput                   string
}

type queueProperties struct {
	VisibilityTimeout int `yaml:"VisibilityTimeout"`
	RedrivePolicy     struct {
		MaxReceiveCount int `yaml:"maxReceiveCount"`
	} `yaml:"RedrivePolicy"`
}

type functionProperties struct {
	Timeout     int `yaml:"Timeout"`
	Environment struct {
		Variables map[string]any `yaml:"Variables"`
	} `yaml:"Environment"`
	Events map[string]struct {
		Properties struct {
			BatchSize     int `yaml:"BatchSize"`
			ScalingConfig struct {
				MaximumConcurrency int `yaml:"MaximumConcurrency"`
			} `yaml:"ScalingConfig"`
		} `yaml:"Properties"`
	} `yaml:"Events"`
}

func (f functionProperties) timeout() time.Duration { return time.Duration(f.Timeout) * time.Second }

type subscriptionProperties struct {
	RawMessageDelivery bool                `yaml:"RawMessageDelivery"`
	FilterPolicyScope  string              `yaml:"FilterPolicyScope"`
	FilterPolicy       map[string][]string `yaml:"FilterPolicy"`
}

// theStack reads template.yaml once.
func theStack(t *testing.T) stack {
	t.Helper()
	s, err := readStack()
	must(t, "reading template.yaml", err)
	return s
}

var readStack = sync.OnceValues(func() (stack, error) {
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		return stack{}, err
	}
	var doc struct {
		Resources map[string]struct {
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return stack{}, err
	}
	var s stack
	var rule struct {
		Targets []struct {
			Input string `yaml:"Input"`
		} `yaml:"Targets"`
	}
	for name, into := range map[string]any{
		"EventsQueue": &s.events, "SweepQueue": &s.sweeps, "RemediatorQueue": &s.remediations,
		"AuditorFunction": &s.auditor, "RemediatorFunction": &s.remediator,
		"RemediatorSubscription": &s.subscription, "SweepRule": &rule,
	} {
		resource, ok := doc.Resources[name]
		if !ok {
			return stack{}, fmt.Errorf("there is no resource %s", name)
		}
		if err := resource.Properties.Decode(into); err != nil {
			return stack{}, fmt.Errorf("resource %s: %w", name, err)
		}
	}
	if len(rule.Targets) != 1 {
		return stack{}, fmt.Errorf("SweepRule has %d targets, want 1", len(rule.Targets))
	}
	s.sweepInput = rule.Targets[0].Input
	return s, nil
})

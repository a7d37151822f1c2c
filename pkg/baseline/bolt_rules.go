package baseline

import (
	"context"
	"fmt"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Rules returns all rules, ordered by id.
func (b *Bolt) Rules(ctx context.Context) ([]drift.Rule, error) {
	heads, err := b.query(ctx, rulesKey, rulePrefix)
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	rules, err := rulesOf(heads)
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	return rules, nil
}

// RuleHistory returns all versions of a rule that were in force, oldest first.
func (b *Bolt) RuleHistory(ctx context.Context, id string) ([]drift.Rule, error) {
	items, err := b.query(ctx, historyKey(rulesKey, ruleKey(id)), "")
	if err != nil {
		return nil, fmt.Errorf("reading history of rule %s: %w", id, err)
	}
	versions, err := versionsOf(items)
	if err != nil {
		return nil, fmt.Errorf("reading history of rule %s: %w", id, err)
	}
	return versions, nil
}

// PutRule stores a rule and returns it with its new version.
func (b *Bolt) PutRule(ctx context.Context, r drift.Rule) (drift.Rule, error) {
	head, err := ruleRecord(r)
	if err == nil {
		err = b.change(ctx, head.pk, head.sk, func(stored record) ([]record, error) {
			next, err := head.follow(stored, r.Version)
			if err != nil {
				return nil, err
			}
			head = next
			return []record{next.past(), next}, nil
		})
	}
	if err != nil {
		return drift.Rule{}, fmt.Errorf("writing rule %s: %w", r.ID, err)
	}
	r.Version = head.version
	return r, nil
}

// DeleteRule deletes the version of a rule that was read.
func (b *Bolt) DeleteRule(ctx context.Context, id string, version int64, by string) error {
	head, err := deletionRecord(id, by, b.Now())
	if err == nil {
		err = b.change(ctx, head.pk, head.sk, func(stored record) ([]record, error) {
			next, err := head.remove(stored, version)
			return []record{next.past(), next}, err
		})
	}
	if err != nil {
		return fmt.Errorf("deleting rule %s: %w", id, err)
	}
	return nil
}

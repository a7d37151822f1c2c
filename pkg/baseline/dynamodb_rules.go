package baseline

import (
	"context"
	"fmt"

	"github.com/permdrift/permdrift/pkg/drift"
)

// Rules returns all rules, ordered by id.
func (d *DynamoDB) Rules(ctx context.Context) ([]drift.Rule, error) {
	heads, err := d.query(ctx, rulesKey, rulePrefix)
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
func (d *DynamoDB) RuleHistory(ctx context.Context, id string) ([]drift.Rule, error) {
	chain, broken := d.chain(ctx, rulesKey, ruleKey(id))
	versions, err := versionsOf(chain)
	if err == nil {
		err = broken
	}
	if err != nil {
		return versions, fmt.Errorf("reading history of rule %s: %w", id, err)
	}
	return versions, nil
}

// PutRule stores a rule and returns it with its new version.
func (d *DynamoDBWriter) PutRule(ctx context.Context, r drift.Rule) (drift.Rule, error) {
	head, err := ruleRecord(r)
	if err == nil {
		r.Version, err = d.replaceRule(ctx, head, r.Version, record.follow)
	}
	if err != nil {
		return drift.Rule{}, fmt.Errorf("writing rule %s: %w", r.ID, err)
	}
	return r, nil
}

// DeleteRule deletes the version of a rule that was read.
func (d *DynamoDBWriter) DeleteRule(ctx context.Context, id string, version int64, by string) error {
	head, err := deletionRecord(id, by, d.Now())
	if err == nil {
		_, err = d.replaceRule(ctx, head, version, record.remove)
	}
	if err != nil {
		return fmt.Errorf("deleting rule %s: %w", id, err)
	}
	return nil
}

// replaceRule writes the head of a rule if it follows from the stored one and
// the version that was read, and returns its version.
func (d *DynamoDBWriter) replaceRule(ctx context.Context, head record, read int64, follow func(head, stored record, read int64) (record, error)) (int64, error) {
	stored, err := d.get(ctx, head.pk, head.sk)
	if err != nil {
		return 0, err
	}
	next, err := follow(head, stored, read)
	if err != nil {
		return 0, err
	}
	return next.version, d.advance(ctx, next, stored)
}

package baseline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
)

// RuleStore keeps the rules.
type RuleStore interface {
	// Rules returns all rules, ordered by id, also those that have run out.
	Rules(ctx context.Context) ([]drift.Rule, error)
	// PutRule stores a rule and returns it with its new version.
	PutRule(ctx context.Context, r drift.Rule) (drift.Rule, error)
	// DeleteRule deletes the version of a rule that was read, and keeps in its
	// history who did it; ErrNotFound if there is no rule of that id.
	DeleteRule(ctx context.Context, id string, version int64, by string) error
	// RuleHistory returns all versions of a rule that were in force, oldest
	// first, its deletions among them. If a version is missing, it returns
	// those after it and an error.
	RuleHistory(ctx context.Context, id string) ([]drift.Rule, error)
}

// Deleted reports whether a version in the history of a rule is its deletion:
// By and At then say who deleted it, and when.
func Deleted(r drift.Rule) bool { return r.Statement == nil && r.Adopt == nil }

const (
	rulesKey   = "rules"
	rulePrefix = "rule#"
)

func ruleKey(id string) string { return rulePrefix + id }

// ruleRecord encodes a rule, or says that it means nothing. It has no version
// yet: that depends on what is stored.
func ruleRecord(r drift.Rule) (record, error) {
	if err := r.Check(); err != nil {
		return record{}, err
	}
	r.Version = 0
	return newRecord(rulesKey, ruleKey(r.ID), 0, r)
}

// deletionRecord encodes the deletion of a rule.
func deletionRecord(id, by string, at time.Time) (record, error) {
	if by == "" {
		return record{}, errors.New("it does not say who deletes it")
	}
	return newRecord(rulesKey, ruleKey(id), 0, drift.Rule{ID: id, By: by, At: at.UTC()})
}

// rule decodes a record. The version that conditions compare is the true one.
func (r record) rule() (drift.Rule, error) {
	var rule drift.Rule
	if err := json.Unmarshal([]byte(r.doc), &rule); err != nil {
		return rule, fmt.Errorf("decoding version %d of item %s of %s: %w", r.version, r.sk, r.pk, err)
	}
	rule.Version = r.version
	return rule, nil
}

// inForce is the version of a rule's head; 0 if there is none or it is a
// deletion. A rule that cannot be read is in force: it can be overwritten and
// deleted, or nobody could read the others again.
func (r record) inForce() int64 {
	if rule, err := r.rule(); err == nil && Deleted(rule) {
		return 0
	}
	return r.version
}

// follow is the next version of a rule's head if what is in force is what was read.
func (r record) follow(stored record, read int64) (record, error) {
	if current := stored.inForce(); current != read {
		return record{}, conflict(read, current)
	}
	r.version = stored.version + 1
	return r, nil
}

// remove is follow for a deletion, which needs a rule to delete.
func (r record) remove(stored record, read int64) (record, error) {
	if stored.inForce() == 0 {
		return record{}, drift.ErrNotFound
	}
	return r.follow(stored, read)
}

// rulesOf decodes the heads of the rules that are not deleted.
func rulesOf(heads []record) ([]drift.Rule, error) {
	all, err := versionsOf(heads)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, Deleted), nil
}

// versionsOf decodes versions of rules.
func versionsOf(records []record) ([]drift.Rule, error) {
	var all []drift.Rule
	for _, r := range records {
		rule, err := r.rule()
		if err != nil {
			return nil, err
		}
		all = append(all, rule)
	}
	return all, nil
}

package drift

import "time"

// SweepRun is one sweep and how far it got. See Complete and Clean.
type SweepRun struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // full, all-roles
	Started  time.Time `json:"started"`
	Planned  bool      `json:"planned"`  // planning has ended; Problem says if it did not get to the end
	Subjects int       `json:"subjects"` // how many subjects were put on the queue
	Done     int       `json:"done"`     // how many of them were worked off
	Drifted  int       `json:"drifted"`  // of these, with open findings
	Unknown  int       `json:"unknown"`  // of these, with something unread
	Problem  string    `json:"problem,omitempty"`
}

// ShardOutcome is how the reading of one subject in a sweep ended.
type ShardOutcome string

// The outcomes of a shard.
const (
	ShardClean   ShardOutcome = "clean"
	ShardDrifted ShardOutcome = "drifted"
	ShardUnknown ShardOutcome = "unknown"
)

// Complete reports whether every subject of the sweep was worked off.
func (r SweepRun) Complete() bool { return r.Planned && r.Problem == "" && r.Done >= r.Subjects }

// Clean reports whether the sweep may say that nothing drifted.
func (r SweepRun) Clean() bool {
	return r.Complete() && r.Drifted == 0 && r.Unknown == 0 && r.Problem == ""
}

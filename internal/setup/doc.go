// Package setup is the one place where mains get their parts: it turns the
// environment of a function, and the flags of a command, into clients and
// stores, and nothing else.
//
// # Environment of the functions
//
//	PERMDRIFT_BASELINE_TABLE     DynamoDB table of the baseline (required)
//	PERMDRIFT_LEDGER_TABLE       DynamoDB table of the ledger (required)
//	PERMDRIFT_TOPIC_ARN          SNS topic of the alerts (required)
//	PERMDRIFT_SWEEP_QUEUE_URL    SQS queue of sweeps; without it sweeps are refused
//	PERMDRIFT_EVENTS_QUEUE_URL   SQS queue of events; without it messages come back when their visibility ends
//	PERMDRIFT_ORGANIZATION_ID    o-…; empty: no organization is ours
//	PERMDRIFT_TRUSTED_ACCOUNTS   account ids, separated by commas
//	PERMDRIFT_UNKNOWN            strict (default) or learn
//	PERMDRIFT_LEARN_UNTIL        RFC 3339 time or date; wanted by learn
//	PERMDRIFT_RATE               reads of policies per second of one instance in a sweep (default 2.5)
//	PERMDRIFT_REREAD_AFTER       waits, separated by commas (default 15s,60s,5m)
//	PERMDRIFT_JSON_POLICIES      auto (default), only, never: see pkg/live
//
// A value that cannot be read is an error at start, which names the variable.
package setup

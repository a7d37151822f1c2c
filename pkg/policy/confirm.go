package policy

// confirm replays a request in the concrete evaluator: the current policy must
// allow it, and the baseline must not.
func (q *question) confirm(r Request) bool {
	q.budget.replays += len(q.current.policy.Statements) + len(q.baseline.policy.Statements)
	if q.budget.replays > MaxClauses {
		return false
	}
	return allows(q.current.policy, q.o.CurrentBoundary, r) == Allowed &&
		surelyNot(allows(q.baseline.policy, q.o.BaselineBoundary, r))
}

// allows is what a policy inside a boundary says to a request.
func allows(p Policy, boundary *Policy, r Request) Outcome {
	outcome := Evaluate(p, r).Outcome
	if boundary == nil || surelyNot(outcome) {
		return outcome
	}
	if inside := Evaluate(*boundary, r).Outcome; inside != Allowed {
		return inside
	}
	return outcome
}

func surelyNot(o Outcome) bool { return o == ExplicitDeny || o == ImplicitDeny }

package main

import (
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

// place is the function and qualifier that a statement is about, false where
// it names none or several.
func place(s policy.Statement) (drift.Subject, drift.Place, bool) {
	if len(s.Resource) != 1 {
		return "", "", false
	}
	subject, qualifier, err := drift.ParseFunctionARN(s.Resource[0])
	return subject, qualifier, err == nil
}

// removal is the command that removes a statement, empty where none can name it.
func removal(s policy.Statement) string {
	subject, qualifier, ok := place(s)
	if !ok || !drift.Removable(s.Sid) {
		return ""
	}
	return drift.RemoveCommand(subject, qualifier, s.Sid)
}

// tighten is the suggestion for a statement, nil where there is none. Its
// commands add the tight statement first, so that no call is lost in between.
func tighten(s policy.Statement, owner policy.Owner) *suggestion {
	t, ok := policy.Tighten(s, owner)
	if !ok {
		return nil
	}
	tight := t.Statement
	g := &suggestion{Reason: t.Reason, Statement: tight}
	subject, qualifier, ok := place(s)
	remove := removal(s)
	if !ok || remove == "" {
		return g
	}
	tight.Sid = s.Sid + "-scoped"
	g.Statement = tight
	if add, ok := drift.PermissionOf(subject, qualifier, tight.Sid, tight); ok && drift.Removable(tight.Sid) {
		g.Commands = []string{add.Command(), remove}
	}
	return g
}

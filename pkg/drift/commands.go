package drift

import (
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// approveCommand is the command by which a person approves a finding.
func approveCommand(f Finding) string {
	return "permdrift baseline approve " + f.ID
}

// remediateCommand is the command by which a person removes a finding's cause,
// empty where no single command does.
func remediateCommand(f Finding) string {
	if f.Kind != PolicyWidened || f.Statement == nil || f.Statement.Effect != policy.Allow || len(f.Sids) == 0 {
		return ""
	}
	var commands []string
	for _, sid := range f.Sids {
		commands = append(commands, RemoveCommand(f.Subject, f.Place, sid))
	}
	return strings.Join(commands, " && ")
}

// RemoveCommand is the AWS command that removes one statement of a function's policy.
func RemoveCommand(s Subject, p Place, sid string) string {
	words := []string{"aws lambda remove-permission", "--function-name", Quote(string(s))}
	if p != Unqualified {
		words = append(words, "--qualifier", Quote(string(p)))
	}
	words = append(words, "--statement-id", Quote(sid), "--region", Quote(s.Region()))
	return strings.Join(words, " ")
}

// Quote quotes a word for a POSIX shell, and leaves plain words as they are.
func Quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

package drift

import (
	"strings"

	"github.com/permdrift/permdrift/pkg/policy"
)

// NoStore is the Context.Store of a ledger that is gone with the process: no
// command can reach it.
const NoStore = "none"

// approveCommand is the command by which a person approves a finding, empty
// where none can.
func approveCommand(f Finding, store string) string {
	command := "permdrift baseline approve " + f.ID
	switch {
	case store == NoStore || f.Statement == nil:
		return ""
	case store != "":
		command += " --store " + Quote(store)
	}
	return command
}

// remediateCommand is the command by which a person removes a finding's cause,
// empty where no single command does.
func remediateCommand(f Finding) string {
	if f.Kind != PolicyWidened || f.Statement == nil || f.Statement.Effect != policy.Allow || len(f.Sids) == 0 {
		return ""
	}
	var commands []string
	for _, sid := range f.Sids {
		if !Removable(sid) {
			return ""
		}
		commands = append(commands, RemoveCommand(f.Subject, f.Place, sid))
	}
	return strings.Join(commands, " && ")
}

// RemoveCommand is the AWS command that removes one statement of a function's policy.
func RemoveCommand(s Subject, p Place, sid string) string {
	words := []string{"aws lambda remove-permission", Flag("--function-name", string(s))}
	if p != Unqualified {
		words = append(words, Flag("--qualifier", string(p)))
	}
	words = append(words, Flag("--statement-id", sid), Flag("--region", s.Region()))
	return strings.Join(words, " ")
}

// Removable reports whether RemovePermission can name a statement by its Sid. A
// JSON policy may have other Sids; of "..", the path of the call would be made
// that of DeleteFunction by whoever tidies paths.
func Removable(sid string) bool {
	return strings.Trim(sid, ".") != "" && len(sid) <= 100 &&
		strings.Trim(sid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

// Flag is a flag of a command with its value. A value that would be taken for
// another flag is joined to it.
func Flag(name, value string) string {
	if strings.HasPrefix(value, "-") {
		return name + "=" + Quote(value)
	}
	return name + " " + Quote(value)
}

// Quote quotes a word for a POSIX shell, and leaves plain words as they are.
func Quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

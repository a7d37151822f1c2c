package drift

import (
	"encoding/json"
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
	case f.Place == Boundary && f.Subject.Kind() == Role && (f.Kind != BoundaryRemoved || f.Config != nil || f.Before == nil):
		return "" // what a boundary allows is not in the finding: a capture approves it
	case store == NoStore || f.Statement == nil && f.Config == nil && f.Kind != BoundaryRemoved:
		return ""
	case store != "":
		command += " --store " + Quote(store)
	}
	return command
}

// remediateCommand is the command by which a person removes a finding's cause,
// or restores what is gone; empty where no single command does.
func remediateCommand(f Finding) string {
	switch {
	case f.Place == Boundary && f.Subject.Kind() == Role:
		return boundaryCommand(f)
	case f.Config != nil:
		return configCommand(f)
	case f.Statement == nil:
		return ""
	case f.Subject.Kind() == Role || f.Subject.Kind() == User || f.Subject.Kind() == Group:
		return "" // see roleCommand, which knows the rest of the document
	case f.Kind == PolicyNarrowed && f.Statement.Effect == policy.Allow:
		return restoreCommand(f)
	case !f.Added() || f.Kind == PolicyNarrowed || len(f.Sids) == 0:
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

// restoreCommand writes an approved statement again, under its Sid.
func restoreCommand(f Finding) string {
	sid := "restored-" + f.ID
	if f.Statement.Sid != "" {
		sid = f.Statement.Sid
	}
	if p, ok := PermissionOf(f.Subject, f.Place, sid, *f.Statement); ok {
		return p.Command()
	}
	return ""
}

// configCommand takes a part of the configuration back to what is approved.
func configCommand(f Finding) string {
	at := []string{Flag("--function-name", string(f.Subject))}
	if f.Place != Unqualified {
		at = append(at, Flag("--qualifier", string(f.Place)))
	}
	command := func(call string, words ...string) string {
		return strings.Join(append(append([]string{"aws lambda " + call}, words...), Flag("--region", f.Subject.Region())), " ")
	}
	gone := f.Kind == PolicyNarrowed
	switch config, before := f.Config, f.Before; {
	case config.URL != nil && gone && before == nil:
		return command("create-function-url-config", append(at, urlFlags(*config.URL)...)...)
	case config.URL != nil && before != nil:
		return command("update-function-url-config", append(at, urlFlags(*before.URL)...)...)
	case config.URL != nil:
		return command("delete-function-url-config", at...)
	case config.Mapping != nil && gone && !config.Mapping.Enabled:
		return command("update-event-source-mapping", Flag("--uuid", config.Mapping.UUID), "--enabled")
	case config.Mapping != nil && gone && strings.HasPrefix(config.Mapping.Source, "arn:"):
		return command("create-event-source-mapping", Flag("--function-name", f.Subject.ARN(f.Place)), Flag("--event-source-arn", config.Mapping.Source))
	case config.Mapping != nil && gone || config.Mapping != nil && config.Mapping.UUID == "":
		return ""
	case config.Mapping != nil && before != nil:
		return command("update-event-source-mapping", Flag("--uuid", config.Mapping.UUID), "--no-enabled")
	case config.Mapping != nil:
		return command("delete-event-source-mapping", Flag("--uuid", config.Mapping.UUID))
	case before != nil:
		return command("update-function-configuration", Flag("--function-name", string(f.Subject)), Flag("--role", before.Role))
	}
	return ""
}

// urlFlags are the flags that set a function URL as it is approved.
func urlFlags(u URL) []string {
	words := []string{Flag("--auth-type", u.AuthType)}
	if u.CORS.canonical() == nil {
		return append(words, "--cors", "{}")
	}
	text, err := json.Marshal(map[string]any{
		"AllowCredentials": u.CORS.AllowCredentials, "AllowHeaders": u.CORS.AllowHeaders, "AllowMethods": u.CORS.AllowMethods,
		"AllowOrigins": u.CORS.AllowOrigins, "ExposeHeaders": u.CORS.ExposeHeaders, "MaxAge": u.CORS.MaxAge,
	})
	if err != nil { // strings, numbers and a bool always encode
		return words
	}
	return append(words, Flag("--cors", string(text)))
}

// RemoveCommand is the AWS command that removes one statement of the policy of a
// function or of a layer version.
func RemoveCommand(s Subject, p Place, sid string) string {
	if s.Kind() == LayerVersion {
		layer, version := string(s)[:strings.LastIndexByte(string(s), ':')], string(s)[strings.LastIndexByte(string(s), ':')+1:]
		return strings.Join([]string{
			"aws lambda remove-layer-version-permission", Flag("--layer-name", layer), Flag("--version-number", version),
			Flag("--statement-id", sid), Flag("--region", s.Region()),
		}, " ")
	}
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

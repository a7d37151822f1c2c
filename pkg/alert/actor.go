package alert

import "strings"

// who is the actor as people would name him, empty if nobody knows.
func (s story) who() string {
	a := s.Actor
	var who string
	resource := a.ARN[strings.LastIndexByte(a.ARN, ':')+1:]
	parts := strings.Split(resource, "/")
	switch {
	case len(parts) > 2 && parts[0] == "assumed-role":
		who = "session " + strings.Join(parts[2:], "/") + " of role " + parts[1]
	case len(parts) > 1 && parts[0] == "user":
		who = "user " + parts[len(parts)-1]
	case a.Type == "Root" || resource == "root":
		who = "the root user"
	case a.ARN != "":
		who = a.ARN
	case a.InvokedBy != "":
		who = a.InvokedBy
	case a.Type != "" || a.Account != "":
		who = strings.TrimSpace("somebody " + a.Type)
	default:
		return ""
	}
	if a.Account != "" && a.Account != s.Account {
		who += " of another account, " + a.Account
	}
	return who
}

// how is by what way the actor came, empty if nobody knows.
func (s story) how() string {
	var how []string
	if s.Actor.Provider != "" {
		how = append(how, "signed in through "+s.Actor.Provider+prefixed(" as ", s.Actor.Federated))
	} else if s.Actor.Federated != "" {
		how = append(how, "signed in as "+s.Actor.Federated)
	}
	if s.Actor.Source != "" {
		how = append(how, "source identity "+s.Actor.Source)
	}
	if via := vias[s.Actor.Via]; via != "" {
		how = append(how, via)
	} else if s.Actor.Via != "" {
		how = append(how, "by "+s.Actor.Via)
	}
	if s.Actor.SourceIP != "" && s.Actor.SourceIP != s.Actor.InvokedBy {
		how = append(how, "from "+s.Actor.SourceIP)
	}
	if s.Actor.InvokedBy != "" && s.Actor.ARN != "" && !strings.HasPrefix(s.Actor.InvokedBy, s.Actor.Via+".") {
		how = append(how, "through "+s.Actor.InvokedBy)
	}
	if s.Actor.MFA {
		how = append(how, "with MFA")
	}
	return strings.Join(how, ", ")
}

// vias are the ways of Actor.Via in words.
var vias = map[string]string{
	"console":        "in the console",
	"cli":            "with the AWS CLI",
	"sdk":            "with an AWS SDK",
	"cloudformation": "by CloudFormation",
	"terraform":      "by Terraform",
	"service":        "by an AWS service",
}

package policy

import (
	"slices"
	"strings"
)

// Tightening is a statement with the conditions that its owner most likely
// meant. It is a suggestion: nobody applies it without asking.
type Tightening struct {
	Statement Statement   // the whole statement, tightened
	Added     []Condition // what it has and the statement had not
	Dropped   []Condition // conditions on SourceAccount that pinned nobody
	Reason    string
}

// sendSourceAccount are the services that are documented to send
// aws:SourceAccount when they invoke a function. On any other the condition
// would break the trigger in silence. Each source is the page whose example
// grants the service with --source-account or AWS:SourceAccount.
var sendSourceAccount = map[string]string{
	"s3.amazonaws.com":                       "Lambda Developer Guide, Process Amazon S3 event notifications with Lambda",
	"ses.amazonaws.com":                      "SES Developer Guide, Giving permissions to Amazon SES for email receiving",
	"config.amazonaws.com":                   "Config Developer Guide, Creating custom Lambda rules",
	"logs.amazonaws.com":                     "CloudWatch Logs User Guide, Subscription filters with AWS Lambda",
	"secretsmanager.amazonaws.com":           "Secrets Manager User Guide, Lambda rotation function permissions",
	"iot.amazonaws.com":                      "IoT Core Developer Guide, Lambda rule action",
	"cognito-idp.amazonaws.com":              "Cognito Developer Guide, Customizing user pool workflows with Lambda triggers",
	"lambda.alarms.cloudwatch.amazonaws.com": "CloudWatch User Guide, Lambda alarm actions",
}

// Tighten suggests how to pin an Allow of services to the owner's account: it
// adds aws:SourceAccount and keeps the rest, SourceArn above all. It returns
// false where that is not what is wrong with the statement, where a service is
// not documented to send the key, or where the result would not be internal.
func Tighten(s Statement, owner Owner) (Tightening, bool) {
	if owner.Account == "" {
		owner.Account = s.owner()
	}
	if s.Effect != Allow || !isAccount(owner.Account) || !tightenable(s.Principal) || Expose(s, owner).Exposure != ConfusedDeputy {
		return Tightening{}, false
	}
	t := Tightening{Statement: s}
	t.Statement.Condition = nil
	for _, c := range s.Condition {
		if lowerKey(c.Key) == "aws:sourceaccount" {
			t.Dropped = append(t.Dropped, c)
			continue
		}
		t.Statement.Condition = append(t.Statement.Condition, c)
	}
	t.Added = []Condition{{Operator: "StringEquals", Key: "aws:SourceAccount", Values: []string{owner.Account}}}
	t.Statement.Condition = append(t.Statement.Condition, t.Added...)
	if v := Expose(t.Statement, owner); v.Exposure != Internal || !v.Certain {
		return Tightening{}, false
	}
	if len(t.Dropped) > 0 && NewAccess(one(s), one(t.Statement), Options{Type: ResourcePolicy}).New {
		return Tightening{}, false
	}
	t.Reason = "lets " + strings.Join(s.Principal.Service, " and ") + " call only on behalf of account " + owner.Account +
		"; the service sends the key (" + sendSourceAccount[s.Principal.Service[0]] + ")"
	return t, true
}

func one(s Statement) Policy { return Policy{Version: version2012, Statements: []Statement{s}} }

// tightenable reports whether the principals are services that send the key, and nobody else.
func tightenable(p *Principals) bool {
	return p != nil && !p.Any && len(p.AWS)+len(p.Federated)+len(p.CanonicalUser) == 0 && len(p.Service) > 0 &&
		!slices.ContainsFunc(p.Service, func(service string) bool { return sendSourceAccount[service] == "" })
}

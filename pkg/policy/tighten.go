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
		"; the service sends the key (" + page(s.Principal.Service[0]) + ")"
	return t, true
}

func one(s Statement) Policy { return Policy{Version: version2012, Statements: []Statement{s}} }

// tightenable reports whether the principals are services that are documented
// to send aws:SourceAccount, and nobody else.
func tightenable(p *Principals) bool {
	return onlyServices(p) && !slices.ContainsFunc(p.Service, func(principal string) bool {
		service, _ := ServiceOf(principal)
		return !service.SendsAccount
	})
}

// page is the documentation that says what a service sends.
func page(principal string) string {
	service, _ := ServiceOf(principal)
	return service.Page
}

// Advice says in words how to pin a grant to services further, for each rung
// below tight: which keys, of which shape, and never a key that the service is
// not documented to send. It returns false where [Ladder] does, and where the
// grant is tight. [Tighten] has the whole statement where that can be written
// without knowing the source.
func Advice(s Statement, owner Owner) (string, bool) {
	step, ok := Ladder(s, owner)
	if !ok || step.Rung == RungTight {
		return "", false
	}
	if owner.Account == "" {
		owner.Account = s.owner()
	}
	service, known := ServiceOf(step.Service)
	switch {
	case !known:
		return "look up which of aws:SourceArn and aws:SourceAccount " + step.Service +
			" sends when it calls, and pin those; a condition on a key that is not sent stops the calls in silence", true
	case service.Instead != "":
		return "remove the statement: " + step.Service + " calls by " + service.Instead + ", and not by this policy (" + service.Page + ")", true
	}
	text := service.advise(step, service.missing(step.Rung, s.partition(), owner.Account), service.unsent(s.Condition))
	if len(s.Principal.Service) > 1 {
		text = "give each service a statement of its own, as a condition counts for all of them; for " + step.Service + ": " + text
	}
	return text + " (" + service.Page + ")", true
}

// advise words the advice, of which pins are missing and which can go.
func (s Service) advise(step Step, missing, unsent []string) string {
	pins := strings.Join(missing, " and ")
	switch {
	case step.Rung == RungToken && s.Token != "":
		return "check that the token is the id of your own " + s.Source + "; nothing tighter is documented"
	case step.Rung == RungForeign && pins == "":
		return "if that is meant, name whom it is pinned to as trusted; if not, remove the statement"
	case step.Rung == RungForeign:
		return "if that is meant, name whom it is pinned to as trusted; if not, remove the statement, or pin it by " + pins
	case pins == "" && s.SendsAccount:
		return "nothing tighter is documented: that " + step.Service + " sends aws:SourceArn, no page says"
	case pins == "":
		return step.Service + " is not documented to send anything that pins it: remove the statement if it is not used, or let the function's code check who calls"
	case len(unsent) > 0:
		return "pin it by " + pins + ", and drop " + strings.Join(unsent, " and ") + ", which the service is not documented to send"
	case step.Rung == RungOrganization:
		return "if your own account is enough, pin it by " + pins
	}
	return "add " + pins
}

// missing lists the pins that a rung lacks and the service is documented to
// send, with the shape of a source ARN in the given partition and account.
func (s Service) missing(rung Rung, partition, account string) (pins []string) {
	shape, name := s.ARN, "your own account"
	if partition != "" {
		shape = strings.Replace(shape, "arn:aws:", "arn:"+partition+":", 1)
	}
	if isAccount(account) {
		shape, name = strings.Replace(shape, ":ACCOUNT:", ":"+account+":", 1), account
	}
	if s.SendsAccount && rung != RungAccount {
		pins = append(pins, "aws:SourceAccount "+name)
	}
	if s.ARN != "" && (rung != RungSource || s.BearsAccount()) {
		pins = append(pins, "aws:SourceArn, the ARN of the "+s.Source+" ("+shape+")")
	}
	if s.Token != "" {
		pins = append(pins, "lambda:EventSourceToken, "+s.Token)
	}
	return pins
}

package policy

import (
	"slices"
	"strings"
)

// whoClause is Principal or NotPrincipal: names of caller classes.
type whoClause struct {
	any     bool
	names   map[string]bool // see callerClass.covers
	list    []string        // the names in order
	negated bool
	// doubtful are names whose callers may or may not be meant, and why.
	doubtful []string
	doubt    free
}

// The prefixes of the names in whoClause.
const (
	accountName   = "account " // partition:id
	arnName       = "arn "
	serviceName   = "service "
	federatedName = "federated "
	canonicalName = "canonical "
	anyService    = "any service"
	anyFederated  = "any federated"
	anyCanonical  = "any canonical"
	anyOfAccount  = "anybody of " // an account, where NotPrincipal leaves it open
)

func compileWho(s Statement, partition string) *whoClause {
	if own := s.partition(); own != "" {
		partition = own
	}
	switch {
	case s.Principal != nil:
		return principalsClause(s.Principal, partition, false)
	case s.NotPrincipal != nil:
		return principalsClause(s.NotPrincipal, partition, true)
	}
	// No principal in a resource policy: nobody knows whom it means.
	return &whoClause{
		doubtful: []string{""},
		doubt:    free{text: "\x00no principal", defect: "a statement names no principal"},
	}
}

func principalsClause(p *Principals, partition string, negated bool) *whoClause {
	w := &whoClause{negated: negated, names: make(map[string]bool)}
	if p.Any || slices.Contains(p.AWS, "*") {
		w.any = true
		return w
	}
	for _, text := range p.AWS {
		if name, ok := awsName(text, partition); ok {
			w.add(name)
		}
	}
	for _, text := range p.Service {
		w.typed(serviceName, anyService, text)
	}
	for _, text := range p.Federated {
		w.typed(federatedName, anyFederated, text)
	}
	for _, text := range p.CanonicalUser {
		w.typed(canonicalName, anyCanonical, text)
	}
	if negated {
		w.findDoubts()
	}
	return w
}

func (w *whoClause) add(name string) {
	if !w.names[name] {
		w.names[name] = true
		w.list = append(w.list, name)
	}
}

// typed adds a principal of a type; "*" under a type other than AWS is not documented.
func (w *whoClause) typed(prefix, all, text string) {
	if text != "*" {
		w.add(prefix + text)
		return
	}
	w.doubtful = append(w.doubtful, all)
	w.doubt = free{text: "\x00" + all, defect: "what \"*\" means as a " + strings.TrimSpace(prefix) + " principal is not documented"}
}

// findDoubts notes the accounts of which NotPrincipal names a user or role but
// not the account: who else of the account is meant is not documented reliably.
// Source: IAM User Guide, "NotPrincipal": "you must also specify the account".
func (w *whoClause) findDoubts() {
	for _, name := range w.list {
		account := accountOfName(name)
		if strings.HasPrefix(name, arnName) && account != "" && !w.names[account] {
			w.doubtful = append(w.doubtful, anyOfAccount+account)
		}
	}
	if len(w.doubtful) > 0 && w.doubt.text == "" {
		slices.Sort(w.doubtful)
		w.doubtful = slices.Compact(w.doubtful)
		names := slices.Sorted(slices.Values(w.list))
		w.doubt = free{
			text:   "\x00not principal\x00" + strings.Join(names, "\x00"),
			defect: "NotPrincipal names a user or role without its account",
		}
	}
}

// awsName is the name of an AWS principal, false for one that matches nobody.
func awsName(text, partition string) (string, bool) {
	if isUniqueID(text) {
		return "", false
	}
	if isAccount(text) {
		return accountName + partition + ":" + text, true
	}
	parts := strings.SplitN(text, ":", 6)
	if len(parts) == 6 && parts[5] == "root" {
		return accountName + parts[1] + ":" + parts[4], !strings.ContainsAny(text, "*?")
	}
	return arnName + text, !strings.ContainsAny(text, "*?")
}

// accountOfName is the account that a name is in, as a name, empty where it has none.
func accountOfName(name string) string {
	if strings.HasPrefix(name, accountName) {
		return name
	}
	arn, ok := strings.CutPrefix(name, arnName)
	if !ok {
		return ""
	}
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[4] != "" {
		return accountName + parts[1] + ":" + parts[4]
	}
	return ""
}

// callerClass is a set of callers that the policies do not tell apart.
type callerClass struct {
	caller  Caller
	covers  []string // names that cover it
	account string   // partition:id of an AWS principal of a named account
	role    string   // ARN of the role that it is, with its sessions
	unnamed bool     // of no account, service or provider that is named
}

// covered reports whether one of the names covers the class.
func (c *callerClass) covered(names map[string]bool) bool {
	for _, name := range c.covers {
		if names[name] {
			return true
		}
	}
	return false
}

// answer says whether the clause matches the class: no, yes, or open.
func (w *whoClause) answer(c *callerClass) (yes, open bool) {
	if w == nil {
		return true, false
	}
	if w.any {
		return !w.negated, false
	}
	for _, name := range w.doubtful {
		if name == "" || slices.Contains(c.covers, name) || w.ofDoubtfulAccount(c, name) {
			return false, true
		}
	}
	return c.covered(w.names) != w.negated, false
}

func (w *whoClause) ofDoubtfulAccount(c *callerClass, name string) bool {
	account, ok := strings.CutPrefix(name, anyOfAccount)
	return ok && slices.Contains(c.covers, account)
}

// callerClasses lists the classes that the clauses' names make, those first
// that make the plainest example. Only those that some name of own can match
// are listed, all where own is nil. It returns false for too many names.
func callerClasses(clauses []*whoClause, own *whoClause, avoid string) (list []*callerClass, ok bool) {
	names := make(map[string]bool)
	var order []string
	for _, w := range clauses {
		if w == nil {
			continue
		}
		for _, name := range w.list {
			for _, n := range []string{name, accountOfName(name)} {
				if n != "" && !names[n] {
					names[n] = true
					order = append(order, n)
				}
			}
		}
	}
	if len(order) > mostNames {
		return nil, false
	}
	stranger := strangerAccount
	for names[accountName+"aws:"+stranger] || avoid == stranger {
		stranger = nextAccount(stranger)
	}
	classes := []*callerClass{
		{caller: Caller{Kind: Anonymous}, unnamed: true},
		{caller: Caller{Kind: AWSPrincipal, ID: "arn:aws:iam::" + stranger + ":role/example"}, unnamed: true},
	}
	for _, name := range order {
		classes = append(classes, classesOf(name, order)...)
	}
	classes = append(classes,
		&callerClass{caller: Caller{Kind: ServiceCaller, ID: "example.amazonaws.com"}, covers: []string{anyService}, unnamed: true},
		&callerClass{caller: Caller{Kind: Federated, ID: "www.example.com"}, covers: []string{anyFederated}, unnamed: true},
		&callerClass{caller: Caller{Kind: Canonical, ID: "example"}, covers: []string{anyCanonical}, unnamed: true})
	return slices.DeleteFunc(classes, func(c *callerClass) bool {
		if own == nil {
			return false
		}
		yes, open := own.answer(c)
		return !yes && !open
	}), true
}

// mostNames is the most names of principals, with their accounts, that are told
// apart: a policy of 20 KB has some 400 at most.
const mostNames = 2048

func nextAccount(account string) string {
	digits := []byte(account)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i]++; digits[i] <= '9' {
			break
		}
		digits[i] = '0'
	}
	return string(digits)
}

// classesOf are the classes of one name: mostly one, more where a session may
// belong to several of the roles or users that are named.
func classesOf(name string, all []string) []*callerClass {
	switch {
	case strings.HasPrefix(name, accountName):
		account := name[len(accountName):]
		partition, id, _ := strings.Cut(account, ":")
		return []*callerClass{{
			caller: Caller{Kind: AWSPrincipal, ID: "arn:" + partition + ":iam::" + id + ":role/" + freshRole(account, all)},
			covers: []string{name}, account: account,
		}}
	case strings.HasPrefix(name, serviceName):
		return []*callerClass{{caller: Caller{Kind: ServiceCaller, ID: name[len(serviceName):]}, covers: []string{name, anyService}}}
	case strings.HasPrefix(name, federatedName):
		return []*callerClass{{caller: Caller{Kind: Federated, ID: name[len(federatedName):]}, covers: []string{name, anyFederated}}}
	case strings.HasPrefix(name, canonicalName):
		return []*callerClass{{caller: Caller{Kind: Canonical, ID: name[len(canonicalName):]}, covers: []string{name, anyCanonical}}}
	}
	return arnClasses(name, all)
}

// freshRole is the name of a role that no policy names.
func freshRole(account string, all []string) string {
	_, account, _ = strings.Cut(account, ":")
	role := "example"
	for slices.ContainsFunc(all, func(n string) bool { return strings.Contains(n, account) && strings.Contains(n, role) }) {
		role += "x"
	}
	return role
}

// freshSession is a role, or a session of it that no policy names where some is.
func freshSession(role string, all []string) string {
	for _, name := range all {
		if session := strings.TrimPrefix(name, arnName); isSessionOf(session, role) {
			parts := strings.Split(session, "/")
			return parts[0] + "/" + parts[1] + "/example-" + freshRole("", all)
		}
	}
	return role
}

func arnClasses(name string, all []string) []*callerClass {
	arn := name[len(arnName):]
	c := callerClass{caller: Caller{Kind: AWSPrincipal, ID: arn}, covers: []string{name}}
	if account := accountOfName(name); account != "" {
		c.account = account[len(accountName):]
		c.covers = append(c.covers, account)
	}
	if strings.Contains(arn, ":role/") {
		c.role = arn
		c.caller.ID = freshSession(arn, all)
	}
	classes := []*callerClass{}
	if !strings.Contains(arn, ":assumed-role/") && !strings.Contains(arn, ":federated-user/") {
		return []*callerClass{&c}
	}
	for _, parent := range all {
		if !strings.HasPrefix(parent, arnName) || !isSessionOf(arn, parent[len(arnName):]) {
			continue
		}
		under := c
		under.covers = append(slices.Clone(c.covers), parent)
		if strings.Contains(parent, ":role/") {
			under.role = parent[len(arnName):]
		}
		classes = append(classes, &under)
	}
	if len(classes) == 0 || strings.Contains(arn, ":federated-user/") {
		classes = append(classes, &c)
	}
	return classes
}

// isSessionOf reports whether a session ARN can be one of a role or user: an
// assumed-role session bears the role's name without its path; whose
// federated-user session it is, its ARN does not say.
func isSessionOf(session, parent string) bool {
	s, p := strings.SplitN(session, ":", 6), strings.SplitN(parent, ":", 6)
	if len(s) != 6 || len(p) != 6 || s[1] != p[1] || s[2] != "sts" || p[2] != "iam" || s[4] != p[4] {
		return false
	}
	if strings.HasPrefix(s[5], "federated-user/") {
		return strings.HasPrefix(p[5], "user/")
	}
	role, isSession := strings.CutPrefix(s[5], "assumed-role/")
	path, isRole := strings.CutPrefix(p[5], "role/")
	if !isSession || !isRole {
		return false
	}
	role, _, _ = strings.Cut(role, "/")
	return role == path[strings.LastIndexByte(path, '/')+1:]
}

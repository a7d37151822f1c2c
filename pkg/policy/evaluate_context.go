package policy

import (
	"slices"
	"strings"
)

// contextKeys finds the condition keys of a request, without case, and derives
// those that follow from the caller; see [Evaluate].
type contextKeys struct {
	request *Request
	caller  *callerName
	byName  map[string]*contextKey // by the name in lower case
	asAsked map[string]*contextKey // by the name as it was looked up
}

// contextKey is what a request says of one key.
type contextKey struct {
	values    []string
	present   bool
	ambiguous bool   // given in two spellings with different values
	said      string // see carries
}

// find looks a key up. Names do not depend on case, tag names included.
// Source: IAM User Guide, aws:ResourceTag/tag-key.
func (c *contextKeys) find(name string) *contextKey {
	if key, ok := c.asAsked[name]; ok {
		return key
	}
	if c.byName == nil {
		c.byName = make(map[string]*contextKey, len(c.request.Context))
		c.asAsked = make(map[string]*contextKey)
		for key, values := range c.request.Context {
			c.put(strings.ToLower(key), values)
		}
	}
	lower := strings.ToLower(name)
	key, ok := c.byName[lower]
	if !ok {
		key = new(contextKey)
		if value := c.caller.derive(lower); value != "" {
			key.values, key.present = []string{value}, true
		}
	}
	c.asAsked[name] = key
	return key
}

func (c *contextKeys) put(name string, values []string) {
	if key, seen := c.byName[name]; seen {
		key.ambiguous = key.ambiguous || !slices.Equal(key.values, values)
		return
	}
	c.byName[name] = &contextKey{values: values, present: true}
}

// callerName is a caller with its ARN taken apart.
type callerName struct {
	Caller

	known     bool // an AWS principal whose ARN is one
	partition string
	account   string
	kind      string // "root", "user", "role", "assumed-role", "federated-user"
	name      string // what follows the kind: path and name, or NAME/SESSION
}

func nameCaller(c Caller) callerName {
	n := callerName{Caller: c}
	if c.Kind != AWSPrincipal {
		return n
	}
	if isAccountID(c.ID) { // an account stands for its root
		n.ID = "arn:aws:iam::" + c.ID + ":root"
	}
	parts := strings.SplitN(n.ID, ":", arnColons+1)
	if len(parts) <= arnColons || parts[0] != "arn" {
		return n
	}
	n.known = true
	n.partition, n.account = parts[1], parts[4]
	n.kind, n.name, _ = strings.Cut(parts[5], "/")
	return n
}

// isAccountID reports whether a text is an account id.
func isAccountID(text string) bool {
	return len(text) == 12 && isDigits(text)
}

// role is the name of the role that the caller is or has assumed, without path.
func (n *callerName) role() string {
	switch n.kind {
	case "role":
		return n.name[strings.LastIndexByte(n.name, '/')+1:]
	case "assumed-role":
		name, _, _ := strings.Cut(n.name, "/")
		return name
	}
	return ""
}

// derive is the value of a key, in lower case, that follows from the caller;
// empty if none does.
func (n *callerName) derive(key string) string {
	if n.Kind == ServiceCaller {
		switch key {
		case "aws:principalisawsservice":
			return "true"
		case "aws:principalservicename":
			return n.ID
		}
	}
	if !n.known {
		return ""
	}
	switch key {
	case "aws:principalarn":
		return n.principalARN()
	case "aws:principalaccount":
		return n.account
	case "aws:principaltype":
		return principalTypes[n.kind]
	case "aws:principalisawsservice":
		return "false"
	case "aws:username":
		if n.kind == "user" {
			return n.name[strings.LastIndexByte(n.name, '/')+1:]
		}
	}
	return ""
}

// principalTypes are the values of aws:PrincipalType.
// Source: IAM User Guide, "IAM policy elements: Variables and tags".
var principalTypes = map[string]string{
	"root":           "Account",
	"user":           "User",
	"role":           "AssumedRole",
	"assumed-role":   "AssumedRole",
	"federated-user": "FederatedUser",
}

// principalARN is aws:PrincipalArn: the role's ARN for a session.
func (n *callerName) principalARN() string {
	if n.kind == "assumed-role" {
		return "arn:" + n.partition + ":iam::" + n.account + ":role/" + n.role()
	}
	return n.ID
}

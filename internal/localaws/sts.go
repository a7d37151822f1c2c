package localaws

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Caller is who signs with an access key.
type Caller struct {
	Account string // default: DefaultAccount
	ARN     string // default: the user "tester" of the account
	// UserIdentity is the userIdentity of the caller's CloudTrail records, as
	// JSON; nil makes one from the ARN.
	UserIdentity json.RawMessage
}

// caller is who signs with an access key.
func (s *Server) caller(key string) Caller {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.sessions[key]
	if !ok {
		c = s.options.Callers[key]
	}
	if c.Account == "" {
		c.Account = accountOf(c.ARN)
	}
	if c.Account == "" {
		c.Account = DefaultAccount
	}
	if c.ARN == "" {
		c.ARN = "arn:aws:iam::" + c.Account + ":user/tester"
	}
	if c.UserIdentity == nil {
		c.UserIdentity = identity(c, key)
	}
	return c
}

func accountOf(arn string) string {
	if p := strings.Split(arn, ":"); len(p) > 4 {
		return p[4]
	}
	return ""
}

// identity makes CloudTrail's userIdentity of a caller.
func identity(c Caller, key string) json.RawMessage {
	id := object{"type": "IAMUser", "principalId": "AIDAEXAMPLETESTER0001", "arn": c.ARN, "accountId": c.Account, "accessKeyId": key}
	_, path, _ := strings.Cut(c.ARN, c.Account+":")
	parts := strings.Split(path, "/")
	switch {
	case path == "root":
		id["type"], id["principalId"] = "Root", c.Account
	case parts[0] == "assumed-role" && len(parts) == 3:
		id["type"], id["principalId"] = "AssumedRole", "AROAEXAMPLEROLE000001:"+parts[2]
		id["sessionContext"] = object{
			"sessionIssuer": object{
				"type": "Role", "principalId": "AROAEXAMPLEROLE000001", "accountId": c.Account, "userName": parts[1],
				"arn": strings.Replace(strings.TrimSuffix(c.ARN, ":"+path), ":sts:", ":iam:", 1) + ":role/" + parts[1],
			},
			"attributes": object{"mfaAuthenticated": "false"},
		}
	default:
		id["userName"] = parts[len(parts)-1]
	}
	raw, err := encode(id)
	if err != nil {
		panic(fmt.Sprintf("localaws: writing userIdentity: %v", err)) // strings only
	}
	return raw
}

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// serveSTS answers GetCallerIdentity, and AssumeRole without looking at any
// trust policy.
func (s *Server) serveSTS(w http.ResponseWriter, q *request, id string) {
	var answer any
	switch action := q.query.Get("Action"); action {
	case "GetCallerIdentity":
		answer = callerIdentity(q.caller, id)
	case "AssumeRole":
		answer = s.assumeRole(q.query.Get("RoleArn"), q.query.Get("RoleSessionName"), id)
	default:
		w.WriteHeader(http.StatusBadRequest)
		answer = stsError{Namespace: stsNamespace, Type: "Sender", Code: "InvalidAction", Message: "localaws does not implement " + action, RequestID: id}
	}
	w.Header().Set("Content-Type", "text/xml")
	_ = xml.NewEncoder(w).Encode(answer) // the caller went away: nothing to tell
}

type stsError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

type identityAnswer struct {
	XMLName   xml.Name `xml:"GetCallerIdentityResponse"`
	Namespace string   `xml:"xmlns,attr"`
	ARN       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

func callerIdentity(c Caller, id string) identityAnswer {
	var who struct{ PrincipalID string }
	_ = json.Unmarshal(c.UserIdentity, &who) // an identity without one is answered without one
	return identityAnswer{Namespace: stsNamespace, ARN: c.ARN, UserID: who.PrincipalID, Account: c.Account, RequestID: id}
}

type assumeAnswer struct {
	XMLName     xml.Name `xml:"AssumeRoleResponse"`
	Namespace   string   `xml:"xmlns,attr"`
	ARN         string   `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	RoleID      string   `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
	AccessKeyID string   `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	SecretKey   string   `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	Token       string   `xml:"AssumeRoleResult>Credentials>SessionToken"`
	Expiration  string   `xml:"AssumeRoleResult>Credentials>Expiration"`
	RequestID   string   `xml:"ResponseMetadata>RequestId"`
}

func (s *Server) assumeRole(role, session, id string) assumeAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	account := accountOf(role)
	roleName := role[strings.LastIndex(role, "/")+1:]
	arn := "arn:aws:sts::" + account + ":assumed-role/" + roleName + "/" + session
	key := "ASIA" + strings.ToUpper(strings.ReplaceAll(newID(), "-", ""))[:16]
	s.sessions[key] = Caller{Account: account, ARN: arn}
	return assumeAnswer{
		Namespace: stsNamespace, ARN: arn, RoleID: "AROAEXAMPLEROLE000001:" + session,
		AccessKeyID: key, SecretKey: "secret", Token: "token",
		Expiration: s.now().Add(time.Hour).UTC().Format(time.RFC3339), RequestID: id,
	}
}

package policy

// Effect is what a statement does to the requests that it matches.
type Effect string

// The two effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Policy is one policy document.
type Policy struct {
	Version    string // "", "2008-10-17" or "2012-10-17"
	ID         string
	Statements []Statement
}

// Statement is one statement: a conjunction of its elements. A nil slice or
// pointer means that the element is absent.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    *Principals
	NotPrincipal *Principals
	Action       []string
	NotAction    []string
	Resource     []string
	NotResource  []string
	Condition    []Condition

	// literal is set where the document's version is not 2012-10-17, so that
	// ${…} is plain text.
	literal bool
}

// Principals is the value of Principal or NotPrincipal: an OR over typed values.
type Principals struct {
	// Any is set for the bare "*", which is the same as {"AWS":"*"}.
	Any           bool
	AWS           []string
	Service       []string
	Federated     []string
	CanonicalUser []string
}

// Condition is one operator on one key: "ForAnyValue:StringLike", "aws:PrincipalOrgPaths", values.
type Condition struct {
	Operator string
	Key      string
	Values   []string
}

// Exposure is who a statement lets in.
type Exposure string

// The exposures, widest first; Unknown stands beside them.
const (
	Public         Exposure = "public"
	ConfusedDeputy Exposure = "confused-deputy"
	External       Exposure = "external"
	Organization   Exposure = "organization"
	Internal       Exposure = "internal"
	Nobody         Exposure = "nobody"
	Unknown        Exposure = "unknown"
)

// Witness is one request that a policy allows.
type Witness struct {
	Principal string              `json:"principal"`
	Action    string              `json:"action"`
	Resource  string              `json:"resource,omitempty"`
	Context   map[string][]string `json:"context,omitempty"`
	Sid       string              `json:"sid,omitempty"`
	Index     int                 `json:"index"`
	// Certain is true where [Evaluate] confirms the request: allowed now, and not before.
	Certain bool `json:"certain"`
}

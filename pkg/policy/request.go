package policy

// CallerKind is what a caller is.
type CallerKind string

// The kinds of callers.
const (
	Anonymous     CallerKind = "anonymous" // no credentials; ID is empty
	AWSPrincipal  CallerKind = "aws"       // ID is the ARN of a user, role, session or account root
	ServiceCaller CallerKind = "service"   // ID is the service principal, s3.amazonaws.com
	Federated     CallerKind = "federated" // ID is the provider, as policies name it
	Canonical     CallerKind = "canonical" // ID is S3's canonical user id
)

// Caller is who makes a request.
type Caller struct {
	Kind CallerKind `json:"kind"`
	ID   string     `json:"id,omitempty"`
}

// Request is one request that a policy allows or does not.
type Request struct {
	// Principal is who calls; identity policies ignore it.
	Principal Caller `json:"principal"`
	// Action is one action, "lambda:InvokeFunction"; its case does not matter.
	Action string `json:"action"`
	// Resource is the ARN that the action is on; trust policies ignore it.
	Resource string `json:"resource,omitempty"`
	// Context holds the condition keys that the request carries, in any case,
	// each with its values: one for a single-valued key. A key that is not
	// there is missing; a key with no values is there and empty.
	Context map[string][]string `json:"context,omitempty"`
}

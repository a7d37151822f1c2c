package drift

// Own says which resources are permdrift's: whoever changes them may blind it.
type Own struct {
	// Stack is the name of the CloudFormation stack that permdrift was deployed
	// with; its resources' names begin with it and a hyphen. Empty: not known.
	Stack string
	// Account and Region are where the stack is; empty: not known.
	Account, Region string
}

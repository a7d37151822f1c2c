// Package policy reads the IAM policy language: it parses any legal policy
// document, prints it back, brings statements into one canonical form, compares
// policies statement by statement, and says who a statement lets in. It is pure:
// no I/O, no clock, nothing but the standard library.
//
// # Grammar
//
//	policy     = { "Version": v, "Id": s, "Statement": statement | [statement…] }
//	statement  = { "Sid": s, "Effect": "Allow" | "Deny",
//	               "Principal" | "NotPrincipal": "*" | { type: s | [s…] },
//	               "Action" | "NotAction": s | [s…],
//	               "Resource" | "NotResource": s | [s…],
//	               "Condition": { operator: { key: value | [value…] } } }
//	type       = "AWS" | "Service" | "Federated" | "CanonicalUser"
//	value      = string | number | true | false
//
// Element names are case-sensitive. Principal is absent in identity policies,
// Resource in trust policies. Everything else is a [SyntaxError] that names the
// element and its line and column: an unknown element, an element given twice,
// a wrong type, invalid UTF-8, a document over [MaxDocument] bytes. Nothing is
// guessed and nothing panics.
//
// # Canonical form
//
// Two statements with the same [Statement.Key] mean the same. The form has no
// Sid, sorted lists without doubles, lower-case actions and condition keys, one
// spelling of each operator (ArnEquals is ArnLike), "*" for {"AWS":"*"}, the bare
// id for an account's root ARN, and ${…} escaped where the document's version
// makes it literal text. For example
//
//	{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},
//	 "Action":["lambda:InvokeFunction"],"Resource":"arn:aws:lambda:us-east-1:111122223333:function:f"}
//
// is, as a key,
//
//	{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"lambda:invokefunction",
//	 "Resource":"arn:aws:lambda:us-east-1:111122223333:function:f"}
//
// # Exposure
//
// [Expose] judges one statement, seen from the account that owns the resource.
// A condition protects only if its values pin the caller. What the first stage
// cannot judge (policy variables, unknown operators) is [Unknown].
//
// Not promised yet: whether one policy allows a request that another does not,
// beyond equal statements; evaluation of a request; a Deny that only partly
// covers an Allow. These come with the decision procedure; until then an Allow
// counts as if such a Deny were not there, so it may report too much, never too
// little.
package policy

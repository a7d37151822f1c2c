// Package policy reads the IAM policy language: it parses any legal policy
// document, prints it back, brings statements into one canonical form, compares
// policies statement by statement and by what they allow, evaluates a request,
// and says who is let in. It is pure: no I/O, no clock, nothing but the standard
// library.
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
// # New access
//
// [NewAccess] decides whether one policy allows a request that another does not,
// and shows one; [LostAccess] is the same the other way round. A request has a
// principal, an action, a resource and condition keys. Per Allow of the current
// policy that the baseline has not, as it stands:
//
//  1. Dimensions: principal, action, resource, each condition key under each type.
//  2. Classes: the values of a dimension that every statement judges alike, each
//     with an example. Literals by look-up; patterns by an automaton that finds
//     its states as it reaches them; numbers and dates by the values they are
//     compared with; addresses by the ends of prefixes; callers by the names in
//     Principal. "Missing" is a class. A set has one dimension for each class of
//     elements. A policy variable's pattern, and what cannot be read, is a
//     question with two answers, the same for both policies; a pattern that
//     covers another, whatever the variable holds, is yes where that one is.
//  3. Cells: a statement is a product of sets of classes, or a few. What is left
//     of the Allow without the current policy's Denys, and without the baseline's
//     Allows (or inside one of its Denys), is new.
//  4. A request of what is left is replayed in [Evaluate], which shares no code
//     with this. Allowed now and not before: the witness is certain.
//
// For example, with the baseline {Allow *} less {Deny where aws:SourceVpce is
// missing}, the current policy {Allow *} has the witness "anonymous calls
// lambda:InvokeFunction on arn:…", without aws:SourceVpce.
//
// What is taken to be true of requests: a resource and the values of ARN keys
// are ARNs of six segments; the policy of a function is about that function and
// its qualifiers, where the Resource elements of both policies name just one; a
// trust policy's actions are sts:AssumeRole*, sts:TagSession, sts:SetSourceIdentity;
// who signs has aws:PrincipalArn and aws:PrincipalAccount, and they say who it is;
// anonymous callers, services and the tokens of identity providers have no key
// that describes a signer; a session has the ARN of its role; a key that is
// documented to hold one value does; organization paths are not there and empty;
// condition keys, names of tags among them, are the same in any case.
//
// It never says no where there is something new. It may say yes where there is
// not: two keys that depend on each other in a way that is not listed here count
// as independent. Then the witness is not certain. It is unknown, and counts as
// new, behind a cap ([MaxClasses] and those beside it), and where it hangs on a
// value that cannot be read, an operator that is not known, or a NotPrincipal
// that names a user or role without its account.
//
// # Exposure
//
// [Expose], [ExposeIn], [ExposeEach] and [ExposeDocument] say who is let in, seen from the
// account that owns the resource; [ExposeURL] reads the policy together with a
// function URL. A condition protects only if its values pin the caller: a
// request is as exposed as the narrowest that its caller and its keys say, and a
// statement as its widest request that no Deny takes away. Statements as
// AddPermission writes them are read off; the rest is decided in the same cells.
// Of the keys that pin, each value is the owner's, that of somebody who is
// named, or anybody's. An unknown operator or a variable on such a key makes
// what it could hide [Unknown].
//
// [ExposeTrust] says who may become a role through its trust policy, which is
// another question: a service takes a role only after somebody of the account
// passed it, and a token of an identity provider lets in whom its claims pin.
//
// # Repair and caching
//
// [Ladder] says how far a grant to a service is pinned, from any source of
// anybody to one source of the own account; [Services] has what each service
// sends, with the page that says so. [Tighten] suggests aws:SourceAccount for
// services that are documented to send it, [Advice] says in words what pins the
// rest. [Cache] remembers verdicts by content.
//
// Not promised: service and resource control policies, session policies, and
// who decides together across accounts; that an identity policy is needed as well
// where a resource policy names only an account.
package policy

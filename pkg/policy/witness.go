package policy

import (
	"maps"
	"slices"
	"strings"
)

// String is the request as a sentence: "s3.amazonaws.com calls
// lambda:InvokeFunction on arn:…, with aws:SourceAccount=444455556666".
func (w Witness) String() string {
	who := w.Principal
	if who == "" { // an identity policy's caller is whoever has the policy
		who = "the identity"
	}
	var b strings.Builder
	b.WriteString(who + " calls " + w.Action)
	if w.Resource != "" {
		b.WriteString(" on " + w.Resource)
	}
	separator := ", with "
	for _, key := range slices.Sorted(maps.Keys(w.Context)) {
		b.WriteString(separator + key + "=" + strings.Join(w.Context[key], "|"))
		separator = ", "
	}
	return b.String()
}

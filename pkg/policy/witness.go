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
	text := who + " calls " + w.Action
	if w.Resource != "" {
		text += " on " + w.Resource
	}
	for i, key := range slices.Sorted(maps.Keys(w.Context)) {
		if i == 0 {
			text += ", with "
		} else {
			text += ", "
		}
		text += key + "=" + strings.Join(w.Context[key], "|")
	}
	return text
}

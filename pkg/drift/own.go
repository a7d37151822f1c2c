package drift

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Own says which resources are permdrift's: whoever changes them may blind it.
type Own struct {
	// Stack is the name of the CloudFormation stack that permdrift was deployed
	// with; its resources' names are it, or begin with it and a hyphen. Empty:
	// not known.
	Stack string
	// Account and Region are where the stack is; empty: not known.
	Account, Region string
	// Keys are the ids of the KMS keys that the stack uses.
	Keys []string
}

// Tampering says whether a change touches what the auditing rests on. Where it
// does, it is a finding of the kind AuditBlinded, one for each event. Undecided
// is why that cannot be told.
func Tampering(change Change, own Own) (finding *Finding, undecided string) {
	if change.Operation == Sweep {
		return nil, ""
	}
	why, undecided := own.touched(change)
	if why == "" {
		return nil, undecided
	}
	if change.OutcomeUnknown { // no state that is read would show it
		why += "; whether it took effect is unknown"
	}
	s := change.Subject
	return &Finding{
		ID: FindingID(s, change.Place, "tampering:"+change.Event.cause()), Kind: AuditBlinded, Status: Open,
		Severity: Critical, Subject: s, Place: change.Place, Account: s.Account(), Region: change.Event.Region,
		Reason: why, Certain: true, Actor: change.Actor, Event: change.Event,
	}, ""
}

// touched says what of the auditing a change touches.
func (o Own) touched(change Change) (why, undecided string) {
	service, _, _ := strings.Cut(change.Event.Source, ".")
	if change.Operation != Blind {
		return o.subject(change), ""
	}
	switch service {
	case "cloudtrail":
		return trail(change)
	case "organizations":
		return "the account leaves its organization: its events reach the hub no more", ""
	case "kms":
		return o.key(change)
	}
	if o.Stack == "" {
		return "", "whether it concerns permdrift's own resources cannot be told: its stack is not known"
	}
	for _, name := range resources(change.Detail) {
		if o.ours(name) {
			return change.Event.Name + " on " + name + ", which is part of the auditing", ""
		}
	}
	return "", ""
}

// subject reports a change of one of permdrift's functions or roles.
func (o Own) subject(change Change) string {
	switch change.Subject.Kind() {
	case Function:
		switch change.Operation {
		case CreatePlace, RepointPlace, DeletePlace, PutURL, DeleteURL:
			return "" // the functions are called without a qualifier, and have no URL
		default:
		}
	case Role:
	default:
		return ""
	}
	if !o.ours(change.Subject.Name()) {
		return ""
	}
	return change.Event.Name + " on " + change.Subject.Name() + ", a " + string(change.Subject.Kind()) + " of the auditing itself"
}

// ours reports whether a resource belongs to the stack, by its name. Of a long
// stack name CloudFormation takes the beginning only, where the whole would go
// beyond the service's limit.
func (o Own) ours(name string) bool {
	if o.Stack == "" {
		return false
	}
	name = strings.TrimPrefix(name, "StackSet-") // what a stack set deploys in other accounts
	if name == o.Stack || strings.HasPrefix(name, o.Stack+"-") {
		return true
	}
	const least, nearLimit = 16, 48
	if len(name) < nearLimit {
		return false
	}
	for cut := strings.LastIndexByte(name, '-'); cut >= least; cut = strings.LastIndexByte(name[:cut], '-') {
		if strings.HasPrefix(o.Stack, name[:cut]) {
			return o.Stack[cut] != '-' // a name that is cut at a hyphen is that of a stack with a shorter name
		}
	}
	return false
}

// resources are the names in the parameters of a call: of an ARN or a URL what
// comes last, and of a rule's or stack's the name before an id.
func resources(detail map[string]string) []string {
	var names []string
	for key, value := range detail {
		switch key {
		case "state", "eventPattern", "attributeName", "principal", "statementId", "ids":
			continue
		}
		for text := range strings.SplitSeq(value, ",") {
			text = strings.Trim(text, `[]" `)
			parts := strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == '/' })
			names = append(names, parts...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// key reports a change of a key that the stack uses.
func (o Own) key(change Change) (why, undecided string) {
	if len(o.Keys) == 0 {
		return "", "whether the key is one that permdrift uses cannot be told: its keys are not known"
	}
	id := change.Detail["keyId"]
	if slices.ContainsFunc(o.Keys, func(key string) bool { return key != "" && lastSegment(key) == lastSegment(id) }) {
		return change.Event.Name + " on the key " + id + ", without which permdrift cannot announce", ""
	}
	return "", ""
}

func lastSegment(text string) string { return text[strings.LastIndexAny(text, ":/")+1:] }

// trail reports a change of CloudTrail by which calls are not recorded any
// more. Any trail may be the one whose records EventBridge gets.
func trail(change Change) (why, undecided string) {
	name := cmp.Or(change.Detail["name"], change.Detail["trailName"], "a trail")
	switch {
	case strings.HasPrefix(change.Event.Name, "StopLogging"), strings.HasPrefix(change.Event.Name, "DeleteTrail"):
		return change.Event.Name + " on " + name + ": if no other trail records management events here, permdrift hears of no call any more; sweeps go on", ""
	case strings.HasPrefix(change.Event.Name, "UpdateTrail"):
		if change.Detail["isMultiRegionTrail"] == "false" || change.Detail["includeGlobalServiceEvents"] == "false" {
			return change.Event.Name + " on " + name + ": it records fewer regions, or no global services, and with them no calls to IAM", ""
		}
		if change.Detail["isOrganizationTrail"] == "false" {
			return change.Event.Name + " on " + name + ": it records this account only; if it was the organization's, no call in the others is heard of any more", ""
		}
		return "", ""
	case strings.HasPrefix(change.Event.Name, "PutEventSelectors"):
		if keepsManagement(change.Detail) {
			return "", ""
		}
		return change.Event.Name + " on " + name + ": it does not record all management events that write any more", ""
	}
	return change.Event.Name + " on " + name, ""
}

// keepsManagement reports whether the selectors of a trail surely record every
// management event that writes. What cannot be read does not.
func keepsManagement(detail map[string]string) bool {
	var basic []struct {
		Management *bool    `json:"includeManagementEvents"`
		ReadWrite  string   `json:"readWriteType"`
		Excluded   []string `json:"excludeManagementEventSources"`
	}
	if text := detail["eventSelectors"]; text != "" && json.Unmarshal([]byte(text), &basic) == nil {
		for _, s := range basic {
			if (s.Management == nil || *s.Management) && (s.ReadWrite == "" || s.ReadWrite == "All" || s.ReadWrite == "WriteOnly") {
				return true
			}
		}
	}
	var advanced []struct {
		Fields []struct {
			Field     string   `json:"field"`
			Equals    []string `json:"equals"`
			NotEquals []string `json:"notEquals"`
			// No selector that keeps everything needs the rest.
			StartsWith    []string `json:"startsWith"`
			EndsWith      []string `json:"endsWith"`
			NotStartsWith []string `json:"notStartsWith"`
			NotEndsWith   []string `json:"notEndsWith"`
		} `json:"fieldSelectors"`
	}
	if text := detail["advancedEventSelectors"]; text == "" || json.Unmarshal([]byte(text), &advanced) != nil {
		return false
	}
	for _, s := range advanced {
		management, all := false, true
		for _, f := range s.Fields {
			switch {
			case len(f.StartsWith)+len(f.EndsWith)+len(f.NotStartsWith)+len(f.NotEndsWith) > 0:
				all = false
			case f.Field == "eventCategory":
				management = slices.Equal(f.Equals, []string{"Management"})
			case f.Field == "readOnly" && slices.Equal(f.Equals, []string{"false"}):
			case f.Field == "eventSource" && len(f.Equals) == 0 && !slices.ContainsFunc(f.NotEquals, audited):
			default:
				all = false
			}
		}
		if management && all {
			return true
		}
	}
	return false
}

// audited reports whether a service's calls are among those that permdrift hears of.
func audited(source string) bool {
	return source != "kms.amazonaws.com" && source != "rdsdata.amazonaws.com"
}

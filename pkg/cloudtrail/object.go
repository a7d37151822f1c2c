package cloudtrail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// object is a JSON object, each value undecoded until it is asked for, so that
// one odd value does not spoil the rest. The nil object has no values.
type object map[string]json.RawMessage

// parseObject is the object in raw, and nil for null or nothing.
func parseObject(raw json.RawMessage) (object, error) {
	if isNull(raw) {
		return nil, nil
	}
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("is %s, not an object", describe(raw))
	}
	return o, nil
}

// get is the value of a name. CloudTrail's spelling of API names is not always
// known (uUID, sAMLProviderArn), so where the exact one is missing, case does
// not count.
func (o object) get(name string) json.RawMessage {
	if raw, ok := o[name]; ok {
		return raw
	}
	found := ""
	for key := range o {
		if strings.EqualFold(key, name) && (found == "" || key < found) {
			found = key
		}
	}
	return o[found]
}

func (o object) has(name string) bool { return !isNull(o[name]) }

// str is the text of a string, a number or a boolean; anything else is empty.
func (o object) str(name string) string { return text(o.get(name)) }

// obj is the object of a name, nil where it is something else.
func (o object) obj(name string) object {
	inner, err := parseObject(o.get(name))
	if err != nil {
		return nil
	}
	return inner
}

// list is the texts of a list, or the one text that stands instead of a list.
func (o object) list(name string) []string {
	var items []json.RawMessage
	if json.Unmarshal(o.get(name), &items) != nil {
		if one := o.str(name); one != "" {
			return []string{one}
		}
		return nil
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		texts = append(texts, text(item))
	}
	return texts
}

// document is a JSON text: the content of a string, or an object that stands
// there unquoted. It is empty where there is neither.
func (o object) document(name string) string {
	raw := o.get(name)
	if inner, err := parseObject(raw); err == nil && inner != nil {
		return string(raw)
	}
	return text(raw)
}

// count is the whole number of a name; 0 where there is none.
func (o object) count(name string) int {
	f, err := strconv.ParseFloat(o.str(name), 64)
	if err != nil || f < 0 || f > math.MaxInt32 || f != math.Trunc(f) {
		return 0
	}
	return int(f)
}

// detail is a value as Change.Detail has it: a text, a list of texts joined by
// commas, else the JSON itself without white space.
func (o object) detail(name string) string {
	raw := bytes.TrimSpace(o.get(name))
	if isNull(raw) {
		return ""
	}
	switch raw[0] {
	case '{':
		return compact(raw)
	case '[':
		texts := o.list(name)
		if len(texts) == 0 || slices.Contains(texts, "") {
			return compact(raw)
		}
		return strings.Join(texts, ",")
	}
	return text(raw)
}

// compact is a JSON text without white space.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// keys names the keys of the object, for an error message.
func (o object) keys() string {
	keys := slices.Sorted(maps.Keys(o))
	if len(keys) == 0 {
		return "without keys"
	}
	more := ""
	if len(keys) > 6 {
		keys, more = keys[:6], ", …"
	}
	for i, key := range keys {
		keys[i] = strconv.Quote(clip(key))
	}
	return "with the keys " + strings.Join(keys, ", ") + more
}

func text(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if isNull(raw) {
		return ""
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	case '{', '[':
		return ""
	}
	return string(raw)
}

func isNull(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

func isTrue(text string) bool { return strings.EqualFold(text, "true") }

// describe names the kind of a JSON value.
func describe(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if isNull(raw) {
		return "null or missing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

// clean is a part of an ARN as it may stand in one, and empty for a text that
// may not: with a colon, a slash, white space or control characters.
func clean(part string) string {
	for _, r := range part {
		if r == ':' || r == '/' || r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return ""
		}
	}
	return part
}

// clip shortens a text for an error message.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

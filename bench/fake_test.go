package bench_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// fake answers the calls of DynamoDB and SNS that the auditor makes for an
// event: Query, GetItem and PutItem with the conditions that pkg/ledger and
// pkg/baseline write, and Publish, which goes nowhere.
type fake struct {
	mu    sync.Mutex
	items map[string]map[string]item // by table and pk, then by sk
	calls map[string]int             // "Query TABLE", "Publish"
}

type attribute = map[string]any

type item = map[string]attribute

func newFake() *fake {
	return &fake{items: map[string]map[string]item{}, calls: map[string]int{}}
}

// forget empties a table.
func (f *fake) forget(table string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.items, func(key string, _ map[string]item) bool { return strings.HasPrefix(key, table+"\x00") })
}

// reset starts to count anew.
func (f *fake) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.calls)
}

func (f *fake) counted() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.calls)
}

const published = `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult>` +
	`<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>`

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, operation, dynamo := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !dynamo {
		form, err := url.ParseQuery(string(body))
		if err != nil || form.Get("Action") != "Publish" {
			http.Error(w, "the fake of SNS knows Publish alone", http.StatusNotImplemented)
			return
		}
		f.calls["Publish"]++
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, published)
		return
	}
	answer, err := f.dynamo(operation, body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#" + err.Error()}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err) // it came in as JSON
	}
}

// call are the members of the requests that the fake looks at.
type call struct {
	TableName                 string
	Key, Item                 item
	ConditionExpression       string
	ExpressionAttributeValues item
}

// dynamo does a call; the error is a code of DynamoDB.
func (f *fake) dynamo(operation string, body []byte) (map[string]any, error) {
	var c call
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("SerializationException: %w", err)
	}
	f.calls[operation+" "+c.TableName]++
	switch operation {
	case "Query":
		return f.query(c), nil
	case "GetItem":
		stored, ok := f.items[c.TableName+"\x00"+text(c.Key["pk"])][text(c.Key["sk"])]
		if !ok {
			return map[string]any{}, nil
		}
		return map[string]any{"Item": stored}, nil
	case "PutItem":
		return map[string]any{}, f.put(c)
	}
	return nil, fmt.Errorf("UnknownOperationException")
}

func (f *fake) query(c call) map[string]any {
	rows := f.items[c.TableName+"\x00"+text(c.ExpressionAttributeValues[":pk"])]
	found := []item{}
	for _, sk := range slices.Sorted(maps.Keys(rows)) {
		if strings.HasPrefix(sk, text(c.ExpressionAttributeValues[":prefix"])) {
			found = append(found, rows[sk])
		}
	}
	return map[string]any{"Items": found, "Count": len(found)}
}

// put writes an item if the version that was read is the stored one, or if
// there is none and none was read.
func (f *fake) put(c call) error {
	key, sk := c.TableName+"\x00"+text(c.Item["pk"]), text(c.Item["sk"])
	stored, exists := f.items[key][sk]
	read, wantsVersion := c.ExpressionAttributeValues[":version"]
	if wantsVersion && (!exists || text(stored["version"]) != text(read)) || !wantsVersion && exists {
		return fmt.Errorf("ConditionalCheckFailedException")
	}
	if f.items[key] == nil {
		f.items[key] = map[string]item{}
	}
	f.items[key][sk] = c.Item
	return nil
}

// text is a string or number attribute.
func text(a attribute) string {
	for _, value := range a {
		if s, ok := value.(string); ok {
			return s
		}
	}
	return ""
}

package cloudtrail

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestConfigurationIsClaimed has the configuration that a change claims as JSON;
// null where the record does not tell it in full.
func TestConfigurationIsClaimed(t *testing.T) {
	const whole = `{"functionUrl":"https://u/","functionArn":"` + orders + `:live","authType":"NONE","invokeMode":"BUFFERED",
		"cors":{"allowCredentials":true,"allowHeaders":["x"],"allowMethods":["GET"],"allowOrigins":["*"],"exposeHeaders":["y"],"maxAge":60}}`
	const claimed = `{"url":{"functionUrl":"https://u/","authType":"NONE","invokeMode":"BUFFERED",` +
		`"cors":{"allowCredentials":true,"allowHeaders":["x"],"allowMethods":["GET"],"allowOrigins":["*"],"exposeHeaders":["y"],"maxAge":60}}}`
	const createURL, updateURL, deleteURL = "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig"
	const createMapping, updateMapping, deleteMapping = "CreateEventSourceMapping20150331", "UpdateEventSourceMapping20150331", "DeleteEventSourceMapping20150331"
	const queue = "arn:aws:sqs:us-east-1:444455556666:commands"
	mapped := func(uuid, source, enabled string) string {
		if uuid != "" {
			uuid = `"uuid":"` + uuid + `",`
		}
		return `{"mapping":{` + uuid + `"source":"` + source + `","enabled":` + enabled + `}}`
	}
	for name, row := range map[string]struct{ api, request, response, want string }{
		"a URL, answered":                 {createURL, `{"functionName":"orders","authType":"AWS_IAM"}`, whole, claimed},
		"a URL, asked":                    {createURL, `{"functionName":"orders","authType":"NONE","invokeMode":"RESPONSE_STREAM","cors":{"allowOrigins":["https://example.com"],"maxAge":"7"}}`, `null`, `{"url":{"authType":"NONE","invokeMode":"RESPONSE_STREAM","cors":{"allowOrigins":["https://example.com"],"maxAge":7}}}`},
		"a URL without CORS":              {createURL, `{"functionName":"orders","authType":"NONE"}`, `{"authType":"NONE"}`, `{"url":{"authType":"NONE"}}`},
		"a URL, CORS only asked":          {createURL, `{"functionName":"orders","authType":"NONE","cors":{"allowOrigins":["*"]}}`, `{"authType":"NONE"}`, `{"url":{"authType":"NONE","cors":{"allowOrigins":["*"]}}}`},
		"a URL, nothing said":             {createURL, `{"functionName":"orders"}`, `null`, `null`},
		"a URL with an odd age":           {createURL, `{"functionName":"orders","authType":"NONE","cors":{"maxAge":1e99}}`, `null`, `{"url":{"authType":"NONE","cors":{}}}`},
		"an update of a URL, answered":    {updateURL, `{"functionName":"orders"}`, whole, claimed},
		"an update of a URL, only asked":  {updateURL, `{"functionName":"orders","authType":"NONE"}`, `null`, `null`},
		"a URL that is gone":              {deleteURL, `{"functionName":"orders"}`, `null`, `null`},
		"a mapping, answered":             {createMapping, `{"functionName":"orders","eventSourceArn":"asked"}`, `{"uUID":"u","eventSourceArn":"` + queue + `","state":"Creating"}`, mapped("u", queue, "true")},
		"a mapping, asked":                {createMapping, `{"functionName":"orders","eventSourceArn":"` + queue + `"}`, `null`, mapped("", queue, "true")},
		"a mapping that is off":           {createMapping, `{"functionName":"orders","eventSourceArn":"` + queue + `","enabled":false}`, `{"uUID":"u","state":"Creating"}`, mapped("u", queue, "false")},
		"a mapping, switched on":          {updateMapping, `{"uUID":"u","enabled":true}`, `{"uUID":"u","functionArn":"` + orders + `","eventSourceArn":"` + queue + `","state":"Disabled"}`, mapped("u", queue, "true")},
		"a mapping, enabled as it was":    {updateMapping, `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `","eventSourceArn":"` + queue + `","state":"Enabled"}`, mapped("u", queue, "true")},
		"a mapping, enabling":             {updateMapping, `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `","eventSourceArn":"` + queue + `","state":"Enabling"}`, mapped("u", queue, "true")},
		"a mapping, updating":             {updateMapping, `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `","eventSourceArn":"` + queue + `","state":"Updating"}`, mapped("u", queue, "true")},
		"a mapping, disabling":            {updateMapping, `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `","eventSourceArn":"` + queue + `","state":"Disabling"}`, mapped("u", queue, "false")},
		"a mapping, disabled":             {updateMapping, `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `","eventSourceArn":"` + queue + `","state":"Disabled"}`, mapped("u", queue, "false")},
		"brokers of one's own":            {createMapping, `{"functionName":"orders","selfManagedEventSource":{"endpoints":{"KAFKA_BOOTSTRAP_SERVERS":["b.example.com:9092","a.example.com:9092","b.example.com:9092"]}}}`, `null`, mapped("", "kafka://a.example.com:9092,b.example.com:9092", "true")},
		"brokers of one's own, answered":  {updateMapping, `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `","selfManagedEventSource":{"endpoints":{"kAFKA_BOOTSTRAP_SERVERS":["a.example.com:9092"]}}}`, mapped("u", "kafka://a.example.com:9092", "true")},
		"a mapping of which nobody knows": {updateMapping, `{"uUID":"u","functionName":"orders","enabled":true}`, `null`, `null`},
		"a mapping that is gone":          {deleteMapping, `{"uUID":"u","functionName":"orders"}`, `null`, mapped("u", "", "false")},
		"a mapping that goes":             {deleteMapping, `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `","eventSourceArn":"` + queue + `","state":"Enabled"}`, mapped("u", queue, "false")},
		"a function's role, answered":     {"CreateFunction20150331", `{"functionName":"orders","role":"asked"}`, `{"role":"answered"}`, `{"role":"answered"}`},
		"a function's role, asked":        {"CreateFunction20150331", `{"functionName":"orders","role":"asked"}`, `null`, `{"role":"asked"}`},
		"a function without a role":       {"CreateFunction20150331", `{"functionName":"orders"}`, `null`, `null`},
		"a role replaced, answered":       {"UpdateFunctionConfiguration20150331v2", `{"functionName":"orders","role":"asked"}`, `{"role":"answered"}`, `{"role":"answered"}`},
		"a role replaced, asked":          {"UpdateFunctionConfiguration20150331v2", `{"functionName":"orders","role":"asked"}`, `null`, `{"role":"asked"}`},
		"a role that stays":               {"UpdateFunctionConfiguration20150331v2", `{"functionName":"orders","timeout":3}`, `{"role":"old"}`, `null`},
	} {
		c := decodeOne(t, ours(lambdaAPI, row.api, row.request, row.response)).Changes[0]
		got, err := json.Marshal(c.Config)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != row.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, row.want)
		}
		if strings.HasPrefix(name, "a URL, answered") && c.Place != "live" {
			t.Errorf("%s: at %s, and the response says live", name, c.Place)
		}
	}
}

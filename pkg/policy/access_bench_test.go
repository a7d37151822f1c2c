package policy

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// pairs is over how many distinct pairs of documents a benchmark rotates.
const pairs = 64

// benchStatement is a statement as AddPermission writes it.
func benchStatement(document, i int) string {
	services := []string{"s3", "sns", "events", "apigateway", "logs"}
	sources := []string{
		"arn:aws:s3:::bucket-%d-%d", "arn:aws:sns:us-east-1:123456789012:topic-%d-%d", "arn:aws:events:us-east-1:123456789012:rule/rule-%d-%d",
		"arn:aws:execute-api:us-east-1:123456789012:api%d%d/*/*/*", "arn:aws:logs:us-east-1:123456789012:log-group:/g/%d-%d:*",
	}
	k := (document + i) % len(services)
	return fmt.Sprintf(`{"Sid":"sid-%d-%d","Effect":"Allow","Principal":{"Service":"%s.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"%s","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},"ArnLike":{"AWS:SourceArn":"%s"}}}`,
		document, i, services[k], benchFunction(document), fmt.Sprintf(sources[k], document, i))
}

func benchFunction(document int) string {
	return fmt.Sprintf("arn:aws:lambda:us-east-1:123456789012:function:orders-%d", document)
}

func benchDocument(statements []string) []byte {
	return []byte(`{"Version":"2012-10-17","Id":"default","Statement":[` + strings.Join(statements, ",") + `]}`)
}

func benchStatements(document, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = benchStatement(document, i)
	}
	return list
}

// respell says the same in another order and spelling.
func respell(statements []string, r *rand.Rand) []string {
	replacer := strings.NewReplacer(`"AWS:Source`, `"aws:Source`, `"lambda:InvokeFunction"`, `["lambda:invokeFunction"]`, `"Sid":"`, `"Sid":"x`)
	out := make([]string, len(statements))
	for i, j := range r.Perm(len(statements)) {
		out[i] = replacer.Replace(statements[j])
	}
	return out
}

// size is the bytes of a document, on average.
func size(list []benchPair) float64 {
	n := 0
	for _, pair := range list {
		n += len(pair.current)
	}
	return float64(n) / pairs
}

type benchPair struct {
	baseline *Compiled
	current  []byte
}

func benchPairs(b *testing.B, n int, change func(document int, list []string) []string) []benchPair {
	b.Helper()
	list := make([]benchPair, pairs)
	for i := range list {
		statements := benchStatements(i, n)
		baseline, err := CompileBytes(benchDocument(statements))
		if err != nil {
			b.Fatal(err)
		}
		list[i] = benchPair{baseline, benchDocument(change(i, statements))}
	}
	return list
}

func BenchmarkRead(b *testing.B) {
	for _, n := range []int{20, 60} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			list := benchPairs(b, n, func(_ int, list []string) []string { return list })
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				var v any
				if err := json.Unmarshal(list[i%pairs].current, &v); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(size(list), "bytes/doc")
		})
	}
}

func BenchmarkNewAccess(b *testing.B) {
	r := rand.New(rand.NewSource(1))
	for _, c := range []struct {
		name   string
		n      int
		isNew  bool
		change func(document int, list []string) []string
	}{
		{"20-identical", 20, false, func(_ int, list []string) []string { return list }},
		{"20-respelled", 20, false, func(_ int, list []string) []string { return respell(list, r) }},
		{"20-public-added", 20, true, func(d int, list []string) []string {
			return append(list, `{"Sid":"debug","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"`+benchFunction(d)+`"}`)
		}},
		{"60-one-added", 59, true, func(d int, list []string) []string { return append(list, benchStatement(d, 1000)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			list := benchPairs(b, c.n, c.change)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				pair := &list[i%pairs]
				access, err := NewAccessBytes(pair.baseline, pair.current, Options{Type: ResourcePolicy})
				if err != nil || access.New != c.isNew || access.Unknown {
					b.Fatal(access, err)
				}
				i++
			}
			b.ReportMetric(size(list), "bytes/doc")
		})
	}
}

func BenchmarkParse(b *testing.B) {
	list := benchPairs(b, 20, func(_ int, list []string) []string { return list })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := Parse(list[i%pairs].current); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkExposure(b *testing.B) {
	b.Run("20", func(b *testing.B) {
		list := benchPairs(b, 20, func(_ int, list []string) []string { return list })
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			p, err := Parse(list[i%pairs].current)
			if err != nil {
				b.Fatal(err)
			}
			if v := ExposeDocument(p, Owner{Account: "123456789012"}); v.Exposure != Internal {
				b.Fatal(v)
			}
			i++
		}
		b.ReportMetric(size(list), "bytes/doc")
	})
}

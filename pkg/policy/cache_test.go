package policy

import (
	"fmt"
	"sync"
	"testing"
)

func TestCacheRemembersAndForgets(t *testing.T) {
	c := NewCache(2)
	documents := make([][]byte, 3)
	for i := range documents {
		documents[i] = benchDocument(benchStatements(i, 2))
	}
	open := []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`)
	for range 2 {
		for _, d := range documents {
			got, err := c.NewAccess(d, open, Options{})
			if err != nil || !got.New || !got.Witnesses[0].Certain {
				t.Fatal(got, err)
			}
			if got, err := c.NewAccess(open, d, Options{}); err != nil || got.New {
				t.Fatal(got, err)
			}
		}
	}
	if len(c.entries) != 2 || c.order.Len() != 2 {
		t.Errorf("holds %d of at most 2", len(c.entries))
	}
	if v, err := c.ExposeDocument(open, Owner{}); err != nil || v.Exposure != Public {
		t.Error(v, err)
	}
	if _, err := c.NewAccess(open, []byte("{"), Options{}); err == nil {
		t.Error("no error for text that is no policy")
	}
	if v, err := c.ExposeDocument(documents[0], Owner{Account: "444455556666"}); err != nil || v.Exposure != External {
		t.Error(v, err)
	}
	if v, err := c.ExposeDocument(documents[0], Owner{Account: "123456789012"}); err != nil || v.Exposure != Internal {
		t.Error("remembered another owner's verdict:", v, err)
	}
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	c := NewCache(8)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				d := benchDocument(benchStatements((i+j)%12, 1))
				if got, err := c.NewAccess(d, d, Options{}); err != nil || got.New {
					panic(fmt.Sprint(got, err))
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkCache(b *testing.B) {
	list := benchPairs(b, 20, func(d int, list []string) []string { return append(list, benchStatement(d, 1000)) })
	c := NewCache(pairs)
	baseline := make([][]byte, pairs)
	for i := range list {
		baseline[i] = []byte(list[i].baseline.text)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if got, err := c.NewAccess(baseline[i%pairs], list[i%pairs].current, Options{Type: ResourcePolicy}); err != nil || !got.New {
			b.Fatal(got, err)
		}
		i++
	}
	b.ReportMetric(size(list), "bytes/doc")
}

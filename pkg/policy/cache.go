package policy

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strings"
	"sync"
)

// Cache remembers verdicts by the content of what they are about, so that an
// unchanged policy costs a look-up. It holds a bounded number of them, forgets
// the one used longest ago, and is safe for concurrent use. What it returns is
// shared and must not be changed.
type Cache struct {
	mu      sync.Mutex
	most    int
	entries map[[sha256.Size]byte]*list.Element
	order   *list.List // of cached, the last used first
}

type cached struct {
	key     [sha256.Size]byte
	verdict any
}

// NewCache makes a cache of at most so many verdicts, at least one.
func NewCache(most int) *Cache {
	return &Cache{most: max(most, 1), entries: make(map[[sha256.Size]byte]*list.Element), order: list.New()}
}

// NewAccess is [NewAccess] of two policies as text. Errors are not remembered.
func (c *Cache) NewAccess(baseline, current []byte, o Options) (Access, error) {
	options, err := json.Marshal(o)
	if err != nil {
		return Access{}, err
	}
	return remember(c, keyOf("access", options, baseline, current), func() (Access, error) {
		b, err := CompileBytes(baseline)
		if err != nil {
			return Access{}, err
		}
		access, err := NewAccessBytes(b, current, o)
		for i := range access.Witnesses {
			access.Witnesses[i] = access.Witnesses[i].detached()
		}
		return access, err
	})
}

// ExposeDocument is [ExposeDocument] of a policy as text. Errors are not remembered.
func (c *Cache) ExposeDocument(text []byte, owner Owner) (Verdict, error) {
	options, err := json.Marshal(owner)
	if err != nil {
		return Verdict{}, err
	}
	return remember(c, keyOf("exposure", options, text), func() (Verdict, error) {
		p, err := Parse(text)
		if err != nil {
			return Verdict{}, err
		}
		v := ExposeDocument(p, owner)
		for i, text := range v.Counterparties {
			v.Counterparties[i] = strings.Clone(text)
		}
		v.Reason = strings.Clone(v.Reason)
		return v, nil
	})
}

// keyOf is a hash of a question: its parts with their lengths.
func keyOf(kind string, parts ...[]byte) (key [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(kind))
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	h.Sum(key[:0])
	return key
}

func remember[V any](c *Cache, key [sha256.Size]byte, find func() (V, error)) (V, error) {
	if v, ok := c.get(key); ok {
		return v.(V), nil //nolint:forcetypeassert // the key says of which kind the verdict is
	}
	v, err := find()
	if err == nil {
		c.set(key, v)
	}
	return v, err
}

func (c *Cache) get(key [sha256.Size]byte) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).verdict, true //nolint:forcetypeassert // the list holds nothing else
}

func (c *Cache) set(key [sha256.Size]byte, verdict any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok {
		return // found twice at once; both are the same
	}
	c.entries[key] = c.order.PushFront(&cached{key, verdict})
	if len(c.entries) > c.most {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.entries, last.Value.(*cached).key) //nolint:forcetypeassert // the list holds nothing else
	}
}

// detached is the witness with texts of its own, so that it does not keep the
// policies alive.
func (w Witness) detached() Witness {
	w.Principal, w.Action, w.Resource, w.Sid = strings.Clone(w.Principal), strings.Clone(w.Action), strings.Clone(w.Resource), strings.Clone(w.Sid)
	if w.Context == nil {
		return w
	}
	context := make(map[string][]string, len(w.Context))
	for key, values := range w.Context {
		own := make([]string, len(values))
		for i, v := range values {
			own[i] = strings.Clone(v)
		}
		context[strings.Clone(key)] = own
	}
	w.Context = context
	return w
}

package localaws

import (
	"crypto/rand"
	"fmt"
	"maps"
)

// object is a JSON object of the API, keys as on the wire.
type object = map[string]any

// home is an account in a region.
type home struct{ account, region string }

// store is what one account has in one region.
type store struct {
	functions map[string]*function
	layers    map[string]*layer
	published map[string]int // versions of a layer, the deleted ones too
	mappings  map[string]object
	// before is the state before the last write, for stale reads. A key that
	// is there with nil did not exist then.
	before         map[string]*function
	beforeLayers   map[string]*layer
	beforeMappings map[string]object
}

func newStore() *store {
	return &store{
		functions:      map[string]*function{},
		layers:         map[string]*layer{},
		published:      map[string]int{},
		mappings:       map[string]object{},
		before:         map[string]*function{},
		beforeLayers:   map[string]*layer{},
		beforeMappings: map[string]object{},
	}
}

// function is one function with everything that hangs on it. Policies and URLs
// are keyed by qualifier; "" is the function itself.
type function struct {
	latest   object
	versions map[string]object
	aliases  map[string]object
	policies map[string]*policy
	urls     map[string]object
	tags     map[string]string
	reserved any  // concurrency; nil: none is reserved
	last     int  // highest version published
	changed  bool // $LATEST differs from the last version published
}

func newFunction(configuration object) *function {
	return &function{
		latest:   configuration,
		versions: map[string]object{},
		aliases:  map[string]object{},
		policies: map[string]*policy{},
		urls:     map[string]object{},
		changed:  true,
	}
}

func (f *function) clone() *function {
	if f == nil {
		return nil
	}
	c := *f
	c.latest = maps.Clone(f.latest)
	c.versions, c.aliases, c.urls = cloneAll(f.versions), cloneAll(f.aliases), cloneAll(f.urls)
	c.tags = maps.Clone(f.tags)
	c.policies = map[string]*policy{}
	for q, p := range f.policies {
		c.policies[q] = p.clone()
	}
	return &c
}

func cloneAll(all map[string]object) map[string]object {
	c := make(map[string]object, len(all))
	for k, o := range all {
		c[k] = maps.Clone(o)
	}
	return c
}

// place is the object that carries the RevisionId of a qualifier: the
// configuration of $LATEST or a version, or the alias. Nil if there is none.
func (f *function) place(qualifier string) object {
	switch {
	case qualifier == "" || qualifier == latest:
		return f.latest
	case f.versions[qualifier] != nil:
		return f.versions[qualifier]
	case f.aliases[qualifier] != nil:
		return f.aliases[qualifier]
	}
	return nil
}

// save keeps the function as it is now, as the state before the write that
// follows.
func (st *store) save(function string) {
	st.before[function] = st.functions[function].clone()
}

func (st *store) saveLayer(key string) {
	st.beforeLayers[key] = st.layers[key].clone()
}

func (st *store) saveMapping(uuid string) {
	st.beforeMappings[uuid] = maps.Clone(st.mappings[uuid])
}

// mapping is the mapping of a UUID, or nil; for a stale read as it was before
// the last write.
func (st *store) mapping(uuid string, stale bool) object {
	if old, ok := st.beforeMappings[uuid]; stale && ok {
		return old
	}
	return st.mappings[uuid]
}

// function is the named function, or nil; for a stale read as it was before
// the last write.
func (st *store) function(name string, stale bool) *function {
	if old, ok := st.before[name]; stale && ok {
		return old
	}
	return st.functions[name]
}

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// text is the string under a key, or "".
func text(o object, key string) string {
	s, _ := o[key].(string)
	return s
}

func setDefault(o object, key string, value any) {
	if o[key] == nil {
		o[key] = value
	}
}

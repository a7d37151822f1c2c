package drift

import (
	"encoding/json"
	"slices"
	"strings"
)

// Config is one part of a function's configuration, beside its policies, by
// which callers or events reach its code, or which says what the code may do.
// Exactly one field is set.
type Config struct {
	URL     *URL     `json:"url,omitempty"`     // at the place that it is of
	Mapping *Mapping `json:"mapping,omitempty"` // at the place that it feeds
	Role    string   `json:"role,omitempty"`    // ARN of the execution role; approved at the unqualified place for all versions
	// Boundary is the ARN of a role's permissions boundary, kept so that it can be
	// named; what counts is what the boundary allows, which is approved beside it.
	Boundary string `json:"boundary,omitempty"`
}

// URL is a function URL, as GetFunctionUrlConfig gives it. The zero URL is none.
type URL struct {
	Address    string `json:"functionUrl,omitempty"`
	AuthType   string `json:"authType"` // NONE or AWS_IAM
	InvokeMode string `json:"invokeMode,omitempty"`
	CORS       *CORS  `json:"cors,omitempty"`
}

// CORS is what a function URL answers to browsers of other origins.
type CORS struct {
	AllowCredentials bool     `json:"allowCredentials,omitempty"`
	AllowHeaders     []string `json:"allowHeaders,omitempty"`
	AllowMethods     []string `json:"allowMethods,omitempty"`
	AllowOrigins     []string `json:"allowOrigins,omitempty"`
	ExposeHeaders    []string `json:"exposeHeaders,omitempty"`
	MaxAge           int      `json:"maxAge,omitempty"` // seconds
}

// Mapping is an event source mapping of a function or one of its qualifiers:
// Lambda itself reads the source, with the execution role, and calls the
// function. No statement of a policy is needed.
type Mapping struct {
	UUID string `json:"uuid,omitempty"`
	// Source is the ARN of the event source; of a self-managed one, its kind
	// and addresses (kafka://host:9092,host:9092).
	Source  string `json:"source"`
	Enabled bool   `json:"enabled"`
}

// exists reports whether there is a URL.
func (u URL) exists() bool { return u.AuthType != "" }

// Key is the configuration in one spelling, without what changes nobody's
// access: the address and invoke mode of a URL, the UUID of a mapping and
// whether it is enabled. Two configurations of the same key are one cause.
func (c Config) Key() string {
	switch {
	case c.URL != nil:
		text, _ := json.Marshal(URL{AuthType: c.URL.AuthType, CORS: c.URL.CORS.canonical()}) //nolint:errchkjson // strings, numbers and a bool always encode
		return "url " + string(text)
	case c.Mapping != nil:
		return "mapping " + c.Mapping.Source
	}
	if c.Boundary != "" {
		return "boundary " + c.Boundary
	}
	return "role " + c.Role
}

// Equal reports whether two configurations have the same key.
func (c Config) Equal(d Config) bool { return c.Key() == d.Key() }

// canonical is CORS with sorted lists, header names and methods in one case;
// nil where it allows nothing.
func (c *CORS) canonical() *CORS {
	if c == nil || len(c.AllowOrigins) == 0 {
		return nil // without an origin no browser is answered
	}
	sorted := func(list []string, spell func(string) string) []string {
		var out []string
		for _, text := range list {
			out = append(out, spell(text))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return &CORS{
		AllowCredentials: c.AllowCredentials,
		AllowHeaders:     sorted(c.AllowHeaders, strings.ToLower),
		AllowMethods:     sorted(c.AllowMethods, strings.ToUpper),
		AllowOrigins:     sorted(c.AllowOrigins, strings.ToLower),
		ExposeHeaders:    sorted(c.ExposeHeaders, strings.ToLower),
	}
}

// within reports whether everything that c answers to browsers d answers too.
func (c *CORS) within(d *CORS) bool {
	a, b := c.canonical(), d.canonical()
	if a == nil {
		return true
	}
	if b == nil {
		return false
	}
	covers := func(all, some []string) bool {
		return slices.Contains(all, "*") || !slices.ContainsFunc(some, func(text string) bool { return !slices.Contains(all, text) })
	}
	return (b.AllowCredentials || !a.AllowCredentials) && covers(b.AllowOrigins, a.AllowOrigins) &&
		covers(b.AllowMethods, a.AllowMethods) && covers(b.AllowHeaders, a.AllowHeaders) && covers(b.ExposeHeaders, a.ExposeHeaders)
}

package gateway

import (
	"net/http"
	"slices"
	"strings"
)

// cors is an HTTP API's CorsConfiguration. With one, API Gateway answers
// preflights by itself and ignores the integration's own CORS headers.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
//
// The front end refuses origins beyond this machine before any of this, unless
// the configuration names them (names).
type cors struct {
	origins, methods, headers, expose []string
	credentials                       bool
	maxAge                            string
}

// newCORS reads a configuration in CloudFormation's spelling (AllowOrigins) or
// OpenAPI's (allowOrigins); errors go to p.
func newCORS(values map[string]any, name string, p *problems) *cors {
	if values == nil {
		return nil
	}
	capital := map[string]any{}
	for key, value := range values {
		capital[strings.ToUpper(key[:1])+key[1:]] = value
	}
	var in struct {
		AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
		AllowCredentials                                        bool
		MaxAge                                                  string
	}
	c := read(capital, &in)
	out := &cors{
		origins: in.AllowOrigins, methods: in.AllowMethods, headers: in.AllowHeaders,
		expose: in.ExposeHeaders, credentials: in.AllowCredentials, maxAge: in.MaxAge,
	}
	if out.credentials && slices.Contains(out.origins, "*") {
		c.fail("AllowOrigins", "\"*\" cannot go with AllowCredentials")
	}
	if c.err != nil {
		p.fail(name, "%v", c.err)
	}
	return out
}

// names reports whether the configuration names an origin as it is: a pattern names
// nobody, so it does not open the port of this machine to whoever it fits.
func (c *cors) names(origin string) bool {
	return c != nil && slices.ContainsFunc(c.origins, func(named string) bool {
		return strings.EqualFold(named, origin) && (strings.HasPrefix(named, "https://") || strings.HasPrefix(named, "http://")) && !strings.Contains(named, "*")
	})
}

// isPreflight reports whether the request is one that cors answers itself.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight answers 204, with the headers only if the origin is allowed.
func (c *cors) preflight(w http.ResponseWriter, r *http.Request) {
	if c.allow(w.Header(), r) {
		set(w.Header(), "Access-Control-Allow-Methods", c.methods)
		set(w.Header(), "Access-Control-Allow-Headers", c.headers)
		if c.maxAge != "" {
			w.Header().Set("Access-Control-Max-Age", c.maxAge)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// apply puts the configured headers on an integration's answer in place of its own.
// An OPTIONS request gets none: it is no preflight, for want of a request method.
func (c *cors) apply(h http.Header, r *http.Request) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			h.Del(name)
		}
	}
	if r.Method != http.MethodOptions && c.allow(h, r) {
		set(h, "Access-Control-Expose-Headers", c.expose)
	}
}

func (c *cors) allow(h http.Header, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	for _, allowed := range c.origins {
		prefix, anyHost := strings.CutSuffix(allowed, "*")
		switch {
		case origin == "" || !strings.EqualFold(allowed, origin) && !(anyHost && strings.HasPrefix(origin, prefix)):
			continue
		case allowed == "*":
			h.Set("Access-Control-Allow-Origin", "*")
		default:
			h.Set("Access-Control-Allow-Origin", origin)
			h.Add("Vary", "Origin")
		}
		if c.credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		return true
	}
	return false
}

func set(h http.Header, name string, values []string) {
	if len(values) > 0 {
		h.Set(name, strings.Join(values, ","))
	}
}

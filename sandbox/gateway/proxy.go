package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"arc/sandbox/door"
	"arc/sandbox/ingress"
)

// checkProxy checks an HTTP_PROXY integration's URI.
func checkProxy(uri string) error {
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(uri))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("integration URI %q: must be an http or https URL", uri)
	}
	return nil
}

// target is the URL an HTTP_PROXY integration calls: path variables are put
// in, and $default passes the whole path on.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
func (c *call) target(path string) (*url.URL, error) {
	uri := c.route.integration.uri
	for name, value := range c.variables {
		escaped := (&url.URL{Path: value}).EscapedPath()
		uri = strings.NewReplacer("{"+name+"}", escaped, "{"+name+"+}", escaped).Replace(uri)
	}
	if c.overwritten { // by a mapping: the path of the URI makes way
		if u, err := url.Parse(c.route.integration.uri); err == nil {
			u.Path, u.RawPath = "", ""
			uri = strings.TrimSuffix(u.String(), "/") + path
		}
	} else if c.route.key == "$default" {
		uri = strings.TrimSuffix(uri, "/") + path
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", c.route.integration.uri, err)
	}
	switch query := c.request.URL.RawQuery; {
	case u.RawQuery == "":
		u.RawQuery = query
	case query != "":
		u.RawQuery += "&" + query
	}
	return u, nil
}

// proxy passes a request on to an HTTP_PROXY integration.
func (g *Gateway) proxy(w http.ResponseWriter, c *call, path string) (why string) {
	target, err := c.target(path)
	if err != nil {
		return g.fail(w, c, failure{status: http.StatusInternalServerError, why: err.Error()})
	}
	ctx, cancel := context.WithTimeout(c.request.Context(), c.route.integration.timeout)
	defer cancel()
	door.Stream(c.request) // it is handed on as it comes
	if c.body == nil {
		c.request.Body = http.MaxBytesReader(w, c.request.Body, maxBody)
	} else {
		c.request.Body = io.NopCloser(bytes.NewReader(c.body))
	}
	proxy := httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // the client's going away half-way is nobody's error
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL, p.Out.Host = target, ""
			if m := c.route.integration.method; m != "" && m != "ANY" {
				p.Out.Method = m
			}
			p.Out.Header.Set("Forwarded", fmt.Sprintf("for=%s;host=%s;proto=http", forwardedNode(ingress.SourceIP(p.In)), p.In.Host))
		},
		ModifyResponse: func(resp *http.Response) error {
			if err := c.mapProxied(resp); err != nil {
				return err
			}
			if c.stage.cors != nil {
				c.stage.cors.apply(resp.Header, c.request)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			f := failure{status: http.StatusServiceUnavailable, message: "Service Unavailable", why: "calling " + target.Host + ": " + err.Error()}
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				f.status, f.message = http.StatusRequestEntityTooLarge, "Request Entity Too Large"
			}
			why = g.fail(w, c, f)
		},
	}
	proxy.ServeHTTP(w, c.request.WithContext(ctx))
	return why
}

// forwardedNode spells an address as the Forwarded header wants it.
func forwardedNode(ip string) string {
	if strings.Contains(ip, ":") {
		return `"[` + ip + `]"`
	}
	return ip
}

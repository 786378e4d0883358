// Package ingress is what comes in to an API, whichever kind it is: the parts of
// a request as functions are told them, who signed it, what its token says, what
// an authorizer's policy makes of it, and how the service takes a call that it is
// passed on to.
package ingress

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"arc/sandbox/door"
)

// DropHops takes out of headers those that belong to a connection, not to a message.
func DropHops(h http.Header) {
	for _, name := range [...]string{"Connection", "Expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
}

// Forwarded gives the headers with Host among them, as text, and with those
// that API Gateway adds.
func Forwarded(r *http.Request, at time.Time) http.Header {
	h := make(http.Header, len(r.Header)+6)
	for name, values := range r.Header {
		for _, value := range values {
			h[name] = append(h[name], Latin1(value))
		}
	}
	h.Set("Host", r.Host)
	_, port := door.SplitHost(r.Host)
	for name, value := range map[string]string{
		"X-Amzn-Trace-Id": NewTrace(at), "X-Forwarded-For": SourceIP(r), "X-Forwarded-Port": port, "X-Forwarded-Proto": "http",
	} {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
	return h
}

// Latin1 makes a header's bytes JSON text without losing any: UTF-8 stays,
// anything else is read as Latin-1, which is what HTTP headers once were.
func Latin1(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// Domain is the API's own name: with the port, so that a URL made of it works.
func Domain(r *http.Request) (name, prefix string) {
	host, _ := door.SplitHost(r.Host)
	prefix, _, _ = strings.Cut(host, ".")
	return r.Host, prefix
}

// SourceIP is the address that a request comes from.
func SourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	host, _, _ = strings.Cut(host, "%") // an IPv6 zone is this machine's business
	return host
}

// Query decodes the query string; a part that is not well encoded stays as it is.
func Query(r *http.Request) map[string][]string {
	values := map[string][]string{}
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = DecodeQuery(name), DecodeQuery(value)
		values[name] = append(values[name], value)
	}
	return values
}

// DecodeQuery decodes a name or a value of a query string.
func DecodeQuery(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return Latin1(s)
}

// Unescape decodes what is percent-encoded; what is not well encoded stays as it is.
func Unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// HeadSize is how many bytes the request line and the values of headers have.
func HeadSize(r *http.Request) int {
	n := len(r.Method) + len(" ") + len(r.RequestURI) + len(" ") + len(r.Proto) + len(r.Host)
	for _, values := range r.Header {
		for _, value := range values {
			n += len(value)
		}
	}
	return n
}

// OneLine keeps what a function wrote from breaking the log's lines.
func OneLine(s string) string {
	first, _, more := strings.Cut(s, "\n")
	if more {
		first += " …"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, first)
}

// Encode writes an event as JSON, leaving <, > and & as they are.
func Encode(event any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(event); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

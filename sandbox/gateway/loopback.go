package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Loopback keeps other web sites out of a local server. Listening on loopback
// is not enough: a page from anywhere may send requests to localhost, and a
// name that its owner re-points to 127.0.0.1 makes that page "same origin".
// So a request must name this machine in Host (localhost, *.localhost,
// 127.0.0.1 or [::1], with the port it came in on), and its Origin, when a
// browser sends one, must be a page of this machine. Anything else is
// answered 403 before h sees it; WebSocket upgrades are requests like others.
func Loopback(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuseForeign(w, r) == "" {
			h.ServeHTTP(w, r)
		}
	})
}

// refuseForeign answers a foreign request, and says why; "" leaves the request.
func refuseForeign(w http.ResponseWriter, r *http.Request) (why string) {
	if why = foreign(r); why != "" {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.Error(w, "403 Forbidden: "+why, http.StatusForbidden)
	}
	return why
}

// foreign says why a request does not come from this machine, "" if it does.
func foreign(r *http.Request) string {
	host, port := splitHost(r.Host)
	if !loopbackName(host) {
		return fmt.Sprintf("the Host %q is not this machine; use localhost", r.Host)
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && port != strconv.Itoa(local.Port) {
		return fmt.Sprintf("the Host %q names another port than %d", r.Host, local.Port)
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !loopbackName(u.Hostname()) {
			return fmt.Sprintf("the Origin %q is not a page of this machine", origin)
		}
	}
	return ""
}

func splitHost(hostport string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil { // no port: that of plain http
		return strings.Trim(hostport, "[]"), "80"
	}
	return host, port
}

func loopbackName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

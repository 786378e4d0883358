package door

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// judge says why a request is not for a port of the guard's kind, "" if it is.
func judge(g Guard, r *http.Request) string {
	if g.Kind == Hosts {
		if host, _ := SplitHost(r.Host); !IsAWS(host) {
			return fmt.Sprintf("the Host %q is none of AWS, for which this port answers", r.Host)
		}
		if mark := browserMark(r); mark != "" {
			return mark + " says that a web page sent this; this port is for functions alone"
		}
		return ""
	}
	if why := g.foreign(r); why != "" {
		return why
	}
	switch g.Kind {
	case Site, parts:
		return ""
	case Signed:
		return signed(r)
	case Unsigned:
		if mark := browserMark(r); mark != "" && !reads(r) {
			return fmt.Sprintf("%s says that a web page sent this %s; here only programs change something", mark, r.Method)
		}
		return ""
	case Private:
		if mark := browserMark(r); mark != "" {
			return mark + " says that a web page sent this; this port is for one program alone"
		}
		return ""
	}
	return "this port does not say whom it lets in"
}

// foreign says why a request does not come from this machine, "" if it does. A
// name that its owner re-points to 127.0.0.1 makes a page "same origin" with
// this server, so a request must name this machine in Host (localhost,
// *.localhost, 127.0.0.1 or [::1], with the port it came in on); and its
// Origin, when a browser sends one, must be a page of this machine. WebSocket
// upgrades are requests like others. What somebody opened by name comes in beside.
func (g Guard) foreign(r *http.Request) string {
	open, remedy := &Openings{}, func(string, string) string { return "" }
	if g.Kind == Site {
		remedy = func(flag, name string) string { return fmt.Sprintf("; arc sandbox %s=%s lets it in", flag, name) }
		if g.Open != nil {
			open = g.Open
		}
	}
	host, port := SplitHost(r.Host)
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	switch {
	case open.host(host):
	case !loopbackName(host):
		return fmt.Sprintf("the Host %q is not this machine; use localhost", r.Host) + remedy("--allow-host", host)
	case ok && port != strconv.Itoa(local.Port):
		return fmt.Sprintf("the Host %q names another port than %d", r.Host, local.Port)
	}
	for _, origin := range r.Header.Values("Origin") {
		if localPage(origin) || open.origin(origin) || g.Kind == Site && g.Names != nil && g.Names(r, origin) {
			continue
		}
		return fmt.Sprintf("the Origin %q is not a page of this machine", origin) + remedy("--allow-origin", origin)
	}
	return ""
}

// localPage reports whether an origin is a page of this machine.
func localPage(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && loopbackName(u.Hostname())
}

// SplitHost takes a Host header apart; without a port it is that of plain http.
func SplitHost(hostport string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]"), "80"
	}
	return host, port
}

func loopbackName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// reads reports whether a request's method is one that changes nothing.
func reads(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// browserMark is the name of a header by which a browser gives itself away, ""
// when there is none. Browsers send Sec-Fetch-Site with every request to
// localhost, and Origin with everything but plain GETs; Referer is for those
// that are too old for the first. Sec-Fetch-Mode alone is what the fetch of
// Node sends, which is a program and no page.
// https://www.w3.org/TR/fetch-metadata/
// https://github.com/nodejs/undici/blob/main/lib/web/fetch/index.js
func browserMark(r *http.Request) string {
	for _, name := range []string{"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-User"} {
		if _, ok := r.Header[name]; ok {
			return name
		}
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "Sec-Fetch-") && (name != "Sec-Fetch-Mode" || r.Header.Get(name) != "cors") {
			return name
		}
	}
	return ""
}

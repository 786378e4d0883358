package door

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Openings are whom Sites let in beside this machine's own pages, each by name.
type Openings struct {
	// Origins are those of pages, as browsers write them: https://example.com,
	// null, capacitor://localhost; "*" = every page there is.
	Origins []string
	// Hosts are names under which others reach this machine, as through a tunnel,
	// without a port.
	Hosts []string
}

// String names them, for a line at the start; "" = none.
func (o *Openings) String() string {
	var parts []string
	if len(o.Origins) > 0 {
		parts = append(parts, "pages of "+strings.Join(o.Origins, ", "))
	}
	if len(o.Hosts) > 0 {
		parts = append(parts, "whoever comes by "+strings.Join(o.Hosts, ", "))
	}
	return strings.Join(parts, " and ")
}

// Liberal answers as Architect's sandbox did with ARC_SANDBOX_ENABLE_CORS: CORS
// headers for everybody on all that h answers, and every OPTIONS by itself.
// https://github.com/architect/sandbox/blob/main/changelog.md
func Liberal(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{"Origin": "*", "Methods": "OPTIONS, GET", "Headers": "*"} {
			w.Header().Set("Access-Control-Allow-"+name, value)
		}
		w.Header().Set("Access-Control-Request-Method", "*")
		if r.Method == http.MethodOptions {
			return
		}
		h.ServeHTTP(w, r)
	})
}

// host reports whether a name is among the hosts.
func (o *Openings) host(name string) bool {
	return slices.ContainsFunc(o.Hosts, func(opened string) bool { return strings.EqualFold(strings.Trim(opened, "[]"), name) })
}

// origin reports whether an origin is among those of the openings.
func (o *Openings) origin(origin string) bool {
	return slices.ContainsFunc(o.Origins, func(opened string) bool { return opened == "*" || strings.EqualFold(opened, origin) })
}

// Check gives an error for each name that could never be one of a request.
func (o *Openings) Check() error {
	var problems []error
	for _, origin := range o.Origins {
		u, err := url.Parse(origin)
		if origin != "*" && origin != "null" && (err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host) {
			problems = append(problems, fmt.Errorf("%q is no origin; one is SCHEME://HOST[:PORT], as in https://example.com, or null, or * for all pages", origin))
		}
	}
	for _, host := range o.Hosts {
		if u, err := url.Parse("http://" + host); err != nil || host == "" || u.Host != host || u.Port() != "" || strings.Contains(host, "*") {
			problems = append(problems, fmt.Errorf("%q is no host; one is a name or an address without a port, as in example.ngrok.app", host))
		}
	}
	return errors.Join(problems...)
}

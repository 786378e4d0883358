// Package door stands in front of every port of the local cloud. Listening on
// loopback keeps other machines out, but not the pages that the developer's
// browser shows: any of them may send requests to localhost, and what this
// cloud is asked to do it does with the developer's rights. So a port, or a
// part of one, says of what kind it is, and the guard refuses what a page could
// have sent. There is no other way to open a port: Listen takes a Guard, and a
// Guard without a kind lets nothing in.
package door

import (
	"net/http"
	"strings"
)

// Kind is who is expected at a port.
type Kind int

const (
	// Site is an app's own front end. Pages of this machine are its visitors,
	// links from anywhere may lead to it; another site's scripts, forms and
	// sockets stay out.
	Site Kind = iota + 1
	// Signed is a service that AWS clients call. Whatever changes something
	// needs a signature, by any key, and does not come from a page, except what
	// pages of this machine bring to S3 with a presigned URL or form.
	Signed
	// Unsigned is called by programs that sign nothing. GET changes nothing
	// there, and everything else is refused to pages.
	Unsigned
	// Private is one program's own: no page may ask for anything.
	Private
	// Hosts answers in the place of AWS's own hosts, and to no page.
	Hosts
)

// Guard is a handler behind the guard of its kind.
type Guard struct {
	Kind    Kind
	Handler http.Handler
	// Open is whom a Site lets in beside this machine's pages; nil = nobody.
	Open *Openings
	// Names reports whether a Site itself names an origin as one whose pages may
	// call it; nil = it names none.
	Names func(r *http.Request, origin string) bool
	// Refused hears of each request that is turned away, and why; nil = nobody.
	Refused func(r *http.Request, why string)
	// Answer writes a refusal, with status 403, for a client that would not read it as
	// text; nil = everybody gets text. Pages always do.
	Answer func(w http.ResponseWriter, r *http.Request, why string)
}

// ServeHTTP hands a request on, or answers 403 with the reason.
func (g Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.Refuse(w, r) {
		g.Handler.ServeHTTP(w, r)
	}
}

// Refuse answers a request that the guard does not let in; false leaves the request
// untouched. It is for a handler that has a part of another kind.
func (g Guard) Refuse(w http.ResponseWriter, r *http.Request) bool {
	why := judge(g, r)
	if why == "" {
		return false
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// The rest of its body is not worth waiting for.
	w.Header().Set("Connection", "close")
	if g.Answer == nil || browserMark(r) != "" || strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, "403 Forbidden: "+why, http.StatusForbidden)
	} else {
		g.Answer(w, r, why)
	}
	if g.Refused != nil {
		g.Refused(r, why)
	}
	return true
}

// Route is a part of a port: a pattern of http.ServeMux and what answers it.
type Route struct {
	Pattern string
	Guard   Guard
}

// Routes is a port whose parts are of different kinds. What no pattern matches
// is refused as on a Private port, and else 404. Refused and Answer of turned are for
// what is turned away before a part is found, and by the parts that have none
// themselves.
func Routes(turned Guard, routes ...Route) Guard {
	mux := http.NewServeMux()
	covered := false
	for _, route := range routes {
		if route.Guard.Refused == nil {
			route.Guard.Refused = turned.Refused
		}
		if route.Guard.Answer == nil {
			route.Guard.Answer = turned.Answer
		}
		mux.Handle(route.Pattern, route.Guard)
		covered = covered || route.Pattern == "/"
	}
	if !covered {
		mux.Handle("/", Guard{Kind: Private, Handler: http.NotFoundHandler(), Refused: turned.Refused, Answer: turned.Answer})
	}
	return Guard{Kind: parts, Handler: mux, Refused: turned.Refused, Answer: turned.Answer}
}

// ByHost is a port some of whose hosts are sites of their own, with an origin of
// their own: pick gives what answers a request to one; nil = it is for the rest.
func ByHost(rest Guard, pick func(r *http.Request) http.Handler) Guard {
	return Guard{Kind: parts, Refused: rest.Refused, Answer: rest.Answer, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site := pick(r); site != nil {
			Guard{Kind: Site, Handler: site, Refused: rest.Refused, Answer: rest.Answer}.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})}
}

// parts is the kind of a port whose parts have guards of their own: the mux
// redirects and answers "405" by itself, so the Host is looked at before.
const parts Kind = -1

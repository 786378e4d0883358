package invoke

import "net/http"

// Session is in whose name an API, or a state machine, calls a service of AWS.
type Session struct {
	Role   string // ARN
	Name   string // of the session
	For    string // ARN of what calls
	Called string // in people's words
	Region string
	// Service is what it calls, by the name that clients sign for.
	Service string
}

// Answer is what a service said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// CallService answers a request to a service in the name of a role's session.
type CallService func(as Session, r *http.Request) Answer

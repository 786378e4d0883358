package sandbox

import (
	"bytes"
	"net/http"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/rights"
	"arc/sandbox/stack"
)

// callAs has a service answer what a state machine, or an API, asks of it, in the name
// of the role of that.
func (c *Cloud) callAs(who invoke.Session, r *http.Request) invoke.Answer {
	role := who.Role[strings.LastIndexByte(who.Role, '/')+1:]
	id, _ := c.guard.RoleID(who.Role)
	// These keys go with the session: one is begun for each call, and nobody else has
	// them.
	keys := c.guard.Keys.For(rights.Caller{
		ARN: stack.ARN(who.Region, "sts", "", Account, "assumed-role/"+role+"/"+who.Name), ID: id + ":" + who.Name, Role: who.Role, Name: who.Called,
	})
	service := who.Service
	r.Header.Set("X-Amz-Date", "20260101T000000Z") // of a signature that nobody checks
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys.AccessKeyID+"/20260101/"+who.Region+"/"+service+"/aws4_request, SignedHeaders=host;x-amz-date, Signature=0")
	w := &answer{header: http.Header{}, status: http.StatusOK}
	c.answers.ServeHTTP(w, r)
	return invoke.Answer{Status: w.status, Header: w.header, Body: w.body.Bytes()}
}

// answer takes what a handler writes.
type answer struct {
	header http.Header
	status int
	began  bool
	body   bytes.Buffer
}

// Header are those of the answer.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader takes the status.
func (a *answer) WriteHeader(status int) {
	if !a.began {
		a.status, a.began = status, true
	}
}

// Write takes a part of the body.
func (a *answer) Write(data []byte) (int, error) {
	a.began = true
	return a.body.Write(data)
}

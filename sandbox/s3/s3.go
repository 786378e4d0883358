// Package s3 is S3 on this machine: the operations of gofakes3 over a store of
// our own, with what gofakes3 leaves out put in front of it (virtual hosts,
// chunked uploads with checksums, copies, settings of buckets). A bucket may
// show a live folder, so that files are served as they are saved.
//
// Objects are kept up to a limit for all of them together, short ones in memory
// and long ones in files; those of a folder are read from disk for every request
// and never kept. With a log and a folder, buckets outlive the process.
package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what a server needs to know.
type Options struct {
	Account, Region string
	// Capacity is how many bytes all objects may have together with what is
	// arriving; 0 means 2 GiB.
	Capacity int64
	// Scratch is a folder for the files of long objects; "" is the system's own.
	Scratch string
	// Kept is a folder for the bytes of objects that outlive the process, which
	// Restore needs beside its log; "" = none do.
	Kept string
	// Warn is told of objects that a crash of the machine took; nil = nobody is.
	Warn func(text string)
	// Refused is told, once a file, that one of a folder that a bucket shows is
	// kept back, and why; nil = nobody is.
	Refused func(file string, why error)
	// Send hands what buckets notify others of to them; nil = nobody is told.
	Send invoke.Send
	// Permit gives an error when a function's policy does not let a service call it
	// for a resource; nil = all do.
	Permit func(function, principal string, sources ...string) error
	Tell   activity.Tell // hears of notifications that nobody took; nil = nobody
}

// Server answers S3's API and keeps the buckets.
type Server struct {
	options Options
	store   *store
	objects http.Handler // gofakes3
	herald  herald
}

// New makes a server without buckets.
func New(options Options) *Server {
	if options.Capacity == 0 {
		options.Capacity = 2 << 30
	}
	s := &Server{options: options, store: newStore(&depot{dir: options.Scratch, capacity: options.Capacity})}
	s.store.happened = s.happened
	// Clocks are not compared: the caller is on the same machine.
	s.objects = gofakes3.New(s.store, gofakes3.WithTimeSkewLimit(0)).Server()
	return s
}

// Endpoint is where clients find the server.
func (s *Server) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "s3", Variable: "S3", Handler: s}
}

// Close tells what buckets still have to tell, and removes the files of objects that
// are not kept. What is still asked for is refused.
func (s *Server) Close(context.Context) error {
	s.herald.mu.Lock()
	s.herald.closed = true
	s.herald.mu.Unlock()
	s.herald.done.Wait()
	return s.store.depot.close()
}

// ServeHTTP answers one request, in path style (/bucket/key) or virtual-host
// style (bucket.localhost, bucket.s3.localhost).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if bucket := hostBucket(r.Host); bucket != "" {
		r.URL.Path = "/" + bucket + r.URL.Path
		r.URL.RawPath = ""
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != "" {
		w.Header().Set("x-amz-bucket-region", stack.RegionIn(r.Context(), s.options.Region))
	}
	if err := s.expectOwner(r.Header.Get("X-Amz-Expected-Bucket-Owner"), bucket); err != nil {
		writeError(w, r, err)
		return
	}
	if s.share(w, r, bucket) || s.setting(w, r, bucket, key) {
		return
	}
	if name := missing(r.URL.Query()); name != "" {
		writeError(w, r, &stack.Error{Code: "NotImplemented", Message: fmt.Sprintf("the local cloud's S3 does not run %s %s?%s", r.Method, r.URL.Path, name), Status: http.StatusNotImplemented})
		return
	}
	switch {
	case r.Method == http.MethodPut && key == "" && r.URL.RawQuery == "" && s.store.has(bucket):
		writeError(w, r, &stack.Error{Code: "BucketAlreadyOwnedByYou", Message: "Your previous request to create the named bucket succeeded and you already own it.", Status: http.StatusConflict})
		return
	case r.Method == http.MethodPut && key != "" && r.Header.Get("X-Amz-Copy-Source") != "":
		s.copyObject(w, r, bucket, key)
		return
	}
	if why := s.refuses(r, bucket, key); why != nil {
		writeError(w, r, why)
		return
	}
	if r.Method == http.MethodPost && key == "" && isForm(r.Header) {
		s.form(w, r, bucket)
		return
	}
	answer := &reply{ResponseWriter: w, origin: w.Header().Get("Access-Control-Allow-Origin"), sums: r.Method != http.MethodHead && r.Method != http.MethodGet || r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED"}
	done, err := s.readBody(w, r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	defer done()
	s.objects.ServeHTTP(answer, r)
	answer.WriteHeader(http.StatusOK) // gofakes3 leaves it out where there is no body
}

// refuses looks at what can be known of a request before its body has come: a
// bucket that is not there takes none.
func (s *Server) refuses(r *http.Request, bucket, key string) error {
	switch {
	case r.Method != http.MethodPut && r.Method != http.MethodPost:
		return nil
	case r.Method == http.MethodPut && key == "" && r.URL.RawQuery == "":
		return nil // it makes the bucket
	case bucket != "" && !s.store.has(bucket):
		return noBucket(bucket)
	case r.ContentLength > s.options.Capacity:
		return &stack.Error{Code: "EntityTooLarge", Message: fmt.Sprintf("the local S3 holds at most %d bytes", s.options.Capacity)}
	}
	return nil
}

// expectOwner refuses a request whose caller takes the bucket for another
// account's.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
func (s *Server) expectOwner(owner, bucket string) error {
	if owner == "" || owner == s.options.Account || !s.store.has(bucket) {
		return nil
	}
	return &stack.Error{Code: "AccessDenied", Message: "Access Denied: bucket " + bucket + " does not belong to account " + owner, Status: http.StatusForbidden}
}

// hostBucket is the bucket that a virtual host names; "" when it names none.
func hostBucket(host string) string {
	host, _, _ = strings.Cut(host, ":")
	name, ok := strings.CutSuffix(host, ".localhost")
	if !ok || name == "s3" {
		return ""
	}
	return strings.TrimSuffix(name, ".s3")
}

// reply corrects the headers of gofakes3's answers.
type reply struct {
	http.ResponseWriter
	written bool
	origin  string // that the bucket lets read the answer; "" = none
	sums    bool   // checksums were asked for: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
}

func (w *reply) WriteHeader(status int) {
	if w.written {
		return // gofakes3 tells of a client that went away in the middle
	}
	w.written = true
	h := w.Header()
	for name := range h {
		if !strings.HasPrefix(name, "X-Amz-Checksum-") {
			continue
		}
		// An object's checksum is not that of a part of it.
		if status == http.StatusPartialContent || !w.sums {
			h.Del(name)
			continue
		}
		h.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
	// gofakes3 opens every bucket to every origin.
	h.Del("Access-Control-Allow-Origin")
	if w.origin != "" {
		h.Set("Access-Control-Allow-Origin", w.origin)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *reply) Write(p []byte) (int, error) {
	if !w.written {
		if w.Header().Get("Content-Type") == "" && strings.HasPrefix(string(p[:min(len(p), 5)]), "<?xml") {
			w.Header().Set("Content-Type", "application/xml")
		}
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Get reads a whole object, for callers in this program.
func (s *Server) Get(bucket, key string) ([]byte, error) {
	object, err := s.store.GetObject(bucket, key, nil)
	if err != nil {
		return nil, apiError(err, bucket, key)
	}
	defer object.Contents.Close()
	return io.ReadAll(object.Contents)
}

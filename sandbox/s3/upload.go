package s3

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"arc/sandbox/door"
	"arc/sandbox/stack"
)

// checksums are the algorithms that clients may protect an upload with, by the
// end of the header's name.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
var checksums = map[string]func() hash.Hash{
	"Crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"Crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"Crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
	"Sha1":      sha1.New,
	"Sha256":    sha256.New,
}

// kept headers belong to the object; gofakes3 would lose them.
var objectHeaders = []string{"Cache-Control", "Content-Language", "Expires", "X-Amz-Website-Redirect-Location", "X-Amz-Storage-Class"}

// maxDocument bounds the bodies that are XML or JSON: a deletion names 1,000
// keys, the end of an upload 10,000 parts.
const maxDocument = 8 << 20

// arrived is a body that is here already.
type arrived struct {
	io.ReadCloser
	data *blob
}

// readBody takes an upload's body out of whatever coding it came in, checks it
// against the checksums that came along, and leaves the request as gofakes3
// expects it: plain body, right length, and no headers of the transport that
// it would keep as the object's metadata. done lets go of the body.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	done = func() {}
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		tidy(r.Header)
		return done, nil
	}
	in := io.Reader(r.Body)
	if r.Method == http.MethodPut {
		in = door.Stream(r)
	} else {
		in = http.MaxBytesReader(w, r.Body, maxDocument)
	}
	trailer := http.Header{}
	if isChunked(r.Header) {
		in = &chunks{in: bufio.NewReader(in), trailer: trailer}
	}
	data, err := s.store.depot.take(in)
	if err != nil {
		return done, broken(err)
	}
	sums, err := verify(r.Header, trailer, data)
	if err == nil {
		r.Body, err = data.open(0, data.size)
	}
	if err != nil {
		data.release()
		return done, err
	}
	r.Body = &arrived{r.Body, data}
	tidy(r.Header)
	r.Header.Del("Content-Md5") // it is right, and would hide who the reader is
	name := rand.Text()
	if r.Method == http.MethodPut && !r.URL.Query().Has("uploadId") {
		for name, value := range sums {
			r.Header.Set(carried+name, value)
		}
		r.Header.Set(carried+"Body", name)
	}
	for name, value := range sums {
		w.Header().Set(name, value)
	}
	r.ContentLength = data.size
	r.Header.Set("Content-Length", strconv.FormatInt(data.size, 10))
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.arriving[name] = data
	return func() {
		r.Body.Close()
		s.store.mu.Lock()
		delete(s.store.arriving, name)
		s.store.mu.Unlock()
		data.release()
	}, nil
}

// broken is the answer when a body cannot be read to its end.
func broken(err error) error {
	var known *stack.Error
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooLong):
		return &stack.Error{Code: "MalformedXML", Message: fmt.Sprintf("the document is longer than %d bytes", tooLong.Limit)}
	case errors.Is(err, door.ErrFull):
		return &stack.Error{Code: "SlowDown", Message: err.Error(), Status: http.StatusServiceUnavailable}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &stack.Error{Code: "RequestTimeout", Message: "Your socket connection to the server was not read from or written to within the timeout period."}
	}
	return &stack.Error{Code: "IncompleteBody", Message: "the body cannot be read: " + err.Error()}
}

func isChunked(h http.Header) bool {
	return strings.HasPrefix(h.Get("X-Amz-Content-Sha256"), "STREAMING-") || codings(h.Get("Content-Encoding"), "aws-chunked") != h.Get("Content-Encoding")
}

// codings takes one content coding out of a list of them.
func codings(list, without string) string {
	var out []string
	for _, c := range strings.Split(list, ",") {
		if c = strings.TrimSpace(c); c != without && c != "" {
			out = append(out, c)
		}
	}
	return strings.Join(out, ",")
}

// chunks reads the aws-chunked coding: hexadecimal size, perhaps a signature,
// the bytes, and after the last chunk trailers. Signatures are not checked:
// the local cloud knows nobody's key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
type chunks struct {
	in      *bufio.Reader
	trailer http.Header
	left    int64 // of the chunk at hand
	begun   bool
	err     error
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.left == 0 && c.err == nil {
		c.left, c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads up to the bytes of a chunk; io.EOF is behind the last one's trailers.
func (c *chunks) next() (int64, error) {
	if c.begun {
		if _, err := c.in.Discard(2); err != nil {
			return 0, unexpected(err)
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return 0, unexpected(err)
	}
	size, _, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 40)
	if err != nil {
		return 0, fmt.Errorf("chunk size %q is no hexadecimal number", size)
	}
	for n == 0 {
		line, err := c.line()
		if name, value, ok := strings.Cut(line, ":"); ok {
			c.trailer.Set(name, strings.TrimSpace(value))
		}
		if err == io.EOF || err == nil && line == "" {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
	}
	return int64(n), nil
}

// line reads a line, of which the buffer holds any that a client writes.
func (c *chunks) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	return string(bytes.TrimSpace(line)), err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// verify compares the body with every checksum that came with it, and returns
// those checksums by the names of their headers.
func verify(header, trailer http.Header, body *blob) (map[string]string, error) {
	if given := header.Get("Content-Md5"); given != "" && given != base64.StdEncoding.EncodeToString(body.md5) {
		return nil, &stack.Error{Code: "BadDigest", Message: "The Content-MD5 you specified did not match what we received."}
	}
	found := map[string]string{}
	for name, newHash := range checksums {
		name = "X-Amz-Checksum-" + name
		given := header.Get(name)
		if given == "" {
			given = trailer.Get(name)
		}
		if given == "" {
			continue
		}
		h := newHash()
		if err := body.copy(h); err != nil {
			return nil, err
		}
		if sum := base64.StdEncoding.EncodeToString(h.Sum(nil)); sum != given {
			return nil, &stack.Error{Code: "BadDigest", Message: fmt.Sprintf("The %s you specified did not match the calculated checksum.", name)}
		}
		found[name] = given
	}
	return found, nil
}

// tidy removes the headers of the transport and marks those of the object, so
// that gofakes3 keeps just these.
func tidy(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "X-Amz-Meta-") {
			if name != "X-Amz-Website-Redirect-Location" && name != "X-Amz-Storage-Class" {
				h.Del(name)
			}
		}
	}
	if h.Get("Content-Encoding") != "" {
		if rest := codings(h.Get("Content-Encoding"), "aws-chunked"); rest == "" {
			h.Del("Content-Encoding")
		} else {
			h.Set("Content-Encoding", rest)
		}
	}
	for _, name := range objectHeaders {
		if value := h.Get(name); value != "" {
			h.Set(carried+name, value)
		}
	}
}

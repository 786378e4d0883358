package s3

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"

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

// readBody takes an upload's body out of whatever coding it came in, checks it
// against the checksums that came along, and leaves the request as gofakes3
// expects it: plain body, right length, and no headers of the transport that
// it would keep as the object's metadata.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		tidy(r.Header)
		return nil
	}
	if r.ContentLength > s.options.Capacity {
		return &stack.Error{Code: "EntityTooLarge", Message: fmt.Sprintf("the local S3 keeps objects in memory and holds at most %d bytes", s.options.Capacity)}
	}
	var body []byte
	var err error
	trailer := http.Header{}
	if isChunked(r.Header) {
		body, err = dechunk(r.Body, trailer, s.options.Capacity)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, s.options.Capacity+1))
	}
	if err != nil {
		return &stack.Error{Code: "IncompleteBody", Message: "the body cannot be read: " + err.Error()}
	}
	sums, err := verify(r.Header, trailer, body)
	if err != nil {
		return err
	}
	tidy(r.Header)
	for name, value := range sums {
		w.Header().Set(name, value)
		if r.Method == http.MethodPut && !r.URL.Query().Has("uploadId") {
			r.Header.Set(carried+name, value)
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
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

// dechunk reads the aws-chunked coding: hexadecimal size, perhaps a signature,
// the bytes, and after the last chunk trailers. Signatures are not checked:
// the local cloud knows nobody's key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
func dechunk(r io.Reader, trailer http.Header, limit int64) ([]byte, error) {
	in := bufio.NewReader(r)
	var body bytes.Buffer
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseUint(size, 16, 40)
		if err != nil {
			return nil, fmt.Errorf("chunk size %q is no hexadecimal number", size)
		}
		if n == 0 {
			break
		}
		if int64(body.Len())+int64(n) > limit {
			return nil, fmt.Errorf("longer than %d bytes", limit)
		}
		if _, err := io.CopyN(&body, in, int64(n)); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(in, make([]byte, 2)); err != nil {
			return nil, err
		}
	}
	for {
		line, err := in.ReadString('\n')
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			trailer.Set(name, strings.TrimSpace(value))
		}
		if err == io.EOF || err == nil && strings.TrimSpace(line) == "" {
			return body.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// verify compares the body with every checksum that came with it, and returns
// those checksums by the names of their headers.
func verify(header, trailer http.Header, body []byte) (map[string]string, error) {
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
		h.Write(body)
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

package s3

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/stack"
)

// copyObject answers CopyObject. gofakes3 would mix the metadata of source and
// request whatever the directive says.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func (s *Server) copyObject(w http.ResponseWriter, r *http.Request, bucket, key string) {
	if r.URL.Query().Has("uploadId") {
		s.copyPart(w, r)
		return
	}
	hash, err := s.copyTo(r, bucket, key)
	if err != nil {
		writeError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(gofakes3.CopyObjectResult{ETag: gofakes3.FormatETag(hash), LastModified: gofakes3.NewContentTime(time.Now())})
}

// copyPart answers UploadPartCopy: an upload of a part whose bytes are here
// already.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
func (s *Server) copyPart(w http.ResponseWriter, r *http.Request) {
	from, err := s.source(r)
	if err != nil {
		writeError(w, r, err)
		return
	}
	defer from.Contents.Close()
	start, length, err := cut(from.Size, r.Header.Get("X-Amz-Copy-Source-Range"))
	if err == nil {
		_, err = io.CopyN(io.Discard, from.Contents, start)
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	tidy(r.Header)
	r.Body, r.ContentLength = io.NopCloser(io.LimitReader(from.Contents, length)), length
	r.Header.Set("Content-Length", strconv.FormatInt(length, 10))
	part := &partReply{header: http.Header{}, status: http.StatusOK}
	s.objects.ServeHTTP(part, r)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(part.status)
	if part.status != http.StatusOK {
		w.Write(part.body.Bytes())
		return
	}
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(struct {
		XMLName      xml.Name `xml:"CopyPartResult"`
		ETag         string
		LastModified gofakes3.ContentTime
	}{ETag: part.header.Get("ETag"), LastModified: gofakes3.NewContentTime(time.Now())})
}

// partReply catches gofakes3's answer to the upload of a part.
type partReply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *partReply) Header() http.Header         { return p.header }
func (p *partReply) WriteHeader(status int)      { p.status = status }
func (p *partReply) Write(b []byte) (int, error) { return p.body.Write(b) }

// cut reads which part of a source is meant ("bytes=0-99"); "" is all.
func cut(size int64, span string) (start, length int64, err error) {
	if span == "" {
		return 0, size, nil
	}
	var from, to int64
	if _, err := fmt.Sscanf(span, "bytes=%d-%d", &from, &to); err != nil || from < 0 || from > to || to >= size {
		return 0, 0, &stack.Error{Code: "InvalidArgument", Message: fmt.Sprintf("the range %q is not one of a source of %d bytes", span, size)}
	}
	return from, to - from + 1, nil
}

// source opens the object that a copy is made from.
func (s *Server) source(r *http.Request) (from *gofakes3.Object, err error) {
	source, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		return nil, &stack.Error{Code: "InvalidArgument", Message: "x-amz-copy-source cannot be decoded: " + err.Error()}
	}
	source, id, _ := strings.Cut(source, "?versionId=")
	bucket, key, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if err := s.expectOwner(r.Header.Get("X-Amz-Source-Expected-Bucket-Owner"), bucket); err != nil {
		return nil, err
	}
	if id == "" {
		from, err = s.store.GetObject(bucket, key, nil)
	} else {
		from, err = s.store.GetObjectVersion(bucket, key, gofakes3.VersionID(id), nil)
	}
	if err != nil {
		return nil, apiError(err, bucket, key)
	}
	return from, nil
}

func (s *Server) copyTo(r *http.Request, bucket, key string) (hash []byte, err error) {
	from, err := s.source(r)
	if err != nil {
		return nil, err
	}
	defer from.Contents.Close()
	meta := map[string]string{}
	if strings.EqualFold(r.Header.Get("X-Amz-Metadata-Directive"), "REPLACE") {
		for name := range r.Header {
			if belongs(name) {
				meta[name] = r.Header.Get(name)
			}
		}
	} else {
		for name, value := range from.Metadata {
			meta[name] = value
		}
	}
	meta["Last-Modified"] = time.Now().UTC().Format(http.TimeFormat)
	_, err = s.store.putObject("Copy", bucket, key, meta, from.Contents, nil)
	return from.Hash, apiError(err, bucket, key)
}

// belongs reports whether a header of a request is part of the object.
func belongs(name string) bool {
	switch name {
	case "Content-Type", "Content-Disposition", "Content-Encoding":
		return true
	}
	for _, other := range objectHeaders {
		if name == other {
			return true
		}
	}
	return strings.HasPrefix(name, "X-Amz-Meta-")
}

package s3

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
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
		writeError(w, r, &stack.Error{Code: "NotImplemented", Message: "the local S3 does not run UploadPartCopy", Status: http.StatusNotImplemented})
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

func (s *Server) copyTo(r *http.Request, bucket, key string) (hash []byte, err error) {
	source, err := url.PathUnescape(r.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		return nil, &stack.Error{Code: "InvalidArgument", Message: "x-amz-copy-source cannot be decoded: " + err.Error()}
	}
	source, id, _ := strings.Cut(source, "?versionId=")
	fromBucket, fromKey, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	var from *gofakes3.Object
	if id == "" {
		from, err = s.store.GetObject(fromBucket, fromKey, nil)
	} else {
		from, err = s.store.GetObjectVersion(fromBucket, fromKey, gofakes3.VersionID(id), nil)
	}
	if err != nil {
		return nil, apiError(err, fromBucket, fromKey)
	}
	defer from.Contents.Close()
	body, err := io.ReadAll(from.Contents)
	if err != nil {
		return nil, err
	}
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
	_, err = s.store.put(bucket, key, meta, body, nil)
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

package rights

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// s3Settings are the parameters of a URL that name a setting of a bucket or of an
// object, and what the operations on it are called.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
var s3Settings = [...][2]string{
	{"policy", "BucketPolicy"}, {"cors", "BucketCors"}, {"versioning", "BucketVersioning"}, {"lifecycle", "BucketLifecycle"},
	{"notification", "BucketNotification"}, {"location", "BucketLocation"}, {"acl", "Acl"}, {"tagging", "Tagging"},
}

// s3Operation reads a request to S3.
func s3Operation(r *http.Request) (string, members) {
	name, of := s3Request(r)
	if name == "DeleteObjects" {
		return name, deletion{of, s3Keys(r)}
	}
	return name, of
}

// deletion is a request that deletes objects by a list.
type deletion struct {
	rest
	keys []string
}

func (d deletion) get(path string) []string {
	if path == "keys[]" {
		return d.keys
	}
	return d.rest.get(path)
}

// s3Keys are the objects that a request's body names.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
func s3Keys(r *http.Request) (keys []string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	r.Body = replayed{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	var in struct{ Object []struct{ Key string } }
	if err == nil && xml.Unmarshal(body, &in) == nil {
		for _, o := range in.Object {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

func s3Request(r *http.Request) (string, rest) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	bucket, key, _ := strings.Cut(path, "/")
	host, _, _ := strings.Cut(r.Host, ":")
	if name, ok := strings.CutSuffix(host, ".localhost"); ok && name != "s3" {
		bucket, key = strings.TrimSuffix(name, ".s3"), path
	}
	q := r.URL.Query()
	of := rest{"bucket": bucket, "key": key, "versionId": q.Get("versionId")}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		of[name] = q.Get(name)
	}
	for _, name := range []string{"x-amz-acl", "x-amz-server-side-encryption", "x-amz-storage-class"} {
		of[name] = r.Header.Get(name)
	}
	if bucket == "" {
		return "ListBuckets", of
	}
	verb := map[string]string{http.MethodGet: "Get", http.MethodPut: "Put", http.MethodDelete: "Delete"}[r.Method]
	for _, setting := range s3Settings {
		if q.Has(setting[0]) {
			name := setting[1]
			if name == "Acl" || name == "Tagging" {
				name = map[bool]string{true: "Object", false: "Bucket"}[key != ""] + name
			}
			return verb + name, of
		}
	}
	if key == "" {
		return s3BucketOperation(r, q), of
	}
	if source := r.Header.Get("X-Amz-Copy-Source"); source != "" && r.Method == http.MethodPut {
		source, _, _ = strings.Cut(source, "?")
		source, _ = url.PathUnescape(source) // what cannot be read is refused by S3
		of["source"] = strings.TrimPrefix(source, "/")
		return "CopyObject", of
	}
	version := ""
	if q.Has("versionId") {
		version = "Version"
	}
	switch {
	case r.Method == http.MethodGet && q.Has("attributes"):
		return "GetObjectAttributes", of
	case r.Method == http.MethodGet && q.Has("uploadId"):
		return "ListParts", of
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		return "GetObject" + version, of
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		return "AbortMultipartUpload", of
	case r.Method == http.MethodDelete:
		return "DeleteObject" + version, of
	case r.Method == http.MethodPut, r.Method == http.MethodPost && (q.Has("uploads") || q.Has("uploadId")):
		return "PutObject", of
	}
	return "", of
}

func s3BucketOperation(r *http.Request, q url.Values) string {
	switch r.Method {
	case http.MethodPut:
		return "CreateBucket"
	case http.MethodDelete:
		return "DeleteBucket"
	case http.MethodHead:
		return "HeadBucket"
	case http.MethodPost:
		if q.Has("delete") {
			return "DeleteObjects"
		}
		return "" // a form, whose signature is in its fields
	}
	switch {
	case q.Has("uploads"):
		return "ListMultipartUploads"
	case q.Has("versions"):
		return "ListObjectVersions"
	}
	return "ListObjects"
}

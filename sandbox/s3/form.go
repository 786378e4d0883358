package s3

import (
	"encoding/xml"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/door"
	"arc/sandbox/stack"
)

// maxFields bounds a form without its file: S3 takes 20 KB.
const maxFields = 20 << 10

func isForm(h http.Header) bool {
	return strings.HasPrefix(h.Get("Content-Type"), "multipart/form-data")
}

// form answers a browser's upload by a form. The form is signed by fields of
// its own, which must be there, since pages send forms to wherever they like;
// whether they are right, and what the policy says, is not looked at.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
func (s *Server) form(w http.ResponseWriter, r *http.Request, bucket string) {
	fields, etag, err := s.upload(r, bucket)
	if err != nil {
		writeError(w, r, err)
		return
	}
	w.Header().Set("ETag", etag)
	key := fields["key"]
	location := "http://" + r.Host + "/" + bucket + "/" + (&url.URL{Path: key}).EscapedPath()
	w.Header().Set("Location", location)
	if to, err := url.Parse(fields["success_action_redirect"]); err == nil && to.Host != "" {
		q := to.Query()
		q.Set("bucket", bucket)
		q.Set("key", key)
		q.Set("etag", etag)
		to.RawQuery = q.Encode()
		w.Header().Set("Location", to.String())
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	switch status, _ := strconv.Atoi(fields["success_action_status"]); status {
	case http.StatusOK:
		w.WriteHeader(status)
	case http.StatusCreated:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprint(w, xml.Header)
		xml.NewEncoder(w).Encode(struct {
			XMLName                     xml.Name `xml:"PostResponse"`
			Location, Bucket, Key, ETag string
		}{xml.Name{}, location, bucket, key, etag})
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// upload reads the fields and, behind them, the file, which it stores.
func (s *Server) upload(r *http.Request, bucket string) (fields map[string]string, etag string, err error) {
	door.Stream(r)
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, "", malformedForm(err)
	}
	fields = map[string]string{}
	for left := int64(maxFields); ; {
		part, err := reader.NextPart()
		if err != nil {
			return nil, "", malformedForm(err)
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			etag, err := s.storeFile(fields, part, bucket)
			return fields, etag, err
		}
		value, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return nil, "", broken(err)
		}
		if left -= int64(len(value)); left < 0 {
			return nil, "", &stack.Error{Code: "MaxPostPreDataLengthExceeded", Message: "Your POST request fields preceding the upload file were too large."}
		}
		fields[name] = string(value)
	}
}

func malformedForm(err error) error {
	if err == io.EOF {
		return &stack.Error{Code: "InvalidArgument", Message: "POST requires exactly one file upload per request."}
	}
	return &stack.Error{Code: "MalformedPOSTRequest", Message: "The body of your POST request is not well-formed multipart/form-data: " + err.Error()}
}

func (s *Server) storeFile(fields map[string]string, file *multipart.Part, bucket string) (etag string, err error) {
	switch {
	case fields["x-amz-signature"] == "" && fields["signature"] == "":
		return "", &stack.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: "the form is not signed, and any web page could send it; make it with createPresignedPost"}
	case fields["policy"] == "":
		return "", &stack.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: "Bucket POST must contain a field named 'policy'."}
	case fields["key"] == "":
		return "", &stack.Error{Code: "InvalidArgument", Message: "Bucket POST must contain a field named 'key'."}
	}
	fields["key"] = strings.ReplaceAll(fields["key"], "${filename}", path.Base(file.FileName()))
	if len(fields["key"]) > gofakes3.KeySizeLimit {
		return "", &stack.Error{Code: "KeyTooLongError", Message: "Your key is too long"}
	}
	data, err := s.store.depot.take(file)
	if err != nil {
		return "", broken(err)
	}
	meta := map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}
	for name, value := range fields {
		if name = http.CanonicalHeaderKey(name); belongs(name) {
			meta[name] = value
		}
	}
	if err := s.store.persist(bucket, data); err != nil {
		data.release()
		return "", err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if _, err := s.store.put("Post", bucket, fields["key"], meta, data, nil); err != nil {
		data.release()
		return "", apiError(err, bucket, fields["key"])
	}
	return gofakes3.FormatETag(data.md5), nil
}

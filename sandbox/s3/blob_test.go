package s3

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
)

// held is what a server keeps: bytes, those of them in memory, and files.
func held(t *testing.T, s *Server) string {
	t.Helper()
	d := s.store.depot
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []os.DirEntry
	if d.folder != "" {
		var err error
		if names, err = os.ReadDir(d.folder); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%d bytes, %d in memory, %d files", d.used, d.inMemory, len(names))
}

// Long objects are files, short ones are not, and both go with their last holder.
func TestWhereBytesAreKept(t *testing.T) {
	s, do := newServer(t)
	do("PUT", "/box", nil)
	long := bytes.Repeat([]byte("0123456789"), 40_000)
	status := func(what string, want int, resp *http.Response, text string) {
		t.Helper()
		if resp.StatusCode != want {
			t.Errorf("%s: %s %s", what, resp.Status, text)
		}
	}
	keeps := func(after, want string) {
		t.Helper()
		if got := held(t, s); got != want {
			t.Errorf("after %s: %s, want %s", after, got, want)
		}
	}
	put := func(key string, body io.Reader, header ...string) (*http.Response, string) {
		t.Helper()
		return do("PUT", "/box/"+key, body, header...)
	}
	_, text := put("short", strings.NewReader("short"))
	keeps("a short object "+text, "5 bytes, 5 in memory, 0 files")
	put("long", bytes.NewReader(long))
	keeps("a long object", "400005 bytes, 5 in memory, 1 files")
	if _, text := do("GET", "/box/long", nil); text != string(long) {
		t.Errorf("%d bytes came back", len(text))
	}
	if resp, text := do("GET", "/box/long", nil, "Range", "bytes=399999-"); text != "9" || resp.StatusCode != http.StatusPartialContent {
		t.Errorf("range: %s %q", resp.Status, text)
	}
	if resp, text := put("copy", nil, "X-Amz-Copy-Source", "/box/long"); resp.StatusCode != 200 {
		t.Errorf("copy: %s %s", resp.Status, text)
	}
	keeps("a copy", "800005 bytes, 5 in memory, 2 files")
	resp, text := put("much", bytes.NewReader(long))
	status("one too many", http.StatusServiceUnavailable, resp, text)
	resp, text = put("bad", bytes.NewReader(long[:10]), "Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")
	status("another MD5", http.StatusBadRequest, resp, text)
	keeps("two refusals", "800005 bytes, 5 in memory, 2 files")
	put("long", strings.NewReader("now short"))
	do("DELETE", "/box/copy", nil)
	keeps("replacing and deleting", "14 bytes, 14 in memory, 0 files")
}

// A multipart upload counts from its first part on, and is joined without
// another copy; one that is given up leaves nothing.
func TestMultipartIsKeptOnce(t *testing.T) {
	s, do := newServer(t)
	do("PUT", "/box", nil)
	begin := func() string {
		_, text := do("POST", "/box/key?uploads", nil, "Content-Type", "text/plain")
		_, text, _ = strings.Cut(text, "<UploadId>")
		id, _, _ := strings.Cut(text, "</UploadId>")
		return id
	}
	part := func(id string, number int, body string) string {
		resp, text := do("PUT", fmt.Sprintf("/box/key?partNumber=%d&uploadId=%s", number, id), strings.NewReader(body))
		if resp.StatusCode != 200 {
			t.Fatalf("part %d: %s %s", number, resp.Status, text)
		}
		return resp.Header.Get("ETag")
	}
	a, b := strings.Repeat("a", 300_000), strings.Repeat("b", 300_000)
	given := begin()
	part(given, 1, a)
	part(given, 1, a) // again
	if got := held(t, s); got != "300000 bytes, 0 in memory, 1 files" {
		t.Errorf("under way: %s", got)
	}
	do("DELETE", "/box/key?uploadId="+given, nil)
	if got := held(t, s); got != "0 bytes, 0 in memory, 0 files" {
		t.Errorf("given up: %s", got)
	}
	id := begin()
	first, second := part(id, 1, a), part(id, 3, b)
	if _, text := do("GET", "/box/key?uploadId="+id, nil); strings.Count(text, "<Part>") != 2 {
		t.Errorf("parts: %s", text)
	}
	if _, text := do("GET", "/box?uploads", nil); !strings.Contains(text, "<UploadId>"+id) {
		t.Errorf("uploads: %s", text)
	}
	end := func(tags ...string) (*http.Response, string) {
		var parts string
		for i, tag := range tags {
			parts += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", 1+2*i, tag)
		}
		return do("POST", "/box/key?uploadId="+id, strings.NewReader("<CompleteMultipartUpload>"+parts+"</CompleteMultipartUpload>"))
	}
	if resp, text := end(first, first); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "InvalidPart") {
		t.Errorf("another part: %s %s", resp.Status, text)
	}
	if resp, text := end(first, second); resp.StatusCode != 200 {
		t.Errorf("end: %s %s", resp.Status, text)
	}
	if got := held(t, s); got != "600000 bytes, 0 in memory, 2 files" {
		t.Errorf("joined: %s", got)
	}
	if _, text := do("GET", "/box/key", nil); text != a+b {
		t.Errorf("%d bytes came back", len(text))
	}
	if _, text := do("GET", "/box/key", nil, "Range", "bytes=299999-300000"); text != "ab" {
		t.Errorf("over the seam: %q", text)
	}
	if _, text := do("GET", "/box/key", nil, "Range", "bytes=-3"); text != "bbb" {
		t.Errorf("the end: %q", text)
	}
	begin()
	do("DELETE", "/box/key", nil)
	if resp, text := do("DELETE", "/box", nil); resp.StatusCode != http.StatusNoContent {
		t.Errorf("bucket: %s %s", resp.Status, text)
	}
	if got := held(t, s); got != "0 bytes, 0 in memory, 0 files" {
		t.Errorf("in the end: %s", got)
	}
}

// A bucket that is not there takes no bodies: the answer is there while the
// body is still on its way.
func TestBucketIsAskedFirst(t *testing.T) {
	s, do := newServer(t)
	for _, request := range []string{"PUT /none/key", "PUT /none/key?partNumber=1&uploadId=1", "PUT /none?policy", "POST /none?delete", "POST /none/key?uploadId=1"} {
		method, target, _ := strings.Cut(request, " ")
		endless, stop := io.Pipe()
		t.Cleanup(func() { stop.Close() })
		if resp, text := do(method, target, endless); resp.StatusCode != http.StatusNotFound || !strings.Contains(text, "NoSuchBucket") {
			t.Errorf("%s: %s %s", request, resp.Status, text)
		}
	}
	if got := held(t, s); got != "0 bytes, 0 in memory, 0 files" {
		t.Error(got)
	}
}

// A form needs its own signature: it is the one thing that a page can send.
func TestFormIsSigned(t *testing.T) {
	_, do := newServer(t)
	do("PUT", "/box", nil)
	form := func(fields ...string) (*http.Response, string) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for i := 0; i < len(fields); i += 2 {
			w.WriteField(fields[i], fields[i+1])
		}
		f, err := w.CreateFormFile("file", "dir/name.txt")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, "content")
		w.Close()
		return do("POST", "/box", &body, "Content-Type", w.FormDataContentType())
	}
	signed := []string{"policy", "e30=", "X-Amz-Signature", "0"}
	for name, fields := range map[string][]string{
		"unsigned": {"key", "k"}, "no policy": {"key", "k", "x-amz-signature", "0"}, "no key": signed,
		"long": append(signed, "key", "k", "more", strings.Repeat("x", maxFields)),
	} {
		if resp, text := form(fields...); resp.StatusCode/100 != 4 {
			t.Errorf("%s: %s %s", name, resp.Status, text)
		}
	}
	if resp, text := form(append(signed, "key", "up/${filename}", "Content-Type", "text/x", "success_action_status", "201")...); resp.StatusCode != http.StatusCreated || !strings.Contains(text, "<Key>up/name.txt</Key>") {
		t.Errorf("%s %s", resp.Status, text)
	}
	if resp, text := do("GET", "/box/up/name.txt", nil); text != "content" || resp.Header.Get("Content-Type") != "text/x" {
		t.Errorf("%s %q %s", resp.Status, text, resp.Header.Get("Content-Type"))
	}
	if _, text := do("GET", "/box?list-type=2", nil); strings.Count(text, "<Key>") != 1 {
		t.Errorf("objects: %s", text)
	}
}

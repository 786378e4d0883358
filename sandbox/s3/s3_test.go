package s3

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"arc/sandbox/door"
	"arc/sandbox/stack"
)

func newServer(t *testing.T) (*Server, func(method, target string, body io.Reader, header ...string) (*http.Response, string)) {
	t.Helper()
	s := New(Options{Account: "123456789012", Region: "eu-west-1", Capacity: 1 << 20, Scratch: t.TempDir()})
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	web := httptest.NewServer(door.Bodies(door.NewBudget(64<<20), s))
	t.Cleanup(web.Close)
	return s, func(method, target string, body io.Reader, header ...string) (*http.Response, string) {
		t.Helper()
		host, path, _ := strings.Cut(target, "/")
		req, err := http.NewRequest(method, web.URL+"/"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(text)
	}
}

// A folder is served as it is at the moment, uploads lie on top of it, and
// nothing of all that is written into it.
func TestServeFolder(t *testing.T) {
	s, do := newServer(t)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("index.html", "<h1>one</h1>")
	write("css/a.css", "a{}")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := s.Serve("site", "", root.FS()); err != nil {
		t.Fatal(err)
	}
	get := func(key, want string) *http.Response {
		t.Helper()
		resp, text := do("GET", "/site/"+key, nil)
		if text != want {
			t.Errorf("%s: %d %q, want %q", key, resp.StatusCode, text, want)
		}
		return resp
	}
	first := get("index.html", "<h1>one</h1>")
	if kind := first.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		t.Errorf("content type %q", kind)
	}
	if resp, _ := do("GET", "/site/index.html", nil, "If-None-Match", first.Header.Get("ETag")); resp.StatusCode != http.StatusNotModified {
		t.Errorf("an unchanged file: %s", resp.Status)
	}
	if resp, text := do("GET", "/site/index.html", nil, "Range", "bytes=4-6"); resp.StatusCode != http.StatusPartialContent || text != "one" {
		t.Errorf("a range: %s %q", resp.Status, text)
	}
	write("index.html", "<h1>two!</h1>")
	if second := get("index.html", "<h1>two!</h1>"); second.Header.Get("ETag") == first.Header.Get("ETag") {
		t.Error("the ETag did not change with the file")
	}
	if resp, _ := do("PUT", "/site/index.html", strings.NewReader("uploaded")); resp.StatusCode != http.StatusOK {
		t.Errorf("upload: %s", resp.Status)
	}
	get("index.html", "uploaded")
	do("DELETE", "/site/css/a.css", nil)
	if resp, text := do("GET", "/site/css/a.css", nil); resp.StatusCode != http.StatusNotFound || !strings.Contains(text, "NoSuchKey") {
		t.Errorf("a deleted file: %s %s", resp.Status, text)
	}
	if _, text := do("GET", "/site/?list-type=2", nil); strings.Contains(text, "a.css") || !strings.Contains(text, "index.html") {
		t.Errorf("list: %s", text)
	}
	for name, want := range map[string]string{"index.html": "<h1>two!</h1>", "css/a.css": "a{}"} {
		if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err != nil || string(data) != want {
			t.Errorf("the folder was written to: %s %q %v", name, data, err)
		}
	}
	for _, key := range []string{"../secret", "css/../../secret", "css", ".", "css/"} {
		if resp, _ := do("GET", "/site/"+strings.ReplaceAll(key, "..", "%2e%2e"), nil); resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusOK || resp.StatusCode == http.StatusOK && key != "." {
			t.Errorf("%q: %s", key, resp.Status)
		}
	}
}

func TestVirtualHosts(t *testing.T) {
	_, do := newServer(t)
	if resp, text := do("PUT", "files.s3.localhost:4566/", nil); resp.StatusCode != http.StatusOK {
		t.Fatalf("create: %s %s", resp.Status, text)
	}
	do("PUT", "files.localhost/a", strings.NewReader("x"))
	if _, text := do("GET", "/files/a", nil); text != "x" {
		t.Errorf("path style gives %q", text)
	}
	if _, text := do("GET", "s3.localhost/", nil); !strings.Contains(text, "<Name>files</Name>") {
		t.Errorf("buckets: %s", text)
	}
	resp, text := do("GET", "/files/none", nil)
	if resp.StatusCode != http.StatusNotFound || !strings.Contains(text, "<Code>NoSuchKey</Code>") || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a missing key: %s %s", resp.Status, text)
	}
}

// Bodies as SDKs stream them, with a right and a wrong checksum behind them.
func TestChunkedUploads(t *testing.T) {
	_, do := newServer(t)
	do("PUT", "/box", nil)
	header := []string{"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "Content-Encoding", "aws-chunked", "X-Amz-Decoded-Content-Length", "11", "X-Amz-Trailer", "x-amz-checksum-crc32"}
	body := "6\r\nhello \r\n5;chunk-signature=abc\r\nworld\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n"
	if resp, text := do("PUT", "/box/k", strings.NewReader(strings.Replace(body, "%s", "DUoRhQ==", 1)), header...); resp.StatusCode != http.StatusOK {
		t.Fatalf("upload: %s %s", resp.Status, text)
	}
	resp, text := do("GET", "/box/k", nil, "X-Amz-Checksum-Mode", "ENABLED")
	if text != "hello world" || resp.Header.Get("Content-Encoding") != "" || resp.Header.Get("X-Amz-Checksum-Crc32") != "DUoRhQ==" {
		t.Errorf("object: %q %v", text, resp.Header)
	}
	for name := range resp.Header {
		if strings.HasPrefix(name, "X-Amz-Decoded") || strings.HasPrefix(name, "X-Amz-Trailer") || strings.HasPrefix(name, "X-Amz-Content") || strings.HasPrefix(name, carried) {
			t.Errorf("the transport's header %s was kept", name)
		}
	}
	if resp, text := do("PUT", "/box/k", strings.NewReader(strings.Replace(body, "%s", "AAAAAA==", 1)), header...); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "BadDigest") {
		t.Errorf("a wrong checksum: %s %s", resp.Status, text)
	}
	if resp, text := do("PUT", "/box/big", bytes.NewReader(make([]byte, 1<<20+1))); resp.StatusCode == http.StatusOK || !strings.Contains(text, "at most 1048576 bytes") {
		t.Errorf("more than there is room for: %s %s", resp.Status, text)
	}
}

// TestChecksumsAreToldWhenAskedFor: of the whole object, and of nothing else.
func TestChecksumsAreToldWhenAskedFor(t *testing.T) {
	_, do := newServer(t)
	do("PUT", "/box", nil)
	const sum = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=" // of "hello world"
	if resp, text := do("PUT", "/box/k", strings.NewReader("hello world"), "X-Amz-Checksum-Sha256", sum); resp.StatusCode != http.StatusOK {
		t.Fatalf("upload: %s %s", resp.Status, text)
	}
	for _, method := range []string{"HEAD", "GET"} {
		resp, _ := do(method, "/box/k", nil, "X-Amz-Checksum-Mode", "ENABLED")
		if resp.Header.Get("X-Amz-Checksum-Sha256") != sum || resp.Header.Get("X-Amz-Checksum-Type") != "FULL_OBJECT" {
			t.Errorf("%s: %v", method, resp.Header)
		}
		for _, header := range [][]string{nil, {"X-Amz-Checksum-Mode", "ENABLED", "Range", "bytes=1-2"}} {
			if resp, _ = do(method, "/box/k", nil, header...); method == "GET" && resp.Header.Get("X-Amz-Checksum-Sha256") != "" || header == nil && resp.Header.Get("X-Amz-Checksum-Type") != "" {
				t.Errorf("%s with %q: %v", method, header, resp.Header)
			}
		}
	}
	do("PUT", "/box/k", strings.NewReader("hallo"))
	if resp, _ := do("HEAD", "/box/k", nil, "X-Amz-Checksum-Mode", "ENABLED"); resp.Header.Get("X-Amz-Checksum-Sha256") != "" {
		t.Errorf("the checksum of what was there before: %v", resp.Header)
	}
}

// TestAnotherOwner asks for a bucket of an account that it does not belong to.
func TestAnotherOwner(t *testing.T) {
	_, do := newServer(t)
	do("PUT", "/box", nil)
	do("PUT", "/box/k", strings.NewReader("mine"))
	const stranger = "999999999999"
	for _, c := range []struct {
		method, target, owner string
		status                int
	}{
		{"HEAD", "/box", "123456789012", 200}, {"HEAD", "/box", stranger, 403}, {"GET", "/box/k", "123456789012", 200}, {"GET", "/box/k", stranger, 403},
		{"GET", "/box?list-type=2", stranger, 403}, {"GET", "/box?versions", stranger, 403}, {"PUT", "/box/k", stranger, 403}, {"DELETE", "/box/k", stranger, 403},
		{"POST", "/box?delete", stranger, 403}, {"PUT", "/box?versioning", stranger, 403}, {"GET", "/box?policy", stranger, 403}, {"HEAD", "/none", stranger, 404},
	} {
		if resp, text := do(c.method, c.target, nil, "X-Amz-Expected-Bucket-Owner", c.owner); resp.StatusCode != c.status {
			t.Errorf("%s %s of %s: %s %s", c.method, c.target, c.owner, resp.Status, text)
		}
	}
	if resp, _ := do("PUT", "/box/copy", nil, "X-Amz-Copy-Source", "/box/k", "X-Amz-Source-Expected-Bucket-Owner", stranger); resp.StatusCode != 403 {
		t.Errorf("a copy from another's bucket: %s", resp.Status)
	}
	if _, text := do("GET", "/box/k", nil); text != "mine" {
		t.Errorf("the object is now %q", text)
	}
}

func TestLocate(t *testing.T) {
	for address, want := range map[string]string{
		"https://b.s3.eu-west-1.amazonaws.com/k/l.json":    "b k/l.json",
		"https://b.s3.amazonaws.com/k":                     "b k",
		"https://dotted.name.s3.eu-west-1.amazonaws.com/k": "dotted.name k",
		"https://s3.eu-west-1.amazonaws.com/b/k":           "b k",
		"https://s3-eu-west-1.amazonaws.com/b/k":           "b k",
		"https://s3.amazonaws.com/b/k%20x":                 "b k x",
		"https://s3.cn-north-1.amazonaws.com.cn/b/k":       "b k",
		"http://localhost:4566/b/k":                        "b k",
		"http://127.0.0.1:2222/b/k":                        "b k",
		"http://b.localhost:4566/k":                        "b k",
		"http://b.s3.localhost:4566/k":                     "b k",
		"https://example.com/b/k":                          "is no host of S3",
		"https://s3.amazonaws.com.example.com/b/k":         "is no host of S3",
		"https://evil-s3.amazonaws.com/b/k":                "is no host of S3",
		"https://s3.amazonaws.com/b":                       "names no object",
		"file:///etc/passwd":                               "is no host of S3",
	} {
		bucket, key, err := Locate(address)
		got := bucket + " " + key
		if err != nil {
			got = err.Error()
		}
		if got != want && !(err != nil && strings.Contains(got, want)) {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestPublicPolicies(t *testing.T) {
	for policy, want := range map[string]bool{
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}`:                                                                        true,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]}}]}`:                                                                                                   true,
		`{"Statement":[{"Effect":"Deny","Principal":"*"}]}`:                                                                                                              false,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},"Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::1:x"}}}]}`: false,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`:                                           false,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Condition":{"StringLike":{"aws:Referer":"x"}}}]}`:                                                              true,
	} {
		if got := public([]byte(policy)); got != want {
			t.Errorf("%s: public %t, want %t", policy, got, want)
		}
	}
}

// A stack's bucket goes only when it is empty, and a public policy needs its
// block lifted first.
func TestProviders(t *testing.T) {
	s, do := newServer(t)
	types := s.Registrations()
	ctx := context.Background()
	req := stack.Request{Stack: stack.Ref{Name: "App"}, LogicalID: "Files", Token: "TOKEN0000000", Properties: map[string]any{}}
	made, err := types["AWS::S3::Bucket"].Provider.Create(ctx, req)
	if err != nil || made.PhysicalID != "app-files-token0000000" {
		t.Fatalf("create: %+v %v", made, err)
	}
	policy := stack.Request{Properties: map[string]any{"Bucket": made.PhysicalID, "PolicyDocument": map[string]any{
		"Statement": []any{map[string]any{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}}}}}
	if _, err := types["AWS::S3::BucketPolicy"].Provider.Create(ctx, policy); err == nil || !strings.Contains(err.Error(), "BlockPublicPolicy") {
		t.Errorf("a public policy: %v", err)
	}
	req.PhysicalID = made.PhysicalID
	req.Properties = map[string]any{"PublicAccessBlockConfiguration": map[string]any{"BlockPublicPolicy": "false"}, "VersioningConfiguration": map[string]any{"Status": "Enabled"}}
	if _, err := types["AWS::S3::Bucket"].Provider.Update(ctx, req); err != nil {
		t.Fatal(err)
	}
	if _, err := types["AWS::S3::BucketPolicy"].Provider.Create(ctx, policy); err != nil {
		t.Errorf("with the block lifted: %v", err)
	}
	do("PUT", "/"+made.PhysicalID+"/k", strings.NewReader("x"))
	do("DELETE", "/"+made.PhysicalID+"/k", nil)
	if err := types["AWS::S3::Bucket"].Provider.Delete(ctx, req); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a bucket with versions: %v", err)
	}
	if err := s.Serve("folder", "", fstest.MapFS{"a": {Data: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	if err := types["AWS::S3::Bucket"].Provider.Delete(ctx, stack.Request{PhysicalID: "folder"}); err != nil {
		t.Errorf("a bucket that only shows a folder: %v", err)
	}
}

// TestFolderOddities shows a folder under a prefix, with files that are none.
func TestFolderOddities(t *testing.T) {
	s, do := newServer(t)
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	folder, err := fs.Sub(root.FS(), "public")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve("site", "pre/", folder); err != nil {
		t.Fatal(err)
	}
	if _, text := do("GET", "/site/?list-type=2", nil); strings.Contains(text, "<Contents>") {
		t.Errorf("a folder that is not there: %s", text)
	}
	outside := filepath.Join(t.TempDir(), "secret")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "public", "sub"), 0o755),
		os.WriteFile(filepath.Join(dir, "public", "ü ñ.txt"), []byte("text"), 0o644),
		os.WriteFile(filepath.Join(dir, "lib.js"), []byte("lib"), 0o644),
		os.WriteFile(outside, []byte("secret"), 0o644),
		os.Symlink("../lib.js", filepath.Join(dir, "public", "lib.js")),
		os.Symlink(outside, filepath.Join(dir, "public", "out")),
		os.Symlink("nowhere", filepath.Join(dir, "public", "broken")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]string{"pre/%C3%BC%20%C3%B1.txt": "text", "pre/lib.js": "lib"} {
		if resp, text := do("GET", "/site/"+key, nil); text != want {
			t.Errorf("%s: %s %q", key, resp.Status, text)
		}
	}
	for _, key := range []string{"lib.js", "pre/out", "pre/broken", "pre/sub", "pre/lib.js/x", "pre/../lib.js", "pre/" + strings.Repeat("x", 1000)} {
		if resp, text := do("GET", "/site/"+key, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%.40s: %s %.200q", key, resp.Status, text)
		}
	}
	if _, text := do("GET", "/site/?list-type=2", nil); strings.Count(text, "<Contents>") != 2 || strings.Contains(text, "pre/out") {
		t.Errorf("list: %s", text)
	}
}

func FuzzDechunk(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"))
	f.Add([]byte("5;chunk-signature=abc\r\nhello\r\n0;chunk-signature=abc\r\n\r\n"))
	f.Add([]byte("ffffffffff\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := io.ReadAll(&chunks{in: bufio.NewReader(bytes.NewReader(data)), trailer: http.Header{}})
		if err == nil && len(body) > len(data) {
			t.Errorf("%d bytes came out of %d", len(body), len(data))
		}
	})
}

// TestCORS asks as browsers do, of a bucket whose rules came by a template and
// of one whose rules came by the API.
func TestCORS(t *testing.T) {
	s, do := newServer(t)
	ctx := context.Background()
	bucket := s.Registrations()["AWS::S3::Bucket"].Provider
	rules := func(rule map[string]any) map[string]any {
		return map[string]any{"BucketName": "pages", "CorsConfiguration": map[string]any{"CorsRules": []any{rule}}}
	}
	for _, wrong := range []map[string]any{
		{"AllowedMethods": []any{"PATCH"}, "AllowedOrigins": []any{"*"}},
		{"AllowedMethods": []any{"GET"}, "AllowedOrigins": []any{"*.*"}},
		{"AllowedMethods": []any{"GET"}},
		{"AllowedMethods": []any{"GET"}, "AllowedOrigins": []any{"*"}, "AllowedOrigin": "*"},
	} {
		if _, err := bucket.Create(ctx, stack.Request{LogicalID: "B", Properties: rules(wrong)}); err == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
	request := stack.Request{LogicalID: "B", PhysicalID: "pages", Properties: rules(map[string]any{
		"AllowedMethods": []any{"GET", "HEAD"}, "AllowedOrigins": []any{"*"}, "AllowedHeaders": []any{"*"}, "ExposedHeaders": []any{"ETag"}, "MaxAge": "60"})}
	if _, err := bucket.Create(ctx, request); err != nil {
		t.Fatal(err)
	}
	do("PUT", "/pages/a.txt", strings.NewReader("abc"))
	do("PUT", "/mine", nil)
	do("PUT", "/mine/a.txt", strings.NewReader("abc"))
	const page = "http://localhost:3333"
	headers := func(h http.Header) string {
		var said []string
		for _, name := range []string{"Origin", "Methods", "Headers", "Credentials"} {
			if v := h.Get("Access-Control-Allow-" + name); v != "" {
				said = append(said, name+"="+v)
			}
		}
		return strings.Join(append(said, h.Get("Access-Control-Expose-Headers")), " ")
	}
	ask := func(method, path, want string, header ...string) {
		t.Helper()
		resp, body := do(method, path, nil, header...)
		if got := resp.Status[:3] + " " + headers(resp.Header); got != want {
			t.Errorf("%s %s %v: %q, want %q\n%s", method, path, header, got, want, body)
		}
	}
	ask("GET", "/pages/a.txt", "200 Origin=* Methods=GET, HEAD ETag", "Origin", page)
	ask("GET", "/pages/a.txt", "206 Origin=* Methods=GET, HEAD ETag", "Origin", page, "Range", "bytes=0-1")
	ask("GET", "/pages/none", "404 Origin=* Methods=GET, HEAD ETag", "Origin", page)
	ask("GET", "/pages/a.txt", "200 ")
	ask("PUT", "/pages/b.txt", "200 ", "Origin", page)
	ask("OPTIONS", "/pages/a.txt", "200 Origin=* Methods=GET, HEAD Headers=x-mine, range ETag", "Origin", page, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "X-Mine,range")
	ask("OPTIONS", "/pages/a.txt", "403 ", "Origin", page, "Access-Control-Request-Method", "PUT")
	ask("OPTIONS", "/pages/a.txt", "400 ", "Origin", page)
	ask("OPTIONS", "/mine/a.txt", "403 ", "Origin", page, "Access-Control-Request-Method", "GET")
	ask("GET", "/mine/a.txt", "200 ", "Origin", page)

	const xmlRule = `<CORSConfiguration xmlns="` + namespace + `"><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>http://localhost:*</AllowedOrigin></CORSRule></CORSConfiguration>`
	if resp, body := do("PUT", "/mine?cors", strings.NewReader(xmlRule)); resp.StatusCode != 200 {
		t.Fatal(body)
	}
	if resp, _ := do("PUT", "/mine?cors", strings.NewReader(`<CORSConfiguration/>`)); resp.StatusCode != 400 {
		t.Errorf("no rule at all: %s", resp.Status)
	}
	ask("GET", "/mine/a.txt", "200 Origin="+page+" Methods=GET Credentials=true ", "Origin", page)
	ask("GET", "/mine/a.txt", "200 ", "Origin", "http://127.0.0.1:3333")
	ask("OPTIONS", "/mine/a.txt", "403 ", "Origin", page, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "x-mine")

	// A template without rules takes them away.
	request.Properties = map[string]any{"BucketName": "pages"}
	if _, err := bucket.Update(ctx, request); err != nil {
		t.Fatal(err)
	}
	ask("GET", "/pages/a.txt", "200 ", "Origin", page)
}

package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/txtar"
)

var credentials = aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", SessionToken: "a+session/token=="}

// The handler runs in a real Node process against a real S3 protocol server.
// Each archive holds the bucket's objects (bucket/…), their headers, settings of
// the function, requests, and what is answered.
func TestAssetFunction(t *testing.T) {
	node := tool(t, "node")
	eachArchive(t, "asset", "want", func(t *testing.T, a *txtar.Archive) string {
		s3 := newBucket(t, a)
		fn := startNode(t, node, s3.URL, strings.Fields(partOf(a, "env")))
		var out strings.Builder
		for line := range strings.Lines(partOf(a, "requests")) {
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			fmt.Fprintf(&out, "> %s\n%s", line, show(t, fn.send(t, event(line)), s3.URL))
		}
		return out.String()
	})
}

// event reads "GET /path", then headers as "; name: value".
func event(line string) map[string]any {
	parts := strings.Split(line, "; ")
	method, path, _ := strings.Cut(parts[0], " ")
	headers := map[string]string{}
	for _, h := range parts[1:] {
		name, value, _ := strings.Cut(h, ": ")
		headers[name] = value
	}
	return map[string]any{
		"version": "2.0", "rawPath": path, "headers": headers,
		"requestContext": map[string]any{"http": map[string]string{"method": method}, "stage": "$default"},
	}
}

type answered struct {
	StatusCode      int
	Headers         map[string]string
	Body            string
	IsBase64Encoded bool
}

var (
	signatures = regexp.MustCompile(`X-Amz-(Credential|Date|Signature|Security-Token)=[^&]*`)
	longBody   = 500
)

// show prints an answer without what differs from run to run.
func show(t *testing.T, a answered, endpoint string) string {
	var out strings.Builder
	fmt.Fprintln(&out, a.StatusCode)
	for _, name := range sortedKeys(a.Headers) {
		value := signatures.ReplaceAllString(strings.ReplaceAll(a.Headers[name], endpoint, "http://s3"), "X-Amz-$1=…")
		if name == "last-modified" {
			value = "…"
		}
		fmt.Fprintf(&out, "%s: %s\n", name, value)
	}
	switch {
	case len(a.Body) > longBody:
		fmt.Fprintf(&out, "(%d characters, base64 %t)\n", len(a.Body), a.IsBase64Encoded)
	case a.IsBase64Encoded:
		fmt.Fprintf(&out, "base64 %s\n", a.Body)
	case a.Body != "":
		fmt.Fprintf(&out, "%s\n", strings.TrimSuffix(a.Body, "\n"))
	}
	out.WriteString("\n")
	return out.String()
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// newBucket starts S3 with the archive's objects in a bucket named site. It
// refuses reads that are not signed as the AWS SDK would sign them.
func newBucket(t *testing.T, a *txtar.Archive) *httptest.Server {
	fake := gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true)).Server()
	headers := map[string]http.Header{}
	for line := range strings.Lines(partOf(a, "headers")) {
		file, h, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(h, ": ")
		if headers[file] == nil {
			headers[file] = http.Header{}
		}
		if name == "Cache-Control" {
			name = "X-Amz-Meta-" + name
		}
		headers[file].Set(name, value)
	}
	put := func(name string, body []byte) {
		if headers[name].Get("Content-Encoding") == "gzip" {
			body = gzipped(body)
		}
		r := httptest.NewRequest("PUT", (&url.URL{Path: "/site/" + name}).EscapedPath(), bytes.NewReader(body))
		for h, values := range headers[name] {
			r.Header[h] = values
		}
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		w := httptest.NewRecorder()
		if fake.ServeHTTP(w, r); w.Code != 200 {
			t.Fatalf("put %s: %d %s", name, w.Code, w.Body)
		}
	}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, "bucket/"); ok {
			put(name, f.Data)
		}
	}
	for line := range strings.Lines(partOf(a, "sizes")) {
		name, size, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		put(name, bytes.Repeat([]byte("\x00"), n))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := checkSignature(r); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		// The fake keeps no Cache-Control; it travels as metadata of the user's.
		answer := httptest.NewRecorder()
		fake.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[strings.TrimPrefix(name, "X-Amz-Meta-")] = values
		}
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	return server
}

func gzipped(body []byte) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.NoCompression) // the same bytes from every release of Go
	z.Write(body)
	z.Close()
	return out.Bytes()
}

var signedHeaders = regexp.MustCompile(`SignedHeaders=([^,]*), Signature=([0-9a-f]*)`)

// checkSignature signs the same request with the AWS SDK and compares.
func checkSignature(r *http.Request) error {
	got := signedHeaders.FindStringSubmatch(r.Header.Get("Authorization"))
	if got == nil {
		return fmt.Errorf("no signature in %q", r.Header.Get("Authorization"))
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return err
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.EscapedPath(), nil)
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(got[1], ";") {
		if name != "host" {
			again.Header.Set(name, r.Header.Get(name))
		}
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(context.Background(), credentials, again, r.Header.Get("X-Amz-Content-Sha256"), "s3", "eu-west-1", at); err != nil {
		return err
	}
	if want := signedHeaders.FindStringSubmatch(again.Header.Get("Authorization")); want == nil || want[2] != got[2] {
		return fmt.Errorf("signed as %v, the SDK signs as %v", got, want)
	}
	return nil
}

// running is the asset function in a Node process.
type running struct {
	in  io.Writer
	out *bufio.Reader
	log *bytes.Buffer
}

// startNode unpacks the bundle as Lambda would and runs its handler.
func startNode(t *testing.T, node, endpoint string, env []string) *running {
	dir := t.TempDir()
	for _, f := range Asset().Files {
		body, err := io.ReadAll(must(f.Open()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f.Path), body, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	drive, err := filepath.Abs("testdata/asset/drive.mjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, drive, filepath.Join(dir, "index.mjs"))
	cmd.Env = append([]string{
		"AWS_ENDPOINT_URL_S3=" + endpoint, "AWS_REGION=eu-west-1", "ARC_STATIC_BUCKET=site",
		"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey, "AWS_SESSION_TOKEN=" + credentials.SessionToken,
	}, env...)
	fn := &running{log: new(bytes.Buffer)}
	cmd.Stderr = fn.log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	fn.in, fn.out = in, bufio.NewReaderSize(out, 1<<20)
	return fn
}

func (fn *running) send(t *testing.T, event any) (a answered) {
	t.Helper()
	line, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fn.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	got, err := fn.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, fn.log)
	}
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// S3's own faults must neither reach the browser nor, when passing, be noticed.
func TestAssetFaults(t *testing.T) {
	node := tool(t, "node")
	denied := `<Error><Code>AccessDenied</Code><Message>secret-bucket</Message></Error>`
	for _, test := range []struct {
		name   string
		serve  func(n int, w http.ResponseWriter)
		status int
	}{
		{"missing and not told so", func(n int, w http.ResponseWriter) { w.WriteHeader(403); io.WriteString(w, denied) }, 404},
		{"wrong key", func(n int, w http.ResponseWriter) {
			w.WriteHeader(403)
			io.WriteString(w, strings.Replace(denied, "AccessDenied", "InvalidAccessKeyId", 1))
		}, 502},
		{"no such bucket", func(n int, w http.ResponseWriter) {
			w.WriteHeader(404)
			io.WriteString(w, strings.Replace(denied, "AccessDenied", "NoSuchBucket", 1))
		}, 502},
		{"slow down once", func(n int, w http.ResponseWriter) {
			if n == 1 {
				w.WriteHeader(503)
			}
		}, 200},
		{"slow down always", func(n int, w http.ResponseWriter) { w.WriteHeader(503) }, 502},
		{"bucket in another region", func(n int, w http.ResponseWriter) {
			if n == 1 {
				w.Header().Set("x-amz-bucket-region", "ap-south-1")
				w.WriteHeader(400)
			}
		}, 200},
		{"dropped connection", func(n int, w http.ResponseWriter) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
		}, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := 0
			var last string
			s3 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/static.json") {
					http.NotFound(w, r)
					return
				}
				n++
				last = r.Header.Get("Authorization")
				test.serve(n, w)
			}))
			defer s3.Close()
			fn := startNode(t, node, s3.URL, []string{"ARC_STATIC_BUCKET=secret-bucket"})
			a := fn.send(t, event("GET /_static/a.css"))
			if a.StatusCode != test.status {
				t.Errorf("answered %d, want %d; log: %s", a.StatusCode, test.status, fn.log)
			}
			if said := fmt.Sprint(a); strings.Contains(said, "secret-bucket") || strings.Contains(said, "index.mjs") {
				t.Errorf("answer tells too much: %s", said)
			}
			if test.name == "bucket in another region" && !strings.Contains(last, "/ap-south-1/s3/") {
				t.Errorf("signed for the wrong region: %s", last)
			}
		})
	}
}

// The two worked examples of AWS's own documentation:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
func TestAssetSignsAsDocumented(t *testing.T) {
	script := `import { address, presign, sign } from '` + must(filepath.Abs("asset/s3.mjs")) + `'
const env = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', AWS_REGION: 'us-east-1' }
const now = new Date('2013-05-24T00:00:00.000Z')
const url = new URL('https://examplebucket.s3.amazonaws.com/test.txt')
console.log(sign({ method: 'GET', url, headers: { range: 'bytes=0-9' }, env, now }).authorization.split('Signature=')[1])
console.log(presign({ url, seconds: 86400, env, now }).split('Signature=')[1])
console.log(address('site', "a b/c'(d)!*é.txt", env).href)
console.log(address('my.site', 'x', env).href)
console.log(address('site', 'x', { AWS_REGION: 'cn-north-1' }).href)
console.log(address('site', 'x', { AWS_ENDPOINT_URL: 'http://localhost:3333/s3/', ...env }).href)
console.log(address('site', 'x', { AWS_ENDPOINT_URL: 'http://no', AWS_ENDPOINT_URL_S3: 'http://localhost:1' }).href)
`
	cmd := exec.Command(tool(t, "node"), "--input-type=module")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := `f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41
aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404
https://site.s3.us-east-1.amazonaws.com/a%20b/c%27%28d%29%21%2A%C3%A9.txt
https://s3.us-east-1.amazonaws.com/my.site/x
https://site.s3.cn-north-1.amazonaws.com.cn/x
http://localhost:3333/s3/site/x
http://localhost:1/site/x
`
	if string(out) != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

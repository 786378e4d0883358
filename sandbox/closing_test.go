package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"arc/deploy"
	"arc/sandbox/activity"
)

// TestOpen: an answer that begins when the cloud's end has begun reaches nobody.
func TestOpen(t *testing.T) {
	var closing atomic.Bool
	server := httptest.NewServer(open{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/during":
			closing.Store(true)
			w.WriteHeader(http.StatusNotFound)
		case "/within":
			io.WriteString(w, "half")
			closing.Store(true)
		}
		io.WriteString(w, " whole")
	}), "this", &closing})
	defer server.Close()
	for _, c := range []struct {
		path string
		want string // "" = no answer
	}{{"/", "200  whole"}, {"/within", "200 half whole"}, {"/during", ""}, {"/after", ""}} {
		closing.Store(c.path == "/after")
		got := ""
		resp, err := http.Get(server.URL + c.path)
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			got = resp.Status[:3] + " " + string(body)
		}
		if got != c.want || c.want == "" && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %q %v, want %q", c.path, got, err, c.want)
		}
	}
	closing.Store(false)
	for id, want := range map[string]int{"this": 200, "other": 421} {
		req, err := http.NewRequest("GET", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(deploy.CloudHeader, id)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("a request for %s: %s", id, resp.Status)
		}
	}
	closing.Store(true)
	w := httptest.NewRecorder() // whose connection is not ours
	open{nil, "this", &closing}.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Connection") != "close" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestEndingCloudSaysNothing: a cloud that ends does not tell that buckets and stacks are
// not there, which a deploy would believe.
func TestEndingCloudSaysNothing(t *testing.T) {
	c, err := Start(Options{Project: t.TempDir(), Registry: Registry{Dir: filepath.Join(t.TempDir(), "arc", "local")}, Region: "us-west-2", Path: os.Getenv("PATH"), Tell: activity.Tell(nil).Or()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ask := func() (string, error) {
		req, err := http.NewRequest(http.MethodHead, c.Running().Endpoint+"/none", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/s3/aws4_request, SignedHeaders=host, Signature="+strings.Repeat("0", 64))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		resp.Body.Close()
		return resp.Status, nil
	}
	if status, err := ask(); status != "404 Not Found" {
		t.Fatal(status, err)
	}
	c.closing.Store(true)
	if status, err := ask(); !errors.Is(err, io.EOF) {
		t.Error(status, err)
	}
}

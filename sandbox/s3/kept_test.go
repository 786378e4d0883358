package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"arc/sandbox/door"
	"arc/sandbox/journal"
)

// keeping starts a server over what is kept in a folder.
func keeping(t *testing.T, dir string) (s *Server, ask func(method, path, body string, header ...string) string, warned *[]string) {
	t.Helper()
	log, err := journal.Open(filepath.Join(dir, "s3.log"))
	if err != nil {
		t.Fatal(err)
	}
	warned = &[]string{}
	s = New(Options{
		Account: "123456789012", Region: "eu-west-1", Scratch: t.TempDir(), Kept: filepath.Join(dir, "objects"),
		Warn: func(text string) { *warned = append(*warned, text) },
	})
	if err := s.Restore(log); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(door.Bodies(door.NewBudget(64<<20), s))
	t.Cleanup(func() { web.Close(); s.Close(context.Background()); log.Close() })
	return s, func(method, path, body string, header ...string) string {
		t.Helper()
		req, err := http.NewRequest(method, web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
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
		out := resp.Status
		for _, name := range []string{"ETag", "Content-Type", "Cache-Control", "X-Amz-Meta-Who", "X-Amz-Version-Id", "Last-Modified"} {
			if value := resp.Header.Get(name); value != "" {
				out += " " + name + "=" + value
			}
		}
		if len(text) > 4096 {
			text = fmt.Appendf(nil, "%d bytes", len(text))
		}
		return out + "\n" + string(text)
	}, warned
}

// everything is all that a client can see.
func everything(ask func(method, path, body string, header ...string) string) string {
	var out strings.Builder
	list := ask("GET", "/", "")
	out.WriteString(list)
	for _, b := range regexp.MustCompile(`<Name>([^<]*)</Name>`).FindAllStringSubmatch(list, -1) {
		bucket := "/" + b[1]
		for _, query := range []string{"?versioning", "?policy", "?tagging", "?cors", "?uploads", "?encryption"} {
			out.WriteString(ask("GET", bucket+query, ""))
		}
		versions := ask("GET", bucket+"?versions", "")
		out.WriteString(versions)
		for _, v := range regexp.MustCompile(`<Key>([^<]*)</Key><VersionId>([^<]*)</VersionId>`).FindAllStringSubmatch(strings.ReplaceAll(versions, "\n", ""), -1) {
			out.WriteString(ask("GET", bucket+"/"+v[1]+"?versionId="+v[2], ""))
		}
		plain := ask("GET", bucket+"?list-type=2", "")
		out.WriteString(plain)
		for _, k := range regexp.MustCompile(`<Key>([^<]*)</Key>`).FindAllStringSubmatch(plain, -1) {
			out.WriteString(ask("GET", bucket+"/"+k[1], ""))
			out.WriteString(ask("GET", bucket+"/"+k[1]+"?tagging", ""))
		}
	}
	return regexp.MustCompile(`<RequestId>[^<]*</RequestId>|<HostId>[^<]*</HostId>`).ReplaceAllString(out.String(), "")
}

// copyOf is what a process that is killed now leaves.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// After every answer, what is on the disk is all that a client sees: the process
// may end then, and the next one has it.
func TestKept(t *testing.T) {
	dir := t.TempDir()
	_, ask, _ := keeping(t, dir)
	long := strings.Repeat("0123456789", 40_000)
	upload, etags := "", map[int]string{}
	part := func(number int, text string) func() string {
		return func() string {
			got := ask("PUT", fmt.Sprintf("/box/joined?partNumber=%d&uploadId=%s", number, upload), text)
			_, rest, _ := strings.Cut(got, "ETag=")
			etags[number] = strings.Fields(rest)[0]
			return got
		}
	}
	plain := func(method, path, body string, header ...string) func() string {
		return func() string { return ask(method, path, body, header...) }
	}
	for i, step := range []func() string{
		plain("PUT", "/box", ""),
		plain("PUT", "/box/short", "one", "Content-Type", "text/plain", "Cache-Control", "no-store", "X-Amz-Meta-Who", "ann"),
		plain("PUT", "/box/long", long),
		plain("PUT", "/box/none", ""),
		plain("PUT", "/box/short", "two"),
		plain("PUT", "/box/a%20key/with ünicode", "three"),
		plain("PUT", "/box/copy", "", "X-Amz-Copy-Source", "/box/long"),
		plain("DELETE", "/box/long", ""),
		plain("PUT", "/box?tagging", `<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>`),
		plain("PUT", "/box/short?tagging", `<Tagging><TagSet/></Tagging>`),
		plain("DELETE", "/box?tagging", ""),
		func() string {
			got := ask("POST", "/box/joined?uploads", "", "X-Amz-Meta-Who", "bob")
			upload = regexp.MustCompile(`<UploadId>([^<]*)`).FindStringSubmatch(got)[1]
			return got
		},
		part(1, strings.Repeat("x", 5<<20)), part(2, "first"), part(2, "end"),
		func() string {
			return ask("POST", "/box/joined?uploadId="+upload, fmt.Sprintf(`<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part><Part><PartNumber>2</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>`, etags[1], etags[2]))
		},
		plain("POST", "/box/dropped?uploads", ""),
		plain("PUT", "/box?versioning", `<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`),
		plain("PUT", "/box/short", "three"),
		plain("PUT", "/box/short", "four"),
		plain("DELETE", "/box/short", ""),
		plain("DELETE", "/box/short?versionId=null", ""),
		plain("PUT", "/box?versioning", `<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>`),
		plain("PUT", "/box/short", "null again"),
		plain("POST", "/box?delete", `<Delete><Object><Key>copy</Key></Object><Object><Key>none</Key></Object></Delete>`),
		plain("PUT", "/empty", ""),
		plain("DELETE", "/empty", ""),
	} {
		if got := step(); !strings.HasPrefix(got, "20") {
			t.Fatalf("step %d: %s", i, got)
		}
		want := everything(ask)
		killed := copyOf(t, dir)
		_, again, warned := keeping(t, killed)
		if got := everything(again); got != want || len(*warned) > 0 {
			t.Errorf("after step %d:\n%s\nthe next run has\n%s\n%q", i, want, got, *warned)
		}
		files, err := os.ReadDir(filepath.Join(killed, "objects"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		named, err := os.ReadFile(filepath.Join(killed, "s3.log"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.Contains(string(named), `"`+f.Name()+`"`) {
				t.Errorf("after step %d: nothing names the file %s", i, f.Name())
			}
		}
	}
}

// A file that nothing names is deleted, one that is not whole is told, and the
// bytes that others hold stay.
func TestKeptAfterCrash(t *testing.T) {
	dir := t.TempDir()
	s, ask, _ := keeping(t, dir)
	ask("PUT", "/box", "")
	ask("PUT", "/box/whole", "whole")
	ask("PUT", "/box/torn", strings.Repeat("torn", 1000))
	if err := s.Put("passing", "key", []byte("of this run")); err != nil {
		t.Fatal(err)
	}
	killed := copyOf(t, dir)
	objects := filepath.Join(killed, "objects")
	if err := os.WriteFile(filepath.Join(objects, "orphan"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(objects)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.Size() == 4000 {
			if err := os.Truncate(filepath.Join(objects, f.Name()), 17); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, again, warned := keeping(t, killed)
	if got := strings.Join(*warned, "\n"); !strings.HasPrefix(got, "object torn in bucket box is lost: ") || !strings.HasSuffix(got, "has 17 bytes, and had 4000") {
		t.Error(got)
	}
	if got := again("GET", "/box/whole", ""); !strings.HasSuffix(got, "\nwhole") {
		t.Error(got)
	}
	if got := again("GET", "/box/torn", ""); !strings.HasPrefix(got, "404") {
		t.Error(got)
	}
	if got := again("GET", "/passing/key", ""); !strings.HasPrefix(got, "404") {
		t.Error(got)
	}
	if files, err = os.ReadDir(objects); err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
	_, third, warned := keeping(t, killed)
	if len(*warned) > 0 || !strings.HasSuffix(third("GET", "/box/whole", ""), "\nwhole") {
		t.Errorf("told again: %q", *warned)
	}
}

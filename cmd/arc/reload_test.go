package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/rogpeppe/go-internal/txtar"
)

const reloadApp = `
-- app.arc --
@app
reloadapp
@http
get /
-- prefs.arc --
@sandbox
livereload true
-- src/http/get-index/index.mjs --
export const handler = async () => ({ statusCode: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><main>one</main>' })
`

// TestPagesReload has a real browser show a page while its code is saved, broken
// and mended: the page follows by itself, and shows the error in place.
func TestPagesReload(t *testing.T) {
	t.Parallel()
	chromium := lookTool(t, "chromium")
	lookTool(t, "node")
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	archive := txtar.Parse([]byte(reloadApp))
	for _, f := range archive.Files {
		write(f.Name, string(f.Data))
	}
	handler := string(archive.Files[2].Data)
	url := startArc(t, buildArc(t), dir, "sandbox", "--port", fmt.Sprint(freePort(t))).url(t, "HTTP")

	tab, closeTab := chromedp.NewContext(startBrowser(t, chromium))
	defer closeTab()
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	ctx, cancel := context.WithTimeout(tab, 60*time.Second)
	defer cancel()
	shows := func(word string) {
		t.Helper()
		// A page that goes away while it is asked is asked again.
		var err error
		for ctx.Err() == nil {
			var text string
			if text, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.body?.innerText ?? ''`)); err == nil && strings.Contains(text, word) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatalf("the page never shows %q: %v", word, err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	shows("one")
	write("src/http/get-index/index.mjs", strings.Replace(handler, "one", "two", 1))
	shows("two")
	write("src/http/get-index/index.mjs", "import 'nowhere-to-be-found'\n"+handler)
	shows("nowhere-to-be-found")
	write("src/http/get-index/index.mjs", strings.Replace(handler, "one", "three", 1))
	shows("three")

	// So do files of the static folder, also where other tools would have theirs.
	write("public/vendor/word.js", "document.body.append('vendored')")
	write("src/http/get-index/index.mjs", strings.Replace(handler, "<main>one</main>", `<body><script src="/_static/vendor/word.js"></script>`, 1))
	shows("vendored")
	write("public/vendor/word.js", "document.body.append('renewed')")
	shows("renewed")
	write("src/http/get-index/index.mjs", strings.Replace(handler, "one", "three", 1))
	shows("three")

	// A program gets what the function gave; so does everybody when it is off.
	plain := func(dest string) string {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if dest != "" {
			req.Header.Set("Sec-Fetch-Dest", dest)
			req.Header.Set("Sec-Fetch-Site", "none")
			req.Header.Set("Sec-Fetch-Mode", "navigate")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	const page = "<!doctype html><main>three</main>"
	if got := plain(""); got != page {
		t.Errorf("a program gets %s", got)
	}
	if got := plain("document"); !strings.HasPrefix(got, page) || !strings.Contains(got, "/_arc/reload.js") {
		t.Errorf("a browser gets %s", got)
	}
	write("prefs.arc", "@sandbox\nlivereload false\n")
	for deadline := time.Now().Add(20 * time.Second); plain("document") != page; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("switched off, a browser gets %s", plain("document"))
		}
	}
}

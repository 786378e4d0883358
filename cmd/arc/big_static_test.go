package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBigStaticFile has a real browser fetch, from the app's own page, files
// that are too large for a function's answer and come from the bucket: another
// origin, which S3 lets pages read only where the template says so.
func TestBigStaticFile(t *testing.T) {
	t.Parallel()
	chromium := lookTool(t, "chromium")
	lookTool(t, "node")
	arc := buildArc(t)
	app := t.TempDir()
	module := append([]byte("export const answer = 42\n//"), bytes.Repeat([]byte("x"), 5_000_000)...)
	for name, content := range map[string][]byte{
		"app.arc":           []byte("@app\nbigapp\n@static\n"),
		"public/index.html": []byte("<!doctype html><title>big</title>"),
		"public/big.bin":    bytes.Repeat([]byte("0123456789"), 700_000),
		"public/big.mjs":    module,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(app, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(app, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	browser := startBrowser(t, chromium)
	for _, command := range [][]string{{"sandbox", "--port", fmt.Sprint(freePort(t))}, {"deploy", "--local"}} {
		t.Run(command[0], func(t *testing.T) {
			p := startArc(t, arc, app, command...)
			page := openWindow(t, browser, p.url(t, "HTTP"))
			for name, script := range map[string]string{
				"whole":       `fetch('/_static/big.bin', { cache: 'no-store' }).then(async r => [ r.redirected, r.status, (await r.arrayBuffer()).byteLength, r.headers.get('etag') !== null ].join())`,
				"range":       `fetch('/_static/big.bin', { cache: 'no-store', headers: { range: 'bytes=1000001-6000000' } }).then(async r => [ r.redirected, r.status, r.headers.get('content-range'), (await r.text()).slice(0, 3) ].join())`,
				"short range": `fetch('/_static/big.bin', { cache: 'no-store', headers: { range: 'bytes=1000001-1000003' } }).then(async r => [ r.redirected, r.status, r.headers.get('content-range'), await r.text() ].join())`,
				"asks first":  `fetch('/_static/big.bin', { cache: 'no-store', headers: { 'x-mine': '1' } }).then(async r => [ r.redirected, r.status, (await r.arrayBuffer()).byteLength ].join())`,
				"module":      `import('/_static/big.mjs').then(m => String(m.answer))`,
			} {
				want := map[string]string{
					"whole":       "true,200,7000000,true",
					"range":       "true,206,bytes 1000001-6000000/7000000,123",
					"short range": "false,206,bytes 1000001-1000003/7000000,123",
					"asks first":  "true,200,7000000",
					"module":      "42",
				}[name]
				key := fmt.Sprintf("%q", name)
				page.do(chromedp.Evaluate[chromedp.Void](`(window.got ??= {}, ` + script + `.catch(String).then(x => { window.got[` + key + `] = x }), undefined)`))
				page.do(holds(`window.got[` + key + `] !== undefined`))
				if got, err := chromedp.Run(page.tab, chromedp.Evaluate[string](`window.got[`+key+`]`)); err != nil || got != want {
					t.Errorf("%s: %q, %v; want %q", name, got, err, want)
				}
			}
			page.close()
		})
	}
}

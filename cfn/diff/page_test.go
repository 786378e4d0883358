package diff_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/cfn/diff"
	"arc/cfn/diff/face"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestPageInBrowser shows a review in Chromium, narrow and wide, light and dark:
// nothing scrolls sideways, what to look at first comes before the pictures, with
// its class in a word, a picture opens at its full size on its own, and it
// prints. ARC_SCREENSHOTS names a folder to put pictures of the page in.
func TestPageInBrowser(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed")
	}
	ar, err := txtar.ParseFile("testdata/pictures/notes.txtar")
	if err != nil {
		t.Fatal(err)
	}
	before, _ := compileSide(t, ar, "before/")
	after, stack := compileSide(t, ar, "after/")
	review := diff.Compose(before, after, diff.Options{Stack: stack.Name, Before: "main", After: "working tree", Origin: originOf(stack), Name: nameOf(stack), Cost: "us-east-1"})
	var b bytes.Buffer
	if err := face.HTML(&b, review, face.Pictures(before, after, review, func(string) string { return "" })); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "review.html")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox)
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()
	does(t, ctx, chromedp.Navigate("about:blank")) // the browser lives as long as this context
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, width := range []int64{390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 844, DeviceScaleFactor: 1, Mobile: width < 500})
			call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			does(t, ctx, chromedp.Navigate("file://"+file))
			scroll := does(t, ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			order := does(t, ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('h1, h2, .dangers li, figure img')].map(e => e.tagName + ' ' + e.textContent)`))
			shot := does(t, ctx, chromedp.FullScreenshot(100))
			nodes := call(t, ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
			if scroll > width {
				t.Errorf("at %d columns (%s) the page is %d wide", width, scheme, scroll)
			}
			if dir := os.Getenv("ARC_SCREENSHOTS"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("review-%d-%s.png", width, scheme)), shot, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			dangers := 0
			for _, c := range review.Classes {
				dangers += c.Count
			}
			if len(order) < dangers+3 || !strings.HasPrefix(order[0], "H1 ") || order[1] != "H2 To look at first" {
				t.Fatalf("the page begins with %q", order)
			}
			for _, line := range order[2 : 2+dangers] {
				class, _, found := strings.Cut(strings.TrimPrefix(line, "LI "), ": ")
				if i := strings.LastIndexAny(class, "0123456789"); i >= 0 { // its line stands before it
					class = class[i+1:]
				}
				if !found || !isClass(class) {
					t.Errorf("a danger has no class word: %q", line)
				}
			}
			checkTree(t, nodes, dangers)
		}
	}
	// A picture opens on its own, as large as it is.
	call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 844, DeviceScaleFactor: 1, Mobile: true})
	does(t, ctx, chromedp.Navigate("about:blank"))
	does(t, ctx, chromedp.Navigate("file://"+file+"#picture-1"))
	natural := does(t, ctx, chromedp.Evaluate[int64](`document.querySelector('#picture-1 img').naturalWidth`))
	shown := does(t, ctx, chromedp.Evaluate[int64](`document.querySelector('#picture-1 img').getBoundingClientRect().width | 0`))
	if dir := os.Getenv("ARC_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "picture.png"), does(t, ctx, chromedp.FullScreenshot(100)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	does(t, ctx, chromedp.Navigate("about:blank"))
	does(t, ctx, chromedp.Navigate("file://"+file))
	checkPrint(t, ctx)
	printed := call(t, ctx, page.PrintToPDF, page.PrintToPDFParams{}).Data
	if natural < 390 || shown < natural {
		t.Errorf("the picture is %d wide, and shown at %d", natural, shown)
	}
	if !bytes.HasPrefix(printed, []byte("%PDF")) {
		t.Error("it does not print")
	}
	if dir := os.Getenv("ARC_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "review.pdf"), printed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// checkPrint looks at the page as it prints, from a browser that is dark: in the colours
// of paper, with the resources that are folded on a screen, nothing beyond the edge and
// no picture taller than a sheet.
func checkPrint(t *testing.T, ctx context.Context) {
	t.Helper()
	call(t, ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 700, Height: 1000, DeviceScaleFactor: 1})
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	if color := does(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('.risk.danger')).color`)); color != "rgb(207, 34, 46)" {
		t.Errorf("a danger is printed in %s", color)
	}
	if back := does(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.documentElement).colorScheme`)); back != "light" {
		t.Errorf("it is printed on %s", back)
	}
	if height := does(t, ctx, chromedp.Evaluate[int64](`document.querySelector('details li').getBoundingClientRect().height | 0`)); height == 0 {
		t.Error("the resources are not printed")
	}
	if wide := does(t, ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > 700 {
		t.Errorf("%d columns do not fit on 700", wide)
	}
	if tall := does(t, ctx, chromedp.Evaluate[int64](`Math.max(...[...document.querySelectorAll('figure')].map(e => e.getBoundingClientRect().height)) | 0`)); tall > 1000 {
		t.Errorf("a picture is %d tall", tall)
	}
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
}

// does runs one action in the browser.
func does[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// call gives the browser a command of its protocol.
func call[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) R {
	t.Helper()
	v, err := chromedp.Call(ctx, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func isClass(word string) bool {
	for _, c := range diff.AllClasses() {
		if string(c) == word {
			return true
		}
	}
	return false
}

// checkTree looks at what a screen reader gets: one main part with headings in
// order, the list of dangers first, and a name for each picture.
func checkTree(t *testing.T, nodes []*accessibility.Node, dangers int) {
	t.Helper()
	text := func(v *accessibility.Value) string {
		if v == nil {
			return ""
		}
		return strings.Trim(string(v.Value), `"`)
	}
	var headings, pictures []string
	mains, items := 0, 0
	for _, n := range nodes {
		if n.Ignored {
			continue
		}
		switch text(n.Role) {
		case "main":
			mains++
		case "heading":
			headings = append(headings, text(n.Name))
		case "listitem":
			items++
		case "image", "img":
			pictures = append(pictures, text(n.Name))
		}
	}
	if mains != 1 || items < dangers || len(headings) < 4 || headings[1] != "To look at first" || headings[2] != "The app" {
		t.Errorf("%d main parts, %d items, headings %q", mains, items, headings)
	}
	if len(pictures) != 2 || pictures[0] != "picture of the app: main" {
		t.Errorf("pictures: %q", pictures)
	}
}

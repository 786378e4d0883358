package why

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPages: at least half of the causes have a page of AWS's documentation, and
// no page is of a cause that there is none of.
func TestPages(t *testing.T) {
	known, have := map[string]bool{}, 0
	for _, r := range rules {
		if known[r.code] {
			continue
		}
		known[r.code] = true
		page := Page(r.code)
		if page == "" {
			continue
		}
		have++
		if u, err := url.Parse(page); err != nil || u.Scheme != "https" || u.Host != "docs.aws.amazon.com" || !strings.HasSuffix(u.Path, ".html") {
			t.Errorf("%s: %s", r.code, page)
		}
	}
	if have*2 < len(known) {
		t.Errorf("%d of %d causes have a page", have, len(known))
	}
	text, err := os.ReadFile("pages.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile(`(?m)^\tcase (.*):$`).FindAllStringSubmatch(string(text), -1) {
		for code := range strings.SplitSeq(line[1], ", ") {
			if code = strings.Trim(code, `"`); !known[code] {
				t.Errorf("there is no cause %s", code)
			}
			if Page(code) == "" {
				t.Errorf("%s has no page", code)
			}
		}
	}
}

package deploy

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"arc/deploy/s3"
)

// published gives the keys in the order in which they went up.
func published(t *testing.T, cloud *account, static *Static) []string {
	t.Helper()
	d := demo("aaaa", "s3cr3t", nil)
	d.Static = static
	var keys []string
	s := &session{account: cloud}
	dp := Deployer{Clients: s.clients(), Progress: func(step Step) {
		if step.Kind == "publish" {
			keys = append(keys, strings.TrimPrefix(step.Message, "published "))
		}
	}}
	if _, err := dp.Deploy(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return keys
}

func staticObjects(t *testing.T, cloud *account) map[string]object {
	t.Helper()
	return cloud.objectsIn(t, cloud.physicalID(t, "StaticBucket"))
}

func TestStaticHeaders(t *testing.T) {
	for path, want := range map[string]headers{
		"index.html":         {"text/html; charset=utf-8", cacheNever},
		"a/INDEX.HTM":        {"text/html; charset=utf-8", cacheNever},
		"static.json":        {"application/json; charset=utf-8", cacheNever},
		"app.mjs":            {"text/javascript; charset=utf-8", ""},
		"app.ts":             {"text/typescript; charset=utf-8", ""},
		"logo.svg":           {"image/svg+xml; charset=utf-8", ""},
		"logo.png":           {"image/png", ""},
		"font-0123.woff2":    {"font/woff2", cacheForEver},
		"LICENSE":            {"application/octet-stream", ""},
		".well-known/thing":  {"application/octet-stream", ""},
		"dir.html/plain.txt": {"text/plain; charset=utf-8", ""},
	} {
		if got := headersOf(StaticFile{Path: path, Fingerprinted: strings.Contains(path, "-0123")}); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
}

func TestPublishesPagesLastAndOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		files := map[string]string{"about.html": "a", "app.js": "1", "index.html": "i", "style.css": "s", "zoo.js": "z"}
		keys := published(t, cloud, staticFiles(files))
		pages := keys[len(keys)-2:]
		if len(keys) != 5 || !slices.Equal(pages, []string{"about.html", "index.html"}) {
			t.Errorf("first: %q", keys)
		}
		if keys := published(t, cloud, staticFiles(files)); len(keys) != 0 {
			t.Errorf("unchanged: %q", keys)
		}
		files["app.js"] = "2"
		if keys := published(t, cloud, staticFiles(files)); !slices.Equal(keys, []string{"app.js"}) {
			t.Errorf("one changed: %q", keys)
		}
		// Published by a tool that sends other headers.
		for key, o := range staticObjects(t, cloud) {
			if strings.HasSuffix(key, ".js") {
				bucket := s3.Bucket{Name: cloud.physicalID(t, "StaticBucket")}
				err := cloud.clients().Uploads.PutObject(t.Context(), bucket, s3.Put{Key: key, Body: strings.NewReader(o.Body), ContentType: "application/javascript"})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if keys := published(t, cloud, staticFiles(files)); !slices.Equal(keys, []string{"app.js", "zoo.js"}) {
			t.Errorf("other headers: %q", keys)
		}
	})
}

func TestFingerprintedFilesGoBeforeTheStackChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		d := demo("bbbb", "s3cr3t", nil)
		d.Static = staticFiles(map[string]string{"app-0123.js": "1", "index.html": "i"})
		s, out := mustDeploy(t, cloud, d)
		early := slices.Index(s.calls, "PutObject")
		if early < 0 || early > slices.Index(s.calls, "ExecuteChangeSet") || out.Published != 2 {
			t.Errorf("%+v %q", out, s.calls)
		}
	})
}

func TestPruneStaysUnderThePrefixAndSparesTheIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		published(t, cloud, staticFiles(map[string]string{"site/old.js": "1", "site/uploads/me.png": "2", "sitemap.xml": "3", "elsewhere.js": "4"}))
		static := staticFiles(map[string]string{"new.js": "1"})
		static.Prefix = "site"
		published(t, cloud, static)
		if n := len(staticObjects(t, cloud)); n != 5 {
			t.Errorf("%d objects; nothing is pruned unasked", n)
		}
		static.Prune, static.Ignore = true, []string{"uploads/"}
		got := published(t, cloud, static)
		if diff := cmp.Diff([]string{"pruned site/old.js"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

package ci

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

func TestGolden(t *testing.T) {
	files, err := GitHub(shop())
	if err != nil {
		t.Fatal(err)
	}
	var archive txtar.Archive
	for _, f := range files {
		archive.Files = append(archive.Files, txtar.File{Name: f.Path, Data: f.Content})
	}
	got := txtar.Format(&archive)
	const golden = "testdata/shop.txtar"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("go test ./ci -update rewrites it\n%s", d)
	}
}

func TestActionlint(t *testing.T) {
	lint, err := exec.LookPath("actionlint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("actionlint is not installed")
		}
		t.Skip("actionlint is not installed: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")
	}
	for _, s := range []Setup{shop(), {App: "my-app", Region: "us-west-2", Repository: Repository{Owner: "a", Name: "b"}, Branch: "release/1.x", Role: "my-app-github"}} {
		files, err := GitHub(s)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "arc.yml")
		if err := os.WriteFile(file, files[0].Content, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(lint, "-no-color", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestActionlintOfReviews: both ways of --diff-only.
func TestActionlintOfReviews(t *testing.T) {
	lint, err := exec.LookPath("actionlint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("actionlint is not installed")
		}
		t.Skip("actionlint is not installed: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12")
	}
	for _, r := range []Review{
		{Templates: []string{"template.yaml", "a folder/$x 'q\".yaml"}, Source: "https://example.com/arc.git", Revision: strings.Repeat("a", 40)},
		{Templates: []string{"cdk.out"}, Synth: "npx cdk synth --quiet"},
	} {
		files, err := GitHubReview(r)
		if err != nil || len(files) != 1 {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "arc-diff.yml")
		if err := os.WriteFile(file, files[0].Content, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(lint, "-no-color", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	for _, bad := range [][]string{nil, {""}, {"a\nb"}, {"/etc/passwd"}, {"--x"}, {"a/${{ x }}"}} {
		if _, err := GitHubReview(Review{Templates: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestRemote(t *testing.T) {
	for remote, want := range map[string]string{
		"https://github.com/acme/shop.git":          "acme/shop",
		"https://github.com/acme/shop":              "acme/shop",
		"https://user:token@github.com/acme/shop":   "acme/shop",
		"git@github.com:acme/shop.js.git":           "acme/shop.js",
		"ssh://git@github.com/acme/shop.git":        "acme/shop",
		"https://gitlab.com/acme/shop.git":          "",
		"https://github.com.evil.example/acme/shop": "",
		"/srv/git/shop.git":                         "",
		"https://github.com/acme":                   "",
	} {
		got, err := ParseRemote(remote)
		if want == "" && err == nil || want != "" && (err != nil || got.String() != want) {
			t.Errorf("%s: %v %v", remote, got, err)
		}
	}
}

func FuzzRepository(f *testing.F) {
	for _, seed := range []string{"acme/shop", "acme@12/shop@34", "a/..", "a/b:pull_request", "*/*", "a@1/b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRepository(text)
		if err != nil {
			return
		}
		s := shop()
		s.Repository = r
		if _, err := GitHub(s); err != nil {
			t.Fatal(err)
		}
		// Nothing in a name may let in other repositories or other runs.
		for _, subject := range r.subjects("pull_request") {
			if strings.Count(subject, ":") != 2 || strings.Count(subject, "/") != 1 || strings.ContainsAny(subject, "*?$ \n") {
				t.Errorf("%q becomes %q", text, subject)
			}
		}
	})
}

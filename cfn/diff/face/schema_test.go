package face

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"arc/cfn/diff"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// goldens lists the goldens of a face.
func goldens(t *testing.T, ext string) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/*/*" + ext)
	if err != nil || len(files) < 12 {
		t.Fatalf("%d goldens: %v", len(files), err)
	}
	return files
}

func validate(t *testing.T, schema *jsonschema.Schema, files []string) {
	t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestSchema checks every JSON golden against the published schema.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/diff.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	files := goldens(t, ".json")
	for i, file := range files {
		if strings.HasPrefix(file, "../testdata/original/") { // a template
			files = append(files[:i:i], files[i+1:]...)
			break
		}
	}
	validate(t, schema, files)
}

// TestSARIFSchema checks every SARIF golden against the standard's schema, as
// Microsoft's package of test matchers ships it.
func TestSARIFSchema(t *testing.T) {
	dir := t.TempDir()
	pack := exec.Command("npm", "pack", "--silent", "--pack-destination", dir, "@microsoft/jest-sarif@1.0.0-beta.0")
	if out, err := pack.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm pack: %v\n%s", err, out)
		}
		t.Skipf("npm cannot get the schema: %v", err)
	}
	found, err := filepath.Glob(dir + "/*.tgz")
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(fileOf(t, found[0], "package/lib/schemas/sarif-2.1.0-rtm.5.json")))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sarif.json", v); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	validate(t, schema, goldens(t, ".sarif"))
}

func fileOf(t *testing.T, archive, name string) []byte {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		head, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if head.Name == name {
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
	}
}

// TestCodeScanning checks what GitHub asks of SARIF beyond the schema.
func TestCodeScanning(t *testing.T) {
	for _, file := range goldens(t, ".sarif") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal(data, &log); err != nil {
			t.Fatal(err)
		}
		rules := log.Runs[0].Tool.Driver.Rules
		for _, rule := range rules {
			if rule.ID == "" || rule.ShortDescription.Text == "" || rule.FullDescription.Text == "" || rule.Help.Text == "" {
				t.Errorf("%s: rule %+v", file, rule)
			}
		}
		seen := map[string]bool{}
		for _, result := range log.Runs[0].Results {
			hash := result.Fingerprints["primaryLocationLineHash"]
			if result.RuleID != rules[result.RuleIndex].ID || result.Message.Text == "" || hash == "" || seen[hash] || len(result.Locations) != 1 {
				t.Errorf("%s: %+v", file, result)
				continue
			}
			seen[hash] = true
			at := result.Locations[0].Physical
			uri, err := url.Parse(at.Artifact.URI)
			if err != nil || uri.IsAbs() || strings.HasPrefix(uri.Path, "/") || uri.Path == "" {
				t.Errorf("%s: uri %q: %v", file, at.Artifact.URI, err)
			}
			if r := at.Region; r.StartLine < 1 || r.StartColumn < 1 || r.EndLine < r.StartLine || r.EndColumn <= r.StartColumn {
				t.Errorf("%s: region %+v", file, r)
			}
		}
	}
}

// TestFingerprintsStay: a risk is the same one when its line moves.
func TestFingerprintsStay(t *testing.T) {
	hashes := func(line int) []string {
		r := &diff.Review{Stack: "S", Groups: []diff.Group{{Name: "Tables", Items: []diff.Item{{
			Risks:    []diff.Risk{{Class: diff.DataLoss, Text: "gone"}, {Class: diff.DataLoss, Text: "gone"}},
			Position: &diff.Position{File: "app.arc", Line: line, Column: 1},
		}}}}}
		var b bytes.Buffer
		if err := SARIF(&b, r, "app.arc"); err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal(b.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, result := range log.Runs[0].Results {
			out = append(out, result.Fingerprints[lineHash])
		}
		return out
	}
	if a, b := hashes(3), hashes(30); len(a) != 2 || a[0] == a[1] || a[0] != b[0] || a[1] != b[1] {
		t.Errorf("%v became %v", a, b)
	}
}

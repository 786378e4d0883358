package diff

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSARIFTypes has the TypeScript compiler check every golden against the
// types of SARIF 2.1.0 (npm: @types/sarif): it knows what must be there, what
// may be there, and which words are allowed. A broken one must not pass.
func TestSARIFTypes(t *testing.T) {
	tsc, err := exec.LookPath("tsc")
	if err == nil {
		tsc, err = filepath.EvalSymlinks(tsc) // node_modules/typescript/bin/tsc
	}
	modules := filepath.Dir(filepath.Dir(filepath.Dir(tsc)))
	if _, none := os.Stat(filepath.Join(modules, "@types", "sarif")); err != nil || none != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tsc with @types/sarif beside it is not installed")
		}
		t.Skip("tsc with @types/sarif beside it is not installed: npm install typescript @types/sarif, and put tsc on PATH")
	}
	check := func(logs ...[]byte) (string, error) {
		dir := t.TempDir()
		if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		program := []byte("import type { Log } from 'sarif';\nexport const logs: Log[] = [\n" + string(bytes.Join(logs, []byte(",\n"))) + "];\n")
		if err := os.WriteFile(filepath.Join(dir, "logs.ts"), program, 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(tsc, "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "logs.ts")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	files, err := filepath.Glob("testdata/*/*.sarif")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d goldens: %v", len(files), err)
	}
	var logs [][]byte
	for _, file := range files {
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, log)
	}
	if out, err := check(logs...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for old, new := range map[string]string{`"ruleId"`: `"ruleID"`, `"version": "2.1.0"`: `"version": "2.2"`, `"startLine": `: `"startLine": "1" + `} {
		broken := bytes.Replace(logs[0], []byte(old), []byte(new), 1)
		if out, err := check(broken); err == nil {
			t.Errorf("%s instead of %s passes:\n%s", new, old, out)
		}
	}
}

// TestSARIFForCodeScanning holds what GitHub asks for beyond the standard:
// https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
func TestSARIFForCodeScanning(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.sarif")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d goldens: %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal(raw, &log); err != nil {
			t.Fatal(err)
		}
		for _, run := range log.Runs {
			for _, r := range run.Results {
				rule := slices.IndexFunc(run.Tool.Driver.Rules, func(rule sarifRule) bool { return rule.ID == r.RuleID })
				if rule < 0 || rule != r.RuleIndex || r.Message.Text == "" || len(r.Locations) != 1 || len(r.Fingerprints) == 0 {
					t.Errorf("%s: %+v", file, r)
					continue
				}
				at := r.Locations[0].Physical
				u, err := url.Parse(at.Artifact.URI)
				if err != nil || u.IsAbs() || strings.HasPrefix(u.Path, "/") || u.Path == "" || at.Region.StartLine < 1 {
					t.Errorf("%s: location %+v: %v", file, at, err)
				}
			}
		}
	}
}

// TestSARIFFingerprints: an annotation that was dismissed stays so when lines
// are added above it.
func TestSARIFFingerprints(t *testing.T) {
	print := func(line int) string {
		var b bytes.Buffer
		review := &Review{Stack: "A", Groups: []Group{{"Tables", []Item{{Subject: "table a", Position: &Position{"app.arc", line, 1}, Risks: []Risk{{DataLoss, "table a: gone"}}}}}}}
		if err := SARIF(&b, review, "app.arc"); err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal(b.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		return log.Runs[0].Results[0].Fingerprints["arcDiff/v1"]
	}
	if a, b := print(3), print(30); a != b || a == "" {
		t.Errorf("%q and %q", a, b)
	}
}

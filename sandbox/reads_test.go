package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The usual calls that read, of every service, by boto3: testdata/reads.calls.py
// is the table. What is not there is refused in a form that boto3 reads.
func TestReads(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	need(t, "node")
	p := newProject(t)
	c := p.start()
	dir := t.TempDir()
	layer := filepath.Join(dir, "nodejs", "layer.js")
	if err := os.MkdirAll(filepath.Dir(layer), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(layer, []byte("exports.layer = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(arguments ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "python3", arguments...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("python3 %v: %v\n%s", arguments, err, out)
		}
		return string(out)
	}
	run(filepath.Join("testdata", "reads_deploy.py"), c.Running().Endpoint, "reads", filepath.Join("testdata", "reads.yaml"), dir)
	said := run(filepath.Join("testdata", "reads.py"), c.Running().Endpoint, "reads", filepath.Join("testdata", "reads.calls.py"))
	if !strings.HasSuffix(said, " calls, 0 bad\n") {
		t.Errorf("%s", said)
	}
}

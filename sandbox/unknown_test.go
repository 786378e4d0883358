package sandbox_test

import (
	"path/filepath"
	"testing"
)

// What is refused, at the door or because the local cloud does not run it, is an
// error that boto3 can read, in the protocol of each service: testdata/unknown.py.
// https://smithy.io/2.0/aws/protocols/index.html
func TestRefusalsCanBeRead(t *testing.T) {
	t.Parallel()
	c := newProject(t).start()
	if said := client(t, c, "python3", filepath.Join("testdata", "unknown.py"), c.Running().Endpoint); said != "26 operations, kept" {
		t.Error(said)
	}
}

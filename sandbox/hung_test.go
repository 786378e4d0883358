package sandbox

import (
	"path/filepath"
	"testing"
	"time"
)

// TestHung has a cloud that listens no more hold its project a while longer, as
// one that ends does until all it has started is gone: it is not hung.
func TestHung(t *testing.T) {
	t.Parallel()
	g, project := Registry{Dir: filepath.Join(t.TempDir(), "local")}, t.TempDir()
	if hung := g.Hung(t.Context(), project); hung != nil {
		t.Errorf("nothing runs: %v", hung)
	}
	release, err := g.lock(project)
	if err != nil {
		t.Fatal(err)
	}
	ended := time.AfterFunc(200*time.Millisecond, release)
	defer ended.Stop()
	if hung := g.Hung(t.Context(), project); hung != nil {
		t.Errorf("one that ends: %v", hung)
	}
}

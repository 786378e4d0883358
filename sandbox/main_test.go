package sandbox_test

import (
	"net/http"
	"os"
	"testing"
)

// TestMain keeps no connections: one cloud after another is at the same port here, and
// what goes out on a connection to the last one is lost, if it may not be sent twice.
func TestMain(m *testing.M) {
	http.DefaultTransport.(*http.Transport).DisableKeepAlives = true
	os.Exit(m.Run())
}

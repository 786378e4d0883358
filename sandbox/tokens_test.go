package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeySets finds the keys of issuers on this machine and of those that a file
// stands for, and asks nobody else.
func TestKeySets(t *testing.T) {
	var discovered string
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/realm/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"jwks_uri":%q}`, discovered)
		case "/keys":
			fmt.Fprint(w, `{"keys":[]}`)
		case "/moved":
			http.Redirect(w, r, "http://else.example/keys", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer issuer.Close()
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, []byte("of a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &Cloud{opts: Options{JWKS: map[string]string{"https://login.example/": file, "https://lost.example/": file + "x"}}}
	for _, test := range []struct{ issuer, discovered, keys, problem string }{
		{"https://login.example/", "", "of a file", ""},
		{"https://lost.example/", "", "", "--jwks: open"},
		{"https://login.example", "", "", "arc sandbox --jwks https://login.example=FILE"},
		{issuer.URL + "/realm", issuer.URL + "/keys", `{"keys":[]}`, ""},
		{issuer.URL + "/realm/", issuer.URL + "/keys", `{"keys":[]}`, ""},
		{issuer.URL + "/realm", "https://else.example/keys", "", "no jwks_uri on this machine"},
		{issuer.URL + "/realm", "file:///etc/passwd", "", "no jwks_uri on this machine"},
		{issuer.URL + "/realm", issuer.URL + "/moved", "", "302"},
		{issuer.URL + "/other", "", "", "404"},
		{"http://127.0.0.1:1", "", "", "refused"},
		{"http://localhost.example", "", "", "--jwks"},
		{"ftp://localhost", "", "", "--jwks"},
	} {
		discovered = test.discovered
		keys, err := c.keySet(context.Background(), test.issuer)
		if string(keys) != test.keys || (err == nil) != (test.problem == "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: %q %v, want %q", test.issuer, keys, err, test.problem)
		}
	}
}

package sandbox_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox"
)

// Functions trust the local cloud and, as before, whom the machine trusts: here
// a server whose root is the developer's. The certificate speaks for no other
// name, and the port for AWS's hosts answers no page and no other host.
func TestTrust(t *testing.T) {
	need(t, "python3")
	p := newProject(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("trusted")) }))
	defer server.Close()
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	options := p.options()
	options.User = func(name string) string {
		return map[string]string{"SSL_CERT_FILE": root, "NODE_EXTRA_CA_CERTS": root, "PATH": os.Getenv("PATH")}[name]
	}
	c, err := sandbox.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	app := p.live()
	app.Functions["GetIndexHTTPLambda"] = sandbox.LiveFunction{Label: "@http get /", Dir: p.write("src/http/get-index/index.mjs", `
import { execFileSync } from 'node:child_process'
const url = '`+server.URL+`'
const python = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
export const handler = async ({ requestContext }) => {
  const own = await fetch('https://' + requestContext.domainName + '/_static/a.txt')
  return { statusCode: 200, body: [ await (await fetch(url)).text(), execFileSync('python3', [ '-c', python, url ]).toString().trim(), await own.text() ].join() }
}
`)}
	outputs := p.run(c, app)
	if status, body := get(t, outputs["API"], nil); status != 200 || body != "trusted,trusted,static" {
		t.Errorf("%d %s", status, body)
	}
	if _, err := http.Get(strings.Replace(outputs["API"], "http:", "https:", 1)); err == nil {
		t.Error("a client that was not told trusts the local cloud")
	}
}

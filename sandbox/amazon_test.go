package sandbox_test

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

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
	app := patient(p.live())
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

// Without certificates of the developer's own, Node functions start without
// NODE_EXTRA_CA_CERTS, and trust the local cloud all the same: by its own
// address, by a host of AWS, through fetch and https, in a child as well.
func TestNodeTrustsLazily(t *testing.T) {
	p := newProject(t)
	c, err := sandbox.Start(p.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	app := patient(p.live())
	app.Functions["GetIndexHTTPLambda"] = sandbox.LiveFunction{Label: "@http get /", Dir: p.write("src/http/get-index/index.mjs", `
import https from 'node:https'
import { execFileSync } from 'node:child_process'
const get = (url) => new Promise((done) => https.get(url, (res) => done(res.resume().statusCode)).on('error', (err) => done(err.code)))
export const handler = async ({ requestContext }) => {
  const own = 'https://' + requestContext.domainName + '/_static/a.txt'
  const child = execFileSync(process.execPath, [ '-e', "fetch(process.argv[1]).then((res) => console.log(res.status))", own ]).toString().trim()
  const named = [ await get('https://s3.us-west-2.amazonaws.com/'), (await fetch('https://sts.us-west-2.amazonaws.com/')).status ]
  return { statusCode: 200, body: [ (await fetch(own)).status, await get(own), child, ...named.map((status) => status >= 200 && status < 500) ].join() }
}
`)}
	outputs := p.run(c, app)
	if status, body := get(t, outputs["API"], nil); status != 200 || body != "200,200,200,true,true" {
		t.Errorf("%d %s", status, body)
	}
}

// patient gives functions that load much, or start other programs, the time for it
// that a busy machine takes.
func patient(app sandbox.App) sandbox.App {
	app.Template = bytes.ReplaceAll(app.Template, []byte(`"Timeout": 5,`), []byte(`"Timeout": 29,`))
	app.Template = bytes.ReplaceAll(app.Template, []byte("\"Timeout\": 5\n"), []byte("\"Timeout\": 29\n"))
	return app
}

// legacySDK gives a node_modules with version 2 of the SDK, installed once into
// the user's cache.
func legacySDK(t *testing.T) string {
	return installed(t, "sdk-2", "", "aws-sdk@2.1055.0")
}

// Clients that know no AWS_ENDPOINT_URL, or are told to ignore it, reach the
// local cloud by AWS's names: version 2 of the SDK for JavaScript, as AWS's guide
// posts to connections. Buckets are named by the host, APIs too, and
// http:// works as https:// does.
func TestLegacyClients(t *testing.T) {
	need(t, "node")
	p := newProject(t)
	if err := os.Symlink(legacySDK(t), filepath.Join(p.dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	c := p.start()
	app := patient(p.live())
	app.Template = bytes.ReplaceAll(app.Template, []byte(`"AssumeRolePolicyDocument": {`),
		[]byte(`"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::aws:policy/AmazonSSMFullAccess"], "AssumeRolePolicyDocument": {`))
	app.Functions["GetIndexHTTPLambda"] = sandbox.LiveFunction{Label: "@http get /", Dir: p.write("src/http/get-index/index.js", `
const AWS = require('aws-sdk')
exports.handler = async (event) => {
  if (event.queryStringParameters?.inner) return { statusCode: 200, body: event.requestContext.domainName }
  const ssm = new AWS.SSM(), s3 = new AWS.S3()
  await ssm.putParameter({ Name: '/legacy', Value: 'ssm', Type: 'String' }).promise()
  const { Parameter } = await ssm.getParameter({ Name: '/legacy' }).promise()
  await s3.createBucket({ Bucket: 'legacy-bucket' }).promise()
  await s3.putObject({ Bucket: 'legacy-bucket', Key: 'a b/c', Body: 's3' }).promise()
  const { Body } = await s3.getObject({ Bucket: 'legacy-bucket', Key: 'a b/c' }).promise()
  const plain = await new AWS.S3({ sslEnabled: false }).listObjectsV2({ Bucket: 'legacy-bucket' }).promise()
  const inner = await fetch('https://' + event.requestContext.apiId + '.execute-api.us-west-2.amazonaws.com/?inner=1')
  return { statusCode: 200, body: [ Parameter.Value, String(Body), plain.KeyCount, s3.getSignedUrl('getObject', { Bucket: 'legacy-bucket', Key: 'x' }).split('/')[2], await inner.text() ].join() }
}
`)}
	for id, name := range map[string]string{"DefaultWSLambda": "default"} {
		app.Functions[id] = sandbox.LiveFunction{Label: "@ws " + name, Dir: p.write("src/ws/"+name+"/index.js", `
const AWS = require('aws-sdk')
exports.handler = async ({ body, requestContext }) => {
  const client = new AWS.ApiGatewayManagementApi({ apiVersion: '2018-11-29', endpoint: requestContext.domainName + '/' + requestContext.stage })
  await client.postToConnection({ ConnectionId: requestContext.connectionId, Data: 'legacy ' + body }).promise()
  return { statusCode: 200 }
}
`)}
	}
	outputs := p.run(c, app)
	status, body := get(t, outputs["API"], nil)
	fields := strings.Split(body, ",")
	if status != 200 || len(fields) != 5 || strings.Join(fields[:4], ",") != "ssm,s3,1,legacy-bucket.s3.us-west-2.amazonaws.com" || !strings.HasSuffix(fields[4], ".execute-api.us-west-2.amazonaws.com") {
		t.Errorf("%d %s", status, body)
	}
	conn, _, err := websocket.Dial(t.Context(), outputs["WSS"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if got := say(t, conn, "hello"); got != "legacy hello" {
		t.Errorf("the socket answers %q", got)
	}
}

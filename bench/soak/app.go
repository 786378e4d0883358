package main

import "fmt"

// app has functions that behave and functions that do not.
var app = map[string]string{
	"app.arc":                       manifest(0),
	"src/http/get-hello/index.mjs":  hello(0),
	"src/http/get-again/index.mjs":  hello(0),
	"src/http/post-echo/index.mjs":  "export const handler = async (event) => ({ statusCode: 200, body: event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString() : event.body })\n",
	"src/http/get-throw/index.mjs":  "export const handler = async () => { throw new Error('on purpose') }\n",
	"src/http/get-exit/index.mjs":   "export const handler = async () => { process.stdout.write('the end'); process.exit(3) }\n",
	"src/http/get-hang/index.mjs":   "export const handler = () => new Promise(() => setInterval(() => {}, 1e6))\n",
	"src/http/get-hang/config.arc":  "@aws\ntimeout 1\n",
	"src/http/get-big/index.mjs":    "export const handler = async () => { const all = []; for (;;) { all.push(Buffer.alloc(8 << 20, 1)); await new Promise((go) => setTimeout(go, 5)) } }\n",
	"src/http/get-big/config.arc":   "@aws\nmemory 128\ntimeout 10\n",
	"src/http/get-print/index.mjs":  "export const handler = async () => { for (let i = 0; i < 500; i++) console.log(i, 'x'.repeat(100)); throw new Error('printed') }\n",
	"src/http/get-broken/index.mjs": "export const handler = async () => {}\nthrow new Error('broken')\n", // when it is loaded; a deploy refuses what does not parse
	"src/http/get-child/index.mjs":  "import { spawn } from 'node:child_process'\nexport const handler = async () => { spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref(); process.exit(1) }\n",
	"src/ws/connect/index.mjs":      "export const handler = async () => ({ statusCode: 200 })\n",
	"src/ws/disconnect/index.mjs":   "export const handler = async () => ({ statusCode: 200 })\n",
	// A machine that has much else to do is no mistake of arc's.
	"src/http/get-hello/config.arc": "@aws\ntimeout 30\n",
	"src/ws/default/config.arc":     "@aws\ntimeout 30\n",
	"src/ws/default/index.mjs": `export const handler = async (event) => {
  const { connectionId } = event.requestContext
  const url = process.env.ARC_WSS_URL.replace('ws', 'http') + '/@connections/' + encodeURIComponent(connectionId)
  const signature = 'AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/execute-api/aws4_request, SignedHeaders=host, Signature=' + '0'.repeat(64)
  const answer = await fetch(url, { method: 'POST', body: event.body, headers: { Authorization: signature } })
  return { statusCode: answer.ok ? 200 : 500 }
}
`,
}

// bad are the paths of functions that fail, each in its own way.
var bad = []string{"throw", "exit", "hang", "big", "print", "broken", "child"}

// manifest is the app's, with a route that comes and goes.
func manifest(n int) string {
	text := "@app\nsoakapp\n@ws\n@tables\nrows\n  id *String\n@tables-streams\nrows\n@queues\njobs\n  fifo false\n@events\nnews\n@scheduled\ntick rate(1 minute)\n@http\nget /hello\npost /echo\n"
	for _, name := range bad {
		text += "get /" + name + "\n"
	}
	if n%2 == 1 {
		text += "get /again\n"
	}
	return text
}

// hello is the handler that is saved over and over: it says which one it is.
func hello(version int) string {
	return fmt.Sprintf("export const handler = async (event) => ({ statusCode: 200, body: (event.queryStringParameters?.n ?? '') + ' %d' })\n", version)
}

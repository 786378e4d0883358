package lambda_test

import (
	"fmt"
	"strings"
	"testing"

	"arc/sandbox/lambda"
)

// TestHalfHeard: an event of which a worker did not get the whole, because it hung up
// in the middle, is another one's.
func TestHalfHeard(t *testing.T) {
	need(t, "node")
	fn := function(t, "fn", "-- bootstrap --\n"+halfHearing)
	fn.Runtime, fn.Timeout = "provided.al2023", 30
	s := newService(t, lambda.Options{})
	s.Put(fn)
	for _, size := range []int{4 << 20, 10} {
		if got, want := s.invoke("fn", `"`+strings.Repeat("x", size)+`"`), fmt.Sprint(size+2); got != want {
			t.Errorf("%s bytes came, not %s", got, want)
		}
	}
}

// halfHearing is a runtime whose first process hangs up when an event begins to come,
// and lives on.
const halfHearing = `#!/usr/bin/env node
const net = require('net'), fs = require('fs'), http = require('http')
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const base = '/2018-06-01/runtime/invocation/'
const next = () => http.get({ host, port, path: base + 'next' }, (r) => {
  let size = 0
  r.on('data', (d) => (size += d.length)).on('end', () => {
    http.request({ host, port, method: 'POST', path: base + r.headers['lambda-runtime-aws-request-id'] + '/response' }, (r) => r.resume().on('end', next)).end(String(size))
  })
})
try {
  fs.writeFileSync('been', '', { flag: 'wx' })
} catch {
  next()
  return
}
const c = net.connect(port, host, () => c.write('GET ' + base + 'next HTTP/1.1\r\nHost: ' + host + ':' + port + '\r\n\r\n'))
c.once('data', () => c.resetAndDestroy())
setInterval(() => {}, 1000)
`

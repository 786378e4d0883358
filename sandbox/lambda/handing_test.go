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
	need(t, "python3")
	fn := function(t, "fn", "-- bootstrap --\n"+halfHearing)
	fn.Runtime, fn.Timeout = "provided.al2023", 30
	s := newService(t, lambda.Options{})
	s.Put(fn)
	for _, size := range []int{6_000_000, 10} {
		if got, want := s.invoke("fn", `"`+strings.Repeat("x", size)+`"`), fmt.Sprint(size+2); got != want {
			t.Errorf("%s bytes came, not %s", got, want)
		}
	}
}

// halfHearing is a runtime whose first process hangs up when an event begins to come,
// and lives on. It has so little room for what comes that the system cannot take the
// event in its place.
const halfHearing = `#!/usr/bin/env python3
import http.client, os, socket, struct, time
host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
base = '/2018-06-01/runtime/invocation/'
try:
    os.close(os.open('been', os.O_CREAT | os.O_EXCL))
except FileExistsError:
    c = http.client.HTTPConnection(host, int(port))
    while True:
        c.request('GET', base + 'next')
        r = c.getresponse()
        size = len(r.read())
        c.request('POST', base + r.headers['Lambda-Runtime-Aws-Request-Id'] + '/response', str(size))
        c.getresponse().read()
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
s.connect((host, int(port)))
s.sendall(('GET ' + base + 'next HTTP/1.1\r\nHost: ' + host + ':' + port + '\r\n\r\n').encode())
s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
s.close()
time.sleep(1000)
`

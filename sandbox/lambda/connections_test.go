package lambda_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"arc/sandbox/lambda"
)

// callingHandler calls an address as @architect/functions calls the local cloud:
// with an agent that keeps no connection.
const callingHandler = `
-- index.mjs --
import http from 'node:http'
const agent = new http.Agent({ keepAlive: false })
export const handler = ({ port, headers }) => new Promise((resolve, reject) => {
  const request = http.request({ host: 'localhost', port, method: 'POST', agent, headers }, (response) => {
    response.resume()
    response.on('end', () => resolve(response.headers.connection ?? ''))
  })
  request.on('error', reject)
  request.end('hello')
})
`

// TestConnectionsAreKept calls the local cloud and another server: connections to
// the first are kept, unless a call says that its own is not to be.
func TestConnectionsAreKept(t *testing.T) {
	need(t, "node")
	count := func() (port int, opened *atomic.Int32) {
		opened = &atomic.Int32{}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		server.Start()
		t.Cleanup(server.Close)
		return server.Listener.Addr().(*net.TCPAddr).Port, opened
	}
	cloud, toCloud := count()
	other, toOther := count()
	s := newService(t, lambda.Options{})
	fn := function(t, "fn", callingHandler)
	fn.Env = map[string]string{"ARC_SANDBOX": fmt.Sprintf(`{"ports":{"_arc":%d}}`, cloud)}
	s.Put(fn)
	for range 5 {
		s.invoke("fn", fmt.Sprintf(`{"port":%d}`, cloud))
		s.invoke("fn", fmt.Sprintf(`{"port":%d}`, other))
	}
	// The first one is made before anybody knows that agents are to be looked at.
	if n := toCloud.Load(); n > 2 {
		t.Errorf("%d connections to the local cloud for 5 calls", n)
	}
	if n := toOther.Load(); n != 5 {
		t.Errorf("%d connections to another server for 5 calls", n)
	}
	before := toCloud.Load()
	for range 2 {
		s.invoke("fn", fmt.Sprintf(`{"port":%d,"headers":{"connection":"close"}}`, cloud))
	}
	if n := toCloud.Load() - before; n < 1 {
		t.Error("a connection was kept against the word of its call")
	}
}

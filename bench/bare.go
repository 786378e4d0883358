package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// The floors of an echo through arc.ws.send: the same hops with nothing of arc's.
// A bare Go server hands each message to one Node process over a pipe, which
// brings it back by a POST on a connection that is kept: with Node's http alone,
// or, in the folder of an app, with the package that functions use. It does not
// wait for one event to end before it hands over the next, as a function of one
// environment does. It is a process of its own, this program's first argument, so
// that what it takes of the processor can be told apart.

const bareEchoName = "bare-echo"

const bareEchoScript = `
const http = require('http')
const agent = new http.Agent({ keepAlive: true })
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, text } = JSON.parse(line)
  const request = http.request({ host: '127.0.0.1', port: process.env.PORT, method: 'POST', path: '/' + id, agent }, (response) => {
    response.resume()
    response.on('end', () => process.stdout.write('done\n'))
  })
  request.end(text)
})
`

// packageEchoScript keeps the package's connections, as the local cloud does.
const packageEchoScript = `
const { Agent } = require('http')
Object.assign(process.env, { ARC_ENV: 'testing', AWS_ACCESS_KEY_ID: 'bare', AWS_SECRET_ACCESS_KEY: 'bare', AWS_REGION: 'us-west-2',
  ARC_SANDBOX: JSON.stringify({ ports: { _arc: Number(process.env.PORT) }, version: '9.9.9' }) })
const keeping = new Agent({ keepAlive: true })
const add = Agent.prototype.addRequest
Agent.prototype.addRequest = function (request, ...more) {
  if (this.keepAlive) return add.call(this, request, ...more)
  request.shouldKeepAlive = true
  request._last = false
  return add.call(keeping, request, ...more)
}
const arc = require('@architect/functions')
require('readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, text } = JSON.parse(line)
  await arc.ws.send({ id, payload: JSON.parse(text) })
  process.stdout.write('done\n')
})
`

// bareEcho is the server, of the app in a folder, "" = without the package. It
// says its port and runs until it is killed.
func bareEcho(out io.Writer, dir string) error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	node := exec.Command("node", "-e", bareEchoScript)
	if dir != "" {
		node = exec.Command("node", "-e", packageEchoScript)
		node.Dir, node.Stderr = dir, os.Stderr
	}
	node.Env = append(os.Environ(), fmt.Sprint("PORT=", port))
	in, err := node.StdinPipe()
	if err != nil {
		return err
	}
	done, err := node.StdoutPipe()
	if err != nil {
		return err
	}
	if err := node.Start(); err != nil {
		return err
	}
	go func() {
		for lines := bufio.NewScanner(done); lines.Scan(); {
		}
	}()
	var conns sync.Map
	var last atomic.Int64
	var writing sync.Mutex
	fmt.Fprintln(out, port)
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			text, err := io.ReadAll(r.Body)
			if conn, ok := conns.Load(path.Base(r.URL.Path)); ok && err == nil {
				conn.(*websocket.Conn).Write(r.Context(), websocket.MessageText, text)
			}
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		id := strconv.FormatInt(last.Add(1), 10)
		conns.Store(id, conn)
		defer conns.Delete(id)
		for {
			_, text, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			line, err := json.Marshal(map[string]string{"id": id, "text": string(text)})
			if err != nil {
				return
			}
			writing.Lock()
			in.Write(append(line, '\n'))
			writing.Unlock()
		}
	}))
}

// startBareEcho runs this program as a floor.
func startBareEcho(dir string) (*running, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &running{cmd: exec.Command(self, bareEchoName, dir)}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fscan(out, &r.port); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

// echoing has clients echo at once, and tells what that took of a server's own
// processor time. They have done so once before, since Node compiles code that runs often.
func (b *bencher) echoing(r *running, clients, each int) (lost int64, perSecond float64, cpu time.Duration, err error) {
	url := strings.Replace(r.url(), "http", "ws", 1)
	var missing atomic.Int64
	all := func() {
		var group sync.WaitGroup
		for range clients {
			group.Go(func() {
				if got, err := echoes(b.ctx, url, each); err != nil {
					missing.Add(int64(each - len(got)))
				}
			})
		}
		group.Wait()
	}
	all()
	before, began := r.cpu(), time.Now()
	all()
	messages := clients * (each + 20)
	return missing.Load(), float64(messages) / time.Since(began).Seconds(), (r.cpu() - before) / time.Duration(messages), nil
}

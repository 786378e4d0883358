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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// The floor of an echo through arc.ws.send: the same hops with nothing of arc's.
// A bare Go server hands each message to one Node process over a pipe, which
// brings it back by a POST on a connection that is kept. It is a process of its
// own, this program's first argument, so that what it takes of the processor can
// be told apart.

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

// bareEcho is the server. It says its port and runs until it is killed.
func bareEcho(out io.Writer) error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	node := exec.Command("node", "-e", bareEchoScript)
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
			if conn, ok := conns.Load(r.URL.Path[1:]); ok && err == nil {
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

// startBareEcho runs this program as the floor.
func startBareEcho() (*running, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &running{cmd: exec.Command(self, bareEchoName)}
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
// processor time.
func (b *bencher) echoing(r *running, clients, each int) (lost int64, perSecond float64, cpu time.Duration, err error) {
	url := strings.Replace(r.url(), "http", "ws", 1)
	if _, err := echoes(b.ctx, url, 100); err != nil {
		return 0, 0, 0, err
	}
	before, began := r.cpu(), time.Now()
	var missing atomic.Int64
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			if got, err := echoes(b.ctx, url, each); err != nil {
				missing.Add(int64(each - len(got)))
			}
		})
	}
	group.Wait()
	messages := clients * (each + 20)
	return missing.Load(), float64(messages) / time.Since(began).Seconds(), (r.cpu() - before) / time.Duration(messages), nil
}

package documented

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// Target is where the template of the tables runs.
type Target struct {
	HTTP   string // of the HTTP API's $default stage: http://localhost:3334
	Socket string // of the WebSocket API's stage: ws://localhost:3334/dev
	// Sign signs calls of @connections; nil = they go unsigned.
	Sign func(*http.Request, []byte) error
}

// play is a case under way.
type play struct {
	to   Target
	ctx  context.Context
	conn *websocket.Conn

	pending *request // not sent yet
	status  int
	header  http.Header
	body    []byte // of the last answer or message
	id      string // of the connection, once a message has told it
}

type request struct {
	method, target string
	header         http.Header
	body           string
	socket         bool // it opens a WebSocket
}

var (
	requestLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Z]+) (/\S*)$`) })
	statusLine  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{3}$`) })
)

// Play sends what the case says and compares what comes back; the error tells the
// first difference.
func (c Case) Play(ctx context.Context, to Target) error {
	p := &play{to: to, ctx: ctx}
	defer func() {
		if p.conn != nil {
			p.conn.CloseNow()
		}
	}()
	for _, step := range c.steps {
		if err := p.step(step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return p.send()
}

func (p *play) step(step string) error {
	if m := requestLine().FindStringSubmatch(step); m != nil {
		return errors.Join(p.send(), p.begin(m[1], p.to.HTTP+m[2], false))
	}
	if name, value, ok := strings.Cut(strings.TrimPrefix(step, "> "), ": "); ok && strings.HasPrefix(step, "> ") {
		if p.pending == nil {
			return errors.New("nothing is being sent")
		}
		p.pending.header.Add(name, value)
		return nil
	}
	verb, rest, _ := strings.Cut(step, " ")
	if verb == "body" && !strings.HasPrefix(rest, "= ") { // which compares a field of that name
		if p.pending == nil {
			return errors.New("nothing is being sent")
		}
		p.pending.body = rest
		return nil
	}
	switch verb {
	case "dial":
		return errors.Join(p.send(), p.begin("GET", p.socketURL(rest), true))
	case "post", "get", "delete":
		stage, text := "", rest
		if at, ok := strings.CutPrefix(rest, "at "); ok {
			stage, text, _ = strings.Cut(at, " ")
		}
		err := p.begin(strings.ToUpper(verb), p.managementURL(stage), false)
		p.pending.body = text
		return errors.Join(err, p.send())
	}
	if err := p.send(); err != nil {
		return err
	}
	if statusLine().MatchString(step) {
		if want, _ := strconv.Atoi(step); p.status != want {
			return fmt.Errorf("got %d %s", p.status, p.body)
		}
		return nil
	}
	switch verb {
	case "send":
		return p.conn.Write(p.ctx, websocket.MessageText, []byte(rest))
	case "binary":
		return p.conn.Write(p.ctx, websocket.MessageBinary, []byte(rest))
	case "frames":
		return p.frames(rest)
	case "ping":
		go p.conn.Reader(p.ctx) // somebody has to read the pong
		return p.conn.Ping(p.ctx)
	case "close":
		code, reason, _ := strings.Cut(rest, " ")
		number, err := strconv.Atoi(code)
		if err == nil {
			err = p.conn.Close(websocket.StatusCode(number), reason)
		}
		return err
	case "recv":
		_, data, err := p.conn.Read(p.ctx)
		p.body = data
		if id, ok := Lookup(data, "requestContext.connectionId"); ok {
			p.id = id
		} else if id, ok := Lookup(data, "connectionId"); ok {
			p.id = id
		}
		return err
	case "closed":
		_, _, err := p.conn.Read(p.ctx)
		if got := websocket.CloseStatus(err); rest != fmt.Sprint(int(got)) {
			return fmt.Errorf("got %d: %v", got, err)
		}
		return nil
	}
	return p.expect(step)
}

// expect compares a part of the last answer or message.
func (p *play) expect(step string) error {
	if text, ok := strings.CutPrefix(step, "is "); ok {
		if string(p.body) != text {
			return fmt.Errorf("got %.300q", p.body)
		}
		return nil
	}
	if step == "empty" {
		if len(p.body) > 0 {
			return fmt.Errorf("got %.300q", p.body)
		}
		return nil
	}
	if text, ok := strings.CutPrefix(step, "has "); ok {
		if !bytes.Contains(p.body, []byte(text)) {
			return fmt.Errorf("got %.300q", p.body)
		}
		return nil
	}
	if rest, ok := strings.CutPrefix(step, "< "); ok {
		name, want, _ := strings.Cut(rest, ": ")
		values := p.header.Values(name)
		return compare(want, strings.Join(values, " + "), len(values) > 0)
	}
	name, want, ok := strings.Cut(step, " = ")
	if !ok {
		return errors.New("is no step")
	}
	got, there := Lookup(p.body, name)
	return compare(want, got, there)
}

// compare wants a text, or "-" for nothing, or "*" for anything.
func compare(want, got string, there bool) error {
	switch {
	case want == "-" && !there, want == "*" && there && got != "", there && got == want:
		return nil
	}
	return fmt.Errorf("got %.300q (there: %v)", got, there)
}

// Lookup is what a path of names and numbers leads to in JSON, as text.
func Lookup(data []byte, path string) (string, bool) {
	value := json.RawMessage(data)
	for name := range strings.SplitSeq(path, ".") {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		index, err := strconv.Atoi(name)
		switch {
		case json.Unmarshal(value, &object) == nil && object != nil:
			inner, ok := object[name]
			if !ok {
				return "", false
			}
			value = inner
		case err == nil && json.Unmarshal(value, &list) == nil && index < len(list):
			value = list[index]
		default:
			return "", false
		}
	}
	var text string
	if json.Unmarshal(value, &text) == nil && string(value) != "null" {
		return text, true
	}
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return "", false
	}
	return compact.String(), true
}

func (p *play) begin(method, target string, socket bool) error {
	p.pending = &request{method: method, target: target, header: http.Header{}, socket: socket}
	return nil
}

// socketURL is a path of the WebSocket API: as it stands, or behind the stage's.
func (p *play) socketURL(rest string) string {
	if root, ok := strings.CutPrefix(rest, "^"); ok {
		u, err := url.Parse(p.to.Socket)
		if err != nil {
			return p.to.Socket
		}
		return u.Scheme + "://" + u.Host + root
	}
	return p.to.Socket + rest
}

// managementURL is that of the connection, below another path than the stage's
// where one is given.
func (p *play) managementURL(below string) string {
	base := strings.Replace(p.to.Socket, "ws", "http", 1)
	if below != "" {
		base = strings.Replace(p.socketURL("^"+strings.TrimSuffix(below, "/")), "ws", "http", 1)
	}
	return base + "/@connections/" + url.PathEscape(p.id)
}

// send sends what is pending and keeps what comes back.
func (p *play) send() error {
	r := p.pending
	if r == nil {
		return nil
	}
	p.pending = nil
	if r.socket {
		return p.dial(r)
	}
	req, err := http.NewRequestWithContext(p.ctx, r.method, r.target, strings.NewReader(r.body))
	if err != nil {
		return err
	}
	if r.body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	req.Header = r.header
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "documented")
	}
	if p.to.Sign != nil && strings.Contains(r.target, "/@connections/") {
		if err := p.to.Sign(req, []byte(r.body)); err != nil {
			return err
		}
	}
	client := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}, CheckRedirect: stay}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	p.status, p.header = resp.StatusCode, resp.Header
	p.body, err = io.ReadAll(resp.Body)
	return err
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (p *play) dial(r *request) error {
	if p.conn != nil {
		p.conn.CloseNow()
	}
	options := &websocket.DialOptions{HTTPHeader: r.header, HTTPClient: &http.Client{CheckRedirect: stay}}
	if protocols := r.header.Get("Sec-WebSocket-Protocol"); protocols != "" {
		options.Subprotocols = strings.Split(protocols, ", ")
		r.header.Del("Sec-WebSocket-Protocol")
	}
	conn, resp, err := websocket.Dial(p.ctx, r.target, options)
	if resp == nil {
		return err
	}
	p.status, p.header, p.body = resp.StatusCode, resp.Header, nil
	if err != nil {
		p.body, _ = io.ReadAll(resp.Body)
		return nil
	}
	p.conn = conn
	p.conn.SetReadLimit(-1)
	return nil
}

// frames sends one message in so many frames of so many bytes: 4 32768.
func (p *play) frames(rest string) error {
	var n, size int
	if _, err := fmt.Sscan(rest, &n, &size); err != nil {
		return err
	}
	w, err := p.conn.Writer(p.ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for range n {
		if _, err := w.Write(bytes.Repeat([]byte("x"), size)); err != nil {
			return err
		}
	}
	return w.Close()
}

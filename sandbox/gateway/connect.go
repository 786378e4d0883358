package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/activity"
	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// maxSocketURL is API Gateway's limit for the URL of a WebSocket, in characters.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const maxSocketURL = 4096

// isUpgrade reports whether the request wants to become a WebSocket.
func isUpgrade(r *http.Request) bool {
	return hasToken(r.Header["Connection"], "upgrade") && hasToken(r.Header["Upgrade"], "websocket")
}

func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// connect runs an API's $connect and, if that agrees, opens the WebSocket.
func (g *Gateway) connect(w http.ResponseWriter, r *http.Request, a *api) {
	live, expected := a.socketStage(r.URL.Path)
	if live == nil {
		g.tell(activity.Event{
			Kind: activity.Connect, Path: ingress.OneLine(r.URL.EscapedPath()), Status: http.StatusForbidden,
			Text: "no stage for this path; stages: " + strings.Join(a.stageNames(), " "),
		})
		writeMessage(w, http.StatusForbidden, "Forbidden", "")
		return
	}
	if len("wss://"+r.Host+r.RequestURI) > maxSocketURL {
		g.tell(activity.Event{Kind: activity.Connect, Path: "/" + live.name, Status: http.StatusRequestURITooLong, Text: "a URL has 4,096 characters at most"})
		writeMessage(w, http.StatusRequestURITooLong, "Request URI Too Long", "")
		return
	}
	if why := badHandshake(r); why != "" {
		w.Header().Set("Sec-WebSocket-Version", "13")
		writeMessage(w, http.StatusBadRequest, why, "")
		return
	}
	if !g.sockets.admit() {
		writeMessage(w, http.StatusServiceUnavailable, "Service Unavailable", "")
		return
	}
	c := newConnection(g, a, live.name, r)
	note := ""
	if !expected {
		note = fmt.Sprintf("(warning: deployed, only /%s connects; %s is answered with 403)", live.name, r.URL.EscapedPath())
	}
	if refused := g.authorizeConnect(c, live, r); refused != nil {
		g.sockets.dismiss()
		g.tell(activity.Event{Kind: activity.Connect, Connection: c.id, Status: refused.status, Text: strings.TrimSpace(ingress.OneLine(refused.why) + " " + note)})
		c.writeError(w, refused.status, refused.message)
		return
	}
	status, protocol, why := c.greet(live, r)
	if status/100 != 2 {
		g.sockets.dismiss()
		g.tell(activity.Event{Kind: activity.Connect, Connection: c.id, Status: status, Text: strings.TrimSpace(ingress.OneLine(why) + " " + note)})
		if status < 500 {
			w.WriteHeader(status)
			return
		}
		c.writeError(w, status, "")
		return
	}
	if protocol != "" && !hasToken(r.Header.Values("Sec-WebSocket-Protocol"), protocol) {
		note = strings.TrimSpace(fmt.Sprintf("(warning: $connect chose the subprotocol %q, which the client does not offer: none is chosen) %s", protocol, note))
	}
	g.tell(activity.Event{Kind: activity.Connect, Connection: c.id, Text: note})
	c.accept(w, r, protocol)
}

// socketStage picks the stage for a path: API Gateway serves /<stage> alone. A
// lenient API with a single stage serves it at any path, as Architect's own
// sandbox does; expected tells the two apart.
func (a *api) socketStage(path string) (live *liveStage, expected bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if s := a.stage(first); s != nil && rest == "" {
		return s, true
	}
	if names := a.stageNames(); len(names) == 1 && a.lenient {
		return a.stage(names[0]), false
	}
	return nil, false
}

// badHandshake finds what would make accepting fail, before $connect runs.
func badHandshake(r *http.Request) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	switch {
	case r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1):
		return "a WebSocket opens with GET over HTTP/1.1"
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "Sec-WebSocket-Version must be 13"
	case err != nil || len(key) != 16 || len(r.Header["Sec-Websocket-Key"]) != 1:
		return "Sec-WebSocket-Key must be 16 bytes in base64"
	}
	return ""
}

// greet runs $connect. Any 2xx opens the connection, other codes are passed
// on; a function that fails, or gives no code, is 502, as on AWS.
func (c *connection) greet(live *liveStage, r *http.Request) (status int, protocol, why string) {
	rt := live.socket["$connect"]
	if rt == nil {
		return http.StatusOK, "", ""
	}
	if rt.integration == nil {
		return http.StatusInternalServerError, "", "route $connect has no integration"
	}
	if rt.integration.kind != "AWS_PROXY" {
		status, why = c.greetBackend(live, rt, r)
		return status, "", why
	}
	event, err := ingress.Encode(c.connectEvent(live, r))
	if err != nil {
		return http.StatusInternalServerError, "", err.Error()
	}
	result, err := c.gateway.invoke(rt.integration, event, c.api.source(c.stageName, "$connect"))
	switch {
	case errors.Is(err, errTimedOut):
		return http.StatusGatewayTimeout, "", err.Error()
	case errors.As(err, new(forbidden)):
		return http.StatusInternalServerError, "", err.Error() + frozenNote
	case err != nil:
		return http.StatusInternalServerError, "", err.Error()
	case result.Failed != "":
		return http.StatusBadGateway, "", thrown(c.gateway.called(rt.integration.function), result).why
	}
	status, header, err := socketResult(result.Payload)
	if err != nil {
		return http.StatusBadGateway, "", c.gateway.called(rt.integration.function) + ": " + err.Error()
	}
	return status, header.Get("Sec-WebSocket-Protocol"), ""
}

// socketResult reads a $connect result: a statusCode, as a number or text.
func socketResult(payload []byte) (int, http.Header, error) {
	var r struct {
		StatusCode json.RawMessage `json:"statusCode"`
		Headers    map[string]any  `json:"headers"`
	}
	var wrong *json.UnmarshalTypeError
	if err := invoke.Exact(payload, &r); errors.As(err, &wrong) && wrong.Field != "" {
		return 0, nil, wrongType(wrong)
	} else if err != nil {
		return 0, nil, errors.New("the function must return an object with a statusCode")
	}
	status, err := strconv.Atoi(string(bytes.Trim(r.StatusCode, `"`)))
	if err != nil || status < 200 || status > 599 {
		return 0, nil, errors.New("the function must return a statusCode from 200 to 599")
	}
	h := http.Header{}
	return status, h, addHeaders(h, r.Headers)
}

// accept answers 101 and leaves the connection to its own goroutine. When the
// client is gone by now, $disconnect still runs: $connect has.
func (c *connection) accept(w http.ResponseWriter, r *http.Request, protocol string) {
	// Origins were checked by the door.
	options := &websocket.AcceptOptions{InsecureSkipVerify: true, OnPingReceived: c.pinged}
	if protocol != "" {
		options.Subprotocols = []string{protocol}
	}
	watched := &watchedWriter{ResponseWriter: w}
	// A client may get its 101, and a function its order to answer, before
	// Accept returns here; senders wait for opened.
	added := c.gateway.sockets.add(c)
	ws, err := websocket.Accept(watched, r, options)
	if err != nil {
		close(c.opened)
		go c.leave(1006, "Connection closed abnormally")
		return
	}
	ws.SetReadLimit(-1) // run has its own limits, which close more gently
	c.ws, c.watch = ws, watched.watch
	c.timer = time.AfterFunc(min(c.gateway.options.IdleTimeout, c.gateway.options.MaxAge), c.expire)
	close(c.opened)
	go c.run()
	if !added {
		c.close(websocket.StatusGoingAway, goingAway)
	}
}

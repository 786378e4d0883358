package gateway

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"arc/sandbox/activity"
	"arc/sandbox/ingress"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// managementPath begins the paths of the @connections API at the endpoint of
// the local cloud.
const managementPath = "/_arc/ws"

// Connections is the @connections API for all WebSocket APIs, for a server of
// the local cloud's own: POST sends the body to a client as a text message,
// GET tells about the connection, DELETE closes it. The path is anything, then
// /@connections/ID; the npm package @architect/functions calls
// /_arc/ws/@connections/ID. Signatures are not looked at, so it is to stand
// behind door.Unsigned. Each API's own front end serves the same at
// /STAGE/@connections/ID.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
func (g *Gateway) Connections() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prefix, id, ok := connectionPath(r)
		if !ok {
			writeException(w, http.StatusForbidden, "ForbiddenException")
			return
		}
		g.serveConnection(w, r, strings.TrimPrefix(prefix, managementPath), id, nil)
	})
}

// connectionPath splits PREFIX/@connections/ID, decoded: an ID's "=" comes as
// %3D or plain, and some clients escape the @ too.
func connectionPath(r *http.Request) (prefix, id string, ok bool) {
	prefix, id, ok = strings.Cut(r.URL.Path, "/@connections/")
	return prefix, id, ok && id != "" && !strings.Contains(id, "/")
}

// Brief reports whether a request to the endpoint of the local cloud, by its method
// and target, sends to a connection, which is done as soon as it is read: see
// door.Port.Brief.
func Brief(method, target string) bool {
	return method == http.MethodPost && strings.HasPrefix(target, managementPath+"/") && strings.Contains(target, "/@connections/")
}

// serveConnection answers one call, below the path of a stage: a connection is to
// be found below its own alone. An API answers about its own connections; without
// one, no path is that of every stage.
func (g *Gateway) serveConnection(w http.ResponseWriter, r *http.Request, prefix, id string, only *api) {
	stage := strings.TrimPrefix(prefix, "/")
	c := g.sockets.find(id)
	if only != nil && only.stage(stage) == nil && (stage != "" || !only.lenient) || only == nil && c != nil && stage != "" && stage != c.stageName {
		g.tell(activity.Event{Kind: activity.Request, Method: r.Method, Path: r.URL.EscapedPath(), Status: http.StatusForbidden, Text: "@connections is below the path of a stage: /STAGE/@connections/ID"})
		writeMessage(w, http.StatusForbidden, "Forbidden", "")
		return
	}
	if only != nil && c != nil && (c.api != only || stage != "" && stage != c.stageName) {
		c = nil
	}
	if why := g.mayManage(r, only, stage, id, c); why != nil {
		wire.WriteJSONError(w, &stack.Error{Code: "AccessDeniedException", Message: why.Error(), Status: http.StatusForbidden})
		return
	}
	if c == nil {
		if _, err := base64.URLEncoding.DecodeString(id); err != nil {
			// https://github.com/localstack/localstack/issues/4694 and
			// https://github.com/dherault/serverless-offline/issues/749 have what AWS answers.
			g.tell(activity.Event{Kind: activity.Request, Method: r.Method, Path: r.URL.EscapedPath(), Status: http.StatusBadRequest, Text: "this is the ID of no connection: those are base64, with - and _, and end in ="})
			wire.WriteJSONError(w, &stack.Error{Code: "BadRequestException", Message: "Invalid connectionId: " + id, Status: http.StatusBadRequest})
			return
		}
		writeException(w, http.StatusGone, "GoneException")
		return
	}
	switch r.Method {
	case http.MethodPost:
		c.post(w, r)
	case http.MethodGet:
		c.describe(w)
	case http.MethodDelete:
		c.close(websocket.StatusNormalClosure, "Connection Closed Normally")
		w.WriteHeader(http.StatusNoContent)
	default:
		writeException(w, http.StatusForbidden, "ForbiddenException")
	}
}

// mayManage says why a caller may not manage a connection, be it there or gone; nil = it may.
// Of one that is gone an API's own front end alone knows whose it was.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
func (g *Gateway) mayManage(r *http.Request, only *api, stage, id string, c *connection) error {
	of := only
	if c != nil {
		of, stage = c.api, c.stageName
	}
	if g.options.May == nil || of == nil || stage == "" {
		return nil
	}
	return g.options.May(r, "execute-api:ManageConnections", of.source(stage, r.Method+"/@connections/"+id))
}

func (c *connection) post(w http.ResponseWriter, r *http.Request) {
	body, err := readWhole(w, r)
	var tooLarge *http.MaxBytesError
	if err == nil {
		// Text is all that goes out; bytes that are none would end the connection.
		err = c.send(strings.ToValidUTF8(string(body), "\ufffd"))
		switch {
		case err == nil:
			w.WriteHeader(http.StatusOK)
		case errors.Is(err, errFull):
			c.gateway.tell(activity.Event{Kind: activity.Send, Connection: c.id, Status: http.StatusTooManyRequests, Text: errFull.Error()})
			writeException(w, http.StatusTooManyRequests, "LimitExceededException")
		default:
			writeException(w, http.StatusGone, "GoneException")
		}
		return
	}
	if errors.As(err, &tooLarge) {
		c.gateway.tell(activity.Event{Kind: activity.Send, Connection: c.id, Status: http.StatusRequestEntityTooLarge, Text: "message longer than 128 KB"})
		writeException(w, http.StatusRequestEntityTooLarge, "PayloadTooLargeException")
		return
	}
	writeException(w, http.StatusBadRequest, "BadRequestException")
}

// readWhole reads the body of a message that is sent.
func readWhole(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > maxMessage {
		return io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// describe answers GET; times have milliseconds, like API Gateway's.
func (c *connection) describe(w http.ResponseWriter) {
	const iso = "2006-01-02T15:04:05.000Z"
	body, err := ingress.Encode(struct {
		ConnectedAt  string         `json:"connectedAt"`
		Identity     socketIdentity `json:"identity"`
		LastActiveAt string         `json:"lastActiveAt"`
	}{
		c.connected.UTC().Format(iso),
		socketIdentity{UserAgent: c.userAgent, SourceIP: c.sourceIP},
		c.lastActive().UTC().Format(iso),
	})
	if err != nil {
		writeException(w, http.StatusInternalServerError, "InternalServerErrorException")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	w.Write(body)
}

// writeException answers as AWS does, with the error's name in a header and
// an empty body.
func writeException(w http.ResponseWriter, status int, name string) {
	w.Header().Set("X-Amzn-ErrorType", name)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

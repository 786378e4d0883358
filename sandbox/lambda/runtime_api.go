package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"arc/sandbox/door"
	"arc/sandbox/invoke"
)

// runtimeAPI is the version that all paths start with.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const runtimeAPI = "/2018-06-01/runtime/"

// Serve is the worker's Runtime API. Only a client that was told the address gets in.
func (w *worker) Serve(t *door.Talk, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, runtimeAPI)
	switch {
	case r.Host != w.address:
		refuse(t, http.StatusForbidden, "Forbidden", "this is the Runtime API of a worker, for the worker alone")
	case !ok:
		refuse(t, http.StatusNotFound, "NotFound", "no such path: the Runtime API is under "+runtimeAPI)
	case r.Method == http.MethodGet && path == "invocation/next":
		w.next(t)
	case r.Method == http.MethodPost && path == "init/error":
		w.initError(t, r)
	case r.Method == http.MethodGet && strings.HasPrefix(path, packagePath):
		w.offerPackage(t, strings.TrimPrefix(path, packagePath))
	case r.Method == http.MethodPost && strings.HasPrefix(path, "invocation/"):
		id, what, _ := strings.Cut(strings.TrimPrefix(path, "invocation/"), "/")
		switch what {
		case "response":
			w.answer(t, r, id, false)
		case "error":
			w.answer(t, r, id, true)
		default:
			refuse(t, http.StatusNotFound, "NotFound", "no such path")
		}
	default:
		refuse(t, http.StatusNotFound, "NotFound", "no such path or method")
	}
}

// Ended is for a client that is gone. It is dead, or no Runtime API client, if it
// waited for an event: either way it gets none.
func (w *worker) Ended(t *door.Talk) { w.service.left(w, t) }

func refuse(t *door.Talk, status int, errorType, message string) {
	body, _ := json.Marshal(map[string]string{"errorType": errorType, "errorMessage": message}) // texts: cannot fail
	t.Answer(status, append(body, '\n'), "Content-Type", "application/json")
}

const accepted = "{\"status\":\"OK\"}\n"

func accept(t *door.Talk) {
	t.Answer(http.StatusAccepted, []byte(accepted), "Content-Type", "application/json")
}

// next has the worker wait for an event; hand gives it to it.
func (w *worker) next(t *door.Talk) {
	if !w.service.ready(w, t) {
		refuse(t, http.StatusForbidden, "InvalidStateTransition", "the event at hand has no answer yet")
	}
}

// hand writes the event that the worker was given to where it asked for one.
func (w *worker) hand() {
	select {
	case inv := <-w.jobs:
		w.output.mark(inv.id)
		w.keep(startLine(inv.id))
		err := inv.to.Answer(http.StatusOK, inv.event,
			"Content-Type", "application/json",
			"Lambda-Runtime-Aws-Request-Id", inv.id,
			"Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10),
			"Lambda-Runtime-Invoked-Function-Arn", w.fn.ARN+inv.qualifier,
			"Lambda-Runtime-Trace-Id", traceID(inv.id, inv.deadline))
		if err != nil {
			w.service.unheard(w, inv)
		}
	default: // it was taken back
	}
}

// answer takes the result of an event, or the error it ended with.
func (w *worker) answer(t *door.Talk, r *http.Request, id string, isError bool) {
	// Only who has the event knows its ID: nobody else's bytes are taken in.
	if !w.service.has(w, id) {
		refuse(t, http.StatusBadRequest, "InvalidRequestID", "no event of that ID waits for an answer")
		return
	}
	stream := w.service.streamOf(w)
	if isError || r.Header.Get("Lambda-Runtime-Function-Response-Mode") != "streaming" {
		stream = nil
	}
	body, err := readBody(r, stream)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		w.output.mark("")
		if inv := w.service.take(w, id); inv != nil {
			w.finished(inv, "")
			inv.end(outcome{result: failed(invoke.TooLarge, "Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", tooLarge.Limit))})
		}
		io.CopyN(io.Discard, r.Body, maxPayload) // the connection stays usable if that was all
		refuse(t, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", tooLarge.Limit))
		return
	}
	if err != nil {
		return // the connection broke, and with it the worker
	}
	if w.service.weighAnswer(w) {
		return // it took too much memory, and is being ended for it
	}
	result := invoke.Result{Payload: body, Streamed: stream != nil}
	// A streamed response that fails half-way says so behind its body.
	if trailer := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); trailer != "" {
		isError, result = true, failed(invoke.Thrown, trailer, "the response ended early")
	}
	if isError {
		result.Payload = []byte(w.place.Real(string(result.Payload)))
		result.Failed, result.Kind = "Unhandled", kindOf(w.fn, errorType(r, result.Payload), invoke.Thrown)
	}
	w.came(t, id, result, r.Header.Get(nextHeader) != "")
}

// Note takes what our own runtime sends in place of a response that is kept whole and
// accepted by the next event: about is the ID of the event.
func (w *worker) Note(t *door.Talk, about string, body []byte) {
	if w.service.has(w, about) && w.service.weighAnswer(w) {
		return // it took too much memory, and is being ended for it
	}
	w.came(t, about, invoke.Result{Payload: body}, true)
}

// came ends an event with its result, and has the worker go on: with the next one, where
// it asks for it with the answer.
func (w *worker) came(t *door.Talk, id string, result invoke.Result, next bool) {
	inv := w.service.take(w, id)
	if inv == nil {
		refuse(t, http.StatusBadRequest, "InvalidRequestID", "no event of that ID waits for an answer")
		return
	}
	w.output.mark("") // what is printed from here on belongs to no event
	w.finished(inv, "")
	inv.end(outcome{result: result})
	if next {
		w.next(t)
		return
	}
	accept(t)
}

// nextHeader is what our own runtimes send with an answer that is to be accepted
// by the next event. It saves both sides a message, which wakes the other one up.
const nextHeader = "Arc-Next"

// initError takes the reason why the worker's code could not be loaded.
func (w *worker) initError(t *door.Talk, r *http.Request) {
	body, err := readBody(r, nil)
	if err != nil {
		return
	}
	result := invoke.Result{Payload: body, Failed: "Unhandled", Kind: kindOf(w.fn, errorType(r, body), invoke.InitFailed)}
	result.Payload = w.explained(result.Payload)
	if len(body) == 0 {
		result = failed(result.Kind, errorType(r, body), w.fn.Handler+" could not be loaded")
	}
	w.output.drain()
	w.tell(result.Payload)
	if !w.service.notReady(w, result) {
		refuse(t, http.StatusForbidden, "InvalidStateTransition", "the worker has asked for an event already")
		return
	}
	accept(t)
}

// maxStreamed is Lambda's limit for a streamed response.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxStreamed = 200 << 20

// readBody reads a request's body, or hands it to a stream as it comes.
func readBody(r *http.Request, stream *invoke.Stream) ([]byte, error) {
	if stream != nil {
		stream.Begin(r.Header.Get("Content-Type"))
		body := http.MaxBytesReader(nil, r.Body, maxStreamed)
		chunk, gone := make([]byte, 32<<10), false
		for {
			n, err := body.Read(chunk)
			if n > 0 && !gone {
				gone = stream.Write(chunk[:n]) != nil // the rest is for nobody
			}
			if err == io.EOF {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
	body := http.MaxBytesReader(nil, r.Body, maxPayload)
	if r.ContentLength < 0 || r.ContentLength > maxPayload {
		return io.ReadAll(body)
	}
	data := make([]byte, r.ContentLength)
	_, err := io.ReadFull(body, data)
	return data, err
}

// errorType is what a runtime calls its error: in a header, or in the body.
func errorType(r *http.Request, body []byte) string {
	if t := r.Header.Get("Lambda-Runtime-Function-Error-Type"); t != "" {
		return t
	}
	var object struct {
		Type string `json:"errorType"`
	}
	json.Unmarshal(body, &object) // "" for a body that is something else
	return object.Type
}

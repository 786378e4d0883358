package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"arc/sandbox/door"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/sandbox/rights"
	"arc/sandbox/stack"
)

// maxPublish bounds what arc.events.publish and arc.queues.publish send: what a
// queue takes, every byte of it escaped at worst.
const maxPublish = 8 << 20

// published answers what the library @architect/functions posts where it finds
// ARC_SANDBOX: arc.events.publish to /events, arc.queues.publish to /queues. The
// topic or queue is looked up as the library does it on AWS, by the parameter
// /STACK/events/NAME or /STACK/queues/NAME, and the message goes the way that it
// goes there.
// https://github.com/architect/functions/blob/main/src/events/publish.js
// key is whose letterbox it is: who is asked for the right that AWS asks the library
// for; "" = nobody's.
func (c *Cloud) published(kind, key string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "405: publish by POST", http.StatusMethodNotAllowed)
			return
		}
		var in publication
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPublish))
		if err == nil {
			err = json.Unmarshal(body, &in)
		}
		if err != nil {
			http.Error(w, "the body must be JSON with name and payload: "+err.Error(), http.StatusBadRequest)
			return
		}
		if err := c.publish(r, kind, key, in); err != nil {
			status := http.StatusBadRequest
			var missing *noSuchName
			var denied *rights.Denial
			switch {
			case errors.As(err, &missing):
				status = http.StatusNotFound
			case errors.As(err, &denied):
				status = http.StatusForbidden
			}
			c.tell.Notice("arc.%s.publish: %v", kind, err)
			http.Error(w, err.Error(), status)
			return
		}
		io.WriteString(w, "ok")
	})
}

type publication struct {
	Name         string          `json:"name"`
	Payload      json.RawMessage `json:"payload"`
	DelaySeconds int             `json:"delaySeconds"`
	GroupID      string          `json:"groupID"`
}

// letterbox is the port to which @architect/functions of one function publishes: it
// does not sign what it posts to the sandbox, so the port tells who asks. It is
// opened when the function first starts. 0 = the function is asked nothing, or no
// port can be had, which is said.
func (c *Cloud) letterbox(fn lambda.Function) int {
	caller, ok := c.callerOf(fn)
	if !ok || c.opts.NoRights {
		return 0
	}
	key, of := c.guard.Keys.For(caller).AccessKeyID, fn.ARN+" "+fn.Role // versions may have roles of their own
	c.mu.Lock()
	defer c.mu.Unlock()
	if box := c.letterboxes[of]; box != nil {
		return box.Number
	}
	if c.fronts == nil {
		return 0 // it ends
	}
	box, err := c.listenAnywhere()
	if err != nil {
		c.tell.Notice("%s: what it publishes with @architect/functions is not asked for its rights: %v", fn.Label, err)
		return 0
	}
	unsigned := func(kind string) door.Route {
		return door.Route{Pattern: "/" + kind, Guard: door.Guard{Kind: door.Unsigned, Handler: c.published(kind, key)}}
	}
	box.Serve(door.Routes(door.Guard{Refused: c.refused}, unsigned("events"), unsigned("queues")), c.bodies, c.problems())
	c.letterboxes[of], c.fronts[box] = box, true
	return box.Number
}

// noSuchName says that no stack has an event or a queue of a name.
type noSuchName struct{ kind, name string }

func (e *noSuchName) Error() string {
	return fmt.Sprintf("%s %s not found: name it under @%s in app.arc", e.name, strings.TrimSuffix(e.kind, "s"), e.kind)
}

func (c *Cloud) publish(r *http.Request, kind, key string, in publication) error {
	ctx := r.Context()
	target, err := c.discover(kind, in.Name)
	if err != nil {
		return err
	}
	if key != "" {
		action, resource := "sns:Publish", target
		if kind == "queues" {
			action, resource = "sqs:SendMessage", stack.ARN(c.opts.Region, "sqs", c.opts.Region, Account, target[strings.LastIndexByte(target, '/')+1:])
		}
		if why := c.guard.Allow(key, r, action, resource); why != nil {
			return why
		}
	}
	if kind == "events" {
		return c.send(ctx, target, invoke.Message{Body: in.Payload, Principal: "lambda.amazonaws.com"})
	}
	request := map[string]any{"QueueUrl": target, "MessageBody": string(in.Payload), "DelaySeconds": in.DelaySeconds}
	if strings.HasSuffix(target, ".fifo") {
		request["MessageGroupId"] = in.Name
		if in.GroupID != "" {
			request["MessageGroupId"] = in.GroupID
		}
	}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	_, err = c.queues.Handle(ctx, "SendMessage", body)
	return err
}

// discover finds what a name stands for: in the live app, else in the only
// stack that has it.
func (c *Cloud) discover(kind, name string) (string, error) {
	var found, names []string
	for _, p := range c.parameters.ByPath("/", true) {
		stackName, ok := strings.CutSuffix(p.Name, "/"+kind+"/"+name)
		stackName = strings.TrimPrefix(stackName, "/")
		if !ok || strings.Contains(stackName, "/") {
			continue
		}
		if c.live.is(stackName) {
			return p.Value, nil
		}
		found, names = append(found, p.Value), append(names, stackName)
	}
	switch len(found) {
	case 0:
		return "", &noSuchName{kind, name}
	case 1:
		return found[0], nil
	}
	return "", &stack.Error{Code: "Ambiguous", Message: fmt.Sprintf("the stacks %s all have %s under @%s, and what is posted here does not say which: "+
		"start arc sandbox, whose own is meant then, or set ARC_ENV and ARC_STACK_NAME to those of one stack, with which @architect/functions asks AWS's way", strings.Join(names, ", "), name, kind)}
}

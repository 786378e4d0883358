// Package activity is what happens in the local cloud, told as values: a
// request answered, a line printed, an event delivered again. People read an
// event's String, programs its JSON.
package activity

import (
	"fmt"
	"strings"
	"time"
)

// Kind says what an event tells of.
type Kind string

// The kinds of events.
const (
	Request    Kind = "request"    // an HTTP API answered
	Connect    Kind = "connect"    // a WebSocket opened, or was refused
	Message    Kind = "message"    // a client's message was handled
	Send       Kind = "send"       // a message to a client was refused
	Close      Kind = "close"      // the local cloud closed a WebSocket
	Disconnect Kind = "disconnect" // a WebSocket is gone
	Output     Kind = "output"     // a function printed a line
	Delivery   Kind = "delivery"   // an event or message was delivered, tried again, given up, dropped, or could not be handed on
	Ready      Kind = "ready"      // the app of arc sandbox answers
	Notice     Kind = "notice"     // something of the local cloud itself
)

// Event is one thing that happened. Fields that do not belong to its kind are
// empty.
type Event struct {
	Time         time.Time `json:"time"`
	Kind         Kind      `json:"event"`
	Function     string    `json:"function,omitempty"` // in the words of the manifest: "@http get /"
	RequestID    string    `json:"requestId,omitempty"`
	Method       string    `json:"method,omitempty"`
	Path         string    `json:"path,omitempty"` // as it was sent, escaped
	Status       int       `json:"status,omitempty"`
	Milliseconds int64     `json:"ms,omitempty"`
	Connection   string    `json:"connection,omitempty"` // a WebSocket's ID
	Route        string    `json:"route,omitempty"`      // "default", "$connect"
	Resource     string    `json:"resource,omitempty"`   // a table, a queue, an ARN
	// Messages are the IDs of the queue's or topic's messages that it is about.
	Messages []string `json:"messages,omitempty"`
	// Outputs are those of the app's stack: where it answers.
	Outputs map[string]string `json:"outputs,omitempty"`
	Text    string            `json:"text,omitempty"` // the line, the reason, the notice
}

// Tell takes events. It is called from several goroutines.
type Tell func(Event)

// Notice tells of the local cloud itself, in the manner of fmt.Printf.
func (t Tell) Notice(format string, args ...any) {
	t(Event{Kind: Notice, Text: fmt.Sprintf(format, args...)})
}

// Or gives a Tell that may be called: t itself, or one that drops events.
func (t Tell) Or() Tell {
	if t == nil {
		return func(Event) {}
	}
	return t
}

// String is the event as one line for people.
func (e Event) String() string {
	switch e.Kind {
	case Request:
		took := ""
		if e.RequestID != "" { // not refused at the door
			took = fmt.Sprintf("%dms", e.Milliseconds)
		}
		return words(e.Method, e.Path, e.status(), took, e.Text)
	case Connect, Close, Send:
		return words("ws", string(e.Kind), e.Connection, e.Path, e.status(), e.Text)
	case Message:
		return words("ws", e.Route, e.Connection, e.Text)
	case Disconnect:
		return words("ws", string(e.Kind), e.Connection, e.Text)
	case Output:
		return e.Function + " | " + e.Text // the line as it is, be it empty
	case Delivery:
		return words(e.Function, e.Resource, e.Text, e.messages())
	}
	return e.Text
}

// shownMessages is how many IDs a line for people has at most.
const shownMessages = 3

func (e Event) messages() string {
	if n := len(e.Messages); n > shownMessages {
		return fmt.Sprintf("[%s and %d more]", strings.Join(e.Messages[:shownMessages], " "), n-shownMessages)
	} else if n > 0 {
		return "[" + strings.Join(e.Messages, " ") + "]"
	}
	return ""
}

func (e Event) status() string {
	if e.Status == 0 {
		return ""
	}
	return fmt.Sprint(e.Status)
}

// words joins what is not empty.
func words(parts ...string) string {
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, " ")
}

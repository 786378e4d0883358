package cost

import (
	"errors"
	"fmt"

	"arc/cfn"
	"arc/cfn/registry"
)

// By is how a function is reached.
type By int

// The ways.
const (
	Direct    By = iota // invoked by something that is not priced here
	HTTP                // a request to an HTTP API
	REST                // a request to a REST API
	Message             // a message to a WebSocket API
	Session             // a WebSocket that opens or closes
	Queue               // a message in a queue
	FIFOQueue           // a message in a FIFO queue
	Topic               // a message that is published
	Stream              // a record of a table's stream
	Schedule            // a firing of EventBridge Scheduler
	Rule                // a firing of a scheduled rule, which is free
)

// Call is something that can happen, with the function that it sets off. Which
// there are follows from a template's routes, subscriptions and schedules;
// whoever has read those gives them.
type Call struct {
	Name        string // what it is called, the same before and after: "@http get /"
	By          By
	Function    string  // logical ID; "" = none of the template
	Invocations float64 // of Schedule and Rule: how often in a month; < 0 = not known
}

// duration is how long a call is taken to last, in seconds.
const duration = 0.1

const million = 1e6

// part is what one service takes for a million calls.
type part struct {
	name string
	usd  float64
}

// function is what the price of a function depends on.
type function struct {
	memory, storage float64 // MB
	arm             bool
	ready           bool // instances are kept ready, and answer
}

// size is "512 MB arm64".
func (f function) size() string {
	if f.arm {
		return fmt.Sprintf("%v MB arm64", f.memory)
	}
	return fmt.Sprintf("%v MB x86", f.memory)
}

// functionOf reads the function that a value refers to.
func (e *estimator) functionOf(v any) (function, error) {
	for _, id := range cfn.References(v) {
		if e.doc.Resources[id].Type == registry.LambdaFunction {
			return e.function(id)
		}
	}
	return function{}, errors.New("its function is in no template at hand")
}

// function reads a function; what is not set is as Lambda has it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
func (e *estimator) function(id string) (function, error) {
	r := resource{e, id, e.doc.Resources[id]}
	f := function{ready: e.ready[id]}
	var err error
	if f.memory, err = r.number(128, "MemorySize"); err != nil {
		return f, err
	}
	if f.storage, err = r.number(512, "EphemeralStorage", "Size"); err != nil {
		return f, err
	}
	architectures, err := r.value("Architectures")
	if list, _ := architectures.([]any); len(list) > 0 {
		f.arm = list[0] == "arm64"
	}
	return f, err
}

// gateway is what is paid for before a function is reached.
func (e *estimator) gateway(by By) []part {
	one := func(name string, times float64, what item) []part {
		return []part{{name, times * e.prices.of(what)}}
	}
	switch by {
	case HTTP:
		return one("HTTP API", 1, httpAPI)
	case REST:
		return one("REST API", 1, restAPI)
	case Message:
		return one("WebSocket message", 1, websocketMessage)
	case Queue: // it is sent, received and deleted
		return one("3 SQS requests", 3, sqsRequest)
	case FIFOQueue:
		return one("3 FIFO requests", 3, sqsFIFORequest)
	case Topic:
		return one("SNS", 1, snsPublish)
	case Schedule:
		return one("Scheduler", 1, scheduler)
	}
	return nil // Lambda reads streams, and rules fire, for nothing
}

// parts is what a million calls cost.
func (e *estimator) parts(c Call) ([]part, error) {
	out := e.gateway(c.By)
	if c.Function == "" {
		return out, nil
	}
	f, err := e.function(c.Function)
	if err != nil {
		return nil, err
	}
	price, how := lambdaX86, ""
	switch {
	case f.ready && f.arm:
		price, how = provisionedDurationArm, ", kept ready"
	case f.ready:
		price, how = provisionedDurationX86, ", kept ready"
	case f.arm:
		price = lambdaArm
	}
	out = append(out, part{"Lambda", e.prices.of(lambdaRequest)})
	out = append(out, part{"100 ms at " + f.size() + how, million * duration * f.memory / 1024 * e.prices.of(price)})
	if more := f.storage - 512; more > 0 {
		out = append(out, part{fmt.Sprintf("%v MB of storage", f.storage), million * duration * more / 1024 * e.prices.of(lambdaStorage)})
	}
	return out, nil
}

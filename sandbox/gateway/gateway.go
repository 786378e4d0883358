// Package gateway is API Gateway v2 on this machine: HTTP APIs with payload
// formats 2.0 and 1.0, WebSocket APIs with the whole connection life cycle,
// and the @connections management API. It provides the AWS::ApiGatewayV2::*
// resource types to the stack engine.
package gateway

import (
	"net/http"

	"arc/sandbox/lambda"
	"arc/sandbox/stack"
)

// Options are what the gateway needs from its surroundings.
type Options struct {
	Invoker lambda.Invoker
	// Bind opens a loopback listener for a stack's front end and serves handler
	// on it; it returns "localhost:3333" and a function that closes it. The
	// first HTTP API and the first WebSocket API of a stack share one front
	// end; each further API gets its own.
	Bind func(ref stack.Ref, handler http.Handler) (hostport string, release func(), err error)
	// Log is told one line per request, connection and message.
	Log func(line string)
	// Developer turns on pages that explain errors (handler missing, thrown
	// error with its stack, no such route); off, answers are those of AWS.
	Developer bool
}

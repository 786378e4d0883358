// Package lambda runs functions: warm worker processes that speak the Lambda
// Runtime API, and for each function a queue in front of its own whose waiting
// time is not counted against the function's timeout. It provides the
// AWS::Lambda::* resource types to the stack engine.
//
// As on AWS, a worker handles one event at a time and lives on for the next
// one, so what a module keeps in its variables is still there. Unlike on AWS,
// one whose code or settings have changed is never used again, not even once.
package lambda

import (
	"cmp"

	"arc/source"
)

// Function is a deployed function, ready to run.
type Function struct {
	Name     string // physical name
	ARN      string
	Role     string // ARN of the role that it runs in; "" = none was given
	Runtime  string
	Handler  string            // "index.handler"
	Dir      string            // folder on this machine with the unpacked (or live) code
	Env      map[string]string // the function's own variables, ARC_* and the user's
	LocalEnv string            // further ones, of this machine alone: NAME=value, each ended by a NUL
	Timeout  int               // seconds
	MemoryMB int
	Label    string // for log lines: "@http get /" or the logical ID
	// LogicalID is what its template calls it; "" = it is of none.
	LogicalID string

	// Shared and Views are absolute folders that the code finds as
	// @architect/shared and @architect/views (vendor/shared and vendor/views
	// outside Node) although they lie elsewhere; "" = none, or already in Dir.
	Shared, Views string
	// Static is the folder of the files that are in the static bucket; "" = none.
	Static string
	// Code builds what runs, when that is not what Dir holds; nil = it is.
	Code *source.Live
	// Remedy says what brings the handler of a live function whose Dir has none;
	// "" = it is not looked for before the function is started.
	Remedy string
	// Reserved is how many events it handles at once at most; nil = no limit
	// of its own. With 0 it is switched off.
	Reserved *int
	LogGroup string // "" = /aws/lambda/NAME
	// CodeSHA256 is the hash of the zip that the code came in, in base64; "" for
	// code that came in none.
	CodeSHA256 string
	// Provisioned says that an alias keeps environments of it ready: it has
	// longer to get ready.
	Provisioned bool
	// Opt is the folder with what its layers hold; "" = it has none. Missing are
	// the ARNs of layers that cannot be had here.
	Opt         string
	Missing     []string
	Storage     int    // MB of /tmp, which nothing holds it to here; 0 = 512
	Version     string // a number; "" = $LATEST
	DeadLetter  string // ARN of what takes asynchronous events that failed; "" = none
	Description string
}

// version is the function's version as Lambda names it.
func (fn *Function) version() string { return cmp.Or(fn.Version, latest) }

// key is by what the service finds the function: each version is one by itself.
func (fn *Function) key() string {
	if fn.Version == "" {
		return fn.Name
	}
	return fn.Name + ":" + fn.Version
}

// Unpacked is the code of a zip.
type Unpacked struct {
	Dir    string // the folder that it was unpacked to
	SHA256 string // of the zip, in base64; "" when there was none
}

// Logs is the log group that the function's lines go to.
func (fn *Function) Logs() string {
	if fn.LogGroup == "" {
		return "/aws/lambda/" + fn.Name
	}
	return fn.LogGroup
}

// maxPayload is the most bytes of an event or a result.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxPayload = 6<<20 + 100

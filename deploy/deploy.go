// Package deploy brings a stack to an AWS endpoint, whichever one the SDK's
// own configuration names: AWS itself, or the local cloud. It uploads what is
// missing, makes a change set, reads it, executes it, follows the events and
// publishes static files. It knows templates and zips, but no pragmas.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Deployment is everything that one run brings to one stack.
type Deployment struct {
	App        string // names the artifact bucket and its SSM parameter
	Stage      string // "preview", "staging" or "production"
	StackName  string
	Template   []byte            // as cfn.Template.JSON prints it; its mark says whose stack it makes
	Parameters map[string]string // values of the template's parameters, but for ArtifactBucket
	Versions   map[string]string // of the environment variables, by name
	Tags       map[string]string
	Artifacts  []Artifact // code the template refers to by key
	Bucket     string     // artifact bucket to use; "" = found in SSM or made
	Static     *Static    // nil: nothing to publish
	Source     Source     // what the deploy's record says of where it comes from
	// Adopt lets a stack be changed that bears no mark and that nothing shows arc
	// or Architect to have made; it is marked with the change.
	Adopt     bool
	AllowLoss []string // logical IDs of data-holding resources that may be replaced or deleted
	// Plan, when there is one, must still fit the stack: otherwise Deploy fails
	// with a *MovedError and changes nothing.
	Plan *Planned
	// By names who deploys, for whoever deploys the same stack meanwhile; "" = nobody.
	By string
	// NoWait has Deploy return as soon as CloudFormation is told to go ahead.
	NoWait bool
	// Refused says why AWS would refuse to create or update a function with a
	// runtime; nil or "" when it would not.
	Refused func(runtime string, create bool) string
	// Origin gives the manifest position of a resource ("app.arc:7:1") for
	// error messages; nil or "" when there is none.
	Origin func(logicalID string) string
}

// Source is where a deployment comes from.
type Source struct {
	Commit string // "" = not known
	Dirty  bool   // there is more than the commit
	Arc    string // version of the program
}

// Artifact is one uploaded object, named by the hash of its content.
type Artifact struct {
	Key   string
	Label string // for progress: "src/http/get-index"
	Write func(io.Writer) error
}

// Outcome is what a deployment did.
type Outcome struct {
	StackName string
	StackID   string
	Created   bool
	Unchanged bool // the stack was as it should be, and was left alone
	Uploaded  int  // artifacts
	Published int  // static files
	// Running tells that nobody waited for CloudFormation, which is at work: Follow
	// follows StackID.
	Running bool `json:",omitempty"`
	// Direct has the functions that were changed past CloudFormation.
	Direct  []string `json:",omitempty"`
	Outputs map[string]string
}

// Progress is told what happens, line by line, for stderr. Calls do not overlap.
type Progress func(Step)

// Step is one thing that happened.
type Step struct {
	Kind      string // "upload", "change-set", "event", "publish", "note", "expected"
	LogicalID string
	Type      string
	Status    string // of an event; of a change: "Add", "Modify", "Replace", "MayReplace", "Remove"
	Reason    string
	Message   string    // a line that says it all
	Time      time.Time // of an event, as CloudFormation has it
	// Took is how long a resource was at work, with the event that ends it; with
	// "expected", how long the last deploy of the stack took. 0 = not known.
	Took time.Duration
}

// Deployer deploys stacks to the endpoint of its clients.
type Deployer struct {
	Clients  Clients
	Progress Progress
	// Sums are hashes of zips that earlier runs on this machine packed; nil = none,
	// and every zip is packed to know what it should be.
	Sums Sums
}

// Sums keeps the SHA-256 of zips, in base64, by the last part of their keys. A
// key stands for the same bytes in every version of arc, so what is kept never
// ages. Whoever can write it can have a deploy believe other bytes to be what was
// packed: it has to be where only this user writes. Both methods may be called at
// the same time.
type Sums interface {
	Get(name string) string // "" = not known
	Put(name, sum string)
}

// Deploy brings d to its stack. Killing it at any moment and running it again
// gives the same end state; when another run is under way it follows that one.
// It fails with a *ForeignError, a *LossError, a *MovedError, a *TamperedError, a
// *FailedError, an *InterruptedError, or the SDK's error with the call that it answers.
func (dp *Deployer) Deploy(ctx context.Context, d Deployment) (Outcome, error) {
	r, err := dp.newRun(d)
	if err != nil {
		return Outcome{StackName: d.StackName}, err
	}
	err = r.bring(ctx)
	switch {
	case errors.Is(err, errLeft):
		return r.outcome, nil
	case err != nil && ctx.Err() != nil:
		err = &InterruptedError{StackName: d.StackName, Executing: r.executing, Changed: r.changed, Err: ctx.Err()}
	case err != nil && r.executing:
		err = r.goesOn(ctx, err)
	}
	return r.outcome, err
}

// isUnreachableLocal tells that a local cloud is gone, and what it was at with it.
func isUnreachableLocal(err error) bool {
	gone, ok := errors.AsType[*UnreachableError](err)
	return ok && gone.Gone
}

// GoesOnError tells that CloudFormation is at work on the stack, and that how it
// gets on cannot be read any more.
type GoesOnError struct {
	StackName string
	Deleting  bool // it is to go, and whoever destroys it again follows that
	Err       error
}

// Error says why, and how to follow it.
func (e *GoesOnError) Error() string {
	if e.Deleting {
		return fmt.Sprintf("%v; AWS goes on with stack %s, destroy it again to follow it to its end", e.Err, e.StackName)
	}
	return fmt.Sprintf("%v; AWS goes on with stack %s, deploy again to follow it to its end", e.Err, e.StackName)
}

// Unwrap is why it cannot be read.
func (e *GoesOnError) Unwrap() error { return e.Err }

// InterruptedError tells that the context ended before the deployment did.
type InterruptedError struct {
	StackName string
	Executing bool // CloudFormation had been told to go ahead, and does
	Deleting  bool // to delete it, that is
	Changed   bool // it was done, and what comes after the stack was not: verifying, static files
	Err       error
}

// Error says what goes on without us, and how to follow it.
func (e *InterruptedError) Error() string {
	if e.Deleting && e.Executing {
		return fmt.Sprintf("interrupted while stack %s was being deleted: AWS goes on with it; destroy it again to follow it to its end", e.StackName)
	}
	if e.Deleting && e.Changed {
		return fmt.Sprintf("interrupted after stack %s was deleted, with what is kept of its secrets in SSM still to go; destroy it again to go on", e.StackName)
	}
	if e.Deleting {
		return fmt.Sprintf("interrupted before the deletion of stack %s began; destroy it again to go on", e.StackName)
	}
	if e.Executing {
		return fmt.Sprintf("interrupted while stack %s was being changed: AWS goes on with it; deploy again to follow it to its end", e.StackName)
	}
	if e.Changed {
		return fmt.Sprintf("interrupted after stack %s was changed, with its static files still to be looked at; deploy again to go on", e.StackName)
	}
	return fmt.Sprintf("interrupted before stack %s was changed; deploy again to go on", e.StackName)
}

// Unwrap is what interrupted.
func (e *InterruptedError) Unwrap() error { return e.Err }

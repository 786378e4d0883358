// Package deploy brings a stack to an AWS endpoint, whichever one the SDK's
// own configuration names: AWS itself, or the local cloud. It uploads what is
// missing, makes a change set, reads it, executes it, follows the events and
// publishes static files. It knows templates and zips, but no pragmas.
package deploy

import (
	"context"
	"io"
)

// Deployment is everything that one run brings to one stack.
type Deployment struct {
	App        string // names the artifact bucket and its SSM parameter
	Stage      string // "staging" or "production"
	StackName  string
	Template   []byte            // as cfn.Template.JSON prints it
	Parameters map[string]string // values of the template's parameters, but for ArtifactBucket
	Tags       map[string]string
	Artifacts  []Artifact // code the template refers to by key
	Bucket     string     // artifact bucket to use; "" = found in SSM or made
	Static     *Static    // nil: nothing to publish
	AllowLoss  []string   // logical IDs of data-holding resources that may be replaced or deleted
	// Origin gives the manifest position of a resource ("app.arc:7:1") for
	// error messages; nil or "" when there is none.
	Origin func(logicalID string) string
}

// Artifact is one uploaded object, named by the hash of its content.
type Artifact struct {
	Key   string
	Label string // for progress: "src/http/get-index"
	Write func(io.Writer) error
}

// Static is the folder of files to publish into the stack's bucket.
type Static struct {
	Files  []StaticFile
	Prefix string
	Prune  bool
	// Bucket is a bucket of the user's own; "" = the stack's StaticBucket.
	Bucket string
}

// StaticFile is one file to publish.
type StaticFile struct {
	Path string // slash path inside the folder
	Open func() (io.ReadSeekCloser, error)
}

// Outcome is what a deployment did.
type Outcome struct {
	StackName string
	StackID   string
	Created   bool
	Unchanged bool // nothing differed, no mutating call was made
	Uploaded  int  // artifacts
	Published int  // static files
	Outputs   map[string]string
}

// Progress is told what happens, line by line, for stderr.
type Progress func(Step)

// Step is one thing that happened.
type Step struct {
	Kind      string // "upload", "change-set", "event", "publish", "note"
	LogicalID string
	Type      string
	Status    string
	Reason    string
	Message   string
}

// Deployer deploys stacks to the endpoint of its clients.
type Deployer struct {
	Clients  Clients
	Progress Progress
}

// Deploy brings d to its stack. Killing it at any moment and running it again
// gives the same end state; when another run is under way it follows that one.
func (dp *Deployer) Deploy(ctx context.Context, d Deployment) (Outcome, error) {
	return Outcome{}, nil // filled in by the room's owner
}

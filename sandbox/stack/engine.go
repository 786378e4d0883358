package stack

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"arc/cfn/registry"
	"arc/sandbox/journal"
)

// Options are what an engine needs from its surroundings.
type Options struct {
	Account string // twelve digits
	Region  string // of requests that name none
	// Registrations say which resource types there are, and who makes them.
	Registrations map[string]Registration
	// Custom provides custom resources, whatever their types are called; without a
	// Provider they are refused.
	Custom Registration
	// Fetch reads the template behind a TemplateURL; nil = none can be read.
	Fetch func(ctx context.Context, templateURL string) ([]byte, error)
	// Transforms are what the section Transform may ask for besides what the engine
	// knows itself, by name: each makes a template of a template, both as trees.
	Transforms map[string]func(template map[string]any) (map[string]any, error)
	// Macro has a macro of the account expand a part of a template, or says ErrNoMacro;
	// nil = there are none. The context is that of the call.
	Macro func(ctx context.Context, call MacroCall) (fragment any, err error)
	// Parameter reads a value of the parameter store, for template parameters
	// of type AWS::SSM::Parameter::Value; nil = none can be read.
	Parameter func(ctx context.Context, name string) (string, error)
	// Secret reads a value of a secret, or a key of it, for dynamic references; nil =
	// none can be read.
	Secret func(called, key, stage, id string) (string, error)
	// May gives an error when the caller of a stack operation, or the role that the
	// stack was given, may not do a step ("Create", "Update", "Delete") on a resource;
	// nil = everybody may do everything. The context is that of the call.
	May func(ctx context.Context, step string, req Request, role string) error
	// Fault, when set, is asked before every operation of the API (its name,
	// "") and every step on a resource ("Create", "Update", "Delete", "Import" and the
	// logical ID); what it returns is what happens. It is how tests meet
	// throttling and failing resources.
	Fault func(op, logicalID string) error
	// Patience is how long DescribeStacks of one stack, and DescribeChangeSet, wait
	// for what is under way, since clients that hear of it sleep for up to half a
	// minute; 0 = they answer at once, as on AWS.
	Patience time.Duration
	// Parallel is how many resources of a stack are worked on at once; 0 means 8.
	Parallel int
	// SetAside says of a stack that its data is not deleted with its resources:
	// it is there again when the resource is. nil = of none.
	SetAside func(stackName string) bool
	// Recorded registers further types: those that exist on AWS, and of which no
	// resource does anything here. nil = there are none.
	Recorded func(resourceType string) (Registration, bool)
	// NotRun is told, once for each type of a stack, which further types a stack holds,
	// sorted; stacks that SetAside names are told of by who runs them. nil = nobody is.
	NotRun func(stackName string, types []string)
	// Warn is told, once, that stacks cannot be kept between runs; nil = nobody is.
	Warn func(text string)
}

// Engine keeps the stacks of one account, each in the region that its client
// signed for. Its methods are
// CloudFormation's operations, with the same names, inputs and outputs.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
//
// Operations that change a stack return at once and go on in the background,
// as they do on AWS; Apply and Remove are their waiting counterparts for callers in
// the same program. With Remember and Revive, stacks outlive the process.
type Engine struct {
	options       Options
	registrations map[string]Registration
	ctx           context.Context
	cancel        context.CancelFunc
	running       sync.WaitGroup
	telling       sync.Mutex // keeps what listeners hear in the order of the events

	mu     sync.Mutex   // guards what follows and all that hangs from it
	closed bool         // no new work
	all    []*state     // oldest first, deleted ones too
	memory *journal.Log // nil = nothing outlives the process
	// remembered are physical IDs by stack and logical ID; see remember.go.
	remembered map[string]string
	live       map[string]*state // by region and name
	restoring  bool              // stacks of an earlier run are being brought back
	said       bool              // that stacks cannot be kept

	notRun sync.Map // stack and type, of which it was said that it does not run
}

// New makes an engine without stacks.
func New(options Options) *Engine {
	if options.Parallel <= 0 {
		options.Parallel = 8
	}
	e := &Engine{options: options, live: map[string]*state{}, registrations: maps.Clone(options.Registrations)}
	if e.registrations == nil {
		e.registrations = map[string]Registration{}
	}
	e.registrations[stackType] = Registration{Provider: nested{e}}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// Close cancels what is under way and waits for it to end. Stacks are left as
// they are: nothing is deleted.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.running.Wait()
}

// registration is how a type is provided; without a Provider it is not.
func (e *Engine) registration(resourceType string) Registration {
	r, ok := e.registrations[resourceType]
	if !ok && registry.IsCustom(resourceType) {
		return e.options.Custom
	}
	if !ok && e.options.Recorded != nil {
		r, _ = e.options.Recorded(resourceType)
	}
	return r
}

// fault asks the fault seam.
func (e *Engine) fault(op, logicalID string) error {
	if e.options.Fault == nil {
		return nil
	}
	return e.options.Fault(op, logicalID)
}

// find gives a stack of the region of a request by its name or ARN. Deleted stacks are only found by ARN.
// The caller holds the lock.
func (e *Engine) find(ctx context.Context, nameOrID string) (*state, error) {
	if st, ok := e.live[liveKey(e.region(ctx), nameOrID)]; ok {
		return st, nil
	}
	if st := e.byID(nameOrID); st != nil && (RegionOf(ctx) == "" || RegionOf(ctx) == st.ref.Region) {
		return st, nil
	}
	return nil, unknownStack(nameOrID)
}

// byID gives a stack of any region by its ARN, also a deleted one; nil = there is
// none. The caller holds the lock.
func (e *Engine) byID(id string) *state {
	if i := slices.IndexFunc(e.all, func(st *state) bool { return st.ref.ID == id }); i >= 0 {
		return e.all[i]
	}
	return nil
}

// begin marks st as busy and runs work in the background. The caller holds
// the lock and has changed the status already.
func (e *Engine) begin(st *state, work func(ctx context.Context)) {
	done := make(chan struct{})
	st.done = done
	e.running.Add(1)
	go func() {
		defer e.running.Done()
		defer close(done)
		work(e.ctx)
	}()
}

// patient waits for what end gives a channel of, as long as options have it. end is
// called with the lock held; nil = nothing is under way. It is for calls that came
// over the wire: they are told how things are then, done or not.
func (e *Engine) patient(ctx context.Context, end func() <-chan struct{}) {
	if e.options.Patience <= 0 {
		return
	}
	e.mu.Lock()
	done := end()
	e.mu.Unlock()
	if done == nil {
		return
	}
	late := time.NewTimer(e.options.Patience)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	case <-ctx.Done():
	case <-e.ctx.Done():
	}
}

// there gives a stack by its ARN, or the error that there is none. The caller
// holds the lock.
func (e *Engine) there(id string) (*state, error) {
	if st := e.byID(id); st != nil {
		return st, nil
	}
	return nil, unknownStack(id)
}

// arn makes the identifier of a stack or change set.
func (e *Engine) arn(region, kind, name string) string {
	return ARN(region, "cloudformation", region, e.options.Account, kind+"/"+name+"/"+newUUID())
}

// newUUID gives a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newToken gives the random part of a physical name.
func newToken() string { return rand.Text()[:12] }

// now is the time in the millisecond steps in which CloudFormation tells it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Package states is Step Functions: state machines in the Amazon States Language,
// and their executions, which call functions and other services in the name of
// the machine's role. Those of STANDARD machines outlive the process.
// https://docs.aws.amazon.com/step-functions/latest/dg/welcome.html
package states

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Options are what the service needs from its surroundings.
type Options struct {
	Account, Region string
	Invoker         invoke.Invoker
	Permit          invoke.Permit // asked what a machine's role may; nil = everything
	// Call answers a request to a service in the name of a role's session.
	Call invoke.CallService
	// Runs reports whether the local cloud has an operation of a service, by the name
	// that clients sign for: "sqs" "SendMessage".
	Runs   func(service, operation string) bool
	Object func(bucket, key string) ([]byte, error) // of S3
	Called func(function string) string             // how people call a function
	Tell   activity.Tell
	Clock  invoke.Clock // nil = the machine's
}

// Service keeps the state machines of one local cloud.
type Service struct {
	options Options
	log     *journal.Log
	ctx     context.Context
	end     context.CancelCauseFunc
	running sync.WaitGroup

	mu         sync.Mutex
	closed     bool
	machines   map[string]*machine       // by ARN
	versions   map[string]*version       // by ARN
	aliases    map[string]*alias         // by ARN
	numbers    map[string]int            // of the last version, by the machine's ARN
	executions map[string]*execution     // by ARN
	order      []*execution              // as they were started
	tokens     map[string]*waiting       // by task token
	activities map[string]*activityQueue // by ARN
	mapRuns    map[string]*mapRun        // by ARN
	ended      int64                     // bytes of the histories of those that have ended
	endedCount int                       // how many have
	forgot     bool                      // some of them were dropped
}

// New gives a service without machines. Close it to end its executions.
func New(options Options) *Service {
	options.Tell = options.Tell.Or()
	if options.Clock == nil {
		options.Clock = invoke.SystemClock{}
	}
	if options.Called == nil {
		options.Called = func(string) string { return "" }
	}
	s := &Service{
		options: options, machines: map[string]*machine{}, versions: map[string]*version{}, aliases: map[string]*alias{}, numbers: map[string]int{},
		executions: map[string]*execution{}, tokens: map[string]*waiting{}, activities: map[string]*activityQueue{}, mapRuns: map[string]*mapRun{},
	}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	return s
}

// Close ends what is running: executions of STANDARD machines go on in the next run,
// where data is kept.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end(errClosing)
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("executions of state machines have not ended: %w", ctx.Err())
	}
}

// Endpoint is where clients find the service.
func (s *Service) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "states", Variable: "SFN", Targets: []string{"AWSStepFunctions"}, Handler: handler{s}}
}

// Receive starts an execution: an event of a rule or a schedule is its input.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
func (s *Service) Receive(_ context.Context, arn string, m invoke.Message) error {
	_, err := s.start(arn, "", m.Body)
	if api, ok := err.(*stack.Error); ok && strings.HasSuffix(api.Code, "DoesNotExist") {
		return fmt.Errorf("%s: %w", arn, invoke.ErrNotFound)
	}
	return err
}

// arn is an ARN in a region.
func (s *Service) arn(region, resource string) string {
	return stack.ARN(region, "states", region, s.options.Account, resource)
}

// wait lets time pass; false = the context has ended.
func (s *Service) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.options.Clock.After(d):
		return true
	}
}

// seconds is a time as AWS's JSON has it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
